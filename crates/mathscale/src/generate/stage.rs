//! The stage: `compositions.jsonl` and the seeds → `pairs.jsonl`, `generate.set-aside.jsonl`.

use generation::Generator;
use jobs::{JobTask, Replies};
use rayon::prelude::*;
use serde_json::json;
use store::Difference;

use super::prompt;
use super::task::{GeneratePlan, PairTask};
use crate::driver::{Outputs, Rejections, StageOutcome, StageWork, run};
use crate::error::Error;
use crate::model::{JobCounts, OnProgress, StageJob, reply_text};
use crate::pair::Pair;
use crate::project::{Change, Project, StageIdentity, StageRecord};
use crate::records::Rejected;
use crate::stage::{GENERATE_REJECTED, PAIRS, Stage};

/// Pairs that are assembled at a time, on all cores.
const BATCH: usize = 4096;

/// What came of it, with the compositions that were rejected. Counts:
/// `compositions`, `pairs`, `set_aside`, `replies`, `prompt_tokens`, `completion_tokens`.
pub type GenerateOutcome = StageOutcome<Rejections>;

/// Asks for a pair for each composition of a project, or continues where that was begun.
///
/// # Errors
/// An earlier stage is missing or stale; the stage was run with something else; a failing
/// generator; compositions that could not be generated (the same call asks for these again); an
/// interruption; a file that cannot be read or written. What was finished stays in the project.
pub fn generate(
    project: &mut Project,
    plan: &GeneratePlan<'_>,
    generator: &mut dyn Generator,
    on_progress: OnProgress<'_>,
) -> Result<GenerateOutcome, Error> {
    let mut work = Generating {
        plan,
        task: PairTask::read(project, plan)?,
        generator,
        on_progress,
    };
    run(project, &mut work, plan.fresh)
}

struct Generating<'a> {
    plan: &'a GeneratePlan<'a>,
    task: PairTask<'a>,
    generator: &'a mut dyn Generator,
    on_progress: OnProgress<'a>,
}

impl StageWork for Generating<'_> {
    type Details = Rejections;

    const STAGE: Stage = Stage::Generate;

    fn identity(&self) -> StageIdentity {
        let options = [
            ("examples", json!(self.plan.examples)),
            ("limit", json!(self.plan.limit)),
        ];
        let (inputs, info) = (self.task.inputs.clone(), self.generator.info());
        let asking = &self.plan.asking;
        asking.identity(inputs, options, &prompt::digest(), info)
    }

    /// Compositions are asked in the order of their file: a larger limit adds to them.
    fn change(&self, difference: &Difference) -> Change {
        // `null` stands for all of them.
        let limit = |text: &str| text.parse().unwrap_or(u64::MAX);
        let Difference { field, there, here } = difference;
        match field == "options.limit" && limit(here) > limit(there) {
            true => Change::Grows,
            false => Change::Replies,
        }
    }

    fn write(&mut self, outputs: &mut Outputs<'_>) -> Result<Rejections, Error> {
        let Self { plan, task, .. } = self;
        let inputs = task.inputs.iter();
        let digests = inputs.map(|(name, input)| (name.clone(), json!(input.blake3)));
        let job = StageJob {
            stage: Stage::Generate,
            // Without the limit: the items of a smaller one are the first of a larger one, in the
            // same journal.
            name: "generate",
            binding: json!({
                "inputs": digests.collect::<serde_json::Map<_, _>>(),
                "wording": plan.asking.prompt_digest(&prompt::digest()),
                "examples": plan.examples,
            }),
            allow_failed: plan.without_failed,
        };
        let mut replies = job.run(
            outputs.project,
            &plan.asking,
            task,
            self.generator,
            self.on_progress,
        )?;
        let model = self.generator.info().name;
        let rejections = write_pairs(outputs, task, &mut replies, &model)?;
        let tally = replies.tally();
        JobCounts::of(&replies).record(outputs);
        outputs.count("compositions", task.items() as u64);
        outputs.count("pairs", tally.answered as u64);
        outputs.count("set_aside", (task.items() - tally.answered) as u64);
        Ok(rejections)
    }

    fn details(&self, project: &Project, _: &StageRecord) -> Result<Rejections, Error> {
        Rejections::read(project, GENERATE_REJECTED)
    }
}

/// Writes the pairs and the rejected compositions, both in the order of the compositions.
fn write_pairs(
    outputs: &mut Outputs<'_>,
    task: &PairTask<'_>,
    replies: &mut Replies,
    model: &str,
) -> Result<Rejections, Error> {
    let (mut pairs, mut rejected) = (outputs.create(PAIRS)?, outputs.create(GENERATE_REJECTED)?);
    let mut first = Rejections::default();
    for start in (0..task.items()).step_by(BATCH) {
        let items = start..task.items().min(start + BATCH);
        let texts: Vec<(usize, Result<String, String>)> = items
            .map(|item| Ok((item, reply_text(replies.outcome(item)?))))
            .collect::<Result<_, Error>>()?;
        let parse = |(item, text): (usize, Result<String, String>)| {
            let pair = text.and_then(|text| task.pair(item, &text, model));
            pair.map_err(|reason| Rejected {
                id: task.id(item),
                place: Some(format!("line {}", item + 1)),
                reason,
            })
        };
        let parsed: Vec<Result<Pair, Rejected>> = texts.into_par_iter().map(parse).collect();
        for parsed in parsed {
            match parsed {
                Ok(pair) => pairs.push(&pair)?,
                Err(reason) => {
                    rejected.push(&reason)?;
                    first.push(reason);
                }
            }
        }
    }
    outputs.commit(pairs)?;
    outputs.commit(rejected)?;
    Ok(first)
}
