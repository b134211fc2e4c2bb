//! Where in a record what stands: paths of field names with dots between, numbers for places in
//! lists, such as `choices.0.message.content`.

use std::fmt;

use serde_json::{Map, Value};

use super::error::{ImportError, ImportErrorKind};
use super::{At, Record, Source, finish};

/// What a field can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// The completion, or a list of them.
    Completion,
    /// The data set's answer.
    Reference,
    /// The question.
    Question,
    /// What the model read: a text, or the messages of a conversation.
    Prompt,
    /// What tells items apart.
    Id,
    /// Name of a task.
    Task,
    /// Which sample of its item.
    Sample,
    /// Why the completion ended.
    FinishReason,
    /// Thinking that is told apart from the completion.
    Thinking,
    /// Name of the model.
    Model,
    /// Tokens of the prompt.
    PromptTokens,
    /// New tokens.
    CompletionTokens,
    /// Whether the files count it as correct.
    Correct,
    /// Why there is no completion.
    Error,
}

impl Key {
    /// Every key.
    pub const ALL: [Self; 14] = [
        Self::Completion,
        Self::Reference,
        Self::Question,
        Self::Prompt,
        Self::Id,
        Self::Task,
        Self::Sample,
        Self::FinishReason,
        Self::Thinking,
        Self::Model,
        Self::PromptTokens,
        Self::CompletionTokens,
        Self::Correct,
        Self::Error,
    ];

    /// Name in a field map.
    pub fn name(self) -> &'static str {
        match self {
            Self::Completion => "completion",
            Self::Reference => "reference",
            Self::Question => "question",
            Self::Prompt => "prompt",
            Self::Id => "id",
            Self::Task => "task",
            Self::Sample => "sample",
            Self::FinishReason => "finish_reason",
            Self::Thinking => "thinking",
            Self::Model => "model",
            Self::PromptTokens => "prompt_tokens",
            Self::CompletionTokens => "completion_tokens",
            Self::Correct => "correct",
            Self::Error => "error",
        }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Which field holds what, as the user says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FieldMap(Vec<(Key, String)>);

impl FieldMap {
    /// From entries such as `completion=response`.
    ///
    /// # Errors
    /// An entry without `=`, a key that there is not, or one that is given twice.
    pub fn parse<'a>(entries: impl IntoIterator<Item = &'a str>) -> Result<Self, String> {
        let mut map = Self::default();
        for entry in entries {
            let Some((name, path)) = entry.split_once('=') else {
                return Err(format!("\"{entry}\" is not of the form KEY=FIELD"));
            };
            let (name, path) = (name.trim(), path.trim());
            let known = Key::ALL.map(Key::name).join(", ");
            let Some(key) = Key::ALL.into_iter().find(|key| key.name() == name) else {
                return Err(format!("there is no key \"{name}\" (known: {known})"));
            };
            if path.is_empty() {
                return Err(format!("\"{entry}\" names no field"));
            }
            if map.get(key).is_some() {
                return Err(format!("{name} is given twice"));
            }
            map.0.push((key, path.to_string()));
        }
        Ok(map)
    }

    /// The field of a key.
    pub fn get(&self, key: Key) -> Option<&str> {
        let found = self.0.iter().find(|(own, _)| *own == key);
        found.map(|(_, path)| path.as_str())
    }

    /// Whether nothing is mapped.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Where a format keeps what, for each key the places to look at in turn; an entry of a field map
/// takes the place of all of them.
pub(crate) struct Layout<'a> {
    pub(crate) defaults: &'a [(Key, &'a [&'a str])],
    /// Fields at the top that the format is known to have and that are not read.
    pub(crate) known: &'a [&'a str],
    pub(crate) map: &'a FieldMap,
}

/// A record as it stands in a file, with its task where the file tells that for all of its records.
pub(crate) struct Raw<'a> {
    pub(crate) at: At,
    pub(crate) fields: &'a Map<String, Value>,
    pub(crate) task: &'a str,
}

