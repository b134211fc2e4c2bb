//! Sums, products, powers and what they are made of.

use dashu_ratio::RBig;

use super::{
    arithmetic::{Product, negated, total},
    reader::{Reader, Reading, Sign, Unreadable, is_set, plain, sum},
    tables::{UnitKind, tables},
    tokens::{Bracket, Kind, Style},
};
use crate::{
    expr::{Expr, Function, Number},
    value::Value,
};

/// More postfix operators than this stand behind nothing that anyone writes.
const MAX_POSTFIXES: u32 = 4;

impl<'t, 'k> Reader<'t, 'k> {
    /// A sum that must be a number or a function of symbols.
    pub(super) fn expr(&mut self) -> Reading<Expr> {
        plain(self.additive(false)?)
    }

    /// Terms with signs between them. At the top of an item `a ± b` stays one value; below, it is
    /// read twice.
    pub(super) fn additive(&mut self, top: bool) -> Reading<Value> {
        let mut terms = Vec::new();
        let mut spread = None;
        loop {
            let first = terms.is_empty() && spread.is_none();
            let sign = match self.peek() {
                Some(Kind::Plus) => Some(1),
                // A set without another one.
                Some(Kind::Minus) if terms.last().is_some_and(is_set) => break,
                Some(Kind::Minus) => Some(-1),
                Some(Kind::PlusMinus | Kind::MinusPlus) => {
                    let minus =
                        (self.peek() == Some(&Kind::MinusPlus)) != (self.sign == Sign::Second);
                    if top && spread.is_none() && self.sign == Sign::First && !self.met_sign {
                        self.at += 1;
                        spread = Some(plain(self.signed_product()?)?);
                        continue;
                    }
                    // A second `±`, or one below the top: the item is read once for either sign.
                    self.met_sign = true;
                    Some(if minus { -1 } else { 1 })
                }
                _ if first => None,
                _ => break,
            };
            self.at += usize::from(sign.is_some());
            let term = if sign.is_some() && self.signs_follow() {
                self.signed_product()?
            } else {
                self.product()?
            };
            terms.push(if sign == Some(-1) {
                negated(term)?
            } else {
                term
            });
        }
        let Some(spread) = spread else {
            return total(terms);
        };
        let centre = match terms.is_empty() {
            true => None,
            false => Some(plain(total(terms)?)?),
        };
        if self.met_sign {
            // Another sign was inside: one reading of two.
            return Ok(Value::expr(sum(
                centre.unwrap_or_else(|| Expr::integer(0)),
                spread,
            )));
        }
        Ok(Value::PlusMinus(centre, spread))
    }

    pub(super) fn signs_follow(&self) -> bool {
        matches!(
            self.peek(),
            Some(Kind::Plus | Kind::Minus | Kind::PlusMinus | Kind::MinusPlus)
        )
    }

    /// A product with any number of signs before it.
    pub(super) fn signed_product(&mut self) -> Reading<Value> {
        let negative = self.signs();
        let value = self.product()?;
        if negative { negated(value) } else { Ok(value) }
    }

    /// Steps over signs; whether they make a minus.
    pub(super) fn signs(&mut self) -> bool {
        let mut negative = false;
        loop {
            match self.peek() {
                Some(Kind::Plus) => {}
                Some(Kind::Minus) => negative = !negative,
                Some(Kind::PlusMinus) => {
                    self.met_sign = true;
                    negative ^= self.sign == Sign::Second;
                }
                Some(Kind::MinusPlus) => {
                    self.met_sign = true;
                    negative ^= self.sign == Sign::First;
                }
                _ => return negative,
            }
            self.at += 1;
        }
    }

    /// Factors and divisors, from left to right; a division is no more binding than a product
    /// without a sign.
    pub(super) fn product(&mut self) -> Reading<Value> {
        let mut product = Product::default();
        let mut last = self.at;
        product.multiply(self.power()?, false)?;
        loop {
            match self.peek() {
                Some(Kind::Times) => {
                    self.at += 1;
                    let negative = self.signs();
                    let factor = self.power()?;
                    product.multiply(if negative { negated(factor)? } else { factor }, true)?;
                }
                // `5/hour`: the stroke belongs to the unit.
                Some(Kind::Divide) if !self.unit_follows(1) => {
                    self.at += 1;
                    let negative = self.signs();
                    let divisor = plain(self.power()?)?;
                    product.divide(if negative { divisor.negated() } else { divisor });
                }
                Some(Kind::Mod) => {
                    self.at += 1;
                    let modulus = plain(self.power()?)?;
                    // `mod` takes all factors before it, as in `2·7 mod 5`.
                    let left = plain(std::mem::take(&mut product).finish()?)?;
                    product.multiply(
                        Value::expr(Expr::Apply(Function::Mod, vec![left, modulus])),
                        true,
                    )?;
                }
                // `2\left\{x + 1\right\}`: braces that group.
                Some(Kind::Open(Bracket::Brace)) if self.at > last && !self.in_set => {
                    last = self.at;
                    let Value::Set(mut elements) = self.bracket(Bracket::Brace)? else {
                        return Err(Unreadable);
                    };
                    // `x\{x\}` may have the fractional part, or a set.
                    let element = elements.pop().filter(|element| {
                        elements.is_empty() && matches!(element.as_expr(), Some(Expr::Sum(_)))
                    });
                    product.multiply(element.ok_or(Unreadable)?, true)?;
                }
                Some(kind) if self.starts_factor(kind) => {
                    // Two numbers side by side are no product.
                    let number = |kind: &Kind<'_>| matches!(kind, Kind::Number(_));
                    if number(kind) && last + 1 == self.at && number(&self.tokens[last].kind) {
                        return Err(Unreadable);
                    }
                    last = self.at;
                    let factor = self.power()?;
                    product.multiply(factor, true)?;
                }
                _ => return product.finish(),
            }
        }
    }

