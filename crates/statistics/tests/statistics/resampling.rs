//! The bootstrap and the sign flips: against item-by-item implementations, on any number of
//! threads, and how long they take.

use std::time::{Duration, Instant};

use statistics::{Bootstrap, Error, PairedCounts, PairedSet, ResampledAverages, Stratum, compare};

use crate::vectors::{cases, interval, number, whole, wholes};

/// More resamples than usual, so that two Monte Carlo numbers agree closely.
const MANY: Bootstrap = Bootstrap {
    seed: 7,
    resamples: 40_000,
    level: statistics::Level::NINETY_FIVE,
};

fn on_threads<T: Send>(threads: usize, run: impl FnOnce() -> T + Send) -> T {
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .unwrap()
        .install(run)
}

fn ten_sets() -> Vec<PairedSet> {
    let set = |set: usize| {
        PairedSet::of_verdicts(
            (0..2000).map(move |item| ((item * 7 + set) % 10 < 6, (item * 11 + set) % 13 < 8)),
        )
    };
    (0..10).map(set).collect()
}

#[test]
fn the_bootstrap_agrees_with_drawing_item_by_item() {
    for case in cases("resampling", "bootstrap") {
        let sets: Vec<Stratum> = case["sets"]
            .as_array()
            .unwrap()
            .iter()
            .map(wholes)
            .collect::<Vec<_>>()
            .iter()
            .map(|correct| Stratum::of_correct(correct, whole(&case, "samples")).unwrap())
            .collect();
        let found = MANY.averages(&sets).unwrap();
        // Means over all items are multiples of this, and the ends of an interval may fall on
        // either side of one.
        let items: usize = sets.iter().map(Stratum::items).sum();
        let step = 1.0 / (items * whole(&case, "samples")) as f64 + 1e-9;
        for (name, found) in [
            ("micro", found.micro.unwrap()),
            ("macro", found.macro_.unwrap()),
        ] {
            let expected = &case[name];
            let error = number(expected, "standard_error");
            assert!(
                (found.value - number(expected, "value")).abs() < 1e-12,
                "{name}: {case}"
            );
            // The standard error of a standard error from 40,000 draws is 0.35 % of it, that of
            // these quantiles 1.3 %.
            assert!(
                (found.standard_error / error - 1.0).abs() < 0.015,
                "{name}: {found:?}, {case}"
            );
            for bound in [0, 1] {
                let expected = expected["interval"][bound].as_f64().unwrap();
                assert!(
                    (found.interval[bound] - expected).abs() < 0.08 * error + step,
                    "{name}: {found:?}, {case}"
                );
                if let (Some(bca), Some(expected)) = (case.get("bca"), case["bca"][bound].as_f64())
                {
                    assert!(
                        (found.bca[bound] - expected).abs() < 0.08 * error + step,
                        "{name}: {found:?}, {bca}"
                    );
                }
            }
        }
    }
}

#[test]
fn values_of_which_each_occurs_once_are_drawn_alike() {
    let values: Vec<f64> = (0..200)
        .map(|item| f64::from(item * item % 997) / 997.0)
        .collect();
    let found = MANY
        .averages(&[Stratum::of_values(&values).unwrap()])
        .unwrap()
        .micro
        .unwrap();
    let mean = values.iter().sum::<f64>() / 200.0;
    let error = (values
        .iter()
        .map(|value| (value - mean).powi(2))
        .sum::<f64>()
        / 200.0
        / 200.0)
        .sqrt();
    assert!(
        (found.value - mean).abs() < 1e-12 && (found.standard_error / error - 1.0).abs() < 0.015,
        "{found:?}"
    );
    assert!(
        (found.interval[0] - (mean - 1.96 * error)).abs() < 0.08 * error,
        "{found:?}"
    );
}

#[test]
fn the_bca_interval_of_skewed_values_is_that_of_scipy() {
    for case in cases("resampling", "skewed") {
        let values: Vec<f64> = case["values"]
            .as_array()
            .unwrap()
            .iter()
            .map(|value| value.as_f64().unwrap())
            .collect();
        let found = MANY
            .averages(&[Stratum::of_values(&values).unwrap()])
            .unwrap()
            .micro
            .unwrap();
        let error = number(&case, "standard_error");
        for (bound, expected) in interval(&case).into_iter().enumerate() {
            // The upper end lies far out, where few resamples are.
            assert!(
                (found.bca[bound] - expected).abs() < 0.12 * error,
                "{found:?} {case}"
            );
            assert!(
                (found.interval[bound] - expected).abs() > 0.15 * error,
                "skewed too little to tell: {case}"
            );
        }
    }
}

