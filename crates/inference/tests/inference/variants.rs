//! Checkpoints of every variant, as `tools/parity-checkpoints/variants.py` wrote them with
//! transformers.

use std::path::PathBuf;

use inference::{CheckpointFiles, EngineOptions, LocalModel, WeightDtype};

use crate::checkpoints::{Case, cases_in, folder};

pub const STEPS: usize = 64;

pub fn variants() -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder("variants")).unwrap();
    let mut folders: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    assert!(folders.len() >= 20, "only {} variants", folders.len());
    folders
}

fn load(folder: &std::path::Path, dtype: WeightDtype, batch_size: Option<usize>) -> LocalModel {
    let options = EngineOptions {
        dtype,
        batch_size,
        threads: Some(2),
        ..EngineOptions::default()
    };
    LocalModel::load(CheckpointFiles::open(folder).unwrap(), &options)
        .unwrap_or_else(|error| panic!("{folder:?}: {error}"))
}

#[test]
fn greedy_tokens_are_those_of_transformers() {
    for folder in variants() {
        let cases = cases_in(&folder);
        assert!(cases.len() >= 8, "{folder:?}");
        let prompts: Vec<Vec<u32>> = cases.iter().map(|case| case.prompt_ids.clone()).collect();
        for batch_size in [Some(1), Some(3), None] {
            let found = load(&folder, WeightDtype::F32, batch_size)
                .generate_ids(&prompts, STEPS)
                .unwrap();
            for (case, found) in cases.iter().zip(found) {
                assert_eq!(
                    found, case.tokens,
                    "{folder:?}: {:?} in batches of {batch_size:?}",
                    case.prompt
                );
            }
        }
    }
}

/// Equal prompts share a prefix, which is computed by the frequencies of short sequences.
#[test]
fn sequences_that_outgrow_the_original_context_of_longrope_do_not_depend_on_batch_or_room() {
    const ORIGINAL_CONTEXT: usize = 64;
    let folder = folder("variants/longrope");
    let mut cases = cases_in(&folder);
    cases.retain(|case| case.prompt_ids.len() <= ORIGINAL_CONTEXT);
    let outgrow = |case: &&Case| case.prompt_ids.len() + case.tokens.len() > ORIGINAL_CONTEXT;
    assert!(cases.iter().filter(outgrow).count() >= 4);
    let prompts: Vec<Vec<u32>> = cases
        .iter()
        .flat_map(|case| vec![case.prompt_ids.clone(); 4])
        .collect();
    // Those with little room put off sequences on both sides of the original context.
    for (batch_size, kv_memory) in [
        (Some(1), None),
        (Some(48), None),
        (Some(24), Some(73_728)),
        (Some(24), Some(122_880)),
        (Some(24), Some(131_072)),
    ] {
        let options = EngineOptions {
            dtype: WeightDtype::F32,
            batch_size,
            kv_memory,
            ..EngineOptions::default()
        };
        let mut model =
            LocalModel::load(CheckpointFiles::open(&folder).unwrap(), &options).unwrap();
        let found = model.generate_ids(&prompts, STEPS).unwrap();
        for (found, case) in found.chunks(4).zip(&cases) {
            for found in found {
                assert_eq!(found, &case.tokens, "{:?}: {options:?}", case.prompt);
            }
        }
    }
}

#[test]
fn prompts_become_the_token_ids_of_transformers() {
    for folder in variants() {
        let model = load(&folder, WeightDtype::Auto, None);
        for case in cases_in(&folder) {
            let expected = match case.prompt_ids[..] {
                // A text that brings its own: there is exactly one beginning of a sequence.
                [first, second, ..] if first == second && case.prompt.starts_with("<s>") => {
                    &case.prompt_ids[1..]
                }
                _ => &case.prompt_ids,
            };
            assert_eq!(
                model.encode(&case.prompt).unwrap(),
                expected,
                "{folder:?}: {:?}",
                case.prompt
            );
        }
    }
}

#[test]
fn logits_are_those_of_transformers() {
    for folder in variants() {
        let model = load(&folder, WeightDtype::F32, None);
        let mut compared = 0;
        for case in cases_in(&folder)
            .iter()
            .filter(|case| case.logits.is_some())
        {
            let distance = case.distance(&model);
            assert!(
                distance < 3e-5,
                "{folder:?}: {:?} differs by {distance}",
                case.prompt
            );
            compared += 1;
        }
        assert!(compared >= 2, "{folder:?}");
    }
}

#[test]
fn bf16_logits_are_no_farther_from_f32_than_those_of_transformers() {
    let (mut ours, mut theirs) = (0.0, 0.0);
    for folder in variants() {
        let model = load(&folder, WeightDtype::Bf16, None);
        for case in cases_in(&folder)
            .iter()
            .filter(|case| case.logits.is_some())
        {
            let distance = case.distance(&model);
            let reference = case.bf16_distance.unwrap();
            println!(
                "{:24} ours {distance:.5} transformers {reference:.5}",
                folder.file_name().unwrap().display()
            );
            ours += distance / reference;
            theirs += 1.0;
        }
    }
    assert!(
        ours > 0.0 && ours <= theirs,
        "on average {} of the distance of transformers",
        ours / theirs
    );
}
