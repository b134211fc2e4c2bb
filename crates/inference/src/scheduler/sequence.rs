//! One request on its way: its tokens so far, which token comes next, and what ends it.

use std::cell::RefCell;
use std::sync::Arc;

use generation::{Completion, FinishReason, Sampling};

use crate::draft;
use crate::error::Error;
use crate::logprobs::{PromptLogprob, argmax, logprob};
use crate::ops::NOT_A_TOKEN;
use crate::row::{Row, RowToken, SeqId};
use crate::sampling::{Draw, RandomStream, Sampler};
use crate::stop::{StopMatcher, find_stop};
use crate::tokenizer::TextTokenizer;

/// A prompt to continue.
pub(crate) struct Request {
    /// What [`Completion::index`] says.
    pub(crate) index: usize,
    /// At least one token.
    pub(crate) prompt: Vec<u32>,
    /// At least 1; prompt and new tokens together fit the context.
    pub(crate) max_tokens: usize,
    pub(crate) stop: Arc<[String]>,
    /// Tokens that end completions of this checkpoint, but not this one.
    pub(crate) passed_eos: Arc<[u32]>,
    /// How tokens are sampled, and with which random numbers; `None` for greedy decoding.
    pub(crate) sampling: Option<(Sampling, RandomStream)>,
    /// Whether the log-probability of each new token is wanted: all logits are then stored.
    pub(crate) logprobs: bool,
    /// Who is told of each token; `None` for nobody.
    pub(crate) listener: Option<Box<dyn Listener>>,
}

impl Request {
    /// Tokens that prompt and completion have at most.
    pub(super) fn most_tokens(&self) -> usize {
        self.prompt.len() + self.max_tokens
    }
}

/// Follows one request while it is computed.
pub trait Listener: Send + Sync {
    /// What the model says of each token of the prompt, where that was asked for; the first call.
    fn prompt(&mut self, prompt: &[u32], logprobs: Vec<PromptLogprob>) {
        let _ = (prompt, logprobs);
    }

    /// A new token, and its log-probability where that was asked for.
    fn token(&mut self, token: u32, logprob: Option<f32>);

    /// Whether nobody waits for the completion any more: it is then given up.
    fn is_gone(&self) -> bool;

    /// The whole completion; the last call.
    fn finished(&mut self, completion: Completion);
}

/// How a completion ended: its reason, or what failed.
pub(super) type Finish = Result<FinishReason, String>;

thread_local! {
    /// Memory for sampling, used again from token to token.
    static SAMPLER: RefCell<Sampler> = RefCell::default();
}

/// A request on its way.
pub(super) struct Sequence<'a> {
    pub(super) request: Request,
    /// Its place in the order in which requests are taken.
    pub(super) order: usize,
    /// New tokens.
    pub(super) tokens: Vec<u32>,
    /// Tokens of the prompt that were reported as prefilled.
    pub(super) prefilled: usize,
    /// Natural logarithm of the probability of each new token; empty where that is not wanted.
    logprobs: Vec<f32>,
    stop_matcher: StopMatcher<'a>,
}

/// A token that was chosen, and its log-probability where that is wanted.
#[derive(Clone, Copy)]
pub(super) struct NextToken {
    token: u32,
    logprob: Option<f32>,
}

impl NextToken {
    pub(super) const NONE: Self = Self {
        token: NOT_A_TOKEN,
        logprob: None,
    };

    /// A token whose log-probability nobody wants.
    pub(super) fn plain(token: u32) -> Self {
        Self {
            token,
            logprob: None,
        }
    }
}

impl<'a> Sequence<'a> {
    pub(super) fn new(request: Request, order: usize, tokenizer: &'a TextTokenizer) -> Self {
        Self {
            order,
            tokens: Vec::new(),
            logprobs: Vec::new(),
            stop_matcher: StopMatcher::new(tokenizer, request.stop.clone()),
            prefilled: 0,
            request,
        }
    }

    /// Whether nobody waits for its completion.
    pub(super) fn is_abandoned(&self) -> bool {
        let listener = self.request.listener.as_ref();
        listener.is_some_and(|listener| listener.is_gone())
    }

    /// Whether a device can choose its tokens, whichever they are.
    pub(super) fn is_choosable(&self) -> bool {
        let sampling = self.request.sampling.as_ref();
        !self.request.logprobs && sampling.is_none_or(|(sampling, _)| Draw::covers(sampling))
    }

    /// How its next token is drawn, behind so many that were chosen and not read; `None` for the
    /// likeliest.
    pub(super) fn draw(&self, unread: usize) -> Option<Draw> {
        let (sampling, stream) = self.request.sampling.as_ref()?;
        Some(Draw::of(
            sampling,
            stream,
            (self.tokens.len() + unread) as u64,
        ))
    }

    /// Whether the likeliest token is all that is wanted of its logits.
    pub(super) fn is_greedy(&self) -> bool {
        self.request.sampling.is_none() && !self.request.logprobs
    }
}

