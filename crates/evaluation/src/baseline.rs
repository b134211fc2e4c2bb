//! A baseline: what a gate needs to know of a run, in one small file that can be committed.
//!
//! It keeps which items were solved (one bit an item and scorer), and digests of everything that
//! must be the same for a comparison to mean anything; no questions, answers or completions.

mod bits; // which items were solved, as text

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::FileError;

use crate::comparison::{ComparedItems, ComparedRun, ComparisonError};
use crate::manifest::RunIdentity;

/// Version of the file.
const SCHEMA: &str = "mwpbench.baseline.v1";

/// The file of a baseline.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Baseline {
    /// Version of the file.
    pub schema: String,
    /// Version of the program that asked the run.
    pub version: String,
    /// What decided the completions.
    pub identity: RunIdentity,
    /// The strict profile, where one was asked for in place of the sets' own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strict_profile: Option<String>,
    /// BLAKE3 (hex) over the rules by which it was judged.
    pub rules: String,
    /// Version of the scorers by which it was judged; baselines that do not say were judged by the
    /// first one.
    #[serde(default = "first_version")]
    pub scorer_version: u32,
    /// The sets that were asked.
    pub sets: Vec<BaselineSet>,
    /// BLAKE3 (hex) over everything above, so that an edited file is found.
    check: String,
}

fn first_version() -> u32 {
    1
}

/// One set of a baseline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BaselineSet {
    /// Name of the set.
    pub set: String,
    /// Name in print.
    pub title: String,
    /// Whether it takes part in the averages.
    pub in_average: bool,
    /// Items.
    pub n: usize,
    /// BLAKE3 (hex) over ids, questions and references, sorted by id.
    pub items: String,
    /// BLAKE3 (hex) over the completions, in the order of the ids; older baselines do not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completions: Option<String>,
    /// Correct completions of each item by the official scorer, in the order of the ids: base64 of
    /// one bit an item with one completion a problem, else of a byte an item, or of two bytes
    /// (little-endian) above 255 completions.
    pub official: String,
    /// The same by the strict scorer.
    pub strict: String,
    /// Completions from which nothing was extracted.
    pub no_answer: usize,
    /// Completions that were cut.
    pub truncated: usize,
    /// Completions that failed.
    pub failed: usize,
}

/// A baseline as it is told: accuracies in place of bits.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BaselineFigures {
    /// The file.
    pub file: PathBuf,
    /// Name of the model.
    pub model: String,
    /// Version of the program that asked the run.
    pub version: String,
    /// What decided the completions.
    pub identity: RunIdentity,
    /// Completions a problem.
    pub samples: usize,
    /// Each set.
    pub sets: Vec<BaselineSetFigures>,
}

/// One set of [`BaselineFigures`].
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BaselineSetFigures {
    /// Name of the set.
    pub set: String,
    /// Name in print.
    pub title: String,
    /// Whether it takes part in the averages.
    pub in_average: bool,
    /// Items.
    pub n: usize,
    /// Accuracy by the official scorer, in 0..=1.
    pub official: f64,
    /// Accuracy by the strict scorer, in 0..=1.
    pub strict: f64,
    /// Completions from which nothing was extracted.
    pub no_answer: usize,
    /// Completions that were cut.
    pub truncated: usize,
    /// Completions that failed.
    pub failed: usize,
}

impl Baseline {
    /// What a gate needs to know of a run.
    pub fn of(run: &ComparedRun) -> Self {
        let mut identity = run.identity.clone();
        // The path is no part of what decides, and of a machine that others do not have.
        let name = Path::new(&identity.data.name)
            .file_name()
            .map(|name| name.to_string_lossy().into_owned());
        identity.data.name = name.unwrap_or_default();
        let samples = run.samples();
        let set = |items: &ComparedItems| BaselineSet {
            set: items.set.clone(),
            title: items.title.clone(),
            in_average: items.in_average,
            n: items.n(),
            items: items.digest.clone(),
            completions: items.completions.clone(),
            official: bits::encode(&items.official, samples),
            strict: bits::encode(&items.strict, samples),
            no_answer: items.no_answer,
            truncated: items.truncated,
            failed: items.failed,
        };
        let mut baseline = Self {
            schema: SCHEMA.to_string(),
            version: run.version.clone(),
            identity,
            strict_profile: run.strict_profile.clone(),
            rules: run.rules.clone(),
            scorer_version: run.scorer_version,
            sets: run.sets.iter().map(set).collect(),
            check: String::new(),
        };
        baseline.check = baseline.checksum();
        baseline
    }

