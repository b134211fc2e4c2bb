//! Numbers of publishers' records as a person would write them.

use serde_json::Value;

/// A JSON number without a fraction of zero: `27.0` is `27`; `None` for another value.
pub(super) fn plain_number(value: &Value) -> Option<String> {
    let Value::Number(number) = value else {
        return None;
    };
    // As it stands in the file: 0.6666666667 has ten places, and no float more.
    let text = number.to_string();
    match text.strip_suffix(".0") {
        Some(whole) => Some(whole.to_string()),
        None => Some(text),
    }
}

#[cfg(test)]
mod tests {
    use super::plain_number;

    #[test]
    fn numbers_lose_a_fraction_of_zero_and_nothing_else() {
        for (json, text) in [
            ("27.0", "27"),
            ("-3.0", "-3"),
            ("0.6666666667", "0.6666666667"),
            ("1.84", "1.84"),
            ("10", "10"),
            ("100.05", "100.05"),
        ] {
            let value = serde_json::from_str(json).unwrap();
            assert_eq!(plain_number(&value).as_deref(), Some(text));
        }
        assert_eq!(plain_number(&serde_json::Value::Null), None);
    }
}
