//! Where all work of the scorer is done: guarded, apart from forks, on a stack that is large enough,
//! and without the interpreter's lock.

use pyo3::prelude::*;

use crate::forking::unforked;
use crate::guarded::{Panicked, guarded};

/// Bytes of stack that the deepest formula takes (64 levels: three quarters of a megabyte in a
/// release), with something to spare.
const NEEDED: usize = 2 << 20;
/// Bytes of the stack that is made where less is left: threads of musl begin with 128 KiB, and
/// Python can be told to give any thread as little.
const LARGE: usize = 8 << 20;

/// Does work of the scorer with the interpreter's lock released. Whoever kept it and waited for a fork
/// to be over would wait for ever: what forks needs it.
///
/// # Errors
/// The work panicked.
pub fn judging<T: Send>(py: Python<'_>, work: impl FnOnce() -> T + Send) -> Result<T, Panicked> {
    py.detach(|| judging_detached(work))
}

/// Does work of the scorer on a thread that does not hold the interpreter's lock.
///
/// # Errors
/// The work panicked.
pub fn judging_detached<T>(work: impl FnOnce() -> T) -> Result<T, Panicked> {
    guarded(|| unforked(|| stacker::maybe_grow(NEEDED, LARGE, work)))
}
