//! Which scorer judges, and by which profile; and a judgement as Python shows it.

use std::borrow::Cow;

use evaluation::Grader;
use scoring::strict::{Answer, Profile, StrictJudgement};
use scoring::{Ended, Verdict, official};

use crate::text::in_characters;

/// Which scorer judges, and by which profile.
pub enum Rules {
    /// The published scorer.
    Official,
    /// Ours, by a profile that comes with the program.
    Strict(&'static Profile),
    /// Ours, by a profile of the user's.
    Own {
        /// The profile.
        profile: Box<Profile>,
        /// What it was read from, for another process to read again.
        text: String,
    },
}

/// What is judged: a completion, or an answer without a text around it.
pub struct Item<'a> {
    /// What the answer should be.
    pub reference: &'a str,
    /// What a model wrote.
    pub answer: Answer<'a>,
    /// What it was asked.
    pub question: Option<&'a str>,
}

/// A judgement. Places are counted in characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged {
    pub verdict: Verdict,
    pub answer: Option<String>,
    pub span: Option<[usize; 2]>,
    pub trace: Vec<Cow<'static, str>>,
}

impl Rules {
    /// The scorer's name.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Official => scoring::Scorer::Official.name(),
            Self::Strict(_) | Self::Own { .. } => scoring::Scorer::Strict.name(),
        }
    }

    /// The profile of the strict scorer.
    pub fn profile(&self) -> Option<&Profile> {
        match self {
            Self::Official => None,
            Self::Strict(profile) => Some(profile),
            Self::Own { profile, .. } => Some(profile),
        }
    }

    /// Judges an answer.
    pub fn judge(&self, item: &Item<'_>) -> Judged {
        let (Answer::Completion(text) | Answer::Prediction(text)) = item.answer;
        match self.profile() {
            Some(profile) => {
                let judgement = profile.judge(item.answer, item.reference, item.question);
                Judged::by_strict(judgement, text)
            }
            None => Judged::by_official(match item.answer {
                Answer::Completion(text) => official::judge_completion(text, item.reference),
                Answer::Prediction(text) => official::judge_prediction(text, item.reference),
            }),
        }
    }

    /// The answer that a completion gives; `None` where it gives none. The official scorer wants to
    /// know whether the reference is a number.
    pub fn extract(&self, completion: &str, reference: Option<&str>) -> Option<String> {
        if let (Some(profile), None) = (self.profile(), reference) {
            return profile.final_answer(completion).map(|found| found.text);
        }
        let item = Item {
            reference: reference.unwrap_or_default(),
            answer: Answer::Completion(completion),
            question: None,
        };
        self.judge(&item).answer
    }

    /// The account of a judgement, as the program prints it.
    pub fn explain(&self, item: &Item<'_>) -> String {
        let profile = self.profile().unwrap_or_else(|| Profile::standard());
        let grader = Grader::by_profile(profile.clone());
        let explained = grader.explain("", item.answer, item.reference, item.question);
        reporting::explanation_text(None, item.reference, &explained)
    }
}

impl Judged {
    fn by_strict(judgement: StrictJudgement, text: &str) -> Self {
        Self {
            verdict: judgement.verdict(Ended::Complete),
            span: judgement.span.map(|span| in_characters(text, span)),
            answer: judgement.answer,
            trace: judgement.trace.into_iter().map(Cow::Borrowed).collect(),
        }
    }

    fn by_official(judgement: official::OfficialJudgement) -> Self {
        Self {
            verdict: judgement.verdict(Ended::Complete),
            answer: judgement.extracted,
            span: None,
            trace: judgement.trace.into_iter().map(Cow::Borrowed).collect(),
        }
    }

    /// Whether the answer is right.
    pub fn is_correct(&self) -> bool {
        self.verdict == Verdict::Correct
    }
}
