//! The table of a finished run.

use comfy_table::{Attribute, Cell};
use evaluation::{
    Averages, Counts, DeduplicatedAverages, RepeatedItems, Scorer, SetSummary, SuiteAverages,
    Summary,
};

use crate::interval::{Average, average_interval, is_point, stored_interval};
use crate::table::{Frame, first_that_fits, framed};
use crate::wording::{broken_lines, counted, first_names, percent, percent_range, task_of_set};

/// Ids named in a note.
const MAX_IDS: usize = 5;

/// How the table of a run is laid out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SummaryTable {
    /// Columns of the terminal; `None` where the table may be as wide as it needs to be.
    pub width: Option<u16>,
    /// Whether the tasks of a set get rows of their own.
    pub by_task: bool,
    /// Whether averages may be set in bold.
    pub styled: bool,
}

/// Columns that only the wide table has: what they hold stands in lines below the narrow one.
const WIDE_ONLY: [usize; 3] = [1, 7, 8];

/// Title, table and the notes that its numbers need. Accuracies are percentages by both scorers;
/// the interval is the strict one's at 95 %: Wilson's of a set, a stratified bootstrap's of an
/// average. In a narrow terminal sets go by their short names, and what would not fit into 80
/// columns stands below the table.
pub fn summary_table(summary: &Summary, layout: SummaryTable) -> String {
    let wide = table(summary, layout, false);
    let narrow = !wide.fits(layout.width);
    let chosen = match narrow {
        true => table(summary, layout, true),
        false => wide,
    };
    let mut text = fitted(&[title(summary)], layout.width);
    text.push_str(&chosen.text(layout.width));
    text.extend(pass_and_majority(summary, layout.width));
    let mut paragraphs = match narrow {
        true => counts_below(summary),
        false => Vec::new(),
    };
    paragraphs.extend(tokens(summary));
    paragraphs.extend(notes(summary));
    text.push_str(&fitted(&paragraphs, layout.width));
    text
}

/// The table with all columns and the sets' written names, or the narrow one.
fn table(summary: &Summary, layout: SummaryTable, narrow: bool) -> Frame {
    let fits = |column: &usize| !narrow || !WIDE_ONLY.contains(column);
    const HEADER: [&str; 9] = [
        "set",
        "level",
        "n",
        "official",
        "strict",
        "95 % interval",
        "no answer",
        "truncated",
        "failed",
    ];
    let columns: Vec<usize> = (0..HEADER.len()).filter(fits).collect();
    let numbers: Vec<usize> = (0..columns.len())
        .filter(|&place| columns[place] > 1)
        .collect();
    let header = columns.iter().map(|&column| HEADER[column]);
    let mut table = framed(header, &numbers).styled(layout.styled);
    let row = |cells: Vec<String>| -> Vec<String> {
        let mut cells = cells;
        cells.resize(HEADER.len(), String::new());
        columns
            .iter()
            .map(|&column| std::mem::take(&mut cells[column]))
            .collect()
    };
    for set in &summary.sets {
        table.add_row(row(set_row(set, is_averaged(summary, set), narrow)));
        for task in set.tasks.iter().filter(|_| layout.by_task) {
            let task_name = match narrow {
                true => task_of_set(&task.task),
                false => &task.task,
            };
            let name = format!("  {task_name}");
            table.add_row(row(counts_row(name, String::new(), &task.counts)));
        }
    }
    for (name, average, interval, (sets, n)) in averages(summary) {
        let cells = vec![
            name,
            counted(sets, "set"),
            n.to_string(),
            percent(average.official),
            percent(average.strict),
            interval.map(percent_range).unwrap_or_default(),
        ];
        table.add_row(row(cells).into_iter().map(|text| match layout.styled {
            true => Cell::new(text).add_attribute(Attribute::Bold),
            false => Cell::new(text),
        }));
    }
    table
}

/// Paragraphs, each from a new line, within the columns of the terminal.
fn fitted(paragraphs: &[String], width: Option<u16>) -> String {
    let text: String = paragraphs.iter().map(|text| format!("{text}\n")).collect();
    match width {
        Some(width) => broken_lines(&text, usize::from(width)),
        None => text,
    }
}

