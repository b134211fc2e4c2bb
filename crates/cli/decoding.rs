//! How tokens are chosen.

use std::num::{NonZeroU32, NonZeroUsize};

use generation::Sampling;

/// How tokens are drawn, where not always the most likely one is taken.
#[derive(Clone, Copy, Debug, clap::Args)]
pub struct SamplingArgs {
    /// 0 takes the most likely token, as the official protocol does; above 0 tokens are drawn.
    #[arg(
        long,
        env = "MWPBENCH_TEMPERATURE",
        default_value_t = 0.0,
        value_name = "T"
    )]
    temperature: f32,
    /// Draw among the likeliest tokens that together have this probability.
    #[arg(long, default_value_t = 1.0, value_name = "P")]
    top_p: f32,
    /// Draw among so many of the likeliest tokens [default: all].
    #[arg(long, value_name = "K")]
    top_k: Option<NonZeroUsize>,
    /// Draw among tokens at least so probable as this share of the likeliest.
    #[arg(long, default_value_t = 0.0, value_name = "P")]
    min_p: f32,
    /// Divide the scores of tokens that occurred by this.
    #[arg(long, default_value_t = 1.0, value_name = "R")]
    repetition_penalty: f32,
    /// Which random numbers to draw with.
    #[arg(long, env = "MWPBENCH_SEED", default_value_t = 0, value_name = "N")]
    seed: u64,
}

impl SamplingArgs {
    /// Of work that asks an item again where its reply cannot be used: each attempt is a sample of
    /// its own.
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
            let idle = [
                ("--top-p", top_p != 1.0),
                ("--top-k", top_k.is_some()),
                ("--min-p", min_p != 0.0),
                ("--repetition-penalty", repetition_penalty != 1.0),
                ("--samples", samples.get() != 1),
            ];
            return match idle.into_iter().find(|(_, given)| *given) {
                Some((flag, _)) => {
                    anyhow::bail!(
                        "{flag} needs --temperature above 0: at 0 the most likely token is taken"
                    )
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
