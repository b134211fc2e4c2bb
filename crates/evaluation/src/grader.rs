//! Both scorers in one hand: which strict profile judges which set, and the verdicts on
//! completions.

use fault::{Class, Fault};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

use dataset_loader::{Benchmark, Problem};
use generation::FinishReason;
use rayon::prelude::*;
use scoring::official;
use scoring::strict::{Answer, Explanation, Profile, ProfileError};
use scoring::{Ended, Verdict, strict};
use serde::Serialize;

use crate::record::{CompletionRecord, OfficialVerdict, StrictVerdict, VerdictRecord};

/// Judges completions with the official scorer and with a strict profile.
#[derive(Clone, Debug)]
pub struct Grader {
    /// A profile for everything, where one was asked for.
    given: Option<Profile>,
    /// The profile of each set, by the set's name.
    of_sets: HashMap<String, &'static Profile>,
}

/// Why there is no grader.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GraderError {
    /// Neither a profile nor a file of that name.
    #[error(
        "there is no scoring profile \"{name}\" and no file of that name (known profiles: {known})"
    )]
    Unknown {
        /// What was asked for.
        name: String,
        /// The names of the profiles that come with the program.
        known: String,
    },
    /// A set's description names no profile.
    #[error(
        "the set \"{set}\" names the scoring profile \"{name}\" in its dataset.toml, which there is not (known: {known})"
    )]
    OfSet {
        /// Name of the set.
        set: String,
        /// The profile it names.
        name: String,
        /// The names of the profiles that come with the program.
        known: String,
    },
    /// A file that cannot be read.
    #[error("cannot read the scoring profile {}: {source}", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A profile that is not one.
    #[error("scoring profile {0}")]
    Refused(#[from] ProfileError),
}

impl Fault for GraderError {
    fn class(&self) -> Class {
        match self {
            Self::OfSet { .. } => Class::Integrity,
            _ => Class::Usage,
        }
    }
}

/// The judgements on one answer, and how they came about.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Explained {
    /// What the official scorer says.
    pub official: OfficialVerdict,
    /// What the strict scorer says.
    pub strict: StrictVerdict,
    /// Name of the strict profile.
    pub profile: String,
    /// How the strict verdict came about.
    pub explanation: Explanation,
}

impl Grader {
    /// Sees to it that every set's description names a profile that there is. Those of the
    /// published sets do.
    ///
    /// # Errors
    /// A set of one's own that names another.
    pub fn check(benchmark: &Benchmark) -> Result<(), GraderError> {
        match benchmark
            .sets()
            .iter()
            .find(|set| Profile::named(&set.scoring_profile).is_none())
        {
            None => Ok(()),
            Some(set) => Err(GraderError::OfSet {
                set: set.name.clone(),
                name: set.scoring_profile.clone(),
                known: Profile::names().collect::<Vec<_>>().join(", "),
            }),
        }
    }

    /// Judges each set by the profile that its description names, everything else by the standard
    /// one.
    ///
    /// # Panics
    /// A set of one's own names a profile that there is not: [`Grader::check`] comes first.
    pub fn new(benchmark: &Benchmark) -> Self {
        let named = |name: &str| Profile::named(name).expect("every set's profile was looked up");
        let of_sets = benchmark
            .sets()
            .iter()
            .map(|set| (set.name.clone(), named(&set.scoring_profile)));
        Self {
            given: None,
            of_sets: of_sets.collect(),
        }
    }

    /// Judges everything by this profile.
    pub fn by_profile(profile: Profile) -> Self {
        Self {
            given: Some(profile),
            of_sets: HashMap::new(),
        }
    }

    /// Judges everything by one profile: the name of one that comes with the program, or the path
    /// of a file.
    ///
    /// # Errors
    /// A name that is neither, a file that cannot be read, a profile that is refused.
    pub fn with_profile(benchmark: &Benchmark, name: &str) -> Result<Self, GraderError> {
        let file = Path::new(name);
        let given = match Profile::named(name) {
            Some(profile) => profile.clone(),
            None if file.is_file() => {
                let text =
                    std::fs::read_to_string(file).map_err(|source| GraderError::Unreadable {
                        file: file.to_path_buf(),
                        source,
                    })?;
                Profile::parse(name, &text)?
            }
            None => {
                let known = Profile::names().collect::<Vec<_>>().join(", ");
                return Err(GraderError::Unknown {
                    name: name.to_string(),
                    known,
                });
            }
        };
        Ok(Self {
            given: Some(given),
            ..Self::new(benchmark)
        })
    }

    /// The profile that judges a set.
    pub fn profile(&self, set: &str) -> &Profile {
        match (&self.given, self.of_sets.get(set)) {
            (Some(profile), _) => profile,
            (None, Some(profile)) => profile,
            (None, None) => Profile::standard(),
        }
    }

