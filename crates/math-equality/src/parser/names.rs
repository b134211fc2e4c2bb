//! Names: variables with indices and primes, letters with signs over them, calls of functions.

use super::{
    arithmetic::call,
    reader::{Reader, Reading, Unreadable},
    tokens::{Bracket, Kind},
};
use crate::{
    expr::{Constant, Expr, Function, Number},
    value::Comparison,
};

impl<'t, 'k> Reader<'t, 'k> {
    /// A variable, a constant, or a call.
    pub(super) fn name(&mut self) -> Reading<Expr> {
        let start = self.at;
        let mut name = match self.peek().ok_or(Unreadable)? {
            Kind::Letter(letter) => {
                if let Some(counted) = self.combinations(*letter) {
                    return Ok(counted);
                }
                if *letter == 'd'
                    && let Some(derivative) = self.differential_quotient()
                {
                    return Ok(derivative);
                }
                self.at += 1;
                // `e_1` and `i_2` are variables.
                let alone = !matches!(self.peek(), Some(Kind::Underscore | Kind::Prime));
                match letter {
                    'e' if alone => return Ok(Expr::Constant(Constant::E)),
                    'i' if alone => return Ok(Expr::Constant(Constant::I)),
                    letter => letter.to_string(),
                }
            }
            Kind::Name("Gamma") if self.ahead(1) == Some(&Kind::Open(Bracket::Round)) => {
                self.at += 1;
                return self.gamma();
            }
            Kind::Name(name) => {
                self.at += 1;
                (*name).to_owned()
            }
            Kind::Accent(accent) => {
                self.at += 1;
                if *accent == "overline" && self.argument_is_sum() {
                    let argument = self.argument()?;
                    return Ok(complex_part(Function::Conjugate, argument));
                }
                format!("{accent}{{{}}}", self.letters_of_argument()?)
            }
            Kind::Prefix(prefix) => {
                self.at += 1;
                format!("{prefix}{{{}}}", self.letters_behind()?)
            }
            _ => return Err(Unreadable),
        };
        self.marks(&mut name)?;
        let function = matches!(
            name.trim_end_matches('\''),
            "f" | "g" | "h" | "F" | "G" | "H"
        );
        if matches!(self.peek(), Some(Kind::Caret)) && function && self.inverse_call() {
            // Its five tokens were counted by `inverse_call`.
            self.at += 5;
            name.push_str("^{-1}");
        }
        if self.peek() == Some(&Kind::Open(Bracket::Round))
            && (function || name.ends_with("^{-1}") || self.defines(start))
        {
            return Ok(call(name, self.call_arguments()?));
        }
        Ok(Expr::symbol(&name))
    }

    /// `dy/dx`, `d^2y/dx^2`: no quotient of products.
    fn differential_quotient(&mut self) -> Option<Expr> {
        let start = self.at;
        let read = self.differential(true).and_then(|over| {
            self.accept(&Kind::Divide).then_some(())?;
            Some((over, self.differential(false)?))
        });
        match read {
            Some((over, under)) => Some(Expr::Apply(
                Function::Opaque,
                vec![Expr::symbol("derivative"), over, under],
            )),
            None => {
                self.at = start;
                None
            }
        }
    }

    /// `dy` or, above, `d^2y`; below, `dx^2`.
    fn differential(&mut self, above: bool) -> Option<Expr> {
        self.accept(&Kind::Letter('d')).then_some(())?;
        let mut sign = Expr::symbol("d");
        if above && self.accept(&Kind::Caret) {
            sign = Expr::Power(Box::new(sign), Box::new(self.exponent().ok()?));
        }
        let Some(Kind::Letter(letter)) = self.peek() else {
            return None;
        };
        self.at += 1;
        let mut variable = Expr::symbol(letter.encode_utf8(&mut [0; 4]));
        if !above && self.accept(&Kind::Caret) {
            variable = Expr::Power(Box::new(variable), Box::new(self.exponent().ok()?));
        }
        Some(Expr::Product(vec![sign, variable]))
    }

