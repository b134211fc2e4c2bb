//! Expressions from infix text, for tests: `+ - * / ^`, calls such as `sqrt(2)`, names, numbers.

use dashu_int::IBig;
use dashu_ratio::RBig;

use crate::expr::{Constant, Expr, Function, Number, Symbol};

/// Reads an expression; panics on anything else.
pub(super) fn read(text: &str) -> Expr {
    let mut reader = Reader {
        text: text.as_bytes(),
        at: 0,
    };
    let expr = reader.sum();
    assert_eq!(reader.at, text.len(), "unread text in {text}");
    expr
}

struct Reader<'t> {
    text: &'t [u8],
    at: usize,
}

impl Reader<'_> {
    fn peek(&mut self) -> u8 {
        while self.text.get(self.at) == Some(&b' ') {
            self.at += 1;
        }
        self.text.get(self.at).copied().unwrap_or(0)
    }

    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == byte;
        self.at += usize::from(found);
        found
    }

    fn sum(&mut self) -> Expr {
        let mut terms = vec![self.product()];
        loop {
            if self.take(b'+') {
                terms.push(self.product());
            } else if self.take(b'-') {
                terms.push(self.product().negated());
            } else {
                return if terms.len() == 1 {
                    terms.remove(0)
                } else {
                    Expr::Sum(terms)
                };
            }
        }
    }

    fn product(&mut self) -> Expr {
        let mut product = self.signed();
        loop {
            if self.take(b'*') {
                product = Expr::Product(vec![product, self.signed()]);
            } else if self.take(b'/') {
                product = product.over(self.signed());
            } else {
                return product;
            }
        }
    }

    fn signed(&mut self) -> Expr {
        if self.take(b'-') {
            self.signed().negated()
        } else {
            self.power()
        }
    }

    fn power(&mut self) -> Expr {
        let base = self.primary();
        if self.take(b'^') {
            Expr::Power(Box::new(base), Box::new(self.signed()))
        } else {
            base
        }
    }

    fn primary(&mut self) -> Expr {
        if self.take(b'(') {
            let inner = self.sum();
            assert!(self.take(b')'));
            return inner;
        }
        let start = self.at;
        let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        if self.peek().is_ascii_digit() {
            while self.peek().is_ascii_digit() || self.peek() == b'.' {
                self.at += 1;
            }
            return number(
                std::str::from_utf8(&self.text[start..self.at])
                    .unwrap()
                    .trim(),
            );
        }
        while is_word(self.peek()) {
            self.at += 1;
        }
        let name = std::str::from_utf8(&self.text[start..self.at])
            .unwrap()
            .trim()
            .to_owned();
        assert!(!name.is_empty(), "no expression at {start}");
        if self.take(b'(') {
            let mut arguments = vec![self.sum()];
            while self.take(b',') {
                arguments.push(self.sum());
            }
            assert!(self.take(b')'));
            return call(&name, arguments);
        }
        match name.as_str() {
            "pi" => Expr::Constant(Constant::Pi),
            "e" => Expr::Constant(Constant::E),
            "i" => Expr::Constant(Constant::I),
            "inf" => Expr::Constant(Constant::Infinity),
            name => Expr::symbol(name),
        }
    }
}

fn number(text: &str) -> Expr {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let places = text.find('.').map_or(0, |point| text.len() - point - 1);
    let value = RBig::from_parts(
        digits.parse::<IBig>().unwrap(),
        dashu_int::UBig::from(10u8).pow(places),
    );
    let significant = digits.trim_start_matches('0').len() as u32;
    Expr::Number(Number {
        value,
        written_digits: text.contains('.').then_some(significant),
    })
}

fn call(name: &str, mut arguments: Vec<Expr>) -> Expr {
    use Function::*;
    let root = |value: Expr, index: i64| {
        Expr::Power(
            Box::new(value),
            Box::new(Expr::integer(1).over(Expr::integer(index))),
        )
    };
    let function = match name {
        "sqrt" => return root(arguments.remove(0), 2),
        "cbrt" => return root(arguments.remove(0), 3),
        "ln" => Ln,
        "log" if arguments.len() == 2 => Log,
        "log" => LogUnbased,
        "sin" => Sin,
        "cos" => Cos,
        "tan" => Tan,
        "cot" => Cot,
        "sec" => Sec,
        "csc" => Csc,
        "arcsin" => Arcsin,
        "arccos" => Arccos,
        "arctan" => Arctan,
        "arccot" => Arccot,
        "arcsec" => Arcsec,
        "arccsc" => Arccsc,
        "sinh" => Sinh,
        "cosh" => Cosh,
        "tanh" => Tanh,
        "arsinh" => Arsinh,
        "arcosh" => Arcosh,
        "artanh" => Artanh,
        "abs" => Abs,
        "floor" => Floor,
        "ceil" => Ceil,
        "fact" => Factorial,
        "fact2" => DoubleFactorial,
        "binom" => Binomial,
        "perm" => Permutations,
        "gcd" => Gcd,
        "lcm" => Lcm,
        "min" => Min,
        "max" => Max,
        "re" => Re,
        "im" => Im,
        "conj" => Conjugate,
        "sign" => Sign,
        "mod" => Mod,
        "deg" => Degrees,
        "sum" => FiniteSum,
        "prod" => FiniteProduct,
        "opaque" => Opaque,
        name => return Expr::Call(Symbol(name.into()), arguments),
    };
    Expr::Apply(function, arguments)
}
