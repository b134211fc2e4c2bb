//! How likely each new token was: against transformers, against the logits, in any batch.

use std::path::PathBuf;

use generation::{Completion, Decoding, FinishReason, Sampling};
use inference::{
    CheckpointFiles, DeviceChoice, EngineOptions, LocalModel, Quantization, WeightDtype,
};
use serde_json::Value;

use crate::checkpoints::{cases, complete, folder, ids, load_with};
use crate::demo;

/// What transformers recorded: greedy tokens and their log-probabilities
/// (`tools/parity-checkpoints/logprobs.py`).
struct Recorded {
    checkpoint: PathBuf,
    prompt: String,
    tokens: Vec<u32>,
    logprobs: Vec<f32>,
}

fn recording() -> Vec<Recorded> {
    let text = std::fs::read_to_string(folder("logprobs.jsonl")).unwrap();
    let lines = text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    let lines = lines.map(|line| Recorded {
        checkpoint: match line["checkpoint"].as_str().unwrap() {
            "demo" => demo::checkpoint(),
            name => folder(name),
        },
        prompt: line["prompt"].as_str().unwrap().to_string(),
        tokens: ids(&line["tokens"]),
        logprobs: line["logprobs"]
            .as_array()
            .unwrap()
            .iter()
            .map(|value| value.as_f64().unwrap() as f32)
            .collect(),
    });
    lines.collect()
}

fn load(checkpoint: &std::path::Path, options: &EngineOptions) -> LocalModel {
    LocalModel::load(CheckpointFiles::open(checkpoint).unwrap(), options).unwrap()
}

/// In f32 logits of size 10 to 30 differ by up to 1e-3 where sums have another order, most of it
/// alike for all tokens.
const TOLERANCE: f32 = 1e-4;

pub fn log_probabilities_are_those_of_transformers(device: DeviceChoice) {
    let recorded = recording();
    assert_eq!(recorded.len(), 16);
    let (mut worst, mut compared) = (0f32, 0);
    for case in recorded {
        let options = EngineOptions {
            device,
            dtype: WeightDtype::F32,
            logprobs: true,
            token_ids: true,
            ..Default::default()
        };
        let mut model = load(&case.checkpoint, &options);
        let found = complete(
            &mut model,
            &[&case.prompt],
            &Decoding::greedy(case.tokens.len()),
        )
        .remove(0);
        assert_eq!(
            found.token_ids.as_ref(),
            Some(&case.tokens),
            "{:?}",
            case.prompt
        );
        let logprobs = found.logprobs.unwrap();
        assert_eq!(logprobs.len(), case.logprobs.len());
        for (found, expected) in logprobs.iter().zip(&case.logprobs) {
            worst = worst.max((found - expected).abs());
            compared += 1;
        }
    }
    println!("{compared} log-probabilities differ by {worst:e} at most");
    assert!(worst < TOLERANCE, "differs by {worst}");
}

#[test]
fn on_the_processor_they_are_those_of_transformers() {
    log_probabilities_are_those_of_transformers(DeviceChoice::Cpu);
}

const SAMPLING: Sampling = Sampling {
    temperature: 0.7,
    top_k: std::num::NonZeroUsize::new(50),
    top_p: 0.95,
    min_p: 0.01,
    repetition_penalty: 1.1,
    seed: 3,
    samples: std::num::NonZeroU32::MIN,
};

fn questions(count: usize) -> Vec<String> {
    let question = |index| {
        format!(
            "Tom has {index} apples and buys {} more. How many apples does he have now?",
            index * 7 % 30
        )
    };
    (0..count).map(question).collect()
}

/// Ids and bits of the log-probabilities of each completion of the demo checkpoint.
fn probabilities(
    options: &EngineOptions,
    decoding: &Decoding,
    questions: &[String],
) -> Vec<(Vec<u32>, Vec<u32>)> {
    let options = EngineOptions {
        logprobs: true,
        token_ids: true,
        ..options.clone()
    };
    let completions = complete(
        &mut load(&demo::checkpoint(), &options),
        questions,
        decoding,
    );
    let probabilities = completions.into_iter().map(|completion| {
        let bits: Vec<u32> = completion
            .logprobs
            .unwrap()
            .into_iter()
            .map(f32::to_bits)
            .collect();
        assert_eq!(bits.len(), completion.completion_tokens);
        (completion.token_ids.unwrap(), bits)
    });
    probabilities.collect()
}

#[test]
fn not_a_bit_depends_on_batch_size_threads_order_or_room() {
    let questions = questions(24);
    let forms = [
        EngineOptions {
            dtype: WeightDtype::F32,
            ..Default::default()
        },
        EngineOptions {
            dtype: WeightDtype::Bf16,
            ..Default::default()
        },
        EngineOptions {
            quantize: Some(Quantization::Q8),
            ..Default::default()
        },
    ];
    // Greedy decoding without and with the stream of random numbers, which an id fixes: order may
    // change for the former only.
    for (form, sampling) in forms
        .iter()
        .flat_map(|form| [(form, None), (form, Some(SAMPLING))])
    {
        let decoding = Decoding {
            sampling,
            ..Decoding::greedy(24)
        };
        let alone = EngineOptions {
            batch_size: Some(1),
            threads: Some(1),
            ..form.clone()
        };
        let expected = probabilities(&alone, &decoding, &questions);
        for (batch_size, threads, kv_memory) in [
            (Some(3), 2, None),
            (Some(16), 3, None),
            (None, 2, None),
            (Some(24), 2, Some(2 << 20)),
        ] {
            let options = EngineOptions {
                batch_size,
                threads: Some(threads),
                kv_memory,
                ..form.clone()
            };
            assert!(
                probabilities(&options, &decoding, &questions) == expected,
                "{options:?}, {sampling:?}"
            );
        }
        if sampling.is_none() {
            let backwards: Vec<String> = questions.iter().rev().cloned().collect();
            let mut found = probabilities(form, &decoding, &backwards);
            found.reverse();
            assert!(found == expected, "backwards: {form:?}");
        }
    }
}

