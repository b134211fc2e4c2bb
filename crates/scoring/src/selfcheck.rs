//! What must hold for any reference, whoever is right: it equals itself, also in other clothes, and
//! no changed copy of it.
//!
//! A reference that fails here is one that no answer can be judged against fairly: unreadable, or
//! read as something else.

use serde::Serialize;

use crate::strict::{Answer, Profile, StrictJudgement};

/// How a reference was given to the scorer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ReferenceForm {
    /// As it stands.
    Itself,
    /// In a box, at the end of a completion.
    Boxed,
    /// After "The answer is".
    Announced,
    /// Between dollar signs.
    Dollars,
    /// With other commands for the same signs.
    Typeset,
    /// A number in another notation.
    Notation,
    /// With one sign changed: must not be equal.
    Changed,
}

/// A check that failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Failure {
    /// How the reference was given.
    pub form: ReferenceForm,
    /// What was given.
    pub text: String,
    /// What the scorer made of it.
    pub judgement: StrictJudgement,
}

/// What came of one reference.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct CheckedReference {
    /// Forms that were tried.
    pub tried: usize,
    /// Those that failed.
    pub failures: Vec<Failure>,
}

impl CheckedReference {
    /// Whether the reference equals itself as it stands.
    pub fn equals_itself(&self) -> bool {
        self.failures
            .iter()
            .all(|failure| failure.form != ReferenceForm::Itself)
    }
}

/// Gives a reference to the scorer in every form that suits it.
pub fn check(profile: &Profile, reference: &str) -> CheckedReference {
    let mut checked = CheckedReference::default();
    let mut judge = |form: ReferenceForm, text: String, is_completion: bool| {
        let answer = if is_completion {
            Answer::Completion(&text)
        } else {
            Answer::Prediction(&text)
        };
        let judgement = profile.judge(answer, reference, None);
        checked.tried += 1;
        if judgement.correct != (form != ReferenceForm::Changed) {
            checked.failures.push(Failure {
                form,
                text,
                judgement,
            });
        }
    };
    let bare = reference.trim();
    judge(ReferenceForm::Itself, bare.to_owned(), false);
    let is_solution = bare.contains("\\boxed") || bare.contains('\n');
    if is_balanced(bare) && !is_solution {
        let inner = undollared(bare);
        // Dollar signs around others would close at the first one inside.
        let dollar = if inner.contains('$') { "" } else { "$" };
        judge(
            ReferenceForm::Boxed,
            format!("Adding up, we get the result.\n\n{dollar}\\boxed{{{inner}}}{dollar}"),
            true,
        );
    }
    // A full stop within would end the sentence that announces the answer.
    if !is_solution && !bare.contains(". ") {
        judge(
            ReferenceForm::Announced,
            format!(
                "Adding up, we get the result. The answer is {}.",
                bare.trim_end_matches('.')
            ),
            true,
        );
    }
    let is_word = bare.chars().all(|sign| sign.is_alphabetic() || sign == ' ');
    if !is_word && !bare.contains(['$', '"']) && !bare.contains("\\(") && !bare.contains("\\[") {
        judge(ReferenceForm::Dollars, format!("${bare}$"), false);
    }
    if let Some(typeset) = typeset(bare) {
        judge(ReferenceForm::Typeset, typeset, false);
    }
    for text in notations(bare) {
        judge(ReferenceForm::Notation, text, false);
    }
    if let Some(changed) = changed(bare) {
        judge(ReferenceForm::Changed, changed, false);
    }
    checked
}

/// Without the one pair of dollar signs around it.
fn undollared(text: &str) -> &str {
    match text
        .strip_prefix('$')
        .and_then(|inner| inner.strip_suffix('$'))
    {
        Some(inner) if !inner.contains('$') && !inner.is_empty() => inner,
        _ => text,
    }
}

