//! The whole way from a plan to a summary.

use std::collections::{BTreeMap, HashMap};
use std::ops::ControlFlow;
use std::path::Path;

use dataset_loader::{Benchmark, Problem, Set};
use generation::{
    Completion, Decoding, Event, FinishReason, GenerationError, Generator, GeneratorInfo, Prompt,
    ServingReport,
};
use jiff::Timestamp;
use jobs::{Journal, Progress};
use scoring::{rules_digest, scorer_version};

use crate::counted_once::CountedOnce;
use crate::error::Error;
use crate::exclusion::{Excluded, Exclusion};
use crate::grader::Grader;
use crate::manifest::{DataIdentity, Identity, Manifest, SCHEMA};
use crate::protocol::Protocol;
use crate::record::{CompletionRecord, PromptRecord, VerdictRecord};
use crate::run_folder::{RunFolder, problems_digest};
use crate::summary::Summary;
use crate::template::Template;
use crate::token_details::TokenDetails;

/// Name of the data where they are the program's own samples.
pub(crate) const SAMPLES: &str = "samples";

/// What a run asks, and how.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What is asked, in order.
    pub problems: Vec<Problem>,
    /// Where the problems came from.
    pub origin: dataset_loader::Origin,
    /// BLAKE3 (hex) of the data files.
    pub data_digest: String,
    /// How it is asked.
    pub template: Template,
    /// How tokens are chosen and when completions end.
    pub decoding: Decoding,
    /// The protocol by which the problems were selected.
    pub protocol: Protocol,
    /// Most problems of a set, if limited.
    pub limit: Option<usize>,
    /// What was left out of the selection by a list of ids.
    pub excluded: Option<Excluded>,
    /// What to do with prompts that leave the model no room.
    pub long_prompts: LongPrompts,
    /// Whether items that failed before are asked again.
    pub retry_failed: bool,
    /// What is kept of each new token: the generator must tell it. With token ids `prompts.jsonl`
    /// is written too, each prompt with the ids that the model reads.
    pub token_details: TokenDetails,
    /// Version of the program, for the manifest.
    pub version: String,
    /// Facts for the manifest that cannot change a completion, such as the number of threads.
    pub environment: BTreeMap<String, String>,
    /// What the user wants to remember of the run. Given again with others, they are added to the
    /// manifest of a run that is there.
    pub tags: BTreeMap<String, String>,
}

/// What to do with prompts that leave the model no room.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LongPrompts {
    /// Refuse the run before anything is generated.
    #[default]
    Refuse,
    /// Count the items as failed.
    Fail,
}

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

/// Items of a run that failed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Failures {
    /// Those whose prompt leaves the model no room, which were never asked.
    pub too_long: usize,
    /// All of them, by reason, the most frequent first.
    pub reasons: Vec<(String, usize)>,
}

impl Failures {
    fn of(completions: &HashMap<(String, u32), CompletionRecord>, too_long: usize) -> Self {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for record in completions
            .values()
            .filter(|record| record.finish_reason == FinishReason::Error)
        {
            *counts
                .entry(record.error.as_deref().unwrap_or("no reason was given"))
                .or_default() += 1;
        }
        let mut reasons: Vec<(String, usize)> = counts
            .into_iter()
            .map(|(reason, items)| (reason.to_string(), items))
            .collect();
        reasons.sort_by_key(|(_, items)| std::cmp::Reverse(*items));
        Self { too_long, reasons }
    }

    /// All items that failed.
    pub fn items(&self) -> usize {
        self.reasons.iter().map(|(_, items)| items).sum()
    }
}

impl Plan {
    /// What decides the completions when this generator answers.
    pub fn identity(&self, model: GeneratorInfo) -> Identity {
        let (name, samples) = match &self.origin {
            dataset_loader::Origin::Samples => (SAMPLES.to_string(), true),
            dataset_loader::Origin::Files { paths } => (data_name(paths), false),
        };
        Identity {
            model,
            data: DataIdentity {
                name,
                samples,
                digest: self.data_digest.clone(),
                problems: self.problems.len(),
                problems_digest: problems_digest(&self.problems),
            },
            template: self.template.identity(),
            decoding: self.decoding.clone(),
            protocol: self.protocol,
            limit: self.limit,
            excluded: self.excluded.clone(),
        }
    }