    /// Whether the next token starts a factor without a sign before it.
    pub(super) fn starts_factor(&self, kind: &Kind<'_>) -> bool {
        match kind {
            Kind::Frac if self.is_unit_fraction() => false,
            Kind::Letter('U') if self.unites() => false,
            Kind::Letter(_) => self.is_factor(),
            Kind::Bar | Kind::DoubleBar => self.bars == 0 && !self.in_set,
            Kind::Open(Bracket::Round) => self.ahead(1) != Some(&Kind::Mod),
            Kind::Open(bracket) => !matches!(bracket, Bracket::Brace | Bracket::Nothing),
            Kind::Number(_)
            | Kind::Name(_)
            | Kind::Constant(_)
            | Kind::UnitVector(_)
            | Kind::Function(_)
            | Kind::Operator(_)
            | Kind::Frac
            | Kind::Sqrt
            | Kind::Binomial
            | Kind::Accent(_)
            | Kind::Prefix(_)
            | Kind::Dots
            | Kind::Large(_)
            | Kind::Begin(_) => true,
            _ => false,
        }
    }

    /// Whether a fraction of upright words follows, as in `60 \frac{\text{mi}}{\text{h}}`.
    fn is_unit_fraction(&self) -> bool {
        let upright = |distance: usize| {
            self.tokens.get(self.at + distance).is_some_and(|token| {
                token.style == Style::Words && matches!(token.kind, Kind::Word(_) | Kind::Letter(_))
            })
        };
        self.ahead(1) == Some(&Kind::Open(Bracket::Group)) && upright(2)
    }

    /// Whether a capital U stands between two brackets, for the sign of a union.
    fn unites(&self) -> bool {
        let bracket =
            |bracket: &Bracket| matches!(bracket, Bracket::Round | Bracket::Square | Bracket::Open);
        let closed = self.at.checked_sub(1).map(|at| &self.tokens[at].kind);
        matches!(closed, Some(Kind::Close(close)) if bracket(close))
            && matches!(self.ahead(1), Some(Kind::Open(open)) if bracket(open))
    }

    /// Whether the letter that follows is a factor: no unit, no scale of temperature, not alone in
    /// running text.
    pub(super) fn is_factor(&self) -> bool {
        let scale = self.at > 0
            && self.tokens[self.at - 1].kind == Kind::Degree
            && matches!(self.peek(), Some(Kind::Letter('C' | 'F')));
        !scale && self.style() != Some(Style::Prose) && !self.unit_follows(0)
    }

    /// Whether a letter that far ahead is a unit behind a number: upright, or alone behind a space
    /// in running text.
    pub(super) fn unit_follows(&self, distance: usize) -> bool {
        let Some(token) = self.tokens.get(self.at + distance) else {
            return false;
        };
        let mut text = [0; 4];
        let word = match token.kind {
            Kind::Letter(letter) => &*letter.encode_utf8(&mut text),
            Kind::Word(word) => word,
            _ => return false,
        };
        let Some((kind, _)) = tables().unit(word) else {
            return false;
        };
        match (&token.kind, token.style) {
            (Kind::Word(_), _) => true,
            _ if matches!(word, "i" | "e") || *kind != UnitKind::Named => false,
            (_, Style::Words | Style::Prose) => true,
            (_, Style::Bare) => {
                let ends = matches!(self.ahead(1), None | Some(Kind::Number(_)));
                token.spaced
                    && distance == 0
                    && ends
                    && self.at == 1
                    && !self.text.contains(['\\', '$'])
            }
            (_, Style::Math) => false,
        }
    }

