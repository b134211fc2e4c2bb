//! The fields that requests for completions and for chats have in common.

use std::hash::{BuildHasher, RandomState};
use std::num::{NonZeroU32, NonZeroUsize};

use generation::Sampling;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::api_error::ApiError;

/// Most completions of one prompt.
const MAX_N: u32 = 128;

/// How completions are made, as requests say it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Settings {
    pub(crate) model: Option<String>,
    pub(crate) stream: Option<bool>,
    pub(crate) stream_options: Option<StreamOptions>,
    pub(crate) return_token_ids: Option<bool>,
    stop: Option<OneOrMany>,
    n: Option<u32>,
    best_of: Option<u32>,
    temperature: Option<f32>,
    top_p: Option<f32>,
    top_k: Option<i64>,
    min_p: Option<f32>,
    repetition_penalty: Option<f32>,
    seed: Option<i64>,
    // What is not computed here.
    presence_penalty: Option<f32>,
    frequency_penalty: Option<f32>,
    logit_bias: Option<Map<String, Value>>,
    min_tokens: Option<u64>,
    ignore_eos: Option<bool>,
    stop_token_ids: Option<Vec<Value>>,
    response_format: Option<Value>,
    use_beam_search: Option<bool>,
    guided_json: Option<Value>,
    guided_regex: Option<Value>,
    guided_choice: Option<Value>,
    guided_grammar: Option<Value>,
    structured_outputs: Option<Value>,
}

/// What a stream holds beside the text.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct StreamOptions {
    pub(crate) include_usage: Option<bool>,
}

/// A text, or several.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

impl Settings {
    /// Whether the answer is streamed.
    pub(crate) fn is_streamed(&self) -> bool {
        self.stream == Some(true)
    }

    /// Whether the end of a stream says what it cost.
    pub(crate) fn includes_usage(&self) -> bool {
        let options = self.stream_options.unwrap_or_default();
        options.include_usage == Some(true)
    }

    /// Refuses what would silently be left out.
    pub(crate) fn check(&self) -> Result<(), ApiError> {
        let is_text = |format: &Value| format["type"].as_str().is_none_or(|kind| kind == "text");
        let unsupported = [
            (
                "presence_penalty",
                self.presence_penalty.is_some_and(|it| it != 0.0),
            ),
            (
                "frequency_penalty",
                self.frequency_penalty.is_some_and(|it| it != 0.0),
            ),
            (
                "logit_bias",
                self.logit_bias.as_ref().is_some_and(|it| !it.is_empty()),
            ),
            ("min_tokens", self.min_tokens.is_some_and(|it| it > 0)),
            ("ignore_eos", self.ignore_eos == Some(true)),
            (
                "stop_token_ids",
                self.stop_token_ids
                    .as_ref()
                    .is_some_and(|it| !it.is_empty()),
            ),
            (
                "response_format",
                self.response_format.as_ref().is_some_and(|it| !is_text(it)),
            ),
            ("use_beam_search", self.use_beam_search == Some(true)),
            ("guided_json", self.guided_json.is_some()),
            ("guided_regex", self.guided_regex.is_some()),
            ("guided_choice", self.guided_choice.is_some()),
            ("guided_grammar", self.guided_grammar.is_some()),
            ("structured_outputs", self.structured_outputs.is_some()),
        ];
        if let Some((name, _)) = unsupported.into_iter().find(|&(_, is_asked)| is_asked) {
            return Err(ApiError::field(
                name,
                format!("`{name}` is not computed by this server: leave it out"),
            ));
        }
        let n = self.n()?;
        match self.best_of {
            Some(best_of) if best_of != n => Err(ApiError::field(
                "best_of",
                "`best_of` must be `n`: completions are not ranked",
            )),
            _ => Ok(()),
        }
    }

    /// Completions of each prompt.
    pub(crate) fn n(&self) -> Result<u32, ApiError> {
        match self.n.unwrap_or(1) {
            n @ 1..=MAX_N => Ok(n),
            n => Err(ApiError::field(
                "n",
                format!("`n` must be 1 to {MAX_N}, not {n}"),
            )),
        }
    }

    /// The strings that end a completion.
    pub(crate) fn stop(&self) -> Result<Vec<String>, ApiError> {
        let stop = match self.stop.clone() {
            None => Vec::new(),
            Some(OneOrMany::One(stop)) => vec![stop],
            Some(OneOrMany::Many(stops)) => stops,
        };
        match stop.iter().any(String::is_empty) {
            true => Err(ApiError::field("stop", "a stop string is empty")),
            false => Ok(stop),
        }
    }

    /// How tokens are drawn; `None` for greedy decoding, which temperature 0 asks for.
    pub(crate) fn sampling(&self) -> Result<Option<Sampling>, ApiError> {
        // 1 where nothing is said, as everywhere behind this API.
        let temperature = self.temperature.unwrap_or(1.0);
        let penalty = self.repetition_penalty.unwrap_or(1.0);
        let n = self.n()?;
        if temperature == 0.0 {
            if penalty != 1.0 {
                return Err(ApiError::field(
                    "repetition_penalty",
                    "greedy decoding has no repetition penalty here: set a temperature above 0, or leave it out",
                ));
            }
            return match n {
                1 => Ok(None),
                _ => Err(ApiError::field(
                    "n",
                    "with temperature 0 all completions of a prompt are the same: `n` must be 1",
                )),
            };
        }
        let top_k = match self.top_k.unwrap_or(0) {
            -1 | 0 => None,
            top_k => Some(
                usize::try_from(top_k)
                    .ok()
                    .and_then(NonZeroUsize::new)
                    .ok_or_else(|| {
                        ApiError::field("top_k", format!("`top_k` must be -1 or more, not {top_k}"))
                    })?,
            ),
        };
        let sampling = Sampling {
            temperature,
            top_k,
            top_p: self.top_p.unwrap_or(1.0),
            min_p: self.min_p.unwrap_or(0.0),
            repetition_penalty: penalty,
            seed: self.seed.map_or_else(random_seed, i64::cast_unsigned),
            samples: NonZeroU32::new(n).unwrap_or(NonZeroU32::MIN),
        };
        sampling.validate().map_err(ApiError::invalid)?;
        Ok(Some(sampling))
    }
}

/// A seed that nobody chose.
fn random_seed() -> u64 {
    RandomState::new().hash_one("seed")
}
