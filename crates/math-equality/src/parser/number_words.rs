//! Numbers in words, and numbers with words that make another number of them: `nine hundred and
//! five`, `three fourths`, `2 and a half`, `a dozen`, `negative five`.

use dashu_int::IBig;
use dashu_ratio::RBig;

use super::{
    reader::Reader,
    tables::tables,
    tokens::{Bracket, Kind},
};
use crate::{
    expr::{Expr, Number},
    value::Value,
};

/// More words than this make no number.
const MAX_WORDS: usize = 12;

impl<'t, 'k> Reader<'t, 'k> {
    /// A number of which a part is a word.
    pub(super) fn number_in_words(&mut self) -> Option<Value> {
        if !self.may_be_worded() {
            return None;
        }
        let start = self.at;
        let number = self.signed_number();
        if number.is_none() || self.at - start > MAX_WORDS {
            self.at = start;
            return None;
        }
        number.map(|value| Value::expr(Expr::Number(Number::exact(value))))
    }

    /// A quick look: most operands are not.
    fn may_be_worded(&self) -> bool {
        match self.peek() {
            Some(Kind::Word(_)) => true,
            Some(Kind::Letter('a')) => matches!(self.ahead(1), Some(Kind::Word(_))),
            Some(Kind::Number(_)) => matches!(self.ahead(1), Some(Kind::Word(_) | Kind::And)),
            _ => false,
        }
    }

    fn signed_number(&mut self) -> Option<RBig> {
        let negative = self.accept_word(&["negative", "minus"]);
        if negative {
            self.accept(&Kind::Minus);
            if let Some(Kind::Number(number)) = self.peek() {
                // `negative 5 apples`: where no words make more of the number, it stands alone.
                let plain = number.value.clone();
                let start = self.at;
                let value = self.positive_number().unwrap_or_else(|| {
                    self.at = start + 1;
                    plain
                });
                return Some(-value);
            }
        }
        let value = self.positive_number()?;
        Some(if negative { -value } else { value })
    }

    fn positive_number(&mut self) -> Option<RBig> {
        if let Some(ordinal) = self.ordinal() {
            return Some(ordinal);
        }
        if let Some(half) = self.half() {
            return Some(half);
        }
        let start = self.at;
        if self.article()
            && let Some(value) = self.counted(RBig::ONE)
        {
            return Some(value);
        }
        self.at = start;
        let (whole, worded) = match self.peek()? {
            Kind::Number(number) => {
                self.at += 1;
                (number.value.clone(), false)
            }
            _ => (RBig::from(self.cardinal()?), true),
        };
        let behind = self.at;
        if let Some(value) = self.counted(whole.clone()) {
            return Some(value);
        }
        self.at = behind;
        if worded && let Some(value) = self.decimals(&whole) {
            return Some(value);
        }
        self.at = behind;
        if let Some(part) = self.and_part() {
            return Some(whole + part);
        }
        self.at = behind;
        worded.then_some(whole)
    }

    /// `first`, `twelfth`, where it is all of the item.
    fn ordinal(&mut self) -> Option<RBig> {
        let Some(Kind::Word(word)) = self.peek() else {
            return None;
        };
        let value = match word.to_lowercase().as_str() {
            "first" => 1,
            "second" if self.tokens.len() == 1 => 2,
            word if !matches!(word, "quarter" | "half") => *tables().parts.get(word)?,
            _ => return None,
        };
        (self.depth == 0 && self.ends_item(1) && !matches!(self.ahead(1), Some(Kind::Word(_))))
            .then(|| {
                self.at += 1;
                RBig::from(value)
            })
    }

    /// `half`, `half a dozen`.
    fn half(&mut self) -> Option<RBig> {
        if !self.accept_word(&["half"]) {
            return None;
        }
        let half = RBig::from_parts(1.into(), 2_u8.into());
        let start = self.at;
        self.article();
        match self.counted(half.clone()) {
            Some(value) => Some(value),
            None => {
                self.at = start;
                Some(half)
            }
        }
    }

    fn article(&mut self) -> bool {
        let article = self.accept(&Kind::Letter('a')) || self.accept_word(&["a", "an"]);
        article && matches!(self.peek(), Some(Kind::Word(_)))
    }

