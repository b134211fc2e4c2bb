//! How many sequences decode at a time: a fixed number, or the one that turns out fastest.

use std::time::Duration;

/// Batch sizes to try, in this order: the first is where every run begins.
const CANDIDATES: [usize; 6] = [64, 96, 128, 192, 256, 384];

/// Finds the batch size with the most tokens a second by trying larger ones until one is no faster.
#[derive(Debug)]
pub(crate) struct BatchSizeTuner {
    batch_size: usize,
    /// Sizes to try next; none where the user has fixed the size.
    untried: std::slice::Iter<'static, usize>,
    /// The fastest size so far and its rate in rows a second.
    best: (usize, f64),
    /// Rows, seconds and steps measured at the present size.
    rows: usize,
    seconds: f64,
    steps: usize,
}

impl BatchSizeTuner {
    /// Steps after which a size is judged; the first ones of them are not measured.
    const TRIAL_STEPS: usize = 24;
    const WARM_UP_STEPS: usize = 4;
    /// A larger size must be faster by so much: it also delays the requests that wait.
    const MIN_GAIN: f64 = 1.03;

    /// `fixed` is the size that the user wants, if any.
    pub(crate) fn new(fixed: Option<usize>) -> Self {
        let (batch_size, untried) = match fixed {
            Some(size) => (size.max(1), [].iter()),
            None => (CANDIDATES[0], CANDIDATES[1..].iter()),
        };
        Self {
            batch_size,
            untried,
            best: (batch_size, 0.0),
            rows: 0,
            seconds: 0.0,
            steps: 0,
        }
    }

    /// Sequences that may run at a time now.
    pub(crate) fn batch_size(&self) -> usize {
        self.batch_size
    }

    /// Records a step that only decoded. A batch that is not full says nothing of its size, and
    /// where no request is `waiting` another size would change nothing.
    pub(crate) fn record_step(&mut self, rows: usize, elapsed: Duration, waiting: bool) {
        if self.untried.len() == 0 || !waiting || rows * 10 < self.batch_size * 9 {
            return;
        }
        self.steps += 1;
        if self.steps <= Self::WARM_UP_STEPS {
            return;
        }
        self.rows += rows;
        self.seconds += elapsed.as_secs_f64();
        if self.steps < Self::TRIAL_STEPS {
            return;
        }
        let rate = self.rows as f64 / self.seconds.max(1e-9);
        (self.rows, self.seconds, self.steps) = (0, 0.0, 0);
        if rate > self.best.1 * Self::MIN_GAIN {
            self.best = (self.batch_size, rate);
            self.batch_size = *self.untried.next().unwrap_or(&self.batch_size);
        } else {
            self.batch_size = self.best.0;
            self.untried = [].iter();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where the search ends when a step takes `seconds(rows)`.
    fn found(fixed: Option<usize>, waiting: bool, seconds: impl Fn(usize) -> f64) -> usize {
        let mut tuner = BatchSizeTuner::new(fixed);
        for _ in 0..1_000 {
            let rows = tuner.batch_size();
            tuner.record_step(rows, Duration::from_secs_f64(seconds(rows)), waiting);
        }
        tuner.batch_size()
    }

    #[test]
    fn the_fastest_batch_size_is_found() {
        // Each row costs the same: more are no faster.
        assert_eq!(found(None, true, |rows| rows as f64), 64);
        // A step has a price of its own, which more rows share.
        assert_eq!(found(None, true, |rows| 100.0 + rows as f64), 384);
        // From 192 rows on something overflows.
        let overflowing = |rows: usize| if rows >= 192 { 3.0 } else { 1.0 };
        assert_eq!(
            found(None, true, |rows| 100.0 + overflowing(rows) * rows as f64),
            128
        );
    }

    #[test]
    fn nothing_is_tried_where_it_cannot_help() {
        assert_eq!(found(None, false, |rows| 100.0 + rows as f64), 64);
        assert_eq!(found(Some(7), true, |rows| 100.0 + rows as f64), 7);
    }
}
