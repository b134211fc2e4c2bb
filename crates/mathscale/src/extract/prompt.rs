//! What a model is asked about a seed. The wording is our own; the roles and numbers are the
//! paper's (section 3.1).

use jobs::UnreadableReply;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::reply::{MAX_KNOWLEDGE_POINTS, MAX_TOPICS};

/// The form that a model is to reply in. Both are read, whichever was asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReplyForm {
    /// Headings and numbered lines.
    #[default]
    Lines,
    /// A JSON object, as [`concept_schema`] describes it.
    Json,
}

/// The JSON Schema of a reply. Every field is required and no other allowed, as servers demand it
/// that hold a model to a schema.
pub fn concept_schema() -> Value {
    let list = |max: usize| {
        json!({
            "type": "array",
            "items": { "type": "string" },
            "minItems": 1,
            "maxItems": max,
        })
    };
    json!({
        "type": "object",
        "properties": {
            "topics": list(MAX_TOPICS),
            "knowledge_points": list(MAX_KNOWLEDGE_POINTS),
        },
        "required": ["topics", "knowledge_points"],
        "additionalProperties": false,
    })
}

/// The instruction, with `{form}` where the form of the reply goes and `{question}` where the
/// question goes.
const WORDING: &str = "\
You are an experienced mathematics teacher. Read the question below and say what a student has to know to solve it.

Name 1 or 2 topics. A topic is the subject or the chapter that the question belongs to, for example \"Money and finance\" or \"Geometry of circles\".
Name 1 to 5 knowledge points. A knowledge point is one definition, fact, theorem or skill that the solution rests on, for example \"Definition and properties of dot product\" or \"Converting percentages to decimals\".
Use short general names that would fit other questions too. Leave out numbers, names and the solution of this question.

{form}
Question:
{question}
";

const LINES: &str = "\
Answer in exactly this form and write nothing else:
Topics:
1. first topic
Knowledge points:
1. first knowledge point
2. second knowledge point
";

const JSON: &str = "\
Answer with a JSON object in exactly this form and write nothing else:
{\"topics\": [\"first topic\"], \"knowledge_points\": [\"first knowledge point\", \"second knowledge point\"]}
";

/// What is added after an answer that could not be used, with `{reason}` and `{answer}`.
const AGAIN: &str = "
You answered this question before, and the answer could not be used: {reason}. It was:
{answer}
Answer again, in exactly the form above.
";

/// Characters of a refused reply that the model reads again.
const MAX_QUOTED: usize = 1000;

impl ReplyForm {
    fn wording(self) -> String {
        let form = match self {
            Self::Lines => LINES,
            Self::Json => JSON,
        };
        WORDING.replacen("{form}", form, 1)
    }
}

/// The instruction for a question.
pub(crate) fn instruction(
    question: &str,
    form: ReplyForm,
    refusal: Option<&UnreadableReply>,
) -> String {
    let mut text = form.wording().replace("{question}", question.trim());
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
pub(crate) fn wording_digest(form: ReplyForm) -> String {
    let mut hasher = blake3::Hasher::new();
    hasher
        .update(form.wording().as_bytes())
        .update(AGAIN.as_bytes())
        // How much is quoted changes what is asked again.
        .update(&MAX_QUOTED.to_le_bytes());
    hasher.finalize().to_hex().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::reply;

    /// The digest of what is asked in lines is in the projects that there are.
    #[test]
    fn the_wording_in_lines_is_as_it_always_was() {
        let digest = wording_digest(ReplyForm::Lines);
        assert_eq!(
            digest,
            "f5a53f3786a144c94f060b8e758e2655ef8111008e2876f3a79f3f2ae407ffba"
        );
        assert_ne!(wording_digest(ReplyForm::Json), digest);
    }

    #[test]
    fn the_form_of_json_is_one_that_is_read_and_that_the_schema_describes() {
        let text = instruction("What is {form}?", ReplyForm::Json, None);
        assert!(text.ends_with("\nQuestion:\nWhat is {form}?\n"), "{text}");
        let (topics, points) = reply::parse(JSON).unwrap();
        assert_eq!((topics.len(), points.len()), (1, 2));
        let schema = concept_schema();
        let object: Value = serde_json::from_str(JSON.lines().nth(1).unwrap()).unwrap();
        for name in schema["required"].as_array().unwrap() {
            assert!(object[name.as_str().unwrap()].is_array(), "{name}");
        }
        assert_eq!(schema["properties"]["topics"]["maxItems"], 2);
        assert_eq!(schema["properties"]["knowledge_points"]["maxItems"], 5);
    }
}
