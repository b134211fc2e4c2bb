//! The normal form of a text: words, numbers and the signs of arithmetic, parted by single spaces.
//!
//! What has no influence: upper and lower case; white space; punctuation, brackets, apostrophes and
//! hyphens; `$` and the other delimiters of LaTeX, its spacing, fonts and sizes; commas between
//! thousands (`1,000`, `1{,}000`); compatible forms of characters (full-width, superscript,
//! ligatures, NFKC) and decimal digits of other scripts. `\dfrac` is `\frac`, `\le` is ≤, `\times`
//! and `\cdot` are ×, `x^2` is x². Words are runs of letters and numbers runs of digits with a
//! decimal point inside, so `x2` is a word and a number; each character of Chinese and Japanese is
//! a word. The signs + − × / = < > ± % count for exact matching, not for n-grams; a hyphen is a
//! minus before a digit.

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization;
use xxhash_rust::xxh3::{xxh3_64, xxh3_128};

use crate::latex::{self, Meaning};

/// A text in normal form.
#[derive(Clone, Debug, Default)]
pub(crate) struct NormalForm {
    text: String,
    words: Vec<u64>,
    /// Kind of the token being written, and where it starts in `text`.
    kind: Kind,
    start: usize,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Kind {
    #[default]
    None,
    Word,
    Number,
}

impl NormalForm {
    pub(crate) fn of(text: &str) -> Self {
        let mut normal = Self::default();
        normal.read(text);
        normal
    }

    /// Takes another text in place of the one before.
    pub(crate) fn read(&mut self, text: &str) {
        self.text.clear();
        self.words.clear();
        self.kind = Kind::None;
        let text = if text.is_ascii() {
            Cow::Borrowed(text)
        } else {
            Cow::Owned(compatible(text))
        };
        // Before the split: `1\!000` and `1{,}000` are one number each, whose digits a command or a
        // brace would part.
        let text = if text.contains("\\!") || text.contains("{,}") {
            Cow::Owned(text.replace("\\!", "").replace("{,}", ","))
        } else {
            text
        };
        self.split(&text);
    }

    /// All tokens, signs too, parted by spaces.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// The hashes of words and numbers, in order.
    pub(crate) fn words(&self) -> &[u64] {
        &self.words
    }

    /// The numbers, in order.
    pub(crate) fn numbers(&self) -> impl Iterator<Item = &str> {
        self.text
            .split(' ')
            .filter(|token| token.starts_with(|c: char| c.is_ascii_digit()))
    }

    /// Equal for equal normal forms.
    pub(crate) fn key(&self) -> u128 {
        xxh3_128(self.text.as_bytes())
    }

    fn split(&mut self, text: &str) {
        let mut rest = text;
        let mut before = ' ';
        while let Some(c) = rest.chars().next() {
            rest = &rest[c.len_utf8()..];
            match c {
                'a'..='z' | 'A'..='Z' => {
                    self.begin(Kind::Word);
                    self.text.push(c.to_ascii_lowercase());
                }
                '0'..='9' => {
                    self.begin(Kind::Number);
                    self.text.push(c);
                }
                ' ' | '\n' | '\t' | '\r' => self.end(),
                '.' if self.kind == Kind::Number && starts_with_digit(rest) => self.text.push('.'),
                ',' if self.parts_thousands(rest) => {}
                '\'' | '’' | '‘' | 'ʼ' | '`'
                    if self.kind == Kind::Word && rest.starts_with(char::is_alphabetic) => {}
                '\\' => rest = self.command(rest),
                '-' | '−' | '–' | '—' | '‐' => self.dash(rest),
                // Two stars in a row are emphasis of Markdown, no product.
                '*' if before != '*' && !rest.starts_with('*') => self.signs("*"),
                // Zero-width characters, marks of direction and soft hyphens may stand within a
                // word.
                '\u{200b}'..='\u{200f}' | '\u{feff}' | '\u{ad}' => {}
                _ if c.is_alphanumeric() => self.letter(c),
                _ => self.mean(latex::sign(c)),
            }
            before = c;
        }
        self.end();
    }

    /// Goes on with a token of this kind, or begins one.
    fn begin(&mut self, kind: Kind) {
        if self.kind != kind {
            self.end();
            self.part();
            self.kind = kind;
            self.start = self.text.len();
        }
    }

