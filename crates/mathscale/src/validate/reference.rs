//! By reference: a solution of the second generator, and its judgement on the pair's own.

use jobs::{ItemOutcome, Replies, Task, UnreadableReply};

use super::prompt;
use super::stage::{Judged, ValidatePlan, same_answer};
use crate::error::Error;
use crate::pair::Pair;

/// The questions, to be solved.
pub(crate) struct Solving<'a> {
    pub(crate) plan: &'a ValidatePlan<'a>,
    pub(crate) pairs: &'a [Pair],
}

impl Task for Solving<'_> {
    fn items(&self) -> usize {
        self.pairs.len()
    }

    fn id(&self, item: usize) -> String {
        self.pairs[item].id.clone()
    }

    fn prompt(&self, item: usize, refusal: Option<&UnreadableReply>) -> String {
        (self.plan.render)(&prompt::solve(&self.pairs[item].question, refusal))
    }

    fn judge(&self, _: usize, text: &str) -> Result<(), String> {
        prompt::check_solution(text)
    }
}

/// The pairs that have a reference, to be judged.
pub(crate) struct Judging<'a> {
    pub(crate) plan: &'a ValidatePlan<'a>,
    pub(crate) pairs: &'a [Pair],
    /// Places of the pairs, with their references.
    pub(crate) references: Vec<(usize, String)>,
}

impl<'a> Judging<'a> {
    pub(crate) fn new(
        plan: &'a ValidatePlan<'a>,
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
            plan,
            pairs,
            references,
        })
    }

    /// What was found out about every pair.
    pub(crate) fn judged(self, verdicts: &mut Replies) -> Result<Vec<Judged>, Error> {
        let nothing = || Judged::nothing("no reference solution could be used");
        let mut all: Vec<Judged> = self.pairs.iter().map(|_| nothing()).collect();
        for (item, (place, reference)) in self.references.into_iter().enumerate() {
            let pair = &self.pairs[place];
            all[place] = match verdicts.outcome(item)? {
                ItemOutcome::Answered(reply) => match prompt::verdict(&reply.text) {
                    Ok(right) => Judged {
                        right: Some(right),
                        agreement: f64::from(u8::from(right)),
                        scorer: Some(same_answer(pair, &reference)),
                        why: "judged incorrect against the reference solution".to_string(),
                        other: Some(reference),
                    },
                    Err(reason) => Judged::nothing(&reason),
                },
                _ => Judged::nothing("no judgement could be used"),
            };
        }
        Ok(all)
    }
}

impl Task for Judging<'_> {
    fn items(&self) -> usize {
        self.references.len()
    }

    fn id(&self, item: usize) -> String {
        self.pairs[self.references[item].0].id.clone()
    }

    fn prompt(&self, item: usize, refusal: Option<&UnreadableReply>) -> String {
        let (place, reference) = &self.references[item];
        let pair = &self.pairs[*place];
        (self.plan.render)(&prompt::judge(
            &pair.question,
            reference,
            &pair.solution,
            refusal,
        ))
    }

    fn judge(&self, _: usize, text: &str) -> Result<(), String> {
        prompt::verdict(text).map(|_| ())
    }
}
