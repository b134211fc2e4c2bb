//! The stage: pairs in, pairs kept and pairs removed out.

use std::collections::BTreeMap;
use std::io::Write;
use std::ops::ControlFlow;

use overlap::{Distinct, Fingerprint, Index, Original};
use rayon::prelude::*;
use serde::Serialize;
use serde_json::{Value, json};

use super::report::{RemovalReason, Removed, SCHEMA, ScreenReport, TestItems, contamination};
use super::rules::ScreenRules;
use crate::error::{Error, ErrorKind};
use crate::pair::{Pair, PairSource, read_pairs};
use crate::project::{Begun, Identity, Output, Project, Stage, StageRecord, WholeFile};
use crate::records::{Seed, read_lines};

const SCREENED: &str = "screened.jsonl";
const REMOVED: &str = "screen.removed.jsonl";
const REPORT: &str = "screen.json";
const SEEDS: &str = "seeds.jsonl";

/// Pairs that are looked at together, on all cores.
const BATCH: usize = 4096;

/// What the stage is to do.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ScreenPlan {
    /// Where the pairs come from.
    pub pairs: PairSource,
    /// What removes a pair.
    pub rules: ScreenRules,
    /// Replace what the project has of it.
    pub fresh: bool,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ScreenOutcome {
    /// Whether nothing had to be done.
    pub already_there: bool,
    /// What the project's manifest holds of it.
    pub record: StageRecord,
    /// What was found.
    pub report: ScreenReport,
}

/// Screens the pairs of a project. `tests` holds the test items that must not be trained on;
/// `on_progress` is told how many pairs have been read.
///
/// # Errors
/// There are no pairs, or the stage was run with others or with other rules; a threshold out of its
/// range; a file that cannot be read or written; an interruption, which keeps nothing.
pub fn screen(
    project: &mut Project,
    plan: &ScreenPlan,
    tests: Option<&Index>,
    on_progress: &mut dyn FnMut(u64) -> ControlFlow<()>,
) -> Result<ScreenOutcome, Error> {
    let pairs = plan.pairs.input(project)?;
    let mut inputs = BTreeMap::from([("pairs".to_string(), pairs.clone())]);
    let seeds = plan.rules.seeds && project.manifest().stages.contains_key(&Stage::Extract);
    if seeds {
        inputs.insert("seeds".to_string(), project.input(Stage::Extract, SEEDS)?);
    }
    let near = plan.rules.near.unwrap_or(1.0);
    let distinct =
        Distinct::new(near).map_err(|error| Error::of(ErrorKind::Overlap(Box::new(error))))?;
    let tests_found = tests.map(TestItems::of);
    let identity = Identity {
        inputs,
        options: options(&plan.rules, tests_found.as_ref()),
        ..Identity::default()
    };
    if let Begun::AlreadyThere(record) = project.begin(Stage::Screen, identity, plan.fresh)? {
        let report = read_report(project)?;
        return Ok(ScreenOutcome {
            already_there: true,
            record: *record,
            report,
        });
    }
    let mut screening = Screening {
        rules: plan.rules,
        tests,
        distinct,
        seeds: Vec::new(),
        kept: Vec::new(),
        report: ScreenReport {
            schema: SCHEMA.to_string(),
            read: 0,
            kept: 0,
            removed: RemovalReason::ALL.map(|reason| (reason, 0)).into(),
            contaminated_by_set: BTreeMap::new(),
            tests: tests_found,
            rules: plan.rules,
        },
    };
    if seeds {
        screening.know_seeds(project)?;
    }
    let outputs = screening.run(project, read_pairs(project, &pairs)?, on_progress)?;
    let report = screening.report;
    let mut outputs = BTreeMap::from(outputs);
    outputs.insert(REPORT.to_string(), project.write_json(REPORT, &report)?);
    let mut counts = BTreeMap::from([
        ("read".to_string(), report.read),
        ("kept".to_string(), report.kept),
    ]);
    counts.insert("removed".to_string(), report.read - report.kept);
    let record = project.finish(Stage::Screen, outputs, counts)?;
    Ok(ScreenOutcome {
        already_there: false,
        record,
        report,
    })
}

fn options(rules: &ScreenRules, tests: Option<&TestItems>) -> BTreeMap<String, Value> {
    let mut options = BTreeMap::new();
    if let Ok(Value::Object(fields)) = serde_json::to_value(rules) {
        options.extend(fields);
    }
    match tests {
        Some(tests) => {
            options.insert("tests".to_string(), json!(tests.digest));
            options.insert("ngram".to_string(), json!(tests.ngram));
            options.insert("test_near".to_string(), json!(tests.near));
            options.insert("test_share".to_string(), json!(tests.share));
        }
        None => {
            options.insert("tests".to_string(), Value::Null);
        }
    }
    options
}

pub(crate) fn read_report(project: &Project) -> Result<ScreenReport, Error> {
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

struct Screening<'a> {
    rules: ScreenRules,
    tests: Option<&'a Index>,
    distinct: Distinct,
    /// Ids of the seeds, which come first in `distinct`, those left out that repeat another one.
    seeds: Vec<Box<str>>,
    /// Ids of the pairs kept, which follow in it.
    kept: Vec<Box<str>>,
    report: ScreenReport,
}

