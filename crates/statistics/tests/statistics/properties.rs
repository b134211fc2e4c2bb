//! What must hold for any counts.

use proptest::prelude::*;
use statistics::{
    Bootstrap, Decision, Level, PairedCounts, PairedSet, Sensitivity, Vote, clustered_interval,
    combined_interval, compare, decide, holm, majority_at_k, mean_majority_at_k, mean_pass_at_k,
    paired_means_interval, pass_at_k, sampled_interval, wilson_interval, wilson_interval_at,
};

fn counts() -> impl Strategy<Value = PairedCounts> {
    // Small counts, and zeros, are where things break.
    let cell = || prop_oneof![Just(0usize), 0usize..6, 0usize..4000];
    (cell(), cell(), cell(), cell()).prop_map(|(both, only_a, only_b, neither)| PairedCounts {
        both,
        only_a,
        only_b,
        neither,
    })
}

fn levels() -> impl Strategy<Value = Level> {
    (0.0001f64..0.9).prop_map(|alpha| Level::two_sided(alpha).unwrap())
}

/// Correct answers of two runs to the same items, out of so many each.
fn sampled_pair() -> impl Strategy<Value = (Vec<usize>, usize, Vec<usize>, usize)> {
    (1usize..5, 1usize..5, 1usize..30).prop_flat_map(|(samples_a, samples_b, n)| {
        let a = prop::collection::vec(0..=samples_a, n);
        let b = prop::collection::vec(0..=samples_b, n);
        (a, Just(samples_a), b, Just(samples_b))
    })
}

fn ordered_within(interval: [f64; 2], low: f64, high: f64) -> bool {
    low <= interval[0] && interval[0] <= interval[1] && interval[1] <= high
}

