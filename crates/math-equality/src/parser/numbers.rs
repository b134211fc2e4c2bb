//! Numbers in digits: integers, decimals, thousands separators, repeating decimals, exponents.

use dashu_int::{IBig, UBig};
use dashu_ratio::RBig;

use crate::expr::Number;

/// More digits than this are no answer that anyone checks, and cost more than linear time to
/// convert.
const MAX_DIGITS: usize = 5_000;
/// The largest power of ten behind an `e` that is multiplied out.
const MAX_EXPONENT: i32 = 400;

/// A number at the start of a text.
#[derive(Debug)]
pub(super) struct Literal {
    /// What it denotes.
    pub number: Number,
    /// How many bytes it takes.
    pub length: usize,
}

/// Reads the number that starts the text; `commas` says whether a plain comma may be a part of it,
/// which is not so between brackets, where `(1,234)` is a pair. `None` where there is no number or
/// too long a one.
pub(super) fn literal(text: &str, commas: bool) -> Option<Literal> {
    let bytes = text.as_bytes();
    let mut digits = Digits::default();
    let mut at = digits.accept(bytes, 0);
    let whole = at;
    at = grouped(bytes, at, commas, &mut digits);
    let grouped = at > whole;
    let mut decimal = false;
    if let Some(after) = decimal_mark(bytes, at, commas && !grouped) {
        decimal = true;
        at = digits.take_fraction(bytes, after);
    }
    let mut repeating = false;
    if bytes.get(at) == Some(&b'.') || decimal {
        let start = at + usize::from(!decimal);
        if let Some(after) = digits.take_repeating(bytes, start, !decimal) {
            (at, repeating) = (after, true);
        }
    }
    if digits.all.is_empty() || digits.all.len() > MAX_DIGITS {
        return None;
    }
    let mut exponent = 0;
    if !repeating && let Some((power, after)) = written_exponent(bytes, at) {
        (exponent, at) = (power, after);
    }
    Some(Literal {
        number: digits.number(decimal && !repeating, exponent),
        length: at,
    })
}

/// The digits met so far.
#[derive(Default)]
struct Digits {
    all: Vec<u8>,
    /// How many of them stand behind the decimal mark.
    fraction: usize,
    /// How many of those repeat.
    repeating: usize,
}

impl Digits {
    fn accept(&mut self, bytes: &[u8], from: usize) -> usize {
        let end = from
            + bytes[from..]
                .iter()
                .take_while(|byte| byte.is_ascii_digit())
                .count();
        self.all.extend_from_slice(&bytes[from..end]);
        end
    }

    fn take_fraction(&mut self, bytes: &[u8], from: usize) -> usize {
        let before = self.all.len();
        let end = self.accept(bytes, from);
        self.fraction = self.all.len() - before;
        end
    }

    /// `\overline{36}`, `\bar{3}`, `\dot{3}`, `\dot{1}42\dot{7}`, and `(3)` directly behind the
    /// mark.
    fn take_repeating(&mut self, bytes: &[u8], from: usize, at_mark: bool) -> Option<usize> {
        let rest = bytes.get(from..)?;
        let (open, dotted) = match rest {
            [b'(', ..] if at_mark => (1, false),
            _ if rest.starts_with(b"\\overline{") => (10, false),
            _ if rest.starts_with(b"\\bar{") => (5, false),
            _ if rest.starts_with(b"\\dot{") => (5, true),
            _ if rest.starts_with(b"\\dot") && rest.get(4)?.is_ascii_digit() => (4, true),
            _ => return None,
        };
        let (length, saved) = (self.all.len(), self.fraction);
        let braced = rest[open - 1] == b'{' || rest[0] == b'(';
        let start = from + open;
        let mut end = if dotted && !braced {
            self.all.push(bytes[start]);
            start + 1
        } else {
            self.accept(bytes, start)
        };
        if braced {
            if end == start || !matches!(bytes.get(end), Some(b'}' | b')')) {
                self.all.truncate(length);
                return None;
            }
            end += 1;
        }
        if dotted {
            end = self.take_second_dot(bytes, end).unwrap_or(end);
        }
        self.repeating = self.all.len() - length;
        self.fraction = saved + self.repeating;
        Some(end)
    }

