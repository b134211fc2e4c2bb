//! The whole way from a plan to a summary.

use std::ops::ControlFlow;
use std::path::Path;

use dataset_loader::{Benchmark, Problem};
use generation::{Completion, FinishReason, Generator, Prompt, PromptIssue, ServingReport};
use jiff::Timestamp;
use jobs::{GenerationLoop, Progress, Recorder};
use store::{FileError, Journal};

use crate::error::Error;
use crate::failures::Failures;
use crate::grader::Grader;
use crate::plan::{LongPrompts, RunPlan};
use crate::record::{CompletionRecord, PromptRecord};
use crate::rescore::{Finished, in_order, judge, write_results};
use crate::run_folder::{Completions, RunFolder};
use crate::summary::Summary;
use crate::thinking_budget::BudgetedThinking;

/// A finished run.
#[derive(Clone, Debug)]
pub struct Run {
    /// Its folder.
    pub folder: RunFolder,
    /// What it found.
    pub summary: Summary,
    /// What this start did of it.
    pub progress: Progress,
    /// Items that failed, and why.
    pub failures: Failures,
    /// How a server served the run; `None` for a checkpoint.
    pub serving: Option<ServingReport>,
}

/// Runs a plan in a folder, or continues it where the folder holds the same run in part.
///
/// # Errors
/// A folder that cannot be used, prompts that do not fit, a failing model, a full disk, or
/// [`jobs::JobError::Interrupted`] when `on_progress` breaks off. What was finished before stays in the
/// folder; `summary.json` is written only when every item is there.
pub fn run(
    benchmark: &Benchmark,
    grader: &Grader,
    plan: &RunPlan,
    generator: &mut dyn Generator,
    folder: &Path,
    on_progress: &mut dyn FnMut(&Progress) -> ControlFlow<()>,
) -> Result<Run, Error> {
    if plan.problems.is_empty() {
        return Err(Error::NothingToDo);
    }
    // Prompts are rendered and checked before there is a folder: a refusal leaves none behind. Those
    // of other shards too: either all shards of a run are refused or none.
    let prompts = plan.prompts()?;
    let issues = check_prompts(&prompts, plan, generator)?;
    let mut manifest = plan.manifest(benchmark, generator.info());
    if let Some(shard) = &mut manifest.shard {
        shard.strict_profile = grader.given().map(str::to_string);
    }
    let mut folder = RunFolder::create_or_continue(folder, manifest, &plan.problems)?;
    let mut completions = folder.resume_completions()?;
    let part = Part::of(plan, &prompts, &issues);
    // Before the manifest or a failed item is touched: a refused start keeps what was kept.
    check_token_details(&mut folder, plan, part.prompts.len(), &completions)?;
    // Tags of a run that was there before: new ones are added, those given again replaced.
    folder.update_manifest(|manifest| manifest.tags.extend(plan.tags.clone()))?;
    if plan.token_details.token_ids {
        log_tokens(&folder, &prompts, generator)?;
    }
    if plan.retry_failed {
        drop_failed(&mut folder, plan, &mut completions)?;
    }
    let mut budgeted;
    let generator: &mut dyn Generator = match plan.thinking_budget {
        Some(budget) => {
            budgeted = BudgetedThinking::new(generator, budget);
            &mut budgeted
        }
        None => generator,
    };
    let progress = generate(
        plan,
        &part,
        generator,
        &folder,
        &mut completions,
        on_progress,
    )?;
    // A start that asked nothing has no latency. It must not replace the report of one that did.
    let serving = generator.serving_report();
    if let Some(serving) = serving.filter(|serving| serving.latency.is_some()) {
        folder.update_manifest(|manifest| manifest.serving = Some(serving))?;
    }
    let too_long = part.issues.len();
    let failures = Failures::of(&completions, too_long);
    let finished = Finished {
        problems: part.problems,
        completions,
    };
    finish(&mut folder, &finished)?;
    let summary = match folder.manifest().shard.is_some() {
        // Figures of a part are nobody's result: they are told and not kept.
        true => {
            folder.update_manifest(|manifest| {
                if let Some(shard) = &mut manifest.shard {
                    shard.too_long = too_long;
                }
            })?;
            judge(benchmark, grader, folder.manifest(), &finished).1
        }
        false => write_results(benchmark, grader, &mut folder, &finished)?,
    };
    Ok(Run {
        summary,
        progress,
        failures,
        serving: folder.manifest().serving.clone(),
        folder,
    })
}

