//! Text → tokens, in one pass.
//!
//! Fonts, sizes and small spaces are gone after this; braces that only frame a font are too. Broken
//! braces are healed: one too many is skipped, one too few is closed at the end.

use super::{
    numbers::literal,
    tables::{Tables, tables},
    tokens::{Bracket, Kind, Style, Token},
};
use crate::{expr::Number, value::Comparison};

/// The tokens of a prepared text.
pub(super) fn tokens(text: &str) -> Vec<Token<'_>> {
    let dollars = Dollars::of(text);
    let mut lexer = Lexer {
        text,
        at: 0,
        tokens: Vec::with_capacity(text.len() / 2 + 2),
        tables: tables(),
        dollars,
        style: if dollars == Dollars::Delimiters {
            Style::Prose
        } else {
            Style::Bare
        },
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
pub(super) enum Dollars {
    None,
    Delimiters,
    Money,
}

impl Dollars {
    /// Delimiters come in pairs. An odd number, or signs that all stand before a digit and behind a
    /// space as in `$5 and $6`, are money.
    fn of(text: &str) -> Self {
        let bytes = text.as_bytes();
        let (mut count, mut all_before_digits) = (0_usize, true);
        for at in
            (0..bytes.len()).filter(|at| bytes[*at] == b'$' && (*at == 0 || bytes[at - 1] != b'\\'))
        {
            count += 1;
            let before = at == 0 || matches!(bytes[at - 1], b' ' | b'(' | b',' | b'-');
            let after = bytes
                .get(at + 1)
                .is_some_and(|byte| byte.is_ascii_digit() || *byte == b'.');
            all_before_digits &= before && after;
        }
        if count == 0 {
            return Self::None;
        }
        if count % 2 == 1 || all_before_digits {
            Self::Money
        } else {
            Self::Delimiters
        }
    }
}

/// An open brace.
pub(super) struct Group {
    kind: Frame,
    /// The style to return to.
    style: Style,
    /// Open brackets around it: a comma between its braces is no separator of theirs.
    brackets: i32,
}

pub(super) enum Frame {
    /// Braces that group an argument.
    Seen,
    /// Braces of a font or of running text.
    Unseen,
    /// Braces of a box: what stands in two of them is two things.
    Boxed,
}

/// `\frac` takes single digits as arguments, as in `\frac12`.
pub(super) struct Fraction {
    pub depth: usize,
    pub arguments_left: u8,
}

pub(super) struct Lexer<'t> {
    pub(super) text: &'t str,
    pub(super) at: usize,
    pub(super) tokens: Vec<Token<'t>>,
    pub(super) tables: &'static Tables,
    pub(super) dollars: Dollars,
    pub(super) style: Style,
    pub(super) math: bool,
    /// Whether the formula was opened by two dollar signs.
    pub(super) display: bool,
    pub(super) spaced: bool,
    pub(super) groups: Vec<Group>,
    pub(super) fractions: Vec<Fraction>,
    /// Open environments of rows and cells.
    pub(super) environments: u32,
    /// Open environments that only lay out lines.
    pub(super) transparent_environments: u32,
    /// Open brackets other than groups.
    pub(super) brackets: i32,
    pub(super) negate: bool,
}

impl<'t> Lexer<'t> {
    pub(super) fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    pub(super) fn byte(&self, ahead: usize) -> u8 {
        self.text
            .as_bytes()
            .get(self.at + ahead)
            .copied()
            .unwrap_or(0)
    }

