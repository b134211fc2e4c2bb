//! Files, folders and the bundled problems turned into data with a digest.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::benchmark::{Benchmark, Set};
use crate::custom_set;
use crate::error::{Error, ErrorKind};
use crate::files::{data_files, is_training_file, json_files, unreadable};
use crate::further::FURTHER;
use crate::problem::Problem;
use crate::record::{Extras, LANGUAGE, Reader};

/// The bundled problems of MwpBench's sets, embedded: `datasets/<set>/sample.jsonl`.
const BUNDLED: [(&str, &str); 11] = [
    (
        "datasets/gsm8k/sample.jsonl",
        include_str!("../../../datasets/gsm8k/sample.jsonl"),
    ),
    (
        "datasets/math/sample.jsonl",
        include_str!("../../../datasets/math/sample.jsonl"),
    ),
    (
        "datasets/college_math/sample.jsonl",
        include_str!("../../../datasets/college_math/sample.jsonl"),
    ),
    (
        "datasets/tal/sample.jsonl",
        include_str!("../../../datasets/tal/sample.jsonl"),
    ),
    (
        "datasets/math23k/sample.jsonl",
        include_str!("../../../datasets/math23k/sample.jsonl"),
    ),
    (
        "datasets/ape210k/sample.jsonl",
        include_str!("../../../datasets/ape210k/sample.jsonl"),
    ),
    (
        "datasets/gaokao_bench/sample.jsonl",
        include_str!("../../../datasets/gaokao_bench/sample.jsonl"),
    ),
    (
        "datasets/agieval_gaokao/sample.jsonl",
        include_str!("../../../datasets/agieval_gaokao/sample.jsonl"),
    ),
    (
        "datasets/agieval_sat/sample.jsonl",
        include_str!("../../../datasets/agieval_sat/sample.jsonl"),
    ),
    (
        "datasets/agieval_math/sample.jsonl",
        include_str!("../../../datasets/agieval_math/sample.jsonl"),
    ),
    (
        "datasets/fresh_gaokao_2023/sample.jsonl",
        include_str!("../../../datasets/fresh_gaokao_2023/sample.jsonl"),
    ),
];

/// Where problems came from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum DataOrigin {
    /// The problems that are bundled with the program: not the benchmark.
    #[serde(rename = "samples")]
    Bundled,
    /// Files, in reading order.
    Files {
        /// Their paths as given or found.
        paths: Vec<PathBuf>,
    },
}

/// Problems with their origin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Data {
    /// Where they came from.
    pub origin: DataOrigin,
    /// BLAKE3 (hex) of the files' contents, one after the other.
    pub digest: String,
    /// Sorted by set in the benchmark's order; within a set in reading order. Ids are unique.
    pub problems: Vec<Problem>,
    /// What the records hold beside their problems, by id; none where a record holds nothing else.
    pub extras: BTreeMap<String, Extras>,
    /// All data, where files among them hold problems of further sets alone: origin and digest are
    /// of the others, so that such a file changes nothing for those who do not ask for it.
    pub with_further: Option<WithFurther>,
}

/// Data with the files that hold problems of further sets alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WithFurther {
    /// Paths of all files.
    pub origin: DataOrigin,
    /// BLAKE3 (hex) of the contents of all files.
    pub digest: String,
}

impl Data {
    /// The problem of that id with what else its record holds.
    ///
    /// # Errors
    /// There is none.
    pub fn problem(&self, id: &str) -> Result<(&Problem, Option<&Extras>), Error> {
        match self.problems.iter().find(|problem| problem.id == id) {
            Some(problem) => Ok((problem, self.extras.get(id))),
            None => Err(Error::of(ErrorKind::UnknownId {
                id: id.to_string(),
                hint: self.hint(id),
            })),
        }
    }

