//! Draws against their definitions and against recorded ones.

use std::num::{NonZeroU32, NonZeroUsize};

use super::*;

const PLAIN: Sampling = Sampling {
    temperature: 1.0,
    top_k: None,
    top_p: 1.0,
    min_p: 0.0,
    repetition_penalty: 1.0,
    seed: 0,
    samples: NonZeroU32::MIN,
};

/// Of chi-square with 1 to 19 degrees of freedom: values exceeded once in 10,000 times (mpmath
/// 1.3, `gammainc`).
const CRITICAL: [f64; 19] = [
    15.137, 18.421, 21.108, 23.513, 25.745, 27.856, 29.878, 31.828, 33.720, 35.564, 37.367, 39.134,
    40.871, 42.579, 44.263, 45.925, 47.566, 49.189, 50.795,
];

fn probabilities(logits: &[f32], history: &[u32], sampling: &Sampling) -> Vec<f64> {
    let mut sampler = Sampler::default();
    let total = sampler.weigh(logits, history, sampling).unwrap();
    sampler
        .weights
        .iter()
        .map(|&weight| weight as f64 / total as f64)
        .collect()
}

/// Tokens that may be drawn.
fn kept(logits: &[f32], sampling: &Sampling) -> Vec<usize> {
    let probabilities = probabilities(logits, &[], sampling);
    (0..logits.len())
        .filter(|&token| probabilities[token] > 0.0)
        .collect()
}

/// The rules of [`Sampling`] one after another, with a full sort and f64 throughout.
fn reference(logits: &[f32], history: &[u32], sampling: &Sampling) -> Vec<f64> {
    let mut scores = logits.to_vec();
    let mut seen = history.to_vec();
    seen.sort_unstable();
    seen.dedup();
    for token in seen {
        let score = &mut scores[token as usize];
        *score = if *score > 0.0 {
            *score / sampling.repetition_penalty
        } else {
            *score * sampling.repetition_penalty
        };
    }
    let mut order: Vec<usize> = (0..scores.len()).collect();
    // Stable, and 0 equals −0.
    order.sort_by(|&a, &b| scores[b].partial_cmp(&scores[a]).unwrap());
    let kth = scores[order[sampling
        .top_k
        .map_or(scores.len(), NonZeroUsize::get)
        .min(scores.len())
        - 1]];
    let largest = f64::from(scores[order[0]]);
    let mut probabilities: Vec<f64> = scores
        .iter()
        .map(|&score| ((f64::from(score) - largest) / f64::from(sampling.temperature)).exp())
        .zip(&scores)
        .map(|(weight, &score)| if score < kth { 0.0 } else { weight })
        .collect();
    let total: f64 = probabilities.iter().sum();
    let mut before = 0.0;
    for &token in &order {
        let weight = probabilities[token];
        if before >= f64::from(sampling.top_p) * total || weight < f64::from(sampling.min_p) {
            probabilities[token] = 0.0;
        }
        before += weight;
    }
    let total: f64 = probabilities.iter().sum();
    probabilities.iter().map(|weight| weight / total).collect()
}

/// Chi-square of counts, and its degrees of freedom. Tokens of probability 0 must not occur.
fn chi_square(counts: &[u32], probabilities: &[f64]) -> (f64, usize) {
    let draws = f64::from(counts.iter().sum::<u32>());
    let (mut statistic, mut cells) = (0.0, 0);
    for (token, (&count, &probability)) in counts.iter().zip(probabilities).enumerate() {
        if probability == 0.0 {
            assert_eq!(count, 0, "token {token} was dropped");
            continue;
        }
        let expected = draws * probability;
        assert!(expected >= 5.0, "token {token} is too rare for the test");
        statistic += (f64::from(count) - expected).powi(2) / expected;
        cells += 1;
    }
    (statistic, cells - 1)
}

const LOGITS: [f32; 20] = [
    0.3, -1.2, 2.1, 0.0, 1.4, -0.7, -2.5, 1.1, 0.9, -0.1, 3.0, -3.1, 0.6, 1.9, -1.8, -0.4, 2.6,
    0.2, -2.0, 1.4,
];

