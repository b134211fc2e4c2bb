//! Whole models by the kernels of a GPU, on the CPU: what transformers recorded, and the same bits
//! whatever decides which rows are computed together.

use std::path::{Path, PathBuf};

use generation::FinishReason;
use serde_json::Value;

use super::*;
use crate::cuda::HostRunner;
use crate::cuda::host::take_waits;
use crate::{CheckpointFiles, DeviceChoice, EngineOptions, LocalModel, Quantization, WeightDtype};

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

fn demo() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/demo")
}

fn load(folder: &Path, options: EngineOptions) -> LocalModel {
    let options = EngineOptions {
        device: DeviceChoice::KernelsOnCpu(1),
        threads: Some(2),
        ..options
    };
    let model = LocalModel::load(CheckpointFiles::open(folder).unwrap(), &options);
    model.unwrap_or_else(|error| panic!("{folder:?}: {error}"))
}

fn of_dtype(dtype: WeightDtype, batch_size: Option<usize>) -> EngineOptions {
    EngineOptions {
        dtype,
        batch_size,
        ..EngineOptions::default()
    }
}

fn is_by_kernels(model: &LocalModel) -> bool {
    use generation::Generator;
    model.info().details["arithmetic"].starts_with("kernels on")
}

struct Case {
    prompt: Vec<u32>,
    tokens: Vec<u32>,
    logits: Option<Vec<f32>>,
    /// Root mean square of what transformers' bf16 logits differ by from these.
    bf16_distance: Option<f64>,
}

fn cases(folder: &Path) -> Vec<Case> {
    let json = std::fs::read(folder.join("expected.json")).unwrap();
    let cases: Vec<Value> = serde_json::from_slice(&json).unwrap();
    let of = |case: &Value| Case {
        prompt: serde_json::from_value(case["prompt_ids"].clone()).unwrap(),
        tokens: serde_json::from_value(case["tokens"].clone()).unwrap(),
        logits: serde_json::from_value(case["logits"].clone()).unwrap_or_default(),
        bf16_distance: case.get("bf16_distance").and_then(Value::as_f64),
    };
    cases.iter().map(of).collect()
}

fn distance(model: &LocalModel, case: &Case) -> Option<f64> {
    let expected = case.logits.as_ref()?;
    let found = model.logits(&case.prompt).unwrap().pop().unwrap();
    let squares = found
        .iter()
        .zip(expected)
        .map(|(a, b)| f64::from(a - b).powi(2));
    Some((squares.sum::<f64>() / expected.len() as f64).sqrt())
}

fn variants() -> Vec<PathBuf> {
    let entries = std::fs::read_dir(fixtures().join("variants")).unwrap();
    let mut folders: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    folders
        .extend(["llama-tied", "llama-biased", "mistral-window"].map(|name| fixtures().join(name)));
    folders.sort();
    assert!(folders.len() >= 25, "only {}", folders.len());
    folders
}

#[test]
fn every_variant_agrees_with_transformers() {
    if HostRunner::new().is_none() {
        return;
    }
    for folder in variants() {
        let cases = cases(&folder);
        let prompts: Vec<Vec<u32>> = cases.iter().map(|case| case.prompt.clone()).collect();
        for batch_size in [Some(3), None] {
            let mut model = load(&folder, of_dtype(WeightDtype::F32, batch_size));
            assert!(is_by_kernels(&model), "{folder:?}");
            let found = model.generate_ids(&prompts, 24).unwrap();
            for (case, found) in cases.iter().zip(found) {
                let expected = &case.tokens[..case.tokens.len().min(24)];
                assert_eq!(
                    found, expected,
                    "{folder:?}: {:?} of {batch_size:?}",
                    case.prompt
                );
            }
            if batch_size.is_none() {
                for case in &cases {
                    let distance = distance(&model, case).unwrap_or(0.0);
                    assert!(distance < 3e-5, "{folder:?}: {distance}");
                }
            }
        }
    }
}

