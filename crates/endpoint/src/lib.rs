//! Models that answer over HTTP: OpenAI-compatible servers as a `Generator`.
//!
//! In go prompts and the address of a server (vLLM, SGLang, TGI, llama.cpp's server, OpenAI and
//! others that speak as they do); out come completions, each prompt's exactly once, whatever the
//! server does meanwhile: it may throttle, stall, truncate its streams, send what is no JSON, or go
//! down.
//!
//! This crate refuses to know problems, references, scores, templates, tensors and run folders.
//!
//! ```no_run
//! use endpoint::{ApiKey, BaseUrl, Endpoint, EndpointOptions};
//! use generation::{Decoding, Event, Generator, Prompt};
//!
//! let mut options = EndpointOptions::new(BaseUrl::parse("http://localhost:8000/v1")?, "meta-llama/Llama-3.1-70B");
//! options.key = ApiKey::from_environment(&["MWPBENCH_API_KEY", "OPENAI_API_KEY"])?;
//! let mut model = Endpoint::connect(options, |warning| eprintln!("warning: {warning}"))?;
//! let prompts = [Prompt { id: "apples".into(), sample: 0, text: "2 apples and 3 apples are".into() }];
//! model.generate(&prompts, &Decoding::greedy(64), &mut |event| {
//!     if let Event::Finished(completion) = event {
//!         println!("{}", completion.text);
//!     }
//!     Ok(())
//! })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod api; // the routes that complete prompts
mod attempt; // one attempt at one prompt
mod base_url; // the address, in whichever form it was given
mod breaker; // circuit breaker: is the server down, or does only a prompt fail
mod capabilities; // what a server does not accept
mod context; // what a rejection says about the context length
mod endpoint;
mod error; // what can go wrong
mod http; // one request, bounded in time and size
mod key; // a secret that is sent and never shown
mod latency; // time to first token, tokens per second
mod limiter; // AIMD limit on the requests in flight
mod prompt_check; // do prompts reach the model as they are meant, and leave room for completions
mod rejections; // does the server reject some prompts or all
mod request; // the body of a request, as JSON
mod request_error; // why an attempt brought no completion
mod response; // chunks of a response, assembled
mod retry_loop; // one prompt: attempts until something is final
mod retry_policy; // attempts, timeouts and limits
mod server; // which server it is, and what it states about the model
mod special_tokens; // a beginning-of-sequence token once, and not twice or never
mod sse; // server-sent events
mod stop; // stop strings, watched by the client
mod token_counter; // how many tokens a text has for the server // the generator

pub use api::Api;
pub use base_url::BaseUrl;
pub use endpoint::{DEFAULT_MAX_CONCURRENCY, Endpoint, EndpointOptions};
pub use error::{Error, Rejection};
pub use http_client::Backoff;
pub use key::ApiKey;
pub use prompt_check::PromptCounter;
pub use request::ResponseFormat;
pub use retry_policy::{DEFAULT_GIVE_UP_AFTER, DEFAULT_IDLE_TIMEOUT, RetryPolicy};
pub use special_tokens::SpecialTokens;