    /// An atom with what stands behind it: exponents, factorials, degrees.
    pub(super) fn power(&mut self) -> Reading<Value> {
        let start = self.at;
        let mut value = self.atom()?;
        for _ in 0..MAX_POSTFIXES {
            value = match self.peek() {
                Some(Kind::Caret) if matches!(value, Value::Matrix(_)) => {
                    self.at += 1;
                    self.transposed(value)?
                }
                Some(Kind::Caret) => {
                    self.at += 1;
                    let exponent = self.exponent()?;
                    match value {
                        Value::NumberSet(_) => return Err(Unreadable),
                        value => {
                            Value::expr(Expr::Power(Box::new(plain(value)?), Box::new(exponent)))
                        }
                    }
                }
                Some(Kind::Bang) => {
                    self.at += 1;
                    let double = self.accept(&Kind::Bang);
                    let function = if double {
                        Function::DoubleFactorial
                    } else {
                        Function::Factorial
                    };
                    Value::expr(Expr::Apply(function, vec![plain(value)?]))
                }
                Some(Kind::Degree) => {
                    self.at += 1;
                    self.degrees(plain(value)?)?
                }
                // At the end of an item the sign is the unit of the whole, which may be missing on
                // the other side; within it, a hundredth.
                Some(Kind::Percent) if !self.ends_item(1) || self.is_operand(start) => {
                    self.at += 1;
                    let hundredth = RBig::from(1) / RBig::from(100);
                    Value::expr(Expr::Product(vec![
                        plain(value)?,
                        Expr::Number(Number::exact(hundredth)),
                    ]))
                }
                _ => return Ok(value),
            };
        }
        Err(Unreadable)
    }

    /// A matrix with `^T`, `^{\mathsf T}` or `^\top` behind it.
    fn transposed(&mut self, value: Value) -> Reading<Value> {
        let group = self.accept(&Kind::Open(Bracket::Group));
        let sign = self.accept(&Kind::Letter('T')) || self.accept(&Kind::Letter('t'));
        if !sign || group && !self.accept(&Kind::Close(Bracket::Group)) {
            return Err(Unreadable);
        }
        let Value::Matrix(rows) = value else {
            return Err(Unreadable);
        };
        let columns = rows.first().map_or(0, Vec::len);
        let column = |index: usize| rows.iter().map(|row| row[index].clone()).collect();
        Ok(Value::Matrix((0..columns).map(column).collect()))
    }

    /// Whether an operator with an operand before it stands before that token.
    pub(super) fn is_operand(&self, start: usize) -> bool {
        let before = |distance: usize| start.checked_sub(distance).map(|at| &self.tokens[at].kind);
        match before(1) {
            Some(Kind::Times | Kind::Divide) => true,
            Some(Kind::Plus | Kind::Minus) => before(2).is_some_and(|kind| !kind.expects_more()),
            _ => false,
        }
    }

    /// Degrees, with the minutes of arc behind them.
    pub(super) fn degrees(&mut self, degrees: Expr) -> Reading<Value> {
        let mut degrees = degrees;
        for (primes, parts) in [(1, 60), (2, 3600)] {
            if let Some(Kind::Number(number)) = self.peek()
                && (1..=primes).all(|ahead| self.ahead(ahead) == Some(&Kind::Prime))
                && self.ahead(primes + 1) != Some(&Kind::Prime)
            {
                self.at += 1 + primes;
                degrees = sum(
                    degrees,
                    Expr::Number(Number::exact(&number.value / RBig::from(parts))),
                );
            }
        }
        Ok(Value::expr(Expr::Apply(Function::Degrees, vec![degrees])))
    }

    /// Whether the item ends that far ahead.
    pub(super) fn ends_item(&self, distance: usize) -> bool {
        match self.ahead(distance) {
            None => true,
            Some(kind) => matches!(
                kind,
                Kind::Comma
                    | Kind::Semicolon
                    | Kind::And
                    | Kind::Or
                    | Kind::Gap
                    | Kind::Compare(_)
                    | Kind::Close(_)
                    | Kind::Row
                    | Kind::Cell
                    | Kind::End
                    | Kind::Condition
                    | Kind::Word(_)
                    | Kind::Colon
            ),
        }
    }

    /// What stands behind a caret: a group, or one token with a sign.
    pub(super) fn exponent(&mut self) -> Reading<Expr> {
        let negative = self.signs();
        let exponent = if self.peek() == Some(&Kind::Open(Bracket::Group)) {
            self.argument()?
        } else {
            self.nested(|reader| {
                let base = plain(reader.atom()?)?;
                if reader.accept(&Kind::Caret) {
                    return Ok(Expr::Power(Box::new(base), Box::new(reader.exponent()?)));
                }
                Ok(base)
            })?
        };
        Ok(if negative {
            exponent.negated()
        } else {
            exponent
        })
    }

    /// An argument: a group, a bracket, or one atom.
    pub(super) fn argument(&mut self) -> Reading<Expr> {
        if self.accept(&Kind::Open(Bracket::Group)) {
            let expr = self.nested(Self::expr)?;
            self.expect(&Kind::Close(Bracket::Group))?;
            return Ok(expr);
        }
        plain(self.nested(Self::atom)?)
    }
}
