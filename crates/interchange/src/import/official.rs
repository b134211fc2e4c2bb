//! `TASK.prediction.json` of the published driver (microsoft/unilm,
//! `mathscale/MWPBench/eval_vllm/driver.py`): an object a line.

use std::path::Path;

use super::fields::{Layout, Raw};
use super::reading::{meant, name, objects};
use super::{FieldMap, ImportError, Key, Source, SourceFormat};

pub(crate) const ENDING: &str = ".prediction.json";

pub(crate) fn read(path: &Path, map: &FieldMap) -> Result<Source, ImportError> {
    let layout = Layout {
        defaults: &[
            (Key::Completion, &["completion"]),
            (Key::Reference, &["answer"]),
            (Key::Question, &["question"]),
            (Key::Prompt, &["prompt"]),
            (Key::Correct, &["judge"]),
        ],
        known: &["clean_reference_ans", "clean_prediction_ans"],
        map,
    };
    let mut source = Source::new(SourceFormat::Official);
    for file in meant(path, |name| name.ends_with(ENDING))? {
        let name = name(&file);
        let task = name.strip_suffix(ENDING).unwrap_or(&name).to_string();
        objects(&file, |at, fields| {
            let raw = Raw {
                at,
                fields: &fields,
                task: &task,
            };
            layout.push(&mut source, &raw)
        })?;
        source.files.push(file);
    }
    Ok(source)
}
