//! Whether the server is gone, or only a prompt fails.
//!
//! A server that answers some prompts is there: what fails all its attempts meanwhile fails for
//! itself. An attempt counts so only if something succeeded since the one before it, or the last
//! answers before an outage would speak against a prompt; and being put off by a server that has
//! too much to do says next to nothing of a prompt. Where nothing succeeds, prompts wait, since
//! recording each of them as failed would only say that the server was away; after a while without
//! a success the run ends. That would end a run for ever if the last prompts of it crashed the
//! server one by one, so a few prompts that the server does respond to, however badly, fail for
//! themselves then. Pieces of answers under way are signs of life: a slow server is not gone.

use std::collections::HashSet;
use std::time::Duration;

use tokio::time::Instant;

use crate::trouble::{Trouble, TroubleKind};

/// Attempts that must have failed before the server can count as gone.
const LEAST_FAILURES: usize = 8;
/// So many prompts may fail for themselves at a time.
const FEW_PROMPTS: usize = 4;
/// A server that shows life without ever finishing an answer gets so many times the attempts of a
/// prompt.
const ROUNDS_WITHOUT_SUCCESS: u32 = 3;
/// Being put off (429, 503) so often, while others succeed, counts as one attempt in vain.
const PUT_OFF: u32 = 20;

/// What is to become of a prompt whose attempt failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Judgement {
    /// Another attempt.
    Again,
    /// It fails for itself.
    PromptFails,
    /// The server is gone.
    ServerGone { failures: usize, seconds: u64 },
}

/// The attempts in vain of one prompt.
#[derive(Clone, Debug, Default)]
pub(crate) struct History {
    /// All of them.
    pub(crate) attempts: u32,
    /// Those before which something succeeded since the one before, where the server was not just
    /// busy.
    counted: u32,
    /// The others of those.
    put_off: u32,
    /// Those before which the server sent some piece since the one before, and finished nothing.
    alive: u32,
    last_failure: Option<Instant>,
}

impl History {
    fn failed(
        &mut self,
        kind: TroubleKind,
        last_success: Instant,
        last_sign: Instant,
        now: Instant,
    ) {
        let since_last = |time: Instant| self.last_failure.is_none_or(|last| time > last);
        let (counted, alive) = (since_last(last_success), since_last(last_sign));
        self.attempts += 1;
        match kind {
            TroubleKind::Throttled => self.put_off += u32::from(counted),
            _ => self.counted += u32::from(counted),
        }
        self.alive += u32::from(alive && !counted);
        self.last_failure = Some(now);
    }
}

/// Takes note of successes and failures.
#[derive(Debug)]
pub(crate) struct Breaker {
    gone_after: Duration,
    attempts: u32,
    last_success: Instant,
    last_sign: Instant,
    failures: usize,
    /// Prompts that failed since the last success: at most as many as are under way.
    prompts: HashSet<usize>,
    /// The longest pause that the server asked for since the last success.
    pause: Duration,
}

impl Breaker {
    /// `attempts`: how many a prompt has while others succeed.
    pub(crate) fn new(gone_after: Duration, attempts: u32, now: Instant) -> Self {
        Self {
            gone_after,
            attempts,
            last_success: now,
            last_sign: now,
            failures: 0,
            prompts: HashSet::new(),
            pause: Duration::ZERO,
        }
    }

    /// The server answered a prompt, or refused it, which only a server that is there can do.
    pub(crate) fn succeeded(&mut self, now: Instant) {
        *self = Self::new(self.gone_after, self.attempts, now);
    }

    /// The server sent a piece of an answer.
    pub(crate) fn showed_life(&mut self, now: Instant) {
        self.last_sign = now;
    }

