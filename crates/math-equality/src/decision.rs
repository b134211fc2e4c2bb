//! How a comparison was decided.

/// How a comparison was decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EqualityDecision {
    /// Whether the two are the same answer.
    pub equal: bool,
    /// Id of the rule that decided, such as `equal/rational`.
    pub rule: &'static str,
}

impl EqualityDecision {
    pub(crate) fn of(equal: bool, rule: &'static str) -> Self {
        Self { equal, rule }
    }
}
