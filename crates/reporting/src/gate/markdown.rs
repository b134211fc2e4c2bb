//! Markdown for a job's summary.

use evaluation::{Gate, ProtocolDifference, RunLabel};

use super::headline;
use crate::comparison::{interval_text, signed};
use crate::escape::markdown as escape;
use crate::wording::percent;

/// Verdict, runs, rules, and the figures of each set and average.
pub fn gate_markdown(gate: &Gate) -> String {
    let run = |run: &RunLabel| {
        format!(
            "{} ({})",
            escape(&run.name),
            escape(&run.source.display().to_string())
        )
    };
    let mut text = format!(
        "## mwpbench gate: {}\n\nBaseline: {}<br>Candidate: {}\n",
        escape(&headline(gate)),
        run(&gate.baseline),
        run(&gate.candidate)
    );
    for warning in &gate.warnings {
        text.push_str(&format!("\n> Warning: {}\n", escape(warning)));
    }
    if !gate.differences.is_empty() {
        text.push_str("\n| differs | baseline | candidate |\n|---|---|---|\n");
        text.extend(gate.differences.iter().map(difference));
    }
    if !gate.rules.is_empty() {
        text.push_str("\n| rule | of | verdict | why |\n|---|---|---|---|\n");
    }
    for rule in &gate.rules {
        let cells = [
            rule.rule.title(),
            &rule.scope,
            rule.verdict.title(),
            &rule.why,
        ]
        .map(escape);
        text.push_str(&format!(
            "| {} | {} | **{}** | {} |\n",
            cells[0], cells[1], cells[2], cells[3]
        ));
    }
    text + &figures(gate)
}

fn difference(found: &ProtocolDifference) -> String {
    let weight = if found.aspect.forbids_comparison() {
        "**"
    } else {
        ""
    };
    let what = escape(&format!("{}: {}", found.aspect.title(), found.what));
    format!(
        "| {weight}{what}{weight} | {} | {} |\n",
        escape(&found.a),
        escape(&found.b)
    )
}

fn figures(gate: &Gate) -> String {
    let sets = gate.sets.iter().map(|set| {
        let figures = &set.figures;
        row(
            &set.title,
            figures.n,
            figures.accuracies,
            figures.difference,
            figures.interval,
        )
    });
    let averages = [
        ("micro average", &gate.micro),
        ("macro average", &gate.macro_),
    ];
    let averages = averages.into_iter().filter_map(|(name, average)| {
        let figures = average.as_ref()?;
        Some(row(
            name,
            figures.n,
            figures.accuracies,
            figures.difference,
            figures.interval,
        ))
    });
    let rows: String = sets.chain(averages).collect();
    if rows.is_empty() {
        return rows;
    }
    let confidence = ((1.0 - 2.0 * gate.alpha) * 1000.0).round() / 10.0;
    format!(
        "\n| set | n | baseline | candidate | difference | {confidence} % interval |\n|---|--:|--:|--:|--:|--:|\n{rows}"
    )
}

fn row(
    name: &str,
    n: usize,
    [before, after]: [f64; 2],
    difference: f64,
    interval: [f64; 2],
) -> String {
    let (before, after) = (percent(before), percent(after));
    let (difference, interval) = (signed(difference), interval_text(interval));
    format!(
        "| {} | {n} | {before} | {after} | {difference} | {interval} |\n",
        escape(name)
    )
}

/// What is said of a gate that came to no verdict.
pub fn gate_error_markdown(message: &str) -> String {
    format!("## mwpbench gate: no verdict\n\n{}\n", escape(message))
}