/// What this machine asks: all of a plan, or what is dealt to its shard.
struct Part {
    problems: Vec<Problem>,
    /// The samples of a problem one after the other, in the order of the problems.
    prompts: Vec<Prompt>,
    /// Those of these prompts.
    issues: Vec<PromptIssue>,
}

impl Part {
    fn of(plan: &RunPlan, prompts: &[Prompt], issues: &[PromptIssue]) -> Self {
        let own = plan.own();
        let samples = plan.decoding.samples() as usize;
        let asked: Vec<usize> = (0..prompts.len())
            .filter(|index| own[index / samples])
            .collect();
        let own_problems = plan.problems.iter().zip(own);
        Self {
            problems: own_problems
                .filter(|(_, own)| *own)
                .map(|(problem, _)| problem.clone())
                .collect(),
            prompts: asked.iter().map(|&index| prompts[index].clone()).collect(),
            issues: among(issues, &asked),
        }
    }
}

/// The issues of some prompts, which stand at the places of `chosen` (ascending).
fn among(issues: &[PromptIssue], chosen: &[usize]) -> Vec<PromptIssue> {
    let issues = issues.iter().filter_map(|issue| {
        Some(PromptIssue {
            index: chosen.binary_search(&issue.index).ok()?,
            ..issue.clone()
        })
    });
    issues.collect()
}

/// Finds the prompts that do not fit, before time is spent.
fn check_prompts(
    prompts: &[Prompt],
    plan: &RunPlan,
    generator: &dyn Generator,
) -> Result<Vec<PromptIssue>, Error> {
    let issues = generator
        .check(prompts, &plan.decoding)
        .map_err(Error::generation)?;
    match (plan.long_prompts, issues.first()) {
        (LongPrompts::Refuse, Some(first)) => Err(Error::LongPrompts {
            count: issues.len(),
            total: prompts.len(),
            first_id: prompts[first.index].id.clone(),
            first_message: first.message.clone(),
        }),
        _ => Ok(issues),
    }
}

/// Refuses to go on where some completions of the run would have token details and others not, or
/// where those asked for now are not there.
fn check_token_details(
    folder: &mut RunFolder,
    plan: &RunPlan,
    items: usize,
    completions: &Completions,
) -> Result<(), Error> {
    let failed = completions
        .values()
        .filter(|record| record.finish_reason == FinishReason::Error)
        .count();
    let finished = completions.len() - failed;
    let open = items.saturating_sub(completions.len()) + if plan.retry_failed { failed } else { 0 };
    let (mut there, asked) = (folder.manifest().token_details, plan.token_details);
    // A run of an earlier version does not say so.
    there.logprobs |= completions.values().any(|record| record.logprobs.is_some());
    // A whole run that keeps more than is asked for now is opened all the same; one that goes on
    // would have completions of two kinds.
    if finished > 0 && (!there.includes(asked) || (open > 0 && there != asked)) {
        return Err(Error::OtherTokenDetails {
            folder: folder.path().to_path_buf(),
            finished,
            there,
            asked,
        });
    }
    // Failed items have no tokens: while there is nothing else, what is kept can still change.
    match finished {
        0 => folder.update_manifest(|manifest| manifest.token_details = asked),
        _ => Ok(()),
    }
}

/// Writes down what the model reads, once for all samples of a problem.
fn log_tokens(
    folder: &RunFolder,
    prompts: &[Prompt],
    generator: &dyn Generator,
) -> Result<(), Error> {
    let first: Vec<Prompt> = prompts
        .iter()
        .filter(|prompt| prompt.sample == 0)
        .cloned()
        .collect();
    let ids = generator
        .token_ids(&first)
        .map_err(Error::generation)?
        .ok_or(Error::NoTokenIds)?;
    let record = |(prompt, token_ids): (Prompt, Vec<u32>)| PromptRecord {
        id: prompt.id,
        prompt: prompt.text,
        token_ids,
    };
    folder.write_prompts(first.into_iter().zip(ids).map(record))
}

