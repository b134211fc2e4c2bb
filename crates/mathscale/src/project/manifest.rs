//! `project.json`: what each stage was made of. Two stages with equal identities make equal files,
//! as far as their generator does.

use std::collections::BTreeMap;
use std::path::Path;

use generation::GeneratorInfo;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::{Difference, FileDigest, compare_maps, digest_file};

use crate::error::Error;
use crate::records::Seed;
use crate::stage::Stage;

/// Version of a project's files. A folder with another one is refused.
pub const SCHEMA: &str = "mwpbench.mathscale.v1";

/// The manifest of a project.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProjectManifest {
    /// Version of the folder's files.
    pub schema: String,
    /// What is known of each stage that was begun.
    pub stages: BTreeMap<Stage, StageRecord>,
}

/// What is known of a stage.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StageRecord {
    /// Version of the program.
    pub version: String,
    /// What decides its files.
    pub identity: StageIdentity,
    /// Its files by name; empty until it is finished.
    pub outputs: BTreeMap<String, FileDigest>,
    /// What it counted, by name.
    pub counts: BTreeMap<String, u64>,
    /// When it was begun.
    pub started: Timestamp,
    /// When it was finished; `None` until then.
    pub finished: Option<Timestamp>,
    /// Whether it replaces what was there before: the same call continues it until it is finished.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub fresh: bool,
}

/// What decides the files of a stage.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StageIdentity {
    /// What it reads, by what that is (`seeds`, `extractions`, `graph`).
    pub inputs: BTreeMap<String, Input>,
    /// The options that can change its files, by name.
    pub options: BTreeMap<String, Value>,
    /// BLAKE3 (hex) of the prompt's text, where one is used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompt: Option<String>,
    /// Which model is asked, where one is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generator: Option<GeneratorInfo>,
}

/// A file that a stage reads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// Name in the project, or path of a file from elsewhere: a label, the digest decides.
    pub file: String,
    /// The stage of this project that wrote it; `None` for a file from elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stage: Option<Stage>,
    /// BLAKE3 (hex) of its bytes.
    pub blake3: String,
}

impl ProjectManifest {
    pub(crate) fn new() -> Self {
        Self {
            schema: SCHEMA.to_string(),
            stages: BTreeMap::new(),
        }
    }
}

impl StageRecord {
    pub(crate) fn begun(identity: StageIdentity, fresh: bool) -> Self {
        Self {
            version: env!("CARGO_PKG_VERSION").to_string(),
            identity,
            outputs: BTreeMap::new(),
            counts: BTreeMap::new(),
            started: Timestamp::now(),
            finished: None,
            fresh,
        }
    }

    /// How many of its items can be used, and how many there are; `None` for a stage of which that
    /// cannot be said. An export has all that it is given, which must not be nothing.
    pub fn usable(&self, stage: Stage) -> Option<(u64, u64)> {
        let of = |name| self.count(name);
        match stage {
            Stage::Extract => Some((of("seeds").saturating_sub(of("set_aside")), of("seeds"))),
            Stage::Graph | Stage::Compose => None,
            Stage::Generate => Some((of("pairs"), of("compositions"))),
            Stage::Validate => Some((of("confirmed") + of("replaced"), of("pairs"))),
            Stage::Screen => Some((of("kept"), of("read"))),
            Stage::Export => {
                let records = of("train") + of("validation");
                Some((records, records))
            }
        }
    }

    /// What it counted, in words, the main facts first.
    pub fn facts(&self, stage: Stage) -> Vec<String> {
        let counts = words(stage).iter().filter_map(|&(name, one, many)| {
            let count = *self.counts.get(name)?;
            let noun = if count == 1 { one } else { many };
            Some(format!("{count} {noun}"))
        });
        counts.collect()
    }

    /// What it counted under a name; 0 where it counted no such thing.
    pub fn count(&self, name: &str) -> u64 {
        self.counts.get(name).copied().unwrap_or(0)
    }
}

