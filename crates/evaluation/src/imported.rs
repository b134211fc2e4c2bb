//! Runs that another program asked: their completions in a run folder like any other, judged by
//! both scorers.

use std::collections::BTreeMap;
use std::path::Path;

use dataset_loader::{Benchmark, Problem, Set};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::Error;
use crate::grader::Grader;
use crate::manifest::{DataIdentity, RunIdentity, RunManifest, SCHEMA, problems_digest};
use crate::record::{CompletionRecord, PromptRecord};
use crate::rescore::{Finished, in_order, write_results};
use crate::run_folder::RunFolder;
use crate::summary::Summary;
use crate::template::Template;
use crate::template_identity::TemplateIdentity;
use crate::token_details::TokenDetails;

/// The name of a template that nobody knows.
pub const UNKNOWN: &str = "unknown";

/// Where a run comes from that another program asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ImportedFrom {
    /// Whose files they were, such as `lm-eval`.
    pub format: String,
    /// BLAKE3 (hex) of the files.
    pub digest: String,
    /// What the files do not tell: fields of the identity, such as `template` or `decoding.stop`,
    /// whose values here say nothing, and `finish_reason` or `tokens` of the completions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unknown: Vec<String>,
}

/// The fields of an identity that decide whether two runs may be compared, as
/// [`ImportedFrom::unknown`] names them, and their names in reports.
pub(crate) const PROTOCOL_FIELDS: [(&str, &str); 4] = [
    ("template", "template"),
    ("decoding.max_tokens", "most new tokens"),
    ("decoding.stop", "stop strings"),
    ("decoding.sampling", "sampling"),
];

impl RunIdentity {
    /// Whether the files that a run was imported from do not tell this field.
    pub fn is_unknown(&self, field: &str) -> bool {
        let imported = self.imported.as_ref();
        imported.is_some_and(|imported| imported.unknown.iter().any(|unknown| unknown == field))
    }

    /// What is unknown of how the run was asked, in words.
    pub fn unknown_protocol(&self) -> Vec<&'static str> {
        let unknown = PROTOCOL_FIELDS
            .iter()
            .filter(|(field, _)| self.is_unknown(field));
        unknown.map(|(_, name)| *name).collect()
    }
}

impl TemplateIdentity {
    /// A template that nobody knows.
    pub fn unknown() -> Self {
        Self {
            name: UNKNOWN.to_string(),
            digest: String::new(),
            text: String::new(),
            chat: None,
        }
    }

    /// The template of a text with `{question}` in it once: that of the program with the same text,
    /// else one of this name. `None` for a text without the place, or with several.
    pub fn of_text(name: &str, text: &str) -> Option<Self> {
        let known = Template::names().filter_map(Template::named);
        let same = known.into_iter().find(|template| template.text() == text);
        match same {
            Some(template) => Some(template.identity()),
            None => Template::of_text(name, text).map(|template| template.identity()),
        }
    }
}

/// Completions that another program asked for.
#[derive(Clone, Debug)]
pub struct ImportedRun {
    /// What was asked, in order.
    pub problems: Vec<Problem>,
    /// What came back: each sample of each problem once.
    pub completions: Vec<CompletionRecord>,
    /// What the model read, where the files tell.
    pub prompts: Vec<PromptRecord>,
    /// What the files say and no file of a run has a place for, as lines of `imported.jsonl`.
    pub leftovers: Vec<Value>,
    /// What the run is bound to; the counts and digests of the problems are filled in here.
    pub identity: RunIdentity,
    /// Sets of the problems that are of no known set.
    pub own_sets: Vec<Set>,
    /// Facts for the manifest.
    pub environment: BTreeMap<String, String>,
    /// The user's tags.
    pub tags: BTreeMap<String, String>,
    /// When the run was started, where the files tell.
    pub started: Option<Timestamp>,
    /// Version of the program, for the manifest.
    pub version: String,
}

/// Makes a run folder of completions from elsewhere and judges them. `benchmark`: the published
/// sets with the run's own.
///
/// # Errors
/// Nothing to judge, a folder that cannot be written or that holds something else, or a completion
/// that is missing.
pub fn record_imported(
    benchmark: &Benchmark,
    grader: &Grader,
    run: ImportedRun,
    folder: &Path,
) -> Result<Summary, Error> {
    if run.problems.is_empty() {
        return Err(Error::NothingToDo);
    }
    let now = Timestamp::now();
    let started = run.started.unwrap_or(now);
    let identity = RunIdentity {
        data: DataIdentity {
            problems: run.problems.len(),
            problems_digest: problems_digest(&run.problems),
            ..run.identity.data
        },
        ..run.identity
    };
    let manifest = RunManifest {
        shard: None,
        schema: SCHEMA.to_string(),
        version: run.version,
        identity,
        own_sets: run.own_sets,
        suites: Vec::new(),
        rules: None,
        scorer_version: None,
        environment: run.environment,
        serving: None,
        tags: run.tags,
        token_details: TokenDetails::default(),
        started,
        finished: None,
    };
    let tags = manifest.tags.clone();
    let mut folder = RunFolder::create_or_continue(folder, manifest, &run.problems)?;
    let completions = run.completions.into_iter();
    let finished = Finished {
        problems: run.problems,
        completions: completions
            .map(|record| ((record.id.clone(), record.sample), record))
            .collect(),
    };
    finished.in_order(&folder)?;
    let samples = folder.manifest().identity.decoding.samples();
    folder.sort_completions(&in_order(
        &finished.problems,
        samples,
        &finished.completions,
    ))?;
    if !run.prompts.is_empty() {
        folder.write_prompts(run.prompts.into_iter())?;
    }
    if !run.leftovers.is_empty() {
        folder.write_leftovers(&run.leftovers)?;
    }
    folder.update_manifest(|manifest| {
        manifest.tags.extend(tags);
        manifest.finished = Some(manifest.finished.unwrap_or(now));
    })?;
    write_results(benchmark, grader, &mut folder, &finished)
}
