//! The reader: tokens → items → the answer as a whole.

use super::{
    tables::tables,
    tokens::{Bracket, Kind, Style, Token},
};
use crate::{
    expr::{Expr, Symbol},
    value::{Comparison, Interval, Quantity, Value},
};

/// Brackets, exponents and arguments within one another.
const DEEPEST: u32 = 64;

/// The text is no formula of a kind that is known here.
#[derive(Clone, Copy, Debug)]
pub(super) struct Unreadable;

/// What a reading step gives.
pub(super) type Reading<T> = Result<T, Unreadable>;

/// The sign that `±` stands for at the moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sign {
    /// First of two readings: plus, and the fact is noted.
    First,
    /// Second of two readings: minus.
    Second,
}

/// A place in the tokens of a text.
pub(super) struct Reader<'t, 'k> {
    pub text: &'t str,
    pub tokens: &'k [Token<'t>],
    pub at: usize,
    pub depth: u32,
    /// Open bars of absolute values since the last bracket.
    pub bars: u32,
    /// Directly between the braces of a set: a bar or a colon comes before the conditions.
    pub in_set: bool,
    pub sign: Sign,
    /// A `±` was read inside an expression: the item has a second reading.
    pub met_sign: bool,
    /// The first token of the item.
    pub item_start: usize,
    /// Unit vectors met, one bit an axis.
    pub axes: u8,
}

