use generation::{Decoding, Event, FinishReason, GenerationError, Generator};
use inference::{CheckpointFiles, EngineOptions, LocalModel};
use serde_json::json;
use tokenizers::Tokenizer;

use crate::checkpoints::{ALL, Copy, cases, complete, folder, load, load_with, prompts};
use crate::loading::with_tensors;

#[test]
fn a_prompt_begins_with_one_bos_whoever_writes_it() {
    for name in ALL {
        let model = load(name);
        for prompt in ["A", "<s>A", "<s><s><s>A"] {
            let ids = model.encode(prompt).unwrap();
            assert_eq!(
                ids.iter().take_while(|&&id| id == 1).count(),
                1,
                "{name}: {prompt:?} became {ids:?}"
            );
            assert_eq!(
                ids.iter().filter(|&&id| id == 1).count(),
                1,
                "{name}: {prompt:?} became {ids:?}"
            );
        }
    }
}

#[test]
fn without_add_bos_token_the_post_processor_decides() {
    let copy = Copy::of("llama-biased");
    copy.edit("tokenizer_config.json", |config| {
        config["add_bos_token"] = json!(false)
    });
    let model = copy.load();
    assert!(!model.encode("A").unwrap().contains(&1));
    assert_eq!(model.encode("<s>A").unwrap()[0], 1);
    assert_eq!(model.info().details["bos"], "none");
}

/// As Mistral's Magistral has them: special tokens, of which texts have none but these.
#[test]
fn special_tokens_that_mark_thinking_stay_in_a_text() {
    let plain = load("llama-tied");
    let copy = Copy::of("llama-tied");
    let mut first = 0;
    copy.edit("tokenizer.json", |tokenizer| {
        let vocabulary = tokenizer["model"]["vocab"].as_object().unwrap();
        let ids = vocabulary.values().map(|id| id.as_u64().unwrap());
        first = ids.max().unwrap() + 1;
        let added = tokenizer["added_tokens"].as_array_mut().unwrap();
        for (id, content) in (first..).zip(["[THINK]", "[/THINK]", "[INST]"]) {
            added.push(json!({
                "id": id, "content": content, "special": true, "single_word": false,
                "lstrip": false, "rstrip": false, "normalized": false,
            }));
        }
    });
    let model = copy.load();
    let [open, close, inst] = [0, 1, 2].map(|more| (first + more) as u32);
    let words = |text: &str| plain.encode(text).unwrap()[1..].to_vec();
    let (thought, answer) = (words("A b"), words("c"));
    let ids = [&[inst, open][..], &thought, &[close], &answer, &[2]].concat();
    let (thought, answer) = (
        plain.decode(&thought).unwrap(),
        plain.decode(&answer).unwrap(),
    );
    assert_eq!(
        model.decode(&ids).unwrap(),
        format!("[THINK]{thought}[/THINK]{answer}")
    );
    assert_eq!(model.decode(&[open]).unwrap(), "[THINK]");
}

#[test]
fn truncation_and_padding_left_in_the_tokenizer_are_ignored() {
    let model = load("llama-tied");
    let short = model.encode("A").unwrap();
    let long = model.encode(&"A ".repeat(50)).unwrap();
    assert_eq!(short.len(), 2);
    assert!(long.len() > 50);
}

#[test]
fn every_end_of_sequence_token_ends_a_completion() {
    let cases = cases("llama-tied");
    let case = &cases[1];
    let second = *case.tokens.last().unwrap();
    assert_ne!(second, 2);
    let mut model = load("llama-tied");
    let ended = &complete(&mut model, &[&case.prompt], &Decoding::greedy(48))[0];
    assert_eq!(
        (ended.finish_reason, ended.completion_tokens),
        (FinishReason::Eos, case.tokens.len())
    );

    let copy = Copy::of("llama-tied");
    copy.remove("generation_config.json");
    let going_on = &complete(&mut copy.load(), &[&case.prompt], &Decoding::greedy(48))[0];
    assert!(going_on.completion_tokens > ended.completion_tokens);
    assert!(going_on.text.starts_with(&ended.text));
}

#[test]
fn a_model_without_end_of_sequence_token_is_run_with_a_warning() {
    let copy = Copy::of("llama-biased");
    copy.edit("config.json", |config| config["eos_token_id"] = json!(null));
    copy.edit("tokenizer_config.json", |config| {
        config["eos_token"] = json!(null)
    });
    let mut model = copy.load();
    assert_eq!(model.warnings().len(), 1);
    assert!(model.warnings()[0].contains("end-of-sequence"));
    assert_eq!(
        complete(&mut model, &["A"], &Decoding::greedy(5))[0].finish_reason,
        FinishReason::Length
    );
    assert!(load("llama-biased").warnings().is_empty());
}

