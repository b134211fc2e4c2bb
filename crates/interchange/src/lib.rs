//! Runs in the files of other programs.
//!
//! Out: in goes a finished run, out come files by name. Nothing is judged here: figures and verdicts
//! are those of the run. In: the files of others become a run that waits for its verdicts
//! ([`read`], [`import_run`]).

mod eval_results; // .eval_results of a model repository
mod every_eval_ever; // the EvalEval coalition's schema
mod import; // the files of others → a run
mod inspect; // a log of inspect
mod lm_eval; // results_*.json and samples_*.jsonl
mod metrics; // one flat object of figures
mod official; // *.prediction.json, *.metric.json, all.metric.json
mod parquet_file; // a row a completion

use std::collections::HashMap;

use dataset_loader::Problem;
use evaluation::{CompletionRecord, RunManifest, Summary, VerdictRecord};
use fault::{Class, Fault};

pub use import::{
    At, FieldMap, ImportError, ImportErrorKind, ImportPlan, Imported, Key, KnownProblems, Record,
    Source, SourceFormat, import_run, read,
};

/// A finished run.
pub struct FinishedRun {
    /// What it is bound to.
    pub manifest: RunManifest,
    /// What was asked, in order.
    pub problems: Vec<Problem>,
    /// What the model read for each of them, in their order.
    pub prompts: Vec<String>,
    /// Completions by id and sample.
    pub completions: HashMap<(String, u32), CompletionRecord>,
    /// A verdict for each completion, in the order of the problems.
    pub verdicts: Vec<VerdictRecord>,
    /// Its figures.
    pub summary: Summary,
}

/// Whose files are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// The driver of the published benchmark: microsoft/unilm,
    /// `mathscale/MWPBench/eval_vllm/driver.py`.
    Official,
    /// EleutherAI's lm-evaluation-harness 0.4, with `--log_samples`.
    LmEval,
    /// A flat JSON object of figures, as experiment trackers log them.
    Metrics,
    /// A log of inspect, as JSON.
    Inspect,
    /// The same as a zip file.
    InspectEval,
    /// Results in a model repository on the Hugging Face Hub.
    HfEvalResults,
    /// The schema of the EvalEval coalition, with a line a verdict.
    EveryEvalEver,
    /// A row a completion, in parquet.
    Parquet,
}

/// What some formats say of a run and no run knows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExportSettings {
    /// Name of the model on the Hugging Face Hub, `ORGANISATION/NAME`.
    pub model_id: Option<String>,
    /// Which sets are which tasks of data sets on the Hugging Face Hub.
    pub hub_tasks: Vec<HubTask>,
}

/// A set as a task of a data set on the Hugging Face Hub.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HubTask {
    /// Name of the set.
    pub set: String,
    /// The data set there, `ORGANISATION/NAME`.
    pub dataset: String,
    /// The task in it.
    pub task: String,
}

/// A file to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Its name, with the folders that it stands in, `/` between.
    pub name: String,
    /// What it holds.
    pub content: Vec<u8>,
}

impl File {
    fn text(name: impl Into<String>, content: String) -> Self {
        Self {
            name: name.into(),
            content: content.into_bytes(),
        }
    }
}

/// What was made of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Export {
    /// The files, each name once.
    pub files: Vec<File>,
    /// What the format cannot say of the run, or says otherwise.
    pub notes: Vec<String>,
}

/// Why a run cannot be told in a format.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ExportError {
    /// The format has one completion a problem.
    #[error("the run has {0} completions a problem, and these files have room for one")]
    SeveralSamples(u32),
    /// Sets of which nobody says what they are on the Hub.
    #[error("the files name a data set of the Hugging Face Hub, and none is named for {}", .sets.join(", "))]
    NoHubTask {
        /// The sets of the run.
        sets: Vec<String>,
    },
    /// A set that the run did not ask.
    #[error("the run asked no set \"{0}\"")]
    NoSuchSet(String),
}

impl Fault for ExportError {
    fn class(&self) -> Class {
        Class::Usage
    }
}

/// The run in a format.
///
/// # Errors
/// [`ExportError`] where the format has no room for the run.
pub fn export(
    run: &FinishedRun,
    format: Format,
    settings: &ExportSettings,
) -> Result<Export, ExportError> {
    match format {
        Format::Inspect => Ok(inspect::export(run)),
        Format::InspectEval => Ok(inspect::export_packed(run)),
        Format::HfEvalResults => eval_results::export(run, settings),
        Format::EveryEvalEver => Ok(every_eval_ever::export(run, settings)),
        Format::Parquet => Ok(parquet_file::export(run)),
        Format::Official => official::export(run),
        Format::LmEval => Ok(lm_eval::export(run)),
        Format::Metrics => Ok(metrics::export(run)),
    }
}

/// A problem with its place, and a completion of it with its verdict.
pub(crate) struct Judged<'a> {
    pub(crate) place: usize,
    pub(crate) problem: &'a Problem,
    pub(crate) completion: &'a CompletionRecord,
    pub(crate) verdict: &'a VerdictRecord,
}

impl FinishedRun {
    /// The judged completions of each task, tasks in the order in which they first occur.
    pub(crate) fn by_task(&self) -> Vec<(&str, Vec<Judged<'_>>)> {
        let places: HashMap<&str, usize> = self
            .problems
            .iter()
            .enumerate()
            .map(|(place, problem)| (problem.id.as_str(), place))
            .collect();
        let mut tasks: Vec<(&str, Vec<Judged<'_>>)> = Vec::new();
        for verdict in &self.verdicts {
            let key = (verdict.id.clone(), verdict.sample);
            let (Some(&place), Some(completion)) =
                (places.get(verdict.id.as_str()), self.completions.get(&key))
            else {
                continue;
            };
            let judged = Judged {
                place,
                problem: &self.problems[place],
                completion,
                verdict,
            };
            match tasks.iter_mut().find(|(task, _)| *task == verdict.task) {
                Some((_, own)) => own.push(judged),
                None => tasks.push((&verdict.task, vec![judged])),
            }
        }
        tasks
    }
}
