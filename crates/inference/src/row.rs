//! What a step is made of.

use crate::kv_cache::Slot;

/// One token to compute: which, for whom, and where.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    pub(crate) token: u32,
    pub(crate) slot: Slot,
    pub(crate) position: usize,
    /// Tokens that the sequence had when this one was first read (see [`Place`]).
    pub(crate) length: usize,
}
