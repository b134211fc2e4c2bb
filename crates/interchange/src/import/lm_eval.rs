//! lm-evaluation-harness 0.4 with `--log_samples`: `samples_TASK_DATE.jsonl`, an object for each
//! item and filter, and `results_DATE.json` beside. Facts of the form: `lm_eval/loggers/` and
//! `lm_eval/evaluator.py` of version 0.4.13.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::error::{ImportError, ImportErrorKind};
use super::fields::{Layout, Raw, at_path, is_correct, text};
use super::reading::{entries, files, name, object, objects};
use super::{At, FieldMap, Key, Source, SourceFormat, gold};

const SAMPLES: &str = "samples_";
const RESULTS: &str = "results_";

/// Whether a file is called like one of its samples.
pub(crate) fn is_samples(name: &str) -> bool {
    name.starts_with(SAMPLES) && name.ends_with(".jsonl")
}

/// Whether a file is called like one of its results.
pub(crate) fn is_results(name: &str) -> bool {
    name.starts_with(RESULTS) && name.ends_with(".json")
}

/// The folders within with such files: the harness makes one for each model.
pub(crate) fn inner_folders(folder: &Path) -> Result<Vec<PathBuf>, ImportError> {
    entries(folder, |path| {
        let names = || files(path).unwrap_or_default();
        path.is_dir()
            && names()
                .iter()
                .any(|file| is_samples(&name(file)) || is_results(&name(file)))
    })
}

/// The files of one run.
struct Files {
    results: Option<PathBuf>,
    samples: Vec<PathBuf>,
}

impl Files {
    fn of(path: &Path) -> Result<Self, ImportError> {
        if path.is_dir() {
            return Self::in_folder(path);
        }
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let beside = files(folder)?;
        let own = name(path);
        let is_own_results = is_results(&own)
            || object(path).is_ok_and(|fields| {
                fields.contains_key("results") && fields.contains_key("configs")
            });
        if is_own_results {
            let date = date(&own);
            let of_run = |file: &&PathBuf| {
                let name = name(file);
                is_samples(&name) && (date.is_empty() || self::date(&name) == date)
            };
            let samples: Vec<PathBuf> = beside.iter().filter(of_run).cloned().collect();
            if samples.is_empty() {
                return Err(ImportError::of(path, ImportErrorKind::NoSamples));
            }
            return Ok(Self {
                results: Some(path.to_path_buf()),
                samples,
            });
        }
        let results = beside.iter().find(|file| {
            let name = name(file);
            is_results(&name) && date(&name) == date(&own)
        });
        Ok(Self {
            results: results.cloned(),
            samples: vec![path.to_path_buf()],
        })
    }

    fn in_folder(folder: &Path) -> Result<Self, ImportError> {
        let all = files(folder)?;
        let of = |is_kind: fn(&str) -> bool| -> Vec<PathBuf> {
            all.iter()
                .filter(|file| is_kind(&name(file)))
                .cloned()
                .collect()
        };
        let (samples, results) = (of(is_samples), of(is_results));
        if samples.is_empty() && results.is_empty() {
            return match inner_folders(folder)?.as_slice() {
                [] => Err(ImportError::of(folder, ImportErrorKind::Empty)),
                [one] => Self::in_folder(one),
                several => Err(several_runs(folder, several)),
            };
        }
        let Some(first) = samples.first() else {
            return Err(ImportError::of(&results[0], ImportErrorKind::NoSamples));
        };
        let own = date(&name(first));
        if samples.iter().any(|file| date(&name(file)) != own) {
            return Err(several_runs(folder, &results));
        }
        let results = match results.as_slice() {
            [one] => Some(one.clone()),
            several => several
                .iter()
                .find(|file| date(&name(file)) == own)
                .cloned(),
        };
        Ok(Self { results, samples })
    }
}

