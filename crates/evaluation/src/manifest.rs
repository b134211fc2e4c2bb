//! `run.json`: what a run is bound to. Two runs with equal identities must produce equal files.

use std::collections::BTreeMap;
use std::path::PathBuf;

use dataset_loader::{DataOrigin, Problem, Set};
use generation::{Decoding, GeneratorInfo, ServingReport};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::Difference;

use crate::exclusion::Excluded;
use crate::few_shot::FewShot;
use crate::imported::ImportedFrom;
use crate::protocol::Protocol;
use crate::shard::ShardRecord;
use crate::suite::Suite;
use crate::template_identity::TemplateIdentity;
use crate::token_details::TokenDetails;

/// Version of the run folder's files. A folder with another one is refused.
pub(crate) const SCHEMA: &str = "mwpbench.run.v1";

/// Name of the data where they are the program's own bundled problems.
pub(crate) const BUNDLED: &str = "samples";

/// The manifest of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RunManifest {
    /// Version of the folder's files.
    pub schema: String,
    /// Version of the program.
    pub version: String,
    /// What decides the completions.
    pub identity: RunIdentity,
    /// The custom sets that were asked, as they were described: judging again needs their
    /// names and profiles.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub own_sets: Vec<Set>,
    /// The suites that were asked for, MwpBench apart: their averages are reported. No part of what
    /// decides the completions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub suites: Vec<Suite>,
    /// BLAKE3 (hex) of the rules by which it is judged; no part of what decides the completions.
    /// `None` in runs of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rules: Option<String>,
    /// Version of the scorers that judged last: it changes whenever a verdict does. `None` in runs
    /// of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scorer_version: Option<u32>,
    /// Where it ran and how fast: facts that cannot change a completion.
    pub environment: BTreeMap<String, String>,
    /// How a server served the last start that asked it anything: what it was sent, what it
    /// refused, how long it took.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serving: Option<ServingReport>,
    /// What the user wants to remember of the run, such as the training size; no part of what
    /// decides the completions.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// What is kept of each new token; no part of what decides the completions.
    #[serde(default, skip_serializing_if = "TokenDetails::is_none")]
    pub token_details: TokenDetails,
    /// Where the folder holds one shard of the run: which. Identity and problems are those of the
    /// whole run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shard: Option<ShardRecord>,
    /// When the run was started first.
    pub started: Timestamp,
    /// When its last completion was finished; `None` while any is missing.
    pub finished: Option<Timestamp>,
}

/// Details of a model that say where its files are from.
const ORIGINS: [&str; 4] = [
    "repository",
    "commit",
    "adapter_repository",
    "adapter_commit",
];

/// The tag of a run's name in print.
pub const NAME_TAG: &str = "name";

/// The tag of a run by which its user says after how many optimizer steps its checkpoint was
/// written.
pub const STEP_TAG: &str = "step";

/// The fact of a run that says the same, as its checkpoint does.
pub const TRAINING_STEP: &str = "training_step";

/// The fact of a run that its problems came from the published files, byte for byte.
pub const PUBLISHED_DATA: &str = "published_data";

/// The number of optimizer steps in a checkpoint's name, as trainers write it: `checkpoint-500`,
/// `step_500`, `global_step500`, `iter_0000500`; `None` for other names.
pub fn step_of_name(name: &str) -> Option<u64> {
    const WORDS: [&str; 4] = ["checkpoint", "ckpt", "step", "iter"];
    let rest = name.trim_end_matches(|c: char| c.is_ascii_digit());
    let word = rest.trim_end_matches(['-', '_', '=']).to_ascii_lowercase();
    let begins = |word: &str, known: &str| {
        let before = word.strip_suffix(known)?;
        // The end of another word is not this one.
        (!before.ends_with(|c: char| c.is_alphanumeric())).then_some(())
    };
    WORDS.iter().find_map(|known| begins(&word, known))?;
    name[rest.len()..].parse().ok()
}

impl RunManifest {
    /// Whether its problems came from the published files: what else has as many items may be
    /// anything.
    pub fn is_of_published_data(&self) -> bool {
        self.environment.contains_key(PUBLISHED_DATA)
    }

    /// After how many optimizer steps the checkpoint was written, as far as that is known: the run's
    /// tag `step`, what the checkpoint noted, or its name.
    pub fn training_step(&self) -> Option<u64> {
        let noted = self.tags.get(STEP_TAG);
        match noted.or_else(|| self.environment.get(TRAINING_STEP)) {
            // A tag that is no number is not replaced by a guess.
            Some(noted) => noted.replace(['_', ','], "").parse().ok(),
            None => step_of_name(&self.identity.model.name),
        }
    }

    /// The model in tables: the run's tag `name`, else the model's own name.
    pub fn display_name(&self) -> &str {
        let own = &self.identity.model.name;
        self.tags.get(NAME_TAG).unwrap_or(own)
    }
}