proptest! {
    #[test]
    fn wilson_holds_the_share_narrows_with_n_and_mirrors(n in 1usize..5000, part in 0.0f64..=1.0, level in levels()) {
        let correct = (part * n as f64) as usize;
        let found = wilson_interval_at(correct, n, level);
        let share = correct as f64 / n as f64;
        prop_assert!(ordered_within(found, 0.0, 1.0));
        prop_assert!(found[0] <= share + 1e-12 && share <= found[1] + 1e-12);
        let more = wilson_interval_at(correct * 3, n * 3, level);
        prop_assert!(more[1] - more[0] < found[1] - found[0]);
        let mirrored = wilson_interval_at(n - correct, n, level);
        prop_assert!((mirrored[0] - (1.0 - found[1])).abs() < 1e-9 && (mirrored[1] - (1.0 - found[0])).abs() < 1e-9);
    }

    #[test]
    fn intervals_of_several_answers_are_in_range((correct, samples, _, _) in sampled_pair()) {
        let n = correct.len();
        let found = sampled_interval(&correct, samples);
        prop_assert!(ordered_within(found, 0.0, 1.0));
        let clustered = clustered_interval(&correct, samples, Level::NINETY_FIVE).unwrap();
        prop_assert!(ordered_within(clustered, 0.0, 1.0));
        if samples == 1 {
            let once = wilson_interval(correct.iter().sum(), n);
            prop_assert!((found[0] - once[0]).abs() < 1e-9 && (found[1] - once[1]).abs() < 1e-9);
        }
    }

    #[test]
    fn pass_at_k_rises_with_k_and_with_correct(samples in 1usize..300, part in 0.0f64..=1.0, k in 1usize..300) {
        let (k, correct) = (k.min(samples), (part * samples as f64) as usize);
        let found = pass_at_k(correct, samples, k).unwrap();
        prop_assert!((0.0..=1.0).contains(&found));
        prop_assert!(k == samples || pass_at_k(correct, samples, k + 1).unwrap() >= found - 1e-12);
        prop_assert!(correct == samples || pass_at_k(correct + 1, samples, k).unwrap() >= found - 1e-12);
        prop_assert!((pass_at_k(correct, samples, 1).unwrap() - correct as f64 / samples as f64).abs() < 1e-12);
        prop_assert_eq!(pass_at_k(0, samples, k).unwrap(), 0.0);
        prop_assert_eq!(pass_at_k(samples, samples, k).unwrap(), 1.0);
    }

    #[test]
    fn the_majority_does_not_depend_on_order_or_names(
        classes in prop::collection::vec(prop::option::of(0usize..6), 1..40), right in 0usize..6, k in 1usize..40,
    ) {
        let k = k.min(classes.len());
        let votes: Vec<Vote> = classes.iter().map(|&class| Vote { class, correct: class == Some(right) }).collect();
        let found = majority_at_k(&votes, k).unwrap();
        prop_assert!((0.0..=1.0).contains(&found));
        let renamed: Vec<Vote> = votes.iter().rev().map(|vote| Vote { class: vote.class.map(|c| 90 - c), ..*vote }).collect();
        prop_assert!((majority_at_k(&renamed, k).unwrap() - found).abs() < 1e-9);
        let correct = votes.iter().filter(|vote| vote.correct).count();
        prop_assert!((majority_at_k(&votes, 1).unwrap() - correct as f64 / votes.len() as f64).abs() < 1e-9);
        // One class or another wins unless nobody votes.
        if votes.iter().all(|vote| vote.class.is_some()) {
            let won: f64 = (0..6).map(|right| {
                let votes: Vec<Vote> = classes.iter().map(|&class| Vote { class, correct: class == Some(right) }).collect();
                majority_at_k(&votes, k).unwrap()
            }).sum();
            prop_assert!((won - 1.0).abs() < 1e-9, "{}", won);
        }
        let mean = mean_majority_at_k(&[votes.clone(), votes], k, Level::NINETY_FIVE).unwrap().unwrap();
        prop_assert!((mean.value - found).abs() < 1e-12 && ordered_within(mean.interval, 0.0, 1.0));
    }

    #[test]
    fn the_mean_of_pass_at_k_is_within_its_interval((correct, samples, _, _) in sampled_pair(), k in 1usize..5) {
        let found = mean_pass_at_k(&correct, samples, k.min(samples), Level::NINETY_FIVE).unwrap().unwrap();
        prop_assert!(ordered_within(found.interval, 0.0, 1.0));
        prop_assert!(found.interval[0] <= found.value + 1e-12 && found.value <= found.interval[1] + 1e-12);
    }

    #[test]
    fn tangos_interval_holds_the_difference_mirrors_and_has_a_width(counts in counts(), level in levels()) {
        let found = counts.difference_interval(level);
        prop_assert!(ordered_within(found, -1.0, 1.0), "{:?}", found);
        prop_assert!(found[0] <= counts.difference() + 1e-9 && counts.difference() <= found[1] + 1e-9);
        prop_assert!(found[1] > found[0]);
        let swapped = counts.swapped().difference_interval(level);
        prop_assert!((swapped[0] + found[1]).abs() < 1e-9 && (swapped[1] + found[0]).abs() < 1e-9);
        let three = PairedCounts {
            both: counts.both * 3, only_a: counts.only_a * 3, only_b: counts.only_b * 3, neither: counts.neither * 3,
        };
        let narrower = three.difference_interval(level);
        prop_assert!(counts.n() == 0 || narrower[1] - narrower[0] < found[1] - found[0]);
    }

    #[test]
    fn mcnemars_test_does_not_see_which_run_is_first_nor_agreeing_items(counts in counts()) {
        let found = counts.mcnemar();
        prop_assert!((0.0..=1.0).contains(&found.p) && (0.0..=found.p).contains(&found.mid_p));
        prop_assert_eq!(counts.swapped().mcnemar(), found);
        prop_assert_eq!(PairedCounts { both: counts.both + 9, neither: 0, ..counts }.mcnemar(), found);
        prop_assert!(counts.score(0.3).is_none_or(f64::is_finite));
    }

    #[test]
    fn holm_never_lowers_a_p_value_and_keeps_their_order(p in prop::collection::vec(0.0f64..=1.0, 0..12)) {
        let found = holm(&p).unwrap();
        for (one, &adjusted) in found.iter().enumerate() {
            prop_assert!(adjusted >= p[one] && adjusted <= 1.0);
            prop_assert!((0..p.len()).all(|other| p[other] < p[one] || found[other] >= adjusted));
        }
    }

    #[test]
    fn detectable_differences_shrink_with_items(n in 0usize..20_000, discordance in 0.0f64..=1.0, power in 0.51f64..0.99) {
        let asked = Sensitivity::new(Level::NINETY_FIVE, power).unwrap();
        let found = asked.detectable_difference(n, discordance).unwrap();
        let more = asked.detectable_difference(n * 2, discordance).unwrap();
        if let Some(found) = found {
            prop_assert!(found > 0.0 && found <= discordance);
            prop_assert!(more.unwrap() < found);
            let items = asked.items_for_difference(found, discordance).unwrap();
            prop_assert!(items <= n + 1, "{} {}", items, n);
        }
        let margin = asked.margin_for_items(n, discordance).unwrap();
        prop_assert_eq!(margin.is_none(), n == 0);
        if let Some(margin) = margin.filter(|margin| *margin < 1.0) {
            prop_assert!(asked.items_for_margin(margin, discordance).unwrap() <= n + 1);
        }
    }

    #[test]
    fn decisions_agree_with_their_interval(
        n in 1usize..5000, value in -0.3f64..0.3, below in 0.0f64..0.2, above in 0.0f64..0.2, margin in 0.0f64..=1.0,
    ) {
        let drop = statistics::Drop { n, value, interval: [value - below, value + above] };
        let decision = decide(&drop, margin, Sensitivity::default()).unwrap();
        match decision {
            Decision::Passed => prop_assert!(drop.interval[1] < margin),
            Decision::Failed => prop_assert!(drop.interval[0] > margin),
            Decision::CannotTell { n_needed } => prop_assert!(n_needed.is_none_or(|needed| needed > n)),
        }
    }
}

