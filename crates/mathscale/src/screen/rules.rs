//! What can be decided from a pair alone.

use serde::{Deserialize, Serialize};

use super::reason::RemovalReason;
use crate::pair::Pair;
use crate::tokens::estimated_tokens;

/// What removes a pair.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScreenRules {
    /// Characters that a question may have; `None` for any number.
    #[serde(rename = "question_characters")]
    pub max_question_chars: Option<usize>,
    /// Characters that a solution may have; `None` for any number.
    #[serde(rename = "solution_characters")]
    pub max_solution_chars: Option<usize>,
    /// Tokens that both together may have, by [`crate::estimated_tokens`]; `None` for any number.
    #[serde(rename = "tokens")]
    pub max_tokens: Option<usize>,
    /// Whether a solution must have a final answer that the strict scorer finds.
    pub final_answer: bool,
    /// The Jaccard index of their shingles from which two questions are near-duplicates, in
    /// 0.5..=1; `None` removes equal ones only.
    #[serde(rename = "near")]
    pub min_jaccard: Option<f64>,
    /// Whether copies of seeds are removed.
    pub seeds: bool,
}

impl Default for ScreenRules {
    /// 2,048 tokens, as training runs of the paper's kind have them; near-duplicates as for the
    /// contamination of training data.
    fn default() -> Self {
        Self {
            max_question_chars: None,
            max_solution_chars: None,
            max_tokens: Some(2048),
            final_answer: true,
            min_jaccard: Some(overlap::OverlapOptions::default().min_jaccard),
            seeds: true,
        }
    }
}

/// Marks of a prompt or a chat, which belong into no text.
const MARKS: [&str; 12] = [
    "<|im_start|>",
    "<|im_end|>",
    "<|endoftext|>",
    "<|eot_id|>",
    "<|start_header_id|>",
    "[INST]",
    "[/INST]",
    "<s>",
    "</s>",
    "### Instruction",
    "### Response",
    "<unk>",
];

impl ScreenRules {
    /// What is wrong with a pair, by itself.
    pub(crate) fn fault(&self, pair: &Pair) -> Option<(RemovalReason, String)> {
        let malformed = malformed(pair).map(|detail| (RemovalReason::Malformed, detail));
        malformed
            .or_else(|| self.length(pair))
            .or_else(|| self.no_answer(pair))
    }

    fn length(&self, pair: &Pair) -> Option<(RemovalReason, String)> {
        let characters = |text: &str, max: Option<usize>, what: &str| {
            // A text of fewer bytes has fewer characters: it needs no counting.
            let max = max.filter(|&max| text.len() > max)?;
            let count = text.chars().count();
            (count > max).then(|| format!("the {what} has {count} characters, more than {max}"))
        };
        let tokens = || {
            let count = estimated_tokens(&pair.question) + estimated_tokens(&pair.solution);
            let max = self.max_tokens.filter(|&max| count > max)?;
            Some(format!("about {count} tokens, more than {max}"))
        };
        let detail = characters(&pair.question, self.max_question_chars, "question")
            .or_else(|| characters(&pair.solution, self.max_solution_chars, "solution"))
            .or_else(tokens)?;
        Some((RemovalReason::TooLong, detail))
    }

    fn no_answer(&self, pair: &Pair) -> Option<(RemovalReason, String)> {
        let missing = self.final_answer
            && scoring::strict::Profile::standard()
                .final_answer(&pair.solution)
                .is_none();
        missing.then(|| {
            (
                RemovalReason::NoFinalAnswer,
                "no final answer is found in the solution".to_string(),
            )
        })
    }
}

fn malformed(pair: &Pair) -> Option<String> {
    let texts = [
        ("question", pair.question.as_str()),
        ("solution", pair.solution.as_str()),
    ];
    texts.into_iter().find_map(|(what, text)| {
        if text.trim().is_empty() {
            return Some(format!("the {what} is empty"));
        }
        if let Some(c) = text
            .chars()
            .find(|&c| c == '\u{fffd}' || (c.is_control() && !matches!(c, '\n' | '\t' | '\r')))
        {
            return Some(match c {
                '\u{fffd}' => {
                    format!("the {what} holds a character that could not be read (U+FFFD)")
                }
                c => format!(
                    "the {what} holds a control character (U+{:04X})",
                    u32::from(c)
                ),
            });
        }
        if let Some(mark) = MARKS.iter().find(|mark| text.contains(**mark)) {
            return Some(format!("the {what} holds the mark {mark}"));
        }
        (text.matches("```").count() % 2 == 1)
            .then(|| format!("a block of code in the {what} does not end"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(
        question: &str,
        solution: &str,
        rules: ScreenRules,
    ) -> Option<(RemovalReason, String)> {
        let pair = Pair {
            question: question.to_string(),
            solution: solution.to_string(),
            ..Pair::default()
        };
        rules.fault(&pair)
    }

    #[test]
    fn each_rule_fires_and_good_pairs_pass() {
        use RemovalReason::{Malformed, NoFinalAnswer, TooLong};
        let good = ("How much is 2 + 3?", "2 + 3 = 5. The answer is 5.");
        let rules = ScreenRules::default();
        assert_eq!(fault(good.0, good.1, rules), None);
        for (question, solution, reason, detail) in [
            (" \n", good.1, Malformed, "question is empty"),
            (good.0, "", Malformed, "solution is empty"),
            ("How\u{7}?", good.1, Malformed, "U+0007"),
            (good.0, "5\u{fffd}", Malformed, "U+FFFD"),
            (good.0, "5 </s> Next", Malformed, "</s>"),
            (good.0, "```python\nprint(5)", Malformed, "block of code"),
            (
                good.0,
                "I am sorry, that cannot be done.",
                NoFinalAnswer,
                "no final answer",
            ),
            (&"long ".repeat(1300), good.1, TooLong, "more than 2048"),
        ] {
            let (found, text) = fault(question, solution, rules).unwrap();
            assert_eq!(found, reason, "{question} {solution}");
            assert!(text.contains(detail), "{text}");
        }
        let short = ScreenRules {
            max_question_chars: Some(3),
            ..rules
        };
        assert_eq!(fault("äöü", good.1, short), None);
        assert!(
            fault("äöüß", good.1, short)
                .is_some_and(|(_, text)| text.contains("4 characters, more than 3"))
        );
    }
}
