//! Sums, products, powers and what they are made of.

use super::{
    commands::inverse,
    reader::{Reader, Reading, Sign, Unreadable, both_signs, plain, sum, symbol},
    tables::{UnitKind, tables},
    tokens::{Bracket, Environment, Kind, Large, Named, Style},
};
use crate::strict::{
    expr::{Constant, Expr, Function, Number},
    value::{Quantity, Value},
};
use dashu_int::IBig;
use dashu_ratio::RBig;

/// More postfix operators than this stand behind nothing that anyone writes.
const MOST_POSTFIXES: u32 = 4;
/// The largest exponent of ten that is multiplied out in scientific notation.
const LARGEST_POWER: i64 = 400;

impl<'t, 'k> Reader<'t, 'k> {
    /// A sum that must be a number or a function of symbols.
    pub(super) fn expr(&mut self) -> Reading<Expr> {
        plain(self.additive(false)?)
    }

    /// Terms with signs between them. At the top of an item `a ± b` stays one value; below, it is read twice.
    pub(super) fn additive(&mut self, top: bool) -> Reading<Value> {
        let mut terms = Vec::new();
        let mut spread = None;
        loop {
            let first = terms.is_empty() && spread.is_none();
            let sign = match self.peek() {
                Some(Kind::Plus) => Some(1),
                Some(Kind::Minus) => Some(-1),
                Some(Kind::PlusMinus | Kind::MinusPlus) => {
                    let minus = (self.peek() == Some(&Kind::MinusPlus)) != (self.sign == Sign::Second);
                    if top && spread.is_none() && self.sign == Sign::First && !self.met_sign {
                        self.at += 1;
                        spread = Some(plain(self.signed_product()?)?);
                        continue;
                    }
                    self.met_sign = true;
                    Some(if minus { -1 } else { 1 })
                }
                _ if first => None,
                _ => break,
            };
            self.at += usize::from(sign.is_some());
            let term = if sign.is_some() && self.signs_follow() { self.signed_product()? } else { self.product()? };
            terms.push(if sign == Some(-1) { negated(term)? } else { term });
        }
        let Some(spread) = spread else { return total(terms) };
        let centre = match terms.is_empty() {
            true => None,
            false => Some(plain(total(terms)?)?),
        };
        if self.met_sign {
            // Another sign was inside: one reading of two.
            return Ok(Value::expr(sum(centre.unwrap_or_else(|| Expr::integer(0)), spread)));
        }
        Ok(Value::PlusMinus(centre, spread))
    }

    fn signs_follow(&self) -> bool {
        matches!(self.peek(), Some(Kind::Plus | Kind::Minus | Kind::PlusMinus | Kind::MinusPlus))
    }

    /// A product with any number of signs before it.
    fn signed_product(&mut self) -> Reading<Value> {
        let negative = self.signs();
        let value = self.product()?;
        if negative { negated(value) } else { Ok(value) }
    }

