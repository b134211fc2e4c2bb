//! The figures of the stages that handle pairs.

use std::fmt::Write;

use std::time::Duration;

use ::mathscale::{
    Estimate, ExportOutcome, GenerateOutcome, Rejections, RemovalReason, ReplyCounts,
    ScreenOutcome, StageRecord, TokenPrice, ValidateOutcome,
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
    usable_replies(&mut text, &outcome.record);
    text
}

/// How many replies of a finished stage could be used, and why the others could not; nothing where
/// all could.
pub(crate) fn usable_replies(text: &mut String, record: &StageRecord) {
    if let Some(counts) = ReplyCounts::of_record(record)
        && !counts.refused.is_empty()
    {
        reply_counts(text, "", &counts);
    }
}

/// How many replies could be used, and why the others could not, with what may help against the most
/// frequent kind.
pub(crate) fn reply_counts(text: &mut String, before: &str, counts: &ReplyCounts) {
    let Some(share) = counts.usable_share else {
        return;
    };
    let _ = writeln!(
        text,
        "{before}{} of {} could be used ({} %)",
        counts.usable,
        counted(counts.replies as usize, "reply"),
        percent(share)
    );
    for refused in &counts.refused {
        let _ = writeln!(text, "  {} {}", refused.count, refused.kind.label());
    }
    let most = counts.refused.first();
    if let Some(remedy) = most.and_then(|refused| refused.kind.remedy()) {
        let _ = writeln!(text, "  {remedy}");
    }
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

/// What a stage would take: requests, tokens, with a price what they cost and with a speed in new
/// tokens a second how long they take. `item` is what is asked about.
pub fn estimate_text(
    estimate: &Estimate,
    item: &str,
    price: Option<&TokenPrice>,
    tokens_per_s: Option<f64>,
) -> String {
    let costs = price.map(|price| estimate.costs(price));
    let times = tokens_per_s.and_then(|speed| estimate.durations(speed));
    let cost = |place: usize| cost_text(costs.map(|costs| costs[place]));
    let time = |place: usize| times.map_or(String::new(), |times| duration_text(times[place]));
    let Estimate {
        items,
        requests,
        max_requests,
        prompt_tokens,
        completion_tokens,
        max_completion_tokens,
        usual,
    } = estimate;
    format!(
        "{}, {}, up to {max_requests} where replies are refused: about {prompt_tokens} prompt tokens (three bytes each)\n\
         replies {usual}: about {completion_tokens} new tokens{}{}\n\
         replies as long as they may be: {max_completion_tokens} new tokens{}{}\n",
        counted(*items, item),
        counted(*requests, "request"),
        cost(0),
        time(0),
        cost(1),
        time(1),
    )
}

/// Hours, minutes and seconds.
fn duration_text(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
    format!(", {hours}:{minutes:02}:{:02} hours", seconds % 60)
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
    usable_replies(&mut text, &outcome.record);
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
