//! How fast work goes lately: how long a step takes, and how long it takes to read a token of a
//! prompt.
//!
//! A step is one token for every completion under way. Prompts are read between or within steps, so
//! nobody can say of a moment what it was spent on; over many moments with more and with fewer
//! prompts the two costs tell themselves apart, and until they do, a token of a prompt is taken to
//! cost as much as a new one.

use std::collections::VecDeque;
use std::time::Duration;

use super::Speeds;

/// What is older does not count.
const WINDOW: Duration = Duration::from_secs(30);
/// Stretches shorter than this are put together.
const STRETCH: Duration = Duration::from_millis(500);
/// So many stretches count however old they are: a step of a large model may take long.
const MIN_STRETCHES: usize = 8;

/// What happened since the last look.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen {
    pub(super) prompt_tokens: f64,
    pub(super) new_tokens: f64,
    /// Completions under way, at least 1.
    pub(super) running: usize,
}

/// A stretch of time and what was done in it: whatever is told at its end belongs to it.
#[derive(Clone, Copy, Debug, Default)]
struct Stretch {
    begin: Duration,
    end: Duration,
    prompt_tokens: f64,
    new_tokens: f64,
    steps: f64,
    running: usize,
}

/// The stretches of the last half minute.
#[derive(Clone, Debug, Default)]
pub(super) struct Pace {
    stretches: VecDeque<Stretch>,
    /// The one that still goes on.
    current: Option<Stretch>,
}

/// Costs in seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Costs {
    /// A token for every completion under way.
    pub(super) step: f64,
    /// A token of a prompt.
    pub(super) prompt_token: f64,
}

impl Stretch {
    fn seconds(&self) -> f64 {
        self.end.saturating_sub(self.begin).as_secs_f64()
    }

    fn is_whole(&self) -> bool {
        self.end.saturating_sub(self.begin) >= STRETCH
    }
}

impl Pace {
    pub(super) fn observe(&mut self, at: Duration, seen: Seen) {
        let mut current = self.current.unwrap_or(Stretch {
            begin: at,
            end: at,
            ..Stretch::default()
        });
        if current.is_whole() && at > current.end {
            self.stretches.push_back(current);
            current = Stretch {
                begin: current.end,
                ..Stretch::default()
            };
        }
        current.end = at;
        current.prompt_tokens += seen.prompt_tokens;
        current.new_tokens += seen.new_tokens;
        current.steps += seen.new_tokens / seen.running as f64;
        current.running = current.running.max(seen.running);
        self.current = Some(current);
        while self.stretches.len() >= MIN_STRETCHES
            && self
                .stretches
                .front()
                .is_some_and(|first| at.saturating_sub(first.end) > WINDOW)
        {
            self.stretches.pop_front();
        }
    }

    fn recent(&self) -> impl Iterator<Item = &Stretch> {
        self.stretches
            .iter()
            .chain(self.current.iter().filter(|current| current.is_whole()))
    }

    /// Most completions that were under way at a time.
    pub(super) fn places(&self) -> usize {
        self.recent()
            .map(|stretch| stretch.running)
            .max()
            .unwrap_or(0)
    }

    pub(super) fn speeds(&self) -> Speeds {
        let sum = |part: fn(&Stretch) -> f64| self.recent().map(part).sum::<f64>();
        match sum(Stretch::seconds) {
            0.0 => Speeds::default(),
            seconds => Speeds {
                prompts: sum(|stretch| stretch.prompt_tokens) / seconds,
                decode: sum(|stretch| stretch.new_tokens) / seconds,
            },
        }
    }

