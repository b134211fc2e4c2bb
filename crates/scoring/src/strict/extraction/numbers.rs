//! Numbers in prose: what one looks like, and which one of a sentence is the answer.

use std::ops::Range;

use super::formulas;
use super::questions::{self, Question};

/// Words right before a number that make another one of it, or none.
const CHANGES: [&str; 27] = [
    "multiple of",
    "divisor of",
    "factor of",
    "at least",
    "at most",
    "more than",
    "less than",
    "fewer than",
    "greater than",
    "bigger than",
    "smaller than",
    "no more than",
    "no less than",
    "no fewer than",
    "over",
    "under",
    "above",
    "below",
    "up to",
    "half of",
    "half",
    "twice",
    "double",
    "triple",
    "a third of",
    "a quarter of",
    "times",
];

/// Those of them that compare with the number, wherever in a sentence they stand.
const COMPARISONS: [&str; 7] = [
    "more than",
    "less than",
    "fewer than",
    "greater than",
    "half of",
    "twice",
    "times",
];

/// Words right before a number that make its sign another one.
const SIGNS: [&str; 2] = ["negative", "minus"];

/// Words right before a number that deny it.
const DENIALS: [&str; 10] = [
    "not",
    "n't",
    "n’t",
    "n't be",
    "n’t be",
    "cannot be",
    "not be",
    "never",
    "instead of",
    "rather than",
];

/// Words before a number that only tells the circumstances of another one in its sentence.
const CIRCUMSTANCES: [&str; 20] = [
    "after",
    "before",
    "within",
    "to reach",
    "to get to",
    "i.e.",
    "i.e.,",
    "that is",
    "because",
    "since",
    "out of",
    "instead of",
    "rather than",
    "namely",
    "of the",
    "which is",
    "for",
    "when",
    "to buy",
    "while",
];

/// Words behind which a sentence comes to its result after all.
const RESULTS: [&str; 9] = [
    " is ",
    " are ",
    "so ",
    "thus",
    "therefore",
    "hence",
    "total",
    "making",
    "leaving",
];

/// Words that may follow a number as part of it.
const MAGNITUDES: [&str; 6] = [
    "hundred", "thousand", "million", "billion", "trillion", "dozen",
];

/// Signs between the members of a calculation.
const OPERATORS: [&str; 17] = [
    "+", "-", "−", "*", "/", "×", "÷", "=", "^", "(", ")", "\\times", "\\cdot", "\\div", "x", "≈",
    "\\approx",
];

