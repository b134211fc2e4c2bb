use evaluation::wilson_interval;
use proptest::prelude::*;

/// R. G. Newcombe, "Two-sided confidence intervals for the single proportion", Statistics in
/// Medicine 17 (1998), table I, method 3 (score, no continuity correction), to four decimals.
#[test]
fn agrees_with_newcombes_worked_examples() {
    for (correct, n, low, high) in [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ] {
        let [found_low, found_high] = wilson_interval(correct, n);
        assert!(
            (found_low - low).abs() < 5e-5 && (found_high - high).abs() < 5e-5,
            "{correct}/{n}: {found_low} {found_high}"
        );
    }
}

#[test]
fn covers_everything_where_nothing_is_known() {
    assert_eq!(wilson_interval(0, 0), [0.0, 1.0]);
}

proptest! {
    #[test]
    fn holds_the_proportion_and_mirrors(n in 1usize..5000, share in 0.0..=1.0) {
        let correct = (n as f64 * share) as usize;
        let [low, high] = wilson_interval(correct, n);
        let proportion = correct as f64 / n as f64;
        prop_assert!((0.0..=proportion).contains(&low) && (proportion..=1.0).contains(&high));
        let [mirrored_low, mirrored_high] = wilson_interval(n - correct, n);
        prop_assert!((mirrored_low - (1.0 - high)).abs() < 1e-12 && (mirrored_high - (1.0 - low)).abs() < 1e-12);
    }
}