/// Reads all tokens as one answer.
pub(super) fn answer(text: &str, tokens: &[Token<'_>]) -> Reading<Value> {
    let mut reader = Reader {
        text,
        tokens,
        at: 0,
        depth: 0,
        bars: 0,
        in_set: false,
        sign: Sign::First,
        met_sign: false,
        item_start: 0,
        axes: 0,
    };
    let value = reader.alternatives()?;
    if reader.at == tokens.len() {
        Ok(value)
    } else {
        Err(Unreadable)
    }
}

impl<'t, 'k> Reader<'t, 'k> {
    pub(super) fn peek(&self) -> Option<&'k Kind<'t>> {
        self.ahead(0)
    }

    pub(super) fn ahead(&self, distance: usize) -> Option<&'k Kind<'t>> {
        self.tokens.get(self.at + distance).map(|token| &token.kind)
    }

    /// Steps over the next token if it is of that kind.
    pub(super) fn accept(&mut self, kind: &Kind<'_>) -> bool {
        let taken = self.peek() == Some(kind);
        self.at += usize::from(taken);
        taken
    }

    pub(super) fn expect(&mut self, kind: &Kind<'_>) -> Reading<()> {
        if self.accept(kind) {
            Ok(())
        } else {
            Err(Unreadable)
        }
    }

    /// Reads one level deeper, with no bars or braces open.
    pub(super) fn nested<T>(&mut self, read: impl FnOnce(&mut Self) -> Reading<T>) -> Reading<T> {
        if self.depth == DEEPEST {
            return Err(Unreadable);
        }
        self.depth += 1;
        let (bars, in_set) = (
            std::mem::take(&mut self.bars),
            std::mem::take(&mut self.in_set),
        );
        // Put back on failure too: some callers try another reading then.
        let result = read(self);
        (self.bars, self.in_set) = (bars, in_set);
        self.depth -= 1;
        result
    }

    /// Answers apart by `;` or "or", each of which may hold several apart by commas or "and".
    fn alternatives(&mut self) -> Reading<Value> {
        let mut groups = Vec::new();
        loop {
            groups.push(self.conjunction()?);
            match self.peek() {
                Some(Kind::Semicolon | Kind::Or | Kind::Compare(Comparison::Other('∨'))) => {
                    self.at += 1;
                }
                _ => break,
            }
        }
        if groups.len() == 1 {
            return Ok(joined(groups.pop().expect("one group")));
        }
        let mut list = Vec::new();
        for items in groups {
            if items.len() > 1 && is_system(&items) {
                list.push(Value::System(items));
            } else {
                list.extend(items.into_iter().flat_map(both_signs));
            }
        }
        distribute(&mut list);
        Ok(Value::List(list))
    }

    /// Items apart by commas, gaps and "and".
    fn conjunction(&mut self) -> Reading<Vec<Value>> {
        let mut items = Vec::new();
        let mut all_hold = false;
        loop {
            self.item(&mut items)?;
            let before = self.at;
            while let Some(
                kind @ (Kind::Comma
                | Kind::Gap
                | Kind::And
                | Kind::Condition
                | Kind::Compare(Comparison::Other('∧'))),
            ) = self.peek()
            {
                all_hold |= matches!(kind, Kind::And | Kind::Compare(_));
                self.at += 1;
            }
            // "1 h 45 min" is two quantities.
            let unit = matches!(
                items.last(),
                Some(Value::Quantity(Quantity { unit: Some(_), .. }))
            );
            if self.at == before && unit && matches!(self.peek(), Some(Kind::Number(_))) {
                continue;
            }
            // "1, 2, or 3": the comma belongs to the word.
            let done = matches!(self.peek(), None | Some(Kind::Or | Kind::Semicolon));
            if self.at == before || done {
                // `x > 2 and x < 5` holds for both; with a comma either may be meant.
                if all_hold && speak_of_one_letter(&items) {
                    return Ok(vec![Value::Intersection(items)]);
                }
                return Ok(items);
            }
        }
    }

    /// Reads one item, and a second time where it has two signs inside an expression.
    pub(super) fn item(&mut self, items: &mut Vec<Value>) -> Reading<()> {
        let start = self.at;
        self.item_start = start;
        let met = std::mem::take(&mut self.met_sign);
        let axes = std::mem::take(&mut self.axes);
        let first = self.statement()?;
        items.push(first);
        // Two readings in all, not two for each sign: the upper signs of `a ± b ∓ c` go together.
        // Within the second one nothing is read twice again.
        if self.met_sign && self.sign == Sign::First {
            self.at = start;
            self.sign = Sign::Second;
            let second = self.statement();
            self.sign = Sign::First;
            items.push(second?);
            self.met_sign = met;
        } else {
            self.met_sign |= met;
        }
        self.axes |= axes;
        Ok(())
    }

    /// A word alone, an option letter alone, or a chain of relations.
    fn statement(&mut self) -> Reading<Value> {
        let ends = |kind: Option<&Kind<'_>>| {
            matches!(
                kind,
                None | Some(Kind::Comma | Kind::Semicolon | Kind::And | Kind::Or | Kind::Gap)
            )
        };
        if self.depth == 0 && ends(self.ahead(1)) {
            match self.peek() {
                Some(Kind::Letter(letter @ 'A'..='J')) => {
                    self.at += 1;
                    return Ok(Value::Choice(*letter));
                }
                Some(Kind::Word(word)) if !tables().is_number(&word.to_lowercase()) => {
                    self.at += 1;
                    return Ok(Value::Text(super::words::normalized(word)));
                }
                _ => {}
            }
        }
        if self.depth == 0
            && let Some(name) = self.capitals()
        {
            return Ok(name);
        }
        if self.depth == 0 && self.peek() == Some(&Kind::Circled) {
            return self.circled();
        }
        self.relation()
    }

    /// `AB`, `II`: capitals side by side that are all of the item are a name, no product.
    fn capitals(&mut self) -> Option<Value> {
        let capital = |token: &&Token<'_>| matches!(token.kind, Kind::Letter('A'..='Z'));
        let count = self.tokens[self.at..].iter().take_while(capital).count();
        let ends = matches!(
            self.ahead(count),
            None | Some(Kind::Comma | Kind::Semicolon | Kind::And | Kind::Or)
        );
        if !(2..=8).contains(&count) || !ends {
            return None;
        }
        let run = &self.tokens[self.at..self.at + count];
        self.at += count;
        let letters = run
            .iter()
            .flat_map(|token| self.text[token.start..token.end].chars());
        Some(Value::Text(letters.collect::<String>().to_lowercase()))
    }

    /// `①③`: statements by their numbers.
    fn circled(&mut self) -> Reading<Value> {
        let mut list = Vec::new();
        while self.peek() == Some(&Kind::Circled) {
            let token = &self.tokens[self.at];
            let number: String = self.text[token.start..token.end]
                .chars()
                .filter(char::is_ascii_digit)
                .collect();
            list.push(Value::Text(format!("({number})")));
            self.at += 1;
        }
        Ok(if list.len() == 1 {
            list.remove(0)
        } else {
            Value::List(list)
        })
    }

    /// Operands with comparisons between them.
    pub(super) fn relation(&mut self) -> Reading<Value> {
        // "= 5" and "≈ 5" say no more than 5.
        if let Some(Kind::Compare(Comparison::Equal | Comparison::Approximately)) = self.peek() {
            self.at += 1;
        }
        let mut operands = vec![self.operand(false)?];
        let mut comparisons = Vec::new();
        loop {
            match self.peek() {
                // Between statements these signs are words: `x < 2 \lor x > 5`.
                Some(Kind::Compare(Comparison::Other('∧' | '∨')))
                    if !comparisons.is_empty() || !is_letters(&operands[0]) =>
                {
                    break;
                }
                Some(Kind::Compare(comparison)) => {
                    self.at += 1;
                    // "x = ≈ 3" and "= =" are slips; the last sign counts.
                    let comparison = match self.peek() {
                        Some(Kind::Compare(last)) => {
                            self.at += 1;
                            last
                        }
                        _ => comparison,
                    };
                    operands.push(self.operand(*comparison == Comparison::In)?);
                    comparisons.push(*comparison);
                }
                Some(Kind::ModGroup | Kind::Open(Bracket::Round)) if self.modulus_follows() => {
                    operands.push(self.modulus()?);
                    comparisons.push(Comparison::Congruent);
                }
                _ => break,
            }
        }
        if let ([Comparison::Other('∼')], [name, value]) =
            (comparisons.as_slice(), operands.as_slice())
            && is_behaviour(name, value)
        {
            comparisons[0] = Comparison::Approximately;
        }
        Ok(match comparisons.is_empty() {
            true => operands.pop().expect("one operand"),
            false => Value::Relation(operands, comparisons),
        })
    }

    fn modulus_follows(&self) -> bool {
        self.peek() == Some(&Kind::ModGroup) || self.ahead(1) == Some(&Kind::Mod)
    }

    /// `\pmod{7}` or `(mod 7)`.
    fn modulus(&mut self) -> Reading<Value> {
        if self.accept(&Kind::ModGroup) {
            return Ok(Value::expr(self.argument()?));
        }
        self.at += 2;
        let modulus = self.nested(|reader| reader.expr())?;
        self.expect(&Kind::Close(Bracket::Round))?;
        Ok(Value::expr(modulus))
    }

    /// One side of a relation; `member` where it stands behind `∈`.
    fn operand(&mut self, member: bool) -> Reading<Value> {
        self.skip_openings();
        if member && let Some(set) = self.named_set() {
            return self.combined_sets(set);
        }
        if let Some(value) = self
            .time()
            .or_else(|| self.in_base())
            .or_else(|| self.quotient_and_rest())
        {
            return Ok(value);
        }
        let currency = self.currency();
        let value = match self.number_in_words() {
            Some(value) => value,
            None => self.additive(self.depth == 0)?,
        };
        if let Some(expr) = value.as_expr()
            && currency.is_none()
            && let Some(value) = self.worded_ratio(expr)
        {
            return Ok(value);
        }
        let value = self.combined_sets(value)?;
        let value = if member { open_interval(value) } else { value };
        let value = self.ratio(value)?;
        let value = if self.axes > 0 {
            super::vectors::tuple(value, self.axes)?
        } else {
            value
        };
        self.with_unit(value, currency)
    }

    fn skip_openings(&mut self) {
        if self.depth > 0 {
            return;
        }
        let start = self.at;
        while let Some(Kind::Word(word)) = self.peek() {
            if !tables().opening.contains(word.to_lowercase().as_str()) {
                break;
            }
            self.at += 1;
            self.accept(&Kind::Colon);
        }
        // Openings alone are words like others.
        if self.peek().is_none() {
            self.at = start;
        }
    }

    /// `R` behind `∈`.
    fn named_set(&mut self) -> Option<Value> {
        let Some(Kind::Letter(letter @ ('N' | 'Z' | 'Q' | 'R' | 'C'))) = self.peek() else {
            return None;
        };
        if matches!(self.ahead(1), Some(Kind::Caret | Kind::Underscore)) {
            return None;
        }
        self.at += 1;
        Some(Value::NumberSet(*letter))
    }

    /// Unions, intersections and differences, from left to right.
    fn combined_sets(&mut self, first: Value) -> Reading<Value> {
        let mut value = first;
        let mut changes = 0;
        loop {
            let operation = match self.peek() {
                Some(operation @ (Kind::Cup | Kind::Cap | Kind::SetMinus)) => operation,
                // `A - B` and `A U B` as many write them in plain text.
                Some(Kind::Minus) if is_set(&value) && self.set_follows() => &Kind::SetMinus,
                Some(Kind::Letter('U')) if is_set(&value) || self.set_follows() => &Kind::Cup,
                _ => return Ok(value),
            };
            self.at += 1;
            let right = match self.named_set() {
                Some(set) => set,
                None => self.additive(false)?,
            };
            let right = open_interval(right);
            value = match (operation, open_interval(value)) {
                (Kind::Cup, Value::Union(mut list)) => {
                    list.push(right);
                    Value::Union(list)
                }
                (Kind::Cap, Value::Intersection(mut list)) => {
                    list.push(right);
                    Value::Intersection(list)
                }
                (operation, left) => {
                    // Each operation wraps the value once more, and comparing values recurses into
                    // them.
                    changes += 1;
                    if changes > DEEPEST {
                        return Err(Unreadable);
                    }
                    match operation {
                        Kind::Cup => Value::Union(vec![left, right]),
                        Kind::Cap => Value::Intersection(vec![left, right]),
                        _ => Value::Difference(Box::new(left), Box::new(right)),
                    }
                }
            };
        }
    }

    /// Whether a bracket of a set or of an interval comes next but one.
    fn set_follows(&self) -> bool {
        matches!(
            self.ahead(1),
            Some(Kind::Open(
                Bracket::Brace | Bracket::Group | Bracket::Round | Bracket::Square | Bracket::Open
            ))
        )
    }

    fn ratio(&mut self, first: Value) -> Reading<Value> {
        if self.in_set || self.peek() != Some(&Kind::Colon) {
            return Ok(first);
        }
        let mut parts = vec![plain(first)?];
        while self.accept(&Kind::Colon) {
            let part = self.additive(false)?;
            parts.push(plain(part)?);
        }
        Ok(Value::Ratio(parts))
    }

    /// The style of the next token.
    pub(super) fn style(&self) -> Option<Style> {
        self.tokens.get(self.at).map(|token| token.style)
    }

    pub(super) fn spaced(&self) -> bool {
        self.tokens.get(self.at).is_some_and(|token| token.spaced)
    }
}

