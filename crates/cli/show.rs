//! `mwpbench show`: the table of a finished run, a list of its items, or one of them.

use std::collections::HashMap;
use std::path::PathBuf;

use anyhow::Context;
use dataset_loader::Problem;
use evaluation::{RunFolder, Scorer, Verdict, VerdictRecord};
use reporting::{Item, SummaryTable};
use serde_json::json;

use crate::compare::ScorerName;
use crate::exit::Outcome;
use crate::{edited, grading, heading, terminal};

/// Show the table of a finished run, a list of its items, or one item with prompt, completion,
/// extraction trace and verdict.
#[derive(clap::Args)]
pub struct Args {
    /// Folder of the run.
    #[arg(value_name = "RUN")]
    run: PathBuf,
    /// Id of one problem, such as gsm8k/sample.1.
    #[arg(long, value_name = "ID")]
    item: Option<String>,
    /// Which completion of the item, where several were drawn; the first is 0.
    #[arg(long, requires = "item", default_value_t = 0, value_name = "N")]
    sample: u32,
    /// Show the thinking of the item's completion in full, which is one line without it.
    #[arg(long, requires = "item")]
    thinking: bool,
    /// Give the tasks of a set rows of their own.
    #[arg(long)]
    by_task: bool,
    /// Print JSON instead of text: one object, or a list of items.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    list: ListArgs,
}

/// Which items are listed; with several of these flags the items of each.
#[derive(clap::Args)]
#[command(next_help_heading = heading::LIST)]
struct ListArgs {
    /// List completions with a wrong answer.
    #[arg(long, conflicts_with = "item")]
    wrong: bool,
    /// List completions without an answer.
    #[arg(long, conflicts_with = "item")]
    no_answer: bool,
    /// List completions that were cut at the token limit.
    #[arg(long, conflicts_with = "item")]
    truncated: bool,
    /// List items on which the two scorers differ.
    #[arg(long, conflicts_with = "item")]
    disagreeing: bool,
    /// Only of this set.
    #[arg(long, value_name = "SET", conflicts_with = "item")]
    set: Option<String>,
    /// Scorer whose verdicts and answers are listed.
    #[arg(long, value_enum, default_value_t = ScorerName::Official)]
    scorer: ScorerName,
}

impl ListArgs {
    fn is_asked(&self) -> bool {
        self.wrong || self.no_answer || self.truncated || self.disagreeing || self.set.is_some()
    }

    fn takes(&self, verdict: &VerdictRecord) -> bool {
        let said = match self.scorer.into() {
            Scorer::Official => verdict.official.verdict,
            Scorer::Strict => verdict.strict.verdict,
        };
        let of_set = self.set.as_ref().is_none_or(|set| verdict.set == *set);
        let any = self.wrong || self.no_answer || self.truncated || self.disagreeing;
        let of_kind = (self.wrong && said == Verdict::Wrong)
            || (self.no_answer && verdict.no_answer)
            || (self.truncated && verdict.truncated)
            || (self.disagreeing && verdict.official.correct != verdict.strict.correct);
        of_set && (of_kind || !any)
    }
}

pub fn run(args: Args) -> anyhow::Result<Outcome> {
    let folder = RunFolder::open(&args.run)?;
    if args.item.is_none() {
        edited::warn(&args.run);
    }
    match &args.item {
        Some(id) => item(&args, &folder, id)?,
        None if args.list.is_asked() => list(&args, &folder)?,
        None => {
            let summary = folder
                .summary()
                .context("the run has no summary: it was not finished, start its command again")?;
            let layout = SummaryTable {
                width: terminal::width(),
                by_task: args.by_task,
                styled: terminal::styled(),
            };
            match args.json {
                true => terminal::print_json(&summary)?,
                false => terminal::print(&reporting::summary_table(&summary, layout))?,
            }
        }
    }
    Ok(Outcome::Done)
}

fn list(args: &Args, folder: &RunFolder) -> anyhow::Result<()> {
    let (problems, verdicts) = (folder.problems()?, folder.verdicts()?);
    if let Some(set) = &args.list.set {
        let sets = problems.iter().map(|problem| problem.set.as_str());
        anyhow::ensure!(
            sets.clone().any(|known| known == set),
            "the run has no set \"{set}\"{}",
            evaluation::did_you_mean(set, sets)
        );
    }
    let by_id: HashMap<&str, &Problem> = problems
        .iter()
        .map(|problem| (problem.id.as_str(), problem))
        .collect();
    let listed: Vec<(&Problem, &VerdictRecord)> = verdicts
        .iter()
        .filter(|verdict| args.list.takes(verdict))
        .filter_map(|verdict| Some((*by_id.get(verdict.id.as_str())?, verdict)))
        .collect();
    match args.json {
        true => {
            let items = listed
                .iter()
                .map(|(problem, verdict)| json!({ "problem": problem, "verdict": verdict }));
            terminal::print_json(&items.collect::<Vec<_>>())
        }
        false => {
            let scorer = args.list.scorer.into();
            terminal::print(&reporting::item_list(&listed, scorer, terminal::width()))
        }
    }
}

fn item(args: &Args, folder: &RunFolder, id: &str) -> anyhow::Result<()> {
    let problems = folder.problems()?;
    let problem = problems
        .iter()
        .find(|problem| problem.id == id)
        .with_context(|| {
            let first = problems
                .first()
                .map(|problem| problem.id.as_str())
                .unwrap_or_default();
            format!(
                "the run has no problem \"{id}\"{} ({} problems; the first is \"{first}\")",
                evaluation::did_you_mean(id, problems.iter().map(|problem| problem.id.as_str())),
                problems.len()
            )
        })?;
    let completions = folder.completions()?;
    let completion = completions
        .get(&(id.to_string(), args.sample))
        .with_context(|| {
            format!(
                "this run has no finished sample {} of \"{id}\"",
                args.sample
            )
        })?;
    let grader = grading::grader(
        &folder.benchmark()?,
        folder.summary()?.strict_profile.as_deref(),
    )?;
    let (verdict, explained) = (
        grader.judge(problem, completion),
        grader.explain_completion(problem, completion),
    );
    let prompt = folder.prompts(std::slice::from_ref(problem))?.concat();
    let imported = folder.manifest().identity.imported.as_ref();
    match args.json {
        true => terminal::print_json(
            &json!({ "problem": problem, "prompt": prompt, "completion": completion, "verdict": verdict, "explanation": explained.explanation }),
        ),
        false => terminal::print_as_it_is(&reporting::item_text(&Item {
            problem,
            prompt: &prompt,
            completion,
            verdict: &verdict,
            explained: &explained,
            thinking: args.thinking,
            unknown: imported.map_or(&[][..], |imported| &imported.unknown),
        })),
    }
}
