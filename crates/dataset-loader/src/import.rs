//! A publisher's files → MwpBench's record form.
//!
//! Records are read one at a time and written to a temporary file, which is committed when all are
//! there. A record that is not of its publisher's form is an error with file, line and field,
//! and nothing is written; one that cannot become a word problem is left out and listed with its
//! [`DropReason`].

mod inputs; // which files of a folder are read, and in which order

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::Value;

use crate::benchmark::{Benchmark, Set};
use crate::error::{Error, ErrorKind};
use crate::native::{self, PublishedAnswer, PublishedFormat, PublishedItem, RecordPosition};
use crate::reason::DropReason;
use crate::record::{self, Extras, IdRegistry, LANGUAGE, type_name};
use crate::source::load;
use fault::Place;
use store::{AtomicFile, write_line};

use inputs::Input;

/// In place of a set's name: every set that a file in MwpBench's record form holds.
pub const ALL_SETS: &str = "mwpbench";

/// The split that is asked, and the one that models may be trained on.
const TEST: &str = "test";
const TRAIN: &str = "train";

/// The folder in the data folder for problems that wait for their translation: it is not searched
/// for data.
pub const UNTRANSLATED_FOLDER: &str = "untranslated";

/// What to import, and how.
#[derive(Clone, Copy, Debug)]
pub struct ImportPlan<'a> {
    /// Name of the set, or [`ALL_SETS`].
    pub set: &'a str,
    /// The publisher's file, or a folder of them.
    pub input: &'a Path,
    /// Where the records go.
    pub destination: Destination<'a>,
    /// The split: `test`, `train` or another name. Of a folder, the files of this split are read.
    pub split: &'a str,
    /// Whether multiple choice keeps its options, with labels as references, and no question is
    /// dropped for their sake.
    pub keep_choices: bool,
    /// Whether an output that holds something else is replaced, and what looks like a training
    /// split is taken for another one.
    pub force: bool,
}

/// Where imported records go.
#[derive(Clone, Copy, Debug)]
pub enum Destination<'a> {
    /// This file.
    File(&'a Path),
    /// The data folder: a file there that is called after set and split. Untranslated problems go
    /// into a folder of their own in it. Another file of the folder with problems of the set is an
    /// error, as each would be asked twice.
    DataFolder(&'a Path),
}

/// What an import did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Imported {
    /// Name of the set, or [`ALL_SETS`].
    pub set: String,
    /// The split.
    pub split: String,
    /// The files read, in order.
    pub inputs: Vec<PathBuf>,
    /// The file written.
    pub output: PathBuf,
    /// Problems read.
    pub read: usize,
    /// Problems written.
    pub converted: usize,
    /// Problems written, by task, in the benchmark's order.
    pub tasks: Vec<(String, usize)>,
    /// Of the problems written, those in another language than the one in which their set is asked.
    pub untranslated: usize,
    /// Whether options were kept.
    pub keep_choices: bool,
    /// Problems left out, in order.
    pub dropped: Vec<Dropped>,
}

/// A problem that was left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Dropped {
    /// The file it was read from.
    pub file: PathBuf,
    /// Its line or row there, from 1; where a record holds many problems, that of the record.
    pub line: usize,
    /// The id that it would have.
    pub id: String,
    /// Why.
    pub reason: DropReason,
    /// The reason in words.
    pub message: String,
}

impl Imported {
    /// How many problems were left out for each reason, the most frequent first.
    pub fn reasons(&self) -> Vec<(String, usize)> {
        let mut counts = BTreeMap::<String, usize>::new();
        for dropped in &self.dropped {
            *counts.entry(dropped.reason.in_general()).or_default() += 1;
        }
        let mut counts: Vec<_> = counts.into_iter().collect();
        counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        counts
    }
}

/// Converts a publisher's files. Nothing is written unless all of it can be.
///
/// # Errors
/// An unknown set; files that cannot be read or are of another form; no problem left; a training
/// split that is imported as another one; an output that would replace the input or another file,
/// cannot be written, or stands beside another file of the set.
pub fn import(benchmark: &Benchmark, plan: &ImportPlan<'_>) -> Result<Imported, Error> {
    let set = match plan.set {
        ALL_SETS => None,
        name => Some(benchmark.expect_set(name)?),
    };
    let native = set
        .and_then(|set| native::of(&set.name))
        .unwrap_or(&native::RECORD_FORM);
    let files = inputs::find(plan.input, plan.split, set, native)?;
    let folder = match plan.destination {
        Destination::File(file) => {
            files
                .iter()
                .try_for_each(|input| not_the_same(&input.path, file))?;
            folder_of(file)
        }
        Destination::DataFolder(_) if ![TEST, TRAIN].contains(&plan.split) => {
            return Err(Error::in_file(
                plan.input,
                ErrorKind::NeedsOutput {
                    split: plan.split.to_string(),
                },
            ));
        }
        Destination::DataFolder(folder) => folder.to_path_buf(),
    };
    let mut importer = Importer::new(benchmark, plan, set, native, &folder)?;
    for file in &files {
        importer.file(file)?;
    }
    importer.finish(files)
}

