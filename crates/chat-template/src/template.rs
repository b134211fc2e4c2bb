//! A compiled template, and rendering conversations with it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use jiff::civil::Date;
use minijinja::value::Serde;
use minijinja::{Environment, ErrorKind, Value};
use serde::{Deserialize, Serialize};
use serde_json::Map;

use crate::environment::{self, DATE_USED, Raised, TEMPLATE, TODAY};
use crate::error::{Error, MAX_STEPS};
use crate::generation_blocks;
use crate::special_tokens::SpecialTokensMap;

/// The variables that a conversation is made of.
const RESERVED: [&str; 2] = ["messages", "add_generation_prompt"];

/// A message of a conversation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// `system`, `user` or `assistant`.
    pub role: String,
    /// The text.
    pub content: String,
}

impl Message {
    /// A message of a role.
    pub fn new(role: impl Into<String>, content: impl Into<String>) -> Self {
        Self {
            role: role.into(),
            content: content.into(),
        }
    }
}

/// A conversation to render.
#[derive(Clone, Debug)]
pub struct Conversation<'a> {
    /// The messages, in their order.
    pub messages: &'a [Message],
    /// Whether the text ends in the beginning of the assistant's next turn.
    pub add_generation_prompt: bool,
    /// The date for templates that render one.
    pub date: Date,
    /// Further variables, such as `enable_thinking`. They override special tokens of the same name.
    pub variables: &'a Map<String, serde_json::Value>,
}

/// A rendered conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendered {
    /// The text, special tokens written out.
    pub text: String,
    /// Whether the template asked for the date.
    pub date_used: bool,
}

/// A chat template, compiled.
#[derive(Clone)]
pub struct ChatTemplate {
    file: String,
    source: String,
    special_tokens: SpecialTokensMap,
    environment: Arc<Environment<'static>>,
}

impl ChatTemplate {
    /// Compiles a template. `file` names it in messages.
    ///
    /// # Errors
    /// [`Error::Syntax`].
    pub fn new(
        file: String,
        source: String,
        special_tokens: SpecialTokensMap,
    ) -> Result<Self, Error> {
        let compiled = environment::compile(generation_blocks::rewrite(&source), MAX_STEPS);
        let environment = compiled.map_err(|error| Error::Syntax {
            file: file.clone(),
            line: error.line().unwrap_or(1),
            message: message(&error),
        })?;
        Ok(Self {
            file,
            source,
            special_tokens,
            environment: Arc::new(environment),
        })
    }

    /// The file of the template.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// The template as it was given.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The texts of the special tokens that it is given.
    pub fn special_tokens(&self) -> &SpecialTokensMap {
        &self.special_tokens
    }

    /// Renders a conversation.
    ///
    /// # Errors
    /// [`Error::Refused`] where the template raises an exception, [`Error::Failed`] where it fails,
    /// [`Error::StepLimit`] where it does not end, [`Error::Reserved`] for a variable that cannot
    /// be given.
    pub fn render(&self, conversation: &Conversation<'_>) -> Result<Rendered, Error> {
        let variables = self.variables(conversation)?;
        let template = self
            .environment
            .get_template(TEMPLATE)
            .map_err(|error| self.failure(&error))?;
        let captured = template
            .render_captured(variables)
            .map_err(|error| self.failure(&error))?;
        let date_used = captured.state().get_temp(DATE_USED).is_some();
        Ok(Rendered {
            text: captured.into_output(),
            date_used,
        })
    }

    /// What follows an assistant's words at the end of its turn, such as `<|im_end|>` and a line
    /// end; `None` where the template does not render an assistant's words as they are.
    ///
    /// # Errors
    /// As for [`Self::render`].
    pub fn end_of_turn(&self, conversation: &Conversation<'_>) -> Result<Option<String>, Error> {
        // No blanks at the ends, so that templates that trim leave it as it is, and not a word that
        // a template would write itself.
        const WORDS: &str = "7f3b2a";
        let mut messages = conversation.messages.to_vec();
        messages.push(Message::new("assistant", WORDS));
        let whole = Conversation {
            messages: &messages,
            add_generation_prompt: false,
            ..conversation.clone()
        };
        let text = self.render(&whole)?.text;
        Ok(text
            .rfind(WORDS)
            .map(|start| text[start + WORDS.len()..].to_string()))
    }

    /// The variables of `apply_chat_template`: special tokens, what the user gives over them, and
    /// the conversation.
    fn variables(&self, conversation: &Conversation<'_>) -> Result<Value, Error> {
        let mut variables: BTreeMap<&str, Value> = self
            .special_tokens
            .iter()
            .map(|(name, text)| (name, Value::from(text)))
            .collect();
        // None and not undefined, as `apply_chat_template` passes them: templates ask `tools is not
        // none`, which would hold for what is undefined.
        variables.insert("tools", Value::from(()));
        variables.insert("documents", Value::from(()));
        for (name, value) in conversation.variables {
            if RESERVED.contains(&name.as_str()) {
                return Err(Error::Reserved { name: name.clone() });
            }
            variables.insert(name, Value::from(Serde(value)));
        }
        variables.insert("messages", Value::from(Serde(conversation.messages)));
        variables.insert(
            "add_generation_prompt",
            Value::from(conversation.add_generation_prompt),
        );
        variables.insert(TODAY, Value::from(conversation.date.to_string()));
        Ok(Value::from_pairs(variables))
    }

    fn failure(&self, error: &minijinja::Error) -> Error {
        let (file, line) = (
            self.file.clone(),
            innermost(error).line().or(error.line()).unwrap_or(1),
        );
        if error.kind() == ErrorKind::OutOfFuel {
            return Error::StepLimit { file, line };
        }
        match raised(error) {
            Some(raised) => Error::Refused {
                file,
                line,
                message: raised.0.clone(),
            },
            None => Error::Failed {
                file,
                line,
                message: message(innermost(error)),
            },
        }
    }
}

impl fmt::Debug for ChatTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChatTemplate")
            .field("file", &self.file)
            .finish_non_exhaustive()
    }
}

impl PartialEq for ChatTemplate {
    fn eq(&self, other: &Self) -> bool {
        // The file is left out: it is a label in messages, and changes nothing that is rendered.
        self.source == other.source && self.special_tokens == other.special_tokens
    }
}

impl Eq for ChatTemplate {}

/// What went wrong, without the line.
fn message(error: &minijinja::Error) -> String {
    let kind = error.kind();
    match error.detail() {
        // Their details say no more than the name.
        Some(detail)
            if matches!(
                kind,
                ErrorKind::UnknownFunction
                    | ErrorKind::UnknownMethod
                    | ErrorKind::UnknownFilter
                    | ErrorKind::UnknownTest
            ) =>
        {
            format!("{kind}: {detail}")
        }
        Some(detail) => detail.to_string(),
        None => kind.to_string(),
    }
}

/// Where it went wrong first: a macro's error is the source of its call's.
fn innermost(error: &minijinja::Error) -> &minijinja::Error {
    let mut innermost = error;
    while let Some(source) =
        std::error::Error::source(innermost).and_then(|source| source.downcast_ref())
    {
        innermost = source;
    }
    innermost
}

fn raised(error: &minijinja::Error) -> Option<&Raised> {
    let mut source: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = source {
        if let Some(raised) = error.downcast_ref() {
            return Some(raised);
        }
        source = error.source();
    }
    None
}
