//! What a baseline file holds.

use comfy_table::Cell;
use evaluation::BaselineFigures;

use crate::table::framed;
use crate::wording::percent;

/// What the baseline is of, and the accuracies of its sets in percent.
pub fn baseline_text(baseline: &BaselineFigures, width: Option<u16>) -> String {
    let identity = &baseline.identity;
    let items: usize = baseline.sets.iter().map(|set| set.n).sum();
    let mut text = format!(
        "baseline of {} ({}), run by mwpbench {}\ndata {}, {items} items, template {}, {}, protocol {}\n",
        baseline.model,
        baseline.file.display(),
        baseline.version,
        identity.data.name,
        identity.template.name,
        match &identity.decoding.sampling {
            _ if identity.is_unknown("decoding.sampling") => "decoding unknown".to_string(),
            None => format!(
                "greedy, at most {} new tokens",
                identity.decoding.max_tokens
            ),
            Some(sampling) => format!(
                "{} completions a problem at temperature {}, at most {} new tokens",
                baseline.samples, sampling.temperature, identity.decoding.max_tokens
            ),
        },
        identity.protocol.name()
    );
    for (name, value) in &identity.model.details {
        text.push_str(&format!("  {}: {value}\n", name.replace('_', " ")));
    }
    let mut table = framed(
        [
            "set",
            "n",
            "official",
            "strict",
            "no answer",
            "truncated",
            "failed",
        ],
        &[1, 2, 3, 4, 5, 6],
    );
    for set in &baseline.sets {
        let name = if set.in_average {
            set.title.clone()
        } else {
            format!("{} *", set.title)
        };
        let counts = [set.no_answer, set.truncated, set.failed].map(|count| count.to_string());
        let cells = [
            name,
            set.n.to_string(),
            percent(set.official),
            percent(set.strict),
        ];
        table.add_row(cells.into_iter().chain(counts).map(Cell::new));
    }
    format!("{text}{}", table.text(width))
}
