//! `mwpbench serve`: a checkpoint behind the OpenAI-compatible API.

use std::net::{IpAddr, SocketAddr};
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;
use std::time::Duration;

use ::serve::{Error, Options, Service};
use anyhow::Context as _;
use chat_template::CheckpointTemplates;
use evaluation::TokenDetails;
use inference::{LocalModel, PromptKind};

use crate::engine::{EngineArgs, memory_size};
use crate::exit::Outcome;
use crate::{chat, checkpoint, heading, interruption};

/// Where the key may stand in the environment.
const KEY_VARIABLE: &str = "MWPBENCH_SERVE_API_KEY";

/// Serve a checkpoint through the OpenAI-compatible API: completions, chats, token counts.
///
/// Requests are computed beside each other, and a greedy completion is on the CPU bit for bit the
/// one that `mwpbench eval` gives. SIGINT or SIGTERM ends the server when what it computes is done;
/// a second signal ends it at once. Without an API key (MWPBENCH_SERVE_API_KEY, or a file with
/// --api-key-file) it listens on loopback only.
#[derive(clap::Args)]
pub struct Args {
    /// Checkpoint: a folder in Hugging Face layout, a GGUF file, a name on the hub (org/name,
    /// org/name@revision, hf://org/name/file.gguf), or `demo` for the embedded one.
    #[arg(
        long,
        env = "MWPBENCH_MODEL",
        value_name = "PATH|ORG/NAME|demo",
        help_heading = heading::MODEL
    )]
    model: String,
    #[command(flatten)]
    extras: checkpoint::CheckpointExtras,
    #[command(flatten)]
    engine: EngineArgs,
    /// Chat template in place of the checkpoint's default one: another one of its own by name, a
    /// Jinja file, the folder of a tokenizer, or a name on the hub.
    #[arg(
        long,
        env = "MWPBENCH_CHAT_TEMPLATE",
        value_name = "NAME|FILE|DIR|ORG/NAME",
        help_heading = heading::PROMPT
    )]
    chat_template: Option<String>,
    /// Address to listen at.
    #[arg(long, default_value = "127.0.0.1", value_name = "ADDRESS", help_heading = heading::SERVER)]
    host: IpAddr,
    /// Port to listen at; 0 for a free one, which is printed.
    #[arg(long, default_value_t = 8000, value_name = "N", help_heading = heading::SERVER)]
    port: u16,
    /// Name of the model in the API; that of its folder or file without it.
    #[arg(long, value_name = "NAME", help_heading = heading::SERVER)]
    served_model_name: Option<String>,
    /// File that holds the key that clients must send, and nothing else.
    #[arg(long, value_name = "FILE", help_heading = heading::SERVER)]
    api_key_file: Option<PathBuf>,
    /// Maximum number of completions that wait or are computed; more are answered with status 429.
    #[arg(long, default_value = "1024", value_name = "N", help_heading = heading::SERVER)]
    max_pending: NonZeroUsize,
    /// Maximum size of a request, such as 4MiB.
    #[arg(
        long,
        default_value = "8MiB",
        value_name = "SIZE",
        value_parser = memory_size,
        help_heading = heading::SERVER
    )]
    max_request_size: usize,
    /// Seconds that a request may take; also how long the end of the server waits for what is
    /// computed.
    #[arg(long, default_value = "600", value_name = "SECONDS", help_heading = heading::SERVER)]
    request_timeout: NonZeroU32,
}

pub fn run(args: Args) -> anyhow::Result<Outcome> {
    let address = SocketAddr::new(args.host, args.port);
    let api_key = args.api_key()?;
    if api_key.is_none() && !address.ip().is_loopback() {
        // Before the checkpoint is loaded.
        return Err(Error::NoKey(address).into());
    }
    let (model, template) = args.load()?;
    let name = args.served_model_name.unwrap_or(args.model);
    let has_template = template.is_some();
    let service = Service::start(
        model,
        template,
        Options {
            address,
            model: name.clone(),
            api_key,
            max_pending: args.max_pending.get(),
            max_body: args.max_request_size,
            timeout: Duration::from_secs(args.request_timeout.get().into()),
        },
    )?;
    let address = service.address()?;
    eprintln!("`{name}` is served at http://{address}/v1");
    if !has_template {
        eprintln!("note: no chat template was found: /v1/chat/completions is refused");
    }
    interruption::listen()?;
    service.run(|| interruption::may_go_on().is_break())?;
    Ok(Outcome::Done)
}

impl Args {
    fn load(&self) -> anyhow::Result<(LocalModel, Option<chat_template::ChatTemplate>)> {
        let files = self.extras.with(&self.model)?;
        let found = CheckpointTemplates::first_of(chat::files_of(files.template_sources()?)?)?;
        let given = self
            .chat_template
            .as_deref()
            .map(chat::located)
            .transpose()?;
        let template = match found.choose(given.as_deref()) {
            Err(chat_template::Error::NoTemplate { .. }) => None,
            found => Some(found?),
        };
        let end_of_turn = template.as_ref().and_then(chat::end_of_turn);
        let files = files.with_end_of_turn(end_of_turn);
        let options = self
            .engine
            .options(PromptKind::Plain, TokenDetails::default());
        let model = LocalModel::load(files, &options)?;
        for warning in model.warnings() {
            eprintln!("warning: {warning}");
        }
        Ok((model, template))
    }

    /// The key that clients must send.
    fn api_key(&self) -> anyhow::Result<Option<String>> {
        let (key, place) = match &self.api_key_file {
            Some(file) => {
                let text = std::fs::read_to_string(file)
                    .with_context(|| format!("cannot read {}", file.display()))?;
                (text, file.display().to_string())
            }
            None => match std::env::var(KEY_VARIABLE) {
                Ok(key) => (key, KEY_VARIABLE.to_string()),
                Err(std::env::VarError::NotPresent) => return Ok(None),
                Err(error) => anyhow::bail!("{KEY_VARIABLE}: {error}"),
            },
        };
        let key = key.trim();
        match key.is_empty() || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
            true => anyhow::bail!("the key in {place} must be letters, digits and signs of ASCII"),
            false => Ok(Some(key.to_string())),
        }
    }
}
