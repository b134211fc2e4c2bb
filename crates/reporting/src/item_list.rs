//! Items of a run, a line each.

use comfy_table::Cell;
use dataset_loader::Problem;
use evaluation::{Scorer, VerdictRecord};

use crate::table::framed;
use crate::wording::{counted, one_line};

/// Characters of a reference or an answer that a line has room for.
const MAX_CHARS: usize = 24;

/// A table of items: id, sample where it is not the first, reference, what the scorer read as the
/// answer, and its verdict; below it how many there are.
pub fn item_list(
    items: &[(&Problem, &VerdictRecord)],
    scorer: Scorer,
    width: Option<u16>,
) -> String {
    let mut table = framed(["item", "reference", "answer read", scorer.name()], &[]);
    for (problem, verdict) in items {
        let (answer, said) = match scorer {
            Scorer::Official => (&verdict.official.prediction, verdict.official.verdict),
            Scorer::Strict => (&verdict.strict.answer, verdict.strict.verdict),
        };
        let sample = match verdict.sample {
            0 => String::new(),
            sample => format!(" (sample {sample})"),
        };
        let cells = [
            format!("{}{sample}", problem.id),
            one_line(&problem.reference, MAX_CHARS),
            one_line(answer.as_deref().unwrap_or_default(), MAX_CHARS),
            said.to_string().replace('_', " "),
        ];
        table.add_row(cells.map(Cell::new));
    }
    match items.is_empty() {
        true => "No such item.\n".to_string(),
        false => format!(
            "{}{}\n",
            table.text(width),
            counted(items.len(), "completion")
        ),
    }
}
