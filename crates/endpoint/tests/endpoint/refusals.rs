//! What servers do not take, in the words in which they say so, and how they are asked otherwise.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use endpoint::{Endpoint, EndpointOptions};
use generation::{Decoding, FinishReason, Generator, Sampling, ServingReport};
use serde_json::json;

use crate::asking::{ask, ask_one, options, prompts};
use loopback::completions::{
    Act, MODEL, ModelRequest, ModelServer, chunk, events, good_answer, json_answer, model_answer,
    refusal, stream_head, whole_answer,
};

fn greedy() -> Decoding {
    Decoding::greedy(64)
}

fn sampled() -> Decoding {
    let sampling = Sampling {
        temperature: 0.7,
        top_k: None,
        top_p: 1.0,
        min_p: 0.0,
        repetition_penalty: 1.0,
        seed: 1,
        samples: 1.try_into().unwrap(),
    };
    Decoding {
        sampling: Some(sampling),
        ..greedy()
    }
}

/// A server that takes so many stop strings, of this kind, and refuses more in vLLM's words.
fn with_stop_strings(owner: &str, most: usize) -> ModelServer {
    let list = json!({ "data": [{ "id": MODEL, "owned_by": owner }] });
    ModelServer::start_with_list(list, move |asked| {
        let stops = asked.body["stop"].as_array().map_or(0, Vec::len);
        match stops > most {
            true => refusal(
                400,
                "",
                &format!("stop: at most {most} stop strings are allowed, got {stops}"),
            ),
            false => good_answer(asked),
        }
    })
}

/// Six stop strings, of which the model's answers hold the last one.
fn six_stops() -> Decoding {
    Decoding {
        stop: ["Q1", "Q2", "Q3", "Q4", "Q5", "The answer"]
            .map(String::from)
            .to_vec(),
        ..greedy()
    }
}

/// Asks by an endpoint and returns its report too.
fn reported(options: EndpointOptions, decoding: &Decoding) -> (Vec<String>, ServingReport) {
    let mut endpoint = Endpoint::connect(options, |_| {}).unwrap();
    let mut texts = BTreeMap::new();
    let asked = prompts(12);
    endpoint
        .generate(&asked, decoding, &mut |event| {
            if let generation::Event::Finished(completion) = event {
                assert_eq!(completion.error, None);
                texts.insert(completion.index, completion.text);
            }
            Ok(())
        })
        .unwrap();
    (
        texts.into_values().collect(),
        endpoint.serving_report().unwrap(),
    )
}

#[test]
fn no_server_is_sent_more_stop_strings_than_it_takes_and_completions_are_the_same() {
    let expected: Vec<String> = prompts(12)
        .iter()
        .map(|prompt| {
            model_answer(&prompt.text)
                .split_once("The answer")
                .unwrap()
                .0
                .to_string()
        })
        .collect();
    for owner in ["vllm", "sglang", "llamacpp", "somebody"] {
        for (most, sent) in [(4, 4), (3, 2), (1, 1), (0, 0)] {
            let server = with_stop_strings(owner, most);
            let four = EndpointOptions {
                max_concurrency: 4,
                ..options(&server)
            };
            let (texts, report) = reported(four, &six_stops());
            assert_eq!(texts, expected, "{owner} {most}");
            assert_eq!(
                report.stop_strings_sent,
                six_stops().stop[..sent],
                "{owner} {most}"
            );
            assert_eq!(report.fields_refused.is_empty(), sent > 0);
            // Four requests may be under way when the first is refused.
            assert!(server.count() <= 12 + 3 * 4, "{} requests", server.count());
        }
    }
}

#[test]
fn fields_that_change_no_completion_are_left_out_where_a_server_refuses_them() {
    let words = [
        (
            "seed",
            "Unsupported parameter: 'seed' is not supported with this model.",
        ),
        (
            "stream_options",
            "[{'type': 'extra_forbidden', 'loc': ('body', 'stream_options'), 'msg': 'Extra inputs are not permitted'}]",
        ),
        (
            "logprobs",
            "litellm.UnsupportedParamsError: does not support parameters: ['logprobs'], for model=tiny",
        ),
        (
            "repetition_penalty",
            "Unrecognized request argument supplied: repetition_penalty",
        ),
    ];
    for (field, message) in words {
        let list = json!({ "data": [{ "id": MODEL, "owned_by": "vllm" }] });
        let server = ModelServer::start_with_list(list, move |asked| match asked.body.get(field) {
            Some(_) => refusal(if field == "seed" { 422 } else { 400 }, "", message),
            None => good_answer(asked),
        });
        let (texts, report) = reported(
            EndpointOptions {
                logprobs: true,
                ..options(&server)
            },
            &sampled(),
        );
        assert_eq!(
            (texts.len(), report.fields_refused),
            (12, vec![field.to_string()])
        );
    }
}

