//! The forward pass for devices: the same bodies on candle's CPU backend and, with the feature
//! `cuda`, on a GPU.

use std::path::Path;

use generation::{Decoding, Generator, Sampling};
use inference::{
    CheckpointFiles, DeviceChoice, EngineOptions, ErrorKind, LocalModel, Quantization, WeightDtype,
};

use crate::checkpoints::{ALL, Case, cases, cases_in, complete, folder};
use crate::{demo, gguf, logprobs, variants};

fn load(files: CheckpointFiles, options: &EngineOptions) -> LocalModel {
    LocalModel::load(files, options).unwrap_or_else(|error| panic!("{error}"))
}

fn load_from(path: &Path, options: &EngineOptions) -> LocalModel {
    load(CheckpointFiles::open(path).unwrap(), options)
}

fn in_f32(device: DeviceChoice, batch_size: Option<usize>) -> EngineOptions {
    let threads = Some(2);
    EngineOptions {
        device,
        dtype: WeightDtype::F32,
        batch_size,
        threads,
        ..EngineOptions::default()
    }
}

fn prompts(cases: &[Case]) -> Vec<Vec<u32>> {
    cases.iter().map(|case| case.prompt_ids.clone()).collect()
}

fn logits_are_near(name: &Path, cases: &[Case], model: &LocalModel) {
    let mut compared = 0;
    for case in cases.iter().filter(|case| case.logits.is_some()) {
        let distance = case.distance(model);
        assert!(
            distance < 3e-5,
            "{name:?}: {:?} differs by {distance}",
            case.prompt
        );
        compared += 1;
    }
    assert!(compared >= 2, "{name:?}");
}

fn every_variant_agrees_with_transformers(device: DeviceChoice) {
    for folder in variants::variants() {
        let cases = cases_in(&folder);
        for batch_size in [Some(1), Some(3), None] {
            let mut model = load_from(&folder, &in_f32(device, batch_size));
            for (case, found) in cases.iter().zip(
                model
                    .generate_ids(&prompts(&cases), variants::STEPS)
                    .unwrap(),
            ) {
                assert_eq!(
                    found, case.tokens,
                    "{folder:?}: {:?} in batches of {batch_size:?}",
                    case.prompt
                );
            }
            if batch_size.is_none() {
                logits_are_near(&folder, &cases, &model);
            }
        }
    }
}

fn every_gguf_file_agrees_with_transformers(device: DeviceChoice) {
    for file in gguf::files() {
        let cases = gguf::cases(&file);
        let mut model = load_from(&file, &in_f32(device, None));
        let found = model.generate_ids(&prompts(&cases), gguf::STEPS).unwrap();
        for (case, found) in cases.iter().zip(found) {
            assert_eq!(
                found,
                gguf::expected(case, &model),
                "{file:?}: {:?}",
                case.prompt
            );
        }
        logits_are_near(&file, &cases, &model);
    }
}

/// Shared starts, windows, prompts that join while others are written, and a cache that runs full.
fn tokens_are_the_recorded_ones_in_any_batch(device: DeviceChoice) {
    for name in ALL {
        let cases = cases(name);
        let rounds = || cases.iter().cycle().take(33);
        let prompts: Vec<Vec<u32>> = rounds().map(|case| case.prompt_ids.clone()).collect();
        let expected: Vec<&[u32]> = rounds().map(|case| case.tokens.as_slice()).collect();
        // Of the longest prompt and its completion the cache takes 11 blocks, here of 16 KiB at
        // most.
        for (batch_size, kv_memory) in [
            (Some(3), None),
            (Some(16), Some(13 * (16 << 10))),
            (None, None),
        ] {
            let mut model = load_from(
                &folder(name),
                &EngineOptions {
                    kv_memory,
                    ..in_f32(device, batch_size)
                },
            );
            let found = model.generate_ids(&prompts, 48).unwrap();
            assert_eq!(found, expected, "{name}: {batch_size:?}, {kv_memory:?}");
        }
    }
}

