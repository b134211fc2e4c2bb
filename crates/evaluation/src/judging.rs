//! Completion records → verdict records.

use std::collections::HashMap;

use dataset_loader::Problem;
use generation::FinishReason;
use rayon::prelude::*;
use scoring::official::{self, Judgement};
use scoring::strict;
use scoring::{Ended, Verdict};

use crate::record::{CompletionRecord, OfficialVerdict, StrictVerdict, VerdictRecord};

/// Judges one completion against its problem's reference.
pub fn judge(problem: &Problem, completion: &CompletionRecord) -> VerdictRecord {
    let ended = match completion.finish_reason {
        FinishReason::Eos | FinishReason::Stop => Ended::Complete,
        FinishReason::Length => Ended::Truncated,
        FinishReason::Error => Ended::Failed,
    };
    let judgement = official::judge_completion(&completion.completion, &problem.reference);
    VerdictRecord {
        id: problem.id.clone(),
        set: problem.set.clone(),
        task: problem.task.clone(),
        sample: completion.sample,
        truncated: ended == Ended::Truncated,
        no_answer: ended != Ended::Failed && judgement.exception.is_none() && judgement.extracted.is_none(),
        official: OfficialVerdict::new(judgement, ended),
        strict: StrictVerdict::new(strict::judge_completion(&completion.completion, &problem.reference), ended),
    }
}

/// Judges the completions of all problems, in the problems' order and in parallel.
pub(crate) fn judge_all(
    problems: &[Problem],
    completions: &HashMap<(String, u32), CompletionRecord>,
) -> Vec<VerdictRecord> {
    problems
        .par_iter()
        .filter_map(|problem| completions.get(&(problem.id.clone(), 0)).map(|completion| judge(problem, completion)))
        .collect()
}

impl OfficialVerdict {
    /// The verdict on a judgement, given how the completion ended. A failed completion is never correct.
    pub(crate) fn new(judgement: Judgement, ended: Ended) -> Self {
        let verdict = scoring::verdict(&judgement, ended);
        Self {
            verdict,
            correct: verdict == Verdict::Correct,
            exception: judgement.exception.map(|exception| exception.to_string()),
            trace: judgement.trace.iter().map(ToString::to_string).collect(),
            prediction: judgement.prediction,
            reference: judgement.reference,
        }
    }
}

impl StrictVerdict {
    /// The verdict on a judgement, given how the completion ended. A failed completion is never correct.
    pub(crate) fn new(judgement: strict::Judgement, ended: Ended) -> Self {
        let verdict = match ended {
            Ended::Failed => Verdict::Failed,
            _ if judgement.correct => Verdict::Correct,
            Ended::Truncated => Verdict::Truncated,
            Ended::Complete if judgement.answer.is_none() => Verdict::NoAnswer,
            Ended::Complete => Verdict::Wrong,
        };
        Self {
            verdict,
            correct: verdict == Verdict::Correct,
            answer: judgement.answer,
            trace: judgement.trace.iter().map(ToString::to_string).collect(),
        }
    }
}