#[test]
fn bf16_logits_are_nearer_to_f32_than_those_of_transformers_on_average() {
    if HostRunner::new().is_none() {
        return;
    }
    let (mut ours, mut theirs) = (0.0, 0.0);
    for folder in variants() {
        let model = load(&folder, of_dtype(WeightDtype::Bf16, None));
        for case in cases(&folder) {
            if let (Some(distance), Some(of_transformers)) =
                (distance(&model, &case), case.bf16_distance)
                && is_by_kernels(&model)
            {
                ours += distance / of_transformers;
                theirs += 1.0;
            }
        }
    }
    println!(
        "{:.3} of the distance of transformers, over {theirs}",
        ours / theirs
    );
    assert!(theirs >= 20.0 && ours <= theirs, "{ours} of {theirs}");
}

/// Prompts with a shared start, some longer than a split of attention, in batches of one, of seven
/// and of all, in another order, and in a cache that runs full; tokens and the bits of logits.
#[test]
fn nothing_that_decides_which_rows_are_together_changes_a_bit() {
    if HostRunner::new().is_none() {
        return;
    }
    let recorded = std::fs::read_to_string(fixtures().join("demo_greedy.jsonl")).unwrap();
    let prompts = recorded.lines().step_by(67).map(|line| -> Vec<u32> {
        let record: Value = serde_json::from_str(line).unwrap();
        serde_json::from_value(record["prompt_ids"].clone()).unwrap()
    });
    let mut prompts: Vec<Vec<u32>> = prompts.take(4).collect();
    assert_eq!(prompts.len(), 4);
    let long: Vec<u32> = prompts
        .iter()
        .flatten()
        .copied()
        .cycle()
        .take(262)
        .collect();
    prompts.extend([long[..120].to_vec(), long]);
    for dtype in [WeightDtype::F32, WeightDtype::Bf16] {
        let run = |batch_size, kv_memory, reversed: bool| {
            let options = EngineOptions {
                kv_memory,
                ..of_dtype(dtype, batch_size)
            };
            let mut asked = prompts.clone();
            if reversed {
                asked.reverse();
            }
            let mut model = load(&demo(), options);
            assert!(is_by_kernels(&model));
            let mut found = model.generate_ids(&asked, 9).unwrap();
            if reversed {
                found.reverse();
            }
            found
        };
        let alone = run(Some(1), None, false);
        assert!(alone.iter().any(|tokens| tokens.len() == 9));
        // Of 6 layers, 2 KV heads of 32 and blocks of 16: 24 KiB a block in bf16, twice that in f32.
        // The longest sequence needs 17 blocks.
        let room = 22 * (24 << 10) * if dtype == WeightDtype::F32 { 2 } else { 1 };
        for (batch_size, kv_memory, reversed) in [
            (Some(7), None, true),
            (Some(64), None, false),
            (Some(64), Some(room), false),
        ] {
            let found = run(batch_size, kv_memory, reversed);
            assert_eq!(found, alone, "{dtype:?}: {batch_size:?}, {kv_memory:?}");
        }
        let model = load(&demo(), of_dtype(dtype, None));
        let logits = |length: usize| -> Vec<u32> {
            let logits = model.logits(&prompts[5][..length]).unwrap().pop().unwrap();
            logits.into_iter().map(f32::to_bits).collect()
        };
        // The same row at the end of prompts cut into tiles differently.
        let whole: Vec<Vec<f32>> = model.logits(&prompts[5]).unwrap();
        for length in [1, 17, 257, 262] {
            let expected: Vec<u32> = whole[length - 1].iter().map(|x| x.to_bits()).collect();
            assert!(logits(length) == expected, "{dtype:?}: {length} tokens");
        }
    }
}