impl Layout<'_> {
    /// What stands under a key, with its path.
    pub(crate) fn find<'v>(
        &self,
        fields: &'v Map<String, Value>,
        key: Key,
    ) -> Option<(String, &'v Value)> {
        self.paths(key).find_map(|path| {
            let value = at_path(fields, path).filter(|value| !value.is_null())?;
            Some((path.to_string(), value))
        })
    }

    fn paths(&self, key: Key) -> impl Iterator<Item = &str> {
        let mapped = self.map.get(key);
        let defaults = self.defaults.iter().filter(move |(own, _)| *own == key);
        let defaults = defaults.flat_map(|(_, paths)| paths.iter().copied());
        mapped
            .into_iter()
            .chain(defaults.filter(move |_| mapped.is_none()))
    }

    /// The text under a key.
    ///
    /// # Errors
    /// A value that is no text, or a mapped field that is not there.
    pub(crate) fn text(&self, raw: &Raw<'_>, key: Key) -> Result<Option<String>, ImportError> {
        match self.find(raw.fields, key) {
            None => match self.map.get(key) {
                Some(path) if at_path(raw.fields, path).is_none() => Err(missing(raw, key, path)),
                _ => Ok(None),
            },
            Some((field, value)) => match text(value) {
                Some(text) => Ok(Some(text)),
                None => Err(wrong_kind(raw, key, field, value, "a text")),
            },
        }
    }

    fn count(&self, raw: &Raw<'_>, key: Key) -> Result<Option<u64>, ImportError> {
        let Some((field, value)) = self.find(raw.fields, key) else {
            return Ok(None);
        };
        let number = match value {
            Value::String(text) => text.trim().parse().ok(),
            value => value.as_u64(),
        };
        match number {
            Some(number) => Ok(Some(number)),
            None => Err(wrong_kind(raw, key, field, value, "a whole number")),
        }
    }

    /// The completions under their key: one, or a list of samples.
    fn completions(&self, raw: &Raw<'_>) -> Result<Vec<String>, ImportError> {
        let key = Key::Completion;
        let Some((field, value)) = self.find(raw.fields, key) else {
            let field = self.paths(key).next().unwrap_or(key.name());
            // A completion that is null is one that does not exist; its error says why.
            let is_there = at_path(raw.fields, field).is_some();
            return match is_there || self.find(raw.fields, Key::Error).is_some() {
                true => Ok(vec![String::new()]),
                false => Err(missing(raw, key, field)),
            };
        };
        let texts: Option<Vec<String>> = match value {
            Value::Array(list) if !is_conversation(value) && !is_parts(value) => {
                list.iter().map(sample_text).collect()
            }
            value => sample_text(value).map(|text| vec![text]),
        };
        match texts {
            Some(texts) if !texts.is_empty() => Ok(texts),
            _ => Err(wrong_kind(
                raw,
                key,
                field,
                value,
                "a text or a list of texts",
            )),
        }
    }

    /// The completions of one record, pushed to a source.
    ///
    /// # Errors
    /// Fields that are missing or of another kind.
    pub(crate) fn push(&self, source: &mut Source, raw: &Raw<'_>) -> Result<(), ImportError> {
        let completions = self.completions(raw)?;
        let task = match self.text(raw, Key::Task)? {
            Some(task) if !task.trim().is_empty() => task,
            _ => raw.task.to_string(),
        };
        let reason = self.text(raw, Key::FinishReason)?;
        let finish_reason = reason.as_deref().and_then(finish::reason);
        if let Some(reason) = reason.filter(|_| finish_reason.is_none()) {
            let note =
                format!("the finish reason \"{reason}\" is none that is known: taken as unknown");
            if !source.notes.contains(&note) {
                source.notes.push(note);
            }
        }
        if source.model.is_none() {
            source.model = self.text(raw, Key::Model)?;
        }
        let count = |key| Ok::<_, ImportError>(self.count(raw, key)?.map(|count| count as usize));
        let several = completions.len() > 1;
        let (prompt, asked_as_chat) = self.prompt(raw)?;
        let record = Record {
            at: raw.at.clone(),
            task,
            // Completions of one record belong together, whatever it is called.
            id: self
                .text(raw, Key::Id)?
                .or_else(|| several.then(|| raw.at.place.clone())),
            sample: self.count(raw, Key::Sample)?,
            question: self.text(raw, Key::Question)?,
            prompt,
            asked_as_chat,
            reference: self.text(raw, Key::Reference)?,
            completion: String::new(),
            thinking: self.text(raw, Key::Thinking)?,
            finish_reason,
            error: self.error(raw),
            prompt_tokens: count(Key::PromptTokens)?,
            // Of several completions together, which says nothing of each.
            completion_tokens: count(Key::CompletionTokens)?.filter(|_| !several),
            correct: self
                .find(raw.fields, Key::Correct)
                .and_then(|(_, value)| is_correct(value)),
            leftovers: self.leftovers(source, raw.fields),
        };
        for (place, completion) in completions.into_iter().enumerate() {
            source.records.push(Record {
                completion,
                sample: match several {
                    true => Some(record.sample.unwrap_or(0) * 1_000_000 + place as u64),
                    false => record.sample,
                },
                correct: record.correct.filter(|_| !several),
                ..record.clone()
            });
        }
        Ok(())
    }

    /// What the model read, and whether that is what the user said in a conversation: then nobody
    /// tells in which template.
    fn prompt(&self, raw: &Raw<'_>) -> Result<(Option<String>, bool), ImportError> {
        let is_chat = |value: &Value| is_conversation(value);
        if self
            .find(raw.fields, Key::Prompt)
            .is_some_and(|(_, value)| is_chat(value))
        {
            return Ok((self.text(raw, Key::Prompt)?, true));
        }
        let Some(prompt) = self.text(raw, Key::Prompt)? else {
            return Ok((None, false));
        };
        // Some programs keep the messages as JSON in a text.
        if prompt.starts_with("[{")
            && let Ok(messages) = serde_json::from_str::<Value>(&prompt)
            && is_conversation(&messages)
        {
            return Ok((text(&messages), true));
        }
        Ok((Some(prompt), false))
    }

    fn error(&self, raw: &Raw<'_>) -> Option<String> {
        let (_, value) = self.find(raw.fields, Key::Error)?;
        let message = match value {
            Value::Object(fields) => fields.get("message").and_then(text),
            value => text(value),
        };
        message.filter(|message| !message.is_empty())
    }

    /// What is read nowhere; names that the format is not known to have are counted.
    fn leftovers(&self, source: &mut Source, fields: &Map<String, Value>) -> Map<String, Value> {
        let read: Vec<&str> = Key::ALL
            .into_iter()
            .flat_map(|key| self.paths(key).collect::<Vec<_>>())
            .collect();
        let mut leftovers = Map::new();
        for (name, value) in fields {
            if read.contains(&name.as_str()) {
                continue;
            }
            let begins = |path: &&str| path.split('.').next() == Some(name.as_str());
            if !self.known.contains(&name.as_str()) && !read.iter().any(begins) {
                source.count_unknown(name);
            }
            leftovers.insert(name.clone(), value.clone());
        }
        leftovers
    }
}

