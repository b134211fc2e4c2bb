//! From a text to its clean form: the original's `strip_string`, each step of the profile in turn.
//!
//! Most steps find nothing to do in most texts. A text therefore carries the set of its bytes, and
//! a step is tried only where all the bytes it looks for are there.

use super::{Exception, profile::Rewrite};
use crate::python::is_digit;

/// Cleans a lower-cased text; the ids of the steps that changed, ended or failed it are added to
/// the trace.
pub(crate) fn clean(
    text: String,
    rewrites: &[Rewrite],
    trace: &mut Vec<&'static str>,
) -> Result<String, Exception> {
    let mut bytes = byte_set(&text);
    let mut text = text;
    for &rewrite in rewrites {
        let needed = rewrite.needs();
        if bytes & needed != needed {
            continue;
        }
        let effect = rewrite
            .apply(&text)
            // The step that raised is the last one in the trace.
            .inspect_err(|_| trace.push(rewrite.id()))?;
        match effect {
            Effect::None => {}
            Effect::Stop => {
                trace.push(rewrite.id());
                break;
            }
            Effect::Changed(changed) => {
                trace.push(rewrite.id());
                bytes = byte_set(&changed);
                text = changed;
            }
        }
    }
    Ok(text)
}

#[derive(Debug)]
enum Effect {
    None,
    Changed(String),
    Stop,
}

/// The bytes of a text as a set; those from 128 on count as others too, which costs a search and no
/// more.
const fn byte_set(text: &str) -> u128 {
    let bytes = text.as_bytes();
    let mut set = 0;
    let mut index = 0;
    while index < bytes.len() {
        set |= 1 << (bytes[index] & 127);
        index += 1;
    }
    set
}

impl Rewrite {
    /// Bytes without which the step does nothing.
    const fn needs(self) -> u128 {
        byte_set(match self {
            Self::ParenthesisedFraction => "(/)",
            Self::Comma => ",",
            Self::Newline => "\n",
            Self::NegativeSpace => "\\!",
            Self::DoubleBackslash => "\\",
            Self::FractionSize => "frac",
            Self::LeftRight => "\\t",
            Self::Degree => "^\\circ",
            Self::Dollar => "\\$",
            Self::Unit => "\\text{ ",
            Self::Percent => "\\%",
            Self::InnerLeadingZero | Self::LeadingZero => ".",
            Self::StopWhenEmpty => "",
            Self::LeftHandSide => "=",
            Self::SquareRoot => "\\sqrt",
            Self::Quad => "\\quad",
            Self::Space => " ",
            Self::FractionBraces => "\\frac",
            Self::Half => "0.5",
            Self::Slash => "/",
        })
    }

    fn apply(self, text: &str) -> Result<Effect, Exception> {
        let changed = match self {
            Self::ParenthesisedFraction => parenthesised_fractions(text),
            Self::Comma => replace_all(text, &[(",", "")]),
            Self::Newline => replace_all(text, &[("\n", "")]),
            Self::NegativeSpace => replace_all(text, &[("\\!", "")]),
            Self::DoubleBackslash => replace_all(text, &[("\\\\", "\\")]),
            Self::FractionSize => replace_all(text, &[("tfrac", "frac"), ("dfrac", "frac")]),
            Self::LeftRight => replace_all(text, &[("\\left", ""), ("\\right", "")]),
            Self::Degree => replace_all(text, &[("^{\\circ}", ""), ("^\\circ", "")]),
            Self::Dollar => replace_all(text, &[("\\$", "")]),
            Self::Unit => drop_unit(text)?,
            Self::Percent => replace_all(text, &[("\\%", "")]),
            Self::InnerLeadingZero => replace_all(text, &[(" .", " 0."), ("{.", "{0.")]),
            Self::StopWhenEmpty if text.is_empty() => return Ok(Effect::Stop),
            Self::StopWhenEmpty => None,
            Self::LeadingZero => text.starts_with('.').then(|| format!("0{text}")),
            Self::LeftHandSide => drop_left_hand_side(text),
            Self::SquareRoot => brace_square_roots(text)?,
            Self::Quad => replace_all(text, &[("\\quad", " ")]),
            Self::Space => replace_all(text, &[(" ", "")]),
            Self::FractionBraces => brace_fractions(text)?,
            Self::Half => (text == "0.5").then(|| "\\frac{1}{2}".to_owned()),
            Self::Slash => slash_fraction(text),
        };
        Ok(changed.map_or(Effect::None, Effect::Changed))
    }
}

/// Replaces each pattern in turn, everywhere; `None` where none occurs. As in all steps, `None`
/// means unchanged.
fn replace_all(text: &str, replacements: &[(&str, &str)]) -> Option<String> {
    let mut changed: Option<String> = None;
    for (pattern, replacement) in replacements {
        let current = changed.as_deref().unwrap_or(text);
        if current.contains(pattern) {
            changed = Some(current.replace(pattern, replacement));
        }
    }
    changed
}

