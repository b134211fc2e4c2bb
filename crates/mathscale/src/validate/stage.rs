//! The stage: `pairs.jsonl` → `validated.jsonl`, `validate.set-aside.jsonl`, `validate.json`.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::ops::ControlFlow;

use generation::{Decoding, Generator};
use jobs::{Job, Progress, Replies, Tally, Task};
use scoring::strict::{Answer, Profile};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::consistency::Sampling;
use super::prompt;
use super::reference::{Judging, Solving};
use super::report::{Counting, ValidationReport};
use crate::error::{Error, ErrorKind};
use crate::generate::{decoding_options, no_failures, tally_counts};
use crate::pair::{PAIRS, Pair, VALIDATED, Validation};
use crate::project::{Begun, Identity, Project, Stage, StageRecord};
use crate::records::{SetAside, read_lines};

const SET_ASIDE: &str = "validate.set-aside.jsonl";
const REPORT: &str = "validate.json";

/// How pairs are judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ValidationMethod {
    /// A reference solution of the generator, then its judgement on the pair's solution.
    Reference,
    /// So many solutions of the generator, and the answer that most of them reach.
    Consistency(NonZeroU32),
}

/// What becomes of a solution that is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnWrong {
    /// The generator's own takes its place.
    Replace,
    /// The pair is set aside.
    Drop,
    /// It stays and is marked.
    Keep,
}

/// What the stage is to do.
pub struct ValidatePlan<'a> {
    /// How pairs are judged.
    pub method: ValidationMethod,
    /// What becomes of a solution that is wrong.
    pub on_wrong: OnWrong,
    /// How tokens are chosen: drawn, for self-consistency.
    pub decoding: Decoding,
    /// Most replies asked for an item.
    pub attempts: NonZeroU32,
    /// Instruction → what the model reads.
    pub render: &'a dyn Fn(&str) -> String,
    /// What identifies `render`, such as a digest of its template.
    pub rendering: String,
    /// Replace what the project has of it.
    pub fresh: bool,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ValidateOutcome {
    /// Whether nothing had to be done.
    pub already_there: bool,
    /// What the project's manifest holds of it.
    pub record: StageRecord,
    /// The figures.
    pub report: ValidationReport,
}

/// What was found out about a pair.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Judged {
    /// Whether its solution is right; `None` where that is not known.
    pub(crate) right: Option<bool>,
    /// 1 or 0 by the judge, or the share of the samples that reach its answer.
    pub(crate) agreement: f64,
    /// Whether the strict scorer finds the final answers equal.
    pub(crate) scorer: Option<bool>,
    /// What speaks against it, or why nothing is known.
    pub(crate) why: String,
    /// A solution that could take its place.
    pub(crate) other: Option<String>,
}

impl Judged {
    pub(crate) fn nothing(why: &str) -> Self {
        Self {
            right: None,
            agreement: 0.0,
            scorer: None,
            why: why.to_string(),
            other: None,
        }
    }
}

/// Whether a pair's solution comes to the final answer of another one.
pub(crate) fn same_answer(pair: &Pair, other: &str) -> bool {
    let profile = Profile::standard();
    let compare = |answer: String| {
        profile
            .judge(
                Answer::Completion(&pair.solution),
                &answer,
                Some(&pair.question),
            )
            .correct
    };
    profile
        .final_answer(other)
        .is_some_and(|answer| compare(answer.text))
}

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
    on_progress: &mut dyn FnMut(&Progress) -> ControlFlow<()>,
) -> Result<ValidateOutcome, Error> {
    if matches!(plan.method, ValidationMethod::Consistency(_)) && plan.decoding.sampling.is_none() {
        let message = "self-consistency needs solutions that differ: give a temperature above 0";
        return Err(Error::of(ErrorKind::Option(message.to_string())));
    }
    let input = project.input(Stage::Generate, PAIRS)?;
    let pairs: Vec<Pair> = read_lines(&project.file(PAIRS))?.collect::<Result<_, _>>()?;
    if pairs.is_empty() {
        return Err(Error::in_file(&project.file(PAIRS), ErrorKind::NoRecords));
    }
    let info = generator.info();
    let wording = blake3::hash(format!("{}{}", prompt::digest(), plan.rendering).as_bytes())
        .to_hex()
        .to_string();
    let mut options = decoding_options(&plan.decoding, plan.attempts);
    options.insert("method".to_string(), json!(plan.method));
    options.insert("on_wrong".to_string(), json!(plan.on_wrong));
    let binding = json!({ "pairs": input.blake3, "wording": wording });
    let inputs = BTreeMap::from([("pairs".to_string(), input)]);
    let identity = Identity {
        inputs,
        options,
        prompt: Some(wording),
        generator: Some(info.clone()),
    };
    // What is done with wrong solutions changes no reply.
    let begun = project.begin_keeping(Stage::Validate, identity, plan.fresh, |field| {
        field == "options.on_wrong"
    })?;
    if let Begun::AlreadyThere(record) = begun {
        return Ok(ValidateOutcome {
            already_there: true,
            record: *record,
            report: read_report(project)?,
        });
    }
    let mut asking = Asking {
        project,
        plan,
        binding,
        generator,
        on_progress,
        tally: Tally::default(),
    };
    let judged = match plan.method {
        ValidationMethod::Reference => {
            let mut solved = asking.run(
                "validate-reference",
                &Solving {
                    plan,
                    pairs: &pairs,
                },
            )?;
            let judging = Judging::new(plan, &pairs, &mut solved)?;
            let mut verdicts = asking.run("validate-judgement", &judging)?;
            judging.judged(&mut verdicts)?
        }
        ValidationMethod::Consistency(samples) => {
            let sampling = Sampling {
                plan,
                pairs: &pairs,
                samples: samples.get() as usize,
            };
            let mut replies = asking.run("validate-samples", &sampling)?;
            sampling.judged(&mut replies)?
        }
    };
    let tally = asking.tally;
    let (record, report) = write(project, plan, pairs, judged, &info.name, tally)?;
    Ok(ValidateOutcome {
        already_there: false,
        record,
        report,
    })
}

