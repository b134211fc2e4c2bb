//! Prompt templates around a question, which are stripped: Alpaca's, those of chat models, and labels
//! such as `Question:`.

use std::borrow::Cow;

/// What comes before and after the user's words, in templates whose marks no question contains by
/// chance.
const CHAT: [(&str, &[&str]); 5] = [
    ("<|im_start|>user", &["<|im_end|>"]),
    ("<|start_header_id|>user<|end_header_id|>", &["<|eot_id|>"]),
    ("<start_of_turn>user", &["<end_of_turn>"]),
    ("<|user|>", &["<|assistant|>", "<|end|>", "</s>"]),
    ("[INST]", &["[/INST]"]),
];

/// Labels at the beginning of a line; the answer's label may also follow on the same line.
const LABELS: [(&str, &[&str]); 6] = [
    ("USER:", &["ASSISTANT:"]),
    ("User:", &["Assistant:"]),
    ("Human:", &["Assistant:", "AI:"]),
    ("Question:", &["Answer:", "Solution:"]),
    ("Problem:", &["Solution:", "Answer:"]),
    ("Q:", &["A:"]),
];

const ALPACA_INSTRUCTION: &str = "### Instruction:";
const ALPACA_INPUT: &str = "### Input:";
const ALPACA_RESPONSE: &str = "### Response:";

/// The questions in a prompt, its template taken off; the text itself where there is none.
pub(crate) fn questions(text: &str) -> Vec<Cow<'_, str>> {
    if text.contains(ALPACA_INSTRUCTION) {
        return alpaca(text);
    }
    // Before the labels: a turn of a chat may itself hold "Question:".
    for (before, after) in CHAT {
        if text.contains(before) {
            return text
                .split(before)
                .skip(1)
                .map(|turn| Cow::Borrowed(without_system(until(turn, after))))
                .collect();
        }
    }
    for (label, after) in LABELS {
        let labelled = labelled(text, label, after);
        if !labelled.is_empty() {
            return labelled;
        }
    }
    vec![Cow::Borrowed(text)]
}

/// Instruction and, where there is one, input, of each turn.
fn alpaca(text: &str) -> Vec<Cow<'_, str>> {
    let turns = text
        .split(ALPACA_INSTRUCTION)
        .skip(1)
        .map(|turn| until(turn, &[ALPACA_RESPONSE]));
    turns
        .map(|turn| match turn.split_once(ALPACA_INPUT) {
            Some((instruction, input)) => {
                Cow::Owned(format!("{}\n{}", instruction.trim(), input.trim()))
            }
            None => Cow::Borrowed(turn.trim()),
        })
        .collect()
}

fn until<'a>(text: &'a str, ends: &[&str]) -> &'a str {
    let end = ends
        .iter()
        .filter_map(|end| text.find(end))
        .min()
        .unwrap_or(text.len());
    text[..end].trim()
}

/// A LLaMA-2 prompt may hold the system's words before the user's.
fn without_system(turn: &str) -> &str {
    turn.split_once("<</SYS>>")
        .map_or(turn, |(_, user)| user.trim())
}

fn labelled<'a>(text: &'a str, label: &str, ends: &[&str]) -> Vec<Cow<'a, str>> {
    let starts = text.match_indices(label).filter(|(at, _)| {
        text[..*at].trim_end_matches([' ', '\t']).ends_with('\n') || text[..*at].trim().is_empty()
    });
    let starts: Vec<usize> = starts.map(|(at, _)| at).collect();
    let parts = starts.iter().enumerate().map(|(i, &at)| {
        let next = starts.get(i + 1).copied().unwrap_or(text.len());
        Cow::Borrowed(until(&text[at + label.len()..next], ends))
    });
    parts.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_are_taken_off() {
        let question = "Ann has 2 apples.\nHow many?";
        for wrapped in [
            format!(
                "Below is an instruction that describes a task. Write a response that appropriately completes the request.\n\n### Instruction:\n{question}\n\n### Response:"
            ),
            format!(
                "Below is …\n\n### Instruction:\n{question}\n\n### Response: Let's think step by step. 2 + 2"
            ),
            format!(
                "<|im_start|>system\nBe kind.<|im_end|>\n<|im_start|>user\n{question}<|im_end|>\n<|im_start|>assistant\nTwo<|im_end|>"
            ),
            format!(
                "<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\n{question}<|eot_id|><|start_header_id|>assistant<|end_header_id|>"
            ),
            format!("<s>[INST] <<SYS>>\nBe kind.\n<</SYS>>\n\n{question} [/INST] Two </s>"),
            format!("<bos><start_of_turn>user\n{question}<end_of_turn>\n<start_of_turn>model\n"),
            format!("<|user|>\n{question}</s>\n<|assistant|>\nTwo"),
            format!("A chat.\nUSER: {question} ASSISTANT: Two"),
            format!("Question: {question}\nAnswer: Two"),
            format!("\n  Q: {question}\nA: Two"),
            question.to_owned(),
        ] {
            assert_eq!(questions(&wrapped), [question], "{wrapped}");
        }
    }

    #[test]
    fn instruction_and_input_are_one_question() {
        let wrapped = "### Instruction:\nSolve.\n\n### Input:\n2 + 2\n\n### Response:\n4";
        assert_eq!(questions(wrapped), ["Solve.\n2 + 2"]);
    }

    #[test]
    fn every_turn_is_a_question() {
        assert_eq!(
            questions("[INST] One? [/INST] 1 [INST] Two? [/INST] 2"),
            ["One?", "Two?"]
        );
        assert_eq!(questions("Q: One?\nA: 1\n\nQ: Two?\nA:"), ["One?", "Two?"]);
    }

    #[test]
    fn a_label_inside_a_line_is_none() {
        let text = "The answer to Question: 5 is Answer: 6";
        assert_eq!(questions(text), [text]);
    }
}
