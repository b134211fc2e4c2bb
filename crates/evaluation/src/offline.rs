//! Offline scoring: completions from elsewhere, judged line by line.
//!
//! Input, a JSON object a line: `id`, `reference`, and `completion` (a whole response) or
//! `prediction` (an answer without a text around it); optional `dataset`, `question`,
//! `finish_reason`. Output, a line for each in the same order: `id`, `official` with `verdict`,
//! `correct`, `prediction`, `reference`, `exception`, `trace`, and `strict` with `verdict`,
//! `correct`, `answer`, `trace`.

use std::io::Write;
use std::path::Path;

use generation::FinishReason;
use rayon::prelude::*;
use schemars::JsonSchema;
use scoring::strict::Answer;
use scoring::{Ended, Verdict};
use serde::Serialize;
use serde_json::{Map, Value};
use store::{FileError, write_atomic};

use crate::error::Error;
use crate::grader::{Explained, Grader, by_official, ended};
use crate::record::{OfficialVerdict, StrictVerdict};

/// What some editors put before the first line of a file.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// How many answers of a file got which verdict.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct OfflineCounts {
    /// Answers judged.
    pub n: usize,
    /// Correct ones by the official scorer.
    pub official_correct: usize,
    /// Correct ones by the strict scorer.
    pub strict_correct: usize,
    /// Completions from which nothing could be extracted.
    pub no_answer: usize,
    /// References that make the original scorer raise an exception.
    pub reference_errors: usize,
}

/// A line of the output.
#[derive(Serialize, JsonSchema)]
pub(crate) struct ScoredAnswer {
    /// As in the input: a string or a number.
    id: Value,
    official: OfficialVerdict,
    strict: StrictVerdict,
}

/// A line of the input as it is documented. Lines are parsed field by field, so that a message can
/// name the field.
#[derive(Serialize, JsonSchema)]
pub(crate) struct OfflineAnswer {
    /// A string or a number, which the output repeats.
    id: Value,
    /// The data set's answer.
    reference: String,
    /// A whole completion; this or `prediction`.
    #[serde(skip_serializing_if = "Option::is_none")]
    completion: Option<String>,
    /// An answer without a text around it, compared without extraction.
    #[serde(skip_serializing_if = "Option::is_none")]
    prediction: Option<String>,
    /// Why the completion ended: `eos`, `stop`, `length` or `error`.
    #[serde(skip_serializing_if = "Option::is_none")]
    finish_reason: Option<FinishReason>,
    /// Name of a set, whose scoring profile is used.
    #[serde(skip_serializing_if = "Option::is_none")]
    dataset: Option<String>,
    /// The question, which may demand an order of several answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    question: Option<String>,
}

/// A line of the input.
struct Line {
    id: Value,
    dataset: String,
    question: Option<String>,
    reference: String,
    text: Text,
    ended: Ended,
}

enum Text {
    Completion(String),
    Prediction(String),
}

/// Judges every line of `input` and writes the verdicts to `output`, which appears only when all
/// are judged.
///
/// # Errors
/// An unreadable input, a line that is not of the form above (named with its field), or an output
/// that cannot be written or is the input.
pub fn score_file(grader: &Grader, input: &Path, output: &Path) -> Result<OfflineCounts, Error> {
    // By their real paths, as a link may lead from one to the other. An output that is not there
    // yet cannot be the input.
    if let (Ok(read), Ok(written)) = (input.canonicalize(), output.canonicalize())
        && read == written
    {
        return Err(Error::OutputIsInput(output.to_path_buf()));
    }
    let lines = read(input)?;
    let judged: Vec<ScoredAnswer> = lines.par_iter().map(|line| line.judge(grader)).collect();
    let lines = |out: &mut dyn Write| {
        judged
            .iter()
            .try_for_each(|line| store::write_line(&mut *out, line))
    };
    write_atomic(output, lines).map_err(FileError::write_failed(output))?;
    Ok(count(&judged))
}

/// Judges every line of `input` and reports how, line by line, with the line's id.
///
/// # Errors
/// An unreadable input, a line that is not of the form above, or what `report` returns.
pub fn explain_file<E: From<Error>>(
    grader: &Grader,
    input: &Path,
    mut report: impl FnMut(&Value, &str, &Explained) -> Result<(), E>,
) -> Result<(), E> {
    for line in read(input)? {
        let question = line.question.as_deref();
        let explained = grader.explain_ended(
            &line.dataset,
            line.answer(),
            &line.reference,
            question,
            line.ended,
        );
        report(&line.id, &line.reference, &explained)?;
    }
    Ok(())
}