/// The expression of a value without a unit.
pub(super) fn plain(value: Value) -> Reading<Expr> {
    match value {
        Value::Quantity(Quantity { expr, unit: None }) => Ok(expr),
        _ => Err(Unreadable),
    }
}

/// Whether a value is a set or an interval.
pub(super) fn is_set(value: &Value) -> bool {
    matches!(
        value,
        Value::NumberSet(_)
            | Value::Interval(_)
            | Value::Set(_)
            | Value::Union(_)
            | Value::Difference(..)
    )
}

/// A pair that stands where only sets can: the interval between its two numbers.
fn open_interval(value: Value) -> Value {
    match value {
        Value::Tuple(list)
            if list.len() == 2 && list.iter().all(|end| matches!(end, Value::Quantity(_))) =>
        {
            let mut ends = list.into_iter().filter_map(|end| match end {
                Value::Quantity(quantity) => Some(quantity.expr),
                _ => None,
            });
            let (lower, upper) = (
                ends.next().expect("two ends"),
                ends.next().expect("two ends"),
            );
            Value::Interval(Interval {
                lower,
                upper,
                lower_closed: false,
                upper_closed: false,
            })
        }
        other => other,
    }
}

/// Whether `name ∼ value` says how a function behaves: triangles and events are similar to names
/// alone, never to a formula.
fn is_behaviour(name: &Value, value: &Value) -> bool {
    fn is_name(expr: &Expr) -> bool {
        match expr {
            Expr::Symbol(_) => true,
            Expr::Product(factors) => factors.iter().all(is_name),
            _ => false,
        }
    }
    match (name.as_expr(), value.as_expr()) {
        (Some(Expr::Call(..)), Some(_)) => true,
        (Some(Expr::Symbol(_)), Some(value)) => !is_name(value),
        _ => false,
    }
}

