//! `--endpoint`: a model behind an OpenAI-compatible server in place of a checkpoint.

use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;
use std::time::Duration;

use clap::ValueEnum;
use endpoint::{
    Api, ApiKey, BaseUrl, Endpoint, EndpointOptions, MAX_CONCURRENCY, Patience, PromptCounter,
    SpecialTokens,
};
use evaluation::TokenDetails;

/// Variables of the environment that may hold a key, the first one first.
const KEY_VARIABLES: [&str; 2] = ["MWPBENCH_API_KEY", "OPENAI_API_KEY"];

/// Which server answers, and how it is asked.
#[derive(clap::Args)]
pub struct EndpointArgs {
    /// Ask a model behind an OpenAI-compatible server (vLLM, SGLang, TGI, llama.cpp, OpenAI), such
    /// as http://localhost:8000/v1; --model is then the model's name there. A key is taken from
    /// MWPBENCH_API_KEY or OPENAI_API_KEY.
    #[arg(long, env = "MWPBENCH_ENDPOINT", value_name = "URL")]
    endpoint: Option<String>,
    /// completions has the model continue the prompt; chat makes the prompt the message of a user,
    /// in the model's own chat template [default: completions].
    #[arg(
        long,
        env = "MWPBENCH_ENDPOINT_API",
        value_enum,
        value_name = "API",
        requires = "endpoint"
    )]
    endpoint_api: Option<ApiName>,
    /// File that holds the API key and nothing else.
    #[arg(
        long,
        env = "MWPBENCH_API_KEY_FILE",
        value_name = "FILE",
        requires = "endpoint"
    )]
    api_key_file: Option<PathBuf>,
    /// Most requests to the server at a time; fewer are made where it cannot do with so many
    /// [default: 32].
    #[arg(
        long,
        env = "MWPBENCH_MAX_CONCURRENCY",
        value_name = "N",
        requires = "endpoint"
    )]
    max_concurrency: Option<NonZeroUsize>,
    /// Seconds that the server may say nothing before a request is made again; with --no-stream the
    /// whole answer must come within them [default: 300].
    #[arg(
        long,
        env = "MWPBENCH_REQUEST_TIMEOUT",
        value_name = "SECONDS",
        requires = "endpoint"
    )]
    request_timeout: Option<NonZeroU32>,
    /// Seconds without a single success, while requests fail, after which the run ends as one whose
    /// server is gone [default: 120].
    #[arg(
        long,
        env = "MWPBENCH_GIVE_UP_AFTER",
        value_name = "SECONDS",
        requires = "endpoint"
    )]
    give_up_after: Option<NonZeroU32>,
    /// Ask for whole answers and not for streams: stop strings that the server does not know then
    /// cut an answer only afterwards.
    #[arg(long, requires = "endpoint")]
    no_stream: bool,
}

/// What a server must know of the prompts that it gets.
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
    /// Whether a server is to answer.
    pub fn is_given(&self) -> bool {
        self.endpoint.is_some()
    }

    /// Whether the server puts the prompt into a chat template.
    pub fn is_chat(&self) -> bool {
        matches!(self.endpoint_api, Some(ApiName::Chat))
    }

    /// Most requests at a time; `None` where no server was named.
    pub fn max_concurrency(&self) -> Option<usize> {
        self.is_given().then(|| {
            self.max_concurrency
                .map_or(MAX_CONCURRENCY, NonZeroUsize::get)
        })
    }

    /// Connects to the server and finds the model there; `None` where no server was named. Of new
    /// tokens a server tells no more than log-probabilities.
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
        let usual = EndpointOptions::new(BaseUrl::parse(address)?, model);
        let seconds = |given: Option<NonZeroU32>| {
            given.map(|seconds| Duration::from_secs(seconds.get().into()))
        };
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
            max_concurrency: self.max_concurrency().unwrap_or(MAX_CONCURRENCY),
            stream: !self.no_stream,
            logprobs: details.logprobs,
            patience: Patience {
                idle: seconds(self.request_timeout).unwrap_or(usual.patience.idle),
                gone_after: seconds(self.give_up_after).unwrap_or(usual.patience.gone_after),
                ..usual.patience
            },
            ..usual
        };
        Ok(Some(Endpoint::connect(options, |warning| {
            eprintln!("warning: {warning}")
        })?))
    }
}