fn folder_of(file: &Path) -> PathBuf {
    match file.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_path_buf(),
        _ => PathBuf::from("."),
    }
}

fn not_the_same(input: &Path, output: &Path) -> Result<(), Error> {
    let same = match (input.canonicalize(), output.canonicalize()) {
        (Ok(input), Ok(output)) => input == output,
        _ => false,
    };
    match same {
        true => Err(Error::in_file(output, ErrorKind::OutputIsInput)),
        false => Ok(()),
    }
}

/// Collects what comes of the records.
struct Importer<'a> {
    benchmark: &'a Benchmark,
    plan: &'a ImportPlan<'a>,
    set: Option<&'a Set>,
    native: &'a PublishedFormat,
    folder: PathBuf,
    output: AtomicFile,
    position: usize,
    ids: IdRegistry,
    /// The content of each id, to know a record that is repeated.
    contents: HashMap<String, blake3::Hash>,
    counts: HashMap<String, usize>,
    read: usize,
    converted: usize,
    untranslated: usize,
    dropped: Vec<Dropped>,
}

impl<'a> Importer<'a> {
    fn new(
        benchmark: &'a Benchmark,
        plan: &'a ImportPlan<'a>,
        set: Option<&'a Set>,
        native: &'a PublishedFormat,
        folder: &Path,
    ) -> Result<Self, Error> {
        let output = AtomicFile::create_in(folder).map_err(|error| not_writable(folder, error))?;
        Ok(Self {
            benchmark,
            plan,
            set,
            native,
            folder: folder.to_path_buf(),
            output,
            position: 0,
            ids: IdRegistry::default(),
            contents: HashMap::new(),
            counts: HashMap::new(),
            read: 0,
            converted: 0,
            untranslated: 0,
            dropped: Vec::new(),
        })
    }

    fn file(&mut self, file: &Input) -> Result<(), Error> {
        let before = self.position;
        for record in record_files::open(&file.path)? {
            let record = record?;
            let at = |kind| Error::at_place(&file.path, record.place, kind);
            let Value::Object(fields) = &record.value else {
                return Err(at(ErrorKind::NotAnObject(format!(
                    "found {}",
                    type_name(&record.value)
                ))));
            };
            self.position += 1;
            let place = RecordPosition {
                file: &file.name,
                position: self.position,
                in_file: self.position - before,
            };
            // Record by record: records that were imported or published in this form may stand
            // beside the publisher's own.
            let items = match native::is_record_form(fields) {
                true => vec![native::record_form_item(fields, &place).map_err(at)?],
                false => (self.native.read)(fields, &place)
                    .map_err(|fault| at(self.not_published(fault)))?,
            };
            for item in items {
                self.item(&file.path, record.place, item)?;
            }
        }
        match self.position > before {
            true => Ok(()),
            false => Err(Error::in_file(&file.path, ErrorKind::EmptyFile)),
        }
    }

    fn not_published(&self, fault: ErrorKind) -> ErrorKind {
        // A static, which has one address; a constant may have several.
        match std::ptr::eq(self.native, &native::RECORD_FORM) {
            true => fault,
            false => ErrorKind::NotPublished {
                fault: Box::new(fault),
                form: self.native.form,
            },
        }
    }

    fn item(&mut self, file: &Path, place: Place, item: PublishedItem) -> Result<(), Error> {
        self.read += 1;
        let at = |kind| Error::at_place(file, place, kind);
        let (set, task) = self.set_and_task(&item).map_err(at)?;
        let id = format!("{task}/{}", item.number);
        let origin = item
            .extras
            .get(record::ORIGIN)
            .and_then(Value::as_str)
            .map(str::to_string);
        // Before the id is claimed: what is left out takes no number from what is kept.
        let written = match self.set {
            Some(wanted) if wanted.name != set.name => Err(DropReason::OtherSet {
                set: set.name.clone(),
            }),
            _ => to_record(set, task, item, self.plan),
        };
        let record = match written {
            Ok(record) => record,
            Err(reason) => {
                self.drop(file, place, id, reason);
                return Ok(());
            }
        };
        let content = blake3::hash(
            serde_json::to_string(&record)
                .unwrap_or_default()
                .as_bytes(),
        );
        match self.ids.claim(file, place, id.clone(), origin.as_deref()) {
            Ok(claimed) => self.contents.insert(claimed, content),
            // The same record twice, as in a file that was appended to itself, is harmless; another
            // record of the same number is not.
            Err(ErrorKind::DuplicateId { id, .. }) if self.contents.get(&id) == Some(&content) => {
                self.drop(file, place, id, DropReason::Repeated);
                return Ok(());
            }
            Err(kind) => return Err(at(kind)),
        };
        write_line(&mut self.output, &record).map_err(|error| not_writable(&self.folder, error))?;
        *self.counts.entry(task.to_string()).or_default() += 1;
        self.converted += 1;
        let language = record
            .get(LANGUAGE)
            .and_then(Value::as_str)
            .map(str::to_lowercase);
        self.untranslated +=
            usize::from(language.is_some_and(|language| language != set.asked_in()));
        Ok(())
    }

