//! Text → tokens, in one pass.
//!
//! Fonts, sizes and small spaces are gone after this; braces that only frame a font are too. Broken braces are healed:
//! one too many is skipped, one too few is closed at the end.

use super::{
    commands::{Meaning, function, meaning},
    numbers::literal,
    tables::{Connective, Tables, tables},
    tokens::{Bracket, Environment, Kind, Named, Style, Token},
};
use crate::strict::{expr::Constant, value::Comparison};

/// The tokens of a prepared text.
pub(super) fn tokens(text: &str) -> Vec<Token<'_>> {
    let dollars = Dollars::of(text);
    let mut lexer = Lexer {
        text,
        at: 0,
        tokens: Vec::with_capacity(text.len() / 2 + 2),
        tables: tables(),
        dollars,
        style: if dollars == Dollars::Delimiters { Style::Prose } else { Style::Bare },
        math: false,
        display: false,
        spaced: false,
        groups: Vec::new(),
        fractions: Vec::new(),
        environments: 0,
        transparent_environments: 0,
        brackets: 0,
        negate: false,
    };
    while lexer.at < text.len() {
        lexer.step();
    }
    lexer.finish()
}

/// What the unescaped dollar signs of a text are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Dollars {
    None,
    Delimiters,
    Money,
}

impl Dollars {
    /// Delimiters come in pairs. An odd number, or signs that all stand before a digit and behind a space as in
    /// `$5 and $6`, are money.
    fn of(text: &str) -> Self {
        let bytes = text.as_bytes();
        let (mut count, mut all_before_digits) = (0_usize, true);
        for at in (0..bytes.len()).filter(|at| bytes[*at] == b'$' && (*at == 0 || bytes[at - 1] != b'\\')) {
            count += 1;
            let before = at == 0 || matches!(bytes[at - 1], b' ' | b'(' | b',' | b'-');
            let after = bytes.get(at + 1).is_some_and(|byte| byte.is_ascii_digit() || *byte == b'.');
            all_before_digits &= before && after;
        }
        if count == 0 {
            return Self::None;
        }
        if count % 2 == 1 || all_before_digits { Self::Money } else { Self::Delimiters }
    }
}

/// An open brace.
struct Group {
    kind: Frame,
    /// The style to return to.
    style: Style,
    /// Open brackets around it: a comma between its braces is no separator of theirs.
    brackets: i32,
}

enum Frame {
    /// Braces that group an argument.
    Seen,
    /// Braces of a font or of running text.
    Unseen,
    /// Braces of a box: what stands in two of them is two things.
    Boxed,
}

/// `\frac` takes single digits as arguments, as in `\frac12`.
struct Fraction {
    depth: usize,
    arguments_left: u8,
}

struct Lexer<'t> {
    text: &'t str,
    at: usize,
    tokens: Vec<Token<'t>>,
    tables: &'static Tables,
    dollars: Dollars,
    style: Style,
    math: bool,
    /// Whether the formula was opened by two dollar signs.
    display: bool,
    spaced: bool,
    groups: Vec<Group>,
    fractions: Vec<Fraction>,
    /// Open environments of rows and cells.
    environments: u32,
    /// Open environments that only lay out lines.
    transparent_environments: u32,
    /// Open brackets other than groups.
    brackets: i32,
    negate: bool,
}

impl<'t> Lexer<'t> {
    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    fn byte(&self, ahead: usize) -> u8 {
        self.text.as_bytes().get(self.at + ahead).copied().unwrap_or(0)
    }

    fn step(&mut self) {
        let byte = self.byte(0);
        match byte {
            b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c | b'~' | b'`' | b'"' => self.skip(1, true),
            b'0'..=b'9' => self.number(),
            b'.' if self.byte(1).is_ascii_digit() => self.number(),
            b'a'..=b'z' | b'A'..=b'Z' => self.letters(),
            b'\\' => self.command(),
            b'{' => self.open_group(),
            b'}' => self.close_group(),
            b'$' => self.dollar(),
            0x80.. => self.foreign(),
            _ => self.sign(byte),
        }
    }

    fn skip(&mut self, length: usize, spaced: bool) {
        self.at += length;
        self.spaced |= spaced;
    }

