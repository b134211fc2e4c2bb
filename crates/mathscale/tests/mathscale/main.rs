//! The stages on files, as the binary runs them.

mod by_model; // a generator that answers rubbish, fails, is cut off
mod compose; // walks: reproducible, unique, ending
mod exporting; // training files
mod extract; // annotations to seeds and concepts
mod generating; // pairs by a scripted generator
mod graph; // the graph, its files and its figures
mod project; // what a project refuses and calls stale
mod recipes; // a trainer's folder, and its scripts
mod screening; // which pairs are kept
mod validating; // pairs judged
