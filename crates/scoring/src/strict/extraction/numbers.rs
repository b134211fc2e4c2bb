//! Numbers in prose: what one looks like, and which one of a sentence is the answer.

use std::ops::Range;

use super::formulas;

/// Words that may follow a number as part of it.
const MAGNITUDES: [&str; 5] = ["hundred", "thousand", "million", "billion", "trillion"];

/// Signs between the members of a calculation.
const OPERATORS: [&str; 17] = [
    "+", "-", "−", "*", "/", "×", "÷", "=", "^", "(", ")", "\\times", "\\cdot", "\\div", "x", "≈",
    "\\approx",
];

/// How many bytes the number at the start of a text has: digits with thousands separators, a point,
/// an exponent, a denominator, a mixed part (`2 1/2`), further parts of a time or a ratio (`4:30`,
/// `3:1`), a per cent sign.
pub(super) fn at_start(text: &str) -> Option<usize> {
    if let Some(end) = latex_fraction(text) {
        return Some(end);
    }
    let mut end = decimal(text)?;
    // 2 1/2
    if let Some(part) = text[end..].strip_prefix(' ')
        && let (above @ 1.., rest) = digits(part)
        && let Some(below) = rest.strip_prefix('/')
        && let (denominator @ 1.., _) = digits(below)
    {
        return Some(end + 1 + above + 1 + denominator);
    }
    if let Some(fraction) = text[end..]
        .starts_with("\\frac")
        .then(|| latex_fraction(&text[end..]))
        .flatten()
    {
        return Some(end + fraction);
    }
    for sign in ['/', ':'] {
        while let Some(more) = text[end..].strip_prefix(sign).and_then(decimal) {
            end += 1 + more;
        }
    }
    for percent in ["%", "\\%", " %"] {
        if text[end..].starts_with(percent) {
            return Some(end + percent.len());
        }
    }
    Some(end)
}

fn digits(text: &str) -> (usize, &str) {
    let count = text.bytes().take_while(u8::is_ascii_digit).count();
    (count, &text[count..])
}

fn decimal(text: &str) -> Option<usize> {
    let (whole, mut rest) = digits(text);
    let mut end = whole;
    // 1,250 and 1{,}250 and 1\,250, but not the list 1,2
    let may_be_grouped = (1..=3).contains(&whole);
    loop {
        let separator = [",", "{,}", "\\,", ",\\!"]
            .into_iter()
            .find(|separator| rest.starts_with(separator));
        let Some(separator) = separator.filter(|_| may_be_grouped) else {
            break;
        };
        let (group, after) = digits(&rest[separator.len()..]);
        if group != 3 {
            break;
        }
        end += separator.len() + group;
        rest = after;
    }
    if let Some(part) = rest.strip_prefix('.')
        && let (digits @ 1.., after) = digits(part)
    {
        end += 1 + digits;
        rest = after;
    }
    if end == 0 {
        return None;
    }
    let exponent = rest
        .strip_prefix(['e', 'E'])
        .map(|rest| rest.strip_prefix(['+', '-']).unwrap_or(rest));
    if let Some(exponent) = exponent
        && let (1.., after) = digits(exponent)
    {
        end += rest.len() - after.len();
    }
    Some(end)
}

/// `\frac{3}{4}`, `\dfrac34` and the like with plain numbers in it.
fn latex_fraction(text: &str) -> Option<usize> {
    let mut rest = text
        .strip_prefix('\\')?
        .trim_start_matches(['d', 't', 'c'])
        .strip_prefix("frac")?;
    for _ in 0..2 {
        rest = match rest.strip_prefix('{') {
            Some(inner) => {
                let inner = inner.strip_prefix('-').unwrap_or(inner);
                inner[decimal(inner)?..].strip_prefix('}')?
            }
            None => rest.strip_prefix(|c: char| c.is_ascii_digit())?,
        };
    }
    Some(text.len() - rest.len())
}

/// The numbers of a text, with their signs.
pub(super) struct Numbers<'t> {
    text: &'t str,
    at: usize,
    end: usize,
}

/// The numbers in a part of a text.
pub(super) fn numbers(text: &str, span: Range<usize>) -> Numbers<'_> {
    Numbers {
        text,
        at: span.start,
        end: span.end,
    }
}

impl Iterator for Numbers<'_> {
    type Item = Range<usize>;

    fn next(&mut self) -> Option<Range<usize>> {
        let bytes = self.text.as_bytes();
        let start = self.at;
        loop {
            let at = self.at;
            if at >= self.end {
                return None;
            }
            if !(bytes[at].is_ascii_digit() || matches!(bytes[at], b'.' | b'\\')) {
                self.at += 1;
                continue;
            }
            let Some(length) = at_start(&self.text[at..self.end]) else {
                self.at += 1;
                continue;
            };
            self.at = at + length;
            // The end of a name: x1, H2O.
            if at > start
                && (bytes[at - 1].is_ascii_alphabetic() || bytes[at - 1] == b'_')
                && bytes[at] != b'\\'
            {
                continue;
            }
            return Some(sign(self.text, start, at)..self.at);
        }
    }
}

