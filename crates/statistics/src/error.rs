//! What can be wrong with what is asked.

/// A question that has no answer.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A probability of error outside of its range.
    #[error("an alpha of {alpha} is not above 0 and below {below}; 0.05 is usual")]
    Alpha {
        /// What was given.
        alpha: f64,
        /// What it must be below: 1 for two sides, 0.5 for one.
        below: f64,
    },
    /// A power outside of (0.5, 1): the approximations hold for tests that find more than they
    /// miss.
    #[error("a power of {0} is not above 0.5 and below 1; 0.8 is usual")]
    Power(f64),
    /// A margin that is no difference of two proportions.
    #[error("a margin of {0} is not in 0..=1 (it is a proportion: 1 point is 0.01)")]
    Margin(f64),
    /// A share of discordant items that is no proportion.
    #[error("a discordance of {0} is not in 0..=1")]
    Discordance(f64),
    /// A difference that cannot be, or that the discordance does not allow.
    #[error(
        "a difference of {difference} does not fit a discordance of {discordance}: it must be above 0 and at most that"
    )]
    Difference {
        /// What was given.
        difference: f64,
        /// Share of items on which the two runs differ.
        discordance: f64,
    },
    /// More correct answers than answers.
    #[error("item {item}: {correct} of {samples} answers are correct")]
    Correct {
        /// Index of the item.
        item: usize,
        /// Correct answers.
        correct: usize,
        /// Answers.
        samples: usize,
    },
    /// No answers to an item.
    #[error("there must be at least one answer to an item")]
    NoSamples,
    /// k answers cannot be drawn.
    #[error(
        "k = {k} answers cannot be drawn from {samples}: k must be at least 1 and at most the number of answers"
    )]
    Draw {
        /// Answers to draw.
        k: usize,
        /// Answers there are.
        samples: usize,
    },
    /// Items with different numbers of answers where they must have the same.
    #[error("item {item} has {found} answers, the items before it {expected}")]
    Uneven {
        /// Index of the item.
        item: usize,
        /// Its answers.
        found: usize,
        /// Answers to the items before it.
        expected: usize,
    },
    /// Two runs that do not answer the same items.
    #[error("the first run has {a} items and the second {b}: only the same items can be compared")]
    Unpaired {
        /// Items of the first run.
        a: usize,
        /// Items of the second run.
        b: usize,
    },
    /// A set without items, of which nothing can be compared.
    #[error("set {set} has no items")]
    NoItems {
        /// Index of the set.
        set: usize,
    },
    /// A value that is not a number.
    #[error("item {item}: {value} is not a finite number")]
    NotFinite {
        /// Index of the item.
        item: usize,
        /// Its value.
        value: f64,
    },
    /// A difference of two accuracies that cannot be.
    #[error("item {item}: {value} is not in -1..=1")]
    NotADifference {
        /// Index of the item.
        item: usize,
        /// Its value.
        value: f64,
    },
    /// A p-value that is no probability.
    #[error("p-value {index} is {value}, not in 0..=1")]
    PValue {
        /// Its index.
        index: usize,
        /// The value.
        value: f64,
    },
    /// No resamples were asked for.
    #[error("a bootstrap needs at least one resample; 10000 are usual")]
    NoResamples,
}
