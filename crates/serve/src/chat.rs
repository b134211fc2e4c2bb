//! `/v1/chat/completions`: a conversation, put into the chat template and continued.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::response::Response;
use chat_template::{Conversation, Message};
use inference::PromptKind;
use jiff::Zoned;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::api_error::ApiError;
use crate::replies::Form;
use crate::service::{Extras, Server, parse};
use crate::settings::Settings;

#[derive(Deserialize)]
struct Request {
    #[serde(flatten)]
    conversation: Messages,
    max_tokens: Option<usize>,
    max_completion_tokens: Option<usize>,
    logprobs: Option<bool>,
    top_logprobs: Option<u32>,
    tools: Option<Vec<Value>>,
    #[serde(flatten)]
    settings: Settings,
}

/// A conversation, as requests give it.
#[derive(Deserialize)]
pub(crate) struct Messages {
    messages: Vec<ChatMessage>,
    add_generation_prompt: Option<bool>,
    continue_final_message: Option<bool>,
    chat_template_kwargs: Option<Map<String, Value>>,
}

#[derive(Deserialize)]
struct ChatMessage {
    role: String,
    content: Content,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Content {
    Text(String),
    Parts(Vec<Part>),
}

#[derive(Deserialize)]
struct Part {
    #[serde(rename = "type")]
    kind: String,
    text: Option<String>,
}

impl Messages {
    /// The text that the template writes.
    pub(crate) fn render(self, server: &Server) -> Result<String, ApiError> {
        let Some(template) = &server.template else {
            return Err(ApiError::invalid(
                "the checkpoint has no chat template: ask /v1/completions, or have the server started with a chat template",
            ));
        };
        if self.continue_final_message == Some(true) {
            return Err(ApiError::field(
                "continue_final_message",
                "`continue_final_message` is not done by this server: write the text yourself and ask /v1/completions",
            ));
        }
        if self.messages.is_empty() {
            return Err(ApiError::field("messages", "`messages` is empty"));
        }
        let messages = self.messages.into_iter().map(ChatMessage::into_message);
        let messages: Vec<Message> = messages.collect::<Result<_, _>>()?;
        let conversation = Conversation {
            messages: &messages,
            add_generation_prompt: self.add_generation_prompt.unwrap_or(true),
            date: Zoned::now().date(),
            variables: &self.chat_template_kwargs.unwrap_or_default(),
        };
        match template.render(&conversation) {
            Ok(rendered) => Ok(rendered.text),
            Err(error) => Err(ApiError::field("messages", error.to_string())),
        }
    }
}

impl ChatMessage {
    fn into_message(self) -> Result<Message, ApiError> {
        let content = match self.content {
            Content::Text(text) => text,
            Content::Parts(parts) => {
                let texts = parts
                    .into_iter()
                    .map(|part| match (part.kind.as_str(), part.text) {
                        ("text", Some(text)) => Ok(text),
                        (kind, _) => Err(ApiError::field(
                            "messages",
                            format!("a part of a message is of type `{kind}`: only `text` is read"),
                        )),
                    });
                let texts: Vec<String> = texts.collect::<Result<_, _>>()?;
                texts.join("\n")
            }
        };
        Ok(Message::new(self.role, content))
    }
}

pub(crate) async fn complete(
    State(server): State<Arc<Server>>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, ApiError> {
    let Request {
        conversation,
        max_tokens,
        max_completion_tokens,
        logprobs,
        top_logprobs,
        tools,
        settings,
    } = parse(body)?;
    if tools.is_some_and(|tools| !tools.is_empty()) {
        return Err(ApiError::field(
            "tools",
            "`tools` are not offered to the model by this server",
        ));
    }
    if top_logprobs.is_some_and(|most| most > 0) {
        return Err(ApiError::field(
            "top_logprobs",
            "`top_logprobs` must be 0: only the log-probability of the chosen token is given",
        ));
    }
    let text = conversation.render(&server)?;
    let prompt = server.encode(&text, PromptKind::Chat)?;
    // The rest of the context where nothing is said, as the API has it.
    let max_tokens = max_completion_tokens
        .or(max_tokens)
        .unwrap_or_else(|| server.model.context_length());
    let extras = Extras {
        logprobs: logprobs == Some(true),
        echo: false,
    };
    server
        .answer(Form::Chat, vec![prompt], max_tokens, extras, settings)
        .await
}
