//! How many requests are in flight at a time: an AIMD limit (additive increase, multiplicative
//! decrease; Chiu and Jain 1989) that begins with TCP's slow start (RFC 5681).
//!
//! The limit doubles with each round of completions until something speaks against it (slow start),
//! then grows by one a round. It stands still while completions are much slower than they were
//! under less load. It is halved on 429, 503 and timeouts, once for all requests that were in
//! flight by then, as TCP reacts once per window. Where the server asks for a pause, no request
//! starts before its end. A server that aborts what is in flight whenever a newer request arrives is
//! asked one request at a time from then on.
//!
//! Load shows in the time to first token: what is waiting in a queue has none. A response that is
//! not streamed has only its total time, which depends on its length; there it is the time a token.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

/// The limit at the start.
const INITIAL_LIMIT: f64 = 4.0;
/// How many times the lowest time the running mean may reach before the limit stops growing.
const MAX_SLOWDOWN: f64 = 3.0;
/// Seconds more to the first token that say nothing about load.
const TTFT_SLACK_S: f64 = 0.25;
/// Weight of a new time in the running mean (EWMA).
const EWMA_WEIGHT: f64 = 0.1;
/// Requests that must have been truncated after a newer one arrived before the server counts as one
/// that interrupts, and how many times as many as those that completed in spite of a newer one.
/// Streams that break at random in one case of five look so once in some thousand runs.
const MIN_INTERRUPTED: usize = 6;
const INTERRUPTED_FACTOR: usize = 4;
/// Factor by which the lowest time rises with each completion, so that one lucky moment does not
/// count for ever.
const MIN_TIME_DECAY: f64 = 1.002;

/// How long a completion took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Timing {
    /// To the first chunk of a stream; `None` where it was not streamed.
    pub(crate) time_to_first_token: Option<Duration>,
    /// To its end.
    pub(crate) total: Duration,
}

/// Admits requests.
#[derive(Debug)]
pub(crate) struct ConcurrencyLimiter {
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Debug)]
struct State {
    limit: f64,
    max: usize,
    in_flight: usize,
    slow_start: bool,
    last_decrease: Option<Instant>,
    paused_until: Option<Instant>,
    /// When the last permit was given.
    last_admitted: Option<Instant>,
    /// Requests that were truncated after a newer one had started, and those that completed all the
    /// same.
    interrupted: usize,
    uninterrupted: usize,
    /// Seconds to the first token, or a token: the lowest, and the running mean.
    least: Option<f64>,
    mean: f64,
}

/// A permit for one request, returned when dropped.
#[derive(Debug)]
pub(crate) struct Permit {
    limiter: Arc<ConcurrencyLimiter>,
    started: Instant,
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.limiter.state().in_flight -= 1;
        self.limiter.changed.notify_waiters();
    }
}

impl Permit {
    /// When the request may have started.
    pub(crate) fn started(&self) -> Instant {
        self.started
    }
}

impl ConcurrencyLimiter {
    /// At max `max` requests at a time, at least 1.
    pub(crate) fn new(max: usize) -> Self {
        let max = max.max(1);
        let state = State {
            limit: INITIAL_LIMIT.min(max as f64),
            max,
            in_flight: 0,
            slow_start: true,
            last_decrease: None,
            paused_until: None,
            last_admitted: None,
            interrupted: 0,
            uninterrupted: 0,
            least: None,
            mean: 0.0,
        };
        Self {
            state: Mutex::new(state),
            changed: Notify::new(),
        }
    }

