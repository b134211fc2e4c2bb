//! The contract between what asks for text and what produces it.
//!
//! In goes a slice of [`Prompt`]s and one [`Decoding`]; out comes one [`Completion`] a prompt, in
//! whatever order they finish, through a stream of [`Event`]s. Anything that can do that is a
//! [`Generator`]: a local checkpoint, a remote server, a script in a test.
//!
//! This crate refuses to know problems, references, scores, tensors, files and networks.
//!
//! ```
//! use generation::{Completion, Decoding, Event, FinishReason, GenerationError, Generator, GeneratorInfo, Prompt, PromptIssue};
//!
//! /// Answers every prompt with its own last word.
//! struct Parrot;
//!
//! impl Generator for Parrot {
//!     fn info(&self) -> GeneratorInfo {
//!         GeneratorInfo { name: "parrot".into(), kind: "script".into(), details: Default::default() }
//!     }
//!     fn check(&self, _: &[Prompt], _: &Decoding) -> Result<Vec<PromptIssue>, GenerationError> {
//!         Ok(Vec::new())
//!     }
//!     fn generate(
//!         &mut self,
//!         prompts: &[Prompt],
//!         _: &Decoding,
//!         on_event: &mut dyn FnMut(Event) -> Result<(), GenerationError>,
//!     ) -> Result<(), GenerationError> {
//!         for (index, prompt) in prompts.iter().enumerate() {
//!             let text = prompt.text.split_whitespace().last().unwrap_or_default().to_string();
//!             on_event(Event::Finished(Completion {
//!                 index,
//!                 text,
//!                 finish_reason: FinishReason::Eos,
//!                 prompt_tokens: 1,
//!                 completion_tokens: 1,
//!                 prompt_hash: String::new(),
//!                 token_ids: None,
//!                 logprobs: None,
//!                 thinking: None,
//!                 thinking_tokens: None,
//!                 error: None,
//!             }))?;
//!         }
//!         Ok(())
//!     }
//! }
//!
//! let mut texts = Vec::new();
//! let prompts = [Prompt { id: "greeting".into(), sample: 0, text: "say hello".into() }];
//! Parrot.generate(&prompts, &Decoding::greedy(16), &mut |event| {
//!     if let Event::Finished(completion) = event {
//!         texts.push(completion.text);
//!     }
//!     Ok(())
//! })?;
//! assert_eq!(texts, ["hello"]);
//! # Ok::<(), GenerationError>(())
//! ```

#[cfg(feature = "scripted")]
mod scripted; // a generator for tests
mod thinking; // where thinking stands in a completion

use std::collections::BTreeMap;
use std::error::Error as StdError;
use std::fmt;
use std::num::{NonZeroU32, NonZeroUsize};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[cfg(feature = "scripted")]
pub use scripted::{Scripted, ScriptedReply};
pub use thinking::{THINKING_MARKS, Thinking, ThinkingMark};

/// One rendered prompt, ready to be tokenized: template applied, no special tokens written out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prompt {
    /// Identifier of the problem, unique in a run together with `sample`.
    pub id: String,
    /// Index of the sample drawn for this problem, from 0; always 0 in greedy decoding.
    pub sample: u32,
    /// The whole text that the model reads.
    pub text: String,
}

/// How tokens are chosen and when a completion ends.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Decoding {
    /// Most new tokens a completion may have, at least 1.
    pub max_tokens: usize,
    /// A completion ends before the first occurrence of any of these strings, which its text
    /// excludes.
    pub stop: Vec<String>,
    /// How tokens are drawn; `None` for greedy decoding: always the most likely one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sampling: Option<Sampling>,
}

/// How the next token is drawn.
///
/// The rules and their order are those of transformers 5.23 (`generation/utils.py`
/// `_get_logits_processor` and `generation/logits_process.py`):
///
/// 1. repetition penalty: the logit of every token of prompt and completion so far, once however
///    often it occurs, is divided by the penalty where positive and multiplied by it where
///    negative;
/// 2. temperature: all logits are divided by it;
/// 3. top-k: tokens below the k-th largest logit are dropped; those equal to it stay, so that more
///    than k may be left;
/// 4. top-p: of what is left, taken from the likeliest, a token is dropped if those before it
///    already hold p. The token that crosses p stays. Of equals the lowest id comes first, as in
///    greedy decoding;
/// 5. min-p: tokens less likely than min-p times the likeliest are dropped.
///
/// Known differences: of equals at the bound of top-p, transformers keeps as many but whichever its
/// sort puts there; it sums in f32 and compares rounded numbers, so that a token within rounding of
/// a bound may fall on its other side; it overflows at temperatures near zero; and one generator
/// serves its whole batch.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sampling {
    /// What logits are divided by: finite, above 0. Greedy decoding is not temperature 0 but a path
    /// of its own.
    pub temperature: f32,
    /// Tokens kept, beside those equal to the last of them; `None` keeps all.
    pub top_k: Option<NonZeroUsize>,
    /// Probability that the tokens kept reach together: above 0, at most 1, which keeps all.
    pub top_p: f32,
    /// Least probability of a token relative to the likeliest, in 0..=1; 0 keeps all.
    pub min_p: f32,
    /// Above 1 makes tokens that occurred less likely, below 1 more likely, 1 does nothing: finite,
    /// above 0.
    pub repetition_penalty: f32,
    /// Which of 2⁶⁴ sets of random numbers to use.
    pub seed: u64,
    /// Completions drawn for each problem; a prompt says by [`Prompt::sample`] which of them it
    /// asks for.
    pub samples: NonZeroU32,
}

