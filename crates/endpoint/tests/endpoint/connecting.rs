//! The start: models, keys, addresses, what servers say of themselves.

use std::time::{Duration, Instant};

use endpoint::{ApiKey, BaseUrl, Endpoint, EndpointOptions, Error};
use fault::{Class, Fault};
use generation::{Decoding, Generator};
use serde_json::{Value, json};

use crate::asking::{KEY, ask, options, prompts};
use loopback::completions::{
    Act, MODEL, ModelServer, answer, good_answer, json_answer, refusal, stream_of,
};

fn connect(options: EndpointOptions) -> Result<Endpoint, Error> {
    Endpoint::connect(options, |_| {})
}

fn with_key(server: &ModelServer) -> EndpointOptions {
    EndpointOptions {
        key: Some(ApiKey::new(KEY, "a test").unwrap()),
        ..options(server)
    }
}

#[test]
fn a_refusal_at_the_start_is_told_at_once() {
    for (status, expected, requests) in [
        (401, "wants an API key", 1),
        (403, "no right", 1),
        (404, "nothing at this address", 3),
    ] {
        let server = ModelServer::start_bare(move |_| refusal(status, "", "no"));
        let error = connect(options(&server)).unwrap_err();
        assert!(
            error.class() == Class::Usage && error.to_string().contains(expected),
            "{error}"
        );
        assert_eq!(server.requests().len(), requests);
    }
}

#[test]
fn a_server_that_lists_no_models_is_asked_all_the_same_and_that_is_said() {
    let no_list = |status| {
        ModelServer::start_bare(move |asked| match asked.route.as_str() {
            "GET /v1/models" => refusal(status, "", "no such route"),
            "GET /v1/completions" => refusal(405, "", "method not allowed"),
            _ => good_answer(asked),
        })
    };
    let empty = ModelServer::start_with_list(json!({ "object": "list", "data": [] }), good_answer);
    for server in [no_list(404), no_list(405), empty] {
        let told = ask(options(&server), &prompts(3), &Decoding::greedy(64)).unwrap();
        assert_eq!((told.completions.len(), told.warnings.len()), (3, 1));
        assert!(
            told.warnings[0].contains("does not list its models"),
            "{:?}",
            told.warnings
        );
        assert_eq!(server.completion_requests()[0].body["model"], json!(MODEL));
    }
}

#[test]
fn a_model_that_is_not_there_is_told_with_those_that_are() {
    let many: Vec<Value> = (0..500)
        .map(|number| json!({ "id": format!("model-{number}") }))
        .collect();
    let server = ModelServer::start_with_list(json!({ "data": many }), good_answer);
    let message = connect(options(&server)).unwrap_err().to_string();
    assert!(
        message.contains("has no model \"tiny\"") && message.contains("model-0, model-1,"),
        "{message}"
    );
    assert!(
        message.contains("and 490 more") && message.len() < 400,
        "{message}"
    );
}

#[test]
fn an_alias_is_a_name_too() {
    let server = ModelServer::start_with_list(
        json!({ "data": [{ "id": "/models/a.gguf", "aliases": [MODEL] }] }),
        good_answer,
    );
    assert_eq!(
        connect(options(&server)).unwrap().info().name,
        "/models/a.gguf"
    );
}

#[test]
fn a_list_that_cannot_be_understood_is_told() {
    for (body, expected) in [
        ("<html>login</html>", "no JSON"),
        ("{}", "no \"data\""),
        ("{\"data\":7}", "no \"data\""),
        ("{\"data\":[7]}", "lists none"),
    ] {
        let server = ModelServer::start_bare(move |_| {
            answer(200, "content-type: application/json\r\n", body.as_bytes())
        });
        let message = connect(options(&server)).unwrap_err().to_string();
        assert!(message.contains(expected), "{body}: {message}");
    }
}

