//! Which server it is, and what it states about the model.

use std::collections::BTreeMap;

use reqwest::header::{HeaderMap, SERVER};
use serde_json::{Value, json};

use crate::api::Api;
use crate::base_url::BaseUrl;
use crate::error::{Error, Rejection};
use crate::http::HttpClient;
use crate::request_error::{RequestError, RequestErrorKind};

/// Attempts at the start: a server that is not there is reported soon, one that is just starting
/// gets a moment.
const MAX_CONNECT_ATTEMPTS: u32 = 4;
/// Names of models that an error lists.
const MAX_LISTED_MODELS: usize = 10;
/// Characters of a text of the server for the manifest.
const MAX_FACT_CHARS: usize = 200;

/// Servers whose capabilities are known, recognized by the owner in their list of models.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ServerKind {
    Vllm,
    Sglang,
    /// Text Generation Inference, which names the model as its owner.
    Tgi,
    /// llama.cpp's own server.
    LlamaCpp,
    /// The server of the Python package llama-cpp-python.
    LlamaCppPython,
    /// `transformers serve`.
    Transformers,
    /// OpenAI and all others.
    Unknown,
}

impl ServerKind {
    fn of(owner: &str, model: &str, software: &str) -> Self {
        match owner {
            "vllm" => Self::Vllm,
            "sglang" => Self::Sglang,
            "llamacpp" => Self::LlamaCpp,
            "me" => Self::LlamaCppPython,
            "local" if software == "uvicorn" => Self::Transformers,
            _ if owner == model && !model.is_empty() => Self::Tgi,
            _ if software.starts_with("llama.cpp") => Self::LlamaCpp,
            _ => Self::Unknown,
        }
    }

    /// Whether it understands all sampling parameters, so that its own defaults can be overridden.
    pub(crate) fn takes_all_settings(self) -> bool {
        matches!(
            self,
            Self::Vllm | Self::Sglang | Self::LlamaCpp | Self::LlamaCppPython
        )
    }

    /// Its name for the repetition penalty.
    pub(crate) fn penalty_name(self) -> &'static str {
        match self {
            Self::LlamaCpp | Self::LlamaCppPython => "repeat_penalty",
            _ => "repetition_penalty",
        }
    }

    /// The top-k that keeps all tokens.
    pub(crate) fn all_tokens(self) -> i32 {
        match self {
            Self::LlamaCpp | Self::LlamaCppPython => 0,
            _ => -1,
        }
    }

    /// How many requests it can serve at a time, where that is known.
    pub(crate) fn max_concurrency(self) -> Option<usize> {
        // It aborts the request in flight when another arrives (`interrupt_requests`), or queues it
        // behind a lock.
        matches!(self, Self::LlamaCppPython).then_some(1)
    }

    pub(crate) fn name(self) -> Option<&'static str> {
        match self {
            Self::Vllm => Some("vLLM"),
            Self::Sglang => Some("SGLang"),
            Self::Tgi => Some("TGI"),
            Self::LlamaCpp => Some("llama.cpp"),
            Self::LlamaCppPython => Some("llama-cpp-python"),
            Self::Transformers => Some("transformers serve"),
            Self::Unknown => None,
        }
    }
}

/// What a server states about itself and the model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ServerInfo {
    pub(crate) kind: ServerKind,
    /// The model's name as the server lists it.
    pub(crate) model: String,
    /// Tokens that prompt and completion may have together.
    pub(crate) context: Option<usize>,
    /// Whether the server lists no models at all.
    pub(crate) is_unlisted: bool,
    owner: String,
    /// What the checkpoint is called where the name is an alias of it.
    root: Option<String>,
    version: Option<String>,
    /// The `Server` header of HTTP.
    software: String,
}

