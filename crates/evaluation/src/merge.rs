//! The shards of a run → the run that one machine would have made.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use dataset_loader::Problem;
use generation::ServingReport;
use jiff::Timestamp;
use serde_json::json;
use store::{Difference, FileError};

use crate::error::Error;
use crate::failures::Failures;
use crate::grader::{Grader, GraderError};
use crate::manifest::RunManifest;
use crate::rescore::{Finished, write_results};
use crate::run::Run;
use crate::run_folder::{Completions, RunFolder};
use crate::shard::{Shard, ShardRecord};

/// Why shards do not make a run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MergeError {
    /// Something is wrong with a file or a folder.
    #[error(transparent)]
    Run(#[from] Error),
    /// The profile that judged a shard cannot be used.
    #[error("the scoring profile of the run cannot be used")]
    Profile(#[from] GraderError),
    /// A folder without a shard.
    #[error("{}: this folder holds no shard of a run", .0.display())]
    NoShards(PathBuf),
    /// A run that one machine made.
    #[error("{}: this folder holds a whole run and no shard of one", .0.display())]
    NotAShard(PathBuf),
    /// Two folders of which each holds the same shard.
    #[error("{} is there twice: in {} and in {}", shard, first.display(), second.display())]
    Twice {
        /// The shard.
        shard: Shard,
        /// A folder that holds it.
        first: PathBuf,
        /// Another one.
        second: PathBuf,
    },
    /// Shards of different runs.
    #[error(
        "{} and {} are not shards of one run: {}",
        first.display(),
        second.display(),
        differences.iter().map(in_the_two).collect::<Vec<_>>().join("; ")
    )]
    Different {
        /// The folder of a shard.
        first: PathBuf,
        /// That of another one.
        second: PathBuf,
        /// In what they differ.
        differences: Vec<Difference>,
    },
    /// Shards that are missing or unfinished.
    #[error(
        "{} of {total} shards are not finished: {}",
        open.len(),
        open.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
    )]
    Unfinished {
        /// Which.
        open: Vec<OpenShard>,
        /// How many shards the run has.
        total: u32,
    },
    /// A folder that holds the same run, but with other completions.
    #[error(
        "the output folder {} holds this run with completions of its own, such as that of {id}",
        folder.display()
    )]
    OtherCompletions {
        /// The folder.
        folder: PathBuf,
        /// A problem whose completion is another one.
        id: String,
    },
}

impl fault::Fault for MergeError {
    fn class(&self) -> fault::Class {
        use fault::Class;
        match self {
            Self::Run(error) => error.class(),
            Self::Profile(error) => error.class(),
            Self::NoShards(_) | Self::NotAShard(_) | Self::Twice { .. } => Class::Usage,
            Self::Different { .. } | Self::OtherCompletions { .. } => Class::Integrity,
            Self::Unfinished { .. } => Class::Incomplete,
        }
    }
}

fn in_the_two(difference: &Difference) -> String {
    let Difference { field, there, here } = difference;
    format!("{field} is {there} in the one and {here} in the other")
}

/// A shard that has not all of its completions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenShard {
    /// Which.
    pub shard: Shard,
    /// How many completions it has, and is to have; `None` where it has no folder.
    pub done: Option<(usize, usize)>,
    /// The command that asked it, or else another shard of the run, without what names the shard.
    pub command: Option<String>,
}

impl std::fmt::Display for OpenShard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.done {
            None => write!(f, "{} is missing", self.shard),
            Some((done, total)) => {
                write!(f, "{} has {done} of {total} completions", self.shard)
            }
        }
    }
}

/// The folders of shards: those named, and of a folder that is no run those of the shards within, in
/// their order. A folder that is named twice counts once.
///
/// # Errors
/// A folder that holds neither, or cannot be read.
pub fn shard_folders(named: &[PathBuf]) -> Result<Vec<PathBuf>, MergeError> {
    let mut folders = Vec::new();
    let mut seen = BTreeSet::new();
    for path in named {
        let found = match RunFolder::is_run(path) || !path.is_dir() {
            true => vec![path.clone()],
            false => shards_within(path).map_err(|source| {
                Error::File(FileError::Unreadable {
                    file: path.clone(),
                    source,
                })
            })?,
        };
        if found.is_empty() {
            return Err(MergeError::NoShards(path.clone()));
        }
        let is_new =
            |folder: &PathBuf| seen.insert(folder.canonicalize().unwrap_or(folder.clone()));
        folders.extend(found.into_iter().filter(is_new));
    }
    Ok(folders)
}