fn read_report(project: &Project) -> Result<ValidationReport, Error> {
    let file = project.file(REPORT);
    let text = std::fs::read(&file)
        .map_err(|source| Error::in_file(&file, ErrorKind::Unreadable(source)))?;
    serde_json::from_slice(&text).map_err(|error| {
        Error::in_file(
            &file,
            ErrorKind::Corrupt(format!("not a report of the stage: {error}")),
        )
    })
}

/// The jobs of the stage, one after the other.
struct Asking<'a> {
    project: &'a Project,
    plan: &'a ValidatePlan<'a>,
    binding: Value,
    generator: &'a mut dyn Generator,
    on_progress: &'a mut dyn FnMut(&Progress) -> ControlFlow<()>,
    tally: Tally,
}

impl Asking<'_> {
    fn run(&mut self, name: &str, task: &dyn Task) -> Result<Replies, Error> {
        let job = Job {
            folder: self.project.folder(),
            name,
            binding: self.binding.clone(),
            decoding: self.plan.decoding.clone(),
            attempts: self.plan.attempts,
        };
        let replies = job.run(task, self.generator, self.on_progress)?;
        no_failures(Stage::Validate, &replies, |item| task.id(item))?;
        let Tally {
            replies: count,
            prompt_tokens,
            completion_tokens,
            ..
        } = replies.tally();
        self.tally.replies += count;
        self.tally.prompt_tokens += prompt_tokens;
        self.tally.completion_tokens += completion_tokens;
        Ok(replies)
    }
}

fn write(
    project: &mut Project,
    plan: &ValidatePlan<'_>,
    pairs: Vec<Pair>,
    judged: Vec<Judged>,
    model: &str,
    tally: Tally,
) -> Result<(StageRecord, ValidationReport), Error> {
    let mut counting = Counting::new(plan.method, plan.on_wrong);
    let (mut kept, mut aside) = (Vec::with_capacity(pairs.len()), Vec::new());
    for (mut pair, judged) in pairs.into_iter().zip(judged) {
        counting.count(&pair, &judged);
        let validation = match (judged.right, plan.on_wrong, judged.other) {
            (None, ..) => Validation::Unjudged,
            (Some(true), ..) => Validation::Confirmed,
            (Some(false), OnWrong::Drop, _) => {
                aside.push(SetAside {
                    id: pair.id,
                    place: None,
                    reason: judged.why,
                });
                continue;
            }
            (Some(false), OnWrong::Replace, Some(other)) => {
                (pair.solution, pair.model) = (other, model.to_string());
                Validation::Replaced
            }
            (Some(false), ..) => Validation::Rejected,
        };
        kept.push(Pair {
            validation: Some(validation),
            ..pair
        });
    }
    let report = counting.finish();
    let outputs = [
        (VALIDATED, project.write_lines(VALIDATED, &kept)?),
        (SET_ASIDE, project.write_lines(SET_ASIDE, &aside)?),
        (REPORT, project.write_json(REPORT, &report)?),
    ];
    let outputs = outputs
        .into_iter()
        .map(|(name, output)| (name.to_string(), output))
        .collect();
    let mut counts = tally_counts(tally);
    let replaced = if plan.on_wrong == OnWrong::Replace {
        report.wrong
    } else {
        0
    };
    let told = [
        ("pairs", report.pairs),
        ("confirmed", report.confirmed),
        ("wrong", report.wrong),
        ("unjudged", report.unjudged),
        ("replaced", replaced),
        ("dropped", aside.len() as u64),
    ];
    counts.extend(told.map(|(name, count)| (name.to_string(), count)));
    Ok((project.finish(Stage::Validate, outputs, counts)?, report))
}
