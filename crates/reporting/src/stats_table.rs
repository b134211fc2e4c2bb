//! What is at hand of each set beside what table 1 of the paper counts.

use comfy_table::{Cell, Table};
use dataset_loader::{DataOrigin, ProblemCount, SetStats, Stats, grouped};

use crate::table::framed;

/// A table of the sets and their tasks with test and training problems in the paper and at hand,
/// and below it why they differ.
pub fn stats_text(stats: &Stats, width: Option<u16>) -> String {
    let header = [
        "set",
        "name",
        "table 1",
        "at hand",
        "train, table 1",
        "train at hand",
    ];
    let mut table = framed(header, &[2, 3, 4, 5], width);
    let mut note = Notes::default();
    for set in &stats.sets {
        add_set(&mut table, set, &mut note);
    }
    let ten = stats.sets.iter().filter(|set| set.in_average).count();
    let total = format!("the {ten} averaged sets");
    table.add_row(row(&total, "", stats.test, Some(stats.train)));
    let mut text = format!("{}\n", table.trim_fmt());
    text.push_str("Table 1 is the paper's (arXiv:2403.02884).");
    text.push_str(match stats.origin {
        DataOrigin::Bundled => " At hand are the bundled problems, which are not the benchmark.\n",
        DataOrigin::Files { .. } => "\n",
    });
    for (set, note) in note.0 {
        text.push_str(&format!("{set}: {note}.\n"));
    }
    for file in &stats.passed_over {
        text.push_str(&format!(
            "{}: not in the record form, so not counted as training problems.\n",
            file.display()
        ));
    }
    text
}

/// Notes below the table, each with its set.
#[derive(Default)]
struct Notes(Vec<(String, String)>);

fn add_set(table: &mut Table, set: &SetStats, notes: &mut Notes) {
    let name = if set.in_average {
        set.title.clone()
    } else {
        format!("{} *", set.title)
    };
    table.add_row(row(&name, &set.set, set.test, Some(set.train)));
    for task in &set.tasks {
        table.add_row(row("", &task.task, task.test, None));
    }
    notes.0.extend(
        set.notes
            .iter()
            .map(|note| (set.title.clone(), note.clone())),
    );
}

fn row(set: &str, task: &str, test: ProblemCount, train: Option<ProblemCount>) -> [Cell; 6] {
    let paper = |counted: ProblemCount| counted.paper.map_or("–".to_string(), grouped);
    let (train_paper, train_at_hand) = match train {
        Some(train) => (paper(train), grouped(train.at_hand)),
        None => (String::new(), String::new()),
    };
    [
        set.to_string(),
        task.to_string(),
        paper(test),
        grouped(test.at_hand),
        train_paper,
        train_at_hand,
    ]
    .map(Cell::new)
}
