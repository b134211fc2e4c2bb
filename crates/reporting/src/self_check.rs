//! Can the scorers judge by the references of a set?

use comfy_table::Cell;
use evaluation::{Contradiction, SelfCheck, Witness};

use crate::table::framed;
use crate::wording::counted;

/// Failures listed of each set, unless all are.
const MAX_FAILURES: usize = 5;

/// A table of the sets and the references that fail.
pub fn self_check_text(checked: &SelfCheck, all: bool, width: Option<u16>) -> String {
    let header = [
        "set",
        "references",
        "equal themselves",
        "forms tried",
        "failed",
        "official cannot read",
        "contradicted",
    ];
    let mut table = framed(header, &[1, 2, 3, 4, 5, 6]);
    for set in &checked.sets {
        table.add_row(
            [
                set.set.clone(),
                set.references.to_string(),
                set.equal_themselves.to_string(),
                set.tried.to_string(),
                set.failed.to_string(),
                set.official_exceptions.len().to_string(),
                set.contradictions.len().to_string(),
            ]
            .map(Cell::new),
        );
    }
    let mut text = table.text(width);
    for set in &checked.sets {
        let max = if all { usize::MAX } else { MAX_FAILURES };
        for failed in set.failures.iter().take(max) {
            let failure = &failed.failure;
            let form = format!("{:?}", failure.form).to_lowercase();
            let rule = failure.judgement.trace.last().copied().unwrap_or_default();
            text.push_str(&format!(
                "{}  {form}: \"{}\" against \"{}\": {rule}\n",
                failed.id, failure.text, failed.reference
            ));
        }
        for contradiction in set.contradictions.iter().take(max) {
            let Contradiction {
                id,
                reference,
                with,
                found,
            } = contradiction;
            text.push_str(&match with {
                Witness::Solution => {
                    format!("{id}  \"{reference}\", but its own solution says \"{found}\"\n")
                }
                Witness::Options => {
                    format!("{id}  \"{reference}\" is none of its options: {found}\n")
                }
            });
        }
        for raised in set.official_exceptions.iter().take(max) {
            text.push_str(&format!(
                "{}  official: \"{}\" raises {}\n",
                raised.id, raised.reference, raised.exception
            ));
        }
        let left = set.failures.len().saturating_sub(max)
            + set.official_exceptions.len().saturating_sub(max)
            + set.contradictions.len().saturating_sub(max);
        if set.known_errors > 0 {
            text.push_str(&format!(
                "{}: {} on the list of known errors (`mwpbench data known-errors`)\n",
                set.set,
                counted(set.known_errors, "problem")
            ));
        }
        if left > 0 {
            text.push_str(&format!("{}: {left} more (--all lists them)\n", set.set));
        }
    }
    text
}