impl Sampling {
    /// Whether every setting is in its range.
    ///
    /// # Errors
    /// The first setting that is not, with its range and value.
    pub fn validate(&self) -> Result<(), String> {
        let penalty = self.repetition_penalty;
        let positive = |value: f32| value.is_finite() && value > 0.0;
        // Every comparison with NaN is false, so that NaN is in no range.
        let settings = [
            (
                "temperature",
                self.temperature,
                positive(self.temperature),
                "a finite number above 0",
            ),
            (
                "top-p",
                self.top_p,
                self.top_p > 0.0 && self.top_p <= 1.0,
                "above 0 and at most 1",
            ),
            (
                "min-p",
                self.min_p,
                (0.0..=1.0).contains(&self.min_p),
                "at least 0 and at most 1",
            ),
            (
                "repetition-penalty",
                penalty,
                positive(penalty),
                "a finite number above 0",
            ),
        ];
        match settings.into_iter().find(|&(.., valid, _)| !valid) {
            Some((name, value, _, range)) => Err(format!("{name} must be {range}, not {value}")),
            None => Ok(()),
        }
    }
}

impl Decoding {
    /// Greedy decoding (the most likely token at each step) of at most `max_tokens` new tokens,
    /// without stop strings.
    pub fn greedy(max_tokens: usize) -> Self {
        Self {
            max_tokens,
            stop: Vec::new(),
            sampling: None,
        }
    }

    /// Completions asked of each problem.
    pub fn samples(&self) -> u32 {
        // Further greedy completions of a prompt would all be the first one.
        self.sampling.map_or(1, |sampling| sampling.samples.get())
    }
}

/// Why a completion ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FinishReason {
    /// The model produced an end-of-sequence token.
    Eos,
    /// A stop string appeared.
    Stop,
    /// `max_tokens` or the end of the context was reached: the text is cut off.
    Length,
    /// Generation failed for this prompt; [`Completion::error`] says why.
    Error,
}

/// What a generator produced for one prompt.
#[derive(Clone, Debug, PartialEq)]
pub struct Completion {
    /// Position of the prompt in the slice given to [`Generator::generate`].
    pub index: usize,
    /// The new text, without special tokens and without the stop string.
    pub text: String,
    /// Why it ended.
    pub finish_reason: FinishReason,
    /// Tokens of the prompt, special tokens included.
    pub prompt_tokens: usize,
    /// New tokens produced, the end-of-sequence token and the tokens of a stop string included.
    pub completion_tokens: usize,
    /// BLAKE3 (hex) of the prompt's token ids as little-endian `u32`s, or of its UTF-8 text where
    /// ids are unknown.
    pub prompt_hash: String,
    /// Ids of the new tokens, in their order, the end-of-sequence token and the tokens of a stop
    /// string included; `None` where they were not asked for or the generator does not tell.
    pub token_ids: Option<Vec<u32>>,
    /// Natural logarithm of the probability of each new token, at most 0, in their order; `None`
    /// where that was not asked for or the generator does not tell. Tokens that belong to a stop
    /// string may be among them.
    pub logprobs: Option<Vec<f32>>,
    /// The thinking before the answer where a server tells it apart from the text; thinking that
    /// stands in the text is `None` here.
    pub thinking: Option<String>,
    /// How many of the new tokens are thinking, closing mark included; `None` where there is no
    /// thinking or the generator cannot tell.
    pub thinking_tokens: Option<usize>,
    /// The reason of a [`FinishReason::Error`], else `None`.
    pub error: Option<String>,
}

impl Completion {
    /// A completion that failed, or that was never asked for.
    pub fn failed(index: usize, prompt_tokens: usize, error: Option<String>) -> Self {
        Self {
            index,
            text: String::new(),
            finish_reason: FinishReason::Error,
            prompt_tokens,
            completion_tokens: 0,
            prompt_hash: String::new(),
            token_ids: None,
            logprobs: None,
            thinking: None,
            thinking_tokens: None,
            error,
        }
    }
}

/// What a generator reports while it works.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// So many prompt tokens have been read since the last event.
    Prefilled(usize),
    /// So many new tokens have been produced since the last event.
    Decoded(usize),
    /// So many completions are under way now: begun and not finished. Told again when the number is
    /// another one than was told last less those finished since.
    Running(usize),
    /// A completion is final. If it was under way, one fewer is now.
    Finished(Completion),
}

