//! How many requests are under way at a time.
//!
//! The limit follows the server: it doubles with each round of answers until something speaks
//! against it, then grows by one a round; it stands still while answers are much slower than they
//! were with less to do; it is halved where the server says 429 or 503 or nothing at all, once for
//! all requests that were under way by then. Where the server asks for a pause, nobody starts
//! before its end. A server that gives up what is under way whenever a newer request comes is asked
//! one request at a time from then on.
//!
//! How slow an answer is shows in the time to its first word: what waits in a queue has none. An
//! answer that comes at once has only its whole time, which depends on its length; there it is the
//! time a token.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

/// Requests at the start.
const FIRST_LIMIT: f64 = 4.0;
/// An answer may take so many times the least that was seen and still count as prompt.
const PROMPT_FACTOR: f64 = 3.0;
/// So many seconds more to the first word say nothing.
const SLACK: f64 = 0.25;
/// What each new time weighs in the running mean.
const WEIGHT: f64 = 0.1;
/// Requests that must have been cut off after a newer one came before the server counts as one that
/// interrupts, and how many times as many as those that came to their end in spite of a newer one.
/// Streams that break by chance in one case of five look so once in some thousand runs.
const MIN_INTERRUPTED: usize = 6;
const INTERRUPTED_FACTOR: usize = 4;
/// By how much the least time rises with each answer, so that one lucky moment does not count for
/// ever.
const FORGETTING: f64 = 1.002;

/// How long an answer took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pace {
    /// To the first piece of a stream; `None` where everything came at once.
    pub(crate) to_first_word: Option<Duration>,
    /// To its end.
    pub(crate) whole: Duration,
}

/// Admits requests.
#[derive(Debug)]
pub(crate) struct Limiter {
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Debug)]
struct State {
    limit: f64,
    most: usize,
    under_way: usize,
    doubling: bool,
    last_halved: Option<Instant>,
    paused_until: Option<Instant>,
    /// When leave was given last.
    last_admitted: Option<Instant>,
    /// Requests that were cut off after a newer one had started, and those that came to their end
    /// all the same.
    interrupted: usize,
    uninterrupted: usize,
    /// Seconds to the first word, or a token: the least, and the running mean.
    least: Option<f64>,
    mean: f64,
}

/// Leave for one request; given back when dropped.
#[derive(Debug)]
pub(crate) struct Permit {
    limiter: Arc<Limiter>,
    started: Instant,
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.limiter.state().under_way -= 1;
        self.limiter.changed.notify_waiters();
    }
}

impl Permit {
    /// When the request may have started.
    pub(crate) fn started(&self) -> Instant {
        self.started
    }
}