#[test]
fn a_completion_has_at_most_max_tokens() {
    let mut model = load("mistral-window");
    let case = &cases("mistral-window")[0];
    for most in [1, 2, 17] {
        let found = &complete(&mut model, &[&case.prompt], &Decoding::greedy(most))[0];
        assert_eq!(
            (found.completion_tokens, found.finish_reason),
            (most, FinishReason::Length)
        );
    }
}

/// The shortest beginning of `tokens` whose text holds `stop`, by decoding every beginning: its
/// length, and its text up to there.
fn first_stop(tokenizer: &Tokenizer, tokens: &[u32], stop: &str) -> Option<(usize, String)> {
    (1..=tokens.len()).find_map(|count| {
        let text = tokenizer.decode(&tokens[..count], true).unwrap();
        text.find(stop).map(|end| (count, text[..end].to_string()))
    })
}

#[test]
fn stop_strings_cut_the_text_wherever_they_begin_and_end() {
    for name in ALL {
        let mut model = load(name);
        let tokenizer = Tokenizer::from_file(folder(name).join("tokenizer.json")).unwrap();
        let mut cut = 0;
        for case in cases(name) {
            let characters: Vec<char> = case.text.chars().collect();
            // Every stretch of 1, 3 and 7 characters, which begin and end within tokens of several
            // letters.
            for length in [1, 3, 7] {
                for stretch in characters.windows(length).step_by(3) {
                    let stop: String = stretch.iter().collect();
                    if stop.contains(char::REPLACEMENT_CHARACTER) {
                        continue;
                    }
                    let decoding = Decoding {
                        stop: vec!["never to be seen".into(), stop.clone()],
                        ..Decoding::greedy(48)
                    };
                    let found = &complete(&mut model, &[&case.prompt], &decoding)[0];
                    let expected = first_stop(&tokenizer, &case.tokens, &stop).unwrap();
                    let found_stop = (found.completion_tokens, found.text.clone());
                    assert_eq!(
                        found_stop, expected,
                        "{name}: {:?} until {stop:?}",
                        case.prompt
                    );
                    assert_eq!(found.finish_reason, FinishReason::Stop);
                    cut += 1;
                }
            }
        }
        assert!(cut > 20, "{name}: only {cut} stop strings");
    }
}

#[test]
fn a_stop_string_ends_the_work_at_once() {
    let case = &cases("mistral-window")[0];
    let stop: String = case.text.chars().skip(4).take(2).collect();
    let decoding = Decoding {
        stop: vec![stop, String::new()],
        ..Decoding::greedy(48)
    };
    let found = &complete(&mut load("mistral-window"), &[&case.prompt], &decoding)[0];
    assert!(
        found.completion_tokens < 12,
        "{} tokens",
        found.completion_tokens
    );
}

#[test]
fn the_context_ends_a_completion() {
    let copy = Copy::of("mistral-window");
    // Positions of this checkpoint are scaled by 2.
    copy.edit("config.json", |config| {
        config["max_position_embeddings"] = json!(12)
    });
    let mut model = copy.load();
    assert_eq!(model.context_length(), 24);
    let case = &cases("mistral-window")[0];
    let found = &complete(&mut model, &[&case.prompt], &Decoding::greedy(48))[0];
    assert_eq!(found.finish_reason, FinishReason::Length);
    assert_eq!(found.prompt_tokens + found.completion_tokens, 24);
}

#[test]
fn prompts_without_room_are_reported_and_fail_alone() {
    let mut model = load("llama-tied");
    let texts = ["A".to_string(), "A ".repeat(400), "q".to_string()];
    let issues = model.check(&prompts(&texts), &Decoding::greedy(4)).unwrap();
    assert_eq!(issues.len(), 1);
    assert_eq!(issues[0].index, 1);
    assert_eq!(
        issues[0].message,
        format!(
            "the prompt has {} tokens and the context only 256",
            issues[0].prompt_tokens
        )
    );
    let found = complete(&mut model, &texts, &Decoding::greedy(4));
    assert_eq!(found[1].finish_reason, FinishReason::Error);
    assert_eq!(found[1].error.as_ref(), Some(&issues[0].message));
    assert!(found[0].error.is_none() && found[2].error.is_none());
}

#[test]
fn an_empty_prompt_without_bos_fails_alone() {
    let copy = Copy::of("llama-biased");
    copy.edit("tokenizer_config.json", |config| {
        config["add_bos_token"] = json!(false)
    });
    let found = complete(&mut copy.load(), &["", "A"], &Decoding::greedy(4));
    assert_eq!(found[0].error.as_deref(), Some("the prompt has no tokens"));
    assert_eq!(found[1].completion_tokens, 4);
}

