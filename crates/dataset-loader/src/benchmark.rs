//! Which sets and tasks there are: `datasets/*/dataset.toml`, embedded, and beside them sets of
//! one's own.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind};
use crate::further::FURTHER;

/// The description files of MwpBench's sets, in the order in which sets are listed everywhere.
const DESCRIPTIONS: [(&str, &str); 11] = [
    (
        "gsm8k",
        include_str!("../../../datasets/gsm8k/dataset.toml"),
    ),
    ("math", include_str!("../../../datasets/math/dataset.toml")),
    (
        "college_math",
        include_str!("../../../datasets/college_math/dataset.toml"),
    ),
    ("tal", include_str!("../../../datasets/tal/dataset.toml")),
    (
        "math23k",
        include_str!("../../../datasets/math23k/dataset.toml"),
    ),
    (
        "ape210k",
        include_str!("../../../datasets/ape210k/dataset.toml"),
    ),
    (
        "gaokao_bench",
        include_str!("../../../datasets/gaokao_bench/dataset.toml"),
    ),
    (
        "agieval_gaokao",
        include_str!("../../../datasets/agieval_gaokao/dataset.toml"),
    ),
    (
        "agieval_sat",
        include_str!("../../../datasets/agieval_sat/dataset.toml"),
    ),
    (
        "agieval_math",
        include_str!("../../../datasets/agieval_math/dataset.toml"),
    ),
    (
        "fresh_gaokao_2023",
        include_str!("../../../datasets/fresh_gaokao_2023/dataset.toml"),
    ),
];

/// The sets of a benchmark, in the order in which they are listed everywhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Benchmark {
    sets: Vec<Set>,
}

/// One set, as its `dataset.toml` describes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Set {
    /// Name in flags, files and JSON, such as `college_math`.
    pub name: String,
    /// Name in print, such as `CollegeMath`.
    pub title: String,
    /// School level, as in table 1 of the paper.
    pub level: String,
    /// Difficulty, as in table 1 of the paper.
    pub difficulty: String,
    /// How the questions came about, as in table 1 of the paper: `Word`, or `MC->Word` for
    /// converted multiple choice.
    pub question_type: String,
    /// Language, as in table 1 of the paper: `En`, or `Zh->En` for translations. Questions are
    /// asked in the last one.
    pub language: String,
    /// Problems in the training split, as in table 1 of the paper.
    pub train_count: usize,
    /// Whether the set takes part in the micro and macro averages.
    pub in_average: bool,
    /// Whether the set is asked only where a list of tasks or a suite names it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub on_request: bool,
    /// What its answers are, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answers: Option<String>,
    /// The set whose training problems serve as examples for this one, where it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub examples_from: Option<String>,
    /// Name of the scoring profile that judges it.
    pub scoring_profile: String,
    /// Where the published records come from; `None` for a custom data set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Provenance>,
    /// What a reader of its counts should know, in a sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// What the set's first publisher gives out, where that is another file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub publisher: Option<Publisher>,
    /// Names of the fields in the records.
    pub fields: Fields,
    /// Its tasks, at least one.
    #[serde(rename = "task")]
    pub tasks: Vec<Task>,
}

fn is_false(value: &bool) -> bool {
    !value
}

/// Where a set's published records come from. What is not known of a file is left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Provenance {
    /// Repository, `owner/name`: on GitHub, or a data set of the Hugging Face hub.
    pub repository: String,
    /// Whether the repository is on the Hugging Face hub.
    #[serde(default, skip_serializing_if = "is_false")]
    pub hub: bool,
    /// Commit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
    /// File in that repository.
    pub path: String,
    /// Git blob id of that file: SHA-1 of `blob <bytes>\0<content>`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub git_blob: Option<String>,
    /// SHA-256 of that file (hex), where the repository states that in place of its content.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// Split.
    pub split: String,
    /// Who published the problems first.
    pub origin: String,
    /// Licence as stated there.
    pub license: String,
}

/// What a set's first publisher gives out, and why that is not what the benchmark counts. The
/// counts are of this program's import (`mwpbench data import`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Publisher {
    /// Problems in the publisher's test files.
    pub test: usize,
    /// Of these, problems that the import keeps.
    pub imported: usize,
    /// Problems in the publisher's training files, where known.
    #[serde(default)]
    pub train: Option<usize>,
    /// Of these, problems that the import keeps, where they are not all.
    #[serde(default)]
    pub train_imported: Option<usize>,
    /// Why the benchmark counts fewer, in a sentence.
    #[serde(default)]
    pub why: Option<String>,
}

/// Names of the fields in the records.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Fields {
    /// Field of the task's name.
    pub task: String,
    /// Field of the problem's number in its task.
    pub number: String,
    /// Field of the question.
    pub question: String,
    /// Field of the reference.
    pub reference: String,
    /// Field of the book or set a problem was taken from.
    pub origin: String,
    /// Field of the licence.
    pub license: String,
    /// Further fields that records of a custom data set may have. Those of the published sets may
    /// have any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub extra: Vec<String>,
}

