//! The figures of the stages that handle pairs.

use std::fmt::Write;

use ::mathscale::{
    ExportOutcome, GenerateOutcome, GenerationEstimate, Rejections, RemovalReason, ScreenOutcome,
    TokenPrice, ValidateOutcome,
};

use crate::wording::{counted, percent};

/// Pairs, rejected compositions, tokens and what they cost.
pub fn generated_text(outcome: &GenerateOutcome, price: Option<&TokenPrice>) -> String {
    let of = |name: &str| outcome.record.count(name) as usize;
    let tokens = ["prompt_tokens", "completion_tokens"].map(|name| outcome.record.count(name));
    let cost = price.map(|price| price.cost(tokens[0], tokens[1]));
    let mut text = format!(
        "{} of {} in {}; {} prompt tokens, {} new tokens{}\n",
        counted(of("pairs"), "pair"),
        counted(of("compositions"), "composition"),
        counted(of("replies"), "reply"),
        tokens[0],
        tokens[1],
        cost_text(cost)
    );
    if of("set_aside") > 0 {
        let rejected = counted(of("set_aside"), "composition");
        let _ = writeln!(text, "{rejected} rejected: see generate.set-aside.jsonl");
    }
    rejections(&mut text, &outcome.details);
    text
}

/// Why items were rejected, with the number of items, the most frequent reasons first; of several
/// reasons and items an example each is named.
pub(crate) fn rejections(text: &mut String, rejections: &Rejections) {
    const MAX_SHOWN: usize = 5;
    let mut reasons: Vec<(&String, &u64)> = rejections.reasons.iter().collect();
    reasons.sort_by_key(|&(_, count)| std::cmp::Reverse(count));
    for (reason, count) in reasons.iter().take(MAX_SHOWN) {
        let first = rejections
            .rejected
            .iter()
            .find(|item| item.reason == **reason);
        let first = first.map(|item| item.place.as_ref().unwrap_or(&item.id));
        let first = first.map_or(String::new(), |place| match count {
            1 => format!(" ({place})"),
            _ => format!(" ({place} is the first)"),
        });
        let _ = writeln!(text, "  {count} × {reason}{first}");
    }
    let others: u64 = reasons
        .iter()
        .skip(MAX_SHOWN)
        .map(|(_, count)| *count)
        .sum();
    if others > 0 {
        let _ = writeln!(text, "  {others} × other reasons");
    }
}

/// Money, in whatever currency the prices were given.
fn cost_text(cost: Option<f64>) -> String {
    cost.map_or(String::new(), |cost| format!(", cost {cost:.2}"))
}

/// What generation would take, and what it would cost with replies as long as the seeds and as long
/// as they may be.
pub fn estimate_text(
    estimate: &GenerationEstimate,
    cost: Option<f64>,
    max_cost: Option<f64>,
) -> String {
    let GenerationEstimate {
        compositions,
        prompt_tokens,
        completion_tokens,
        max_completion_tokens,
    } = estimate;
    format!(
        "{}: about {prompt_tokens} prompt tokens (three bytes each)\n\
         replies as long as the seeds: about {completion_tokens} new tokens{}\n\
         replies as long as they may be: {max_completion_tokens} new tokens{}\n",
        counted(*compositions, "composition"),
        cost_text(cost),
        cost_text(max_cost)
    )
}

/// The figures of validation.
pub fn validated_text(outcome: &ValidateOutcome) -> String {
    let report = &outcome.details.report;
    let of = |name: &str| outcome.record.count(name) as usize;
    let share = report.wrong_share.map_or(String::new(), |share| {
        format!(" ({} % of the judged)", percent(share))
    });
    let mut text = format!(
        "{}: {} confirmed, {} wrong{share}, {} unjudged\n{} replaced, {} dropped\n",
        counted(report.pairs as usize, "pair"),
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

/// Pairs kept and removed, by reason.
pub fn screened_text(outcome: &ScreenOutcome) -> String {
    let report = &outcome.details.report;
    let mut text = format!(
        "{} of {} kept\n",
        report.kept,
        counted(report.read as usize, "pair")
    );
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
                "decontaminated against {} of {}{}",
                counted(items as usize, "test item"),
                counted(tests.sets.len(), "set"),
                match tests.bundled {
                    true => ": the bundled problems, NOT the published test sets",
                    false => "",
                }
            );
        }
        None => text.push_str("not decontaminated: no test items were given\n"),
    }
    text
}

/// The training files.
pub fn exported_text(outcome: &ExportOutcome) -> String {
    let of = |name: &str| outcome.record.count(name) as usize;
    let mut text = format!(
        "{} for training, {} for validation ({}, {} of other files{})\n",
        counted(of("train"), "record"),
        of("validation"),
        counted(of("own"), "pair"),
        of("mixed"),
        match of("mixed") {
            0 => "",
            _ => ", not screened",
        }
    );
    for (name, output) in &outcome.record.outputs {
        let _ = writeln!(text, "  {name}, {} bytes", output.bytes);
    }
    text
}
