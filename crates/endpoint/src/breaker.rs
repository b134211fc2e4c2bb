//! The circuit breaker: whether the server is down, or only single prompts fail.
//!
//! A server that answers some prompts is up: a prompt that fails all its attempts meanwhile is at
//! fault itself, and is recorded as failed. An attempt counts against a prompt only if something
//! succeeded since the one before it, or the last answers before an outage would count against
//! every prompt in flight; and being throttled says next to nothing about a prompt.
//!
//! Where nothing succeeds, prompts are retried, since recording each of them as failed would only
//! say that the server was down. After a span without a success the breaker opens and the run ends.
//! There is no half-open state: the next run is the probe. One exception: the last prompts of a run
//! may crash the server one by one, which would end every run at the same place. So where the
//! server does respond, however badly, a few prompts fail for themselves. Chunks of streams are
//! heartbeats: a slow server is not down.

use std::collections::HashSet;
use std::time::Duration;

use tokio::time::Instant;

use crate::request_error::{RequestError, RequestErrorKind};

/// Attempts that must have failed before the breaker can open.
const MIN_FAILURES: usize = 8;
/// How many prompts may fail for themselves at a time.
const MAX_FAILING_PROMPTS: usize = 4;
/// A server that sends heartbeats without ever finishing a response gets this many times the
/// attempts of a prompt.
const MAX_ROUNDS_WITHOUT_SUCCESS: u32 = 3;
/// Being throttled (429, 503) this often, while others succeed, counts as one failed attempt.
const THROTTLES_PER_FAILURE: u32 = 20;

/// What happens to a prompt whose attempt failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum BreakerDecision {
    /// It is tried again.
    Retry,
    /// It fails for itself.
    FailPrompt,
    /// The breaker opens: the server is down.
    Open { failures: usize, seconds: u64 },
}

/// The failed attempts of one prompt.
#[derive(Clone, Debug, Default)]
pub(crate) struct FailureHistory {
    /// All of them.
    pub(crate) attempts: u32,
    /// Those since whose predecessor something succeeded, throttled ones apart.
    counted: u32,
    /// The throttled ones of those.
    throttled: u32,
    /// Those since whose predecessor there was a heartbeat, but no success.
    with_heartbeat: u32,
    last_failure: Option<Instant>,
}

impl FailureHistory {
    fn record(
        &mut self,
        kind: RequestErrorKind,
        last_success: Instant,
        last_heartbeat: Instant,
        now: Instant,
    ) {
        let since_last = |time: Instant| self.last_failure.is_none_or(|last| time > last);
        let (counted, with_heartbeat) = (since_last(last_success), since_last(last_heartbeat));
        self.attempts += 1;
        match kind {
            RequestErrorKind::Throttled => self.throttled += u32::from(counted),
            _ => self.counted += u32::from(counted),
        }
        // A failure after a success is counted already: each one counts in one way only.
        self.with_heartbeat += u32::from(with_heartbeat && !counted);
        self.last_failure = Some(now);
    }
}

/// Records successes and failures of all prompts.
#[derive(Debug)]
pub(crate) struct CircuitBreaker {
    give_up_after: Duration,
    max_attempts: u32,
    last_success: Instant,
    last_heartbeat: Instant,
    failures: usize,
    /// Prompts that failed since the last success: at most as many as are in flight.
    prompts: HashSet<usize>,
    /// The longest pause that the server asked for since the last success.
    pause: Duration,
}

impl CircuitBreaker {
    /// `max_attempts`: those of one prompt while others succeed.
    pub(crate) fn new(give_up_after: Duration, max_attempts: u32, now: Instant) -> Self {
        Self {
            give_up_after,
            max_attempts,
            last_success: now,
            last_heartbeat: now,
            failures: 0,
            prompts: HashSet::new(),
            pause: Duration::ZERO,
        }
    }

    /// The server answered a prompt, or rejected it, which only a server that is up can do.
    pub(crate) fn succeeded(&mut self, now: Instant) {
        *self = Self::new(self.give_up_after, self.max_attempts, now);
    }

    /// The server sent a chunk of a stream.
    pub(crate) fn heartbeat(&mut self, now: Instant) {
        self.last_heartbeat = now;
    }

