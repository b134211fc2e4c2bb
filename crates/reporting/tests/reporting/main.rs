//! What the tables look like.

mod item; // the story of one item
mod summary; // the table of a run