/// What `argmax` takes at a time changes nothing.
#[test]
fn the_best_tokens_are_those_of_all_logits_however_few_rows_are_taken_at_a_time() {
    let Some(runner) = HostRunner::new() else {
        return;
    };
    let checkpoint = crate::checkpoint::Checkpoint::fixture("llama-tied");
    let config = &checkpoint.config;
    let compute = Compute {
        threads: crate::threads::Threads::start(Some(1)).unwrap(),
        set: crate::kernels::InstructionSet::best(),
        precision: Precision::F32,
    };
    let mut backend = CudaBackend::new(config, Arc::new(runner), compute);
    let (hidden, vocab) = (config.hidden_size, config.vocab_size);
    let cpu = candle_core::Device::Cpu;
    let values = |count: usize| (0..count).map(|at| ((at * 7919) % 101) as f32 - 50.0);
    let x = Tensor::from_iter(values(5 * hidden), &cpu)
        .unwrap()
        .reshape((5, hidden))
        .unwrap();
    let weight = Tensor::from_iter(values(vocab * hidden), &cpu).unwrap();
    let output = CudaLinear {
        matrix: CudaMatrix::Numbers(weight.reshape((vocab, hidden)).unwrap()),
        bias: None,
    };
    let norm = Tensor::ones(hidden, DType::F32, &cpu).unwrap();
    let best = |backend: &CudaBackend| {
        let chosen = backend.argmax(&x, &norm, &output).unwrap();
        backend.read(chosen).unwrap()
    };
    let expected = best(&backend);
    for max_logits in [1, 2 * vocab, 3 * vocab] {
        backend.max_logits = max_logits;
        assert_eq!(best(&backend), expected);
    }
}

/// Tokens that the device draws, read a step late, are those that the host draws from the logits of
/// the same steps, in any batch, and where sequences are preempted with a token on its way.
#[test]
fn what_is_drawn_on_the_device_is_what_the_host_draws() {
    use generation::{Decoding, Event, Generator, Prompt, Sampling};
    if HostRunner::new().is_none() {
        return;
    }
    let prompts = (0..9).map(|index| Prompt {
        id: format!("problem {}", index / 3),
        sample: index % 3,
        text: format!("Tom has {} apples and buys 7 more.", index / 3),
    });
    let prompts: Vec<Prompt> = prompts.collect();
    let sampling = Sampling {
        temperature: 0.8,
        top_k: 40.try_into().ok(),
        top_p: 0.95,
        min_p: 0.01,
        repetition_penalty: 1.0,
        seed: 11,
        samples: 3.try_into().unwrap(),
    };
    let decoding = Decoding {
        sampling: Some(sampling),
        stop: vec!["7".to_string()],
        ..Decoding::greedy(30)
    };
    let run = |logprobs, batch_size, kv_memory| {
        let options = EngineOptions {
            // Wanted log-probabilities bring the logits, and with them the choice, to the host.
            logprobs,
            token_ids: true,
            kv_memory,
            ..of_dtype(WeightDtype::F32, batch_size)
        };
        let mut model = load(&demo(), options);
        let (mut found, mut decoded) = (vec![None; prompts.len()], 0);
        let mut on_event = |event| {
            match event {
                Event::Finished(completion) => {
                    let index = completion.index;
                    let end = (
                        completion.token_ids,
                        completion.text,
                        completion.finish_reason,
                    );
                    assert!(found[index].replace(end).is_none(), "{index} ended twice");
                }
                Event::Decoded(tokens) => decoded += tokens,
                _ => {}
            }
            Ok(())
        };
        model.generate(&prompts, &decoding, &mut on_event).unwrap();
        let found: Vec<_> = found.into_iter().map(Option::unwrap).collect();
        let tokens = found
            .iter()
            .map(|(ids, ..)| ids.as_ref().map_or(0, Vec::len));
        assert_eq!(decoded, tokens.sum::<usize>());
        found
    };
    let expected = run(true, Some(9), None);
    assert_eq!(take_waits(), (0, 0), "the host chose");
    let stopped = |(.., reason): &&(_, _, FinishReason)| *reason == FinishReason::Stop;
    assert!(
        (1..9).contains(&expected.iter().filter(stopped).count()),
        "{expected:?}"
    );
    for (batch_size, kv_memory) in [
        (Some(9), None),
        (Some(4), None),
        (Some(1), None),
        // Blocks of 48 KiB: each sequence needs four or five.
        (Some(9), Some(20 * (48 << 10))),
    ] {
        let found = run(false, batch_size, kv_memory);
        assert_eq!(found, expected, "{batch_size:?}, {kv_memory:?}");
        // All but the last step of a batch, and those in which blocks run short.
        let (waits, behind) = take_waits();
        let least = if kv_memory.is_none() { 0.9 } else { 0.3 };
        assert!(
            waits > 20 && behind as f64 >= least * waits as f64,
            "{batch_size:?}, {kv_memory:?}: {behind} of {waits} steps began before the tokens were read"
        );
    }
}

