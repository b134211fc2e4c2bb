//! Values: what an answer denotes.

use super::expr::{Expr, Symbol};

/// What an answer denotes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    /// A number or a function of symbols, perhaps with a unit.
    Quantity(Quantity),
    /// An option letter, `A`–`Z`.
    Choice(char),
    /// Ordered coordinates: points, vectors, ordered pairs. At least one.
    Tuple(Vec<Value>),
    /// Several answers without a frame, as in `3, 5 and 7`; at least two, in the order written.
    List(Vec<Value>),
    /// A set; the empty set has no elements.
    Set(Vec<Value>),
    /// An interval of the real line.
    Interval(Interval),
    /// A union of sets and intervals; at least two.
    Union(Vec<Value>),
    /// An intersection of sets and intervals; at least two.
    Intersection(Vec<Value>),
    /// A difference of sets, such as the reals without 1.
    Difference(Box<Value>, Box<Value>),
    /// `{ element | conditions }`.
    SetBuilder(Box<Value>, Vec<Value>),
    /// One of the sets that have letters of their own: `N`, `Z`, `Q`, `R`, `C`.
    NumberSet(char),
    /// Rows of equal length; a column vector has one column.
    Matrix(Vec<Vec<Value>>),
    /// A chain of relations: one operator fewer than operands; `x = 3`, `1 < x \le 2`, `x \in A`.
    Relation(Vec<Value>, Vec<Comparison>),
    /// Relations that hold together: a system of equations, `x = 1, y = 2`.
    System(Vec<Value>),
    /// `a : b : c`, at least two.
    Ratio(Vec<Expr>),
    /// A time of day or a duration written with colons: hours, minutes, seconds (0 where not
    /// written), and whether `p.m.` (`Some(true)`) or `a.m.` (`Some(false)`) stands beside it.
    Time(Time),
    /// Digits in a base other than ten, kept as written: value and base.
    InBase(dashu_ratio::RBig, u32),
    /// Cases: value and condition each; the condition is `None` for "otherwise".
    Piecewise(Vec<(Value, Option<Value>)>),
    /// `a ± b` (first) or `± b` (`None`): two values.
    PlusMinus(Option<Expr>, Expr),
    /// Words, normalized: lower case, no font commands, single spaces, no final period.
    Text(String),
}

/// A number or function of symbols with what stood beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Quantity {
    /// The expression; a percentage is the number before the sign.
    pub expr: Expr,
    /// Its unit, if any was written.
    pub unit: Option<Unit>,
}

/// A unit as written, normalized.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    /// A per cent sign or the word.
    Percent,
    /// A currency, such as `$`, `dollars`, `元`: by its normalized name.
    Money(String),
    /// Degrees of arc.
    Degrees,
    /// Any other unit or counted thing (`cm`, `cm^2`, `apples`, `千克`): by its normalized name.
    Named(String),
}

/// An interval of the real line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Interval {
    pub lower: Expr,
    pub upper: Expr,
    /// Whether the lower end belongs to it.
    pub lower_closed: bool,
    /// Whether the upper end belongs to it.
    pub upper_closed: bool,
}

/// A time written with colons.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Time {
    pub hours: u32,
    pub minutes: u32,
    pub seconds: u32,
    pub afternoon: Option<bool>,
}

/// How two operands of a chain compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Comparison {
    Equal,
    /// `\approx`: taken for equality where nothing better is there.
    Approximately,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    /// `\in`.
    In,
    /// `\equiv` or a congruence; the modulus is the last operand where one is given.
    Congruent,
    /// `\perp`, `\parallel`, `\sim`, `\subset`, `\to` and others that are only equal to themselves.
    Other(char),
}

impl Value {
    /// An expression without a unit.
    pub(crate) fn expr(expr: Expr) -> Self {
        Self::Quantity(Quantity { expr, unit: None })
    }

    /// The expression, where the value is one, with or without a unit.
    pub(crate) fn as_expr(&self) -> Option<&Expr> {
        match self {
            Self::Quantity(quantity) => Some(&quantity.expr),
            _ => None,
        }
    }

    /// The symbol, where the value is one without a unit.
    pub(crate) fn as_symbol(&self) -> Option<&Symbol> {
        match self {
            Self::Quantity(Quantity {
                expr: Expr::Symbol(symbol),
                unit: None,
            }) => Some(symbol),
            _ => None,
        }
    }
}
