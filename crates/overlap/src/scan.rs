//! Training files, streamed and looked up on all cores.
//!
//! One reader goes through the files and hands out batches of about a mebibyte; whoever is free
//! takes the next one. What is kept is one match of each kind an item, so memory does not grow with
//! the files. Matches are chosen by score and place, so the report is the same whatever the number
//! of threads.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use rayon::iter::{ParallelBridge, ParallelIterator};
use record_files::{FileFormat, Place, Record, Records};
use serde_json::Value;

use crate::error::Error;
use crate::index::{Hit, Index, Scratch};
use crate::ngrams::Coverage;
use crate::report::{MatchedItem, OverlapReport, SCHEMA, SetCounts, TrainingFile, TrainingMatch};
use crate::training::{self, Unreadable};

const BATCH_BYTES: u64 = 1 << 20;
const BATCH_RECORDS: usize = 4096;
/// Plain text: so many lines without a blank one between them are also matched as a whole. More
/// are lines that stand for themselves.
const MAX_PARAGRAPH_LINES: usize = 16;
const MAX_QUESTION_CHARS: usize = 2000;

/// How far the reading has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScanProgress {
    /// Bytes read of all files.
    pub bytes: u64,
    /// Bytes of all files.
    pub total_bytes: u64,
    /// Records read.
    pub records: usize,
}

/// Looks every question of the training files up in the index. `field` names the field that holds
/// the question, where it is not to be recognised from the keys. `progress` is called for each
/// batch.
///
/// # Errors
///
/// A file that cannot be read, is damaged or empty, or a record without a question that is
/// recognised. The first in the order of the files is reported.
pub fn scan(
    index: &Index,
    files: &[PathBuf],
    field: Option<&str>,
    progress: &mut (dyn FnMut(ScanProgress) + Send),
) -> Result<OverlapReport, Error> {
    let coverage = index.coverage();
    let stop = AtomicBool::new(false);
    let search = Search {
        index,
        coverage: &coverage,
        files,
        field,
        stop: &stop,
    };
    let results = Batches::new(files, &stop, progress)
        .par_bridge()
        .fold(ThreadResults::default, |results, batch| {
            search.add(results, batch)
        })
        .reduce(ThreadResults::default, |one, other| {
            one.merge(other, files.len())
        });
    if let Some((_, _, error)) = results.error {
        return Err(error);
    }
    let training = files.iter().enumerate().map(|(file, path)| {
        let (records, questions) = results.counts.get(file).copied().unwrap_or_default();
        TrainingFile {
            path: path.clone(),
            records,
            questions,
        }
    });
    let training: Vec<TrainingFile> = training.collect();
    match training.iter().find(|file| file.records == 0) {
        Some(empty) => Err(Error::NoRecords(empty.path.clone())),
        None => Ok(report(index, &coverage, files, training, &results.found)),
    }
}

/// A part of a file.
struct Batch {
    file: usize,
    records: Vec<Record>,
    /// Paragraphs of plain text, which are no records of their own.
    paragraphs: Vec<Record>,
    /// Where reading failed after these records.
    error: Option<Error>,
}

/// The files in batches.
struct Batches<'a> {
    files: &'a [PathBuf],
    sizes: Vec<u64>,
    /// The file being read.
    file: usize,
    reader: Option<Records>,
    paragraph: Vec<(usize, String)>,
    stop: &'a AtomicBool,
    records: usize,
    progress: &'a mut (dyn FnMut(ScanProgress) + Send),
}

impl<'a> Batches<'a> {
    fn new(
        files: &'a [PathBuf],
        stop: &'a AtomicBool,
        progress: &'a mut (dyn FnMut(ScanProgress) + Send),
    ) -> Self {
        let size = |path: &PathBuf| std::fs::metadata(path).map_or(0, |metadata| metadata.len());
        let sizes = files.iter().map(size).collect();
        Self {
            files,
            sizes,
            file: 0,
            reader: None,
            paragraph: Vec::new(),
            stop,
            records: 0,
            progress,
        }
    }

    fn report_progress(&mut self) {
        let before: u64 = self.sizes[..self.file].iter().sum();
        let bytes = before + self.reader.as_ref().map_or(0, Records::bytes_read);
        (self.progress)(ScanProgress {
            bytes,
            total_bytes: self.sizes.iter().sum(),
            records: self.records,
        });
    }

    /// Fills the batch from the open file; false at the file's end.
    fn fill(&mut self, reader: &mut Records, batch: &mut Batch) -> bool {
        let begin = reader.bytes_read();
        while batch.records.len() < BATCH_RECORDS && reader.bytes_read() - begin < BATCH_BYTES {
            match reader.next() {
                Some(Ok(record)) => {
                    if reader.format() == FileFormat::Text {
                        self.add_to_paragraph(&record, batch);
                    }
                    batch.records.push(record);
                }
                Some(Err(error)) => {
                    batch.error = Some(error.into());
                    return false;
                }
                None => {
                    self.end_paragraph(batch);
                    return false;
                }
            }
        }
        true
    }

