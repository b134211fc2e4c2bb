//! What came of a translation.

use dataset_loader::grouped;
use translation::Translated;

/// Problems that are named, where not all are asked for.
const SHOWN: usize = 3;
/// Characters of a reply that are shown.
const REPLY: usize = 160;

/// Problems read, translated and left out, with the reasons, and what it took.
pub fn translation_text(translated: &Translated, all: bool) -> String {
    let Translated {
        read,
        written,
        english,
        needs_options,
        set_aside,
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
        let shown = if all { needs_options.len() } else { SHOWN };
        text.push_str(&format!(
            "  {:>7}  speak of options that are not asked: {}\n",
            grouped(needs_options.len()),
            listed(needs_options.iter().map(String::as_str), shown)
        ));
    }
    if !set_aside.is_empty() {
        text.push_str(&format!(
            "  {:>7}  set aside, as no translation could be believed\n",
            grouped(set_aside.len())
        ));
        for aside in set_aside
            .iter()
            .take(if all { set_aside.len() } else { SHOWN })
        {
            text.push_str(&format!("           {}: {}\n", aside.id, aside.reason));
            if all {
                let reply: String = aside
                    .reply
                    .split_whitespace()
                    .collect::<Vec<_>>()
                    .join(" ")
                    .chars()
                    .take(REPLY)
                    .collect();
                text.push_str(&format!("             {reply}\n"));
            }
        }
        if !all && set_aside.len() > SHOWN {
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

fn listed<'a>(names: impl Iterator<Item = &'a str>, shown: usize) -> String {
    let names: Vec<&str> = names.collect();
    let more = if names.len() > shown { ", …" } else { "" };
    format!("{}{more}", names[..names.len().min(shown)].join(", "))
}
