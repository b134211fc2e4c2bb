//! Any JSON Lines (or a JSON array, or parquet), by a field map; without one by this program's own
//! names.

use std::path::Path;

use super::fields::{Layout, Raw};
use super::reading::objects;
use super::{FieldMap, ImportError, Key, Source, SourceFormat};

pub(crate) fn read(path: &Path, map: &FieldMap) -> Result<Source, ImportError> {
    let layout = Layout {
        defaults: &[
            (Key::Completion, &["completion"]),
            (Key::Reference, &["reference"]),
            (Key::Question, &["question", "problem"]),
            (Key::Prompt, &["prompt"]),
            (Key::Id, &["id", "custom_id"]),
            (Key::Task, &["task", "dataset"]),
            (Key::Sample, &["sample"]),
            (Key::FinishReason, &["finish_reason"]),
            (Key::Thinking, &["thinking", "reasoning_content"]),
            (Key::Model, &["model"]),
            (Key::PromptTokens, &["prompt_tokens"]),
            (Key::CompletionTokens, &["completion_tokens"]),
            (Key::Correct, &["correct"]),
            (Key::Error, &["error"]),
        ],
        known: &[],
        map,
    };
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let mut source = Source::new(SourceFormat::JsonLines);
    objects(path, |at, fields| {
        let raw = Raw {
            at,
            fields: &fields,
            task: &stem,
        };
        layout.push(&mut source, &raw)
    })?;
    source.files.push(path.to_path_buf());
    Ok(source)
}
