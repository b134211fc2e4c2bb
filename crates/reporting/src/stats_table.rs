//! What is at hand of each set beside what table 1 of the paper counts.

use dataset_loader::{DataOrigin, ProblemCount, Stats, grouped};

use crate::table::{Frame, first_that_fits, framed};
use crate::wording::task_of_set;

/// A table of the sets and their tasks with test and training problems in the paper and at hand,
/// and below it why they differ.
pub fn stats_text(stats: &Stats, width: Option<u16>) -> String {
    let tables = [true, false].map(|named| table(stats, named));
    let mut text = first_that_fits(&tables, width);
    text.push_str("Table 1 is the paper's (arXiv:2403.02884).");
    text.push_str(match stats.origin {
        DataOrigin::Bundled => " At hand are the bundled problems, which are not the benchmark.\n",
        DataOrigin::Files { .. } => "\n",
    });
    if stats.sets.iter().any(|set| set.on_request) {
        text.push_str(
            "Of the further sets, which are in no average, it is what their publishers count.\n",
        );
    }
    for set in &stats.sets {
        text.extend(
            set.notes
                .iter()
                .map(|note| format!("{}: {note}.\n", set.title)),
        );
    }
    for file in &stats.passed_over {
        text.push_str(&format!(
            "{}: not in the record form, so not counted as training problems.\n",
            file.display()
        ));
    }
    text
}

/// The table with the sets' written names, or with their short names and the tasks below them.
fn table(stats: &Stats, named: bool) -> Frame {
    let names: &[&str] = if named { &["set", "name"] } else { &["set"] };
    let counts = ["table 1", "at hand", "train, table 1", "train at hand"];
    let numbers: Vec<usize> = (0..counts.len()).map(|place| names.len() + place).collect();
    let mut table = framed(names.iter().copied().chain(counts), &numbers);
    for set in &stats.sets {
        let mark = if set.in_average { "" } else { " *" };
        let names = match named {
            true => vec![format!("{}{mark}", set.title), set.set.clone()],
            false => vec![format!("{}{mark}", set.set)],
        };
        table.add_row(row(names, set.test, Some(set.train)));
        for task in &set.tasks {
            let names = match named {
                true => vec![String::new(), task.task.clone()],
                false => vec![format!("  {}", task_of_set(&task.task))],
            };
            table.add_row(row(names, task.test, None));
        }
    }
    let ten = stats.sets.iter().filter(|set| set.in_average).count();
    let mut names = vec![format!("the {ten} averaged sets")];
    names.resize(if named { 2 } else { 1 }, String::new());
    table.add_row(row(names, stats.test, Some(stats.train)));
    table
}

fn row(names: Vec<String>, test: ProblemCount, train: Option<ProblemCount>) -> Vec<String> {
    let paper = |counted: ProblemCount| counted.paper.map_or("–".to_string(), grouped);
    let (train_paper, train_at_hand) = match train {
        Some(train) => (paper(train), grouped(train.at_hand)),
        None => (String::new(), String::new()),
    };
    let counts = [
        paper(test),
        grouped(test.at_hand),
        train_paper,
        train_at_hand,
    ];
    names.into_iter().chain(counts).collect()
}