    /// Origin and digest of what these problems are from: without the files of further sets where
    /// none of them is asked.
    pub fn identity(&self, benchmark: &Benchmark, problems: &[Problem]) -> (DataOrigin, String) {
        let is_further = |problem: &Problem| {
            let set = benchmark.set(&problem.set);
            set.is_some_and(|set| set.on_request)
        };
        match &self.with_further {
            Some(all) if problems.iter().any(is_further) => {
                (all.origin.clone(), all.digest.clone())
            }
            _ => (self.origin.clone(), self.digest.clone()),
        }
    }

    /// The language of a problem as its record states it, in small letters, such as `zh`.
    pub fn language(&self, id: &str) -> Option<String> {
        let stated = self.extras.get(id)?.get(LANGUAGE)?.as_str()?;
        Some(stated.to_lowercase())
    }

    /// Whether a problem's record states another language than the one in which its set is asked.
    pub fn is_untranslated(&self, benchmark: &Benchmark, problem: &Problem) -> bool {
        let asked_in = benchmark.set(&problem.set).map(|set| set.asked_in());
        self.language(&problem.id)
            .is_some_and(|language| Some(language) != asked_in)
    }

    /// Checks that each of these problems is in the language in which its set is asked.
    ///
    /// # Errors
    /// Some are not; the message says how many.
    pub fn check_language(&self, benchmark: &Benchmark, problems: &[Problem]) -> Result<(), Error> {
        let untranslated: Vec<&Problem> = problems
            .iter()
            .filter(|problem| self.is_untranslated(benchmark, problem))
            .collect();
        match untranslated.first() {
            None => Ok(()),
            Some(first) => Err(Error::of(ErrorKind::Untranslated {
                count: untranslated.len(),
                first: first.id.clone(),
                language: self.language(&first.id).unwrap_or_default(),
            })),
        }
    }

    /// So many problems drawn at random, each at most once, in the order in which they were drawn.
    /// The same seed draws the same problems from the same ids, and more problems go on where fewer
    /// end.
    pub fn draw(&self, count: usize, seed: u64) -> Vec<&Problem> {
        let rank = |problem: &&Problem| {
            // By hashes and not by a shuffle: problems that are added or removed change no other's
            // rank.
            let mut hasher = blake3::Hasher::new();
            hasher
                .update(&seed.to_le_bytes())
                .update(problem.id.as_bytes());
            *hasher.finalize().as_bytes()
        };
        let mut drawn: Vec<&Problem> = self.problems.iter().collect();
        drawn.sort_by_cached_key(rank);
        drawn.truncate(count);
        drawn
    }

    /// The ids that end like this one, or else some of its task.
    fn hint(&self, id: &str) -> String {
        const MAX_SHOWN: usize = 3;
        let (task, number) = id.rsplit_once('/').unwrap_or((id, id));
        let ids = || self.problems.iter().map(|problem| problem.id.as_str());
        let same_number =
            |other: &&str| other.rsplit_once('/').is_some_and(|(_, own)| own == number);
        let mut near: Vec<&str> = ids().filter(same_number).take(MAX_SHOWN).collect();
        if near.is_empty() {
            near = ids()
                .filter(|other| other.rsplit_once('/').is_some_and(|(own, _)| own == task))
                .take(MAX_SHOWN)
                .collect();
        }
        match (near.is_empty(), self.problems.first()) {
            (false, _) => format!(" (there are {}, …)", near.join(", ")),
            (true, Some(first)) => format!(" (ids are like \"{}\")", first.id),
            (true, None) => String::new(),
        }
    }
}

/// The bundled problems of MwpBench's sets.
pub fn bundled_problems(benchmark: &Benchmark) -> Data {
    let files = BUNDLED.map(|(name, text)| (name.to_string(), text));
    read_bundled(benchmark, files.into_iter())
}

