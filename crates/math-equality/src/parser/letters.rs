//! Letters → tokens: functions, connectives and words are told from products of variables.

use super::{
    commands::function,
    lexer::{Dollars, Lexer},
    tables::Connective,
    tokens::{Bracket, Kind, Named, Style},
};
use crate::expr::Constant;

impl<'t> Lexer<'t> {
    pub(super) fn letters(&mut self) {
        let rest = self.rest();
        let length = rest.bytes().take_while(u8::is_ascii_alphabetic).count();
        let run = &rest[..length];
        if let Some(afternoon) = self.meridiem() {
            return self.push(Kind::Meridiem(afternoon.0), afternoon.1);
        }
        // `12th`, `12\text{th}`
        if matches!(run, "st" | "nd" | "rd" | "th")
            && !self.spaced
            && matches!(
                self.tokens.last().map(|token| &token.kind),
                Some(Kind::Number(_))
            )
        {
            return self.skip(length, false);
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
        const INTEGRALS: [&str; 6] = ["Si", "Ci", "Ei", "Li", "li", "Ai"];
        if INTEGRALS.contains(&run) && rest[length..].starts_with('(') {
            return self.push(Kind::Operator(run), length);
        }
        if self.is_word(run) {
            return self.push(Kind::Word(run), length);
        }
        for letter in run.chars() {
            self.push(Kind::Letter(letter), 1);
        }
    }

    pub(super) fn in_words(&self) -> bool {
        matches!(self.style, Style::Words | Style::Prose)
    }

    /// `p.m.`, `pm`, `a.m.` behind a number: afternoon or not, and the length.
    pub(super) fn meridiem(&self) -> Option<(bool, usize)> {
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
        if !matches!(rest.get(m)?, b'm' | b'M')
            || rest.get(m + 1).is_some_and(u8::is_ascii_alphanumeric)
        {
            return None;
        }
        Some((
            afternoon,
            m + 1 + usize::from(dot == 1 && rest.get(m + 1) == Some(&b'.')),
        ))
    }

    pub(super) fn keyword(&self, run: &'t str) -> Option<Kind<'t>> {
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
        let counted = || {
            self.tokens
                .last()
                .is_some_and(|token| matches!(token.kind, Kind::Number(_) | Kind::Divide))
        };
        match name {
            "min" if counted() || self.in_words() && !self.tokens.is_empty() => return None,
            "pi" | "Pi" | "PI" => return Some(Kind::Constant(Constant::Pi)),
            "sqrt" => return Some(Kind::Sqrt),
            "frac" => return Some(Kind::Frac),
            "inf" | "infinity" | "infty" | "oo" => return Some(Kind::Constant(Constant::Infinity)),
            "mod" => return Some(Kind::Mod),
            "union" if self.behind_bracket() => return Some(Kind::Cup),
            "sum" | "sign" | "dim" | "rank" | "arg" | "tr" | "sec" | "max" if self.in_words() => {
                return None;
            }
            _ => {}
        }
        function(name).map(Kind::Function)
    }

    fn behind_bracket(&self) -> bool {
        matches!(
            self.tokens.last().map(|token| &token.kind),
            Some(Kind::Close(_))
        )
    }

    /// Whether two letters stand among signs as only variables do: `e^{-as}`.
    fn is_among_signs(&self, run: &str) -> bool {
        let before = &self.text.as_bytes()[..self.at];
        let signed = match before {
            [.., sign, b'{'] => matches!(sign, b'^' | b'_'),
            [.., sign] => b"^_-+*/".contains(sign),
            [] => false,
        };
        let behind = self.byte(run.len());
        run.len() == 2
            && !self.in_words()
            && signed
            && (behind == 0 || b"}+-^_*/)".contains(&behind))
    }

    /// Whether letters are a word and no product of variables.
    pub(super) fn is_word(&self, run: &str) -> bool {
        if self.is_among_signs(run) && self.tables.unit(run).is_none() {
            return false;
        }
        let upright = self.style == Style::Words && (self.math || self.dollars == Dollars::None);
        if upright && run.len() == 2 && self.tables.unit(run).is_none() && !self.is_english(run) {
            return false;
        }
        if self.in_words() || run.len() >= 4 || self.is_english(run) {
            return true;
        }
        let counts = matches!(
            self.tokens.last().map(|token| &token.kind),
            Some(Kind::Number(_) | Kind::Close(_) | Kind::Constant(_))
        );
        let counts_squares =
            counts && self.tables.unit_powers.contains_key(run) && self.byte(run.len()) == b' ';
        // `ab` is a product, `5 cm` is not: the number before it decides.
        if counts && self.tables.unit(run).is_some() || counts_squares {
            return true;
        }
        if run.len() == 2 || self.style == Style::Math {
            return false;
        }
        let touches = |byte: u8| {
            matches!(
                byte,
                b'^' | b'_' | b'+' | b'-' | b'*' | b'/' | b'=' | b'(' | b')' | b'0'..=b'9'
            )
        };
        let before = self
            .at
            .checked_sub(1)
            .map_or(0, |at| self.text.as_bytes()[at]);
        !touches(before) && !touches(self.byte(run.len()))
    }

    /// Whether two or three letters are a word; capitals alone are points and segments.
    pub(super) fn is_english(&self, run: &str) -> bool {
        let english = &self.tables.english;
        english.contains(run)
            || run.bytes().any(|letter| letter.is_ascii_lowercase())
                && english.contains(&run.to_lowercase())
    }

    pub(super) fn foreign(&mut self) {
        let rest = self.rest();
        let first = rest.chars().next().expect("not at the end");
        let size = first.len_utf8();
        match first {
            '\u{a0}' | '\u{2002}'..='\u{200a}' | '\u{202f}' | '\u{3000}' => self.skip(size, true),
            '\u{200b}'..='\u{200f}' | '\u{feff}' | '\u{fe0f}' => self.skip(size, false),
            '\u{2985}' => self.push(Kind::Open(Bracket::Open), size),
            '\u{2986}' => self.push(Kind::Close(Bracket::Open), size),
            '£' => self.push(Kind::Currency("pound sterling"), size),
            '€' => self.push(Kind::Currency("euro"), size),
            '¥' | '￥' => self.push(Kind::Currency("yuan"), size),
            '₹' => self.push(Kind::Currency("rupee"), size),
            _ if first.is_alphabetic() || first == '㎡' || first == '¢' => {
                let length = rest
                    .find(|c: char| c.is_ascii() || !c.is_alphabetic() && c != '㎡')
                    .unwrap_or(rest.len());
                self.foreign_run(&rest[..length.max(size)]);
            }
            _ => self.push(Kind::Unknown, size),
        }
    }

    pub(super) fn foreign_run(&mut self, run: &'t str) {
        match self.tables.connective(run) {
            Some(Connective::And) => self.push(Kind::And, run.len()),
            Some(Connective::Or) => self.push(Kind::Or, run.len()),
            Some(Connective::Condition) => self.push(Kind::Condition, run.len()),
            Some(Connective::Otherwise) => self.push(Kind::Otherwise, run.len()),
            None => self.push(Kind::Word(run), run.len()),
        }
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
