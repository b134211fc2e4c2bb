//! Models that answer over HTTP: OpenAI-compatible servers as a `Generator`.
//!
//! In go prompts and the address of a server (vLLM, SGLang, TGI, llama.cpp's server, OpenAI and
//! others that speak as they do); out come completions, each prompt's exactly once, whatever the
//! server does meanwhile: it may throttle, stall, cut its streams, send what is no JSON, or go
//! away.
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

mod asking; // one prompt: attempts until something is final
mod attempt; // one attempt at one prompt
mod base_url; // the address, in whichever form it was given
mod breaker; // is the server gone, or does only a prompt fail
mod capabilities; // what a server does not take
mod context; // what a refusal says of the context's length
mod counting; // how many tokens a text has for the server
mod endpoint; // the generator
mod error; // what can go wrong, and the way out
mod events; // server-sent events
mod fitting; // do prompts reach the model as they are meant, and leave room for their completions
mod http; // one request, bounded in time and size
mod key; // a secret that is sent and never shown
mod latency; // how long requests took
mod limiter; // how many requests at a time
mod patience; // how often, how long, how much
mod refusals; // does the server refuse some prompts or all
mod reply; // pieces of an answer, put together
mod request; // what is asked, as JSON
mod server; // which server it is, and what it says of the model
mod special_tokens; // a beginning-of-sequence token once, and not twice or never
mod stop; // stop strings, watched by the client
mod trouble; // why an attempt brought no answer

pub use base_url::BaseUrl;
pub use endpoint::{Endpoint, EndpointOptions, MAX_CONCURRENCY, PromptCounter};
pub use error::Error;
pub use key::ApiKey;
pub use patience::Patience;
pub use request::Api;
pub use special_tokens::SpecialTokens;
