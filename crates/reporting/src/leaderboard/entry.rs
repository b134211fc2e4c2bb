//! A run's folder → what a leaderboard needs of it, checked.

use std::path::{Path, PathBuf};

use dataset_loader::Benchmark;
use evaluation::{RunFolder, RunManifest, Summary};

use super::check;
use super::error::LeaderboardError;

/// A finished run.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Its folder, as it was named.
    pub(crate) folder: PathBuf,
    /// What it found.
    pub(crate) summary: Summary,
    /// What it is bound to.
    pub(crate) manifest: RunManifest,
}

impl Entry {
    /// Reads the runs in these folders.
    ///
    /// # Errors
    /// A folder without a run, with one that is not finished, of another version or damaged;
    /// figures that cannot be or that belong to another run; a folder that was named before.
    pub fn read_all(
        benchmark: &Benchmark,
        folders: &[PathBuf],
    ) -> Result<Vec<Self>, LeaderboardError> {
        let mut seen: Vec<(PathBuf, &PathBuf)> = Vec::new();
        let mut entries = Vec::new();
        for folder in folders {
            entries.push(Self::read(benchmark, folder)?);
            // Where the real path is not known, the given one has to do.
            let real = folder.canonicalize().unwrap_or_else(|_| folder.clone());
            if let Some((_, first)) = seen.iter().find(|(known, _)| *known == real) {
                return Err(LeaderboardError::Twice {
                    first: first.to_path_buf(),
                    second: folder.clone(),
                });
            }
            seen.push((real, folder));
        }
        Ok(entries)
    }

    fn read(benchmark: &Benchmark, path: &Path) -> Result<Self, LeaderboardError> {
        let folder = RunFolder::open(path).map_err(LeaderboardError::Run)?;
        folder.check_whole().map_err(LeaderboardError::Run)?;
        let manifest = folder.manifest().clone();
        if manifest.finished.is_none() || !path.join("summary.json").exists() {
            return Err(unfinished(path, &folder, &manifest));
        }
        let summary = folder.summary().map_err(LeaderboardError::Run)?;
        check::figures(benchmark, &summary, manifest.identity.decoding.samples()).map_err(
            |message| LeaderboardError::Figures {
                folder: path.to_path_buf(),
                message,
            },
        )?;
        same_run(path, &summary, &manifest)?;
        Ok(Self {
            folder: path.to_path_buf(),
            summary,
            manifest,
        })
    }

    /// The last part of the folder's path.
    pub(crate) fn folder_name(&self) -> String {
        let real = self
            .folder
            .canonicalize()
            .unwrap_or_else(|_| self.folder.clone());
        real.file_name()
            .map_or(self.folder.display().to_string(), |name| {
                name.to_string_lossy().into_owned()
            })
    }

    /// A tag of the run that is not blank.
    pub(crate) fn tag(&self, name: &str) -> Option<&str> {
        self.manifest
            .tags
            .get(name)
            .map(|value| value.trim())
            .filter(|value| !value.is_empty())
    }

    /// Whether items were answered several times.
    pub(crate) fn is_sampled(&self) -> bool {
        self.manifest.identity.decoding.samples() > 1
    }

    /// Whether its problems are the bundled ones and not the benchmark.
    pub(crate) fn on_samples(&self) -> bool {
        self.manifest.identity.data.samples
    }
}

/// Why a run without a summary has none.
fn unfinished(path: &Path, folder: &RunFolder, manifest: &RunManifest) -> LeaderboardError {
    let total = manifest.identity.data.problems * manifest.identity.decoding.samples() as usize;
    // The journal comes into being with the first completion.
    let done = match path.join("completions.jsonl").exists() {
        true => folder.completions().map(|completions| completions.len()),
        false => Ok(0),
    };
    match done {
        Ok(done) if done < total || manifest.finished.is_none() => {
            LeaderboardError::Run(evaluation::Error::Incomplete {
                folder: path.to_path_buf(),
                done,
                total,
            })
        }
        Ok(_) => LeaderboardError::NotJudged(path.to_path_buf()),
        Err(error) => LeaderboardError::Run(error),
    }
}

fn same_run(
    folder: &Path,
    summary: &Summary,
    manifest: &RunManifest,
) -> Result<(), LeaderboardError> {
    let identity = &manifest.identity;
    let problems = summary.items();
    let fields = [
        (
            "the model",
            summary.model.clone(),
            manifest.display_name().to_string(),
        ),
        (
            "the protocol",
            summary.protocol.clone(),
            identity.protocol.name().to_string(),
        ),
        (
            "the name of the data",
            summary.data.clone(),
            identity.data.name.clone(),
        ),
        (
            "the number of problems",
            problems.to_string(),
            identity.data.problems.to_string(),
        ),
    ];
    match fields.into_iter().find(|(_, there, here)| there != here) {
        None => Ok(()),
        Some((field, summary, manifest)) => {
            let folder = folder.to_path_buf();
            let quoted = |text: String| format!("\"{text}\"");
            Err(LeaderboardError::Mismatch {
                folder,
                field,
                summary: quoted(summary),
                manifest: quoted(manifest),
            })
        }
    }
}
