//! Each form that a good answer may have.

use std::time::Duration;

use endpoint::{Api, EndpointOptions};
use generation::{Decoding, FinishReason};
use serde_json::json;

use crate::asking::{ask, ask_one, options, prompts};
use loopback::completions::{
    Act, ModelServer, answer, events, good_answer, json_answer, model_answer, refusal, stream_of,
    whole_answer,
};

fn greedy() -> Decoding {
    Decoding::greedy(64)
}

#[test]
fn both_routes_streamed_and_not_give_the_models_answer() {
    for api in [Api::Completions, Api::Chat] {
        for stream in [true, false] {
            let server = ModelServer::start(good_answer);
            let told = ask_one(
                EndpointOptions {
                    api,
                    stream,
                    ..options(&server)
                },
                &greedy(),
            );
            let completion = told.one();
            let expected = model_answer("Question 0: how many?");
            assert_eq!(
                (&completion.text, completion.finish_reason),
                (&expected, FinishReason::Eos),
                "{api:?} {stream}"
            );
            let tokens = expected.chars().count() + 1;
            assert_eq!(
                (completion.prompt_tokens, completion.completion_tokens),
                (5, tokens)
            );
            assert_eq!(
                completion.prompt_hash,
                blake3::hash(b"Question 0: how many?").to_hex().to_string()
            );
            assert_eq!(told.warnings, [""; 0]);
            assert_eq!(told.decoded, tokens);
            let asked = &server.completion_requests()[0];
            assert_eq!(asked.route.contains("/chat/"), api == Api::Chat);
            assert_eq!(
                (&asked.body["model"], &asked.body["temperature"]),
                (&json!("tiny"), &json!(0.0))
            );
        }
    }
}

#[test]
fn log_probabilities_are_asked_for_and_kept() {
    for api in [Api::Completions, Api::Chat] {
        let server = ModelServer::start(|asked| {
            let mut body = whole_answer(asked, "42");
            body["choices"][0]["logprobs"] = match asked.route.contains("/chat/") {
                true => {
                    json!({ "content": [{ "token": "4", "logprob": -0.25 }, { "token": "2", "logprob": -1.5 }] })
                }
                false => json!({ "tokens": ["4", "2"], "token_logprobs": [-0.25, -1.5] }),
            };
            json_answer(200, &body)
        });
        let told = ask_one(
            EndpointOptions {
                api,
                logprobs: true,
                ..options(&server)
            },
            &greedy(),
        );
        assert_eq!(told.one().logprobs, Some(vec![-0.25, -1.5]));
        assert_eq!(told.warnings, [""; 0]);
        let is_chat = api == Api::Chat;
        assert_eq!(
            server.completion_requests()[0].body["logprobs"],
            if is_chat { json!(true) } else { json!(1) }
        );
    }
    // A server that does not tell them, and one that is not asked.
    let server = ModelServer::start(good_answer);
    let told = ask_one(
        EndpointOptions {
            logprobs: true,
            ..options(&server)
        },
        &greedy(),
    );
    assert_eq!((&told.one().logprobs, told.warnings.len()), (&None, 1));
    let told = ask_one(options(&server), &greedy());
    assert_eq!((&told.one().logprobs, told.warnings.len()), (&None, 0));
    assert!(
        server.completion_requests()[1]
            .body
            .get("logprobs")
            .is_none()
    );
}

#[test]
fn a_stream_is_the_same_however_it_is_cut_and_its_lines_end() {
    for line_end in ["\n", "\r\n", "\r"] {
        for size in [1, 2, 3, 7, 64] {
            let server = ModelServer::start(move |asked| {
                stream_of(
                    events(asked, &model_answer(asked.prompt()), line_end).as_bytes(),
                    size,
                )
            });
            let told = ask_one(options(&server), &greedy());
            assert_eq!(
                told.one().text,
                model_answer("Question 0: how many?"),
                "{line_end:?} {size}"
            );
        }
    }
}

#[test]
fn comments_and_long_silences_between_pieces_are_borne() {
    let server = ModelServer::start(|asked| {
        let mut acts = stream_of(events(asked, "4", "\n").as_bytes(), 40);
        for at in (1..acts.len()).rev() {
            acts.insert(at, Act::Wait(Duration::from_millis(20)));
        }
        acts.insert(
            1,
            Act::Send(loopback::completions::chunk(b": keep-alive\n\n:\n")),
        );
        acts
    });
    assert_eq!(ask_one(options(&server), &greedy()).one().text, "4");
}