/// Prompts of the demo checkpoint, some longer than a step, in a cache that holds a few of them.
fn the_demo_writes_what_transformers_writes(device: DeviceChoice) {
    let (prompts, expected) = demo::recording();
    let few = || prompts.iter().zip(&expected).step_by(23);
    let (mut asked, mut answers): (Vec<Vec<u32>>, Vec<Vec<u32>>) = few()
        .map(|(prompt, answer)| (prompt.clone(), answer.clone()))
        .unzip();
    let long: Vec<u32> = prompts.iter().flatten().copied().take(700).collect();
    let mut on_cpu = load_from(&demo::checkpoint(), &in_f32(DeviceChoice::Cpu, None));
    answers.extend(
        on_cpu
            .generate_ids(std::slice::from_ref(&long), 40)
            .unwrap(),
    );
    asked.push(long);
    for (batch_size, kv_memory) in [(None, None), (Some(8), Some(5 << 20))] {
        let options = EngineOptions {
            kv_memory,
            ..in_f32(device, batch_size)
        };
        let found = load_from(&demo::checkpoint(), &options)
            .generate_ids(&asked, demo::MOST_TOKENS)
            .unwrap();
        for ((prompt, found), expected) in asked.iter().zip(&found).zip(&answers) {
            let shown = found.len().min(expected.len());
            assert_eq!(
                found[..shown],
                expected[..shown],
                "{batch_size:?}: {prompt:?}"
            );
        }
    }
}

fn bf16_logits_stay_near(device: DeviceChoice) {
    let (mut ours, mut theirs) = (0.0, 0.0);
    for folder in variants::variants() {
        let options = EngineOptions {
            dtype: WeightDtype::Bf16,
            ..in_f32(device, None)
        };
        let model = load_from(&folder, &options);
        for case in cases_in(&folder)
            .iter()
            .filter(|case| case.logits.is_some())
        {
            ours += case.distance(&model) / case.bf16_distance.unwrap();
            theirs += 1.0;
        }
    }
    println!("{:.3} of the distance of transformers", ours / theirs);
    assert!(
        ours > 0.0 && ours <= theirs,
        "on average {} of the distance of transformers",
        ours / theirs
    );
}

fn adapters_are_merged(device: DeviceChoice) {
    for (name, base) in [("lora-all", "base"), ("dora", "base")] {
        let adapter = folder("adapters").join(name);
        let files = CheckpointFiles::open(&folder("adapters").join(base))
            .unwrap()
            .with_adapter(&adapter)
            .unwrap();
        let mut model = load(files, &in_f32(device, None));
        let cases = cases_in(&adapter);
        for (case, found) in cases
            .iter()
            .zip(model.generate_ids(&prompts(&cases), 64).unwrap())
        {
            assert_eq!(found, case.tokens, "{name}: {:?}", case.prompt);
        }
    }
}

fn sampling_and_stop_strings_work(device: DeviceChoice) {
    let texts: Vec<String> = (0..6)
        .map(|index| format!("Tom has {index} apples and buys 7 more."))
        .collect();
    let sampling = Sampling {
        temperature: 0.7,
        top_k: None,
        top_p: 0.9,
        min_p: 0.0,
        repetition_penalty: 1.1,
        seed: 3,
        samples: 1.try_into().unwrap(),
    };
    let stop = vec!["he".to_string()];
    let decoding = Decoding {
        sampling: Some(sampling),
        stop,
        ..Decoding::greedy(40)
    };
    let run = |device| {
        complete(
            &mut load_from(&demo::checkpoint(), &in_f32(device, None)),
            &texts,
            &decoding,
        )
    };
    let (found, expected) = (run(device), run(DeviceChoice::Cpu));
    let texts = |completions: &[generation::Completion]| -> Vec<String> {
        completions
            .iter()
            .map(|completion| completion.text.clone())
            .collect()
    };
    assert_eq!(texts(&found), texts(&expected));
    assert!(
        found
            .iter()
            .all(|completion| !completion.text.contains("he"))
    );
}

fn log_probabilities_are_those_of_transformers(device: DeviceChoice) {
    logprobs::log_probabilities_are_those_of_transformers(device);
}