#[test]
fn a_reasoning_model_that_takes_next_to_nothing_is_asked_in_its_own_terms() {
    // The refusals of OpenAI's reasoning models, one at a time.
    let server = ModelServer::start(|asked| {
        let has = |field: &str| !asked.body[field].is_null();
        let unsupported = |field: &str, hint: &str| {
            refusal(
                400,
                "",
                &format!(
                    "Unsupported parameter: '{field}' is not supported with this model.{hint}"
                ),
            )
        };
        match () {
            () if has("max_tokens") => {
                unsupported("max_tokens", " Use 'max_completion_tokens' instead.")
            }
            () if asked.body["temperature"] != json!(1.0) => {
                refusal(400, "", "temperature: only 1 is supported")
            }
            () if has("top_p") => unsupported("top_p", ""),
            () if has("logprobs") => unsupported("logprobs", ""),
            () if has("stop") => unsupported("stop", ""),
            () => good_answer(asked),
        }
    });
    let mut decoding = Decoding {
        stop: six_stops().stop,
        ..sampled()
    };
    decoding.sampling.as_mut().unwrap().temperature = 1.0;
    let options = EndpointOptions {
        api: endpoint::Api::Chat,
        logprobs: true,
        ..options(&server)
    };
    let (texts, report) = reported(options, &decoding);
    assert_eq!(
        (texts.len(), report.fields_refused),
        (12, vec!["logprobs".to_string(), "stop".to_string()])
    );
    assert!(
        texts.iter().all(|text| !text.contains("The answer")),
        "{texts:?}"
    );
}

#[test]
fn a_setting_that_would_change_completions_is_never_left_out() {
    let server = ModelServer::start(|asked| match asked.body.get("temperature") {
        Some(_) => refusal(
            400,
            "",
            "Unsupported value: 'temperature' does not support 0.0 with this model.",
        ),
        None => good_answer(asked),
    });
    let told = ask(options(&server), &prompts(20), &greedy()).unwrap();
    assert!(
        told.error().contains("'temperature' does not support 0.0"),
        "{}",
        told.error()
    );
    assert!(
        server
            .completion_requests()
            .iter()
            .all(|asked| !asked.body["temperature"].is_null())
    );
}

#[test]
fn a_server_that_takes_no_seed_is_told_of() {
    let server = ModelServer::start(|asked| match asked.body.get("seed") {
        Some(_) => refusal(400, "", "seed: not permitted"),
        None => good_answer(asked),
    });
    let told = ask_one(options(&server), &sampled());
    assert!(
        told.warnings.len() == 1 && told.warnings[0].contains("accepts no seed"),
        "{:?}",
        told.warnings
    );
}

#[test]
fn a_refusal_that_names_the_context_leads_to_fewer_new_tokens() {
    let server = ModelServer::start(|asked| {
        let tokens = asked.prompt().len() as u64;
        match asked.body["max_tokens"].as_u64().unwrap() {
            max_tokens if tokens + max_tokens > 64 => refusal(
                400,
                "",
                &format!(
                    "'max_tokens' or 'max_completion_tokens' is too large: {max_tokens}. This model's maximum context length is 64 tokens and your request has {tokens} input tokens."
                ),
            ),
            _ => good_answer(asked),
        }
    });
    let mut asked = prompts(4);
    asked[2].text = "x".repeat(64);
    let told = ask(options(&server), &asked, &greedy()).unwrap();
    for completion in &told.completions {
        let too_long = completion.index == 2;
        assert_eq!(
            completion.finish_reason == FinishReason::Error,
            too_long,
            "{completion:?}"
        );
        if too_long {
            assert!(
                completion
                    .error
                    .as_ref()
                    .unwrap()
                    .contains("maximum context length is 64 tokens")
            );
        }
    }
    // Each that fits is asked twice, and the field's name is not taken for the other spelling of
    // the limit.
    assert_eq!(server.count(), 7);
    assert!(
        server
            .completion_requests()
            .iter()
            .all(|asked| asked.body.get("max_completion_tokens").is_none())
    );
}

