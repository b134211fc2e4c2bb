//! How a model is asked about items of a job: translations, concepts, pairs.

use std::num::{NonZeroU32, NonZeroUsize};

use evaluation::Template;
use generation::Decoding;

use crate::decoding::SamplingArgs;

/// How a model is asked, and how often.
#[derive(clap::Args)]
pub struct AskingArgs {
    /// Most replies asked for an item before it is set aside.
    #[arg(long, default_value = "3", value_name = "N")]
    pub attempts: NonZeroU32,
    /// Text around the instruction: alpaca, none, alpaca_cot, alpaca_force_ans, or a text file with
    /// {question} in it.
    #[arg(
        long,
        env = "MWPBENCH_PROMPT_TEMPLATE",
        default_value = "alpaca",
        value_name = "NAME|FILE"
    )]
    prompt_template: String,
    /// Most new tokens of a reply.
    #[arg(
        long,
        env = "MWPBENCH_MAX_TOKENS",
        default_value = "2048",
        value_name = "N"
    )]
    max_tokens: NonZeroUsize,
    #[command(flatten)]
    sampling: SamplingArgs,
}

impl AskingArgs {
    /// How tokens are chosen, and what ends a reply before its end.
    pub fn decoding(&self, stop: &[&str]) -> anyhow::Result<Decoding> {
        Ok(Decoding {
            max_tokens: self.max_tokens.get(),
            stop: stop.iter().map(|text| text.to_string()).collect(),
            sampling: self.sampling.of_attempts(self.attempts)?,
        })
    }

    /// The text around an instruction.
    pub fn wrapping(&self) -> anyhow::Result<Wrapping> {
        anyhow::ensure!(
            self.prompt_template != "chat",
            "--prompt-template chat is for `eval`: choose another here, or ask a server with --endpoint-api chat"
        );
        Ok(Wrapping(Template::resolve(&self.prompt_template)?))
    }
}

/// A text around an instruction.
pub struct Wrapping(Template);

impl Wrapping {
    /// What the model reads.
    pub fn render(&self, instruction: &str) -> String {
        self.0
            .render(instruction)
            .expect("a text around the instruction refuses none")
    }

    /// What identifies it.
    pub fn digest(&self) -> String {
        self.0.digest()
    }
}