    /// Steps over signs; whether they make a minus.
    fn signs(&mut self) -> bool {
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

    /// Factors and divisors, from left to right; a division is no more binding than a product without a sign.
    fn product(&mut self) -> Reading<Value> {
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
                Some(Kind::Divide) if !self.unit_follows(1) => {
                    self.at += 1;
                    let negative = self.signs();
                    let divisor = plain(self.power()?)?;
                    product.divide(if negative { divisor.negated() } else { divisor });
                }
                Some(Kind::Mod) => {
                    self.at += 1;
                    let modulus = plain(self.power()?)?;
                    let left = plain(std::mem::take(&mut product).finish()?)?;
                    product.multiply(Value::expr(Expr::Apply(Function::Mod, vec![left, modulus])), true)?;
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
    fn starts_factor(&self, kind: &Kind<'_>) -> bool {
        match kind {
            Kind::Letter(_) => self.is_factor(),
            Kind::Bar | Kind::DoubleBar => self.bars == 0 && !self.in_set,
            Kind::Open(Bracket::Round) => self.ahead(1) != Some(&Kind::Mod),
            Kind::Open(bracket) => !matches!(bracket, Bracket::Brace | Bracket::Nothing),
            Kind::Number(_)
            | Kind::Name(_)
            | Kind::Constant(_)
            | Kind::UnitVector(_)
            | Kind::Function(_)
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

    /// Whether the letter that follows is a factor: no unit, no scale of temperature, not alone in running text.
    fn is_factor(&self) -> bool {
        let scale = self.at > 0
            && self.tokens[self.at - 1].kind == Kind::Degree
            && matches!(self.peek(), Some(Kind::Letter('C' | 'F')));
        !scale && self.style() != Some(Style::Prose) && !self.unit_follows(0)
    }

    /// Whether a letter that far ahead is a unit behind a number: upright, or alone behind a space in running text.
    fn unit_follows(&self, distance: usize) -> bool {
        let Some(token) = self.tokens.get(self.at + distance) else { return false };
        let mut text = [0; 4];
        let word = match token.kind {
            Kind::Letter(letter) => &*letter.encode_utf8(&mut text),
            Kind::Word(word) => word,
            _ => return false,
        };
        let Some((kind, _)) = tables().unit(word) else { return false };
        match (&token.kind, token.style) {
            (Kind::Word(_), _) => true,
            _ if matches!(word, "i" | "e") || *kind != UnitKind::Named => false,
            (_, Style::Words | Style::Prose) => true,
            (_, Style::Bare) => {
                let ends = matches!(self.ahead(1), None | Some(Kind::Number(_)));
                token.spaced && distance == 0 && ends && self.at == 1 && !self.text.contains(['\\', '$'])
            }
            (_, Style::Math) => false,
        }
    }

    /// An atom with what stands behind it: exponents, factorials, degrees.
    pub(super) fn power(&mut self) -> Reading<Value> {
        let start = self.at;
        let mut value = self.atom()?;
        for _ in 0..MOST_POSTFIXES {
            value = match self.peek() {
                Some(Kind::Caret) => {
                    self.at += 1;
                    let exponent = self.exponent()?;
                    match value {
                        Value::NumberSet(_) => return Err(Unreadable),
                        value => Value::expr(Expr::Power(Box::new(plain(value)?), Box::new(exponent))),
                    }
                }
                Some(Kind::Bang) => {
                    self.at += 1;
                    let double = self.take(&Kind::Bang);
                    let function = if double { Function::DoubleFactorial } else { Function::Factorial };
                    Value::expr(Expr::Apply(function, vec![plain(value)?]))
                }
                Some(Kind::Degree) => {
                    self.at += 1;
                    self.degrees(plain(value)?)?
                }
                Some(Kind::Percent) if !self.ends_item(1) || self.is_operand(start) => {
                    self.at += 1;
                    let hundredth = RBig::from(1) / RBig::from(100);
                    Value::expr(Expr::Product(vec![plain(value)?, Expr::Number(Number::exact(hundredth))]))
                }
                _ => return Ok(value),
            };
        }
        Err(Unreadable)
    }

    /// Whether an operator with an operand before it stands before that token.
    fn is_operand(&self, start: usize) -> bool {
        let before = |distance: usize| start.checked_sub(distance).map(|at| &self.tokens[at].kind);
        match before(1) {
            Some(Kind::Times | Kind::Divide) => true,
            Some(Kind::Plus | Kind::Minus) => before(2).is_some_and(|kind| !kind.expects_more()),
            _ => false,
        }
    }

    /// Degrees, with the minutes of arc behind them.
    fn degrees(&mut self, degrees: Expr) -> Reading<Value> {
        let mut degrees = degrees;
        for (primes, parts) in [(1, 60), (2, 3600)] {
            if let Some(Kind::Number(number)) = self.peek()
                && (1..=primes).all(|ahead| self.ahead(ahead) == Some(&Kind::Prime))
                && self.ahead(primes + 1) != Some(&Kind::Prime)
            {
                self.at += 1 + primes;
                degrees = sum(degrees, Expr::Number(Number::exact(&number.value / RBig::from(parts))));
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
    fn exponent(&mut self) -> Reading<Expr> {
        let negative = self.signs();
        let exponent = if self.peek() == Some(&Kind::Open(Bracket::Group)) {
            self.argument()?
        } else {
            self.nested(|reader| {
                let base = plain(reader.atom()?)?;
                if reader.take(&Kind::Caret) {
                    return Ok(Expr::Power(Box::new(base), Box::new(reader.exponent()?)));
                }
                Ok(base)
            })?
        };
        Ok(if negative { exponent.negated() } else { exponent })
    }

    /// An argument: a group, a bracket, or one atom.
    pub(super) fn argument(&mut self) -> Reading<Expr> {
        if self.take(&Kind::Open(Bracket::Group)) {
            let expr = self.nested(Self::expr)?;
            self.expect(&Kind::Close(Bracket::Group))?;
            return Ok(expr);
        }
        plain(self.nested(Self::atom)?)
    }

    /// The smallest unit of an expression.
    pub(super) fn atom(&mut self) -> Reading<Value> {
        let kind = self.peek().ok_or(Unreadable)?;
        let expr = match kind {
            Kind::Number(number) => return self.number(number),
            Kind::Letter(_) | Kind::Name(_) | Kind::Accent(_) | Kind::Prefix(_) => return self.name().map(Value::expr),
            Kind::Constant(constant) => {
                self.at += 1;
                Expr::Constant(*constant)
            }
            Kind::UnitVector(axis) => {
                self.at += 1;
                self.axes |= 1 << axis;
                super::vectors::axis(*axis)
            }
            Kind::Dots => {
                self.at += 1;
                Expr::symbol("dots")
            }
            Kind::NumberSet(letter) => {
                self.at += 1;
                return Ok(Value::NumberSet(*letter));
            }
            Kind::EmptySet => {
                self.at += 1;
                return Ok(Value::Set(Vec::new()));
            }
            Kind::Frac => self.fraction()?,
            Kind::Sqrt => self.root()?,
            Kind::Binomial => {
                self.at += 1;
                let arguments = vec![self.argument()?, self.argument()?];
                Expr::Apply(Function::Binomial, arguments)
            }
            Kind::Function(named) => self.function(*named)?,
            Kind::Large(large) => self.large(*large)?,
            Kind::Bar => self.absolute_value()?,
            Kind::DoubleBar => self.norm()?,
            Kind::Open(bracket) => return self.bracket(*bracket),
            Kind::Begin(environment) => return self.environment(*environment),
            _ => return Err(Unreadable),
        };
        Ok(Value::expr(expr))
    }

    /// A number, perhaps mixed: `1\frac12`, `1(1/2)`, `29((1)/(5))`, `1 1/2`.
    fn number(&mut self, number: &Number) -> Reading<Value> {
        self.at += 1;
        // "0.333…"
        if number.written_digits.is_some() && self.peek() == Some(&Kind::Dots) && !self.spaced() {
            self.at += 1;
        }
        let whole = Expr::Number(number.clone());
        if number.written_digits.is_some() || !number.value.is_int() {
            return Ok(Value::expr(whole));
        }
        let start = self.at;
        match self.proper_fraction() {
            Some(part) => Ok(Value::expr(Expr::Number(Number::exact(number.value.clone() + part)))),
            None => {
                self.at = start;
                Ok(Value::expr(whole))
            }
        }
    }

    /// A fraction of integers between 0 and 1 in a form that makes a mixed number of an integer before it.
    fn proper_fraction(&mut self) -> Option<RBig> {
        let (over, under) = match self.peek()? {
            Kind::Frac => {
                self.at += 1;
                (self.integer_argument()?, self.integer_argument()?)
            }
            Kind::Open(Bracket::Round) => {
                self.at += 1;
                let over = self.integer_argument()?;
                self.take(&Kind::Divide).then_some(())?;
                let under = self.integer_argument()?;
                self.take(&Kind::Close(Bracket::Round)).then_some(())?;
                (over, under)
            }
            Kind::Number(_) if self.spaced() && self.ahead(1) == Some(&Kind::Divide) => {
                let over = self.integer_argument()?;
                self.at += 1;
                (over, self.integer_argument()?)
            }
            _ => return None,
        };
        let behind = matches!(self.peek(), Some(Kind::Caret | Kind::Bang));
        let proper = over > IBig::ZERO && over < under && !behind;
        proper.then(|| RBig::from_parts_signed(over, under))
    }

    /// An integer, in braces or round brackets or without.
    fn integer_argument(&mut self) -> Option<IBig> {
        let close = match self.peek()? {
            Kind::Open(bracket @ (Bracket::Group | Bracket::Round)) => {
                self.at += 1;
                Some(Kind::Close(*bracket))
            }
            _ => None,
        };
        let Kind::Number(Number { value, written_digits: None }) = self.peek()? else { return None };
        self.at += 1;
        if let Some(close) = close {
            self.take(&close).then_some(())?;
        }
        value.is_int().then(|| value.numerator().clone())
    }

    fn fraction(&mut self) -> Reading<Expr> {
        self.at += 1;
        let start = self.at;
        let over = self.argument()?;
        let middle = self.at;
        let under = self.argument()?;
        // dy/dx is no quotient of products.
        let differential = |at: usize| {
            let at = at + usize::from(self.tokens[at].kind == Kind::Open(Bracket::Group));
            let sign = |kind: &Kind<'_>| matches!(kind, Kind::Letter('d') | Kind::Name("partial"));
            self.tokens.get(at).is_some_and(|token| sign(&token.kind))
        };
        if differential(start) && differential(middle) && self.at - middle > 3 {
            return Ok(Expr::Apply(Function::Opaque, vec![Expr::symbol("derivative"), over, under]));
        }
        Ok(quotient(over, under))
    }

    fn root(&mut self) -> Reading<Expr> {
        self.at += 1;
        let mut index = Expr::integer(2);
        if self.take(&Kind::Open(Bracket::Square)) {
            index = self.nested(Self::expr)?;
            self.expect(&Kind::Close(Bracket::Square))?;
        }
        let radicand = self.argument()?;
        let exponent = quotient(Expr::integer(1), index);
        Ok(Expr::Power(Box::new(radicand), Box::new(exponent)))
    }

    fn absolute_value(&mut self) -> Reading<Expr> {
        self.at += 1;
        if let Some(Kind::Begin(Environment::Array | Environment::Matrix)) = self.peek() {
            let rows = self.nested(Self::atom)?;
            self.expect(&Kind::Bar)?;
            return super::environments::determinant(rows);
        }
        let inner = self.nested(|reader| {
            reader.bars = 1;
            reader.expr()
        })?;
        self.expect(&Kind::Bar)?;
        Ok(Expr::Apply(Function::Abs, vec![inner]))
    }

    fn norm(&mut self) -> Reading<Expr> {
        self.at += 1;
        let inner = self.nested(|reader| {
            reader.bars = 1;
            reader.expr()
        })?;
        self.expect(&Kind::DoubleBar)?;
        Ok(Expr::Apply(Function::Opaque, vec![Expr::symbol("norm"), inner]))
    }

    fn function(&mut self, named: Named) -> Reading<Expr> {
        self.at += 1;
        let mut exponent = None;
        let mut base = None;
        loop {
            match self.peek() {
                Some(Kind::Caret) if exponent.is_none() => {
                    self.at += 1;
                    exponent = Some(self.exponent()?);
                }
                Some(Kind::Underscore) if base.is_none() => {
                    self.at += 1;
                    base = Some(self.argument()?);
                }
                _ => break,
            }
        }
        let arguments = self.nested(Self::function_arguments)?;
        let applied = |function: Function| Expr::Apply(function, arguments.clone());
        let value = match (named, base) {
            (Named::Known(Function::LogUnbased), Some(base)) => {
                Expr::Apply(Function::Log, std::iter::once(base).chain(arguments).collect())
            }
            (Named::Known(function), None) => {
                if exponent == Some(Expr::integer(-1))
                    && let Some(inverse) = inverse(function)
                {
                    return Ok(applied(inverse));
                }
                applied(function)
            }
            (Named::Exp, None) => {
                let [argument] = <[Expr; 1]>::try_from(arguments).map_err(|_| Unreadable)?;
                Expr::Power(Box::new(Expr::Constant(Constant::E)), Box::new(argument))
            }
            (Named::Lg, None) => {
                Expr::Apply(Function::Log, std::iter::once(Expr::integer(10)).chain(arguments).collect())
            }
            (Named::Opaque(name), None) => {
                Expr::Apply(Function::Opaque, std::iter::once(Expr::symbol(name)).chain(arguments).collect())
            }
            _ => return Err(Unreadable),
        };
        Ok(match exponent {
            Some(exponent) => Expr::Power(Box::new(value), Box::new(exponent)),
            None => value,
        })
    }

    /// Arguments in brackets, or the product that follows up to the next function, bracket or sign.
    fn function_arguments(&mut self) -> Reading<Vec<Expr>> {
        match self.peek() {
            Some(Kind::Open(bracket @ (Bracket::Round | Bracket::Square | Bracket::Group | Bracket::Brace))) => {
                self.at += 1;
                let mut arguments = vec![self.nested(Self::expr)?];
                while self.take(&Kind::Comma) {
                    arguments.push(self.nested(Self::expr)?);
                }
                self.expect(&Kind::Close(*bracket))?;
                // `\sin{(x)}` has one bracket in another; `\ln (2)!` is of no use to tell apart.
                return Ok(arguments);
            }
            Some(Kind::Bar) if self.bars == 0 => return Ok(vec![self.absolute_value()?]),
            Some(Kind::Function(_)) => return Ok(vec![plain(self.power()?)?]),
            _ => {}
        }
        let negative = self.signs();
        let mut factors = vec![plain(self.power()?)?];
        loop {
            let continues = match self.peek() {
                Some(Kind::Letter(_)) => self.is_factor(),
                Some(Kind::Name(_) | Kind::Constant(_) | Kind::Frac | Kind::Sqrt | Kind::Accent(_)) => true,
                Some(Kind::Number(_)) => !matches!(self.tokens[self.at - 1].kind, Kind::Number(_)),
                Some(Kind::Open(Bracket::Round)) => factors.len() == 1 && matches!(factors[0], Expr::Number(_)),
                _ => false,
            };
            if !continues {
                break;
            }
            factors.push(plain(self.power()?)?);
        }
        let product = if factors.len() == 1 { factors.remove(0) } else { Expr::Product(factors) };
        Ok(vec![if negative { product.negated() } else { product }])
    }

    /// `\sum`, `\prod`, `\int`, `\lim` with bounds.
    fn large(&mut self, large: Large) -> Reading<Expr> {
        self.at += 1;
        let (mut index, mut lower, mut upper) = (None, None, None);
        for _ in 0..2 {
            if self.take(&Kind::Underscore) {
                if large == Large::Integral {
                    lower = Some(self.argument()?);
                    continue;
                }
                self.expect(&Kind::Open(Bracket::Group))?;
                index = Some(self.nested(Self::name)?);
                if !matches!(self.peek(), Some(Kind::Compare(_))) {
                    return Err(Unreadable);
                }
                self.at += 1;
                lower = Some(self.nested(Self::expr)?);
                self.expect(&Kind::Close(Bracket::Group))?;
            } else if self.take(&Kind::Caret) {
                upper = Some(self.exponent()?);
            }
        }
        let body = plain(self.nested(Self::signed_product)?)?;
        let finite = !matches!(upper, Some(Expr::Constant(Constant::Infinity)));
        let function = match large {
            Large::Sum if finite => Function::FiniteSum,
            Large::Product if finite => Function::FiniteProduct,
            _ => Function::Opaque,
        };
        let bounds = [index, lower, upper];
        if function != Function::Opaque {
            if bounds.iter().any(Option::is_none) {
                return Err(Unreadable);
            }
            return Ok(Expr::Apply(function, bounds.into_iter().flatten().chain([body]).collect()));
        }
        let name = match large {
            Large::Sum => "sum",
            Large::Product => "prod",
            Large::Integral => "int",
            Large::Limit => "lim",
        };
        Ok(Expr::Apply(
            function,
            std::iter::once(Expr::symbol(name)).chain(bounds.into_iter().flatten()).chain([body]).collect(),
        ))
    }
}

/// Factors read so far.
#[derive(Default)]
struct Product {
    factors: Vec<Expr>,
    /// A vector or matrix among them, or a quantity with its unit in brackets.
    array: Option<Value>,
}

impl Product {
    fn multiply(&mut self, factor: Value, more: bool) -> Reading<()> {
        let expr = match factor {
            Value::Quantity(Quantity { expr, unit: None }) => expr,
            other if self.array.is_none() && (!more || matches!(other, Value::Matrix(_) | Value::Tuple(_))) => {
                self.array = Some(other);
                return Ok(());
            }
            _ => return Err(Unreadable),
        };
        match (self.factors.last_mut(), expr) {
            (Some(Expr::Number(mantissa)), Expr::Power(base, exponent)) if more => {
                match scientific(mantissa, &base, &exponent) {
                    Some(value) => mantissa.value = value,
                    None => self.factors.push(Expr::Power(base, exponent)),
                }
            }
            (_, expr) => self.factors.push(expr),
        }
        Ok(())
    }

    fn divide(&mut self, divisor: Expr) {
        let zero = RBig::from(0);
        match (self.factors.last_mut(), divisor) {
            (Some(Expr::Number(over)), Expr::Number(under))
                if over.written_digits.is_none() && under.written_digits.is_none() && under.value != zero =>
            {
                over.value = &over.value / under.value;
            }
            (_, divisor) => {
                self.factors.push(Expr::Power(Box::new(divisor), Box::new(Expr::integer(-1))));
            }
        }
    }

    fn finish(mut self) -> Reading<Value> {
        let scalar = match self.factors.len() {
            0 => None,
            1 => self.factors.pop(),
            _ => Some(Expr::Product(self.factors)),
        };
        match (scalar, self.array) {
            (Some(scalar), None) => Ok(Value::expr(scalar)),
            (None, Some(array)) => Ok(array),
            (Some(scalar), Some(array)) => each(array, &|element| scaled(&scalar, element)),
            (None, None) => Err(Unreadable),
        }
    }
}

/// `a × 10ⁿ` as a number, with the digits of `a`.
fn scientific(mantissa: &Number, base: &Expr, exponent: &Expr) -> Option<RBig> {
    let (Expr::Number(base), Expr::Number(exponent)) = (base, exponent) else { return None };
    let ten = RBig::from(10);
    if base.value != ten || !exponent.value.is_int() {
        return None;
    }
    let power = i64::try_from(exponent.value.numerator().clone()).ok().filter(|power| power.abs() <= LARGEST_POWER)?;
    let scale = RBig::from(IBig::from(10).pow(power.unsigned_abs() as usize));
    Some(if power < 0 { &mantissa.value / scale } else { &mantissa.value * scale })
}

/// A quotient; two exact integers make one number.
pub(super) fn quotient(over: Expr, under: Expr) -> Expr {
    match (over, under) {
        (Expr::Number(over), Expr::Number(under))
            if over.written_digits.is_none() && under.written_digits.is_none() && under.value != RBig::from(0) =>
        {
            Expr::Number(Number::exact(over.value / under.value))
        }
        (over, under) => over.over(under),
    }
}

fn scaled(scalar: &Expr, element: Expr) -> Expr {
    Expr::Product(vec![scalar.clone(), element])
}

pub(super) fn negated(value: Value) -> Reading<Value> {
    match value {
        Value::Quantity(Quantity { expr, unit }) => Ok(Value::Quantity(Quantity { expr: expr.negated(), unit })),
        array => each(array, &Expr::negated),
    }
}

/// Changes every element of a vector or matrix.
fn each(array: Value, change: &dyn Fn(Expr) -> Expr) -> Reading<Value> {
    let change = |value: Value| plain(value).map(|expr| Value::expr(change(expr)));
    match array {
        Value::Tuple(list) => list.into_iter().map(change).collect::<Reading<_>>().map(Value::Tuple),
        Value::Matrix(rows) => {
            let rows = rows.into_iter().map(|row| row.into_iter().map(change).collect());
            rows.collect::<Reading<_>>().map(Value::Matrix)
        }
        _ => Err(Unreadable),
    }
}

/// The sum of terms: of expressions, or of vectors or matrices of one shape, element by element.
fn total(mut terms: Vec<Value>) -> Reading<Value> {
    if terms.len() == 1 {
        return Ok(terms.remove(0));
    }
    if terms.iter().all(|term| matches!(term, Value::Quantity(_))) {
        return Ok(Value::expr(Expr::Sum(terms.into_iter().map(plain).collect::<Reading<_>>()?)));
    }
    let rows = |value: &Value| match value {
        Value::Tuple(list) => Ok(vec![list.clone()]),
        Value::Matrix(rows) => Ok(rows.clone()),
        _ => Err(Unreadable),
    };
    let first = rows(&terms[0])?;
    let mut sums: Vec<Vec<Vec<Expr>>> = first.iter().map(|row| row.iter().map(|_| Vec::new()).collect()).collect();
    for term in &terms {
        let term = rows(term)?;
        if term.len() != sums.len() || term.iter().zip(&sums).any(|(row, sums)| row.len() != sums.len()) {
            return Err(Unreadable);
        }
        for (row, sums) in term.into_iter().zip(&mut sums) {
            for (element, sum) in row.into_iter().zip(sums) {
                sum.push(plain(element)?);
            }
        }
    }
    let mut added: Vec<Vec<Value>> =
        sums.into_iter().map(|row| row.into_iter().map(|terms| Value::expr(Expr::Sum(terms))).collect()).collect();
    Ok(match terms[0] {
        Value::Tuple(_) => Value::Tuple(added.remove(0)),
        _ => Value::Matrix(added),
    })
}

/// Values with two signs in a list as two values each.
pub(super) fn without_signs(list: Vec<Value>) -> Vec<Value> {
    list.into_iter().flat_map(both_signs).collect()
}

/// A call of an unknown function.
pub(super) fn call(name: String, arguments: Vec<Expr>) -> Expr {
    Expr::Call(symbol(name), arguments)
}
