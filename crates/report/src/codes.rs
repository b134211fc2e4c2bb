//! MathML as one character an element, which the page's script turns back into elements.
//!
//! An element is the character of its kind, its children, and [`END`]. A kind is a name with
//! attributes. The letters, numbers, operators and words of a formula stand in its source too, mostly
//! in the same order: an element with a text is its character alone, and its text is what [`NEXT`]
//! finds next in the source. A text that is not found there belongs to the kind.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::{Map, Value, json};

use crate::table::Table;

/// Behind the children of an element; left out at the end of a formula.
const END: char = '!';

/// The character of the first kind.
const FIRST: u32 = '#' as u32;

/// Kinds of a table at most, so that their characters are below the surrogates.
const MAX_KINDS: usize = 50_000;

/// What an element's text is: the group of the first match that has it, from the end of the one
/// before. The page's script has the same expressions.
const NEXT: [(&str, &str); 4] = [
    (
        "mi",
        r"\\(?:(?:begin|end)\{[^{}]*\}|[a-zA-Z]+|.)|([a-zA-Z])",
    ),
    (
        "mn",
        r"\\(?:(?:begin|end)\{[^{}]*\}|[a-zA-Z]+|.)|([0-9]+(?:[.,][0-9]+)*)",
    ),
    (
        "mo",
        r"\\(?:(?:begin|end)\{[^{}]*\}|[a-zA-Z]+|.)|([^\\a-zA-Z0-9{}^_&$~ \n])",
    ),
    ("mtext", r"\{([^{}]*)\}"),
];

static NEXT_OF: LazyLock<Vec<(&str, Regex)>> = LazyLock::new(|| {
    NEXT.map(|(name, next)| (name, regex(&format!("(?s){next}"))))
        .into()
});

