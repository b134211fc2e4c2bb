//! Tokens: what the lexer hands to the reader.

use crate::{
    expr::{Constant, Function, Number},
    value::Comparison,
};

/// A token and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Token<'t> {
    /// What it is.
    pub kind: Kind<'t>,
    /// Its first byte in the text.
    pub start: usize,
    /// The byte behind it.
    pub end: usize,
    /// Whether white space stands before it.
    pub spaced: bool,
    /// What sort of text it stands in.
    pub style: Style,
}

/// What sort of text a token stands in: decides whether letters are variables or words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    /// Between dollar signs or their like.
    Math,
    /// In a text without dollar signs: either.
    Bare,
    /// In `\text{…}`, `\mathrm{…}` and their like.
    Words,
    /// Outside the dollar signs of a text that has some.
    Prose,
}

/// What a token is.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind<'t> {
    Number(Number),
    /// One letter, a variable most of the time.
    Letter(char),
    /// A letter with a name, such as `alpha`.
    Name(&'t str),
    Constant(Constant),
    /// `\mathbf{i}`, `\hat{j}` and their like: 0, 1 or 2.
    UnitVector(u8),
    /// Letters that are no product of variables.
    Word(&'t str),
    Function(Named),
    /// A name in upright letters before an argument that no table knows: a function, no unit.
    Operator(&'t str),
    Plus,
    Minus,
    PlusMinus,
    MinusPlus,
    Times,
    Divide,
    Caret,
    Underscore,
    Bang,
    Prime,
    Percent,
    /// The degree sign, with its caret.
    Degree,
    Compare(Comparison),
    Cup,
    Cap,
    SetMinus,
    Open(Bracket),
    Close(Bracket),
    Bar,
    /// `\mid`, which never opens anything.
    Mid,
    DoubleBar,
    Comma,
    Semicolon,
    Colon,
    /// A wide space, a new line or the end of a formula: ends an item where one could end.
    Gap,
    And,
    Or,
    /// "if", "for", "when", "where".
    Condition,
    Otherwise,
    /// `&` in an environment.
    Cell,
    /// `\\` in an environment.
    Row,
    Begin(Environment),
    End,
    Frac,
    Sqrt,
    Binomial,
    /// A sign over letters, such as `overline` or `vec`.
    Accent(&'t str),
    /// A sign before letters, such as `angle`.
    Prefix(&'t str),
    NumberSet(char),
    EmptySet,
    Dots,
    /// A currency sign, by the currency's name.
    Currency(&'static str),
    Circled,
    /// `\sum`, `\prod`, `\int`, `\lim`.
    Large(Large),
    Mod,
    /// `\pmod`, `\pod`.
    ModGroup,
    /// `p.m.` (true) or `a.m.`.
    Meridiem(bool),
    /// Whatever has no meaning here: the text will be compared as text.
    Unknown,
}

/// A function by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Named {
    Known(Function),
    Exp,
    /// Decimal logarithm.
    Lg,
    /// Kept as written, such as `det`.
    Opaque(&'static str),
    /// One over another function, as `sech` is.
    Reciprocal(Function),
    CubeRoot,
    /// `cis x` is `cos x + i sin x`.
    Cis,
}

/// Brackets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bracket {
    Round,
    Square,
    /// The open end of an interval, which a bracket that faces outward wrote.
    Open,
    /// `\{`.
    Brace,
    /// `{`, which groups and is not seen.
    Group,
    Angle,
    Floor,
    Ceil,
    /// `\right.`
    Nothing,
}

/// Environments of rows and cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Environment {
    Matrix,
    /// `vmatrix`: a determinant.
    Determinant,
    Cases,
    /// `array`: a matrix or cases, by the brackets around it.
    Array,
}

/// Operators with bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Large {
    Sum,
    Product,
    Integral,
    Limit,
}

impl Kind<'_> {
    /// Whether it stands between two others: nothing ends with it, and nothing starts with it.
    fn joins(&self) -> bool {
        matches!(
            self,
            Self::Plus
                | Self::Times
                | Self::Divide
                | Self::Caret
                | Self::Underscore
                | Self::Compare(_)
                | Self::Cup
                | Self::Cap
                | Self::SetMinus
                | Self::Mid
                | Self::Comma
                | Self::Semicolon
                | Self::Colon
                | Self::Gap
                | Self::And
                | Self::Or
                | Self::Condition
                | Self::Cell
                | Self::Row
        )
    }

    /// Whether something must follow: an operator, an opening bracket, a comma.
    pub(super) fn expects_more(&self) -> bool {
        self.joins()
            || matches!(
                self,
                Self::Minus | Self::PlusMinus | Self::MinusPlus | Self::Open(_) | Self::Begin(_)
            )
    }

    /// Whether it cannot start anything, so that a gap before it separates nothing.
    pub(super) fn continues(&self) -> bool {
        self.joins()
            || matches!(
                self,
                Self::Bang
                    | Self::Percent
                    | Self::Degree
                    | Self::Close(_)
                    | Self::Otherwise
                    | Self::End
                    | Self::ModGroup
            )
    }
}