/// The bundled problems of all sets, the further ones too.
pub fn all_bundled_problems(benchmark: &Benchmark) -> Data {
    let further = |set: &crate::further::FurtherSet| {
        (format!("datasets/{}/sample.jsonl", set.name), set.bundled)
    };
    let files = BUNDLED.map(|(name, text)| (name.to_string(), text));
    let mut data = read_bundled(
        benchmark,
        files.into_iter().chain(FURTHER.iter().map(further)),
    );
    if let Some(all) = data.with_further.take() {
        data.digest = all.digest;
    }
    data
}

fn read_bundled(
    benchmark: &Benchmark,
    files: impl Iterator<Item = (String, &'static str)>,
) -> Data {
    let file = |(name, text): (String, &str)| (PathBuf::from(name), text.as_bytes().to_vec(), None);
    match read_all(benchmark, files.map(file).map(Ok)) {
        Ok(content) => content.into_data(|_| DataOrigin::Bundled),
        Err(error) => panic!("the bundled problems are valid: {error}"),
    }
}

/// Loads a file, or all data files of a folder (`*.jsonl`, `*.json`, in order of name; not those
/// with `train` in their name). Of its sub-folders those are read that hold a custom data set (a
/// `dataset.toml`); so is the folder itself where it does. The benchmark must know these sets:
/// [`Benchmark::with`] what [`crate::custom_sets`] finds at the same place.
///
/// # Errors
/// What is wrong with the data, see [`ErrorKind`].
pub fn load(benchmark: &Benchmark, path: &Path) -> Result<Data, Error> {
    let files = files(benchmark, path)?;
    let read = |(file, own): (PathBuf, _)| match std::fs::read(&file) {
        Ok(content) => Ok((file, content, own)),
        Err(error) => Err(unreadable(&file, error)),
    };
    let content = read_all(benchmark, files.into_iter().map(read))?;
    Ok(content.into_data(|paths| DataOrigin::Files { paths }))
}

/// Whether [`load`] would find anything in a folder.
pub fn holds_data(folder: &Path) -> bool {
    let own = custom_set::folders(folder).is_ok_and(|folders| !folders.is_empty());
    // A folder that cannot be read counts as one that holds data: `load` then says what is wrong.
    own || folder.is_dir() && data_files(folder).map_or(true, |files| !files.is_empty())
}

/// Loads the training files of a folder, which [`load`] passes over: those with `train` in their
/// name that are in the record form. The names of the others come second.
///
/// # Errors
/// The folder cannot be read.
pub fn load_training(
    benchmark: &Benchmark,
    folder: &Path,
) -> Result<(Vec<Problem>, Vec<PathBuf>), Error> {
    let (mut problems, mut passed_over) = (Vec::new(), Vec::new());
    if !folder.is_dir() {
        return Ok((problems, passed_over));
    }
    for file in json_files(folder)?
        .into_iter()
        .filter(|file| is_training_file(file))
    {
        // One reader a file, as numbers may begin anew in each. What is not in the record form may
        // be a publisher's own file, so nothing here is an error.
        let mut reader = Reader::new(benchmark);
        let read =
            std::fs::read(&file).is_ok_and(|content| reader.read(&file, &content, None).is_ok());
        match read {
            true => problems.extend(reader.finish().0),
            false => passed_over.push(file),
        }
    }
    Ok((problems, passed_over))
}

/// The problems of the training files that [`load_training`] counts, each with what else its record
/// holds, such as its worked solution.
///
/// # Errors
/// The folder cannot be read.
pub fn load_training_records(
    benchmark: &Benchmark,
    folder: &Path,
) -> Result<Vec<(Problem, Extras)>, Error> {
    let mut records = Vec::new();
    if !folder.is_dir() {
        return Ok(records);
    }
    for file in json_files(folder)?
        .into_iter()
        .filter(|file| is_training_file(file))
    {
        // As there: numbers begin anew in each file, and what has another form is passed over.
        let mut reader = Reader::new(benchmark);
        let is_read =
            std::fs::read(&file).is_ok_and(|content| reader.read(&file, &content, None).is_ok());
        if is_read {
            let (problems, mut extras) = reader.finish();
            let with_extras = |problem: Problem| {
                let own = extras.remove(&problem.id).unwrap_or_default();
                (problem, own)
            };
            records.extend(problems.into_iter().map(with_extras));
        }
    }
    Ok(records)
}

/// A file with its content and the custom data set that it belongs to.
type Content<'a> = (PathBuf, Vec<u8>, Option<&'a Set>);

