//! The text semantics of CPython 3.11 that the official scorer's results depend on: `str.lower`,
//! `str.strip`, `\d`, `float`.
//!
//! CPython 3.11 knows Unicode 14; Rust and the `regex` crate know a later one. The tables below
//! hold what differs, so that a verdict does not move with the compiler. The tests compare them
//! with sums over all code points computed by CPython 3.11.

use std::borrow::Cow;

/// `str.lower()`.
pub(crate) fn lower(text: &str) -> String {
    if text.is_ascii() || !text.chars().any(|c| !c.is_ascii() && has_lower_case(c)) {
        return text.to_ascii_lowercase();
    }
    let sigmas = sigma_forms(text);
    let mut sigmas = sigmas.chars();
    let mut lowered = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            'Σ' => lowered.push(sigmas.next().expect("one form for each sigma")),
            _ if c.is_ascii() => lowered.push(c.to_ascii_lowercase()),
            _ if has_lower_case(c) => lowered.extend(c.to_lowercase()),
            _ => lowered.push(c),
        }
    }
    lowered
}

fn has_lower_case(c: char) -> bool {
    // General punctuation, East Asian scripts and Hangul to Arabic forms: the bulk of what
    // completions hold beside ASCII.
    if matches!(c, '\u{2000}'..='\u{2125}' | '\u{2e80}'..='\u{a63f}' | '\u{ac00}'..='\u{ff20}') {
        return false;
    }
    let mut lowered = c.to_lowercase();
    (lowered.next() != Some(c) || lowered.next().is_some()) && !contains(&LATER_LOWER_CASE, c)
}

/// The lower-case form, final or not, of each capital sigma of the text, in order.
///
/// Rust finds the forms, on a copy where each character whose class has changed since Unicode 14 is
/// replaced by one of its old class, and each small sigma by another small letter, so that the only
/// small sigmas left are the answers.
fn sigma_forms(text: &str) -> String {
    if !text.contains('Σ') {
        return String::new();
    }
    let shadow = |c: char| match c {
        'σ' | 'ς' | '\u{295}' => 'a',
        '\u{1171e}' => '\u{301}',
        _ if contains(&LATER_CASED_OR_IGNORABLE, c) => ' ',
        _ => c,
    };
    let shadow: String = text.chars().map(shadow).collect();
    shadow
        .to_lowercase()
        .chars()
        .filter(|c| matches!(c, 'σ' | 'ς'))
        .collect()
}

/// `str.strip()`.
pub(crate) fn strip(text: &str) -> &str {
    text.trim_matches(is_space)
}

fn is_space(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\u{1c}'..='\u{1f}')
}

/// What `\d` matches.
pub(crate) fn is_digit(c: char) -> bool {
    if c.is_ascii() {
        c.is_ascii_digit()
    } else {
        digit(c).is_some()
    }
}

/// The value of a decimal digit of any script, 0..=9.
fn digit(c: char) -> Option<u8> {
    // The range is free of digits and holds the Chinese characters.
    if c < '\u{660}' || matches!(c, '\u{1c60}'..='\u{a61f}') {
        return c.is_ascii_digit().then(|| c as u8 - b'0');
    }
    // No character that comes here is below the second zero, so that one is found.
    let following = DIGIT_ZEROS.partition_point(|&zero| zero <= c as u32);
    let value = c as u32 - DIGIT_ZEROS[following - 1];
    (value < 10).then_some(value as u8)
}

/// `float(text)`, `None` where it raises. Whatever `int(text)` accepts, this accepts too.
pub(crate) fn float(text: &str) -> Option<f64> {
    // Control characters U+001C to U+001F are space to `str.strip` and not here: ASCII is taken as
    // it stands.
    let ascii = if text.is_ascii() {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(text.chars().map(to_ascii).collect())
    };
    let literal = ascii.trim_matches(|c: char| matches!(c, '\t'..='\r' | ' '));
    let unsigned = literal.strip_prefix(['+', '-']).unwrap_or(literal);
    match unsigned.bytes().next()? {
        b'0'..=b'9' | b'.' => {}
        _ if ["inf", "infinity", "nan"]
            .iter()
            .any(|name| unsigned.eq_ignore_ascii_case(name)) =>
        {
            return literal.parse().ok();
        }
        _ => return None,
    }
    let mut plain = Cow::Borrowed(literal);
    if literal.contains('_') {
        let bytes = literal.as_bytes();
        let digit_at = |index: usize| bytes.get(index).is_some_and(u8::is_ascii_digit);
        if bytes
            .iter()
            .enumerate()
            .any(|(i, &b)| b == b'_' && !(i > 0 && digit_at(i - 1) && digit_at(i + 1)))
        {
            return None;
        }
        plain = Cow::Owned(literal.replace('_', ""));
    }
    // The two grammars agree on everything that starts like this.
    if plain.len() > 1000 {
        long_float(&plain)
    } else {
        plain.parse().ok()
    }
}

fn to_ascii(c: char) -> char {
    match digit(c) {
        _ if c.is_ascii() => c,
        Some(value) => char::from(b'0' + value),
        None if is_space(c) => ' ',
        None => '?',
    }
}

