//! The project folder.
//!
//! `project.json` says of each stage what its files were made of: digests of inputs, options,
//! prompt, generator. A stage that is run again with the same finds its files there already, or
//! goes on where it was stopped; with anything else it is refused, and the difference is named. The
//! manifest is written after the files that it speaks of. What a new run replaces is moved to
//! `replaced/STAGE-N`, not deleted: replies of a model cost money.

mod manifest; // project.json

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::Serialize;
use store::{Difference, FileDigest, FileError, FolderLock};

use crate::error::{Error, ErrorKind};
use crate::fault_kind::ReplyCounts;
use crate::stage::Stage;
pub use manifest::{Input, ProjectManifest, SCHEMA, StageIdentity, StageRecord};

const MANIFEST: &str = "project.json";
const LOCK: &str = "project.lock";
const REPLACED: &str = "replaced";
/// What the names of journals end with.
const JOURNAL: &str = ".replies.jsonl";

/// A project folder.
#[derive(Debug)]
pub struct Project {
    folder: PathBuf,
    manifest: ProjectManifest,
    /// The right to write, where it was acquired.
    lock: Option<FolderLock>,
}

/// How a stage begins.
#[derive(Clone, Debug, PartialEq)]
pub enum StageStart {
    /// It was run to its end with the same inputs and options, and its files are as it wrote them.
    AlreadyThere(Box<StageRecord>),
    /// It was begun with the same inputs and options and not finished: the replies in its journal
    /// can be used.
    Resumed,
    /// Nothing of it is there.
    New,
}

/// What a difference in the identity of a stage means for the replies of a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Others are needed.
    Replies,
    /// They are read in another way.
    Reading,
    /// More are needed: those that are there count, and nobody has to ask for a replacement.
    Grows,
}

/// How far a stage is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StageState {
    /// Never begun.
    NotRun,
    /// Begun and not run to its end.
    Unfinished,
    /// Run to its end.
    Done,
    /// Run to its end, with an input that has changed since.
    Stale {
        /// Name of the file.
        input: String,
    },
    /// Run to its end, and a file of it is gone.
    Lost {
        /// Name of the file.
        file: String,
    },
}

/// A stage of a project.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StageStatus {
    /// The stage.
    pub stage: Stage,
    /// How far it is.
    pub state: StageState,
    /// What the manifest holds of it, where it was begun.
    pub record: Option<StageRecord>,
    /// How many replies of a model could be used, where one was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replies: Option<ReplyCounts>,
}

impl Project {
    /// Opens a project to read it.
    ///
    /// # Errors
    /// There is none, or its manifest is damaged or of another version.
    pub fn open(folder: &Path) -> Result<Self, Error> {
        if !folder.join(MANIFEST).is_file() {
            return Err(Error::in_file(folder, ErrorKind::NoProject));
        }
        Ok(Self {
            folder: folder.to_path_buf(),
            manifest: read_manifest(folder)?,
            lock: None,
        })
    }

    /// Opens a project to run a stage, alone; makes the folder where there is none.
    ///
    /// # Errors
    /// A folder that cannot be written, that holds other files, or that another process writes to;
    /// a manifest that is damaged or of another version.
    pub fn open_to_write(folder: &Path) -> Result<Self, Error> {
        let exists = folder.join(MANIFEST).exists();
        if !exists && folder.exists() {
            // Before the lock, whose file would be one more in a folder that is not ours.
            let entries = fs::read_dir(folder).map_err(FileError::unreadable(folder))?;
            // A project that was killed while it began has its lock, and perhaps a temporary file.
            let begun = folder.join(LOCK).exists();
            let is_other = |entry: fs::DirEntry| {
                let name = entry.file_name();
                let is_temporary = name.to_string_lossy().starts_with(store::TEMPORARY_PREFIX);
                name != LOCK && !(begun && is_temporary)
            };
            if entries.flatten().any(is_other) {
                return Err(Error::in_file(folder, ErrorKind::NotAProject));
            }
        }
        let lock = FolderLock::acquire(folder, LOCK)?;
        store::remove_temporary_files(folder);
        let mut project = Self {
            folder: folder.to_path_buf(),
            manifest: ProjectManifest::new(),
            lock: Some(lock),
        };
        match exists {
            true => project.manifest = read_manifest(folder)?,
            false => project.write_manifest()?,
        }
        Ok(project)
    }

