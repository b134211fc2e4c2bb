//! The stage: pairs in, pairs kept and pairs removed out.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;

use overlap::{Deduplicator, Fingerprint, Index, Original, TextForm};
use rayon::prelude::*;
use serde_json::{Value, json};
use store::JsonLines;

use super::reason::RemovalReason;
use super::report::{Removed, SCHEMA, ScreenReport, TestItems, Tests, contamination};
use super::rules::ScreenRules;
use crate::driver::{LineFile, Outputs, StageOutcome, StageWork, WithReport, run};
use crate::error::{Error, ErrorKind};
use crate::ids::Ids;
use crate::pair::{Pair, PairSource, read_pairs};
use crate::project::{Input, Project, StageIdentity, StageRecord};
use crate::records::Seed;
use crate::stage::{REMOVED, SCREEN_REPORT, SCREENED, SEEDS, Stage};

/// Pairs that are examined together, on all cores.
const BATCH: usize = 2048;

/// Batches that wait, examined, until they are decided.
const MAX_WAITING: usize = 2;

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

/// What came of it, with the figures.
pub type ScreenOutcome = StageOutcome<WithReport<ScreenReport>>;

/// Screens the pairs of a project. `tests` holds the test items that must not be trained on;
/// `on_progress` is given the number of pairs read.
///
/// # Errors
/// There are no pairs, or the stage was run with others or with other rules; a threshold out of its
/// range; a file that cannot be read or written; an interruption, which keeps nothing.
pub fn screen(
    project: &mut Project,
    plan: &ScreenPlan,
    tests: Option<&Tests>,
    on_progress: &mut dyn FnMut(u64) -> ControlFlow<()>,
) -> Result<ScreenOutcome, Error> {
    let pairs = plan.pairs.input(project)?;
    let seeds = match plan.rules.seeds && project.manifest().stages.contains_key(&Stage::Extract) {
        true => Some(project.input(Stage::Extract, SEEDS)?),
        false => None,
    };
    let distinct = Deduplicator::new(plan.rules.min_jaccard.unwrap_or(1.0));
    let mut work = Screening {
        pairs,
        seeds,
        tests: tests.map(|tests| &tests.index),
        distinct: distinct.map_err(|error| Error::of(ErrorKind::Overlap(Box::new(error))))?,
        seed_ids: Ids::default(),
        kept_ids: Ids::default(),
        report: ScreenReport {
            schema: SCHEMA.to_string(),
            read: 0,
            kept: 0,
            removed: RemovalReason::ALL.map(|reason| (reason, 0)).into(),
            contaminated_by_set: BTreeMap::new(),
            tests: tests.map(TestItems::of),
            rules: plan.rules,
        },
        on_progress,
    };
    run(project, &mut work, plan.fresh)
}

pub(crate) fn read_report(project: &Project) -> Result<ScreenReport, Error> {
    crate::driver::read_report(project, SCREEN_REPORT, SCHEMA)
}

struct Screening<'a> {
    pairs: Input,
    seeds: Option<Input>,
    tests: Option<&'a Index>,
    distinct: Deduplicator,
    /// Ids of the seeds, which come first in `distinct`, without those that repeat another one.
    seed_ids: Ids,
    /// Ids of the pairs kept, which follow in it.
    kept_ids: Ids,
    report: ScreenReport,
    on_progress: &'a mut dyn FnMut(u64) -> ControlFlow<()>,
}

impl StageWork for Screening<'_> {
    type Details = WithReport<ScreenReport>;

    const STAGE: Stage = Stage::Screen;

    fn identity(&self) -> StageIdentity {
        let seeds = self.seeds.iter().map(|seeds| ("seeds", seeds));
        let inputs = seeds.chain([("pairs", &self.pairs)]);
        StageIdentity {
            inputs: inputs
                .map(|(name, input)| (name.to_string(), input.clone()))
                .collect(),
            options: options(&self.report.rules, self.report.tests.as_ref()),
            ..StageIdentity::default()
        }
    }

    fn write(&mut self, outputs: &mut Outputs<'_>) -> Result<Self::Details, Error> {
        if self.seeds.is_some() {
            for seed in JsonLines::<Seed>::open(&outputs.project.file(SEEDS))? {
                let seed = seed?;
                // In step with `distinct`: a text that was not kept there has no number.
                if self.distinct.add(Fingerprint::of(&seed.question)).is_none() {
                    self.seed_ids.push(&seed.id);
                }
            }
        }
        let (mut kept, mut removed) = (outputs.create(SCREENED)?, outputs.create(REMOVED)?);
        let examiner = Examiner {
            project: outputs.project,
            pairs: self.pairs.clone(),
            rules: self.report.rules,
            tests: self.tests,
        };
        // The next batches are read and examined while one is decided and written.
        thread::scope(|scope| {
            let (sender, batches) = sync_channel(MAX_WAITING);
            scope.spawn(move || examiner.run(&sender));
            batches
                .into_iter()
                .try_for_each(|batch| self.decide_all(batch?, &mut kept, &mut removed))
        })?;
        outputs.commit(kept)?;
        outputs.commit(removed)?;
        let report = self.report.clone();
        outputs.write_json(SCREEN_REPORT, &report)?;
        outputs.count("read", report.read);
        outputs.count("kept", report.kept);
        outputs.count("removed", report.read - report.kept);
        Ok(WithReport { report })
    }

    fn details(&self, project: &Project, _: &StageRecord) -> Result<Self::Details, Error> {
        let report = read_report(project)?;
        Ok(WithReport { report })
    }
}