/// What the narrow table has no columns for: cut and failed items, where there are any.
fn counts_below(summary: &Summary) -> Vec<String> {
    let line = |name: &str, count: fn(&Counts) -> usize| {
        let sets = summary.sets.iter().filter(|set| count(&set.counts) > 0);
        let of_set = |set: &SetSummary| format!("{} of {}", count(&set.counts), set.set);
        let sets: Vec<String> = sets.map(of_set).collect();
        (!sets.is_empty()).then(|| format!("{name}: {}.", sets.join(", ")))
    };
    let lines = [
        line("Truncated", |counts| counts.truncated),
        line("Failed", |counts| counts.failed),
    ];
    lines.into_iter().flatten().collect()
}

/// A row of the table: name, average, interval, and how many sets and items it is over.
type AverageRow = (String, Averages, Option<[f64; 2]>, (usize, usize));

fn averages(summary: &Summary) -> Vec<AverageRow> {
    let averaged = || summary.sets.iter().filter(|set| set.in_average);
    let all = (averaged().count(), averaged().map(|set| set.counts.n).sum());
    let interval = |average| average_interval(summary, average, Scorer::Strict);
    let mut rows = Vec::new();
    rows.extend(summary.micro.map(|micro| {
        (
            "micro average".to_string(),
            micro,
            interval(Average::Micro),
            all,
        )
    }));
    rows.extend(summary.macro_.map(|macro_| {
        (
            "macro average".to_string(),
            macro_,
            interval(Average::Macro),
            all,
        )
    }));
    if let Some(once) = &summary.counted_once {
        let over = (once.sets, once.n);
        for (name, average) in [
            ("micro, each once", once.micro),
            ("macro, each once", once.macro_),
        ] {
            // The sets without repeated items have no intervals of their own to be combined.
            rows.push((name.to_string(), average, stored(&average), over));
        }
    }
    rows.extend(summary.suites.iter().flat_map(suite_rows));
    rows
}

/// The rows of a suite's averages, with each problem counted once where sets have any in common.
fn suite_rows(suite: &SuiteAverages) -> Vec<AverageRow> {
    let name = &suite.suite;
    let row = |name: String, average: Averages, over| (name, average, stored(&average), over);
    let over = (suite.sets.len(), suite.n);
    let mut rows = vec![
        row(format!("{name}, micro average"), suite.micro, over),
        row(format!("{name}, macro average"), suite.macro_, over),
    ];
    if let Some(once) = &suite.counted_once {
        let over = (once.sets, once.n);
        rows.push(row(format!("{name}, micro, each once"), once.micro, over));
        rows.push(row(format!("{name}, macro, each once"), once.macro_, over));
    }
    rows
}

/// The interval that the file holds, unless it is a single point, which would claim too much.
fn stored(average: &Averages) -> Option<[f64; 2]> {
    stored_interval(average, Scorer::Strict).filter(|bounds| !is_point(*bounds))
}

/// Whether a set takes part in any average of the table.
fn is_averaged(summary: &Summary, set: &SetSummary) -> bool {
    let in_suite = |suite: &SuiteAverages| suite.sets.contains(&set.set);
    set.in_average || summary.suites.iter().any(in_suite)
}

fn set_row(set: &SetSummary, averaged: bool, narrow: bool) -> Vec<String> {
    let name = match narrow {
        true => &set.set,
        false => &set.title,
    };
    let mark = if averaged { "" } else { " *" };
    counts_row(format!("{name}{mark}"), set.level.clone(), &set.counts)
}

fn counts_row(name: String, level: String, counts: &Counts) -> Vec<String> {
    vec![
        name,
        level,
        counts.n.to_string(),
        percent(counts.official.accuracy),
        percent(counts.strict.accuracy),
        percent_range(counts.strict.interval),
        counts.no_answer.to_string(),
        counts.truncated.to_string(),
        counts.failed.to_string(),
    ]
}

/// What several completions of each problem come to, all of them drawn; `None` for single ones.
fn pass_and_majority(summary: &Summary, width: Option<u16>) -> Option<String> {
    let several = summary
        .sets
        .iter()
        .find_map(|set| set.several_samples.as_ref())?;
    let tables = [true, false].map(|titles| sampled_table(summary, several.samples, titles));
    let note = "The first two by the official scorer, the others by the strict one; summary.json has them for fewer completions too.";
    let mean = format!(
        "The accuracies above are avg@{}: the mean over all completions of each problem, with intervals clustered by problem.",
        several.samples
    );
    Some(first_that_fits(&tables, width) + &fitted(&[note.to_string(), mean], width))
}