    /// Waits for a permit.
    pub(crate) async fn acquire(self: &Arc<Self>) -> Permit {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            // Registered before the state is read: a change between the read and the wait is not
            // missed.
            changed.as_mut().enable();
            let admission = self.state().admit(Instant::now());
            match admission {
                Admission::Now => {
                    return Permit {
                        limiter: self.clone(),
                        started: Instant::now(),
                    };
                }
                Admission::At(time) => tokio::time::sleep_until(time).await,
                Admission::Later => changed.await,
            }
        }
    }

    /// Requests in flight now.
    pub(crate) fn in_flight(&self) -> usize {
        self.state().in_flight
    }

    /// Records a completion of so many tokens for a request started then.
    pub(crate) fn succeeded(&self, started: Instant, timing: Timing, tokens: usize) {
        self.state().completed_despite_newer(started);
        match timing.time_to_first_token {
            Some(time) => self.state().succeeded(time.as_secs_f64(), TTFT_SLACK_S),
            None => self
                .state()
                .succeeded(timing.total.as_secs_f64() / tokens.max(1) as f64, 0.0),
        }
        self.changed.notify_waiters();
    }

    /// Records a request, started then, that was throttled or timed out, and the pause that the
    /// server asks for.
    pub(crate) fn throttled(&self, started: Instant, pause: Option<Duration>) {
        self.state().throttled(started, Instant::now(), pause);
    }

    /// Records a request, started then, whose response was truncated. True where it proves that the
    /// server interrupts requests when newer ones arrive: from then on there is one at a time.
    pub(crate) fn truncated(&self, started: Instant) -> bool {
        self.state().truncated(started)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state
            .lock()
            .expect("nothing panics while the state is held")
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Admission {
    Now,
    At(Instant),
    Later,
}

impl State {
    fn admit(&mut self, now: Instant) -> Admission {
        match self.paused_until {
            Some(end) if end > now => return Admission::At(end),
            _ => self.paused_until = None,
        }
        if self.in_flight < self.limit as usize {
            self.in_flight += 1;
            self.last_admitted = Some(now);
            return Admission::Now;
        }
        Admission::Later
    }

    fn succeeded(&mut self, seconds: f64, slack: f64) {
        let least = self
            .least
            .map_or(seconds, |least| (least * MIN_TIME_DECAY).min(seconds));
        self.mean = if self.least.is_none() {
            seconds
        } else {
            self.mean + EWMA_WEIGHT * (seconds - self.mean)
        };
        self.least = Some(least);
        if self.mean > MAX_SLOWDOWN * least + slack {
            self.slow_start = false;
            return;
        }
        // Only a limit that is used says something about a higher one.
        if self.in_flight * 2 >= self.limit as usize {
            // One for each completion doubles the limit in a round; its part of one adds up to one.
            let step = if self.slow_start {
                1.0
            } else {
                1.0 / self.limit
            };
            self.limit = (self.limit + step).min(self.max as f64);
        }
    }

    fn has_newer(&self, started: Instant) -> bool {
        // A permit starts after its own admission, so that a request is never newer than itself.
        self.last_admitted.is_some_and(|last| last > started)
    }

    fn completed_despite_newer(&mut self, started: Instant) {
        self.uninterrupted += usize::from(self.has_newer(started));
    }

    fn truncated(&mut self, started: Instant) -> bool {
        self.interrupted += usize::from(self.has_newer(started));
        let interrupts = self.interrupted >= MIN_INTERRUPTED
            && self.interrupted > INTERRUPTED_FACTOR * self.uninterrupted;
        if !interrupts || self.max == 1 {
            return false;
        }
        (self.max, self.limit) = (1, 1.0);
        true
    }

    fn throttled(&mut self, started: Instant, now: Instant, pause: Option<Duration>) {
        self.slow_start = false;
        // A request that started before the last decrease tells of the load that led to it.
        if self.last_decrease.is_none_or(|halved| started > halved) {
            self.limit = (self.limit / 2.0).max(1.0);
            self.last_decrease = Some(now);
        }
        if let Some(end) = pause.map(|pause| now + pause) {
            self.paused_until = Some(self.paused_until.map_or(end, |before| before.max(end)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(max: usize) -> State {
        Arc::into_inner(Arc::new(ConcurrencyLimiter::new(max)))
            .unwrap()
            .state
            .into_inner()
            .unwrap()
    }

    fn fill(state: &mut State) -> usize {
        let now = Instant::now();
        while state.admit(now) == Admission::Now {}
        state.in_flight
    }

    #[test]
    fn slow_start_doubles_the_limit_up_to_its_maximum() {
        let mut state = state(50);
        let mut rounds = Vec::new();
        for _ in 0..6 {
            let in_flight = fill(&mut state);
            rounds.push(in_flight);
            for _ in 0..in_flight {
                state.succeeded(0.1, TTFT_SLACK_S);
                state.in_flight -= 1;
                state.admit(Instant::now());
            }
            state.in_flight = 0;
        }
        assert!(rounds[1] >= 7 && rounds[2] >= 14, "{rounds:?}");
        assert_eq!(rounds[5], 50, "{rounds:?}");
    }

    #[test]
    fn the_limit_stands_still_while_completions_are_slow() {
        let mut state = state(50);
        state.succeeded(0.1, TTFT_SLACK_S);
        for _ in 0..100 {
            fill(&mut state);
            state.succeeded(2.0, TTFT_SLACK_S);
            state.in_flight = 0;
        }
        let stands = state.limit;
        fill(&mut state);
        state.succeeded(2.0, TTFT_SLACK_S);
        assert_eq!(state.limit, stands);
        assert!(stands < 10.0, "{stands}");
    }

    #[test]
    fn unstreamed_responses_are_timed_by_the_token() {
        let limiter = ConcurrencyLimiter::new(50);
        for tokens in [10, 500, 20, 300, 10, 800, 100, 40].repeat(4) {
            limiter.state().in_flight = 50;
            let timing = Timing {
                time_to_first_token: None,
                total: Duration::from_millis(10 * tokens as u64),
            };
            limiter.succeeded(Instant::now(), timing, tokens);
        }
        assert!(limiter.state().limit > 30.0, "{}", limiter.state().limit);
    }

    #[test]
    fn requests_that_were_in_flight_together_halve_the_limit_once() {
        let mut state = state(64);
        state.limit = 64.0;
        let (started, now) = (Instant::now(), Instant::now() + Duration::from_secs(1));
        for _ in 0..64 {
            state.throttled(started, now, None);
        }
        assert_eq!(state.limit, 32.0);
        let later = now + Duration::from_secs(1);
        state.throttled(later, later, None);
        assert_eq!(state.limit, 16.0);
        for second in 1..20 {
            let later = later + Duration::from_secs(second);
            state.throttled(later, later, None);
        }
        assert_eq!(state.limit, 1.0);
    }

    /// Whether a server counts as one that interrupts after these requests, each of which had a
    /// newer one: true where it was cut off.
    fn interrupts(cut_off: &[bool]) -> bool {
        let mut state = state(8);
        let started = Instant::now();
        state.admit(started + Duration::from_secs(1));
        let step = |is_cut: &bool| match is_cut {
            true => state.truncated(started),
            false => {
                state.completed_despite_newer(started);
                false
            }
        };
        let found = cut_off.iter().map(step).filter(|found| *found).count();
        assert!(found <= 1);
        assert_eq!(state.max, if found == 1 { 1 } else { 8 });
        found == 1
    }

    #[test]
    fn a_server_that_cuts_requests_off_when_newer_ones_come_is_asked_one_at_a_time() {
        assert!(interrupts(&[true; 6]) && interrupts(&[true; 20]));
        assert!(!interrupts(&[true; 5]));
        assert!(interrupts(&[true, false, true, true, true, true, true]));
        assert!(!interrupts(&[
            true, false, true, true, true, true, false, true
        ]));
        assert!(!interrupts(
            &[[false; 4].as_slice(), &[true]].concat().repeat(50)
        ));
    }

    #[test]
    fn a_request_that_is_cut_off_without_a_newer_one_says_nothing() {
        let mut state = state(8);
        state.admit(Instant::now());
        let later = Instant::now() + Duration::from_secs(1);
        assert!((0..20).all(|_| !state.truncated(later)));
    }

    #[test]
    fn no_request_starts_in_a_pause() {
        let mut state = state(8);
        let now = Instant::now();
        state.throttled(now, now, Some(Duration::from_secs(7)));
        state.throttled(now, now, Some(Duration::from_secs(3)));
        assert_eq!(
            state.admit(now),
            Admission::At(now + Duration::from_secs(7))
        );
        assert_eq!(state.admit(now + Duration::from_secs(8)), Admission::Now);
    }

    #[tokio::test(start_paused = true)]
    async fn a_permit_is_returned_and_waited_for() {
        let limiter = Arc::new(ConcurrencyLimiter::new(1));
        let first = limiter.acquire().await;
        let second = tokio::spawn({
            let limiter = limiter.clone();
            async move { limiter.acquire().await }
        });
        tokio::task::yield_now().await;
        assert!(!second.is_finished());
        limiter.throttled(first.started(), Some(Duration::from_secs(60)));
        drop(first);
        let asked = Instant::now();
        drop(second.await.unwrap());
        assert_eq!(asked.elapsed().as_secs(), 60);
    }
}