/// The begun shards in the folder of their run.
fn shards_within(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let shard = Shard::of_folder_name(&entry.file_name().to_string_lossy());
        if let Some(shard) = shard.filter(|_| RunFolder::is_run(&entry.path())) {
            found.push((shard, entry.path()));
        }
    }
    found.sort();
    Ok(found.into_iter().map(|(_, path)| path).collect())
}

/// One shard as its folder has it.
struct Part {
    shard: Shard,
    record: ShardRecord,
    folder: RunFolder,
}

impl Part {
    fn open(path: &Path) -> Result<Self, MergeError> {
        let folder = RunFolder::open(path)?;
        let Some(record) = folder.manifest().shard.clone() else {
            return Err(MergeError::NotAShard(path.to_path_buf()));
        };
        let shard = record.shard().ok_or_else(|| {
            let message = format!("it has no shard {} of {}", record.index, record.count);
            folder.corrupt_manifest(message)
        })?;
        Ok(Self {
            shard,
            record,
            folder,
        })
    }

    fn manifest(&self) -> &RunManifest {
        self.folder.manifest()
    }
}

/// Puts the shards of a run together: the folder then holds what it would if one machine had asked
/// everything, byte for byte but for the times. Facts of the machines that differ stand beside each
/// other, and latencies are left out. The shards stay as they are.
///
/// # Errors
/// Shards of different runs, one that is missing, unfinished or there twice, or an output folder that
/// holds anything but the same run.
pub fn merge(shards: &[PathBuf], output: &Path) -> Result<Run, MergeError> {
    let parts = shards.iter().map(|path| Part::open(path));
    let mut parts = parts.collect::<Result<Vec<_>, _>>()?;
    parts.sort_by_key(|part| part.shard);
    let Some(first) = parts.first() else {
        return Err(MergeError::NoShards(output.to_path_buf()));
    };
    check_one_run(&parts)?;
    let problems = first.folder.problems()?;
    let finished = gather(&parts, problems)?;
    let benchmark = first.folder.benchmark()?;
    let grader = match &first.record.strict_profile {
        Some(profile) => Grader::with_profile(&benchmark, profile)?,
        None => Grader::new(&benchmark),
    };
    let manifest = merged_manifest(&parts);
    let ended = parts
        .iter()
        .filter_map(|part| part.manifest().finished)
        .max();
    // Killed between its last completion and that note, a shard is whole all the same.
    let ended = ended.unwrap_or_else(Timestamp::now);
    let mut folder = RunFolder::create_or_continue(output, manifest, &finished.problems)?;
    check_output(&folder, &finished.completions)?;
    if first.manifest().token_details.token_ids {
        folder.copy_prompts(&first.folder)?;
    }
    let in_order = finished.in_order(&folder)?;
    folder.sort_completions(&in_order)?;
    folder.update_manifest(|manifest| manifest.finished = Some(ended))?;
    let summary = write_results(&benchmark, &grader, &mut folder, &finished)?;
    let too_long = parts.iter().map(|part| part.record.too_long).sum();
    Ok(Run {
        summary,
        progress: Default::default(),
        failures: Failures::of(&finished.completions, too_long),
        serving: folder.manifest().serving.clone(),
        folder,
    })
}

/// Each shard there once, and all of one run.
fn check_one_run(parts: &[Part]) -> Result<(), MergeError> {
    let first = &parts[0];
    for part in &parts[1..] {
        let (a, b) = (first.manifest(), part.manifest());
        let mut differences = a.identity.differences(&b.identity);
        differences.extend(store::differences(&shared(first), &shared(part)));
        if !differences.is_empty() {
            return Err(MergeError::Different {
                first: first.folder.path().to_path_buf(),
                second: part.folder.path().to_path_buf(),
                differences,
            });
        }
    }
    match parts.windows(2).find(|pair| pair[0].shard == pair[1].shard) {
        Some(pair) => Err(MergeError::Twice {
            shard: pair[0].shard,
            first: pair[0].folder.path().to_path_buf(),
            second: pair[1].folder.path().to_path_buf(),
        }),
        None => Ok(()),
    }
}