    /// Indices and primes behind a name.
    fn marks(&mut self, name: &mut String) -> Reading<()> {
        loop {
            match self.peek() {
                Some(Kind::Underscore) => {
                    self.at += 1;
                    let index = self.letters_of_argument()?;
                    name.push_str("_{");
                    name.push_str(&index);
                    name.push('}');
                }
                Some(Kind::Prime) => {
                    self.at += 1;
                    name.push('\'');
                }
                _ => return Ok(()),
            }
        }
    }

    /// The text of one token or of a group, without spaces, braces and backslashes.
    fn letters_of_argument(&mut self) -> Reading<String> {
        let mut letters = String::new();
        let mut depth = 0_u32;
        loop {
            let token = self.tokens.get(self.at).ok_or(Unreadable)?;
            self.at += 1;
            match token.kind {
                Kind::Open(Bracket::Group) => depth += 1,
                Kind::Close(Bracket::Group) => depth = depth.checked_sub(1).ok_or(Unreadable)?,
                _ => {
                    let text = &self.text[token.start..token.end];
                    letters.extend(
                        text.chars()
                            .filter(|c| !c.is_whitespace() && !matches!(c, '\\' | '{' | '}')),
                    );
                }
            }
            if depth == 0 {
                return Ok(letters);
            }
        }
    }

    /// Letters and digits side by side, as behind `\angle`.
    fn letters_behind(&mut self) -> Reading<String> {
        let mut letters = String::new();
        while let Some(Kind::Letter(_) | Kind::Word(_) | Kind::Name(_) | Kind::Number(_)) =
            self.peek()
        {
            letters.push_str(&self.letters_of_argument()?);
            self.marks(&mut letters)?;
        }
        if letters.is_empty() {
            Err(Unreadable)
        } else {
            Ok(letters)
        }
    }

    /// Whether the group that follows is a sum or a number, so that a bar over it means the
    /// conjugate.
    fn argument_is_sum(&self) -> bool {
        if self.peek() != Some(&Kind::Open(Bracket::Group)) {
            return false;
        }
        let mut inner = self.tokens[self.at + 1..]
            .iter()
            // A limit on the look ahead, which keeps a row of bars linear.
            .take(32)
            .take_while(|token| token.kind != Kind::Close(Bracket::Group));
        matches!(self.ahead(1), Some(Kind::Number(_)))
            || inner.any(|token| matches!(token.kind, Kind::Plus | Kind::Minus))
    }

    /// `^{-1}(`.
    fn inverse_call(&self) -> bool {
        let one = |kind: Option<&Kind<'_>>| matches!(kind, Some(Kind::Number(number)) if *number == Number::exact(1.into()));
        self.ahead(1) == Some(&Kind::Open(Bracket::Group))
            && self.ahead(2) == Some(&Kind::Minus)
            && one(self.ahead(3))
            && self.ahead(4) == Some(&Kind::Close(Bracket::Group))
            && self.ahead(5) == Some(&Kind::Open(Bracket::Round))
    }

