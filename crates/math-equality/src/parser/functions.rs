//! Known functions and their arguments; sums, products, integrals and limits with their bounds.

use super::{
    commands::inverse,
    reader::{Reader, Reading, Unreadable, plain},
    tokens::{Bracket, Kind, Large, Named},
};
use crate::expr::{Constant, Expr, Function};

impl<'t, 'k> Reader<'t, 'k> {
    pub(super) fn function(&mut self, named: Named) -> Reading<Expr> {
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
            (Named::Known(Function::LogUnbased), Some(base)) => Expr::Apply(
                Function::Log,
                std::iter::once(base).chain(arguments).collect(),
            ),
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
            (Named::Lg, None) => Expr::Apply(
                Function::Log,
                std::iter::once(Expr::integer(10))
                    .chain(arguments)
                    .collect(),
            ),
            (Named::Opaque(name), None) => Expr::Apply(
                Function::Opaque,
                std::iter::once(Expr::symbol(name))
                    .chain(arguments)
                    .collect(),
            ),
            _ => return Err(Unreadable),
        };
        Ok(match exponent {
            Some(exponent) => Expr::Power(Box::new(value), Box::new(exponent)),
            None => value,
        })
    }

    /// Arguments in brackets, or the product that follows up to the next function, bracket or sign.
    pub(super) fn function_arguments(&mut self) -> Reading<Vec<Expr>> {
        match self.peek() {
            Some(Kind::Open(
                bracket @ (Bracket::Round | Bracket::Square | Bracket::Group | Bracket::Brace),
            )) => {
                self.at += 1;
                let mut arguments = vec![self.nested(Self::expr)?];
                while self.accept(&Kind::Comma) {
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
                Some(
                    Kind::Name(_) | Kind::Constant(_) | Kind::Frac | Kind::Sqrt | Kind::Accent(_),
                ) => true,
                Some(Kind::Number(_)) => !matches!(self.tokens[self.at - 1].kind, Kind::Number(_)),
                Some(Kind::Open(Bracket::Round)) => {
                    factors.len() == 1 && matches!(factors[0], Expr::Number(_))
                }
                _ => false,
            };
            if !continues {
                break;
            }
            factors.push(plain(self.power()?)?);
        }
        let product = if factors.len() == 1 {
            factors.remove(0)
        } else {
            Expr::Product(factors)
        };
        Ok(vec![if negative { product.negated() } else { product }])
    }

    /// `\sum`, `\prod`, `\int`, `\lim` with bounds.
    pub(super) fn large(&mut self, large: Large) -> Reading<Expr> {
        self.at += 1;
        let (mut index, mut lower, mut upper) = (None, None, None);
        for _ in 0..2 {
            if self.accept(&Kind::Underscore) {
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
            } else if self.accept(&Kind::Caret) {
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
            return Ok(Expr::Apply(
                function,
                bounds.into_iter().flatten().chain([body]).collect(),
            ));
        }
        let name = match large {
            Large::Sum => "sum",
            Large::Product => "prod",
            Large::Integral => "int",
            Large::Limit => "lim",
        };
        Ok(Expr::Apply(
            function,
            std::iter::once(Expr::symbol(name))
                .chain(bounds.into_iter().flatten())
                .chain([body])
                .collect(),
        ))
    }
}