    fn drop(&mut self, file: &Path, place: Place, id: String, reason: DropReason) {
        let message = reason.to_string();
        self.dropped.push(Dropped {
            file: file.to_path_buf(),
            line: place.number(),
            id,
            reason,
            message,
        });
    }

    /// The set and task of an item: those that the record names, else those of the set that is
    /// imported.
    fn set_and_task(&self, item: &PublishedItem) -> Result<(&'a Set, &'a str), ErrorKind> {
        let benchmark: &'a Benchmark = self.benchmark;
        let named = item
            .task
            .as_deref()
            .and_then(|task| benchmark.set_of_task(task).map(|set| (set, task)));
        let found = match (named, self.set, &item.task) {
            (Some((set, task)), ..) => Some((set, task)),
            (None, Some(set), None) => native::task_of(set, item).map(|task| (set, task)),
            _ => None,
        };
        let Some((set, task)) = found else {
            let known = benchmark.task_names().collect::<Vec<_>>().join(", ");
            let task = item.task.clone().unwrap_or_default();
            return Err(ErrorKind::UnknownTask {
                field: record::TASK.to_string(),
                task,
                known,
            });
        };
        let own = set.tasks.iter().find(|own| own.name == task);
        Ok((set, own.map_or(&set.name, |own| &own.name)))
    }

    fn finish(mut self, files: Vec<Input>) -> Result<Imported, Error> {
        if self.converted == 0 {
            let first = self
                .dropped
                .first()
                .map(|dropped| dropped.message.clone())
                .unwrap_or_default();
            return Err(Error::in_file(
                self.plan.input,
                ErrorKind::NothingLeft {
                    read: self.read,
                    first,
                },
            ));
        }
        if !self.plan.force {
            self.check_split(&files)?;
        }
        // Known only now: untranslated problems go elsewhere. Until the commit all that was written
        // is in a temporary file, which goes with any error.
        let output = self.output_file()?;
        files
            .iter()
            .try_for_each(|file| not_the_same(&file.path, &output))?;
        if !self.plan.force {
            self.check_replaced(&output)?;
        }
        self.output
            .commit(&output)
            .map_err(|error| not_writable(&output, error))?;
        let tasks = self.benchmark.task_names();
        let counted = tasks
            .filter_map(|task| Some((task.to_string(), *self.counts.get(task)?)))
            .collect();
        Ok(Imported {
            set: self.plan.set.to_string(),
            split: self.plan.split.to_string(),
            inputs: files.into_iter().map(|file| file.path).collect(),
            output,
            read: self.read,
            converted: self.converted,
            tasks: counted,
            untranslated: self.untranslated,
            keep_choices: self.plan.keep_choices,
            dropped: self.dropped,
        })
    }

    /// Refuses the file of a training split as problems to ask: its name says so, or it holds as
    /// many problems as the publisher trains on.
    fn check_split(&self, files: &[Input]) -> Result<(), Error> {
        // By number too: a file that was downloaded may have been given any name.
        let publisher = self.set.and_then(|set| set.publisher.as_ref());
        let counts = publisher.map(|publisher| (publisher.train, publisher.test));
        let is_train_count =
            matches!(counts, Some((Some(train), test)) if self.read == train && train != test);
        let is_named_train = |file: &&Input| {
            let stem = file.path.file_stem().unwrap_or_default().to_string_lossy();
            let mut words = stem.split(|c: char| !c.is_ascii_alphabetic());
            words.any(|word| word.eq_ignore_ascii_case(TRAIN))
        };
        let named = files.iter().find(is_named_train);
        match (
            self.plan.split,
            named.or(files.first().filter(|_| is_train_count)),
        ) {
            (TEST, Some(file)) => Err(Error::in_file(
                &file.path,
                ErrorKind::TrainingSplit { read: self.read },
            )),
            _ => Ok(()),
        }
    }

