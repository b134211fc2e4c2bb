//! One problem with prompt, completion, trace and verdict.

use dataset_loader::Problem;
use evaluation::{CompletionRecord, Explained, VerdictRecord};

use crate::wording::{counted, value_text};

/// Everything about one item.
#[derive(Clone, Copy, Debug)]
pub struct Item<'a> {
    /// The problem.
    pub problem: &'a Problem,
    /// The prompt as the model read it.
    pub prompt: &'a str,
    /// What the model wrote.
    pub completion: &'a CompletionRecord,
    /// What both scorers decided.
    pub verdict: &'a VerdictRecord,
    /// How the strict scorer decided.
    pub explained: &'a Explained,
}

/// The item from its problem to its verdict.
pub fn item_text(item: &Item<'_>) -> String {
    let Item {
        problem,
        prompt,
        completion,
        verdict,
        explained,
    } = item;
    let official = &verdict.official;
    let reason = format!("{:?}", completion.finish_reason).to_lowercase();
    let mut text = format!("{} ({}, task {})\n", problem.id, problem.set, problem.task);
    section(
        &mut text,
        &format!("prompt ({})", counted(completion.prompt_tokens, "token")),
        prompt,
    );
    let heading = format!(
        "completion ({}, ended by {reason})",
        counted(completion.completion_tokens, "token")
    );
    section(
        &mut text,
        &heading,
        completion
            .error
            .as_deref()
            .unwrap_or(&completion.completion),
    );
    section(&mut text, "reference", &problem.reference);
    let mut lines = vec![format!("verdict     {}", official.verdict)];
    lines.push(format!(
        "prediction  {}",
        official.prediction.as_deref().unwrap_or("(none)")
    ));
    lines.push(format!(
        "reference   {}",
        official.reference.as_deref().unwrap_or("(none)")
    ));
    if let Some(exception) = &official.exception {
        lines.push(format!(
            "exception   {exception} (the original scorer would drop the whole task)"
        ));
    }
    lines.push(format!("decided by  {}", official.trace.join(", ")));
    section(&mut text, "official scorer", &lines.join("\n"));
    let strict = &verdict.strict;
    let explanation = &explained.explanation;
    let mut lines = vec![
        format!("verdict     {}", strict.verdict),
        format!(
            "answer      {}",
            strict.answer.as_deref().unwrap_or("(none)")
        ),
    ];
    if let (Some([start, end]), Some(value)) = (strict.span, &explanation.answer_value) {
        lines.push(format!(
            "            bytes {start}–{end}, read as {}",
            value_text(value)
        ));
    }
    lines.push(format!(
        "reference   read as {} ({})",
        value_text(&explanation.reference_value),
        explanation.reference_kind
    ));
    lines.extend(
        explanation
            .steps
            .iter()
            .map(|step| format!("rule        {:24} {}", step.rule, step.purpose)),
    );
    section(&mut text, "strict scorer", &lines.join("\n"));
    text
}

fn section(text: &mut String, heading: &str, body: &str) {
    text.push_str(&format!("\n── {heading}\n{}\n", body.trim_end()));
}
