//! The stage: `pairs.jsonl` → `validated.jsonl`, `validate.set-aside.jsonl`, `validate.json`.

use std::collections::BTreeMap;

use generation::Generator;
use jobs::{JobTask, Replies, Tally};
use serde_json::json;
use store::{Difference, JsonLines};

use super::consistency::SampleTask;
use super::judgement::{OnWrong, PairJudgement, ValidationMethod};
use super::prompt;
use super::reference::{JudgeTask, SolveTask};
use super::report::{Counting, SCHEMA, ValidationReport};
use crate::driver::{Outputs, StageOutcome, StageWork, WithReport, read_report, run};
use crate::error::{Error, ErrorKind};
use crate::model::{Asking, OnProgress, StageJob, count_replies};
use crate::pair::{Pair, Validation};
use crate::project::{Change, Input, Project, StageIdentity, StageRecord};
use crate::records::Rejected;
use crate::stage::{PAIRS, Stage, VALIDATE_REJECTED, VALIDATE_REPORT, VALIDATED};

/// What the stage is to do.
pub struct ValidatePlan<'a> {
    /// How pairs are judged.
    pub method: ValidationMethod,
    /// What becomes of a solution that is wrong.
    pub on_wrong: OnWrong,
    /// How the model is asked; with a temperature above 0 for self-consistency.
    pub asking: Asking<'a>,
    /// Replace what the project has of it.
    pub fresh: bool,
}

/// What came of it, with the figures.
pub type ValidateOutcome = StageOutcome<WithReport<ValidationReport>>;

/// Validates the pairs of a project, or continues where that was begun.
///
/// # Errors
/// There are no pairs; self-consistency without drawn tokens; the stage was run with something
/// else; a failing generator; items that could not be generated (the same call asks for these
/// again); an interruption; a file that cannot be read or written.
pub fn validate(
    project: &mut Project,
    plan: &ValidatePlan<'_>,
    generator: &mut dyn Generator,
    on_progress: OnProgress<'_>,
) -> Result<ValidateOutcome, Error> {
    let samples = matches!(plan.method, ValidationMethod::Consistency(_));
    if samples && plan.asking.decoding.sampling.is_none() {
        let message = "self-consistency needs solutions that differ: give a temperature above 0";
        return Err(Error::of(ErrorKind::Option(message.to_string())));
    }
    let input = project.input(Stage::Generate, PAIRS)?;
    let pairs: Vec<Pair> = JsonLines::read_all(&project.file(PAIRS))?;
    if pairs.is_empty() {
        return Err(Error::in_file(&project.file(PAIRS), ErrorKind::NoRecords));
    }
    let mut work = Validating {
        plan,
        input,
        pairs,
        generator,
        on_progress,
        tally: Tally::default(),
    };
    run(project, &mut work, plan.fresh)
}

struct Validating<'a> {
    plan: &'a ValidatePlan<'a>,
    input: Input,
    pairs: Vec<Pair>,
    generator: &'a mut dyn Generator,
    on_progress: OnProgress<'a>,
    /// The counts of all jobs.
    tally: Tally,
}

impl StageWork for Validating<'_> {
    type Details = WithReport<ValidationReport>;

    const STAGE: Stage = Stage::Validate;

    fn identity(&self) -> StageIdentity {
        let inputs = BTreeMap::from([("pairs".to_string(), self.input.clone())]);
        let options = [
            ("method", json!(self.plan.method)),
            ("on_wrong", json!(self.plan.on_wrong)),
        ];
        let (asking, info) = (&self.plan.asking, self.generator.info());
        asking.identity(inputs, options, &prompt::digest(), info)
    }

    /// What is done with wrong solutions changes no reply.
    fn change(&self, difference: &Difference) -> Change {
        match difference.field == "options.on_wrong" {
            true => Change::Reading,
            false => Change::Replies,
        }
    }

    fn write(&mut self, outputs: &mut Outputs<'_>) -> Result<Self::Details, Error> {
        let pairs = std::mem::take(&mut self.pairs);
        let judgements = self.judge(outputs.project, &pairs)?;
        let model = self.generator.info().name;
        let report = write_pairs(outputs, self.plan, pairs, judgements, &model)?;
        count_replies(outputs, self.tally);
        Ok(WithReport { report })
    }

    fn details(&self, project: &Project, _: &StageRecord) -> Result<Self::Details, Error> {
        let report = read_report(project, VALIDATE_REPORT, SCHEMA)?;
        Ok(WithReport { report })
    }
}

