//! The run folder.
//!
//! `run.json` says what the run is bound to, `problems.jsonl` holds what is asked,
//! `completions.jsonl` is a journal with a line for each finished completion ([`store::Journal`]),
//! and `verdicts.jsonl` and `summary.json` are derived from these and written last. Files appear
//! whole; the journal only grows, and a partial last line is cut off when the run continues.

use std::collections::HashMap;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use dataset_loader::{Benchmark, Problem};
use serde::Serialize;
use store::{FileError, FolderLock, Journal, JsonLines, read_manifest, write_atomic, write_json};

use crate::error::Error;
use crate::grader::Grader;
use crate::manifest::{RunManifest, SCHEMA, problems_digest};
use crate::record::{CompletionRecord, PromptRecord, VerdictRecord};
use crate::shard::{Shard, ShardRecord};
use crate::summary::Summary;
use crate::template::Template;

/// The file that keeps a second writer out.
const LOCK: &str = "run.lock";
const MANIFEST: &str = "run.json";
const PROBLEMS: &str = "problems.jsonl";
const PROMPTS: &str = "prompts.jsonl";
const COMPLETIONS: &str = "completions.jsonl";
const VERDICTS: &str = "verdicts.jsonl";
const LEFTOVERS: &str = "imported.jsonl";
const SUMMARY: &str = "summary.json";

/// Completions by (id, sample).
pub(crate) type Completions = HashMap<(String, u32), CompletionRecord>;

/// The folder of one run.
#[derive(Clone, Debug)]
pub struct RunFolder {
    path: PathBuf,
    manifest: RunManifest,
    /// The right to write, where it was taken.
    lock: Option<Arc<FolderLock>>,
}

impl RunFolder {
    /// The folder of a run that was started before.
    ///
    /// # Errors
    /// There is no `run.json`, or one that is unreadable, of another version, or no manifest.
    pub fn open(path: &Path) -> Result<Self, Error> {
        match Self::is_run(path) {
            true => Ok(Self {
                path: path.to_path_buf(),
                manifest: read_run_manifest(path)?,
                lock: None,
            }),
            false => Err(Error::NoRun(path.to_path_buf())),
        }
    }

    /// Whether a folder holds a run, or a shard of one.
    pub fn is_run(path: &Path) -> bool {
        path.join(MANIFEST).is_file()
    }

    /// Sees to it that this is a run and no shard of one, which has neither verdicts nor a summary.
    ///
    /// # Errors
    /// [`Error::OneShard`].
    pub fn check_whole(&self) -> Result<(), Error> {
        match self.shard() {
            Some(shard) => Err(Error::OneShard {
                folder: self.path.clone(),
                shard,
            }),
            None => Ok(()),
        }
    }

    fn shard(&self) -> Option<Shard> {
        self.manifest.shard.as_ref().and_then(ShardRecord::shard)
    }

