//! Graph → compositions, by random walks (paper, section 3.3).
//!
//! All topics are walked from in turn, one epoch after another: walk i starts at topic i mod T of
//! epoch i div T. It goes 1 or 2 steps in the topic graph, 1 step to a KP and 0 to 4 steps in the
//! KP graph; each step goes to a neighbour in proportion to w + ε ([`crate::edge_weight`]). The
//! composition is the set of topics and the set of KPs on the way, the first topic included.
//!
//! What the paper leaves open: step counts are drawn uniformly and independently; a node met twice
//! counts once; a concept without neighbours in its own sub-graph stays where it is; a walk that
//! finds no KP gives nothing. Compositions are unique, and stand in the order of their first walks.
//! Walk i draws from numbers of its own ([`random`]), so that the result depends on graph, seed and
//! count alone: not on threads, machines or interruptions. A smaller count gives the start of a
//! larger one's file.
//!
//! A graph can run out of new compositions. The search ends before the count is reached
//! * when 2²⁰ walks in a row, or as many as were asked for if that is more, gave none: by then the
//!   walks that would still give one have together a probability below 3 in a million, at 95 %
//!   confidence (the rule of three);
//! * after 100 walks for each composition asked for and 2²⁴ more.

mod names; // names as JSON strings
mod random; // the random numbers of a walk
mod search; // walks in rounds, until the count or the end
mod stage; // mwpbench mathscale compose
mod steps; // alias tables
mod unique; // compositions found before
mod walk; // one walk

pub use search::{StopReason, WalkOptions, WalkProgress};
pub use stage::{ComposeDetails, ComposeOutcome, ComposePlan, compose, compositions};
