//! Which sets and tasks there are: `datasets/*/dataset.toml`, embedded.

use serde::Deserialize;

/// The description files, in the order in which sets are listed everywhere.
const DESCRIPTIONS: [(&str, &str); 11] = [
    ("gsm8k", include_str!("../../../datasets/gsm8k/dataset.toml")),
    ("math", include_str!("../../../datasets/math/dataset.toml")),
    ("college_math", include_str!("../../../datasets/college_math/dataset.toml")),
    ("tal", include_str!("../../../datasets/tal/dataset.toml")),
    ("math23k", include_str!("../../../datasets/math23k/dataset.toml")),
    ("ape210k", include_str!("../../../datasets/ape210k/dataset.toml")),
    ("gaokao_bench", include_str!("../../../datasets/gaokao_bench/dataset.toml")),
    ("agieval_gaokao", include_str!("../../../datasets/agieval_gaokao/dataset.toml")),
    ("agieval_sat", include_str!("../../../datasets/agieval_sat/dataset.toml")),
    ("agieval_math", include_str!("../../../datasets/agieval_math/dataset.toml")),
    ("fresh_gaokao_2023", include_str!("../../../datasets/fresh_gaokao_2023/dataset.toml")),
];

/// The sets of a benchmark, in the order in which they are listed everywhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Benchmark {
    sets: Vec<Set>,
}

/// One set, as its `dataset.toml` describes it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
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
    /// How the questions came about, as in table 1 of the paper: `Word`, or `MC->Word` for converted multiple choice.
    pub question_type: String,
    /// Language, as in table 1 of the paper: `En`, or `Zh->En` for translations.
    pub language: String,
    /// Problems in the training split, as in table 1 of the paper.
    pub train_count: usize,
    /// Whether the set takes part in the micro and macro averages.
    pub in_average: bool,
    /// Name of the scoring profile that judges it.
    pub scoring_profile: String,
    /// Where the published records come from.
    pub source: Provenance,
    /// Names of the fields in the published records.
    pub fields: Fields,
    /// Its tasks, at least one.
    #[serde(rename = "task")]
    pub tasks: Vec<Task>,
}

/// Where a set's published records come from.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provenance {
    /// GitHub repository, `owner/name`.
    pub repository: String,
    /// Commit.
    pub revision: String,
    /// File in that repository.
    pub path: String,
    /// Git blob id of that file: SHA-1 of `blob <bytes>\0<content>`.
    pub git_blob: String,
    /// Split.
    pub split: String,
    /// Who published the problems first.
    pub origin: String,
    /// Licence as stated there.
    pub license: String,
}

/// Names of the fields in the published records.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
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
}

/// One task of a set.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
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
}

impl Benchmark {
    /// MwpBench's ten sets and, beside them, Fresh-GaokaoMath-2023.
    pub fn published() -> Self {
        let sets = DESCRIPTIONS
            .iter()
            .map(|(name, text)| {
                let set: Set =
                    toml::from_str(text).unwrap_or_else(|error| panic!("datasets/{name}/dataset.toml: {error}"));
                assert_eq!(set.name, *name, "datasets/{name}/dataset.toml names another set");
                set
            })
            .collect();
        Self { sets }
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
        self.sets.iter().find(|set| set.tasks.iter().any(|own| own.name == task))
    }

    /// Names of all tasks, in order.
    pub fn task_names(&self) -> impl Iterator<Item = &str> {
        self.sets.iter().flat_map(|set| set.tasks.iter().map(|task| task.name.as_str()))
    }
}
