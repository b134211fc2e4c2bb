//! A checkpoint behind the OpenAI-compatible API.
//!
//! In go a loaded [`LocalModel`](inference::LocalModel), its chat template and [`Options`]; out
//! comes a [`Service`] that listens until it is told to stop: `/v1/models`, `/v1/completions`,
//! `/v1/chat/completions` (both streamed where that is asked for), `/tokenize`, `/detokenize`,
//! `/health` and `/metrics`. Requests are computed beside each other in one continuous batch, and a
//! completion is bit for bit the one that the model gives alone, on the CPU.
//!
//! This crate refuses to know data sets, scoring and runs.

mod api_error; // errors as the API reports them
mod chat; // /v1/chat/completions
mod completions; // /v1/completions
mod engine; // the thread that computes, and its queue
mod metrics; // /metrics
mod replies; // what answers are made of
mod service; // routes, limits, keys, start and end
mod settings; // the fields that both kinds of request have in common
mod tokens; // /tokenize and /detokenize

pub use service::{Error, Options, Service};