impl Limiter {
    /// At most `most` requests at a time, at least 1.
    pub(crate) fn new(most: usize) -> Self {
        let most = most.max(1);
        let state = State {
            limit: FIRST_LIMIT.min(most as f64),
            most,
            under_way: 0,
            doubling: true,
            last_halved: None,
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

    /// Waits for leave to start a request.
    pub(crate) async fn acquire(self: &Arc<Self>) -> Permit {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            // Heard from here on: what changes between the look at the state and the wait is not
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

    /// Requests under way now.
    pub(crate) fn under_way(&self) -> usize {
        self.state().under_way
    }

    /// Takes note of an answer of so many tokens to a request started then.
    pub(crate) fn succeeded(&self, started: Instant, pace: Pace, tokens: usize) {
        self.state().was_uninterrupted(started);
        match pace.to_first_word {
            Some(time) => self.state().succeeded(time.as_secs_f64(), SLACK),
            None => self
                .state()
                .succeeded(pace.whole.as_secs_f64() / tokens.max(1) as f64, 0.0),
        }
        self.changed.notify_waiters();
    }

    /// Takes note of a request, started then, that the server put off, and of the pause that it
    /// asks for.
    pub(crate) fn throttled(&self, started: Instant, pause: Option<Duration>) {
        self.state().throttled(started, Instant::now(), pause);
    }

    /// Takes note of a request, started then, whose answer broke off. True where it becomes clear
    /// with it that the server interrupts requests when newer ones come: from then on there is one
    /// at a time.
    pub(crate) fn cut_off(&self, started: Instant) -> bool {
        self.state().cut_off(started)
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
        if self.under_way < self.limit as usize {
            self.under_way += 1;
            self.last_admitted = Some(now);
            return Admission::Now;
        }
        Admission::Later
    }

    fn succeeded(&mut self, seconds: f64, slack: f64) {
        let least = self
            .least
            .map_or(seconds, |least| (least * FORGETTING).min(seconds));
        self.mean = if self.least.is_none() {
            seconds
        } else {
            self.mean + WEIGHT * (seconds - self.mean)
        };
        self.least = Some(least);
        if self.mean > PROMPT_FACTOR * least + slack {
            self.doubling = false;
            return;
        }
        // Only a limit that is made use of says something about a higher one.
        if self.under_way * 2 >= self.limit as usize {
            let step = if self.doubling { 1.0 } else { 1.0 / self.limit };
            self.limit = (self.limit + step).min(self.most as f64);
        }
    }

    fn has_newer(&self, started: Instant) -> bool {
        self.last_admitted.is_some_and(|last| last > started)
    }

    fn was_uninterrupted(&mut self, started: Instant) {
        self.uninterrupted += usize::from(self.has_newer(started));
    }

    fn cut_off(&mut self, started: Instant) -> bool {
        self.interrupted += usize::from(self.has_newer(started));
        let interrupts = self.interrupted >= MIN_INTERRUPTED
            && self.interrupted > INTERRUPTED_FACTOR * self.uninterrupted;
        if !interrupts || self.most == 1 {
            return false;
        }
        (self.most, self.limit) = (1, 1.0);
        true
    }

    fn throttled(&mut self, started: Instant, now: Instant, pause: Option<Duration>) {
        self.doubling = false;
        if self.last_halved.is_none_or(|halved| started > halved) {
            self.limit = (self.limit / 2.0).max(1.0);
            self.last_halved = Some(now);
        }
        if let Some(end) = pause.map(|pause| now + pause) {
            self.paused_until = Some(self.paused_until.map_or(end, |before| before.max(end)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(most: usize) -> State {
        Arc::into_inner(Arc::new(Limiter::new(most)))
            .unwrap()
            .state
            .into_inner()
            .unwrap()
    }

    fn fill(state: &mut State) -> usize {
        let now = Instant::now();
        while state.admit(now) == Admission::Now {}
        state.under_way
    }

    #[test]
    fn the_limit_doubles_while_answers_come_promptly_and_has_an_end() {
        let mut state = state(50);
        let mut rounds = Vec::new();
        for _ in 0..6 {
            let under_way = fill(&mut state);
            rounds.push(under_way);
            for _ in 0..under_way {
                state.succeeded(0.1, SLACK);
                state.under_way -= 1;
                state.admit(Instant::now());
            }
            state.under_way = 0;
        }
        assert!(rounds[1] >= 7 && rounds[2] >= 14, "{rounds:?}");
        assert_eq!(rounds[5], 50, "{rounds:?}");
    }

    #[test]
    fn the_limit_stands_still_while_answers_come_late() {
        let mut state = state(50);
        state.succeeded(0.1, SLACK);
        for _ in 0..100 {
            fill(&mut state);
            state.succeeded(2.0, SLACK);
            state.under_way = 0;
        }
        let stands = state.limit;
        fill(&mut state);
        state.succeeded(2.0, SLACK);
        assert_eq!(state.limit, stands);
        assert!(stands < 10.0, "{stands}");
    }

    #[test]
    fn whole_answers_are_held_against_their_length() {
        let limiter = Limiter::new(50);
        for tokens in [10, 500, 20, 300, 10, 800, 100, 40].repeat(4) {
            limiter.state().under_way = 50;
            let pace = Pace {
                to_first_word: None,
                whole: Duration::from_millis(10 * tokens as u64),
            };
            limiter.succeeded(Instant::now(), pace, tokens);
        }
        assert!(limiter.state().limit > 30.0, "{}", limiter.state().limit);
    }

    #[test]
    fn requests_that_were_under_way_together_halve_the_limit_once() {
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
            true => state.cut_off(started),
            false => {
                state.was_uninterrupted(started);
                false
            }
        };
        let found = cut_off.iter().map(step).filter(|found| *found).count();
        assert!(found <= 1);
        assert_eq!(state.most, if found == 1 { 1 } else { 8 });
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
        assert!((0..20).all(|_| !state.cut_off(later)));
    }

    #[test]
    fn nobody_starts_in_a_pause() {
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
    async fn leave_is_given_back_and_waited_for() {
        let limiter = Arc::new(Limiter::new(1));
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
