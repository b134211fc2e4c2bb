//! OpenCompass's `predictions/MODEL/DATASET.json`: an object by numbers, each entry with
//! `origin_prompt`, `prediction` and, where the data set hands it on, `gold`. Questions stand in the
//! prompts alone. What was split into `DATASET_0.json`, `DATASET_1.json`, … is one task.

use std::path::Path;

use serde_json::{Map, Value};

use super::error::{ImportError, ImportErrorKind};
use super::fields::{Layout, Raw};
use super::reading::{meant, name, object};
use super::{At, FieldMap, Key, Source, SourceFormat};

/// Whether an object is a file of predictions.
pub(crate) fn is_predictions(fields: &Map<String, Value>) -> bool {
    let is_entry = |(key, entry): (&String, &Value)| {
        key.parse::<usize>().is_ok() && entry.get("prediction").is_some()
    };
    !fields.is_empty() && fields.iter().all(is_entry)
}

pub(crate) fn read(path: &Path, map: &FieldMap) -> Result<Source, ImportError> {
    let layout = Layout {
        defaults: &[
            (Key::Completion, &["prediction"]),
            (Key::Reference, &["gold"]),
            (Key::Prompt, &["origin_prompt"]),
        ],
        known: &[],
        map,
    };
    let mut source = Source::new(SourceFormat::OpenCompass);
    let files = meant(path, |name| name.ends_with(".json"))?;
    source.model = files[0].parent().map(name).filter(|name| {
        // As the program lays its files out: predictions/MODEL/DATASET.json.
        let above = files[0].parent().and_then(Path::parent);
        !name.is_empty() && above.map(self::name).as_deref() == Some("predictions")
    });
    for file in files {
        let entries = object(&file)?;
        if !is_predictions(&entries) {
            let message =
                "this is no file of predictions: objects by number, each with \"prediction\"";
            let kind = ImportErrorKind::Malformed(message.to_string());
            return Err(ImportError::of(&file, kind));
        }
        let stem = file
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let (task, part) = match stem.rsplit_once('_') {
            Some((task, part)) if part.parse::<usize>().is_ok() => (task.to_string(), part),
            _ => (stem.clone(), ""),
        };
        for (number, entry) in &entries {
            let Value::Object(fields) = entry else {
                continue; // is_predictions looked at each
            };
            let raw = Raw {
                at: At {
                    file: file.clone(),
                    place: format!("entry \"{number}\""),
                },
                fields,
                task: &task,
            };
            let before = source.records.len();
            layout.push(&mut source, &raw)?;
            for record in &mut source.records[before..] {
                record.id = Some(match part {
                    "" => number.clone(),
                    part => format!("{part}.{number}"),
                });
            }
        }
        source.files.push(file);
    }
    Ok(source)
}
