//! A record in each format.

use std::fmt;
use std::io::{self, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};
use store::{AtomicFile, FileDigest, write_line};

use super::parquet::ParquetWriter;
use super::spool::ExportRecord;

/// The template of Stanford Alpaca around a question: what the benchmark asks with (the
/// evaluation's `alpaca`).
const BEFORE: &str = "Below is an instruction that describes a task. Write a response that appropriately completes the request.\n\n### Instruction:\n";
const AFTER: &str = "\n\n### Response:";

/// A format of training files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExportFormat {
    /// A JSON array of objects with `instruction`, `input` (empty) and `output`.
    Alpaca,
    /// JSON Lines with `messages`: one of the user and one of the assistant.
    Chat,
    /// JSON Lines with `prompt`, the question in the Alpaca template, and `completion`.
    PromptCompletion,
    /// Parquet with `id`, `question`, `solution`, `topics`, `knowledge_points` and `source`.
    Parquet,
}

impl ExportFormat {
    /// All of them.
    pub const ALL: [Self; 4] = [
        Self::Alpaca,
        Self::Chat,
        Self::PromptCompletion,
        Self::Parquet,
    ];

    /// Name of its folder, and of its configuration in the data card.
    pub fn name(self) -> &'static str {
        match self {
            Self::Alpaca => "alpaca",
            Self::Chat => "chat",
            Self::PromptCompletion => "prompt_completion",
            Self::Parquet => "parquet",
        }
    }

    /// Path of a split's file in the export folder.
    pub fn path(self, split: &str) -> String {
        let ending = match self {
            Self::Alpaca => "json",
            Self::Chat | Self::PromptCompletion => "jsonl",
            Self::Parquet => "parquet",
        };
        format!("{}/{split}.{ending}", self.name())
    }
}

impl fmt::Display for ExportFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[derive(Serialize)]
struct Alpaca<'a> {
    instruction: &'a str,
    input: &'a str,
    output: &'a str,
}

#[derive(Serialize)]
struct Chat<'a> {
    messages: [Message<'a>; 2],
}

#[derive(Serialize)]
struct Message<'a> {
    role: &'a str,
    content: &'a str,
}

#[derive(Serialize)]
struct PromptCompletion<'a> {
    prompt: String,
    completion: &'a str,
}

/// A file that is being written.
pub(crate) enum Writer {
    Alpaca { out: AtomicFile, records: u64 },
    Chat(AtomicFile),
    PromptCompletion(AtomicFile),
    Parquet(Box<ParquetWriter>),
}

impl Writer {
    pub(crate) fn new(form: ExportFormat, mut out: AtomicFile) -> io::Result<Self> {
        Ok(match form {
            ExportFormat::Alpaca => {
                out.write_all(b"[")?;
                Self::Alpaca { out, records: 0 }
            }
            ExportFormat::Chat => Self::Chat(out),
            ExportFormat::PromptCompletion => Self::PromptCompletion(out),
            ExportFormat::Parquet => Self::Parquet(Box::new(ParquetWriter::new(out)?)),
        })
    }

    pub(crate) fn add(&mut self, record: &ExportRecord) -> io::Result<()> {
        let (question, solution) = (record.question.as_str(), record.solution.as_str());
        match self {
            Self::Alpaca { out, records } => {
                out.write_all(if *records == 0 { b"\n" } else { b",\n" })?;
                *records += 1;
                serde_json::to_writer(
                    out,
                    &Alpaca {
                        instruction: question,
                        input: "",
                        output: solution,
                    },
                )?;
            }
            Self::Chat(out) => {
                let message = |role, content| Message { role, content };
                write_line(
                    out,
                    &Chat {
                        messages: [message("user", question), message("assistant", solution)],
                    },
                )?;
            }
            Self::PromptCompletion(out) => {
                write_line(
                    out,
                    &PromptCompletion {
                        prompt: format!("{BEFORE}{question}{AFTER}"),
                        completion: solution,
                    },
                )?;
            }
            Self::Parquet(writer) => writer.add(record)?,
        }
        Ok(())
    }

    pub(crate) fn commit(self, file: &Path) -> io::Result<FileDigest> {
        match self {
            Self::Alpaca { mut out, .. } => {
                out.write_all(b"\n]\n")?;
                out.commit(file)
            }
            Self::Chat(out) | Self::PromptCompletion(out) => out.commit(file),
            Self::Parquet(writer) => writer.finish()?.commit(file),
        }
    }
}
