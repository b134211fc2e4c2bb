//! What came of scoring the completions of another program.

use evaluation::OfflineCounts;

use crate::wording::{counted, percent};

/// How many answers there are, how many are correct by each scorer, and what could not be scored.
pub fn scored_file_text(counts: &OfflineCounts) -> String {
    let share = |correct: usize| percent(correct as f64 / counts.n.max(1) as f64);
    format!(
        "{}: {} correct by the official scorer ({} %), {} by the strict one ({} %), {} without an answer, {} that the official scorer cannot read\n",
        counted(counts.n, "answer"),
        counts.official_correct,
        share(counts.official_correct),
        counts.strict_correct,
        share(counts.strict_correct),
        counts.no_answer,
        counted(counts.reference_errors, "reference"),
    )
}