    fn add_to_paragraph(&mut self, record: &Record, batch: &mut Batch) {
        let line = record.place.number();
        if self
            .paragraph
            .last()
            .is_some_and(|(last, _)| last + 1 != line)
        {
            self.end_paragraph(batch);
        }
        let text = match (&record.value, self.paragraph.len()) {
            // Too long a paragraph needs its length only.
            (Value::String(text), ..=MAX_PARAGRAPH_LINES) => text.clone(),
            _ => String::new(),
        };
        self.paragraph.push((line, text));
    }

    fn end_paragraph(&mut self, batch: &mut Batch) {
        if (2..=MAX_PARAGRAPH_LINES).contains(&self.paragraph.len()) {
            let lines: Vec<&str> = self
                .paragraph
                .iter()
                .map(|(_, line)| line.as_str())
                .collect();
            let place = Place::Line(self.paragraph[0].0);
            batch.paragraphs.push(Record {
                place,
                value: Value::String(lines.join("\n")),
            });
        }
        self.paragraph.clear();
    }
}

impl Iterator for Batches<'_> {
    type Item = Batch;

    fn next(&mut self) -> Option<Batch> {
        while self.file < self.files.len() && !self.stop.load(Ordering::Relaxed) {
            let mut batch = Batch {
                file: self.file,
                records: Vec::new(),
                paragraphs: Vec::new(),
                error: None,
            };
            let opened = match self.reader.take() {
                Some(reader) => Ok(reader),
                None => record_files::open(&self.files[self.file]),
            };
            match opened {
                Ok(mut reader) => {
                    let goes_on = self.fill(&mut reader, &mut batch);
                    self.reader = goes_on.then_some(reader);
                }
                Err(error) => batch.error = Some(error.into()),
            }
            self.records += batch.records.len();
            if self.reader.is_none() {
                self.file += 1;
            }
            self.report_progress();
            if batch.error.is_some() {
                self.stop.store(true, Ordering::Relaxed);
            }
            if !batch.records.is_empty() || batch.error.is_some() {
                return Some(batch);
            }
        }
        None
    }
}

/// What one thread has found so far.
#[derive(Default)]
struct ThreadResults {
    /// Records and questions a file.
    counts: Vec<(usize, usize)>,
    found: HashMap<usize, ItemMatches>,
    /// The first error, by file and record.
    error: Option<(usize, usize, Error)>,
}

/// The matches of an item.
#[derive(Default)]
struct ItemMatches {
    exact: Option<BestMatch>,
    ngram: Option<BestMatch>,
    near: Option<BestMatch>,
}

struct BestMatch {
    score: f64,
    times: usize,
    file: usize,
    place: Place,
    question: String,
}

struct Search<'a> {
    index: &'a Index,
    coverage: &'a Coverage,
    files: &'a [PathBuf],
    field: Option<&'a str>,
    stop: &'a AtomicBool,
}

impl Search<'_> {
    fn add(&self, mut results: ThreadResults, batch: Batch) -> ThreadResults {
        let mut scratch = Scratch::default();
        // Here, as the identity of the fold knows no number of files.
        results.counts.resize(self.files.len(), (0, 0));
        let mut last = 0;
        for record in &batch.records {
            last = record.place.number();
            match training::questions(&record.value, self.field) {
                Ok(questions) => {
                    results.counts[batch.file].0 += 1;
                    results.counts[batch.file].1 += questions
                        .iter()
                        .filter(|question| !question.variant)
                        .count();
                    for question in &questions {
                        self.look_up(
                            &question.text,
                            batch.file,
                            record.place,
                            &mut scratch,
                            &mut results,
                        );
                    }
                }
                Err(error) => {
                    // The reader hands out batches in the order of the files: whatever comes before
                    // this record is with a thread already, so that an earlier error is still
                    // found.
                    self.stop.store(true, Ordering::Relaxed);
                    results.fail(
                        batch.file,
                        last,
                        refused(&self.files[batch.file], record.place, self.field, error),
                    );
                    return results;
                }
            }
        }
        // Lines were looked up one by one; a problem that was wrapped is found as a whole only.
        // Neither a record nor a question is counted for it.
        for paragraph in &batch.paragraphs {
            let text = paragraph.value.as_str().unwrap_or_default();
            self.look_up(
                text,
                batch.file,
                paragraph.place,
                &mut scratch,
                &mut results,
            );
        }
        if let Some(error) = batch.error {
            results.fail(batch.file, last + 1, error);
        }
        results
    }

    fn look_up(
        &self,
        text: &str,
        file: usize,
        place: Place,
        scratch: &mut Scratch,
        results: &mut ThreadResults,
    ) {
        for Hit {
            item,
            exact,
            share,
            near,
        } in self.index.look_up(text, scratch, Some(self.coverage))
        {
            let kinds = results.found.entry(item).or_default();
            if exact {
                add(&mut kinds.exact, 1.0, file, place, text);
            }
            if share > 0.0 {
                add(&mut kinds.ngram, share, file, place, text);
            }
            if let Some(index) = near {
                add(&mut kinds.near, index, file, place, text);
            }
        }
    }
}

