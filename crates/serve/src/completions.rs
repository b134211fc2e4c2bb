//! `/v1/completions`: prompts as text or token ids, continued.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::response::Response;
use inference::PromptKind;
use serde::Deserialize;

use crate::api_error::ApiError;
use crate::replies::Form;
use crate::service::{Extras, Server, parse};
use crate::settings::Settings;

/// New tokens where a request says nothing, as the API has it.
const DEFAULT_MAX_TOKENS: usize = 16;

#[derive(Deserialize)]
struct Request {
    prompt: Prompts,
    max_tokens: Option<usize>,
    logprobs: Option<u32>,
    echo: Option<bool>,
    suffix: Option<String>,
    #[serde(flatten)]
    settings: Settings,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Prompts {
    Text(String),
    Texts(Vec<String>),
    Ids(Vec<u32>),
    ManyIds(Vec<Vec<u32>>),
}

pub(crate) async fn complete(
    State(server): State<Arc<Server>>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, ApiError> {
    let Request {
        prompt,
        max_tokens,
        logprobs,
        echo,
        suffix,
        settings,
    } = parse(body)?;
    if suffix.is_some_and(|suffix| !suffix.is_empty()) {
        return Err(ApiError::field(
            "suffix",
            "`suffix` is not computed by this server",
        ));
    }
    if logprobs.is_some_and(|most| most > 1) {
        return Err(ApiError::field(
            "logprobs",
            "`logprobs` must be 0 or 1: only the log-probability of the chosen token is given, and of prompts that of the likeliest one too",
        ));
    }
    let encode = |text: String| server.encode(&text, PromptKind::Plain);
    let prompts = match prompt {
        Prompts::Text(text) => vec![encode(text)?],
        Prompts::Texts(texts) => texts.into_iter().map(encode).collect::<Result<_, _>>()?,
        Prompts::Ids(ids) => vec![ids],
        Prompts::ManyIds(prompts) => prompts,
    };
    let max_tokens = max_tokens.unwrap_or(DEFAULT_MAX_TOKENS);
    server
        .answer(
            Form::Completion,
            prompts,
            max_tokens,
            Extras {
                logprobs: logprobs.is_some(),
                echo: echo == Some(true),
            },
            settings,
        )
        .await
}
