//! How a model is asked about items of a job: translations, concepts, pairs.

use std::num::{NonZeroU32, NonZeroUsize};

use evaluation::Template;
use generation::Decoding;
use mathscale::{Asking, OnProgress};

use crate::decoding::SamplingArgs;
use crate::{heading, interruption, progress};

/// How a model is asked, and how often.
#[derive(clap::Args)]
pub struct AskingArgs {
    /// Replies asked for an item, at most, before it is rejected.
    #[arg(help_heading = heading::PROMPT, long, default_value_t = DEFAULT_ATTEMPTS, value_name = "N")]
    pub attempts: NonZeroU32,
    /// Text around the instruction: alpaca, none, alpaca_cot, alpaca_force_ans, or a text file with
    /// {question} in it.
    #[arg(
        help_heading = heading::PROMPT,
        long,
        env = "MWPBENCH_PROMPT_TEMPLATE",
        default_value = "alpaca",
        value_name = "NAME|FILE"
    )]
    prompt_template: String,
    /// New tokens of a reply, at most.
    #[arg(
        help_heading = heading::SAMPLING,
        long,
        env = "MWPBENCH_MAX_TOKENS",
        default_value_t = DEFAULT_MAX_TOKENS,
        value_name = "N"
    )]
    max_tokens: NonZeroUsize,
    #[command(flatten)]
    sampling: SamplingArgs,
}

const DEFAULT_ATTEMPTS: NonZeroU32 = NonZeroU32::new(3).expect("not 0");
const DEFAULT_MAX_TOKENS: NonZeroUsize = NonZeroUsize::new(2048).expect("not 0");

impl AskingArgs {
    /// How tokens are chosen, and what ends a reply before its end.
    pub fn decoding(&self, stop: &[&str]) -> anyhow::Result<Decoding> {
        Ok(Decoding {
            max_tokens: self.max_tokens.get(),
            stop: stop.iter().map(|text| text.to_string()).collect(),
            sampling: self.sampling.of_attempts(self.attempts)?,
        })
    }

    /// How a stage of the MathScale pipeline asks; `render` is that of `wrapping`.
    pub fn of_stage<'a>(
        &self,
        stop: &[&str],
        render: &'a (dyn Fn(&str) -> String + Sync),
        wrapping: &Wrapping,
    ) -> anyhow::Result<Asking<'a>> {
        Ok(Asking {
            decoding: self.decoding(stop)?,
            attempts: self.attempts,
            render,
            rendering: wrapping.digest(),
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

/// Asks a model, with the progress on stderr; a signal stops it.
pub fn with_progress<T>(
    quiet: bool,
    max_tokens: usize,
    ask: impl FnOnce(OnProgress<'_>) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let mut display = progress::Display::new(quiet, max_tokens);
    let mut asked = false;
    let outcome = ask(&mut |progress| {
        asked = true;
        display.update(progress);
        interruption::may_go_on()
    })?;
    // Where everything was there already there is nothing to sum up.
    if asked {
        display.finish();
    }
    Ok(outcome)
}