    fn take_second_dot(&mut self, bytes: &[u8], from: usize) -> Option<usize> {
        let length = self.all.len();
        let plain = self.accept(bytes, from);
        let rest = &bytes[plain..];
        let braced = rest.starts_with(b"\\dot{");
        let digit = rest
            .get(if braced { 5 } else { 4 })
            .copied()
            .filter(u8::is_ascii_digit);
        match digit {
            Some(digit)
                if rest.starts_with(b"\\dot") && (!braced || rest.get(6) == Some(&b'}')) =>
            {
                self.all.push(digit);
                Some(plain + if braced { 7 } else { 5 })
            }
            _ => {
                self.all.truncate(length);
                None
            }
        }
    }

    fn number(&self, decimal: bool, exponent: i32) -> Number {
        let mut numerator = integer(&self.all);
        let mut denominator = power_of_ten(self.fraction);
        // 0.1(6) = (16 - 1) / (100 - 10): the digits with one period less those without.
        if self.repeating > 0 {
            numerator -= integer(&self.all[..self.all.len() - self.repeating]);
            denominator -= power_of_ten(self.fraction - self.repeating);
        }
        match exponent {
            0 => {}
            1.. => numerator *= IBig::from(power_of_ten(exponent.unsigned_abs() as usize)),
            _ => denominator *= power_of_ten(exponent.unsigned_abs() as usize),
        }
        let value = match self.fraction == 0 && exponent >= 0 {
            true => RBig::from(numerator),
            false => RBig::from_parts(numerator, denominator),
        };
        let significant = self
            .all
            .iter()
            .skip_while(|digit| **digit == b'0')
            .count()
            .max(1);
        Number {
            value,
            // Zeros behind the point count, as `0.50` says two digits; those in front do not.
            written_digits: decimal.then_some(significant as u32),
        }
    }
}

/// The integer of these decimal digits.
pub(super) fn integer(digits: &[u8]) -> IBig {
    // Eighteen digits fit u64 whatever they are.
    if digits.len() <= 18 {
        return IBig::from(
            digits
                .iter()
                .fold(0_u64, |value, digit| value * 10 + u64::from(digit - b'0')),
        );
    }
    let text = str::from_utf8(digits).expect("digits are ASCII");
    IBig::from_str_radix(text, 10).expect("digits are a number")
}

fn power_of_ten(exponent: usize) -> UBig {
    match exponent {
        0..=18 => UBig::from(10_u64.pow(exponent as u32)),
        _ => UBig::from(10_u8).pow(exponent),
    }
}

/// Adds groups of three digits behind `at`; the first group must have one to three digits and not
/// be zero.
fn grouped(bytes: &[u8], at: usize, commas: bool, digits: &mut Digits) -> usize {
    if !(1..=3).contains(&at) || bytes[0] == b'0' {
        return at;
    }
    let mut end = at;
    while let Some(length) = separator(&bytes[end..], commas) {
        let start = end + length;
        let group = bytes[start..]
            .iter()
            .take(4)
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        // `1 125/1000` is a mixed number, not 1125 thousandths.
        let mixed = bytes[end] == b' ' && bytes.get(start + 3) == Some(&b'/');
        if group != 3 || mixed {
            break;
        }
        end = digits.accept(bytes, start);
    }
    end
}

/// The length of a separator of thousands: `,` `{,}` (with spaces) `\,` `\!` `,\!` `, \!` `~` and
/// one space.
fn separator(rest: &[u8], commas: bool) -> Option<usize> {
    const MARKS: [&[u8]; 10] = [
        b",\\! ", b",\\!", b", \\! ", b", \\!", b"{,}", b"{, }", b" {,}", b" {, }", b"\\,", b"\\!",
    ];
    if let Some(mark) = MARKS.iter().find(|mark| rest.starts_with(mark)) {
        return Some(mark.len());
    }
    match rest {
        [b',', ..] if commas => Some(1),
        [b' ' | b'~', next, ..] if next.is_ascii_digit() => Some(1),
        _ => None,
    }
}

/// The place behind a decimal mark with digits: a point, or a comma where it cannot be anything
/// else: four digits or more before it and one or two behind (`1000,99`), or zero before it and
/// three or more behind (`0,111`).
fn decimal_mark(bytes: &[u8], at: usize, commas: bool) -> Option<usize> {
    let digits_from = |from: usize| {
        bytes[from..]
            .iter()
            .take(6)
            .take_while(|byte| byte.is_ascii_digit())
            .count()
    };
    match bytes.get(at)? {
        b'.' if digits_from(at + 1) > 0 => Some(at + 1),
        b',' if commas => {
            let behind = digits_from(at + 1);
            let ends = !matches!(bytes.get(at + 1 + behind), Some(b',' | b'.' | b'0'..=b'9'));
            let long = at >= 4 && (1..=2).contains(&behind) && ends;
            let small = bytes[..at] == *b"0" && behind >= 3 && (ends || behind == 6);
            (long || small).then_some(at + 1)
        }
        _ => None,
    }
}

