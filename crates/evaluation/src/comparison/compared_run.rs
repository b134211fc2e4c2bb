//! One run as comparisons see it: which items it asked and which of them it solved.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use dataset_loader::{Benchmark, Problem};
use scoring::{Scorer, Verdict, rules_digest, scorer_version};
use serde::Serialize;
use store::FileError;

use super::error::ComparisonError;
use crate::error::Error;
use crate::grader::Grader;
use crate::manifest::RunIdentity;
use crate::nearest::did_you_mean;
use crate::record::{CompletionRecord, VerdictRecord};
use crate::run_folder::RunFolder;
use crate::set_summary::SetSummary;
use crate::summary::Summary;

/// One run as comparisons see it, from its folder or from a baseline file.
#[derive(Clone, Debug)]
pub struct ComparedRun {
    /// The folder or file.
    pub(crate) source: PathBuf,
    /// Name of the model in reports.
    pub(crate) name: String,
    pub(crate) identity: RunIdentity,
    /// Version of the program that asked it.
    pub(crate) version: String,
    /// The strict profile, where one was asked for in place of the sets' own.
    pub(crate) strict_profile: Option<String>,
    /// Digest of the rules by which it was judged.
    pub(crate) rules: String,
    /// Version of the scorers by which it was judged.
    pub(crate) scorer_version: u32,
    pub(crate) sets: Vec<ComparedItems>,
    /// What only a folder holds.
    pub(crate) texts: Option<Texts>,
}

/// The items of one set, sorted by id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ComparedItems {
    pub(crate) set: String,
    pub(crate) title: String,
    pub(crate) in_average: bool,
    /// BLAKE3 (hex) over the items' keys.
    pub(crate) digest: String,
    /// `None` in a baseline.
    pub(crate) keys: Option<Vec<ItemKey>>,
    /// BLAKE3 (hex) over the completions of all items; `None` in baselines that do not say.
    pub(crate) completions: Option<String>,
    /// Correct completions of each item.
    pub(crate) official: Vec<usize>,
    pub(crate) strict: Vec<usize>,
    /// Completions from which nothing was extracted, cut ones, and failed ones.
    pub(crate) no_answer: usize,
    pub(crate) truncated: usize,
    pub(crate) failed: usize,
}

/// An item is the same in two runs where id, question and reference are.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ItemKey {
    pub(crate) id: String,
    pub(crate) content: [u8; 32],
}

/// What only a folder holds.
#[derive(Clone, Debug)]
pub(crate) struct Texts {
    pub(crate) problems: HashMap<String, Problem>,
    pub(crate) completions: HashMap<(String, u32), CompletionRecord>,
    pub(crate) verdicts: HashMap<(String, u32), VerdictRecord>,
    first: String,
}

impl ComparedRun {
    /// Reads a run folder. The run is judged again, so that both sides of a comparison are judged
    /// by the same rules, and what its files say must agree with that.
    pub(crate) fn of_folder(path: &Path) -> Result<Self, ComparisonError> {
        let folder = RunFolder::open(path)?;
        folder.check_whole()?;
        let manifest = folder.manifest().clone();
        let problems = folder.problems()?;
        if problems.is_empty() {
            return Err(ComparisonError::Empty(path.to_path_buf()));
        }
        let benchmark = folder.benchmark()?;
        let completions = whole(&folder, &problems, manifest.identity.decoding.samples())?;
        let summary = judged(&folder, "summary.json", RunFolder::summary)?;
        let stored = judged(&folder, "verdicts.jsonl", RunFolder::verdicts)?;
        // Only the summary names the profile: it decides no completion, so run.json does not hold
        // it.
        let grader = match &summary.strict_profile {
            None => Ok(Grader::new(&benchmark)),
            Some(name) => Grader::with_profile(&benchmark, name),
        };
        let grader = grader.map_err(|source| ComparisonError::Profile {
            folder: path.to_path_buf(),
            source,
        })?;
        let verdicts = grader.judge_all(
            &problems,
            manifest.identity.decoding.samples(),
            &completions,
        );
        check_verdicts(path, &stored, &verdicts)?;
        check_summary(
            path,
            &summary,
            &Summary::new(&benchmark, &grader, &manifest, &verdicts),
        )?;
        Ok(Self {
            source: path.to_path_buf(),
            sets: sets(&benchmark, &problems, &completions, &verdicts),
            strict_profile: summary.strict_profile,
            // Those of this program, which has just judged the run, and not those in run.json.
            rules: rules_digest(),
            scorer_version: scorer_version(),
            name: manifest.display_name().to_string(),
            version: manifest.version,
            identity: manifest.identity,
            texts: Some(Texts {
                first: problems[0].id.clone(),
                problems: problems
                    .into_iter()
                    .map(|problem| (problem.id.clone(), problem))
                    .collect(),
                completions,
                verdicts: verdicts
                    .into_iter()
                    .map(|verdict| ((verdict.id.clone(), verdict.sample), verdict))
                    .collect(),
            }),
        })
    }