    /// Adds a token of that length.
    fn push(&mut self, kind: Kind<'t>, length: usize) {
        let start = self.at;
        self.at += length;
        self.push_spanning(kind, start);
    }

    /// Adds a token from `start` to here.
    fn push_spanning(&mut self, kind: Kind<'t>, start: usize) {
        let last = self.tokens.last().map(|token| &token.kind);
        if kind == Kind::Gap && last.is_none_or(Kind::expects_more) {
            return;
        }
        if kind.continues() && last == Some(&Kind::Gap) {
            self.tokens.pop();
        }
        match kind {
            Kind::Open(bracket) if bracket != Bracket::Group => self.brackets += 1,
            Kind::Close(bracket) if bracket != Bracket::Group => self.brackets -= 1,
            _ => {}
        }
        let kind = match kind {
            Kind::Compare(comparison) if self.negate => {
                self.negate = false;
                Kind::Compare(if comparison == Comparison::Equal {
                    Comparison::NotEqual
                } else {
                    Comparison::Other('¬')
                })
            }
            other => other,
        };
        self.tokens.push(Token { kind, start, end: self.at, spaced: self.spaced, style: self.style });
        self.spaced = false;
    }

    fn number(&mut self) {
        if self.takes_fraction_argument() && self.byte(0) != b'.' {
            let digit = self.byte(0) - b'0';
            return self.push(Kind::Number(crate::strict::expr::Number::exact(digit.into())), 1);
        }
        match literal(self.rest(), self.brackets <= 0) {
            Some(literal) => self.push(Kind::Number(literal.number), literal.length),
            None => {
                let length = self.rest().bytes().take_while(|byte| byte.is_ascii_digit() || *byte == b'.').count();
                self.push(Kind::Unknown, length.max(1));
            }
        }
    }

    /// Whether an argument of a fraction is due here; counts it.
    fn takes_fraction_argument(&mut self) -> bool {
        let depth = self.groups.len();
        match self.fractions.last_mut() {
            Some(fraction) if fraction.depth == depth => {
                fraction.arguments_left -= 1;
                if fraction.arguments_left == 0 {
                    self.fractions.pop();
                }
                true
            }
            _ => false,
        }
    }

    fn letters(&mut self) {
        let rest = self.rest();
        let length = rest.bytes().take_while(u8::is_ascii_alphabetic).count();
        let run = &rest[..length];
        if let Some(afternoon) = self.meridiem() {
            return self.push(Kind::Meridiem(afternoon.0), afternoon.1);
        }
        if length == 1 {
            self.takes_fraction_argument();
            return self.push(Kind::Letter(char::from(run.as_bytes()[0])), 1);
        }
        if let Some(kind) = self.keyword(run) {
            return self.push(kind, length);
        }
        if let Some((kind, taken)) = glued_function(run).filter(|_| !self.in_words()) {
            return self.push(kind, taken);
        }
        if self.is_word(run) {
            return self.push(Kind::Word(run), length);
        }
        for letter in run.chars() {
            self.push(Kind::Letter(letter), 1);
        }
    }

    fn in_words(&self) -> bool {
        matches!(self.style, Style::Words | Style::Prose)
    }

    /// `p.m.`, `pm`, `a.m.` behind a number: afternoon or not, and the length.
    fn meridiem(&self) -> Option<(bool, usize)> {
        if !matches!(self.tokens.last()?.kind, Kind::Number(_)) {
            return None;
        }
        let rest = self.rest().as_bytes();
        let afternoon = match rest[0] {
            b'p' | b'P' => true,
            b'a' | b'A' => false,
            _ => return None,
        };
        let dot = usize::from(rest.get(1) == Some(&b'.'));
        let space = usize::from(dot == 1 && rest.get(2) == Some(&b' '));
        let m = 1 + dot + space;
        if !matches!(rest.get(m)?, b'm' | b'M') || rest.get(m + 1).is_some_and(u8::is_ascii_alphanumeric) {
            return None;
        }
        Some((afternoon, m + 1 + usize::from(dot == 1 && rest.get(m + 1) == Some(&b'.'))))
    }

