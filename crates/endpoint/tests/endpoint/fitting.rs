//! Prompts that may be too long for the server's context.

use std::sync::{Arc, Mutex};

use endpoint::{Api, Endpoint, EndpointOptions};
use generation::{Decoding, Generator, Prompt, PromptIssue};
use serde_json::{Value, json};

use crate::asking::options;
use loopback::completions::{MODEL, ModelServer, good_answer, json_answer, refusal};

/// A server whose tokens are words, with a context of 100.
fn server(owner: &'static str) -> ModelServer {
    let list = json!({ "data": [{ "id": MODEL, "owned_by": owner, "max_model_len": 100 }] });
    ModelServer::start_with_list(list, move |asked| {
        let words = |text: &str| text.split_whitespace().map(|_| 1).collect::<Vec<_>>();
        match asked.route.as_str() {
            "POST /apply-template" => {
                let prompt = format!(
                    "<user> {} <end>",
                    asked.body["messages"][0]["content"].as_str().unwrap()
                );
                json_answer(200, &json!({ "prompt": prompt }))
            }
            "POST /tokenize" => {
                let last = asked.body["messages"]
                    .as_array()
                    .and_then(|messages| messages.last());
                let texts = [
                    &asked.body["prompt"],
                    &asked.body["content"],
                    &asked.body["inputs"],
                    last.map_or(&Value::Null, |m| &m["content"]),
                ];
                let tokens = words(texts.into_iter().find_map(Value::as_str).unwrap());
                match owner {
                    "vllm" | "sglang" => {
                        json_answer(200, &json!({ "count": tokens.len(), "tokens": tokens }))
                    }
                    "llamacpp" => json_answer(200, &json!({ "tokens": tokens })),
                    _ => json_answer(200, &json!(tokens)),
                }
            }
            "POST /v1/completions" | "POST /v1/chat/completions" => good_answer(asked),
            "POST /extras/tokenize/count" => json_answer(
                200,
                &json!({ "count": words(asked.body["input"].as_str().unwrap()).len() }),
            ),
            "GET /props" => json_answer(
                200,
                &json!({ "default_generation_settings": { "n_ctx": 100 } }),
            ),
            _ => refusal(404, "", "no such route"),
        }
    })
}

fn prompt(words: usize) -> Prompt {
    Prompt {
        id: words.to_string(),
        sample: 0,
        text: "word ".repeat(words),
    }
}

/// Issues and warnings of prompts of so many words with up to 50 new tokens.
fn check(server: &ModelServer, api: Api, words: &[usize]) -> (Vec<PromptIssue>, Vec<String>) {
    let warnings = Arc::new(Mutex::new(Vec::new()));
    let heard = warnings.clone();
    let options = EndpointOptions {
        api,
        ..options(server)
    };
    let endpoint = Endpoint::connect(options, move |warning| {
        heard.lock().unwrap().push(warning.to_string())
    })
    .unwrap();
    let prompts: Vec<Prompt> = words.iter().map(|words| prompt(*words)).collect();
    let issues = endpoint.check(&prompts, &Decoding::greedy(50)).unwrap();
    let warnings = warnings.lock().unwrap().clone();
    (issues, warnings)
}

#[test]
fn only_prompts_that_fill_the_context_are_refused_and_the_others_have_what_is_left() {
    for (owner, apis) in [
        ("vllm", &[Api::Completions, Api::Chat][..]),
        ("sglang", &[Api::Completions]),
        (MODEL, &[Api::Completions]),
        ("llamacpp", &[Api::Completions, Api::Chat]),
        ("me", &[Api::Completions]),
    ] {
        for &api in apis {
            // llama.cpp's template puts two words around.
            let around = if owner == "llamacpp" && api == Api::Chat {
                2
            } else {
                0
            };
            let words = [3, 50 - around, 51 - around, 99 - around, 100 - around, 200];
            let (issues, warnings) = check(&server(owner), api, &words);
            let found: Vec<_> = issues
                .iter()
                .map(|issue| (issue.index, issue.prompt_tokens))
                .collect();
            assert_eq!(found, [(4, 100), (5, 200 + around)], "{owner} {api:?}");
            assert_eq!(
                issues[0].message,
                "the prompt has 100 tokens and the server's context only 100"
            );
            let clipped = warnings
                .iter()
                .filter(|warning| warning.starts_with("2 of 6 prompts leave less room"));
            assert_eq!(clipped.count(), 1, "{owner} {api:?} {warnings:?}");
        }
    }
}

#[test]
fn completions_are_asked_for_no_more_tokens_than_the_context_leaves() {
    let server = server("vllm");
    let mut endpoint = Endpoint::connect(options(&server), |_| {}).unwrap();
    let prompts: Vec<Prompt> = [3, 50, 51, 99].map(prompt).to_vec();
    let decoding = Decoding::greedy(50);
    assert_eq!(endpoint.check(&prompts, &decoding).unwrap(), []);
    endpoint
        .generate(&prompts, &decoding, &mut |_| Ok(()))
        .unwrap();
    let mut asked: Vec<_> = server
        .completion_requests()
        .iter()
        .map(|asked| {
            (
                asked.prompt().split_whitespace().count(),
                asked.body["max_tokens"].as_u64().unwrap(),
            )
        })
        .collect();
    asked.sort_unstable();
    assert_eq!(asked, [(3, 50), (50, 50), (51, 49), (99, 1)]);
}

#[test]
fn where_nobody_counts_there_is_a_warning_and_no_issue() {
    let (issues, warnings) = check(&server("somebody"), Api::Completions, &[3, 20, 200]);
    assert_eq!(issues, []);
    assert!(
        warnings.len() == 1 && warnings[0].starts_with("1 of 3 prompts may leave less room"),
        "{warnings:?}"
    );
}

#[test]
fn prompts_that_fit_for_certain_are_not_counted() {
    let server = server("vllm");
    let (issues, warnings) = check(&server, Api::Completions, &[3, 4, 5]);
    assert_eq!((issues.len(), warnings.len()), (0, 0));
    assert!(
        server
            .requests()
            .iter()
            .all(|asked| !asked.route.contains("tokenize"))
    );
}
