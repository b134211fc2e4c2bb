//! How a run was asked, as its manifest keeps it: enough to ask the same again.

use chat_template::SpecialTokensMap;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// How it was asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TemplateIdentity {
    /// Name, or path of the user's file.
    pub name: String,
    /// BLAKE3 (hex) of its text.
    pub digest: String,
    /// The text, with `{question}` where the question goes.
    pub text: String,
    /// Of a chat template, what renders it again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chat: Option<ChatIdentity>,
}

/// What decides the prompts of a run with a chat template; enough to render them again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChatIdentity {
    /// Where the template came from: a label.
    pub file: String,
    /// The template.
    pub source: String,
    /// The special tokens that it names.
    pub special_tokens: SpecialTokensMap,
    /// The system prompt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system: Option<String>,
    /// The date, where the template asked for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date: Option<Date>,
    /// Variables that were given.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub variables: Map<String, Value>,
    /// What the user says, with `{question}` for the question, where that is more than the question.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turn: Option<String>,
}
