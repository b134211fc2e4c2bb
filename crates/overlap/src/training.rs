//! A training record → the questions in it, recognised from its keys.

use std::borrow::Cow;

use serde_json::{Map, Value};

use crate::prompt_templates;

/// Fields with a list of messages.
const MESSAGES: [&str; 4] = ["messages", "conversations", "conversation", "chosen"];
/// Fields with a question, or with a prompt around one.
const QUESTIONS: [&str; 7] = [
    "prompt",
    "question",
    "problem",
    "query",
    "original_question",
    "original_text",
    "question_text",
];
/// Fields that are read where there is none of those.
const OTHERS: [&str; 3] = ["input", "text", "content"];

/// A text to look up.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Question<'a> {
    pub(crate) text: Cow<'a, str>,
    /// Another reading of the question before it, such as an Alpaca input without its instruction.
    pub(crate) variant: bool,
}

/// Why a record gives no question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Unreadable {
    /// Nothing in it is known; what it is instead.
    Unrecognised(String),
    /// The field that was named holds no text.
    NoField(String),
}

/// The questions of a record, from the field that is named (a path of names with points) or from
/// those that are known.
pub(crate) fn questions<'a>(
    record: &'a Value,
    field: Option<&str>,
) -> Result<Vec<Question<'a>>, Unreadable> {
    let mut found = Questions::default();
    match (field, record) {
        (Some(field), Value::Object(_)) => {
            let value = field
                .split('.')
                .try_fold(record, |value, name| value.get(name));
            if !value.is_some_and(|value| found.add(value)) {
                return Err(Unreadable::NoField(shape(record)));
            }
        }
        (None, Value::Object(object)) => {
            if !found.add_object(object) {
                return Err(Unreadable::Unrecognised(shape(record)));
            }
        }
        _ => {
            if !found.add(record) {
                return Err(Unreadable::Unrecognised(shape(record)));
            }
        }
    }
    Ok(found.questions)
}

#[derive(Default)]
struct Questions<'a> {
    questions: Vec<Question<'a>>,
}

impl<'a> Questions<'a> {
    /// Whether anything in the object is known, though it may be empty.
    fn add_object(&mut self, object: &'a Map<String, Value>) -> bool {
        let field = |name: &str| {
            object
                .iter()
                .find(|(key, _)| key.eq_ignore_ascii_case(name))
                .map(|(_, value)| value)
        };
        let mut known = match (field("instruction"), field("input")) {
            (Some(Value::String(instruction)), input) => {
                self.instruction(
                    instruction,
                    input.and_then(Value::as_str).unwrap_or_default(),
                );
                true
            }
            _ => false,
        };
        for name in MESSAGES.iter().chain(&QUESTIONS) {
            known |= field(name).is_some_and(|value| self.add(value));
        }
        // Last: `input` may be the context of a question, `text` and `content` a whole document.
        for name in OTHERS {
            if self.questions.is_empty() {
                known |= field(name).is_some_and(|value| self.add(value));
            }
        }
        known
    }

    /// A text, messages, or null, which is a known field without a question.
    fn add(&mut self, value: &'a Value) -> bool {
        match value {
            Value::Null => true,
            Value::String(text) => {
                for question in prompt_templates::questions(text) {
                    self.push(question, false);
                }
                true
            }
            Value::Array(messages) if messages.iter().all(|message| message.is_object()) => {
                messages
                    .iter()
                    .filter(|message| is_users(message))
                    .for_each(|message| self.message(message));
                messages.is_empty() || messages.iter().any(|message| role(message).is_some())
            }
            _ => false,
        }
    }

    /// Alpaca's two fields: together, and each alone, for either may be the same in all records.
    fn instruction(&mut self, instruction: &'a str, input: &'a str) {
        if input.trim().is_empty() {
            for question in prompt_templates::questions(instruction) {
                self.push(question, false);
            }
            return;
        }
        self.push(Cow::Owned(format!("{instruction}\n{input}")), false);
        self.push(Cow::Borrowed(input), true);
        self.push(Cow::Borrowed(instruction), true);
    }

    /// The text of a message, or the texts among its parts.
    fn message(&mut self, message: &'a Value) {
        match message.get("content").or_else(|| message.get("value")) {
            Some(Value::String(text)) => self.push(Cow::Borrowed(text), false),
            Some(Value::Array(parts)) => {
                for text in parts.iter().filter_map(|part| part.get("text")?.as_str()) {
                    self.push(Cow::Borrowed(text), false);
                }
            }
            _ => {}
        }
    }

    fn push(&mut self, text: Cow<'a, str>, variant: bool) {
        if !text.trim().is_empty() && !self.questions.iter().any(|known| known.text == text) {
            self.questions.push(Question { text, variant });
        }
    }
}

fn role(message: &Value) -> Option<&str> {
    message
        .get("role")
        .or_else(|| message.get("from"))?
        .as_str()
}

fn is_users(message: &Value) -> bool {
    matches!(
        role(message),
        Some("user" | "human" | "prompter" | "User" | "Human")
    )
}

