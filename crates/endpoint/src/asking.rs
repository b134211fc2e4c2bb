//! One prompt: attempts until there is an answer, or until it is clear that there will be none.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use generation::{Completion, Decoding, FinishReason, Prompt};
use tokio::time::Instant;

use crate::attempt::Attempt;
use crate::breaker::{Breaker, History, Judgement};
use crate::capabilities::Capabilities;
use crate::context::Overflow;
use crate::error::Error;
use crate::http::Http;
use crate::latency::Latencies;
use crate::limiter::{Limiter, Permit};
use crate::reply::Answer;
use crate::request::{Body, Form};
use crate::server::{refused, wait_after};
use crate::trouble::{Trouble, TroubleKind};

/// What all prompts of a run share.
#[derive(Debug)]
pub(crate) struct Asking {
    pub(crate) http: Http,
    pub(crate) url: String,
    pub(crate) form: Form,
    pub(crate) decoding: Decoding,
    /// New tokens that fit, by the prompt's text, where that is less than asked for.
    pub(crate) rooms: Arc<HashMap<String, usize>>,
    pub(crate) limiter: Arc<Limiter>,
    pub(crate) breaker: Mutex<Breaker>,
    pub(crate) capabilities: Arc<Mutex<Capabilities>>,
    pub(crate) latencies: Arc<Latencies>,
    /// Pieces of text since they were last taken from here.
    pub(crate) pieces: AtomicUsize,
    /// Whether some answer came without a count of its tokens.
    pub(crate) uncounted: AtomicBool,
    /// Whether log-probabilities were asked for and some answer came without.
    pub(crate) without_logprobs: AtomicBool,
    /// Whether it turned out that the server interrupts requests when newer ones come.
    pub(crate) interrupts: AtomicBool,
}

/// What became of a prompt.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// Its completion is final, also where it failed for itself.
    Final(Completion),
    /// The server refused it: status, what it said, and the completion to record if it does not
    /// refuse all.
    Refused {
        status: u16,
        reason: String,
        completion: Completion,
    },
    /// The run cannot go on.
    Over(Error),
}

/// What to do after an attempt in vain.
enum Next {
    Again { at_once: bool },
    End(Outcome),
}

/// One prompt under way.
struct Asked<'a> {
    /// Its place in the run.
    index: usize,
    prompt: &'a Prompt,
    /// New tokens that are asked for.
    max_tokens: usize,
    history: History,
}

/// How an attempt was made.
struct Tried {
    capabilities: Capabilities,
    body: Body,
}

impl Asking {
    /// Asks until something is final. `index` is the prompt's place in the run.
    pub(crate) async fn answer(&self, index: usize, prompt: &Prompt) -> Outcome {
        let mut waits = self.http.patience.waits();
        let max_tokens = self
            .rooms
            .get(&prompt.text)
            .copied()
            .unwrap_or(self.decoding.max_tokens);
        let mut asked = Asked {
            index,
            prompt,
            max_tokens,
            history: History::default(),
        };
        loop {
            let permit = self.limiter.acquire().await;
            let tried = self.tried(&asked);
            let trouble = match self.try_once(&tried, &permit).await {
                Ok(answer) => return Outcome::Final(self.completion(index, prompt, answer)),
                Err(trouble) => trouble,
            };
            self.slow_down(&trouble, &permit);
            drop(permit);
            match self.after(&mut asked, &trouble, &tried) {
                Next::End(outcome) => return outcome,
                Next::Again { at_once: true } => {}
                Next::Again { at_once: false } => {
                    tokio::time::sleep(wait_after(&trouble, waits.next().unwrap_or_default()))
                        .await;
                }
            }
        }
    }

    fn tried(&self, asked: &Asked<'_>) -> Tried {
        let capabilities = self.capabilities().clone();
        let body = self.form.body(
            asked.prompt,
            &self.decoding,
            asked.max_tokens,
            &capabilities,
        );
        Tried { capabilities, body }
    }

    async fn try_once(&self, tried: &Tried, permit: &Permit) -> Result<Answer, Trouble> {
        let told = AtomicUsize::new(0);
        let on_pieces = |pieces| {
            told.fetch_add(pieces, Ordering::Relaxed);
            self.pieces.fetch_add(pieces, Ordering::Relaxed);
            self.breaker().showed_life(Instant::now());
        };
        let attempt = Attempt {
            http: &self.http,
            url: &self.url,
            body: &tried.body,
            stops: &self.decoding.stop,
            on_pieces: &on_pieces,
        };
        let (answer, pace) = attempt.make().await?;
        self.limiter
            .succeeded(permit.started(), pace, answer.completion_tokens);
        self.latencies.record(pace, answer.completion_tokens);
        self.breaker().succeeded(Instant::now());
        // Tokens that came without a piece of their own: a whole answer's, or that of the end.
        let untold = answer
            .completion_tokens
            .saturating_sub(told.load(Ordering::Relaxed));
        self.pieces.fetch_add(untold, Ordering::Relaxed);
        Ok(answer)
    }

