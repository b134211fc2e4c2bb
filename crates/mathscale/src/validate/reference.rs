//! By reference: a solution of the second generator, and its judgement on the pair's own.

use jobs::{ItemOutcome, JobTask, Replies, UnreadableReply};
use scoring::strict::Profile;

use super::judgement::{PairJudgement, reaches};
use super::prompt;
use crate::error::Error;
use crate::model::Asking;
use crate::pair::Pair;

/// The questions, to be solved.
pub(crate) struct SolveTask<'a> {
    pub(crate) asking: &'a Asking<'a>,
    pub(crate) pairs: &'a [Pair],
}

impl JobTask for SolveTask<'_> {
    fn items(&self) -> usize {
        self.pairs.len()
    }

    fn id(&self, item: usize) -> String {
        self.pairs[item].id.clone()
    }

    fn prompt(&self, item: usize, refusal: Option<&UnreadableReply>) -> String {
        (self.asking.render)(&prompt::solve(&self.pairs[item].question, refusal))
    }

    fn judge(&self, _: usize, text: &str) -> Result<(), String> {
        prompt::check_solution(text)
    }
}

/// The pairs that have a reference, to be judged.
pub(crate) struct JudgeTask<'a> {
    pub(crate) asking: &'a Asking<'a>,
    pub(crate) pairs: &'a [Pair],
    /// Places of the pairs, with their references.
    pub(crate) references: Vec<(usize, String)>,
}

impl<'a> JudgeTask<'a> {
    pub(crate) fn new(
        asking: &'a Asking<'a>,
        pairs: &'a [Pair],
        solved: &mut Replies,
    ) -> Result<Self, Error> {
        let mut references = Vec::new();
        for place in 0..pairs.len() {
            if let ItemOutcome::Answered(reply) = solved.outcome(place)? {
                references.push((place, reply.text.trim().to_string()));
            }
        }
        Ok(Self {
            asking,
            pairs,
            references,
        })
    }

    /// The judgement on every pair.
    pub(crate) fn judgements(self, verdicts: &mut Replies) -> Result<Vec<PairJudgement>, Error> {
        let unknown = PairJudgement::unknown("no reference solution could be used");
        let mut all = vec![unknown; self.pairs.len()];
        for (item, (place, reference)) in self.references.into_iter().enumerate() {
            let pair = &self.pairs[place];
            all[place] = match verdicts.outcome(item)? {
                ItemOutcome::Answered(reply) => match prompt::parse_verdict(&reply.text) {
                    Ok(right) => PairJudgement {
                        right: Some(right),
                        agreement: f64::from(u8::from(right)),
                        scorer: Some(same_answer(pair, &reference)),
                        reason: "judged incorrect against the reference solution".to_string(),
                        other: Some(reference),
                    },
                    Err(reason) => PairJudgement::unknown(&reason),
                },
                _ => PairJudgement::unknown("no judgement could be used"),
            };
        }
        Ok(all)
    }
}

/// Whether a pair's solution comes to the final answer of another one.
fn same_answer(pair: &Pair, other: &str) -> bool {
    let answer = Profile::standard().final_answer(other);
    answer.is_some_and(|answer| reaches(pair, &answer.text))
}

impl JobTask for JudgeTask<'_> {
    fn items(&self) -> usize {
        self.references.len()
    }

    fn id(&self, item: usize) -> String {
        self.pairs[self.references[item].0].id.clone()
    }

    fn prompt(&self, item: usize, refusal: Option<&UnreadableReply>) -> String {
        let (place, reference) = &self.references[item];
        let pair = &self.pairs[*place];
        (self.asking.render)(&prompt::judge(
            &pair.question,
            reference,
            &pair.solution,
            refusal,
        ))
    }

    fn judge(&self, _: usize, text: &str) -> Result<(), String> {
        prompt::parse_verdict(text).map(|_| ())
    }
}
