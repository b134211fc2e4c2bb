//! Known functions and their arguments; sums, products, integrals and limits with their bounds.

use super::{
    commands::inverse,
    reader::{Reader, Reading, Unreadable, plain},
    tokens::{Bracket, Kind, Large, Named},
};
use crate::calculus;
use crate::expr::{Constant, Expr, Function, Number, Symbol};
use crate::value::Comparison;
use dashu_ratio::RBig;

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
            (Named::Known(function @ (Function::Re | Function::Im)), None) => {
                let [argument] = <[Expr; 1]>::try_from(arguments).map_err(|_| Unreadable)?;
                super::names::complex_part(function, argument)
            }
            (Named::Known(function), None) => {
                // `\sin^{-1}` is the inverse function by convention; `\sin^2` is a power of the
                // value.
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
            (Named::Reciprocal(function), None) if exponent != Some(Expr::integer(-1)) => {
                Expr::integer(1).over(applied(function))
            }
            (Named::CubeRoot, None) => {
                let [argument] = <[Expr; 1]>::try_from(arguments).map_err(|_| Unreadable)?;
                Expr::Power(
                    Box::new(argument),
                    Box::new(super::arithmetic::quotient(
                        Expr::integer(1),
                        Expr::integer(3),
                    )),
                )
            }
            (Named::Cis, None) => Expr::Sum(vec![
                applied(Function::Cos),
                Expr::Product(vec![Expr::Constant(Constant::I), applied(Function::Sin)]),
            ]),
            // What the error function lacks of 1.
            (Named::Opaque("erfc"), None) => {
                let [argument] = <[Expr; 1]>::try_from(arguments).map_err(|_| Unreadable)?;
                Expr::Sum(vec![Expr::integer(1), calculus::erf(argument).negated()])
            }
            (Named::Opaque("erf"), None) if arguments.len() == 1 => {
                calculus::erf(arguments.into_iter().next().expect("one argument"))
            }
            (Named::Opaque(name), None) => opaque(name, arguments),
            _ => return Err(Unreadable),
        };
        Ok(match exponent {
            Some(exponent) => Expr::Power(Box::new(value), Box::new(exponent)),
            None => value,
        })
    }

    /// A function that no table knows, with its index and exponent: equal only to itself.
    pub(super) fn operator(&mut self, name: &str) -> Reading<Expr> {
        self.at += 1;
        let (mut exponent, mut index) = (None, None);
        loop {
            match self.peek() {
                Some(Kind::Caret) if exponent.is_none() => {
                    self.at += 1;
                    exponent = Some(self.exponent()?);
                }
                Some(Kind::Underscore) if index.is_none() => {
                    self.at += 1;
                    index = Some(self.argument()?);
                }
                _ => break,
            }
        }
        let mut arguments = self.nested(Self::function_arguments)?;
        arguments.extend(index);
        let value = opaque(&format!("operator {name}"), arguments);
        Ok(match exponent {
            Some(exponent) => Expr::Power(Box::new(value), Box::new(exponent)),
            None => value,
        })
    }

    /// `Γ(n)` of a whole number is a factorial; of a half it has a root of π.
    pub(super) fn gamma(&mut self) -> Reading<Expr> {
        let arguments = self.nested(Self::function_arguments)?;
        let [argument] = <[Expr; 1]>::try_from(arguments).map_err(|_| Unreadable)?;
        if let Some(value) = gamma_of_half(&argument) {
            return Ok(value);
        }
        let before = Expr::Sum(vec![argument, Expr::integer(-1)]);
        Ok(Expr::Apply(Function::Factorial, vec![before]))
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
                // `\sin x 2` goes on; two numbers side by side are no product.
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

    /// Variable and integrand up to the differential that closes an integral, `x^2 + 1\,dx`; `None`
    /// where there is none outside of braces.
    fn integrand(&mut self) -> Reading<Option<(Symbol, Expr)>> {
        /// A limit on the search, which keeps a row of integrals linear.
        const MAX_TOKENS: usize = 256;
        let (mut depth, mut inner) = (0_usize, 0_usize);
        let mut end = None;
        for at in self.at..self.tokens.len().min(self.at + MAX_TOKENS) {
            match &self.tokens[at].kind {
                Kind::Open(_) => depth += 1,
                Kind::Close(_) if depth == 0 => break,
                Kind::Close(_) => depth -= 1,
                _ if depth > 0 => {}
                Kind::Large(Large::Integral) => inner += 1,
                Kind::Letter('d')
                    if matches!(
                        self.tokens.get(at + 1).map(|token| &token.kind),
                        Some(Kind::Letter(_) | Kind::Name(_))
                    ) =>
                {
                    match inner.checked_sub(1) {
                        Some(less) => inner = less,
                        None => {
                            end = Some(at);
                            break;
                        }
                    }
                }
                Kind::Comma | Kind::Semicolon | Kind::Compare(_) | Kind::And | Kind::Or => break,
                _ => {}
            }
        }
        let Some(end) = end else {
            return Ok(None);
        };
        let variable = match &self.tokens[end + 1].kind {
            Kind::Letter(letter) => Expr::symbol(letter.encode_utf8(&mut [0; 4])),
            Kind::Name(name) => Expr::symbol(name),
            _ => return Ok(None),
        };
        let Expr::Symbol(variable) = variable else {
            return Ok(None);
        };
        let body = if end == self.at {
            Expr::integer(1)
        } else {
            let tokens = self.tokens;
            self.tokens = &tokens[..end];
            let body = self.nested(Self::expr);
            self.tokens = tokens;
            body?
        };
        // Never a second reading: integrals within one another would be read twice each.
        if self.at != end {
            return Err(Unreadable);
        }
        self.at = end + 2;
        if matches!(self.peek(), Some(Kind::Underscore | Kind::Prime)) {
            return Err(Unreadable);
        }
        Ok(Some((variable, body)))
    }

    /// `\sum`, `\prod`, `\int`, `\lim` with bounds.
    pub(super) fn large(&mut self, large: Large) -> Reading<Expr> {
        // The other signs of integrals go over areas and round curves.
        let token = &self.tokens[self.at];
        let plain_integral = matches!(&self.text[token.start..token.end], "\\int" | "\u{222b}");
        self.at += 1;
        let (mut index, mut lower, mut upper) = (None, None, None);
        for _ in 0..2 {
            if self.accept(&Kind::Underscore) {
                if large == Large::Integral {
                    lower = Some(self.argument()?);
                    continue;
                }
                self.expect(&Kind::Open(Bracket::Group))?;
                index = Some(match self.nested(Self::name)? {
                    Expr::Constant(Constant::I) => Expr::symbol("i"),
                    name => name,
                });
                // A sum over `n \ne 1` or `n < 1` has no first term.
                let begins = match self.peek() {
                    Some(Kind::Compare(Comparison::Equal | Comparison::GreaterOrEqual)) => true,
                    Some(Kind::Compare(_)) => large == Large::Limit,
                    _ => false,
                };
                if !begins {
                    return Err(Unreadable);
                }
                self.at += 1;
                lower = Some(self.nested(Self::expr)?);
                self.expect(&Kind::Close(Bracket::Group))?;
            } else if self.accept(&Kind::Caret) {
                upper = Some(self.exponent()?);
            }
        }
        if plain_integral
            && let (Some(lower), Some(upper)) = (&lower, &upper)
            && let Some((variable, body)) = self.integrand()?
        {
            return Ok(calculus::integral(
                lower.clone(),
                upper.clone(),
                &variable,
                &body,
            ));
        }
        let body = plain(self.nested(Self::signed_product)?)?;
        if plain_integral
            && let (Some(lower), Some(upper)) = (&lower, &upper)
            && let Some((variable, body)) = without_differential(&body)
        {
            return Ok(calculus::integral(
                lower.clone(),
                upper.clone(),
                &variable,
                &body,
            ));
        }
        let body = match &index {
            // The index `i` is no imaginary unit.
            Some(Expr::Symbol(name)) if &*name.0 == "i" => with_index_i(&body),
            _ => body,
        };
        if let (Large::Sum, Some(Expr::Symbol(index)), Some(lower)) = (large, &index, &lower)
            && matches!(upper, Some(Expr::Constant(Constant::Infinity)))
        {
            return Ok(calculus::series(index, lower.clone(), &body));
        }
        // A product without end has no last factor: it equals only itself as written.
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

/// Variable and integrand of `\frac{dx}{x}`: the differential is a factor somewhere within.
fn without_differential(body: &Expr) -> Option<(Symbol, Expr)> {
    fn taken(factors: &[Expr]) -> Option<(Symbol, Vec<Expr>)> {
        for (at, factor) in factors.iter().enumerate() {
            if let (Expr::Symbol(d), Some(Expr::Symbol(variable))) = (factor, factors.get(at + 1))
                && &*d.0 == "d"
            {
                let rest = [&factors[..at], &factors[at + 2..]].concat();
                return Some((variable.clone(), rest));
            }
            if let Expr::Product(inner) = factor
                && let Some((variable, inner)) = taken(inner)
            {
                let rest = [&factors[..at], &inner, &factors[at + 1..]].concat();
                return Some((variable, rest));
            }
        }
        None
    }
    let Expr::Product(factors) = body else {
        return None;
    };
    let (variable, mut rest) = taken(factors)?;
    let body = match rest.len() {
        0 => Expr::integer(1),
        1 => rest.remove(0),
        _ => Expr::Product(rest),
    };
    Some((variable, body))
}

/// The body of a sum whose index is `i`.
fn with_index_i(body: &Expr) -> Expr {
    let all = |parts: &[Expr]| parts.iter().map(with_index_i).collect();
    match body {
        Expr::Constant(Constant::I) => Expr::symbol("i"),
        Expr::Number(_) | Expr::Constant(_) | Expr::Symbol(_) => body.clone(),
        Expr::Power(base, exponent) => Expr::Power(
            Box::new(with_index_i(base)),
            Box::new(with_index_i(exponent)),
        ),
        Expr::Sum(parts) => Expr::Sum(all(parts)),
        Expr::Product(parts) => Expr::Product(all(parts)),
        Expr::Apply(function, parts) => Expr::Apply(*function, all(parts)),
        Expr::Call(name, parts) => Expr::Call(name.clone(), all(parts)),
    }
}

/// An operator that is kept as written.
fn opaque(name: &str, arguments: Vec<Expr>) -> Expr {
    let name = std::iter::once(Expr::symbol(name));
    Expr::Apply(Function::Opaque, name.chain(arguments).collect())
}

/// `Γ(n + 1/2)` = `√π · (1/2)(3/2) … (n − 1/2)` for a small `n`.
fn gamma_of_half(argument: &Expr) -> Option<Expr> {
    const MAX_FACTORS: i64 = 40;
    let Expr::Number(number) = argument else {
        return None;
    };
    let twice = &number.value * RBig::from(2);
    let odd = i64::try_from(twice.is_int().then(|| twice.numerator().clone())?).ok()?;
    if odd % 2 == 0 || !(1..2 * MAX_FACTORS).contains(&odd) {
        return None;
    }
    let half = |numerator: i64| RBig::from_parts(numerator.into(), 2_u8.into());
    let factor = (1..odd)
        .step_by(2)
        .fold(RBig::from(1), |product, numerator| {
            product * half(numerator)
        });
    Some(Expr::Product(vec![
        Expr::Number(Number::exact(factor)),
        Expr::Power(
            Box::new(Expr::Constant(Constant::Pi)),
            Box::new(Expr::Number(Number::exact(half(1)))),
        ),
    ]))
}