/// The table of pass@k and maj@k with the sets' written names, or with their short ones.
fn sampled_table(summary: &Summary, samples: usize, titles: bool) -> Frame {
    let (pass, majority) = (format!("pass@{samples}"), format!("maj@{samples}"));
    let interval = "95 % interval";
    let header = [
        "set", &pass, &majority, &pass, interval, &majority, interval,
    ];
    let mut table = framed(header, &[1, 2, 3, 4, 5, 6]);
    for set in &summary.sets {
        let Some(several) = &set.several_samples else {
            continue;
        };
        let (Some(pass), Some(majority)) = (several.pass_at_k.last(), several.maj_at_k.last())
        else {
            continue;
        };
        let name = if titles { &set.title } else { &set.set };
        table.add_row([
            name.clone(),
            percent(pass.official.value),
            percent(majority.official.value),
            percent(pass.strict.value),
            percent_range(pass.strict.interval),
            percent(majority.strict.value),
            percent_range(majority.strict.interval),
        ]);
    }
    table
}

fn title(summary: &Summary) -> String {
    let data = match summary.on_bundled() {
        true => "the bundled problems (not MwpBench)".to_string(),
        false if summary.complete => format!("MwpBench ({})", summary.data),
        false => summary.data.clone(),
    };
    let mut protocol = format!("{} protocol", summary.protocol);
    if !summary.deviations.is_empty() {
        protocol.push_str(&format!(", but {}", summary.deviations.join(", ")));
    }
    if let Some(profile) = &summary.strict_profile {
        protocol.push_str(&format!(", strict by profile {profile}"));
    }
    format!("{} on {data}: {protocol}", summary.model)
}

/// What completions took in tokens, where the model thinks.
fn tokens(summary: &Summary) -> Vec<String> {
    let of_set = |set: &SetSummary| {
        let spent = set.tokens?;
        let (all, thinking) = (spent.mean()?, spent.mean_thinking()?);
        Some(format!(
            "{:.0} of thinking and {:.0} of answer in {}",
            thinking,
            all - thinking,
            set.set
        ))
    };
    let sets: Vec<String> = summary.sets.iter().filter_map(of_set).collect();
    match sets.is_empty() {
        true => Vec::new(),
        false => vec![format!("Tokens a completion: {}.", sets.join(", "))],
    }
}

fn notes(summary: &Summary) -> Vec<String> {
    let mut notes = vec!["Accuracy in percent: official is the published scorer, strict compares values; the interval is the strict one's.".to_string()];
    if summary.on_bundled() {
        notes.push(
            "The bundled problems are in the style of the sets; give real data with --data."
                .to_string(),
        );
    }
    if summary.sets.iter().any(|set| !is_averaged(summary, set)) {
        notes.push("* in no average.".to_string());
    }
    let repeated = |once: &DeduplicatedAverages| {
        let of_set = |repeated: &RepeatedItems| format!("{} of {}", repeated.items, repeated.set);
        let repeated: Vec<String> = once.repeated.iter().map(of_set).collect();
        repeated.join(", ")
    };
    if let Some(once) = &summary.counted_once {
        notes.push(format!(
            "Each once: without problems that a set above has already: {}.",
            repeated(once)
        ));
    }
    for suite in &summary.suites {
        let name = &suite.suite;
        if let Some(once) = &suite.counted_once {
            notes.push(format!(
                "{name}, each once: without problems that a set of the suite above has already: {}.",
                repeated(once)
            ));
        }
        if !suite.missing.is_empty() {
            notes.push(format!(
                "{name}: not in the run are {}.",
                suite.missing.join(", ")
            ));
        }
        if !suite.partial.is_empty() && !summary.on_bundled() {
            notes.push(format!("{name}: in part {}.", suite.partial.join(", ")));
        }
    }
    if !summary.missing.is_empty() && summary.micro.is_some() {
        notes.push(format!(
            "The averages leave out sets that are not in the run: {}.",
            summary.missing.join(", ")
        ));
    }
    if !summary.partial.is_empty() && !summary.on_bundled() {
        notes.push(format!("In part: {}.", summary.partial.join(", ")));
    }
    if !summary.reference_errors.is_empty() {
        notes.push(format!(
            "The original scorer fails on {} of the references and would drop their whole tasks; here they count as wrong: {}.",
            summary.reference_errors.len(),
            first_names(&summary.reference_errors, MAX_IDS)
        ));
    }
    notes
}
