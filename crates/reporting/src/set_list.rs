//! Which sets there are, and what the data at hand hold of them.

use comfy_table::Cell;
use dataset_loader::{Benchmark, Data, Problem};

use crate::table::{Frame, first_that_fits, framed};

/// A table of the sets with level, language, tasks, published test problems, and problems in the
/// data at hand; without their written names where these do not fit. The further sets stand in a
/// table of their own below.
pub fn set_list(benchmark: &Benchmark, data: &Data, width: Option<u16>) -> String {
    let of = |further| {
        let tables = [true, false].map(|named| table(benchmark, data, named, further));
        first_that_fits(&tables, width)
    };
    format!(
        "{}Further sets, asked where --tasks names them or a suite that has them:\n{}",
        of(false),
        of(true)
    )
}

fn table(benchmark: &Benchmark, data: &Data, named: bool, further: bool) -> Frame {
    let first = usize::from(named);
    let header = [Some("set"), named.then_some("name")];
    let rest = ["level", "language", "tasks", "published", "at hand"];
    let header = header.into_iter().flatten().chain(rest);
    let mut table = framed(header, &[first + 3, first + 4, first + 5]);
    for set in benchmark
        .sets()
        .iter()
        .filter(|set| set.on_request == further)
    {
        let of_set = |problem: &&Problem| problem.set == set.name;
        let at_hand = data.problems.iter().filter(of_set).count();
        let cells = [Some(&set.name), named.then_some(&set.title)];
        let rest = [
            set.level.clone(),
            set.language.clone(),
            set.tasks.len().to_string(),
            set.count().to_string(),
            at_hand.to_string(),
        ];
        table.add_row(
            cells
                .into_iter()
                .flatten()
                .cloned()
                .chain(rest)
                .map(Cell::new),
        );
    }
    table
}
