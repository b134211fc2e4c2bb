//! `--temperature` and so on: the sampler.

use std::num::{NonZeroU32, NonZeroUsize};

use generation::Sampling;

use crate::heading;

/// The sampler: greedy at temperature 0.
#[derive(Clone, Copy, Debug, clap::Args)]
#[command(next_help_heading = heading::SAMPLING)]
pub struct SamplingArgs {
    /// Sampling temperature; 0 decodes greedily, as the official protocol does.
    #[arg(
        long,
        env = "MWPBENCH_TEMPERATURE",
        default_value_t = 0.0,
        value_name = "T"
    )]
    temperature: f32,
    /// Nucleus (top-p) sampling: draw among the most likely tokens whose probabilities add up to
    /// this.
    #[arg(long, default_value_t = 1.0, value_name = "P")]
    top_p: f32,
    /// Top-k sampling: draw among this many of the most likely tokens; all without it.
    #[arg(long, value_name = "K")]
    top_k: Option<NonZeroUsize>,
    /// Min-p sampling: draw among tokens at least this share as likely as the most likely one.
    #[arg(long, default_value_t = 0.0, value_name = "P")]
    min_p: f32,
    /// Divide the logits of tokens that occurred by this where they are positive, and multiply
    /// them by it where they are negative.
    #[arg(long, default_value_t = 1.0, value_name = "R")]
    repetition_penalty: f32,
    /// Random seed.
    #[arg(long, env = "MWPBENCH_SEED", default_value_t = 0, value_name = "N")]
    seed: u64,
}

impl SamplingArgs {
    /// For jobs that ask for an item again where its reply cannot be used: each attempt is a sample
    /// of its own.
    pub fn of_attempts(&self, attempts: NonZeroU32) -> anyhow::Result<Option<Sampling>> {
        self.sampling(if self.temperature == 0.0 {
            NonZeroU32::MIN
        } else {
            attempts
        })
    }

    /// `None` for greedy decoding, in which nothing else can matter.
    pub fn sampling(&self, samples: NonZeroU32) -> anyhow::Result<Option<Sampling>> {
        let Self {
            temperature,
            top_p,
            top_k,
            min_p,
            repetition_penalty,
            seed,
        } = *self;
        if temperature == 0.0 {
            let ignored = [
                ("--top-p", top_p != 1.0),
                ("--top-k", top_k.is_some()),
                ("--min-p", min_p != 0.0),
                ("--repetition-penalty", repetition_penalty != 1.0),
                ("--samples", samples.get() != 1),
            ];
            return match ignored.into_iter().find(|(_, given)| *given) {
                Some((flag, _)) => {
                    anyhow::bail!("{flag} needs --temperature above 0: at 0 decoding is greedy")
                }
                None => Ok(None),
            };
        }
        let sampling = Sampling {
            temperature,
            top_p,
            top_k,
            min_p,
            repetition_penalty,
            samples,
            seed,
        };
        sampling
            .validate()
            .map_err(|message| anyhow::anyhow!("--{message}"))?;
        Ok(Some(sampling))
    }
}