    /// An attempt for a prompt failed.
    pub(crate) fn failed(
        &mut self,
        prompt: usize,
        error: &RequestError,
        history: &mut FailureHistory,
        now: Instant,
    ) -> BreakerDecision {
        self.failures += 1;
        self.prompts.insert(prompt);
        self.pause = self.pause.max(error.retry_after.unwrap_or_default());
        history.record(error.kind, self.last_success, self.last_heartbeat, now);
        let max = self.max_attempts;
        let spent = history.attempts >= max;
        let never_ends = history.with_heartbeat >= max.saturating_mul(MAX_ROUNDS_WITHOUT_SUCCESS);
        if history.counted + history.throttled / THROTTLES_PER_FAILURE >= max || never_ends {
            return BreakerDecision::FailPrompt;
        }
        // A single silent request outlasts the span by itself (the idle timeout is longer), so that
        // the span alone is no proof. Nor is a pause that the server asked for.
        let since = now.duration_since(self.last_success.max(self.last_heartbeat));
        if since < self.give_up_after + self.pause || self.failures < MIN_FAILURES {
            return BreakerDecision::Retry;
        }
        // Without a connection, or throttled, nothing points at the prompt.
        let responds = matches!(
            error.kind,
            RequestErrorKind::Broken | RequestErrorKind::Truncated | RequestErrorKind::TimedOut
        );
        // Prompts that failed for themselves stay in the set until something succeeds: after the
        // fourth without a success the server is at fault.
        match responds && self.prompts.len() <= MAX_FAILING_PROMPTS {
            true if spent => BreakerDecision::FailPrompt,
            true => BreakerDecision::Retry,
            false => BreakerDecision::Open {
                failures: self.failures,
                seconds: since.as_secs(),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPAN: Duration = Duration::from_secs(10);

    fn failure(kind: RequestErrorKind) -> RequestError {
        RequestError::new(kind, "test")
    }

    /// The decision on one more failure of a prompt that has had so many attempts before it.
    fn decide(
        breaker: &mut CircuitBreaker,
        prompt: usize,
        kind: RequestErrorKind,
        before: u32,
        now: Instant,
    ) -> BreakerDecision {
        let mut history = FailureHistory {
            attempts: before,
            last_failure: Some(now),
            ..FailureHistory::default()
        };
        breaker.failed(prompt, &failure(kind), &mut history, now)
    }

    #[test]
    fn a_prompt_that_fails_while_others_succeed_fails_for_itself() {
        let start = Instant::now();
        let mut breaker = CircuitBreaker::new(SPAN, 3, start);
        let mut history = FailureHistory::default();
        let broken = failure(RequestErrorKind::Broken);
        let mut decided = Vec::new();
        for second in 0..3 {
            let now = start + Duration::from_secs(2 * second);
            decided.push(breaker.failed(0, &broken, &mut history, now));
            breaker.succeeded(now + Duration::from_secs(1));
        }
        assert_eq!(
            decided,
            [
                BreakerDecision::Retry,
                BreakerDecision::Retry,
                BreakerDecision::FailPrompt
            ]
        );
    }

    #[test]
    fn a_prompt_that_is_only_throttled_gets_many_attempts() {
        let start = Instant::now();
        let mut breaker = CircuitBreaker::new(SPAN, 3, start);
        let mut history = FailureHistory::default();
        let throttled = |second: u32| {
            let now = start + Duration::from_secs(2 * u64::from(second));
            let decided =
                breaker.failed(0, &failure(RequestErrorKind::Throttled), &mut history, now);
            breaker.succeeded(now + Duration::from_secs(1));
            decided
        };
        let decided: Vec<_> = (0..3 * THROTTLES_PER_FAILURE).map(throttled).collect();
        let (last, others) = decided.split_last().unwrap();
        assert!(
            others
                .iter()
                .all(|decision| *decision == BreakerDecision::Retry)
        );
        assert_eq!(*last, BreakerDecision::FailPrompt);
    }

    #[test]
    fn the_last_success_before_an_outage_does_not_count_against_a_prompt() {
        let start = Instant::now();
        let mut breaker = CircuitBreaker::new(SPAN, 3, start);
        let mut history = FailureHistory::default();
        let broken = failure(RequestErrorKind::Broken);
        breaker.failed(0, &broken, &mut history, start);
        breaker.succeeded(start + Duration::from_secs(1));
        for second in 2..11 {
            let now = start + Duration::from_secs(second);
            assert_eq!(
                breaker.failed(0, &broken, &mut history, now),
                BreakerDecision::Retry,
                "{second}"
            );
        }
    }

    #[test]
    fn the_breaker_opens_after_a_span_without_a_success() {
        let start = Instant::now();
        let mut breaker = CircuitBreaker::new(SPAN, 3, start);
        let early = start + Duration::from_secs(9);
        for prompt in 0..20 {
            assert_eq!(
                decide(&mut breaker, prompt, RequestErrorKind::Connection, 3, early),
                BreakerDecision::Retry
            );
        }
        let late = start + Duration::from_secs(11);
        let open = BreakerDecision::Open {
            failures: 21,
            seconds: 11,
        };
        assert_eq!(
            decide(&mut breaker, 0, RequestErrorKind::Connection, 3, late),
            open
        );
    }

    #[test]
    fn one_prompt_without_a_connection_or_under_a_throttle_is_the_servers_fault() {
        let start = Instant::now();
        for (kind, expected) in [
            (
                RequestErrorKind::Connection,
                BreakerDecision::Open {
                    failures: 8,
                    seconds: 11,
                },
            ),
            (
                RequestErrorKind::Throttled,
                BreakerDecision::Open {
                    failures: 8,
                    seconds: 11,
                },
            ),
            (RequestErrorKind::Broken, BreakerDecision::FailPrompt),
            (RequestErrorKind::TimedOut, BreakerDecision::FailPrompt),
        ] {
            let mut breaker = CircuitBreaker::new(SPAN, 3, start);
            let late = start + Duration::from_secs(11);
            let decided: Vec<_> = (0..8)
                .map(|_| decide(&mut breaker, 0, kind, 3, late))
                .collect();
            assert!(
                decided[..7]
                    .iter()
                    .all(|decision| *decision == BreakerDecision::Retry),
                "{decided:?}"
            );
            assert_eq!(decided[7], expected, "{kind:?}");
        }
    }

    #[test]
    fn a_slow_server_is_not_down_but_one_that_never_ends_a_response_fails_its_prompts() {
        let start = Instant::now();
        let mut breaker = CircuitBreaker::new(SPAN, 3, start);
        let late = start + Duration::from_secs(60);
        breaker.heartbeat(late);
        for prompt in 0..20 {
            assert_eq!(
                decide(&mut breaker, prompt, RequestErrorKind::Broken, 3, late),
                BreakerDecision::Retry
            );
        }
        let mut history = FailureHistory::default();
        let mut decided = Vec::new();
        for second in 0..10 {
            let now = late + Duration::from_secs(2 * second);
            decided.push(breaker.failed(0, &failure(RequestErrorKind::Broken), &mut history, now));
            breaker.heartbeat(now + Duration::from_secs(1));
        }
        assert!(
            decided[..9]
                .iter()
                .all(|decision| *decision == BreakerDecision::Retry),
            "{decided:?}"
        );
        assert_eq!(decided[9], BreakerDecision::FailPrompt);
    }

    #[test]
    fn a_pause_that_the_server_asks_for_is_no_outage() {
        let start = Instant::now();
        let mut breaker = CircuitBreaker::new(SPAN, 3, start);
        let pause = RequestError {
            retry_after: Some(Duration::from_secs(60)),
            ..failure(RequestErrorKind::Throttled)
        };
        let late = start + Duration::from_secs(61);
        for prompt in 0..9 {
            let mut history = FailureHistory {
                attempts: 3,
                ..FailureHistory::default()
            };
            assert_eq!(
                breaker.failed(prompt, &pause, &mut history, late),
                BreakerDecision::Retry
            );
        }
        let later = start + Duration::from_secs(71);
        let open = breaker.failed(0, &pause, &mut FailureHistory::default(), later);
        assert!(matches!(open, BreakerDecision::Open { .. }), "{open:?}");
    }
}
