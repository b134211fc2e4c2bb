//! Plain integers, decimals and fractions, which are most answers: read without tokens.

use dashu_ratio::RBig;

use crate::expr::{Expr, Number};

/// The number, where the text is nothing but one: `-12`, `$3.50$`, `3/4`, `\frac{3}{4}`.
pub(super) fn number(text: &str) -> Option<Expr> {
    let text = text.trim_ascii();
    let text = match text.strip_prefix('$') {
        Some(inner) => inner
            .strip_suffix('$')
            .filter(|inner| !inner.is_empty())?
            .trim_ascii(),
        None => text,
    };
    let (negative, text) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let number = fraction(text).or_else(|| decimal(text.as_bytes()))?;
    let expr = Expr::Number(number);
    Some(if negative { expr.negated() } else { expr })
}

fn fraction(text: &str) -> Option<Number> {
    let (over, under) = match text.strip_prefix('\\') {
        Some(command) => {
            let inner = command
                .strip_prefix("frac{")
                .or_else(|| command.strip_prefix("dfrac{"))?;
            inner.strip_suffix('}')?.split_once("}{")?
        }
        None => text.split_once('/')?,
    };
    let (over, under) = (integer(over.as_bytes())?, integer(under.as_bytes())?);
    (under != 0).then(|| Number::exact(RBig::from_parts(over.into(), under.into())))
}

/// A short integer: longer ones are left to the tokens.
fn integer(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || digits.len() > 18 {
        return None;
    }
    digits.iter().try_fold(0, |value, digit| {
        digit
            .is_ascii_digit()
            .then(|| value * 10 + u64::from(digit - b'0'))
    })
}

fn decimal(text: &[u8]) -> Option<Number> {
    if text.len() > 18 {
        return None;
    }
    let Some(mark) = text.iter().position(|byte| *byte == b'.') else {
        return integer(text).map(|value| Number::exact(RBig::from(value)));
    };
    let (whole, fraction) = (&text[..mark], &text[mark + 1..]);
    // None for `5.`, where the point may end a sentence: that is for the tokens to tell.
    let behind = integer(fraction)?;
    let before = if whole.is_empty() { 0 } else { integer(whole)? };
    // At most 17 digits in all: neither the scale nor the sum overflows.
    let scale = 10_u64.pow(fraction.len() as u32);
    let significant = whole
        .iter()
        .chain(fraction)
        .skip_while(|digit| **digit == b'0')
        .count()
        .max(1);
    let value = RBig::from_parts((before * scale + behind).into(), scale.into());
    Some(Number {
        value,
        written_digits: Some(significant as u32),
    })
}
