//! What a model is asked about a seed. The wording is our own; the roles and numbers are the
//! paper's (section 3.1).

use jobs::UnreadableReply;

/// The instruction, with `{question}` where the question goes.
const WORDING: &str = "\
You are an experienced mathematics teacher. Read the question below and say what a student has to know to solve it.

Name 1 or 2 topics. A topic is the subject or the chapter that the question belongs to, for example \"Money and finance\" or \"Geometry of circles\".
Name 1 to 5 knowledge points. A knowledge point is one definition, fact, theorem or skill that the solution rests on, for example \"Definition and properties of dot product\" or \"Converting percentages to decimals\".
Use short general names that would fit other questions too. Leave out numbers, names and the solution of this question.

Answer in exactly this form and write nothing else:
Topics:
1. first topic
Knowledge points:
1. first knowledge point
2. second knowledge point

Question:
{question}
";

/// What is added after an answer that could not be used, with `{reason}` and `{answer}`.
const AGAIN: &str = "
You answered this question before, and the answer could not be used: {reason}. It was:
{answer}
Answer again, in exactly the form above.
";

/// Characters of a refused reply that the model reads again.
const MAX_QUOTED: usize = 1000;

/// The instruction for a question.
pub(crate) fn instruction(question: &str, refusal: Option<&UnreadableReply>) -> String {
    let mut text = WORDING.replace("{question}", question.trim());
    if let Some(UnreadableReply {
        text: answer,
        reason,
    }) = refusal
    {
        let quoted: String = answer.trim().chars().take(MAX_QUOTED).collect();
        // The answer last: it may hold anything.
        text.push_str(
            &AGAIN
                .replace("{reason}", reason)
                .replacen("{answer}", &quoted, 1),
        );
    }
    text
}

/// BLAKE3 (hex) of everything that is asked beside the questions.
pub(crate) fn wording_digest() -> String {
    let mut hasher = blake3::Hasher::new();
    hasher
        .update(WORDING.as_bytes())
        .update(AGAIN.as_bytes())
        // How much is quoted changes what is asked again.
        .update(&MAX_QUOTED.to_le_bytes());
    hasher.finalize().to_hex().to_string()
}
