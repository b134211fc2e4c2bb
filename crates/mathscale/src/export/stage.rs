//! The stage: pairs kept in, training files out.

use std::io;
use std::ops::ControlFlow;

use serde_json::json;
use store::{AtomicFile, FileDigest, FileError, JsonLines};

use super::card::{self, Card};
use super::formats::{ExportFormat, Writer};
use super::mix::Mix;
use super::plan::ExportPlan;
use super::spool::{ExportRecord, Spool, Spooled};
use crate::driver::{NoDetails, Outputs, StageOutcome, StageWork, run};
use crate::error::{Error, ErrorKind};
use crate::pair::Pair;
use crate::project::{Input, Project, StageIdentity, StageRecord};
use crate::stage::{EXPORT_FOLDER, SCREENED, Stage};

const CARD: &str = "export/README.md";
/// The source of the project's own records.
const OWN: &str = "mathscale";
const SPLITS: [(&str, bool); 2] = [("train", false), ("validation", true)];
/// Records between two reports of progress.
const PROGRESS_EVERY: u64 = 1024;

/// What came of it. Counts: `train`, `validation`, `own`, and `mixed` for all other files.
pub type ExportOutcome = StageOutcome<NoDetails>;

/// Writes the training files of a project; `on_progress` is given the number of records gathered.
///
/// # Errors
/// The project was not screened; a share out of its range; a file to mix in that cannot be read;
/// the stage was run with others; a file that cannot be written; an interruption, which keeps
/// nothing.
pub fn export(
    project: &mut Project,
    plan: &ExportPlan,
    on_progress: &mut dyn FnMut(u64) -> ControlFlow<()>,
) -> Result<ExportOutcome, Error> {
    if !(0.0..1.0).contains(&plan.validation_share) {
        let message = format!(
            "a validation share of {}: expected at least 0 and below 1",
            plan.validation_share
        );
        return Err(Error::of(ErrorKind::Option(message)));
    }
    let pairs = project.input(Stage::Screen, SCREENED)?;
    let mixed = plan.mix.iter().map(|mix| Input::of_file(&mix.file));
    let mut work = Exporting {
        plan,
        formats: plan.all_formats(),
        pairs,
        mixed: mixed.collect::<Result<_, _>>()?,
        on_progress,
    };
    run(project, &mut work, plan.fresh)
}

struct Exporting<'a> {
    plan: &'a ExportPlan,
    formats: Vec<ExportFormat>,
    pairs: Input,
    /// The files of `plan.mix`.
    mixed: Vec<Input>,
    on_progress: &'a mut dyn FnMut(u64) -> ControlFlow<()>,
}

impl StageWork for Exporting<'_> {
    type Details = NoDetails;

    const STAGE: Stage = Stage::Export;

    fn identity(&self) -> StageIdentity {
        let plan = self.plan;
        let mixed = self.mixed.iter().enumerate();
        let mixed = mixed.map(|(number, file)| (format!("mix_{}", number + 1), file.clone()));
        let amounts: Vec<String> = plan.mix.iter().map(Mix::amount_text).collect();
        let options = [
            ("forms", json!(self.formats)),
            ("validation_share", json!(plan.validation_share)),
            ("seed", json!(plan.seed)),
            ("amounts", json!(amounts)),
            ("title", json!(plan.title)),
            ("license", json!(plan.license)),
        ];
        // In which form mixed solutions are written: they were left as they are before.
        let form = (!plan.mix.is_empty()).then(|| ("mixed_solutions", json!("plain")));
        let options = options.into_iter().chain(form);
        StageIdentity {
            inputs: mixed
                .chain([("pairs".to_string(), self.pairs.clone())])
                .collect(),
            options: options
                .map(|(name, value)| (name.to_string(), value))
                .collect(),
            ..StageIdentity::default()
        }
    }

    fn write(&mut self, outputs: &mut Outputs<'_>) -> Result<NoDetails, Error> {
        let project = outputs.project;
        let (mut records, mut card) = self.gather(project)?;
        for (split, held_out) in SPLITS {
            let count = records.count(held_out);
            outputs.count(split, count);
            if count > 0 || !held_out {
                card.splits.push((split, count));
                let files = write_split(project, &self.formats, split, held_out, &mut records);
                let folder = project.file(EXPORT_FOLDER);
                for (name, digest) in files.map_err(FileError::write_failed(&folder))? {
                    outputs.add(&name, digest);
                }
            }
        }
        outputs.count("own", card.own);
        outputs.count("mixed", card.mixed.iter().map(|mixed| mixed.taken).sum());
        // Last, as the card lists the digests of all other files.
        let text = card::markdown(project, self.plan, &self.formats, &card, outputs.files())?;
        outputs.write(CARD, |out| out.write_all(text.as_bytes()))?;
        Ok(NoDetails {})
    }

    fn details(&self, _: &Project, _: &StageRecord) -> Result<NoDetails, Error> {
        Ok(NoDetails {})
    }
}

impl Exporting<'_> {
    /// All records, in a temporary file, and what the card says of them.
    fn gather(&mut self, project: &Project) -> Result<(Spooled, Card), Error> {
        let plan = self.plan;
        let in_folder = || FileError::write_failed(project.folder());
        let spool = Spool::new(project.folder(), plan.seed, plan.validation_share);
        let mut spool = spool.map_err(in_folder())?;
        let mut card = Card::default();
        let mut gathered = 0;
        let mut add = |pair: Pair, source: &str| {
            let added = spool.add(&ExportRecord::of(pair, source));
            added.map_err(in_folder())?;
            gathered += 1;
            let reports = u64::is_multiple_of(gathered, PROGRESS_EVERY);
            match reports && (self.on_progress)(gathered).is_break() {
                false => Ok(()),
                true => Err(Error::of(ErrorKind::Interrupted {
                    stage: Stage::Export,
                    done: gathered,
                    what: "records",
                })),
            }
        };
        for pair in JsonLines::<Pair>::open(&project.file(SCREENED))? {
            let pair = pair?;
            card.count(&pair);
            add(pair, OWN)?;
        }
        for (mix, input) in plan.mix.iter().zip(&self.mixed) {
            let source = crate::pair::stem(&mix.file);
            let taken = mix.each(plan.seed, |pair| add(pair, &source))?;
            let file = mix.file.file_name().unwrap_or_default().to_string_lossy();
            card.mixed.push(card::Mixed {
                file: file.into_owned(),
                amount: mix.amount_text(),
                taken,
                blake3: input.blake3.clone(),
            });
        }
        Ok((spool.finish().map_err(in_folder())?, card))
    }
}

fn write_split(
    project: &Project,
    formats: &[ExportFormat],
    split: &str,
    held_out: bool,
    records: &mut Spooled,
) -> io::Result<Vec<(String, FileDigest)>> {
    let mut writers = Vec::new();
    for &format in formats {
        // In the project's own folder: there the next start removes what a kill leaves behind.
        let file = AtomicFile::create_in(project.folder())?;
        writers.push((format, Writer::new(format, file)?));
    }
    records.each(held_out, |record| {
        let mut writers = writers.iter_mut();
        writers.try_for_each(|(_, writer)| writer.add(&record))
    })?;
    let commit = |(format, writer): (ExportFormat, Writer)| {
        let name = format!("{EXPORT_FOLDER}/{}", format.path(split));
        let digest = writer.commit(&project.file(&name))?;
        Ok((name, digest))
    };
    writers.into_iter().map(commit).collect()
}