    /// Makes the folder for this run, or opens it where it holds the same run already. What is
    /// there of it stays.
    ///
    /// # Errors
    /// A folder that cannot be written or that another process writes to, that holds other files,
    /// or that holds a run with another identity.
    pub fn create_or_continue(
        path: &Path,
        manifest: RunManifest,
        problems: &[Problem],
    ) -> Result<Self, Error> {
        let not_writable = |source| FileError::NotWritable {
            folder: path.to_path_buf(),
            source,
        };
        std::fs::create_dir_all(path).map_err(not_writable)?;
        // Tried and not read from the permissions, which say nothing of read-only mounts or a
        // superuser.
        tempfile::tempfile_in(path).map_err(not_writable)?;
        // Looked at before the lock is taken: beside its file, problems.jsonl passes for a run's
        // own.
        let exists = path.join(MANIFEST).exists();
        if !exists && holds_other_files(path).map_err(not_writable)? {
            return Err(Error::NotARunFolder(path.to_path_buf()));
        }
        let mut folder = Self {
            path: path.to_path_buf(),
            manifest,
            lock: Some(Arc::new(FolderLock::acquire(path, LOCK)?)),
        };
        store::remove_temporary_files(path);
        if exists {
            let there = read_run_manifest(path)?;
            let differences = there.identity.differences(&folder.manifest.identity);
            if !differences.is_empty() {
                return Err(Error::OtherRun {
                    folder: path.to_path_buf(),
                    differences,
                });
            }
            let asked = folder.shard();
            let shard = std::mem::take(&mut folder.manifest.shard);
            folder.manifest = there;
            if folder.shard() != asked {
                return Err(Error::OtherShard {
                    folder: path.to_path_buf(),
                    there: folder.shard(),
                    asked,
                });
            }
            // What is there stays, with its start, tags and version: only the identity had to
            // agree. The command of a shard is the last one.
            folder.update_manifest(|manifest| manifest.shard = shard)?;
        } else {
            // The manifest comes last: a folder with one has its problems.
            folder.write_lines(PROBLEMS, problems)?;
            folder.write_json(MANIFEST, &folder.manifest)?;
        }
        Ok(folder)
    }