    /// An attempt for a prompt failed.
    pub(crate) fn failed(
        &mut self,
        prompt: usize,
        trouble: &Trouble,
        history: &mut History,
        now: Instant,
    ) -> Judgement {
        self.failures += 1;
        self.prompts.insert(prompt);
        self.pause = self.pause.max(trouble.wait.unwrap_or_default());
        history.failed(trouble.kind, self.last_success, self.last_sign, now);
        let spent = history.attempts >= self.attempts;
        let never_ends = history.alive >= self.attempts.saturating_mul(ROUNDS_WITHOUT_SUCCESS);
        if history.counted + history.put_off / PUT_OFF >= self.attempts || never_ends {
            return Judgement::PromptFails;
        }
        let since = now.duration_since(self.last_success.max(self.last_sign));
        if since < self.gone_after + self.pause || self.failures < LEAST_FAILURES {
            return Judgement::Again;
        }
        let responds = matches!(
            trouble.kind,
            TroubleKind::Broken | TroubleKind::CutOff | TroubleKind::Silent
        );
        match responds && self.prompts.len() <= FEW_PROMPTS {
            true if spent => Judgement::PromptFails,
            true => Judgement::Again,
            false => Judgement::ServerGone {
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

    fn failure(kind: TroubleKind) -> Trouble {
        Trouble::new(kind, "test")
    }

    /// The judgement of one more failure of a prompt that has had so many attempts before it.
    fn judge(
        breaker: &mut Breaker,
        prompt: usize,
        kind: TroubleKind,
        before: u32,
        now: Instant,
    ) -> Judgement {
        let mut history = History {
            attempts: before,
            last_failure: Some(now),
            ..History::default()
        };
        breaker.failed(prompt, &failure(kind), &mut history, now)
    }

    #[test]
    fn a_prompt_that_fails_while_others_succeed_fails_for_itself() {
        let start = Instant::now();
        let mut breaker = Breaker::new(SPAN, 3, start);
        let mut history = History::default();
        let broken = failure(TroubleKind::Broken);
        let mut judged = Vec::new();
        for second in 0..3 {
            let now = start + Duration::from_secs(2 * second);
            judged.push(breaker.failed(0, &broken, &mut history, now));
            breaker.succeeded(now + Duration::from_secs(1));
        }
        assert_eq!(
            judged,
            [Judgement::Again, Judgement::Again, Judgement::PromptFails]
        );
    }

    #[test]
    fn a_prompt_that_is_only_put_off_gets_many_attempts() {
        let start = Instant::now();
        let mut breaker = Breaker::new(SPAN, 3, start);
        let mut history = History::default();
        let put_off = |second: u32| {
            let now = start + Duration::from_secs(2 * u64::from(second));
            let judged = breaker.failed(0, &failure(TroubleKind::Throttled), &mut history, now);
            breaker.succeeded(now + Duration::from_secs(1));
            judged
        };
        let judged: Vec<_> = (0..3 * PUT_OFF).map(put_off).collect();
        let (last, others) = judged.split_last().unwrap();
        assert!(
            others
                .iter()
                .all(|judgement| *judgement == Judgement::Again)
        );
        assert_eq!(*last, Judgement::PromptFails);
    }

    #[test]
    fn the_last_success_before_an_outage_does_not_speak_against_a_prompt() {
        let start = Instant::now();
        let mut breaker = Breaker::new(SPAN, 3, start);
        let mut history = History::default();
        let broken = failure(TroubleKind::Broken);
        breaker.failed(0, &broken, &mut history, start);
        breaker.succeeded(start + Duration::from_secs(1));
        for second in 2..11 {
            let now = start + Duration::from_secs(second);
            assert_eq!(
                breaker.failed(0, &broken, &mut history, now),
                Judgement::Again,
                "{second}"
            );
        }
    }

    #[test]
    fn a_server_without_a_success_for_the_span_is_gone() {
        let start = Instant::now();
        let mut breaker = Breaker::new(SPAN, 3, start);
        let early = start + Duration::from_secs(9);
        for prompt in 0..20 {
            assert_eq!(
                judge(&mut breaker, prompt, TroubleKind::Connection, 3, early),
                Judgement::Again
            );
        }
        let late = start + Duration::from_secs(11);
        let gone = Judgement::ServerGone {
            failures: 21,
            seconds: 11,
        };
        assert_eq!(
            judge(&mut breaker, 0, TroubleKind::Connection, 3, late),
            gone
        );
    }

    #[test]
    fn one_prompt_without_a_connection_or_under_a_throttle_is_the_servers_fault() {
        let start = Instant::now();
        for (kind, expected) in [
            (
                TroubleKind::Connection,
                Judgement::ServerGone {
                    failures: 8,
                    seconds: 11,
                },
            ),
            (
                TroubleKind::Throttled,
                Judgement::ServerGone {
                    failures: 8,
                    seconds: 11,
                },
            ),
            (TroubleKind::Broken, Judgement::PromptFails),
            (TroubleKind::Silent, Judgement::PromptFails),
        ] {
            let mut breaker = Breaker::new(SPAN, 3, start);
            let late = start + Duration::from_secs(11);
            let judged: Vec<_> = (0..8)
                .map(|_| judge(&mut breaker, 0, kind, 3, late))
                .collect();
            assert!(
                judged[..7]
                    .iter()
                    .all(|judgement| *judgement == Judgement::Again),
                "{judged:?}"
            );
            assert_eq!(judged[7], expected, "{kind:?}");
        }
    }

    #[test]
    fn a_slow_server_is_not_gone_but_one_that_never_ends_an_answer_fails_its_prompts() {
        let start = Instant::now();
        let mut breaker = Breaker::new(SPAN, 3, start);
        let late = start + Duration::from_secs(60);
        breaker.showed_life(late);
        for prompt in 0..20 {
            assert_eq!(
                judge(&mut breaker, prompt, TroubleKind::Broken, 3, late),
                Judgement::Again
            );
        }
        let mut history = History::default();
        let mut judged = Vec::new();
        for second in 0..10 {
            let now = late + Duration::from_secs(2 * second);
            judged.push(breaker.failed(0, &failure(TroubleKind::Broken), &mut history, now));
            breaker.showed_life(now + Duration::from_secs(1));
        }
        assert!(
            judged[..9]
                .iter()
                .all(|judgement| *judgement == Judgement::Again),
            "{judged:?}"
        );
        assert_eq!(judged[9], Judgement::PromptFails);
    }

    #[test]
    fn a_pause_that_the_server_asks_for_is_no_absence() {
        let start = Instant::now();
        let mut breaker = Breaker::new(SPAN, 3, start);
        let pause = Trouble {
            wait: Some(Duration::from_secs(60)),
            ..failure(TroubleKind::Throttled)
        };
        let late = start + Duration::from_secs(61);
        for prompt in 0..9 {
            let mut history = History {
                attempts: 3,
                ..History::default()
            };
            assert_eq!(
                breaker.failed(prompt, &pause, &mut history, late),
                Judgement::Again
            );
        }
        let later = start + Duration::from_secs(71);
        let gone = breaker.failed(0, &pause, &mut History::default(), later);
        assert!(matches!(gone, Judgement::ServerGone { .. }), "{gone:?}");
    }
}
