//! The project folder.
//!
//! `project.json` says of each stage what its files were made of: digests of inputs, options,
//! prompt, generator. A stage that is run again with the same finds its files there already, or
//! goes on where it was stopped; with anything else it is refused, and the difference is named.
//! Files appear whole (temporary file, then rename), and the manifest is written after them. What
//! `--fresh` replaces is moved to `replaced/STAGE-N`, not deleted: answers of a model cost money.

mod manifest; // project.json
mod stage; // the stages, their files and their order
mod whole_file; // files that appear at once

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::Serialize;
use store::FolderLock;

use crate::error::{Error, ErrorKind};
use crate::records::Seed;
pub use manifest::{Identity, Input, Manifest, Output, SCHEMA, StageRecord};
pub use stage::{Stage, StageState, StageStatus};
pub use whole_file::WholeFile;

const MANIFEST: &str = "project.json";
const LOCK: &str = "project.lock";
const REPLACED: &str = "replaced";

/// A project folder.
#[derive(Debug)]
pub struct Project {
    folder: PathBuf,
    manifest: Manifest,
    /// The right to write, where it was taken.
    lock: Option<FolderLock>,
}

/// How a stage begins.
#[derive(Clone, Debug, PartialEq)]
pub enum Begun {
    /// It was run to its end with the same inputs and options, and its files are as it wrote them.
    AlreadyThere(Box<StageRecord>),
    /// It was begun with the same inputs and options and not finished: what it kept of its work can
    /// be used.
    Continued,
    /// Nothing of it is there.
    New,
}

impl Project {
    /// Opens a project to look at it.
    ///
    /// # Errors
    /// There is none, or its manifest is damaged or of another version.
    pub fn open(folder: &Path) -> Result<Self, Error> {
        match folder.join(MANIFEST).is_file() {
            true => Ok(Self {
                folder: folder.to_path_buf(),
                manifest: Manifest::read(&folder.join(MANIFEST))?,
                lock: None,
            }),
            false => Err(Error::in_file(folder, ErrorKind::NoProject)),
        }
    }

    /// Opens a project to run a stage, alone; makes the folder where there is none.
    ///
    /// # Errors
    /// A folder that cannot be written, that holds other files, or that another process writes to;
    /// a manifest that is damaged or of another version.
    pub fn open_to_write(folder: &Path) -> Result<Self, Error> {
        let not_writable = |source| Error::in_file(folder, ErrorKind::NotWritable(source));
        fs::create_dir_all(folder).map_err(not_writable)?;
        let manifest = folder.join(MANIFEST);
        let mut others = fs::read_dir(folder)
            .map_err(not_writable)?
            .flatten()
            .filter(|entry| entry.file_name() != LOCK);
        if !manifest.exists() && others.next().is_some() {
            return Err(Error::in_file(folder, ErrorKind::NotAProject));
        }
        let lock = FolderLock::acquire(folder, LOCK)?;
        remove_temporary_files(folder);
        let mut project = Self {
            folder: folder.to_path_buf(),
            manifest: Manifest::new(),
            lock: Some(lock),
        };
        match manifest.exists() {
            true => project.manifest = Manifest::read(&manifest)?,
            false => project.write_manifest()?,
        }
        Ok(project)
    }

    /// Where it is.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// A file in it, whether it is there or not.
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// What was run, and with what.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Begins a stage, or says that it was run before. `fresh` moves what is there of it to
    /// `replaced/`.
    ///
    /// # Errors
    /// [`ErrorKind::Differs`] where it was run with something else and `fresh` is not set;
    /// [`ErrorKind::Changed`] where a file of it is not what it wrote; a folder that cannot be
    /// written.
    ///
    /// # Panics
    /// If the project was opened to look at it only.
    pub fn begin(&mut self, stage: Stage, identity: Identity, fresh: bool) -> Result<Begun, Error> {
        self.begin_keeping(stage, identity, fresh, |_| false)
    }