/// How often each token of [`LOGITS`] comes in 100,000 draws, each from its own row of the
/// given streams.
fn counts(
    sampling: &Sampling,
    history: &[u32],
    row: impl Fn(u32) -> (RandomStream, u64),
) -> [u32; 20] {
    let mut sampler = Sampler::default();
    let mut counts = [0; 20];
    for draw in 0..100_000 {
        let (stream, step) = row(draw);
        counts[sampler
            .sample(&LOGITS, history, sampling, &stream, step)
            .unwrap() as usize] += 1;
    }
    counts
}

fn settings() -> Vec<(&'static str, Sampling)> {
    let top_k = NonZeroUsize::new(8);
    vec![
        ("plain", PLAIN),
        (
            "temperature",
            Sampling {
                temperature: 0.7,
                ..PLAIN
            },
        ),
        ("top-k", Sampling { top_k, ..PLAIN }),
        (
            "top-p",
            Sampling {
                top_p: 0.9,
                ..PLAIN
            },
        ),
        (
            "min-p",
            Sampling {
                min_p: 0.3,
                ..PLAIN
            },
        ),
        (
            "penalty",
            Sampling {
                repetition_penalty: 1.5,
                ..PLAIN
            },
        ),
        (
            "all",
            Sampling {
                temperature: 1.3,
                top_k,
                top_p: 0.95,
                min_p: 0.15,
                repetition_penalty: 1.1,
                ..PLAIN
            },
        ),
    ]
}

#[test]
fn tokens_come_as_often_as_they_should() {
    let history = [10, 2, 10, 11, 3];
    for (name, sampling) in settings() {
        let expected = reference(&LOGITS, &history, &sampling);
        let rows: [&dyn Fn(u32) -> (RandomStream, u64); 3] = [
            &|draw| (RandomStream::new(1, "steps", 0), u64::from(draw)),
            &|draw| (RandomStream::new(1, "samples", draw), 0),
            &|draw| (RandomStream::new(1, &format!("problem {draw}"), 0), 5),
        ];
        for row in rows {
            let (statistic, freedom) = chi_square(&counts(&sampling, &history, row), &expected);
            println!("{name}: chi-square {statistic:.2}, {freedom} degrees of freedom");
            assert!(
                statistic < CRITICAL[freedom - 1],
                "{name}: {statistic} with {freedom} degrees of freedom"
            );
        }
    }
}

#[test]
fn the_frequency_test_notices_small_errors() {
    let drawn = counts(&PLAIN, &[], |draw| {
        (RandomStream::new(1, "steps", 0), u64::from(draw))
    });
    let wrong = [
        Sampling {
            temperature: 1.05,
            ..PLAIN
        },
        Sampling {
            temperature: 0.95,
            ..PLAIN
        },
        Sampling {
            repetition_penalty: 1.05,
            ..PLAIN
        },
    ];
    for sampling in wrong {
        let (statistic, freedom) = chi_square(&drawn, &reference(&LOGITS, &[10, 2], &sampling));
        println!("{sampling:?}: chi-square {statistic:.2}");
        assert!(
            statistic > CRITICAL[freedom - 1],
            "{sampling:?}: {statistic}"
        );
    }
}

