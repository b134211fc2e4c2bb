//! Statistics of evaluations: how far an accuracy can be trusted, and whether two runs differ.
//!
//! In go counts and numbers: correct answers, how many there are, which of two runs solved an item.
//! Out come intervals, p-values and decisions. This crate refuses to know models, data sets,
//! scoring and files; it only computes. Accuracies and margins are proportions in 0..=1, never per
//! cent; differences are the second run less the first.
//!
//! ```
//! use statistics::{Bootstrap, Decision, PairedSet, Sensitivity, compare, decide, wilson_interval};
//!
//! let [low, high] = wilson_interval(83, 100);
//! assert!(low > 0.74 && high < 0.90);
//!
//! // Two runs over the same 2,000 items, of which 60 changed for the better and 55 for the worse.
//! let verdicts = (0..2000).map(|item| (item < 1055, item < 1000 || (1055..1115).contains(&item)));
//! let comparison = compare(&[PairedSet::of_verdicts(verdicts)], &Bootstrap::default())?;
//! let set = &comparison.sets[0];
//! assert_eq!((set.won, set.lost), (60, 55));
//! assert!(set.p > 0.6);
//! // The drop is below 1 point, surely; below half a point cannot be told from so few.
//! assert_eq!(decide(&set.drop(), 0.01, Sensitivity::default())?, Decision::Passed);
//! assert!(matches!(decide(&set.drop(), 0.005, Sensitivity::default())?, Decision::CannotTell { .. }));
//! # Ok::<(), statistics::Error>(())
//! ```

mod averages; // micro and macro
mod bootstrap; // stratified resampling
mod comparison; // two runs over several sets
mod decision; // drop and margin → passed, failed, cannot tell
mod error; // what cannot be asked
mod level; // one- and two-sided alpha
mod paired; // two runs over one set: McNemar, Tango, Holm
mod proportions; // intervals of one accuracy
mod samples; // pass@k and maj@k
mod sensitivity; // detectable differences and numbers of items
mod sign_flip; // a test for differences of means

pub use averages::{macro_average, mean, micro_average};
pub use bootstrap::{Bootstrap, Resampled, ResampledAverages, Stratum};
pub use comparison::{
    AverageComparison, Comparison, PairedSet, SetComparison, compare, paired_means_interval,
};
pub use decision::{Decision, Drop, decide};
pub use error::Error;
pub use level::Level;
pub use paired::{McNemar, PairedCounts, holm};
pub use proportions::{
    clustered_interval, combined_interval, sampled_interval, sampled_interval_at, wilson_interval,
    wilson_interval_at,
};
pub use samples::{Estimate, Vote, majority_at_k, mean_majority_at_k, mean_pass_at_k, pass_at_k};
pub use sensitivity::Sensitivity;