    /// Completions drawn for each problem.
    pub(crate) fn samples(&self) -> usize {
        self.identity.decoding.samples() as usize
    }

    /// How it is named.
    pub fn label(&self) -> RunLabel {
        RunLabel {
            name: self.name.clone(),
            source: self.source.clone(),
            baseline: self.texts.is_none(),
            samples: self.samples(),
        }
    }

    /// Names of the sets that it asked.
    pub fn set_names(&self) -> Vec<String> {
        self.sets.iter().map(|set| set.set.clone()).collect()
    }

    pub(crate) fn texts(&self, what: &'static str) -> Result<&Texts, ComparisonError> {
        self.texts.as_ref().ok_or_else(|| ComparisonError::NoTexts {
            file: self.source.clone(),
            what,
        })
    }

    pub(crate) fn set(&self, name: &str) -> Option<&ComparedItems> {
        self.sets.iter().find(|set| set.set == name)
    }

    /// A problem of the run.
    pub(crate) fn problem(&self, id: &str) -> Result<&Problem, ComparisonError> {
        let texts = self.texts("an item")?;
        texts
            .problems
            .get(id)
            .ok_or_else(|| ComparisonError::NoSuchItem {
                folder: self.source.clone(),
                id: id.to_string(),
                near: did_you_mean(id, texts.problems.keys().map(String::as_str)),
                problems: texts.problems.len(),
                first: texts.first.clone(),
            })
    }
}

/// A run in reports: the name of its model, and where it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RunLabel {
    /// Name of the model. Two runs may share it.
    pub name: String,
    /// The folder or file.
    pub source: PathBuf,
    /// Whether it is a baseline file.
    pub baseline: bool,
    /// Completions a problem.
    pub samples: usize,
}

impl ComparedItems {
    /// Correct completions of each item.
    pub(crate) fn correct(&self, scorer: Scorer) -> &[usize] {
        match scorer {
            Scorer::Official => &self.official,
            Scorer::Strict => &self.strict,
        }
    }

    /// Items.
    pub(crate) fn n(&self) -> usize {
        self.official.len()
    }
}

impl ItemKey {
    fn of(problem: &Problem) -> Self {
        let mut hasher = blake3::Hasher::new();
        // With the length of each text, as else the end of one could move to the start of the next.
        // The same below for ids.
        for text in [&problem.question, &problem.reference] {
            hasher
                .update(&(text.len() as u64).to_le_bytes())
                .update(text.as_bytes());
        }
        Self {
            id: problem.id.clone(),
            content: *hasher.finalize().as_bytes(),
        }
    }
}

/// BLAKE3 (hex) over the keys of a set's items in their order.
fn items_digest(keys: &[ItemKey]) -> String {
    let mut hasher = blake3::Hasher::new();
    for key in keys {
        hasher
            .update(&(key.id.len() as u64).to_le_bytes())
            .update(key.id.as_bytes())
            .update(&key.content);
    }
    hasher.finalize().to_hex().to_string()
}

