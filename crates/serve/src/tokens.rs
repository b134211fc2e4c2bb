//! `/tokenize` and `/detokenize`: texts to token ids and back, as vLLM's server has them.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use inference::PromptKind;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::api_error::ApiError;
use crate::chat::Messages;
use crate::service::{Server, parse};

#[derive(Deserialize)]
#[serde(untagged)]
enum Tokenize {
    Chat(Messages),
    Plain {
        prompt: String,
        add_special_tokens: Option<bool>,
    },
}

pub(crate) async fn tokenize(
    State(server): State<Arc<Server>>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Value>, ApiError> {
    let ids = match parse(body)? {
        Tokenize::Chat(messages) => {
            let text = messages.render(&server)?;
            server.encode(&text, PromptKind::Chat)?
        }
        Tokenize::Plain {
            prompt,
            add_special_tokens,
        } => {
            let kind = match add_special_tokens.unwrap_or(true) {
                true => PromptKind::Plain,
                false => PromptKind::Chat,
            };
            server.encode(&prompt, kind)?
        }
    };
    Ok(Json(json!({
        "count": ids.len(),
        "max_model_len": server.model.context_length(),
        "tokens": ids,
    })))
}

#[derive(Deserialize)]
struct Detokenize {
    tokens: Vec<u32>,
}

pub(crate) async fn detokenize(
    State(server): State<Arc<Server>>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Value>, ApiError> {
    let Detokenize { tokens } = parse(body)?;
    let text = server.model.decode(&tokens);
    let text = text.map_err(|error| ApiError::field("tokens", error.to_string()))?;
    Ok(Json(json!({"prompt": text})))
}