fn details_name_the_device(device: DeviceChoice) {
    let q8_0 = folder("gguf").join("llama-q-q8_0.gguf");
    let options = EngineOptions {
        device,
        ..EngineOptions::default()
    };
    let details = load_from(&q8_0, &options).info().details;
    let name = details["device"].clone();
    // Blocks of 8 bits are multiplied as they are, and widened for candle.
    let (by, products) = match device {
        DeviceChoice::Cuda(_) => {
            // Its model: which one of them it was shows in no bit.
            assert!(name.starts_with("cuda (NVIDIA"), "{name}");
            ("kernels", "8-bit products, bf16 keys and values, f32 sums")
        }
        _ => {
            assert_eq!(name, device.to_string());
            ("candle", "bf16 products, f32 sums, attention and logits")
        }
    };
    let arithmetic = format!("{by} on {name}, {products}");
    assert!(
        details["arithmetic"].starts_with(&arithmetic),
        "{details:?}"
    );
    assert_eq!(details["quantization"], "q8_0");
    let details = load_from(&folder("llama-tied"), &in_f32(device, None))
        .info()
        .details;
    let arithmetic = format!("{by} on {name}, f32");
    assert!(
        details["arithmetic"].starts_with(&arithmetic),
        "{details:?}"
    );

    let options = EngineOptions {
        quantize: Some(Quantization::Q8),
        ..options
    };
    let loaded = LocalModel::load(CheckpointFiles::open(&q8_0).unwrap(), &options);
    match device {
        DeviceChoice::Cuda(_) => assert!(loaded.is_ok()),
        _ => {
            let error = loaded.err().unwrap();
            assert_eq!(error.kind(), ErrorKind::QuantizedOnGpu);
            let expected = format!(
                "8-bit products (q8_0) are computed by kernels of this program, and on {device} there are none for this model"
            );
            assert_eq!(error.to_string(), expected);
        }
    }
}

/// One test of each body, with attributes such as what it needs.
macro_rules! tests_on {
    (@all $device:expr, $attributes:tt; $($body:ident)*) => {
        $( tests_on! { @one $device, $attributes, $body } )*
    };
    (@one $device:expr, [$(#[$attribute:meta])*], $body:ident) => {
        #[test]
        $(#[$attribute])*
        fn $body() {
            super::$body($device);
        }
    };
    ([$(#[$attribute:meta])*] $device:expr) => {
        tests_on! {
            @all $device, [$(#[$attribute])*];
            every_variant_agrees_with_transformers
            every_gguf_file_agrees_with_transformers
            tokens_are_the_recorded_ones_in_any_batch
            the_demo_writes_what_transformers_writes
            bf16_logits_stay_near
            adapters_are_merged
            sampling_and_stop_strings_work
            log_probabilities_are_those_of_transformers
            details_name_the_device
        }
    };
}

/// Three copies of the model.
mod candle_cpu_in_three {
    use inference::DeviceChoice;

    tests_on! {
        @all DeviceChoice::CandleCpu(3), [];
        tokens_are_the_recorded_ones_in_any_batch
        the_demo_writes_what_transformers_writes
        sampling_and_stop_strings_work
    }
}

mod candle_cpu {
    use inference::DeviceChoice;

    tests_on!([] DeviceChoice::CandleCpu(1));
}

#[cfg(feature = "cuda")]
mod cuda {
    use inference::{CheckpointFiles, DeviceChoice, EngineOptions, ErrorKind, Gpus, LocalModel};

    use crate::checkpoints::folder;

    tests_on!([#[ignore = "needs an NVIDIA GPU"]] DeviceChoice::Cuda(Gpus::ALL));

    #[test]
    fn a_gpu_that_is_not_there_is_refused_with_the_reason() {
        let options = EngineOptions {
            device: DeviceChoice::Cuda(Gpus::one(63).unwrap()),
            ..EngineOptions::default()
        };
        let error = LocalModel::load(
            CheckpointFiles::open(&folder("llama-tied")).unwrap(),
            &options,
        )
        .err()
        .unwrap();
        assert_eq!(error.kind(), ErrorKind::GpuUnavailable);
        assert_eq!(error.to_string(), "cuda:63 cannot be used");
        assert!(
            std::error::Error::source(&error).is_some_and(|reason| !reason.to_string().is_empty())
        );
    }
}

#[cfg(not(feature = "cuda"))]
#[test]
fn a_gpu_is_refused_by_a_program_without_code_for_one() {
    let options = EngineOptions {
        device: DeviceChoice::Cuda(inference::Gpus::ALL),
        ..EngineOptions::default()
    };
    let error = LocalModel::load(
        CheckpointFiles::open(&folder("llama-tied")).unwrap(),
        &options,
    )
    .err()
    .unwrap();
    assert_eq!(error.kind(), ErrorKind::NoGpuSupport);
}

#[test]
fn without_a_device_nothing_is_said_of_one() {
    let details = load_from(&folder("llama-tied"), &EngineOptions::default())
        .info()
        .details;
    assert!(
        !details.contains_key("device") && !details["arithmetic"].contains("candle"),
        "{details:?}"
    );
}