fn several_runs(folder: &Path, files: &[PathBuf]) -> ImportError {
    let files = files.iter().map(|file| name(file)).collect();
    ImportError::of(folder, ImportErrorKind::Several { files })
}

/// The date at the end of a file's name, as it stands there.
fn date(name: &str) -> String {
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    let date = stem.rsplit_once('_').map_or("", |(_, date)| date);
    match date.starts_with(|letter: char| letter.is_ascii_digit()) && date.contains('T') {
        true => date.to_string(),
        false => String::new(),
    }
}

/// The task in a file's name.
fn task(name: &str) -> String {
    let stem = name.strip_suffix(".jsonl").unwrap_or(name);
    let stem = stem.strip_prefix(SAMPLES).unwrap_or(stem);
    let date = date(name);
    let task = stem.strip_suffix(date.as_str()).unwrap_or(stem);
    task.trim_end_matches('_').to_string()
}

/// Where the records have what. The doc is the data set's own record, which has any names.
const FIELDS: [(Key, &[&str]); 5] = [
    (Key::Completion, &["resps.0", "resps"]),
    (Key::Reference, &["target"]),
    (
        Key::Question,
        &[
            "doc.question",
            "doc.problem",
            "doc.Question",
            "doc.Problem",
            "doc.query",
            "doc.input",
        ],
    ),
    (
        Key::Prompt,
        &["arguments.gen_args_0.arg_0", "arguments.0.0"],
    ),
    (Key::Id, &["doc_id"]),
];

const KNOWN: [&str; 10] = [
    "doc",
    "filtered_resps",
    "filter",
    "metrics",
    "doc_hash",
    "prompt_hash",
    "target_hash",
    "schema_version",
    "sample_id",
    "task_name",
];

pub(crate) fn read(path: &Path, map: &FieldMap) -> Result<Source, ImportError> {
    let files = Files::of(path)?;
    let mut source = Source::new(SourceFormat::LmEval);
    if let Some(results) = &files.results {
        read_results(&mut source, &object(results)?);
        source.files.push(results.clone());
    }
    for file in &files.samples {
        read_samples(&mut source, file, map)?;
        source.files.push(file.clone());
    }
    Ok(source)
}

fn read_results(source: &mut Source, results: &Map<String, Value>) {
    let told = |path: &str| at_path(results, path);
    let model_name = told("model_name").and_then(text);
    source.model =
        model_name
            .filter(|name| !name.is_empty())
            .or_else(|| match told("config.model_args")? {
                Value::Object(arguments) => ["pretrained", "model"]
                    .iter()
                    .find_map(|key| text(arguments.get(*key)?)),
                Value::String(arguments) => arguments.split(',').find_map(|argument| {
                    let (key, value) = argument.split_once('=')?;
                    ["pretrained", "model"]
                        .contains(&key.trim())
                        .then(|| value.trim().to_string())
                }),
                _ => None,
            });
    source.started = told("date")
        .and_then(Value::as_f64)
        .and_then(|date| Timestamp::from_second(date as i64).ok());
    source.program_version = told("lm_eval_version").and_then(text);
}

fn read_samples(source: &mut Source, file: &Path, map: &FieldMap) -> Result<(), ImportError> {
    let file_name = name(file);
    let task = task(&file_name);
    // A line for each filter of one completion: the first line of an item counts.
    let mut seen: HashMap<String, (Vec<String>, At, Value)> = HashMap::new();
    objects(file, |at, fields| {
        let raw = Raw {
            at: at.clone(),
            fields: &fields,
            task: &task,
        };
        refuse_likelihoods(&raw)?;
        let id = fields.get("doc_id").and_then(text);
        let filter = fields.get("filter").and_then(text).unwrap_or_default();
        let answers = fields.get("resps").cloned().unwrap_or_default();
        if let Some(id) = &id {
            if let Some((filters, first, before)) = seen.get_mut(id) {
                if filters.contains(&filter) || *before != answers {
                    let kind = ImportErrorKind::Twice {
                        id: id.clone(),
                        task: task.clone(),
                        first: first.place.clone(),
                    };
                    return Err(ImportError::at(&at, kind));
                }
                filters.push(filter);
                return Ok(());
            }
            seen.insert(id.clone(), (vec![filter], at.clone(), answers));
        }
        push(source, &raw, map)
    })
}

