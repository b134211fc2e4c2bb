//! The table of a finished run.

use comfy_table::{Attribute, Cell};
use evaluation::{Averages, Counts, RepeatedItems, Scorer, SetSummary, Summary};

use crate::interval::{Average, average_interval, is_point, stored_interval};
use crate::table::framed;
use crate::wording::{counted, first_names, percent, percent_range};

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

/// Title, table and the notes that its numbers need. Accuracies are percentages by both scorers;
/// the interval is the strict one's at 95 %: Wilson's of a set, a stratified bootstrap's of an
/// average.
pub fn summary_table(summary: &Summary, layout: SummaryTable) -> String {
    let mut text = format!("{}\n", title(summary));
    let mut table = framed(
        [
            "set",
            "level",
            "n",
            "official",
            "strict",
            "95 % interval",
            "no answer",
            "truncated",
            "failed",
        ],
        &[2, 3, 4, 5, 6, 7, 8],
        layout.width,
    );
    for set in &summary.sets {
        table.add_row(set_row(set));
        for task in set.tasks.iter().filter(|_| layout.by_task) {
            table.add_row(counts_row(
                format!("  {}", task.task),
                String::new(),
                &task.counts,
            ));
        }
    }
    for (name, average, interval, (sets, n)) in averages(summary) {
        let count = counted(sets, "set");
        let interval = interval.map(percent_range).unwrap_or_default();
        let (official, strict) = (percent(average.official), percent(average.strict));
        let cells = [
            name.to_string(),
            count,
            n.to_string(),
            official,
            strict,
            interval,
        ];
        table.add_row(cells.map(|text| match layout.styled {
            true => Cell::new(text).add_attribute(Attribute::Bold),
            false => Cell::new(text),
        }));
    }
    text.push_str(&table.trim_fmt());
    text.push('\n');
    text.extend(pass_and_majority(summary, layout));
    for note in notes(summary) {
        text.push_str(&note);
        text.push('\n');
    }
    text
}

/// A row of the table: name, average, interval, and how many sets and items it is over.
type AverageRow = (&'static str, Averages, Option<[f64; 2]>, (usize, usize));

fn averages(summary: &Summary) -> Vec<AverageRow> {
    let averaged = || summary.sets.iter().filter(|set| set.in_average);
    let all = (averaged().count(), averaged().map(|set| set.counts.n).sum());
    let interval = |average| average_interval(summary, average, Scorer::Strict);
    let mut rows = Vec::new();
    rows.extend(
        summary
            .micro
            .map(|micro| ("micro average", micro, interval(Average::Micro), all)),
    );
    rows.extend(
        summary
            .macro_
            .map(|macro_| ("macro average", macro_, interval(Average::Macro), all)),
    );
    if let Some(once) = &summary.counted_once {
        let over = (once.sets, once.n);
        for (name, average) in [
            ("micro, each once", once.micro),
            ("macro, each once", once.macro_),
        ] {
            // The sets without repeated items have no intervals of their own to be combined.
            let interval = stored_interval(&average, Scorer::Strict);
            rows.push((
                name,
                average,
                interval.filter(|bounds| !is_point(*bounds)),
                over,
            ));
        }
    }
    rows
}

fn set_row(set: &SetSummary) -> Vec<Cell> {
    let name = if set.in_average {
        set.title.clone()
    } else {
        format!("{} *", set.title)
    };
    counts_row(name, set.level.clone(), &set.counts)
}

fn counts_row(name: String, level: String, counts: &Counts) -> Vec<Cell> {
    [
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
    .map(Cell::new)
    .to_vec()
}

/// What several completions of each problem come to, all of them drawn; `None` for single ones.
fn pass_and_majority(summary: &Summary, layout: SummaryTable) -> Option<String> {
    let several = summary
        .sets
        .iter()
        .filter_map(|set| Some((set, set.several_samples.as_ref()?)));
    let mut rows = several.peekable();
    let samples = rows.peek()?.1.samples;
    let (pass, majority) = (format!("pass@{samples}"), format!("maj@{samples}"));
    let header = [
        "set",
        &pass,
        &majority,
        &pass,
        "95 % interval",
        &majority,
        "95 % interval",
    ];
    let mut table = framed(header, &[1, 2, 3, 4, 5, 6], layout.width);
    for (set, several) in rows {
        let (Some(pass), Some(majority)) = (several.pass_at_k.last(), several.maj_at_k.last())
        else {
            continue;
        };
        table.add_row([
            set.title.clone(),
            percent(pass.official.value),
            percent(majority.official.value),
            percent(pass.strict.value),
            percent_range(pass.strict.interval),
            percent(majority.strict.value),
            percent_range(majority.strict.interval),
        ]);
    }
    Some(format!(
        "{}\nThe first two by the official scorer, the others by the strict one; summary.json has them for fewer completions too.\n",
        table.trim_fmt()
    ))
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

fn notes(summary: &Summary) -> Vec<String> {
    let mut notes = vec!["Accuracy in percent: official is the published scorer, strict compares values; the interval is the strict one's.".to_string()];
    if summary.on_bundled() {
        notes.push(
            "The bundled problems are in the style of the sets; give real data with --data."
                .to_string(),
        );
    }
    if summary.sets.iter().any(|set| !set.in_average) {
        notes.push("* in no average.".to_string());
    }
    if let Some(once) = &summary.counted_once {
        let of_set = |repeated: &RepeatedItems| format!("{} of {}", repeated.items, repeated.set);
        let repeated: Vec<String> = once.repeated.iter().map(of_set).collect();
        notes.push(format!(
            "Each once: without problems that a set above has already: {}.",
            repeated.join(", ")
        ));
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
