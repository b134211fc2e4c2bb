//! Text → value.
//!
//! An answer or a reference goes in, as extracted or as a dataset has it; a [`Value`] comes out.
//! Nothing is simplified here but fractions of integers, integrals and series, and nothing is refused: what no rule reads
//! comes back as [`Value::Text`]. Every step takes time linear in the text, and nesting is limited,
//! so that no text can exhaust the stack.
//!
//! The modules, in the order in which a text meets them: `fast` (plain numbers), `wrapping`,
//! `words`, `lexer` with `letters`, `numbers`, `latex` and `commands`, `reader`, `expression` with
//! `arithmetic`, `atoms`, `functions`, `names`, `brackets`, `environments` and `vectors`, and
//! `units`.

mod arithmetic;
mod atoms;
mod brackets;
mod commands;
mod environments;
mod expression;
mod fast;
mod functions;
mod latex;
mod letters;
mod lexer;
mod names;
mod number_words;
mod numbers;
mod reader;
mod respelling;
mod tables;
#[cfg(test)]
mod tests;
mod tokens;
mod units;
mod vectors;
mod words;
mod wrapping;

pub(crate) use self::respelling::list_beside;
pub(crate) use self::tables::measure;
pub use self::tables::{Case, TABLES};
pub use self::wrapping::decimal_digit;

use self::words::Phrase;
use super::value::Value;

/// A text longer than this is no answer but a discourse, and is compared as text.
pub(crate) const LONGEST: usize = 16_384;

/// What was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Parsed {
    /// The value.
    pub value: Value,
    /// Ids of the rules that made it.
    pub rules: Vec<&'static str>,
}

/// Reads an answer or a reference; what cannot be parsed comes back as [`Value::Text`].
///
/// The rule is `parse/number` for a plain number, `parse/choice` for an option letter,
/// `parse/phrase` for words that a table knows, `parse/formula` for all that the grammar reads, and
/// `parse/text` for the rest.
pub(crate) fn parse(text: &str) -> Parsed {
    if let Some(number) = fast::number(text) {
        return Parsed {
            value: Value::expr(number),
            rules: vec!["parse/number"],
        };
    }
    let (value, rule) = read(text);
    Parsed {
        value,
        rules: vec![rule],
    }
}

/// Whether a question demands that several answers come in an order.
pub fn asks_for_order(question: &str) -> bool {
    let question = question.to_lowercase();
    tables::tables()
        .ordered
        .iter()
        .any(|phrase| question.contains(phrase.as_str()))
}

/// The cases of the tables: file, and what a text is read as.
pub fn table_cases() -> &'static [(&'static str, tables::Case)] {
    &tables::tables().cases
}

fn read(text: &str) -> (Value, &'static str) {
    if text.len() > LONGEST {
        return (Value::Text(words::normalized(text)), "parse/text");
    }
    let prepared = respelling::respelled(wrapping::prepared(text));
    if let Some(number) = fast::number(&prepared) {
        return (Value::expr(number), "parse/number");
    }
    // Before the tokens, which know a lone `B` but read `(B)` as a variable in brackets.
    if let Some(letter) = words::choice(&prepared) {
        return (Value::Choice(letter), "parse/choice");
    }
    if let Some(date) = words::date(&prepared) {
        return (Value::Text(date), "parse/phrase");
    }
    let prepared = match words::phrase(&prepared) {
        Some(Phrase::Word(value)) => return (value, "parse/phrase"),
        Some(Phrase::Notation(notation)) => notation.into(),
        None => prepared,
    };
    let tokens = lexer::tokens(&prepared);
    match reader::answer(&prepared, &tokens) {
        Ok(value @ Value::Text(_)) => (value, "parse/text"),
        Ok(value) => (value, "parse/formula"),
        Err(_) => (Value::Text(words::normalized(&prepared)), "parse/text"),
    }
}
