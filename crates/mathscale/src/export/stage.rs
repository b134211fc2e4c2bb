//! The stage: pairs kept in, training files out.

use std::collections::BTreeMap;
use std::io;
use std::ops::ControlFlow;
use std::path::Path;

use serde::Serialize;
use serde_json::{Value, json};

use super::card::{self, Card};
use super::forms::{Form, Writer};
use super::mix::Mix;
use super::spool::{Item, Spool, Spooled};
use crate::error::{Error, ErrorKind};
use crate::pair::Pair;
use crate::project::{Begun, Identity, Input, Output, Project, Stage, StageRecord, WholeFile};
use crate::records::read_lines;

const SCREENED: &str = "screened.jsonl";
const FOLDER: &str = "export";
const CARD: &str = "export/README.md";
const OWN: &str = "mathscale";
const SPLITS: [(&str, bool); 2] = [("train", false), ("validation", true)];
/// Records between two reports of progress.
const STEP: u64 = 1024;

/// What the stage is to do.
#[derive(Clone, Debug, PartialEq)]
pub struct ExportPlan {
    /// Which forms; an empty list stands for all.
    pub forms: Vec<Form>,
    /// Share of the records that is held out for validation, at least 0 and below 1.
    pub validation_share: f64,
    /// What order and split are drawn with.
    pub seed: u64,
    /// Files that go along.
    pub mix: Vec<Mix>,
    /// Title of the data card.
    pub title: String,
    /// Licence as Hugging Face names it, such as `cc-by-4.0`; `other` where nothing is known.
    pub license: String,
    /// Replace what the project has of it.
    pub fresh: bool,
}

impl Default for ExportPlan {
    fn default() -> Self {
        Self {
            forms: Vec::new(),
            validation_share: 0.0,
            seed: 0,
            mix: Vec::new(),
            title: "MathScale training data".to_string(),
            license: "other".to_string(),
            fresh: false,
        }
    }
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ExportOutcome {
    /// Whether nothing had to be done.
    pub already_there: bool,
    /// What the project's manifest holds of it: counts `train`, `validation`, `own`, and `mixed`
    /// for all other files.
    pub record: StageRecord,
}

/// Writes the training files of a project.
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
    let forms = forms(plan);
    let mut inputs =
        BTreeMap::from([("pairs".to_string(), project.input(Stage::Screen, SCREENED)?)]);
    for (number, mix) in plan.mix.iter().enumerate() {
        inputs.insert(format!("mix_{}", number + 1), Input::of_file(&mix.file)?);
    }
    let identity = Identity {
        inputs,
        options: options(plan, &forms),
        ..Identity::default()
    };
    if let Begun::AlreadyThere(record) = project.begin(Stage::Export, identity, plan.fresh)? {
        return Ok(ExportOutcome {
            already_there: true,
            record: *record,
        });
    }
    let mut gathering = Gathering::new(project, plan, on_progress)?;
    gathering.own(project)?;
    for mix in &plan.mix {
        gathering.mix(mix, plan.seed)?;
    }
    let Gathering {
        spool, mut card, ..
    } = gathering;
    let in_folder = |source| Error::in_file(project.folder(), ErrorKind::WriteFailed(source));
    let mut records = spool.finish().map_err(in_folder)?;
    let mut outputs = BTreeMap::new();
    let mut counts = BTreeMap::new();
    for (split, held_out) in SPLITS {
        let count = records.count(held_out);
        counts.insert(split.to_string(), count);
        if count > 0 || !held_out {
            card.splits.push((split, count));
            outputs.extend(write_split(project, &forms, split, held_out, &mut records)?);
        }
    }
    counts.insert("own".to_string(), card.own);
    counts.insert(
        "mixed".to_string(),
        card.mixed.iter().map(|mixed| mixed.taken).sum(),
    );
    let text = card::markdown(project, plan, &forms, &card, &outputs)?;
    outputs.insert(
        CARD.to_string(),
        project.write(CARD, |out| out.write_all(text.as_bytes()))?,
    );
    let record = project.finish(Stage::Export, outputs, counts)?;
    Ok(ExportOutcome {
        already_there: false,
        record,
    })
}