impl ServerInfo {
    /// Queries a server.
    pub(crate) async fn query(
        http: &HttpClient,
        url: &BaseUrl,
        model: &str,
    ) -> Result<Self, Error> {
        let address = url.api("models");
        let (headers, models) = match request_with_retries(http, &address).await {
            Ok((headers, list)) => (headers, models(&address, list)?),
            Err(Error::Rejected { status, .. })
                if is_no_route(&status) && completes(http, url).await =>
            {
                (HeaderMap::new(), Vec::new())
            }
            Err(error) => return Err(error),
        };
        let is_unlisted = models.is_empty();
        let unlisted = json!({ "id": model });
        let found = models
            .iter()
            .find(|entry| is_named(entry, model))
            .or(is_unlisted.then_some(&unlisted));
        let Some(found) = found else {
            return Err(Error::NoModel {
                url: address,
                model: model.to_string(),
                known: known(http, &models),
            });
        };
        let text = |value: &Value| {
            value
                .as_str()
                .map(|text| fact(http, text))
                .filter(|text| !text.is_empty())
        };
        let owner = text(&found["owned_by"]).unwrap_or_default();
        let id = found["id"].as_str().unwrap_or(model);
        let software = headers
            .get(SERVER)
            .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
        let software = fact(http, &software.unwrap_or_default());
        let kind = ServerKind::of(&owner, id, &software);
        let more = ServerDetails::ask(http, url, kind).await;
        Ok(Self {
            kind,
            model: id.to_string(),
            context: more
                .context
                .or_else(|| tokens(&found["max_model_len"]))
                // Last, since llama.cpp may serve fewer tokens than the model was trained with.
                .or_else(|| tokens(&found["meta"]["n_ctx_train"])),
            is_unlisted,
            root: text(&found["root"]).filter(|root| root != id),
            owner,
            version: more.version.map(|version| fact(http, &version)),
            software,
        })
    }

    /// What identifies the completions, for the manifest.
    pub(crate) fn details(&self) -> BTreeMap<String, String> {
        let server = match (self.kind.name(), &self.version) {
            (Some(name), Some(version)) => Some(format!("{name} {version}")),
            (Some(name), None) => Some(name.to_string()),
            (None, _) => Some(self.software.clone()).filter(|software| !software.is_empty()),
        };
        let facts = [
            ("model", Some(self.model.clone())),
            (
                "owner",
                Some(self.owner.clone()).filter(|owner| !owner.is_empty()),
            ),
            ("checkpoint", self.root.clone()),
            ("server", server),
            ("context", self.context.map(|context| context.to_string())),
        ];
        facts
            .into_iter()
            .filter_map(|(name, value)| Some((name.to_string(), value?)))
            .collect()
    }
}

/// What a server states on routes of its own; failures only leave gaps.
#[derive(Debug, Default)]
struct ServerDetails {
    version: Option<String>,
    context: Option<usize>,
}

impl ServerDetails {
    async fn ask(http: &HttpClient, url: &BaseUrl, kind: ServerKind) -> Self {
        let routes: &[&str] = match kind {
            ServerKind::Vllm => &["version"],
            ServerKind::Sglang => &["server_info", "get_server_info"],
            ServerKind::Tgi => &["info"],
            ServerKind::LlamaCpp => &["props"],
            ServerKind::LlamaCppPython | ServerKind::Transformers | ServerKind::Unknown => &[],
        };
        for route in routes {
            if let Ok((_, value)) = http.json(http.get(&url.own(route))).await {
                return Self::of(&value);
            }
        }
        Self::default()
    }

    fn of(value: &Value) -> Self {
        let version = [&value["version"], &value["build_info"]]
            .into_iter()
            .find_map(Value::as_str)
            .map(str::to_string);
        let places = [
            &value["default_generation_settings"]["n_ctx"],
            &value["max_total_tokens"],
        ];
        Self {
            version,
            context: places.into_iter().find_map(tokens),
        }
    }
}

fn models(address: &str, list: Value) -> Result<Vec<Value>, Error> {
    match list {
        Value::Object(mut list) if matches!(list.get("data"), Some(Value::Array(_))) => Ok(list
            .remove("data")
            .and_then(|data| data.as_array().cloned())
            .unwrap_or_default()),
        // Some gateways leave the object around the list out.
        Value::Array(models) => Ok(models),
        _ => Err(Error::InvalidResponse {
            url: address.to_string(),
            reason: "the list of models has no \"data\"".to_string(),
        }),
    }
}

fn is_no_route(status: &str) -> bool {
    status.starts_with("404") || status.starts_with("405")
}

