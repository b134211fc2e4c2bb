//! Problems that a run leaves out, by a list of their ids: those that training data contain, for
//! instance.

use std::collections::{BTreeSet, HashSet};
use std::path::{Path, PathBuf};

use dataset_loader::{Benchmark, Problem};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A list of ids to leave out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exclusion {
    file: PathBuf,
    ids: BTreeSet<String>,
}

/// What was left out of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Excluded {
    /// Problems that would have been asked.
    pub problems: usize,
    /// BLAKE3 (hex) of their ids in the order of the problems, each with a line end.
    pub ids_digest: String,
}

/// Why a list of ids cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExclusionError {
    /// The file cannot be read as text.
    #[error("the ids to exclude, {}, cannot be read: {source}", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// There is nothing in it.
    #[error("{} holds no id: expected one a line, such as gsm8k/12", .0.display())]
    Empty(PathBuf),
    /// Ids of sets that are there, or of no set at all, that no problem has.
    #[error(
        "{count} of the {total} ids in {} belong to no problem: {}",
        file.display(),
        first.join(", ")
    )]
    Unknown {
        /// The file.
        file: PathBuf,
        /// How many are unknown.
        count: usize,
        /// How many there are.
        total: usize,
        /// The first of them.
        first: Vec<String>,
    },
    /// Nothing is left to ask.
    #[error("{} excludes every problem that was selected", .0.display())]
    NothingLeft(PathBuf),
}

impl Exclusion {
    /// Reads a file with an id a line. Blank lines are passed over.
    ///
    /// # Errors
    /// A file that cannot be read, or without any id.
    pub fn load(file: &Path) -> Result<Self, ExclusionError> {
        let text = std::fs::read_to_string(file).map_err(|source| ExclusionError::Unreadable {
            file: file.to_path_buf(),
            source,
        })?;
        let lines = text.trim_start_matches('\u{feff}').lines().map(str::trim);
        let ids: BTreeSet<String> = lines
            .filter(|line| !line.is_empty())
            .map(str::to_string)
            .collect();
        match ids.is_empty() {
            true => Err(ExclusionError::Empty(file.to_path_buf())),
            false => Ok(Self {
                file: file.to_path_buf(),
                ids,
            }),
        }
    }

    /// Each id must be a problem's of the data, unless its set is not among them.
    fn check(&self, benchmark: &Benchmark, problems: &[Problem]) -> Result<(), ExclusionError> {
        let known: HashSet<&str> = problems.iter().map(|problem| problem.id.as_str()).collect();
        let present: HashSet<&str> = problems
            .iter()
            .map(|problem| problem.set.as_str())
            .collect();
        // A list made for the whole benchmark serves a run on part of it, while a slip in an id of
        // data that are there is still found.
        let is_of_other_data = |id: &str| {
            let task = id.split_once('/').map_or(id, |(task, _)| task);
            benchmark
                .set_of_task(task)
                .is_some_and(|set| !present.contains(set.name.as_str()))
        };
        let unknown: Vec<&String> = self
            .ids
            .iter()
            .filter(|id| !known.contains(id.as_str()) && !is_of_other_data(id))
            .collect();
        const SHOWN: usize = 5;
        match unknown.is_empty() {
            true => Ok(()),
            false => Err(ExclusionError::Unknown {
                file: self.file.clone(),
                count: unknown.len(),
                total: self.ids.len(),
                first: unknown.into_iter().take(SHOWN).cloned().collect(),
            }),
        }
    }

    /// Takes problems out of what was selected from the data, so that what stays is a part of what
    /// would have been asked. What was taken out is `None` where that is nothing.
    ///
    /// # Errors
    /// Ids that no problem of the data has, though there are problems of their set, or nothing that
    /// stays.
    pub fn apply(
        &self,
        benchmark: &Benchmark,
        data: &[Problem],
        selected: Vec<Problem>,
    ) -> Result<(Vec<Problem>, Option<Excluded>), ExclusionError> {
        self.check(benchmark, data)?;
        self.take_out(selected)
    }

    /// Takes problems out of those of a run, which may not have asked all of the ids.
    ///
    /// # Errors
    /// Nothing stays.
    pub(crate) fn take_out(
        &self,
        selected: Vec<Problem>,
    ) -> Result<(Vec<Problem>, Option<Excluded>), ExclusionError> {
        let (out, stay): (Vec<Problem>, Vec<Problem>) = selected
            .into_iter()
            .partition(|problem| self.ids.contains(&problem.id));
        if stay.is_empty() && !out.is_empty() {
            return Err(ExclusionError::NothingLeft(self.file.clone()));
        }
        let mut hasher = blake3::Hasher::new();
        for problem in &out {
            hasher.update(problem.id.as_bytes()).update(b"\n");
        }
        let ids_digest = hasher.finalize().to_hex().to_string();
        let excluded = (!out.is_empty()).then_some(Excluded {
            problems: out.len(),
            ids_digest,
        });
        Ok((stay, excluded))
    }
}
