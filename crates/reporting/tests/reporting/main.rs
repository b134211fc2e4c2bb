//! What the tables look like.

mod data; // problems, imports and counts
mod gate; // what a gate says, in four forms
mod item; // the story of one item
mod leaderboard; // models × sets, and the runs that are refused
mod leaderboard_pictures; // the two charts, and LaTeX that compiles
mod overlap; // which test items training files contain
mod summary; // the table of a run

/// Asserts that what is printed fits terminals of three widths, and keeps all of it as snapshots.
fn at_each_width(name: &str, text: impl Fn(u16) -> String) {
    for width in [80, 100, 120] {
        let text = text(width);
        // As the terminal gets it: prose is broken between words.
        let text = reporting::broken_lines(&text, width.into());
        let widest = text.lines().map(|line| line.chars().count()).max();
        assert!(widest.unwrap_or(0) <= usize::from(width), "{width}: {text}");
        insta::assert_snapshot!(format!("{name}_{width}"), text);
    }
}