/// What is known of a pair without the others.
struct Examined {
    fault: Option<(RemovalReason, String, Option<usize>)>,
    question: Option<Fingerprint>,
}

impl Screening<'_> {
    fn know_seeds(&mut self, project: &Project) -> Result<(), Error> {
        for seed in read_lines::<Seed>(&project.file(SEEDS))? {
            let seed = seed?;
            if self.distinct.add(Fingerprint::of(&seed.question)).is_none() {
                self.seeds.push(seed.id.into_boxed_str());
            }
        }
        Ok(())
    }

    fn run(
        &mut self,
        project: &Project,
        mut pairs: impl Iterator<Item = Result<Pair, Error>>,
        on_progress: &mut dyn FnMut(u64) -> ControlFlow<()>,
    ) -> Result<[(String, Output); 2], Error> {
        let begin = |name: &str| {
            let failed =
                |source| Error::in_file(&project.file(name), ErrorKind::WriteFailed(source));
            WholeFile::begin(project.folder()).map_err(failed)
        };
        let (mut kept, mut removed) = (begin(SCREENED)?, begin(REMOVED)?);
        loop {
            let batch: Vec<Pair> = pairs.by_ref().take(BATCH).collect::<Result<_, _>>()?;
            if batch.is_empty() {
                break;
            }
            let examined: Vec<Examined> = batch.par_iter().map(|pair| self.examine(pair)).collect();
            for (pair, examined) in batch.into_iter().zip(examined) {
                self.report.read += 1;
                let (name, written) = match self.decide(&pair, examined) {
                    None => {
                        let written = line(&mut kept, &pair);
                        self.kept.push(pair.id.into_boxed_str());
                        self.report.kept += 1;
                        (SCREENED, written)
                    }
                    Some(why) => {
                        *self.report.removed.entry(why.reason).or_insert(0) += 1;
                        (REMOVED, line(&mut removed, &why))
                    }
                };
                written.map_err(|source| {
                    Error::in_file(&project.file(name), ErrorKind::WriteFailed(source))
                })?;
            }
            if on_progress(self.report.read).is_break() {
                let ScreenReport { read, .. } = self.report;
                return Err(Error::of(ErrorKind::Stopped {
                    stage: Stage::Screen,
                    done: read,
                }));
            }
        }
        let put = |file: WholeFile, name: &str| {
            let output = file.put(&project.file(name));
            let output = output.map_err(|source| {
                Error::in_file(&project.file(name), ErrorKind::WriteFailed(source))
            })?;
            Ok::<_, Error>((name.to_string(), output))
        };
        Ok([put(kept, SCREENED)?, put(removed, REMOVED)?])
    }

    fn examine(&self, pair: &Pair) -> Examined {
        if let Some((reason, detail)) = self.rules.fault(pair) {
            return Examined {
                fault: Some((reason, detail, None)),
                question: None,
            };
        }
        if let Some((item, detail)) = self
            .tests
            .and_then(|tests| contamination(tests, &pair.question))
        {
            return Examined {
                fault: Some((RemovalReason::Contaminated, detail, Some(item))),
                question: None,
            };
        }
        let mut question = Fingerprint::of(&pair.question);
        if self.rules.near.is_none() {
            question.compare_exactly();
        }
        Examined {
            fault: None,
            question: Some(question),
        }
    }

    fn decide(&mut self, pair: &Pair, examined: Examined) -> Option<Removed> {
        let removed = |reason, detail, same_as| Removed {
            id: pair.id.clone(),
            reason,
            detail,
            same_as,
            question: pair.question.clone(),
        };
        if let Some((reason, detail, item)) = examined.fault {
            let item = item.and_then(|item| self.tests.map(|tests| &tests.items()[item]));
            if let Some(item) = item {
                *self
                    .report
                    .contaminated_by_set
                    .entry(item.set.clone())
                    .or_insert(0) += 1;
            }
            return Some(removed(reason, detail, item.map(|item| item.id.clone())));
        }
        let Original {
            number,
            exact,
            similarity,
        } = self.distinct.add(examined.question?)?;
        let (what, id, reason) = match number.checked_sub(self.seeds.len()) {
            None => ("seed", &self.seeds[number], RemovalReason::SeedCopy),
            Some(number) if exact => ("pair", &self.kept[number], RemovalReason::Duplicate),
            Some(number) => ("pair", &self.kept[number], RemovalReason::NearDuplicate),
        };
        let detail = match exact {
            true => format!("the same question as the {what} {id}"),
            false => format!("near to the {what} {id} (Jaccard index {similarity:.2})"),
        };
        Some(removed(reason, detail, Some(id.to_string())))
    }
}

fn line(out: &mut WholeFile, record: &impl Serialize) -> std::io::Result<()> {
    serde_json::to_writer(&mut *out, record)?;
    out.write_all(b"\n")
}
