//! The run folder.
//!
//! `run.json` says what the run is bound to, `problems.jsonl` holds what is asked,
//! `completions.jsonl` is a journal with a line for each finished completion ([`jobs::Journal`]),
//! and `verdicts.jsonl` and `summary.json` are derived from these and written last. Whole files
//! appear at once (temporary file, then rename); the journal only grows, and a torn last line is
//! dropped.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use dataset_loader::{Benchmark, Problem};
use jobs::{Journal, WriterLock, replace_file, write_line};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::grader::Grader;
use crate::manifest::{Manifest, SCHEMA};
use crate::record::{CompletionRecord, PromptRecord, VerdictRecord};
use crate::summary::Summary;
use crate::template::Template;

/// The file that keeps a second writer out.
const LOCK: &str = "run.lock";
const MANIFEST: &str = "run.json";
const PROBLEMS: &str = "problems.jsonl";
const PROMPTS: &str = "prompts.jsonl";
const COMPLETIONS: &str = "completions.jsonl";
const VERDICTS: &str = "verdicts.jsonl";
const SUMMARY: &str = "summary.json";

/// The folder of one run.
#[derive(Clone, Debug)]
pub struct RunFolder {
    path: PathBuf,
    /// The right to write, where it was taken.
    lock: Option<Arc<WriterLock>>,
}

impl RunFolder {
    /// The folder of a run that was started before.
    ///
    /// # Errors
    /// There is no `run.json`.
    pub fn open(path: &Path) -> Result<Self, Error> {
        match path.join(MANIFEST).is_file() {
            true => Ok(Self {
                path: path.to_path_buf(),
                lock: None,
            }),
            false => Err(Error::NoRun(path.to_path_buf())),
        }
    }

    /// Makes the folder for this run, or opens it where it holds the same run already. What is
    /// there of it stays.
    ///
    /// # Errors
    /// A folder that cannot be written or that another process writes to, that holds other files,
    /// or that holds a run with another identity.
    pub fn create_or_continue(
        path: &Path,
        manifest: &Manifest,
        problems: &[Problem],
    ) -> Result<Self, Error> {
        let not_writable = |source| Error::FolderNotWritable {
            folder: path.to_path_buf(),
            source,
        };
        std::fs::create_dir_all(path).map_err(not_writable)?;
        tempfile::tempfile_in(path).map_err(not_writable)?;
        let mut others = std::fs::read_dir(path)
            .map_err(not_writable)?
            .flatten()
            .filter(|entry| entry.file_name() != LOCK);
        if !path.join(MANIFEST).exists() && others.next().is_some() {
            return Err(Error::NotARunFolder(path.to_path_buf()));
        }
        let folder = Self {
            path: path.to_path_buf(),
            lock: Some(Arc::new(WriterLock::take(path, LOCK)?)),
        };
        if folder.file(MANIFEST).exists() {
            let differences = folder.manifest()?.identity.differences(&manifest.identity);
            if !differences.is_empty() {
                return Err(Error::OtherRun {
                    folder: path.to_path_buf(),
                    differences,
                });
            }
        } else {
            // The manifest comes last: a folder with one has its problems.
            folder.write_lines(PROBLEMS, problems)?;
            folder.write_manifest(manifest)?;
        }
        Ok(folder)
    }

