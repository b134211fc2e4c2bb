//! What a step is made of.

use std::ops::Range;

/// The id of a sequence in the KV cache, from
/// [`KvCache::add_sequence`](crate::kv_cache::KvCache::add_sequence) to
/// [`KvCache::free`](crate::kv_cache::KvCache::free).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SeqId(pub(crate) usize);

/// The token of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RowToken {
    Known(u32),
    /// The one that the step before chose for its so-and-so-many-th wanted row, which the host may
    /// not have read yet.
    Chosen(u32),
}

/// One token of a step: which, of which sequence, and at which position.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    pub(crate) token: RowToken,
    pub(crate) seq: SeqId,
    pub(crate) position: usize,
    /// Tokens that the sequence had when this one was first computed (see
    /// [`RopePosition`](crate::rope::RopePosition)).
    pub(crate) length: usize,
}

/// Positions that the row at `position` sees: its sliding window, or all up to its own.
pub(crate) fn visible(position: usize, window: Option<usize>) -> Range<usize> {
    window.map_or(0, |window| (position + 1).saturating_sub(window))..position + 1
}