    /// The costs that explain the stretches best, by least squares, neither below 0; `None` before
    /// the first step.
    ///
    /// Two stretches more are made up, one of prompts and one of steps, in which every token costs
    /// the same: they count for little among many, and for much where there are few or where all
    /// are alike.
    pub(super) fn fitted(&self) -> Option<Costs> {
        let sum = |term: fn(&Stretch) -> f64| self.recent().map(term).sum::<f64>();
        let (count, seconds) = (self.recent().count() as f64, sum(Stretch::seconds));
        let (prompt_tokens, new_tokens) = (
            sum(|stretch| stretch.prompt_tokens),
            sum(|stretch| stretch.new_tokens),
        );
        let all_steps = sum(|stretch| stretch.steps);
        if all_steps <= 0.0 {
            return None;
        }
        let a_token = seconds / (prompt_tokens + new_tokens);
        let alike = Costs {
            step: a_token * new_tokens / all_steps,
            prompt_token: a_token,
        };
        let (prompts_made_up, steps_made_up) = (prompt_tokens / count, all_steps / count);
        let square = |number: f64| number * number;
        let steps = sum(|stretch| stretch.steps * stretch.steps) + square(steps_made_up);
        let prompts =
            sum(|stretch| stretch.prompt_tokens * stretch.prompt_tokens) + square(prompts_made_up);
        let both = sum(|stretch| stretch.steps * stretch.prompt_tokens);
        let time_of_steps =
            sum(|stretch| stretch.seconds() * stretch.steps) + alike.step * square(steps_made_up);
        let time_of_prompts = sum(|stretch| stretch.seconds() * stretch.prompt_tokens)
            + alike.prompt_token * square(prompts_made_up);
        if prompts == 0.0 {
            return Some(Costs {
                step: seconds / all_steps,
                prompt_token: 0.0,
            });
        }
        // Above 0: the stretches seen give no less than 0 (Cauchy and Schwarz), and the two made-up
        // ones, neither of them 0 here, add to it.
        let contrast = steps * prompts - both * both;
        let step = (time_of_steps * prompts - time_of_prompts * both) / contrast;
        let prompt_token = (time_of_prompts * steps - time_of_steps * both) / contrast;
        Some(match (step > 0.0, prompt_token >= 0.0) {
            (true, true) => Costs { step, prompt_token },
            (true, false) => Costs {
                step: seconds / all_steps,
                prompt_token: 0.0,
            },
            _ => alike,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A pace after stretches of so many prompt tokens and new tokens, with 10 completions under
    /// way and the given costs.
    fn pace(work: impl IntoIterator<Item = (f64, f64)>, costs: Costs) -> Pace {
        let mut pace = Pace::default();
        pace.observe(
            Duration::ZERO,
            Seen {
                prompt_tokens: 0.0,
                new_tokens: 0.0,
                running: 1,
            },
        );
        let mut at = 0.0;
        for (prompt_tokens, new_tokens) in work {
            at += costs.step * new_tokens / 10.0 + costs.prompt_token * prompt_tokens;
            pace.observe(
                Duration::from_secs_f64(at),
                Seen {
                    prompt_tokens,
                    new_tokens,
                    running: 10,
                },
            );
        }
        pace
    }

    const COSTS: Costs = Costs {
        step: 0.1,
        prompt_token: 0.002,
    };

    fn near(found: f64, expected: f64) {
        assert!(
            (found - expected).abs() < 1e-6 * expected.max(1e-3),
            "{found} and not {expected}"
        );
    }

    #[test]
    fn prompts_and_steps_are_told_apart() {
        let work = (0..60).map(|i| {
            if i % 3 == 0 {
                (400.0, 20.0)
            } else {
                (0.0, 80.0)
            }
        });
        let fitted = pace(work, COSTS).fitted().unwrap();
        // The two made-up stretches are 2 of 62.
        assert!((fitted.step / COSTS.step - 1.0).abs() < 0.03, "{fitted:?}");
        assert!(
            (fitted.prompt_token / COSTS.prompt_token - 1.0).abs() < 0.05,
            "{fitted:?}"
        );
    }

    #[test]
    fn where_they_cannot_be_told_apart_a_token_is_a_token() {
        for stretches in [1, 20] {
            let fitted = pace((0..stretches).map(|_| (200.0, 50.0)), COSTS)
                .fitted()
                .unwrap();
            // 0.9 s for 250 tokens, of which a step makes ten.
            near(fitted.prompt_token, 0.9 / 250.0);
            near(fitted.step, 10.0 * 0.9 / 250.0);
        }
    }

    #[test]
    fn prompts_that_cost_nothing_do_not_make_steps_dear() {
        // A server that reads prompts beside everything else and tells of them when they are
        // answered.
        let free = Costs {
            step: 0.1,
            prompt_token: 0.0,
        };
        let work = (0..60).map(|i| (if i % 4 == 0 { 300.0 } else { 0.0 }, 60.0 + (i % 3) as f64));
        let fitted = pace(work, free).fitted().unwrap();
        assert!((fitted.step / 0.1 - 1.0).abs() < 0.05, "{fitted:?}");
        assert!(fitted.prompt_token < 1e-4, "{fitted:?}");
    }

    #[test]
    fn only_the_last_half_minute_counts() {
        let slow = Costs { step: 1.0, ..COSTS };
        let mut pace = pace((0..30).map(|_| (0.0, 20.0)), slow);
        near(pace.fitted().unwrap().step, 1.0);
        let end = Duration::from_secs(60);
        for second in 1..=31 {
            let seen = Seen {
                prompt_tokens: 0.0,
                new_tokens: 100.0,
                running: 10,
            };
            pace.observe(end + Duration::from_secs(second), seen);
        }
        near(pace.fitted().unwrap().step, 0.1);
        near(pace.speeds().decode, 100.0);
    }

    #[test]
    fn before_the_first_step_nothing_is_known() {
        assert_eq!(pace([(1000.0, 0.0), (1000.0, 0.0)], COSTS).fitted(), None);
        near(
            pace([(1000.0, 0.0), (1000.0, 0.0)], COSTS).speeds().prompts,
            500.0,
        );
    }
}