/// The lines of an input, all of them sound.
fn read(input: &Path) -> Result<Vec<Line>, Error> {
    let content = std::fs::read(input).map_err(FileError::unreadable(input))?;
    let text = content.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&content);
    let lines: Vec<(usize, &[u8])> = text
        .split(|&byte| byte == b'\n')
        .enumerate()
        .filter(|(_, line)| !line.trim_ascii().is_empty())
        .map(|(index, line)| (index + 1, line))
        .collect();
    let corrupt = |line, message: String| Error::from(FileError::corrupt(input, line, message));
    if lines.is_empty() {
        return Err(corrupt(None, "this file holds no answer".to_string()));
    }
    let parsed = |&(number, line): &(usize, &[u8])| {
        Line::parse(line).map_err(|message| corrupt(Some(number), message))
    };
    // All lines before any is judged: an error in the last one costs no time and leaves no output.
    lines.par_iter().map(parsed).collect()
}

fn count(judged: &[ScoredAnswer]) -> OfflineCounts {
    let of = |holds: fn(&ScoredAnswer) -> bool| judged.iter().filter(|line| holds(line)).count();
    OfflineCounts {
        n: judged.len(),
        official_correct: of(|line| line.official.correct),
        strict_correct: of(|line| line.strict.correct),
        no_answer: of(|line| line.strict.verdict == Verdict::NoAnswer),
        reference_errors: of(|line| line.official.exception.is_some()),
    }
}

impl Line {
    fn parse(line: &[u8]) -> Result<Self, String> {
        // UTF-8 apart from JSON: the message can then say at which byte it ends.
        let text = std::str::from_utf8(line)
            .map_err(|error| format!("not UTF-8 text (byte {})", error.valid_up_to() + 1))?;
        let record: Map<String, Value> = serde_json::from_str(text)
            .map_err(|error| format!("not a JSON object (column {})", error.column()))?;
        let id = match record.get("id") {
            Some(id @ (Value::String(_) | Value::Number(_))) => id.clone(),
            Some(_) => return Err("the field \"id\" must be a string or a number".to_string()),
            None => return Err("the field \"id\" is missing".to_string()),
        };
        let reference =
            text_field(&record, "reference")?.ok_or("the field \"reference\" is missing")?;
        let text = match (
            text_field(&record, "completion")?,
            text_field(&record, "prediction")?,
        ) {
            (Some(completion), None) => Text::Completion(completion),
            (None, Some(prediction)) => Text::Prediction(prediction),
            (None, None) => {
                return Err("the field \"completion\" (or \"prediction\") is missing".to_string());
            }
            (Some(_), Some(_)) => {
                return Err("give either \"completion\" or \"prediction\", not both".to_string());
            }
        };
        let ended = match text_field(&record, "finish_reason")? {
            None => Ended::Complete,
            Some(reason) => match serde_json::from_value(Value::String(reason.clone())) {
                Ok(reason) => ended(reason),
                Err(_) => {
                    return Err(format!(
                        "the field \"finish_reason\" is \"{reason}\" (known: eos, stop, length, error)"
                    ));
                }
            },
        };
        let dataset = text_field(&record, "dataset")?.unwrap_or_default();
        let question = text_field(&record, "question")?;
        Ok(Self {
            id,
            dataset,
            question,
            reference,
            text,
            ended,
        })
    }

    fn answer(&self) -> Answer<'_> {
        match &self.text {
            Text::Completion(text) => Answer::Completion(text),
            Text::Prediction(text) => Answer::Prediction(text),
        }
    }

    fn judge(&self, grader: &Grader) -> ScoredAnswer {
        let profile = grader.profile(&self.dataset);
        let strict = profile.judge(self.answer(), &self.reference, self.question.as_deref());
        ScoredAnswer {
            id: self.id.clone(),
            official: OfficialVerdict::new(by_official(self.answer(), &self.reference), self.ended),
            strict: StrictVerdict::new(strict, self.ended),
        }
    }
}

/// The text of a field; `None` where it is absent or null.
fn text_field(record: &Map<String, Value>, name: &str) -> Result<Option<String>, String> {
    match record.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(format!("the field \"{name}\" must be a string")),
    }
}
