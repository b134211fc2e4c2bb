//! Clauses behind an answer that say nothing about its value: what a letter stands for, for which
//! numbers it holds, why it is so.

/// Where such a clause begins, and what must stand in it.
const CLAUSES: [(&str, &[&str]); 25] = [
    ("for all ", &[]),
    ("for every ", &[]),
    ("for each ", &[]),
    ("for any ", &[]),
    ("for some constant", &[]),
    ("for some real", &[]),
    ("for some integer", &[]),
    ("for integer ", &[]),
    ("for integers ", &[]),
    ("for an integer ", &[]),
    ("for arbitrary ", &[]),
    ("\\forall", &[]),
    (
        "where ",
        &["constant", "\\in", "real number", "integer", "arbitrary"],
    ),
    ("with ", &["constant", "\\in", "arbitrary"]),
    ("(double root", &[]),
    ("(repeated root", &[]),
    ("(since ", &[]),
    ("(because ", &[]),
    ("since ", &[]),
    ("because ", &[]),
    (
        "(where ",
        &["constant", "\\in", "real number", "integer", "arbitrary"],
    ),
    ("(rejecting ", &[]),
    ("(for all ", &[]),
    ("(\\forall", &[]),
    ("double root", &[]),
];

/// Words by which a clause says more than that: a condition or an exception.
const CONDITIONS: [&str; 7] = [
    "if ", "when ", "unless", "except", "only ", "\\ne", "provided",
];

/// The text before a clause that says nothing about the value, with nothing but punctuation and
/// spaces between; `None` where there is no such clause.
pub(crate) fn without_clause(text: &str) -> Option<&str> {
    /// A shorter text has no room for a clause.
    const MIN_BYTES: usize = 8;
    if text.len() < MIN_BYTES
        || !text.bytes().any(|byte| byte.is_ascii_lowercase())
        // Every clause begins with a word before a blank, with a bracket or with a command.
        || !text.contains([' ', '('])
            && ["\\in", "\\forall"].iter().all(|command| !text.contains(command))
    {
        return None;
    }
    let cuts = [
        membership(text),
        any_integer(text),
        extraneous(text),
        clause(text),
    ];
    // The earliest: whatever stands behind the start of a clause belongs to it.
    let cut = cuts.into_iter().flatten().min()?;
    let bare = trimmed(&text[..cut]);
    (!bare.is_empty() && is_balanced(bare)).then_some(bare)
}

fn clause(text: &str) -> Option<usize> {
    let starts_word = |at: usize| {
        text[..at]
            .chars()
            .next_back()
            .is_some_and(|before| !before.is_alphanumeric() && before != '\\')
    };
    let found = CLAUSES.iter().filter_map(|(head, holds)| {
        let at = text
            .find(head)
            .filter(|at| head.starts_with('\\') || starts_word(*at))?;
        let rest = &text[at..];
        let said = holds.is_empty() || holds.iter().any(|word| rest.contains(word));
        let plain = !CONDITIONS.iter().any(|word| rest.contains(word));
        (said && plain).then_some(at)
    });
    found.min()
}

/// `, n \in \mathbb{Z}` or `(C \in \mathbb{R})` at the end, of a letter that the answer has.
fn membership(text: &str) -> Option<usize> {
    let sign = text.rfind("\\in ").or_else(|| text.rfind("\\in\\"))?;
    let set = text[sign + 3..].trim_matches([' ', ')', '$', '.', '{', '}', '\\']);
    let letters: String = set.chars().filter(char::is_ascii_alphanumeric).collect();
    if !matches!(
        letters
            .trim_start_matches("mathbb")
            .trim_start_matches("mathbf"),
        "Z" | "R" | "N" | "Q" | "C"
    ) {
        return None;
    }
    let letter = text[..sign].trim_end();
    let start = letter.trim_end_matches(|c: char| c.is_ascii_alphanumeric() || "_,".contains(c));
    let name = &letter[start.len()..];
    let before = start.trim_end_matches([' ', '(', ',', ';', '$', '~', '\\', ':']);
    // `x \in \mathbb{Z}` alone is the answer and no remark on one.
    let parted = start.len() > before.len() && !start.trim_end().is_empty();
    let names_letter = !name.is_empty()
        && name
            .trim_matches(',')
            .split(',')
            .all(|name| before.contains(name.split('_').next().unwrap_or(name)));
    // `x > 2, x \in \mathbb{Z}` restricts; only what has no inequality is merely explained.
    let restricts = before.contains(['<', '>'])
        || ["\\le", "\\ge", "\\ne", "≤", "≥", "\\{", "\\in"]
            .iter()
            .any(|sign| before.contains(sign));
    (parted && names_letter && !restricts && before.contains(char::is_alphanumeric))
        .then_some(before.len())
}

