//! The server: routes, limits, keys, start and end.

use std::hash::{BuildHasher, RandomState};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, MatchedPath, Request, State};
use axum::http::{Method, Uri, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use chat_template::ChatTemplate;
use fault::{Class, Fault};
use inference::{LocalModel, PromptKind, ServedSampling};
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::api_error::ApiError;
use crate::engine::{Engine, Job};
use crate::metrics::Metrics;
use crate::replies::{Form, Pieces, Reply};
use crate::settings::Settings;
use crate::{chat, completions, tokens};

/// How a model is served.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where to listen; port 0 for a free one.
    pub address: SocketAddr,
    /// The name of the model in the API.
    pub model: String,
    /// The key that clients must send; `None` for none, on loopback only.
    pub api_key: Option<String>,
    /// Completions that may wait or be computed at a time, at least 1: more are refused.
    pub max_pending: usize,
    /// Bytes that the body of a request may have.
    pub max_body: usize,
    /// How long a request may take, and how long the server waits at its end for what is being
    /// computed.
    pub timeout: Duration,
}

/// Why a server cannot start, or ended.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Others on the network could use the model, without a key.
    #[error("{0} can be reached from other machines, and there is no key")]
    NoKey(SocketAddr),
    /// The address cannot be listened at.
    #[error("cannot listen at {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        source: std::io::Error,
    },
    /// The system failed.
    #[error("the server failed: {0}")]
    Io(#[from] std::io::Error),
    /// The computation failed.
    #[error("the computation failed: {0}")]
    Engine(String),
}

impl Fault for Error {
    fn class(&self) -> Class {
        match self {
            Self::NoKey(_) | Self::Listen { .. } => Class::Usage,
            Self::Io(_) => Class::Io,
            Self::Engine(_) => Class::Backend,
        }
    }
}

/// What answers requests.
pub(crate) struct Server {
    pub(crate) model: Arc<LocalModel>,
    pub(crate) template: Option<ChatTemplate>,
    options: Options,
    engine: Engine,
    metrics: Arc<Metrics>,
    started: i64,
    /// What ids of answers begin with, and how many there were.
    run: u64,
    answers: AtomicU64,
}

/// A model that is listened for, and not asked yet.
pub struct Service {
    server: Arc<Server>,
    listener: TcpListener,
    engine_thread: std::thread::JoinHandle<()>,
}

impl Service {
    /// Listens, and starts the thread that computes.
    ///
    /// # Errors
    /// [`Error::NoKey`], [`Error::Listen`], [`Error::Io`].
    pub fn start(
        model: LocalModel,
        template: Option<ChatTemplate>,
        options: Options,
    ) -> Result<Self, Error> {
        let address = options.address;
        if !address.ip().is_loopback() && options.api_key.is_none() {
            return Err(Error::NoKey(address));
        }
        let listener =
            TcpListener::bind(address).map_err(|source| Error::Listen { address, source })?;
        listener.set_nonblocking(true)?;
        let (model, metrics) = (Arc::new(model), Arc::new(Metrics::new()));
        let (engine, engine_thread) =
            Engine::start(model.clone(), options.max_pending, metrics.clone())?;
        let server = Server {
            model,
            template,
            options,
            engine,
            metrics,
            started: Timestamp::now().as_second(),
            run: RandomState::new().hash_one("run"),
            answers: AtomicU64::new(0),
        };
        Ok(Self {
            server: Arc::new(server),
            listener,
            engine_thread,
        })
    }

    /// Where it listens.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn address(&self) -> Result<SocketAddr, Error> {
        Ok(self.listener.local_addr()?)
    }

    /// Answers requests until `is_stopped`, then those that are being computed.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Engine`].
    pub fn run(self, is_stopped: impl Fn() -> bool + Send + 'static) -> Result<(), Error> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()?;
        let (server, listener) = (self.server, self.listener);
        let timeout = server.options.timeout;
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener)?;
            let (stopping, mut stopped) = tokio::sync::watch::channel(false);
            let of_watch = server.clone();
            let watch = async move {
                while !is_stopped() && !of_watch.engine.is_stopping() {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
                of_watch.engine.stop();
                let _ = stopping.send(true);
            };
            let serving = axum::serve(listener, router(server.clone()))
                .with_graceful_shutdown(watch)
                .into_future();
            let too_long = async move {
                // An error means that the server has ended by itself.
                let _ = stopped.wait_for(|is_stopped| *is_stopped).await;
                tokio::time::sleep(timeout).await;
            };
            tokio::select! {
                served = serving => served,
                () = too_long => Ok(()),
            }
        })?;
        // Streams that nobody reads end with their tasks.
        runtime.shutdown_timeout(Duration::from_secs(1));
        if let Some(failure) = server.engine.failure() {
            return Err(Error::Engine(failure));
        }
        server.engine.stop();
        self.engine_thread
            .join()
            .map_err(|_| Error::Engine("the engine's thread panicked".to_string()))
    }
}

fn router(server: Arc<Server>) -> Router {
    let limit = DefaultBodyLimit::max(server.options.max_body);
    Router::new()
        .route("/v1/models", get(models))
        .route("/v1/completions", post(completions::complete))
        .route("/v1/chat/completions", post(chat::complete))
        .route("/tokenize", post(tokens::tokenize))
        .route("/detokenize", post(tokens::detokenize))
        .route("/metrics", get(metrics))
        .route_layer(middleware::from_fn_with_state(server.clone(), guard))
        .route("/health", get(health))
        .fallback(no_route)
        .method_not_allowed_fallback(no_route)
        .layer(middleware::from_fn_with_state(server.clone(), count))
        .layer(limit)
        .with_state(server)
}

