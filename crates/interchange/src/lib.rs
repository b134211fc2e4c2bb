//! Runs in the files of other programs.
//!
//! In goes a finished run, out come files by name. Nothing is judged here: figures and verdicts are
//! those of the run.

mod lm_eval; // results_*.json and samples_*.jsonl
mod metrics; // one flat object of figures
mod official; // *.prediction.json, *.metric.json, all.metric.json

use std::collections::HashMap;

use dataset_loader::Problem;
use evaluation::{CompletionRecord, RunManifest, Summary, VerdictRecord};
use fault::{Class, Fault};

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
}

/// A file to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Its name, without a folder.
    pub name: String,
    /// UTF-8.
    pub content: String,
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
pub fn export(run: &FinishedRun, format: Format) -> Result<Export, ExportError> {
    match format {
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
