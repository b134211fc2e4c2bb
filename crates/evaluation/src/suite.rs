//! Suites: names for several sets that are reported together, with averages of their own.

use std::collections::BTreeMap;
use std::path::Path;

use dataset_loader::{Benchmark, Problem, Set};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::averages::{Averages, averages};
use crate::deduplicated::DeduplicatedAverages;
use crate::record::VerdictRecord;
use crate::selection::SelectionError;
use crate::set_summary::SetSummary;

/// The suite of MwpBench's own sets, whose averages are the run's.
pub const MWPBENCH: &str = "mwpbench";
/// The suite of all sets.
pub const ALL: &str = "all";

/// The sets that are reported of reasoning models.
const REASONING: [&str; 6] = [
    "math_500",
    "aime_2024",
    "aime_2025",
    "amc_2023",
    "minerva_math",
    "olympiadbench",
];

/// Sets under one name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Suite {
    /// Its name in flags and files.
    pub name: String,
    /// Names of its sets, in the benchmark's order.
    pub sets: Vec<String>,
}

/// The averages of a suite's sets.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SuiteAverages {
    /// Name of the suite.
    pub suite: String,
    /// Its sets that were asked, in the benchmark's order.
    pub sets: Vec<String>,
    /// Its sets that were not asked.
    pub missing: Vec<String>,
    /// Its sets of which not exactly the published number of items was asked.
    pub partial: Vec<String>,
    /// Items asked.
    pub n: usize,
    /// Mean over the sets weighted by their items.
    pub micro: Averages,
    /// Plain mean over the sets.
    #[serde(rename = "macro")]
    pub macro_: Averages,
    /// The same with each problem counted once, where sets have problems in common.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counted_once: Option<DeduplicatedAverages>,
}

/// The suites that there are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suites(Vec<Suite>);

/// What a list of names asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AskedNames {
    /// Sets and tasks; `None` where nothing was named.
    pub tasks: Option<Vec<String>>,
    /// The suites that were named, MwpBench apart.
    pub suites: Vec<Suite>,
}

/// The part of `mwpbench.toml` that names suites.
#[derive(Default, Deserialize)]
struct SuitesFile {
    #[serde(default)]
    suites: BTreeMap<String, Vec<String>>,
}

impl Suites {
    /// `mwpbench`, `reasoning` and `all`.
    pub fn known(benchmark: &Benchmark) -> Self {
        let names =
            |sets: &mut dyn Iterator<Item = &Set>| sets.map(|set| set.name.clone()).collect();
        let reasoning = |set: &&Set| REASONING.contains(&set.name.as_str());
        let suite = |name: &str, sets| Suite {
            name: name.to_string(),
            sets,
        };
        Self(vec![
            suite(MWPBENCH, names(&mut benchmark.mwpbench_sets())),
            suite(
                "reasoning",
                names(&mut benchmark.sets().iter().filter(reasoning)),
            ),
            suite(ALL, names(&mut benchmark.sets().iter())),
        ])
    }

    /// These and the suites of a file: `[suites]` with lists of sets by name.
    ///
    /// # Errors
    /// A file that cannot be read, a name that is taken, a suite without sets, a set that there is
    /// not.
    pub fn with_file(mut self, benchmark: &Benchmark, file: &Path) -> Result<Self, SelectionError> {
        let refused = |message: String| SelectionError::SuitesFile {
            file: file.display().to_string(),
            message,
        };
        let text = std::fs::read_to_string(file).map_err(|error| refused(error.to_string()))?;
        let parsed: SuitesFile =
            toml::from_str(&text).map_err(|error| refused(error.to_string()))?;
        for (name, sets) in parsed.suites {
            let is_name = !name.is_empty()
                && name
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-');
            if !is_name {
                return Err(refused(format!(
                    "suite \"{name}\": a name has letters, digits, _ and - alone"
                )));
            }
            let is_task = benchmark.task_names().any(|task| task == name);
            if is_task || benchmark.set(&name).is_some() || self.named(&name).is_some() {
                return Err(refused(format!(
                    "suite \"{name}\": a set, a task or a suite has that name already"
                )));
            }
            if let Some(unknown) = sets.iter().find(|set| benchmark.set(set).is_none()) {
                return Err(refused(format!(
                    "suite \"{name}\": no set is called \"{unknown}\""
                )));
            }
            let own = benchmark
                .sets()
                .iter()
                .filter(|set| sets.contains(&set.name));
            let sets: Vec<String> = own.map(|set| set.name.clone()).collect();
            if sets.is_empty() {
                return Err(refused(format!("suite \"{name}\": it names no set")));
            }
            self.0.push(Suite { name, sets });
        }
        Ok(self)
    }