/// Where the number at `at` starts with its sign, and a currency sign between the two: `-5`, `-$5`,
/// but not `8-5`, `8 -5`.
fn sign(text: &str, start: usize, at: usize) -> usize {
    let before = text[..at].trim_end_matches(['$', '\\']);
    let Some(front) = before
        .strip_suffix(['-', '−', '–'])
        .filter(|front| front.len() >= start)
    else {
        return at;
    };
    let operand = front
        .ends_with(|c: char| c.is_alphanumeric() || matches!(c, ')' | '}' | '%' | ']'))
        || front
            .trim_end_matches(' ')
            .ends_with(|c: char| c.is_ascii_digit());
    if operand { at } else { front.len() }
}

/// The answer in a sentence that follows `the answer is`.
///
/// A number that comes first is it, with the whole list where more follow (`75 and 100`), the whole
/// calculation where it has one (`5 + 3 = 8`) and its word of magnitude; all of the sentence where
/// the number is only the first factor (`4\sqrt{3}`). Otherwise it is what follows the last equals
/// sign; or the last `is`; or the first number, for purposes and conditions come last
/// (`she has 250 minutes left if the month has 30 days`).
pub(super) fn within(text: &str, span: Range<usize>) -> Option<Range<usize>> {
    let first = numbers(text, span.clone()).next()?;
    if is_opening(&text[span.start..first.start]) {
        let answer = leading(text, first, span.clone());
        return Some(with_formula(text, span.clone(), answer).unwrap_or(span));
    }
    let result = |mark: &str| {
        let at = span.start + text[span.clone()].rfind(mark)? + mark.len();
        let next = numbers(text, at..span.end).next()?;
        is_opening(&text[at..next.start]).then_some(next)
    };
    let number = ["=", " equals ", " equal to ", " is ", " are ", "是", "为"]
        .into_iter()
        .find_map(result)
        .unwrap_or(first);
    let answer = leading(text, number, span.clone());
    Some(with_formula(text, span.clone(), answer).unwrap_or(span))
}

/// A number with the formula it stands in, if there is more in that than the number; `None` where
/// it is part of an expression without delimiters, such as `\sqrt{17}`.
pub(super) fn with_formula(
    text: &str,
    within: Range<usize>,
    number: Range<usize>,
) -> Option<Range<usize>> {
    if let Some(formula) = formulas::around(text, within.clone(), &number) {
        let blank = |c: char| {
            c.is_whitespace() || matches!(c, '$' | '(' | ')' | '[' | ']' | '\\' | '.' | ',' | '%')
        };
        let alone = text[formula.start..number.start]
            .trim_matches(blank)
            .is_empty()
            && text[number.end..formula.end].trim_matches(blank).is_empty();
        return Some(if alone { number } else { formula });
    }
    let before = text[within.start..number.start].trim_end_matches(['$', ' ']);
    let is_part = before.ends_with(['{', '^', '_', '√'])
        || is_argument(before)
        || is_factor(&text[number.end..within.end]);
    (!is_part).then_some(number)
}

/// Whether a text ends in a function whose argument is to follow: `sqrt(`, `ln`.
fn is_argument(before: &str) -> bool {
    const FUNCTIONS: [&str; 6] = ["log", "ln", "sin", "cos", "tan", "sqrt"];
    let bare = before
        .strip_suffix('(')
        .filter(|bare| bare.ends_with(|c: char| c.is_ascii_alphabetic()));
    bare.is_some() || FUNCTIONS.iter().any(|function| before.ends_with(function))
}

/// What is in a box: the number in a sentence, or behind an option's letter (`(b) 0.3`); otherwise
/// all of it.
pub(super) fn in_box(text: &str, argument: Range<usize>) -> Range<usize> {
    let inside = &text[argument.clone()];
    let Some(first) = numbers(text, argument.clone()).next() else {
        return argument;
    };
    let before = text[argument.start..first.start].trim_end_matches([' ', '$', '\\', '-']);
    let before = before
        .trim_start_matches("\\text{")
        .trim_start_matches("\\mathrm{");
    let words = before
        .split(|c: char| !c.is_alphabetic())
        .filter(|word| word.chars().count() >= 2 || !word.is_ascii())
        .count();
    let option = before
        .trim_end_matches(['}', ' '])
        .strip_prefix('(')
        .and_then(|rest| rest.strip_suffix(')'));
    let is_option = option.is_some_and(|letter| {
        letter.len() == 1 && letter.starts_with(|c: char| c.is_ascii_alphabetic())
    });
    let is_sentence = words > 0 && !before.contains(['\\', '=', '^', '_']) && !inside.contains('=');
    if is_option {
        leading(text, first, argument)
    } else if is_sentence {
        within(text, argument.clone()).unwrap_or(argument)
    } else {
        argument
    }
}

