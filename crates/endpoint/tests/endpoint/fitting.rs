//! Prompts that may be too long for the server's context.

use std::sync::{Arc, Mutex};

use endpoint::{Api, Endpoint, EndpointOptions};
use generation::{Decoding, Generator, Prompt, PromptIssue};
use serde_json::{Value, json};

use crate::asking::options;
use crate::server::{MODEL, Server, json_answer, refusal};

/// A server whose tokens are words, with a context of 100.
fn server(owner: &'static str) -> Server {
    let list = json!({ "data": [{ "id": MODEL, "owned_by": owner, "max_model_len": 100 }] });
    Server::start_with_list(list, move |asked| {
        let words = |text: &str| text.split_whitespace().map(|_| 1).collect::<Vec<_>>();
        match asked.route.as_str() {
            "POST /apply-template" => {
                let prompt = format!("<user> {} <end>", asked.body["messages"][0]["content"].as_str().unwrap());
                json_answer(200, &json!({ "prompt": prompt }))
            }
            "POST /tokenize" => {
                let last = asked.body["messages"].as_array().and_then(|messages| messages.last());
                let texts = [
                    &asked.body["prompt"],
                    &asked.body["content"],
                    &asked.body["inputs"],
                    last.map_or(&Value::Null, |m| &m["content"]),
                ];
                let tokens = words(texts.into_iter().find_map(Value::as_str).unwrap());
                match owner {
                    "vllm" | "sglang" => json_answer(200, &json!({ "count": tokens.len(), "tokens": tokens })),
                    "llamacpp" => json_answer(200, &json!({ "tokens": tokens })),
                    _ => json_answer(200, &json!(tokens)),
                }
            }
            "GET /props" => json_answer(200, &json!({ "default_generation_settings": { "n_ctx": 100 } })),
            _ => refusal(404, "", "no such route"),
        }
    })
}

fn prompt(words: usize) -> Prompt {
    Prompt { id: words.to_string(), sample: 0, text: "word ".repeat(words) }
}

/// Issues and warnings of prompts of so many words with up to 50 new tokens.
fn check(server: &Server, api: Api, words: &[usize]) -> (Vec<PromptIssue>, Vec<String>) {
    let warnings = Arc::new(Mutex::new(Vec::new()));
    let heard = warnings.clone();
    let options = EndpointOptions { api, ..options(server) };
    let endpoint = Endpoint::connect(options, move |warning| heard.lock().unwrap().push(warning.to_string())).unwrap();
    let prompts: Vec<Prompt> = words.iter().map(|words| prompt(*words)).collect();
    let issues = endpoint.check(&prompts, &Decoding::greedy(50)).unwrap();
    let warnings = warnings.lock().unwrap().clone();
    (issues, warnings)
}

#[test]
fn servers_that_reserve_room_for_all_new_tokens_refuse_what_leaves_less() {
    for (owner, apis) in
        [("vllm", &[Api::Completions, Api::Chat][..]), ("sglang", &[Api::Completions]), (MODEL, &[Api::Completions])]
    {
        for &api in apis {
            let (issues, warnings) = check(&server(owner), api, &[3, 50, 51, 200]);
            let found: Vec<_> = issues.iter().map(|issue| (issue.index, issue.prompt_tokens)).collect();
            assert_eq!((found, warnings.len()), (vec![(2, 51), (3, 200)], 0), "{owner} {api:?}");
            assert!(issues[0].message.contains("51 tokens and up to 50 new ones"), "{}", issues[0].message);
        }
    }
}

#[test]
fn llama_cpp_cuts_completions_and_refuses_only_prompts_that_fill_the_context() {
    for (api, around) in [(Api::Completions, 0), (Api::Chat, 2)] {
        let (issues, warnings) = check(&server("llamacpp"), api, &[3, 50 - around, 51, 99 - around, 100]);
        assert_eq!(issues.iter().map(|issue| issue.index).collect::<Vec<_>>(), [4], "{api:?}");
        assert!(warnings.len() == 1 && warnings[0].starts_with("2 of 5 prompts"), "{warnings:?}");
    }
}

#[test]
fn where_nobody_counts_there_is_a_warning_and_no_issue() {
    let (issues, warnings) = check(&server("somebody"), Api::Completions, &[3, 20, 200]);
    assert_eq!(issues, []);
    assert!(warnings.len() == 1 && warnings[0].starts_with("1 of 3 prompts may not fit"), "{warnings:?}");
}

#[test]
fn prompts_that_fit_for_certain_are_not_counted() {
    let server = server("vllm");
    let (issues, warnings) = check(&server, Api::Completions, &[3, 4, 5]);
    assert_eq!((issues.len(), warnings.len()), (0, 0));
    assert!(server.asked().iter().all(|asked| !asked.route.contains("tokenize")));
}
