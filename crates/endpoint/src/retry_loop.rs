//! One prompt: attempts until there is a completion, or until it is clear that there will be none.
//!
//! Three judges decide what follows an error: the limiter how many requests may be in flight, the
//! circuit breaker whether the prompt is retried, and the capabilities whether the request can be
//! made in another way.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use generation::{Completion, Decoding, FinishReason, Prompt};
use tokio::time::Instant;

use crate::attempt::Attempt;
use crate::breaker::{BreakerDecision, CircuitBreaker, FailureHistory};
use crate::capabilities::Capabilities;
use crate::context::ContextOverflow;
use crate::error::Error;
use crate::http::HttpClient;
use crate::latency::LatencyRecorder;
use crate::limiter::{ConcurrencyLimiter, Permit};
use crate::request::{RESPONSE_FORMAT, RequestBody, RequestTemplate};
use crate::request_error::{RequestError, RequestErrorKind};
use crate::response::ServerCompletion;
use crate::server::{refused, retry_delay};

/// What all prompts of a run share.
#[derive(Debug)]
pub(crate) struct RequestContext {
    pub(crate) http: HttpClient,
    pub(crate) url: String,
    pub(crate) template: RequestTemplate,
    pub(crate) decoding: Decoding,
    /// New tokens that fit into the context, by the prompt's text, where that is less than requested.
    pub(crate) token_budgets: Arc<HashMap<String, usize>>,
    pub(crate) limiter: Arc<ConcurrencyLimiter>,
    pub(crate) breaker: Mutex<CircuitBreaker>,
    pub(crate) capabilities: Arc<Mutex<Capabilities>>,
    pub(crate) latencies: Arc<LatencyRecorder>,
    /// Tokens since the last report of progress.
    pub(crate) new_tokens: AtomicUsize,
    /// Whether some completion came without a count of its tokens.
    pub(crate) uncounted: AtomicBool,
    /// Whether log-probabilities were requested and some completion came without.
    pub(crate) without_logprobs: AtomicBool,
    /// Whether the server turned out to interrupt requests when newer ones arrive.
    pub(crate) interrupts: AtomicBool,
    /// Whether a request with a response format has succeeded, in this call or before.
    pub(crate) format_accepted: Arc<AtomicBool>,
}

/// What became of a prompt.
#[derive(Debug)]
pub(crate) enum PromptOutcome {
    /// Its completion is final, also where it failed for itself.
    Final(Completion),
    /// The server rejected it: status, message, and the completion to record if it does not reject
    /// all.
    Rejected {
        status: u16,
        reason: String,
        completion: Completion,
    },
    /// The run cannot continue.
    Fatal(Error),
}

/// What to do after a failed attempt.
enum NextStep {
    Retry { at_once: bool },
    End(Box<PromptOutcome>),
}

impl NextStep {
    fn end(outcome: PromptOutcome) -> Self {
        Self::End(Box::new(outcome))
    }
}

/// One prompt at work.
struct PromptState<'a> {
    /// Its place in the run.
    index: usize,
    prompt: &'a Prompt,
    /// New tokens that are requested.
    max_tokens: usize,
    history: FailureHistory,
}

/// What an attempt sent.
struct SentRequest {
    capabilities: Capabilities,
    body: RequestBody,
}

impl RequestContext {
    /// Requests a completion until something is final. `index` is the prompt's place in the run.
    pub(crate) async fn complete(&self, index: usize, prompt: &Prompt) -> PromptOutcome {
        let mut delays = self.http.policy.backoff.delays();
        let max_tokens = self
            .token_budgets
            .get(&prompt.text)
            .copied()
            .unwrap_or(self.decoding.max_tokens);
        let mut state = PromptState {
            index,
            prompt,
            max_tokens,
            history: FailureHistory::default(),
        };
        loop {
            let permit = self.limiter.acquire().await;
            // Made after the wait for a permit: other prompts may have learned what the server
            // refuses.
            let sent = self.request(&state);
            let error = match self.try_once(&sent, &permit).await {
                Ok(answer) => return PromptOutcome::Final(self.completion(index, prompt, answer)),
                Err(error) => error,
            };
            // Before the permit is returned, or a waiting request would start under the old limit.
            self.limit_rate(&error, &permit);
            drop(permit);
            match self.after(&mut state, &error, &sent) {
                NextStep::End(outcome) => return *outcome,
                NextStep::Retry { at_once: true } => {}
                NextStep::Retry { at_once: false } => {
                    // The permit is back by now: who waits keeps no other request from starting.
                    tokio::time::sleep(retry_delay(&error, delays.next().unwrap_or_default()))
                        .await;
                }
            }
        }
    }

    fn request(&self, state: &PromptState<'_>) -> SentRequest {
        let capabilities = self.capabilities().clone();
        let body = self.template.body(
            state.prompt,
            &self.decoding,
            state.max_tokens,
            &capabilities,
        );
        SentRequest { capabilities, body }
    }

