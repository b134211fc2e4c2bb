//! What the model reads.

use jobs::UnreadableReply;

const SOLVE: &str = "Act as a mathematics teacher. Solve the following exercise step by step. End with the sentence \"The answer is\" followed by the final answer.\n\nExercise:\n";
const JUDGE: &str = "Act as a mathematics teacher who grades the work of a student. Below are an exercise, a reference solution and the student's solution. \
The student's solution is correct if its steps hold and its final answer equals that of the reference in value; another way to it or another way of writing it is no mistake.\n\nExercise:\n";
const REFERENCE: &str = "\n\nReference solution:\n";
const STUDENT: &str = "\n\nSolution of the student:\n";
const VERDICT: &str = "\n\nSay in one or two sentences what you find. Then write a last line that is either \"Verdict: correct\" or \"Verdict: incorrect\".\n";
const AGAIN: &str = "\nAn earlier reply to this could not be used: ";

/// BLAKE3 (hex) of the wording.
pub(crate) fn digest() -> String {
    let mut hasher = blake3::Hasher::new();
    for part in [SOLVE, JUDGE, REFERENCE, STUDENT, VERDICT, AGAIN] {
        hasher.update(part.as_bytes()).update(&[0]);
    }
    hasher.finalize().to_hex().to_string()
}

pub(crate) fn solve(question: &str, refusal: Option<&UnreadableReply>) -> String {
    again(format!("{SOLVE}{}\n", question.trim()), refusal)
}

pub(crate) fn judge(
    question: &str,
    reference: &str,
    solution: &str,
    refusal: Option<&UnreadableReply>,
) -> String {
    let [question, reference, solution] = [question, reference, solution].map(str::trim);
    again(
        format!("{JUDGE}{question}{REFERENCE}{reference}{STUDENT}{solution}{VERDICT}"),
        refusal,
    )
}

fn again(mut text: String, refusal: Option<&UnreadableReply>) -> String {
    if let Some(refusal) = refusal {
        for part in [AGAIN, refusal.reason.trim_end_matches('.'), ".\n"] {
            text.push_str(part);
        }
    }
    text
}

/// Whether a solution can be used: it must come to an answer.
pub(crate) fn check_solution(text: &str) -> Result<(), String> {
    match scoring::strict::Profile::standard().final_answer(text) {
        Some(_) => Ok(()),
        None => Err(
            "it comes to no final answer: end with \"The answer is\" and the answer".to_string(),
        ),
    }
}

/// The verdict at the end of a judgement.
pub(crate) fn parse_verdict(text: &str) -> Result<bool, String> {
    let plain = text.to_lowercase();
    let after = plain.rsplit_once("verdict").map(|(_, after)| after);
    // A bare word is a verdict too.
    let text = after.unwrap_or(&plain);
    let words: Vec<&str> = text
        .split(|c: char| !c.is_alphabetic())
        .filter(|word| !word.is_empty())
        .collect();
    let first = match after {
        Some(_) => words
            .iter()
            .find(|word| !matches!(**word, "is" | "the" | "solution")),
        None => words.first().filter(|_| words.len() == 1),
    };
    match first.copied() {
        Some("correct" | "right") => Ok(true),
        Some("incorrect" | "wrong") => Ok(false),
        Some("not") if words.contains(&"correct") => Ok(false),
        _ => Err("there is no line \"Verdict: correct\" or \"Verdict: incorrect\"".to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usual_forms_of_a_verdict_are_parsed() {
        for (text, expected) in [
            ("The steps hold.\nVerdict: correct", Some(true)),
            (
                "It is correct up to step 2.\n**Verdict:** Incorrect.",
                Some(false),
            ),
            ("verdict - the solution is wrong", Some(false)),
            ("Verdict: not correct", Some(false)),
            ("Correct.", Some(true)),
            ("incorrect", Some(false)),
            ("I think that the solution is correct", None),
            ("Verdict: perhaps", None),
            ("", None),
        ] {
            assert_eq!(parse_verdict(text).ok(), expected, "{text}");
        }
    }
}
