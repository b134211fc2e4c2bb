//! Which of the problems a run asks: tasks, the protocol's cap, the user's limit.

use fault::{Class, Fault};
use std::collections::HashMap;

use dataset_loader::{Benchmark, Problem};

use crate::nearest::did_you_mean;
use crate::protocol::Protocol;

/// Which of the problems a run asks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// Names of sets or tasks; all but the further sets where `None`.
    pub tasks: Option<Vec<String>>,
    /// Most problems of a set, taken in turn from its tasks in their own order; all where `None`.
    pub limit: Option<usize>,
    /// The protocol, which may cap the tasks.
    pub protocol: Protocol,
}

/// Why a selection cannot be made.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SelectionError {
    /// Neither a set nor a task.
    #[error("no set or task is called \"{name}\"{near} (sets: {sets})")]
    Unknown {
        /// What was asked for.
        name: String,
        /// The known name that it may stand for, as a question.
        near: String,
        /// Known sets.
        sets: String,
    },
    /// The data has no problem of a set or task that was asked for.
    #[error("the data holds no problem of \"{name}\" (it holds: {present})")]
    Absent {
        /// What was asked for.
        name: String,
        /// The sets that the data holds.
        present: String,
    },
    /// A file whose suites cannot be used.
    #[error("{file}: {message}")]
    SuitesFile {
        /// The file.
        file: String,
        /// What is wrong with it.
        message: String,
    },
}

impl SelectionError {
    /// Nothing of that name is in the data.
    pub(crate) fn absent(name: &str, problems: &[Problem]) -> Self {
        let mut present = Vec::new();
        for problem in problems {
            if present.last() != Some(&problem.set.as_str()) {
                present.push(problem.set.as_str());
            }
        }
        Self::Absent {
            name: name.to_string(),
            present: present.join(", "),
        }
    }
}

impl Fault for SelectionError {
    fn class(&self) -> Class {
        Class::Usage
    }
}

impl Selection {
    /// The selected problems, in the order of the data.
    ///
    /// # Errors
    /// An unknown name, or one of which the data has nothing.
    pub fn apply(
        &self,
        benchmark: &Benchmark,
        problems: Vec<Problem>,
    ) -> Result<Vec<Problem>, SelectionError> {
        let chosen = self.choose_tasks(benchmark, problems)?;
        // The cap before the limit, so that a limit only ever takes from what the protocol asks.
        let capped = match self.protocol.task_cap() {
            Some(cap) => cap_tasks(chosen, cap),
            None => chosen,
        };
        Ok(match self.limit {
            Some(limit) => limit_sets(capped, limit),
            None => capped,
        })
    }

    fn choose_tasks(
        &self,
        benchmark: &Benchmark,
        problems: Vec<Problem>,
    ) -> Result<Vec<Problem>, SelectionError> {
        let Some(names) = &self.tasks else {
            return Ok(without_further(benchmark, problems));
        };
        let names = names.iter().map(|name| known_name(benchmark, name));
        let names = names.collect::<Result<Vec<&str>, SelectionError>>()?;
        for name in &names {
            if !problems
                .iter()
                .any(|problem| problem.set == **name || problem.task == **name)
            {
                return Err(SelectionError::absent(name, &problems));
            }
        }
        Ok(problems
            .into_iter()
            .filter(|p| names.iter().any(|name| p.set == *name || p.task == *name))
            .collect())
    }
}

/// The problems without those of further sets, which are asked where they are named; all where there
/// is nothing else.
fn without_further(benchmark: &Benchmark, mut problems: Vec<Problem>) -> Vec<Problem> {
    let is_own = |problem: &Problem| {
        let set = benchmark.set(&problem.set);
        set.is_none_or(|set| !set.on_request)
    };
    if problems.iter().any(is_own) {
        problems.retain(is_own);
    }
    problems
}

/// The set or task of a name: as it is written, else in any case, or by the set's name in print.
fn known_name<'a>(benchmark: &'a Benchmark, name: &str) -> Result<&'a str, SelectionError> {
    let sets = || benchmark.sets().iter().map(|set| set.name.as_str());
    let names = || sets().chain(benchmark.task_names());
    let titled = benchmark
        .sets()
        .iter()
        .find(|set| set.title.eq_ignore_ascii_case(name));
    let found = names()
        .find(|known| *known == name)
        .or_else(|| names().find(|known| known.eq_ignore_ascii_case(name)))
        .or(titled.map(|set| set.name.as_str()));
    found.ok_or_else(|| SelectionError::Unknown {
        name: name.to_string(),
        near: did_you_mean(name, names()),
        sets: sets().collect::<Vec<_>>().join(", "),
    })
}

fn cap_tasks(problems: Vec<Problem>, cap: usize) -> Vec<Problem> {
    let mut taken = HashMap::<String, usize>::new();
    let within = |problem: &Problem| {
        let count = taken.entry(problem.task.clone()).or_default();
        *count += 1;
        *count <= cap
    };
    problems.into_iter().filter(within).collect()
}

/// Keeps at most `limit` problems of each set. A problem's rank is its position in its own task;
/// the lowest ranks of a set stay, so that a limit of 14 keeps two problems of each of seven tasks.
fn limit_sets(problems: Vec<Problem>, limit: usize) -> Vec<Problem> {
    let mut in_task = HashMap::<&str, usize>::new();
    let ranks: Vec<usize> = problems
        .iter()
        .map(|problem| {
            let count = in_task.entry(&problem.task).or_default();
            *count += 1;
            *count
        })
        .collect();
    let mut by_set = HashMap::<&str, Vec<usize>>::new();
    for (index, problem) in problems.iter().enumerate() {
        by_set.entry(&problem.set).or_default().push(index);
    }
    let mut kept = vec![false; problems.len()];
    // Each set marks its own problems, so that the order of this map does not matter. The sort is
    // stable: of equal ranks the first in the data stay.
    for mut indices in by_set.into_values() {
        indices.sort_by_key(|&index| ranks[index]);
        indices
            .iter()
            .take(limit)
            .for_each(|&index| kept[index] = true);
    }
    problems
        .into_iter()
        .zip(kept)
        .filter_map(|(problem, keep)| keep.then_some(problem))
        .collect()
}
