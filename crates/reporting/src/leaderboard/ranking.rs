//! Rows → groups in order, with the best figures marked.

use super::published::published_bases;
use super::rows::Row;
use evaluation::Scorer;

/// Rows under one heading.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    /// The heading.
    pub name: String,
    /// The rows in order.
    pub rows: Vec<Row>,
}

/// Heading of runs whose base model is not known, where others' is.
const NO_BASE: &str = "base not tagged";
const BUNDLED: &str = "bundled (not MwpBench)";

/// By what rows are sorted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// By the figures of a column.
    Column(usize),
    /// By name, from A to Z.
    Model,
}

/// Puts rows under their base models (the paper's first, in its order; bundled problems last and apart),
/// sorts each group and marks the best.
pub(crate) fn groups(rows: Vec<Row>, order: Order, ascending: bool) -> Vec<Group> {
    let mut groups: Vec<Group> = published_bases()
        .into_iter()
        .map(|base| Group {
            name: base.to_string(),
            rows: Vec::new(),
        })
        .collect();
    let (samples, real): (Vec<Row>, Vec<Row>) = rows.into_iter().partition(|row| row.samples);
    let (based, baseless): (Vec<Row>, Vec<Row>) =
        real.into_iter().partition(|row| row.base.is_some());
    for row in based.into_iter().chain(baseless).chain(samples) {
        let name = heading(&row);
        match groups
            .iter_mut()
            .find(|group| group.name.eq_ignore_ascii_case(&name))
        {
            Some(group) => group.rows.push(row),
            None => groups.push(Group {
                name,
                rows: vec![row],
            }),
        }
    }
    groups.retain(|group| !group.rows.is_empty());
    for group in &mut groups {
        sort(&mut group.rows, order, ascending);
        mark_best(&mut group.rows);
    }
    groups
}

fn heading(row: &Row) -> String {
    match (&row.base, row.samples) {
        (Some(base), false) => base.clone(),
        (Some(base), true) => format!("{base}, {BUNDLED}"),
        (None, false) => NO_BASE.to_string(),
        (None, true) => BUNDLED.to_string(),
    }
}

/// Rows of one run stay together, the official scorer's first; runs without the figure come last
/// either way.
fn sort(rows: &mut Vec<Row>, order: Order, ascending: bool) {
    let mut runs: Vec<Vec<Row>> = Vec::new();
    for row in rows.drain(..) {
        match runs.last_mut() {
            Some(run) if row.folder.is_some() && run[0].folder == row.folder => run.push(row),
            _ => runs.push(vec![row]),
        }
    }
    match order {
        Order::Model => runs.sort_by_key(|run| run[0].label.to_lowercase()),
        Order::Column(column) => {
            runs.sort_by(
                |one, other| match (one[0].accuracy(column), other[0].accuracy(column)) {
                    (Some(one), Some(other)) if ascending => one.total_cmp(&other),
                    (Some(one), Some(other)) => other.total_cmp(&one),
                    (one, other) => one.is_none().cmp(&other.is_none()),
                },
            )
        }
    }
    rows.extend(runs.into_iter().flatten());
}

/// Marks the best figure of each column and scorer among those that can be compared: figures of
/// whole sets by the official protocol where there are any, else all where they are of one kind.
/// One alone is not the best of anything.
fn mark_best(rows: &mut [Row]) {
    let columns = rows.first().map_or(0, |row| row.figures.len());
    for (scorer, column) in Scorer::ALL
        .into_iter()
        .flat_map(|scorer| (0..columns).map(move |column| (scorer, column)))
    {
        let mut figures: Vec<_> = rows
            .iter_mut()
            .filter(|row| row.scorer == scorer)
            .filter_map(|row| row.figures[column].as_mut())
            .collect();
        if figures.iter().any(|figure| figure.class.is_empty()) {
            figures.retain(|figure| figure.class.is_empty());
        }
        let one_class = figures
            .windows(2)
            .all(|pair| pair[0].class == pair[1].class);
        if figures.len() < 2 || !one_class {
            continue;
        }
        // As printed: what looks equal is equally good.
        let printed = |accuracy: f64| crate::wording::percent(accuracy);
        let best = figures
            .iter()
            .map(|figure| figure.accuracy)
            .fold(0.0, f64::max);
        // Where all are equal, and where the best solved nothing, nothing is better.
        let all_equal = figures
            .iter()
            .all(|figure| printed(figure.accuracy) == printed(best));
        for figure in figures.into_iter().filter(|_| best > 0.0 && !all_equal) {
            figure.best = printed(figure.accuracy) == printed(best);
        }
    }
}
