//! The stage: `pairs.jsonl` → `validated.jsonl`, `validate.set-aside.jsonl`, `validate.json`.

use std::collections::BTreeMap;

use generation::Generator;
use jobs::{JobTask, Replies};
use rayon::prelude::*;
use serde_json::json;
use store::{Difference, FileError};

use super::consistency::SampleTask;
use super::judgement::{Evidence, OnWrong, PairJudgement, ValidationMethod};
use super::pairs::PairFile;
use super::prompt;
use super::reference::{JudgeTask, SolveTask};
use super::report::{Counting, SCHEMA, ValidationReport};
use crate::driver::{Outputs, StageOutcome, StageWork, WithReport, read_report, run};
use crate::error::{Error, ErrorKind};
use crate::model::{Asking, JobCounts, OnProgress, StageJob};
use crate::pair::{Pair, Validation};
use crate::project::{Change, Input, Project, StageIdentity, StageRecord};
use crate::records::Rejected;
use crate::stage::{PAIRS, Stage, VALIDATE_REJECTED, VALIDATE_REPORT, VALIDATED};

/// Pairs that are judged and written at a time, on all cores.
const BATCH: usize = 1024;

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
    let pairs = PairFile::open(&project.file(PAIRS))?;
    if pairs.len() == 0 {
        return Err(Error::in_file(&project.file(PAIRS), ErrorKind::NoRecords));
    }
    let mut work = Validating {
        plan,
        input,
        pairs: &pairs,
        generator,
        on_progress,
        counts: JobCounts::default(),
    };
    run(project, &mut work, plan.fresh)
}

struct Validating<'a> {
    plan: &'a ValidatePlan<'a>,
    input: Input,
    pairs: &'a PairFile,
    generator: &'a mut dyn Generator,
    on_progress: OnProgress<'a>,
    /// The counts of all jobs.
    counts: JobCounts,
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
        let mut said = self.ask(outputs.project)?;
        let model = self.generator.info().name;
        let report = write_pairs(outputs, self.plan, self.pairs, &mut said, &model)?;
        self.counts.record(outputs);
        Ok(WithReport { report })
    }

    fn details(&self, project: &Project, _: &StageRecord) -> Result<Self::Details, Error> {
        let report = read_report(project, VALIDATE_REPORT, SCHEMA)?;
        Ok(WithReport { report })
    }
}

/// What was said about all pairs.
enum Said<'a> {
    References(Box<JudgeTask<'a>>, Replies),
    Samples(SampleTask<'a>, Replies),
}

impl Said<'_> {
    /// About one of them.
    fn evidence(&mut self, place: usize) -> Result<Evidence, FileError> {
        match self {
            Self::References(judging, verdicts) => judging.evidence(verdicts, place),
            Self::Samples(sampling, replies) => sampling.evidence(replies, place),
        }
    }
}

impl<'a> Validating<'a> {
    /// Has the model say something about every pair.
    fn ask(&mut self, project: &Project) -> Result<Said<'a>, Error> {
        let (asking, pairs) = (&self.plan.asking, self.pairs);
        match self.plan.method {
            ValidationMethod::Reference => {
                let solving = SolveTask { asking, pairs };
                let solved = self.run_job(project, "validate-reference", &solving)?;
                // Only now: the items of this job are places among the references, which are final
                // as no item of the job before may have failed.
                let judging = Box::new(JudgeTask::new(asking, pairs, solved));
                let verdicts = self.run_job(project, "validate-judgement", &*judging)?;
                Ok(Said::References(judging, verdicts))
            }
            ValidationMethod::Consistency(samples) => {
                let sampling = SampleTask {
                    asking,
                    pairs,
                    samples: samples.get() as usize,
                };
                let replies = self.run_job(project, "validate-samples", &sampling)?;
                Ok(Said::Samples(sampling, replies))
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
        self.counts.add(&replies);
        Ok(replies)
    }
}

fn write_pairs(
    outputs: &mut Outputs<'_>,
    plan: &ValidatePlan<'_>,
    pairs: &PairFile,
    said: &mut Said<'_>,
    model: &str,
) -> Result<ValidationReport, Error> {
    let mut counting = Counting::new(plan.method, plan.on_wrong);
    let mut kept = outputs.create(VALIDATED)?;
    let mut rejected = outputs.create(VALIDATE_REJECTED)?;
    let mut dropped = 0;
    for start in (0..pairs.len()).step_by(BATCH) {
        let places = start..pairs.len().min(start + BATCH);
        let batch: Vec<(Pair, Evidence)> = places
            .map(|place| Ok((pairs.get(place)?, said.evidence(place)?)))
            .collect::<Result<_, FileError>>()?;
        let judge = |(pair, evidence): (Pair, Evidence)| {
            let judgement = evidence.judge(&pair);
            (pair, judgement)
        };
        let judged: Vec<(Pair, PairJudgement)> = batch.into_par_iter().map(judge).collect();
        for (pair, judgement) in judged {
            counting.count(&pair, &judgement);
            match settled(pair, judgement, plan.on_wrong, model) {
                Ok(pair) => kept.push(&pair)?,
                Err(reason) => {
                    rejected.push(&reason)?;
                    dropped += 1;
                }
            }
        }
    }
    outputs.commit(kept)?;
    outputs.commit(rejected)?;
    let report = counting.finish();
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
        ("dropped", dropped),
    ] {
        outputs.count(name, count);
    }
    Ok(report)
}

/// What becomes of a pair that was judged.
///
/// # Errors
/// It is dropped.
fn settled(
    mut pair: Pair,
    judgement: PairJudgement,
    on_wrong: OnWrong,
    model: &str,
) -> Result<Pair, Rejected> {
    pair.validation = Some(match (judgement.right, on_wrong, judgement.other) {
        (None, ..) => Validation::Unjudged,
        (Some(true), ..) => Validation::Confirmed,
        (Some(false), OnWrong::Drop, _) => {
            return Err(Rejected {
                id: pair.id,
                place: None,
                reason: judgement.reason,
            });
        }
        (Some(false), OnWrong::Replace, Some(other)) => {
            (pair.solution, pair.model) = (other, model.to_string());
            Validation::Replaced
        }
        (Some(false), ..) => Validation::Rejected,
    });
    Ok(pair)
}