    fn keyword(&self, run: &'t str) -> Option<Kind<'t>> {
        if let Some(connective) = self.tables.connective(run) {
            return Some(match connective {
                Connective::And => Kind::And,
                Connective::Or => Kind::Or,
                Connective::Condition => Kind::Condition,
                Connective::Otherwise => Kind::Otherwise,
            });
        }
        let name = self.tables.functions.get(run).map_or(run, String::as_str);
        // "min" behind a number is a minute.
        let counted = || self.tokens.last().is_some_and(|token| matches!(token.kind, Kind::Number(_) | Kind::Divide));
        match name {
            "min" if counted() || self.in_words() && !self.tokens.is_empty() => return None,
            "pi" | "Pi" | "PI" => return Some(Kind::Constant(Constant::Pi)),
            "sqrt" => return Some(Kind::Sqrt),
            "frac" => return Some(Kind::Frac),
            "inf" | "infinity" | "infty" | "oo" => return Some(Kind::Constant(Constant::Infinity)),
            "mod" => return Some(Kind::Mod),
            "sum" | "sign" | "dim" | "rank" | "arg" | "tr" | "sec" | "max" if self.in_words() => return None,
            _ => {}
        }
        function(name).map(Kind::Function)
    }

    /// Whether letters are a word and no product of variables.
    fn is_word(&self, run: &str) -> bool {
        let upright = self.style == Style::Words && (self.math || self.dollars == Dollars::None);
        if upright && run.len() == 2 && self.tables.unit(run).is_none() && !self.is_english(run) {
            return false;
        }
        if self.in_words() || run.len() >= 4 || self.is_english(run) {
            return true;
        }
        let counts = matches!(self.tokens.last().map(|token| &token.kind), Some(Kind::Number(_) | Kind::Close(_)));
        if counts && self.tables.unit(run).is_some() {
            return true;
        }
        if run.len() == 2 || self.style == Style::Math {
            return false;
        }
        let touches =
            |byte: u8| matches!(byte, b'^' | b'_' | b'+' | b'-' | b'*' | b'/' | b'=' | b'(' | b')' | b'0'..=b'9');
        let before = self.at.checked_sub(1).map_or(0, |at| self.text.as_bytes()[at]);
        !touches(before) && !touches(self.byte(run.len()))
    }

    /// Whether two or three letters are a word; capitals alone are points and segments.
    fn is_english(&self, run: &str) -> bool {
        let english = &self.tables.english;
        english.contains(run)
            || run.bytes().any(|letter| letter.is_ascii_lowercase()) && english.contains(&run.to_lowercase())
    }

    fn open_group(&mut self) {
        // A group that is an argument of a fraction counts when it closes.
        self.push(Kind::Open(Bracket::Group), 1);
        let brackets = std::mem::take(&mut self.brackets);
        self.groups.push(Group { kind: Frame::Seen, style: self.style, brackets });
    }

    fn close_group(&mut self) {
        let Some(group) = self.groups.pop() else {
            return self.skip(1, false);
        };
        while self.fractions.last().is_some_and(|fraction| fraction.depth > self.groups.len()) {
            self.fractions.pop();
        }
        self.brackets = group.brackets;
        match group.kind {
            Frame::Seen => {
                self.push(Kind::Close(Bracket::Group), 1);
                self.style = group.style;
                self.takes_fraction_argument();
            }
            Frame::Unseen => {
                self.style = group.style;
                self.skip(1, false);
            }
            Frame::Boxed => {
                self.style = group.style;
                self.push(Kind::Gap, 1);
            }
        }
    }

    /// Opens braces that are not seen, or changes the style of what follows where there are none.
    fn transparent(&mut self, style: Option<Style>, boxed: bool) {
        let space = self.rest().bytes().take_while(|byte| *byte == b' ').count();
        let kind = if boxed { Frame::Boxed } else { Frame::Unseen };
        let before = self.style;
        if self.byte(space) == b'{' {
            if boxed {
                self.push(Kind::Gap, 0);
            }
            self.at += space + 1;
            self.groups.push(Group { kind, style: before, brackets: self.brackets });
            self.style = style.unwrap_or(before);
        } else if let Some(style) = style {
            self.style = style;
        }
    }

    fn dollar(&mut self) {
        if self.dollars == Dollars::Money {
            let digit = |byte: u8| byte.is_ascii_digit() || byte == b'.';
            let before = self.at > 0 && self.text.as_bytes()[self.at - 1].is_ascii_digit();
            let spaced = usize::from(self.byte(1) == b' ');
            return if before || digit(self.byte(1 + spaced)) {
                self.push(Kind::Currency("dollar"), 1)
            } else {
                self.skip(1, true)
            };
        }
        self.math = !self.math;
        if self.math {
            // `$a$ $b$` are two things, `$$` is not.
            let after_formula = self.spaced && self.text[..self.at].trim_end().ends_with('$');
            if after_formula {
                self.push(Kind::Gap, 0);
            }
            self.style = Style::Math;
            self.skip(1, false);
            self.display = self.byte(0) == b'$';
            self.at += usize::from(self.display);
        } else {
            self.style = Style::Prose;
            self.skip(1, false);
            if self.display && self.byte(0) == b'$' {
                self.skip(1, false);
            }
        }
    }

    fn foreign(&mut self) {
        let rest = self.rest();
        let first = rest.chars().next().expect("not at the end");
        let size = first.len_utf8();
        match first {
            '\u{a0}' | '\u{2002}'..='\u{200a}' | '\u{202f}' | '\u{3000}' => self.skip(size, true),
            '\u{200b}'..='\u{200f}' | '\u{feff}' | '\u{fe0f}' => self.skip(size, false),
            '£' => self.push(Kind::Currency("pound sterling"), size),
            '€' => self.push(Kind::Currency("euro"), size),
            '¥' | '￥' => self.push(Kind::Currency("yuan"), size),
            '₹' => self.push(Kind::Currency("rupee"), size),
            _ if first.is_alphabetic() || first == '㎡' || first == '¢' => {
                let length = rest.find(|c: char| c.is_ascii() || !c.is_alphabetic() && c != '㎡').unwrap_or(rest.len());
                self.foreign_run(&rest[..length.max(size)]);
            }
            _ => self.push(Kind::Unknown, size),
        }
    }

    fn foreign_run(&mut self, run: &'t str) {
        match self.tables.connective(run) {
            Some(Connective::And) => self.push(Kind::And, run.len()),
            Some(Connective::Or) => self.push(Kind::Or, run.len()),
            Some(Connective::Condition) => self.push(Kind::Condition, run.len()),
            Some(Connective::Otherwise) => self.push(Kind::Otherwise, run.len()),
            None => self.push(Kind::Word(run), run.len()),
        }
    }

    fn sign(&mut self, byte: u8) {
        use Comparison::*;
        let next = self.byte(1);
        let (kind, length) = match (byte, next) {
            (b'+', b'-') => (Kind::PlusMinus, 2),
            (b'+', b'/') if self.byte(2) == b'-' => (Kind::PlusMinus, 3),
            (b'+', _) => (Kind::Plus, 1),
            (b'-', b'>') => (Kind::Compare(Other('→')), 2),
            (b'-', _) => (Kind::Minus, 1),
            (b'*', b'*') => (Kind::Caret, 2),
            (b'*', _) => (Kind::Times, 1),
            (b'/', _) => (Kind::Divide, 1),
            (b'^', _) => return self.caret(),
            (b'_', _) => (Kind::Underscore, 1),
            (b'!', b'=') => (Kind::Compare(NotEqual), 2),
            (b'!', _) => (Kind::Bang, 1),
            (b'\'', _) => (Kind::Prime, 1),
            (b'%', _) => (Kind::Percent, 1),
            (b'=', b'=') => (Kind::Compare(Equal), 2),
            (b'=', b'>') => (Kind::Compare(Other('⇒')), 2),
            (b'=', b'<') => (Kind::Compare(LessOrEqual), 2),
            (b'=', _) => (Kind::Compare(Equal), 1),
            (b'<', b'=') => (Kind::Compare(LessOrEqual), 2),
            (b'<', b'>') => (Kind::Compare(NotEqual), 2),
            (b'<', _) => (Kind::Compare(Less), 1),
            (b'>', b'=') => (Kind::Compare(GreaterOrEqual), 2),
            (b'>', _) => (Kind::Compare(Greater), 1),
            (b'(', _) => (Kind::Open(Bracket::Round), 1),
            (b')', _) => (Kind::Close(Bracket::Round), 1),
            (b'[', _) => (Kind::Open(Bracket::Square), 1),
            (b']', _) => (Kind::Close(Bracket::Square), 1),
            (b'|', b'|') => (Kind::DoubleBar, 2),
            (b'|', _) => (Kind::Bar, 1),
            (b',', _) => (Kind::Comma, 1),
            (b';', _) => (Kind::Semicolon, 1),
            (b':', b'=') => (Kind::Compare(Equal), 2),
            (b':', _) => (Kind::Colon, 1),
            (b'&', _) => return self.ampersand(),
            (b'#', b'#') => (Kind::Compare(Equal), 2),
            (b'.', b'.') => return self.dots(),
            // The point at the end of a sentence.
            (b'.', b' ' | b'\n' | b'$' | b'}' | b')' | b'\\' | 0) => return self.skip(1, true),
            _ => (Kind::Unknown, 1),
        };
        self.push(kind, length);
    }

    fn dots(&mut self) {
        let length = self.rest().bytes().take_while(|byte| *byte == b'.').count();
        self.push(if length >= 3 { Kind::Dots } else { Kind::Unknown }, length);
    }

    fn ampersand(&mut self) {
        match (self.transparent_environments, self.style) {
            (0, Style::Words | Style::Prose) => self.push(Kind::And, 1),
            (0, _) => self.push(Kind::Cell, 1),
            _ => self.skip(1, true),
        }
    }

    /// A caret, or a degree sign: `^\circ`, `^{\circ}`, `^{}\circ`, `^o`.
    fn caret(&mut self) {
        const DEGREES: [&str; 6] = ["^{\\circ}", "^\\circ", "^{ \\circ }", "^{\\circ }", "^{}\\circ", "^{o}"];
        let rest = self.rest();
        if let Some(degree) = DEGREES.iter().find(|degree| rest.starts_with(**degree)) {
            return self.push(Kind::Degree, degree.len());
        }
        if rest.starts_with("^{\\text{th}}") || rest.starts_with("^{th}") {
            let length = if rest.starts_with("^{th}") { 5 } else { 12 };
            return self.skip(length, false);
        }
        let primes = primes_above(rest);
        if primes.0 == 0 {
            return self.push(Kind::Caret, 1);
        }
        for _ in 1..primes.0 {
            self.push(Kind::Prime, 0);
        }
        self.push(Kind::Prime, primes.1);
    }

    fn command(&mut self) {
        let start = self.at;
        let rest = &self.rest()[1..];
        let letters = rest.bytes().take_while(u8::is_ascii_alphabetic).count();
        let name = match rest.chars().next() {
            None => return self.skip(1, false),
            Some('\\') => return self.new_row(),
            // `\(`, `\[` and their closing sisters.
            Some('(' | '[') => return self.math_bracket(Style::Math),
            Some(')' | ']') => return self.math_bracket(Style::Prose),
            Some('#') => return self.hashes(),
            Some(first) if letters == 0 => &rest[..first.len_utf8()],
            // `\quadx`: a space was lost.
            Some('q') if rest.starts_with("quad") => "quad",
            Some(_) => &rest[..letters],
        };
        self.at += 1 + name.len();
        match meaning(name) {
            Meaning::Token(kind) => self.command_token(kind, name, start),
            Meaning::Nothing => {}
            Meaning::Space => self.spaced = true,
            Meaning::Gap => self.push(Kind::Gap, 0),
            Meaning::Delimiter => self.delimiter(name),
            Meaning::Transparent(style) => self.transparent(style, false),
            Meaning::Bold => self.bold(start),
            Meaning::Blackboard => self.blackboard(start),
            Meaning::Dropped => self.at += argument_length(self.rest()),
            Meaning::Superscript => self.push_spanning(Kind::Caret, start),
            Meaning::Subscript => self.push_spanning(Kind::Underscore, start),
            Meaning::Begin => self.begin(start),
            Meaning::End => self.end(start),
            Meaning::Not => self.negate = true,
            Meaning::Circled => {
                self.at += argument_length(self.rest());
                self.push_spanning(Kind::Circled, start);
            }
        }
    }

    fn command_token(&mut self, kind: Kind<'t>, name: &str, start: usize) {
        match kind {
            Kind::Unknown if matches!(name, "boxed" | "fbox" | "framebox") => return self.transparent(None, true),
            Kind::Unknown => {
                if let Some(function) = self.tables.functions.get(name).and_then(|name| function(name)) {
                    return self.push_spanning(Kind::Function(function), start);
                }
            }
            Kind::Frac | Kind::Binomial => {
                self.takes_fraction_argument();
                self.push_spanning(kind, start);
                let depth = self.groups.len();
                return self.fractions.push(Fraction { depth, arguments_left: 2 });
            }
            // A square root or an accent takes the next argument for itself; as an argument of a fraction it is in braces.
            Kind::Name(_) | Kind::Constant(_) => {
                self.takes_fraction_argument();
            }
            Kind::Accent("vec" | "hat") => {
                if let Some((axis, length)) = unit_vector(self.rest()) {
                    self.at += length;
                    return self.push_spanning(Kind::UnitVector(axis), start);
                }
            }
            Kind::Compare(Comparison::Less | Comparison::Greater) if self.rest().starts_with("{}") => self.at += 2,
            Kind::Bar if self.rest().starts_with("{}") => self.at += 2,
            _ => {}
        }
        self.push_spanning(kind, start);
    }

    fn math_bracket(&mut self, style: Style) {
        if style == Style::Math {
            if self.spaced && matches!(self.text[..self.at].trim_end().as_bytes(), [.., b'\\', b')' | b']']) {
                self.push(Kind::Gap, 0);
            }
            self.style = Style::Math;
        } else if self.groups.is_empty() {
            self.style = if self.text.trim_end().len() == self.at + 2 { Style::Bare } else { Style::Prose };
        }
        self.skip(2, false);
    }

    /// `\# \#` stands between two forms of one answer in some references.
    fn hashes(&mut self) {
        let start = self.at;
        let rest = self.rest();
        let second = rest[2..].trim_start();
        if second.starts_with("\\#") {
            self.at += rest.len() - second.len() + 2;
            self.push_spanning(Kind::Compare(Comparison::Equal), start);
        } else {
            self.push(Kind::Unknown, 2);
        }
    }

    fn new_row(&mut self) {
        self.push(if self.environments > 0 { Kind::Row } else { Kind::Gap }, 2);
        // `\\[2pt]`
        if self.byte(0) == b'[' && self.rest().find("pt]").is_some_and(|at| at < 6) {
            self.at += self.rest().find(']').map_or(0, |at| at + 1);
        }
    }

    /// The size of a delimiter, or the missing one of `\left.` and `\right.`
    fn delimiter(&mut self, name: &str) {
        let space = self.rest().bytes().take_while(|byte| *byte == b' ').count();
        if self.byte(space) == b'.' {
            self.at += space;
            match name {
                "right" => self.push(Kind::Close(Bracket::Nothing), 1),
                _ => self.skip(1, false),
            }
        }
    }

    fn bold(&mut self, start: usize) {
        if let Some((axis, length)) = unit_vector(self.rest()) {
            self.at += length;
            return self.push_spanning(Kind::UnitVector(axis), start);
        }
        self.transparent(None, false);
    }

    fn blackboard(&mut self, start: usize) {
        let rest = self.rest().trim_start();
        let letter = rest.trim_start_matches('{').trim_start().chars().next();
        match letter {
            Some(letter @ ('N' | 'Z' | 'Q' | 'R' | 'C')) => {
                let braced = rest.starts_with('{');
                let length = if braced { rest.find('}').map_or(rest.len(), |at| at + 1) } else { 1 };
                self.at = self.text.len() - rest.len() + length;
                self.push_spanning(Kind::NumberSet(letter), start);
            }
            _ => self.transparent(None, false),
        }
    }

    fn begin(&mut self, start: usize) {
        let length = argument_length(self.rest());
        let name = self.rest()[..length].trim().trim_matches(['{', '}']).trim_end_matches('*');
        self.at += length;
        let environment = match name {
            "matrix" | "pmatrix" | "bmatrix" | "Bmatrix" | "smallmatrix" => Environment::Matrix,
            "vmatrix" | "Vmatrix" => Environment::Determinant,
            "cases" | "dcases" | "rcases" => Environment::Cases,
            "array" | "tabular" => {
                self.at += argument_length(self.rest());
                Environment::Array
            }
            "align" | "aligned" | "alignat" | "gather" | "gathered" | "equation" | "split" | "eqnarray"
            | "multline" => {
                self.transparent_environments += 1;
                return self.spaced = true;
            }
            _ => return self.push_spanning(Kind::Unknown, start),
        };
        self.environments += 1;
        self.push_spanning(Kind::Begin(environment), start);
    }

    fn end(&mut self, start: usize) {
        let length = argument_length(self.rest());
        let name = self.rest()[..length].trim().trim_matches(['{', '}']);
        self.at += length;
        if name.ends_with("matrix")
            || name.ends_with("matrix*")
            || name.ends_with("cases")
            || matches!(name, "array" | "tabular")
        {
            self.environments = self.environments.saturating_sub(1);
            self.push_spanning(Kind::End, start);
        } else {
            self.transparent_environments = self.transparent_environments.saturating_sub(1);
            self.spaced = true;
        }
    }

    fn finish(mut self) -> Vec<Token<'t>> {
        while let Some(group) = self.groups.pop() {
            if matches!(group.kind, Frame::Seen) {
                self.push(Kind::Close(Bracket::Group), 0);
            }
        }
        while self.tokens.last().is_some_and(|token| matches!(token.kind, Kind::Gap | Kind::Comma | Kind::Semicolon)) {
            self.tokens.pop();
        }
        self.tokens
    }
}