/// Whether a value is a letter or a set by a letter, which signs of logic may stand between.
fn is_letters(value: &Value) -> bool {
    matches!(
        value,
        Value::Quantity(Quantity {
            expr: Expr::Symbol(_) | Expr::Constant(_) | Expr::Product(_) | Expr::Call(..),
            unit: None
        }) | Value::Text(_)
            | Value::Choice(_)
    )
}

/// Whether all items are inequalities in one and the same letter.
fn speak_of_one_letter(items: &[Value]) -> bool {
    let letter = |item: &Value| match item {
        Value::Relation(operands, signs) => {
            let inequality = signs.iter().all(|sign| {
                matches!(
                    sign,
                    Comparison::Less
                        | Comparison::LessOrEqual
                        | Comparison::Greater
                        | Comparison::GreaterOrEqual
                        | Comparison::NotEqual
                        | Comparison::In
                )
            });
            let letters: Vec<_> = operands.iter().filter_map(Value::as_symbol).collect();
            match letters.as_slice() {
                [letter] if inequality => Some((*letter).clone()),
                _ => None,
            }
        }
        _ => None,
    };
    items.len() > 1
        && letter(&items[0]).is_some()
        && items.iter().all(|item| letter(item) == letter(&items[0]))
}

/// Several items as one value: a system where they are relations that hold together, otherwise a
/// list.
pub(super) fn joined(mut items: Vec<Value>) -> Value {
    if items.len() == 1 {
        return items.pop().expect("one item");
    }
    if is_system(&items) {
        return Value::System(items);
    }
    let mut list: Vec<Value> = items.into_iter().flat_map(both_signs).collect();
    distribute(&mut list);
    Value::List(list)
}

