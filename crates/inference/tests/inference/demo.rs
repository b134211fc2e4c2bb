use std::path::{Path, PathBuf};

use generation::{Decoding, Event, Generator, Prompt, Sampling};
use inference::{CheckpointFiles, EngineOptions, ErrorKind, LocalModel, Quantization, WeightDtype};
use serde_json::Value;

use crate::checkpoints::ids;

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

pub fn checkpoint() -> PathBuf {
    repository().join("models/demo")
}

fn load(options: &EngineOptions) -> LocalModel {
    LocalModel::load(CheckpointFiles::open(&checkpoint()).unwrap(), options).unwrap()
}

fn fixture(name: &str) -> String {
    let path = repository()
        .join("crates/inference/tests/fixtures")
        .join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Prompts and the greedy tokens of transformers.
pub fn recording() -> (Vec<Vec<u32>>, Vec<Vec<u32>>) {
    let text = fixture("demo_greedy.jsonl");
    let cases = text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    let cases: Vec<_> = cases
        .map(|case| (ids(&case["prompt_ids"]), ids(&case["tokens"])))
        .collect();
    assert!(
        cases.len() >= 10,
        "only {} recorded completions",
        cases.len()
    );
    cases.into_iter().unzip()
}

pub const MOST_TOKENS: usize = 160;

fn in_f32() -> EngineOptions {
    EngineOptions {
        dtype: WeightDtype::F32,
        ..Default::default()
    }
}

#[test]
fn greedy_tokens_are_those_of_transformers_in_any_batch() {
    let (prompts, expected) = recording();
    for batch_size in [1, 3, 16] {
        let mut model = load(&EngineOptions {
            batch_size: Some(batch_size),
            ..in_f32()
        });
        let found = model.generate_ids(&prompts, MOST_TOKENS).unwrap();
        for ((prompt, found), expected) in prompts.iter().zip(&found).zip(&expected) {
            assert_eq!(found, expected, "batch {batch_size}, prompt {prompt:?}");
        }
    }
}

/// Five hundred and more completions in each precision, under every setting that must not matter.
#[test]
fn no_setting_changes_a_completion() {
    let (samples, _) = recording();
    // Some prompts twice and some longer than others, so that starts are shared and the cache runs
    // full.
    let twice = samples.iter().step_by(7).cloned();
    let longer = samples
        .iter()
        .step_by(5)
        .map(|prompt| [prompt.as_slice(), &prompt[prompt.len() / 2..]].concat());
    let prompts: Vec<Vec<u32>> = samples.iter().cloned().chain(twice).chain(longer).collect();
    assert!(prompts.len() >= 500);
    for dtype in [WeightDtype::F32, WeightDtype::Bf16] {
        let run = |options: EngineOptions, prompts: &[Vec<u32>]| {
            load(&EngineOptions { dtype, ..options })
                .generate_ids(prompts, 6)
                .unwrap()
        };
        let expected = run(
            EngineOptions {
                batch_size: Some(1),
                threads: Some(1),
                ..Default::default()
            },
            &prompts,
        );
        for (batch_size, threads, kv_memory) in [
            (Some(3), 2, None),
            (None, 1, None),
            (Some(500), 2, None),
            (Some(64), 2, Some(3 << 20)),
            (Some(16), 1, Some(2 << 20)),
        ] {
            let options = EngineOptions {
                batch_size,
                threads: Some(threads),
                kv_memory,
                ..Default::default()
            };
            let found = run(options.clone(), &prompts);
            assert!(found == expected, "{dtype:?}, {options:?}");
        }
        let backwards: Vec<Vec<u32>> = prompts.iter().rev().cloned().collect();
        let found = run(
            EngineOptions {
                batch_size: Some(48),
                ..Default::default()
            },
            &backwards,
        );
        assert!(found.iter().rev().eq(&expected), "{dtype:?}, backwards");
        // A run that was cut off and goes on with the rest.
        let rest = run(EngineOptions::default(), &prompts[333..]);
        assert!(rest == expected[333..], "{dtype:?}, the rest");
    }
}

#[test]
fn bf16_is_the_default_of_a_bf16_checkpoint() {
    let (prompts, _) = recording();
    let prompts = &prompts[..16];
    let run = |dtype| {
        load(&EngineOptions {
            dtype,
            ..Default::default()
        })
        .generate_ids(prompts, 64)
        .unwrap()
    };
    assert_eq!(run(WeightDtype::Auto), run(WeightDtype::Bf16));
}

#[test]
fn a_cache_too_small_for_the_longest_prompt_is_refused() {
    let (prompts, _) = recording();
    let mut model = load(&EngineOptions {
        kv_memory: Some(100_000),
        ..in_f32()
    });
    let error = model.generate_ids(&prompts, MOST_TOKENS).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::KvCacheTooSmall);
    let message = error.to_string();
    assert!(
        message.starts_with("the longest prompt and completion have ")
            && message.ends_with("; there is room for 97.7 KiB"),
        "{message}"
    );
}

/// Prompts, transformers' logits after each in f32, and how far its bf16 logits are from them.
fn recorded_logits() -> Vec<(Vec<u32>, Vec<f32>, f64)> {
    let recorded: Value = serde_json::from_str(&fixture("demo_logits.json")).unwrap();
    let cases = recorded
        .as_array()
        .expect("a list of cases")
        .iter()
        .map(|case| {
            let logits = case["logits"]
                .as_array()
                .unwrap()
                .iter()
                .map(|logit| logit.as_f64().unwrap() as f32)
                .collect();
            (
                ids(&case["prompt_ids"]),
                logits,
                case["bf16_distance"].as_f64().unwrap(),
            )
        });
    let cases: Vec<_> = cases.collect();
    assert_eq!(cases.len(), 8);
    cases
}