proptest! {
    // Each case resamples.
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn comparisons_are_finite_in_range_and_mirror((a, samples_a, b, samples_b) in sampled_pair(), seed in 0u64..9) {
        let settings = Bootstrap { seed, resamples: 200, level: Level::NINETY_FIVE };
        let pair = PairedSet::new(a.clone(), samples_a, b.clone(), samples_b).unwrap();
        let small = PairedSet::of_verdicts([(true, false)]);
        let found = compare(&[pair, small.clone()], &settings).unwrap();
        let mirrored = compare(&[PairedSet::new(b, samples_b, a, samples_a).unwrap(), small], &settings).unwrap();
        let (set, other) = (&found.sets[0], &mirrored.sets[0]);
        prop_assert!((set.difference + other.difference).abs() < 1e-12);
        prop_assert!((set.interval[0] + other.interval[1]).abs() < 1e-9);
        prop_assert_eq!((set.won, set.lost, set.p), (other.lost, other.won, other.p));
        prop_assert!(set.interval[0] <= set.difference + 1e-9 && set.difference <= set.interval[1] + 1e-9);
        for average in [found.micro.as_ref().unwrap(), found.macro_.as_ref().unwrap()] {
            prop_assert!((average.accuracies[1] - average.accuracies[0] - average.difference).abs() < 1e-12);
            prop_assert!(ordered_within(average.interval, -1.5, 1.5));
            prop_assert!(average.p > 0.0 && average.p <= 1.0 && average.resampled.p > 0.0 && average.resampled.p <= 1.0);
            prop_assert!(average.interval[0] <= average.difference && average.difference <= average.interval[1]);
            prop_assert!(average.interval[0] < average.interval[1]);
        }
        // A number that is not finite is written as null, which no number reads.
        let text = serde_json::to_string(&found).unwrap();
        let read: statistics::Comparison = serde_json::from_str(&text).unwrap();
        prop_assert!(read.sets.iter().all(|set| set.detectable.is_none_or(|least| least > 0.0 && least <= 1.0)));
        prop_assert_eq!(read.sets.len(), 2);
    }

    #[test]
    fn differences_of_means_with_one_answer_have_tangos_interval(counts in counts()) {
        prop_assume!(counts.n() > 0);
        let repeat = |value: f64, count: usize| std::iter::repeat_n(value, count);
        let differences: Vec<f64> = repeat(0.0, counts.both + counts.neither)
            .chain(repeat(1.0, counts.only_b))
            .chain(repeat(-1.0, counts.only_a))
            .collect();
        let found = paired_means_interval(&differences, 1, Level::NINETY_FIVE).unwrap();
        let expected = counts.difference_interval(Level::NINETY_FIVE);
        prop_assert!((found[0] - expected[0]).abs() < 1e-9 && (found[1] - expected[1]).abs() < 1e-9);
    }
}

#[test]
fn one_part_alone_keeps_its_interval() {
    let found = combined_interval(&[(1.0, 0.5, [0.25, 0.625])]);
    assert_eq!(found, [0.25, 0.625]);
    assert_eq!(combined_interval(&[]), [0.0, 0.0]);
}

#[test]
fn what_is_out_of_range_is_refused() {
    for alpha in [0.0, 1.0, -0.1, f64::NAN] {
        assert!(
            Level::two_sided(alpha).is_err() && Level::one_sided(alpha).is_err(),
            "{alpha}"
        );
    }
    assert!(Level::one_sided(0.5).is_err() && Level::two_sided(0.5).is_ok());
    assert_eq!(Level::one_sided(0.025), Level::two_sided(0.05));
    assert!(Sensitivity::new(Level::NINETY_FIVE, 0.5).is_err());
    let asked = Sensitivity::default();
    assert!(
        asked.detectable_difference(100, 1.1).is_err()
            && asked.items_for_difference(0.2, 0.1).is_err()
    );
    assert!(
        asked.items_for_margin(0.0, 0.1).is_err() && asked.items_for_margin(f64::NAN, 0.1).is_err()
    );
    assert_eq!(asked.detectable_difference(10, 0.1), Ok(None));
    assert!(paired_means_interval(&[0.0, 1.5], 2, Level::NINETY_FIVE).is_err());
    assert_eq!(
        paired_means_interval(&[], 2, Level::NINETY_FIVE),
        Ok([-1.0, 1.0])
    );
    assert!(
        PairedSet::new(vec![1], 1, vec![1, 0], 1).is_err()
            && PairedSet::new(vec![2], 1, vec![1], 1).is_err()
    );
}
