//! How many tokens a text has for the server: by a route of its own or, where it has none, by the
//! usage of a request for one token.

use std::collections::HashMap;

use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::api::Api;
use crate::base_url::BaseUrl;
use crate::error::Error;
use crate::http::HttpClient;
use crate::request::RequestTemplate;
use crate::server::ServerKind;
use crate::special_tokens::{SpecialTokenMode, SpecialTokens};

/// Texts counted at a time.
const MAX_PARALLEL_COUNTS: usize = 16;

/// Asks one server for counts.
#[derive(Clone, Debug)]
pub(crate) struct TokenCounter {
    pub(crate) http: HttpClient,
    pub(crate) url: BaseUrl,
    pub(crate) template: RequestTemplate,
}

impl TokenCounter {
    /// Tokens of a prompt as the server reads it in a request of this template, chat template and
    /// special tokens included; `None` where it has no route that counts.
    pub(crate) async fn count(&self, text: &str) -> Option<usize> {
        let model = &self.template.model;
        let sent = self.template.special_tokens.sent(text);
        match (self.template.kind, self.template.api) {
            (ServerKind::Vllm | ServerKind::Sglang, Api::Completions) => {
                let adds = self.template.special_tokens.adds();
                let body = json!({ "model": model, "prompt": sent, "add_special_tokens": adds });
                length(&self.ask("tokenize", body).await?)
            }
            (ServerKind::Vllm, Api::Chat) => {
                let messages = self.template.messages(text);
                length(
                    &self
                        .ask("tokenize", json!({ "model": model, "messages": messages }))
                        .await?,
                )
            }
            (ServerKind::Tgi, Api::Completions) => {
                length(&self.ask("tokenize", json!({ "inputs": sent })).await?)
            }
            (ServerKind::LlamaCpp, Api::Completions) => self.count_by_llama_cpp(sent).await,
            (ServerKind::LlamaCpp, Api::Chat) => {
                let rendered = self
                    .ask(
                        "apply-template",
                        json!({ "messages": self.template.messages(text) }),
                    )
                    .await?;
                self.count_by_llama_cpp(rendered["prompt"].as_str()?).await
            }
            (ServerKind::LlamaCppPython, Api::Completions) => length(
                &self
                    .ask(
                        "extras/tokenize/count",
                        json!({ "model": model, "input": sent }),
                    )
                    .await?,
            ),
            (ServerKind::Sglang | ServerKind::Tgi | ServerKind::LlamaCppPython, Api::Chat)
            | (ServerKind::Transformers | ServerKind::Unknown, _) => None,
        }
    }

    /// The same, by the usage of a request for one new token where the server has no route for it.
    pub(crate) async fn count_or_probe(&self, text: &str) -> Option<usize> {
        match self.count(text).await {
            Some(count) => Some(count),
            None => self.probe(text).await,
        }
    }

    /// The tokens of each of these texts, by text; `None` where the server cannot count.
    pub(crate) async fn count_all(
        &self,
        texts: impl Iterator<Item = &str>,
    ) -> Option<HashMap<String, usize>> {
        let mut counts = HashMap::new();
        let mut texts: Vec<&str> = texts.collect();
        texts.sort_unstable();
        // The samples of a problem share their prompt, which is counted once.
        texts.dedup();
        for some in texts.chunks(MAX_PARALLEL_COUNTS) {
            let mut tasks = JoinSet::new();
            for text in some {
                let (counter, text) = (self.clone(), text.to_string());
                tasks.spawn(async move { counter.count(&text).await.map(|count| (text, count)) });
            }
            while let Some(counted) = tasks.join_next().await {
                // A part of the counts would be no check: an estimate takes its place.
                counts.extend([counted.ok()??]);
            }
        }
        Some(counts)
    }

    /// Finds out how prompts are to be sent to this server. The template must be that of plain
    /// prompts.
    ///
    /// # Errors
    /// A server that does not say how many tokens it reads, or that reads the text of special
    /// tokens as ordinary text.
    pub(crate) async fn special_token_mode(
        &self,
        special_tokens: &SpecialTokens,
    ) -> Result<SpecialTokenMode, Error> {
        let bos = match special_tokens {
            SpecialTokens::AddedByServer => return Ok(SpecialTokenMode::Plain),
            SpecialTokens::InPrompt { .. } if self.template.kind == ServerKind::Vllm => {
                return Ok(SpecialTokenMode::AddNone);
            }
            SpecialTokens::InPrompt { bos: None } => return Ok(SpecialTokenMode::AsWritten),
            SpecialTokens::InPrompt { bos: Some(bos) } => bos,
        };
        let refused = |reason: String| Error::SpecialTokens {
            url: self.url.as_str().to_string(),
            reason,
        };
        // The token alone is one token where the server adds none, and two where it adds its own.
        match self.count_or_probe(bos).await {
            Some(1) => Ok(SpecialTokenMode::AsWritten),
            Some(2) => Ok(SpecialTokenMode::Without(bos.clone())),
            Some(count) => Err(refused(format!(
                "it reads {bos:?}, the beginning-of-sequence token of the chat template, as {count} tokens"
            ))),
            None => Err(refused(format!(
                "it does not say how many tokens it reads, so that nobody knows whether it adds {bos:?} to prompts that begin with it"
            ))),
        }
    }

    async fn count_by_llama_cpp(&self, text: &str) -> Option<usize> {
        length(
            &self
                .ask(
                    "tokenize",
                    json!({ "content": text, "add_special": true, "parse_special": true }),
                )
                .await?,
        )
    }

    async fn probe(&self, text: &str) -> Option<usize> {
        let url = self.url.api(self.template.api.route());
        let usage = self.ask_at(&url, &self.template.probe(text)).await?["usage"]["prompt_tokens"]
            .as_u64()?;
        usize::try_from(usage).ok().filter(|count| *count > 0)
    }

    /// Asks a route of the server's own.
    async fn ask(&self, route: &str, body: Value) -> Option<Value> {
        self.ask_at(&self.url.own(route), &body).await
    }

    /// Asks, a second time where the first was in vain.
    async fn ask_at(&self, url: &str, body: &Value) -> Option<Value> {
        for _ in 0..2 {
            match self.http.json(self.http.post(url, body)).await {
                Ok((_, value)) => return Some(value),
                Err(error) if error.is_transient() => {}
                Err(_) => return None,
            }
        }
        None
    }
}

/// The count of a list of tokens, in any of the forms that servers use.
fn length(value: &Value) -> Option<usize> {
    let count = value["count"]
        .as_u64()
        .and_then(|count| usize::try_from(count).ok());
    count.or_else(|| {
        value["tokens"]
            .as_array()
            .or(value.as_array())
            .map(Vec::len)
    })
}