/// Rust reads only the first digits of an exponent, so that a million zeros after the point and the
/// exponent that undoes them do not meet. Here the point is moved before the first significant
/// digit, and the exponent taken as a whole.
fn long_float(plain: &str) -> Option<f64> {
    // For the grammar alone; the value is computed below.
    plain.parse::<f64>().ok()?;
    let (mantissa, exponent) = plain.split_once(['e', 'E']).unwrap_or((plain, "0"));
    let (sign, mantissa) = match mantissa.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", mantissa.strip_prefix('+').unwrap_or(mantissa)),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits: String = [whole, fraction].concat();
    let significant = digits.trim_start_matches('0');
    let leading_zeros = digits.len() - significant.len();
    let written = exponent.trim_start_matches(['+', '-']).bytes();
    // Past the range of any text that fits in memory, the exact value no longer matters.
    let written = written.fold(0_i64, |value, byte| {
        (value * 10 + i64::from(byte - b'0')).min(1 << 50)
    });
    let written = if exponent.starts_with('-') {
        -written
    } else {
        written
    };
    // Beyond these the value is 0 or infinite, whatever the digits. The zero behind them keeps a
    // mantissa without significant digits a number.
    let exponent = (written + whole.len() as i64 - leading_zeros as i64).clamp(-9999, 9999);
    format!("{sign}0.{significant}0e{exponent}").parse().ok()
}

fn contains(ranges: &[(u32, u32)], c: char) -> bool {
    let following = ranges.partition_point(|&(first, _)| first <= c as u32);
    following > 0 && c as u32 <= ranges[following - 1].1
}

/// The zero of each run of ten decimal digits (general category Nd) of Unicode 14.
#[rustfmt::skip]
const DIGIT_ZEROS: [u32; 66] = [
    0x30, 0x660, 0x6F0, 0x7C0, 0x966, 0x9E6, 0xA66, 0xAE6, 0xB66, 0xBE6, 0xC66, 0xCE6, 0xD66, 0xDE6, 0xE50, 0xED0, 0xF20,
    0x1040, 0x1090, 0x17E0, 0x1810, 0x1946, 0x19D0, 0x1A80, 0x1A90, 0x1B50, 0x1BB0, 0x1C40, 0x1C50, 0xA620, 0xA8D0, 0xA900,
    0xA9D0, 0xA9F0, 0xAA50, 0xABF0, 0xFF10, 0x104A0, 0x10D30, 0x11066, 0x110F0, 0x11136, 0x111D0, 0x112F0, 0x11450, 0x114D0,
    0x11650, 0x116C0, 0x11730, 0x118E0, 0x11950, 0x11C50, 0x11D50, 0x11DA0, 0x16A60, 0x16AC0, 0x16B50, 0x1D7CE, 0x1D7D8,
    0x1D7E2, 0x1D7EC, 0x1D7F6, 0x1E140, 0x1E2F0, 0x1E950, 0x1FBF0,
];

/// Capitals that had no lower case in Unicode 14, as inclusive ranges.
#[rustfmt::skip]
const LATER_LOWER_CASE: [(u32, u32); 9] = [
    (0x1C89, 0x1C89), (0xA7CB, 0xA7CC), (0xA7CE, 0xA7CE), (0xA7D2, 0xA7D2), (0xA7D4, 0xA7D4), (0xA7DA, 0xA7DA),
    (0xA7DC, 0xA7DC), (0x10D50, 0x10D65), (0x16EA0, 0x16EB8),
];

/// Characters that became cased or case-ignorable after Unicode 14, as inclusive ranges.
#[rustfmt::skip]
const LATER_CASED_OR_IGNORABLE: [(u32, u32); 46] = [
    (0x897, 0x897), (0xECE, 0xECE), (0x1ACF, 0x1ADD), (0x1AE0, 0x1AEB), (0x1C89, 0x1C8A), (0xA7CB, 0xA7CF), (0xA7D2, 0xA7D2),
    (0xA7D4, 0xA7D4), (0xA7DA, 0xA7DC), (0xA7F1, 0xA7F1), (0x10D4E, 0x10D4E), (0x10D50, 0x10D65), (0x10D69, 0x10D6D),
    (0x10D6F, 0x10D85), (0x10EC5, 0x10EC5), (0x10EFA, 0x10EFF), (0x11241, 0x11241), (0x113BB, 0x113C0), (0x113CE, 0x113CE),
    (0x113D0, 0x113D0), (0x113D2, 0x113D2), (0x113E1, 0x113E2), (0x11B60, 0x11B60), (0x11B62, 0x11B64), (0x11B66, 0x11B66),
    (0x11DD9, 0x11DD9), (0x11F00, 0x11F01), (0x11F36, 0x11F3A), (0x11F40, 0x11F40), (0x11F42, 0x11F42), (0x11F5A, 0x11F5A),
    (0x13439, 0x13440), (0x13447, 0x13455), (0x1611E, 0x16129), (0x1612D, 0x1612F), (0x16D40, 0x16D42), (0x16D6B, 0x16D6C),
    (0x16EA0, 0x16EB8), (0x16EBB, 0x16ED3), (0x16FF2, 0x16FF3), (0x1DF25, 0x1DF2A), (0x1E030, 0x1E06D), (0x1E08F, 0x1E08F),
    (0x1E4EB, 0x1E4EF), (0x1E5EE, 0x1E6E3), (0x1E6E6, 0x1E6FF),
];

#[cfg(test)]
mod tests;
