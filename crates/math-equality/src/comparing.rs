//! Do two values denote the same answer?
//!
//! Equality is symmetric in the two sides. What may be missing on one side: a unit, a currency or
//! per cent sign, and the name in front (`x =`, `x \in`). What may be written differently: an open
//! interval of two ends as a pair, a set or a tuple of coordinates as a plain list, an inequality
//! in one variable as an interval, `±` as two values.

mod collections; // lists, sets, tuples, unions, matrices
mod constants; // constants of integration under other names
mod determinants; // a determinant against its value
mod linear; // expressions linear in their only symbol
mod names; // what stands on the left of an equation
mod quantities; // numbers with units
mod ranges; // intervals and the inequalities and set-builders that denote them
mod relations; // equations, inequalities, systems
mod units; // what excludes what

use super::budget::{Budget, Exhausted};
use super::decision::EqualityDecision;
use super::expr::{Constant, Expr};
use super::value::Value;

/// The outcome of a comparison, or the end of the budget.
pub(crate) type Outcome = Result<EqualityDecision, Exhausted>;

/// The same answer, by this rule.
pub(crate) fn same(rule: &'static str) -> Outcome {
    Ok(EqualityDecision::of(true, rule))
}

/// Different answers, by this rule.
pub(crate) fn different(rule: &'static str) -> Outcome {
    Ok(EqualityDecision::of(false, rule))
}

fn either(equal: bool, rule: &'static str) -> Outcome {
    Ok(EqualityDecision::of(equal, rule))
}

/// Compares two values.
pub(crate) fn compare(left: &Value, right: &Value, budget: &mut Budget) -> Outcome {
    budget.spend(1)?;
    if left == right {
        return same("equal/identical");
    }
    // From both sides, for equality has no direction. A rewriting leads to a simpler kind of value
    // and none leads back, so that this ends.
    if let Some(outcome) = rewritten(left, right, budget).transpose() {
        return outcome;
    }
    if let Some(outcome) = rewritten(right, left, budget).transpose() {
        return outcome;
    }
    match (left, right) {
        (Value::Quantity(a), Value::Quantity(b)) => quantities::compare(a, b, budget),
        (Value::Text(a), Value::Text(b)) => either(same_words(a, b), "equal/words"),
        (Value::Choice(a), Value::Choice(b)) => either(a == b, "equal/choice"),
        (Value::Choice(letter), other) | (other, Value::Choice(letter)) => {
            let equal = names_choice(other, *letter) || equal(&lone_name(*letter), other, budget)?;
            either(equal, "equal/choice")
        }
        (Value::Tuple(a), Value::Tuple(b)) => collections::in_order(a, b, budget),
        // Only lists: a set has no order even where the question asks for one.
        (Value::List(a), Value::List(b)) if budget.options().ordered => {
            collections::in_order(a, b, budget)
        }
        (Value::List(a) | Value::Set(a), Value::List(b) | Value::Set(b)) => {
            collections::in_any_order(a, b, budget)
        }
        // A tuple has an order, so that a plain list beside it is read as coordinates.
        (Value::List(a), Value::Tuple(b)) | (Value::Tuple(b), Value::List(a)) => {
            collections::in_order(a, b, budget)
        }
        (Value::Matrix(rows), Value::Tuple(items)) | (Value::Tuple(items), Value::Matrix(rows)) => {
            collections::vector(rows, items, budget)
        }
        (Value::Matrix(a), Value::Matrix(b)) => collections::matrices(a, b, budget),
        (Value::Relation(..), Value::Relation(..)) => relations::compare(left, right, budget),
        (Value::System(a) | Value::Intersection(a), Value::System(b) | Value::Intersection(b)) => {
            collections::in_any_order(a, b, budget)
        }
        (Value::Union(a), Value::Union(b)) => collections::in_any_order(a, b, budget),
        (Value::Difference(a, c), Value::Difference(b, d)) => {
            let first = compare(a, b, budget)?;
            if first.equal {
                compare(c, d, budget)
            } else {
                Ok(first)
            }
        }
        (Value::SetBuilder(a, c), Value::SetBuilder(b, d)) => {
            collections::set_builders((a, c), (b, d), budget)
        }
        (Value::Piecewise(a), Value::Piecewise(b)) => collections::cases(a, b, budget),
        (Value::Ratio(a), Value::Ratio(b)) => quantities::ratios(a, b, budget),
        (Value::Ratio(parts), Value::Quantity(quantity))
        | (Value::Quantity(quantity), Value::Ratio(parts)) => {
            quantities::ratio_as_quotient(parts, quantity, budget)
        }
        (Value::Time(a), Value::Time(b)) => either(quantities::same_time(a, b), "equal/time"),
        (Value::Time(time), Value::Ratio(parts)) | (Value::Ratio(parts), Value::Time(time)) => {
            either(quantities::time_as_ratio(time, parts), "equal/time")
        }
        (Value::InBase(value, base), Value::Quantity(quantity))
        | (Value::Quantity(quantity), Value::InBase(value, base)) => either(
            quantities::base_missing(value, *base, quantity),
            "equal/base_missing",
        ),
        (Value::Interval(interval), Value::List(items))
        | (Value::List(items), Value::Interval(interval)) => {
            collections::bracketed_pair(interval, items, budget)
        }
        (Value::InBase(a, base), Value::InBase(b, other)) => {
            either(a == b && base == other, "equal/base")
        }
        _ => different("equal/kind"),
    }
}