#[test]
fn a_server_that_is_still_starting_gets_a_moment_and_one_that_is_not_there_does_not_get_long() {
    let server = ModelServer::start_bare(|asked| match asked.before {
        0 | 1 => refusal(503, "", "Loading model"),
        _ => json_answer(200, &json!({ "data": [{ "id": MODEL }] })),
    });
    assert!(connect(options(&server)).is_ok());
    let address = server.address();
    let gone = options(&server);
    drop(server);
    let started = Instant::now();
    let error = connect(gone).unwrap_err();
    assert!(error.class() != Class::Usage, "{error}");
    assert!(
        error.to_string().contains(&address.to_string())
            && error.to_string().contains("4 attempts"),
        "{error}"
    );
    assert!(started.elapsed() < Duration::from_secs(10));
}

#[test]
fn a_redirect_is_not_followed_and_the_key_stays_here() {
    let elsewhere = ModelServer::start(good_answer);
    let location = format!("location: {}/v1/models\r\n", elsewhere.url);
    let server = ModelServer::start_bare(move |_| answer(307, &location, b""));
    let error = connect(with_key(&server)).unwrap_err();
    assert!(
        error
            .to_string()
            .contains(&format!("redirects to {}/v1/models", elsewhere.url)),
        "{error}"
    );
    assert_eq!(elsewhere.requests().len(), 0);
}

#[test]
fn the_key_is_sent_with_every_request_and_shown_nowhere() {
    // A server that repeats the key wherever it can.
    let list = json!({ "data": [{ "id": MODEL, "owned_by": KEY, "root": format!("at {KEY}") }] });
    let server = ModelServer::start_with_list(list, |asked| match asked.prompt() {
        prompt if prompt.contains("Question 0:") => {
            refusal(400, "", &format!("your {}", asked.authorization))
        }
        prompt if prompt.contains("Question 1:") => stream_of(
            format!("data: {{\"error\":{{\"message\":\"{KEY}\",\"code\":422}}}}\n\n").as_bytes(),
            99,
        ),
        prompt if prompt.contains("Question 2:") => stream_of(
            format!(
                "data: {{\"choices\":[{{\"text\":\"{KEY}\",\"finish_reason\":\"stop\"}}]}}\n\n"
            )
            .as_bytes(),
            9,
        ),
        prompt if prompt.contains("Question 3:") => answer(500, "", KEY.as_bytes()),
        _ => good_answer(asked),
    });
    let endpoint = connect(with_key(&server)).unwrap();
    let told = ask(with_key(&server), &prompts(20), &Decoding::greedy(16)).unwrap();
    let all = format!(
        "{endpoint:?} {:?} {:?} {told:?}",
        endpoint.info(),
        with_key(&server)
    );
    assert!(!all.contains("0123456789"), "{all}");
    assert_eq!(told.completions.len(), 20);
    assert!(
        server
            .requests()
            .iter()
            .all(|asked| asked.authorization == format!("Bearer {KEY}"))
    );
    for start in [
        ModelServer::start_bare(|asked| refusal(401, "", &asked.authorization)),
        ModelServer::start_bare(|asked| {
            json_answer(200, &json!({ "data": [{ "id": asked.authorization }] }))
        }),
    ] {
        let message = connect(with_key(&start)).unwrap_err().to_string();
        assert!(
            message.contains("[key]") && !message.contains("0123456789"),
            "{message}"
        );
    }
}

#[test]
fn the_address_is_understood_with_and_without_v1() {
    let server = ModelServer::start(good_answer);
    for url in [
        server.url.clone(),
        format!("{}/v1", server.url),
        format!("{}/v1/chat/completions", server.url),
    ] {
        let options = EndpointOptions {
            url: BaseUrl::parse(&url).unwrap(),
            ..options(&server)
        };
        assert_eq!(
            connect(options).unwrap().info().details["url"],
            format!("{}/v1", server.url)
        );
    }
}

