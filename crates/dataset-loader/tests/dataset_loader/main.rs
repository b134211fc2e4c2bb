//! What the loader promises: the description files, the samples, the record form, and what it says
//! of bad data.

mod benchmark; // datasets/*/dataset.toml against table 1 of the paper
mod bundled; // the bundled problems
mod counting; // counts beside table 1, draws, ids
mod custom; // custom data sets
mod importing; // publishers' own files
mod records; // the record form and its errors
mod shared; // the real files, where they are at hand
