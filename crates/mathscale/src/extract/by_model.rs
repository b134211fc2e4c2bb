//! Concepts named by a model: a seed question a prompt, replies read and kept, malformed ones asked
//! again and at last rejected.

use std::collections::BTreeMap;

use generation::Generator;
use jobs::{JobTask, Replies, UnreadableReply};
use serde_json::json;
use store::{Difference, FileError};

use super::prompt::{ReplyForm, instruction, wording_digest};
use super::report::MergeOptions;
use super::stage::{ExtractOutcome, merge_options, write_concepts};
use super::{SeedConcepts, reply};
use crate::driver::{Outputs, Rejections, StageWork, run};
use crate::error::{Error, ErrorKind};
use crate::fault_kind::FaultKind;
use crate::model::{Asking, JobCounts, OnProgress, StageJob, reply_text};
use crate::project::{Change, Input, Project, StageIdentity, StageRecord};
use crate::records::{Rejected, Seed};
use crate::stage::{EXTRACT_REJECTED, Stage};

/// What the stage is to do with seeds and a model.
pub struct ModelPlan<'a> {
    /// The seeds, each with a question.
    pub seeds: Vec<Seed>,
    /// Where they come from.
    pub source: Input,
    /// How the model is asked.
    pub asking: Asking<'a>,
    /// The form that the model is asked to reply in.
    pub form: ReplyForm,
    /// How names are merged.
    pub merge: MergeOptions,
    /// Replace what the project has of it. The replies of a model stay where only the merging
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
    on_progress: OnProgress<'_>,
) -> Result<ExtractOutcome, Error> {
    if plan.seeds.is_empty() {
        let file = plan.source.file.as_ref();
        return Err(Error::in_file(file, ErrorKind::NoRecords));
    }
    let mut work = Extracting {
        plan,
        generator,
        on_progress,
    };
    run(project, &mut work, plan.fresh)
}

struct Extracting<'a> {
    plan: &'a ModelPlan<'a>,
    generator: &'a mut dyn Generator,
    on_progress: OnProgress<'a>,
}

impl StageWork for Extracting<'_> {
    type Details = Rejections;

    const STAGE: Stage = Stage::Extract;

    fn identity(&self) -> StageIdentity {
        self.plan.asking.identity(
            BTreeMap::from([("seeds".to_string(), self.plan.source.clone())]),
            merge_options(self.plan.merge),
            &wording_digest(self.plan.form),
            self.generator.info(),
        )
    }

    fn change(&self, difference: &Difference) -> Change {
        match difference.field.as_str() {
            "options.merge" | "options.keep_singletons" => Change::Reading,
            _ => Change::Replies,
        }
    }

    fn write(&mut self, outputs: &mut Outputs<'_>) -> Result<Rejections, Error> {
        let plan = self.plan;
        let job = StageJob {
            stage: Stage::Extract,
            // Without the options of merging: these read the same replies in another way.
            name: "extract",
            binding: json!({
                "seeds": plan.source.blake3,
                "rendering": plan.asking.rendering,
                "wording": wording_digest(plan.form),
            }),
            allow_failed: false,
        };
        let mut replies = job.run(
            outputs.project,
            &plan.asking,
            &Questions { plan },
            self.generator,
            self.on_progress,
        )?;
        let (seeds, rejected) = collect(&plan.seeds, &mut replies)?;
        if seeds.is_empty() {
            let first = rejected.first();
            let first = first.map(|first| format!("{}: {}", first.id, first.reason));
            let kind = ErrorKind::NothingUsable {
                records: plan.seeds.len(),
                first: first.unwrap_or_default(),
            };
            return Err(Error::in_file(replies.file(), kind));
        }
        JobCounts::of(&replies).record(outputs);
        if schema_was_refused(self.generator) {
            outputs.count(SCHEMA_REFUSED, 1);
        }
        write_concepts(outputs, &seeds, &rejected, plan.merge)
    }

    fn details(&self, project: &Project, _: &StageRecord) -> Result<Rejections, Error> {
        Rejections::read(project, EXTRACT_REJECTED)
    }
}

/// The count that says that a server was sent the schema of replies and did not accept it.
pub(crate) const SCHEMA_REFUSED: &str = "schema_refused";

/// Whether a server refused to hold the model to a form of replies.
fn schema_was_refused(generator: &dyn Generator) -> bool {
    let report = generator.serving_report();
    report.is_some_and(|report| {
        let mut fields = report.fields_refused.iter();
        fields.any(|field| field == "response_format")
    })
}

struct Questions<'a> {
    plan: &'a ModelPlan<'a>,
}

impl JobTask for Questions<'_> {
    fn items(&self) -> usize {
        self.plan.seeds.len()
    }

    fn id(&self, item: usize) -> String {
        self.plan.seeds[item].id.clone()
    }

    fn prompt(&self, item: usize, refusal: Option<&UnreadableReply>) -> Result<String, FileError> {
        let question = &self.plan.seeds[item].question;
        let form = self.plan.form;
        Ok((self.plan.asking.render)(&instruction(
            question, form, refusal,
        )))
    }

    fn judge(&self, _: usize, text: &str) -> Result<(), String> {
        reply::parse(text).map(|_| ())
    }

    fn kind(&self, fault: &str) -> &'static str {
        FaultKind::of(fault).name()
    }
}

fn collect(
    seeds: &[Seed],
    replies: &mut Replies,
) -> Result<(Vec<SeedConcepts>, Vec<Rejected>), Error> {
    let mut found = Vec::new();
    let mut rejected = Vec::new();
    for (item, seed) in seeds.iter().enumerate() {
        let reply = reply_text(replies.outcome(item)?);
        match reply.and_then(|text| reply::parse(&text)) {
            Ok((topics, knowledge_points)) => found.push(SeedConcepts {
                seed: seed.clone(),
                topics,
                knowledge_points,
            }),
            Err(reason) => rejected.push(Rejected {
                id: seed.id.clone(),
                place: None,
                reason,
            }),
        }
    }
    Ok((found, rejected))
}