fn refused(file: &Path, place: Place, field: Option<&str>, error: Unreadable) -> Error {
    let file = file.to_path_buf();
    match error {
        Unreadable::Unrecognised(shape) => Error::Unrecognised { file, place, shape },
        Unreadable::NoField(shape) => Error::NoField {
            file,
            place,
            field: field.unwrap_or_default().to_owned(),
            shape,
        },
    }
}

fn add(best: &mut Option<BestMatch>, score: f64, file: usize, place: Place, text: &str) {
    match best {
        Some(best) => {
            best.times += 1;
            if best.is_beaten_by(score, file, place) {
                *best = BestMatch {
                    score,
                    times: best.times,
                    file,
                    place,
                    question: cut(text),
                };
            }
        }
        None => {
            *best = Some(BestMatch {
                score,
                times: 1,
                file,
                place,
                question: cut(text),
            })
        }
    }
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(MAX_QUESTION_CHARS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

impl BestMatch {
    /// The larger score, and of equal ones the first in the files.
    fn is_beaten_by(&self, score: f64, file: usize, place: Place) -> bool {
        score > self.score || (score == self.score && (file, place) < (self.file, self.place))
    }

    fn merge(one: Option<Self>, other: Option<Self>) -> Option<Self> {
        match (one, other) {
            (Some(one), Some(other)) => {
                let times = one.times + other.times;
                let best = if one.is_beaten_by(other.score, other.file, other.place) {
                    other
                } else {
                    one
                };
                Some(Self { times, ..best })
            }
            (one, other) => one.or(other),
        }
    }
}

impl ThreadResults {
    fn fail(&mut self, file: usize, record: usize, error: Error) {
        if self
            .error
            .as_ref()
            .is_none_or(|(at_file, at, _)| (file, record) < (*at_file, *at))
        {
            self.error = Some((file, record, error));
        }
    }

    fn merge(mut self, other: Self, files: usize) -> Self {
        self.counts.resize(files, (0, 0));
        for (own, more) in self.counts.iter_mut().zip(other.counts) {
            *own = (own.0 + more.0, own.1 + more.1);
        }
        for (item, kinds) in other.found {
            let own = self.found.remove(&item).unwrap_or_default();
            let merged = ItemMatches {
                exact: BestMatch::merge(own.exact, kinds.exact),
                ngram: BestMatch::merge(own.ngram, kinds.ngram),
                near: BestMatch::merge(own.near, kinds.near),
            };
            self.found.insert(item, merged);
        }
        if let Some((file, record, error)) = other.error {
            self.fail(file, record, error);
        }
        self
    }
}

fn report(
    index: &Index,
    coverage: &Coverage,
    files: &[PathBuf],
    training: Vec<TrainingFile>,
    found: &HashMap<usize, ItemMatches>,
) -> OverlapReport {
    let options = index.options();
    let mut sets: Vec<SetCounts> = Vec::new();
    let mut items = Vec::new();
    for (number, item) in index.items().iter().enumerate() {
        let at = sets
            .iter()
            .position(|counts| counts.set == item.set)
            .unwrap_or_else(|| {
                let set = item.set.clone();
                sets.push(SetCounts {
                    set,
                    items: 0,
                    exact: 0,
                    ngram: 0,
                    near: 0,
                    contaminated: 0,
                });
                sets.len() - 1
            });
        let counts = &mut sets[at];
        counts.items += 1;
        let Some(kinds) = found.get(&number) else {
            continue;
        };
        let best = Hit {
            item: number,
            exact: kinds.exact.is_some(),
            share: kinds.ngram.as_ref().map_or(0.0, |best| best.score),
            near: kinds.near.as_ref().map(|best| best.score),
        };
        let contaminated = best.contaminates(&options);
        counts.exact += usize::from(kinds.exact.is_some());
        counts.ngram += usize::from(kinds.ngram.is_some());
        counts.near += usize::from(kinds.near.is_some());
        counts.contaminated += usize::from(contaminated);
        let match_of = |best: &Option<BestMatch>| {
            let best = best.as_ref()?;
            Some(TrainingMatch::new(
                best.score,
                best.times,
                &files[best.file],
                best.place,
                best.question.clone(),
            ))
        };
        items.push(MatchedItem {
            id: item.id.clone(),
            set: item.set.clone(),
            question: item.text.clone(),
            contaminated,
            covered: index.covered(number, coverage),
            exact: match_of(&kinds.exact),
            ngram: match_of(&kinds.ngram),
            near: match_of(&kinds.near),
        });
    }
    OverlapReport {
        schema: SCHEMA,
        options,
        training,
        sets,
        items,
    }
}
