//! Completion → answer.

use std::borrow::Cow;

/// What the reference is, as far as it steers extraction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum ReferenceKind {
    /// A plain number, perhaps with a unit, a currency or a per cent sign.
    Number,
    /// An option letter.
    Choice,
    /// Any other formula: expressions, tuples, intervals, equations, matrices, lists.
    Formula,
    /// Words.
    Text,
}

/// The answer found in a completion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Extracted<'t> {
    /// The answer's text; several spans that together are the answer are joined by `, `.
    pub text: Cow<'t, str>,
    /// Id of the rule that took it, such as `extract/boxed`.
    pub rule: &'static str,
    /// Where it stands: bytes of the completion, from the first to the end of the last span.
    pub span: std::ops::Range<usize>,
}

/// Finds the final answer of a completion.
pub(crate) fn extract(completion: &str, _kind: ReferenceKind) -> Option<Extracted<'_>> {
    let text = completion.lines().rev().find(|line| !line.trim().is_empty())?;
    let start = text.as_ptr() as usize - completion.as_ptr() as usize;
    Some(Extracted { text: Cow::Borrowed(text), rule: "extract/last_line", span: start..start + text.len() })
}
