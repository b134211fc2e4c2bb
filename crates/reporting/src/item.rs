//! One problem with prompt, completion, trace and verdict.

use dataset_loader::Problem;
use evaluation::{CompletionRecord, Explained, VerdictRecord};
use generation::Thinking;

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
    /// Whether thinking is shown in full, and not folded into a line.
    pub thinking: bool,
    /// What the files of an imported run do not tell, as its manifest names it.
    pub unknown: &'a [String],
}

/// The item from its problem to its verdict.
pub fn item_text(item: &Item<'_>) -> String {
    let Item {
        problem,
        prompt,
        completion,
        verdict,
        explained,
        thinking,
        unknown,
    } = item;
    let is_unknown = |what: &str| unknown.iter().any(|unknown| unknown == what);
    let tokens = |count: usize| match is_unknown("tokens") {
        true => "tokens unknown".to_string(),
        false => counted(count, "token"),
    };
    let official = &verdict.official;
    let reason = match is_unknown("finish_reason") && completion.error.is_none() {
        true => "why it ended unknown".to_string(),
        false => format!("ended by {:?}", completion.finish_reason).to_lowercase(),
    };
    // Unknown, and not an empty one.
    let prompt = match unknown.is_empty() || !prompt.is_empty() {
        true => *prompt,
        false => "(unknown)",
    };
    let mut text = format!("{} ({}, task {})\n", problem.id, problem.set, problem.task);
    section(
        &mut text,
        &format!("prompt ({})", tokens(completion.prompt_tokens)),
        prompt,
    );
    let heading = format!(
        "completion ({}, {reason})",
        tokens(completion.completion_tokens)
    );
    let written = match (&completion.error, thinking) {
        (Some(error), _) => error.clone(),
        (None, true) => unfolded(completion),
        (None, false) => folded(prompt, completion),
    };
    section(&mut text, &heading, &written);
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

/// The completion with thinking that a server told apart before it.
fn unfolded(completion: &CompletionRecord) -> String {
    match &completion.thinking {
        Some(thinking) => format!("{thinking}\n── answer\n{}", completion.completion),
        None => completion.completion.clone(),
    }
}

/// The completion with its thinking folded into a line that says how much there is.
fn folded(prompt: &str, completion: &CompletionRecord) -> String {
    let text = &completion.completion;
    let line = |thinking: &str, state: &str| {
        let tokens = completion
            .thinking_tokens
            .map(|tokens| format!("{}, ", counted(tokens, "token")))
            .unwrap_or_default();
        let characters = counted(thinking.chars().count(), "character");
        format!("[thinking{state}: {tokens}{characters}; --thinking shows it]")
    };
    if let Some(thinking) = &completion.thinking {
        return format!("{}\n{text}", line(thinking, ""));
    }
    match Thinking::of(prompt, text) {
        Thinking::None => text.clone(),
        Thinking::Open(_) => line(text, ", never closed"),
        Thinking::Closed { end } => {
            format!("{}\n{}", line(&text[..end], ""), text[end..].trim_start())
        }
    }
}

fn section(text: &mut String, heading: &str, body: &str) {
    text.push_str(&format!("\n── {heading}\n{}\n", body.trim_end()));
}
