//! The result of a translation.

use dataset_loader::grouped;
use translation::Translated;

/// Problems that are named, where not all are asked for.
const MAX_NAMED: usize = 3;
/// Characters of a reply that are printed.
const MAX_REPLY_CHARS: usize = 160;

/// Problems read, translated and left out, with the reasons, and what it took.
pub fn translation_text(translated: &Translated, all: bool) -> String {
    let Translated {
        read,
        written,
        english,
        needs_options,
        rejected,
        tally,
        ..
    } = translated;
    let mut text = format!(
        "{} read, {} written, {} left out → {}\n",
        grouped(*read),
        grouped(*written),
        grouped(read - written),
        translated.output.display()
    );
    if *english > 0 {
        text.push_str(&format!(
            "  {:>7}  were in English already\n",
            grouped(*english)
        ));
    }
    if !needs_options.is_empty() {
        let max = if all { needs_options.len() } else { MAX_NAMED };
        text.push_str(&format!(
            "  {:>7}  speak of options that are not asked: {}\n",
            grouped(needs_options.len()),
            listed(needs_options.iter().map(String::as_str), max)
        ));
    }
    if !rejected.is_empty() {
        text.push_str(&format!(
            "  {:>7}  rejected, as no translation passed the checks\n",
            grouped(rejected.len())
        ));
        for problem in rejected
            .iter()
            .take(if all { rejected.len() } else { MAX_NAMED })
        {
            text.push_str(&format!("           {}: {}\n", problem.id, problem.reason));
            if all {
                let reply: String = problem
                    .reply
                    .split_whitespace()
                    .collect::<Vec<_>>()
                    .join(" ")
                    .chars()
                    .take(MAX_REPLY_CHARS)
                    .collect();
                text.push_str(&format!("             {reply}\n"));
            }
        }
        if !all && rejected.len() > MAX_NAMED {
            text.push_str("           … (--all names every one)\n");
        }
    }
    text.push_str(&format!(
        "{} replies by {}: {} prompt tokens, {} new tokens; all are in {}\n",
        grouped(tally.replies),
        translated.model,
        grouped(tally.prompt_tokens as usize),
        grouped(tally.completion_tokens as usize),
        translated.journal.display()
    ));
    text
}

fn listed<'a>(names: impl Iterator<Item = &'a str>, max: usize) -> String {
    let names: Vec<&str> = names.collect();
    let more = if names.len() > max { ", …" } else { "" };
    format!("{}{more}", names[..names.len().min(max)].join(", "))
}
