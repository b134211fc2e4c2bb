//! What is at hand of each set and task beside what table 1 of the paper (arXiv:2403.02884), or the
//! publisher of a further set, counts, and why they differ.

use std::collections::HashMap;
use std::path::PathBuf;

use serde::Serialize;

use crate::benchmark::{Benchmark, Set};
use crate::problem::Problem;
use crate::source::{Data, DataOrigin};

/// The counts of all sets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Stats {
    /// Where the problems came from.
    pub origin: DataOrigin,
    /// BLAKE3 (hex) of the files' contents.
    pub digest: String,
    /// The sets, in the benchmark's order.
    pub sets: Vec<SetStats>,
    /// Test problems of the averaged sets.
    pub test: ProblemCount,
    /// Training problems of the averaged sets.
    pub train: ProblemCount,
    /// Training files that are not in the record form and were not counted.
    pub passed_over: Vec<PathBuf>,
}

/// Problems in the paper and at hand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ProblemCount {
    /// What table 1 of the paper counts, of a further set what its publisher gives out; null for a
    /// custom data set.
    pub paper: Option<usize>,
    /// What is at hand.
    pub at_hand: usize,
}

/// The counts of one set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SetStats {
    /// Name of the set.
    pub set: String,
    /// Name in print.
    pub title: String,
    /// Whether it takes part in the averages.
    pub in_average: bool,
    /// Whether it is a further set, asked where it is named.
    #[serde(skip_serializing_if = "is_false")]
    pub on_request: bool,
    /// Test problems.
    pub test: ProblemCount,
    /// Training problems.
    pub train: ProblemCount,
    /// Of the test problems at hand, those in another language than the one in which the set is
    /// asked.
    pub untranslated: usize,
    /// Of the test problems at hand, those that kept their options.
    pub with_options: usize,
    /// The same for each task, where the set has several.
    pub tasks: Vec<TaskStats>,
    /// Why counts differ, a sentence each.
    pub notes: Vec<String>,
}

/// The counts of one task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TaskStats {
    /// Name of the task.
    pub task: String,
    /// Test problems.
    pub test: ProblemCount,
}

impl Stats {
    /// Counts the data, and the training problems beside them (the outcome of
    /// [`crate::load_training`]).
    pub fn of(benchmark: &Benchmark, data: &Data, training: (&[Problem], Vec<PathBuf>)) -> Self {
        let (training, passed_over) = training;
        let at_hand = Counts::of(benchmark, data);
        let trained = by(training, |problem| &problem.set);
        // The further sets where there is anything of them.
        let is_listed = |set: &&Set| !set.on_request || count(&at_hand.of_set, &set.name) > 0;
        let sets: Vec<SetStats> = benchmark
            .sets()
            .iter()
            .filter(is_listed)
            .map(|set| SetStats::of(set, data, &at_hand, count(&trained, &set.name)))
            .collect();
        let sum = |of: fn(&SetStats) -> ProblemCount| {
            let averaged = || sets.iter().filter(|set| set.in_average).map(of);
            ProblemCount {
                paper: Some(averaged().filter_map(|counted| counted.paper).sum()),
                at_hand: averaged().map(|counted| counted.at_hand).sum(),
            }
        };
        Self {
            origin: data.origin.clone(),
            digest: data.digest.clone(),
            test: sum(|set| set.test),
            train: sum(|set| set.train),
            sets,
            passed_over,
        }
    }
}

/// Problems at hand by what is asked of them.
struct Counts<'a> {
    of_set: HashMap<&'a str, usize>,
    of_task: HashMap<&'a str, usize>,
    untranslated: HashMap<&'a str, usize>,
    with_options: HashMap<&'a str, usize>,
}

impl<'a> Counts<'a> {
    fn of(benchmark: &Benchmark, data: &'a Data) -> Self {
        let has_options = |problem: &&Problem| {
            let form = data
                .extras
                .get(&problem.id)
                .and_then(|extras| extras.get("form"));
            form.is_some_and(|form| form == "choice")
        };
        let set = |problem: &'a Problem| problem.set.as_str();
        Self {
            of_set: by(&data.problems, set),
            of_task: by(&data.problems, |problem| &problem.task),
            untranslated: by(
                data.problems
                    .iter()
                    .filter(|problem| data.is_untranslated(benchmark, problem)),
                set,
            ),
            with_options: by(data.problems.iter().filter(has_options), set),
        }
    }
}

fn is_false(value: &bool) -> bool {
    !value
}

