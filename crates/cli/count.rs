//! Whole numbers from 1 on, refused in words.

use std::fmt::Display;
use std::str::FromStr;

/// A number of things of which there is at least one.
pub fn count<T: FromStr + Display>(text: &str) -> Result<T, String> {
    let refused = "expected a whole number, at least 1";
    text.parse().map_err(|_| refused.to_string())
}
