//! What the tables look like.

mod data; // problems, imports and counts
mod gate; // what a gate says, in four forms
mod item; // the story of one item
mod leaderboard; // models × sets, and the runs that are refused
mod leaderboard_pictures; // the two charts, and LaTeX that compiles
mod overlap; // which test items training files contain
mod summary; // the table of a run
