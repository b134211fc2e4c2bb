//! What a comparison overlooks.

use serde::{Deserialize, Serialize};

/// What a comparison overlooks. The default is what a careful reader overlooks where the question
/// is not known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Units of measurement and currencies.
    pub units: Units,
    /// Per cent signs.
    pub percent: Percent,
    /// The order of a list is part of the answer.
    pub ordered: bool,
}

/// Whether a unit may be missing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Units {
    /// `5` answers `5 cm`; `5 m` does not.
    #[default]
    MayBeMissing,
    /// As before, and `2 h` answers `120 min`.
    MayBeConverted,
    /// A unit of measurement or a currency must stand on both sides or on none.
    MustAgree,
}

/// What a per cent sign means beside a number without one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Percent {
    /// `50 %` is `0.5`, and `50` where the sign is merely missing.
    #[default]
    SignMayBeMissing,
    /// `50 %` is `0.5` and nothing else.
    IsAHundredth,
}