#[test]
fn agrees_with_transformers() {
    const LOGITS: [f32; 12] = [
        2.0,
        -1.0,
        0.5,
        3.0,
        0.5,
        -2.5,
        1.75,
        f32::NEG_INFINITY,
        0.0,
        2.0,
        0.5,
        -0.25,
    ];
    let history = [3, 5, 3, 8, 0, 11, 6, 3];
    // Softmax after the processors of transformers 5.23 with torch 2.15, f32 on CPU; tokens 2,
    // 4 and 10 are equal, as are 0 and 9.
    #[rustfmt::skip]
    let cases: [(f32, usize, f32, f32, f32, [f64; 12]); 9] = [
        (1.0, 0, 1.0, 0.0, 1.0, [0.1546048, 0.0076973, 0.0344970, 0.4202595, 0.0344970, 0.0017175, 0.1204064, 0.0, 0.0209235, 0.1546048, 0.0344970, 0.0162952]),
        (0.7, 0, 1.0, 0.0, 1.0, [0.1362888, 0.0018758, 0.0159893, 0.5686969, 0.0159893, 0.0002201, 0.0953575, 0.0, 0.0078274, 0.1362888, 0.0159893, 0.0054766]),
        (1.0, 0, 1.0, 0.0, 1.3, [0.1410671, 0.0111426, 0.0499376, 0.3044376, 0.0499376, 0.0011744, 0.1163878, 0.0, 0.0302887, 0.2238047, 0.0499376, 0.0218844]),
        (1.0, 5, 1.0, 0.0, 1.0, [0.1621673, 0.0, 0.0361844, 0.4408163, 0.0361844, 0.0, 0.1262960, 0.0, 0.0, 0.1621673, 0.0361844, 0.0]),
        (1.0, 0, 0.8, 0.0, 1.0, [0.1819147, 0.0, 0.0, 0.4944954, 0.0, 0.0, 0.1416753, 0.0, 0.0, 0.1819147, 0.0, 0.0]),
        (1.0, 0, 1.0, 0.2, 1.0, [0.1819147, 0.0, 0.0, 0.4944954, 0.0, 0.0, 0.1416753, 0.0, 0.0, 0.1819147, 0.0, 0.0]),
        (1.5, 5, 0.8, 0.0, 1.0, [0.2085847, 0.0, 0.0, 0.4062675, 0.0, 0.0, 0.1765631, 0.0, 0.0, 0.2085847, 0.0, 0.0]),
        (0.7, 7, 0.99, 0.05, 1.2, [0.1387388, 0.0, 0.0262044, 0.4562630, 0.0262044, 0.0, 0.1030253, 0.0, 0.0, 0.2233598, 0.0262044, 0.0]),
        (2.0, 0, 0.9, 0.3, 0.8, [0.2221042, 0.0, 0.0, 0.4149452, 0.0, 0.0, 0.1899758, 0.0, 0.0, 0.1729749, 0.0, 0.0]),
    ];
    for (temperature, top_k, top_p, min_p, repetition_penalty, expected) in cases {
        let top_k = NonZeroUsize::new(top_k);
        let sampling = Sampling {
            temperature,
            top_k,
            top_p,
            min_p,
            repetition_penalty,
            ..PLAIN
        };
        let found = probabilities(&LOGITS, &history, &sampling);
        for (token, (found, expected)) in found.iter().zip(expected).enumerate() {
            // Literals have 7 decimals, and f32 has 24 bits.
            assert!(
                (found - expected).abs() < 2e-7,
                "{sampling:?}, token {token}: {found}, not {expected}"
            );
            assert_eq!(
                *found == 0.0,
                expected == 0.0,
                "{sampling:?}, token {token}"
            );
        }
    }
}

