//! Requests of a server: they come at any time, and who asked follows the text as it grows.

use std::sync::Arc;

use generation::Sampling;

use crate::error::Error;
use crate::sampling::RandomStream;
use crate::scheduler::{Listener, Request};
use crate::stop::find_stop;
use crate::tokenizer::TextTokenizer;

/// A prompt to continue, for [`LocalModel::serve`](crate::LocalModel::serve).
pub struct ServedRequest {
    /// Token ids, at least one.
    pub prompt: Vec<u32>,
    /// At least 1; the end of the context ends a completion too.
    pub max_tokens: usize,
    /// The text ends before the first of them.
    pub stop: Vec<String>,
    /// How tokens are drawn; `None` for greedy decoding.
    pub sampling: Option<ServedSampling>,
    /// Whether it ends at the end of a turn that the chat template writes too, and not only at the
    /// end-of-sequence tokens of configuration and tokenizer, as a plain prompt does.
    pub is_chat: bool,
    /// Whether the log-probability of each new token is wanted.
    pub logprobs: bool,
    /// Whether those of the prompt's tokens are wanted ([`Listener::prompt`]). The prompt is then
    /// computed once more, alone, before its completion.
    pub prompt_logprobs: bool,
    /// Who is told.
    pub listener: Box<dyn Listener>,
}

/// How the tokens of a request are drawn.
#[derive(Clone, Debug)]
pub struct ServedSampling {
    /// The settings.
    pub sampling: Sampling,
    /// With the seed and the sample it chooses the random numbers: the id of a problem.
    pub problem: String,
    /// Which completion of the prompt it is, from 0.
    pub sample: u32,
}

impl ServedRequest {
    /// `turn_eos`: the tokens at which chats alone end.
    pub(crate) fn into_request(
        self,
        index: usize,
        max_tokens: usize,
        turn_eos: &Arc<[u32]>,
    ) -> Request {
        let sampling = self.sampling.map(|served| {
            let ServedSampling {
                sampling,
                problem,
                sample,
            } = served;
            (sampling, RandomStream::new(sampling.seed, &problem, sample))
        });
        Request {
            index,
            prompt: self.prompt,
            max_tokens,
            stop: self.stop.into(),
            passed_eos: match self.is_chat {
                true => Arc::default(),
                false => turn_eos.clone(),
            },
            sampling,
            logprobs: self.logprobs,
            listener: Some(self.listener),
        }
    }
}

/// Tokens after which an unfinished character is taken as it is.
const MAX_PENDING_TOKENS: usize = 16;

/// The text of a completion, token by token: what is sure not to change is given out.
pub struct GrowingText {
    stop: Arc<[String]>,
    ids: Vec<u32>,
    /// Where the decoded window begins, and up to where its tokens are in `text`.
    window: usize,
    settled: usize,
    text: String,
    /// Bytes of `text` that were given out.
    given: usize,
}

impl GrowingText {
    /// The text of a completion that ends before the first of these strings.
    pub fn new(stop: &[String]) -> Self {
        Self {
            stop: stop.into(),
            ids: Vec::new(),
            window: 0,
            settled: 0,
            text: String::new(),
            given: 0,
        }
    }

    /// See [`LocalModel::grow`](crate::LocalModel::grow).
    pub(crate) fn push(&mut self, token: u32, tokenizer: &TextTokenizer) -> Result<String, Error> {
        self.ids.push(token);
        let known = tokenizer.decode(&self.ids[self.window..self.settled])?;
        let whole = tokenizer.decode(&self.ids[self.window..])?;
        let Some(new) = whole.strip_prefix(known.as_str()) else {
            // A byte that can never be part of a character changed what stood before it: the rest is
            // given out at the end.
            return Ok(String::new());
        };
        let is_unfinished = new.is_empty() || new.ends_with(char::REPLACEMENT_CHARACTER);
        if is_unfinished && self.ids.len() - self.settled < MAX_PENDING_TOKENS {
            return Ok(String::new());
        }
        self.text.push_str(new);
        self.window = self.settled;
        self.settled = self.ids.len();
        // As many bytes are held back as the longest stop string may already have.
        let longest = self.stop.iter().map(String::len).max().unwrap_or(0);
        let sure = self.text.len().saturating_sub(longest.saturating_sub(1));
        let sure = self.text.floor_char_boundary(sure).max(self.given);
        // A short one may be whole already where a longer one may only have begun.
        let sure = match find_stop(&self.text[self.given..], &self.stop) {
            Some(end) => sure.min(self.given + end),
            None => sure,
        };
        let part = self.text[self.given..sure].to_string();
        self.given = sure;
        Ok(part)
    }

    /// What is left of the whole text of the completion.
    pub fn rest(&self, whole: &str) -> String {
        let given = &self.text[..self.given];
        // Where the whole text does not begin with what was given out, bytes that are no text
        // changed it behind us: the client has seen replacement characters in their place.
        let start = match whole.starts_with(given) {
            true => given.len(),
            false => whole.floor_char_boundary(given.len()),
        };
        whole.get(start..).unwrap_or_default().to_string()
    }
}
