//! Values as short text, for traces and tests: `sum(x,2)`, `interval[0,inf)`, `list(1,2)`,
//! `qty(5;cm)`.
//!
//! The form is stable, and two values show alike only when they are equal. A decimal carries its
//! count of written digits behind `#`.

use std::fmt::{self, Display, Formatter};

use super::{
    expr::{Constant, Expr, Function, Number},
    value::{Comparison, Interval, Quantity, Unit, Value},
};

impl Display for Value {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Quantity(Quantity { expr, unit: None }) => write!(f, "{expr}"),
            Self::Quantity(Quantity {
                expr,
                unit: Some(unit),
            }) => write!(f, "qty({expr};{unit})"),
            Self::Choice(letter) => write!(f, "choice({letter})"),
            Self::Tuple(list) => call(f, "tuple", list),
            Self::List(list) => call(f, "list", list),
            Self::Set(list) => call(f, "set", list),
            Self::Interval(interval) => write!(f, "{interval}"),
            Self::Union(list) => call(f, "union", list),
            Self::Intersection(list) => call(f, "inter", list),
            Self::Difference(left, right) => write!(f, "diff({left},{right})"),
            Self::SetBuilder(element, conditions) => {
                write!(f, "builder({element}")?;
                conditions
                    .iter()
                    .try_for_each(|condition| write!(f, ";{condition}"))?;
                write!(f, ")")
            }
            Self::NumberSet(letter) => write!(f, "numbers({letter})"),
            Self::Matrix(rows) => {
                write!(f, "matrix(")?;
                for (index, row) in rows.iter().enumerate() {
                    write!(f, "{}", if index > 0 { ";" } else { "" })?;
                    commas(f, row)?;
                }
                write!(f, ")")
            }
            Self::Relation(operands, comparisons) => relation(f, operands, comparisons),
            Self::System(list) => call(f, "system", list),
            Self::Ratio(list) => {
                write!(f, "ratio(")?;
                for (index, part) in list.iter().enumerate() {
                    write!(f, "{}{part}", if index > 0 { ":" } else { "" })?;
                }
                write!(f, ")")
            }
            Self::Time(time) => {
                let half = time
                    .afternoon
                    .map_or("", |afternoon| if afternoon { "pm" } else { "am" });
                write!(
                    f,
                    "time({}:{:02}:{:02}{half})",
                    time.hours, time.minutes, time.seconds
                )
            }
            Self::InBase(value, base) => write!(f, "base({value}_{base})"),
            Self::Piecewise(cases) => {
                write!(f, "cases(")?;
                for (index, (value, condition)) in cases.iter().enumerate() {
                    write!(f, "{}{value}", if index > 0 { ";" } else { "" })?;
                    condition
                        .iter()
                        .try_for_each(|condition| write!(f, " if {condition}"))?;
                }
                write!(f, ")")
            }
            Self::PlusMinus(Some(centre), distance) => write!(f, "pm({centre},{distance})"),
            Self::PlusMinus(None, distance) => write!(f, "pm({distance})"),
            Self::Text(text) => write!(f, "text({text})"),
        }
    }
}

impl Display for Interval {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let open = if self.lower_closed { '[' } else { '(' };
        let close = if self.upper_closed { ']' } else { ')' };
        write!(f, "interval{open}{},{}{close}", self.lower, self.upper)
    }
}

impl Display for Unit {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Percent => write!(f, "%"),
            Self::Degrees => write!(f, "deg"),
            Self::Money(name) if name == "$" => write!(f, "money dollar"),
            Self::Money(name) => write!(f, "money {name}"),
            Self::Named(name) => write!(f, "{name}"),
        }
    }
}

impl Display for Expr {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(Number {
                value,
                written_digits: None,
            }) => write!(f, "{value}"),
            Self::Number(Number {
                value,
                written_digits: Some(digits),
            }) => write!(f, "{value}#{digits}"),
            Self::Constant(Constant::Pi) => write!(f, "pi"),
            Self::Constant(Constant::E) => write!(f, "E"),
            Self::Constant(Constant::I) => write!(f, "I"),
            Self::Constant(Constant::Infinity) => write!(f, "inf"),
            Self::Symbol(symbol) => write!(f, "{}", symbol.0),
            Self::Sum(terms) => call(f, "sum", terms),
            Self::Product(factors) => call(f, "prod", factors),
            Self::Power(base, exponent) => write!(f, "pow({base},{exponent})"),
            Self::Apply(function, arguments) => call(f, &name(*function), arguments),
            Self::Call(function, arguments) => {
                write!(f, "call({},", function.0)?;
                commas(f, arguments)?;
                write!(f, ")")
            }
        }
    }
}

fn name(function: Function) -> String {
    format!("{function:?}").to_lowercase()
}

fn call<T: Display>(f: &mut Formatter<'_>, name: &str, list: &[T]) -> fmt::Result {
    write!(f, "{name}(")?;
    commas(f, list)?;
    write!(f, ")")
}

fn commas<T: Display>(f: &mut Formatter<'_>, list: &[T]) -> fmt::Result {
    for (index, item) in list.iter().enumerate() {
        write!(f, "{}{item}", if index > 0 { "," } else { "" })?;
    }
    Ok(())
}

fn relation(f: &mut Formatter<'_>, operands: &[Value], comparisons: &[Comparison]) -> fmt::Result {
    write!(f, "rel(")?;
    for (index, operand) in operands.iter().enumerate() {
        if let Some(comparison) = index
            .checked_sub(1)
            .and_then(|before| comparisons.get(before))
        {
            match comparison {
                Comparison::Equal => write!(f, " = "),
                Comparison::Approximately => write!(f, " ~ "),
                Comparison::NotEqual => write!(f, " != "),
                Comparison::Less => write!(f, " < "),
                Comparison::LessOrEqual => write!(f, " <= "),
                Comparison::Greater => write!(f, " > "),
                Comparison::GreaterOrEqual => write!(f, " >= "),
                Comparison::In => write!(f, " in "),
                Comparison::Congruent => write!(f, " == "),
                Comparison::Other(sign) => write!(f, " {sign} "),
            }?;
        }
        write!(f, "{operand}")?;
    }
    write!(f, ")")
}
