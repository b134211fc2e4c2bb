//! Templates and files against what transformers makes of them, and what goes wrong.

mod errors; // refusals, faults, endless templates
mod files; // where templates and special tokens are found
mod recorded; // what transformers made of the same
mod rendering; // dates, variables, ends of turns, properties