#[test]
fn logits_are_those_of_transformers() {
    let model = load(&in_f32());
    for (prompt, expected, _) in recorded_logits() {
        let found = model.logits(&prompt).unwrap().pop().unwrap();
        assert_eq!(found.len(), expected.len());
        let worst = found
            .iter()
            .zip(&expected)
            .map(|(a, b)| (a - b).abs())
            .fold(0.0, f32::max);
        // f32 sums in different orders, over logits of size 10 to 30.
        assert!(worst < 1e-3, "differs by {worst}");
    }
}

/// Root mean square of the differences from transformers' f32 logits, ours and that of its bf16
/// logits, on average.
fn distances(options: &EngineOptions) -> (f64, f64) {
    let model = load(options);
    let (mut ours, mut theirs) = (0.0, 0.0);
    for (prompt, expected, distance) in recorded_logits() {
        let found = model.logits(&prompt).unwrap().pop().unwrap();
        let squares: f64 = found
            .iter()
            .zip(&expected)
            .map(|(a, b)| f64::from(a - b).powi(2))
            .sum();
        let own = (squares / expected.len() as f64).sqrt();
        println!("{own:.4} against {distance:.4}");
        (ours, theirs) = (ours + own / 8.0, theirs + distance / 8.0);
    }
    (ours, theirs)
}

#[test]
fn bf16_logits_are_nearer_to_f32_than_those_of_transformers() {
    let (ours, theirs) = distances(&EngineOptions {
        dtype: WeightDtype::Bf16,
        ..Default::default()
    });
    assert!(ours <= theirs, "on average {ours} against {theirs}");
    assert!(ours > 0.0, "this is not bf16");
}

#[test]
fn eight_bit_logits_stay_near() {
    let options = EngineOptions {
        quantize: Some(Quantization::Q8),
        ..in_f32()
    };
    let (ours, theirs) = distances(&options);
    // Measured: 2.2 times.
    assert!(
        ours > 0.0 && ours < 3.0 * theirs,
        "on average {ours}, and {theirs} for bf16 of transformers"
    );
}

/// Texts drawn for some prompts, a problem's samples beside each other.
fn drawn(options: &EngineOptions, decoding: &Decoding, problems: usize) -> Vec<String> {
    let question = |index| {
        format!("Tom has {index} apples and buys 7 more. How many apples does he have now?")
    };
    let prompt = |index, sample| Prompt {
        id: format!("apples/{index}"),
        sample,
        text: question(index),
    };
    let prompts: Vec<Prompt> = (0..problems)
        .flat_map(|index| (0..decoding.samples()).map(move |sample| prompt(index, sample)))
        .collect();
    let mut texts = vec![String::new(); prompts.len()];
    let mut model = load(options);
    let outcome = model.generate(&prompts, decoding, &mut |event| {
        if let Event::Finished(completion) = event {
            texts[completion.index] = completion.text;
        }
        Ok(())
    });
    outcome.unwrap();
    texts
}

#[test]
fn what_is_drawn_depends_on_seed_problem_and_sample_alone() {
    let sampling = Sampling {
        temperature: 1.0,
        top_k: None,
        top_p: 0.95,
        min_p: 0.0,
        repetition_penalty: 1.0,
        seed: 5,
        samples: 4.try_into().unwrap(),
    };
    let decoding = |sampling| Decoding {
        sampling: Some(sampling),
        ..Decoding::greedy(40)
    };
    let expected = drawn(
        &EngineOptions {
            batch_size: Some(1),
            threads: Some(1),
            ..Default::default()
        },
        &decoding(sampling),
        12,
    );
    for (batch_size, kv_memory) in [(Some(7), None), (None, None), (Some(48), Some(3 << 20))] {
        let options = EngineOptions {
            batch_size,
            kv_memory,
            threads: Some(2),
            ..Default::default()
        };
        assert_eq!(
            drawn(&options, &decoding(sampling), 12),
            expected,
            "{options:?}"
        );
    }
    // Fewer problems, and fewer samples of each, are the same ones.
    assert_eq!(
        drawn(&EngineOptions::default(), &decoding(sampling), 3),
        expected[..12]
    );
    let two = drawn(
        &EngineOptions::default(),
        &decoding(Sampling {
            samples: 2.try_into().unwrap(),
            ..sampling
        }),
        12,
    );
    assert!(
        two.chunks(2)
            .zip(expected.chunks(4))
            .all(|(two, four)| two == &four[..2])
    );
    // Samples differ, and so do seeds.
    assert!(
        expected
            .chunks(4)
            .filter(|samples| samples[0] != samples[1])
            .count()
            >= 6,
        "{expected:?}"
    );
    assert_ne!(
        drawn(
            &EngineOptions::default(),
            &decoding(Sampling {
                seed: 6,
                ..sampling
            }),
            12
        ),
        expected
    );
    // At a temperature near zero the most likely token is drawn.
    let cold = drawn(
        &EngineOptions::default(),
        &decoding(Sampling {
            temperature: 1e-4,
            ..sampling
        }),
        12,
    );
    assert_eq!(
        cold,
        drawn(&EngineOptions::default(), &Decoding::greedy(40), 12)
            .iter()
            .flat_map(|text| vec![text.clone(); 4])
            .collect::<Vec<_>>()
    );
}
