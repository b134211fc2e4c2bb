//! How a model is asked about items of a job: translations, concepts, pairs.

use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;
use std::str::FromStr;

use chat_template::CheckpointTemplates;
use evaluation::{Template, TokenDetails};
use generation::{Decoding, Generator};
use mathscale::{Asking, OnProgress, TokenPrice};

use crate::chat::{CHAT, ChatArgs};
use crate::decoding::SamplingArgs;
use crate::generator::GeneratorArgs;
use crate::{heading, interruption, progress};

/// How a model is asked, and how often.
#[derive(clap::Args)]
pub struct AskingArgs {
    /// Replies asked for an item, at most, before it is rejected.
    #[arg(help_heading = heading::PROMPT, long, default_value_t = DEFAULT_ATTEMPTS, value_name = "N")]
    pub attempts: NonZeroU32,
    /// End where the first N replies are all refused, as a model gives them that does not follow
    /// the instruction; 0 for never.
    #[arg(help_heading = heading::PROMPT, long, default_value_t = DEFAULT_MAX_REFUSED, value_name = "N")]
    max_refused: usize,
    /// End where more than this share of the replies, of 50 or more, cannot be used: 0.5 or 50%; 1
    /// for never.
    #[arg(help_heading = heading::PROMPT, long, default_value = "90%", value_name = "SHARE")]
    max_rejected: RejectedShare,
    /// What is written around the instruction: chat for a chat template, none, alpaca,
    /// alpaca_cot, alpaca_force_ans, or a text file with {question} in it. Without it the chat
    /// template of the checkpoint, or of the model at a server, and nothing where a checkpoint has
    /// none.
    #[arg(
        help_heading = heading::PROMPT,
        long,
        value_name = "NAME|FILE"
    )]
    prompt_template: Option<String>,
    #[command(flatten)]
    chat: ChatArgs,
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
    /// Price of a million prompt tokens and of a million new tokens, such as 0.5,1.5: progress and
    /// result then say what they cost.
    #[arg(help_heading = heading::OUTPUT, long, value_name = "INPUT,OUTPUT")]
    pub price: Option<TokenPrice>,
}

/// A share of replies, in 0..=1.
#[derive(Clone, Copy, Debug, PartialEq)]
struct RejectedShare(f64);

impl FromStr for RejectedShare {
    type Err = String;

    /// A number from 0 to 1, or percent.
    fn from_str(text: &str) -> Result<Self, String> {
        let (number, whole) = match text.strip_suffix('%') {
            Some(percent) => (percent, 100.0),
            None => (text, 1.0),
        };
        let share = number.trim().parse::<f64>().ok();
        let share = share.map(|share| share / whole);
        match share.filter(|share| (0.0..=1.0).contains(share)) {
            Some(share) => Ok(Self(share)),
            None => Err("expected a share from 0 to 1, such as 0.5 or 50%".to_string()),
        }
    }
}

const DEFAULT_ATTEMPTS: NonZeroU32 = NonZeroU32::new(3).expect("not 0");
const DEFAULT_MAX_REFUSED: usize = 20;
const DEFAULT_MAX_TOKENS: NonZeroUsize = NonZeroUsize::new(2048).expect("not 0");

/// Writes nothing around an instruction.
const PLAIN: &str = "none";

impl AskingArgs {
    /// How tokens are chosen. Nothing in a reply ends it: the stop strings of the evaluation are
    /// words that a worked exercise may well contain.
    pub fn decoding(&self) -> anyhow::Result<Decoding> {
        Ok(Decoding {
            max_tokens: self.max_tokens.get(),
            stop: Vec::new(),
            sampling: self.sampling.of_attempts(self.attempts)?,
        })
    }

    /// The number of replies, all refused, at which a job is given up.
    pub fn max_refused(&self) -> Option<NonZeroUsize> {
        NonZeroUsize::new(self.max_refused)
    }