#[test]
fn agrees_with_the_reference_on_random_rows() {
    let mut sampler = Sampler::default();
    let mut drawn = 0;
    for case in 0..600 {
        let random = RandomStream::new(2, "random rows", case);
        let mut place = 0;
        let mut uniform = || {
            place += 1;
            random.number(place) as f64 / 2f64.powi(64)
        };
        // On both sides of the number of groups; in every third case with many equal logits.
        let vocab = 1 + (uniform() * [20.0, 1500.0, 5000.0][case as usize % 3]) as usize;
        let spread = 1.0 + 20.0 * uniform();
        let logits: Vec<f32> = (0..vocab)
            .map(|_| {
                let logit = (spread * (uniform() + uniform() + uniform() - 1.5)) as f32;
                let logit = if case % 4 == 0 {
                    (logit * 4.0).round() / 4.0
                } else {
                    logit
                };
                if uniform() < 0.05 {
                    f32::NEG_INFINITY
                } else {
                    logit
                }
            })
            .collect();
        let history: Vec<u32> = (0..20).map(|_| (uniform() * vocab as f64) as u32).collect();
        let mut chosen = |value: f64, neutral: f32| {
            if uniform() < 0.5 {
                value as f32
            } else {
                neutral
            }
        };
        let top_k = chosen(2f64.powi(case as i32 % 12), 0.0) as usize;
        let (top_p, min_p) = (
            chosen(0.999 - 0.001 * f64::from(case), 1.0),
            chosen(0.0003 * f64::from(case), 0.0),
        );
        let (temperature, penalty) = (chosen(0.3 + 0.002 * f64::from(case), 1.0), chosen(1.3, 0.9));
        let sampling = Sampling {
            temperature,
            top_k: NonZeroUsize::new(top_k),
            top_p,
            min_p,
            repetition_penalty: penalty,
            ..PLAIN
        };
        if logits.iter().all(|&logit| logit == f32::NEG_INFINITY) {
            continue;
        }

        let expected = reference(&logits, &history, &sampling);
        let found = probabilities(&logits, &history, &sampling);
        for (token, (&found, &expected)) in found.iter().zip(&expected).enumerate() {
            let message = format!(
                "case {case}, {sampling:?}, token {token} of {vocab}: {found}, not {expected}"
            );
            // Ours is rounded to 2⁻⁴⁰ of the likeliest, and so may be 0 where it should not
            // quite.
            assert!(
                (found - expected).abs() <= 1e-6 * expected + 1e-12,
                "{message}"
            );
            assert!(found == 0.0 || expected > 0.0, "{message}");
        }
        for step in 0..20 {
            let stream = RandomStream::new(3, "draws", case);
            let token = sampler
                .sample(&logits, &history, &sampling, &stream, step)
                .unwrap() as usize;
            let number = stream.number(step) as f64 / 2f64.powi(64);
            let below: f64 = expected[..token].iter().sum();
            assert!(
                (below - 1e-6..below + expected[token] + 1e-6).contains(&number),
                "case {case}, step {step}"
            );
            drawn += 1;
        }
    }
    assert!(drawn > 11_000);
}

#[test]
fn the_same_place_of_the_same_stream_gives_the_same_number() {
    let mut sampler = Sampler::default();
    let wide: Vec<f32> = (0..3000).map(|token| (token % 37) as f32 / 5.0).collect();
    let sampling = Sampling {
        top_p: 0.9,
        top_k: NonZeroUsize::new(12),
        repetition_penalty: 1.3,
        ..PLAIN
    };
    let forwards: Vec<_> = (0..200)
        .map(|step| {
            // A row of another width in between, as in a batch of two.
            sampler.sample(
                &wide,
                &[7],
                &sampling,
                &RandomStream::new(1, "other", 0),
                step,
            );
            sampler.sample(
                &LOGITS,
                &[10, 2],
                &sampling,
                &RandomStream::new(1, "a", 0),
                step,
            )
        })
        .collect();
    let stream = RandomStream::new(1, "a", 0);
    for step in (0..200).rev() {
        let again = Sampler::default().sample(&LOGITS, &[10, 2], &sampling, &stream, step);
        assert_eq!(again, forwards[step as usize]);
    }
}

#[test]
fn seed_problem_sample_and_step_all_change_the_numbers() {
    let mut numbers = Vec::new();
    for seed in [0, 1, 2, 1 << 32, u64::MAX] {
        for problem in ["", "a", "b", "ab", "1", "a\u{0}"] {
            for sample in [0, 1, 2, u32::MAX] {
                let stream = RandomStream::new(seed, problem, sample);
                numbers.extend([0, 1, 2, 1 << 32, u64::MAX].map(|step| stream.number(step)));
            }
        }
    }
    let count = numbers.len();
    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!(numbers.len(), count);
}

#[test]
fn neighbours_along_every_axis_are_independent() {
    // Exceeded once in 10,000 times with 255 degrees of freedom (mpmath 1.3, `gammainc`).
    const CRITICAL: f64 = 347.65;
    let number: [fn(u32) -> u64; 3] = [
        |step| RandomStream::new(0, "a", 0).number(u64::from(step)),
        |sample| RandomStream::new(0, "a", sample).number(0),
        |seed| RandomStream::new(u64::from(seed), "a", 0).number(0),
    ];
    for (axis, number) in ["step", "sample", "seed"].into_iter().zip(number) {
        let mut counts = [0; 256];
        for i in 0..50_000 {
            let [first, second] = [2 * i, 2 * i + 1].map(|place| (number(place) >> 60) as usize);
            counts[16 * first + second] += 1;
        }
        let (statistic, _) = chi_square(&counts, &[1.0 / 256.0; 256]);
        println!("{axis}: chi-square {statistic:.2}");
        assert!(statistic < CRITICAL, "{axis}: {statistic}");
    }
}

