//! How a stage is run: once for all seven.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::PathBuf;

use serde::Serialize;
use serde::de::DeserializeOwned;
use store::{AtomicFile, Difference, FileDigest, FileError, JsonLines};

use crate::error::Error;
use crate::project::{Change, Project, StageIdentity, StageRecord, StageStart};
use crate::records::Rejected;
use crate::stage::Stage;

/// What is particular to a stage. Whatever can be refused is refused while such a value is made:
/// before anything of the project is replaced.
pub(crate) trait StageWork {
    /// What an outcome says beside the record of the manifest.
    type Details;

    const STAGE: Stage;

    /// What decides the files: inputs, options, prompt and generator.
    fn identity(&self) -> StageIdentity;

    /// What another value of a field of the identity (`options.merge`) means for the replies.
    fn change(&self, _difference: &Difference) -> Change {
        Change::Replies
    }

    /// Writes the files and counts.
    fn write(&mut self, outputs: &mut Outputs<'_>) -> Result<Self::Details, Error>;

    /// The details of a stage whose files are there already.
    fn details(&self, project: &Project, record: &StageRecord) -> Result<Self::Details, Error>;
}

/// What came of a stage.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StageOutcome<D> {
    /// Whether nothing had to be done.
    pub already_there: bool,
    /// What the project's manifest holds of it.
    pub record: StageRecord,
    /// What else there is to say; its fields stand beside the others in JSON.
    #[serde(flatten)]
    pub details: D,
}

/// The first items that could not be used, at most five, and the reasons of all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Rejections {
    /// How many items could not be used for each reason.
    pub reasons: BTreeMap<String, u64>,
    /// The items.
    #[serde(rename = "set_aside")]
    pub rejected: Vec<Rejected>,
}

/// The report that a stage has written as a file of its own.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct WithReport<R> {
    /// The report.
    pub report: R,
}

/// Nothing beside the record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct NoDetails {}

impl Rejections {
    const MAX_SHOWN: usize = 5;

    /// Reasons that are counted one by one: some quote the reply.
    const MAX_REASONS: usize = 100;

    pub(crate) fn of(all: &[Rejected]) -> Self {
        let mut rejections = Self::default();
        all.iter().for_each(|item| rejections.push(item.clone()));
        rejections
    }

    /// Those of a file that a stage has written.
    pub(crate) fn read(project: &Project, name: &str) -> Result<Self, Error> {
        let mut rejections = Self::default();
        for item in JsonLines::open(&project.file(name))? {
            rejections.push(item?);
        }
        Ok(rejections)
    }

    pub(crate) fn push(&mut self, rejected: Rejected) {
        let is_known = self.reasons.contains_key(&rejected.reason);
        let reason = match is_known || self.reasons.len() < Self::MAX_REASONS {
            true => rejected.reason.clone(),
            false => "other reasons".to_string(),
        };
        *self.reasons.entry(reason).or_default() += 1;
        if self.rejected.len() < Self::MAX_SHOWN {
            self.rejected.push(rejected);
        }
    }
}

/// Runs a stage, unless its files are there; `fresh` replaces them.
pub(crate) fn run<W: StageWork>(
    project: &mut Project,
    work: &mut W,
    fresh: bool,
) -> Result<StageOutcome<W::Details>, Error> {
    // The record of the stage is on the disk, unfinished, before any of its files is: what a kill
    // leaves is known to be of this identity.
    let start = project.begin(W::STAGE, work.identity(), fresh, |found| work.change(found))?;
    if let StageStart::AlreadyThere(record) = start {
        return Ok(StageOutcome {
            already_there: true,
            details: work.details(project, &record)?,
            record: *record,
        });
    }
    let mut outputs = Outputs {
        project,
        files: BTreeMap::new(),
        counts: BTreeMap::new(),
    };
    let details = work.write(&mut outputs)?;
    let Outputs { files, counts, .. } = outputs;
    // The manifest after the files: a stage that is finished has all of them.
    let record = project.finish(W::STAGE, files, counts)?;
    Ok(StageOutcome {
        already_there: false,
        record,
        details,
    })
}

/// The report of a stage, of this schema.
pub(crate) fn read_report<R: DeserializeOwned>(
    project: &Project,
    name: &str,
    schema: &str,
) -> Result<R, Error> {
    let file = project.file(name);
    Ok(store::read_manifest(
        &file,
        schema,
        "a report of the stage",
    )?)
}

/// The files that a stage has written, and what it counted.
pub(crate) struct Outputs<'a> {
    pub(crate) project: &'a Project,
    files: BTreeMap<String, FileDigest>,
    counts: BTreeMap<String, u64>,
}

impl Outputs<'_> {
    /// Begins a file of JSON Lines.
    pub(crate) fn create(&self, name: &'static str) -> Result<LineFile, Error> {
        let path = self.project.file(name);
        // In the folder itself: `open_to_write` removes what a kill leaves of it.
        let out = AtomicFile::create_in(self.project.folder());
        let out = out.map_err(FileError::write_failed(&path))?;
        Ok(LineFile { name, path, out })
    }

    /// Puts a finished file in its place.
    pub(crate) fn commit(&mut self, file: LineFile) -> Result<(), Error> {
        let LineFile { name, path, out } = file;
        let digest = out.commit(&path).map_err(FileError::write_failed(&path))?;
        self.add(name, digest);
        Ok(())
    }

    /// Writes a file of JSON Lines.
    pub(crate) fn write_lines<T: Serialize>(
        &mut self,
        name: &'static str,
        records: impl IntoIterator<Item = T>,
    ) -> Result<(), Error> {
        let mut file = self.create(name)?;
        for record in records {
            file.push(&record)?;
        }
        self.commit(file)
    }

    /// Writes an indented JSON file.
    pub(crate) fn write_json(&mut self, name: &str, value: &impl Serialize) -> Result<(), Error> {
        self.write(name, |out| {
            serde_json::to_writer_pretty(&mut *out, value)?;
            out.write_all(b"\n")
        })
    }

    /// Writes a file.
    pub(crate) fn write(
        &mut self,
        name: &str,
        fill: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<(), Error> {
        let path = self.project.file(name);
        let written = AtomicFile::create_in(self.project.folder()).and_then(|mut out| {
            fill(&mut out)?;
            out.commit(&path)
        });
        self.add(name, written.map_err(FileError::write_failed(&path))?);
        Ok(())
    }

    /// Notes a file that is in its place.
    pub(crate) fn add(&mut self, name: &str, digest: FileDigest) {
        self.files.insert(name.to_string(), digest);
    }

    /// Notes a count.
    pub(crate) fn count(&mut self, name: &str, count: u64) {
        self.counts.insert(name.to_string(), count);
    }

    /// The files so far, by name.
    pub(crate) fn files(&self) -> &BTreeMap<String, FileDigest> {
        &self.files
    }
}

/// A file of JSON Lines that is being written.
pub(crate) struct LineFile {
    name: &'static str,
    path: PathBuf,
    out: AtomicFile,
}

impl LineFile {
    pub(crate) fn push(&mut self, record: &impl Serialize) -> Result<(), Error> {
        let written = store::write_line(&mut self.out, record);
        Ok(written.map_err(FileError::write_failed(&self.path))?)
    }
}
