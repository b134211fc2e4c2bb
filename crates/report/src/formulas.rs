//! Where formulas stand in a text, and their MathML.
//!
//! Formulas are what stands between `$…$`, `$$…$$`, `\(…\)` and `\[…\]`, in environments of displayed
//! mathematics, and in a `\boxed{…}` outside of these. A dollar sign opens one only before a letter
//! that is no blank, and closes one only behind such a letter and not before a digit, as in pandoc:
//! so amounts of money stay text.

use std::collections::HashMap;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};

use pulldown_latex::config::{DisplayMode, RenderConfig};
use pulldown_latex::{Parser, Storage, push_mathml};

use crate::codes::Kinds;

/// Stands before and behind a formula. Twice at the beginning of a text: the rest of it is the text,
/// and no mark. JSON does not escape it, and texts do not have it.
pub(crate) const MARK: char = '\u{7f}';

/// Bytes of a formula; longer ones stay text.
const MAX_BYTES: usize = 4_000;

/// Bytes of the MathML of a formula.
const MAX_MATHML: usize = 40_000;

/// A formula in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Formula {
    /// With its delimiters, in bytes.
    pub(crate) whole: Range<usize>,
    /// What is between them, in bytes.
    pub(crate) inner: Range<usize>,
    /// Whether it stands on lines of its own.
    pub(crate) display: bool,
}

/// Environments that are formulas by themselves.
const ENVIRONMENTS: [&str; 8] = [
    "align",
    "align*",
    "equation",
    "equation*",
    "gather",
    "gather*",
    "multline",
    "multline*",
];

/// The formulas of a text, in order, beside each other.
pub(crate) fn find(text: &str) -> Vec<Formula> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(next) = text[at..].find(['$', '\\']) {
        let start = at + next;
        match formula_at(text, start) {
            Some(formula) => {
                at = formula.whole.end;
                found.push(formula);
            }
            // Behind a backslash the next letter is no delimiter.
            None => {
                let step = usize::from(text[start..].starts_with('\\')) + 1;
                at = (start + step..=text.len())
                    .find(|&at| text.is_char_boundary(at))
                    .unwrap_or(text.len());
            }
        }
    }
    found
}

fn formula_at(text: &str, start: usize) -> Option<Formula> {
    let rest = &text[start..];
    let between = |open: &str, close: &str, display: bool| {
        let inner = start + open.len();
        let length = find_unescaped(&text[inner..], close)?;
        let formula = Formula {
            whole: start..inner + length + close.len(),
            inner: inner..inner + length,
            display,
        };
        (!text[formula.inner.clone()].trim().is_empty()).then_some(formula)
    };
    if rest.starts_with("$$") {
        return between("$$", "$$", true);
    }
    if rest.starts_with('$') {
        return dollar(text, start);
    }
    if rest.starts_with("\\(") {
        return between("\\(", "\\)", false);
    }
    if rest.starts_with("\\[") {
        return between("\\[", "\\]", true);
    }
    if rest.starts_with("\\boxed{") {
        let end = start + matching_brace(&rest["\\boxed".len()..])? + "\\boxed".len();
        return Some(Formula {
            whole: start..end,
            inner: start..end,
            display: false,
        });
    }
    let name = rest.strip_prefix("\\begin{")?.split_once('}')?.0;
    let name = ENVIRONMENTS.iter().find(|known| **known == name)?;
    let close = format!("\\end{{{name}}}");
    let length = rest.find(&close)? + close.len();
    Some(Formula {
        whole: start..start + length,
        inner: start..start + length,
        display: true,
    })
}

/// `$…$` on one paragraph.
fn dollar(text: &str, start: usize) -> Option<Formula> {
    let inner = start + 1;
    let rest = &text[inner..];
    if rest.starts_with(char::is_whitespace) {
        return None;
    }
    let paragraph = rest.find("\n\n").map_or(rest, |end| &rest[..end]);
    let length = find_unescaped(paragraph, "$")?;
    let content = &rest[..length];
    let behind = &rest[length + 1..];
    let closes = !content.is_empty()
        && !content.ends_with(char::is_whitespace)
        && !behind.starts_with(|letter: char| letter.is_ascii_digit());
    closes.then(|| Formula {
        whole: start..inner + length + 1,
        inner: inner..inner + length,
        display: false,
    })
}

/// The first place of `close` that no backslash stands before, within what a formula may have.
fn find_unescaped(text: &str, close: &str) -> Option<usize> {
    let mut at = 0;
    loop {
        let place = at + text[at..].find(close)?;
        if place > MAX_BYTES {
            return None;
        }
        let backslashes = text[..place]
            .bytes()
            .rev()
            .take_while(|&byte| byte == b'\\');
        // A backslash that closes belongs to the delimiter itself.
        if backslashes.count() % 2 == 0 {
            return Some(place);
        }
        at = place + 1;
    }
}

/// Bytes up to the brace that closes the first one.
fn matching_brace(text: &str) -> Option<usize> {
    let mut depth = 0usize;
    let mut escaped = false;
    for (place, byte) in text.bytes().enumerate().take(MAX_BYTES) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'{' => depth += 1,
            b'}' => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some(place + 1);
                }
            }
            _ => {}
        }
    }
    None
}

/// The formulas of a block, each once.
#[derive(Default)]
pub(crate) struct Formulas {
    /// Whether it has a code, by its source with delimiters.
    known: HashMap<String, bool>,
    /// The codes of those that have one, in the order in which they came.
    codes: Vec<String>,
    pub(crate) kinds: Kinds,
}

