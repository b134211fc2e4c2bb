//! Brackets: grouping, tuples, intervals, sets, floors and ceilings.

use super::{
    arithmetic::without_signs,
    reader::{Reader, Reading, Unreadable, joined, plain},
    tokens::{Bracket, Kind},
};
use crate::{
    expr::{Constant, Expr, Function},
    value::{Interval, Value},
};

impl<'t, 'k> Reader<'t, 'k> {
    /// What stands between this bracket and the one that closes it.
    pub(super) fn bracket(&mut self, open: Bracket) -> Reading<Value> {
        self.at += 1;
        match open {
            Bracket::Floor => self.rounded(Function::Floor, Bracket::Floor),
            Bracket::Ceil => self.rounded(Function::Ceil, Bracket::Ceil),
            Bracket::Brace => self.set(),
            Bracket::Group => self.group(),
            Bracket::Angle => {
                let elements = self.nested(Self::sequence)?;
                self.expect(&Kind::Close(Bracket::Angle))?;
                Ok(Value::Tuple(elements))
            }
            Bracket::Round | Bracket::Square | Bracket::Open => {
                let elements = self.nested(Self::sequence)?;
                let close = match self.peek() {
                    Some(Kind::Close(
                        close @ (Bracket::Round
                        | Bracket::Square
                        | Bracket::Open
                        | Bracket::Nothing),
                    )) => close,
                    _ => return Err(Unreadable),
                };
                self.at += 1;
                framed(open, elements, *close)
            }
            Bracket::Nothing => Err(Unreadable),
        }
    }

    fn rounded(&mut self, function: Function, close: Bracket) -> Reading<Value> {
        let inner = self.nested(Self::expr)?;
        self.expect(&Kind::Close(close))?;
        Ok(Value::expr(Expr::Apply(function, vec![inner])))
    }

    /// Items apart by commas.
    pub(super) fn sequence(&mut self) -> Reading<Vec<Value>> {
        let mut elements = Vec::new();
        loop {
            elements.push(self.relation()?);
            match self.peek() {
                Some(Kind::Comma | Kind::Semicolon | Kind::Gap | Kind::And) => self.at += 1,
                _ => return Ok(elements),
            }
        }
    }

    /// `{…}` without a backslash: grouping, or a set in plain text.
    fn group(&mut self) -> Reading<Value> {
        let mut elements = self.nested(Self::elements)?;
        let value = match self.peek() {
            Some(Kind::Bar | Kind::Mid | Kind::Colon) => self.set_builder(elements)?,
            _ if elements.len() == 1 => elements.remove(0),
            _ => Value::Set(without_signs(elements)),
        };
        self.expect(&Kind::Close(Bracket::Group))?;
        Ok(value)
    }

    /// Elements of a set, each read a second time where it has two signs.
    fn elements(&mut self) -> Reading<Vec<Value>> {
        self.in_set = true;
        let mut elements = Vec::new();
        loop {
            self.element(&mut elements)?;
            match self.peek() {
                Some(Kind::Comma | Kind::Semicolon | Kind::Gap | Kind::And) => self.at += 1,
                _ => return Ok(elements),
            }
        }
    }

    fn element(&mut self, elements: &mut Vec<Value>) -> Reading<()> {
        let item_start = self.item_start;
        self.item(elements)?;
        self.item_start = item_start;
        Ok(())
    }

    fn set(&mut self) -> Reading<Value> {
        if let Some(Kind::Begin(_)) = self.peek() {
            let value = self.nested(Self::cases)?;
            if let Some(Kind::Close(Bracket::Nothing | Bracket::Brace)) = self.peek() {
                self.at += 1;
            }
            return Ok(value);
        }
        if self.accept(&Kind::Close(Bracket::Brace)) {
            return Ok(Value::Set(Vec::new()));
        }
        let elements = self.nested(Self::elements)?;
        let value = match self.peek() {
            Some(Kind::Bar | Kind::Mid | Kind::Colon) => self.set_builder(elements)?,
            Some(Kind::Close(Bracket::Nothing)) => {
                self.at += 1;
                return Ok(joined(elements));
            }
            _ => Value::Set(without_signs(elements)),
        };
        self.expect(&Kind::Close(Bracket::Brace))?;
        Ok(value)
    }

    /// The conditions behind `|`, `\mid` or `:`.
    fn set_builder(&mut self, mut elements: Vec<Value>) -> Reading<Value> {
        if elements.len() != 1 {
            return Err(Unreadable);
        }
        self.at += 1;
        let conditions = self.nested(|reader| {
            let mut conditions: Vec<Value> = Vec::new();
            let mut alternative = false;
            loop {
                let condition = reader.relation()?;
                match conditions.last_mut() {
                    Some(Value::List(list)) if alternative => list.push(condition),
                    Some(last) if alternative => {
                        let first = std::mem::replace(last, Value::Set(Vec::new()));
                        *last = Value::List(vec![first, condition]);
                    }
                    _ => conditions.push(condition),
                }
                match reader.peek() {
                    Some(Kind::Comma | Kind::Semicolon | Kind::Gap | Kind::And) => {
                        alternative = false
                    }
                    Some(Kind::Or) => alternative = true,
                    _ => return Ok(conditions),
                }
                reader.at += 1;
                // ", and" and ", or" are one.
                if let Some(word @ (Kind::And | Kind::Or)) = reader.peek() {
                    alternative = word == &Kind::Or;
                    reader.at += 1;
                }
            }
        })?;
        Ok(Value::SetBuilder(Box::new(elements.remove(0)), conditions))
    }
}

/// What brackets around elements make: a single element is itself; two with an infinity or with
/// different or square brackets are an interval; others are a tuple.
fn framed(open: Bracket, mut elements: Vec<Value>, close: Bracket) -> Reading<Value> {
    if elements.len() == 1 {
        return Ok(elements.remove(0));
    }
    if elements.len() > 2
        && elements
            .iter()
            .all(|element| matches!(element, Value::Relation(..)))
    {
        return Ok(Value::System(elements));
    }
    let round = open == Bracket::Round && close == Bracket::Round;
    if elements.len() != 2 {
        return if open == close {
            Ok(Value::Tuple(elements))
        } else {
            Err(Unreadable)
        };
    }
    // `(1, 2)` may be an open interval too; the comparison decides by the other side.
    if round && !elements.iter().any(is_infinite) {
        return Ok(Value::Tuple(elements));
    }
    let scalar = |value: &Value| matches!(value, Value::Quantity(_));
    if !elements.iter().all(scalar) {
        return if open == close {
            Ok(Value::Tuple(elements))
        } else {
            Err(Unreadable)
        };
    }
    let mut ends = elements.into_iter().map(|value| match value {
        Value::Quantity(quantity) => Ok(quantity.expr),
        other => plain(other),
    });
    let (lower, upper) = (
        ends.next().ok_or(Unreadable)??,
        ends.next().ok_or(Unreadable)??,
    );
    let closed = |bracket| bracket == Bracket::Square;
    Ok(Value::Interval(Interval {
        lower,
        upper,
        lower_closed: closed(open),
        upper_closed: closed(close),
    }))
}

fn is_infinite(value: &Value) -> bool {
    match value.as_expr() {
        Some(Expr::Constant(Constant::Infinity)) => true,
        Some(Expr::Product(factors)) => factors.contains(&Expr::Constant(Constant::Infinity)),
        _ => false,
    }
}