/// Whether relations hold together: equations for different left sides, or inequalities.
fn is_system(items: &[Value]) -> bool {
    let mut seen: Vec<&Value> = Vec::new();
    for item in items {
        let Value::Relation(operands, comparisons) = item else {
            return false;
        };
        let equation = matches!(
            comparisons[0],
            Comparison::Equal | Comparison::Approximately
        );
        let left = &operands[0];
        if equation && left.as_symbol().is_some() {
            // The values of one variable are a list.
            if seen.contains(&left) {
                return false;
            }
            // A limit on what is searched; a name that is repeated behind it goes unnoticed.
            if seen.len() < 32 {
                seen.push(left);
            }
        } else if equation && !matches!(left, Value::Quantity(_)) {
            return false;
        }
    }
    true
}

/// `x = 1, 2` says `x = 1` and `x = 2`.
fn distribute(list: &mut [Value]) {
    let mut left: Option<(Value, Comparison)> = None;
    for value in list {
        match value {
            Value::Relation(operands, comparisons) => {
                let named =
                    operands[0].as_symbol().is_some() || matches!(operands[0], Value::Tuple(_));
                let single = comparisons.len() == 1 && named;
                left = single.then(|| (operands[0].clone(), comparisons[0]));
            }
            Value::Text(_) | Value::Choice(_) | Value::System(_) => left = None,
            _ => {
                if let Some((left, comparison)) = &left {
                    let right = std::mem::replace(value, Value::Set(Vec::new()));
                    *value = Value::Relation(vec![left.clone(), right], vec![*comparison]);
                }
            }
        }
    }
}

/// A value with two signs as its two values.
pub(super) fn both_signs(value: Value) -> Vec<Value> {
    match value {
        Value::PlusMinus(centre, distance) => {
            let centre = centre.unwrap_or_else(|| Expr::integer(0));
            [distance.clone(), distance.negated()]
                .map(|distance| Value::expr(sum(centre.clone(), distance)))
                .into()
        }
        other => vec![other],
    }
}

/// The sum of two expressions, without a zero in front.
pub(super) fn sum(left: Expr, right: Expr) -> Expr {
    match left {
        left if left == Expr::integer(0) => right,
        Expr::Sum(mut terms) => {
            terms.push(right);
            Expr::Sum(terms)
        }
        left => Expr::Sum(vec![left, right]),
    }
}

/// A symbol by its name.
pub(super) fn symbol(name: String) -> Symbol {
    Symbol(name.into_boxed_str())
}