/// BLAKE3 (hex) over texts and ends of a set's completions, in the order of its items.
fn completions_digest(
    keys: &[ItemKey],
    completions: &HashMap<(String, u32), CompletionRecord>,
) -> String {
    let mut hasher = blake3::Hasher::new();
    for key in keys {
        let samples = (0..).map_while(|sample| completions.get(&(key.id.clone(), sample)));
        for record in samples {
            hasher
                .update(&(record.completion.len() as u64).to_le_bytes())
                .update(record.completion.as_bytes())
                .update(format!("{:?}", record.finish_reason).as_bytes());
        }
    }
    hasher.finalize().to_hex().to_string()
}

/// The completions of a run in which none is missing.
fn whole(
    folder: &RunFolder,
    problems: &[Problem],
    samples: u32,
) -> Result<HashMap<(String, u32), CompletionRecord>, ComparisonError> {
    let total = problems.len() * samples as usize;
    let incomplete = |done| Error::Incomplete {
        folder: folder.path().to_path_buf(),
        done,
        total,
    };
    let completions = match folder.completions() {
        // A run that was stopped before its first completion has no journal.
        Err(Error::File(FileError::Unreadable { source, .. }))
            if source.kind() == std::io::ErrorKind::NotFound =>
        {
            return Err(incomplete(0).into());
        }
        read => read?,
    };
    let is_there =
        |problem: &&Problem, sample| completions.contains_key(&(problem.id.clone(), sample));
    let done = (0..samples)
        .map(|sample| {
            problems
                .iter()
                .filter(|problem| is_there(problem, sample))
                .count()
        })
        .sum();
    if done < total {
        return Err(incomplete(done).into());
    }
    // All that were asked are there: what is more does not belong to the run.
    if completions.len() > total {
        let message = format!(
            "it holds {} completions, the run asked for {total}",
            completions.len()
        );
        let file = folder.path().join("completions.jsonl");
        return Err(ComparisonError::Edited {
            folder: folder.path().to_path_buf(),
            file,
            message,
        });
    }
    Ok(completions)
}

/// One of the files that are written last.
fn judged<T>(
    folder: &RunFolder,
    file: &'static str,
    read: impl Fn(&RunFolder) -> Result<T, Error>,
) -> Result<T, ComparisonError> {
    if !folder.path().join(file).exists() {
        return Err(ComparisonError::NotJudged {
            folder: folder.path().to_path_buf(),
            file,
        });
    }
    Ok(read(folder)?)
}

/// The stored verdicts must be those that the scorers give; traces may tell it in other words.
fn check_verdicts(
    path: &Path,
    stored: &[VerdictRecord],
    judged: &[VerdictRecord],
) -> Result<(), ComparisonError> {
    let edited = |message| {
        let file = path.join("verdicts.jsonl");
        Err(ComparisonError::Edited {
            folder: path.to_path_buf(),
            file,
            message,
        })
    };
    let decided = |record: &VerdictRecord| {
        let verdicts = (
            record.official.verdict,
            record.strict.verdict,
            record.official.correct,
            record.strict.correct,
        );
        (
            record.id.clone(),
            record.set.clone(),
            record.sample,
            record.truncated,
            record.no_answer,
            verdicts,
        )
    };
    if stored.len() != judged.len() {
        return edited(format!(
            "it holds {} verdicts, the run has {} completions",
            stored.len(),
            judged.len()
        ));
    }
    match stored
        .iter()
        .zip(judged)
        .position(|(stored, judged)| decided(stored) != decided(judged))
    {
        None => Ok(()),
        Some(index) => edited(format!(
            "line {} (\"{}\") is not what the scorers say of the completion of \"{}\"",
            index + 1,
            stored[index].id,
            judged[index].id
        )),
    }
}

