//! NeMo-Skills' `output.jsonl`, and `output-rs0.jsonl`, `output-rs1.jsonl`, … with a sample of every
//! item each: the fields of the data set beside `generation`.

use std::path::Path;

use super::fields::{Layout, Raw};
use super::reading::{meant, name, objects};
use super::{FieldMap, ImportError, Key, Source, SourceFormat};

/// Whether a file is called like one of its outputs.
pub(crate) fn is_output(name: &str) -> bool {
    name.starts_with("output") && name.ends_with(".jsonl") && !name.contains("chunk")
}

pub(crate) fn read(path: &Path, map: &FieldMap) -> Result<Source, ImportError> {
    let layout = Layout {
        defaults: &[
            (Key::Completion, &["generation"]),
            (Key::Reference, &["expected_answer"]),
            (Key::Question, &["problem", "question"]),
            (Key::Id, &["id"]),
            (Key::FinishReason, &["finish_reason"]),
            (Key::PromptTokens, &["num_input_tokens"]),
            (Key::CompletionTokens, &["num_generated_tokens"]),
            (Key::Thinking, &["reasoning_content"]),
            (Key::Correct, &["symbolic_correct", "is_correct"]),
            (Key::Error, &["error"]),
        ],
        known: &[
            "predicted_answer",
            "reference_solution",
            "judgement",
            "generation_start_time",
            "generation_end_time",
            "generation_time",
            "subset_for_metrics",
            "answer_type",
            "level",
            "type",
            "subject",
            "unique_id",
        ],
        map,
    };
    let mut source = Source::new(SourceFormat::NemoSkills);
    let files = meant(path, is_output)?;
    let folder = files[0].parent().map(name).filter(|name| !name.is_empty());
    let task = folder.unwrap_or_else(|| "nemo_skills".to_string());
    let several = files.len() > 1;
    for (sample, file) in files.into_iter().enumerate() {
        let mut item = 0_usize;
        objects(&file, |at, fields| {
            let raw = Raw {
                at,
                fields: &fields,
                task: &task,
            };
            let before = source.records.len();
            layout.push(&mut source, &raw)?;
            item += 1;
            if several {
                for record in &mut source.records[before..] {
                    record.sample = Some(sample as u64);
                    // Every file has all items, in the same order.
                    record.id.get_or_insert_with(|| item.to_string());
                }
            }
            Ok(())
        })?;
        source.files.push(file);
    }
    Ok(source)
}
