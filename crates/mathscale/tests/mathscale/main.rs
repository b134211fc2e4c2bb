//! The stages on files, as the binary runs them.

mod project; // what a project keeps, refuses and calls stale