impl Validating<'_> {
    /// The judgement on every pair.
    fn judge(&mut self, project: &Project, pairs: &[Pair]) -> Result<Vec<PairJudgement>, Error> {
        let asking = &self.plan.asking;
        match self.plan.method {
            ValidationMethod::Reference => {
                let solving = SolveTask { asking, pairs };
                let mut solved = self.run_job(project, "validate-reference", &solving)?;
                // Only now: the items of this job are places among the references, which are final
                // as no item of the job before may have failed.
                let judging = JudgeTask::new(asking, pairs, &mut solved)?;
                let mut verdicts = self.run_job(project, "validate-judgement", &judging)?;
                judging.judgements(&mut verdicts)
            }
            ValidationMethod::Consistency(samples) => {
                let sampling = SampleTask {
                    asking,
                    pairs,
                    samples: samples.get() as usize,
                };
                let mut replies = self.run_job(project, "validate-samples", &sampling)?;
                sampling.judgements(&mut replies)
            }
        }
    }

    fn run_job(
        &mut self,
        project: &Project,
        name: &str,
        task: &dyn JobTask,
    ) -> Result<Replies, Error> {
        let asking = &self.plan.asking;
        let job = StageJob {
            stage: Stage::Validate,
            // Without the method, as each has jobs of its own names, and without what becomes of
            // wrong solutions, which changes no reply.
            name,
            binding: json!({
                "pairs": self.input.blake3,
                "wording": asking.prompt_digest(&prompt::digest()),
            }),
            allow_failed: false,
        };
        let replies = job.run(project, asking, task, self.generator, self.on_progress)?;
        let tally = replies.tally();
        self.tally.replies += tally.replies;
        self.tally.prompt_tokens += tally.prompt_tokens;
        self.tally.completion_tokens += tally.completion_tokens;
        Ok(replies)
    }
}

fn write_pairs(
    outputs: &mut Outputs<'_>,
    plan: &ValidatePlan<'_>,
    pairs: Vec<Pair>,
    judgements: Vec<PairJudgement>,
    model: &str,
) -> Result<ValidationReport, Error> {
    let mut counting = Counting::new(plan.method, plan.on_wrong);
    let (mut kept, mut rejected) = (Vec::with_capacity(pairs.len()), Vec::new());
    for (mut pair, judgement) in pairs.into_iter().zip(judgements) {
        counting.count(&pair, &judgement);
        let validation = match (judgement.right, plan.on_wrong, judgement.other) {
            (None, ..) => Validation::Unjudged,
            (Some(true), ..) => Validation::Confirmed,
            (Some(false), OnWrong::Drop, _) => {
                rejected.push(Rejected {
                    id: pair.id,
                    place: None,
                    reason: judgement.reason,
                });
                continue;
            }
            (Some(false), OnWrong::Replace, Some(other)) => {
                (pair.solution, pair.model) = (other, model.to_string());
                Validation::Replaced
            }
            (Some(false), ..) => Validation::Rejected,
        };
        pair.validation = Some(validation);
        kept.push(pair);
    }
    let report = counting.finish();
    outputs.write_lines(VALIDATED, &kept)?;
    outputs.write_lines(VALIDATE_REJECTED, &rejected)?;
    outputs.write_json(VALIDATE_REPORT, &report)?;
    let replaced = match plan.on_wrong {
        OnWrong::Replace => report.wrong,
        _ => 0,
    };
    for (name, count) in [
        ("pairs", report.pairs),
        ("confirmed", report.confirmed),
        ("wrong", report.wrong),
        ("unjudged", report.unjudged),
        ("replaced", replaced),
        ("dropped", rejected.len() as u64),
    ] {
        outputs.count(name, count);
    }
    Ok(report)
}