/// Whether completions are at an address that has no list of models: a route that takes POST says
/// 405 to GET, and a wrong address 404.
async fn completes(http: &HttpClient, url: &BaseUrl) -> bool {
    for route in [Api::Completions, Api::Chat].map(Api::route) {
        if let Err(RequestError {
            kind: RequestErrorKind::Rejected(405),
            ..
        }) = http.json(http.get(&url.api(route))).await
        {
            return true;
        }
    }
    false
}

/// The list of models, requested again where the server may still be starting.
async fn request_with_retries(
    http: &HttpClient,
    address: &str,
) -> Result<(HeaderMap, Value), Error> {
    let mut delays = http.policy.backoff.delays();
    let mut attempt = 1;
    loop {
        let error = match http.json(http.get(address)).await {
            Ok(answer) => return Ok(answer),
            Err(error) => error,
        };
        // A server that is still starting refuses the connection or answers 503, neither of which
        // is a rejection.
        if let RequestErrorKind::Rejected(status) = error.kind {
            return Err(refused(address, status, error.reason));
        }
        if attempt >= MAX_CONNECT_ATTEMPTS || !error.is_transient() {
            let (url, reason) = (address.to_string(), http.quote(&error.reason));
            return Err(match error.kind {
                RequestErrorKind::Broken
                | RequestErrorKind::Truncated
                | RequestErrorKind::Unusable => Error::InvalidResponse { url, reason },
                _ => Error::Unreachable {
                    url,
                    attempts: attempt,
                    reason,
                },
            });
        }
        tokio::time::sleep(retry_delay(&error, delays.next().unwrap_or_default())).await;
        attempt += 1;
    }
}

/// The longer of the wait that the server asks for and our own delay.
pub(crate) fn retry_delay(error: &RequestError, own: std::time::Duration) -> std::time::Duration {
    error.retry_after.map_or(own, |asked| asked.max(own))
}

/// The error for a rejected request. `reason` begins with the status, or is the address that a
/// redirect names.
pub(crate) fn refused(address: &str, status: u16, reason: String) -> Error {
    let url = address.to_string();
    if (300..400).contains(&status) {
        return Error::Redirected { url, to: reason };
    }
    let rejection = match status {
        401 => Rejection::Key,
        403 => Rejection::Right,
        404 => Rejection::Address,
        _ if is_about_length(&reason) => Rejection::Length,
        _ => Rejection::Other,
    };
    let (status, quote) = match reason.split_once(": ") {
        Some((status, quote)) => (status.to_string(), quote.to_string()),
        None => (reason, String::new()),
    };
    let status = status
        .trim_start_matches("the server answered ")
        .to_string();
    Error::Rejected {
        url,
        status,
        rejection,
        quote,
    }
}

fn is_about_length(reason: &str) -> bool {
    ["max_tokens", "max_completion_tokens", "context"]
        .iter()
        .any(|word| reason.contains(word))
}

/// Whether an entry of the list is the model of this name; llama.cpp lists aliases too.
fn is_named(entry: &Value, model: &str) -> bool {
    let aliases = entry["aliases"].as_array().into_iter().flatten();
    aliases
        .chain([&entry["id"]])
        .any(|name| name.as_str() == Some(model))
}

/// The names in a list, as far as an error can hold them.
fn known(http: &HttpClient, models: &[Value]) -> String {
    let names: Vec<String> = models
        .iter()
        .filter_map(|entry| entry["id"].as_str())
        .map(|id| fact(http, id))
        .collect();
    match names.len() {
        0 => "none".to_string(),
        count if count > MAX_LISTED_MODELS => {
            format!(
                "{} and {} more",
                names[..MAX_LISTED_MODELS].join(", "),
                count - MAX_LISTED_MODELS
            )
        }
        _ => names.join(", "),
    }
}

/// A server's text for a file or an error: bounded, without the key.
fn fact(http: &HttpClient, text: &str) -> String {
    http.scrubber().quote(text, MAX_FACT_CHARS)
}

fn tokens(value: &Value) -> Option<usize> {
    value
        .as_u64()
        .and_then(|tokens| usize::try_from(tokens).ok())
        .filter(|tokens| *tokens > 0)
}
