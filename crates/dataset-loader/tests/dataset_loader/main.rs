//! What the loader promises: the description files, the samples, the record form, and what it says
//! of bad data.

mod benchmark; // datasets/*/dataset.toml against table 1 of the paper
mod counting; // counts beside table 1, draws, ids
mod importing; // publishers' own files
mod own; // sets of one's own
mod records; // the record form and its errors
mod samples; // what the embedded samples must hold
mod shared; // the real files, where they are at hand
