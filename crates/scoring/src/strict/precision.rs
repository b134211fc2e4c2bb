//! References that are not exact: those that state a tolerance, and those that were rounded. Only in
//! profiles that say so.

use std::cmp::Ordering;

use super::policy::ReferencePrecision;

/// Ids in traces.
const TOLERANCE: &str = "equal/tolerance";
const ROUNDED: &str = "equal/rounded_reference";

/// Decimal places from which on a reference counts as rounded.
const MIN_ROUNDED_PLACES: usize = 10;

/// What stands before a stated tolerance.
const MARK: &str = " (tolerance ";

/// The reference without the tolerance that it states, and the tolerance.
pub(super) fn stated_tolerance(
    precision: ReferencePrecision,
    reference: &str,
) -> Option<(&str, &str)> {
    if precision != ReferencePrecision::StatesTolerance {
        return None;
    }
    let (number, tolerance) = reference.trim().strip_suffix(')')?.rsplit_once(MARK)?;
    let is_tolerance = Decimal::parse(tolerance).is_some_and(|value| value.sign() > 0);
    (is_tolerance && !number.trim().is_empty()).then_some((number.trim(), tolerance))
}

/// The rule by which an answer that does not equal a reference is the number that it stands for.
pub(super) fn near(
    precision: ReferencePrecision,
    answer: &str,
    reference: &str,
    tolerance: Option<&str>,
) -> Option<&'static str> {
    match (precision, tolerance) {
        (ReferencePrecision::StatesTolerance, Some(tolerance)) => {
            within(answer, reference, tolerance).then_some(TOLERANCE)
        }
        (ReferencePrecision::MayBeRounded, None) => {
            is_rounded(answer, reference).then_some(ROUNDED)
        }
        _ => None,
    }
}

/// Whether two decimals are at most so far apart, exactly. An answer that is no plain decimal is
/// not: what it is worth would have to be computed first.
fn within(answer: &str, reference: &str, tolerance: &str) -> bool {
    let parsed = (
        bare_number(answer),
        bare_number(reference),
        Decimal::parse(tolerance),
    );
    let (Some(answer), Some(reference), Some(tolerance)) = parsed else {
        return false;
    };
    let distance = answer.minus(reference).map(Decimal::abs);
    distance
        .and_then(|distance| distance.minus(tolerance))
        .is_some_and(|rest| rest.sign() <= 0)
}

/// Whether an exact answer rounds to a reference of many places.
fn is_rounded(answer: &str, reference: &str) -> bool {
    let places = reference
        .trim()
        .rsplit_once('.')
        .map_or(0, |(_, places)| places.len());
    if places < MIN_ROUNDED_PLACES || Decimal::parse(reference).is_none() {
        return false;
    }
    // Another decimal is exact where it says so: 0.666 is not two thirds.
    if bare_number(answer).is_some() {
        return false;
    }
    let trace = &mut Vec::new();
    let exact = math_equality::read(answer, reference, trace);
    let rounded = math_equality::read(reference, answer, trace);
    i32::try_from(places).is_ok_and(|places| math_equality::rounds_to(&exact, &rounded, places))
}

/// The decimal of an answer, signs of formulas and of percent apart.
fn bare_number(text: &str) -> Option<Decimal> {
    let text = text.trim().trim_matches('$').trim();
    let text = text
        .strip_suffix("\\%")
        .or(text.strip_suffix('%'))
        .unwrap_or(text);
    Decimal::parse(text.trim())
}

/// A decimal number: digits as a whole number, and how many of them stand behind the point.
#[derive(Clone, Copy, Debug)]
struct Decimal {
    digits: i128,
    places: u32,
}

impl Decimal {
    /// `None` for anything but a sign, digits and a point, and for more digits than fit.
    fn parse(text: &str) -> Option<Self> {
        const MAX_DIGITS: usize = 17;
        let text = text.trim();
        let unsigned = text.strip_prefix('-').unwrap_or(text);
        let (whole, places) = unsigned.split_once('.').unwrap_or((unsigned, ""));
        let all = format!("{whole}{places}");
        let are_digits = !all.is_empty() && all.bytes().all(|byte| byte.is_ascii_digit());
        if !are_digits || all.len() > MAX_DIGITS {
            return None;
        }
        let digits: i128 = all.parse().ok()?;
        Some(Self {
            digits: if text.starts_with('-') {
                -digits
            } else {
                digits
            },
            places: u32::try_from(places.len()).ok()?,
        })
    }

    fn minus(self, other: Self) -> Option<Self> {
        let places = self.places.max(other.places);
        let scaled = |number: Self| {
            let factor = 10_i128.checked_pow(places - number.places)?;
            number.digits.checked_mul(factor)
        };
        let digits = scaled(self)?.checked_sub(scaled(other)?)?;
        Some(Self { digits, places })
    }

    fn abs(self) -> Self {
        Self {
            digits: self.digits.abs(),
            ..self
        }
    }

    fn sign(self) -> i32 {
        match self.digits.cmp(&0) {
            Ordering::Less => -1,
            Ordering::Equal => 0,
            Ordering::Greater => 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_tolerance_is_read_only_where_the_profile_says_so() {
        let stated = |text| stated_tolerance(ReferencePrecision::StatesTolerance, text);
        assert_eq!(stated("14.2 (tolerance 0.1)"), Some(("14.2", "0.1")));
        for text in [
            "14.2",
            "(tolerance 0.1)",
            "14.2 (tolerance 0)",
            "14.2 (tolerance x)",
            "",
        ] {
            assert_eq!(stated(text), None, "{text}");
        }
        assert_eq!(
            stated_tolerance(ReferencePrecision::Exact, "14.2 (tolerance 0.1)"),
            None
        );
    }

    proptest! {
        #[test]
        fn what_is_within_a_tolerance_is_at_most_so_far_away(
            answer in -100_000i64..100_000, reference in -100_000i64..100_000, tolerance in 1i64..2000,
        ) {
            // All in hundredths, which floats of this size hold well enough to be compared.
            let text = |hundredths: i64| {
                let sign = if hundredths < 0 { "-" } else { "" };
                let (whole, rest) = (hundredths.abs() / 100, hundredths.abs() % 100);
                format!("{sign}{whole}.{rest:02}")
            };
            let expected = (answer - reference).abs() <= tolerance;
            prop_assert_eq!(
                within(&text(answer), &text(reference), &text(tolerance)),
                expected
            );
        }

        #[test]
        fn no_text_makes_reading_a_tolerance_panic(text in ".{0,40}", other in "[0-9.%$-]{0,40}") {
            let _ = within(&text, &other, "0.1");
            let _ = is_rounded(&text, &other);
            let _ = stated_tolerance(ReferencePrecision::StatesTolerance, &text);
        }
    }
}