#[test]
fn numbers_and_weights_are_the_same_on_every_machine() {
    let stream = RandomStream::new(7, "gsm8k/12", 3);
    // From the Python package blake3 1.0.
    let expected = [
        2_600_985_746_472_057_368,
        15_460_188_919_735_108_464,
        15_685_638_133_924_246_546,
    ];
    assert_eq!([0, 1, 1 << 40].map(|step| stream.number(step)), expected);
    let logits: Vec<f32> = (0..5000)
        .map(|token| ((token * 7919) % 5003) as f32 / 331.0)
        .collect();
    let sampling = Sampling {
        temperature: 0.8,
        repetition_penalty: 1.1,
        ..PLAIN
    };
    let mut sampler = Sampler::default();
    // From the same steps in numpy, f32.
    assert_eq!(
        sampler.weigh(&logits, &[1, 2, 3], &sampling),
        Some(291_645_523_542_555)
    );
    let tokens = [0, 1, 2, 3, 4, 5]
        .map(|step| sampler.sample(&logits, &[1, 2, 3], &sampling, &stream, step));
    assert_eq!(tokens, [700, 4176, 1961, 2709, 4634, 2822].map(Some));
}

#[test]
fn every_token_has_a_share_as_large_as_its_weight() {
    let tokens: Vec<_> = (0..6)
        .map(|place| token_at(&[0, 3, 0, 2, 0], place))
        .collect();
    assert_eq!(tokens, [Some(1), Some(1), Some(1), Some(3), Some(3), None]);
}

#[test]
fn top_k_keeps_all_that_equal_the_last() {
    let logits = [1.0, 3.0, 2.0, 3.0, 2.0, 2.0, 0.0];
    for (k, expected) in [
        (1, vec![1, 3]),
        (2, vec![1, 3]),
        (3, vec![1, 2, 3, 4, 5]),
        (5, vec![1, 2, 3, 4, 5]),
    ] {
        assert_eq!(
            kept(
                &logits,
                &Sampling {
                    top_k: NonZeroUsize::new(k),
                    ..PLAIN
                }
            ),
            expected,
            "k = {k}"
        );
    }
    let zeros = [0.0, -0.0, -1.0];
    assert_eq!(
        kept(
            &zeros,
            &Sampling {
                top_k: NonZeroUsize::new(1),
                ..PLAIN
            }
        ),
        [0, 1]
    );
}

#[test]
fn top_p_takes_the_lowest_ids_of_equals_until_p_is_reached() {
    let cases = [
        (0.25, vec![0]),
        (0.26, vec![0, 1]),
        (0.5, vec![0, 1]),
        (0.75, vec![0, 1, 2]),
        (1e-30, vec![0]),
    ];
    for (top_p, expected) in cases {
        assert_eq!(
            kept(&[1.5; 4], &Sampling { top_p, ..PLAIN }),
            expected,
            "p = {top_p}"
        );
    }
    // More than 2¹³ equal tokens: the sum no longer fits f64.
    assert_eq!(
        kept(
            &[0.0; 20_001],
            &Sampling {
                top_p: 1e-30,
                ..PLAIN
            }
        ),
        [0]
    );
}

#[test]
fn neutral_filters_drop_nothing() {
    let all: Vec<usize> = (0..20).collect();
    for k in [20, 21, usize::MAX] {
        let top_k = NonZeroUsize::new(k);
        assert_eq!(kept(&LOGITS, &Sampling { top_k, ..PLAIN }), all);
    }
    assert_eq!(
        kept(
            &LOGITS,
            &Sampling {
                top_p: 1.0 - f32::EPSILON / 2.0,
                ..PLAIN
            }
        ),
        all
    );
    assert_eq!(
        probabilities(&LOGITS, &[1, 10], &PLAIN),
        probabilities(&LOGITS, &[], &PLAIN)
    );
}