#[test]
fn plain_json_and_unnamed_streams_are_taken_where_a_stream_was_asked() {
    let plain = ModelServer::start(|asked| json_answer(200, &whole_answer(asked, "4")));
    let unnamed = ModelServer::start(|asked| answer(200, "", events(asked, "4", "\n").as_bytes()));
    for server in [plain, unnamed] {
        let told = ask_one(options(&server), &greedy());
        assert_eq!(
            (told.one().text.as_str(), told.one().completion_tokens),
            ("4", 2)
        );
    }
}

#[test]
fn pieces_are_counted_where_the_server_does_not_count_and_that_is_said_once() {
    let server = ModelServer::start(|asked| {
        let mut silent = asked.clone();
        silent.body["stream_options"] = json!(null);
        stream_of(events(&silent, "abc", "\n").as_bytes(), 4096)
    });
    let told = ask(options(&server), &prompts(3), &greedy()).unwrap();
    assert!(
        told.completions
            .iter()
            .all(|completion| (completion.prompt_tokens, completion.completion_tokens) == (0, 3))
    );
    assert_eq!(told.warnings.len(), 1);
    assert!(
        told.warnings[0].contains("did not count"),
        "{:?}",
        told.warnings
    );
}

#[test]
fn the_clients_own_watch_stops_at_a_stop_string_over_pieces_and_hangs_up() {
    // The server knows no stop string and would go on for a minute.
    let server = ModelServer::start(|asked| {
        let mut acts = stream_of(
            events(asked, "42 ### Instruction: more", "\n").as_bytes(),
            50,
        );
        acts.pop();
        acts.push(Act::Wait(Duration::from_secs(60)));
        acts
    });
    let decoding = Decoding {
        stop: vec!["### Instruction:".into()],
        ..greedy()
    };
    let started = std::time::Instant::now();
    let told = ask_one(options(&server), &decoding);
    assert_eq!(
        (told.one().text.as_str(), told.one().finish_reason),
        ("42 ", FinishReason::Stop)
    );
    assert!(started.elapsed() < Duration::from_secs(30));
    assert_eq!(
        server.completion_requests()[0].body["stop"],
        json!(["### Instruction:"])
    );
}

#[test]
fn what_the_server_does_not_understand_is_learnt_once() {
    let server = ModelServer::start(|asked| match &asked.body {
        body if !body["stream_options"].is_null() => {
            refusal(400, "", "Unrecognized request argument: stream_options")
        }
        body if !body["max_tokens"].is_null() => {
            refusal(400, "", "Use 'max_completion_tokens' instead.")
        }
        _ => good_answer(asked),
    });
    let one_by_one = EndpointOptions {
        max_concurrency: 1,
        ..options(&server)
    };
    let told = ask(one_by_one, &prompts(3), &greedy()).unwrap();
    assert!(
        told.completions
            .iter()
            .all(|completion| completion.error.is_none()),
        "{told:?}"
    );
    assert_eq!(server.completion_requests().len(), 5);
    assert_eq!(
        server.completion_requests()[4].body["max_completion_tokens"],
        json!(64)
    );
}

#[test]
fn a_server_that_closes_after_each_answer_is_asked_again() {
    let server = ModelServer::start(|asked| {
        let mut acts = good_answer(asked);
        acts.push(Act::Close);
        acts
    });
    let told = ask(options(&server), &prompts(50), &greedy()).unwrap();
    assert_eq!(told.completions.len(), 50);
    assert!(
        told.completions
            .iter()
            .all(|completion| completion.error.is_none()),
        "{told:?}"
    );
}

#[test]
fn a_system_prompt_is_told_first() {
    let server = ModelServer::start(good_answer);
    let brief = EndpointOptions {
        api: Api::Chat,
        system_prompt: Some("Be brief.".into()),
        ..options(&server)
    };
    ask_one(brief, &greedy());
    let messages = server.completion_requests()[0].body["messages"].clone();
    assert_eq!(
        messages[0],
        json!({ "role": "system", "content": "Be brief." })
    );
    assert_eq!(messages[1]["role"], json!("user"));
}