impl Formulas {
    /// A text with [`MARK`] before and behind each formula.
    pub(crate) fn marked(&mut self, text: &str) -> String {
        if text.contains(MARK) {
            return format!("{MARK}{MARK}{text}");
        }
        let (mut marked, mut end) = (String::with_capacity(text.len()), 0);
        for formula in find(text) {
            let whole = &text[formula.whole.clone()];
            if self.has_code(whole, &text[formula.inner], formula.display) {
                marked.push_str(&text[end..formula.whole.start]);
                marked.extend([MARK.to_string().as_str(), whole, MARK.to_string().as_str()]);
                end = formula.whole.end;
            }
        }
        marked.push_str(&text[end..]);
        marked
    }

    /// An answer without a text around it, which is a formula where it reads as one.
    pub(crate) fn marked_answer(&mut self, answer: &str) -> String {
        let marked = self.marked(answer);
        let is_formula = |letter: char| ['\\', '^', '_'].contains(&letter);
        match marked == answer
            && answer.contains(is_formula)
            && self.has_code(answer, answer, false)
        {
            true => format!("{MARK}{answer}{MARK}"),
            false => marked,
        }
    }

    fn has_code(&mut self, whole: &str, latex: &str, display: bool) -> bool {
        if let Some(known) = self.known.get(whole) {
            return *known;
        }
        let code = mathml(latex, display).and_then(|element| self.kinds.code(whole, &element));
        self.known.insert(whole.to_string(), code.is_some());
        let has_code = code.is_some();
        self.codes.extend(code);
        has_code
    }

    /// The codes, separated by blanks.
    pub(crate) fn codes(&self) -> String {
        self.codes.join(" ")
    }
}

/// The `<math>` element of a formula; `None` for what cannot be read.
pub(crate) fn mathml(latex: &str, display: bool) -> Option<String> {
    if latex.len() > MAX_BYTES {
        return None;
    }
    // Formulas are what a model wrote: one that trips the library is shown as text.
    let made = catch_unwind(AssertUnwindSafe(|| {
        let storage = Storage::new();
        let events: Vec<_> = Parser::new(latex, &storage).collect();
        if events.iter().any(Result::is_err) {
            return None;
        }
        let config = RenderConfig {
            display_mode: match display {
                true => DisplayMode::Block,
                false => DisplayMode::Inline,
            },
            ..RenderConfig::default()
        };
        let mut element = String::new();
        push_mathml(&mut element, events.into_iter(), config).ok()?;
        Some(element)
    }));
    made.ok()
        .flatten()
        .filter(|element| element.len() <= MAX_MATHML)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn inner(text: &str) -> Vec<&str> {
        find(text)
            .into_iter()
            .map(|formula| &text[formula.inner])
            .collect()
    }

    #[test]
    fn formulas_are_found_and_money_is_not() {
        assert_eq!(inner(r"so $x=2$, \(y\) and \[z\]."), ["x=2", "y", "z"]);
        assert_eq!(
            inner("$$a$$ and \\boxed{\\frac{1}{2}}"),
            ["a", r"\boxed{\frac{1}{2}}"]
        );
        assert_eq!(inner("costs $5 and then $6 more"), [""; 0]);
        assert_eq!(inner("from $5 to $10 each"), [""; 0]);
        assert_eq!(inner(r"it is \$5 or $\$5$"), [r"\$5"]);
        assert_eq!(inner("$a\n\nb$ c"), [""; 0]);
        assert_eq!(inner("\\begin{align*}x&=1\\end{align*}").len(), 1);
        assert_eq!(inner("\\é $x$"), ["x"]);
        assert_eq!(inner("$"), [""; 0]);
    }

    #[test]
    fn what_cannot_be_read_stays_text() {
        assert!(mathml(r"\frac{1}{2}", false).unwrap().contains("<mfrac>"));
        assert_eq!(mathml(r"\frac{1", false), None);
        assert_eq!(mathml(r"\notacommand{x}", false), None);
        let mut formulas = Formulas::default();
        assert_eq!(
            formulas.marked("🍎 $x$, $y$ $x$"),
            "🍎 \u{7f}$x$\u{7f}, \u{7f}$y$\u{7f} \u{7f}$x$\u{7f}"
        );
        assert_eq!(formulas.marked(r"$\frac{1$ é"), r"$\frac{1$ é");
        assert_eq!(formulas.marked("$x$\u{7f}"), "\u{7f}\u{7f}$x$\u{7f}");
        assert_eq!(formulas.codes(), "#$ #$");
    }

    #[test]
    fn an_answer_is_a_formula_where_it_reads_as_one() {
        let mut formulas = Formulas::default();
        assert_eq!(
            formulas.marked_answer(r"\frac{1}{2}"),
            "\u{7f}\\frac{1}{2}\u{7f}"
        );
        for answer in ["12", r"\frac{1", "x + y"] {
            assert_eq!(formulas.marked_answer(answer), answer);
        }
        assert_eq!(
            formulas.marked_answer("$x^2$ or 3"),
            "\u{7f}$x^2$\u{7f} or 3"
        );
    }

    proptest! {
        #[test]
        fn any_text_is_searched_and_any_formula_is_tried(text in r"(\\|\$|\{|\}|\(|\[|é|frac|boxed|[a-c0-9^_ &\n]){0,40}") {
            let mut end = 0;
            for formula in find(&text) {
                prop_assert!(formula.whole.start >= end && formula.inner.end <= formula.whole.end);
                end = formula.whole.end;
                mathml(&text[formula.inner], formula.display);
            }
        }
    }
}
