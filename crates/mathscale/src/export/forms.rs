//! A record in each form.

use std::fmt;
use std::io::{self, Write};

use serde::{Deserialize, Serialize};

use super::parquet::ParquetWriter;
use super::spool::Item;
use crate::project::{Output, WholeFile};

/// The template of Stanford Alpaca around a question: what the benchmark asks with (the
/// evaluation's `alpaca`).
const BEFORE: &str = "Below is an instruction that describes a task. Write a response that appropriately completes the request.\n\n### Instruction:\n";
const AFTER: &str = "\n\n### Response:";

/// A form of training files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// A JSON array of objects with `instruction`, `input` (empty) and `output`.
    Alpaca,
    /// JSON Lines with `messages`: one of the user and one of the assistant.
    Chat,
    /// JSON Lines with `prompt`, the question in the Alpaca template, and `completion`.
    PromptCompletion,
    /// Parquet with `id`, `question`, `solution`, `topics`, `knowledge_points` and `source`.
    Parquet,
}

impl Form {
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

impl fmt::Display for Form {
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

/// A file in the making.
pub(crate) enum Writer {
    Alpaca { out: WholeFile, records: u64 },
    Chat(WholeFile),
    PromptCompletion(WholeFile),
    Parquet(Box<ParquetWriter>),
}

impl Writer {
    pub(crate) fn new(form: Form, mut out: WholeFile) -> io::Result<Self> {
        Ok(match form {
            Form::Alpaca => {
                out.write_all(b"[")?;
                Self::Alpaca { out, records: 0 }
            }
            Form::Chat => Self::Chat(out),
            Form::PromptCompletion => Self::PromptCompletion(out),
            Form::Parquet => Self::Parquet(Box::new(ParquetWriter::new(out)?)),
        })
    }

    pub(crate) fn add(&mut self, item: &Item) -> io::Result<()> {
        let (question, solution) = (item.question.as_str(), item.solution.as_str());
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
                line(
                    out,
                    &Chat {
                        messages: [message("user", question), message("assistant", solution)],
                    },
                )?;
            }
            Self::PromptCompletion(out) => {
                line(
                    out,
                    &PromptCompletion {
                        prompt: format!("{BEFORE}{question}{AFTER}"),
                        completion: solution,
                    },
                )?;
            }
            Self::Parquet(writer) => writer.add(item)?,
        }
        Ok(())
    }

    pub(crate) fn put(self, file: &std::path::Path) -> io::Result<Output> {
        match self {
            Self::Alpaca { mut out, .. } => {
                out.write_all(b"\n]\n")?;
                out.put(file)
            }
            Self::Chat(out) | Self::PromptCompletion(out) => out.put(file),
            Self::Parquet(writer) => writer.finish()?.put(file),
        }
    }
}

fn line(out: &mut WholeFile, record: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *out, record)?;
    out.write_all(b"\n")
}
