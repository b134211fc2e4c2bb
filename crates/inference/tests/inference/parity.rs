use generation::Decoding;
use inference::EngineOptions;

use crate::checkpoints::{ALL, cases, complete, load, load_with};

const STEPS: usize = 48;

#[test]
fn greedy_tokens_are_those_of_transformers() {
    for name in ALL {
        let mut model = load(name);
        for case in cases(name) {
            let found = model
                .generate_ids(std::slice::from_ref(&case.prompt_ids), STEPS)
                .unwrap();
            assert_eq!(found, [case.tokens], "{name}: {:?}", case.prompt);
        }
    }
}

#[test]
fn texts_are_those_of_transformers() {
    for name in ALL {
        let cases = cases(name);
        let texts: Vec<&str> = cases.iter().map(|case| case.prompt.as_str()).collect();
        for (found, case) in complete(&mut load(name), &texts, &Decoding::greedy(STEPS))
            .iter()
            .zip(&cases)
        {
            assert_eq!(found.text, case.text, "{name}: {:?}", case.prompt);
            assert_eq!(
                found.prompt_tokens,
                case.prompt_ids.len(),
                "{name}: {:?}",
                case.prompt
            );
            assert_eq!(
                found.completion_tokens,
                case.tokens.len(),
                "{name}: {:?}",
                case.prompt
            );
        }
    }
}

#[test]
fn prompts_become_the_token_ids_of_transformers() {
    for name in ALL {
        let model = load(name);
        for case in cases(name) {
            assert_eq!(
                model.encode(&case.prompt).unwrap(),
                case.prompt_ids,
                "{name}: {:?}",
                case.prompt
            );
        }
    }
}

#[test]
fn logits_are_those_of_transformers() {
    for name in ALL {
        let model = load(name);
        let mut compared = 0;
        for case in cases(name) {
            let Some(expected) = case.logits else {
                continue;
            };
            let found = model.logits(&case.prompt_ids).unwrap().pop().unwrap();
            let worst = found
                .iter()
                .zip(&expected)
                .map(|(a, b)| (a - b).abs())
                .fold(0.0, f32::max);
            // Both sides are f32 sums in different orders; logits here are of size 10.
            assert!(worst < 1e-4, "{name}: {:?} differs by {worst}", case.prompt);
            compared += 1;
        }
        assert_eq!(compared, 3, "{name}");
    }
}

#[test]
fn tokens_do_not_depend_on_batch_size_threads_or_order() {
    for name in ALL {
        let cases = cases(name);
        // Three rounds, so that prompts join while others are being written.
        let prompts: Vec<Vec<u32>> = cases
            .iter()
            .cycle()
            .take(33)
            .map(|case| case.prompt_ids.clone())
            .collect();
        let expected: Vec<Vec<u32>> = cases
            .iter()
            .cycle()
            .take(33)
            .map(|case| case.tokens.clone())
            .collect();
        for (batch_size, threads) in [(1, 1), (3, 2), (16, 1), (16, 3), (64, 2)] {
            let options = EngineOptions {
                batch_size: Some(batch_size),
                threads: Some(threads),
                ..Default::default()
            };
            let mut model = load_with(name, &options);
            let found = model.generate_ids(&prompts, STEPS).unwrap();
            assert_eq!(
                found, expected,
                "{name}: batch {batch_size}, threads {threads}"
            );
            let backwards: Vec<Vec<u32>> = prompts.iter().rev().cloned().collect();
            let found: Vec<Vec<u32>> = model
                .generate_ids(&backwards, STEPS)
                .unwrap()
                .into_iter()
                .rev()
                .collect();
            assert_eq!(
                found, expected,
                "{name}: backwards, batch {batch_size}, threads {threads}"
            );
        }
    }
}