fn missing(raw: &Raw<'_>, key: Key, field: &str) -> ImportError {
    let kind = ImportErrorKind::MissingField {
        key,
        field: field.to_string(),
        fields: raw.fields.keys().cloned().collect(),
    };
    ImportError::at(&raw.at, kind)
}

pub(crate) fn wrong_kind(
    raw: &Raw<'_>,
    key: Key,
    field: String,
    value: &Value,
    expected: &'static str,
) -> ImportError {
    let kind = ImportErrorKind::WrongKind {
        key,
        field,
        found: kind_of(value),
        expected,
    };
    ImportError::at(&raw.at, kind)
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// What stands at a path; a field whose own name has dots in it comes first.
pub(crate) fn at_path<'v>(fields: &'v Map<String, Value>, path: &str) -> Option<&'v Value> {
    if let Some(value) = fields.get(path) {
        return Some(value);
    }
    let mut parts = path.split('.');
    let mut value = fields.get(parts.next()?)?;
    for part in parts {
        value = match value {
            Value::Object(fields) => fields.get(part)?,
            Value::Array(list) => list.get(part.parse::<usize>().ok()?)?,
            _ => return None,
        };
    }
    Some(value)
}

/// A completion in a list: its text, or what stands under the names of the servers' replies.
fn sample_text(value: &Value) -> Option<String> {
    match value {
        Value::Null => Some(String::new()),
        Value::Object(fields) => ["text", "message.content", "content", "generation"]
            .iter()
            .find_map(|path| at_path(fields, path))
            .and_then(text),
        value => text(value),
    }
}

/// A value as text: a text or number as it is, a list of one, the parts of a message, or the last
/// message of the user in a conversation.
pub(crate) fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(value) => Some(value.to_string()),
        Value::Array(list) if is_conversation(value) => {
            let role = |message: &&Value| {
                let role = message
                    .get("role")
                    .and_then(Value::as_str)
                    .unwrap_or("user");
                ["user", "human"].contains(&role.to_ascii_lowercase().as_str())
            };
            let message = list.iter().rev().find(role)?;
            text(message.get("content").or_else(|| message.get("prompt"))?)
        }
        Value::Array(list) if is_parts(value) => Some(
            list.iter()
                .filter_map(|part| part.get("text").and_then(Value::as_str))
                .collect(),
        ),
        Value::Array(list) => match list.as_slice() {
            [one] => text(one),
            _ => None,
        },
        _ => None,
    }
}

/// Whether it is a list of messages, `{"role": …, "content": …}`.
fn is_conversation(value: &Value) -> bool {
    let is_message = |message: &Value| {
        message.get("role").is_some()
            && (message.get("content").is_some() || message.get("prompt").is_some())
    };
    let list = value.as_array();
    list.is_some_and(|list| !list.is_empty() && list.iter().all(is_message))
}

/// Whether it is a list of the parts of a message, `{"type": "text", "text": …}`.
pub(crate) fn is_parts(value: &Value) -> bool {
    let is_part = |part: &Value| part.get("type").is_some_and(Value::is_string);
    let list = value.as_array();
    list.is_some_and(|list| !list.is_empty() && list.iter().all(is_part))
}

/// Whether a score says that a completion is correct; `None` where it says something between.
pub(crate) fn is_correct(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(value) => Some(*value),
        Value::Number(number) => match number.as_f64()? {
            1.0 => Some(true),
            0.0 => Some(false),
            _ => None,
        },
        Value::String(text) => match text.as_str() {
            "C" | "true" | "True" => Some(true),
            "I" | "N" | "false" | "False" => Some(false),
            _ => None,
        },
        Value::Array(list) => match list.as_slice() {
            [one] => is_correct(one),
            _ => None,
        },
        _ => None,
    }
}