    /// What [`Baseline::write`] writes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = serde_json::to_vec_pretty(self).expect("a baseline is plain data");
        bytes.push(b'\n');
        bytes
    }

    /// Writes the file, in one piece.
    ///
    /// # Errors
    /// A folder that is not there or cannot be written.
    pub fn write(&self, file: &Path) -> Result<(), ComparisonError> {
        store::write_atomic(file, |out| out.write_all(&self.to_bytes()))
            .map_err(FileError::write_failed(file))?;
        Ok(())
    }

    /// Reads a file.
    ///
    /// # Errors
    /// A file that cannot be read, is no baseline, one of another version, or one that was changed
    /// after it was written.
    pub fn read(file: &Path) -> Result<Self, ComparisonError> {
        let refused = |message: String| ComparisonError::Baseline {
            file: file.to_path_buf(),
            message,
        };
        let text = std::fs::read_to_string(file)
            .map_err(|error| refused(format!("cannot be read: {error}")))?;
        let value: serde_json::Value = serde_json::from_str(&text)
            .map_err(|error| refused(format!("not a baseline file: no JSON ({error})")))?;
        match value.get("schema").and_then(|schema| schema.as_str()) {
            Some(SCHEMA) => {}
            Some(other) => {
                return Err(refused(format!(
                    "written as \"{other}\", this program reads \"{SCHEMA}\""
                )));
            }
            None => {
                return Err(refused(
                    "not a baseline file: no field \"schema\"".to_string(),
                ));
            }
        }
        // This finds slips and damage and is no signature: whoever edits on purpose can compute it
        // anew.
        let check = checksum(value.clone());
        let baseline: Self = serde_json::from_value(value)
            .map_err(|error| refused(format!("not a baseline of this version: {error}")))?;
        if baseline.check != check {
            return Err(refused(
                "its content does not match its checksum: it was edited or damaged".to_string(),
            ));
        }
        Ok(baseline)
    }

    /// The run as comparisons see it.
    pub(crate) fn into_run(self, file: &Path) -> Result<ComparedRun, ComparisonError> {
        let refused = |message: String| ComparisonError::Baseline {
            file: file.to_path_buf(),
            message,
        };
        let samples = self.identity.decoding.samples() as usize;
        let sets = self.sets.into_iter().map(|set| {
            let decode = |text: &str| {
                bits::decode(text, set.n, samples)
                    .map_err(|fault| refused(format!("set {}: {fault}", set.set)))
            };
            Ok(ComparedItems {
                official: decode(&set.official)?,
                strict: decode(&set.strict)?,
                set: set.set,
                title: set.title,
                in_average: set.in_average,
                digest: set.items,
                completions: set.completions,
                keys: None,
                no_answer: set.no_answer,
                truncated: set.truncated,
                failed: set.failed,
            })
        });
        let sets = sets.collect::<Result<Vec<ComparedItems>, ComparisonError>>()?;
        if sets.iter().all(|set| set.n() == 0) {
            return Err(ComparisonError::Empty(file.to_path_buf()));
        }
        Ok(ComparedRun {
            source: file.to_path_buf(),
            name: self.identity.model.name.clone(),
            identity: self.identity,
            version: self.version,
            strict_profile: self.strict_profile,
            rules: self.rules,
            scorer_version: self.scorer_version,
            sets,
            texts: None,
        })
    }

    fn checksum(&self) -> String {
        // Through the text that a reader gets: as a Value an f32 such as a temperature of 0.7 is
        // widened to 0.699999988079071, as text it is 0.7.
        let text = serde_json::to_string(self).expect("a baseline is plain data");
        checksum(serde_json::from_str(&text).expect("what was written is read"))
    }
}

/// BLAKE3 (hex) over what a file says beside its checksum. Of the text as it was read, so that
/// fields of another version count too.
fn checksum(mut value: serde_json::Value) -> String {
    if let Some(fields) = value.as_object_mut() {
        // `remove` puts the last field in the place of the removed one. `check` is the last itself,
        // so that the order of the others stays.
        fields.remove("check");
    }
    blake3::hash(value.to_string().as_bytes())
        .to_hex()
        .to_string()
}

impl BaselineFigures {
    /// The figures of a baseline that was read.
    pub fn of(run: &ComparedRun) -> Self {
        let samples = run.samples();
        let accuracy = |correct: &[usize]| {
            correct.iter().sum::<usize>() as f64 / (correct.len() * samples).max(1) as f64
        };
        let set = |items: &ComparedItems| BaselineSetFigures {
            set: items.set.clone(),
            title: items.title.clone(),
            in_average: items.in_average,
            n: items.n(),
            official: accuracy(&items.official),
            strict: accuracy(&items.strict),
            no_answer: items.no_answer,
            truncated: items.truncated,
            failed: items.failed,
        };
        Self {
            file: run.source.clone(),
            model: run.identity.model.name.clone(),
            version: run.version.clone(),
            identity: run.identity.clone(),
            samples,
            sets: run.sets.iter().map(set).collect(),
        }
    }
}