    fn end(&mut self) {
        if self.kind != Kind::None {
            self.words
                .push(xxh3_64(&self.text.as_bytes()[self.start..]));
            self.kind = Kind::None;
        }
    }

    fn part(&mut self) {
        if !self.text.is_empty() {
            self.text.push(' ');
        }
    }

    fn signs(&mut self, signs: &str) {
        self.end();
        self.part();
        self.text.push_str(signs);
    }

    fn word(&mut self, word: &str) {
        self.end();
        self.begin(Kind::Word);
        self.text.push_str(word);
        self.end();
    }

    fn mean(&mut self, meaning: Meaning) {
        match meaning {
            Meaning::Nothing => self.end(),
            Meaning::Word(word) => self.word(word),
            Meaning::Signs(signs) => self.signs(signs),
        }
    }

    /// A letter or digit outside of ASCII.
    fn letter(&mut self, c: char) {
        if let Some(digit) = decimal_digit(c) {
            self.begin(Kind::Number);
            self.text.push(digit);
            return;
        }
        // Lower case may come with a combining mark, which is no letter.
        for c in c.to_lowercase().filter(|c| c.is_alphanumeric()) {
            if let Some(name) = latex::greek(c) {
                self.word(name);
                continue;
            }
            if is_ideograph(c) {
                self.end();
            }
            self.begin(Kind::Word);
            self.text.push(c);
            if is_ideograph(c) {
                self.end();
            }
        }
    }

    /// Whether a comma here stands between thousands: in a number without a point, before exactly
    /// three digits.
    fn parts_thousands(&self, rest: &str) -> bool {
        let after = rest.bytes().take(4).take_while(u8::is_ascii_digit).count();
        self.kind == Kind::Number && after == 3 && !self.text[self.start..].contains('.')
    }

    /// A minus where a digit follows, else nothing.
    fn dash(&mut self, rest: &str) {
        if starts_with_digit(
            rest.trim_start_matches(|c: char| c.is_whitespace() || "${(\\.".contains(c)),
        ) {
            self.signs("-");
        } else {
            self.end();
        }
    }

    /// After a backslash; gives what is left.
    fn command<'a>(&mut self, rest: &'a str) -> &'a str {
        let length = rest.bytes().take_while(u8::is_ascii_alphabetic).count();
        let (name, after) = rest.split_at(length);
        self.end();
        match name.as_bytes() {
            // Spacing and delimiters: `\,`, `\(`, `\\`. What is escaped, such as `\%`, is read by
            // itself.
            [] => rest
                .strip_prefix([',', ';', ':', '>', '(', ')', '[', ']', '\\', ' '])
                .unwrap_or(rest),
            // A line end that was escaped twice before the next sentence: `\nFind`.
            [b'n', b'A'..=b'Z', ..] => &rest[1..],
            _ => {
                match latex::command(name) {
                    Some(meaning) => self.mean(meaning),
                    None => self.word(&name.to_ascii_lowercase()),
                }
                after
            }
        }
    }
}

/// NFKC, with superscripts, subscripts and fractions kept apart from a number before them: 5² is
/// not 52.
fn compatible(text: &str) -> String {
    let mut parted = String::with_capacity(text.len() + 8);
    let mut raised = false;
    for c in text.chars() {
        let is_raised = matches!(c, '²' | '³' | '¹' | '⁰' | '⁴'..='⁹' | '₀'..='₉');
        let is_fraction = matches!(c, '¼'..='¾' | '⅐'..='⅞' | '↉');
        if is_fraction || (is_raised && !raised) {
            parted.push(' ');
        }
        raised = is_raised;
        parted.push(c);
    }
    parted.nfkc().collect()
}

fn starts_with_digit(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit())
}

/// The first digit of each block of decimal digits that NFKC leaves as they are and that are in
/// use.
const ZEROES: [char; 15] = [
    '٠', '۰', '०', '০', '੦', '૦', '୦', '௦', '౦', '೦', '൦', '๐', '໐', '၀', '០',
];

fn decimal_digit(c: char) -> Option<char> {
    let value = ZEROES.iter().find_map(|&zero| {
        (c as u32)
            .checked_sub(zero as u32)
            .filter(|&value| value < 10)
    })?;
    char::from_digit(value, 10)
}

