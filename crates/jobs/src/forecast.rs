//! When work will be done, from what was seen of it.
//!
//! Completions differ in length, and of many at a time the short ones finish first: a mean over
//! those that are finished is too low at first, and a share of items says nothing about the last
//! few, which may run for minutes. So the lengths of completions under way count too, as lengths
//! that are not known to their end ([`lengths`]); speed is taken from the last half minute
//! ([`pace`]); and what is left is laid out side by side as it will be computed.

mod lengths; // how long completions are
mod pace; // how fast steps are, and how fast prompts are read

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use crate::progress::Progress;
use lengths::{LengthLaw, Lengths};
use pace::{Pace, Seen};

/// Of the completions that wait, so many for each place are laid out one by one; those before them
/// count with their mean.
const LAID_OUT: usize = 8;
/// A completion may be told as finished so long after it stopped running.
const MAX_DELAY: Duration = Duration::from_secs(1);

/// Estimates when work will be done. It is told of progress at every event, and asked whenever
/// somebody wants to know.
#[derive(Clone, Debug)]
pub struct Forecast {
    /// Most new tokens of a completion.
    max_tokens: usize,
    lengths: Lengths,
    /// New tokens so far of each completion under way. Nobody tells them one by one: each new token
    /// is shared out among all, which is exact where all advance in step.
    under_way: Vec<f64>,
    /// Since when these have been more than are running.
    too_many_since: Option<Duration>,
    pace: Pace,
    seen: Progress,
}

/// How fast tokens came over the last half minute, in tokens a second of it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Speeds {
    /// Tokens of prompts that were read.
    pub prompts: f64,
    /// New tokens.
    pub decode: f64,
}

impl Forecast {
    /// An estimate for completions of at most `max_tokens` new tokens.
    pub fn new(max_tokens: usize) -> Self {
        Self {
            max_tokens: max_tokens.max(1),
            lengths: Lengths::default(),
            under_way: Vec::new(),
            too_many_since: None,
            pace: Pace::default(),
            seen: Progress::default(),
        }
    }

    /// Takes note of progress at a time after some moment, the same for all calls. The first call
    /// sets the clock.
    pub fn observe(&mut self, at: Duration, progress: &Progress) {
        let before = std::mem::replace(&mut self.seen, *progress);
        let new = |count: fn(&Progress) -> usize| count(progress).saturating_sub(count(&before));
        if self.under_way.len() < progress.running {
            self.under_way.resize(progress.running, 0.0);
        }
        let decoded = new(|progress| progress.completion_tokens);
        let share = decoded as f64 / self.under_way.len().max(1) as f64;
        self.under_way
            .iter_mut()
            .for_each(|tokens| *tokens += share);
        let completions = new(|progress| progress.completions);
        for _ in 0..completions {
            let length = new(|progress| progress.finished_tokens) / completions;
            self.lengths.add(length);
            self.forget(length as f64);
        }
        self.settle(at);
        self.pace.observe(
            at,
            Seen {
                prompt_tokens: new(|progress| progress.prompt_tokens) as f64,
                // Of a server that tells tokens only at the end they count then.
                // Work in several parts counts anew with each.
                new_tokens: new(tokens) as f64,
                running: progress.running.max(1),
            },
        );
    }

    /// The time that is left; `None` before the first completion, as nothing is known of lengths,
    /// and before the first new token.
    pub fn left(&self) -> Option<Duration> {
        let open = self.seen.open();
        if open == 0 {
            return Some(Duration::ZERO);
        }
        let law = self.lengths.law(&self.under_way, self.max_tokens)?;
        let pace = self.pace.fitted()?;
        // Items that are asked again need more than one completion each.
        let asked = (self.seen.completions as f64 / self.seen.finished.max(1) as f64).max(1.0);
        let waiting = ((open as f64 * asked).round() as usize).saturating_sub(self.under_way.len());
        let prompt = self.seen.prompt_tokens as f64
            / (self.seen.completions + self.seen.running).max(1) as f64;
        let places = match waiting {
            0 => self.under_way.len(),
            _ => self.under_way.len().max(self.pace.places()),
        };
        let steps = self.steps(&law, waiting, places.max(1));
        let seconds = steps * pace.step + waiting as f64 * prompt * pace.prompt_token;
        // Costs may be extreme at first: what no Duration holds is told as unknown.
        Duration::try_from_secs_f64(seconds).ok()
    }

