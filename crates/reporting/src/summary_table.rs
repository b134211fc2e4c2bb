//! The table of a finished run.

use comfy_table::{Attribute, Cell};
use evaluation::{Counts, RepeatedItems, SetSummary, Summary};

use crate::table::{framed, percent};

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
    let averaged = || summary.sets.iter().filter(|set| set.in_average);
    let all = (averaged().count(), averaged().map(|set| set.counts.n).sum());
    let mut averages = vec![
        ("micro average", summary.micro, all),
        ("macro average", summary.macro_, all),
    ];
    if let Some(once) = &summary.counted_once {
        averages.push(("micro, each once", Some(once.micro), (once.sets, once.n)));
        averages.push(("macro, each once", Some(once.macro_), (once.sets, once.n)));
    }
    for (name, average, (sets, n)) in averages {
        let Some(average) = average else { continue };
        let count = format!("{sets} set{}", if sets == 1 { "" } else { "s" });
        let interval = average.strict_interval.map(range).unwrap_or_default();
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
    text.extend(several_samples(summary, layout));
    for note in notes(summary) {
        text.push_str(&note);
        text.push('\n');
    }
    text
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
        range(counts.strict.interval),
        counts.no_answer.to_string(),
        counts.truncated.to_string(),
        counts.failed.to_string(),
    ]
    .map(Cell::new)
    .to_vec()
}

fn range([low, high]: [f64; 2]) -> String {
    format!("{} – {}", percent(low), percent(high))
}

/// What several completions of each problem come to, all of them drawn; `None` for single ones.
fn several_samples(summary: &Summary, layout: SummaryTable) -> Option<String> {
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
            range(pass.strict.interval),
            percent(majority.strict.value),
            range(majority.strict.interval),
        ]);
    }
    Some(format!(
        "{}\nThe first two by the official scorer, the others by the strict one; summary.json has them for fewer completions too.\n",
        table.trim_fmt()
    ))
}

fn title(summary: &Summary) -> String {
    let data = match summary.on_bundled() {
        true => "the program's own samples (not MwpBench)".to_string(),
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
            "Samples are problems in the sets' style that come with the program; give real data with --data."
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
            "The averages leave out sets that were not asked: {}.",
            summary.missing.join(", ")
        ));
    }
    if !summary.partial.is_empty() && !summary.on_bundled() {
        notes.push(format!("Asked in part: {}.", summary.partial.join(", ")));
    }
    if !summary.reference_errors.is_empty() {
        notes.push(format!(
            "The original scorer fails on {} of the references and would drop their whole tasks; here they count as wrong: {}.",
            summary.reference_errors.len(),
            first_few(&summary.reference_errors)
        ));
    }
    notes
}

fn first_few(ids: &[String]) -> String {
    const SHOWN: usize = 5;
    match ids.len() {
        0..=SHOWN => ids.join(", "),
        more => format!("{} and {} more", ids[..SHOWN].join(", "), more - SHOWN),
    }
}
