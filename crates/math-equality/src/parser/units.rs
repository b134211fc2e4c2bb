//! What stands beside a number: units, currencies, scales; and the forms that only numbers have:
//! times, digits in a base.

use dashu_int::IBig;
use dashu_ratio::RBig;

use super::{
    reader::{Reader, Reading, Unreadable},
    tables::{UnitKind, tables},
    tokens::{Bracket, Kind, Style},
};
use crate::{
    expr::{Expr, Function},
    value::{Quantity, Time, Unit, Value},
};

/// More words than this behind a number are a sentence.
const MAX_WORDS: usize = 6;

impl<'t, 'k> Reader<'t, 'k> {
    /// A currency sign, perhaps behind a minus: its name, and whether the minus was there.
    pub(super) fn currency(&mut self) -> Option<(&'static str, bool)> {
        let negative = self.peek() == Some(&Kind::Minus);
        let Some(Kind::Currency(name)) = self.ahead(usize::from(negative)) else {
            return None;
        };
        self.at += 1 + usize::from(negative);
        Some((name, negative))
    }

    /// Adds the unit that follows, or the currency that stood before.
    pub(super) fn with_unit(
        &mut self,
        value: Value,
        currency: Option<(&'static str, bool)>,
    ) -> Reading<Value> {
        let Value::Quantity(Quantity { expr, unit: None }) = value else {
            return if currency.is_none() {
                Ok(value)
            } else {
                Err(Unreadable)
            };
        };
        let expr = self.scaled(expr)?;
        let (expr, degrees) = out_of_degrees(expr);
        let expr = if let Some((_, true)) = currency {
            expr.negated()
        } else {
            expr
        };
        let unit = self.unit(degrees)?;
        // "a rhombus" is no multiple of a rhombus.
        if unit.is_some() && !has_number(&expr) {
            return Err(Unreadable);
        }
        let unit = match (currency, unit) {
            (Some((name, _)), None | Some(Unit::Money(_))) => Some(Unit::Money(name.to_owned())),
            (None, unit) => unit,
            (Some(_), Some(_)) => return Err(Unreadable),
        };
        Ok(Value::Quantity(Quantity { expr, unit }))
    }

    /// "million" and its like behind a number; "th" and its like are dropped.
    fn scaled(&mut self, mut expr: Expr) -> Reading<Expr> {
        for _ in 0..2 {
            let Some(Kind::Word(word)) = self.peek() else {
                break;
            };
            let Expr::Number(number) = &mut expr else {
                break;
            };
            if matches!(*word, "th" | "st" | "nd" | "rd") && !self.spaced() {
                self.at += 1;
                break;
            }
            let Some(power) = tables().scales.get(word.to_lowercase().as_str()) else {
                break;
            };
            number.value = &number.value * RBig::from(IBig::from(10).pow(*power as usize));
            self.at += 1;
        }
        Ok(expr)
    }

    /// The unit that follows, up to the end of the item.
    fn unit(&mut self, degrees: bool) -> Reading<Option<Unit>> {
        match self.peek() {
            Some(Kind::Percent) => {
                self.at += 1;
                return Ok(Some(Unit::Percent));
            }
            Some(Kind::Currency(name)) => {
                self.at += 1;
                return Ok(Some(Unit::Money((*name).to_owned())));
            }
            Some(Kind::Letter(letter @ ('C' | 'F'))) if degrees => {
                self.at += 1;
                return Ok(Some(Unit::Named(format!("°{letter}"))));
            }
            _ => {}
        }
        if degrees {
            return Ok(Some(Unit::Degrees));
        }
        let mut phrase = Phrase::default();
        while self.unit_word(&mut phrase)? {
            if phrase.words > MAX_WORDS {
                return Err(Unreadable);
            }
        }
        Ok(phrase.unit())
    }

    /// Adds the next word or sign to the unit; `false` where the unit is at its end.
    fn unit_word(&mut self, phrase: &mut Phrase) -> Reading<bool> {
        let mut text = [0; 4];
        let word = match self.peek() {
            Some(Kind::Word(word)) => *word,
            Some(Kind::Letter(letter)) if self.style() != Some(Style::Math) => {
                &*letter.encode_utf8(&mut text)
            }
            Some(Kind::Frac) if phrase.words == 0 => return self.unit_fraction(phrase),
            Some(Kind::Caret) if phrase.words > 0 => {
                self.at += 1;
                let power = plain_integer(&self.argument()?)?;
                phrase.raise(power);
                return Ok(true);
            }
            Some(Kind::Divide) => {
                self.at += 1;
                phrase.divide();
                return Ok(true);
            }
            Some(Kind::Times) if phrase.words > 0 => {
                self.at += 1;
                return Ok(true);
            }
            // A newton-metre.
            Some(Kind::Minus)
                if phrase.words > 0
                    && matches!(self.ahead(1), Some(Kind::Letter(_) | Kind::Word(_))) =>
            {
                self.at += 1;
                return Ok(true);
            }
            _ => return Ok(false),
        };
        self.at += 1;
        // "7 percent of 7" computes; "of" behind a unit says what is measured.
        if word == "of" && matches!(self.peek(), Some(Kind::Number(_))) {
            return Err(Unreadable);
        }
        phrase.add(word)?;
        Ok(true)
    }

    /// `\frac{\text{miles}}{\text{hour}}`
    fn unit_fraction(&mut self, phrase: &mut Phrase) -> Reading<bool> {
        let start = self.at;
        self.at += 1;
        for below in [false, true] {
            if below {
                phrase.divide();
            }
            let before = phrase.words;
            let opened = self.accept(&Kind::Open(Bracket::Group));
            while opened && phrase.words <= MAX_WORDS && self.unit_word(phrase)? {}
            if !opened || phrase.words == before || !self.accept(&Kind::Close(Bracket::Group)) {
                self.at = start;
                return Err(Unreadable);
            }
        }
        Ok(true)
    }

    /// `3:45`, `03:25`, `20:34:00`, `3:45 p.m.`, `3.45 p.m.`, `3 p.m.`; other numbers with colons
    /// are ratios.
    pub(super) fn time(&mut self) -> Option<Value> {
        let start = self.at;
        let mut parts = [0_u32; 3];
        let (mut count, mut leading_zero) = (0, false);
        while count < 3 {
            let (Some(Kind::Number(_)), Some(token)) = (self.peek(), self.tokens.get(self.at))
            else {
                break;
            };
            let digits = &self.text[token.start..token.end];
            if let Some((hours, minutes)) = digits.split_once('.')
                && count == 0
                && matches!(self.ahead(1), Some(Kind::Meridiem(_)))
                && let (Ok(hours), Ok(minutes)) = (hours.parse(), minutes.parse())
            {
                (parts, count) = ([hours, minutes, 0], 2);
                self.at += 1;
                break;
            }
            if digits.len() > 2 || (count > 0 && digits.len() != 2) {
                break;
            }
            let Ok(part) = digits.parse() else { break };
            leading_zero |= digits.len() == 2 && digits.starts_with('0');
            parts[count] = part;
            count += 1;
            self.at += 1;
            if !self.accept(&Kind::Colon) {
                break;
            }
        }
        let afternoon = match self.peek() {
            Some(Kind::Meridiem(afternoon)) => {
                self.at += 1;
                Some(*afternoon)
            }
            _ => None,
        };
        let [hours, minutes, seconds] = parts;
        // `3:45` without more may be a ratio, and is compared with a time as one; `03:45` is none.
        let written = afternoon.is_some() && count > 0 || count > 1 && leading_zero;
        if written && hours < 25 && minutes < 60 && seconds < 60 && self.ends_item(0) {
            return Some(Value::Time(Time {
                hours,
                minutes,
                seconds,
                afternoon,
            }));
        }
        self.at = start;
        None
    }

    /// `4210_{7}`, `152A_{11}`, `(1001)_8`: digits with their base below.
    pub(super) fn in_base(&mut self) -> Option<Value> {
        let start = self.at;
        let value = self.digits_in_base();
        // `10_2 + 1` computes in another base, which nothing here does.
        if value.is_none() || !self.ends_item(0) {
            self.at = start;
            return None;
        }
        value
    }

    fn digits_in_base(&mut self) -> Option<Value> {
        let negative = self.accept(&Kind::Minus);
        let bracket = self.accept(&Kind::Open(Bracket::Round));
        let first = self.tokens.get(self.at)?;
        let Kind::Number(_) = first.kind else {
            return None;
        };
        let mut end = first.end;
        self.at += 1;
        // Digits beyond nine are letters, so that one number may be several tokens.
        while let Some(token) = self.tokens.get(self.at).filter(|token| !token.spaced) {
            let (Kind::Letter('A'..='Z' | 'a'..='f') | Kind::Word(_) | Kind::Number(_)) =
                token.kind
            else {
                break;
            };
            end = token.end;
            self.at += 1;
        }
        if bracket {
            self.accept(&Kind::Close(Bracket::Round)).then_some(())?;
        }
        self.accept(&Kind::Underscore).then_some(())?;
        let base = self.base()?;
        let written = &self.text[first.start..end];
        // `0.1(6)` repeats in its base, which is not read.
        let places = match written.split_once('.') {
            Some((_, places)) if places.bytes().all(|byte| byte.is_ascii_alphanumeric()) => {
                places.len()
            }
            Some(_) => return None,
            None => 0,
        };
        let digits: String = written
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .collect();
        let value = IBig::from_str_radix(&digits, base).ok()?;
        let value = if negative { -value } else { value };
        let places = dashu_int::UBig::from(base).pow(places);
        Some(Value::InBase(RBig::from_parts(value, places), base))
    }

    fn base(&mut self) -> Option<u32> {
        let group = self.accept(&Kind::Open(Bracket::Group));
        let base = match self.peek()? {
            Kind::Number(number) => u32::try_from(number.value.numerator().clone()).ok()?,
            Kind::Word(word) => u32::try_from(*tables().numbers.get(&word.to_lowercase())?).ok()?,
            _ => return None,
        };
        self.at += 1;
        if group {
            self.accept(&Kind::Close(Bracket::Group)).then_some(())?;
        }
        (2..=36).contains(&base).then_some(base)
    }
}

fn plain_integer(expr: &Expr) -> Reading<i64> {
    match expr {
        Expr::Number(number) if number.value.is_int() => {
            i64::try_from(number.value.numerator().clone()).map_err(|_| Unreadable)
        }
        _ => Err(Unreadable),
    }
}

/// A value in degrees without the function around it, and whether it was one.
fn out_of_degrees(expr: Expr) -> (Expr, bool) {
    match expr {
        Expr::Apply(Function::Degrees, mut arguments) => (arguments.remove(0), true),
        Expr::Product(mut factors) if factors.len() == 2 && factors[0] == Expr::integer(-1) => {
            match factors.pop().expect("two factors") {
                Expr::Apply(Function::Degrees, mut arguments) => {
                    (arguments.remove(0).negated(), true)
                }
                other => {
                    factors.push(other);
                    (Expr::Product(factors), false)
                }
            }
        }
        other => (other, false),
    }
}

/// Whether a number or constant is among the terms and factors.
fn has_number(expr: &Expr) -> bool {
    match expr {
        Expr::Number(_) | Expr::Constant(_) => true,
        Expr::Sum(list) | Expr::Product(list) | Expr::Apply(_, list) => list.iter().any(has_number),
        Expr::Power(base, _) => has_number(base),
        Expr::Symbol(_) | Expr::Call(..) => false,
    }
}

/// A unit being read: parts such as `cm^2`, with a stroke before those that divide.
#[derive(Default)]
struct Phrase {
    text: String,
    kind: Option<UnitKind>,
    /// What the next part is raised to.
    power: i64,
    words: usize,
    known: bool,
}

impl Phrase {
    fn add(&mut self, word: &str) -> Reading<()> {
        let word = word.trim_end_matches('.');
        self.words += 1;
        let lowered = word.to_lowercase();
        if lowered == "per" || word == "每" {
            self.divide();
            return Ok(());
        }
        if lowered == "of" || lowered == "a" && !self.text.is_empty() {
            return Ok(());
        }
        if tables().sentence.contains(&lowered) {
            return Err(Unreadable);
        }
        if let Some(power) = tables().unit_powers.get(&lowered) {
            // "feet squared", but "square feet".
            match lowered.ends_with('d') {
                true => self.raise(i64::from(*power)),
                false => self.power = i64::from(*power),
            }
            return Ok(());
        }
        let known = tables().unit(word);
        if let Some((_, scale @ ("°C" | "°F"))) = known.map(|(kind, name)| (kind, name.as_str()))
            && self.text == "°"
        {
            (self.text, self.kind) = (scale.to_owned(), Some(UnitKind::Named));
            return Ok(());
        }
        if !self.text.is_empty() && !self.text.ends_with('/') {
            self.text.push(' ');
        }
        match known {
            Some((kind, name)) => {
                // A stroke or a second word makes a compound of the first's kind no more.
                self.kind = if self.text.is_empty() {
                    Some(*kind)
                } else {
                    Some(UnitKind::Named)
                };
                self.text.push_str(name);
                self.known = true;
            }
            None => {
                self.kind = Some(UnitKind::Named);
                self.text.push_str(&singular(lowered));
            }
        }
        match std::mem::take(&mut self.power) {
            0 => {}
            power => self.raise(power),
        }
        Ok(())
    }

    fn raise(&mut self, power: i64) {
        if power != 1 && !self.text.is_empty() {
            self.text.push_str(&format!("^{power}"));
            self.kind = Some(UnitKind::Named);
        }
    }

    fn divide(&mut self) {
        self.text.push('/');
        self.words += 1;
    }

    fn unit(self) -> Option<Unit> {
        if self.words == 0 {
            return None;
        }
        Some(match self.kind {
            Some(UnitKind::Percent) if self.words == 1 => Unit::Percent,
            Some(UnitKind::Degrees) if self.words == 1 => Unit::Degrees,
            Some(UnitKind::Money) => Unit::Money(self.text),
            _ if self.text.is_empty() => Unit::Named("unit^2".to_owned()),
            _ => Unit::Named(self.text),
        })
    }
}

/// A counted thing, one of it: good enough for the plural of English nouns, and the same for both
/// sides.
fn singular(mut word: String) -> String {
    if word.len() > 3 && word.is_ascii() && word.ends_with('s') && !word.ends_with("ss") {
        word.pop();
    }
    word
}