/// One task of a set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Task {
    /// Name, as in the published records' `data_topic`.
    pub name: String,
    /// Test problems in the published set.
    pub count: usize,
    /// Subject in print, where a set has several tasks.
    #[serde(default)]
    pub subject: Option<String>,
}

impl Set {
    /// Test problems in the published set.
    pub fn count(&self) -> usize {
        self.tasks.iter().map(|task| task.count).sum()
    }

    /// Whether it is a custom data set and none of the published ones.
    pub fn is_custom(&self) -> bool {
        self.source.is_none()
    }

    /// The language in which its questions are asked, in small letters, such as `en`.
    pub fn asked_in(&self) -> String {
        self.language
            .rsplit("->")
            .next()
            .unwrap_or_default()
            .trim()
            .to_lowercase()
    }
}

impl Benchmark {
    /// MwpBench's ten sets, beside them Fresh-GaokaoMath-2023, and after these the further sets.
    pub fn published() -> Self {
        let further = FURTHER.iter().map(|set| (set.name, set.description));
        let sets = DESCRIPTIONS
            .iter()
            .copied()
            .chain(further)
            .map(|(name, text)| {
                let set: Set = toml::from_str(text)
                    .unwrap_or_else(|error| panic!("datasets/{name}/dataset.toml: {error}"));
                assert_eq!(
                    set.name, name,
                    "datasets/{name}/dataset.toml names another set"
                );
                set
            })
            .collect();
        Self { sets }
    }

    /// These custom data sets beside the ones there are.
    ///
    /// # Errors
    /// A name of a set or task that is taken.
    pub fn with(mut self, own: Vec<Set>) -> Result<Self, Error> {
        for set in own {
            for name in set
                .tasks
                .iter()
                .map(|task| &task.name)
                .chain([&set.name, &set.title])
            {
                if let Some(owner) = self.owner(name) {
                    return Err(Error::of(ErrorKind::Shadows {
                        name: name.clone(),
                        owner,
                    }));
                }
            }
            self.sets.push(set);
        }
        Ok(self)
    }

    /// The same for the custom sets of a run that was made before further sets had their names: these
    /// give way.
    ///
    /// # Errors
    /// As [`Self::with`].
    pub fn with_recorded(mut self, own: Vec<Set>) -> Result<Self, Error> {
        self.sets.retain(|set| {
            let names = || {
                set.tasks
                    .iter()
                    .map(|task| &task.name)
                    .chain([&set.name, &set.title])
            };
            let shadows = |custom: &Set| {
                let own = custom.tasks.iter().map(|task| &task.name);
                own.chain([&custom.name, &custom.title])
                    .any(|name| names().any(|other| other.eq_ignore_ascii_case(name)))
            };
            !(set.on_request && own.iter().any(shadows))
        });
        self.with(own)
    }

    /// The sets among these that are one's own.
    pub fn custom_sets(&self) -> impl Iterator<Item = &Set> {
        self.sets.iter().filter(|set| set.is_custom())
    }

    /// The set of that name.
    ///
    /// # Errors
    /// There is none.
    pub fn expect_set(&self, name: &str) -> Result<&Set, Error> {
        self.set(name).ok_or_else(|| {
            let known = self
                .sets
                .iter()
                .map(|set| set.name.as_str())
                .collect::<Vec<_>>()
                .join(", ");
            Error::of(ErrorKind::UnknownSet {
                name: name.to_string(),
                known,
            })
        })
    }

    /// Who has a name, whatever its case.
    pub(crate) fn owner(&self, name: &str) -> Option<String> {
        // Titles too, and whatever the case: who reads a table must know which set a line is of.
        let taken = |other: &str| other.eq_ignore_ascii_case(name);
        let set = self.sets.iter().find(|set| {
            taken(&set.name) || taken(&set.title) || set.tasks.iter().any(|task| taken(&task.name))
        })?;
        Some(match set.is_custom() {
            true => format!("another custom data set, {}", set.title),
            false => format!("the set {} of the benchmark", set.title),
        })
    }

    /// The same sets, of which others take part in the averages.
    pub fn averaging(&self, takes_part: impl Fn(&Set) -> bool) -> Self {
        let set = |set: &Set| Set {
            in_average: takes_part(set),
            ..set.clone()
        };
        Self {
            sets: self.sets.iter().map(set).collect(),
        }
    }

    /// MwpBench's own sets: the ten and Fresh-GaokaoMath-2023.
    pub fn mwpbench_sets(&self) -> impl Iterator<Item = &Set> {
        self.sets
            .iter()
            .filter(|set| !set.on_request && !set.is_custom())
    }

    /// The sets, in order.
    pub fn sets(&self) -> &[Set] {
        &self.sets
    }

    /// The set of that name.
    pub fn set(&self, name: &str) -> Option<&Set> {
        self.sets.iter().find(|set| set.name == name)
    }

    /// The set that has a task of that name.
    pub fn set_of_task(&self, task: &str) -> Option<&Set> {
        self.sets
            .iter()
            .find(|set| set.tasks.iter().any(|own| own.name == task))
    }

    /// Names of all tasks, in order.
    pub fn task_names(&self) -> impl Iterator<Item = &str> {
        self.sets
            .iter()
            .flat_map(|set| set.tasks.iter().map(|task| task.name.as_str()))
    }
}
