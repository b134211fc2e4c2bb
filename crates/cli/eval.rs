//! `mwpbench eval`: run a model on the sets and print the table.

mod questions; // what is asked, whoever answers
mod several; // several models, in turn
mod watch; // checkpoints as they appear

use std::collections::BTreeMap;
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use evaluation::{MAX_TOKENS, PUBLISHED_DATA, ShardRecord, Summary, TRAINING_STEP};
use questions::Questions;
use reporting::SummaryTable;
use serde::Serialize;
use watch::WatchArgs;

use crate::chat::PromptArgs;
use crate::count::count;
use crate::decoding::SamplingArgs;
use crate::dry_run::dry_run;
use crate::exit::Outcome;
use crate::few_shot::FewShotArgs;
use crate::generator::GeneratorArgs;
use crate::shard::ShardArg;
use crate::stop::StopArgs;
use crate::sweep::Subject;
use crate::tags::TagArgs;
use crate::{data_folder, grading, heading, hub, interruption, progress, shard, sweep, terminal};

/// Evaluate a model on the sets and print accuracy per set, micro and macro average.
///
/// The run is kept in a folder; the same command again resumes an interrupted run.
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    generator: GeneratorArgs,
    #[command(flatten)]
    watch: WatchArgs,
    #[command(flatten)]
    prompt: PromptArgs,
    #[command(flatten)]
    few_shot: FewShotArgs,
    /// Where a prompt does not fit the model's context: refuse the run, or fail the items.
    #[arg(
        long,
        value_enum,
        default_value_t = OnLongPrompt::Refuse,
        help_heading = heading::PROMPT
    )]
    on_long_prompt: OnLongPrompt,
    #[command(flatten)]
    source: data_folder::DataArgs,
    /// Sets, tasks or suites, separated by commas: mwpbench (the default: MwpBench's sets, and your
    /// own), reasoning (MATH-500, AIME 2024 and 2025, AMC 2023, OCWCourses, OlympiadBench), all, or a
    /// suite under [suites] in mwpbench.toml.
    #[arg(long, value_delimiter = ',', value_name = "NAME,…", help_heading = heading::DATA)]
    tasks: Option<Vec<String>>,
    /// At most N problems of each set, in turn from its tasks.
    #[arg(
        long,
        value_name = "N",
        value_parser = count::<NonZeroUsize>,
        help_heading = heading::DATA
    )]
    limit: Option<NonZeroUsize>,
    /// Exclude the problems whose ids are in a file, one a line, such as `data overlap --ids`
    /// writes.
    #[arg(long, value_name = "FILE", help_heading = heading::DATA)]
    exclude_ids: Option<PathBuf>,
    /// official caps each task at its first 2,000 records, as the paper's figures need; full has
    /// no cap.
    #[arg(
        long,
        env = "MWPBENCH_PROTOCOL",
        value_enum,
        default_value_t = ProtocolName::Official,
        help_heading = heading::DATA
    )]
    protocol: ProtocolName,
    /// Maximum number of new tokens of a completion.
    #[arg(
        long,
        env = "MWPBENCH_MAX_TOKENS",
        default_value_t = DEFAULT_MAX_TOKENS,
        value_name = "N",
        value_parser = count::<NonZeroUsize>,
        help_heading = heading::SAMPLING
    )]
    max_tokens: NonZeroUsize,
    /// End a model's thinking after N tokens by its own closing mark, behind which it answers; for
    /// checkpoints, and for servers that continue a text (--endpoint-api completions).
    #[arg(
        long,
        value_name = "N",
        value_parser = count::<NonZeroUsize>,
        conflicts_with_all = ["log_tokens", "logprobs"],
        help_heading = heading::SAMPLING
    )]
    thinking_budget: Option<NonZeroUsize>,
    #[command(flatten)]
    stop: StopArgs,
    #[command(flatten)]
    sampling: SamplingArgs,
    /// Completions drawn for each problem; accuracy is the mean over all, and pass@k and maj@k are
    /// reported.
    #[arg(
        long,
        default_value = "1",
        value_name = "K",
        value_parser = samples,
        help_heading = heading::SAMPLING
    )]
    samples: NonZeroU32,
    #[command(flatten)]
    scoring: grading::ProfileArgs,
    #[command(flatten)]
    output: OutputArgs,
}