    fn manifest(&self, benchmark: &Benchmark, model: GeneratorInfo) -> Manifest {
        let is_asked = |set: &&Set| self.problems.iter().any(|problem| problem.set == set.name);
        Manifest {
            schema: SCHEMA.to_string(),
            version: self.version.clone(),
            identity: self.identity(model),
            own_sets: benchmark.own_sets().filter(is_asked).cloned().collect(),
            rules: Some(rules_digest()),
            scorer_version: Some(scorer_version()),
            environment: self.environment.clone(),
            serving: None,
            tags: self.tags.clone(),
            token_details: self.token_details,
            started: Timestamp::now(),
            finished: None,
        }
    }

    fn prompts(&self) -> Result<Vec<Prompt>, Error> {
        let mut prompts = Vec::new();
        for problem in &self.problems {
            let rendered = self.template.render(&problem.question);
            let text = rendered.map_err(|source| Error::Template {
                id: problem.id.clone(),
                source,
            })?;
            let prompt = |sample| Prompt {
                id: problem.id.clone(),
                sample,
                text: text.clone(),
            };
            prompts.extend((0..self.decoding.samples()).map(prompt));
        }
        Ok(prompts)
    }
}

/// The file's path, or the folder of several.
fn data_name(paths: &[std::path::PathBuf]) -> String {
    match paths {
        [file] => file.display().to_string(),
        _ => paths
            .first()
            .and_then(|file| file.parent())
            .map(|folder| folder.display().to_string())
            .unwrap_or_default(),
    }
}

/// Runs a plan in a folder, or continues it where the folder holds the same run in part.
///
/// # Errors
/// A folder that cannot be used, prompts that do not fit, a failing model, a full disk, or
/// [`Error::Interrupted`] when `on_progress` breaks off. What was finished before stays in the
/// folder; `summary.json` is written only when every item is there.
pub fn run(
    benchmark: &Benchmark,
    grader: &Grader,
    plan: &Plan,
    generator: &mut dyn Generator,
    folder: &Path,
    on_progress: &mut dyn FnMut(&Progress) -> ControlFlow<()>,
) -> Result<Run, Error> {
    if plan.problems.is_empty() {
        return Err(Error::NothingToDo);
    }
    let prompts = plan.prompts()?;
    let too_long = examine(&prompts, plan, generator)?;
    let folder = RunFolder::create_or_continue(
        folder,
        &plan.manifest(benchmark, generator.info()),
        &plan.problems,
    )?;
    let mut completions = folder.resume_completions()?;
    settle_token_details(&folder, plan, prompts.len(), &completions)?;
    add_tags(&folder, &plan.tags)?;
    if plan.token_details.token_ids {
        log_tokens(&folder, &prompts, generator)?;
    }
    if plan.retry_failed {
        drop_failed(&folder, plan, &mut completions)?;
    }
    let mut progress = Progress {
        total: prompts.len(),
        resumed: completions.len(),
        ..Progress::default()
    };
    let mut recorder = Recorder {
        plan,
        folder: &folder,
        completions: &mut completions,
        progress: &mut progress,
        on_progress,
        stopping: false,
    };
    recorder.tell();
    recorder.generate(&prompts, &too_long, generator)?;
    note_serving(&folder, generator.serving_report())?;

    let manifest = finish(&folder, plan, &completions)?;
    let summary = write_results(
        benchmark,
        grader,
        &folder,
        &manifest,
        &plan.problems,
        &completions,
    )?;
    let failures = Failures::of(&completions, too_long.len());
    Ok(Run {
        folder,
        summary,
        progress,
        failures,
        serving: manifest.serving,
    })
}

