//! One answer: what was found in it, what was read, which rules decided.

use evaluation::Explained;

use crate::wording::value_text;

/// The account of a judgement. `id`: of the answer, where it has one.
pub fn explanation_text(id: Option<&str>, reference: &str, explained: &Explained) -> String {
    let Explained {
        official,
        strict,
        profile,
        explanation,
    } = explained;
    let mut lines = Vec::new();
    if let Some(id) = id {
        lines.push(format!("── {id}"));
    }
    lines.push(format!(
        "reference  {reference}   ({}: {})",
        explanation.reference_kind,
        value_text(&explanation.reference_value)
    ));
    let span = strict
        .span
        .map(|[start, end]| format!(", bytes {start}–{end}"))
        .unwrap_or_default();
    match (&strict.answer, &explanation.answer_value) {
        (Some(answer), Some(value)) => lines.push(format!(
            "answer     {answer}   ({}{span})",
            value_text(value)
        )),
        _ => lines.push("answer     (none)".to_string()),
    }
    if explanation.list_order_counts {
        lines.push("           the order of several answers counts".to_string());
    }
    lines.push(format!("strict     {} (profile {profile})", strict.verdict));
    lines.extend(
        explanation
            .steps
            .iter()
            .map(|step| format!("           {:24} {}", step.rule, step.purpose)),
    );
    lines.push(format!(
        "official   {} by {}",
        official.verdict,
        official.trace.join(", ")
    ));
    let side = |text: &Option<String>| text.clone().unwrap_or_else(|| "(none)".to_string());
    lines.push(format!(
        "           compares \"{}\" with \"{}\"",
        side(&official.prediction),
        side(&official.reference)
    ));
    if let Some(exception) = &official.exception {
        lines.push(format!(
            "           the original raises {exception} and drops the whole task"
        ));
    }
    format!("{}\n", lines.join("\n"))
}
