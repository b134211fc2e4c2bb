//! The published MwpBench scorer, verdict for verdict.
//!
//! Source: microsoft/unilm, `mathscale/MWPBench/eval_vllm/{driver,util}.py`, commit 768a3c8. Known
//! differences: none on the recorded vectors (57,069 judgements and 8,452 inputs to the helper
//! functions), exceptions included. The rules, quirks and all, are listed in order in
//! `answer-normalizers/profiles/official.toml`, which the engine here follows:
//!
//! - `profile`: that list, parsed once.
//! - `extraction`: completion → answer.
//! - `rewriting`: text → clean text (the original's `strip_string`).
//! - `equality`: clean answer and clean reference → equal or not (`is_equiv`).

mod equality;
mod extraction;
mod profile;
mod rewriting;

use std::fmt;

use serde::{Deserialize, Serialize};

use self::{extraction::Extraction, profile::profile, rewriting::clean};
use crate::python;

/// What the original writes as the prediction where no extraction rule applies.
pub const FAILED_EXTRACTION: &str = "failed extracting answer from completion";

/// What the original scorer returns for one completion, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OfficialJudgement {
    /// The original's verdict; `false` where [`exception`](Self::exception) is set.
    pub correct: bool,
    /// The clean prediction, as the original writes it to its files: [`FAILED_EXTRACTION`] where no
    /// extraction rule applied, `None` where the number rule found no number or an exception was
    /// raised. Whether there was an answer at all is told by [`extracted`](Self::extracted).
    pub prediction: Option<String>,
    /// The clean reference; uncleaned where the number rule found no number or an exception was
    /// swallowed. `None` where an exception was raised.
    pub reference: Option<String>,
    /// The exception of cleaning the reference, which the original does not catch: it abandons the
    /// whole task.
    pub exception: Option<Exception>,
    /// The exception of cleaning the answer, which the original catches: it then compares the
    /// uncleaned texts.
    pub swallowed: Option<Exception>,
    /// The answer as extracted, lower-cased and not yet clean; `None` where nothing was.
    pub extracted: Option<String>,
    /// The ids of the rules that acted, in order: rewrites that changed the reference, the
    /// extractor, rewrites that changed the answer, the equality rule. A rewrite that raised is the
    /// last of its text.
    pub trace: Vec<&'static str>,
}

/// The exceptions that the original can raise while it cleans a text. Serialized, and displayed, as
/// the Python class.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Exception {
    /// `\sqrt` or `\frac` with nothing behind it.
    IndexError,
    /// More than one unit.
    AssertionError,
}

impl fmt::Display for Exception {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Self::IndexError => "IndexError",
            Self::AssertionError => "AssertionError",
        })
    }
}

/// What a rule of traces is for; `None` for an id that there is not.
pub fn purpose(rule: &str) -> Option<&'static str> {
    profile::profile().purposes.get(rule).map(String::as_str)
}

/// Judges a whole completion: extracts its answer and compares it with the reference.
///
/// ```
/// use scoring::official::{Exception, judge_completion};
///
/// let judgement = judge_completion("So the total is \\boxed{\\dfrac12}.", "1/2");
/// assert!(judgement.correct);
/// assert_eq!(judgement.prediction.as_deref(), Some("\\frac{1}{2}"));
///
/// // The original stops at a reference like this one, so nothing it is compared with is correct.
/// let judgement = judge_completion("\\boxed{2\\sqrt}", "2\\sqrt");
/// assert!(!judgement.correct);
/// assert_eq!(judgement.exception, Some(Exception::IndexError));
/// ```
pub fn judge_completion(completion: &str, reference: &str) -> OfficialJudgement {
    // Before the completion is looked at, as in the original: whether its clean form is a number
    // decides how the answer is extracted, and an exception ends the judgement.
    let reference = match Reference::new(reference) {
        Ok(reference) => reference,
        Err(judgement) => return judgement,
    };
    let completion = python::lower(completion);
    match extraction::extract(&completion, reference.number.is_some()) {
        (rule, Extraction::Answer(answer)) => reference.judge(answer.to_owned(), Some(rule)),
        (rule, Extraction::Missing) => reference.judge_missing(rule),
        (rule, Extraction::Failed) => reference.judge_failed(rule),
    }
}

/// Judges an answer that has already been extracted, as the original's `is_equiv` does on
/// lower-cased texts.
///
/// An exception of the reference is reported as for a completion, although `is_equiv` alone would
/// swallow it.
///
/// ```
/// # use scoring::official::judge_prediction;
/// assert!(judge_prediction("$1,234.00", "1234").correct);
/// ```
pub fn judge_prediction(prediction: &str, reference: &str) -> OfficialJudgement {
    match Reference::new(reference) {
        Ok(reference) => reference.judge(python::lower(prediction), None),
        Err(judgement) => judgement,
    }
}

/// A reference that could be cleaned, and the trace of it.
struct Reference {
    uncleaned: String,
    clean: String,
    number: Option<f64>,
    trace: Vec<&'static str>,
}

impl Reference {
    /// Cleans the reference, or gives the judgement where that raises.
    fn new(reference: &str) -> Result<Self, OfficialJudgement> {
        let uncleaned = python::lower(reference);
        let mut trace = Vec::with_capacity(8);
        match clean(uncleaned.clone(), &profile().rewrites, &mut trace) {
            Ok(clean) => Ok(Self {
                number: equality::number(&clean),
                uncleaned,
                clean,
                trace,
            }),
            Err(exception) => Err(OfficialJudgement {
                correct: false,
                prediction: None,
                reference: None,
                exception: Some(exception),
                swallowed: None,
                extracted: None,
                trace,
            }),
        }
    }

    fn judge(mut self, extracted: String, extractor: Option<&'static str>) -> OfficialJudgement {
        self.trace.extend(extractor);
        let cleaned = clean(extracted.clone(), &profile().rewrites, &mut self.trace);
        // The original catches the exception around both texts and compares them as they came.
        let (swallowed, prediction) = match cleaned {
            Ok(clean) => (None, clean),
            Err(exception) => (Some(exception), extracted.clone()),
        };
        let reference = if swallowed.is_some() {
            self.uncleaned
        } else {
            self.clean
        };
        let sides = equality::Sides {
            answer: Some(&prediction),
            reference: &reference,
            reference_number: self.number,
            uncleaned: swallowed.is_some(),
        };
        let (rule, correct) = sides.compare();
        self.trace.push(rule);
        OfficialJudgement {
            correct,
            prediction: Some(prediction),
            reference: Some(reference),
            exception: None,
            swallowed,
            extracted: Some(extracted),
            trace: self.trace,
        }
    }

    fn judge_missing(mut self, extractor: &'static str) -> OfficialJudgement {
        let sides = equality::Sides {
            answer: None,
            reference: &self.uncleaned,
            reference_number: self.number,
            uncleaned: false,
        };
        let (rule, correct) = sides.compare();
        self.trace.extend([extractor, rule]);
        OfficialJudgement {
            correct,
            prediction: None,
            reference: Some(self.uncleaned),
            exception: None,
            swallowed: None,
            extracted: None,
            trace: self.trace,
        }
    }

    fn judge_failed(mut self, extractor: &'static str) -> OfficialJudgement {
        self.trace.push(extractor);
        OfficialJudgement {
            correct: false,
            // Not compared: a reference that occurs within the fixed text would be equal by
            // containment.
            prediction: Some(FAILED_EXTRACTION.to_owned()),
            reference: Some(self.clean),
            exception: None,
            swallowed: None,
            extracted: None,
            trace: self.trace,
        }
    }
}

#[cfg(test)]
mod function_vectors;