/// What decides the completions of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RunIdentity {
    /// Who answered.
    pub model: GeneratorInfo,
    /// What was asked.
    pub data: DataIdentity,
    /// How it was asked.
    pub template: TemplateIdentity,
    /// How tokens were chosen and when completions ended.
    pub decoding: Decoding,
    /// The protocol.
    pub protocol: Protocol,
    /// Most problems of a set, if limited.
    pub limit: Option<usize>,
    /// What was left out by a list of ids.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub excluded: Option<Excluded>,
    /// The examples before each question.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub few_shot: Option<FewShot>,
    /// How many tokens a model may think before its thinking is ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thinking_budget: Option<usize>,
    /// Whose files the run was made from, where another program asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub imported: Option<ImportedFrom>,
}

/// What was asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DataIdentity {
    /// Name in tables: `samples`, or the path of the data.
    pub name: String,
    /// Whether these are the program's own bundled problems and not the benchmark.
    pub samples: bool,
    /// BLAKE3 (hex) of the data files.
    pub digest: String,
    /// Problems asked.
    pub problems: usize,
    /// BLAKE3 (hex) of the problems asked, as written to `problems.jsonl`.
    pub problems_digest: String,
}

impl DataIdentity {
    /// Name in tables of problems from this place, and whether they are the bundled ones.
    pub fn label(origin: &DataOrigin) -> (String, bool) {
        match origin {
            DataOrigin::Bundled => (BUNDLED.to_string(), true),
            DataOrigin::Files { paths } => (data_name(paths), false),
        }
    }
}

/// The file's path, or the folder of several.
fn data_name(paths: &[PathBuf]) -> String {
    match paths {
        [file] => file.display().to_string(),
        _ => paths
            .first()
            .and_then(|file| file.parent())
            .map(|folder| folder.display().to_string())
            .unwrap_or_default(),
    }
}

impl RunIdentity {
    /// The fields in which `other` (asked for now) differs from this one (found in a folder). Names
    /// of the model, the data and the template are labels, and so are the repositories that a model
    /// is from: their digests decide.
    pub fn differences(&self, other: &Self) -> Vec<Difference> {
        // `template.text` and `template.chat` are covered by `template.digest`. A difference names
        // the digest, and what is within `chat` where both runs have one, but never prints whole
        // texts.
        const LABELS: [&str; 12] = [
            "model.name",
            "model.details.repository",
            "model.details.commit",
            "model.details.adapter_repository",
            "model.details.adapter_commit",
            "data.name",
            "data.samples",
            "template.name",
            "template.text",
            "template.chat",
            "template.chat.file",
            "template.chat.source",
        ];
        let mut found = store::differences(&to_value(self), &to_value(other));
        // Which examples there are is told by their digest.
        const EXAMPLES: &str = "few_shot.sets";
        found.retain(|difference| {
            let field = difference.field.as_str();
            !LABELS.contains(&field) && !field.starts_with(EXAMPLES)
        });
        found
    }

    /// BLAKE3 (hex) over everything that decides the completions, labels left out.
    pub fn digest(&self) -> String {
        // Over the JSON of the fields in the order of their declaration: to reorder them would give
        // every identity another digest.
        let mut bare = self.clone();
        bare.model.name.clear();
        (bare.model.details).retain(|name, _| !ORIGINS.contains(&name.as_str()));
        bare.data.name.clear();
        bare.data.samples = false;
        bare.template.name.clear();
        bare.template.text.clear();
        bare.template.chat = None; // its digest is there
        if let Some(few_shot) = &mut bare.few_shot {
            few_shot.sets.clear(); // theirs too
        }
        blake3::hash(to_value(&bare).to_string().as_bytes())
            .to_hex()
            .to_string()
    }
}

fn to_value(identity: &RunIdentity) -> Value {
    serde_json::to_value(identity).expect("an identity is plain data")
}

/// BLAKE3 (hex) of the problems as lines of JSON.
pub(crate) fn problems_digest(problems: &[Problem]) -> String {
    let mut hasher = blake3::Hasher::new();
    for problem in problems {
        // Through the writer of the file itself, so that this is also the digest of the file.
        store::write_line(&mut hasher, problem).expect("hashing does not fail");
    }
    hasher.finalize().to_hex().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_stand_in_the_names_that_trainers_give() {
        for (name, step) in [
            ("checkpoint-500", Some(500)),
            ("base+checkpoint-1000", Some(1000)),
            ("ckpt_20", Some(20)),
            ("global_step42", Some(42)),
            ("iter_0000500", Some(500)),
            ("org/name@step1000", Some(1000)),
            ("Epoch-Step=7", Some(7)),
            ("checkpoint-final", None),
            ("checkpoint-500-merged", None),
            ("misstep-5", None),
            ("Llama-3", None),
            ("7", None),
            ("step-99999999999999999999999", None),
        ] {
            assert_eq!(step_of_name(name), step, "{name}");
        }
    }
}