fn is_balanced(text: &str) -> bool {
    let mut depth = 0_i64;
    let mut escaped = false;
    for sign in text.chars() {
        match sign {
            '{' if !escaped => depth += 1,
            '}' if !escaped => depth -= 1,
            _ => {}
        }
        escaped = sign == '\\' && !escaped;
        if depth < 0 {
            return false;
        }
    }
    depth == 0 && !escaped
}

/// The same in other commands; `None` where it has none that have a twin.
fn typeset(text: &str) -> Option<String> {
    const TWINS: [(&str, &str); 3] = [
        ("\\frac", "\\dfrac"),
        ("\\left(", "\\bigl("),
        ("\\leq ", "\\le "),
    ];
    let (from, to) = TWINS.into_iter().find(|(from, _)| text.contains(from))?;
    let rewritten = text.replace(from, to);
    // Brackets that open with `\left(` and close with something else have no such twin.
    if from == "\\left(" && text.matches(from).count() != text.matches("\\right)").count() {
        return None;
    }
    Some(if from == "\\left(" {
        rewritten.replace("\\right)", "\\bigr)")
    } else {
        rewritten
    })
}

/// A plain integer in other notations.
fn notations(text: &str) -> Vec<String> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let is_plain =
        (1..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    if !is_plain || (digits.len() > 1 && digits.starts_with('0')) {
        return Vec::new();
    }
    let sign = if text.starts_with('-') { "-" } else { "" };
    let mut notations = vec![
        format!("{text}.0"),
        format!("{sign}\\frac{{{digits}}}{{1}}"),
    ];
    if digits.len() > 3 {
        let head = digits.len() % 3;
        let mut groups: Vec<&str> = if head > 0 {
            vec![&digits[..head]]
        } else {
            Vec::new()
        };
        groups.extend(
            (head..digits.len())
                .step_by(3)
                .map(|start| &digits[start..start + 3]),
        );
        notations.push(format!("{sign}{}", groups.join(",")));
    }
    notations
}

/// A copy with another value: the last digit is another one; without digits, something is put to
/// it.
fn changed(text: &str) -> Option<String> {
    let digit = text.rfind(|sign: char| sign.is_ascii_digit());
    match digit {
        // Indices of constants and digits far behind the point may change without changing the
        // value.
        Some(at) if !text.contains('_') && !text.contains('C') && text.len() < 60 => {
            let next = (text.as_bytes()[at] - b'0' + 1) % 10;
            let mut changed = text.to_owned();
            changed.replace_range(at..=at, &next.to_string());
            // `\frac{1}{9}` would become a division by zero, which has no value to differ in.
            let is_fraction_of_nothing = next == 0 && text[..at].ends_with(['{', '/']);
            (!is_fraction_of_nothing).then_some(changed)
        }
        Some(_) => None,
        None if text.len() == 1 && text.is_ascii() => {
            let letter = text.as_bytes()[0];
            letter
                .is_ascii_uppercase()
                .then(|| char::from(if letter == b'Z' { b'A' } else { letter + 1 }).to_string())
        }
        None => {
            let is_word = text.chars().all(|sign| sign.is_alphabetic() || sign == ' ');
            is_word.then(|| format!("not {text}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sound_references_pass_in_every_form() {
        for (reference, forms) in [
            ("1234", 8),
            ("\\frac{3}{4}", 6),
            ("B", 4),
            ("x^2+1", 5),
            ("\\text{even}", 4),
            ("(1, 2]", 5),
        ] {
            let checked = check(Profile::standard(), reference);
            assert_eq!(checked.failures, [], "{reference}");
            assert_eq!(checked.tried, forms, "{reference}");
        }
    }

    #[test]
    fn an_empty_reference_equals_nothing() {
        assert!(!check(Profile::standard(), "").equals_itself());
    }

    #[test]
    fn changed_copies_are_others() {
        assert_eq!(changed("19").as_deref(), Some("10"));
        assert_eq!(changed("\\frac{1}{9}"), None);
        assert_eq!(changed("D").as_deref(), Some("E"));
        assert_eq!(changed("yes").as_deref(), Some("not yes"));
        assert_eq!(changed("c_1 e^x"), None);
    }
}
