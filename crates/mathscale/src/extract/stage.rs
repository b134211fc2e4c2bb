//! The stage with a file of annotations, and what both ways to extract write: `seeds.jsonl`,
//! `extractions.jsonl`, `concepts.json`, `extract.set-aside.jsonl`.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use record_files::Place;
use serde_json::{Value, json};

use super::merge::merge_names;
use super::report::{ConceptReport, MergeOptions, SCHEMA};
use super::{SeedConcepts, annotation};
use crate::driver::{Outputs, Rejections, StageOutcome, StageWork, read_report, run};
use crate::error::{Error, ErrorKind};
use crate::project::{Input, Project, StageIdentity, StageRecord};
use crate::records::Rejected;
use crate::stage::{CONCEPTS, EXTRACT_REJECTED, EXTRACTIONS, SEEDS, Stage};

/// What the stage is to do with a file of annotations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnnotationPlan {
    /// The file, in any form that `record-files` reads: records of TAL-SCQ5K, or with lists of
    /// `topics` and `knowledge_points`.
    pub file: PathBuf,
    /// How names are merged.
    pub merge: MergeOptions,
    /// Replace what the project has of it.
    pub fresh: bool,
}

/// What came of it, with the first seeds that could not be used.
pub type ExtractOutcome = StageOutcome<Rejections>;

/// Reads the concepts that a file carries.
///
/// # Errors
/// A file that cannot be read, records that carry no concepts or are not what they should be, an id
/// twice, a file of which nothing can be used; a project in which the stage was run with something
/// else, or that cannot be written.
pub fn extract_from_annotations(
    project: &mut Project,
    plan: &AnnotationPlan,
) -> Result<ExtractOutcome, Error> {
    let (seeds, rejected) = read(&plan.file)?;
    let mut work = Annotations {
        input: Input::of_file(&plan.file)?,
        seeds,
        rejected,
        merge: plan.merge,
    };
    run(project, &mut work, plan.fresh)
}

struct Annotations {
    input: Input,
    seeds: Vec<SeedConcepts>,
    rejected: Vec<Rejected>,
    merge: MergeOptions,
}

impl StageWork for Annotations {
    type Details = Rejections;

    const STAGE: Stage = Stage::Extract;

    fn identity(&self) -> StageIdentity {
        let options = merge_options(self.merge);
        StageIdentity {
            inputs: BTreeMap::from([("annotations".to_string(), self.input.clone())]),
            options: options
                .map(|(name, value)| (name.to_string(), value))
                .into(),
            ..StageIdentity::default()
        }
    }

    fn write(&mut self, outputs: &mut Outputs<'_>) -> Result<Rejections, Error> {
        write_concepts(outputs, &self.seeds, &self.rejected, self.merge)
    }

    fn details(&self, _: &Project, _: &StageRecord) -> Result<Rejections, Error> {
        Ok(Rejections::of(&self.rejected))
    }
}

/// The options that every way to extract has.
pub(crate) fn merge_options(merge: MergeOptions) -> [(&'static str, Value); 2] {
    [
        ("merge", json!(merge.merge)),
        ("keep_singletons", json!(merge.keep_singletons)),
    ]
}

/// Writes all files of the stage.
pub(crate) fn write_concepts(
    outputs: &mut Outputs<'_>,
    seeds: &[SeedConcepts],
    rejected: &[Rejected],
    merge: MergeOptions,
) -> Result<Rejections, Error> {
    let (extractions, report) = merge_names(seeds, merge);
    let with_question = seeds.iter().map(|seed| &seed.seed);
    let with_question = with_question.filter(|seed| !seed.question.is_empty());
    let without_question = seeds.len() - with_question.clone().count();
    let ConceptReport {
        topics,
        knowledge_points,
        ..
    } = &report;
    for (name, count) in [
        ("seeds", seeds.len() + rejected.len()),
        ("seeds_without_question", without_question),
        ("set_aside", rejected.len()),
        ("topics", topics.kept),
        ("topics_found", topics.found),
        ("topic_singletons", topics.singletons),
        ("knowledge_points", knowledge_points.kept),
        ("knowledge_points_found", knowledge_points.found),
        ("knowledge_point_singletons", knowledge_points.singletons),
        (
            "merges",
            topics.merges.len() + knowledge_points.merges.len(),
        ),
    ] {
        outputs.count(name, count as u64);
    }
    outputs.write_lines(SEEDS, with_question)?;
    outputs.write_lines(EXTRACTIONS, &extractions)?;
    outputs.write_json(CONCEPTS, &report)?;
    outputs.write_lines(EXTRACT_REJECTED, rejected)?;
    Ok(Rejections::of(rejected))
}

impl ConceptReport {
    /// The report of a project.
    ///
    /// # Errors
    /// The stage has not been run, or its file is damaged.
    pub fn of_project(project: &Project) -> Result<Self, Error> {
        project.input(Stage::Extract, CONCEPTS)?;
        read_report(project, CONCEPTS, SCHEMA)
    }
}

/// The seeds of a file, and its records that cannot be used.
fn read(file: &Path) -> Result<(Vec<SeedConcepts>, Vec<Rejected>), Error> {
    let mut seeds: Vec<SeedConcepts> = Vec::new();
    let mut rejected = Vec::new();
    let mut places: HashMap<String, Place> = HashMap::new();
    for (record, position) in record_files::open(file)?.zip(1..) {
        let record = record?;
        let at = |kind| Error::at(file, record.place, kind);
        match annotation::read(&record.value, position).map_err(at)? {
            Ok(seed) => {
                let id = seed.seed.id.clone();
                if let Some(first) = places.insert(id.clone(), record.place) {
                    let first = first.to_string();
                    return Err(at(ErrorKind::DuplicateId { id, first }));
                }
                seeds.push(seed);
            }
            Err((id, reason)) => rejected.push(Rejected {
                id,
                place: Some(record.place.to_string()),
                reason,
            }),
        }
    }
    if !seeds.is_empty() {
        return Ok((seeds, rejected));
    }
    let kind = match rejected.first() {
        None => ErrorKind::NoRecords,
        Some(Rejected {
            id, place, reason, ..
        }) => ErrorKind::NothingUsable {
            records: rejected.len(),
            first: format!("{}: {reason}", place.as_deref().unwrap_or(id)),
        },
    };
    Err(Error::in_file(file, kind))
}