/// Refuses to go on where some completions of the run would have token details and others not, or
/// where those asked for now are not there.
fn settle_token_details(
    folder: &RunFolder,
    plan: &Plan,
    items: usize,
    completions: &HashMap<(String, u32), CompletionRecord>,
) -> Result<(), Error> {
    let mut manifest = folder.manifest()?;
    let failed = completions
        .values()
        .filter(|record| record.finish_reason == FinishReason::Error)
        .count();
    let finished = completions.len() - failed;
    let open = items - completions.len() + if plan.retry_failed { failed } else { 0 };
    let (mut there, asked) = (manifest.token_details, plan.token_details);
    // A run of an earlier version does not say so.
    there.logprobs |= completions.values().any(|record| record.logprobs.is_some());
    if finished > 0 && (!there.includes(asked) || (open > 0 && there != asked)) {
        return Err(Error::OtherTokenDetails {
            folder: folder.path().to_path_buf(),
            finished,
            there,
            asked,
        });
    }
    if finished == 0 && there != asked {
        manifest.token_details = asked;
        folder.write_manifest(&manifest)?;
    }
    Ok(())
}

/// Takes items that failed out of a run, which is then one that was not finished.
fn drop_failed(
    folder: &RunFolder,
    plan: &Plan,
    completions: &mut HashMap<(String, u32), CompletionRecord>,
) -> Result<(), Error> {
    let all = completions.len();
    completions.retain(|_, record| record.finish_reason != FinishReason::Error);
    if completions.len() == all {
        return Ok(());
    }
    // First what says that the run is whole.
    folder.remove_results()?;
    let mut manifest = folder.manifest()?;
    manifest.finished = None;
    folder.write_manifest(&manifest)?;
    folder.settle_completions(&in_order(
        &plan.problems,
        plan.decoding.samples(),
        completions,
    ))
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
        .map_err(Error::Generation)?
        .ok_or(Error::NoTokenIds)?;
    let record = |(prompt, token_ids): (Prompt, Vec<u32>)| PromptRecord {
        id: prompt.id,
        prompt: prompt.text,
        token_ids,
    };
    folder.write_prompts(first.into_iter().zip(ids).map(record))
}

/// Tags of a run that was there before: new ones are added, and those given anew replaced.
fn add_tags(folder: &RunFolder, tags: &BTreeMap<String, String>) -> Result<(), Error> {
    let mut manifest = folder.manifest()?;
    if tags
        .iter()
        .all(|(name, value)| manifest.tags.get(name) == Some(value))
    {
        return Ok(());
    }
    manifest.tags.extend(tags.clone());
    folder.write_manifest(&manifest)
}

/// Notes how a server served this start, if it was asked anything.
fn note_serving(folder: &RunFolder, serving: Option<ServingReport>) -> Result<(), Error> {
    let Some(serving) = serving.filter(|serving| serving.latency.is_some()) else {
        return Ok(());
    };
    let mut manifest = folder.manifest()?;
    manifest.serving = Some(serving);
    folder.write_manifest(&manifest)
}

/// Judges the completions of a finished run again, without a model, and replaces its verdicts and
/// summary.
///
/// # Errors
/// A folder that holds no run or that another process writes to, a damaged one, or one in which
/// completions are missing.
pub fn judge_again(
    benchmark: &Benchmark,
    grader: &Grader,
    folder: &RunFolder,
) -> Result<Summary, Error> {
    let mut folder = folder.clone();
    folder.lock()?;
    let Finished {
        manifest,
        problems,
        completions,
    } = Finished::read(&folder)?;
    write_results(
        benchmark,
        grader,
        &folder,
        &manifest,
        &problems,
        &completions,
    )
}

/// Sums up a finished run without some of its problems, judged again, without a model. The folder
/// stays as it is. Ids that the run did not ask are passed over.
///
/// # Errors
/// As for [`judge_again`], and [`Error::Exclusion`] where nothing is left.
pub fn summary_without(
    benchmark: &Benchmark,
    grader: &Grader,
    folder: &RunFolder,
    exclusion: &Exclusion,
) -> Result<Summary, Error> {
    let Finished {
        mut manifest,
        problems,
        completions,
    } = Finished::read(folder)?;
    let (problems, excluded) = exclusion.take_out(problems)?;
    let before = manifest
        .identity
        .excluded
        .take()
        .map_or(0, |excluded| excluded.problems);
    manifest.identity.excluded = excluded.map(|excluded| Excluded {
        problems: excluded.problems + before,
        ..excluded
    });
    Ok(judge(benchmark, grader, &manifest, &problems, &completions).1)
}