pub(crate) use quantities::rounds_to;
pub(crate) use relations::stated_sum;

/// Whether a value is a number without letters.
pub(crate) fn is_number(value: &Value) -> bool {
    value
        .as_expr()
        .is_some_and(|expr| !quantities::has_symbols(expr))
}

/// Whether two sides are the same, by any rule.
fn equal(left: &Value, right: &Value, budget: &mut Budget) -> Result<bool, Exhausted> {
    Ok(compare(left, right, budget)?.equal)
}

/// Rewrites `value` into another form where `other` asks for it, and compares again; `None` where
/// nothing applies.
fn rewritten(
    value: &Value,
    other: &Value,
    budget: &mut Budget,
) -> Result<Option<EqualityDecision>, Exhausted> {
    if let Value::PlusMinus(centre, distance) = value {
        let both = collections::plus_minus(centre.as_ref(), distance);
        return compare(&both, other, budget).map(Some);
    }
    if let Value::Relation(operands, comparisons) = value
        && let Some(branches) = relations::plus_minus_branches(operands, comparisons)
    {
        return compare(&branches, other, budget).map(Some);
    }
    if ranges::is_range(other)
        && !matches!(value, Value::Text(_))
        && let Some(left) = ranges::of(value, ranges::is_plain_pair_allowed(other))
        // The side that makes this a comparison of ranges has to be one by itself; only its partner
        // may be a plain pair.
        && let Some(right) = ranges::of(other, false)
    {
        return ranges::compare(&left, &right, budget).map(Some);
    }
    if let Value::Relation(operands, comparisons) = value
        && matches!(other, Value::Tuple(_) | Value::System(_))
        && let Some(system) = relations::named_coordinates(operands, comparisons)
    {
        return compare(&system, other, budget).map(Some);
    }
    if let Some(verdict) = relations::congruences(value, other, budget)? {
        return Ok(Some(verdict));
    }
    match value {
        // Two relations keep their names: `x = 2` is not `y = 2`.
        Value::Relation(operands, comparisons) if !matches!(other, Value::Relation(..)) => {
            match relations::without_name(operands, comparisons) {
                Some(bare) => compare(bare, other, budget).map(Some),
                None => Ok(None),
            }
        }
        Value::System(relations) if !matches!(other, Value::System(_)) => {
            match relations::coordinates(relations) {
                Some(tuple) => compare(&tuple, other, budget).map(Some),
                None => Ok(None),
            }
        }
        Value::List(elements) if matches!(other, Value::Quantity(_) | Value::InBase(..)) => {
            match collections::only_value(elements, budget)? {
                Some(only) => compare(only, other, budget).map(Some),
                None => Ok(None),
            }
        }
        Value::Set(elements)
            if elements.len() == 1
                && matches!(other, Value::Quantity(_) | Value::Text(_) | Value::Tuple(_)) =>
        {
            compare(&elements[0], other, budget).map(Some)
        }
        Value::Tuple(elements) if elements.len() == 1 && !matches!(other, Value::Tuple(_)) => {
            compare(&elements[0], other, budget).map(Some)
        }
        _ => Ok(None),
    }
}