#[test]
fn what_servers_say_of_themselves_goes_into_the_details() {
    let own = |asked: &loopback::completions::ModelRequest| match asked.route.as_str() {
        "GET /version" => json_answer(200, &json!({ "version": "0.11.2" })),
        "GET /props" => json_answer(
            200,
            &json!({ "build_info": "b6000-abc", "default_generation_settings": { "n_ctx": 512 } }),
        ),
        "GET /info" => json_answer(
            200,
            &json!({ "version": "3.3.0", "max_total_tokens": 1024 }),
        ),
        "GET /get_server_info" => json_answer(200, &json!({ "version": "0.5.0" })),
        _ => refusal(404, "", "no such route"),
    };
    for (entry, server_is, context) in [
        (
            json!({ "id": MODEL, "owned_by": "vllm", "root": "org/model", "max_model_len": 4096 }),
            Some("vLLM 0.11.2"),
            Some("4096"),
        ),
        (
            json!({ "id": MODEL, "owned_by": "sglang", "max_model_len": 8192 }),
            Some("SGLang 0.5.0"),
            Some("8192"),
        ),
        (
            json!({ "id": MODEL, "owned_by": "llamacpp", "meta": { "n_ctx_train": 2048 } }),
            Some("llama.cpp b6000-abc"),
            Some("512"),
        ),
        (
            json!({ "id": MODEL, "owned_by": MODEL }),
            Some("TGI 3.3.0"),
            Some("1024"),
        ),
        (json!({ "id": MODEL, "owned_by": "system" }), None, None),
    ] {
        let server = ModelServer::start_with_list(json!({ "data": [entry.clone()] }), own);
        let info = connect(options(&server)).unwrap().info();
        assert_eq!(
            (info.kind.as_str(), info.name.as_str()),
            ("endpoint", MODEL)
        );
        let detail = |name: &str| info.details.get(name).map(String::as_str);
        assert_eq!(
            (detail("server"), detail("context")),
            (server_is, context),
            "{entry}"
        );
        assert_eq!(detail("checkpoint"), entry["root"].as_str());
        assert_eq!(
            (detail("api"), detail("model")),
            (Some("completions"), Some(MODEL))
        );
    }
}

#[test]
fn options_outside_their_range_are_refused() {
    let server = ModelServer::start(good_answer);
    for wrong in [
        EndpointOptions {
            max_concurrency: 0,
            ..options(&server)
        },
        EndpointOptions {
            max_concurrency: 5000,
            ..options(&server)
        },
        EndpointOptions {
            model: " ".into(),
            ..options(&server)
        },
        EndpointOptions {
            system_prompt: Some("x".into()),
            ..options(&server)
        },
    ] {
        assert_eq!(connect(wrong).unwrap_err().class(), Class::Usage);
    }
    assert_eq!(server.requests().len(), 0);
}

#[test]
fn keys_come_from_files_that_hold_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    std::fs::write(&path, format!("{KEY}\n")).unwrap();
    assert_eq!(
        ApiKey::from_file(&path).unwrap(),
        ApiKey::new(KEY, "a test").unwrap()
    );
    for content in [
        b"".to_vec(),
        b"two words".to_vec(),
        b"\xff\xfe".to_vec(),
        vec![b'x'; 20_000],
    ] {
        std::fs::write(&path, content).unwrap();
        let message = ApiKey::from_file(&path).unwrap_err().to_string();
        assert!(message.contains(&path.display().to_string()), "{message}");
    }
    assert!(ApiKey::from_file(&folder.path().join("none")).is_err());
}

#[test]
fn a_huge_list_is_cut_off() {
    let server = ModelServer::start_bare(|_| {
        let mut acts = vec![Act::Send(loopback::completions::stream_head())];
        acts.extend((0..40).map(|_| Act::Send(loopback::completions::chunk(&vec![b' '; 1 << 20]))));
        acts
    });
    let message = connect(options(&server)).unwrap_err().to_string();
    assert!(message.contains("more than 16777216 bytes"), "{message}");
}