/// A server that gives up what it is streaming whenever another request comes.
fn interrupting() -> ModelServer {
    let newest = Arc::new(AtomicUsize::new(0));
    ModelServer::start(move |asked| {
        let mine = newest.fetch_add(1, Ordering::SeqCst) + 1;
        let (newest, body) = (
            newest.clone(),
            events(asked, &model_answer(asked.prompt()), "\n"),
        );
        interrupted_stream(mine, newest, body)
    })
}

/// Pieces with pauses between them; whether a newer request came is looked at before each.
fn interrupted_stream(mine: usize, newest: Arc<AtomicUsize>, body: String) -> Vec<Act> {
    let mut acts = vec![Act::Send(stream_head())];
    for piece in body.as_bytes().chunks(body.len().div_ceil(4)) {
        acts.push(Act::Send(chunk(piece)));
        acts.push(Act::Wait(Duration::from_millis(10)));
        let newest = newest.clone();
        acts.push(Act::CloseIf(Arc::new(move || {
            newest.load(Ordering::SeqCst) > mine
        })));
    }
    acts.push(Act::Send(chunk(b"")));
    acts
}

#[test]
fn a_server_that_interrupts_requests_is_asked_one_at_a_time_and_that_is_said() {
    let server = interrupting();
    let told = ask(options(&server), &prompts(60), &greedy()).unwrap();
    assert!(told.outcome.is_ok(), "{told:?}");
    for completion in &told.completions {
        assert_eq!(
            completion.text,
            model_answer(&prompts(60)[completion.index].text)
        );
    }
    assert_eq!(
        told.warnings
            .iter()
            .filter(|warning| warning.contains("one at a time"))
            .count(),
        1
    );
    assert!(
        server.count() < 60 + 25,
        "{} requests for 60 prompts",
        server.count()
    );
}

#[test]
fn a_server_that_is_known_to_take_one_request_at_a_time_is_never_sent_two() {
    let list = json!({ "data": [{ "id": MODEL, "owned_by": "me" }] });
    let under_way = Arc::new(AtomicUsize::new(0));
    let most = Arc::new(AtomicUsize::new(0));
    let server = ModelServer::start_with_list(list, {
        let (under_way, most) = (under_way.clone(), most.clone());
        move |asked| {
            most.fetch_max(
                under_way.fetch_add(1, Ordering::SeqCst) + 1,
                Ordering::SeqCst,
            );
            let under_way = under_way.clone();
            let leave = Act::CloseIf(Arc::new(move || {
                under_way.fetch_sub(1, Ordering::SeqCst);
                false
            }));
            vec![Act::Wait(Duration::from_millis(5)), leave]
                .into_iter()
                .chain(json_answer(200, &whole_answer(asked, "4")))
                .collect()
        }
    });
    let told = ask(options(&server), &prompts(20), &greedy()).unwrap();
    assert_eq!(
        (
            told.completions.len(),
            server.count(),
            most.load(Ordering::SeqCst)
        ),
        (20, 20, 1)
    );
    assert!(
        told.warnings
            .iter()
            .any(|warning| warning.contains("llama-cpp-python")),
        "{:?}",
        told.warnings
    );
}

#[test]
fn the_latency_of_requests_is_reported() {
    let server = ModelServer::start(|asked: &ModelRequest| {
        [
            vec![Act::Wait(Duration::from_millis(30))],
            good_answer(asked),
        ]
        .concat()
    });
    let (_, report) = reported(options(&server), &greedy());
    let latency = report.latency.unwrap();
    assert_eq!(latency.requests, 12);
    assert!(
        latency.time_to_first_token_s.unwrap().median >= 0.03 && latency.request_s.p95 < 5.0,
        "{latency:?}"
    );
    let (_, report) = reported(
        EndpointOptions {
            stream: false,
            ..options(&server)
        },
        &greedy(),
    );
    assert_eq!(report.latency.unwrap().time_to_first_token_s, None);
}
