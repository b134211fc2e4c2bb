//! The columns of a suite: its sets and their averages, computed from the figures of the sets, so
//! that runs that asked more than the suite have them too.

use dataset_loader::Benchmark;
use evaluation::{Scorer, SetSummary, Suite, SuiteAverages, macro_average, micro_average};

use super::columns::{Column, ColumnKind};
use super::entry::Entry;
use super::notes::Note;

/// The sets of the suite in its order, and its two averages before them.
pub(crate) fn columns(benchmark: &Benchmark, suite: &Suite) -> Vec<Column> {
    let average = |name: &str, is_macro| {
        let name = format!("{} {name}", suite.name);
        let kind = ColumnKind::Suite {
            suite: suite.clone(),
            is_macro,
        };
        Column::new(&name, &name, kind)
    };
    let mut columns = vec![average("micro", false), average("macro", true)];
    let sets = suite.sets.iter().filter_map(|name| benchmark.set(name));
    columns.extend(sets.map(|set| Column::new(&set.name, &set.title, ColumnKind::Set)));
    columns
}

/// The average over those sets of the suite that a run asked: accuracy, interval and items.
pub(crate) fn average(
    entry: &Entry,
    suite: &Suite,
    is_macro: bool,
    scorer: Scorer,
) -> Option<(f64, Option<[f64; 2]>, usize)> {
    let sets = || asked(entry, suite);
    let accuracy = |set: &SetSummary| match scorer {
        Scorer::Official => set.counts.official.accuracy,
        Scorer::Strict => set.counts.strict.accuracy,
    };
    let value = match is_macro {
        true => macro_average(sets().map(accuracy)),
        false => micro_average(sets().map(|set| (set.counts.n, accuracy(set)))),
    }?;
    // The run's own, where it asked this suite of the same sets.
    let is_same = |own: &&SuiteAverages| {
        own.suite == suite.name && sets().map(|set| &set.set).eq(own.sets.iter())
    };
    let own = entry.summary.suites.iter().find(is_same);
    let interval = own.and_then(|own| {
        let averages = if is_macro { own.macro_ } else { own.micro };
        match scorer {
            Scorer::Official => averages.official_interval,
            Scorer::Strict => averages.strict_interval,
        }
    });
    // A single point would claim a certainty that nobody has.
    let interval = interval.filter(|[low, high]| low < high);
    Some((value, interval, sets().map(|set| set.counts.n).sum()))
}

/// What is to be said of a suite's average of a run: that sets are missing, or asked in part.
pub(crate) fn notes(entry: &Entry, suite: &Suite, marked: bool) -> Vec<Note> {
    let missing: Vec<&str> = suite
        .sets
        .iter()
        .filter(|name| !asked(entry, suite).any(|set| set.set == **name))
        .map(String::as_str)
        .collect();
    let mut notes = Vec::new();
    if !missing.is_empty() {
        notes.push(Note::apart(format!(
            "{}: average over {} of {} sets, without {}",
            suite.name,
            suite.sets.len() - missing.len(),
            suite.sets.len(),
            missing.join(", ")
        )));
    }
    let parts: Vec<String> = asked(entry, suite)
        .filter(|set| !marked && set.counts.n != set.expected)
        .map(|set| {
            format!(
                "{} {} in place of {}",
                set.title, set.counts.n, set.expected
            )
        })
        .collect();
    if !parts.is_empty() {
        notes.push(Note::apart(format!(
            "other numbers of problems than the publishers': {}",
            parts.join(", ")
        )));
    }
    notes
}

fn asked<'a>(entry: &'a Entry, suite: &'a Suite) -> impl Iterator<Item = &'a SetSummary> {
    let own = entry.summary.sets.iter();
    own.filter(|set| suite.sets.contains(&set.set))
}