    /// Takes the right to write to it.
    ///
    /// # Errors
    /// Another process has it, or the folder cannot be written.
    pub(crate) fn lock(&mut self) -> Result<(), Error> {
        if self.lock.is_none() {
            self.lock = Some(Arc::new(FolderLock::acquire(&self.path, LOCK)?));
        }
        Ok(())
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What the run is bound to.
    pub fn manifest(&self) -> &RunManifest {
        &self.manifest
    }

    /// Changes the manifest, and writes it where that made a difference.
    pub(crate) fn update_manifest(
        &mut self,
        change: impl FnOnce(&mut RunManifest),
    ) -> Result<(), Error> {
        let before = self.manifest.clone();
        change(&mut self.manifest);
        match self.manifest == before {
            true => Ok(()),
            false => self.write_json(MANIFEST, &self.manifest),
        }
    }

    /// What was asked, in order.
    ///
    /// # Errors
    /// A missing or damaged file, or one that does not match the manifest's digest.
    pub fn problems(&self) -> Result<Vec<Problem>, Error> {
        let file = self.file(PROBLEMS);
        let problems = JsonLines::<Problem>::read_all(&file)?;
        if problems_digest(&problems) != self.manifest.identity.data.problems_digest {
            let message =
                "its content does not match the digest in run.json: it was changed after the run";
            return Err(FileError::corrupt(&file, None, message).into());
        }
        Ok(problems)
    }

    /// The published sets, and the custom sets that the run asked.
    ///
    /// # Errors
    /// A manifest whose custom sets cannot be used.
    pub fn benchmark(&self) -> Result<Benchmark, Error> {
        let benchmark = Benchmark::published()
            .with_recorded(self.manifest.own_sets.clone())
            .map_err(|error| self.corrupt_manifest(error))?;
        Grader::check(&benchmark).map_err(|error| self.corrupt_manifest(error))?;
        Ok(benchmark)
    }

    /// How it was asked.
    ///
    /// # Errors
    /// A manifest whose template cannot be used.
    pub fn template(&self) -> Result<Template, Error> {
        Template::recorded(self.manifest.identity.template.clone())
            .map_err(|error| self.corrupt_manifest(error))
    }

    /// The prompts of problems, in their order, as the run asked them: with the examples before each
    /// question, if it had any.
    ///
    /// Of a run that another program asked: as its files tell them, empty where they do not.
    ///
    /// # Errors
    /// A manifest whose template cannot be used, or refuses a question.
    pub fn prompts(&self, problems: &[Problem]) -> Result<Vec<String>, Error> {
        if self.manifest.identity.imported.is_some() {
            return self.recorded_prompts(problems);
        }
        let template = self.template()?;
        let few_shot = self.manifest.identity.few_shot.as_ref();
        let prompt = |problem: &Problem| {
            let examples = few_shot.map_or(&[][..], |few_shot| few_shot.of_set(&problem.set));
            let rendered = template.render_after(examples, &problem.question);
            rendered.map_err(|source| Error::Template {
                id: problem.id.clone(),
                source,
            })
        };
        problems.iter().map(prompt).collect()
    }

    /// The prompts that `prompts.jsonl` holds.
    fn recorded_prompts(&self, problems: &[Problem]) -> Result<Vec<String>, Error> {
        let file = self.file(PROMPTS);
        let recorded = match file.exists() {
            true => JsonLines::<PromptRecord>::read_all(&file)?,
            false => Vec::new(),
        };
        let recorded: HashMap<&str, &str> = recorded
            .iter()
            .map(|record| (record.id.as_str(), record.prompt.as_str()))
            .collect();
        let prompt = |problem: &Problem| recorded.get(problem.id.as_str()).copied();
        let prompts = problems.iter().map(prompt);
        Ok(prompts
            .map(|prompt| prompt.unwrap_or_default().to_string())
            .collect())
    }

    pub(crate) fn corrupt_manifest(&self, error: impl std::fmt::Display) -> Error {
        FileError::corrupt(&self.file(MANIFEST), None, error.to_string()).into()
    }

    pub(crate) fn corrupt_completions(&self, message: &str) -> Error {
        FileError::corrupt(&self.file(COMPLETIONS), None, message).into()
    }

    /// The finished completions. A partial last line is cut off the file.
    ///
    /// # Errors
    /// A damaged line, a repeated item, or an unreadable file.
    pub(crate) fn resume_completions(&self) -> Result<Completions, Error> {
        let file = self.file(COMPLETIONS);
        if !file.exists() {
            return Ok(HashMap::new());
        }
        store::truncate_partial_line(&file)?;
        self.completions()
    }

    /// The finished completions by (id, sample), a partial last line left out.
    ///
    /// # Errors
    /// A damaged line, a repeated item, or a missing or unreadable file.
    pub fn completions(&self) -> Result<HashMap<(String, u32), CompletionRecord>, Error> {
        let mut completions = HashMap::new();
        store::for_each_record(&self.file(COMPLETIONS), |_, record: CompletionRecord| {
            let key = (record.id.clone(), record.sample);
            match completions.insert(key, record) {
                None => Ok(()),
                // The last one does not win: two lines of an item come from two writers or from an
                // editor, and nothing says which is right.
                Some(_) => Err(
                    "this item was finished before: the file was edited or written twice"
                        .to_string(),
                ),
            }
        })?;
        Ok(completions)
    }

    /// The finished completions of a run that may not have begun to write them.
    ///
    /// # Errors
    /// As for [`Self::completions`].
    pub(crate) fn completions_so_far(&self) -> Result<Completions, Error> {
        match self.file(COMPLETIONS).exists() {
            true => self.completions(),
            false => Ok(HashMap::new()),
        }
    }

    /// Whether the run is finished and judged.
    pub(crate) fn is_judged(&self) -> bool {
        self.file(SUMMARY).exists() && self.file(VERDICTS).exists()
    }

    /// Opens the journal for appending.
    pub(crate) fn journal(&self) -> Result<Journal, Error> {
        Ok(Journal::open(self.file(COMPLETIONS))?)
    }

    /// Replaces the journal by the same records in the order of the problems, so that equal runs
    /// have equal files.
    pub(crate) fn sort_completions(&self, in_order: &[&CompletionRecord]) -> Result<(), Error> {
        self.write(COMPLETIONS, |out| {
            in_order
                .iter()
                // The same lines as the journal appends: a record has one checksum wherever it
                // stands.
                .try_for_each(|record| store::write_record(&mut *out, record))
        })
    }

    /// Writes what the model reads.
    pub(crate) fn write_prompts(
        &self,
        mut prompts: impl Iterator<Item = PromptRecord>,
    ) -> Result<(), Error> {
        self.write(PROMPTS, |out| {
            prompts.try_for_each(|prompt| store::write_line(&mut *out, &prompt))
        })
    }

    /// Writes what the files of another program say and no file of a run has a place for.
    pub(crate) fn write_leftovers(&self, leftovers: &[serde_json::Value]) -> Result<(), Error> {
        self.write_lines(LEFTOVERS, leftovers)
    }

    /// Takes the prompts with their token ids from another folder of the same run.
    pub(crate) fn copy_prompts(&self, from: &Self) -> Result<(), Error> {
        let file = from.file(PROMPTS);
        let prompts = std::fs::read(&file).map_err(|source| FileError::Unreadable {
            file: file.clone(),
            source,
        })?;
        self.write(PROMPTS, |out| out.write_all(&prompts))
    }

    /// Removes what is derived from the completions.
    pub(crate) fn remove_results(&self) -> Result<(), Error> {
        // In the reverse order of writing: a crash in between leaves no summary without its
        // verdicts.
        for file in [SUMMARY, VERDICTS].map(|name| self.file(name)) {
            match std::fs::remove_file(&file) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(FileError::write_failed(&file)(error).into());
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
        // The summary last: where it is, everything is. A crash in between leaves verdicts that are
        // replaced when the run is judged again.
        self.write_lines(VERDICTS, verdicts)?;
        self.write_json(SUMMARY, summary)
    }

    /// The verdicts of a finished run, in the order of its problems.
    ///
    /// # Errors
    /// A missing or damaged file, or a shard.
    pub fn verdicts(&self) -> Result<Vec<VerdictRecord>, Error> {
        self.check_whole()?;
        Ok(JsonLines::read_all(&self.file(VERDICTS))?)
    }

    /// The summary of a finished run.
    ///
    /// # Errors
    /// A missing or damaged file, or a shard.
    pub fn summary(&self) -> Result<Summary, Error> {
        self.check_whole()?;
        let schema = crate::summary::SCHEMA;
        let summary = read_manifest(&self.file(SUMMARY), schema, "a run's summary");
        summary.map_err(|error| match error {
            // Nothing is lost: it can be derived again.
            FileError::Corrupt { file, message, .. } => Error::DamagedSummary {
                folder: self.path.clone(),
                file,
                message,
            },
            error => error.into(),
        })
    }

    fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    fn write_json(&self, name: &str, value: &impl Serialize) -> Result<(), Error> {
        let file = self.file(name);
        write_json(&file, value).map_err(FileError::write_failed(&file))?;
        Ok(())
    }

    fn write_lines<T: Serialize>(&self, name: &str, values: &[T]) -> Result<(), Error> {
        self.write(name, |out| {
            values
                .iter()
                .try_for_each(|value| store::write_line(&mut *out, value))
        })
    }

    fn write(
        &self,
        name: &str,
        fill: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<(), Error> {
        let file = self.file(name);
        write_atomic(&file, fill).map_err(FileError::write_failed(&file))?;
        Ok(())
    }
}

/// Whether a folder without a manifest holds anything but what a run leaves that is killed while it
/// begins: the lock, then the problems, and temporary files. Without the lock the problems are
/// somebody else's.
fn holds_other_files(folder: &Path) -> io::Result<bool> {
    let begun = folder.join(LOCK).exists();
    let is_other = |entry: std::fs::DirEntry| {
        let name = entry.file_name();
        let is_temporary = name.to_string_lossy().starts_with(store::TEMPORARY_PREFIX);
        !(begun && (name == LOCK || name == PROBLEMS || is_temporary))
    };
    Ok(std::fs::read_dir(folder)?.flatten().any(is_other))
}

fn read_run_manifest(folder: &Path) -> Result<RunManifest, FileError> {
    read_manifest(&folder.join(MANIFEST), SCHEMA, "a run's manifest")
}
