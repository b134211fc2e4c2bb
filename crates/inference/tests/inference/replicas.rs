//! Several copies of a model: what they do together is what one does.

use std::collections::BTreeSet;
use std::sync::mpsc::{Sender, channel};

use generation::{Completion, Decoding, Event, GenerationError, Generator, Prompt};
use inference::{
    CheckpointFiles, DeviceChoice, EngineOptions, Listener, LocalModel, ServedRequest, WeightDtype,
};

use crate::demo;

const COPIES: usize = 3;
const BATCH_SIZE: usize = 4;

fn load(copies: usize) -> LocalModel {
    let options = EngineOptions {
        device: DeviceChoice::CandleCpu(copies),
        dtype: WeightDtype::F32,
        batch_size: Some(BATCH_SIZE),
        threads: Some(2),
        ..EngineOptions::default()
    };
    let files = CheckpointFiles::open(&demo::checkpoint()).unwrap();
    LocalModel::load(files, &options).unwrap_or_else(|error| panic!("{error}"))
}

fn prompts(count: usize) -> Vec<Prompt> {
    let prompt = |number: usize| Prompt {
        id: number.to_string(),
        sample: 0,
        text: format!("Tom has {} apples and buys {number} more.", number % 7),
    };
    (0..count).map(prompt).collect()
}

#[test]
fn every_prompt_is_answered_once_and_events_add_up() {
    let prompts = prompts(40);
    let (mut answered, mut decoded, mut prefilled, mut most) = (BTreeSet::new(), 0, 0, 0);
    let (mut running, mut tokens) = (0_usize, 0);
    let mut model = load(COPIES);
    model
        .generate(&prompts, &Decoding::greedy(12), &mut |event| {
            match event {
                Event::Running(count) => running = count,
                Event::Decoded(count) => decoded += count,
                Event::Prefilled(count) => prefilled += count,
                Event::Finished(completion) => {
                    running = running.saturating_sub(1);
                    tokens += completion.completion_tokens;
                    assert!(answered.insert(completion.index));
                }
            }
            most = most.max(running);
            Ok(())
        })
        .unwrap();
    assert_eq!(answered, (0..40).collect());
    let in_prompts: usize = model
        .token_ids(&prompts)
        .unwrap()
        .unwrap()
        .iter()
        .map(Vec::len)
        .sum();
    assert_eq!((decoded, prefilled), (tokens, in_prompts));
    assert!(most > BATCH_SIZE && most <= COPIES * BATCH_SIZE, "{most}");
}

#[test]
fn what_the_caller_refuses_ends_all_copies() {
    let prompts = prompts(60);
    let mut finished = 0;
    let run = load(COPIES).generate(&prompts, &Decoding::greedy(200), &mut |event| match event {
        Event::Finished(_) => {
            finished += 1;
            Err(GenerationError::Receiver("enough".into()))
        }
        _ => Ok(()),
    });
    assert!(matches!(run, Err(GenerationError::Receiver(_))), "{run:?}");
    assert_eq!(finished, 1);
}

#[test]
fn a_prompt_too_long_for_the_cache_is_refused_as_with_one() {
    let options = EngineOptions {
        device: DeviceChoice::CandleCpu(COPIES),
        kv_memory: Some(1),
        ..EngineOptions::default()
    };
    let files = CheckpointFiles::open(&demo::checkpoint()).unwrap();
    let mut model = LocalModel::load(files, &options).unwrap();
    let run = model.generate(&prompts(1), &Decoding::greedy(5), &mut |_| Ok(()));
    let error = run.unwrap_err();
    let reason = std::error::Error::source(&error).unwrap().to_string();
    assert!(reason.contains("KV cache needs"), "{reason}");
}

/// Sends the completion of a request.
struct Told(Sender<Completion>);

impl Listener for Told {
    fn token(&mut self, _: u32, _: Option<f32>) {}

    fn is_gone(&self) -> bool {
        false
    }

    fn finished(&mut self, completion: Completion) {
        self.0.send(completion).unwrap();
    }
}

#[test]
fn served_requests_get_the_texts_of_one_copy() {
    let prompts = prompts(25);
    let mut one = load(1);
    let mut expected = vec![String::new(); prompts.len()];
    one.generate(&prompts, &Decoding::greedy(30), &mut |event| {
        if let Event::Finished(completion) = event {
            expected[completion.index] = completion.text;
        }
        Ok(())
    })
    .unwrap();

    let copies = load(COPIES);
    let ids = copies.token_ids(&prompts).unwrap().unwrap();
    let (sender, completions) = channel();
    let mut waiting: Vec<ServedRequest> = Vec::new();
    for prompt in &ids {
        waiting.push(ServedRequest {
            prompt: prompt.clone(),
            max_tokens: 30,
            stop: Vec::new(),
            sampling: None,
            logprobs: false,
            is_chat: false,
            prompt_logprobs: false,
            listener: Box::new(Told(sender.clone())),
        });
    }
    drop(sender);
    waiting.reverse();
    copies
        .serve(&mut |is_idle| match waiting.is_empty() {
            false => Some(
                waiting
                    .drain(waiting.len().saturating_sub(4)..)
                    .rev()
                    .collect(),
            ),
            true if is_idle => None,
            true => Some(Vec::new()),
        })
        .unwrap();
    let mut found: Vec<String> = completions
        .iter()
        .map(|completion| completion.text)
        .collect();
    found.sort();
    expected.sort();
    assert_eq!(found, expected);
}
