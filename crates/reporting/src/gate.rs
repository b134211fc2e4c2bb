//! The outcome of a gate: as text, as Markdown, as JUnit's XML and as annotations of GitHub Actions.

mod annotations; // ::error:: and ::warning::
mod baseline_text; // what a baseline file holds
mod junit; // for the test reports of CI services
mod markdown; // for a job's summary

use comfy_table::Cell;
use evaluation::{Gate, GateVerdict};

pub use annotations::{gate_annotations, gate_error_annotation};
pub use baseline_text::baseline_text;
pub use junit::{gate_error_junit, gate_junit};
pub use markdown::{gate_error_markdown, gate_markdown};

use crate::comparison::{differences_text, run_lines};
use crate::table::framed;

/// The verdict, the runs, and each rule with its verdict and why.
pub fn gate_text(gate: &Gate, width: Option<u16>) -> String {
    let mut text = format!("gate: {}\n", headline(gate));
    text.push_str(&run_lines([
        ("baseline", &gate.baseline),
        ("candidate", &gate.candidate),
    ]));
    text.extend(
        gate.warnings
            .iter()
            .map(|warning| format!("warning: {warning}\n")),
    );
    text.push_str(&differences_text(
        &gate.differences,
        ["baseline", "candidate"],
    ));
    if gate.rules.is_empty() {
        return text;
    }
    let mut table = framed(["rule", "of", "verdict", "why"], &[]);
    for rule in &gate.rules {
        let cells = [
            rule.rule.title(),
            &rule.scope,
            rule.verdict.title(),
            &rule.why,
        ];
        table.add_row(cells.map(Cell::new));
    }
    text.push_str(&format!("\n{}", table.text(width)));
    text
}

/// The verdict and what it rests on, in a line.
pub(crate) fn headline(gate: &Gate) -> String {
    let count = |verdict| {
        gate.rules
            .iter()
            .filter(|rule| rule.verdict == verdict)
            .count()
    };
    let of = |verdict, what: &str| match count(verdict) {
        0 => None,
        number => Some(format!("{number} {what}")),
    };
    let counts: Vec<String> = [
        of(GateVerdict::Failed, "failed"),
        of(GateVerdict::Incomplete, "incomplete"),
        of(GateVerdict::CannotTell, "cannot tell"),
        of(GateVerdict::Passed, "passed"),
    ]
    .into_iter()
    .flatten()
    .collect();
    let rules = if counts.is_empty() {
        "no rule".to_string()
    } else {
        format!("rules: {}", counts.join(", "))
    };
    format!(
        "{} ({rules}; {} scorer, alpha {})",
        gate.verdict.title().to_uppercase(),
        gate.scorer.name(),
        gate.alpha
    )
}
