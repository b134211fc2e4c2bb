//! Files, folders and the embedded samples turned into data with a digest.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::benchmark::Benchmark;
use crate::error::{Error, ErrorKind};
use crate::problem::Problem;
use crate::record::Reader;

/// The samples, embedded: `datasets/<set>/sample.jsonl`.
const SAMPLES: [(&str, &str); 11] = [
    ("datasets/gsm8k/sample.jsonl", include_str!("../../../datasets/gsm8k/sample.jsonl")),
    ("datasets/math/sample.jsonl", include_str!("../../../datasets/math/sample.jsonl")),
    ("datasets/college_math/sample.jsonl", include_str!("../../../datasets/college_math/sample.jsonl")),
    ("datasets/tal/sample.jsonl", include_str!("../../../datasets/tal/sample.jsonl")),
    ("datasets/math23k/sample.jsonl", include_str!("../../../datasets/math23k/sample.jsonl")),
    ("datasets/ape210k/sample.jsonl", include_str!("../../../datasets/ape210k/sample.jsonl")),
    ("datasets/gaokao_bench/sample.jsonl", include_str!("../../../datasets/gaokao_bench/sample.jsonl")),
    ("datasets/agieval_gaokao/sample.jsonl", include_str!("../../../datasets/agieval_gaokao/sample.jsonl")),
    ("datasets/agieval_sat/sample.jsonl", include_str!("../../../datasets/agieval_sat/sample.jsonl")),
    ("datasets/agieval_math/sample.jsonl", include_str!("../../../datasets/agieval_math/sample.jsonl")),
    ("datasets/fresh_gaokao_2023/sample.jsonl", include_str!("../../../datasets/fresh_gaokao_2023/sample.jsonl")),
];

/// Where problems came from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Origin {
    /// The samples that come with the program: not the benchmark.
    Samples,
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
    pub origin: Origin,
    /// BLAKE3 (hex) of the files' contents, one after the other.
    pub digest: String,
    /// Sorted by set in the benchmark's order; within a set in reading order. Ids are unique.
    pub problems: Vec<Problem>,
}

/// The embedded samples of all sets.
pub fn samples(benchmark: &Benchmark) -> Data {
    let files = SAMPLES.iter().map(|(name, text)| (PathBuf::from(name), text.as_bytes().to_vec())).collect();
    match read_all(benchmark, files) {
        Ok((digest, problems)) => Data { origin: Origin::Samples, digest, problems },
        Err(error) => panic!("the embedded samples are valid: {error}"),
    }
}

/// Loads a file, or all data files of a folder (`*.jsonl`, `*.json`, in order of name; not those with `train` in their
/// name; sub-folders are not searched).
///
/// # Errors
/// What is wrong with the data, see [`ErrorKind`].
pub fn load(benchmark: &Benchmark, path: &Path) -> Result<Data, Error> {
    let paths = match path.is_dir() {
        true => data_files(path)?,
        false => vec![path.to_path_buf()],
    };
    let mut files = Vec::with_capacity(paths.len());
    for file in &paths {
        files.push((file.clone(), std::fs::read(file).map_err(|error| unreadable(file, error))?));
    }
    let (digest, problems) = read_all(benchmark, files)?;
    Ok(Data { origin: Origin::Files { paths }, digest, problems })
}

fn read_all(benchmark: &Benchmark, files: Vec<(PathBuf, Vec<u8>)>) -> Result<(String, Vec<Problem>), Error> {
    let mut reader = Reader::new(benchmark);
    let mut hasher = blake3::Hasher::new();
    for (file, content) in files {
        hasher.update(&content);
        reader.read(&file, &content)?;
    }
    let mut problems = reader.finish();
    problems.sort_by_key(|problem| benchmark.sets().iter().position(|set| set.name == problem.set));
    Ok((hasher.finalize().to_hex().to_string(), problems))
}

fn data_files(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let entries = std::fs::read_dir(folder).map_err(|error| unreadable(folder, error))?;
    let mut paths = Vec::new();
    for entry in entries {
        let path = entry.map_err(|error| unreadable(folder, error))?.path();
        if path.is_file() && is_data_file(&path) {
            paths.push(path);
        }
    }
    paths.sort();
    match paths.is_empty() {
        true => Err(Error::in_file(folder, ErrorKind::EmptyFolder)),
        false => Ok(paths),
    }
}

fn is_data_file(path: &Path) -> bool {
    let name = path.file_stem().unwrap_or_default().to_string_lossy().to_lowercase();
    let is_json = path.extension().is_some_and(|extension| extension == "jsonl" || extension == "json");
    is_json && !name.contains("train") && !name.starts_with('.')
}

fn unreadable(path: &Path, error: std::io::Error) -> Error {
    let kind = match error.kind() {
        std::io::ErrorKind::NotFound => ErrorKind::NotFound,
        _ => ErrorKind::Unreadable(error),
    };
    Error::in_file(path, kind)
}
