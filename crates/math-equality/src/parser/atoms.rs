//! The smallest parts of an expression: numbers, mixed numbers, fractions, roots, bars.

use dashu_int::IBig;
use dashu_ratio::RBig;

use super::{
    arithmetic::quotient,
    reader::{Reader, Reading, Unreadable},
    tokens::{Bracket, Environment, Kind},
};
use crate::{
    expr::{Expr, Function, Number},
    value::Value,
};

impl<'t, 'k> Reader<'t, 'k> {
    /// The smallest unit of an expression.
    pub(super) fn atom(&mut self) -> Reading<Value> {
        let kind = self.peek().ok_or(Unreadable)?;
        let expr = match kind {
            Kind::Number(number) => return self.number(number),
            Kind::Letter(_) | Kind::Name(_) | Kind::Accent(_) | Kind::Prefix(_) => {
                return self.name().map(Value::expr);
            }
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
            Kind::Operator(name) => self.operator(name)?,
            Kind::Large(large) => self.large(*large)?,
            Kind::Bar => self.absolute_value()?,
            Kind::DoubleBar => self.norm()?,
            Kind::Underscore | Kind::Caret => self.prescript()?,
            Kind::Open(bracket) => return self.bracket(*bracket),
            Kind::Begin(environment) => return self.environment(*environment),
            _ => return Err(Unreadable),
        };
        Ok(Value::expr(expr))
    }

    /// `_{10}C_3`, `^{10}P_3`, `^3/_4`: a number set low or high before anything else.
    fn prescript(&mut self) -> Reading<Expr> {
        self.at += 1;
        let first = self.argument()?;
        if self.accept(&Kind::Divide) {
            self.accept(&Kind::Underscore);
            return Ok(quotient(first, self.argument()?));
        }
        let function = match self.peek() {
            Some(Kind::Letter('C')) => Function::Binomial,
            Some(Kind::Letter('P')) => Function::Permutations,
            _ => return Err(Unreadable),
        };
        self.at += 1;
        self.expect(&Kind::Underscore)?;
        let second = self.argument()?;
        let numbers = [&first, &second]
            .iter()
            .all(|part| matches!(part, Expr::Number(_) | Expr::Symbol(_)));
        if numbers {
            Ok(Expr::Apply(function, vec![first, second]))
        } else {
            Err(Unreadable)
        }
    }

    /// A number, perhaps mixed: `1\frac12`, `1(1/2)`, `29((1)/(5))`, `1 1/2`.
    pub(super) fn number(&mut self, number: &Number) -> Reading<Value> {
        self.at += 1;
        // "0.333…"
        if number.written_digits.is_some() && self.peek() == Some(&Kind::Dots) && !self.spaced() {
            let token = &self.tokens[self.at - 1];
            let digits = &self.text[token.start..token.end];
            self.at += 1;
            if let Some(value) = super::numbers::going_on(digits) {
                return Ok(Value::expr(Expr::Number(Number::exact(value))));
            }
        }
        let whole = Expr::Number(number.clone());
        // Only whole numbers make a mixed one: `1.5 \frac12` is a product.
        if number.written_digits.is_some() || !number.value.is_int() {
            return Ok(Value::expr(whole));
        }
        let start = self.at;
        match self.proper_fraction() {
            Some(part) => Ok(Value::expr(Expr::Number(Number::exact(
                number.value.clone() + part,
            )))),
            None => {
                self.at = start;
                Ok(Value::expr(whole))
            }
        }
    }

    /// A fraction of integers between 0 and 1 in a form that makes a mixed number of an integer
    /// before it.
    pub(super) fn proper_fraction(&mut self) -> Option<RBig> {
        let (over, under) = match self.peek()? {
            Kind::Frac => {
                self.at += 1;
                (self.integer_argument()?, self.integer_argument()?)
            }
            Kind::Open(Bracket::Round) => {
                self.at += 1;
                let over = self.integer_argument()?;
                self.accept(&Kind::Divide).then_some(())?;
                let under = self.integer_argument()?;
                self.accept(&Kind::Close(Bracket::Round)).then_some(())?;
                (over, under)
            }
            Kind::Number(_) if self.spaced() && self.ahead(1) == Some(&Kind::Divide) => {
                let over = self.integer_argument()?;
                self.at += 1;
                (over, self.integer_argument()?)
            }
            _ => return None,
        };
        // In `2 (1/3)^2` the square is of the fraction alone, so that it is a factor.
        let behind = matches!(self.peek(), Some(Kind::Caret | Kind::Bang));
        let proper = over > IBig::ZERO && over < under && !behind;
        proper.then(|| RBig::from_parts_signed(over, under))
    }

    /// An integer, in braces or round brackets or without.
    pub(super) fn integer_argument(&mut self) -> Option<IBig> {
        let close = match self.peek()? {
            Kind::Open(bracket @ (Bracket::Group | Bracket::Round)) => {
                self.at += 1;
                Some(Kind::Close(*bracket))
            }
            _ => None,
        };
        let Kind::Number(Number {
            value,
            written_digits: None,
        }) = self.peek()?
        else {
            return None;
        };
        self.at += 1;
        if let Some(close) = close {
            self.accept(&close).then_some(())?;
        }
        value.is_int().then(|| value.numerator().clone())
    }

    pub(super) fn fraction(&mut self) -> Reading<Expr> {
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
            return Ok(Expr::Apply(
                Function::Opaque,
                vec![Expr::symbol("derivative"), over, under],
            ));
        }
        Ok(quotient(over, under))
    }

    pub(super) fn root(&mut self) -> Reading<Expr> {
        self.at += 1;
        let mut index = Expr::integer(2);
        if self.accept(&Kind::Open(Bracket::Square)) {
            index = self.nested(Self::expr)?;
            self.expect(&Kind::Close(Bracket::Square))?;
        }
        let radicand = self.argument()?;
        let exponent = quotient(Expr::integer(1), index);
        Ok(Expr::Power(Box::new(radicand), Box::new(exponent)))
    }

    pub(super) fn absolute_value(&mut self) -> Reading<Expr> {
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

    pub(super) fn norm(&mut self) -> Reading<Expr> {
        self.at += 1;
        let inner = self.nested(|reader| {
            reader.bars = 1;
            reader.expr()
        })?;
        self.expect(&Kind::DoubleBar)?;
        Ok(Expr::Apply(
            Function::Opaque,
            vec![Expr::symbol("norm"), inner],
        ))
    }
}