/// A prompt that the generator cannot answer as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PromptIssue {
    /// Position in the slice given to [`Generator::check`].
    pub index: usize,
    /// Tokens of the prompt.
    pub prompt_tokens: usize,
    /// What is wrong, with the figures.
    pub message: String,
}

/// Who answers, for the run's manifest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GeneratorInfo {
    /// Name shown in tables.
    pub name: String,
    /// Kind of generator: `local`, `endpoint`, …
    pub kind: String,
    /// Facts that identify the answers: digests, dtype, architecture. Two runs with equal details
    /// must give equal greedy completions; facts that cannot change a completion (threads, batch
    /// size) do not belong here.
    pub details: BTreeMap<String, String>,
}

/// How prompts were served: facts for the manifest that cannot change a completion.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ServingReport {
    /// The stop strings that a server was sent; whoever asks it watches for all of them.
    pub stop_strings_sent: Vec<String>,
    /// Fields of a request that the server refused and that were left out from then on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields_refused: Vec<String>,
    /// How long requests took; `None` where none succeeded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency: Option<Latency>,
}

/// Times of the requests that succeeded.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Latency {
    /// How many there were.
    pub requests: usize,
    /// Time to first token (TTFT) in seconds; `None` where nothing was streamed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_to_first_token_s: Option<Spread>,
    /// New tokens a second of one request, after its first token; `None` where none had more than
    /// one token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens_per_s: Option<Spread>,
    /// Seconds from the request to its end.
    pub request_s: Spread,
}

/// The middle and the upper end of some figures.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Spread {
    /// The median.
    pub median: f64,
    /// The 95th percentile, between two figures by linear interpolation (numpy's default).
    pub p95: f64,
}

impl Spread {
    /// Of these figures, in any order; `None` where there are none.
    pub fn of(figures: &[f64]) -> Option<Self> {
        let mut sorted = figures.to_vec();
        sorted.sort_by(f64::total_cmp);
        let last = sorted.len().checked_sub(1)?;
        let quantile = |share: f64| {
            let place = share * last as f64;
            let (low, high) = (
                sorted[place.floor() as usize],
                sorted[place.ceil() as usize],
            );
            low + (high - low) * place.fract()
        };
        Some(Self {
            median: quantile(0.5),
            p95: quantile(0.95),
        })
    }
}

/// Why a generator stopped before all prompts were answered.
#[derive(Debug)]
#[non_exhaustive]
pub enum GenerationError {
    /// The backend failed: out of memory, a broken model, an unreachable server.
    Backend(Box<dyn StdError + Send + Sync>),
    /// The receiver of events refused to go on (full disk, interruption); its reason.
    Receiver(Box<dyn StdError + Send + Sync>),
}

impl fmt::Display for GenerationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // Without the cause: errors are printed with their chain, where it comes next.
            Self::Backend(_) => f.write_str("the model failed while generating"),
            Self::Receiver(_) => f.write_str("generation was stopped"),
        }
    }
}

impl StdError for GenerationError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::Backend(source) | Self::Receiver(source) => Some(source.as_ref()),
        }
    }
}

/// Memory of a KV cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KvMemory {
    /// Bytes for one sequence.
    pub per_sequence: usize,
    /// Bytes that all sequences may have together, on each device.
    pub limit: usize,
}

/// Something that continues prompts.
pub trait Generator {
    /// Who answers.
    fn info(&self) -> GeneratorInfo;

    /// Looks at every prompt before time is spent and lists those that cannot be answered, such as
    /// prompts that leave no room in the context.
    ///
    /// # Errors
    /// [`GenerationError::Backend`] when the prompts could not be examined at all.
    fn check(
        &self,
        prompts: &[Prompt],
        decoding: &Decoding,
    ) -> Result<Vec<PromptIssue>, GenerationError>;

    /// The token ids that the model reads for each prompt, special tokens included; `None` where
    /// the generator does not know them.
    ///
    /// # Errors
    /// [`GenerationError::Backend`] when a prompt cannot be turned into tokens.
    fn token_ids(&self, prompts: &[Prompt]) -> Result<Option<Vec<Vec<u32>>>, GenerationError> {
        let _ = prompts;
        Ok(None)
    }

    /// Memory that keys and values of sequences with so many tokens (prompt and completion) take;
    /// `None` where another program has them.
    fn kv_memory(&self, tokens: usize) -> Option<KvMemory> {
        let _ = tokens;
        None
    }

    /// How prompts were served in all calls of [`Self::generate`] so far; `None` where there is
    /// nothing to tell.
    fn serving_report(&self) -> Option<ServingReport> {
        None
    }

    /// Continues every prompt and reports each completion exactly once. A prompt that fails alone
    /// ends in [`FinishReason::Error`]; the others go on.
    ///
    /// # Errors
    /// [`GenerationError::Backend`] when the generator cannot go on; [`GenerationError::Receiver`]
    /// as returned by `on_event`, after which no further event is sent.
    fn generate(
        &mut self,
        prompts: &[Prompt],
        decoding: &Decoding,
        on_event: &mut dyn FnMut(Event) -> Result<(), GenerationError>,
    ) -> Result<(), GenerationError>;
}