fn push(source: &mut Source, raw: &Raw<'_>, map: &FieldMap) -> Result<(), ImportError> {
    let metric = metric(raw.fields);
    let mut known = KNOWN.to_vec();
    known.extend(
        raw.fields
            .get("metrics")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str),
    );
    known.push("arguments");
    let metric_path = [metric.as_deref().unwrap_or("exact_match")];
    let mut defaults = FIELDS.to_vec();
    defaults.push((Key::Correct, &metric_path));
    let layout = Layout {
        defaults: &defaults,
        known: &known,
        map,
    };
    let before = source.records.len();
    layout.push(source, raw)?;
    for record in &mut source.records[before..] {
        if map.get(Key::Reference).is_none() {
            record.reference = record.reference.as_deref().map(gold::answer);
        }
    }
    let settings = at_path(raw.fields, "arguments.gen_args_0.arg_1")
        .or_else(|| at_path(raw.fields, "arguments.0.1"));
    if let Some(Value::Object(settings)) = settings {
        read_settings(source, settings);
    }
    Ok(())
}

/// The metric that says whether a completion is correct.
fn metric(fields: &Map<String, Value>) -> Option<String> {
    let named = fields
        .get("metrics")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    let named = named.filter_map(Value::as_str).map(str::to_string);
    let usual = ["exact_match", "math_verify", "acc"].map(str::to_string);
    let mut all = usual.into_iter().chain(named);
    all.find(|name| fields.get(name).and_then(is_correct).is_some())
}

/// What the harness asked the model for. Its tasks and flags are merged here, so that these are the
/// settings that counted; what is absent was the model's own default.
fn read_settings(source: &mut Source, settings: &Map<String, Value>) {
    if let Some(until) = settings.get("until") {
        source.stop = match until {
            Value::String(one) => Some(vec![one.clone()]),
            Value::Array(list) => Some(list.iter().filter_map(text).collect()),
            _ => source.stop.take(),
        };
    }
    let most = ["max_gen_toks", "max_tokens", "max_new_tokens"];
    let most = most.iter().find_map(|name| settings.get(*name)?.as_u64());
    source.max_tokens = most
        .filter(|most| *most > 0)
        .map(|most| most as usize)
        .or(source.max_tokens);
    let number = |name: &str| settings.get(name).and_then(Value::as_f64);
    let temperature = match settings.get("do_sample") {
        Some(Value::Bool(false)) => Some(0.0),
        _ => number("temperature"),
    };
    source.set_temperature(temperature, number("top_p"), None);
}

/// Tasks of multiple choice keep likelihoods: there is no text to judge.
fn refuse_likelihoods(raw: &Raw<'_>) -> Result<(), ImportError> {
    let first = at_path(raw.fields, "resps.0.0");
    match first {
        Some(Value::Array(_) | Value::Number(_)) => {
            let message = "its answers are log-likelihoods of choices and no texts: there is nothing to judge";
            Err(ImportError::at(
                &raw.at,
                ImportErrorKind::Malformed(message.to_string()),
            ))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_samples_file_names_its_task_and_date() {
        let name = "samples_minerva_math_algebra_2026-11-29T16-00-01.123456.jsonl";
        assert_eq!(task(name), "minerva_math_algebra");
        assert_eq!(date(name), "2026-11-29T16-00-01.123456");
        assert_eq!(task("samples_gsm8k.jsonl"), "gsm8k");
        assert_eq!(date("samples_gsm8k.jsonl"), "");
    }
}
