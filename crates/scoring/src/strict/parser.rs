//! Text → value.

use super::value::Value;

/// Reads an answer or a reference; what cannot be parsed comes back as [`Value::Text`].
pub(crate) fn parse(text: &str) -> Parsed {
    Parsed { value: Value::Text(text.trim().to_lowercase()), rules: vec!["parse/text"] }
}

/// What was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Parsed {
    /// The value.
    pub value: Value,
    /// Ids of the rules that made it.
    pub rules: Vec<&'static str>,
}