/// Where the run goes, what is written of it, and what is printed.
#[derive(clap::Args)]
#[command(next_help_heading = heading::OUTPUT)]
struct OutputArgs {
    /// Run folder; without it mwpbench-runs/MODEL-DIGEST, so that the same command finds its run.
    #[arg(long, env = "MWPBENCH_OUTPUT_DIR", value_name = "DIR")]
    output_dir: Option<PathBuf>,
    /// Ask one of N parts of the run alone, into the folder shard-I-of-N within the run folder;
    /// `mwpbench merge` puts them together. slurm takes I and N from the array task,
    /// kubernetes/N takes I from the pod of an indexed job.
    #[arg(
        long,
        env = "MWPBENCH_SHARD",
        value_name = "I/N|slurm|kubernetes/N",
        conflicts_with = "fresh"
    )]
    shard: Option<ShardArg>,
    /// A baseline, or a run, that this one will be compared with: a run that could not be is refused
    /// before it starts.
    #[arg(long, value_name = "FILE|RUN")]
    baseline: Option<PathBuf>,
    /// Print what would be asked, and the memory and time that it would take, from some seconds of
    /// generation; nothing is kept.
    #[arg(long, conflicts_with_all = ["retry_failed", "fresh", "latency"])]
    dry_run: bool,
    /// Generate again the completions of the run that failed, such as those of requests without a
    /// response; the others stay.
    #[arg(long, conflicts_with = "fresh")]
    retry_failed: bool,
    /// Start over in a new folder, the name of the other with a number: nothing is overwritten, and
    /// only a run that this began and that was interrupted is continued.
    #[arg(long)]
    fresh: bool,
    #[command(flatten)]
    tags: TagArgs,
    /// Write token ids: of every prompt into prompts.jsonl of the run, of every completion into
    /// completions.jsonl. For checkpoints only; the hash of a prompt's ids is always written.
    #[arg(long)]
    log_tokens: bool,
    /// Write the log-probability of each new token into completions.jsonl: natural logarithm, of
    /// the model's own distribution, before temperature and penalties; from servers that send it.
    #[arg(long)]
    logprobs: bool,
    /// Rows for the tasks of each set.
    #[arg(long)]
    by_task: bool,
    /// Print the latency of the server's requests below the table: time to first token, tokens/s,
    /// whole requests. It is always in run.json.
    #[arg(long, requires = "endpoint")]
    latency: bool,
    /// Print the summary as one JSON object instead of the table.
    #[arg(long)]
    json: bool,
    /// No progress on stderr.
    #[arg(long, short)]
    quiet: bool,
}

const DEFAULT_MAX_TOKENS: NonZeroUsize = NonZeroUsize::new(MAX_TOKENS).expect("not 0");

/// More are refused: each is a prompt in memory and a record in the run folder.
const MAX_SAMPLES: u32 = 1024;