#[test]
fn logits_that_are_not_numbers_fail_that_completion() {
    // Finite weights that overflow on the way: sums of infinities of both signs.
    let copy = with_tensors(|tensors| {
        let norm = &mut tensors.get_mut("model.norm.weight").unwrap().data;
        norm.as_chunks_mut::<4>()
            .0
            .iter_mut()
            .for_each(|weight| *weight = 3e38f32.to_le_bytes());
    });
    let found = &complete(&mut copy.load(), &["What is 3 + 4?"], &Decoding::greedy(4))[0];
    assert_eq!(found.finish_reason, FinishReason::Error);
    assert_eq!(
        found.error.as_deref(),
        Some("the model's logits are not numbers (NaN) at new token 1")
    );
    assert_eq!((found.text.as_str(), found.completion_tokens), ("", 0));
}

#[test]
fn events_add_up() {
    let mut model = load_with(
        "llama-tied",
        &EngineOptions {
            batch_size: Some(3),
            ..Default::default()
        },
    );
    let texts = [
        "A".to_string(),
        "How far does it travel? ".repeat(10),
        "q".to_string(),
        "x".to_string(),
    ];
    let (mut prefilled, mut decoded, mut running, mut finished) = (0, 0, 0, Vec::new());
    model
        .generate(&prompts(&texts), &Decoding::greedy(9), &mut |event| {
            match event {
                Event::Prefilled(tokens) => prefilled += tokens,
                Event::Decoded(tokens) => {
                    // One each, and of the last ones what was drafted too.
                    let most = if running <= 2 { 4 * running } else { running };
                    assert!((running..=most).contains(&tokens), "{tokens} for {running}");
                    decoded += tokens;
                }
                Event::Running(completions) => running = completions,
                Event::Finished(completion) => {
                    running -= 1;
                    finished.push(completion);
                }
            }
            Ok(())
        })
        .unwrap();
    assert_eq!(
        prefilled,
        finished
            .iter()
            .map(|completion| completion.prompt_tokens)
            .sum::<usize>()
    );
    assert_eq!(
        decoded,
        finished
            .iter()
            .map(|completion| completion.completion_tokens)
            .sum::<usize>()
    );
    assert_eq!(running, 0);
}

#[test]
fn a_receiver_that_refuses_is_obeyed_at_once() {
    let mut model = load("llama-tied");
    let mut events = 0;
    let result = model.generate(&prompts(&["A", "q"]), &Decoding::greedy(9), &mut |_| {
        events += 1;
        if events == 3 {
            Err(GenerationError::Receiver("disk full".into()))
        } else {
            Ok(())
        }
    });
    assert!(
        matches!(result, Err(GenerationError::Receiver(reason)) if reason.to_string() == "disk full")
    );
    assert_eq!(events, 3);
}

#[test]
fn the_prompt_hash_is_that_of_the_token_ids() {
    let case = &cases("llama-tied")[0];
    let bytes: Vec<u8> = case
        .prompt_ids
        .iter()
        .flat_map(|id| id.to_le_bytes())
        .collect();
    let found = &complete(
        &mut load("llama-tied"),
        &[&case.prompt],
        &Decoding::greedy(1),
    )[0];
    assert_eq!(found.prompt_hash, blake3::hash(&bytes).to_hex().to_string());
}

#[test]
fn a_checkpoint_is_identified_without_being_loaded() {
    for name in ALL {
        let mut loaded = load(name).info();
        let files = CheckpointFiles::open(&folder(name)).unwrap();
        let identified = LocalModel::identify(&files, &EngineOptions::default()).unwrap();
        assert_ne!(loaded, identified, "{name}");
        loaded.details.remove("arithmetic").unwrap();
        assert_eq!(loaded, identified, "{name}");
    }
}

#[test]
fn details_identify_the_checkpoint() {
    let info = load("mistral-window").info();
    assert_eq!(
        (info.name.as_str(), info.kind.as_str()),
        ("mistral-window", "local")
    );
    let keys: Vec<&str> = info.details.keys().map(String::as_str).collect();
    assert_eq!(
        keys,
        [
            "architecture",
            "arithmetic",
            "bos",
            "config_digest",
            "dtype",
            "eos",
            "parameters",
            "tokenizer_digest",
            "weights_digest"
        ]
    );
    assert_eq!(info.details["architecture"], "MistralForCausalLM");
    assert_eq!(info.details["dtype"], "f32");
    assert_eq!(info.details["bos"], "1 (post-processor)");
    assert_eq!(
        load("llama-biased").info().details["bos"],
        "1 (add_bos_token)"
    );
    let mut hasher = blake3::Hasher::new();
    for shard in 1..=3 {
        let file = format!("mistral-window/model-0000{shard}-of-00003.safetensors");
        hasher.update(&std::fs::read(crate::checkpoints::folder(&file)).unwrap());
    }
    assert_eq!(
        info.details["weights_digest"],
        hasher.finalize().to_hex().to_string()
    );
}
