//! Do two answers denote the same? `\frac{3}{4}` and `0.75`, `x \ge 16` and `[16, \infty)`,
//! `2(x+6)` and `2x+12`.
//!
//! Two texts go in, as a person or a model writes an answer: LaTeX, plain notation, a few words.
//! Both are read into a value, and the values are compared, not their spelling. What cannot be
//! read is compared as words. It never fails on an odd text, and no clock is involved: a
//! [`Budget`] of steps bounds the work, so that the outcome is the same on every machine.
//!
//! ```
//! use math_equality::{Options, EqualityOutcome, equal};
//!
//! let same = |left, right| equal(left, right, Options::default()).outcome == EqualityOutcome::Equal;
//! assert!(same(r"\frac{3}{4}", "0.75"));
//! assert!(same("2(x + 6)", "2x + 12"));
//! assert!(same(r"x \ge 16", r"[16, \infty)"));
//! assert!(!same("(1, 2)", "(2, 1)"));
//! assert!(!same("0.333", r"\frac{1}{3}"));
//! ```
//!
//! What this crate refuses to know: completions, where an answer stands in one, data sets.
//!
//! The modules, in reading order:
//!
//! - [`options`]: what a comparison overlooks;
//! - `expr`, `value`, `show`: formulas, what an answer denotes, and both in print;
//! - `parser`: text to value; `reading`: what may stand around a formula; `prose`: words and
//!   formulas together; `parameters`: letters that run through the integers; `delimiters`: formulas between dollar signs and their like;
//! - `calculus`: integrals and series that have a value;
//! - `comparing`: value = value?
//! - `equivalence`: expression = expression?
//! - `budget`: steps instead of a clock.
//!
//! # The numeric stages
//!
//! Expressions are compared exactly where that is possible, and by numbers with known errors
//! where it is not. What each stage is worth was measured on 46,440 labelled answers, one thread:
//! without plain floating point before the long one (`double`) 11 to 28 per cent slower; without
//! power series of our own (`series`) 7 per cent slower; without both three times slower, the
//! slowest answer 62 ms in place of 2. `residues` decides powers that are too long to write out
//! and that nothing else decides.

mod budget;
mod calculus;
mod clauses;
mod comparing;
mod decision;
mod delimiters;
mod equivalence;
mod expr;
pub mod options;
mod parameters;
mod parser;
mod prose;
mod reading;
mod show;
mod value;

pub use budget::{Budget, Exhausted};
pub use decision::EqualityDecision;
pub use delimiters::formulas;
pub use options::{Options, Percent, Units};
pub use parser::{Case, TABLES, asks_for_order, decimal_digit, table_cases};
pub use prose::{is_prose, same as same_prose};
use std::fmt::{self, Display, Formatter};

use value::Value;

/// What a text was read as; shown as [`notation`] shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading(Value);

impl Display for Reading {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// Reads a text, with what may stand around its formula; `other` is the text that it will be
/// compared with. The ids of the rules that made it are added to the trace.
pub fn read(text: &str, other: &str, trace: &mut Vec<&'static str>) -> Reading {
    Reading(reading::read(text, other, trace))
}

/// Compares what two texts were read as. Symmetric.
///
/// # Errors
/// The budget ran out.
pub fn compare(
    left: &Reading,
    right: &Reading,
    budget: &mut Budget,
) -> Result<EqualityDecision, Exhausted> {
    comparing::compare(&left.0, &right.0, budget)
}

/// Whether two texts denote the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EqualityOutcome {
    /// They do.
    Equal,
    /// They do not, or nothing shows that they do.
    Different,
    /// The steps that a comparison may take ran out.
    Undecided,
}

/// What a comparison came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Equality {
    /// Whether the two denote the same.
    pub outcome: EqualityOutcome,
    /// Id of the rule that decided, such as `equal/polynomial`.
    pub reason: &'static str,
}