/// `sinx`, `lnx`: a function glued to one of the usual variables.
fn glued_function(run: &str) -> Option<(Kind<'_>, usize)> {
    let (name, variable) = run.split_at(run.len() - 1);
    let usual = matches!(variable, "x" | "y" | "z" | "A" | "B");
    match function(name).filter(|_| usual && name.len() <= 6)? {
        function @ Named::Known(_) => Some((Kind::Function(function), name.len())),
        _ => None,
    }
}

/// `^{\prime\prime}`, `^\prime`, `^{''}`: how many primes, and the length.
fn primes_above(rest: &str) -> (usize, usize) {
    let braced = rest.starts_with("^{");
    let (mut count, mut at) = (0, if braced { 2 } else { 1 });
    loop {
        let tail = &rest[at..];
        let length = if tail.starts_with("\\prime") { 6 } else { usize::from(tail.starts_with('\'')) };
        match tail.as_bytes().first() {
            Some(b' ') if braced => at += 1,
            Some(b'}') if braced => return (count, at + 1),
            _ if length > 0 && count < 4 => {
                count += 1;
                at += length;
                if !braced {
                    return (count, at);
                }
            }
            _ => return (0, 0),
        }
    }
}

/// The length of an argument in braces with the space before it; 0 where there is none.
fn argument_length(rest: &str) -> usize {
    let space = rest.bytes().take_while(|byte| *byte == b' ').count();
    if rest.as_bytes().get(space) != Some(&b'{') {
        return 0;
    }
    let mut depth = 0_usize;
    for (at, byte) in rest.bytes().enumerate().skip(space) {
        match byte {
            b'{' => depth += 1,
            b'}' if depth == 1 => return at + 1,
            b'}' => depth -= 1,
            _ => {}
        }
    }
    rest.len()
}

/// `{i}`, `{\imath}`, `{\hat{j}}` or `k` behind a command of a vector: axis and length.
fn unit_vector(rest: &str) -> Option<(u8, usize)> {
    const FORMS: [(&str, u8); 15] = [
        ("{i}", 0),
        ("{j}", 1),
        ("{k}", 2),
        ("{\\imath}", 0),
        ("{\\jmath}", 1),
        ("{\\hat{i}}", 0),
        ("{\\hat{j}}", 1),
        ("{\\hat{k}}", 2),
        ("{\\mathbf{i}}", 0),
        ("{\\mathbf{j}}", 1),
        ("{\\mathbf{k}}", 2),
        ("{\\hat{\\imath}}", 0),
        ("{\\hat{\\jmath}}", 1),
        (" {i}", 0),
        (" {j}", 1),
    ];
    FORMS.iter().find(|(form, _)| rest.starts_with(form)).map(|(form, axis)| (*axis, form.len()))
}