/// Whether what stands before a number belongs to it: a currency, an opening delimiter, `about`.
fn is_opening(text: &str) -> bool {
    let bare = text.trim_matches(|c: char| {
        c.is_whitespace()
            || matches!(
                c,
                '$' | '€' | '£' | '¥' | '₹' | '(' | '[' | '\\' | '"' | '*' | '{' | '='
            )
    });
    let words = [
        "",
        "about",
        "approximately",
        "only",
        "exactly",
        "a",
        "total of",
        "Rs",
        "Rs.",
        "USD",
        "US",
        "text",
    ];
    words.iter().any(|word| bare.eq_ignore_ascii_case(word))
}

/// The answer that begins with the number `first`.
fn leading(text: &str, first: Range<usize>, span: Range<usize>) -> Range<usize> {
    let (mut last, end) = (first.end, span.end);
    while let Some(next) = numbers(text, last..end).next() {
        if !continues(&text[last..next.start]) {
            break;
        }
        last = next.end;
    }
    let rest = &text[last..end];
    // A unit or a variable, written without a space: the reader of the answer knows which.
    last += rest.bytes().take_while(u8::is_ascii_alphabetic).count();
    if is_factor(&text[last..end]) {
        return span;
    }
    let rest = text[last..end].trim_start();
    match MAGNITUDES.iter().find(|word| rest.starts_with(**word)) {
        Some(word) => first.start..end - rest.len() + word.len(),
        None => first.start..last,
    }
}

/// Whether a formula goes on behind a number: a command that is no text, space or delimiter, or a
/// sign of arithmetic.
fn is_factor(rest: &str) -> bool {
    const ENDS: [&str; 12] = [
        "\\)", "\\]", "\\text", "\\mathrm", "\\mbox", "\\%", "\\$", "\\,", "\\ ", "\\;", "\\!",
        "\\quad",
    ];
    // `2(x + 1)`, `8!/4`, `664_7`; but `5 (in cents)`, and `It is 8!`
    if rest.starts_with(['(', '_'])
        || rest
            .strip_prefix('!')
            .is_some_and(|rest| rest.starts_with(['/', '*', '+', '-', ')', '=']))
    {
        return true;
    }
    let rest = rest.trim_start_matches([' ', '}']);
    rest.starts_with(['π', '√', '∞', '^', '+', '*', '/', '=', '×', '÷'])
        && !rest.starts_with("^\\circ")
        && !rest.starts_with("^{\\circ")
        || rest.starts_with('\\')
            && !rest.starts_with("\\circ")
            && !ENDS.iter().any(|end| rest.starts_with(end))
}

/// The last number that `counts`, with the numbers before it that it is added to, taken from,
/// multiplied with …
pub(super) fn last_operation(
    text: &str,
    span: Range<usize>,
    counts: impl Fn(&Range<usize>) -> bool,
) -> Option<Range<usize>> {
    let operates = |between: &str| {
        let between = between.trim_matches([' ', '$']);
        !between.is_empty() && between != "=" && OPERATORS.contains(&between)
    };
    numbers(text, span)
        .filter(counts)
        .fold(
            None,
            |operation: Option<Range<usize>>, next| match operation {
                Some(before) if operates(&text[before.end..next.start]) => {
                    Some(before.start..next.end)
                }
                _ => Some(next),
            },
        )
}

/// Whether what stands between two numbers makes them one answer: an operator, or a comma or `and`
/// after a unit.
fn continues(between: &str) -> bool {
    let bare = between.trim_matches([' ', '\n', '$', '\\', '{', '}']);
    if bare.is_empty() {
        return false;
    }
    let mut rest = bare;
    while let Some(operator) = OPERATORS
        .iter()
        .find(|operator| rest.starts_with(**operator))
    {
        rest = rest[operator.len()..].trim_start_matches([' ', '\n', '$', '\\', '{', '}']);
    }
    let list = |words: &str| {
        let joint = words.trim_matches([' ', '$', '(', ')']);
        let unit = ["and", "or", ",", "、", "和"]
            .iter()
            .find_map(|word| joint.strip_suffix(word));
        unit.is_some_and(|unit| unit.trim_end_matches([',', ' ']).split(' ').count() <= 1)
    };
    rest.is_empty() || list(bare)
}