fn forms(plan: &ExportPlan) -> Vec<Form> {
    let mut forms = if plan.forms.is_empty() {
        Form::ALL.to_vec()
    } else {
        plan.forms.clone()
    };
    forms.sort_unstable();
    forms.dedup();
    forms
}

fn options(plan: &ExportPlan, forms: &[Form]) -> BTreeMap<String, Value> {
    let amounts: Vec<String> = plan.mix.iter().map(Mix::told).collect();
    BTreeMap::from([
        ("forms".to_string(), json!(forms)),
        ("validation_share".to_string(), json!(plan.validation_share)),
        ("seed".to_string(), json!(plan.seed)),
        ("amounts".to_string(), json!(amounts)),
        ("title".to_string(), json!(plan.title)),
        ("license".to_string(), json!(plan.license)),
    ])
}

/// The records on their way into the spool.
struct Gathering<'a> {
    spool: Spool,
    card: Card,
    taken: u64,
    folder: &'a Path,
    on_progress: &'a mut dyn FnMut(u64) -> ControlFlow<()>,
}

impl<'a> Gathering<'a> {
    fn new(
        project: &'a Project,
        plan: &ExportPlan,
        on_progress: &'a mut dyn FnMut(u64) -> ControlFlow<()>,
    ) -> Result<Self, Error> {
        let folder = project.folder();
        let spool = Spool::new(folder, plan.seed, plan.validation_share);
        let spool =
            spool.map_err(|source| Error::in_file(folder, ErrorKind::WriteFailed(source)))?;
        Ok(Self {
            spool,
            card: Card::default(),
            taken: 0,
            folder,
            on_progress,
        })
    }

    fn own(&mut self, project: &Project) -> Result<(), Error> {
        for pair in read_lines::<Pair>(&project.file(SCREENED))? {
            let pair = pair?;
            self.card.count(&pair);
            self.take(pair, OWN)?;
        }
        Ok(())
    }

    fn mix(&mut self, mix: &Mix, seed: u64) -> Result<(), Error> {
        let source = crate::pair::stem(&mix.file);
        let taken = mix.each(seed, |pair| self.take(pair, &source))?;
        let file = mix
            .file
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let blake3 = Input::of_file(&mix.file)?.blake3;
        self.card.mixed.push(card::Mixed {
            file,
            amount: mix.told(),
            taken,
            blake3,
        });
        Ok(())
    }

    fn take(&mut self, pair: Pair, source: &str) -> Result<(), Error> {
        let Pair {
            id,
            topics,
            knowledge_points,
            question,
            solution,
            ..
        } = pair;
        let item = Item {
            id,
            question,
            solution,
            topics,
            knowledge_points,
            source: source.to_string(),
        };
        self.spool
            .add(&item)
            .map_err(|error| Error::in_file(self.folder, ErrorKind::WriteFailed(error)))?;
        self.taken += 1;
        if self.taken.is_multiple_of(STEP) && (self.on_progress)(self.taken).is_break() {
            return Err(Error::of(ErrorKind::Stopped {
                stage: Stage::Export,
                done: self.taken,
            }));
        }
        Ok(())
    }
}

fn write_split(
    project: &Project,
    forms: &[Form],
    split: &str,
    held_out: bool,
    records: &mut Spooled,
) -> Result<Vec<(String, Output)>, Error> {
    let failed = |source| Error::in_file(&project.file(FOLDER), ErrorKind::WriteFailed(source));
    let mut write = || -> io::Result<Vec<(String, Output)>> {
        let mut writers = Vec::new();
        for &form in forms {
            std::fs::create_dir_all(project.file(FOLDER).join(form.name()))?;
            // In the project's own folder: there the next start removes what a kill leaves behind.
            writers.push((
                form,
                Writer::new(form, WholeFile::begin(project.folder())?)?,
            ));
        }
        records.each(held_out, |item| {
            writers
                .iter_mut()
                .try_for_each(|(_, writer)| writer.add(&item))
        })?;
        let put = |(form, writer): (Form, Writer)| {
            let name = format!("{FOLDER}/{}", form.path(split));
            let output = writer.put(&project.file(&name))?;
            Ok((name, output))
        };
        writers.into_iter().map(put).collect()
    };
    write().map_err(failed)
}
