//! Commands of LaTeX → tokens.

use super::{
    commands::{Meaning, function, meaning},
    lexer::{Fraction, Lexer},
    tokens::{Bracket, Environment, Kind, Named, Style},
};
use crate::value::Comparison;

impl<'t> Lexer<'t> {
    /// A caret, or a degree sign: `^\circ`, `^{\circ}`, `^{}\circ`, `^o`.
    pub(super) fn caret(&mut self) {
        const DEGREES: [&str; 6] = [
            "^{\\circ}",
            "^\\circ",
            "^{ \\circ }",
            "^{\\circ }",
            "^{}\\circ",
            "^{o}",
        ];
        let rest = self.rest();
        if rest.starts_with("^{}") && !rest.starts_with("^{}\\circ") {
            return self.skip(3, false);
        }
        if let Some(degree) = DEGREES.iter().find(|degree| rest.starts_with(**degree)) {
            return self.push(Kind::Degree, degree.len());
        }
        // `12^{\text{th}}`
        if let Some(length) = ordinal_above(rest) {
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

    pub(super) fn command(&mut self) {
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
        if let Some((function, length)) = self.named_function(name) {
            self.at += length;
            return self.push_spanning(Kind::Function(function), start);
        }
        if let Some((operator, length)) = self.operator(name) {
            self.at += length;
            return self.push_spanning(Kind::Operator(operator), start);
        }
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
            Meaning::Styled => {
                self.at += argument_length(self.rest());
                self.transparent(None, false);
            }
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

    /// The function in `\operatorname{rank}`, and the length of its braces: in upright letters alone
    /// the name could be a word.
    fn named_function(&self, command: &str) -> Option<(Named, usize)> {
        if command != "operatorname" {
            return None;
        }
        let inner = self.rest().strip_prefix('{')?;
        let name = &inner[..inner.find('}')?];
        let name_here = self.tables.functions.get(name).map_or(name, String::as_str);
        Some((function(name_here)?, name.len() + 2))
    }

    /// The name in `\operatorname{…}`, or in upright letters with an argument in brackets behind it,
    /// where no table knows it; and the length of its braces.
    fn operator(&self, command: &str) -> Option<(&'t str, usize)> {
        let names = command == "operatorname";
        if !names && !matches!(command, "text" | "mathrm" | "textrm" | "mathsf" | "mathop") {
            return None;
        }
        let rest = self.rest();
        let starred = usize::from(names && rest.starts_with('*'));
        let inner = rest[starred..].strip_prefix('{')?;
        let length = inner.bytes().take_while(u8::is_ascii_alphabetic).count();
        let name = &inner[..length];
        let behind = inner[length..].strip_prefix('}')?;
        let called = behind.starts_with('(') || behind.starts_with("\\left(");
        let counted = matches!(
            self.tokens.last().map(|token| &token.kind),
            Some(Kind::Number(_) | Kind::Close(_))
        );
        // `5\text{ft}(x)` counts feet, `\text{ft}(x)` calls a function.
        let is_unit = self.tables.unit(name).is_some() && (counted || !called);
        let known = self.keyword(name).is_some() || self.is_english(name) || is_unit;
        let long = length >= if names { 1 } else { 2 };
        let taken = long && !known && (called || names) && !behind.is_empty();
        taken.then_some((name, length + starred + 2))
    }

    pub(super) fn command_token(&mut self, kind: Kind<'t>, name: &str, start: usize) {
        match kind {
            Kind::Unknown if matches!(name, "boxed" | "fbox" | "framebox") => {
                return self.transparent(None, true);
            }
            Kind::Unknown => {
                if let Some(function) = self
                    .tables
                    .functions
                    .get(name)
                    .and_then(|name| function(name))
                {
                    return self.push_spanning(Kind::Function(function), start);
                }
            }
            Kind::Frac | Kind::Binomial => {
                self.takes_fraction_argument();
                self.push_spanning(kind, start);
                let depth = self.groups.len();
                return self.fractions.push(Fraction {
                    depth,
                    arguments_left: 2,
                });
            }
            // A square root or an accent takes the next argument for itself; as an argument of a
            // fraction it is in braces.
            Kind::Name(_) | Kind::Constant(_) => {
                self.takes_fraction_argument();
            }
            Kind::Accent("vec" | "hat") => {
                if let Some((axis, length)) = unit_vector(self.rest()) {
                    self.at += length;
                    return self.push_spanning(Kind::UnitVector(axis), start);
                }
            }
            Kind::Compare(Comparison::Less | Comparison::Greater)
                if self.rest().starts_with("{}") =>
            {
                self.at += 2
            }
            Kind::Bar if self.rest().starts_with("{}") => self.at += 2,
            _ => {}
        }
        self.push_spanning(kind, start);
    }

    pub(super) fn math_bracket(&mut self, style: Style) {
        if style == Style::Math {
            if self.spaced
                && matches!(
                    self.text[..self.at].trim_end().as_bytes(),
                    [.., b'\\', b')' | b']']
                )
            {
                self.push(Kind::Gap, 0);
            }
            self.style = Style::Math;
        } else if self.groups.is_empty() {
            self.style = if self.text.trim_end().len() == self.at + 2 {
                Style::Bare
            } else {
                Style::Prose
            };
        }
        self.skip(2, false);
    }

    /// `\# \#` stands between two forms of one answer in some references.
    pub(super) fn hashes(&mut self) {
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

    pub(super) fn new_row(&mut self) {
        self.push(
            if self.environments > 0 {
                Kind::Row
            } else {
                Kind::Gap
            },
            2,
        );
        // `\\[2pt]`
        if self.byte(0) == b'[' && self.rest().find("pt]").is_some_and(|at| at < 6) {
            self.at += self.rest().find(']').map_or(0, |at| at + 1);
        }
    }

    /// The size of a delimiter, or the missing one of `\left.` and `\right.`
    pub(super) fn delimiter(&mut self, name: &str) {
        let space = self.rest().bytes().take_while(|byte| *byte == b' ').count();
        if self.byte(space) == b'.' {
            self.at += space;
            match name {
                "right" => self.push(Kind::Close(Bracket::Nothing), 1),
                _ => self.skip(1, false),
            }
        }
    }

    pub(super) fn bold(&mut self, start: usize) {
        if let Some((axis, length)) = unit_vector(self.rest()) {
            self.at += length;
            return self.push_spanning(Kind::UnitVector(axis), start);
        }
        self.transparent(None, false);
    }

    pub(super) fn blackboard(&mut self, start: usize) {
        let rest = self.rest().trim_start();
        let letter = rest.trim_start_matches('{').trim_start().chars().next();
        match letter {
            Some(letter @ ('N' | 'Z' | 'Q' | 'R' | 'C')) => {
                let braced = rest.starts_with('{');
                let length = if braced {
                    rest.find('}').map_or(rest.len(), |at| at + 1)
                } else {
                    1
                };
                self.at = self.text.len() - rest.len() + length;
                self.push_spanning(Kind::NumberSet(letter), start);
            }
            _ => self.transparent(None, false),
        }
    }

    pub(super) fn begin(&mut self, start: usize) {
        let length = argument_length(self.rest());
        let name = self.rest()[..length]
            .trim()
            .trim_matches(['{', '}'])
            .trim_end_matches('*');
        self.at += length;
        let environment = match name {
            "matrix" | "pmatrix" | "bmatrix" | "Bmatrix" | "smallmatrix" => Environment::Matrix,
            "vmatrix" | "Vmatrix" => Environment::Determinant,
            "cases" | "dcases" | "rcases" => Environment::Cases,
            "array" | "tabular" => {
                self.at += argument_length(self.rest());
                Environment::Array
            }
            "align" | "aligned" | "alignat" | "gather" | "gathered" | "equation" | "split"
            | "eqnarray" | "multline" => {
                self.transparent_environments += 1;
                return self.spaced = true;
            }
            _ => return self.push_spanning(Kind::Unknown, start),
        };
        self.environments += 1;
        self.push_spanning(Kind::Begin(environment), start);
    }

    pub(super) fn end(&mut self, start: usize) {
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
}

/// The length of `^{th}`, `^{\text{st}}`, `^\mathrm{rd}`.
fn ordinal_above(rest: &str) -> Option<usize> {
    /// No ordinal is longer, and a text of carets alone is not looked through once for each.
    const LONGEST: usize = 48;
    let near = &rest[..rest.floor_char_boundary(LONGEST)];
    let end = near.find(|c: char| !matches!(c, '^' | '{' | '\\' | '}') && !c.is_ascii_alphabetic());
    if end.is_none() && near.len() < rest.len() {
        return None;
    }
    let marks = &near[..end.unwrap_or(near.len())];
    let closed = marks.rfind('}').map_or(0, |at| at + 1);
    let letters = marks[..closed]
        .trim_matches(['^', '{', '}', '\\'])
        .trim_start_matches("textsuperscript{")
        .trim_start_matches("text{")
        .trim_start_matches("mathrm{")
        .trim_start_matches("rm{");
    matches!(letters, "th" | "st" | "nd" | "rd").then_some(closed)
}

/// `^{\prime\prime}`, `^\prime`, `^{''}`: how many primes, and the length.
fn primes_above(rest: &str) -> (usize, usize) {
    let braced = rest.starts_with("^{");
    let (mut count, mut at) = (0, if braced { 2 } else { 1 });
    loop {
        let tail = &rest[at..];
        let length = if tail.starts_with("\\prime") {
            6
        } else {
            usize::from(tail.starts_with('\''))
        };
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
    FORMS
        .iter()
        .find(|(form, _)| rest.starts_with(form))
        .map(|(form, axis)| (*axis, form.len()))
}