/// What the shards of a run must agree in beside the identity.
fn shared(part: &Part) -> serde_json::Value {
    let manifest = part.manifest();
    json!({
        "shard": {"count": part.record.count, "strict_profile": part.record.strict_profile},
        "own_sets": manifest.own_sets,
        "suites": manifest.suites,
        "tags": manifest.tags,
        "token_details": manifest.token_details,
    })
}

/// The completions of all shards, each of which must have all of its own and no other.
fn gather(parts: &[Part], problems: Vec<Problem>) -> Result<Finished, MergeError> {
    let samples = parts[0].manifest().identity.decoding.samples();
    let mut completions = Completions::new();
    let mut open = Vec::new();
    for shard in parts[0].shard.all() {
        let Some(part) = parts.iter().find(|part| part.shard == shard) else {
            open.push(OpenShard {
                shard,
                done: None,
                command: parts.iter().find_map(|part| part.record.command.clone()),
            });
            continue;
        };
        let own = shard.deal(&problems);
        let own: BTreeSet<&str> = (problems.iter().zip(own))
            .filter_map(|(problem, own)| own.then_some(problem.id.as_str()))
            .collect();
        let there = part.folder.completions_so_far()?;
        let foreign =
            |(id, sample): &&(String, u32)| !own.contains(id.as_str()) || *sample >= samples;
        if let Some((id, sample)) = there.keys().find(foreign) {
            let message =
                format!("it holds completion {sample} of {id}, which is not this shard's");
            return Err(part.folder.corrupt_completions(&message).into());
        }
        let total = own.len() * samples as usize;
        if there.len() < total {
            open.push(OpenShard {
                shard,
                done: Some((there.len(), total)),
                command: part.record.command.clone(),
            });
        }
        completions.extend(there);
    }
    match open.is_empty() {
        true => Ok(Finished {
            problems,
            completions,
        }),
        false => Err(MergeError::Unfinished {
            open,
            total: parts[0].shard.count(),
        }),
    }
}

/// The manifest of the whole: begun when the first shard was, by the program that began it.
fn merged_manifest(parts: &[Part]) -> RunManifest {
    let began = parts.iter().min_by_key(|part| part.manifest().started);
    let mut manifest = began.unwrap_or(&parts[0]).manifest().clone();
    manifest.shard = None;
    manifest.finished = None;
    let mut facts: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, fact) in parts.iter().flat_map(|part| &part.manifest().environment) {
        let there = facts.entry(name.clone()).or_default();
        if !there.contains(fact) {
            there.push(fact.clone());
        }
    }
    let joined = |(name, facts): (String, Vec<String>)| (name, facts.join(", "));
    manifest.environment = facts.into_iter().map(joined).collect();
    manifest.serving = merged_serving(parts);
    manifest
}

/// How servers served the shards: without their latencies, whose median no shard knows.
fn merged_serving(parts: &[Part]) -> Option<ServingReport> {
    let mut reports = parts
        .iter()
        .filter_map(|part| part.manifest().serving.as_ref());
    let first = reports.next()?;
    let mut merged = ServingReport {
        latency: None,
        ..first.clone()
    };
    for field in reports.flat_map(|report| &report.fields_refused) {
        if !merged.fields_refused.contains(field) {
            merged.fields_refused.push(field.clone());
        }
    }
    Some(merged)
}

/// What is in the output folder already must be of the same shards: a merge that was broken off.
fn check_output(folder: &RunFolder, completions: &Completions) -> Result<(), MergeError> {
    let there = folder.completions_so_far()?;
    let other = there
        .iter()
        .find(|(key, record)| completions.get(*key) != Some(*record));
    match other {
        Some(((id, _), _)) => Err(MergeError::OtherCompletions {
            folder: folder.path().to_path_buf(),
            id: id.clone(),
        }),
        None => Ok(()),
    }
}