    pub(super) fn step(&mut self) {
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

    pub(super) fn skip(&mut self, length: usize, spaced: bool) {
        self.at += length;
        self.spaced |= spaced;
    }

    /// Adds a token of that length.
    pub(super) fn push(&mut self, kind: Kind<'t>, length: usize) {
        let start = self.at;
        self.at += length;
        self.push_spanning(kind, start);
    }

    /// Adds a token from `start` to here.
    pub(super) fn push_spanning(&mut self, kind: Kind<'t>, start: usize) {
        let last = self.tokens.last().map(|token| &token.kind);
        // A wide space separates two things only where one could end and another begin.
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
        self.tokens.push(Token {
            kind,
            start,
            end: self.at,
            spaced: self.spaced,
            style: self.style,
        });
        self.spaced = false;
    }

    pub(super) fn number(&mut self) {
        if self.takes_fraction_argument() && self.byte(0) != b'.' {
            let digit = self.byte(0) - b'0';
            return self.push(Kind::Number(Number::exact(digit.into())), 1);
        }
        match literal(self.rest(), self.brackets <= 0) {
            Some(literal) => self.push(Kind::Number(literal.number), literal.length),
            None => {
                let length = self
                    .rest()
                    .bytes()
                    .take_while(|byte| byte.is_ascii_digit() || *byte == b'.')
                    .count();
                self.push(Kind::Unknown, length.max(1));
            }
        }
    }

    /// Whether an argument of a fraction is due here; counts it.
    pub(super) fn takes_fraction_argument(&mut self) -> bool {
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

    pub(super) fn open_group(&mut self) {
        // `{}42` and `42^{}`: nothing at all.
        // Behind a caret, a fraction and their like it is a missing argument, which must be seen.
        let argument = matches!(
            self.tokens.last().map(|token| &token.kind),
            Some(
                Kind::Caret
                    | Kind::Underscore
                    | Kind::Frac
                    | Kind::Sqrt
                    | Kind::Close(Bracket::Group)
            )
        );
        if self.byte(1) == b'}' && !argument {
            return self.skip(2, false);
        }
        // A group that is an argument of a fraction counts when it closes.
        self.push(Kind::Open(Bracket::Group), 1);
        let brackets = std::mem::take(&mut self.brackets);
        self.groups.push(Group {
            kind: Frame::Seen,
            style: self.style,
            brackets,
        });
    }

    pub(super) fn close_group(&mut self) {
        let Some(group) = self.groups.pop() else {
            return self.skip(1, false);
        };
        while self
            .fractions
            .last()
            .is_some_and(|fraction| fraction.depth > self.groups.len())
        {
            self.fractions.pop();
        }
        // Brackets that a group left open do not reach beyond it.
        self.brackets = group.brackets;
        match group.kind {
            // A closed group is one argument of the fraction around it, whatever stands in it.
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
    pub(super) fn transparent(&mut self, style: Option<Style>, boxed: bool) {
        let space = self.rest().bytes().take_while(|byte| *byte == b' ').count();
        let kind = if boxed { Frame::Boxed } else { Frame::Unseen };
        let before = self.style;
        if self.byte(space) == b'{' {
            if boxed {
                self.push(Kind::Gap, 0);
            }
            self.at += space + 1;
            self.groups.push(Group {
                kind,
                style: before,
                brackets: self.brackets,
            });
            self.style = style.unwrap_or(before);
        } else if let Some(style) = style {
            self.style = style;
        }
    }

    pub(super) fn dollar(&mut self) {
        if self.dollars == Dollars::Money {
            let digit = |byte: u8| byte.is_ascii_digit() || byte == b'.';
            // `5$` and `$5` are money; any other sign stands alone and says nothing.
            let before = self.at > 0 && self.text.as_bytes()[self.at - 1].is_ascii_digit();
            let spaced = usize::from(self.byte(1) == b' ');
            return if before || digit(self.byte(1 + spaced)) {
                // Without a backslash it may be a slip of typesetting.
                self.push(Kind::Currency("$"), 1)
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

    pub(super) fn sign(&mut self, byte: u8) {
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
            // `4!=24` counts, `x!=3` excludes.
            (b'!', b'=') if self.behind_number() => (Kind::Bang, 1),
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

    fn behind_number(&self) -> bool {
        matches!(
            self.tokens.last().map(|token| &token.kind),
            Some(Kind::Number(_))
        )
    }

    pub(super) fn dots(&mut self) {
        let length = self.rest().bytes().take_while(|byte| *byte == b'.').count();
        self.push(
            if length >= 3 {
                Kind::Dots
            } else {
                Kind::Unknown
            },
            length,
        );
    }

    pub(super) fn ampersand(&mut self) {
        match (self.transparent_environments, self.style) {
            (0, Style::Words | Style::Prose) => self.push(Kind::And, 1),
            (0, _) => self.push(Kind::Cell, 1),
            _ => self.skip(1, true),
        }
    }

    pub(super) fn finish(mut self) -> Vec<Token<'t>> {
        // Every group closes, so that the reader meets no open one at the end.
        while let Some(group) = self.groups.pop() {
            if matches!(group.kind, Frame::Seen) {
                self.push(Kind::Close(Bracket::Group), 0);
            }
        }
        while self
            .tokens
            .last()
            .is_some_and(|token| matches!(token.kind, Kind::Gap | Kind::Comma | Kind::Semicolon))
        {
            self.tokens.pop();
        }
        self.tokens
    }
}