/// What a finished run holds.
struct Finished {
    manifest: Manifest,
    problems: Vec<Problem>,
    completions: HashMap<(String, u32), CompletionRecord>,
}

impl Finished {
    fn read(folder: &RunFolder) -> Result<Self, Error> {
        let (manifest, problems) = (folder.manifest()?, folder.problems()?);
        let completions = folder.completions()?;
        let samples = manifest.identity.decoding.samples();
        let done = in_order(&problems, samples, &completions).len();
        let total = problems.len() * samples as usize;
        match done < total {
            true => Err(Error::Incomplete {
                folder: folder.path().to_path_buf(),
                done,
                total,
            }),
            false => Ok(Self {
                manifest,
                problems,
                completions,
            }),
        }
    }
}

fn write_results(
    benchmark: &Benchmark,
    grader: &Grader,
    folder: &RunFolder,
    manifest: &Manifest,
    problems: &[Problem],
    completions: &HashMap<(String, u32), CompletionRecord>,
) -> Result<Summary, Error> {
    note_rules(folder)?;
    let (verdicts, summary) = judge(benchmark, grader, manifest, problems, completions);
    folder.write_results(&verdicts, &summary)?;
    Ok(summary)
}

fn judge(
    benchmark: &Benchmark,
    grader: &Grader,
    manifest: &Manifest,
    problems: &[Problem],
    completions: &HashMap<(String, u32), CompletionRecord>,
) -> (Vec<VerdictRecord>, Summary) {
    let verdicts = grader.judge_all(problems, manifest.identity.decoding.samples(), completions);
    let mut summary = Summary::new(benchmark, grader, manifest, &verdicts);
    summary.add_several_samples(grader, problems, &verdicts);
    summary.counted_once = CountedOnce::of(
        benchmark,
        manifest.identity.protocol.task_cap(),
        problems,
        &verdicts,
    );
    (verdicts, summary)
}

/// Notes the rules that judge now, where others did before.
fn note_rules(folder: &RunFolder) -> Result<(), Error> {
    let mut manifest = folder.manifest()?;
    let (rules, version) = (Some(rules_digest()), Some(scorer_version()));
    if manifest.rules == rules && manifest.scorer_version == version {
        return Ok(());
    }
    (manifest.rules, manifest.scorer_version) = (rules, version);
    folder.write_manifest(&manifest)
}

/// Puts the journal in order and notes the end of the run.
fn finish(
    folder: &RunFolder,
    plan: &Plan,
    completions: &HashMap<(String, u32), CompletionRecord>,
) -> Result<Manifest, Error> {
    let in_order = in_order(&plan.problems, plan.decoding.samples(), completions);
    let mut manifest = folder.manifest()?;
    let (done, total) = (
        in_order.len(),
        plan.problems.len() * plan.decoding.samples() as usize,
    );
    if done < total {
        return Err(Error::Incomplete {
            folder: folder.path().to_path_buf(),
            done,
            total,
        });
    }
    if manifest.finished.is_none() {
        folder.settle_completions(&in_order)?;
        manifest.finished = Some(Timestamp::now());
        folder.write_manifest(&manifest)?;
    }
    Ok(manifest)
}

/// The completions of all problems, each with its samples in order, as far as they are there.
fn in_order<'a>(
    problems: &[Problem],
    samples: u32,
    completions: &'a HashMap<(String, u32), CompletionRecord>,
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

/// Looks at every prompt before time is spent: position and reason of those that do not fit.
fn examine(
    prompts: &[Prompt],
    plan: &Plan,
    generator: &dyn Generator,
) -> Result<HashMap<usize, TooLong>, Error> {
    let issues = generator
        .check(prompts, &plan.decoding)
        .map_err(Error::Generation)?;
    if let (LongPrompts::Refuse, Some(first)) = (plan.long_prompts, issues.first()) {
        return Err(Error::LongPrompts {
            count: issues.len(),
            total: prompts.len(),
            first_id: prompts[first.index].id.clone(),
            first_message: first.message.clone(),
        });
    }
    let too_long = |issue: generation::PromptIssue| {
        (
            issue.index,
            TooLong {
                prompt_tokens: issue.prompt_tokens,
                message: issue.message,
            },
        )
    };
    Ok(issues.into_iter().map(too_long).collect())
}