/// `((a)/(b))` → `\\frac{a}{b}`, as `re.sub` finds `\(\((\d+)\)/\((\d+)\)\)`. The two backslashes
/// are the original's.
pub(crate) fn parenthesised_fractions(text: &str) -> Option<String> {
    fn digits_then<'a>(text: &'a str, end: &str) -> Option<(&'a str, &'a str)> {
        let rest = text.trim_start_matches(is_digit);
        let digits = &text[..text.len() - rest.len()];
        (!digits.is_empty()).then_some((digits, rest.strip_prefix(end)?))
    }
    let mut changed = String::new();
    let mut copied = 0;
    while let Some(offset) = text[copied..].find("((") {
        let start = copied + offset;
        let fraction = digits_then(&text[start + 2..], ")/(").and_then(|(numerator, rest)| {
            let (denominator, rest) = digits_then(rest, "))")?;
            Some((numerator, denominator, rest))
        });
        if let Some((numerator, denominator, rest)) = fraction {
            changed.push_str(&text[copied..start]);
            changed.extend(["\\\\frac{", numerator, "}{", denominator, "}"]);
            copied = text.len() - rest.len();
        } else {
            // One bracket only: the second may begin the next match, as in `(((1)/(2))`.
            changed.push_str(&text[copied..=start]);
            copied = start + 1;
        }
    }
    if copied == 0 {
        return None;
    }
    changed.push_str(&text[copied..]);
    (changed != text).then_some(changed)
}

/// The original takes `\text{ ` for the beginning of a unit, and asserts that there is one only.
pub(crate) fn drop_unit(text: &str) -> Result<Option<String>, Exception> {
    match text.split_once("\\text{ ") {
        None => Ok(None),
        Some((_, unit)) if unit.contains("\\text{ ") => Err(Exception::AssertionError),
        Some((value, _)) => Ok(Some(value.to_owned())),
    }
}

/// `x=2` → `2`, where the left-hand side has at most two characters and there is no second `=`.
fn drop_left_hand_side(text: &str) -> Option<String> {
    let (left, right) = text.split_once('=')?;
    (!right.contains('=') && left.chars().nth(2).is_none()).then(|| right.to_owned())
}

/// `\sqrt3` → `\sqrt{3}`.
pub(crate) fn brace_square_roots(text: &str) -> Result<Option<String>, Exception> {
    let mut parts = text.split("\\sqrt");
    let mut changed = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        // The original takes the first character of an empty text, which raises.
        let first = part.chars().next().ok_or(Exception::IndexError)?;
        changed.push_str("\\sqrt");
        if first == '{' {
            changed.push_str(part);
        } else {
            let (radicand, rest) = part.split_at(first.len_utf8());
            changed.extend(["{", radicand, "}", rest]);
        }
    }
    Ok((changed.len() != text.len()).then_some(changed))
}

/// `\frac12` → `\frac{1}{2}`, `\frac1{23}` → `\frac{1}{23}`.
pub(crate) fn brace_fractions(text: &str) -> Result<Option<String>, Exception> {
    let mut parts = text.split("\\frac");
    let mut changed = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let mut rest = part.chars();
        let numerator = rest.next().ok_or(Exception::IndexError)?;
        changed.push_str("\\frac");
        if numerator == '{' {
            changed.push_str(part);
            continue;
        }
        // The original gives up on the whole text here, fractions before this one included.
        let Some(denominator) = rest.next() else {
            return Ok(None);
        };
        changed.extend(['{', numerator, '}', '{']);
        if denominator != '{' {
            changed.extend([denominator, '}']);
        }
        changed.push_str(rest.as_str());
    }
    Ok((changed.len() != text.len()).then_some(changed))
}

/// `3/4` → `\frac{3}{4}`.
pub(crate) fn slash_fraction(text: &str) -> Option<String> {
    // What `int` reads and `str` writes again unchanged; both refuse more than 4,300 digits.
    let is_integer = |text: &str| {
        let digits = text.strip_prefix('-').unwrap_or(text);
        let starts_well = digits.starts_with(|c: char| matches!(c, '1'..='9')) || text == "0";
        starts_well && digits.len() <= 4300 && digits.bytes().all(|byte| byte.is_ascii_digit())
    };
    let (numerator, denominator) = text.split_once('/')?;
    (is_integer(numerator) && is_integer(denominator))
        .then(|| format!("\\frac{{{numerator}}}{{{denominator}}}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_of_a_slash_fraction_have_at_most_4300_digits() {
        let digits = "9".repeat(4300);
        assert!(slash_fraction(&format!("-{digits}/{digits}")).is_some());
        assert_eq!(slash_fraction(&format!("{digits}9/2")), None);
    }

    #[test]
    fn replacements_of_one_step_follow_each_other() {
        assert_eq!(
            replace_all("dtfrac", &[("tfrac", "frac"), ("dfrac", "frac")]).as_deref(),
            Some("frac")
        );
        assert_eq!(
            replace_all("tdfrac", &[("tfrac", "frac"), ("dfrac", "frac")]).as_deref(),
            Some("tfrac")
        );
    }
}