    /// What a word behind a number makes of it: parts, dozens, squares.
    fn counted(&mut self, number: RBig) -> Option<RBig> {
        let hyphen = self.accept(&Kind::Minus);
        let Some(Kind::Word(word)) = self.peek() else {
            return None;
        };
        let word = word.to_lowercase();
        let tables = tables();
        let value = if let Some(part) = self.denominator(&word, number == RBig::ONE) {
            number / RBig::from(part)
        } else if let Some(count) = tables.counts.get(&word).filter(|_| !hyphen) {
            number * RBig::from(*count)
        } else if number == RBig::ONE
            && let Some(power) = tables.scales.get(&word)
            && word.is_ascii()
        {
            RBig::from(IBig::from(10).pow(*power as usize))
        } else if matches!(word.as_str(), "squared" | "cubed") {
            let times = if word == "cubed" { 2 } else { 1 };
            (0..times).fold(number.clone(), |power, _| power * &number)
        } else {
            return None;
        };
        self.at += 1;
        Some(value)
    }

    /// `third` behind one, `thirds` behind others.
    fn denominator(&self, word: &str, one: bool) -> Option<i64> {
        let parts = &tables().parts;
        match (word.strip_suffix('s'), one) {
            (None, true) => parts.get(word).copied(),
            (Some(_), false) if word == "halves" => Some(2),
            (Some(part), _) => parts.get(part).copied(),
            // `three-half` and `two third` are slips that mean the same.
            (None, false) => None,
        }
    }

    /// `and a half`, `and three quarters`, `and 1/2`.
    fn and_part(&mut self) -> Option<RBig> {
        self.accept(&Kind::And).then_some(())?;
        if self.article() {
            // Only a part of one adds to the number: `3 and a dozen` are two things.
            return self.counted(RBig::ONE).filter(|part| *part < RBig::ONE);
        }
        if let Some(Kind::Number(over)) = self.peek() {
            let over = over.value.clone();
            self.at += 1;
            if self.accept(&Kind::Divide)
                && let Some(Kind::Number(under)) = self.peek()
                && over < under.value
            {
                self.at += 1;
                return self.ends_item(0).then(|| over / &under.value);
            }
            return self.counted(over).filter(|part| *part < RBig::ONE);
        }
        if self.peek() == Some(&Kind::Frac) {
            return self.proper_fraction();
        }
        if self.accept_word(&["half"]) {
            return Some(RBig::from_parts(1.into(), 2_u8.into()));
        }
        let over = self.cardinal()?;
        self.counted(RBig::from(over))
            .filter(|part| *part < RBig::ONE)
    }

    /// `point two five`.
    fn decimals(&mut self, whole: &RBig) -> Option<RBig> {
        self.accept_word(&["point"]).then_some(())?;
        let (mut digits, mut scale) = (IBig::ZERO, IBig::ONE);
        while let Some(Kind::Word(word)) = self.peek()
            && let Some(digit @ 0..=9) = tables().numbers.get(&word.to_lowercase())
        {
            digits = digits * IBig::from(10) + IBig::from(*digit);
            scale *= IBig::from(10);
            self.at += 1;
        }
        (scale > IBig::ONE).then(|| whole + RBig::from_parts_signed(digits, scale))
    }

    /// `nine hundred and five`, `twenty-one`.
    fn cardinal(&mut self) -> Option<i64> {
        let (mut total, mut part, mut words) = (0_i64, 0_i64, 0);
        loop {
            let before = self.at;
            let joined = words > 0
                // `and` joins only behind hundreds: `five and two` are two numbers.
                && (self.accept(&Kind::Minus) || (part % 100 == 0 && self.accept(&Kind::And)));
            let Some(Kind::Word(word)) = self.peek() else {
                self.at = before;
                break;
            };
            let word = word.to_lowercase();
            if let Some(number) = tables().numbers.get(&word)
                && fits_behind(*number, part, words)
                && !(joined && self.is_part_of_fraction())
            {
                part = part.checked_add(*number)?;
            } else if let Some(power) = tables().scales.get(&word)
                && part > 0
                && !joined
            {
                part = part.checked_mul(10_i64.pow(*power))?;
                // A hundred multiplies within its group of three digits, the others end one.
                if *power > 2 {
                    total = total.checked_add(std::mem::take(&mut part))?;
                }
            } else {
                self.at = before;
                break;
            }
            self.at += 1;
            words += 1;
        }
        total.checked_add(part).filter(|_| words > 0)
    }