fn by<'a>(
    problems: impl IntoIterator<Item = &'a Problem>,
    key: impl Fn(&'a Problem) -> &'a str,
) -> HashMap<&'a str, usize> {
    let mut counts = HashMap::new();
    for problem in problems {
        *counts.entry(key(problem)).or_default() += 1;
    }
    counts
}

fn count(counts: &HashMap<&str, usize>, name: &str) -> usize {
    counts.get(name).copied().unwrap_or_default()
}

impl SetStats {
    fn of(set: &Set, data: &Data, counts: &Counts<'_>, trained: usize) -> Self {
        let paper = |count: usize| (!set.is_custom()).then_some(count);
        let task = |task: &crate::benchmark::Task| TaskStats {
            task: task.name.clone(),
            test: ProblemCount {
                paper: paper(task.count),
                at_hand: count(&counts.of_task, &task.name),
            },
        };
        let mut stats = Self {
            set: set.name.clone(),
            title: set.title.clone(),
            in_average: set.in_average,
            on_request: set.on_request,
            test: ProblemCount {
                paper: paper(set.count()),
                at_hand: count(&counts.of_set, &set.name),
            },
            train: ProblemCount {
                paper: paper(set.train_count),
                at_hand: trained,
            },
            untranslated: count(&counts.untranslated, &set.name),
            with_options: count(&counts.with_options, &set.name),
            tasks: if set.tasks.len() > 1 {
                set.tasks.iter().map(task).collect()
            } else {
                Vec::new()
            },
            notes: Vec::new(),
        };
        // Bundled problems are far fewer by design, and a custom set has no count in the paper.
        if data.origin != DataOrigin::Bundled && !set.is_custom() {
            stats.notes = notes(set, &stats);
        }
        stats
    }
}

/// Why the counts of a published set differ.
fn notes(set: &Set, stats: &SetStats) -> Vec<String> {
    let mut notes = Vec::new();
    let (paper, at_hand) = (set.count(), stats.test.at_hand);
    if at_hand > 0 && at_hand != paper {
        notes.push(difference(set, paper, at_hand));
    }
    if stats.untranslated > 0 {
        notes.push(format!(
            "{} of them wait for their translation and cannot be asked before",
            grouped(stats.untranslated)
        ));
    }
    if stats.with_options > 0 && !set.on_request {
        notes.push(format!(
            "{} of them keep their options and have labels as references: their accuracy is not MwpBench's",
            grouped(stats.with_options)
        ));
    }
    if let Some(note) = set.note.as_ref().filter(|_| at_hand > 0) {
        notes.push(note.clone());
    }
    if stats.train.at_hand > 0 && stats.train.at_hand != set.train_count {
        notes.push(training_difference(set, stats.train.at_hand));
    }
    notes
}

fn difference(set: &Set, paper: usize, at_hand: usize) -> String {
    let publisher = set
        .publisher
        .as_ref()
        .filter(|publisher| publisher.imported == at_hand);
    let Some(publisher) = publisher else {
        return match at_hand < paper {
            true => format!(
                "{} of {} are not at hand",
                grouped(paper - at_hand),
                grouped(paper)
            ),
            false => format!(
                "{} more than {} counts",
                grouped(at_hand - paper),
                if set.on_request {
                    "its publisher"
                } else {
                    "the paper"
                }
            ),
        };
    };
    let made = match publisher.imported == publisher.test {
        true => format!("these are the publisher's {}", grouped(publisher.test)),
        false => format!(
            "these are left of the publisher's {}",
            grouped(publisher.test)
        ),
    };
    match &publisher.why {
        Some(why) => format!("{made}; {why}"),
        None => made,
    }
}

fn training_difference(set: &Set, at_hand: usize) -> String {
    let publisher = set.publisher.as_ref();
    let all = publisher.and_then(|publisher| publisher.train);
    let imported = publisher
        .and_then(|publisher| publisher.train_imported)
        .or(all);
    let made = match (all, imported == Some(at_hand)) {
        (Some(all), true) if all == at_hand => {
            format!("training: these are the publisher's {}", grouped(all))
        }
        (Some(all), true) => format!(
            "training: these are left of the publisher's {}",
            grouped(all)
        ),
        _ => format!("training: {} at hand", grouped(at_hand)),
    };
    match set.train_count {
        0 => format!("{made}; the benchmark has no training problems of this set"),
        count => format!("{made}; the benchmark has {}", grouped(count)),
    }
}

/// A number in digits, in groups of three: `15,534`.
pub fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