    /// What a rule of a trace is for, of either scorer; `None` for an id that there is not.
    pub fn purpose(&self, set: &str, rule: &str) -> Option<&str> {
        let strict = self.profile(set).purpose(rule);
        strict.or_else(|| official::purpose(rule))
    }

    /// The profile's name where one was asked for; `None` where each set has its own.
    pub fn given(&self) -> Option<&str> {
        self.given.as_ref().map(Profile::name)
    }

    /// Judges one completion against its problem's reference.
    pub fn judge(&self, problem: &Problem, completion: &CompletionRecord) -> VerdictRecord {
        let ended = ended(completion.finish_reason);
        let judgement = official::judge_completion(&completion.completion, &problem.reference);
        let answer = Answer::Completion(&completion.completion);
        let strict =
            self.profile(&problem.set)
                .judge(answer, &problem.reference, Some(&problem.question));
        VerdictRecord {
            id: problem.id.clone(),
            set: problem.set.clone(),
            task: problem.task.clone(),
            sample: completion.sample,
            truncated: ended == Ended::Truncated,
            // The exception is one of cleaning the reference, and says nothing of the completion.
            no_answer: ended != Ended::Failed
                && judgement.exception.is_none()
                && judgement.extracted.is_none(),
            official: OfficialVerdict::new(judgement, ended),
            strict: StrictVerdict::new(strict, ended),
        }
    }

    /// Judges the completions of all problems, in the problems' order, each with its samples, in
    /// parallel.
    pub(crate) fn judge_all(
        &self,
        problems: &[Problem],
        samples: u32,
        completions: &HashMap<(String, u32), CompletionRecord>,
    ) -> Vec<VerdictRecord> {
        let judged = |problem: &Problem| {
            let completion = |sample| completions.get(&(problem.id.clone(), sample));
            (0..samples)
                .filter_map(completion)
                .map(|completion| self.judge(problem, completion))
                .collect::<Vec<_>>()
        };
        // rayon collects in the order of the problems. Summaries and comparisons take verdicts of
        // one problem from beside each other.
        problems.par_iter().flat_map_iter(judged).collect()
    }

    /// Judges one answer of a set (any name will do) and tells how.
    pub fn explain(
        &self,
        set: &str,
        answer: Answer<'_>,
        reference: &str,
        question: Option<&str>,
    ) -> Explained {
        self.explain_ended(set, answer, reference, question, Ended::Complete)
    }

    /// Judges one completion of a run and tells how.
    pub fn explain_completion(
        &self,
        problem: &Problem,
        completion: &CompletionRecord,
    ) -> Explained {
        let answer = Answer::Completion(&completion.completion);
        let ended = ended(completion.finish_reason);
        self.explain_ended(
            &problem.set,
            answer,
            &problem.reference,
            Some(&problem.question),
            ended,
        )
    }

    pub(crate) fn explain_ended(
        &self,
        set: &str,
        answer: Answer<'_>,
        reference: &str,
        question: Option<&str>,
        ended: Ended,
    ) -> Explained {
        let profile = self.profile(set);
        let explanation = profile.explain(answer, reference, question);
        Explained {
            official: OfficialVerdict::new(by_official(answer, reference), ended),
            strict: StrictVerdict::new(explanation.judgement.clone(), ended),
            profile: profile.name().to_string(),
            explanation,
        }
    }
}

/// What the official scorer says of an answer.
pub(crate) fn by_official(answer: Answer<'_>, reference: &str) -> official::OfficialJudgement {
    match answer {
        Answer::Completion(text) => official::judge_completion(text, reference),
        Answer::Prediction(text) => official::judge_prediction(text, reference),
    }
}

pub(crate) fn ended(reason: FinishReason) -> Ended {
    match reason {
        FinishReason::Eos | FinishReason::Stop => Ended::Complete,
        FinishReason::Length => Ended::Truncated,
        FinishReason::Error => Ended::Failed,
    }
}

impl OfficialVerdict {
    /// The verdict on a judgement, given how the completion ended. A failed completion is never
    /// correct.
    pub(crate) fn new(judgement: official::OfficialJudgement, ended: Ended) -> Self {
        let verdict = judgement.verdict(ended);
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
    /// The verdict on a judgement, given how the completion ended. A failed completion is never
    /// correct.
    pub(crate) fn new(judgement: strict::StrictJudgement, ended: Ended) -> Self {
        let verdict = judgement.verdict(ended);
        Self {
            verdict,
            correct: verdict == Verdict::Correct,
            answer: judgement.answer,
            span: judgement.span,
            thoughts: judgement.thoughts,
            trace: judgement.trace.iter().map(ToString::to_string).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_set_names_a_profile_that_there_is() {
        for set in Benchmark::published().sets() {
            assert!(
                Profile::named(&set.scoring_profile).is_some(),
                "{}: {}",
                set.name,
                set.scoring_profile
            );
        }
    }
}