/// Whether all that stands before a number is words that make another one of it, or none.
pub(super) fn is_change(before: &str) -> bool {
    let bare = before.trim_matches(|c: char| c.is_whitespace() || matches!(c, '$' | '{' | '\\'));
    let words = CHANGES.iter().chain(&SIGNS).chain(&DENIALS);
    words
        .into_iter()
        .any(|word| bare.eq_ignore_ascii_case(word))
}

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
    // 5½
    if text
        .as_bytes()
        .get(end)
        .is_some_and(|byte| !byte.is_ascii())
        && let Some(sign @ ('¼'..='¾' | '⅐'..='⅞')) = text[end..].chars().next()
    {
        return Some(end + sign.len_utf8());
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

/// Blanks between groups of three digits.
const BLANKS: [&str; 4] = [" ", "\u{a0}", "\u{202f}", "\u{2009}"];

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
        let separator = [",\\!", ",", "{,}", "\\,"]
            .into_iter()
            .chain(BLANKS)
            .find(|separator| rest.starts_with(separator));
        let Some(separator) = separator.filter(|_| may_be_grouped) else {
            break;
        };
        let (group, after) = digits(&rest[separator.len()..]);
        // A blank divides words too: `2 100/3` and `0 500` are no numbers.
        let blank = BLANKS.contains(&separator);
        if group != 3
            || blank && (text.starts_with('0') || after.starts_with(['/', ':', '\\', '^']))
        {
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

/// The answer in a sentence that follows `the answer is`, and the id of the rule by which the
/// question told it.
///
/// A number that comes first is it, with the words that change it, the whole list where more follow
/// (`75 and 100`), the whole calculation where it has one (`5 + 3 = 8`) and its word of magnitude;
/// all of the sentence where the number is only the first factor (`4\sqrt{3}`). Otherwise it is what
/// follows the last equals sign; or the last `is`; or the number that the question asks for; or the
/// first number, for purposes and conditions come last (`she has 250 minutes left if the month has
/// 30 days`).
pub(super) fn within(
    text: &str,
    span: Range<usize>,
    question: Option<Question<'_>>,
) -> Option<(Range<usize>, Option<&'static str>)> {
    let answer = |number: Range<usize>| {
        let answer = leading(text, number, span.clone());
        with_formula(text, span.clone(), answer).unwrap_or(span.clone())
    };
    let first = numbers(text, span.clone()).next()?;
    if is_denied(text, span.start, &first) && numbers(text, first.end..span.end).next().is_none() {
        return None;
    }
    if let Some(start) = opens(text, span.start, &first) {
        return Some((start..answer(first).end.max(start), None));
    }
    let result = |mark: &str| {
        let at = span.start + text[span.clone()].rfind(mark)? + mark.len();
        let next = numbers(text, at..span.end).next()?;
        let start = opens(text, at, &next)?;
        Some((start, next))
    };
    const MARKS: [&str; 11] = [
        "=",
        " equals ",
        " equal to ",
        " equivalent to ",
        " is ",
        " are ",
        " will be ",
        " would be ",
        " comes to ",
        "是",
        "为",
    ];
    // In the order of the marks and not of the text: an equals sign outweighs a later "is".
    if let Some((start, number)) = MARKS.into_iter().find_map(result) {
        let whole = answer(number);
        return Some((whole.start.min(start)..whole.end, None));
    }
    const MAX_NUMBERS: usize = 16;
    let affirmed: Vec<Range<usize>> = numbers(text, span.clone())
        .take(MAX_NUMBERS)
        .filter(|number| !is_denied(text, span.start, number))
        .collect();
    let chosen =
        question.and_then(|question| questions::choose(text, &affirmed, span.end, question));
    if let Some((number, rule)) = chosen {
        let number = with_formula(text, span.clone(), number).unwrap_or(span);
        return Some((number, Some(rule)));
    }
    let compared =
        |number: &Range<usize>| words_before(text, span.start, number, &COMPARISONS).is_some();
    match affirmed.into_iter().next() {
        Some(number) if compared(&number) => Some((span, None)),
        Some(number) => Some((answer(number), None)),
        None => Some((span, None)),
    }
}

/// Where an answer begins whose number is the first thing said behind `start`: at the number, or at
/// the words that change or deny it. `None` where something else is said before.
fn opens(text: &str, start: usize, number: &Range<usize>) -> Option<usize> {
    let before = &text[start..number.start];
    if let Some(sign) = sign_apart(text, start, number) {
        return is_opening(&text[start..sign]).then_some(sign);
    }
    if is_opening(before) {
        return Some(number.start);
    }
    let from = [CHANGES.as_slice(), &SIGNS, &DENIALS]
        .into_iter()
        .find_map(|words| words_before(text, start, number, words))?;
    is_opening(&text[start..from]).then_some(from)
}

/// Where a minus sign stands apart from its number, which is no item of a list: `is - 5`.
fn sign_apart(text: &str, start: usize, number: &Range<usize>) -> Option<usize> {
    let before = text[start..number.start].trim_end_matches([' ', '$', '\\']);
    let front = before.strip_suffix(['-', '−', '–'])?;
    let item = front.trim().is_empty() && text[..start].ends_with('\n');
    (!item).then_some(start + front.len())
}

/// Where one of some words begins that stands right before a number.
fn words_before(text: &str, start: usize, number: &Range<usize>, words: &[&str]) -> Option<usize> {
    let marks = [' ', '$', '\\', '"', '*', '(', '{', '}', '~', '\n', ','];
    let before = text[start..number.start].trim_end_matches(marks);
    let begins = |word: &&str| {
        let at = before.len().checked_sub(word.len())?;
        let there = before.as_bytes()[at..].eq_ignore_ascii_case(word.as_bytes());
        let whole = !before[..before.floor_char_boundary(at)]
            .ends_with(|c: char| c.is_ascii_alphanumeric());
        (there && (whole || word.starts_with("n'") || word.starts_with("n’"))).then_some(start + at)
    };
    words.iter().filter_map(begins).min()
}

/// Whether a number is denied: `not 43`, `it cannot be 10`.
fn is_denied(text: &str, start: usize, number: &Range<usize>) -> bool {
    words_before(text, start, number, &DENIALS).is_some()
}

/// The number that the last one of a sentence leaves the answer to, if it does, with the words that
/// deny it or make its sign another one. `alone`: nothing but this sentence was said.
pub(super) fn meant(
    text: &str,
    sentence: Range<usize>,
    last: Range<usize>,
    alone: bool,
) -> Range<usize> {
    const MAX_NUMBERS: usize = 16;
    let signed = |number: Range<usize>| {
        let from = words_before(text, sentence.start, &number, &SIGNS);
        from.unwrap_or(number.start)..number.end
    };
    if !is_denied(text, sentence.start, &last) && !alone {
        return signed(last);
    }
    let all = numbers(text, sentence.start..last.end).take(MAX_NUMBERS);
    let affirmed: Vec<Range<usize>> = all
        .filter(|number| !is_denied(text, sentence.start, number))
        .collect();
    let [first, .., told] = affirmed.as_slice() else {
        return match affirmed.first() {
            Some(only) if only.end < last.end => signed(only.clone()),
            Some(_) => signed(last),
            None => {
                let from = words_before(text, sentence.start, &last, &DENIALS);
                from.unwrap_or(last.start)..last.end
            }
        };
    };
    if told.end != last.end {
        return signed(told.clone());
    }
    let calculates = text[sentence.start..last.start].contains(['=', '$', '\\', '≈']);
    if first.end > last.start || affirmed.len() == MAX_NUMBERS || calculates {
        return signed(last);
    }
    let clause = circumstances(text, first.end..last.start).filter(|&start| {
        let rest = &text[start..last.start];
        !RESULTS.iter().any(|word| rest.contains(word))
    });
    let main = clause.and_then(|start| affirmed.iter().rfind(|number| number.end <= start));
    signed(main.unwrap_or(&last).clone())
}

/// Where a clause begins that only tells the circumstances: `after 3 days`, `i.e. 6 times 7`.
fn circumstances(text: &str, span: Range<usize>) -> Option<usize> {
    let inside = &text[span.clone()];
    let starts = CIRCUMSTANCES.iter().filter_map(|word| {
        inside.match_indices(word).map(|(at, _)| at).find(|&at| {
            let (before, after) = (&inside[..at], &inside[at + word.len()..]);
            before.ends_with([' ', '(']) && after.starts_with([' ', ','])
        })
    });
    Some(span.start + starts.min()?)
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
    let changed = [CHANGES.as_slice(), &SIGNS, &DENIALS]
        .into_iter()
        .any(|words| words_before(text, argument.start, &first, words).is_some());
    if is_option {
        leading(text, first, argument)
    } else if is_sentence && !changed {
        within(text, argument.clone(), None).map_or(argument, |(number, _)| number)
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
    // A remark in parentheses is no factor.
    if bare.is_empty() || bare == "(" && between.starts_with(' ') {
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