/// Matrices of 8-bit blocks: tokens and logits of the kernels of the CPU, which round rows to the same
/// integers, and the same bits in any batch. Q8_0 of a GGUF file is multiplied as it is stored.
#[test]
fn eight_bit_products_are_those_of_the_cpu_in_any_batch() {
    use generation::Generator;
    if HostRunner::new().is_none() {
        return;
    }
    let quantize = Some(Quantization::Q8);
    let q8_0 = fixtures().join("gguf/llama-q-q8_0.gguf");
    for (checkpoint, quantize, dtype) in [
        (demo(), quantize, WeightDtype::F32),
        (demo(), quantize, WeightDtype::Auto),
        (fixtures().join("llama-tied"), quantize, WeightDtype::F32),
        (fixtures().join("llama-biased"), quantize, WeightDtype::F32),
        (q8_0.clone(), None, WeightDtype::Auto),
        (q8_0, quantize, WeightDtype::Auto),
    ] {
        let options = |batch_size| EngineOptions {
            quantize,
            ..of_dtype(dtype, batch_size)
        };
        let on_cpu = EngineOptions {
            threads: Some(2),
            ..options(None)
        };
        let files = || CheckpointFiles::open(&checkpoint).unwrap();
        let mut expected = LocalModel::load(files(), &on_cpu).unwrap();
        let prompts: Vec<Vec<u32>> = (1..12)
            .map(|prompt| {
                (0..3 * prompt + 5)
                    .map(|i| (i * i * 31 + prompt * 101) % 200 + 3)
                    .collect()
            })
            .collect();
        let mut model = load(&checkpoint, options(None));
        let details = model.info().details;
        assert!(
            details["arithmetic"].contains("8-bit products") && is_by_kernels(&model),
            "{details:?}"
        );
        let (mut squares, mut size, mut count) = (0.0, 0.0, 0);
        for prompt in &prompts {
            let [found, expected] = [&model, &expected].map(|model| model.logits(prompt).unwrap());
            for (a, b) in found.iter().flatten().zip(expected.iter().flatten()) {
                squares += f64::from(a - b).powi(2);
                size += f64::from(*b).powi(2);
                count += 1;
            }
        }
        let distance = (squares / size).sqrt();
        println!("{checkpoint:?} {dtype:?}: {distance:.2e} of the size of {count} logits");
        // A rounding that differs moves an integer; keys and values of bf16 move many.
        let most = if dtype == WeightDtype::F32 {
            0.01
        } else {
            0.05
        };
        assert!(distance < most, "{checkpoint:?} {dtype:?}: {distance}");
        let found = model.generate_ids(&prompts, 12).unwrap();
        for batch_size in [1, 3] {
            let alone = load(&checkpoint, options(Some(batch_size))).generate_ids(&prompts, 12);
            assert_eq!(alone.unwrap(), found, "{checkpoint:?}: {batch_size}");
        }
        if dtype == WeightDtype::F32 {
            assert_eq!(
                found,
                expected.generate_ids(&prompts, 12).unwrap(),
                "{checkpoint:?}"
            );
        }
    }
}