/// `, k is an integer` or `(n any integer)` at the end, of a letter that the answer has.
fn any_integer(text: &str) -> Option<usize> {
    const SAYS: [&str; 7] = [
        "is an integer",
        "is any integer",
        "is an arbitrary integer",
        "are integers",
        "an integer",
        "any integer",
        "integer",
    ];
    const TYPESETTING: [&str; 5] = ["\\text{", "\\mathrm{", "\\ ", "\\,", "\\)"];
    let mut before = text.trim_end_matches([' ', ')', '$', '.', '}']);
    let said = SAYS.iter().find_map(|says| before.strip_suffix(says));
    before = said?;
    loop {
        let length = before.len();
        before = before.trim_end_matches([' ', '$', '~', '{', '}']);
        for opening in TYPESETTING {
            before = before.strip_suffix(opening).unwrap_or(before);
        }
        if before.len() == length {
            break;
        }
    }
    let letter = before
        .chars()
        .next_back()
        .filter(char::is_ascii_lowercase)?;
    let rest = before.strip_suffix(letter)?;
    let bare = trimmed(rest).trim_end_matches(['$', ' ', ',', ';', '(']);
    // One letter of its own, behind punctuation: `7, n is an integer` says something else.
    let parted = rest.trim_end_matches(['$', ' ']).len() < rest.len()
        || rest.ends_with([',', '(', ';', '{']);
    let restricts = bare.contains(['<', '>'])
        || ["\\le", "\\ge", "\\ne", "\\in", "if ", "when "]
            .iter()
            .any(|sign| bare.contains(sign));
    (parted && !restricts && bare.contains(letter)).then_some(bare.len())
}

/// `x = 2 (x = -1 is extraneous)`.
fn extraneous(text: &str) -> Option<usize> {
    let word = ["extraneous", "rejected", "is not valid", "discard"]
        .iter()
        .find_map(|word| text.find(word))?;
    let open = text[..word].rfind('(')?;
    text.trim_end_matches(['$', '.', ' ', '}'])
        .ends_with(')')
        .then_some(open)
}

/// Without the opening of the clause's own words and the punctuation before it.
fn trimmed(text: &str) -> &str {
    const OPENINGS: [&str; 12] = [
        "\\text{",
        "\\mathrm{",
        "\\textrm{",
        "\\quad",
        "\\qquad",
        "\\ ",
        "\\,",
        "\\;",
        "\\(",
        "\\left",
        "\\mbox{",
        "\\textbf{",
    ];
    let mut text = text;
    loop {
        let before = text.len();
        text = text.trim_end_matches([' ', ',', ';', ':', '(', '~', '\n', '\\']);
        for opening in OPENINGS {
            text = text.strip_suffix(opening).unwrap_or(text);
        }
        if text.len() == before {
            return text.trim();
        }
    }
}

/// Whether no bracket was cut in two; a brace of running text may be, and a dollar sign.
fn is_balanced(text: &str) -> bool {
    let count = |sign: char| text.matches(sign).count();
    count('(') + count('[') == count(')') + count(']') && count('}') <= count('{')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clauses_that_explain_are_cut_and_conditions_are_not() {
        for (text, bare) in [
            (r"f(x) = 0 \text{ for all } x", Some("f(x) = 0")),
            (r"f(x)=0\ (\forall x\in\mathbb{R})", Some("f(x)=0")),
            (r"2n+1,\ n\in\mathbb{Z}", Some("2n+1")),
            (r"2n+1 \quad (n \in \mathbb{Z})", Some("2n+1")),
            (
                r"\frac{x^2}{2}+C, \text{ where } C \text{ is a constant}",
                Some(r"\frac{x^2}{2}+C"),
            ),
            (r"x=2 \text{ (double root)}", Some("x=2")),
            (r"x=2, \text{ since } x>0", Some("x=2")),
            (r"x > 2, x \in \mathbb{Z}", None),
            (r"x+1 \text{ if } x > 0", None),
            (r"x \in \mathbb{R}", None),
            (r"\{x \in \mathbb{Z}\}", None),
            ("7", None),
        ] {
            assert_eq!(without_clause(text), bare, "{text}");
        }
    }
}
