//! `project.json`: what each stage was made of. Two stages with equal identities make equal files,
//! as far as their generator does.

use std::collections::BTreeMap;
use std::path::Path;

use generation::GeneratorInfo;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::Difference;

use super::stage::Stage;
use crate::error::{Error, ErrorKind};

/// Version of a project's files. A folder with another one is refused.
pub const SCHEMA: &str = "mwpbench.mathscale.v1";

/// The manifest of a project.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
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
    pub identity: Identity,
    /// Its files by name; empty until it is finished.
    pub outputs: BTreeMap<String, Output>,
    /// What it counted, by name.
    pub counts: BTreeMap<String, u64>,
    /// When it was begun.
    pub started: Timestamp,
    /// When it was finished; `None` until then.
    pub finished: Option<Timestamp>,
}

/// What decides the files of a stage.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    /// What it reads, by what that is (`seeds`, `extractions`, `graph`).
    pub inputs: BTreeMap<String, Input>,
    /// The options that can change its files, by name.
    pub options: BTreeMap<String, Value>,
    /// BLAKE3 (hex) of the prompt's text, where one is used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompt: Option<String>,
    /// Who answers, where somebody is asked.
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

/// A file that a stage wrote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Output {
    /// Its length.
    pub bytes: u64,
    /// BLAKE3 (hex) of its bytes.
    pub blake3: String,
}

impl Manifest {
    pub(crate) fn new() -> Self {
        Self {
            schema: SCHEMA.to_string(),
            stages: BTreeMap::new(),
        }
    }

    pub(crate) fn read(file: &Path) -> Result<Self, Error> {
        let corrupt = |message| Error::in_file(file, ErrorKind::Corrupt(message));
        let text = std::fs::read(file)
            .map_err(|source| Error::in_file(file, ErrorKind::Unreadable(source)))?;
        let value: Value =
            serde_json::from_slice(&text).map_err(|error| corrupt(format!("not JSON: {error}")))?;
        match value.get("schema").and_then(Value::as_str) {
            Some(SCHEMA) => {}
            Some(other) => {
                return Err(corrupt(format!(
                    "written as \"{other}\", this program reads \"{SCHEMA}\""
                )));
            }
            None => {
                return Err(corrupt(
                    "no field \"schema\": not a project's manifest".to_string(),
                ));
            }
        }
        serde_json::from_value(value)
            .map_err(|error| corrupt(format!("not a project's manifest: {error}")))
    }
}

impl StageRecord {
    pub(crate) fn begun(identity: Identity) -> Self {
        Self {
            version: env!("CARGO_PKG_VERSION").to_string(),
            identity,
            outputs: BTreeMap::new(),
            counts: BTreeMap::new(),
            started: Timestamp::now(),
            finished: None,
        }
    }
}

impl Identity {
    /// In what `other` (asked for now) differs from this one (found in a project). Names of files
    /// and of the generator are labels: digests and details decide.
    pub fn differences(&self, other: &Self) -> Vec<Difference> {
        let mut found = Vec::new();
        compare(
            "inputs.",
            &self.inputs,
            &other.inputs,
            &mut found,
            |a, b| a.blake3 == b.blake3,
            |input| {
                format!(
                    "{} ({}…)",
                    input.file,
                    input.blake3.get(..8).unwrap_or(&input.blake3)
                )
            },
        );
        compare(
            "options.",
            &self.options,
            &other.options,
            &mut found,
            PartialEq::eq,
            Value::to_string,
        );
        let prompt = |identity: &Self| {
            identity
                .prompt
                .clone()
                .map(|digest| ("prompt".to_string(), digest))
                .into_iter()
                .collect()
        };
        compare(
            "",
            &prompt(self),
            &prompt(other),
            &mut found,
            PartialEq::eq,
            Clone::clone,
        );
        let facts = |identity: &Self| -> BTreeMap<String, String> {
            let generator = identity.generator.iter();
            generator
                .flat_map(|info| {
                    std::iter::once(("kind".to_string(), info.kind.clone()))
                        .chain(info.details.clone())
                })
                .collect()
        };
        compare(
            "generator.",
            &facts(self),
            &facts(other),
            &mut found,
            PartialEq::eq,
            Clone::clone,
        );
        found
    }
}

const ABSENT: &str = "absent";

fn compare<T>(
    prefix: &str,
    there: &BTreeMap<String, T>,
    here: &BTreeMap<String, T>,
    found: &mut Vec<Difference>,
    equal: impl Fn(&T, &T) -> bool,
    text: impl Fn(&T) -> String,
) {
    let mut names: Vec<&String> = there.keys().chain(here.keys()).collect();
    names.sort_unstable();
    names.dedup();
    for name in names {
        let sides = [there.get(name), here.get(name)];
        if !matches!(sides, [Some(a), Some(b)] if equal(a, b)) {
            let [there, here] = sides.map(|side| side.map_or(ABSENT.to_string(), &text));
            found.push(Difference {
                field: format!("{prefix}{name}"),
                there,
                here,
            });
        }
    }
}
