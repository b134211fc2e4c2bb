//! Intervals of averages, and what several samples come to.

use std::num::NonZeroU32;

use dataset_loader::Benchmark;
use generation::{Decoding, FinishReason, Sampling, Scripted};

use crate::scripted::{plan, problems, right, run};

#[test]
fn averages_have_intervals_that_hold_them() {
    let folder = tempfile::tempdir().unwrap();
    let plan = plan(problems(
        &Benchmark::published(),
        &[("gsm8k", 40), ("MATH.Algebra", 20)],
    ));
    let mut generator = Scripted::new(|prompt| match prompt.id.as_str() {
        id if id.ends_with('3') || id.ends_with('7') => {
            ("The answer is 1000.".to_string(), FinishReason::Eos)
        }
        _ => right(prompt),
    });
    let summary = run(&plan, &mut generator, folder.path()).unwrap().summary;
    for average in [summary.micro.unwrap(), summary.macro_.unwrap()] {
        assert!((average.official - 0.8).abs() < 1e-12);
        let [low, high] = average.strict_interval.unwrap();
        assert_eq!(average.official_interval, average.strict_interval);
        // The normal interval of 48 of 60 is 0.8 ± 0.101.
        assert!(
            (0.66..0.74).contains(&low) && (0.86..0.92).contains(&high),
            "{low} {high}"
        );
    }
}

#[test]
fn several_samples_come_to_pass_and_majority() {
    let folder = tempfile::tempdir().unwrap();
    let sampling = Sampling {
        temperature: 1.0,
        top_k: None,
        top_p: 1.0,
        min_p: 0.0,
        repetition_penalty: 1.0,
        seed: 0,
        samples: NonZeroU32::new(4).unwrap(),
    };
    let mut plan = plan(problems(&Benchmark::published(), &[("gsm8k", 3)]));
    plan.decoding = Decoding {
        sampling: Some(sampling),
        ..Decoding::greedy(64)
    };
    // Problem 0: always right. 1: right once, and three times wrong in two spellings of one number.
    // 2: never.
    let mut generator = Scripted::new(|prompt| match (prompt.id.as_str(), prompt.sample) {
        ("gsm8k/0", _) | ("gsm8k/1", 0) => right(prompt),
        ("gsm8k/1", 1) => ("The answer is 0.5.".to_string(), FinishReason::Eos),
        ("gsm8k/1", _) => ("The answer is 1/2.".to_string(), FinishReason::Eos),
        (_, sample) => (
            format!("The answer is {}.", 100 + sample),
            FinishReason::Eos,
        ),
    });
    let summary = run(&plan, &mut generator, folder.path()).unwrap().summary;
    let several = summary.sets[0].several_samples.as_ref().unwrap();
    assert_eq!(several.samples, 4);
    let strict = |figures: &[evaluation::FigureAtK]| {
        figures
            .iter()
            .map(|at| (at.k, at.strict.value))
            .collect::<Vec<_>>()
    };
    let close = |found: &[(usize, f64)], expected: &[(usize, f64)]| {
        assert_eq!(found.len(), expected.len());
        for ((k, value), (own, figure)) in found.iter().zip(expected) {
            assert!(
                k == own && (value - figure).abs() < 1e-9,
                "{found:?} {expected:?}"
            );
        }
    };
    // pass@2 of one in four: 1 − C(3,2)/C(4,2) = 1/2.
    close(
        &strict(&several.pass_at_k),
        &[(1, 1.25 / 3.0), (2, 1.5 / 3.0), (4, 2.0 / 3.0)],
    );
    // Of two, one right and one wrong tie: half of the half that holds the right one; of four the
    // wrong number wins.
    close(
        &strict(&several.maj_at_k),
        &[(1, 1.25 / 3.0), (2, 1.25 / 3.0), (4, 1.0 / 3.0)],
    );
    assert!((summary.sets[0].counts.strict.accuracy - 1.25 / 3.0).abs() < 1e-12);
}