    /// Begins a stage as [`Project::begin`] does. Where `fresh` is set and the stage differs from
    /// what is there only in fields for which `is_later` holds (`options.merge`), the replies of
    /// its job stay: they are what costs.
    ///
    /// # Errors
    /// As for [`Project::begin`].
    ///
    /// # Panics
    /// As [`Project::begin`].
    pub fn begin_keeping(
        &mut self,
        stage: Stage,
        identity: Identity,
        fresh: bool,
        is_later: impl Fn(&str) -> bool,
    ) -> Result<Begun, Error> {
        assert!(
            self.lock.is_some(),
            "a stage is run in a project that was opened to write"
        );
        if fresh {
            let there = self.manifest.stages.get(&stage);
            let differences = there
                .map(|record| record.identity.differences(&identity))
                .unwrap_or_default();
            let keeps = !differences.is_empty()
                && differences
                    .iter()
                    .all(|difference| is_later(&difference.field));
            self.replace(stage, keeps)?;
        }
        if let Some(record) = self.manifest.stages.get(&stage) {
            let differences = record.identity.differences(&identity);
            if !differences.is_empty() {
                return Err(Error::in_file(
                    &self.folder,
                    ErrorKind::Differs { stage, differences },
                ));
            }
            if record.finished.is_none() {
                return Ok(Begun::Continued);
            }
            for (name, output) in &record.outputs {
                self.check(stage, name, output)?;
            }
            return Ok(Begun::AlreadyThere(Box::new(record.clone())));
        }
        self.manifest
            .stages
            .insert(stage, StageRecord::begun(identity));
        self.write_manifest()?;
        Ok(Begun::New)
    }

    /// Ends a stage that was begun: `outputs` are its files in place, `counts` what the manifest
    /// should tell of it.
    ///
    /// # Errors
    /// The manifest cannot be written.
    ///
    /// # Panics
    /// If the stage was not begun.
    pub fn finish(
        &mut self,
        stage: Stage,
        outputs: BTreeMap<String, Output>,
        counts: BTreeMap<String, u64>,
    ) -> Result<StageRecord, Error> {
        let record = self
            .manifest
            .stages
            .get_mut(&stage)
            .expect("a stage is begun before it ends");
        record.outputs = outputs;
        record.counts = counts;
        record.finished = Some(Timestamp::now());
        let record = record.clone();
        self.write_manifest()?;
        Ok(record)
    }

    /// A file of an earlier stage, checked: the stage was run to its end, is not stale, and the
    /// file is as it was written.
    ///
    /// # Errors
    /// [`ErrorKind::NotYet`], [`ErrorKind::Stale`] or [`ErrorKind::Changed`].
    pub fn input(&self, stage: Stage, name: &str) -> Result<Input, Error> {
        let not_yet = || Error::in_file(&self.folder, ErrorKind::NotYet { stage });
        let record = self
            .manifest
            .stages
            .get(&stage)
            .filter(|record| record.finished.is_some())
            .ok_or_else(not_yet)?;
        let output = record.outputs.get(name).ok_or_else(not_yet)?;
        if let Some(input) = self.changed_input(record) {
            return Err(Error::in_file(
                &self.folder,
                ErrorKind::Stale { stage, input },
            ));
        }
        self.check(stage, name, output)?;
        Ok(Input {
            file: name.to_string(),
            stage: Some(stage),
            blake3: output.blake3.clone(),
        })
    }

    /// How far each stage is, in order.
    pub fn status(&self) -> Vec<StageStatus> {
        let status = |stage| {
            let record = self.manifest.stages.get(&stage).cloned();
            let state = match &record {
                None => StageState::NotRun,
                Some(record) if record.finished.is_none() => StageState::Unfinished,
                Some(record) => match self.changed_input(record) {
                    Some(input) => StageState::Stale { input },
                    None => match record
                        .outputs
                        .keys()
                        .find(|name| !self.file(name).is_file())
                    {
                        Some(file) => StageState::Lost { file: file.clone() },
                        None => StageState::Done,
                    },
                },
            };
            StageStatus {
                stage,
                state,
                record,
            }
        };
        Stage::ALL.into_iter().map(status).collect()
    }