/// The log-softmax of logits, in f64.
fn log_softmax(logits: &[f32], token: u32) -> f64 {
    let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let sum: f64 = logits
        .iter()
        .map(|&logit| f64::from(logit - largest).exp())
        .sum();
    f64::from(logits[token as usize] - largest) - sum.ln()
}

#[test]
fn they_are_those_of_the_models_own_distribution_however_tokens_are_drawn() {
    let hot = Sampling {
        temperature: 2.0,
        top_k: None,
        top_p: 1.0,
        min_p: 0.0,
        ..SAMPLING
    };
    // And how unlikely the least likely token is at least, so that not only the most likely ones
    // are looked at.
    for (sampling, unlikely) in [(None, 0.0), (Some(SAMPLING), -1.0), (Some(hot), -4.0)] {
        let options = EngineOptions {
            logprobs: true,
            token_ids: true,
            ..Default::default()
        };
        let mut model = load(&demo::checkpoint(), &options);
        let questions = questions(6);
        let decoding = Decoding {
            sampling,
            ..Decoding::greedy(30)
        };
        let mut least = 0f32;
        for (completion, question) in complete(&mut model, &questions, &decoding)
            .into_iter()
            .zip(&questions)
        {
            let (tokens, logprobs) = (completion.token_ids.unwrap(), completion.logprobs.unwrap());
            let prompt = model.encode(question).unwrap();
            let logits = model
                .logits(&[prompt.as_slice(), &tokens].concat())
                .unwrap();
            for (place, (&token, &found)) in tokens.iter().zip(&logprobs).enumerate() {
                let expected = log_softmax(&logits[prompt.len() - 1 + place], token);
                // A logprob is an f32, which rounds large numbers by more.
                let rounding = 1e-6 + expected.abs() * f64::from(f32::EPSILON);
                assert!(
                    (f64::from(found) - expected).abs() < rounding,
                    "{found} and not {expected}"
                );
                least = least.min(found);
            }
        }
        assert!(
            least < unlikely,
            "nothing unlikely was drawn with {sampling:?}: {least}"
        );
    }
}

#[test]
fn asking_for_them_changes_nothing_else() {
    let bare = |completion: Completion| Completion {
        token_ids: None,
        logprobs: None,
        ..completion
    };
    for name in ["llama-tied", "mistral-window"] {
        for sampling in [None, Some(SAMPLING)] {
            let prompts: Vec<String> = cases(name).into_iter().map(|case| case.prompt).collect();
            let decoding = Decoding {
                sampling,
                stop: vec!["e".to_string()],
                ..Decoding::greedy(30)
            };
            let plain = complete(
                &mut load_with(name, &EngineOptions::default()),
                &prompts,
                &decoding,
            );
            assert!(
                plain
                    .iter()
                    .all(|completion| completion.token_ids.is_none()
                        && completion.logprobs.is_none())
            );
            for (logprobs, token_ids) in [(true, false), (false, true), (true, true)] {
                let options = EngineOptions {
                    logprobs,
                    token_ids,
                    ..Default::default()
                };
                let found = complete(&mut load_with(name, &options), &prompts, &decoding);
                for (found, plain) in found.into_iter().zip(&plain) {
                    assert_eq!(
                        (found.logprobs.is_some(), found.token_ids.is_some()),
                        (logprobs, token_ids)
                    );
                    assert_eq!(&bare(found), plain);
                }
            }
        }
    }
}

#[test]
fn the_tokens_of_an_end_and_of_a_stop_string_are_among_them() {
    let case = &cases("llama-tied")[1];
    let options = EngineOptions {
        logprobs: true,
        token_ids: true,
        ..Default::default()
    };
    let mut model = load_with("llama-tied", &options);
    let ended = complete(&mut model, &[&case.prompt], &Decoding::greedy(48)).remove(0);
    assert_eq!(
        (ended.finish_reason, ended.token_ids.as_ref()),
        (FinishReason::Eos, Some(&case.tokens))
    );
    let stop: String = ended.text.chars().skip(2).take(3).collect();
    let decoding = Decoding {
        stop: vec![stop],
        ..Decoding::greedy(48)
    };
    let stopped = complete(&mut model, &[&case.prompt], &decoding).remove(0);
    assert_eq!(stopped.finish_reason, FinishReason::Stop);
    let tokens = stopped.token_ids.unwrap();
    assert_eq!(tokens, case.tokens[..tokens.len()]);
    assert_eq!(
        (tokens.len(), stopped.logprobs.unwrap().len()),
        (stopped.completion_tokens, stopped.completion_tokens)
    );
}

#[test]
fn a_prompt_that_is_not_asked_has_neither() {
    let options = EngineOptions {
        logprobs: true,
        token_ids: true,
        ..Default::default()
    };
    let found = complete(
        &mut load_with("llama-tied", &options),
        &["A ".repeat(400)],
        &Decoding::greedy(4),
    )
    .remove(0);
    assert_eq!(
        (found.finish_reason, found.token_ids, found.logprobs),
        (FinishReason::Error, None, None)
    );
}
