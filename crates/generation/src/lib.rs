//! The contract between what asks for text and what produces it.
//!
//! In goes a slice of [`Prompt`]s and one [`Decoding`]; out comes one [`Completion`] a prompt, in whatever order they
//! finish, through a stream of [`Event`]s. Anything that can do that is a [`Generator`]: a local checkpoint, a remote
//! server, a script in a test.
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

use std::collections::BTreeMap;
use std::error::Error as StdError;
use std::fmt;

use serde::{Deserialize, Serialize};

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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decoding {
    /// Most new tokens a completion may have, at least 1.
    pub max_tokens: usize,
    /// A completion ends before the first occurrence of any of these strings, which its text excludes.
    pub stop: Vec<String>,
}

impl Decoding {
    /// Greedy decoding (the most likely token at each step) of at most `max_tokens` new tokens, without stop strings.
    pub fn greedy(max_tokens: usize) -> Self {
        Self { max_tokens, stop: Vec::new() }
    }
}

/// Why a completion ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Clone, Debug, PartialEq, Eq)]
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
    /// BLAKE3 (hex) of the prompt's token ids as little-endian `u32`s, or of its UTF-8 text where ids are unknown.
    pub prompt_hash: String,
    /// The reason of a [`FinishReason::Error`], else `None`.
    pub error: Option<String>,
}

/// What a generator reports while it works.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// So many prompt tokens have been read since the last event.
    Prefilled(usize),
    /// So many new tokens have been produced since the last event.
    Decoded(usize),
    /// A completion is final.
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GeneratorInfo {
    /// Name shown in tables.
    pub name: String,
    /// Kind of generator: `local`, `endpoint`, …
    pub kind: String,
    /// Facts that identify the answers: digests, dtype, architecture. Two runs with equal details must give equal
    /// greedy completions; facts that cannot change a completion (threads, batch size) do not belong here.
    pub details: BTreeMap<String, String>,
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

/// Something that continues prompts.
pub trait Generator {
    /// Who answers.
    fn info(&self) -> GeneratorInfo;

    /// Looks at every prompt before time is spent and lists those that cannot be answered, such as prompts that leave
    /// no room in the context.
    ///
    /// # Errors
    /// [`GenerationError::Backend`] when the prompts could not be examined at all.
    fn check(&self, prompts: &[Prompt], decoding: &Decoding) -> Result<Vec<PromptIssue>, GenerationError>;

    /// Continues every prompt and reports each completion exactly once. A prompt that fails alone ends in
    /// [`FinishReason::Error`]; the others go on.
    ///
    /// # Errors
    /// [`GenerationError::Backend`] when the generator cannot go on; [`GenerationError::Receiver`] as returned by
    /// `on_event`, after which no further event is sent.
    fn generate(
        &mut self,
        prompts: &[Prompt],
        decoding: &Decoding,
        on_event: &mut dyn FnMut(Event) -> Result<(), GenerationError>,
    ) -> Result<(), GenerationError>;
}