#[test]
fn sets_are_adjusted_for_together() {
    let set = |won: usize| {
        PairedSet::of_verdicts((0..100).map(move |item| (item < 50, item < 50 || item < 50 + won)))
    };
    let settings = Bootstrap {
        resamples: 10,
        ..Bootstrap::default()
    };
    let found = compare(&[set(7), set(8), set(0)], &settings).unwrap();
    let [one, other, none] = [2f64.powi(-6), 2f64.powi(-7), 1.0];
    let close = |found: f64, expected: f64| (found - expected).abs() < 1e-12;
    assert!(
        close(found.sets[0].p, one) && close(found.sets[0].p_holm, 2.0 * one),
        "{:?}",
        found.sets[0]
    );
    assert!(
        close(found.sets[1].p, other) && close(found.sets[1].p_holm, 3.0 * other),
        "{:?}",
        found.sets[1]
    );
    assert!(
        close(found.sets[2].p, none) && close(found.sets[2].p_holm, none),
        "{:?}",
        found.sets[2]
    );
}

#[test]
fn sign_flips_agree_with_flipping_item_by_item() {
    for case in cases("resampling", "differences") {
        let samples = whole(&case, "samples");
        let set = PairedSet::new(wholes(&case["a"]), samples, wholes(&case["b"]), samples).unwrap();
        let found = compare(&[set], &MANY).unwrap();
        let expected = number(&case, "p_sign_flip");
        // Four standard errors of the difference between two shares of 40,000.
        let tolerance = 4.0 * (2.0 * expected * (1.0 - expected) / 40_000.0).sqrt() + 1e-4;
        for p in [
            found.sets[0].p,
            found.micro.unwrap().p,
            found.macro_.unwrap().p,
        ] {
            assert!((p - expected).abs() < tolerance, "{p}: {case}");
        }
    }
}

#[test]
fn with_one_answer_an_item_sign_flips_are_mcnemars_exact_test() {
    let verdicts = |item: usize| (!(60..90).contains(&item), !(90..108).contains(&item));
    let found = compare(&[PairedSet::of_verdicts((0..200).map(verdicts))], &MANY).unwrap();
    let exact = PairedCounts::of((0..200).map(verdicts)).mcnemar().p;
    assert_eq!(found.sets[0].p, exact);
    assert!(
        (found.micro.unwrap().p - exact).abs() < 4.0 * (exact / 40_000.0).sqrt(),
        "{exact}"
    );
}

#[test]
fn the_numbers_do_not_depend_on_threads_but_on_the_seed() {
    let sets = ten_sets();
    let settings = Bootstrap {
        resamples: 1000,
        ..Bootstrap::default()
    };
    let one = on_threads(1, || compare(&sets, &settings).unwrap());
    for threads in [2, 3, 8] {
        assert_eq!(
            on_threads(threads, || compare(&sets, &settings).unwrap()),
            one,
            "{threads} threads"
        );
    }
    let other = compare(
        &sets,
        &Bootstrap {
            seed: 1,
            ..settings
        },
    )
    .unwrap();
    assert_ne!(other.micro, one.micro);
}

#[test]
fn sets_without_items_take_no_part() {
    let empty = Stratum::of_correct(&[], 1).unwrap();
    let set = Stratum::of_correct(&[1, 0, 1], 1).unwrap();
    let settings = Bootstrap {
        resamples: 100,
        ..Bootstrap::default()
    };
    let found = settings.averages(&[empty.clone(), set.clone()]).unwrap();
    assert_eq!(found.sets[0], None);
    assert_eq!(found.macro_.unwrap().value, 2.0 / 3.0);
    assert_eq!(found.macro_, found.micro);
    let nothing = ResampledAverages {
        sets: vec![None],
        micro: None,
        macro_: None,
    };
    assert_eq!(settings.averages(&[empty]), Ok(nothing));
    assert_eq!(
        Bootstrap {
            resamples: 0,
            ..settings
        }
        .averages(&[set]),
        Err(Error::NoResamples)
    );
    assert_eq!(
        compare(&[PairedSet::of_verdicts([])], &settings),
        Err(Error::NoItems { set: 0 })
    );
    let none = compare(&[], &settings).unwrap();
    assert_eq!((none.sets.len(), none.micro, none.macro_), (0, None, None));
}

#[test]
fn ten_sets_of_two_thousand_items_take_a_fraction_of_a_second() {
    let sets = ten_sets();
    let strata: Vec<Stratum> = (0..10)
        .map(|set| {
            Stratum::of_correct(
                &vec![1; 500 + set]
                    .into_iter()
                    .chain(vec![0; 1500 - set])
                    .collect::<Vec<_>>(),
                1,
            )
            .unwrap()
        })
        .collect();
    // The fastest of some, since the machine may have other work.
    let fastest = |run: &dyn Fn()| {
        (0..5)
            .map(|_| {
                let start = Instant::now();
                run();
                start.elapsed()
            })
            .min()
            .unwrap()
    };
    let averages = fastest(&|| drop(Bootstrap::default().averages(&strata).unwrap()));
    let comparison = fastest(&|| drop(compare(&sets, &Bootstrap::default()).unwrap()));
    println!(
        "10 sets of 2,000 items, 10,000 resamples: averages {averages:?}, comparison {comparison:?}"
    );
    // Drawing 200 million items one by one takes far longer than either.
    assert!(averages < Duration::from_millis(400) && comparison < Duration::from_millis(1200));
}