/// Whether a value that is no option letter is the letter in small or a word of one letter.
fn names_choice(value: &Value, letter: char) -> bool {
    let is_letter =
        |name: &str| name.len() == 1 && name.eq_ignore_ascii_case(letter.encode_utf8(&mut [0; 4]));
    match value {
        Value::Quantity(quantity) => {
            matches!(&quantity.expr, Expr::Symbol(symbol) if is_letter(&symbol.0))
        }
        Value::Text(text) => is_letter(text),
        _ => false,
    }
}

/// What an option letter means where none is asked for: a variable, or the constant e or i.
fn lone_name(letter: char) -> Value {
    Value::expr(match letter {
        'E' => Expr::Constant(Constant::E),
        'I' => Expr::Constant(Constant::I),
        _ => Expr::symbol(letter.to_ascii_lowercase().encode_utf8(&mut [0; 4])),
    })
}

/// Words that carry nothing.
const FILLERS: [&str; 8] = ["a", "an", "the", "is", "are", "it", "it's", "its"];

/// Whether two normalized texts have the same words in the same order, punctuation and fillers
/// aside, or the same signs, white space and ways to typeset aside.
fn same_words(left: &str, right: &str) -> bool {
    fn words(text: &str) -> impl Iterator<Item = &str> {
        let is_boundary = |c: char| {
            c.is_whitespace() || matches!(c, ',' | ';' | ':' | '!' | '?' | '"' | '\'' | '，' | '。')
        };
        let ends = |(at, _): &(usize, &str)| !is_decimal_point(text, *at);
        let points = text.match_indices('.').filter(ends).map(|(at, _)| at);
        let mut start = 0;
        points.chain([text.len()]).flat_map(move |end| {
            let sentence = &text[start..end];
            start = (end + 1).min(text.len());
            let words = sentence.split(is_boundary);
            words.filter(|word| !word.is_empty() && !FILLERS.contains(word))
        })
    }
    // Two texts of fillers alone must not agree by having no word left; their signs decide.
    (words(left).eq(words(right)) && words(left).next().is_some()) || bare(left) == bare(right)
}

/// Whether a point stands between digits: `4.48` is not `448`.
fn is_decimal_point(text: &str, at: usize) -> bool {
    let is_digit = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_digit);
    let bytes = text.as_bytes();
    is_digit(at.checked_sub(1).and_then(|before| bytes.get(before))) && is_digit(bytes.get(at + 1))
}

/// Whether a point ends a word of several letters before another one.
fn is_between_words(text: &str, at: usize) -> bool {
    let letters = |c: &char| c.is_alphabetic();
    let before = text[..at].chars().rev().take(2).filter(letters).count();
    let behind = text[at + 1..].trim_start().chars();
    before == 2 && behind.take(2).filter(letters).count() == 2
}

/// A text without what only typesets it.
fn bare(text: &str) -> String {
    const TYPESETTING: [(&str, &str); 16] = [
        ("\\left", ""),
        ("\\right", ""),
        ("\\bigl", ""),
        ("\\bigr", ""),
        ("\\Bigl", ""),
        ("\\Bigr", ""),
        ("\\dfrac", "\\frac"),
        ("\\tfrac", "\\frac"),
        ("\\leqslant", "\\le"),
        ("\\geqslant", "\\ge"),
        ("\\leq", "\\le"),
        ("\\geq", "\\ge"),
        ("\\,", ""),
        ("\\;", ""),
        ("\\!", ""),
        ("\\quad", ""),
    ];
    let mut bare: String = text
        .char_indices()
        .filter(|&(at, c)| match c {
            '$' => false,
            // Between two words a point divides them.
            '.' => is_decimal_point(text, at) || is_between_words(text, at),
            c => !c.is_whitespace(),
        })
        .map(|(_, c)| c)
        .collect();
    for (command, plain) in TYPESETTING {
        if bare.contains(command) {
            bare = with_command_replaced(&bare, command, plain);
        }
    }
    bare
}

/// A text with every `command` replaced that is not the beginning of an arrow's name. Names of
/// other commands cannot be told from letters behind them, since braces and blanks are gone.
fn with_command_replaced(text: &str, command: &str, plain: &str) -> String {
    const ARROWS: [&str; 4] = ["arrow", "harpoon", "rightarrow", "rightharpoon"];
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(command) {
        let behind = &rest[at + command.len()..];
        let goes_on = ARROWS.iter().any(|arrow| behind.starts_with(arrow));
        out.push_str(&rest[..at]);
        out.push_str(if goes_on { command } else { plain });
        rest = behind;
    }
    out.push_str(rest);
    out
}
