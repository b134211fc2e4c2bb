//! The summary: what each run is, and its figures by set and task.

use std::fmt::Write;

use evaluation::{Accuracy, Averages, Counts, Scorer};

use crate::html::{escape, percent};
use crate::{Report, ReportRun};

/// What the runs are: model, data, template, decoding, and where they depart from the protocol.
pub(crate) fn facts(report: &Report) -> String {
    let rows: Vec<Vec<(&'static str, String)>> = report.runs.iter().map(facts_of).collect();
    let mut out = String::from(
        "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"What the runs are\"><table class=\"facts\"><thead><tr><td></td>",
    );
    for run in &report.runs {
        write_cell(&mut out, "th scope=\"col\"", &run.name);
    }
    out.push_str("</tr></thead><tbody>");
    for (place, (name, _)) in rows[0].iter().enumerate() {
        if rows.iter().all(|facts| facts[place].1.is_empty()) {
            continue;
        }
        out.push_str("<tr>");
        write_cell(&mut out, "th scope=\"row\"", name);
        for facts in &rows {
            write_cell(&mut out, "td", &facts[place].1);
        }
        out.push_str("</tr>");
    }
    out.push_str("</tbody></table></div>\n");
    out
}

fn facts_of(run: &ReportRun) -> Vec<(&'static str, String)> {
    let (manifest, summary) = (&run.manifest, &run.summary);
    let identity = &manifest.identity;
    let decoding = &identity.decoding;
    let drawn = match &decoding.sampling {
        _ if identity.is_unknown("decoding.sampling") => evaluation::UNKNOWN.to_string(),
        None => "greedy".to_string(),
        Some(sampling) => format!(
            "temperature {}, {} a problem",
            sampling.temperature, sampling.samples
        ),
    };
    let state = match run.is_unfinished() {
        true => format!(
            "unfinished: {} of {} completions; the figures are of these",
            run.verdicts.len(),
            run.expected
        ),
        false => String::new(),
    };
    let data = match identity.data.samples {
        true => "bundled problems, not the benchmark".to_string(),
        false => identity.data.name.clone(),
    };
    let details = identity.model.details.iter();
    let details = details.filter(|(name, _)| {
        ["architecture", "dtype", "url", "quantization"].contains(&name.as_str())
    });
    let details: Vec<String> = details
        .map(|(name, value)| format!("{name} {value}"))
        .collect();
    vec![
        ("state", state),
        ("folder", run.folder.clone()),
        ("model", identity.model.name.clone()),
        ("details", details.join(", ")),
        ("data", data),
        ("problems", identity.data.problems.to_string()),
        ("template", identity.template.name.clone()),
        (
            "decoding",
            match identity.is_unknown("decoding.max_tokens") {
                true => drawn,
                false => format!("{drawn}, at most {} new tokens", decoding.max_tokens),
            },
        ),
        ("protocol", summary.protocol.clone()),
        ("departs from it in", summary.deviations.join("; ")),
        ("scorer version", summary.scorer_version.to_string()),
        (
            "started",
            manifest.started.strftime("%Y-%m-%d %H:%M UTC").to_string(),
        ),
    ]
}

/// `element` may have attributes.
fn write_cell(out: &mut String, element: &str, text: &str) {
    let name = element.split(' ').next().unwrap_or(element);
    write!(out, "<{element}>{}</{name}>", escape(text)).expect("writing to memory succeeds");
}

/// The figures of each set and task, with those of every run beside each other.
pub(crate) fn figures(report: &Report) -> String {
    let mut out = String::from(
        "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Figures by set and task\"><table class=\"figures\"><thead><tr><th scope=\"col\">Set, task</th><th scope=\"col\">n</th>",
    );
    for run in &report.runs {
        let of = match report.runs.len() {
            1 => String::new(),
            _ => format!("{}: ", escape(&run.name)),
        };
        for column in ["official", "strict", "no answer", "truncated", "failed"] {
            write!(out, "<th scope=\"col\">{of}{column}</th>").expect("writing to memory succeeds");
        }
    }
    out.push_str("</tr></thead><tbody>");
    for row in figure_rows(report) {
        write!(out, "<tr class=\"{}\">", row.class).expect("writing to memory succeeds");
        write_cell(&mut out, "th scope=\"row\"", &row.name);
        write_cell(&mut out, "td", &row.n);
        for cells in row.cells {
            for cell in cells {
                write_cell(&mut out, "td", &cell);
            }
        }
        out.push_str("</tr>");
    }
    out.push_str("</tbody></table></div>\n");
    out
}

struct FigureRow {
    class: &'static str,
    name: String,
    n: String,
    /// Five a run.
    cells: Vec<[String; 5]>,
}

fn figure_rows(report: &Report) -> Vec<FigureRow> {
    let runs = &report.runs;
    let mut rows = Vec::new();
    // Runs of one report have the same problems, and so the same sets, as far as they went.
    let longest = runs
        .iter()
        .max_by_key(|run| run.verdicts.len())
        .expect("a report has a run");
    for set in &longest.summary.sets {
        let of_run = |run: &ReportRun| {
            let sets = run.summary.sets.iter();
            sets.into_iter().find(|own| own.set == set.set).cloned()
        };
        let counts = |run: &ReportRun| of_run(run).map(|set| set.counts);
        let outside = if set.in_average {
            ""
        } else {
            " (in no average)"
        };
        rows.push(FigureRow {
            class: "set",
            name: format!("{}{outside}", set.title),
            n: set.counts.n.to_string(),
            cells: runs.iter().map(|run| cells(counts(run).as_ref())).collect(),
        });
        for task in &set.tasks {
            let counts = |run: &ReportRun| {
                let tasks = of_run(run)?.tasks;
                tasks.into_iter().find(|own| own.task == task.task)
            };
            rows.push(FigureRow {
                class: "task",
                name: task.task.clone(),
                n: task.counts.n.to_string(),
                cells: runs
                    .iter()
                    .map(|run| cells(counts(run).map(|task| task.counts).as_ref()))
                    .collect(),
            });
        }
    }
    let of_all = |of: fn(&ReportRun) -> Option<Averages>| runs.iter().map(of).collect();
    let averages: [(&str, Vec<Option<Averages>>); 2] = [
        ("micro average", of_all(|run| run.summary.micro)),
        ("macro average", of_all(|run| run.summary.macro_)),
    ];
    for (name, found) in averages {
        if found.iter().any(Option::is_some) {
            rows.push(FigureRow {
                class: "average",
                name: name.to_string(),
                n: String::new(),
                cells: found.into_iter().map(average_cells).collect(),
            });
        }
    }
    rows
}

fn cells(counts: Option<&Counts>) -> [String; 5] {
    let Some(counts) = counts else {
        return Default::default();
    };
    let accuracy = |figure: Accuracy| {
        format!(
            "{} [{}, {}]",
            percent(figure.accuracy),
            percent(figure.interval[0]),
            percent(figure.interval[1])
        )
    };
    [
        accuracy(counts.official),
        accuracy(counts.strict),
        counts.no_answer.to_string(),
        counts.truncated.to_string(),
        counts.failed.to_string(),
    ]
}

fn average_cells(averages: Option<Averages>) -> [String; 5] {
    let Some(averages) = averages else {
        return Default::default();
    };
    [
        percent(averages.by(Scorer::Official)),
        percent(averages.by(Scorer::Strict)),
        String::new(),
        String::new(),
        String::new(),
    ]
}
