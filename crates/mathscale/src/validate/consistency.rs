//! By self-consistency: several solutions are drawn, and the answer that most of them reach is
//! taken for the right one.

use jobs::{ItemOutcome, Replies, Task, UnreadableReply};
use rayon::prelude::*;
use scoring::strict::{Answer, Profile};

use super::prompt;
use super::stage::{Judged, ValidatePlan};
use crate::error::Error;
use crate::pair::Pair;

/// Pairs that are compared at a time, on all cores.
const BATCH: usize = 1024;

/// Every question, to be solved several times.
pub(crate) struct Sampling<'a> {
    pub(crate) plan: &'a ValidatePlan<'a>,
    pub(crate) pairs: &'a [Pair],
    pub(crate) samples: usize,
}

impl Sampling<'_> {
    /// What was found out about every pair.
    pub(crate) fn judged(&self, replies: &mut Replies) -> Result<Vec<Judged>, Error> {
        let mut all = Vec::with_capacity(self.pairs.len());
        for (number, pairs) in self.pairs.chunks(BATCH).enumerate() {
            let mut solutions: Vec<Vec<String>> = Vec::with_capacity(pairs.len());
            for place in 0..pairs.len() {
                let first = (number * BATCH + place) * self.samples;
                let mut told = Vec::new();
                for item in first..first + self.samples {
                    if let ItemOutcome::Answered(reply) = replies.outcome(item)? {
                        told.push(reply.text.trim().to_string());
                    }
                }
                solutions.push(told);
            }
            all.par_extend(
                pairs
                    .par_iter()
                    .zip(solutions)
                    .map(|(pair, solutions)| judged(pair, solutions)),
            );
        }
        Ok(all)
    }
}

impl Task for Sampling<'_> {
    fn items(&self) -> usize {
        self.pairs.len() * self.samples
    }

    /// Another name for each sample, so that each draws with numbers of its own.
    fn id(&self, item: usize) -> String {
        format!(
            "{}/{}",
            self.pairs[item / self.samples].id,
            item % self.samples
        )
    }

    fn prompt(&self, item: usize, refusal: Option<&UnreadableReply>) -> String {
        (self.plan.render)(&prompt::solve(
            &self.pairs[item / self.samples].question,
            refusal,
        ))
    }

    fn judge(&self, _: usize, text: &str) -> Result<(), String> {
        prompt::check_solution(text)
    }
}

/// A pair beside the solutions that were drawn for it.
pub(crate) fn judged(pair: &Pair, mut solutions: Vec<String>) -> Judged {
    let groups = groups(&pair.question, &solutions);
    let Some(most) = groups.iter().map(|group| group.solutions.len()).max() else {
        return Judged::nothing("no sample could be used");
    };
    let mut largest = groups.iter().filter(|group| group.solutions.len() == most);
    let majority = match (largest.next(), largest.next()) {
        (Some(group), None) => group,
        _ => return Judged::nothing("no answer is reached by more samples than any other"),
    };
    let own = |group: &&Group| {
        Profile::standard()
            .judge(
                Answer::Completion(&pair.solution),
                &group.answer,
                Some(&pair.question),
            )
            .correct
    };
    let right = own(&majority);
    let agreeing = groups
        .iter()
        .find(own)
        .map_or(0, |group| group.solutions.len());
    let drawn = solutions.len();
    Judged {
        right: Some(right),
        agreement: agreeing as f64 / drawn as f64,
        scorer: None,
        why: format!(
            "{most} of {drawn} samples reach the answer {}",
            majority.answer
        ),
        other: Some(solutions.swap_remove(majority.solutions[0])),
    }
}

/// Solutions with equal answers.
struct Group {
    answer: String,
    /// Their places.
    solutions: Vec<usize>,
}

/// Equal by the strict scorer, as the first of each group has it.
fn groups(question: &str, solutions: &[String]) -> Vec<Group> {
    let profile = Profile::standard();
    let mut groups: Vec<Group> = Vec::new();
    for (place, solution) in solutions.iter().enumerate() {
        let Some(answer) = profile.final_answer(solution).map(|answer| answer.text) else {
            continue;
        };
        let same = |group: &&mut Group| {
            profile
                .judge(Answer::Prediction(&answer), &group.answer, Some(question))
                .correct
        };
        match groups.iter_mut().find(same) {
            Some(group) => group.solutions.push(place),
            None => groups.push(Group {
                answer,
                solutions: vec![place],
            }),
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    fn about(solution: &str, samples: &[&str]) -> Judged {
        let pair = Pair {
            question: "How much?".into(),
            solution: solution.into(),
            ..Pair::default()
        };
        judged(
            &pair,
            samples.iter().map(|sample| sample.to_string()).collect(),
        )
    }

    #[test]
    fn equal_answers_count_together_however_they_are_written() {
        let samples = [
            "The answer is 0.5.",
            "So \\boxed{\\frac{1}{2}}.",
            "The answer is 3.",
        ];
        let right = about("Half. The answer is 1/2.", &samples);
        assert_eq!(right.right, Some(true));
        assert!((right.agreement - 2.0 / 3.0).abs() < 1e-12);
        let wrong = about("The answer is 3.", &samples);
        assert_eq!(
            (wrong.right, wrong.other.as_deref()),
            (Some(false), Some("The answer is 0.5."))
        );
        assert!((wrong.agreement - 1.0 / 3.0).abs() < 1e-12);
        assert!(
            wrong.why.starts_with("2 of 3 samples reach the answer"),
            "{}",
            wrong.why
        );
        assert_eq!(about("The answer is 7.", &samples).agreement, 0.0);
    }

    #[test]
    fn a_tie_and_no_samples_say_nothing() {
        assert_eq!(
            about(
                "The answer is 3.",
                &["The answer is 3.", "The answer is 4."]
            )
            .right,
            None
        );
        assert_eq!(about("The answer is 3.", &[]).right, None);
    }
}
