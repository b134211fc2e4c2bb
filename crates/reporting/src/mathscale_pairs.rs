//! What became of the pairs of the MathScale pipeline.

use std::fmt::Write;

use ::mathscale::{
    Cost, ExportOutcome, GenerateOutcome, GenerationEstimate, RemovalReason, ScreenOutcome,
    StageRecord, ValidateOutcome,
};

use crate::table::percent;

fn count(record: &StageRecord, name: &str) -> u64 {
    record.counts.get(name).copied().unwrap_or(0)
}

/// Pairs, what was set aside, tokens and what they cost.
pub fn generated_text(outcome: &GenerateOutcome, cost: Option<&Cost>) -> String {
    let of = |name| count(&outcome.record, name);
    let mut text = format!(
        "{} pairs of {} compositions in {} replies; {} prompt tokens, {} new tokens",
        of("pairs"),
        of("compositions"),
        of("replies"),
        of("prompt_tokens"),
        of("completion_tokens")
    );
    let _ = writeln!(
        text,
        "{}",
        cost.map_or(String::new(), |cost| format!(", {cost}"))
    );
    if of("set_aside") > 0 {
        let _ = writeln!(
            text,
            "{} compositions were set aside: see generate.set-aside.jsonl",
            of("set_aside")
        );
    }
    for item in &outcome.set_aside {
        let _ = writeln!(text, "  {}: {}", item.id, item.reason);
    }
    text
}

/// What generation would take.
pub fn estimate_text(
    estimate: &GenerationEstimate,
    cost: Option<&Cost>,
    most: Option<&Cost>,
) -> String {
    let GenerationEstimate {
        compositions,
        prompt_tokens,
        completion_tokens,
        most_completion_tokens,
    } = estimate;
    let told = |cost: Option<&Cost>| cost.map_or(String::new(), |cost| format!(", {cost}"));
    format!(
        "{compositions} compositions: about {prompt_tokens} prompt tokens (three bytes each)\n\
         replies as long as the seeds: about {completion_tokens} new tokens{}\n\
         replies as long as they may be: {most_completion_tokens} new tokens{}\n",
        told(cost),
        told(most)
    )
}

/// What validation found.
pub fn validated_text(outcome: &ValidateOutcome) -> String {
    let report = &outcome.report;
    let of = |name| count(&outcome.record, name);
    let share = report.wrong_share.map_or(String::new(), |share| {
        format!(" ({} % of the judged)", percent(share))
    });
    let mut text = format!(
        "{} pairs: {} confirmed, {} wrong{share}, {} unjudged\n{} replaced, {} dropped\n",
        report.pairs,
        report.confirmed,
        report.wrong,
        report.unjudged,
        of("replaced"),
        of("dropped")
    );
    if let Some(counts) = &report.judge_and_scorer {
        let _ = writeln!(
            text,
            "judge and strict scorer: both right {}, only the judge {}, only the scorer {}, both wrong {}",
            counts.both_right, counts.only_judge_right, counts.only_scorer_right, counts.both_wrong
        );
    }
    if let Some(agreement) = report.sample_agreement {
        let _ = writeln!(
            text,
            "samples that reach the pair's own answer: {} %",
            percent(agreement)
        );
    }
    text
}

/// What was removed, by reason.
pub fn screened_text(outcome: &ScreenOutcome) -> String {
    let report = &outcome.report;
    let mut text = format!("{} of {} pairs kept\n", report.kept, report.read);
    for reason in RemovalReason::ALL {
        let count = report.removed.get(&reason).copied().unwrap_or(0);
        if count > 0 {
            let _ = writeln!(text, "  {count} {}", reason.label());
        }
    }
    for (set, count) in &report.contaminated_by_set {
        let _ = writeln!(text, "    {count} by {set}");
    }
    match &report.tests {
        Some(tests) => {
            let items: u64 = tests.sets.values().sum();
            let _ = writeln!(
                text,
                "{items} test items of {} sets were looked for",
                tests.sets.len()
            );
        }
        None => text.push_str("no test items were looked for\n"),
    }
    text
}

/// What was written.
pub fn exported_text(outcome: &ExportOutcome) -> String {
    let of = |name| count(&outcome.record, name);
    let mut text = format!(
        "{} records for training, {} for validation ({} pairs, {} of other files)\n",
        of("train"),
        of("validation"),
        of("own"),
        of("mixed")
    );
    for (name, output) in &outcome.record.outputs {
        let _ = writeln!(text, "  {name}, {} bytes", output.bytes);
    }
    text
}
