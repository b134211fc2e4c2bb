//! `--endpoint`: a model behind an OpenAI-compatible server in place of a checkpoint.

use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;
use std::time::Duration;

use clap::ValueEnum;
use endpoint::{
    Api, ApiKey, BaseUrl, DEFAULT_MAX_CONCURRENCY, Endpoint, EndpointOptions, PromptCounter,
    ResponseFormat, RetryPolicy, SpecialTokens,
};
use evaluation::TokenDetails;

use crate::heading;

/// Variables of the environment that may hold a key, the first one first.
const KEY_VARIABLES: [&str; 2] = ["MWPBENCH_API_KEY", "OPENAI_API_KEY"];

/// Which server generates, and how requests are made.
#[derive(clap::Args)]
#[command(next_help_heading = heading::SERVER)]
pub struct EndpointArgs {
    /// Generate with a model behind an OpenAI-compatible server (vLLM, SGLang, TGI, llama.cpp,
    /// OpenAI), such as http://localhost:8000/v1; --model is then the model's name there. The API
    /// key is read from MWPBENCH_API_KEY or OPENAI_API_KEY.
    #[arg(long, env = "MWPBENCH_ENDPOINT", value_name = "URL")]
    endpoint: Option<String>,
    /// completions has the model continue the prompt, which is usual; chat makes the prompt the
    /// message of a user, in the model's own chat template, which is usual where data are made and
    /// no --prompt-template is given.
    #[arg(
        long,
        env = "MWPBENCH_ENDPOINT_API",
        value_enum,
        value_name = "API",
        requires = "endpoint"
    )]
    endpoint_api: Option<ApiName>,
    /// Whether chat is what is meant where nothing is said.
    #[arg(skip)]
    pub chat_by_default: bool,
    /// The form that completions are held to.
    #[arg(skip)]
    pub response_format: Option<ResponseFormat>,
    /// File that holds the API key and nothing else.
    #[arg(
        long,
        env = "MWPBENCH_API_KEY_FILE",
        value_name = "FILE",
        requires = "endpoint"
    )]
    api_key_file: Option<PathBuf>,
    /// Maximum number of concurrent requests; the rate limit of the server lowers it.
    #[arg(
        long,
        alias = "concurrency",
        env = "MWPBENCH_MAX_CONCURRENCY",
        value_name = "N",
        requires = "endpoint",
        default_value_t = NonZeroUsize::new(DEFAULT_MAX_CONCURRENCY).expect("not 0")
    )]
    max_concurrency: NonZeroUsize,
    /// Idle timeout in seconds: a request on which the server sends nothing for so long is retried;
    /// with --no-stream the whole response must come within it.
    #[arg(
        long,
        env = "MWPBENCH_REQUEST_TIMEOUT",
        value_name = "SECONDS",
        requires = "endpoint",
        default_value_t = seconds(RetryPolicy::default().idle_timeout)
    )]
    request_timeout: NonZeroU32,
    /// Seconds without one successful request after which retries end and the run stops; the same
    /// command continues it.
    #[arg(
        long,
        env = "MWPBENCH_GIVE_UP_AFTER",
        value_name = "SECONDS",
        requires = "endpoint",
        default_value_t = seconds(RetryPolicy::default().give_up_after)
    )]
    give_up_after: NonZeroU32,
    /// Request whole responses instead of streams: stop strings that the server does not know then
    /// cut a completion only afterwards.
    #[arg(long, requires = "endpoint")]
    no_stream: bool,
}

fn seconds(duration: Duration) -> NonZeroU32 {
    u32::try_from(duration.as_secs())
        .ok()
        .and_then(NonZeroU32::new)
        .expect("a default timeout is a few minutes")
}

/// What a server has to know of its prompts.
#[derive(Default)]
pub struct ServerPrompts {
    pub system_prompt: Option<String>,
    pub special_tokens: SpecialTokens,
    /// Counts as the checkpoint's own tokenizer does.
    pub own_count: Option<PromptCounter>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum ApiName {
    Completions,
    Chat,
}

impl EndpointArgs {
    /// Whether a server generates.
    pub fn is_given(&self) -> bool {
        self.endpoint.is_some()
    }

    /// Whether the server puts the prompt into a chat template.
    pub fn is_chat(&self) -> bool {
        match self.endpoint_api {
            Some(api) => matches!(api, ApiName::Chat),
            None => self.is_given() && self.chat_by_default,
        }
    }

    /// Maximum number of concurrent requests; `None` where no server was named.
    pub fn max_concurrency(&self) -> Option<usize> {
        self.is_given().then(|| self.max_concurrency.get())
    }

    /// Connects to the server and finds the model there; `None` where no server was named. Of new
    /// tokens a server sends no more than log-probabilities.
    pub fn open(
        &self,
        model: &str,
        prompts: ServerPrompts,
        details: TokenDetails,
    ) -> anyhow::Result<Option<Endpoint>> {
        let Some(address) = &self.endpoint else {
            return Ok(None);
        };
        let key = match &self.api_key_file {
            Some(file) => Some(ApiKey::from_file(file)?),
            None => ApiKey::from_environment(&KEY_VARIABLES)?,
        };
        let defaults = EndpointOptions::new(BaseUrl::parse(address)?, model);
        let duration = |seconds: NonZeroU32| Duration::from_secs(seconds.get().into());
        let options = EndpointOptions {
            api: if self.is_chat() {
                Api::Chat
            } else {
                Api::Completions
            },
            special_tokens: prompts.special_tokens,
            own_count: prompts.own_count,
            system_prompt: prompts.system_prompt,
            key,
            max_concurrency: self.max_concurrency.get(),
            stream: !self.no_stream,
            response_format: self.response_format.clone(),
            logprobs: details.logprobs,
            policy: RetryPolicy {
                idle_timeout: duration(self.request_timeout),
                give_up_after: duration(self.give_up_after),
                ..defaults.policy
            },
            ..defaults
        };
        Ok(Some(Endpoint::connect(options, |warning| {
            eprintln!("warning: {warning}")
        })?))
    }
}