    /// Writes a file whole.
    ///
    /// # Errors
    /// The disk is full, or the folder cannot be written.
    pub fn write(
        &self,
        name: &str,
        fill: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<Output, Error> {
        let file = self.file(name);
        let write = || {
            let mut whole = WholeFile::begin(&self.folder)?;
            fill(&mut whole)?;
            whole.put(&file)
        };
        write().map_err(|source| Error::in_file(&file, ErrorKind::WriteFailed(source)))
    }

    /// Writes a file of JSON Lines whole.
    ///
    /// # Errors
    /// As [`Project::write`].
    pub fn write_lines<T: Serialize>(
        &self,
        name: &str,
        records: impl IntoIterator<Item = T>,
    ) -> Result<Output, Error> {
        self.write(name, |out| {
            records.into_iter().try_for_each(|record| {
                serde_json::to_writer(&mut *out, &record)?;
                out.write_all(b"\n")
            })
        })
    }

    /// Writes a JSON file whole, for people to read.
    ///
    /// # Errors
    /// As [`Project::write`].
    pub fn write_json(&self, name: &str, value: &impl Serialize) -> Result<Output, Error> {
        self.write(name, |out| {
            serde_json::to_writer_pretty(&mut *out, value)?;
            out.write_all(b"\n")
        })
    }

    fn write_manifest(&self) -> Result<(), Error> {
        self.write_json(MANIFEST, &self.manifest).map(|_| ())
    }

    /// The input of a stage that is another file of this project now, or that would be if its own
    /// stage were run again.
    fn changed_input(&self, record: &StageRecord) -> Option<String> {
        let changed = |input: &&Input| {
            let Some(stage) = input.stage else {
                return false;
            };
            let Some(source) = self.manifest.stages.get(&stage) else {
                return true;
            };
            let same = source
                .outputs
                .get(&input.file)
                .is_some_and(|output| output.blake3 == input.blake3);
            !same || self.changed_input(source).is_some()
        };
        record
            .identity
            .inputs
            .values()
            .find(changed)
            .map(|input| input.file.clone())
    }

    /// Whether a file is as the stage wrote it.
    fn check(&self, stage: Stage, name: &str, output: &Output) -> Result<(), Error> {
        let file = self.file(name);
        let same = match fs::metadata(&file) {
            Ok(there) => there.len() == output.bytes && digest_file(&file)? == output.blake3,
            Err(_) => false,
        };
        if same {
            Ok(())
        } else {
            Err(Error::in_file(&file, ErrorKind::Changed { stage }))
        }
    }

    /// Moves the files of a stage aside, those of its job only where they are not kept, and forgets
    /// its record.
    fn replace(&mut self, stage: Stage, keeps_job: bool) -> Result<(), Error> {
        let recorded = self
            .manifest
            .stages
            .get(&stage)
            .map(|record| record.outputs.keys().cloned().collect());
        let mut names: Vec<String> = recorded.unwrap_or_default();
        names.extend(stage.files().iter().map(|name| name.to_string()));
        names.sort_unstable();
        names.dedup();
        let is_of_job = |name: &str| {
            [".job.json", ".replies.jsonl"]
                .iter()
                .any(|ending| name.ends_with(ending))
        };
        names.retain(|name| self.file(name).exists() && !(keeps_job && is_of_job(name)));
        let failed = |source| Error::in_file(&self.folder, ErrorKind::WriteFailed(source));
        if !names.is_empty() {
            let place = (1..)
                .map(|n| self.file(REPLACED).join(format!("{stage}-{n}")))
                .find(|place| !place.exists());
            let place = place.expect("there are more numbers than folders");
            fs::create_dir_all(&place).map_err(failed)?;
            // A folder comes before the files in it, and takes them along.
            for name in &names {
                if !self.file(name).exists() {
                    continue;
                }
                fs::rename(self.file(name), place.join(name)).map_err(failed)?;
            }
        }
        // Last: a stage whose files were moved and whose record stands is refused as changed, never
        // taken for whole.
        if self.manifest.stages.remove(&stage).is_some() {
            self.write_manifest()?;
        }
        Ok(())
    }
}

impl Input {
    /// A file from outside of the project.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn of_file(file: &Path) -> Result<Self, Error> {
        Ok(Self {
            file: file.display().to_string(),
            stage: None,
            blake3: digest_file(file)?,
        })
    }

    /// Seeds that come from no single file; `label` says from where.
    pub fn of_seeds(label: &str, seeds: &[Seed]) -> Self {
        let mut hasher = blake3::Hasher::new();
        for seed in seeds {
            let line = serde_json::to_vec(seed).expect("writing to memory succeeds");
            hasher.update(&line).update(b"\n");
        }
        Self {
            file: label.to_string(),
            stage: None,
            blake3: hasher.finalize().to_hex().to_string(),
        }
    }
}

/// BLAKE3 (hex) of a file.
fn digest_file(file: &Path) -> Result<String, Error> {
    let mut hasher = blake3::Hasher::new();
    let handle = fs::File::open(file)
        .map_err(|source| Error::in_file(file, ErrorKind::Unreadable(source)))?;
    hasher
        .update_reader(handle)
        .map_err(|source| Error::in_file(file, ErrorKind::Unreadable(source)))?;
    Ok(hasher.finalize().to_hex().to_string())
}

/// What a killed process left half-written. Only the holder of the lock may do so.
fn remove_temporary_files(folder: &Path) {
    let temporary = |entry: &fs::DirEntry| {
        entry
            .file_name()
            .to_string_lossy()
            .starts_with(whole_file::TEMPORARY)
    };
    for entry in fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .filter(temporary)
    {
        let _ = fs::remove_file(entry.path());
    }
}
