//! Which of the known names a mistyped one may stand for.

/// How alike two names must be, in 0..=1 (Jaro-Winkler).
const MIN_SIMILARITY: f64 = 0.8;

/// The known name that is most like `name`, whatever the case; `None` where none is like it.
fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let name = name.to_lowercase();
    let similarity = |other: &str| strsim::jaro_winkler(&name, &other.to_lowercase());
    known
        .into_iter()
        .map(|other| (similarity(other), other))
        .filter(|(similarity, _)| *similarity >= MIN_SIMILARITY)
        .max_by(|(one, first), (other, second)| one.total_cmp(other).then(second.cmp(first)))
        .map(|(_, other)| other)
}

/// A question to be put behind a message; empty where nothing is like the name.
pub fn did_you_mean<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    match nearest(name, known) {
        Some(near) => format!("; did you mean \"{near}\"?"),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistyped_name_is_recognised_and_another_is_not() {
        let known = ["gsm8k", "math", "college_math", "math23k"];
        assert_eq!(nearest("gsm8", known), Some("gsm8k"));
        assert_eq!(nearest("GSM-8K", known), Some("gsm8k"));
        assert_eq!(nearest("collegemath", known), Some("college_math"));
        assert_eq!(nearest("svamp", known), None);
    }
}
