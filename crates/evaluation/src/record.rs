//! The lines of the run folder's files. These are contracts: see `docs/files.md`.

use generation::FinishReason;
use schemars::JsonSchema;
use scoring::Verdict;
use scoring::strict::ThoughtsAnswer;
use serde::{Deserialize, Serialize};

/// A line of `completions.jsonl`: one finished completion.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CompletionRecord {
    /// Id of the problem.
    pub id: String,
    /// Name of its set.
    pub set: String,
    /// Name of its task.
    pub task: String,
    /// Index of the sample, from 0.
    pub sample: u32,
    /// The text, stop string excluded.
    pub completion: String,
    /// Why it ended.
    pub finish_reason: FinishReason,
    /// Tokens of the prompt.
    pub prompt_tokens: usize,
    /// New tokens.
    pub completion_tokens: usize,
    /// BLAKE3 (hex) of the prompt's token ids as little-endian `u32`s.
    pub prompt_hash: String,
    /// Ids of the new tokens, where they were asked for and told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_ids: Option<Vec<u32>>,
    /// Natural logarithm of each new token's probability, where it was asked for and told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logprobs: Option<Vec<f32>>,
    /// The thinking before the answer where a server told it apart from the text; thinking in the
    /// text stays there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thinking: Option<String>,
    /// How many of the new tokens are thinking; absent where there is none, or nobody could tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thinking_tokens: Option<usize>,
    /// Why generation failed, where it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// A line of `prompts.jsonl`: what the model reads for one problem.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PromptRecord {
    /// Id of the problem.
    pub id: String,
    /// The rendered prompt.
    pub prompt: String,
    /// Its token ids, special tokens included.
    pub token_ids: Vec<u32>,
}

/// A line of `verdicts.jsonl`: what the scorers say of one completion.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VerdictRecord {
    /// Id of the problem.
    pub id: String,
    /// Name of its set.
    pub set: String,
    /// Name of its task.
    pub task: String,
    /// Index of the sample, from 0.
    pub sample: u32,
    /// Whether the completion was cut at the token limit.
    pub truncated: bool,
    /// Whether there is a completion but nothing could be extracted from it.
    pub no_answer: bool,
    /// What the official scorer says.
    pub official: OfficialVerdict,
    /// What the strict scorer says.
    pub strict: StrictVerdict,
}

/// What the official scorer says of one completion.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OfficialVerdict {
    /// The verdict, with unanswered, truncated and failed items told apart.
    pub verdict: Verdict,
    /// What the original scorer returns.
    pub correct: bool,
    /// The clean prediction as the original returns it; `None` where it returns none.
    pub prediction: Option<String>,
    /// The clean reference as the original returns it; `None` where it raises an exception.
    pub reference: Option<String>,
    /// Class of the exception that the original raises, if any.
    pub exception: Option<String>,
    /// Ids of the rules that decided, in order.
    #[serde(default)]
    pub trace: Vec<String>,
}

/// What the strict scorer says of one completion.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StrictVerdict {
    /// The verdict, with unanswered, truncated and failed items told apart.
    pub verdict: Verdict,
    /// Whether answer and reference denote the same.
    pub correct: bool,
    /// The answer as found in the completion; `None` where there is none.
    pub answer: Option<String>,
    /// Where it was found: first byte and the byte after the last; `None` for an answer that was
    /// given.
    #[serde(default)]
    pub span: Option<[usize; 2]>,
    /// What the thoughts of a reasoning model come to, where it said nothing outside of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thoughts: Option<ThoughtsAnswer>,
    /// Ids of the rules that decided, in order.
    #[serde(default)]
    pub trace: Vec<String>,
}
