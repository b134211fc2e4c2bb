//! Annotations of GitHub Actions.
//! Source: "Workflow commands for GitHub Actions", docs.github.com; what is escaped:
//! actions/toolkit, `packages/core/src/command.ts`.

use evaluation::{Gate, GateVerdict, ProtocolDifference};

/// A line for each rule that did not pass: an error where it failed, a warning where it could
/// not be decided.
pub fn gate_annotations(gate: &Gate) -> String {
    let mut text = String::new();
    for rule in &gate.rules {
        let kind = match rule.verdict {
            GateVerdict::Passed => continue,
            GateVerdict::Failed => "error",
            _ => "warning",
        };
        let title = format!(
            "mwpbench gate: {} of {}: {}",
            rule.rule.title(),
            rule.scope,
            rule.verdict.title()
        );
        text.push_str(&annotation(kind, &title, &rule.why));
    }
    if gate.verdict == GateVerdict::ProtocolsDiffer {
        let forbids = |found: &&ProtocolDifference| found.aspect.forbids_comparison();
        for found in gate.differences.iter().filter(forbids) {
            let message = format!(
                "{}: baseline {}, candidate {}",
                found.what, found.a, found.b
            );
            text.push_str(&annotation(
                "error",
                "mwpbench gate: protocols differ",
                &message,
            ));
        }
    }
    text
}

/// The line for a gate that came to no verdict.
pub fn gate_error_annotation(message: &str) -> String {
    annotation("error", "mwpbench gate: no verdict", message)
}

fn annotation(kind: &str, title: &str, message: &str) -> String {
    let data = |text: &str| {
        text.replace('%', "%25")
            .replace('\r', "%0D")
            .replace('\n', "%0A")
    };
    let property = |text: &str| data(text).replace(':', "%3A").replace(',', "%2C");
    format!("::{kind} title={}::{}\n", property(title), data(message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_end_a_command_is_escaped() {
        assert_eq!(
            annotation("error", "a: b, c", "5 %\nnext: x"),
            "::error title=a%3A b%2C c::5 %25%0Anext: x\n"
        );
    }
}