/// Lets requests with the key through.
async fn guard(State(server): State<Arc<Server>>, request: Request, next: Next) -> Response {
    let Some(key) = &server.options.api_key else {
        return next.run(request).await;
    };
    let sent = request.headers().get(header::AUTHORIZATION);
    let sent = sent
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let sent = sent.strip_prefix("Bearer ").unwrap_or_default().trim();
    match is_equal(sent.as_bytes(), key.as_bytes()) {
        true => next.run(request).await,
        false => ApiError::unauthorized().into_response(),
    }
}

/// Whether two keys are equal, in a time that does not tell where they differ.
fn is_equal(one: &[u8], other: &[u8]) -> bool {
    let difference = one
        .iter()
        .zip(other)
        .fold(0, |sum, (one, other)| sum | (one ^ other));
    one.len() == other.len() && std::hint::black_box(difference) == 0
}

/// Counts responses.
async fn count(State(server): State<Arc<Server>>, request: Request, next: Next) -> Response {
    let path = request.extensions().get::<MatchedPath>();
    let path = path.map_or("other", MatchedPath::as_str).to_string();
    let response = next.run(request).await;
    server
        .metrics
        .count_response(&path, response.status().as_u16());
    response
}

async fn no_route(method: Method, uri: Uri) -> ApiError {
    ApiError::no_such_route(method.as_str(), uri.path())
}

async fn health(State(server): State<Arc<Server>>) -> Result<Json<Value>, ApiError> {
    match (server.engine.failure(), server.engine.is_stopping()) {
        (Some(failure), _) => Err(ApiError::failed(failure)),
        (None, true) => Err(ApiError::stopping()),
        (None, false) => Ok(Json(json!({"status": "ok"}))),
    }
}

async fn models(State(server): State<Arc<Server>>) -> Json<Value> {
    Json(json!({
        "object": "list",
        "data": [{
            "id": server.options.model,
            "object": "model",
            "created": server.started,
            "owned_by": "mwpbench",
            "max_model_len": server.model.context_length(),
        }],
    }))
}

async fn metrics(State(server): State<Arc<Server>>) -> Result<Response, ApiError> {
    let text = server.metrics.text();
    let text = text.map_err(|error| ApiError::failed(error.to_string()))?;
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    Ok(([(header::CONTENT_TYPE, kind)], text).into_response())
}

/// The body of a request, read.
pub(crate) fn parse<T: DeserializeOwned>(
    body: Result<Bytes, BytesRejection>,
) -> Result<T, ApiError> {
    let body =
        body.map_err(|rejection| ApiError::with_status(rejection.status(), rejection.body_text()))?;
    serde_json::from_slice(&body)
        .map_err(|error| ApiError::invalid(format!("the body cannot be read: {error}")))
}

/// What an answer holds beside its text.
#[derive(Clone, Copy)]
pub(crate) struct Extras {
    /// Log-probabilities of tokens.
    pub(crate) logprobs: bool,
    /// The prompt before its completion.
    pub(crate) echo: bool,
}

impl Server {
    pub(crate) fn encode(&self, text: &str, kind: PromptKind) -> Result<Vec<u32>, ApiError> {
        let ids = self.model.encode_as(text, kind);
        ids.map_err(|error| ApiError::field("prompt", error.to_string()))
    }

    /// Computes and answers.
    pub(crate) async fn answer(
        &self,
        form: Form,
        prompts: Vec<Vec<u32>>,
        max_tokens: usize,
        Extras { logprobs, echo }: Extras,
        settings: Settings,
    ) -> Result<Response, ApiError> {
        let served = &self.options.model;
        if let Some(asked) = settings.model.as_ref().filter(|asked| *asked != served) {
            return Err(ApiError::no_such_model(asked, served));
        }
        settings.check()?;
        if prompts.is_empty() {
            return Err(ApiError::field("prompt", "there is no prompt"));
        }
        let (stop, n) = (settings.stop()?, settings.n()? as usize);
        let sampling = settings.sampling()?;
        let mut jobs = Vec::new();
        for prompt in &prompts {
            let max_tokens = self
                .model
                .max_new_tokens(prompt, max_tokens)
                .map_err(ApiError::invalid)?;
            for sample in 0..n {
                jobs.push(Job {
                    prompt: prompt.clone(),
                    max_tokens,
                    stop: stop.clone(),
                    sampling: sampling.map(|sampling| ServedSampling {
                        sampling,
                        problem: String::new(),
                        sample: sample as u32,
                    }),
                    is_chat: matches!(form, Form::Chat),
                    logprobs,
                    echo,
                });
            }
        }
        let count = jobs.len();
        let updates = self.engine.submit(jobs)?;
        let pieces = Pieces::new(
            self.model.clone(),
            updates,
            (count, &stop),
            logprobs,
            self.options.timeout,
        );
        let number = self.answers.fetch_add(1, Ordering::Relaxed);
        let prefix = match form {
            Form::Completion => "cmpl",
            Form::Chat => "chatcmpl",
        };
        let reply = Reply {
            form,
            id: format!("{prefix}-{:016x}-{number}", self.run),
            created: Timestamp::now().as_second(),
            name: served.clone(),
            logprobs,
            token_ids: settings.return_token_ids == Some(true),
            includes_usage: settings.includes_usage(),
            prompts,
            per_prompt: n,
        };
        match settings.is_streamed() {
            true => Ok(reply.streamed(pieces)),
            false => reply.whole(pieces).await,
        }
    }
}