    /// Its folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// A file in it, whether it is there or not.
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// What was run, and with what.
    pub fn manifest(&self) -> &ProjectManifest {
        &self.manifest
    }

    /// Begins a stage, or says that it was run before. `fresh` moves what is there of it to
    /// `replaced/`, unless that was begun by such a call and not finished: then it is continued.
    ///
    /// `changes` says which differences from what is there leave the replies of a model as they
    /// are: they are what costs, and stay.
    ///
    /// # Errors
    /// [`ErrorKind::Differs`] where it was run with something else and `fresh` is not set;
    /// [`ErrorKind::Changed`] where a file of it is not what it wrote; a folder that cannot be
    /// written.
    ///
    /// # Panics
    /// If the project was opened to read it only.
    pub fn begin(
        &mut self,
        stage: Stage,
        identity: StageIdentity,
        fresh: bool,
        changes: impl Fn(&Difference) -> Change,
    ) -> Result<StageStart, Error> {
        assert!(
            self.lock.is_some(),
            "a stage is run in a project that was opened to write"
        );
        if let Some(record) = self.manifest.stages.get(&stage) {
            let differences = record.identity.differences(&identity);
            let all = |wanted: fn(Change) -> bool| {
                !differences.is_empty() && differences.iter().all(|found| wanted(changes(found)))
            };
            let grows = all(|change| change == Change::Grows);
            let keeps_replies = all(|change| change != Change::Replies);
            // A call with `fresh` that was stopped goes on by the same call: to begin anew each
            // time would ask a model for the same replies again and again.
            let is_continued =
                differences.is_empty() && (!fresh || record.fresh && record.finished.is_none());
            if !is_continued {
                if !fresh && !grows {
                    let kind = ErrorKind::Differs { stage, differences };
                    return Err(Error::in_file(&self.folder, kind));
                }
                self.replace(stage, keeps_replies)?;
            }
        } else if fresh {
            // What a replacement that was killed has left.
            // With its record gone nothing says what it differed in, so its replies move too.
            self.replace(stage, false)?;
        }
        match self.manifest.stages.get(&stage) {
            Some(record) if record.finished.is_none() => Ok(StageStart::Resumed),
            // Hashed again each time: an `already there` vouches for the files, not only for the
            // record.
            Some(record) => {
                for (name, output) in &record.outputs {
                    self.check(stage, name, output)?;
                }
                Ok(StageStart::AlreadyThere(Box::new(record.clone())))
            }
            None => {
                let record = StageRecord::begun(identity, fresh);
                self.manifest.stages.insert(stage, record);
                self.write_manifest()?;
                Ok(StageStart::New)
            }
        }
    }

    /// Ends a stage that was begun: `outputs` are its files in place, `counts` what the manifest
    /// says of it.
    ///
    /// # Errors
    /// The manifest cannot be written.
    ///
    /// # Panics
    /// If the stage was not begun.
    pub fn finish(
        &mut self,
        stage: Stage,
        outputs: BTreeMap<String, FileDigest>,
        counts: BTreeMap<String, u64>,
    ) -> Result<StageRecord, Error> {
        let record = self.manifest.stages.get_mut(&stage);
        let record = record.expect("a stage is begun before it ends");
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
        let record = self.manifest.stages.get(&stage);
        let record = record.filter(|record| record.finished.is_some());
        let record = record.ok_or_else(not_yet)?;
        let output = record.outputs.get(name).ok_or_else(not_yet)?;
        if let Some(input) = self.changed_input(record) {
            let kind = ErrorKind::Stale { stage, input };
            return Err(Error::in_file(&self.folder, kind));
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
            let record = self.manifest.stages.get(&stage);
            StageStatus {
                stage,
                state: record.map_or(StageState::NotRun, |record| self.state(record)),
                record: record.cloned(),
                replies: record.and_then(|record| self.replies(stage, record)),
            }
        };
        Stage::ALL.into_iter().map(status).collect()
    }

