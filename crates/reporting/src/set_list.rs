//! Which sets there are, and what the data at hand hold of them.

use comfy_table::Cell;
use dataset_loader::{Benchmark, Data};

use crate::table::framed;

/// A table of the sets with level, language, tasks, published test problems, and problems in the
/// data at hand.
pub fn set_list(benchmark: &Benchmark, data: &Data, width: Option<u16>) -> String {
    let mut table = framed(
        [
            "set",
            "name",
            "level",
            "language",
            "tasks",
            "published",
            "at hand",
        ],
        &[4, 5, 6],
        width,
    );
    for set in benchmark.sets() {
        let at_hand = data
            .problems
            .iter()
            .filter(|problem| problem.set == set.name)
            .count();
        table.add_row(
            [
                set.name.clone(),
                set.title.clone(),
                set.level.clone(),
                set.language.clone(),
                set.tasks.len().to_string(),
                set.count().to_string(),
                at_hand.to_string(),
            ]
            .map(Cell::new),
        );
    }
    format!("{}\n", table.trim_fmt())
}
