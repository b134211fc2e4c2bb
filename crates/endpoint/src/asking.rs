//! One prompt: attempts until there is an answer, or until it is clear that there will be none.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use generation::{Completion, Decoding, FinishReason, Prompt};
use tokio::time::Instant;

use crate::attempt::Attempt;
use crate::breaker::{Breaker, History, Judgement};
use crate::error::Error;
use crate::http::Http;
use crate::limiter::Limiter;
use crate::reply::Answer;
use crate::request::{Dialect, Form};
use crate::server::{refused, wait_after};
use crate::trouble::{Trouble, TroubleKind};

/// What all prompts of a run share.
#[derive(Debug)]
pub(crate) struct Asking {
    pub(crate) http: Http,
    pub(crate) url: String,
    pub(crate) form: Form,
    pub(crate) decoding: Decoding,
    pub(crate) limiter: Arc<Limiter>,
    pub(crate) breaker: Mutex<Breaker>,
    pub(crate) dialect: Mutex<Dialect>,
    /// Pieces of text since they were last taken from here.
    pub(crate) pieces: AtomicUsize,
    /// Whether some answer came without a count of its tokens.
    pub(crate) uncounted: AtomicBool,
    /// Whether log-probabilities were asked for and some answer came without.
    pub(crate) without_logprobs: AtomicBool,
}

/// What became of a prompt.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// Its completion is final, also where it failed for itself.
    Final(Completion),
    /// The server refused it: status, what it said, and the completion to record if it does not refuse all.
    Refused { status: u16, reason: String, completion: Completion },
    /// The run cannot go on.
    Over(Error),
}

/// What to do after an attempt in vain.
enum Next {
    Again { at_once: bool },
    End(Outcome),
}

impl Asking {
    /// Asks until something is final. `index` is the prompt's place in the run.
    pub(crate) async fn answer(&self, index: usize, prompt: &Prompt) -> Outcome {
        let mut waits = self.http.patience.waits();
        let mut history = History::default();
        loop {
            let permit = self.limiter.acquire().await;
            let (trouble, dialect) = match self.try_once(prompt).await {
                (Ok(answer), _) => return Outcome::Final(self.completion(index, prompt, answer)),
                (Err(trouble), dialect) => (trouble, dialect),
            };
            if matches!(trouble.kind, TroubleKind::Throttled | TroubleKind::Silent) {
                self.limiter.throttled(permit.started(), trouble.wait);
            }
            drop(permit);
            match self.after(index, prompt, &trouble, dialect, &mut history) {
                Next::End(outcome) => return outcome,
                Next::Again { at_once: true } => {}
                Next::Again { at_once: false } => {
                    tokio::time::sleep(wait_after(&trouble, waits.next().unwrap_or_default())).await;
                }
            }
        }
    }

    async fn try_once(&self, prompt: &Prompt) -> (Result<Answer, Trouble>, Dialect) {
        let dialect = *self.dialect();
        let told = AtomicUsize::new(0);
        let on_pieces = |pieces| {
            told.fetch_add(pieces, Ordering::Relaxed);
            self.pieces.fetch_add(pieces, Ordering::Relaxed);
            self.breaker().showed_life(Instant::now());
        };
        let attempt = Attempt {
            http: &self.http,
            url: &self.url,
            form: &self.form,
            prompt,
            decoding: &self.decoding,
            dialect,
            on_pieces: &on_pieces,
        };
        let outcome = attempt.make().await.map(|(answer, pace)| {
            self.limiter.succeeded(pace, answer.completion_tokens);
            self.breaker().succeeded(Instant::now());
            // Tokens that came without a piece of their own: a whole answer's, or that of the end.
            let untold = answer.completion_tokens.saturating_sub(told.load(Ordering::Relaxed));
            self.pieces.fetch_add(untold, Ordering::Relaxed);
            answer
        });
        (outcome, dialect)
    }

    fn after(&self, index: usize, prompt: &Prompt, trouble: &Trouble, dialect: Dialect, history: &mut History) -> Next {
        let failed = |error: String| failed(index, prompt, error);
        let now = Instant::now();
        match trouble.kind {
            TroubleKind::Refused(status) => {
                self.breaker().succeeded(now);
                if matches!(status, 400 | 422) && self.learn(&trouble.reason, dialect) {
                    return Next::Again { at_once: true };
                }
                let reason = trouble.reason.clone();
                match status {
                    300..=399 | 401 => Next::End(Outcome::Over(refused(&self.url, status, reason))),
                    _ => Next::End(Outcome::Refused { status, completion: failed(reason.clone()), reason }),
                }
            }
            TroubleKind::Useless => {
                self.breaker().succeeded(now);
                Next::End(Outcome::Final(failed(trouble.reason.clone())))
            }
            _ => match self.breaker().failed(index, trouble, history, now) {
                Judgement::Again => Next::Again { at_once: false },
                Judgement::PromptFails => {
                    let reason = format!("given up after {} attempts: {}", history.attempts, trouble.reason);
                    Next::End(Outcome::Final(failed(reason)))
                }
                Judgement::ServerGone { failures, seconds } => Next::End(Outcome::Over(Error::Gone {
                    url: self.url.clone(),
                    failures,
                    seconds,
                    reason: trouble.reason.clone(),
                })),
            },
        }
    }

    /// Learns from a refusal what the server does not understand; whether asking otherwise makes sense. `asked` is how it was asked:
    /// another prompt may have learnt the same meanwhile.
    fn learn(&self, reason: &str, asked: Dialect) -> bool {
        let mut dialect = self.dialect();
        let no_stream_options = self.form.stream && !asked.no_stream_options && reason.contains("stream_options");
        let max_completion_tokens = !asked.max_completion_tokens && reason.contains("max_completion_tokens");
        dialect.no_stream_options |= no_stream_options;
        dialect.max_completion_tokens |= max_completion_tokens;
        no_stream_options || max_completion_tokens
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
        self.breaker.lock().expect("nothing panics while the breaker is held")
    }

    fn dialect(&self) -> MutexGuard<'_, Dialect> {
        self.dialect.lock().expect("nothing panics while the dialect is held")
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