/// Drops items that failed from a run, which is then an unfinished one.
fn drop_failed(
    folder: &mut RunFolder,
    plan: &RunPlan,
    completions: &mut Completions,
) -> Result<(), Error> {
    let all = completions.len();
    completions.retain(|_, record| record.finish_reason != FinishReason::Error);
    if completions.len() == all {
        return Ok(());
    }
    // The order matters: whatever says that the run is whole goes before the completions do, so
    // that a crash in between leaves an unfinished run and never a summary of other completions.
    folder.remove_results()?;
    folder.update_manifest(|manifest| manifest.finished = None)?;
    folder.sort_completions(&in_order(
        &plan.problems,
        plan.decoding.samples(),
        completions,
    ))
}

/// Puts the open prompts to the generator.
fn generate(
    plan: &RunPlan,
    part: &Part,
    generator: &mut dyn Generator,
    folder: &RunFolder,
    completions: &mut Completions,
    on_progress: &mut dyn FnMut(&Progress) -> ControlFlow<()>,
) -> Result<Progress, Error> {
    // Items that failed are in the journal too: they count as done until they are to be asked
    // again.
    let is_open = |prompt: &Prompt| !completions.contains_key(&(prompt.id.clone(), prompt.sample));
    let prompts = &part.prompts;
    let open: Vec<usize> = (0..prompts.len())
        .filter(|&index| is_open(&prompts[index]))
        .collect();
    let open_issues = among(&part.issues, &open);
    let batch: Vec<Prompt> = open.iter().map(|&index| prompts[index].clone()).collect();
    let counts = (completions.len(), prompts.len());
    let path = folder.path().to_path_buf();
    // The journal is opened here and not with the folder: putting it in order replaces the file,
    // and an open handle would go on writing to the one that was replaced.
    let mut generation_loop = GenerationLoop::new(path, folder.journal()?, counts, on_progress);
    if !batch.is_empty() {
        let mut recorder = CompletionRecorder {
            problems: &part.problems,
            samples: plan.decoding.samples(),
            open,
            completions,
        };
        let decoding = &plan.decoding;
        generation_loop.run(&batch, &open_issues, decoding, generator, &mut recorder)?;
    }
    Ok(generation_loop.progress())
}

/// Keeps each completion in the journal and in memory.
struct CompletionRecorder<'a> {
    problems: &'a [Problem],
    /// Completions a problem.
    samples: u32,
    /// The prompts that were asked, as positions in all prompts of the problems: the samples of a
    /// problem one after the other, in the order of the problems.
    open: Vec<usize>,
    completions: &'a mut Completions,
}

impl Recorder for CompletionRecorder<'_> {
    fn reject(&mut self, journal: &mut Journal, issue: &PromptIssue) -> Result<bool, FileError> {
        let message = Some(issue.message.clone());
        let completion = Completion::failed(issue.index, issue.prompt_tokens, message);
        self.record(journal, issue.index, completion)
    }

    fn record(
        &mut self,
        journal: &mut Journal,
        index: usize,
        completion: Completion,
    ) -> Result<bool, FileError> {
        let samples = self.samples;
        // From a position in what was asked to one in all prompts, and from there to the problem:
        // `RunPlan::prompts` puts the samples of a problem beside each other.
        let index = self.open[index];
        let problem = &self.problems[index / samples as usize];
        let record = CompletionRecord {
            id: problem.id.clone(),
            set: problem.set.clone(),
            task: problem.task.clone(),
            sample: index as u32 % samples,
            completion: completion.text,
            finish_reason: completion.finish_reason,
            prompt_tokens: completion.prompt_tokens,
            completion_tokens: completion.completion_tokens,
            prompt_hash: completion.prompt_hash,
            token_ids: completion.token_ids,
            logprobs: completion.logprobs,
            thinking: completion.thinking,
            thinking_tokens: completion.thinking_tokens,
            error: completion.error,
        };
        journal.append(&record)?;
        self.completions
            .insert((record.id.clone(), record.sample), record);
        // A failed completion finishes its item too: a run ends whatever a server refuses, and says
        // what failed.
        Ok(true)
    }
}

/// Puts the journal in order and notes the end of the run.
fn finish(folder: &mut RunFolder, finished: &Finished) -> Result<(), Error> {
    let in_order = finished.in_order(folder)?;
    // In order first, then finished: a run that is killed in between is put in order again at the
    // next start.
    if folder.manifest().finished.is_none() {
        folder.sort_completions(&in_order)?;
        folder.update_manifest(|manifest| manifest.finished = Some(Timestamp::now()))?;
    }
    Ok(())
}
