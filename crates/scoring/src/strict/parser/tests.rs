//! Forms of answers and what each is read as.
use super::parse;
use crate::strict::show::show;
