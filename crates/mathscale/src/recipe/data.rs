//! The export, in the form that the trainer reads.

use std::fs::{self, File};
use std::io::{self, BufReader};
use std::path::Path;

use serde::{Deserialize, Serialize};
use store::{FileDigest, FileError, JsonLines, write_atomic, write_line};

use super::base::BaseModel;
use super::trainer::Trainer;
use crate::error::Error;

/// A line of the export's form `prompt_completion`.
#[derive(Deserialize, Serialize)]
pub(crate) struct PromptCompletion {
    pub(crate) prompt: String,
    pub(crate) completion: String,
}

/// Writes a split for the trainer.
///
/// TRL, axolotl and our component for torchtune put the special tokens around it themselves, as the
/// tokenizer has them. LLaMA-Factory's only template without a text of its own puts none: they are
/// written out, and its tokenizer reads them as the tokens that they name.
pub(crate) fn write_split(
    from: &Path,
    to: &Path,
    trainer: Trainer,
    base: &BaseModel,
) -> Result<FileDigest, Error> {
    match trainer {
        Trainer::LlamaFactory => with_special_tokens(from, to, base),
        _ => {
            let copied = File::open(from).and_then(|source| {
                let mut source = BufReader::new(source);
                write_atomic(to, |out| io::copy(&mut source, out).map(drop))
            });
            Ok(copied.map_err(FileError::write_failed(to))?)
        }
    }
}

fn with_special_tokens(from: &Path, to: &Path, base: &BaseModel) -> Result<FileDigest, Error> {
    let (bos, eos) = (base.bos().unwrap_or_default(), base.eos());
    let lines = JsonLines::<PromptCompletion>::open(from)?;
    // An error of reading leaves the closure beside those of writing.
    let mut unread = None;
    let written = write_atomic(to, |out| {
        for line in lines {
            let line = match line {
                Ok(line) => line,
                Err(error) => {
                    unread = Some(error);
                    return Err(io::Error::other("a line cannot be read"));
                }
            };
            write_line(
                &mut *out,
                &PromptCompletion {
                    prompt: format!("{bos}{}", line.prompt),
                    completion: format!("{}{eos}", line.completion),
                },
            )?;
        }
        Ok(())
    });
    match (unread, written) {
        (Some(error), _) => Err(error.into()),
        (None, written) => Ok(written.map_err(FileError::write_failed(to))?),
    }
}

/// Whether a folder is there with anything in it.
pub(crate) fn is_in_use(folder: &Path) -> bool {
    fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some())
}