    fn slow_down(&self, trouble: &Trouble, permit: &Permit) {
        match trouble.kind {
            TroubleKind::Throttled | TroubleKind::Silent => {
                self.limiter.throttled(permit.started(), trouble.wait)
            }
            TroubleKind::CutOff if self.limiter.cut_off(permit.started()) => {
                self.interrupts.store(true, Ordering::Relaxed);
            }
            _ => {}
        }
    }

    fn after(&self, asked: &mut Asked<'_>, trouble: &Trouble, tried: &Tried) -> Next {
        let (index, prompt) = (asked.index, asked.prompt);
        let failed = |error: String| failed(index, prompt, error);
        let now = Instant::now();
        match trouble.kind {
            TroubleKind::Refused(status) => {
                self.breaker().succeeded(now);
                if self.may_be_asked_otherwise(asked, trouble, tried) {
                    return Next::Again { at_once: true };
                }
                let reason = trouble.reason.clone();
                match status {
                    300..=399 | 401 => Next::End(Outcome::Over(refused(&self.url, status, reason))),
                    _ => Next::End(Outcome::Refused {
                        status,
                        completion: failed(reason.clone()),
                        reason,
                    }),
                }
            }
            TroubleKind::Useless => {
                self.breaker().succeeded(now);
                Next::End(Outcome::Final(failed(trouble.reason.clone())))
            }
            _ => {
                let judgement = self
                    .breaker()
                    .failed(index, trouble, &mut asked.history, now);
                match judgement {
                    Judgement::Again => Next::Again { at_once: false },
                    Judgement::PromptFails => {
                        let reason = format!(
                            "given up after {} attempts: {}",
                            asked.history.attempts, trouble.reason
                        );
                        Next::End(Outcome::Final(failed(reason)))
                    }
                    Judgement::ServerGone { failures, seconds } => {
                        Next::End(Outcome::Over(Error::Gone {
                            url: self.url.clone(),
                            failures,
                            seconds,
                            reason: trouble.reason.clone(),
                        }))
                    }
                }
            }
        }
    }

    /// Whether a refused request can be made otherwise: for fewer new tokens where the context
    /// leaves no more, or without what the server does not take.
    fn may_be_asked_otherwise(
        &self,
        asked: &mut Asked<'_>,
        trouble: &Trouble,
        tried: &Tried,
    ) -> bool {
        if !matches!(trouble.kind, TroubleKind::Refused(400 | 413 | 422 | 500)) {
            return false;
        }
        let words = &trouble.words;
        if let Some(overflow) = Overflow::read(words, asked.max_tokens) {
            let room = overflow.room(asked.max_tokens);
            asked.max_tokens = room.unwrap_or(asked.max_tokens);
            return room.is_some();
        }
        let Tried { capabilities, body } = tried;
        self.capabilities()
            .learn(words, capabilities, &body.optional, body.stop_strings)
    }

    fn completion(&self, index: usize, prompt: &Prompt, answer: Answer) -> Completion {
        if !answer.is_counted || answer.prompt_tokens.is_none() {
            self.uncounted.store(true, Ordering::Relaxed);
        }
        if self.form.logprobs && answer.logprobs.is_none() && answer.completion_tokens > 0 {
            self.without_logprobs.store(true, Ordering::Relaxed);
        }
        Completion {
            index,
            text: answer.text,
            finish_reason: answer.finish_reason,
            prompt_tokens: answer.prompt_tokens.unwrap_or(0),
            completion_tokens: answer.completion_tokens,
            prompt_hash: prompt_hash(prompt),
            token_ids: None,
            logprobs: answer.logprobs,
            error: answer.error,
        }
    }

    fn breaker(&self) -> MutexGuard<'_, Breaker> {
        self.breaker
            .lock()
            .expect("nothing panics while the breaker is held")
    }

    pub(crate) fn capabilities(&self) -> MutexGuard<'_, Capabilities> {
        self.capabilities
            .lock()
            .expect("nothing panics while the capabilities are held")
    }
}

/// The completion of a prompt that failed for itself.
fn failed(index: usize, prompt: &Prompt, error: String) -> Completion {
    Completion {
        index,
        text: String::new(),
        finish_reason: FinishReason::Error,
        prompt_tokens: 0,
        completion_tokens: 0,
        prompt_hash: prompt_hash(prompt),
        token_ids: None,
        logprobs: None,
        error: Some(error),
    }
}

/// The ids are the server's own: the text stands for them.
fn prompt_hash(prompt: &Prompt) -> String {
    blake3::hash(prompt.text.as_bytes()).to_hex().to_string()
}