    /// Refuses to replace a file that holds something else.
    fn check_replaced(&mut self, output: &Path) -> Result<(), Error> {
        let failed = |error| not_writable(output, error);
        if !output.is_file()
            // The same import again is no replacement.
            || store::digest_file(output).map_err(failed)?
                == self.output.digest().map_err(failed)?
        {
            return Ok(());
        }
        Err(Error::in_file(output, ErrorKind::WouldReplace))
    }

    fn output_file(&self) -> Result<PathBuf, Error> {
        let folder = match self.plan.destination {
            Destination::File(file) => return Ok(file.to_path_buf()),
            Destination::DataFolder(folder) => folder,
        };
        let name = match self.plan.split {
            TEST => format!("{}.jsonl", self.plan.set),
            // Files with `train` in their name are not asked.
            split => format!("{}.{split}.jsonl", self.plan.set),
        };
        // One is enough: a run refuses questions in another language than that of their set.
        if self.untranslated > 0 {
            return Ok(folder.join(UNTRANSLATED_FOLDER).join(name));
        }
        let output = folder.join(name);
        if self.plan.split == TEST {
            check_alone(self.benchmark, folder, &output, |task| {
                self.counts.contains_key(task)
            })?;
        }
        Ok(output)
    }
}

/// Checks that no other file of a data folder than `output` has problems of these tasks: each would
/// be asked twice.
///
/// # Errors
/// One does, or the folder cannot be read.
pub fn check_alone(
    benchmark: &Benchmark,
    folder: &Path,
    output: &Path,
    is_task: impl Fn(&str) -> bool,
) -> Result<(), Error> {
    if !folder.is_dir() {
        return Ok(());
    }
    for file in crate::files::data_files(folder)?
        .into_iter()
        .filter(|file| file != output)
    {
        // A file that cannot be read says so itself where the data are used.
        let Ok(data) = load(benchmark, &file) else {
            continue;
        };
        if let Some(problem) = data.problems.iter().find(|problem| is_task(&problem.task)) {
            let kind = ErrorKind::OtherFileOfSet {
                set: problem.set.clone(),
                other: file,
            };
            return Err(Error::in_file(output, kind));
        }
    }
    Ok(())
}

fn not_writable(path: &Path, error: std::io::Error) -> Error {
    Error::in_file(path, ErrorKind::NotWritable(error))
}

/// The record of an item, in the order of MwpBench's fields, with what is kept after them.
fn to_record(
    set: &Set,
    task: &str,
    item: PublishedItem,
    plan: &ImportPlan<'_>,
) -> Result<Extras, DropReason> {
    let mut kept = Extras::new();
    let (question, reference) = match item.answer {
        PublishedAnswer::Text(reference) => (item.question, reference),
        PublishedAnswer::Missing(expected) => return Err(DropReason::NoAnswer { expected }),
        PublishedAnswer::Choice(choices) => {
            let (question, reference) = match plan.keep_choices {
                true => choices.with_options(&item.question)?,
                false => {
                    let reference = choices.answer(&item.question)?;
                    (item.question, reference)
                }
            };
            if plan.keep_choices {
                kept.insert("form".to_string(), Value::String("choice".to_string()));
            }
            kept.insert("options".to_string(), choices.to_value());
            kept.insert("label".to_string(), Value::String(choices.correct.join("")));
            (question, reference)
        }
    };
    let question = match item.passage {
        Some(passage) => format!("{passage}\n{question}"),
        None => question,
    };
    let mut extras = item.extras;
    let mut given = |field: &str, default: Option<&String>| {
        let given = extras.shift_remove(field);
        given.unwrap_or_else(|| Value::String(default.cloned().unwrap_or_default()))
    };
    let mut record = Extras::new();
    let source = set.source.as_ref();
    record.insert(
        record::ORIGIN.to_string(),
        given(record::ORIGIN, source.map(|source| &source.origin)),
    );
    record.insert(record::NUMBER.to_string(), Value::String(item.number));
    record.insert(record::QUESTION.to_string(), Value::String(question));
    record.insert(record::REFERENCE.to_string(), Value::String(reference));
    record.insert(
        record::LICENSE.to_string(),
        given(record::LICENSE, source.map(|source| &source.license)),
    );
    record.insert(record::TASK.to_string(), Value::String(task.to_string()));
    if let Some(language) = item.language {
        record.insert(LANGUAGE.to_string(), Value::String(language.to_string()));
    }
    if plan.split != TEST {
        record.insert("split".to_string(), Value::String(plan.split.to_string()));
    }
    record.extend(kept);
    record.extend(extras);
    Ok(record)
}