    /// Of a stage that is not finished, those of its journals: that it is of no use to go on should
    /// be known before its end.
    fn replies(&self, stage: Stage, record: &StageRecord) -> Option<ReplyCounts> {
        if record.finished.is_some() {
            return ReplyCounts::of_record(record);
        }
        let journals = stage.files().iter().map(|name| self.file(name));
        ReplyCounts::of_journals(
            journals.filter(|file| file.to_string_lossy().ends_with(JOURNAL) && file.is_file()),
        )
    }

    fn state(&self, record: &StageRecord) -> StageState {
        if record.finished.is_none() {
            return StageState::Unfinished;
        }
        if let Some(input) = self.changed_input(record) {
            return StageState::Stale { input };
        }
        let mut files = record.outputs.keys();
        // Not hashed: a status must be quick with gigabytes of files. What reads a file hashes it.
        match files.find(|name| !self.file(name).is_file()) {
            Some(file) => StageState::Lost { file: file.clone() },
            None => StageState::Done,
        }
    }

    fn write_manifest(&self) -> Result<(), Error> {
        let file = self.file(MANIFEST);
        store::write_json(&file, &self.manifest).map_err(FileError::write_failed(&file))?;
        Ok(())
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
            let output = source.outputs.get(&input.file);
            let same = output.is_some_and(|output| output.blake3 == input.blake3);
            // Through all stages before it. Each reads earlier ones only, so this ends.
            !same || self.changed_input(source).is_some()
        };
        let changed = record.identity.inputs.values().find(changed)?;
        Some(changed.file.clone())
    }

    /// Whether a file is as the stage wrote it.
    fn check(&self, stage: Stage, name: &str, output: &FileDigest) -> Result<(), Error> {
        let file = self.file(name);
        let same = match fs::metadata(&file) {
            // A file of another length needs no reading.
            Ok(there) if there.len() != output.bytes => false,
            Ok(_) => store::digest_file(&file).map_err(FileError::unreadable(&file))? == *output,
            Err(_) => false,
        };
        match same {
            true => Ok(()),
            false => Err(Error::in_file(&file, ErrorKind::Changed { stage })),
        }
    }

    /// Moves the files of a stage to `replaced/`, those of its job only where they are not kept,
    /// and removes its record.
    fn replace(&mut self, stage: Stage, keeps_job: bool) -> Result<(), Error> {
        let recorded = self.manifest.stages.get(&stage).into_iter();
        let recorded = recorded.flat_map(|record| record.outputs.keys().cloned());
        let known = stage.files().iter().map(|name| name.to_string());
        // A job is its manifest and its journal; one without the other could not be continued.
        let is_of_job = |name: &String| name.ends_with(".job.json") || name.ends_with(JOURNAL);
        let mut names: BTreeSet<String> = recorded.chain(known).collect();
        names.retain(|name| self.file(name).exists() && !(keeps_job && is_of_job(name)));
        if !names.is_empty() {
            let mut places = (1..).map(|n| self.file(REPLACED).join(format!("{stage}-{n}")));
            let place = places.find(|place| !place.exists());
            let place = place.expect("there are more numbers than folders");
            fs::create_dir_all(&place).map_err(FileError::write_failed(&place))?;
            // A folder comes before the files in it, and moves with them.
            for name in &names {
                let file = self.file(name);
                if file.exists() {
                    fs::rename(&file, place.join(name)).map_err(FileError::write_failed(&file))?;
                }
            }
        }
        // Last: a stage whose files were moved and whose record stands is refused as changed, and
        // never passes for finished.
        if self.manifest.stages.remove(&stage).is_some() {
            self.write_manifest()?;
        }
        Ok(())
    }
}

fn read_manifest(folder: &Path) -> Result<ProjectManifest, Error> {
    let file = folder.join(MANIFEST);
    Ok(store::read_manifest(&file, SCHEMA, "a project's manifest")?)
}