impl StageIdentity {
    /// In what `other` (asked for now) differs from this one (found in a project). Names of files
    /// and of the generator are labels: digests and details decide.
    pub fn differences(&self, other: &Self) -> Vec<Difference> {
        // The version of the program is in the record and not compared: a finished stage stays so
        // when the program is updated.
        let mut found = compare_maps(
            "inputs.",
            &self.inputs,
            &other.inputs,
            |there, here| there.blake3 == here.blake3,
            |Input { file, blake3, .. }| format!("{file} ({}…)", blake3.get(..8).unwrap_or(blake3)),
        );
        found.extend(compare_maps(
            "options.",
            &self.options,
            &other.options,
            PartialEq::eq,
            Value::to_string,
        ));
        found.extend(compare_maps(
            "",
            &self.model_facts(),
            &other.model_facts(),
            PartialEq::eq,
            Clone::clone,
        ));
        found
    }

    fn model_facts(&self) -> BTreeMap<String, String> {
        let prompt = self.prompt.iter();
        let prompt = prompt.map(|digest| ("prompt".to_string(), digest.clone()));
        let generator = self.generator.iter().flat_map(|info| {
            let details = info.details.iter();
            details
                .map(|(name, value)| (format!("generator.{name}"), value.clone()))
                .chain([("generator.kind".to_string(), info.kind.clone())])
        });
        prompt.chain(generator).collect()
    }
}

impl Input {
    /// A file from outside of the project.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn of_file(file: &Path) -> Result<Self, Error> {
        let digest = digest_file(file).map_err(store::FileError::unreadable(file))?;
        Ok(Self {
            file: file.display().to_string(),
            stage: None,
            blake3: digest.blake3,
        })
    }

    /// Seeds that come from no single file; `label` says from where.
    pub fn of_seeds(label: &str, seeds: &[Seed]) -> Self {
        let mut hasher = blake3::Hasher::new();
        for seed in seeds {
            let line = serde_json::to_vec(seed).expect("writing to memory succeeds");
            // A line of JSON holds no line break, so the breaks say where each seed ends.
            hasher.update(&line).update(b"\n");
        }
        Self {
            file: label.to_string(),
            stage: None,
            blake3: hasher.finalize().to_hex().to_string(),
        }
    }
}

/// The counts of a stage by name, and what is said of one and of several.
fn words(stage: Stage) -> &'static [(&'static str, &'static str, &'static str)] {
    match stage {
        Stage::Extract => &[
            ("seeds", "seed question", "seed questions"),
            ("set_aside", "rejected", "rejected"),
            ("topics", "topic", "topics"),
            ("knowledge_points", "knowledge point", "knowledge points"),
            (
                "topic_singletons",
                "topic of a single seed removed",
                "topics of a single seed removed",
            ),
            (
                "knowledge_point_singletons",
                "knowledge point of a single seed removed",
                "knowledge points of a single seed removed",
            ),
            ("merges", "name merged", "names merged"),
            ("replies", "reply", "replies"),
        ],
        Stage::Graph => &[
            ("topics", "topic", "topics"),
            ("knowledge_points", "knowledge point", "knowledge points"),
            (
                "topic_topic_edges",
                "edge between topics",
                "edges between topics",
            ),
            (
                "topic_kp_edges",
                "edge from a topic to a knowledge point",
                "edges from topics to knowledge points",
            ),
            (
                "kp_kp_edges",
                "edge between knowledge points",
                "edges between knowledge points",
            ),
        ],
        Stage::Compose => &[
            ("compositions", "composition", "compositions"),
            ("walks", "random walk", "random walks"),
        ],
        Stage::Generate => &[
            (
                "pairs",
                "question with solution",
                "questions with solutions",
            ),
            (
                "compositions",
                "composition asked for",
                "compositions asked for",
            ),
            ("set_aside", "rejected", "rejected"),
            ("replies", "reply", "replies"),
            ("prompt_tokens", "prompt token", "prompt tokens"),
            ("completion_tokens", "new token", "new tokens"),
        ],
        Stage::Validate => &[
            ("confirmed", "solution confirmed", "solutions confirmed"),
            ("wrong", "found wrong", "found wrong"),
            ("unjudged", "not judged", "not judged"),
            ("replaced", "replaced", "replaced"),
            ("dropped", "dropped", "dropped"),
            ("replies", "reply", "replies"),
        ],
        Stage::Screen => &[
            ("kept", "pair kept", "pairs kept"),
            ("removed", "removed", "removed"),
        ],
        Stage::Export => &[
            ("train", "record for training", "records for training"),
            ("validation", "for validation", "for validation"),
            ("own", "of this pipeline", "of this pipeline"),
            ("mixed", "of other files", "of other files"),
        ],
    }
}