    /// The share of refused replies above which a job is given up.
    pub fn max_rejected(&self) -> Option<f64> {
        let RejectedShare(share) = self.max_rejected;
        (share < 1.0).then_some(share)
    }

    /// How a stage of the MathScale pipeline asks; `render` is that of `wrapping`.
    pub fn of_stage<'a>(
        &self,
        render: &'a (dyn Fn(&str) -> String + Sync),
        wrapping: &Wrapping,
    ) -> anyhow::Result<Asking<'a>> {
        Ok(Asking {
            decoding: self.decoding()?,
            attempts: self.attempts,
            max_refused: self.max_refused(),
            max_rejected: self.max_rejected(),
            render,
            rendering: wrapping.digest(),
        })
    }

    /// What is written around an instruction for this generator, which is made to ask in that way;
    /// without a generator what needs none.
    pub fn wrapping(&self, generator: Option<&mut GeneratorArgs>) -> anyhow::Result<Wrapping> {
        let template = match (self.prompt_template.as_deref(), generator) {
            (Some(CHAT), None) => anyhow::bail!("--prompt-template chat needs --model"),
            (Some(name), Some(generator)) => self.chat.template(name, generator)?,
            (Some(name), None) => self.chat.text(name)?,
            (None, None) => self.chat.text(PLAIN)?,
            (None, Some(generator)) if self.chat.given_flag().is_some() => {
                self.chat.chat(generator)?
            }
            (None, Some(generator)) if generator.is_server() => {
                generator.chat_by_default();
                self.chat.text(PLAIN)?
            }
            (None, Some(generator)) => match has_chat_template(generator)? {
                true => self.chat.chat(generator)?,
                false => self.chat.text(PLAIN)?,
            },
        };
        Ok(Wrapping {
            template,
            tokenizer: self.chat.tokenizer()?,
        })
    }
}

/// Whether a checkpoint brings a chat template. One that cannot be read is an error, so that an
/// instruct checkpoint is never asked in plain text by mistake.
fn has_chat_template(generator: &GeneratorArgs) -> anyhow::Result<bool> {
    let files = crate::chat::template_files(generator)?;
    match CheckpointTemplates::first_of(files)?.choose(None) {
        Err(chat_template::Error::NoTemplate { .. }) => Ok(false),
        found => Ok(found.map(|_| true)?),
    }
}

/// What is written around an instruction.
pub struct Wrapping {
    template: Template,
    /// The folder of the chat template's tokenizer, where one was given.
    tokenizer: Option<PathBuf>,
}

impl Wrapping {
    /// What the model reads.
    pub fn render(&self, instruction: &str) -> String {
        self.template
            .render(instruction)
            .expect("a template that was tried out writes what the user says")
    }

    /// What identifies it.
    pub fn digest(&self) -> String {
        self.template.digest()
    }

    /// Opens the generator for such prompts.
    pub fn open(&self, generator: &GeneratorArgs) -> anyhow::Result<Box<dyn Generator>> {
        let tokenizer = self.tokenizer.as_deref();
        generator.open_for(&self.template, tokenizer, TokenDetails::default())
    }
}

/// Asks a model, with the progress on stderr, and its cost where a price is given; a signal stops
/// it.
pub fn with_progress<T>(
    quiet: bool,
    max_tokens: usize,
    price: Option<TokenPrice>,
    ask: impl FnOnce(OnProgress<'_>) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let mut display = progress::Display::new(quiet, max_tokens).with_price(price);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_a_number_or_percent() {
        let share = |text: &str| text.parse().map(|RejectedShare(share)| share);
        for (text, expected) in [("0.5", 0.5), ("50%", 0.5), ("1", 1.0), ("0 %", 0.0)] {
            assert_eq!(share(text), Ok(expected), "{text}");
        }
        for text in ["50", "-0.1", "101%", "", "half", "nan"] {
            assert!(share(text).is_err(), "{text}");
        }
    }
}