fn samples(text: &str) -> Result<NonZeroU32, String> {
    let number = text
        .parse::<NonZeroU32>()
        .ok()
        .filter(|number| number.get() <= MAX_SAMPLES);
    number.ok_or_else(|| format!("expected a number from 1 to {MAX_SAMPLES}"))
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum ProtocolName {
    Official,
    Full,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum OnLongPrompt {
    Refuse,
    Fail,
}

pub fn run(args: Args) -> anyhow::Result<Outcome> {
    interruption::listen()?;
    hub::be_quiet(args.output.quiet);
    if let Some(folder) = args.watch.folder().map(Path::to_path_buf) {
        return watch::watch(args, &folder);
    }
    let given = args.generator.models();
    let subjects = match args.generator.is_server() {
        true => given.iter().cloned().map(Subject::model).collect(),
        false => sweep::subjects(given, args.generator.adapters())?,
    };
    match subjects.as_slice() {
        // A pattern that one checkpoint matches is not one that is typed by its name.
        [one] if one.model == given[0] && one.adapter.is_none() => {
            let questions = Questions::of(&args)?;
            Ok(evaluate(&args, &questions)?.0)
        }
        several => several::each(args, several),
    }
}

/// Evaluates one model; returns its run folder too.
fn evaluate(args: &Args, questions: &Questions) -> anyhow::Result<(Outcome, PathBuf)> {
    let shard = args.output.shard.map(ShardArg::resolve).transpose()?;
    let Questions {
        benchmark, grader, ..
    } = questions;
    let mut plan = questions.plan(args)?;
    plan.shard = shard.map(|shard| ShardRecord::new(shard, Some(shard::command())));
    let tokenizer = args.prompt.tokenizer()?;
    let mut generator =
        args.generator
            .open_for(&plan.template, tokenizer.as_deref(), plan.token_details)?;
    let identity = plan.identity(generator.info());
    let run_folder = match &args.output.output_dir {
        Some(folder) => folder.clone(),
        None => default_folder(&identity),
    };
    let folder = match (shard, args.output.fresh) {
        (Some(shard), _) => shard::folder(&run_folder, shard)?,
        (None, true) => fresh_folder(&run_folder, &identity),
        (None, false) => run_folder.clone(),
    };
    if args.output.dry_run {
        let json = args.output.json;
        dry_run(benchmark, grader, &plan, generator.as_mut(), &folder, json)?;
        return Ok((Outcome::Done, folder));
    }
    if !args.output.quiet {
        let bundled = match plan.origin {
            dataset_loader::DataOrigin::Bundled => "bundled ",
            dataset_loader::DataOrigin::Files { .. } => "",
        };
        let asked = plan.own().into_iter().filter(|own| *own).count();
        let mut problems = reporting::counted(asked, &format!("{bundled}problem"));
        if let Some(shard) = shard {
            problems += &format!(" of {}, {shard}", plan.problems.len());
        }
        eprintln!("{problems}; run folder: {}", folder.display());
        if let Some(hint) = args.prompt.hint(&args.generator) {
            eprintln!("{hint}");
        }
    }
    let mut display = progress::Display::new(args.output.quiet, plan.decoding.max_tokens);
    let run = evaluation::run(
        benchmark,
        grader,
        &plan,
        generator.as_mut(),
        &folder,
        &mut |progress| {
            display.update(progress);
            interruption::may_go_on()
        },
    );
    let run = run.map_err(with_way_out)?;
    display.finish();
    print_run(&run, args.output.json, args.output.by_task)?;
    if let Some(latency) = run
        .serving
        .as_ref()
        .and_then(|serving| serving.latency)
        .filter(|_| args.output.latency)
    {
        eprintln!("{}", reporting::latency_line(&latency));
    }
    match shard {
        Some(shard) => {
            let shards = reporting::shell(&run_folder.display().to_string());
            eprintln!(
                "{shard}, whose figures stand above; with all of them finished: `mwpbench merge {shards} --output-dir RUN`"
            );
            Ok((outcome(&run), folder))
        }
        None => Ok((told_outcome(&run), folder)),
    }
}

/// Prints the figures of a run.
pub fn print_run(run: &evaluation::Run, json: bool, by_task: bool) -> anyhow::Result<()> {
    match json {
        true => terminal::print_json(&Printed {
            summary: &run.summary,
            run_folder: run.folder.path(),
        }),
        false => {
            let layout = SummaryTable {
                width: terminal::width(),
                by_task,
                styled: terminal::styled(),
            };
            terminal::print(&reporting::summary_table(&run.summary, layout))
        }
    }
}

/// Says where a whole run is, and what failed in it.
pub fn told_outcome(run: &evaluation::Run) -> Outcome {
    let outcome = outcome(run);
    let shown = reporting::shell(&run.folder.path().display().to_string());
    eprintln!("run: {shown} (`mwpbench show {shown} --wrong` lists what went wrong)");
    outcome
}

impl Args {
    /// How many tokens a model may think.
    fn thinking_budget(&self) -> anyhow::Result<Option<usize>> {
        let Some(budget) = self.thinking_budget.map(NonZeroUsize::get) else {
            return Ok(None);
        };
        anyhow::ensure!(
            budget < self.max_tokens.get(),
            "--thinking-budget {budget} leaves no token for an answer: it must be less than --max-tokens {}",
            self.max_tokens
        );
        anyhow::ensure!(
            !self.generator.is_chat_server(),
            "--thinking-budget goes on behind a text that is cut, which a chat route does not: give --endpoint-api completions"
        );
        Ok(Some(budget))
    }

    /// Facts of the run that change no completion.
    fn environment(&self, is_published: bool) -> BTreeMap<String, String> {
        let mut facts = self.generator.environment();
        if is_published {
            facts.insert(PUBLISHED_DATA.to_string(), "true".to_string());
        }
        if let Some(step) = self.generator.training_step() {
            facts.insert(TRAINING_STEP.to_string(), step.to_string());
        }
        if self.output.fresh {
            facts.insert(FRESH.to_string(), "true".to_string());
        }
        facts
    }
}

/// What `--json` prints.
#[derive(Serialize)]
struct Printed<'a> {
    #[serde(flatten)]
    summary: &'a Summary,
    run_folder: &'a Path,
}

/// What stopped a run, with the flags that lead on where it is a matter of flags.
fn with_way_out(error: evaluation::Error) -> anyhow::Error {
    let evaluation::Error::OtherTokenDetails { there, .. } = &error else {
        return error.into();
    };
    let flags = match (there.token_ids, there.logprobs) {
        (true, true) => "with --log-tokens --logprobs",
        (true, false) => "with --log-tokens and without --logprobs",
        (false, true) => "with --logprobs and without --log-tokens",
        (false, false) => "without --log-tokens and --logprobs",
    };
    let message = format!(
        "{error}. Give the same command {flags}, or start over in a new folder with --fresh"
    );
    anyhow::Error::new(error).context(message)
}

/// A name that the same command finds again: the model's, and the digest of all that decides the
/// completions.
fn default_folder(identity: &evaluation::RunIdentity) -> PathBuf {
    const DIGITS: usize = 12;
    let name: String = identity
        .model
        .name
        .chars()
        .map(|c| {
            if c.is_alphanumeric() || "._-".contains(c) {
                c
            } else {
                '-'
            }
        })
        .collect();
    Path::new("mwpbench-runs").join(format!("{name}-{}", &identity.digest()[..DIGITS]))
}

/// The fact of a run that `--fresh` began it.
const FRESH: &str = "fresh";

/// The folder, or the first of `FOLDER-2`, `FOLDER-3` and so on that is not there yet. Where the
/// last that is there holds this run, begun in this way and not finished, it is that one: what
/// interrupted it said that the same command continues it.
fn fresh_folder(folder: &Path, identity: &evaluation::RunIdentity) -> PathBuf {
    let numbered = |number: u32| {
        let mut name = folder.as_os_str().to_os_string();
        name.push(format!("-{number}"));
        PathBuf::from(name)
    };
    let mut last: Option<PathBuf> = None;
    for candidate in std::iter::once(folder.to_path_buf()).chain((2..).map(numbered)) {
        if !candidate.exists() {
            return match last {
                Some(last) if is_begun_anew(&last, identity) => last,
                _ => candidate,
            };
        }
        last = Some(candidate);
    }
    unreachable!("there are more numbers than folders")
}

fn is_begun_anew(folder: &Path, identity: &evaluation::RunIdentity) -> bool {
    evaluation::RunFolder::open(folder).is_ok_and(|run| {
        let manifest = run.manifest();
        manifest.finished.is_none()
            && manifest.environment.contains_key(FRESH)
            && manifest.identity.differences(identity).is_empty()
    })
}

/// Reasons of failures that are printed.
const MAX_REASONS: usize = 3;

/// A run with failed items is not whole, unless they failed because long prompts count as failed
/// on demand, and others did not.
fn outcome(run: &evaluation::Run) -> Outcome {
    let (failures, failed, items) = (&run.failures, run.failures.items(), run.summary.items());
    if failed == 0 {
        return Outcome::Done;
    }
    eprintln!(
        "warning: {failed} of {items} items failed: see \"error\" in {}; --retry-failed generates them again",
        run.folder.path().join("completions.jsonl").display()
    );
    for (reason, items) in failures.reasons.iter().take(MAX_REASONS) {
        eprintln!("  {items} × {reason}");
    }
    let more = failures.reasons.len().saturating_sub(MAX_REASONS);
    if more > 0 {
        eprintln!("  and {more} other reasons");
    }
    match failed == failures.too_long && failed < items {
        true => Outcome::Done,
        false => Outcome::Incomplete,
    }
}