    /// Whether `name(` at the start of an item defines a function: simple arguments, and an equals
    /// sign behind them.
    fn defines(&self, start: usize) -> bool {
        // Elsewhere `a(x + 1)` is a product.
        if start != self.item_start {
            return false;
        }
        let mut behind = self.tokens[self.at + 1..].iter().map(|token| &token.kind);
        let simple = |kind: &&Kind<'_>| {
            matches!(
                kind,
                Kind::Letter(_)
                    | Kind::Name(_)
                    | Kind::Number(_)
                    | Kind::Comma
                    | Kind::Underscore
                    | Kind::Compare(Comparison::Other('→'))
                    | Kind::Constant(Constant::Infinity)
            )
        };
        let end = behind.by_ref().take(16).find(|kind| !simple(kind));
        end == Some(&Kind::Close(Bracket::Round))
            && matches!(
                behind.next(),
                Some(Kind::Compare(
                    Comparison::Equal | Comparison::Approximately | Comparison::Other('∼')
                ))
            )
    }

    fn call_arguments(&mut self) -> Reading<Vec<Expr>> {
        self.at += 1;
        let mut arguments = vec![self.call_argument()?];
        while self.accept(&Kind::Comma) {
            arguments.push(self.call_argument()?);
        }
        self.expect(&Kind::Close(Bracket::Round))?;
        Ok(arguments)
    }

    /// `t` and `t \to \infty`, which says where the formula behind it holds.
    fn call_argument(&mut self) -> Reading<Expr> {
        let argument = self.nested(Self::expr)?;
        if self.accept(&Kind::Compare(Comparison::Other('→'))) {
            self.expect(&Kind::Constant(Constant::Infinity))?;
        }
        Ok(argument)
    }

    /// `C_{10}^{3}`, `A_5^2`, `C(10,3)`: numbers only, since `C_1^2` may be the square of a
    /// constant.
    fn combinations(&mut self, letter: char) -> Option<Expr> {
        let function = match letter {
            'C' => Function::Binomial,
            'A' | 'P' => Function::Permutations,
            _ => return None,
        };
        let start = self.at;
        let numbers = self.index_and_power().or_else(|| {
            self.at = start;
            self.pair().filter(|_| letter == 'C')
        });
        let Some((total, chosen)) = numbers.filter(|(total, chosen)| {
            total.value >= chosen.value && total.value > 1.into() && total.written_digits.is_none()
        }) else {
            self.at = start;
            return None;
        };
        Some(Expr::Apply(
            function,
            vec![Expr::Number(total), Expr::Number(chosen)],
        ))
    }

    fn index_and_power(&mut self) -> Option<(Number, Number)> {
        self.at += 1;
        self.accept(&Kind::Underscore).then_some(())?;
        let total = self.grouped_number()?;
        self.accept(&Kind::Caret).then_some(())?;
        Some((total, self.grouped_number()?))
    }

    fn pair(&mut self) -> Option<(Number, Number)> {
        self.at += 1;
        self.accept(&Kind::Open(Bracket::Round)).then_some(())?;
        let total = self.grouped_number()?;
        self.accept(&Kind::Comma).then_some(())?;
        let chosen = self.grouped_number()?;
        self.accept(&Kind::Close(Bracket::Round))
            .then_some((total, chosen))
    }

    /// A number, perhaps in braces.
    fn grouped_number(&mut self) -> Option<Number> {
        let group = self.accept(&Kind::Open(Bracket::Group));
        let Kind::Number(number) = self.peek()? else {
            return None;
        };
        self.at += 1;
        if group {
            self.accept(&Kind::Close(Bracket::Group)).then_some(())?;
        }
        Some(number.clone())
    }
}

/// The real or imaginary part, or the conjugate. A letter may be any complex number, so that a
/// part of it is kept as written.
pub(super) fn complex_part(function: Function, argument: Expr) -> Expr {
    let name = match function {
        Function::Re => "Re",
        Function::Im => "Im",
        _ => "conjugate",
    };
    if is_constant(&argument) {
        Expr::Apply(function, vec![argument])
    } else {
        Expr::Apply(Function::Opaque, vec![Expr::symbol(name), argument])
    }
}

fn is_constant(expr: &Expr) -> bool {
    match expr {
        Expr::Symbol(_) | Expr::Call(..) => false,
        Expr::Number(_) | Expr::Constant(_) => true,
        Expr::Sum(parts) | Expr::Product(parts) | Expr::Apply(_, parts) => {
            parts.iter().all(is_constant)
        }
        Expr::Power(base, exponent) => is_constant(base) && is_constant(exponent),
    }
}
