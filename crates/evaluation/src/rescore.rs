//! Completions → verdicts and summary, at the end of a run or of one that was finished before.

use dataset_loader::{Benchmark, Problem};
use scoring::{rules_digest, scorer_version};

use crate::deduplicated::DeduplicatedAverages;
use crate::error::Error;
use crate::exclusion::{Excluded, Exclusion};
use crate::grader::Grader;
use crate::manifest::RunManifest;
use crate::record::{CompletionRecord, VerdictRecord};
use crate::run_folder::{Completions, RunFolder};
use crate::suite::Suite;
use crate::summary::Summary;
use crate::tokens::TokensSpent;

/// Judges the completions of a finished run again, without a model, and replaces its verdicts and
/// summary.
///
/// # Errors
/// A folder that holds no run or that another process writes to, a damaged one, or one in which
/// completions are missing.
pub fn rescore(
    benchmark: &Benchmark,
    grader: &Grader,
    folder: &RunFolder,
) -> Result<Summary, Error> {
    let mut folder = folder.clone();
    folder.lock()?;
    // Read under the lock: a run that goes on would be judged in part.
    let finished = Finished::read(&folder)?;
    write_results(benchmark, grader, &mut folder, &finished)
}

/// Sums up a finished run without some of its problems, judged again, without a model. The folder
/// stays as it is. Ids that the run did not ask are passed over.
///
/// # Errors
/// As for [`rescore`], and [`Error::Exclusion`] where nothing is left.
pub fn summary_without(
    benchmark: &Benchmark,
    grader: &Grader,
    folder: &RunFolder,
    exclusion: &Exclusion,
) -> Result<Summary, Error> {
    let Finished {
        problems,
        completions,
    } = Finished::read(folder)?;
    let (problems, excluded) = exclusion.take_out(problems)?;
    let mut manifest = folder.manifest().clone();
    // In a copy of the manifest: what the run itself asked stays as it is.
    let before = manifest.identity.excluded.take();
    manifest.identity.excluded = match (before, excluded) {
        (Some(before), Some(excluded)) => Some(Excluded {
            problems: excluded.problems + before.problems,
            ..excluded
        }),
        (before, excluded) => excluded.or(before),
    };
    let left = Finished {
        problems,
        completions,
    };
    Ok(judge(benchmark, grader, &manifest, &left).1)
}

/// A run as far as it went.
#[derive(Clone, Debug)]
pub struct SoFar {
    /// What was asked, in order.
    pub problems: Vec<Problem>,
    /// Completions by id and sample.
    pub completions: Completions,
    /// A verdict for each completion that is there, in the order of the problems.
    pub verdicts: Vec<VerdictRecord>,
    /// The figures, of what is there.
    pub summary: Summary,
    /// Completions that the run is to have.
    pub expected: usize,
}

/// Reads a finished run, or judges what there is of an unfinished one. The folder stays as it is.
///
/// # Errors
/// A damaged folder.
pub fn so_far(benchmark: &Benchmark, grader: &Grader, folder: &RunFolder) -> Result<SoFar, Error> {
    let problems = folder.problems()?;
    let expected = problems.len() * folder.manifest().identity.decoding.samples() as usize;
    let mut read = Finished {
        problems,
        completions: folder.completions_so_far()?,
    };
    let (verdicts, summary) = match folder.is_judged() {
        true => (folder.verdicts()?, folder.summary()?),
        false => {
            // Judged as the run that it would be if nothing else had been asked.
            let is_done =
                |problem: &&Problem| read.completions.contains_key(&(problem.id.clone(), 0));
            let done = read.problems.iter().filter(is_done).cloned().collect();
            let part = Finished {
                problems: done,
                completions: std::mem::take(&mut read.completions),
            };
            let judged = judge(benchmark, grader, folder.manifest(), &part);
            read.completions = part.completions;
            judged
        }
    };
    Ok(SoFar {
        problems: read.problems,
        completions: read.completions,
        verdicts,
        summary,
        expected,
    })
}

/// What a finished run holds.
pub(crate) struct Finished {
    pub(crate) problems: Vec<Problem>,
    pub(crate) completions: Completions,
}

impl Finished {
    fn read(folder: &RunFolder) -> Result<Self, Error> {
        folder.check_whole()?;
        let finished = Self {
            problems: folder.problems()?,
            completions: folder.completions()?,
        };
        finished.in_order(folder)?;
        Ok(finished)
    }

    /// The completions of all problems, each with its samples in order.
    ///
    /// # Errors
    /// [`Error::Incomplete`] where any is missing.
    pub(crate) fn in_order(&self, folder: &RunFolder) -> Result<Vec<&CompletionRecord>, Error> {
        let samples = folder.manifest().identity.decoding.samples();
        let in_order = in_order(&self.problems, samples, &self.completions);
        let (done, total) = (in_order.len(), self.problems.len() * samples as usize);
        match done < total {
            true => Err(Error::Incomplete {
                folder: folder.path().to_path_buf(),
                done,
                total,
            }),
            false => Ok(in_order),
        }
    }
}

/// Judges a finished run and writes its verdicts and summary.
pub(crate) fn write_results(
    benchmark: &Benchmark,
    grader: &Grader,
    folder: &mut RunFolder,
    finished: &Finished,
) -> Result<Summary, Error> {
    // The manifest first: a run that is stopped here is judged again, by the same rules.
    folder.update_manifest(|manifest| {
        manifest.rules = Some(rules_digest());
        manifest.scorer_version = Some(scorer_version());
    })?;
    let (verdicts, summary) = judge(benchmark, grader, folder.manifest(), finished);
    folder.write_results(&verdicts, &summary)?;
    Ok(summary)
}

pub(crate) fn judge(
    benchmark: &Benchmark,
    grader: &Grader,
    manifest: &RunManifest,
    finished: &Finished,
) -> (Vec<VerdictRecord>, Summary) {
    let Finished {
        problems,
        completions,
    } = finished;
    let identity = &manifest.identity;
    let verdicts = grader.judge_all(problems, identity.decoding.samples(), completions);
    let mut summary = Summary::new(benchmark, grader, manifest, &verdicts);
    summary.add_sampled_figures(grader, problems, &verdicts);
    for set in &mut summary.sets {
        set.tokens = TokensSpent::of_thinking_set(completions, &set.set);
    }
    let cap = identity.protocol.task_cap();
    summary.counted_once = DeduplicatedAverages::of(benchmark, cap, problems, &verdicts);
    let of_suite = |suite: &Suite| suite.averages(benchmark, cap, problems, &verdicts);
    summary.suites = manifest.suites.iter().filter_map(of_suite).collect();
    (verdicts, summary)
}

/// The completions of all problems, each with its samples in order, as far as they are there.
pub(crate) fn in_order<'a>(
    problems: &[Problem],
    samples: u32,
    completions: &'a Completions,
) -> Vec<&'a CompletionRecord> {
    let of_problem = |problem: &Problem| {
        (0..samples)
            .map(|sample| (problem.id.clone(), sample))
            .collect::<Vec<_>>()
    };
    problems
        .iter()
        .flat_map(of_problem)
        .filter_map(|key| completions.get(&key))
        .collect()
}