/// The rules and the test items, for the identity.
fn options(rules: &ScreenRules, tests: Option<&TestItems>) -> BTreeMap<String, Value> {
    let mut options = BTreeMap::new();
    if let Ok(Value::Object(fields)) = serde_json::to_value(rules) {
        options.extend(fields);
    }
    let mut insert = |name: &str, value: Value| options.insert(name.to_string(), value);
    // Whether they are the bundled problems is left out: the digest tells them apart.
    insert("tests", json!(tests.map(|tests| &tests.digest)));
    if let Some(tests) = tests {
        insert("ngram", json!(tests.ngram));
        insert("test_near", json!(tests.min_jaccard));
        insert("test_share", json!(tests.share));
    }
    options
}

/// The result of the checks that need no other pair.
enum Examined {
    /// A rule is broken, of a kind, with the detail.
    Faulty(RemovalReason, String),
    /// The test item of this number contaminates it.
    Contaminated(usize, String),
    /// Nothing is wrong with it by itself.
    Question(Fingerprint),
}

/// Does what needs no other pair.
struct Examiner<'a> {
    project: &'a Project,
    pairs: Input,
    rules: ScreenRules,
    tests: Option<&'a Index>,
}

/// Pairs, each with the result.
type Batch = Vec<(Pair, Examined)>;

impl Examiner<'_> {
    /// Reads and examines all pairs, and sends them in their order; ends early where nobody
    /// receives.
    fn run(&self, sender: &SyncSender<Result<Batch, Error>>) {
        let mut pairs = match read_pairs(self.project, &self.pairs) {
            Ok(pairs) => pairs,
            Err(error) => {
                // Whoever does not receive has an error of its own.
                let _ = sender.send(Err(error));
                return;
            }
        };
        loop {
            let batch: Result<Vec<Pair>, Error> = pairs.by_ref().take(BATCH).collect();
            let examined = batch.map(|batch| self.examine_all(batch));
            let (is_end, is_error) = (
                examined.as_ref().is_ok_and(Vec::is_empty),
                examined.is_err(),
            );
            if is_end || sender.send(examined).is_err() || is_error {
                return;
            }
        }
    }

    fn examine_all(&self, batch: Vec<Pair>) -> Batch {
        let examined = batch
            .into_par_iter()
            .map_init(TextForm::default, |form, pair| {
                let examined = self.examine(&pair, form);
                (pair, examined)
            });
        examined.collect()
    }

    /// `form` is memory to work in.
    fn examine(&self, pair: &Pair, form: &mut TextForm) -> Examined {
        if let Some((reason, detail)) = self.rules.fault(pair) {
            return Examined::Faulty(reason, detail);
        }
        form.read(&pair.question);
        if let Some((item, detail)) = self.tests.and_then(|tests| contamination(tests, form)) {
            return Examined::Contaminated(item, detail);
        }
        let mut question = form.fingerprint();
        if self.rules.min_jaccard.is_none() {
            // Enough on this side: a question without shingles is near no seed either.
            question.compare_exactly();
        }
        Examined::Question(question)
    }
}

impl Screening<'_> {
    fn decide_all(
        &mut self,
        batch: Batch,
        kept: &mut LineFile,
        removed: &mut LineFile,
    ) -> Result<(), Error> {
        // One after the other: which of two equal questions stays depends on what was kept before.
        for (pair, examined) in batch {
            self.report.read += 1;
            match self.decide(&pair, examined) {
                None => {
                    kept.push(&pair)?;
                    self.kept_ids.push(&pair.id);
                    self.report.kept += 1;
                }
                Some(removal) => {
                    removed.push(&removal)?;
                    *self.report.removed.entry(removal.reason).or_insert(0) += 1;
                }
            }
        }
        match (self.on_progress)(self.report.read) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(Error::of(ErrorKind::Interrupted {
                stage: Stage::Screen,
                done: self.report.read,
                what: "pairs",
            })),
        }
    }

    /// Why a pair is removed; `None` where it is kept.
    fn decide(&mut self, pair: &Pair, examined: Examined) -> Option<Removed> {
        let (reason, detail, same_as) = match examined {
            Examined::Faulty(reason, detail) => (reason, detail, None),
            Examined::Contaminated(item, detail) => {
                let item = &self.tests?.items()[item];
                let by_set = &mut self.report.contaminated_by_set;
                *by_set.entry(item.set.clone()).or_insert(0) += 1;
                let id = item.id.clone();
                (RemovalReason::Contaminated, detail, Some(id))
            }
            Examined::Question(question) => {
                let original = self.distinct.add(question)?;
                let (reason, detail, id) = self.repetition(&original);
                (reason, detail, Some(id))
            }
        };
        Some(Removed {
            id: pair.id.clone(),
            reason,
            detail,
            same_as,
            question: pair.question.clone(),
        })
    }

    /// The reason, the detail and the id of what is repeated.
    fn repetition(&self, original: &Original) -> (RemovalReason, String, String) {
        let Original {
            number,
            exact,
            similarity,
        } = *original;
        let (what, id, reason) = match number.checked_sub(self.seed_ids.len()) {
            None => ("seed", self.seed_ids.get(number), RemovalReason::SeedCopy),
            Some(number) if exact => ("pair", self.kept_ids.get(number), RemovalReason::Duplicate),
            Some(number) => (
                "pair",
                self.kept_ids.get(number),
                RemovalReason::NearDuplicate,
            ),
        };
        let detail = match exact {
            true => format!("the same question as the {what} {id}"),
            false => format!("near to the {what} {id} (Jaccard index {similarity:.2})"),
        };
        (reason, detail, id.to_string())
    }
}