/// The stored figures must be those of the verdicts.
fn check_summary(path: &Path, stored: &Summary, judged: &Summary) -> Result<(), ComparisonError> {
    // Counts only: all other figures follow from them, and summaries of earlier versions have
    // fewer.
    let figures = |summary: &Summary| -> Vec<(String, [usize; 6])> {
        let of_set = |set: &SetSummary| {
            let counts = &set.counts;
            let all = [
                counts.official.correct,
                counts.strict.correct,
                counts.no_answer,
                counts.truncated,
                counts.failed,
            ];
            (
                set.set.clone(),
                [counts.n, all[0], all[1], all[2], all[3], all[4]],
            )
        };
        summary.sets.iter().map(of_set).collect()
    };
    if figures(stored) == figures(judged) {
        return Ok(());
    }
    Err(ComparisonError::Edited {
        folder: path.to_path_buf(),
        file: path.join("summary.json"),
        message: "its counts are not those of verdicts.jsonl".to_string(),
    })
}

/// The sets that a run would ask, of which nothing is solved yet.
pub(crate) fn planned_sets(benchmark: &Benchmark, problems: &[Problem]) -> Vec<ComparedItems> {
    let of_set = |set: &dataset_loader::Set| {
        let of_set = problems.iter().filter(|problem| problem.set == set.name);
        let mut keys: Vec<ItemKey> = of_set.map(ItemKey::of).collect();
        keys.sort();
        (!keys.is_empty()).then(|| ComparedItems {
            set: set.name.clone(),
            title: set.title.clone(),
            in_average: set.in_average,
            digest: items_digest(&keys),
            completions: None,
            official: vec![0; keys.len()],
            strict: vec![0; keys.len()],
            no_answer: 0,
            truncated: 0,
            failed: 0,
            keys: Some(keys),
        })
    };
    benchmark.sets().iter().filter_map(of_set).collect()
}

/// The sets that were asked, in the benchmark's order. `verdicts`: those of one problem beside each
/// other.
fn sets(
    benchmark: &Benchmark,
    problems: &[Problem],
    completions: &HashMap<(String, u32), CompletionRecord>,
    verdicts: &[VerdictRecord],
) -> Vec<ComparedItems> {
    let by_problem: HashMap<&str, &[VerdictRecord]> = verdicts
        .chunk_by(|one, next| one.id == next.id)
        .map(|verdicts| (verdicts[0].id.as_str(), verdicts))
        .collect();
    let of_set = |set: &dataset_loader::Set| {
        let mut items: Vec<(ItemKey, &[VerdictRecord])> = problems
            .iter()
            .filter(|problem| problem.set == set.name)
            // The run is whole, so that every problem has verdicts.
            .map(|problem| (ItemKey::of(problem), by_problem[problem.id.as_str()]))
            .collect();
        // Baselines keep no ids: equal items must stand at equal places, however the data were
        // sorted.
        items.sort_by(|one, other| one.0.cmp(&other.0));
        let count = |holds: fn(&VerdictRecord) -> bool| -> Vec<usize> {
            items
                .iter()
                .map(|(_, verdicts)| verdicts.iter().filter(|verdict| holds(verdict)).count())
                .collect()
        };
        let total = |holds: fn(&VerdictRecord) -> bool| count(holds).iter().sum();
        let keys: Vec<ItemKey> = items.iter().map(|(key, _)| key.clone()).collect();
        (!items.is_empty()).then(|| ComparedItems {
            set: set.name.clone(),
            title: set.title.clone(),
            in_average: set.in_average,
            digest: items_digest(&keys),
            completions: Some(completions_digest(&keys, completions)),
            official: count(|verdict| verdict.official.correct),
            strict: count(|verdict| verdict.strict.correct),
            no_answer: total(|verdict| verdict.no_answer),
            truncated: total(|verdict| verdict.truncated),
            failed: total(|verdict| verdict.official.verdict == Verdict::Failed),
            keys: Some(keys),
        })
    };
    benchmark.sets().iter().filter_map(of_set).collect()
}
