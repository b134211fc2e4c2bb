//! Logs of inspect: one JSON object, or an `.eval` file, which is a zip file of `header.json` and
//! `samples/ID_epoch_N.json`. Facts of the form: `inspect_ai/log/_log.py` and
//! `_recorders/eval.py` of version 0.3.285. An epoch of an item is a sample of it here.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use serde_json::{Map, Value};

use super::error::{ImportError, ImportErrorKind};
use super::fields::{Layout, Raw, at_path, is_correct, is_parts, text};
use super::reading::{files, name, object};
use super::{At, FieldMap, Key, Source, SourceFormat, finish, gold};

/// Largest file in an `.eval` file, unpacked, in bytes.
const MAX_MEMBER: u64 = 1 << 30;
/// What stands in place of a long text that is kept once.
const ATTACHMENT: &str = "attachment://";

const FIELDS: [(Key, &[&str]); 6] = [
    (Key::Reference, &["target"]),
    (Key::Question, &["input"]),
    (Key::Id, &["id"]),
    (Key::Sample, &["epoch"]),
    (
        Key::Completion,
        &["output.choices.0.message.content", "output.completion"],
    ),
    (Key::Error, &["error"]),
];

const KNOWN: [&str; 34] = [
    "choices",
    "description",
    "sandbox",
    "files",
    "setup",
    "messages",
    "output",
    "scores",
    "metadata",
    "store",
    "events",
    "timelines",
    "model_usage",
    "role_usage",
    "model_fallbacks",
    "started_at",
    "completed_at",
    "total_time",
    "working_time",
    "uuid",
    "invalidation",
    "error_retries",
    "attachments",
    "events_data",
    "limit",
    "turn_count",
    "token_limit",
    "token_limit_type",
    "token_limit_usage",
    "message_limit",
    "time_limit",
    "transcript",
    "score",
    "epoch",
];

pub(crate) fn read(path: &Path, map: &FieldMap) -> Result<Source, ImportError> {
    let file = match path.is_dir() {
        true => the_log_in(path)?,
        false => path.to_path_buf(),
    };
    let (header, samples) = match is_zip(&file) {
        true => read_zip(&file)?,
        false => {
            let mut log = object(&file)?;
            let samples = match log.remove("samples") {
                Some(Value::Array(samples)) => samples,
                _ => Vec::new(),
            };
            (log, samples)
        }
    };
    let mut source = Source::new(SourceFormat::Inspect);
    let told = |path: &str| at_path(&header, path);
    let task = told("eval.task")
        .and_then(text)
        .unwrap_or_else(|| "inspect".to_string());
    // The last part of the name of a registered task.
    let task = task.rsplit('/').next().unwrap_or(&task).to_string();
    let status = told("status").and_then(text).unwrap_or_default();
    if samples.is_empty() {
        return Err(ImportError::of(&file, ImportErrorKind::EmptyLog { status }));
    }
    source.model = told("eval.model").and_then(text);
    source.started = told("eval.created")
        .and_then(text)
        .and_then(|date| date.parse().ok());
    source.program_version = told("eval.packages.inspect_ai").and_then(text);
    read_settings(&mut source, &header);
    if status != "success" {
        source.notes.push(format!(
            "the log says of itself that its status is \"{status}\": it may not hold every item"
        ));
    }
    for (place, sample) in samples.into_iter().enumerate() {
        let at = At {
            file: file.clone(),
            place: format!("sample {}", place + 1),
        };
        let Value::Object(mut fields) = sample else {
            let message = "this sample is no JSON object".to_string();
            return Err(ImportError::at(&at, ImportErrorKind::Malformed(message)));
        };
        attach(&mut fields);
        push(
            &mut source,
            Raw {
                at,
                fields: &fields,
                task: &task,
            },
            map,
        )?;
    }
    source.files.push(file);
    Ok(source)
}

