//! Numbers of other implementations, made by `tools/statistics/vectors.py`, and of publications.

use serde_json::Value;
use statistics::{
    Level, PairedCounts, Sensitivity, Vote, clustered_interval, holm, majority_at_k, pass_at_k,
    sampled_interval_at, wilson_interval_at,
};

/// The cases of a section of a file under `tests/fixtures`.
pub fn cases(file: &str, section: &str) -> Vec<Value> {
    let path = format!("{}/tests/fixtures/{file}.json", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let sections: Value = serde_json::from_str(&text).unwrap();
    let cases = sections[section]
        .as_array()
        .unwrap_or_else(|| panic!("{path} has no {section}"))
        .clone();
    assert!(!cases.is_empty());
    cases
}

/// A whole number of a case.
pub fn whole(case: &Value, field: &str) -> usize {
    case[field]
        .as_u64()
        .unwrap_or_else(|| panic!("{field} in {case}")) as usize
}

/// A number of a case.
pub fn number(case: &Value, field: &str) -> f64 {
    case[field]
        .as_f64()
        .unwrap_or_else(|| panic!("{field} in {case}"))
}

/// An interval of a case.
pub fn interval(case: &Value) -> [f64; 2] {
    [0, 1].map(|bound| case["interval"][bound].as_f64().unwrap())
}

/// Whole numbers of a case.
pub fn wholes(value: &Value) -> Vec<usize> {
    value
        .as_array()
        .unwrap()
        .iter()
        .map(|number| number.as_u64().unwrap() as usize)
        .collect()
}

fn numbers(value: &Value) -> Vec<f64> {
    value
        .as_array()
        .unwrap()
        .iter()
        .map(|number| number.as_f64().unwrap())
        .collect()
}

fn level(case: &Value) -> Level {
    Level::two_sided(number(case, "alpha")).unwrap()
}

fn counts(case: &Value) -> PairedCounts {
    let (only_a, only_b) = (whole(case, "only_a"), whole(case, "only_b"));
    let both = case["n"]
        .as_u64()
        .map_or(0, |n| n as usize - only_a - only_b);
    PairedCounts {
        both,
        only_a,
        only_b,
        neither: 0,
    }
}

#[track_caller]
fn assert_close(found: &[f64], expected: &[f64], tolerance: f64, case: &Value) {
    assert_eq!(found.len(), expected.len());
    let close = found
        .iter()
        .zip(expected)
        .all(|(found, expected)| (found - expected).abs() <= tolerance);
    assert!(close, "{found:?}, not {expected:?}: {case}");
}

#[test]
fn wilsons_interval_is_that_of_statsmodels() {
    for case in cases("proportions", "wilson") {
        let found = wilson_interval_at(whole(&case, "correct"), whole(&case, "n"), level(&case));
        assert_close(&found, &interval(&case), 1e-12, &case);
    }
}

#[test]
fn the_clustered_interval_is_that_of_statsmodels() {
    for case in cases("proportions", "clustered") {
        let correct = wholes(&case["correct"]);
        let found = clustered_interval(&correct, whole(&case, "samples"), level(&case)).unwrap();
        assert_close(&found, &interval(&case), 1e-9, &case);
    }
}

#[test]
fn the_sampled_interval_comes_close_to_the_clustered_one_for_many_problems() {
    for case in cases("proportions", "clustered") {
        let correct = wholes(&case["correct"]);
        if correct.len() >= 30 {
            let found = sampled_interval_at(&correct, whole(&case, "samples"), level(&case));
            // They differ by the pull towards one half, of the order z²/n.
            assert_close(&found, &interval(&case), 2.0 / correct.len() as f64, &case);
        }
    }
}

#[test]
fn pass_at_k_is_the_quotient_of_binomials() {
    for case in cases("proportions", "pass_at_k") {
        let found = pass_at_k(
            whole(&case, "correct"),
            whole(&case, "samples"),
            whole(&case, "k"),
        )
        .unwrap();
        assert_close(&[found], &[number(&case, "value")], 1e-12, &case);
    }
}

#[test]
fn the_majority_is_that_of_all_draws() {
    for case in cases("proportions", "majority") {
        let classes = case["classes"]
            .as_array()
            .unwrap()
            .iter()
            .map(|class| class.as_u64().map(|class| class as usize));
        let correct = case["correct"]
            .as_array()
            .unwrap()
            .iter()
            .map(|correct| correct.as_bool().unwrap());
        let votes: Vec<Vote> = classes
            .zip(correct)
            .map(|(class, correct)| Vote { class, correct })
            .collect();
        let found = majority_at_k(&votes, whole(&case, "k")).unwrap();
        assert_close(&[found], &[number(&case, "value")], 1e-11, &case);
    }
}

#[test]
fn mcnemars_test_is_that_of_statsmodels_and_scipy() {
    for case in cases("paired", "mcnemar_exact")
        .into_iter()
        .chain(cases("published", "mcnemar"))
    {
        let found = counts(&case).mcnemar();
        // Relative to the value, since p may be small: 18,000 discordant items lose some digits.
        for (found, field) in [(found.p, "p"), (found.mid_p, "mid_p")] {
            let expected = number(&case, field);
            assert_close(&[found], &[expected], 1e-9 * expected, &case);
        }
    }
}

#[test]
fn holms_adjustment_is_that_of_statsmodels() {
    for case in cases("paired", "holm") {
        let found = holm(&numbers(&case["p"])).unwrap();
        assert_close(&found, &numbers(&case["adjusted"]), 1e-14, &case);
    }
}

#[test]
fn tangos_interval_is_that_of_root_finding_on_the_likelihood() {
    for case in cases("paired", "tango") {
        assert_close(
            &counts(&case).difference_interval(level(&case)),
            &interval(&case),
            1e-8,
            &case,
        );
    }
}

#[test]
fn tangos_interval_is_the_published_one() {
    for case in cases("published", "tango") {
        let half_a_digit = 0.5 * 10f64.powi(-(whole(&case, "digits") as i32));
        assert_close(
            &counts(&case).difference_interval(level(&case)),
            &interval(&case),
            half_a_digit,
            &case,
        );
    }
}

#[test]
fn the_items_for_a_difference_give_the_power_asked_for_in_simulations() {
    for case in cases("sensitivity", "sensitivity") {
        let (difference, discordance) = (number(&case, "difference"), number(&case, "discordance"));
        let asked = Sensitivity::default();
        assert_eq!(
            asked.items_for_difference(difference, discordance),
            Ok(whole(&case, "n")),
            "{case}"
        );
        // 40,000 runs err by 0.006 (three standard errors); the normal approximation of 50
        // discordant items by more.
        assert_close(&[number(&case, "power")], &[0.8], 0.015, &case);
        let detectable = asked
            .detectable_difference(whole(&case, "n"), discordance)
            .unwrap()
            .unwrap();
        assert_close(&[detectable], &[difference], 0.003 * difference, &case);
    }
}