struct ReadContent {
    all: ReadFiles,
    /// Those that hold more than problems of further sets.
    own: ReadFiles,
    problems: Vec<Problem>,
    extras: BTreeMap<String, Extras>,
}

/// Files that were read, in order.
#[derive(Default)]
struct ReadFiles {
    paths: Vec<PathBuf>,
    hasher: blake3::Hasher,
}

impl ReadFiles {
    fn add(&mut self, file: &Path, content: &[u8]) {
        // Contents alone: files that were moved or renamed are the same data. The description of a
        // custom data set is not in it: a run keeps that beside the digest.
        self.hasher.update(content);
        self.paths.push(file.to_path_buf());
    }

    fn digest(&self) -> String {
        self.hasher.finalize().to_hex().to_string()
    }
}

impl ReadContent {
    fn into_data(self, origin: impl Fn(Vec<PathBuf>) -> DataOrigin) -> Data {
        let Self { all, own, .. } = self;
        let digest = all.digest();
        // Where there is nothing beside further sets, they are the data.
        let (origin, digest, with_further) = match own.paths.len() {
            0 => (origin(all.paths), digest, None),
            files if files == all.paths.len() => (origin(all.paths), digest, None),
            _ => {
                let own_digest = own.digest();
                let with_further = WithFurther {
                    origin: origin(all.paths),
                    digest,
                };
                (origin(own.paths), own_digest, Some(with_further))
            }
        };
        Data {
            origin,
            digest,
            problems: self.problems,
            extras: self.extras,
            with_further,
        }
    }
}

fn read_all<'a>(
    benchmark: &'a Benchmark,
    files: impl Iterator<Item = Result<Content<'a>, Error>>,
) -> Result<ReadContent, Error> {
    let mut reader = Reader::new(benchmark);
    let (mut all, mut own) = (ReadFiles::default(), ReadFiles::default());
    let is_further = |problem: &Problem| {
        let set = benchmark.set(&problem.set);
        set.is_some_and(|set| set.on_request)
    };
    for file in files {
        let (file, content, custom) = file?;
        let before = reader.count();
        reader.read(&file, &content, custom)?;
        all.add(&file, &content);
        if !reader.since(before).iter().all(is_further) {
            own.add(&file, &content);
        }
    }
    let (mut problems, extras) = reader.finish();
    // Stable, so that problems of one set stay in reading order.
    problems.sort_by_key(|problem| {
        benchmark
            .sets()
            .iter()
            .position(|set| set.name == problem.set)
    });
    Ok(ReadContent {
        all,
        own,
        problems,
        extras,
    })
}

/// The files of a place, each with the custom data set that it belongs to.
fn files<'a>(
    benchmark: &'a Benchmark,
    path: &Path,
) -> Result<Vec<(PathBuf, Option<&'a Set>)>, Error> {
    if !path.is_dir() {
        return Ok(vec![(path.to_path_buf(), None)]);
    }
    let own_folders = custom_set::folders(path)?;
    let mut files = Vec::new();
    // Where the folder is a custom data set itself, its files follow below, with its description.
    if !own_folders.iter().any(|folder| folder == path) {
        files.extend(data_files(path)?.into_iter().map(|file| (file, None)));
    }
    for folder in own_folders {
        let set = benchmark.expect_set(&custom_set::name(&folder)?)?;
        files.extend(
            data_files(&folder)?
                .into_iter()
                .map(|file| (file, Some(set))),
        );
    }
    match files.is_empty() {
        true => Err(Error::in_file(path, ErrorKind::EmptyFolder)),
        false => Ok(files),
    }
}