fn push(source: &mut Source, raw: Raw<'_>, map: &FieldMap) -> Result<(), ImportError> {
    let fields = raw.fields;
    let layout = Layout {
        defaults: &FIELDS,
        known: &KNOWN,
        map,
    };
    let targets = fields
        .get("target")
        .and_then(Value::as_array)
        .map_or(1, Vec::len);
    if targets > 1 && map.get(Key::Reference).is_none() {
        let message = format!("its target is a list of {targets}: a problem has one reference");
        return Err(ImportError::at(
            &raw.at,
            ImportErrorKind::Malformed(message),
        ));
    }
    let before = source.records.len();
    layout.push(source, &raw)?;
    let content = at_path(fields, "output.choices.0.message.content");
    let reason = at_path(fields, "output.choices.0.stop_reason").and_then(Value::as_str);
    let tokens =
        |name: &str| at_path(fields, &format!("output.usage.{name}")).and_then(Value::as_u64);
    for record in &mut source.records[before..] {
        record.finish_reason = reason.and_then(finish::reason);
        record.prompt_tokens = tokens("input_tokens").map(|count| count as usize);
        record.completion_tokens = tokens("output_tokens").map(|count| count as usize);
        record.correct = score(fields);
        record.thinking = content
            .and_then(reasoning)
            .or_else(|| record.thinking.take());
        if map.get(Key::Reference).is_none() {
            record.reference = record.reference.as_deref().map(gold::answer);
        }
        if record.error.is_some() {
            record.finish_reason = Some(generation::FinishReason::Error);
        }
    }
    Ok(())
}

/// The thinking among the parts of a message.
fn reasoning(content: &Value) -> Option<String> {
    let parts = content.as_array().filter(|_| is_parts(content))?;
    let texts: Vec<&str> = parts
        .iter()
        .filter_map(|part| part.get("reasoning").and_then(Value::as_str))
        .collect();
    (!texts.is_empty()).then(|| texts.join("\n"))
}

/// What its scorer says, where it has one.
fn score(fields: &Map<String, Value>) -> Option<bool> {
    match fields
        .get("scores")?
        .as_object()?
        .values()
        .collect::<Vec<_>>()
        .as_slice()
    {
        [one] => is_correct(one.get("value")?),
        _ => None,
    }
}

/// How the model was asked to generate. What is absent was the provider's default.
fn read_settings(source: &mut Source, header: &Map<String, Value>) {
    let told = |name: &str| {
        let places = ["plan.config", "eval.model_generate_config"];
        places.iter().find_map(|place| {
            at_path(header, &format!("{place}.{name}")).filter(|value| !value.is_null())
        })
    };
    source.max_tokens = told("max_tokens")
        .and_then(Value::as_u64)
        .map(|most| most as usize);
    let stop = told("stop_seqs").and_then(Value::as_array);
    source.stop = stop.map(|list| list.iter().filter_map(text).collect());
    let number = |name: &str| told(name).and_then(Value::as_f64);
    let seed = told("seed").and_then(Value::as_u64);
    source.set_temperature(number("temperature"), number("top_p"), seed);
}

/// Puts long texts back in their places.
fn attach(fields: &mut Map<String, Value>) {
    let Some(Value::Object(attachments)) = fields.remove("attachments") else {
        return;
    };
    if attachments.is_empty() {
        return;
    }
    for name in ["input", "target", "output"] {
        if let Some(value) = fields.get_mut(name) {
            put_back(value, &attachments);
        }
    }
}

fn put_back(value: &mut Value, attachments: &Map<String, Value>) {
    match value {
        Value::String(text) => {
            let name = text.strip_prefix(ATTACHMENT);
            if let Some(Value::String(whole)) = name.and_then(|name| attachments.get(name)) {
                *text = whole.clone();
            }
        }
        Value::Array(list) => list
            .iter_mut()
            .for_each(|value| put_back(value, attachments)),
        Value::Object(fields) => fields
            .values_mut()
            .for_each(|value| put_back(value, attachments)),
        _ => {}
    }
}

fn the_log_in(folder: &Path) -> Result<std::path::PathBuf, ImportError> {
    let is_log = |file: &&std::path::PathBuf| {
        let name = name(file);
        name.ends_with(".eval") || (name.ends_with(".json") && name != "logs.json")
    };
    let logs: Vec<_> = files(folder)?.iter().filter(is_log).cloned().collect();
    match logs.as_slice() {
        [] => Err(ImportError::of(folder, ImportErrorKind::Empty)),
        [one] => Ok(one.clone()),
        several => {
            let files = several.iter().map(|file| name(file)).collect();
            Err(ImportError::of(folder, ImportErrorKind::Several { files }))
        }
    }
}