/// `e5`, `E-3`: the exponent and the place behind it.
fn written_exponent(bytes: &[u8], at: usize) -> Option<(i32, usize)> {
    if !matches!(bytes.get(at)?, b'e' | b'E') {
        return None;
    }
    let (sign, start) = match bytes.get(at + 1)? {
        b'-' => (-1, at + 2),
        b'+' => (1, at + 2),
        _ => (1, at + 1),
    };
    let count = bytes[start..]
        .iter()
        .take(4)
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    if !(1..=3).contains(&count)
        // `2ex` is a product, `2e3x` too.
        || bytes
            .get(start + count)
            .is_some_and(u8::is_ascii_alphabetic)
    {
        return None;
    }
    let size = bytes[start..start + count]
        .iter()
        .fold(0, |value, digit| value * 10 + i32::from(digit - b'0'));
    (size <= MAX_EXPONENT).then_some((sign * size, start + count))
}

/// `0.333`, `0.1666` or `0.142857142857` with dots behind them: the decimal whose last digits go on
/// and on. One digit must stand there twice, a longer period twice as well; nothing else says how
/// it goes on.
pub(super) fn going_on(text: &str) -> Option<RBig> {
    const MAX_PERIOD: usize = 8;
    let (whole, fraction) = text.split_once('.')?;
    let is_plain = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if !is_plain(whole) || !is_plain(fraction) || text.len() > 40 {
        return None;
    }
    let period = (1..=MAX_PERIOD).find(|period| {
        let length = fraction.len();
        length >= 2 * period
            && fraction[length - period..] == fraction[length - 2 * period..length - period]
    })?;
    if fraction[fraction.len() - period..]
        .bytes()
        .all(|digit| digit == b'0')
    {
        return None;
    }
    let digits = Digits {
        all: [whole, fraction].concat().into_bytes(),
        fraction: fraction.len(),
        repeating: period,
    };
    Some(digits.number(false, 0).value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> String {
        match literal(text, true) {
            Some(Literal { number, length }) => {
                let digits = number
                    .written_digits
                    .map_or(String::new(), |digits| format!("#{digits}"));
                format!("{}{digits} {}", number.value, &text[length..])
            }
            None => "none".to_owned(),
        }
    }

    #[test]
    fn marks_and_separators_are_told_from_lists() {
        for (text, expected) in [
            ("42", "42 "),
            ("0.50", "1/2#2 "),
            (".5x", "1/2#1 x"),
            ("1000.0", "1000#5 "),
            ("1,234,567.89", "123456789/100#9 "),
            ("1,2,3", "1 ,2,3"),
            ("1, 234", "1 , 234"),
            ("1,2345", "1 ,2345"),
            ("32,\\!349", "32349 "),
            ("11,\\! 111,\\! 100", "11111100 "),
            ("32{,}349", "32349 "),
            ("3\\,504", "3504 "),
            ("32 349", "32349 "),
            ("1 125/1000", "1  125/1000"),
            ("0,111", "111/1000#3 "),
            ("1000,99", "100099/100#6 "),
            ("0,5", "0 ,5"),
            ("27,93", "27 ,93"),
            ("0.\\overline{3}", "1/3 "),
            ("0.1\\overline{6}", "1/6 "),
            ("0.\\dot{3}", "1/3 "),
            ("0.\\dot{1}4285\\dot{7}", "1/7 "),
            ("0.(3)", "1/3 "),
            ("6.5e3", "6500#2 "),
            ("1e-2", "1/100 "),
            ("2ex", "2 ex"),
            ("5.", "5 ."),
            (".", "none"),
        ] {
            assert_eq!(read(text), expected, "{text}");
        }
    }

    #[test]
    fn too_many_digits_are_refused() {
        assert_eq!(read(&"7".repeat(6_000)), "none");
        assert_eq!(
            literal(&"7".repeat(5_000), true).map(|literal| literal.length),
            Some(5_000)
        );
    }
}
