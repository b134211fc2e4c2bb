//! What a comparison overlooks, as a profile says it.

pub use math_equality::{Percent, Units};
use serde::{Deserialize, Serialize};

/// What a comparison overlooks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Policy {
    /// Units of measurement and currencies.
    pub units: Units,
    /// Per cent signs.
    pub percent: Percent,
    /// The order of several answers.
    pub list_order: ListOrder,
    /// Answers that stand only in the thoughts of a model.
    pub thoughts: Thoughts,
    /// How exact references are.
    pub reference: ReferencePrecision,
    /// What the question decides.
    pub question: Helps,
}

/// Whether an answer counts that stands only in thoughts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Thoughts {
    /// It does not: nothing was answered. What the thoughts come to is kept beside the verdict.
    #[default]
    AreNoAnswer,
    /// It does, as if it had been said.
    Count,
}

/// How exact the references of a set are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReferencePrecision {
    /// They are what they say.
    #[default]
    Exact,
    /// A reference may state a tolerance behind its number, as `14.2 (tolerance 0.1)`: numbers at
    /// most so far from it are equal to it.
    StatesTolerance,
    /// A decimal of ten places or more is rounded: an exact answer that it rounds is equal to it.
    MayBeRounded,
}

/// Where the question helps; every field is a rule with an id in traces.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Helps {
    /// `question/asked_quantity`: of several numbers in a sentence the one is meant that counts
    /// what the question counts.
    pub asked_quantity: bool,
    /// `question/given_numbers`: the only number is meant that the question does not give.
    pub given_numbers: bool,
    /// `question/options`: a letter stands for the text of its option, and a text for its letter.
    pub options: bool,
    /// `question/rounding`: where the question asks to round, a rounded answer is the reference
    /// that was not rounded.
    pub rounding: bool,
    /// `question/solved_for`: where the question asks for a letter in terms of others, an equation
    /// that is not solved for one is no answer.
    pub solved_for: bool,
    /// `question/asked_unit`: a reference without a unit has the one that the question asks for.
    pub asked_unit: bool,
    /// `question/asked_form`: where the question asks for a fraction or a decimal, the other form
    /// of the same number is no answer.
    pub asked_form: bool,
}

impl Default for Helps {
    fn default() -> Self {
        Self {
            asked_quantity: true,
            given_numbers: true,
            options: true,
            rounding: true,
            solved_for: true,
            asked_unit: false,
            asked_form: false,
        }
    }
}

/// Whether `3, 5` answers `5, 3`. Sets never have an order, tuples always.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ListOrder {
    /// Where the question asks for an order, such as "from least to greatest".
    #[default]
    AsAsked,
    /// In any order.
    Any,
    /// In the order of the reference only.
    Kept,
}

/// The part of a policy that a profile states.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Stated {
    units: Option<Units>,
    percent: Option<Percent>,
    list_order: Option<ListOrder>,
    thoughts: Option<Thoughts>,
    reference: Option<ReferencePrecision>,
}

/// The part of the help of a question that a profile states.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StatedHelps {
    asked_quantity: Option<bool>,
    given_numbers: Option<bool>,
    options: Option<bool>,
    rounding: Option<bool>,
    solved_for: Option<bool>,
    asked_unit: Option<bool>,
    asked_form: Option<bool>,
}

impl Helps {
    /// These with what is stated in its place.
    pub(super) fn with(self, stated: StatedHelps) -> Self {
        Self {
            asked_quantity: stated.asked_quantity.unwrap_or(self.asked_quantity),
            given_numbers: stated.given_numbers.unwrap_or(self.given_numbers),
            options: stated.options.unwrap_or(self.options),
            rounding: stated.rounding.unwrap_or(self.rounding),
            solved_for: stated.solved_for.unwrap_or(self.solved_for),
            asked_unit: stated.asked_unit.unwrap_or(self.asked_unit),
            asked_form: stated.asked_form.unwrap_or(self.asked_form),
        }
    }
}

impl Policy {
    /// This policy with what is stated in its place.
    pub(super) fn with(self, stated: Stated) -> Self {
        Self {
            units: stated.units.unwrap_or(self.units),
            percent: stated.percent.unwrap_or(self.percent),
            list_order: stated.list_order.unwrap_or(self.list_order),
            thoughts: stated.thoughts.unwrap_or(self.thoughts),
            reference: stated.reference.unwrap_or(self.reference),
            question: self.question,
        }
    }
}
