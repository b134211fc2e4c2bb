//! Where the two scorers differ.

use dataset_loader::Problem;
use evaluation::{Disagreements, VerdictRecord};

use crate::wording::{one_line, percent};

/// Groups by rule, each with its items: reference and what each scorer read as the answer.
pub fn disagreements_text(
    found: &Disagreements,
    problems: &[Problem],
    verdicts: &[VerdictRecord],
) -> String {
    let differing = found.official_false_positives + found.official_false_negatives;
    let mut text = format!(
        "The scorers differ on {differing} of {} items ({} %): official accepts and strict refuses {}, the other way round {}.\n",
        found.n,
        percent(if found.n == 0 {
            0.0
        } else {
            differing as f64 / found.n as f64
        }),
        found.official_false_positives,
        found.official_false_negatives
    );
    for group in &found.groups {
        let (accepts, refuses) = match group.official_accepts {
            true => (
                format!("official {}", group.official_rule),
                format!("strict {}", group.strict_rule),
            ),
            false => (
                format!("strict {}", group.strict_rule),
                format!("official {}", group.official_rule),
            ),
        };
        text.push_str(&format!(
            "\n{} × accepted by {accepts}, refused by {refuses}\n",
            group.ids.len()
        ));
        for (id, &sample) in group.ids.iter().zip(&group.samples) {
            let reference = problems
                .iter()
                .find(|problem| problem.id == *id)
                .map(|problem| problem.reference.as_str());
            let of_item = |verdict: &&VerdictRecord| verdict.id == *id && verdict.sample == sample;
            let Some(verdict) = verdicts.iter().find(of_item) else {
                continue;
            };
            let which = if sample == 0 {
                String::new()
            } else {
                format!(" (sample {sample})")
            };
            text.push_str(&format!(
                "  {id}{which}: reference {}; official read {}; strict read {}\n",
                quoted(reference),
                quoted(verdict.official.prediction.as_deref()),
                quoted(verdict.strict.answer.as_deref())
            ));
        }
    }
    text
}

/// On one line, cut where it is long.
fn quoted(text: Option<&str>) -> String {
    const MAX_CHARS: usize = 80;
    text.map_or("nothing".to_string(), |text| {
        format!("`{}`", one_line(text, MAX_CHARS))
    })
}
