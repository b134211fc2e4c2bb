//! Concepts named by a model: a question a prompt, replies read and kept, malformed ones asked
//! again and at last set aside.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::ops::ControlFlow;

use generation::{Decoding, Generator};
use jobs::{ItemOutcome, Job, Progress, Replies, Task, UnreadableReply};
use serde_json::{Value, json};

use super::prompt::{instruction, wording_digest};
use super::settle::Settling;
use super::stage::{ExtractOutcome, options, outcome, write};
use super::{Named, reply};
use crate::error::{Error, ErrorKind};
use crate::project::{Begun, Identity, Input, Project, Stage};
use crate::records::{Seed, SetAside};

/// Name of the work's files in the project.
const JOB: &str = "extract";

/// What the stage is to do with seeds and a model.
pub struct ModelPlan<'a> {
    /// The seeds, each with a question.
    pub seeds: Vec<Seed>,
    /// Where they come from.
    pub source: Input,
    /// How tokens are chosen. Each attempt at a seed is a sample of its own.
    pub decoding: Decoding,
    /// Most replies asked for a seed.
    pub attempts: NonZeroU32,
    /// Instruction → what the model reads.
    pub render: &'a dyn Fn(&str) -> String,
    /// What identifies `render`, such as a digest of its template.
    pub rendering: String,
    /// How names are settled.
    pub settling: Settling,
    /// Replace what the project has of it. The replies of a model stay where only the settling
    /// differs.
    pub fresh: bool,
}

/// Asks a model for the concepts of each seed, or continues where that was begun.
///
/// # Errors
/// No seed; a project in which the stage was run with something else, or that cannot be written; a
/// failing generator, an interruption. What was finished stays in the project, and the same call
/// continues.
pub fn extract_by_model(
    project: &mut Project,
    plan: &ModelPlan<'_>,
    generator: &mut dyn Generator,
    on_progress: &mut dyn FnMut(&Progress) -> ControlFlow<()>,
) -> Result<ExtractOutcome, Error> {
    if plan.seeds.is_empty() {
        return Err(Error::in_file(
            plan.source.file.as_ref(),
            ErrorKind::NoRecords,
        ));
    }
    let mut identity = Identity {
        inputs: BTreeMap::from([("seeds".to_string(), plan.source.clone())]),
        options: options(plan.settling),
        prompt: Some(
            blake3::hash(format!("{}{}", wording_digest(), plan.rendering).as_bytes())
                .to_hex()
                .to_string(),
        ),
        generator: Some(generator.info()),
    };
    identity
        .options
        .insert("attempts".to_string(), json!(plan.attempts));
    identity.options.insert(
        "decoding".to_string(),
        serde_json::to_value(&plan.decoding).unwrap_or(Value::Null),
    );
    let begun = match project.begin_keeping(Stage::Extract, identity, plan.fresh, is_of_settling)? {
        Begun::AlreadyThere(record) => return Ok(outcome(true, *record, &[])),
        Begun::New | Begun::Continued => Job {
            folder: project.folder(),
            name: JOB,
            binding: json!({ "seeds": plan.source.blake3, "rendering": plan.rendering, "wording": wording_digest() }),
            decoding: plan.decoding.clone(),
            attempts: plan.attempts,
        },
    };
    let questions = Questions {
        seeds: &plan.seeds,
        render: plan.render,
    };
    let mut replies = begun.run(&questions, generator, on_progress)?;
    if let Some((&item, reason)) = replies.failed().first_key_value() {
        let (failed, total) = (replies.failed().len(), replies.len());
        let (id, reason) = (questions.id(item), reason.clone());
        return Err(Error::in_file(
            project.folder(),
            ErrorKind::Failed {
                stage: Stage::Extract,
                failed,
                total,
                id,
                reason,
            },
        ));
    }
    let (named, set_aside) = collect(&plan.seeds, &mut replies)?;
    if named.is_empty() {
        let first = set_aside.first().map_or(String::new(), |first| {
            format!("{}: {}", first.id, first.reason)
        });
        let kind = ErrorKind::NothingUsable {
            records: plan.seeds.len(),
            first,
        };
        return Err(Error::in_file(replies.file(), kind));
    }
    let tally = replies.tally();
    let told = [
        ("replies", tally.replies as u64),
        ("prompt_tokens", tally.prompt_tokens),
        ("completion_tokens", tally.completion_tokens),
    ];
    let record = write(project, (&named, &set_aside), plan.settling, &told)?;
    Ok(outcome(false, record, &set_aside))
}

/// The options that leave the replies as they are.
fn is_of_settling(field: &str) -> bool {
    matches!(field, "options.merge" | "options.keep_singletons")
}

struct Questions<'a> {
    seeds: &'a [Seed],
    render: &'a dyn Fn(&str) -> String,
}

impl Task for Questions<'_> {
    fn items(&self) -> usize {
        self.seeds.len()
    }

    fn id(&self, item: usize) -> String {
        self.seeds[item].id.clone()
    }

    fn prompt(&self, item: usize, refusal: Option<&UnreadableReply>) -> String {
        (self.render)(&instruction(&self.seeds[item].question, refusal))
    }

    fn judge(&self, _: usize, text: &str) -> Result<(), String> {
        reply::read(text).map(|_| ())
    }
}

fn collect(seeds: &[Seed], replies: &mut Replies) -> Result<(Vec<Named>, Vec<SetAside>), Error> {
    let mut named = Vec::new();
    let mut set_aside = Vec::new();
    for (item, seed) in seeds.iter().enumerate() {
        let read = match replies.outcome(item)? {
            ItemOutcome::Answered(told) => reply::read(&told.text),
            ItemOutcome::SetAside(told) => Err(told
                .fault
                .unwrap_or_else(|| "the reply cannot be read".to_string())),
            ItemOutcome::Open(reason) => {
                Err(reason.unwrap_or_else(|| "it was never asked".to_string()))
            }
        };
        match read {
            Ok((topics, knowledge_points)) => named.push(Named {
                seed: seed.clone(),
                topics,
                knowledge_points,
            }),
            Err(reason) => set_aside.push(SetAside {
                id: seed.id.clone(),
                place: None,
                reason,
            }),
        }
    }
    Ok((named, set_aside))
}