    /// The suite of that name.
    pub fn named(&self, name: &str) -> Option<&Suite> {
        self.0
            .iter()
            .find(|suite| suite.name.eq_ignore_ascii_case(name))
    }

    /// Names of all suites.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|suite| suite.name.as_str())
    }

    /// Whether a list of names asks for further sets, by their names or by a suite that has any.
    pub fn asks_further(&self, benchmark: &Benchmark, names: &[String]) -> bool {
        let is_further = |name: &str| {
            let known = benchmark.sets().iter().find(|set| {
                let is = |other: &str| other.eq_ignore_ascii_case(name);
                is(&set.name) || is(&set.title) || set.tasks.iter().any(|task| is(&task.name))
            });
            known.is_some_and(|set| set.on_request)
        };
        names.iter().any(|name| match self.named(name) {
            Some(suite) => suite.sets.iter().any(|set| is_further(set)),
            None => is_further(name),
        })
    }

    /// What these names ask for: a suite stands for those of its sets that the data hold.
    ///
    /// # Errors
    /// A suite of which the data hold nothing.
    pub fn resolve(
        &self,
        names: Option<&[String]>,
        problems: &[Problem],
    ) -> Result<AskedNames, SelectionError> {
        let Some(names) = names else {
            return Ok(AskedNames::default());
        };
        let holds = |set: &String| problems.iter().any(|problem| problem.set == *set);
        let mut asked = AskedNames {
            tasks: Some(Vec::new()),
            suites: Vec::new(),
        };
        let tasks = asked.tasks.get_or_insert_default();
        for name in names {
            let Some(suite) = self.named(name) else {
                tasks.push(name.clone());
                continue;
            };
            let at_hand: Vec<String> = suite
                .sets
                .iter()
                .filter(|set| holds(set))
                .cloned()
                .collect();
            if at_hand.is_empty() {
                return Err(SelectionError::absent(name, problems));
            }
            tasks.extend(at_hand);
            let is_new = asked.suites.iter().all(|own| own.name != suite.name);
            if suite.name != MWPBENCH && is_new {
                asked.suites.push(suite.clone());
            }
        }
        Ok(asked)
    }
}

impl Suite {
    /// Its averages over the verdicts of a run; `None` where nothing of it was asked. `problems` are
    /// those that the verdicts judge.
    pub(crate) fn averages(
        &self,
        benchmark: &Benchmark,
        task_cap: Option<usize>,
        problems: &[Problem],
        verdicts: &[VerdictRecord],
    ) -> Option<SuiteAverages> {
        let own = benchmark.averaging(|set| self.sets.contains(&set.name));
        let sets: Vec<SetSummary> = own
            .sets()
            .iter()
            .filter(|set| set.in_average)
            .filter_map(|set| SetSummary::new(set, task_cap, verdicts))
            .collect();
        let (micro, macro_) = averages(&sets, verdicts);
        let is_asked = |name: &&String| sets.iter().any(|set| set.set == **name);
        Some(SuiteAverages {
            suite: self.name.clone(),
            missing: self
                .sets
                .iter()
                .filter(|name| !is_asked(name))
                .cloned()
                .collect(),
            partial: sets
                .iter()
                .filter(|set| set.counts.n != set.expected)
                .map(|set| set.set.clone())
                .collect(),
            n: sets.iter().map(|set| set.counts.n).sum(),
            micro: micro?,
            macro_: macro_?,
            counted_once: DeduplicatedAverages::of(&own, task_cap, problems, verdicts),
            sets: sets.into_iter().map(|set| set.set).collect(),
        })
    }
}