/// Characters of scripts without spaces between words.
fn is_ideograph(c: char) -> bool {
    matches!(c as u32, 0x3040..=0x30FF | 0x3400..=0x4DBF | 0x4E00..=0x9FFF | 0xF900..=0xFAFF | 0x20000..=0x323AF)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn normal(text: &str) -> String {
        NormalForm::of(text).text().to_owned()
    }

    #[test]
    fn ways_of_writing_the_same_have_one_form() {
        for (one, other) in [
            ("Janet’s ducks lay 16 eggs.", "JANETS  DUCKS\tlay 16 eggs"),
            ("It costs $1,000,000.50!", "it costs 1000000.50"),
            ("$10{,}000$ and $10,\\!000$", "10,000 and 10000"),
            (
                "Compute $\\dfrac{1}{2} \\times 3$.",
                "compute \\(\\frac{1}{2}\\cdot 3\\)",
            ),
            ("$x \\le 5$, $y \\geq 2$", "x ≤ 5; y ≥ 2"),
            ("x² + 5³", "$x^2 + 5^{3}$"),
            ("３０％ of ｘ", "30% of x"),
            ("$15\\%$", "15%"),
            ("twenty-five", "twenty five"),
            ("the ‘cost’ — “total”", "the \"cost\" 'total'"),
            ("\\left( a+b \\right)\\, c\\quad d", "(a+b) c d"),
            ("\\text{If } \\mathrm{ABC}", "If ABC"),
            ("3½ cups", "3 1/2 cups"),
            ("angle ∠A = 30°", "angle \\angle A = 30^\\circ"),
            ("area 2π", "area $2\\pi$"),
            ("٣ + ۴", "3 + 4"),
            ("**Bold** and 2*3", "Bold and 2 × 3"),
            ("cafe\u{301}", "caf\u{e9}"),
            ("one\\nFind two", "one\nfind two"),
            ("\u{feff}zero\u{200b}width", "zerowidth"),
        ] {
            assert_eq!(normal(one), normal(other), "{one} | {other}");
        }
    }

    #[test]
    fn what_differs_in_meaning_differs() {
        for (one, other) in [
            ("2 + 3", "2 - 3"),
            ("2 - 3", "2 3"),
            ("2 * 3", "2 / 3"),
            ("x < 3", "x > 3"),
            ("x \\le 3", "x < 3"),
            ("15%", "15"),
            ("1.5", "15"),
            ("5²", "52"),
            ("1,5", "15"),
            ("1,2345", "12345"),
        ] {
            assert_ne!(normal(one), normal(other), "{one} | {other}");
        }
    }

    #[test]
    fn the_form_is_words_numbers_and_signs() {
        assert_eq!(
            normal("If x2 = -3.5, don't stop."),
            "if x 2 = - 3.5 dont stop"
        );
        assert_eq!(normal("小明有3个苹果。"), "小 明 有 3 个 苹 果");
        assert_eq!(NormalForm::of("a + b = 3").words().len(), 3);
        assert_eq!(
            NormalForm::of("it has 3.5 or 12")
                .numbers()
                .collect::<Vec<_>>(),
            ["3.5", "12"]
        );
    }

    proptest! {
        #[test]
        fn the_normal_form_is_its_own(text in "\\PC{0,60}") {
            let once = normal(&text);
            prop_assert_eq!(normal(&once), once);
        }

        #[test]
        fn case_and_spacing_have_no_influence(words in prop::collection::vec("[a-z]{1,8}|[0-9]{1,5}", 1..20), spaces in prop::collection::vec("[ \t\n]{1,3}", 20)) {
            let plain = words.join(" ");
            let changed: String = words.iter().zip(&spaces).map(|(word, space)| format!("{space}{}", word.to_uppercase())).collect();
            prop_assert_eq!(normal(&plain), normal(&changed));
        }

        #[test]
        fn formulas_never_panic(text in "[\\\\a-zA-Z0-9 ,.!{}$^_*'-]{0,60}") {
            let normal = NormalForm::of(&text);
            prop_assert!(normal.words().len() <= text.len());
        }
    }
}