/// Compares two answers. Symmetric.
///
/// ```
/// use math_equality::{Options, EqualityOutcome, Units, equal};
///
/// let found = equal("5", "5 cm", Options::default());
/// assert_eq!(found.outcome, EqualityOutcome::Equal);
/// let strict = Options { units: Units::MustAgree, ..Options::default() };
/// assert_eq!(equal("5", "5 cm", strict).outcome, EqualityOutcome::Different);
/// let sorted = Options { ordered: true, ..Options::default() };
/// assert_eq!(equal("1, 2", "2, 1", sorted).outcome, EqualityOutcome::Different);
/// assert_eq!(equal("1 + 1", "2", sorted).reason, "equal/rational");
/// ```
pub fn equal(left: &str, right: &str, options: Options) -> Equality {
    match compare_texts(left, right, &mut Vec::new(), &mut Budget::on(options)) {
        Ok(verdict) => Equality {
            outcome: if verdict.equal {
                EqualityOutcome::Equal
            } else {
                EqualityOutcome::Different
            },
            reason: verdict.rule,
        },
        Err(Exhausted) => Equality {
            outcome: EqualityOutcome::Undecided,
            reason: "equal/out_of_budget",
        },
    }
}

/// Reads and compares two texts; the ids of the rules that read them are added to the trace. Where
/// they differ, a clause that only explains (`for all x`, `where C is a constant`) is left out.
///
/// # Errors
/// The budget ran out.
pub fn compare_texts(
    left: &str,
    right: &str,
    trace: &mut Vec<&'static str>,
    budget: &mut Budget,
) -> Result<EqualityDecision, Exhausted> {
    let (first, second) = (read(left, right, trace), read(right, left, trace));
    let verdict = compare(&first, &second, budget)?;
    if verdict.equal {
        return Ok(verdict);
    }
    if let Some(renamed) = parameters::compared(left, right, budget)?
        && renamed.equal
    {
        return Ok(EqualityDecision::of(true, "equal/integers_renamed"));
    }
    let bare = (
        clauses::without_clause(left),
        clauses::without_clause(right),
    );
    let (left, right) = match bare {
        (None, None) => return Ok(verdict),
        // What each explains must be the same.
        (Some(_), Some(_)) => return Ok(verdict),
        (left_bare, right_bare) => (left_bare.unwrap_or(left), right_bare.unwrap_or(right)),
    };
    // The trace keeps how the whole texts were read; this reading only adds what was left out. Both
    // draw on one budget: a clause buys no further steps.
    let rules = &mut Vec::new();
    let (first, second) = (read(left, right, rules), read(right, left, rules));
    let bare = compare(&first, &second, budget)?;
    if bare.equal {
        trace.push("parse/without_clause");
        return Ok(bare);
    }
    Ok(verdict)
}

/// The number that an equation says a sum of letters is: 25 of `m + n = 25`. The question may ask
/// for it, while the equation is another answer than the number: an answer may be read so, a
/// reference may not.
pub fn stated_sum(answer: &Reading) -> Option<Reading> {
    comparing::stated_sum(&answer.0).map(|value| Reading(value.clone()))
}

/// Whether a reading is a number without letters.
pub fn is_number(reading: &Reading) -> bool {
    comparing::is_number(&reading.0)
}

/// Whether a number, rounded to so many decimal places, is the other one; halves are rounded away
/// from zero, and tens have the place −1. Only where the error of computing it cannot matter.
pub fn rounds_to(exact: &Reading, rounded: &Reading, places: i32) -> bool {
    comparing::rounds_to(&exact.0, &rounded.0, places)
}

/// What a text is read as, in short: `sum(x,2)`, `interval[0,inf)`, `list(1,2)`, `qty(5;cm)`.
///
/// ```
/// assert_eq!(math_equality::notation(r"\left[0, \infty\right)"), "interval[0,inf)");
/// ```
pub fn notation(text: &str) -> String {
    parser::parse(text).value.to_string()
}
