//! Whole models by the kernels of a GPU, on the CPU: what transformers recorded, and the same bits
//! whatever decides which rows are computed together.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::*;
use crate::cuda::HostRunner;
use crate::{CheckpointFiles, DeviceChoice, EngineOptions, LocalModel, WeightDtype};

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
    let output = DeviceLinear {
        weight: weight.reshape((vocab, hidden)).unwrap(),
        bias: None,
    };
    let norm = Tensor::ones(hidden, DType::F32, &cpu).unwrap();
    let expected = backend.argmax(&x, &norm, &output).unwrap();
    for max_logits in [1, 2 * vocab, 3 * vocab] {
        backend.max_logits = max_logits;
        assert_eq!(backend.argmax(&x, &norm, &output).unwrap(), expected);
    }
}