    /// Whether the number in words here counts parts, as `two` in `nine hundred and two tenths`.
    fn is_part_of_fraction(&self) -> bool {
        let behind = match self.ahead(1) {
            Some(Kind::Minus) => self.ahead(2),
            other => other,
        };
        let Some(Kind::Word(word)) = behind else {
            return false;
        };
        let word = word.to_lowercase();
        let part = word.strip_suffix('s').unwrap_or(&word);
        word == "halves" || tables().parts.contains_key(part)
    }

    pub(super) fn accept_word(&mut self, words: &[&str]) -> bool {
        let taken = matches!(self.peek(), Some(Kind::Word(word)) if words.iter().any(|known| known.eq_ignore_ascii_case(word)));
        self.at += usize::from(taken);
        taken
    }

    /// A chance `1 in 6`, a share `7 out of 10`, a ratio `1 to 4` behind the first number; and
    /// `5 R 2`, whose remainder is no unit.
    pub(super) fn worded_ratio(&mut self, first: &Expr) -> Option<Value> {
        let Expr::Number(number) = first else {
            return None;
        };
        let start = self.at;
        let value = self.share_of(number);
        if value.is_none() {
            self.at = start;
        }
        value
    }

    /// `5 R 2`, which is no product.
    pub(super) fn quotient_and_rest(&mut self) -> Option<Value> {
        let (Some(Kind::Number(number)), Some(Kind::Letter('R' | 'r')), Some(Kind::Number(_))) =
            (self.peek(), self.ahead(1), self.ahead(2))
        else {
            return None;
        };
        let start = self.at;
        self.at += 2;
        let value = self.remainder(number);
        if value.is_none() {
            self.at = start;
        }
        value
    }

    fn share_of(&mut self, number: &Number) -> Option<Value> {
        if self.accept(&Kind::Letter('R')) || self.accept(&Kind::Letter('r')) {
            return self.remainder(number);
        }
        if self.accept_word(&["with"]) {
            return self
                .accept_word(&["remainder"])
                .then_some(())
                .and_then(|()| self.remainder(number));
        }
        if self.accept_word(&["remainder", "rem"]) {
            return self.remainder(number);
        }
        if self.accept_word(&["to"]) {
            let second = self.last_number()?;
            let parts = [number.clone(), Number::exact(second)].map(Expr::Number);
            return Some(Value::Ratio(parts.into()));
        }
        self.accept_word(&["chance", "chances"]);
        let joint =
            self.accept_word(&["in"]) || (self.accept_word(&["out"]) && self.accept_word(&["of"]));
        joint.then_some(())?;
        self.article();
        let whole = self.last_number()?;
        (whole > RBig::ZERO && number.value <= whole)
            .then(|| Value::expr(Expr::Number(Number::exact(&number.value / whole))))
    }

    fn remainder(&mut self, number: &Number) -> Option<Value> {
        self.accept_word(&["of"]);
        let rest = self.last_number()?;
        Some(Value::Text(format!("{} remainder {rest}", number.value)))
    }

    /// A number that ends the item.
    fn last_number(&mut self) -> Option<RBig> {
        let value = match self.peek()? {
            Kind::Number(number) => {
                self.at += 1;
                number.value.clone()
            }
            Kind::Open(Bracket::Group) => return None,
            _ => RBig::from(self.cardinal()?),
        };
        let ends = self.ends_item(0) && !matches!(self.peek(), Some(Kind::Word(_)));
        ends.then_some(value)
    }
}

/// Whether a number word may follow what was read: `twenty five`, not `five twenty`.
fn fits_behind(number: i64, part: i64, words: usize) -> bool {
    match number {
        _ if words == 0 => true,
        0 => false,
        1..=9 => part % 10 == 0 && (part % 100 == 0 || part % 100 >= 20),
        _ => part % 100 == 0,
    }
}