/// The keys of a record, for a message.
fn shape(record: &Value) -> String {
    const MAX_SHOWN_KEYS: usize = 20;
    match record {
        Value::Object(object) if object.is_empty() => "a record without keys".to_owned(),
        Value::Object(object) => {
            let mut keys: Vec<&str> = object
                .keys()
                .take(MAX_SHOWN_KEYS)
                .map(String::as_str)
                .collect();
            if object.len() > MAX_SHOWN_KEYS {
                keys.push("…");
            }
            format!("a record with the keys {}", keys.join(", "))
        }
        Value::Array(_) => "an array".to_owned(),
        Value::String(_) => "a text".to_owned(),
        Value::Number(_) => "a number".to_owned(),
        Value::Bool(_) | Value::Null => format!("{record}"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn texts(record: Value, field: Option<&str>) -> Vec<String> {
        questions(&record, field)
            .unwrap()
            .into_iter()
            .map(|question| question.text.into_owned())
            .collect()
    }

    #[test]
    fn known_shapes_give_their_questions() {
        for record in [
            json!({"instruction": "Q?", "input": "", "output": "A"}),
            json!({"instruction": "Q?", "output": "A"}),
            json!({"messages": [{"role": "system", "content": "S"}, {"role": "user", "content": "Q?"}, {"role": "assistant", "content": "A"}]}),
            json!({"messages": [{"role": "user", "content": [{"type": "text", "text": "Q?"}]}]}),
            json!({"conversations": [{"from": "human", "value": "Q?"}, {"from": "gpt", "value": "A"}]}),
            json!([{"role": "user", "content": "Q?"}]),
            json!({"prompt": "Q?", "completion": "A"}),
            json!({"prompt": [{"role": "user", "content": "Q?"}], "completion": [{"role": "assistant", "content": "A"}]}),
            json!({"prompt": "### Instruction:\nQ?\n\n### Response:", "completion": "A"}),
            json!({"question": "Q?", "answer": "A"}),
            json!({"Question": "Q?", "Answer": "A"}),
            json!({"problem": "Q?", "solution": "A", "messages": [{"role": "user", "content": "Q?"}]}),
            json!({"query": "Q?", "response": "A"}),
            json!({"input": "Q?", "output": "A"}),
            json!({"text": "<s>[INST] Q? [/INST] A </s>"}),
            json!({"messages": null, "text": "Q?"}),
            json!("Q?"),
        ] {
            assert_eq!(texts(record.clone(), None), ["Q?"], "{record}");
        }
    }

    #[test]
    fn instruction_and_input_are_read_together_and_apart() {
        let record = json!({"instruction": "Solve.", "input": "2 + 2", "output": "4"});
        let found = questions(&record, None).unwrap();
        let read: Vec<(&str, bool)> = found
            .iter()
            .map(|question| (&*question.text, question.variant))
            .collect();
        assert_eq!(
            read,
            [("Solve.\n2 + 2", false), ("2 + 2", true), ("Solve.", true)]
        );
    }

    #[test]
    fn every_question_of_a_record_is_read() {
        assert_eq!(
            texts(json!({"query": "One?", "original_question": "Two?"}), None),
            ["One?", "Two?"]
        );
        let turns = json!({"messages": [{"role": "user", "content": "One?"}, {"role": "assistant", "content": "1"}, {"role": "user", "content": "Two?"}]});
        assert_eq!(texts(turns, None), ["One?", "Two?"]);
    }

    #[test]
    fn a_known_field_may_be_without_a_question() {
        for record in [
            json!({"question": null}),
            json!({"question": " "}),
            json!({"messages": []}),
            json!({"messages": [{"role": "assistant", "content": "A"}]}),
        ] {
            assert_eq!(texts(record, None), [""; 0]);
        }
    }

    #[test]
    fn a_field_can_be_named() {
        assert_eq!(texts(json!({"aufgabe": "Q?"}), Some("aufgabe")), ["Q?"]);
        assert_eq!(
            texts(
                json!({"data": {"q": "Q?"}, "question": "other"}),
                Some("data.q")
            ),
            ["Q?"]
        );
        assert_eq!(
            texts(
                json!({"turns": [{"role": "user", "content": "Q?"}]}),
                Some("turns")
            ),
            ["Q?"]
        );
        let missing = json!({"a": 1, "b": "x"});
        assert_eq!(
            questions(&missing, Some("c")),
            Err(Unreadable::NoField("a record with the keys a, b".into()))
        );
        assert_eq!(
            questions(&missing, Some("a")),
            Err(Unreadable::NoField("a record with the keys a, b".into()))
        );
    }

    #[test]
    fn what_is_not_known_is_refused_with_its_keys() {
        for (record, shape) in [
            (
                json!({"aufgabe": "Q?", "lösung": "A"}),
                "a record with the keys aufgabe, lösung",
            ),
            (json!({}), "a record without keys"),
            (json!({"question": 5}), "a record with the keys question"),
            (json!([1, 2]), "an array"),
            (json!(5), "a number"),
        ] {
            assert_eq!(
                questions(&record, None),
                Err(Unreadable::Unrecognised(shape.into()))
            );
        }
    }
}