    /// Takes the right to write to it.
    ///
    /// # Errors
    /// Another process has it, or the folder cannot be written.
    pub(crate) fn lock(&mut self) -> Result<(), Error> {
        if self.lock.is_none() {
            self.lock = Some(Arc::new(WriterLock::take(&self.path, LOCK)?));
        }
        Ok(())
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What the run is bound to.
    ///
    /// # Errors
    /// An unreadable file, one of another version, or one that is no manifest.
    pub fn manifest(&self) -> Result<Manifest, Error> {
        let file = self.file(MANIFEST);
        let text = std::fs::read_to_string(&file).map_err(|source| Error::Unreadable {
            file: file.clone(),
            source,
        })?;
        let corrupt = |message| Error::Corrupt {
            file: file.clone(),
            line: None,
            message,
        };
        let value: serde_json::Value =
            serde_json::from_str(&text).map_err(|error| corrupt(format!("not JSON: {error}")))?;
        match value.get("schema").and_then(|schema| schema.as_str()) {
            Some(SCHEMA) => {}
            Some(other) => {
                return Err(corrupt(format!(
                    "written as \"{other}\", this program reads \"{SCHEMA}\""
                )));
            }
            None => {
                return Err(corrupt(
                    "no field \"schema\": not a run's manifest".to_string(),
                ));
            }
        }
        serde_json::from_value(value)
            .map_err(|error| corrupt(format!("not a run's manifest: {error}")))
    }

    /// Replaces the manifest.
    pub(crate) fn write_manifest(&self, manifest: &Manifest) -> Result<(), Error> {
        self.write_pretty(MANIFEST, manifest)
    }

    /// What was asked, in order.
    ///
    /// # Errors
    /// A missing or damaged file, or one that does not match the manifest's digest.
    pub fn problems(&self) -> Result<Vec<Problem>, Error> {
        let problems: Vec<Problem> = read_lines(&self.file(PROBLEMS))?;
        let expected = self.manifest()?.identity.data.problems_digest;
        if problems_digest(&problems) != expected {
            let message =
                "its content does not match the digest in run.json: it was changed after the run"
                    .to_string();
            return Err(Error::Corrupt {
                file: self.file(PROBLEMS),
                line: None,
                message,
            });
        }
        Ok(problems)
    }

    /// The published sets, and the sets of one's own that the run asked.
    ///
    /// # Errors
    /// As for [`RunFolder::manifest`].
    pub fn benchmark(&self) -> Result<Benchmark, Error> {
        let own_sets = self.manifest()?.own_sets;
        let corrupt = |message| Error::Corrupt {
            file: self.file(MANIFEST),
            line: None,
            message,
        };
        let benchmark = Benchmark::published()
            .with(own_sets)
            .map_err(|error| corrupt(error.to_string()))?;
        Grader::check(&benchmark).map_err(|error| corrupt(error.to_string()))?;
        Ok(benchmark)
    }

    /// How it was asked.
    ///
    /// # Errors
    /// As for [`RunFolder::manifest`].
    pub fn template(&self) -> Result<Template, Error> {
        let corrupt = |message| Error::Corrupt {
            file: self.file(MANIFEST),
            line: None,
            message,
        };
        Template::recorded(self.manifest()?.identity.template)
            .map_err(|error| corrupt(error.to_string()))
    }

    /// The finished completions by (id, sample). A torn last line is cut off the file.
    ///
    /// # Errors
    /// A damaged line, a repeated item, or an unreadable file.
    pub(crate) fn resume_completions(
        &self,
    ) -> Result<HashMap<(String, u32), CompletionRecord>, Error> {
        let file = self.file(COMPLETIONS);
        if !file.exists() {
            return Ok(HashMap::new());
        }
        jobs::drop_torn_line(&file)?;
        self.completions()
    }

    /// The finished completions by (id, sample), a torn last line left out.
    ///
    /// # Errors
    /// A damaged line, a repeated item, or a missing or unreadable file.
    pub fn completions(&self) -> Result<HashMap<(String, u32), CompletionRecord>, Error> {
        let file = self.file(COMPLETIONS);
        let mut found = HashMap::new();
        for (index, record) in jobs::read_journal(&file)?.into_iter().enumerate() {
            let record: CompletionRecord = record;
            let key = (record.id.clone(), record.sample);
            if found.insert(key, record).is_some() {
                let message = "this item was finished before: the file was edited or written twice"
                    .to_string();
                return Err(Error::Corrupt {
                    file,
                    line: Some(index + 1),
                    message,
                });
            }
        }
        Ok(found)
    }

    /// Opens the journal for appending.
    pub(crate) fn journal(&self) -> Result<Journal, Error> {
        Ok(Journal::open(self.file(COMPLETIONS))?)
    }

    /// Replaces the journal by the same records in the order of the problems, so that equal runs
    /// have equal files.
    pub(crate) fn settle_completions(&self, in_order: &[&CompletionRecord]) -> Result<(), Error> {
        self.write_whole(COMPLETIONS, |out| {
            in_order
                .iter()
                .try_for_each(|record| jobs::write_checked(&mut *out, record))
        })
    }

    /// Writes what the model reads.
    pub(crate) fn write_prompts(
        &self,
        prompts: impl Iterator<Item = PromptRecord>,
    ) -> Result<(), Error> {
        let mut prompts = prompts;
        self.write_whole(PROMPTS, |out| {
            prompts.try_for_each(|prompt| write_line(&mut *out, &prompt))
        })
    }

    /// Takes away what is derived from the completions.
    pub(crate) fn remove_results(&self) -> Result<(), Error> {
        for name in [SUMMARY, VERDICTS] {
            let file = self.file(name);
            match std::fs::remove_file(&file) {
                Err(source) if source.kind() != io::ErrorKind::NotFound => {
                    return Err(Error::WriteFailed { file, source });
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Writes what is derived from the completions.
    pub(crate) fn write_results(
        &self,
        verdicts: &[VerdictRecord],
        summary: &Summary,
    ) -> Result<(), Error> {
        self.write_lines(VERDICTS, verdicts)?;
        self.write_pretty(SUMMARY, summary)
    }

    /// The verdicts of a finished run, in the order of its problems.
    ///
    /// # Errors
    /// A missing or damaged file.
    pub fn verdicts(&self) -> Result<Vec<VerdictRecord>, Error> {
        read_lines(&self.file(VERDICTS))
    }

    /// The summary of a finished run.
    ///
    /// # Errors
    /// A missing or damaged file.
    pub fn summary(&self) -> Result<Summary, Error> {
        let file = self.file(SUMMARY);
        let text = std::fs::read_to_string(&file).map_err(|source| Error::Unreadable {
            file: file.clone(),
            source,
        })?;
        let corrupt = |message| {
            let message = format!("{message} (write it anew with `mwpbench score RUN`)");
            Error::Corrupt {
                file: file.clone(),
                line: None,
                message,
            }
        };
        // The version first: of another one, any field may be missing.
        let version: Version = serde_json::from_str(&text)
            .map_err(|error| corrupt(format!("not a run's summary: {error}")))?;
        let expected = crate::summary::SCHEMA;
        if version.schema != expected {
            return Err(corrupt(format!(
                "written as \"{}\", this program reads \"{expected}\"",
                version.schema
            )));
        }
        serde_json::from_str(&text)
            .map_err(|error| corrupt(format!("not a summary of this version: {error}")))
    }

    fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    fn write_pretty(&self, name: &str, value: &impl Serialize) -> Result<(), Error> {
        self.write_whole(name, |out| {
            serde_json::to_writer_pretty(&mut *out, value)?;
            out.write_all(b"\n")
        })
    }

    fn write_lines<T: Serialize>(&self, name: &str, values: &[T]) -> Result<(), Error> {
        self.write_whole(name, |out| {
            values
                .iter()
                .try_for_each(|value| write_line(&mut *out, value))
        })
    }

    fn write_whole(
        &self,
        name: &str,
        fill: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<(), Error> {
        let file = self.file(name);
        replace_file(&file, fill).map_err(|source| Error::WriteFailed { file, source })
    }
}

/// The field that every file of the folder begins with.
#[derive(Deserialize)]
struct Version {
    schema: String,
}

/// BLAKE3 (hex) of the problems as lines of JSON.
pub(crate) fn problems_digest(problems: &[Problem]) -> String {
    let mut hasher = blake3::Hasher::new();
    let mut line = Vec::new();
    for problem in problems {
        line.clear();
        write_line(&mut line, problem).expect("writing to memory succeeds");
        hasher.update(&line);
    }
    hasher.finalize().to_hex().to_string()
}

fn read_lines<T: DeserializeOwned>(file: &Path) -> Result<Vec<T>, Error> {
    let unreadable = |source| Error::Unreadable {
        file: file.to_path_buf(),
        source,
    };
    let mut records = Vec::new();
    for line in BufReader::new(File::open(file).map_err(unreadable)?).split(b'\n') {
        records.push(
            serde_json::from_slice(&line.map_err(unreadable)?).map_err(|error| Error::Corrupt {
                file: file.to_path_buf(),
                line: Some(records.len() + 1),
                message: format!("damaged record: {error}"),
            })?,
        );
    }
    Ok(records)
}