#[test]
fn min_p_of_one_keeps_only_the_likeliest() {
    assert_eq!(
        kept(
            &[1.0, 3.0, 2.999, 3.0, 0.0],
            &Sampling {
                min_p: 1.0,
                ..PLAIN
            }
        ),
        [1, 3]
    );
}

#[test]
fn penalty_applies_once_a_token_and_passes_over_unknown_ids() {
    let sampling = Sampling {
        repetition_penalty: 2.0,
        ..PLAIN
    };
    let mut sampler = Sampler::default();
    sampler.penalise(
        &[4.0, -4.0, 0.0, f32::NEG_INFINITY, 4.0],
        &[0, 1, 0, 2, 3, 1, 5, u32::MAX],
        2.0,
    );
    assert_eq!(sampler.scores, [2.0, -8.0, 0.0, f32::NEG_INFINITY, 4.0]);
    assert!(sampler.weigh(&[4.0, -4.0], &[9], &sampling).is_some());
}

#[test]
fn logits_without_a_distribution_give_no_token() {
    let stream = RandomStream::new(0, "", 0);
    for sampling in settings().into_iter().map(|(_, sampling)| sampling) {
        let sample =
            |logits: &[f32]| Sampler::default().sample(logits, &[0], &sampling, &stream, 0);
        assert_eq!(sample(&[]), None);
        assert_eq!(sample(&[f32::NEG_INFINITY; 3]), None);
        assert_eq!(sample(&[1.0, f32::NAN, 2.0]), None);
        assert_eq!(sample(&[f32::NAN, 1.0, 2.0]), None);
        assert_eq!(sample(&[1.0, f32::INFINITY]), None);
        let mut wide = vec![0.0; 3000];
        wide[2500] = -f32::NAN;
        assert_eq!(sample(&wide), None);
        assert_eq!(
            sample(&[f32::NEG_INFINITY, -5.0, f32::NEG_INFINITY]),
            Some(1)
        );
    }
}

#[test]
fn extreme_values_neither_overflow_nor_panic() {
    let stream = RandomStream::new(0, "", 0);
    for temperature in [f32::MIN_POSITIVE / 1e6, 1e-30, 1e30, f32::MAX] {
        let sampling = Sampling {
            temperature,
            ..PLAIN
        };
        let token = Sampler::default().sample(
            &[f32::MIN, 5.0, f32::NEG_INFINITY],
            &[],
            &sampling,
            &stream,
            0,
        );
        assert!(
            token == Some(1) || temperature > 1.0 && token == Some(0),
            "{temperature}: {token:?}"
        );
    }
    assert_eq!(
        kept(
            &[30.0, 29.0],
            &Sampling {
                temperature: 1e-40,
                ..PLAIN
            }
        ),
        [0]
    );
    assert_eq!(kept(&[-1e38, 3e38], &PLAIN), [1]);
}

#[test]
fn settings_out_of_range_are_named() {
    assert!(
        settings()
            .iter()
            .all(|(_, sampling)| sampling.validate().is_ok())
    );
    let cases = [
        (
            Sampling {
                temperature: 0.0,
                ..PLAIN
            },
            "temperature must be a finite number above 0, not 0",
        ),
        (
            Sampling {
                temperature: f32::INFINITY,
                ..PLAIN
            },
            "temperature must be a finite number above 0, not inf",
        ),
        (
            Sampling {
                top_p: 0.0,
                ..PLAIN
            },
            "top-p must be above 0 and at most 1, not 0",
        ),
        (
            Sampling {
                top_p: 1.5,
                ..PLAIN
            },
            "top-p must be above 0 and at most 1, not 1.5",
        ),
        (
            Sampling {
                min_p: -0.1,
                ..PLAIN
            },
            "min-p must be at least 0 and at most 1, not -0.1",
        ),
        (
            Sampling {
                min_p: f32::NAN,
                ..PLAIN
            },
            "min-p must be at least 0 and at most 1, not NaN",
        ),
        (
            Sampling {
                repetition_penalty: -1.0,
                ..PLAIN
            },
            "repetition-penalty must be a finite number above 0, not -1",
        ),
    ];
    for (sampling, message) in cases {
        assert_eq!(sampling.validate(), Err(message.to_string()));
    }
}
