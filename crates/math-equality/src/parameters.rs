//! Letters that run through all integers: `2πk, k ∈ ℤ` and `2πn, n ∈ ℤ` are the same numbers.

use super::budget::{Budget, Exhausted};
use super::clauses;
use super::comparing;
use super::decision::EqualityDecision;
use super::expr::{Expr, Symbol};
use super::reading;
use super::value::{Quantity, Value};

/// Letters that count where nothing says so.
const COUNTING: [&str; 6] = ["k", "n", "m", "l", "j", "p"];

/// An answer with a letter of which a clause says that it is any integer.
struct Family<'t> {
    bare: &'t str,
    letter: &'t str,
    /// The clause with a blank for the letter, where it says more than that.
    restriction: Option<String>,
}

/// Two answers of which at least one says that its letter is any integer, under one letter; `None`
/// where nothing of that kind is said.
pub(super) fn compared(
    left: &str,
    right: &str,
    budget: &mut Budget,
) -> Result<Option<EqualityDecision>, Exhausted> {
    let (first, second) = (family(left), family(right));
    let restriction = |family: &Option<Family<'_>>| {
        family
            .as_ref()
            .and_then(|family| family.restriction.clone())
    };
    if first.is_none() && second.is_none() || restriction(&first) != restriction(&second) {
        return Ok(None);
    }
    let read = |family: &Option<Family<'_>>, text: &str, other: &str| {
        let bare = family.as_ref().map_or(text, |family| family.bare);
        reading::read(bare, other, &mut Vec::new())
    };
    let (a, b) = (read(&first, left, right), read(&second, right, left));
    let letter = |family: &Option<Family<'_>>, own: &Value, other: &Value| match family {
        Some(family) => Some(Symbol(family.letter.into())),
        // Without a word on it, the only letter that the other side does not have.
        None => {
            let (own, other) = (symbols(own), symbols(other));
            let mut further = own.into_iter().filter(|symbol| !other.contains(symbol));
            let only = further.next().filter(|_| further.next().is_none())?;
            COUNTING.contains(&&*only.0).then_some(only)
        }
    };
    let (Some(from), Some(to)) = (letter(&first, &a, &b), letter(&second, &b, &a)) else {
        return Ok(None);
    };
    let (held, taken) = (symbols(&a), symbols(&b));
    if from == to || !held.contains(&from) || !taken.contains(&to) || taken.contains(&from) {
        return Ok(None);
    }
    let renamed = mapped(&b, &|expr| {
        crate::equivalence::replaced(expr, &to, &Expr::Symbol(from.clone()))
    });
    comparing::compare(&a, &renamed, budget).map(Some)
}

fn family(text: &str) -> Option<Family<'_>> {
    const SAYS: [&str; 4] = ["mathbb{Z}", "mathbb Z", "integer", "\\in Z"];
    /// A shorter text has no room for a clause.
    const MIN_BYTES: usize = 8;
    if text.len() < MIN_BYTES
        || !text.contains('Z') && !text.contains("integer")
        || !SAYS.iter().any(|says| text.contains(says))
    {
        return None;
    }
    let bare = clauses::without_clause(text)?;
    let clause = &text[text.find(bare)? + bare.len()..];
    let mut letters = clause
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| word.len() == 1 && !matches!(*word, "Z" | "a" | "A"));
    let letter = letters.next()?;
    if letters.any(|other| other != letter) || !letter.starts_with(|c: char| c.is_ascii_lowercase())
    {
        return None;
    }
    Some(Family {
        bare,
        letter,
        restriction: restriction(clause, letter),
    })
}

/// What a clause says besides that its letter is any integer, with a sign for the letter; `None`
/// where it says nothing more. Every other word or sign may restrict it: `prime`, `k > 0`, `^+`.
fn restriction(clause: &str, letter: &str) -> Option<String> {
    const TYPESETTING: [&str; 15] = [
        "\\in", "\\mathbb", "\\mathrm", "\\textrm", "\\text", "\\quad", "\\qquad", "\\forall",
        "\\left", "\\right", "\\ ", "\\,", "\\;", "\\(", "\\)",
    ];
    const SAYS_INTEGER: [&str; 16] = [
        "a",
        "all",
        "an",
        "and",
        "any",
        "arbitrary",
        "each",
        "every",
        "for",
        "integer",
        "integers",
        "is",
        "some",
        "where",
        "with",
        "Z",
    ];
    let is_punctuation = |c: char| c.is_whitespace() || "{}$(),.:;~".contains(c);
    let plain = TYPESETTING.iter().fold(clause.to_owned(), |rest, command| {
        rest.replace(command, " ")
    });
    let (mut said, mut says_more) = (String::with_capacity(plain.len()), false);
    let mut rest = plain.as_str();
    while let Some(first) = rest.chars().next() {
        let word = rest.len() - rest.trim_start_matches(char::is_alphanumeric).len();
        let (part, behind) = rest.split_at(word.max(first.len_utf8()));
        rest = behind;
        if part == letter {
            said.push('_');
        } else if !part.starts_with(is_punctuation) {
            says_more |= !SAYS_INTEGER.contains(&part);
            said.push_str(part);
            said.push(' ');
        }
    }
    says_more.then_some(said)
}

fn symbols(value: &Value) -> Vec<Symbol> {
    fn of(expr: &Expr, found: &mut Vec<Symbol>) {
        match expr {
            Expr::Symbol(symbol) => found.push(symbol.clone()),
            Expr::Number(_) | Expr::Constant(_) => {}
            Expr::Power(base, exponent) => {
                of(base, found);
                of(exponent, found);
            }
            Expr::Sum(parts)
            | Expr::Product(parts)
            | Expr::Apply(_, parts)
            | Expr::Call(_, parts) => parts.iter().for_each(|part| of(part, found)),
        }
    }
    let found = std::cell::RefCell::new(Vec::new());
    mapped(value, &|expr| {
        of(expr, &mut found.borrow_mut());
        Expr::integer(0)
    });
    let mut found = found.into_inner();
    found.sort();
    found.dedup();
    found
}

/// The value with every expression changed; what holds none that runs through integers stays.
fn mapped(value: &Value, change: &impl Fn(&Expr) -> Expr) -> Value {
    let all = |values: &[Value]| values.iter().map(|value| mapped(value, change)).collect();
    match value {
        Value::Quantity(quantity) => Value::Quantity(Quantity {
            expr: change(&quantity.expr),
            unit: quantity.unit.clone(),
        }),
        Value::Tuple(values) => Value::Tuple(all(values)),
        Value::List(values) => Value::List(all(values)),
        Value::Set(values) => Value::Set(all(values)),
        Value::Union(values) => Value::Union(all(values)),
        Value::System(values) => Value::System(all(values)),
        Value::Relation(operands, signs) => Value::Relation(all(operands), signs.clone()),
        Value::PlusMinus(centre, distance) => {
            Value::PlusMinus(centre.as_ref().map(change), change(distance))
        }
        other => other.clone(),
    }
}