fn is_zip(file: &Path) -> bool {
    let mut start = [0; 4];
    let read = File::open(file).and_then(|mut file| file.read_exact(&mut start));
    read.is_ok() && start == *b"PK\x03\x04"
}

fn read_zip(file: &Path) -> Result<(Map<String, Value>, Vec<Value>), ImportError> {
    let broken = |message: String| ImportError::of(file, ImportErrorKind::Malformed(message));
    let content = std::fs::read(file)
        .map_err(|error| ImportError::of(file, ImportErrorKind::Unreadable(error)))?;
    let zip_error = |error| broken(format!("this zip file cannot be read: {error}"));
    let archive = rawzip::ZipArchive::from_slice(content.as_slice()).map_err(zip_error)?;
    let members = members(&archive).map_err(zip_error)?;
    let json = |name: &str| -> Result<Value, ImportError> {
        let unpacked = members[name].unpacked();
        let unpacked =
            unpacked.map_err(|why| broken(format!("{name} in it cannot be read: {why}")))?;
        serde_json::from_slice(&unpacked)
            .map_err(|error| broken(format!("{name} in it is no JSON: {error}")))
    };
    // A log of a run that was stopped has no header yet, but what it was begun with.
    let header = ["header.json", "_journal/start.json"];
    let Some(header) = header.into_iter().find(|name| members.contains_key(*name)) else {
        return Err(broken(
            "this zip file is no log: it holds no header.json".to_string(),
        ));
    };
    let Value::Object(header) = json(header)? else {
        return Err(broken(format!("{header} in it is no JSON object")));
    };
    let samples = members
        .keys()
        .filter(|name| name.starts_with("samples/") && name.ends_with(".json"))
        .map(|name| json(name))
        .collect::<Result<Vec<_>, _>>()?;
    Ok((header, samples))
}

/// A file in a zip file.
struct Member<'a> {
    entry: rawzip::ZipSliceEntry<'a>,
    method: rawzip::CompressionMethod,
}

/// The files in a zip file by name; of several with one name the last, as programs that append to
/// such files mean it.
fn members<'a>(
    archive: &'a rawzip::ZipSliceArchive<&[u8]>,
) -> Result<BTreeMap<String, Member<'a>>, rawzip::Error> {
    let mut members = BTreeMap::new();
    let mut entries = archive.entries();
    while let Some(record) = entries.next_entry()? {
        let name = String::from_utf8_lossy(record.file_path().as_bytes()).into_owned();
        let entry = archive.get_entry(record.wayfinder())?;
        let method = record.compression_method();
        members.insert(name, Member { entry, method });
    }
    Ok(members)
}

impl Member<'_> {
    fn unpacked(&self) -> Result<Vec<u8>, String> {
        let data = self.entry.data();
        let mut unpacked = Vec::new();
        let read = match self.method {
            rawzip::CompressionMethod::STORE => self.read(data, &mut unpacked),
            rawzip::CompressionMethod::DEFLATE => {
                self.read(flate2::bufread::DeflateDecoder::new(data), &mut unpacked)
            }
            rawzip::CompressionMethod::ZSTD => {
                let decoder = zstd::stream::read::Decoder::new(data);
                decoder.and_then(|decoder| self.read(decoder, &mut unpacked))
            }
            method => {
                return Err(format!(
                    "it is packed in a way that is not known ({method:?})"
                ));
            }
        };
        read.map_err(|error| error.to_string())?;
        match unpacked.len() as u64 > MAX_MEMBER {
            true => Err(format!("it is larger than {MAX_MEMBER} bytes")),
            false => Ok(unpacked),
        }
    }

    /// Reads what comes out of a decoder, checked by the sum that the zip file keeps.
    fn read(&self, decoder: impl Read, unpacked: &mut Vec<u8>) -> std::io::Result<()> {
        let checked = self.entry.verifying_reader(decoder);
        checked.take(MAX_MEMBER + 1).read_to_end(unpacked).map(drop)
    }
}