    /// How fast tokens came lately.
    pub fn speeds(&self) -> Speeds {
        self.pace.speeds()
    }

    /// Takes out the completion under way whose length is nearest.
    fn forget(&mut self, length: f64) {
        let distance = |tokens: &f64| (tokens - length).abs();
        let nearest = (0..self.under_way.len())
            .min_by(|&a, &b| distance(&self.under_way[a]).total_cmp(&distance(&self.under_way[b])));
        nearest.map(|index| self.under_way.swap_remove(index));
    }

    /// Makes the lengths under way as many as are running, the longest of them, and their sum the
    /// tokens that belong to no finished completion.
    fn settle(&mut self, at: Duration) {
        let since =
            (self.under_way.len() > self.seen.running).then(|| self.too_many_since.unwrap_or(at));
        self.too_many_since = since;
        if since.is_some_and(|since| at.saturating_sub(since) >= MAX_DELAY) {
            self.under_way.sort_by(|a, b| b.total_cmp(a));
            self.under_way.truncate(self.seen.running);
        }
        let sum: f64 = self.under_way.iter().sum();
        // A server's pieces may be fewer than the tokens that it counts in the end: then nothing is
        // known of the sum.
        if let Some(known) = self
            .seen
            .completion_tokens
            .checked_sub(self.seen.finished_tokens)
            && sum > 0.0
        {
            self.under_way
                .iter_mut()
                .for_each(|tokens| *tokens *= known as f64 / sum);
        }
    }

    /// Steps until the last completion is finished, where each of `places` gives one completion a
    /// token at each step.
    ///
    /// The completions get lengths that are spread evenly over the law, in an order without pattern
    /// that is always the same: multiples of the golden ratio.
    fn steps(&self, law: &LengthLaw, waiting: usize, places: usize) -> f64 {
        let golden = |index: f64| (index * 0.618_033_988_749_895).fract();
        let mut started = self.under_way.clone();
        started.sort_by(f64::total_cmp);
        let left =
            |(index, tokens): (usize, f64)| law.left(tokens, golden(index as f64 + 1.0)).max(1.0);
        let mut ends: BinaryHeap<Reverse<Steps>> = started
            .into_iter()
            .enumerate()
            .map(|started| Reverse(Steps(left(started))))
            .collect();
        ends.extend((ends.len()..places).map(|_| Reverse(Steps(0.0))));

        // Half a step aside from those under way: equal places would give both the same lengths.
        let laid_out = waiting.min(LAID_OUT * places);
        let lengths = (0..laid_out).map(|index| law.left(0.0, golden(index as f64 + 0.5)).max(1.0));
        let mut sum = 0.0;
        for length in lengths {
            // There is at least one place, and each that is taken is put back.
            let Reverse(Steps(first)) = ends.pop().expect("there is a place");
            ends.push(Reverse(Steps(first + length)));
            sum += length;
        }
        let before = (waiting - laid_out) as f64 * sum / laid_out.max(1) as f64 / places as f64;
        let last = ends
            .into_iter()
            .map(|Reverse(Steps(end))| end)
            .fold(0.0, f64::max);
        before + last
    }
}

/// New tokens: those that were told as they came, or those of finished completions where these are
/// more.
fn tokens(progress: &Progress) -> usize {
    progress.completion_tokens.max(progress.finished_tokens)
}

/// A number of steps, ordered.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Steps(f64);

impl Eq for Steps {}

impl PartialOrd for Steps {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Steps {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0)
    }
}
