//! By reference: a solution of the second generator, and its judgement on the pair's own.

use std::cell::RefCell;

use jobs::{ItemOutcome, JobTask, Replies, UnreadableReply};
use scoring::strict::Profile;
use store::FileError;

use super::judgement::{Evidence, PairJudgement, reaches};
use super::pairs::PairFile;
use super::prompt;
use crate::fault_kind::FaultKind;
use crate::model::Asking;
use crate::pair::Pair;

/// The questions, to be solved.
pub(crate) struct SolveTask<'a> {
    pub(crate) asking: &'a Asking<'a>,
    pub(crate) pairs: &'a PairFile,
}

impl JobTask for SolveTask<'_> {
    fn items(&self) -> usize {
        self.pairs.len()
    }

    fn id(&self, item: usize) -> String {
        self.pairs.id(item).to_string()
    }

    fn prompt(&self, item: usize, refusal: Option<&UnreadableReply>) -> Result<String, FileError> {
        let pair = self.pairs.get(item)?;
        Ok((self.asking.render)(&prompt::solve(
            &pair.question,
            refusal,
        )))
    }

    fn judge(&self, _: usize, text: &str) -> Result<(), String> {
        prompt::check_solution(text)
    }

    fn kind(&self, fault: &str) -> &'static str {
        FaultKind::of(fault).name()
    }
}

/// The pairs that have a reference, to be judged.
pub(crate) struct JudgeTask<'a> {
    asking: &'a Asking<'a>,
    pairs: &'a PairFile,
    /// The references, read again as they are needed.
    solved: RefCell<Replies>,
    /// Places of the pairs that have one, in their order.
    places: Vec<u32>,
}

impl<'a> JudgeTask<'a> {
    pub(crate) fn new(asking: &'a Asking<'a>, pairs: &'a PairFile, solved: Replies) -> Self {
        let places = (0..pairs.len()).filter(|&place| solved.is_answered(place));
        Self {
            asking,
            pairs,
            places: places.map(|place| place as u32).collect(),
            solved: RefCell::new(solved),
        }
    }

    /// The reference of a pair.
    fn reference(&self, place: usize) -> Result<Option<String>, FileError> {
        Ok(match self.solved.borrow_mut().outcome(place)? {
            ItemOutcome::Answered(reply) => Some(reply.text.trim().to_string()),
            _ => None,
        })
    }

    /// Reference and judgement of a pair.
    pub(crate) fn evidence(
        &self,
        verdicts: &mut Replies,
        place: usize,
    ) -> Result<Evidence, FileError> {
        let Ok(item) = self.places.binary_search(&(place as u32)) else {
            return Ok(Evidence::Nothing("no reference solution could be used"));
        };
        let judgement = verdicts.outcome(item)?;
        Ok(match (self.reference(place)?, judgement) {
            (Some(reference), ItemOutcome::Answered(reply)) => Evidence::Reference {
                reference,
                judgement: reply.text,
            },
            _ => Evidence::Nothing("no judgement could be used"),
        })
    }
}

/// A pair beside a reference and the judgement on it.
pub(crate) fn judge(pair: &Pair, reference: String, judgement: &str) -> PairJudgement {
    match prompt::parse_verdict(judgement) {
        Ok(right) => PairJudgement {
            right: Some(right),
            agreement: f64::from(u8::from(right)),
            scorer: Some(same_answer(pair, &reference)),
            reason: "judged incorrect against the reference solution".to_string(),
            other: Some(reference),
        },
        Err(reason) => PairJudgement::unknown(&reason),
    }
}

/// Whether a pair's solution comes to the final answer of another one.
fn same_answer(pair: &Pair, other: &str) -> bool {
    let answer = Profile::standard().final_answer(other);
    answer.is_some_and(|answer| reaches(pair, &answer.text))
}

impl JobTask for JudgeTask<'_> {
    fn items(&self) -> usize {
        self.places.len()
    }

    fn id(&self, item: usize) -> String {
        self.pairs.id(self.places[item] as usize).to_string()
    }

    fn prompt(&self, item: usize, refusal: Option<&UnreadableReply>) -> Result<String, FileError> {
        let place = self.places[item] as usize;
        let pair = self.pairs.get(place)?;
        // It is there: only answered places are among the items.
        let reference = self.reference(place)?.unwrap_or_default();
        Ok((self.asking.render)(&prompt::judge(
            &pair.question,
            &reference,
            &pair.solution,
            refusal,
        )))
    }

    fn judge(&self, _: usize, text: &str) -> Result<(), String> {
        prompt::parse_verdict(text).map(|_| ())
    }

    fn kind(&self, fault: &str) -> &'static str {
        FaultKind::of(fault).name()
    }
}