static ATTRIBUTE: LazyLock<Regex> = LazyLock::new(|| regex(r#"([a-z-]+)="([^"]*)""#));

fn regex(expression: &str) -> Regex {
    Regex::new(expression).expect("the expressions are constants")
}

/// An element without its children: the tag, and the text where the source does not have it.
type Kind = (String, Option<String>);

/// The kinds of the elements of some formulas.
#[derive(Default)]
pub(crate) struct Kinds(Table<Kind>);

impl Kinds {
    /// The characters of a `<math>` element; `None` for what is not made of elements that have either
    /// elements or a text.
    pub(crate) fn code(&mut self, source: &str, element: &str) -> Option<String> {
        let mut code = String::new();
        let (mut rest, mut at, mut open) = (element, 0, 0usize);
        while !rest.is_empty() {
            let (tag, behind) = rest.strip_prefix('<')?.split_once('>')?;
            rest = behind;
            if tag.starts_with('/') {
                open = open.checked_sub(1)?;
                code.push(END);
                continue;
            }
            let (tag, is_empty) = match tag.strip_suffix('/') {
                Some(tag) => (tag.trim_end(), true),
                None => (tag, false),
            };
            let name = name(tag);
            let mut kind = (tag.to_string(), None);
            let text = match text(rest) {
                _ if is_empty => Some(""),
                Some((text, behind)) => {
                    rest = behind.strip_prefix(name)?.strip_prefix('>')?;
                    Some(text)
                }
                None => None,
            };
            if let Some(text) = text.map(unescaped) {
                match next(name, source, at) {
                    Some((found, end)) if found == text => at = end,
                    _ => kind.1 = Some(text),
                }
            } else if NEXT.iter().any(|(known, _)| *known == name) {
                return None;
            } else {
                open += 1;
            }
            code.push(self.letter(&kind)?);
        }
        (open == 0).then(|| code.trim_end_matches(END).to_string())
    }

    fn letter(&mut self, kind: &Kind) -> Option<char> {
        let number = self.0.number(kind);
        char::from_u32(FIRST + u32::try_from(number).ok()?).filter(|_| number < MAX_KINDS)
    }

    /// The kinds by number: name, attributes, and the text where the kind has it.
    pub(crate) fn json(&self) -> Value {
        let entry = |(tag, text): &Kind| {
            let attributes = ATTRIBUTE.captures_iter(tag);
            let attributes: Map<String, Value> = attributes
                .map(|found| (found[1].to_string(), json!(&found[2])))
                .collect();
            match text {
                Some(text) => json!([name(tag), attributes, text]),
                None => json!([name(tag), attributes]),
            }
        };
        self.0.values.iter().map(entry).collect()
    }
}

fn name(tag: &str) -> &str {
    tag.split_once(char::is_whitespace)
        .map_or(tag, |(name, _)| name)
}

/// The text of an element that has nothing else, and what is behind it. `<` is not always escaped.
fn text(inside: &str) -> Option<(&str, &str)> {
    let is_tag = |place: &usize| {
        inside[place + 1..].starts_with(|letter: char| letter == '/' || letter.is_ascii_lowercase())
    };
    let end = inside
        .match_indices('<')
        .map(|(place, _)| place)
        .find(is_tag)?;
    Some((&inside[..end], inside[end..].strip_prefix("</")?))
}

/// The text that the source has next for an element, and where it ends.
fn next(name: &str, source: &str, mut at: usize) -> Option<(String, usize)> {
    let (_, expression) = NEXT_OF.iter().find(|(known, _)| *known == name)?;
    loop {
        let found = expression.find_at(source, at)?;
        at = found.end();
        // What the group has, found faster: commands start with a backslash, groups with a brace.
        let text = found.as_str();
        if !text.starts_with('\\') {
            let inside = text
                .strip_prefix('{')
                .and_then(|text| text.strip_suffix('}'));
            return Some((shown(inside.unwrap_or(text)), at));
        }
    }
}

/// A piece of a source as an element has it.
fn shown(text: &str) -> String {
    if text == "-" {
        return "\u{2212}".to_string();
    }
    let blank = |is_there| if is_there { "\u{a0}" } else { "" };
    let (starts, ends) = (text.starts_with(' '), text.ends_with(' '));
    format!("{}{}{}", blank(starts), text.trim_matches(' '), blank(ends))
}

/// The text of an element that pulldown-latex wrote, which escapes a `&nbsp;` of its own again.
fn unescaped(text: &str) -> String {
    if !text.contains('&') {
        return text.to_string();
    }
    text.replace("&amp;nbsp;", "\u{a0}")
        .replace("&nbsp;", "\u{a0}")
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::formulas::mathml;

    /// The element again, as the page's script makes it, with attributes in the order of their names.
    fn element(source: &str, code: &str, kinds: &Kinds) -> String {
        let kinds = kinds.json();
        let (mut element, mut open, mut at) = (String::new(), Vec::new(), 0);
        for letter in code.chars() {
            if letter == END {
                element.push_str(&format!("</{}>", open.pop().unwrap()));
                continue;
            }
            let kind = &kinds[(u32::from(letter) - FIRST) as usize];
            let name = kind[0].as_str().unwrap();
            element.push_str(&format!("<{name}"));
            let attributes = kind[1].as_object().unwrap().iter();
            let mut attributes: Vec<String> = attributes
                .map(|(key, value)| format!(" {key}={value}"))
                .collect();
            attributes.sort_unstable();
            element.extend(attributes);
            element.push('>');
            if let Some(text) = kind[2].as_str() {
                element.push_str(&format!("{text}</{name}>"));
            } else if let Some((text, end)) = next(name, source, at) {
                at = end;
                element.push_str(&format!("{text}</{name}>"));
            } else {
                open.push(name.to_string());
            }
        }
        for name in open.into_iter().rev() {
            element.push_str(&format!("</{name}>"));
        }
        element
    }

    /// An element with its attributes in the order of their names, and its texts as they are shown.
    fn plain(element: &str) -> String {
        let void = regex(r"<([a-z]+)([^<>]*?) */>").replace_all(element, "<$1$2></$1>");
        let tags = regex(r"<([a-z]+)([^<>]*)>");
        let sorted = tags.replace_all(&void, |tag: &regex::Captures| {
            let mut attributes: Vec<&str> = ATTRIBUTE
                .find_iter(&tag[2])
                .map(|found| found.as_str())
                .collect();
            attributes.sort_unstable();
            let attributes: String = attributes.iter().map(|one| format!(" {one}")).collect();
            format!("<{}{attributes}>", &tag[1])
        });
        unescaped(&sorted)
    }

    fn check(latex: &str, display: bool) -> Option<String> {
        let made = mathml(latex, display)?;
        let mut kinds = Kinds::default();
        let code = kinds
            .code(latex, &made)
            .unwrap_or_else(|| panic!("{latex} has no code: {made}"));
        assert_eq!(element(latex, &code, &kinds), plain(&made), "{latex}");
        Some(code)
    }

    #[test]
    fn formulas_come_back_and_their_texts_stand_in_the_source() {
        assert_eq!(check("x", false).unwrap(), "#$");
        assert_eq!(
            check(r"x^2+1{,}000=17-y", false).unwrap().chars().next(),
            Some('#')
        );
        let mut kinds = Kinds::default();
        let mut code = |latex: &str| kinds.code(latex, &mathml(latex, false).unwrap()).unwrap();
        assert_eq!(code("x^2+1=17"), code("y^3-2=25"));
        assert_eq!(code(r"\frac{a}{b}"), code(r"\frac{c}{d}"));
        assert_eq!(code(r"\text{ cups of tea}"), code(r"\text{ miles}"));
        for latex in [
            r"\sqrt[3]{\alpha}\le\sin x\cdot 0.5~m",
            r"\begin{cases}1 & x<0\\ \text{none} & x \ge 1,000\end{cases}",
            r"\left\{\frac{1}{2}\,\middle|\,\text{a & b}\right\}",
            r"\mathbb{R}'\hspace{3cm}\overline{AB}\$5",
            r"",
        ] {
            check(latex, true).unwrap();
        }
    }

    #[test]
    fn what_is_no_tree_of_such_elements_has_no_code() {
        let mut kinds = Kinds::default();
        for element in [
            "<mi>x",
            "<mi><mn>1</mn></mi>",
            "a",
            "<mrow>a<mi>b</mi></mrow>",
            "<mi>a</mo>",
        ] {
            assert_eq!(kinds.code("x", element), None, "{element}");
        }
    }

    #[test]
    fn the_script_reads_the_same() {
        let script = include_str!("../assets/report.js");
        for (name, expression) in NEXT {
            assert!(
                script.contains(&format!("{name}: /{expression}/gsu")),
                "{name}"
            );
        }
        assert!(script.contains(&format!("letter === \"{END}\"")));
        assert!(script.contains(&format!("charCodeAt(0) - {FIRST}]")));
    }

    proptest! {
        #[test]
        fn any_formula_comes_back(latex in r"(\\|\{|\}|é|frac|sqrt|text|left|right|[a-c0-9^_ &,.()|+-]|\{[a-c0-9]\}|\\[a-z]{1,4} ){0,30}") {
            check(&latex, false);
        }
    }
}
