//! How long completions are, from those that are finished and from those that are under way.
//!
//! The survival curve is the product-limit estimate of Kaplan and Meier (1958): a completion under
//! way is one of which only a least length is known. Beyond the longest finished one completions
//! end at the rate at which those longer than most have ended, ends over tokens, and none goes on
//! beyond the greatest length.

use std::collections::BTreeMap;

/// Lengths of finished completions, in tokens.
#[derive(Clone, Debug, Default)]
pub(super) struct Lengths {
    counts: BTreeMap<usize, usize>,
    completions: usize,
}

/// How likely a completion is to have more than so many tokens.
#[derive(Clone, Debug)]
pub(super) struct LengthLaw {
    /// Lengths in ascending order with the share that is longer, from `(0, 1)` on.
    steps: Vec<(f64, f64)>,
    /// Share of completions beyond the last step that end with each further token, above 0.
    rate: f64,
    most: f64,
}

impl Lengths {
    pub(super) fn add(&mut self, tokens: usize) {
        *self.counts.entry(tokens).or_default() += 1;
        self.completions += 1;
    }

    /// The law that these and the completions under way follow, with their tokens so far; `None`
    /// before the first is finished.
    pub(super) fn law(&self, under_way: &[f64], most: usize) -> Option<LengthLaw> {
        if self.completions == 0 {
            return None;
        }
        let mut started = under_way.to_vec();
        started.sort_by(f64::total_cmp);
        let (mut longer, mut share) = (self.completions, 1.0);
        let mut steps = vec![(0.0, 1.0)];
        for (&length, &ended) in &self.counts {
            // Tokens so far are whole numbers but for rounding.
            let still_running =
                started.len() - started.partition_point(|&tokens| tokens < length as f64 - 0.5);
            share *= 1.0 - ended as f64 / (longer + still_running) as f64;
            longer -= ended;
            steps.push((length as f64, share));
        }
        Some(LengthLaw {
            steps,
            rate: self.rate(&started, most),
            most: most as f64,
        })
    }

    /// Share of completions beyond the median of the finished ones that end with each further
    /// token.
    fn rate(&self, under_way: &[f64], most: usize) -> f64 {
        let mut below = 0;
        let median = self.counts.iter().find_map(|(&length, count)| {
            below += count;
            (2 * below >= self.completions).then_some(length)
        });
        let median = median.unwrap_or(0);
        let (mut ends, mut tokens) = (0, 0.0);
        for (&length, &count) in self.counts.range(median + 1..) {
            // One that was cut did not end.
            ends += if length < most { count } else { 0 };
            tokens += (count * (length - median)) as f64;
        }
        // Those under way have not ended, but what they have beyond the median was survived.
        tokens += under_way
            .iter()
            .map(|tokens| (tokens - median as f64).max(0.0))
            .sum::<f64>();
        // Half an end where none was seen: a rate of zero would claim to know.
        (ends as f64).max(0.5) / tokens.max(median as f64).max(1.0)
    }
}

impl LengthLaw {
    /// Share of completions with more tokens.
    fn longer(&self, tokens: f64) -> f64 {
        if tokens >= self.most {
            return 0.0;
        }
        let after = self.steps.partition_point(|&(length, _)| length <= tokens);
        let (length, share) = self.steps[after.max(1) - 1];
        match after == self.steps.len() {
            true => share * (-self.rate * (tokens - length)).exp(),
            false => share,
        }
    }

    /// The least length that no more than this share of completions exceed.
    fn exceeded_by(&self, share: f64) -> f64 {
        let (longest, beyond) = self.steps[self.steps.len() - 1];
        let length = match share < beyond {
            true => longest + (beyond / share).ln() / self.rate,
            // In range: the last step has a share of no more than is asked for.
            false => self.steps[self.steps.partition_point(|&(_, longer)| longer > share)].0,
        };
        length.min(self.most)
    }

    /// Tokens that a completion with so many still gets, at a place in 0..1 among all such, the
    /// shortest first.
    pub(super) fn left(&self, tokens: f64, place: f64) -> f64 {
        match self.longer(tokens) {
            // Longer than any so far: it goes on as those beyond the longest do.
            share if share <= 0.0 => (-(1.0 - place).ln() / self.rate)
                .min(self.most - tokens)
                .max(0.0),
            share => (self.exceeded_by(share * (1.0 - place)) - tokens).max(0.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn law(finished: &[usize], under_way: &[f64], most: usize) -> LengthLaw {
        let mut lengths = Lengths::default();
        finished.iter().for_each(|&length| lengths.add(length));
        lengths.law(under_way, most).unwrap()
    }

    fn near(found: f64, expected: f64) {
        assert!(
            (found - expected).abs() < 1e-9,
            "{found} and not {expected}"
        );
    }

    /// The remission times of 21 patients under 6-MP (Freireich and others 1963) with the curve
    /// that every textbook prints.
    #[test]
    fn the_curve_is_that_of_the_textbook() {
        let relapsed = [6, 6, 6, 7, 10, 13, 16, 22, 23];
        let censored = [
            6.0, 9.0, 10.0, 11.0, 17.0, 19.0, 20.0, 25.0, 32.0, 32.0, 34.0, 35.0,
        ];
        let law = law(&relapsed, &censored, 100);
        let printed = [
            (6.0, 0.857),
            (7.0, 0.807),
            (10.0, 0.753),
            (13.0, 0.690),
            (16.0, 0.627),
            (22.0, 0.538),
            (23.0, 0.448),
        ];
        for (weeks, share) in printed {
            assert!(
                (law.longer(weeks) - share).abs() < 6e-4,
                "{weeks}: {} and not {share}",
                law.longer(weeks)
            );
        }
        near(law.longer(5.0), 1.0);
        near(law.longer(15.9), law.longer(13.0));
    }

    #[test]
    fn beyond_the_longest_completions_end_at_the_rate_of_those_longer_than_most() {
        let law = law(&[10, 20, 30], &[40.0, 50.0], 1000);
        // One end in the 60 tokens beyond the median.
        near(law.longer(70.0), law.longer(30.0) * (-40.0f64 / 60.0).exp());
        near(law.longer(1000.0), 0.0);
        near(law.left(990.0, 0.999), 10.0);
    }

    #[test]
    fn without_company_the_law_is_the_lengths_themselves() {
        let law = law(&[10, 20, 30, 40], &[], 100);
        let lengths: Vec<f64> = [0.1, 0.3, 0.6, 0.9]
            .map(|place| law.left(0.0, place))
            .to_vec();
        assert_eq!(lengths, [10.0, 20.0, 30.0, 40.0]);
        near(law.left(25.0, 0.25), 5.0);
        near(law.left(25.0, 0.75), 15.0);
    }

    #[test]
    fn where_all_were_cut_all_are() {
        let law = law(&[50; 8], &[10.0; 3], 50);
        near(law.left(0.0, 0.5), 50.0);
        near(law.left(10.0, 0.01), 40.0);
    }

    #[test]
    fn nothing_is_known_before_the_first_is_finished() {
        assert!(Lengths::default().law(&[500.0; 9], 2048).is_none());
    }
}