    async fn try_once(
        &self,
        sent: &SentRequest,
        permit: &Permit,
    ) -> Result<ServerCompletion, RequestError> {
        let reported = AtomicUsize::new(0);
        let on_chunks = |chunks| {
            reported.fetch_add(chunks, Ordering::Relaxed);
            // Not taken back where the attempt fails later: progress tells what was generated.
            self.new_tokens.fetch_add(chunks, Ordering::Relaxed);
            self.breaker().heartbeat(Instant::now());
        };
        let attempt = Attempt {
            http: &self.http,
            url: &self.url,
            body: &sent.body,
            stops: &self.decoding.stop,
            on_chunks: &on_chunks,
        };
        let (answer, timing) = attempt.send().await?;
        if sent.body.optional.contains(&RESPONSE_FORMAT) {
            self.format_accepted.store(true, Ordering::Relaxed);
        }
        self.limiter
            .succeeded(permit.started(), timing, answer.completion_tokens);
        self.latencies.record(timing, answer.completion_tokens);
        self.breaker().succeeded(Instant::now());
        // Tokens that came without a chunk of their own: those of a whole response, or the last one.
        let unreported = answer
            .completion_tokens
            .saturating_sub(reported.load(Ordering::Relaxed));
        self.new_tokens.fetch_add(unreported, Ordering::Relaxed);
        Ok(answer)
    }

    fn limit_rate(&self, error: &RequestError, permit: &Permit) {
        match error.kind {
            RequestErrorKind::Throttled | RequestErrorKind::TimedOut => {
                self.limiter.throttled(permit.started(), error.retry_after)
            }
            RequestErrorKind::Truncated if self.limiter.truncated(permit.started()) => {
                self.interrupts.store(true, Ordering::Relaxed);
            }
            _ => {}
        }
    }

    fn after(
        &self,
        state: &mut PromptState<'_>,
        error: &RequestError,
        sent: &SentRequest,
    ) -> NextStep {
        let (index, prompt) = (state.index, state.prompt);
        let failed = |error: String| failed(index, prompt, error);
        let now = Instant::now();
        match error.kind {
            RequestErrorKind::Rejected(status) => {
                self.breaker().succeeded(now);
                if self.can_be_adapted(state, error, sent) {
                    return NextStep::Retry { at_once: true };
                }
                let reason = error.reason.clone();
                match status {
                    // A redirect or a refused key meets every prompt alike, so that one is enough
                    // to end the run.
                    300..=399 | 401 => {
                        NextStep::end(PromptOutcome::Fatal(refused(&self.url, status, reason)))
                    }
                    _ => NextStep::end(PromptOutcome::Rejected {
                        status,
                        completion: failed(reason.clone()),
                        reason,
                    }),
                }
            }
            RequestErrorKind::Unusable => {
                self.breaker().succeeded(now);
                NextStep::end(PromptOutcome::Final(failed(error.reason.clone())))
            }
            _ => {
                let judgement = self.breaker().failed(index, error, &mut state.history, now);
                match judgement {
                    BreakerDecision::Retry => NextStep::Retry { at_once: false },
                    BreakerDecision::FailPrompt => {
                        let reason = format!(
                            "given up after {} attempts: {}",
                            state.history.attempts, error.reason
                        );
                        NextStep::end(PromptOutcome::Final(failed(reason)))
                    }
                    BreakerDecision::Open { failures, seconds } => {
                        NextStep::end(PromptOutcome::Fatal(Error::CircuitOpen {
                            url: self.url.clone(),
                            failures,
                            seconds,
                            reason: error.reason.clone(),
                        }))
                    }
                }
            }
        }
    }

    /// Whether a rejected request can be made in another way: for fewer new tokens where the context
    /// has no room for more, or without the fields that the server does not accept.
    fn can_be_adapted(
        &self,
        state: &mut PromptState<'_>,
        error: &RequestError,
        sent: &SentRequest,
    ) -> bool {
        // 500 stands for the refusals that `HttpClient` recognized under this status.
        if !matches!(
            error.kind,
            RequestErrorKind::Rejected(400 | 413 | 422 | 500)
        ) {
            return false;
        }
        let message = &error.message;
        // First: vLLM names `max_completion_tokens` in its words about the context, which does not
        // mean that it wants that field.
        if let Some(overflow) = ContextOverflow::parse(message, state.max_tokens) {
            let room = overflow.room(state.max_tokens);
            state.max_tokens = room.unwrap_or(state.max_tokens);
            return room.is_some();
        }
        let SentRequest { capabilities, body } = sent;
        let is_format_known = self.format_accepted.load(Ordering::Relaxed);
        let mut known = self.capabilities();
        // A gateway may refuse a field that it does not know without a word about it. Only as long
        // as no request with it succeeded: else one prompt that is refused would cost all others
        // their form.
        known.learn(message, capabilities, &body.optional, body.stop_strings)
            || !is_format_known && known.try_without(RESPONSE_FORMAT, &body.optional)
    }

    fn completion(&self, index: usize, prompt: &Prompt, answer: ServerCompletion) -> Completion {
        if !answer.is_counted || answer.prompt_tokens.is_none() {
            self.uncounted.store(true, Ordering::Relaxed);
        }
        if self.template.logprobs && answer.logprobs.is_none() && answer.completion_tokens > 0 {
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
            thinking: answer.thinking,
            thinking_tokens: answer.thinking_tokens,
            error: answer.error,
        }
    }

    fn breaker(&self) -> MutexGuard<'_, CircuitBreaker> {
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
        thinking: None,
        thinking_tokens: None,
        error: Some(error),
    }
}

/// The ids are the server's own: the text stands for them.
fn prompt_hash(prompt: &Prompt) -> String {
    blake3::hash(prompt.text.as_bytes()).to_hex().to_string()
}