impl Sequence<'_> {
    /// Tokens of prompt and completion.
    pub(super) fn length(&self) -> usize {
        self.request.prompt.len() + self.tokens.len()
    }

    /// Whether its next token is its last one, whichever it is.
    pub(super) fn ends_with_next(&self) -> bool {
        self.tokens.len() + 1 >= self.request.max_tokens
    }

    /// Whether it is longer than what other frequencies are for
    /// ([`ModelConfig::restart_length`](crate::ModelConfig)).
    pub(super) fn is_restarted(&self, restart_length: Option<usize>) -> bool {
        restart_length.is_some_and(|most| self.length() > most)
    }

    /// Rows for what may follow its last token, which is the row before them: none where nothing is
    /// drafted. They end where the completion or its frequencies do.
    pub(super) fn draft_rows(&self, seq: SeqId, restart_length: Option<usize>) -> Vec<Row> {
        let (prompt, length) = (&self.request.prompt, self.length());
        let left = self
            .request
            .max_tokens
            .saturating_sub(self.tokens.len() + 1);
        let left = match restart_length {
            Some(most) if length <= most => left.min(most - length),
            _ => left,
        };
        let tokens = draft::draft(prompt, &self.tokens, left.min(draft::MAX_TOKENS));
        let rows = tokens.into_iter().zip(length..);
        rows.map(|(token, position)| Row {
            token: RowToken::Known(token),
            seq,
            position,
            length: position + 1,
        })
        .collect()
    }

    /// The token at a position, as a row of a step; behind the last one that which was chosen for it.
    pub(super) fn row(
        &self,
        position: usize,
        seq: SeqId,
        chosen: Option<u32>,
        restart_length: Option<usize>,
    ) -> Row {
        let prompt = &self.request.prompt;
        let known = || self.tokens.get(position - prompt.len()).copied();
        let token = match (prompt.get(position).copied().or_else(known), chosen) {
            (Some(token), _) => RowToken::Known(token),
            (None, Some(place)) => RowToken::Chosen(place),
            (None, None) => RowToken::Known(NOT_A_TOKEN),
        };
        Row {
            token,
            seq,
            position,
            length: match self.is_restarted(restart_length) {
                true => self.length(),
                false => prompt.len().max(position + 1),
            },
        }
    }

    /// The token that these logits give; `None` where they give none, or no finite log-probability
    /// where one is wanted.
    ///
    /// # Shapes
    /// `logits` `[vocab]`.
    pub(super) fn next_token(&self, logits: &[f32]) -> Option<NextToken> {
        let token = match &self.request.sampling {
            Some((sampling, random)) => {
                // The penalty covers the prompt too, as in transformers.
                let history = [self.request.prompt.as_slice(), &self.tokens].concat();
                let step = self.tokens.len() as u64;
                SAMPLER.with_borrow_mut(|sampler| {
                    sampler.sample(logits, &history, sampling, random, step)
                })
            }
            None => argmax(logits),
        }?;
        let logprob = match self.request.logprobs {
            true => Some(logprob(logits, token)?),
            false => None,
        };
        Some(NextToken { token, logprob })
    }

    /// Adds a token; how it ends the sequence, if it does.
    ///
    /// # Errors
    /// Those of the tokenizer.
    pub(super) fn push(
        &mut self,
        next: NextToken,
        eos_token_ids: &[u32],
    ) -> Result<Option<Finish>, Error> {
        let NextToken { token, logprob } = next;
        if token == NOT_A_TOKEN {
            let number = self.tokens.len() + 1;
            return Ok(Some(Err(format!(
                "the model's logits are not numbers (NaN) at new token {number}"
            ))));
        }
        self.tokens.push(token);
        self.logprobs.extend(logprob);
        if let Some(listener) = &mut self.request.listener {
            listener.token(token, logprob);
        }
        if eos_token_ids.contains(&token) && !self.request.passed_eos.contains(&token) {
            Ok(Some(Ok(FinishReason::Eos)))
        } else if self.stop_matcher.matches(&self.tokens)? {
            Ok(Some(Ok(FinishReason::Stop)))
        } else if self.tokens.len() >= self.request.max_tokens {
            Ok(Some(Ok(FinishReason::Length)))
        } else {
            Ok(None)
        }
    }

    /// The completion, without ids, and who else is told of it. Its text ends before the first stop
    /// string, whatever ended the sequence.
    pub(super) fn completion(
        self,
        finish: Finish,
        tokenizer: &TextTokenizer,
    ) -> (Completion, Option<Box<dyn Listener>>) {
        let Self {
            request,
            tokens,
            logprobs,
            ..
        } = self;
        // Left out by its place: not every tokenizer calls its end-of-sequence token special.
        let shown = match tokens.split_last() {
            Some((_, shown)) if finish == Ok(FinishReason::Eos) => shown,
            _ => &tokens,
        };
        let (mut text, mut finish) = match tokenizer.decode(shown) {
            Ok(text) => (text, finish),
            Err(error) => (String::new(), Err(error.to_string())),
        };
        if let Some(end) = find_stop(&text, &request.stop) {
            text.truncate(end);
            finish = Ok(FinishReason::Stop);
        }
        let completion = Completion {
            index: request.index,
            text,
            finish_reason: *finish.as_ref().unwrap_or(&FinishReason::Error),
            prompt_tokens: request.prompt.len(),
            completion_tokens: tokens.len(),
            prompt_hash: prompt_hash(&request.prompt),
            token_ids: Some(tokens),
            logprobs: request.logprobs.then_some(logprobs),
            thinking: None,
            thinking_tokens: None,
            error: finish.err(),
        };
        (completion, request.listener)
    }
}

/// BLAKE3 (hex) of token ids as little-endian `u32`s.
pub(crate) fn prompt_hash(ids: &[u32]) -> String {
    let mut hasher = blake3::Hasher::new();
    ids.iter().for_each(|id| {
        hasher.update(&id.to_le_bytes());
    });
    hasher.finalize().to_hex().to_string()
}
