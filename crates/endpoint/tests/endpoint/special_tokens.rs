//! Prompts that must reach the model as they are meant: one beginning-of-sequence token, and no
//! text around.

use std::sync::{Arc, Mutex};

use endpoint::{Endpoint, EndpointOptions, Error, PromptCounter, SpecialTokens};
use fault::{Class, Fault};
use generation::{Decoding, Generator, Prompt};
use serde_json::{Value, json};

use crate::asking::options;
use loopback::completions::{
    MODEL, ModelRequest, ModelServer, good_answer, json_answer, refusal, whole_answer,
};

const BOS: &str = "<|im_start|>";

/// Tokens of a text: each mark is one, each other word too.
fn tokens(text: &str) -> usize {
    text.replace(BOS, " <BOS> ").split_whitespace().count()
}

/// A server whose tokenizer begins a text with a token or not, and that counts by a route, by
/// usage, or not at all.
fn server(owner: &'static str, adds_bos: bool, counts: bool, around: usize) -> ModelServer {
    let list = json!({ "data": [{ "id": MODEL, "owned_by": owner, "max_model_len": 4096 }] });
    ModelServer::start_with_list(list, move |asked: &ModelRequest| {
        let added =
            usize::from(adds_bos && asked.body["add_special_tokens"] != json!(false)) + around;
        match asked.route.as_str() {
            "POST /tokenize" if counts => {
                let text = [
                    &asked.body["prompt"],
                    &asked.body["content"],
                    &asked.body["inputs"],
                ];
                let text = text.into_iter().find_map(Value::as_str).unwrap();
                json_answer(200, &json!({ "count": tokens(text) + added }))
            }
            "POST /v1/completions" => {
                let mut answer = whole_answer(asked, "4");
                match counts {
                    true => {
                        answer["usage"]["prompt_tokens"] = json!(tokens(asked.prompt()) + added)
                    }
                    false => answer["usage"] = Value::Null,
                }
                json_answer(200, &answer)
            }
            _ => refusal(404, "", "no such route"),
        }
    })
}

fn templated(server: &ModelServer) -> EndpointOptions {
    EndpointOptions {
        special_tokens: SpecialTokens::InPrompt {
            bos: Some(BOS.to_string()),
        },
        ..options(server)
    }
}

fn prompt() -> Prompt {
    Prompt {
        id: "a".into(),
        sample: 0,
        text: format!("{BOS} user what is 2 + 2 {BOS} assistant"),
    }
}

/// The tokens that the model reads of the prompt, as the server counts them.
fn read(server: &ModelServer) -> (usize, Vec<String>) {
    let warnings = Arc::new(Mutex::new(Vec::new()));
    let heard = warnings.clone();
    let mut endpoint = Endpoint::connect(templated(server), move |warning| {
        heard.lock().unwrap().push(warning.to_string())
    })
    .unwrap();
    endpoint.check(&[prompt()], &Decoding::greedy(9)).unwrap();
    let mut tokens = 0;
    endpoint
        .generate(&[prompt()], &Decoding::greedy(9), &mut |event| {
            if let generation::Event::Finished(completion) = event {
                tokens = completion.prompt_tokens;
            }
            Ok(())
        })
        .unwrap();
    let warnings = warnings.lock().unwrap().clone();
    (tokens, warnings)
}

#[test]
fn a_template_that_writes_its_marks_is_read_as_it_stands_whether_the_server_adds_one_or_not() {
    for owner in ["vllm", "sglang", MODEL, "llamacpp", "somebody"] {
        for adds_bos in [true, false] {
            let (read, warnings) = read(&server(owner, adds_bos, true, 0));
            assert_eq!(
                (read, warnings),
                (tokens(&prompt().text), vec![]),
                "{owner} {adds_bos}"
            );
        }
    }
}

#[test]
fn nobody_guesses_where_the_server_does_not_tell() {
    let error =
        Endpoint::connect(templated(&server("somebody", true, false, 0)), |_| {}).unwrap_err();
    assert!(
        matches!(&error, Error::SpecialTokens { reason, .. } if reason.contains("does not say how many")),
        "{error}"
    );
    let error =
        Endpoint::connect(templated(&server("somebody", true, true, 5)), |_| {}).unwrap_err();
    assert!(
        matches!(&error, Error::SpecialTokens { reason, .. } if reason.contains("as 7 tokens")),
        "{error}"
    );
    // vLLM is told.
    assert!(Endpoint::connect(templated(&server("vllm", true, false, 0)), |_| {}).is_ok());
}

#[test]
fn a_template_without_the_token_that_the_server_adds_is_warned_of() {
    let server = server("llamacpp", true, true, 0);
    let warnings = Arc::new(Mutex::new(Vec::new()));
    let heard = warnings.clone();
    let endpoint = Endpoint::connect(templated(&server), move |warning| {
        heard.lock().unwrap().push(warning.to_string())
    })
    .unwrap();
    let bare = Prompt {
        text: "user what is 2 + 2".into(),
        ..prompt()
    };
    endpoint.check(&[bare], &Decoding::greedy(9)).unwrap();
    assert!(
        warnings.lock().unwrap()[0].contains("prepends \"<|im_start|>\" to prompts"),
        "{warnings:?}"
    );
}

/// Warnings of a look at 20 prompts, where the checkpoint's own tokenizer counts so.
fn looked_at(server: &ModelServer, own: Option<fn(&str) -> Option<usize>>) -> Vec<String> {
    let warnings = Arc::new(Mutex::new(Vec::new()));
    let heard = warnings.clone();
    let options = EndpointOptions {
        own_count: own.map(PromptCounter::new),
        ..options(server)
    };
    let endpoint = Endpoint::connect(options, move |warning| {
        heard.lock().unwrap().push(warning.to_string())
    })
    .unwrap();
    let prompts: Vec<Prompt> = (0..20)
        .map(|number| Prompt {
            id: format!("set/{number}"),
            sample: 0,
            text: "so many words".into(),
        })
        .collect();
    endpoint.check(&prompts, &Decoding::greedy(9)).unwrap();
    warnings.lock().unwrap().clone()
}

#[test]
fn a_server_that_puts_text_around_prompts_is_noticed_before_anything_is_asked() {
    assert_eq!(looked_at(&server("somebody", true, true, 0), None), [""; 0]);
    let around = looked_at(&server("somebody", false, true, 12), None);
    assert!(
        around.len() == 1 && around[0].contains("reads 13 tokens in a prompt of one character"),
        "{around:?}"
    );
    // One that does not count cannot be looked at.
    assert_eq!(
        looked_at(&server("somebody", false, false, 12), None),
        [""; 0]
    );
}

#[test]
fn prompts_that_the_server_reads_otherwise_than_the_tokenizer_are_told_of() {
    for owner in ["vllm", "somebody"] {
        let server = server(owner, true, true, 0);
        assert_eq!(
            looked_at(&server, Some(|text| Some(tokens(text) + 1))),
            [""; 0],
            "{owner}"
        );
        let other = looked_at(&server, Some(|text| Some(tokens(text))));
        let expected = "4 in the prompt of set/0 where that has 3 (7 of 7 prompts compared differ)";
        assert!(other.len() == 1 && other[0].contains(expected), "{other:?}");
    }
    let server = ModelServer::start(good_answer);
    let chat = EndpointOptions {
        api: endpoint::Api::Chat,
        ..templated(&server)
    };
    let error = Endpoint::connect(chat, |_| {}).unwrap_err();
    assert_eq!(error.class(), Class::Usage);
}
