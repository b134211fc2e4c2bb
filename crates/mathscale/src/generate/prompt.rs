//! What the model reads.

use jobs::UnreadableReply;

use crate::records::{Composition, Seed};
use crate::solution::plain_solution;

/// The wording, in its order. A change of it changes the identity of the stage.
const OPENING: &str = "Act as a mathematics teacher. Write one new exercise for your students, together with its worked solution.\n\n";
const TOPICS: &str = "The exercise stays within these topics:\n";
const POINTS: &str = "\nSolving it takes all of these knowledge points together:\n";
const EXAMPLES: &str = "\nThese exercises show the style and the level that is wanted. Do not repeat them and do not merely change their numbers.\n";
const RULES: &str = "\nThe question must be new, complete in itself and free of contradictions, and it must have exactly one final answer. \
The solution goes step by step, computes everything, and ends with the sentence \"The answer is\" followed by the final answer.\n\n\
Reply with these two parts and nothing else:\n\nQuestion: (the text of the question)\nSolution: (the solution)\n";
const AGAIN: &str = "\nAn earlier reply to this could not be used: ";
const FORM: &str = ". Write the exercise again and keep to the form: a line that begins with \"Question:\", then a line that begins with \"Solution:\".\n";

/// BLAKE3 (hex) of the wording.
pub(crate) fn digest() -> String {
    let mut hasher = blake3::Hasher::new();
    for part in [OPENING, TOPICS, POINTS, EXAMPLES, RULES, AGAIN, FORM] {
        hasher.update(part.as_bytes()).update(&[0]);
    }
    hasher.finalize().to_hex().to_string()
}

/// A prompt with examples, the nearest last: what is read last is followed most closely.
pub(crate) fn prompt<'a>(
    composition: &Composition,
    examples: impl DoubleEndedIterator<Item = &'a Seed>,
    refusal: Option<&UnreadableReply>,
) -> String {
    let mut text = String::with_capacity(4096);
    text.push_str(OPENING);
    text.push_str(TOPICS);
    list(&mut text, &composition.topics);
    text.push_str(POINTS);
    list(&mut text, &composition.knowledge_points);
    for (place, seed) in examples.rev().enumerate() {
        if place == 0 {
            text.push_str(EXAMPLES);
        }
        for part in [
            "\nQuestion: ",
            seed.question.trim(),
            "\nSolution: ",
            &plain_solution(seed.worked_solution()),
            "\n",
        ] {
            text.push_str(part);
        }
    }
    text.push_str(RULES);
    if let Some(refusal) = refusal {
        for part in [AGAIN, refusal.reason.trim_end_matches('.'), FORM] {
            text.push_str(part);
        }
    }
    text
}

/// Names of concepts on lines of their own.
pub(crate) fn list(text: &mut String, names: &[String]) {
    for name in names {
        text.push_str("- ");
        // A name may come from other files; it must not look like the end of the list.
        text.extend(name.chars().map(|c| if c.is_control() { ' ' } else { c }));
        text.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn examples_are_in_the_form_that_is_asked_for() {
        for (solution, expected) in [
            (
                "48/2 = <<48/2=24>>24 clips.\n#### 24",
                "48/2 = 24 clips.\nThe answer is 24.",
            ),
            ("1 << 3 is 8", "1 << 3 is 8"),
            ("The answer is $\\boxed{5}$.", "The answer is $\\boxed{5}$."),
            ("#### Step\nmore", "#### Step\nmore"),
        ] {
            assert_eq!(plain_solution(solution), expected);
        }
    }

    #[test]
    fn a_prompt_names_everything_and_has_the_nearest_example_last() {
        let names = |names: &[&str]| names.iter().map(|name| name.to_string()).collect();
        let composition = Composition {
            topics: names(&["Money"]),
            knowledge_points: names(&["Sums\nand more"]),
        };
        let seed = |question: &str, solution: Option<&str>| Seed {
            id: question.into(),
            question: question.into(),
            answer: "5".into(),
            solution: solution.map(str::to_string),
        };
        let seeds = [seed("Near?", Some("Worked: 5")), seed("Far?", None)];
        let refusal = UnreadableReply {
            text: "no".into(),
            reason: "the question is empty.".into(),
        };
        let text = prompt(&composition, seeds.iter(), Some(&refusal));
        for part in [
            "- Money\n",
            "- Sums and more\n",
            "Question: Near?\nSolution: Worked: 5\n",
            "could not be used: the question is empty. Write",
        ] {
            assert!(text.contains(part), "{part} is missing in {text}");
        }
        assert!(text.find("Far?") < text.find("Near?"));
        assert!(!prompt(&composition, [].iter(), None).contains("style and the level"));
    }
}
