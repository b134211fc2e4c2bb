//! Which test items occur in training files: a table of the sets, and examples side by side.

use comfy_table::Cell;
use dataset_loader::Benchmark;
use overlap::{MatchedItem, OverlapReport, TrainingMatch};

use crate::table::framed;
use crate::wording::{counted, one_line, percent};

/// Characters of a question that can be compared at a glance.
const MAX_CHARS: usize = 400;

/// How the findings are laid out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OverlapLayout {
    /// Columns of the terminal; `None` where the text goes elsewhere.
    pub width: Option<u16>,
    /// Most examples of a set.
    pub examples: usize,
}

/// The table, what its columns mean, and the best matches of each set beside each other.
pub fn overlap_text(
    benchmark: &Benchmark,
    report: &OverlapReport,
    layout: OverlapLayout,
) -> String {
    let mut text = sets(benchmark, report, layout.width);
    text.push_str(&notes(report));
    let examples = examples(report, layout.examples);
    if !examples.is_empty() {
        text.push('\n');
        text.push_str(&side_by_side(&examples, layout.width));
    }
    text
}

fn sets(benchmark: &Benchmark, report: &OverlapReport, width: Option<u16>) -> String {
    let mut table = framed(
        [
            "set",
            "items",
            "exact",
            "n-gram",
            "near",
            "contaminated",
            "percent",
        ],
        &[1, 2, 3, 4, 5, 6],
    );
    let row = |name: &str, counts: [usize; 5]| {
        let [items, .., contaminated] = counts;
        let share = percent(contaminated as f64 / items.max(1) as f64);
        let counts = counts.map(|count| count.to_string());
        [name.to_string()]
            .into_iter()
            .chain(counts)
            .chain([share])
            .map(Cell::new)
            .collect::<Vec<_>>()
    };
    let mut all = [0; 5];
    for set in &report.sets {
        let counts = [set.items, set.exact, set.ngram, set.near, set.contaminated];
        all.iter_mut()
            .zip(counts)
            .for_each(|(sum, count)| *sum += count);
        table.add_row(row(
            benchmark
                .set(&set.set)
                .map_or(&set.set, |known| &known.title),
            counts,
        ));
    }
    if report.sets.len() > 1 {
        table.add_row(row("all", all));
    }
    table.text(width)
}

fn notes(report: &OverlapReport) -> String {
    let options = &report.options;
    let records: usize = report.training.iter().map(|file| file.records).sum();
    let questions: usize = report.training.iter().map(|file| file.questions).sum();
    let files = match report.training.as_slice() {
        [file] => file.path.display().to_string(),
        files => counted(files.len(), "file"),
    };
    format!(
        "Looked up: {} of {} in {files}.\n\
         exact: the same words, numbers and signs. n-gram: {} words in a row of the item are in a training question (shorter items: all of it, from {} words).\n\
         near: three-word shingles with a Jaccard index of at least {}. contaminated: exact, near, or {} % of the item's n-grams in one question.\n",
        counted(questions, "question"),
        counted(records, "record"),
        options.ngram,
        options.min_words(),
        options.min_jaccard,
        percent(options.min_share).trim_end_matches(".0"),
    )
}

/// The best matches of each set, in the order of the sets.
fn examples(report: &OverlapReport, most: usize) -> Vec<(&MatchedItem, &TrainingMatch)> {
    let of_set = |set: &str| {
        let mut found: Vec<(&MatchedItem, &TrainingMatch)> = report
            .items
            .iter()
            .filter(|item| item.set == set)
            .filter_map(|item| Some((item, item.best()?)))
            .collect();
        found.sort_by(|(one, best), (other, next)| {
            let rank = |item: &MatchedItem, best: &TrainingMatch| {
                (item.exact.is_some(), item.near.is_some(), best.score)
            };
            rank(other, next)
                .partial_cmp(&rank(one, best))
                .unwrap_or(std::cmp::Ordering::Equal)
        });
        found.truncate(most);
        found
    };
    report
        .sets
        .iter()
        .flat_map(|set| of_set(&set.set))
        .collect()
}

fn side_by_side(examples: &[(&MatchedItem, &TrainingMatch)], width: Option<u16>) -> String {
    const ELSEWHERE: u16 = 150;
    let mut table = framed(["test item", "training question"], &[]);
    for (item, best) in examples {
        let own = format!("{}\n{}", item.id, one_line(&item.question, MAX_CHARS));
        let other = format!(
            "{}: {}\n{}",
            best.place(),
            how(item),
            one_line(&best.question, MAX_CHARS)
        );
        table.add_row([own, other].map(Cell::new));
    }
    table.text(Some(width.unwrap_or(ELSEWHERE)))
}

fn how(item: &MatchedItem) -> String {
    match (&item.exact, &item.near, &item.ngram) {
        (Some(_), ..) => "exact".to_string(),
        (None, Some(near), _) => format!("near, Jaccard index {:.2}", near.score),
        (None, None, Some(ngram)) => format!("{} % of the n-grams", percent(ngram.score)),
        (None, None, None) => String::new(),
    }
}