struct TooLong {
    prompt_tokens: usize,
    message: String,
}

/// Turns events into records of the journal.
struct Recorder<'a> {
    plan: &'a Plan,
    folder: &'a RunFolder,
    completions: &'a mut HashMap<(String, u32), CompletionRecord>,
    progress: &'a mut Progress,
    on_progress: &'a mut dyn FnMut(&Progress) -> ControlFlow<()>,
    /// Whether to stop before the next step.
    stopping: bool,
}

impl Recorder<'_> {
    fn generate(
        &mut self,
        prompts: &[Prompt],
        too_long: &HashMap<usize, TooLong>,
        generator: &mut dyn Generator,
    ) -> Result<(), Error> {
        let open = |index: &usize| {
            !self
                .completions
                .contains_key(&(prompts[*index].id.clone(), prompts[*index].sample))
        };
        let open: Vec<usize> = (0..prompts.len()).filter(open).collect();
        if open.is_empty() {
            return Ok(());
        }
        let mut journal = self.folder.journal()?;
        let (unanswerable, answerable): (Vec<usize>, Vec<usize>) = open
            .into_iter()
            .partition(|index| too_long.contains_key(index));
        for index in unanswerable {
            self.finished(&mut journal, index, refused(&too_long[&index]))?;
        }
        let batch: Vec<Prompt> = answerable
            .iter()
            .map(|&index| prompts[index].clone())
            .collect();
        let mut refusal = None;
        let outcome = generator.generate(&batch, &self.plan.decoding, &mut |event| {
            let recorded = match event {
                Event::Prefilled(tokens) => self.advanced(&mut journal, tokens, 0),
                Event::Decoded(tokens) => self.advanced(&mut journal, 0, tokens),
                Event::Running(completions) => {
                    self.progress.running = completions;
                    Ok(())
                }
                Event::Finished(completion) => {
                    self.finished(&mut journal, answerable[completion.index], completion)
                }
            };
            recorded.map_err(|error| {
                let message = error.to_string();
                refusal = Some(error);
                GenerationError::Receiver(message.into())
            })
        });
        // Also where something failed: what is finished is kept.
        let kept = journal.sync().map_err(Error::from);
        match (outcome, refusal) {
            (_, Some(error)) => Err(error),
            (Err(error), None) => Err(Error::Generation(error)),
            (Ok(()), None) => kept,
        }
    }

    /// Takes note of tokens. Completions of a step come after its tokens, so that a stop waits for
    /// the next step.
    fn advanced(
        &mut self,
        journal: &mut Journal,
        prompt_tokens: usize,
        completion_tokens: usize,
    ) -> Result<(), Error> {
        if self.stopping {
            let Progress {
                total,
                resumed,
                finished,
                ..
            } = *self.progress;
            return Err(Error::Interrupted {
                folder: self.folder.path().to_path_buf(),
                done: resumed + finished,
                total,
            });
        }
        self.progress.prompt_tokens += prompt_tokens;
        self.progress.completion_tokens += completion_tokens;
        self.tell();
        Ok(journal.tick()?)
    }

    fn tell(&mut self) {
        self.stopping |= (self.on_progress)(self.progress).is_break();
    }

    fn finished(
        &mut self,
        journal: &mut Journal,
        index: usize,
        completion: Completion,
    ) -> Result<(), Error> {
        let samples = self.plan.decoding.samples();
        let problem = &self.plan.problems[index / samples as usize];
        self.progress.note(&completion);
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
            error: completion.error,
        };
        journal.append(&record)?;
        self.completions
            .insert((record.id.clone(), record.sample), record);
        self.progress.finished += 1;
        self.tell();
        Ok(())
    }
}

/// The completion of a prompt that was never put to the model.
fn refused(too_long: &TooLong) -> Completion {
    Completion {
        index: 0,
        text: String::new(),
        finish_reason: FinishReason::Error,
        prompt_tokens: too_long.prompt_tokens,
        completion_tokens: 0,
        prompt_hash: String::new(),
        token_ids: None,
        logprobs: None,
        error: Some(too_long.message.clone()),
    }
}
