//! By self-consistency: several solutions are drawn, and the answer that most of them reach counts
//! as right.

use jobs::{ItemOutcome, JobTask, Replies, UnreadableReply};
use scoring::strict::{Answer, Profile};
use store::FileError;

use super::judgement::{Evidence, PairJudgement, reaches};
use super::pairs::PairFile;
use super::prompt;
use crate::fault_kind::FaultKind;
use crate::model::Asking;
use crate::pair::Pair;

/// Every question, to be solved several times.
pub(crate) struct SampleTask<'a> {
    pub(crate) asking: &'a Asking<'a>,
    pub(crate) pairs: &'a PairFile,
    pub(crate) samples: usize,
}

impl SampleTask<'_> {
    /// The solutions of a pair that can be used.
    pub(crate) fn evidence(
        &self,
        replies: &mut Replies,
        place: usize,
    ) -> Result<Evidence, FileError> {
        let first = place * self.samples;
        let mut solutions = Vec::new();
        for item in first..first + self.samples {
            if let ItemOutcome::Answered(reply) = replies.outcome(item)? {
                solutions.push(reply.text.trim().to_string());
            }
        }
        Ok(Evidence::Samples(solutions))
    }
}

impl JobTask for SampleTask<'_> {
    fn items(&self) -> usize {
        self.pairs.len() * self.samples
    }

    /// Another name for each sample, so that each draws with numbers of its own.
    fn id(&self, item: usize) -> String {
        let (place, sample) = (item / self.samples, item % self.samples);
        format!("{}/{sample}", self.pairs.id(place))
    }

    fn prompt(&self, item: usize, refusal: Option<&UnreadableReply>) -> Result<String, FileError> {
        let pair = self.pairs.get(item / self.samples)?;
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

/// A pair beside the solutions that were drawn for it.
pub(crate) fn judge(pair: &Pair, mut solutions: Vec<String>) -> PairJudgement {
    let groups = groups(&pair.question, &solutions);
    let Some(most) = groups.iter().map(|group| group.solutions.len()).max() else {
        return PairJudgement::unknown("no sample could be used");
    };
    let mut largest = groups.iter().filter(|group| group.solutions.len() == most);
    let majority = match (largest.next(), largest.next()) {
        (Some(group), None) => group,
        _ => return PairJudgement::unknown("no answer is reached by more samples than any other"),
    };
    let own = |group: &&Group| reaches(pair, &group.answer);
    let right = own(&majority);
    let agreeing = groups
        .iter()
        .find(own)
        .map_or(0, |group| group.solutions.len());
    // Samples that could be used: those that were rejected say nothing about agreement.
    let drawn = solutions.len();
    PairJudgement {
        right: Some(right),
        agreement: agreeing as f64 / drawn as f64,
        scorer: None,
        reason: format!(
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
        // Against one of each group only: equality by the scorer need not be transitive.
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

    fn about(solution: &str, samples: &[&str]) -> PairJudgement {
        let pair = Pair {
            question: "How much?".into(),
            solution: solution.into(),
            ..Pair::default()
        };
        judge(
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
            wrong.reason.starts_with("2 of 3 samples reach the answer"),
            "{}",
            wrong.reason
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
