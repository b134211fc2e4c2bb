//! Environments: matrices, and cases with or without conditions.

use super::{
    reader::{Reader, Reading, Unreadable, joined, plain},
    tokens::{Environment, Kind},
};
use crate::{
    expr::{Expr, Function},
    value::Value,
};

impl<'t, 'k> Reader<'t, 'k> {
    /// An environment that stands where an expression could.
    pub(super) fn environment(&mut self, environment: Environment) -> Reading<Value> {
        match environment {
            Environment::Cases => self.nested(Self::cases),
            Environment::Matrix | Environment::Array => self.nested(Self::matrix),
            Environment::Determinant => {
                let rows = self.nested(Self::matrix)?;
                Ok(Value::expr(determinant(rows)?))
            }
        }
    }

    /// Rows of equal length.
    fn matrix(&mut self) -> Reading<Value> {
        self.at += 1;
        let mut rows = Vec::new();
        let mut row = Vec::new();
        loop {
            match self.peek().ok_or(Unreadable)? {
                Kind::Row => {
                    self.at += 1;
                    if !row.is_empty() {
                        rows.push(std::mem::take(&mut row));
                    }
                }
                Kind::End => {
                    self.at += 1;
                    break;
                }
                Kind::Cell | Kind::Comma | Kind::Gap => self.at += 1,
                _ => row.push(self.relation()?),
            }
        }
        if !row.is_empty() {
            rows.push(row);
        }
        match rows.first().map(Vec::len) {
            Some(length) if rows.iter().all(|row| row.len() == length) => Ok(Value::Matrix(rows)),
            _ => Err(Unreadable),
        }
    }

    /// Rows of a value and its condition, or of relations that hold together.
    pub(super) fn cases(&mut self) -> Reading<Value> {
        self.at += 1;
        let mut cases = Vec::new();
        let mut otherwise = false;
        loop {
            match self.peek().ok_or(Unreadable)? {
                Kind::Row | Kind::Gap => self.at += 1,
                Kind::End => {
                    self.at += 1;
                    break;
                }
                _ => {
                    let value = self.relation()?;
                    let condition = self.condition(&mut otherwise)?;
                    cases.push((value, condition));
                }
            }
        }
        if cases.is_empty() {
            return Err(Unreadable);
        }
        let unconditional = cases.iter().all(|(_, condition)| condition.is_none()) && !otherwise;
        // Without any condition the brace holds a system of equations together.
        if unconditional {
            return Ok(joined(cases.into_iter().map(|(value, _)| value).collect()));
        }
        Ok(Value::Piecewise(cases))
    }

    /// The rest of a row behind its value.
    fn condition(&mut self, otherwise: &mut bool) -> Reading<Option<Value>> {
        let mut conditions = Vec::new();
        loop {
            match self.peek().ok_or(Unreadable)? {
                Kind::Cell
                | Kind::Comma
                | Kind::Gap
                | Kind::Condition
                | Kind::And
                | Kind::Semicolon => self.at += 1,
                Kind::Otherwise => {
                    self.at += 1;
                    *otherwise = true;
                }
                Kind::Row | Kind::End => break,
                _ => conditions.push(self.relation()?),
            }
        }
        Ok(match conditions.len() {
            0 => None,
            _ => Some(joined(conditions)),
        })
    }
}

/// A determinant is kept as written: the name, the number of rows, the elements row by row.
pub(super) fn determinant(matrix: Value) -> Reading<Expr> {
    let Value::Matrix(rows) = matrix else {
        return Err(Unreadable);
    };
    let mut arguments = vec![
        Expr::symbol("determinant"),
        Expr::integer(rows.len() as i64),
    ];
    for element in rows.into_iter().flatten() {
        arguments.push(plain(element)?);
    }
    Ok(Expr::Apply(Function::Opaque, arguments))
}
