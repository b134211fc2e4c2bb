//! The stage: a file → `seeds.jsonl`, `extractions.jsonl`, `concepts.json`,
//! `extract.set-aside.jsonl`.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use record_files::Place;
use serde::Serialize;
use serde_json::json;

use super::annotation::{self, Annotation};
use super::report::ConceptReport;
use super::settle::{Settling, settle};
use super::{Named, names};
use crate::error::{Error, ErrorKind};
use crate::project::{Begun, Identity, Input, Project, Stage, StageRecord};
use crate::records::SetAside;

const SEEDS: &str = "seeds.jsonl";
const EXTRACTIONS: &str = "extractions.jsonl";
const CONCEPTS: &str = "concepts.json";
const SET_ASIDE: &str = "extract.set-aside.jsonl";

/// What the stage is to do with a file of annotations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnnotationPlan {
    /// The file, in any form that `record-files` reads: records of TAL-SCQ5K, or with lists of
    /// `topics` and `knowledge_points`.
    pub file: PathBuf,
    /// How names are settled.
    pub settling: Settling,
    /// Replace what the project has of it.
    pub fresh: bool,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ExtractOutcome {
    /// Whether nothing had to be done.
    pub already_there: bool,
    /// What the project's manifest holds of it.
    pub record: StageRecord,
    /// The first items that could not be used, with their places and reasons.
    pub set_aside: Vec<SetAside>,
}

/// Takes the concepts that a file carries.
///
/// # Errors
/// A file that cannot be read, records that carry no concepts or are not what they should be, an id
/// twice, a file of which nothing can be used; a project in which the stage was run with something
/// else, or that cannot be written.
pub fn extract_from_annotations(
    project: &mut Project,
    plan: &AnnotationPlan,
) -> Result<ExtractOutcome, Error> {
    // Read before anything is replaced.
    let (seeds, set_aside) = read(&plan.file)?;
    let identity = Identity {
        inputs: BTreeMap::from([("annotations".to_string(), Input::of_file(&plan.file)?)]),
        options: options(plan.settling),
        ..Identity::default()
    };
    match project.begin(Stage::Extract, identity, plan.fresh)? {
        Begun::AlreadyThere(record) => Ok(outcome(true, *record, &set_aside)),
        Begun::New | Begun::Continued => {
            let record = write(project, (&seeds, &set_aside), plan.settling, &[])?;
            Ok(outcome(false, record, &set_aside))
        }
    }
}

/// The options that every way to extract has.
pub(crate) fn options(settling: Settling) -> BTreeMap<String, serde_json::Value> {
    BTreeMap::from([
        ("merge".to_string(), json!(settling.merge)),
        (
            "keep_singletons".to_string(),
            json!(settling.keep_singletons),
        ),
    ])
}

pub(crate) fn outcome(
    already_there: bool,
    record: StageRecord,
    set_aside: &[SetAside],
) -> ExtractOutcome {
    const SHOWN: usize = 5;
    ExtractOutcome {
        already_there,
        record,
        set_aside: set_aside.iter().take(SHOWN).cloned().collect(),
    }
}

/// Writes all files of the stage; `told` is what else the manifest should count.
pub(crate) fn write(
    project: &mut Project,
    (seeds, set_aside): (&[Named], &[SetAside]),
    settling: Settling,
    told: &[(&str, u64)],
) -> Result<StageRecord, Error> {
    let (extractions, report) = settle(seeds, settling);
    let with_question = seeds
        .iter()
        .map(|seed| &seed.seed)
        .filter(|seed| !seed.question.is_empty());
    let count = |name: &str, count: usize| (name.to_string(), count as u64);
    let mut counts = BTreeMap::from([
        count("seeds", seeds.len() + set_aside.len()),
        count(
            "seeds_without_question",
            seeds.len() - with_question.clone().count(),
        ),
        count("set_aside", set_aside.len()),
        count("topics", report.topics.kept),
        count("topics_found", report.topics.found),
        count("topic_singletons", report.topics.singletons),
        count("knowledge_points", report.knowledge_points.kept),
        count("knowledge_points_found", report.knowledge_points.found),
        count(
            "knowledge_point_singletons",
            report.knowledge_points.singletons,
        ),
        count(
            "merges",
            report.topics.merges.len() + report.knowledge_points.merges.len(),
        ),
    ]);
    counts.extend(told.iter().map(|&(name, count)| (name.to_string(), count)));
    let outputs = [
        (SEEDS, project.write_lines(SEEDS, with_question)?),
        (EXTRACTIONS, project.write_lines(EXTRACTIONS, &extractions)?),
        (CONCEPTS, project.write_json(CONCEPTS, &report)?),
        (SET_ASIDE, project.write_lines(SET_ASIDE, set_aside)?),
    ];
    let outputs = outputs
        .into_iter()
        .map(|(name, output)| (name.to_string(), output))
        .collect();
    project.finish(Stage::Extract, outputs, counts)
}

impl ConceptReport {
    /// The report of a project.
    ///
    /// # Errors
    /// The stage has not been run, or its file is damaged.
    pub fn of_project(project: &Project) -> Result<Self, Error> {
        project.input(Stage::Extract, CONCEPTS)?;
        let file = project.file(CONCEPTS);
        let bytes = std::fs::read(&file)
            .map_err(|source| Error::in_file(&file, ErrorKind::Unreadable(source)))?;
        let corrupt =
            |error: serde_json::Error| Error::in_file(&file, ErrorKind::Corrupt(error.to_string()));
        serde_json::from_slice(&bytes).map_err(corrupt)
    }
}

/// The seeds of a file, and its items that cannot be used.
fn read(file: &Path) -> Result<(Vec<Named>, Vec<SetAside>), Error> {
    let mut seeds = Vec::new();
    let mut set_aside = Vec::new();
    let mut places: HashMap<String, Place> = HashMap::new();
    let mut position = 0;
    for record in record_files::open(file)? {
        let record = record?;
        position += 1;
        let at = |kind| Error::at(file, record.place, kind);
        let read = annotation::read(&record.value, position).map_err(at)?;
        let id = match &read {
            Ok(annotation) => annotation.seed.id.clone(),
            Err(_) => position.to_string(),
        };
        match read.and_then(named) {
            Ok(named) => {
                if let Some(first) = places.insert(named.seed.id.clone(), record.place) {
                    return Err(at(ErrorKind::DuplicateId {
                        id: named.seed.id,
                        first: first.to_string(),
                    }));
                }
                seeds.push(named);
            }
            Err(reason) => set_aside.push(SetAside {
                id,
                place: Some(record.place.to_string()),
                reason,
            }),
        }
    }
    match (seeds.is_empty(), set_aside.first()) {
        (true, None) => Err(Error::in_file(file, ErrorKind::NoRecords)),
        (true, Some(first)) => {
            let first = format!(
                "{}: {}",
                first.place.as_deref().unwrap_or(&first.id),
                first.reason
            );
            Err(Error::in_file(
                file,
                ErrorKind::NothingUsable {
                    records: position,
                    first,
                },
            ))
        }
        (false, _) => Ok((seeds, set_aside)),
    }
}

fn named(annotation: Annotation) -> Result<Named, String> {
    let Annotation {
        seed,
        topics,
        knowledge_points,
    } = annotation;
    if topics.is_empty() && knowledge_points.is_empty() {
        return Err("it names no concept".to_string());
    }
    let topics = names(topics, "topic")?;
    Ok(Named {
        seed,
        topics,
        knowledge_points: names(knowledge_points, "knowledge point")?,
    })
}
