//! Each way to behave badly, alone: what passes is tried again, what does not fails with its
//! reason.

use std::time::{Duration, Instant, SystemTime};

use endpoint::{EndpointOptions, RetryPolicy};
use generation::{Decoding, FinishReason};

use crate::asking::{KEY, Told, ask, ask_one, options, policy, prompts};
use loopback::completions::{
    Act, ModelRequest, ModelServer, answer, chunk, events, good_answer, model_answer, refusal,
    stream_head, stream_of,
};

fn greedy() -> Decoding {
    Decoding::greedy(64)
}

/// A stream that ends after so many bytes, without its end.
fn cut_at(asked: &ModelRequest, bytes: usize) -> Vec<Act> {
    let body = events(asked, &model_answer(asked.prompt()), "\n");
    vec![
        Act::Send(stream_head()),
        Act::Send(chunk(&body.as_bytes()[..bytes.min(body.len())])),
        Act::Close,
    ]
}

fn hang(asked: &ModelRequest) -> Vec<Act> {
    let body = events(asked, "There are", "\n");
    vec![
        Act::Send(stream_head()),
        Act::Send(chunk(&body.as_bytes()[..100])),
        Act::Hang,
    ]
}

/// Three prompts, each of which is put off once; the requests that were made.
fn put_off_once(
    fault: impl Fn(&ModelRequest) -> Vec<Act> + Send + Sync + 'static,
) -> (Told, usize) {
    let server = ModelServer::start(move |asked| {
        if asked.before == 0 {
            fault(asked)
        } else {
            good_answer(asked)
        }
    });
    let impatient = EndpointOptions {
        policy: RetryPolicy {
            idle_timeout: Duration::from_millis(500),
            ..policy()
        },
        ..options(&server)
    };
    let told = ask(impatient, &prompts(3), &greedy()).unwrap();
    let asked = server.completion_requests().len();
    (told, asked)
}

#[test]
fn what_passes_is_tried_again_and_the_answer_is_whole() {
    let multi_byte = |asked: &ModelRequest| {
        let body = events(asked, "算", "\n");
        let middle = body.find('算').unwrap() + 1;
        vec![
            Act::Send(stream_head()),
            Act::Send(chunk(&body.as_bytes()[..middle])),
            Act::Close,
        ]
    };
    type Fault = Box<dyn Fn(&ModelRequest) -> Vec<Act> + Send + Sync>;
    let faults: [(&str, Fault); 17] = [
        ("closes without a word", Box::new(|_| vec![Act::Close])),
        (
            "cuts the head",
            Box::new(|_| vec![Act::Send(b"HTTP/1.1 20".to_vec()), Act::Close]),
        ),
        (
            "cuts a line of the stream",
            Box::new(|asked| cut_at(asked, 333)),
        ),
        (
            "cuts between events",
            Box::new(|asked| cut_at(asked, events(asked, "T", "\n").find("\n\n").unwrap() + 2)),
        ),
        ("cuts within a character", Box::new(multi_byte)),
        (
            "ends the stream before its end",
            Box::new(|_| stream_of(b"data: {\"choices\":[{\"text\":\"4\"}]}\n\n", 99)),
        ),
        ("never answers", Box::new(|_| vec![Act::Hang])),
        ("stops in the middle", Box::new(hang)),
        (
            "bad JSON",
            Box::new(|_| stream_of(b"data: {\"choices\":[{\"te\n\n", 99)),
        ),
        (
            "no UTF-8",
            Box::new(|_| stream_of(b"data: \xff\xfe\n\n", 99)),
        ),
        (
            "HTML",
            Box::new(|_| answer(200, "content-type: text/html\r\n", b"<html>busy</html>")),
        ),
        (
            "an error in the stream",
            Box::new(|_| {
                stream_of(
                    b"data: {\"error\":{\"message\":\"CUDA\",\"code\":500}}\n\n",
                    99,
                )
            }),
        ),
        ("500", Box::new(|_| refusal(500, "", "out of memory"))),
        (
            "502",
            Box::new(|_| answer(502, "", b"<html>Bad gateway</html>")),
        ),
        ("503", Box::new(|_| refusal(503, "", "loading"))),
        ("408", Box::new(|_| refusal(408, "", "too slow"))),
        (
            "429",
            Box::new(|_| refusal(429, "retry-after: 0\r\n", "too many")),
        ),
    ];
    for (name, fault) in faults {
        let (told, asked) = put_off_once(fault);
        assert!(told.outcome.is_ok(), "{name}: {told:?}");
        assert_eq!(told.completions.len(), 3, "{name}");
        for completion in &told.completions {
            let expected = model_answer(&prompts(3)[completion.index].text);
            assert_eq!(
                (&completion.text, completion.finish_reason),
                (&expected, FinishReason::Eos),
                "{name}"
            );
        }
        assert_eq!(asked, 6, "{name}");
    }
}

#[test]
fn what_does_not_pass_is_asked_once_and_fails_with_its_reason() {
    let endless = || {
        let mut acts = vec![Act::Send(stream_head())];
        let piece = format!(
            "data: {{\"choices\":[{{\"text\":\"{}\"}}]}}\n\n",
            "x".repeat(1000)
        );
        acts.extend((0..500).map(|_| Act::Send(chunk(piece.as_bytes()))));
        acts
    };
    for (status, reason) in [
        (400, "400 Bad Request: no such"),
        (403, "403"),
        (404, "404"),
        (422, "422"),
        (413, "413"),
        (0, "more than 100000 bytes"),
    ] {
        let server =
            ModelServer::start(move |asked| match asked.prompt().contains("Question 1:") {
                true if status == 0 => endless(),
                true => refusal(status, "", "no such"),
                false => good_answer(asked),
            });
        let bounded = RetryPolicy {
            max_response_bytes: 100_000,
            ..policy()
        };
        let told = ask(
            EndpointOptions {
                policy: bounded,
                ..options(&server)
            },
            &prompts(5),
            &greedy(),
        )
        .unwrap();
        assert!(told.outcome.is_ok(), "{told:?}");
        assert_eq!(server.completion_requests().len(), 5);
        assert_eq!(told.completions.len(), 5);
        for completion in &told.completions {
            assert_eq!(
                completion.finish_reason == FinishReason::Error,
                completion.index == 1,
                "{completion:?}"
            );
        }
        let failed = told
            .completions
            .iter()
            .find(|completion| completion.index == 1)
            .unwrap();
        assert!(
            failed.error.as_ref().unwrap().contains(reason),
            "{failed:?}"
        );
        assert_eq!(failed.text, "");
    }
}

#[test]
fn a_prompt_that_never_succeeds_fails_after_its_attempts_while_others_go_on() {
    let server = ModelServer::start(|asked| match asked.prompt().contains("Question 1:") {
        true => refusal(500, "", "crashed"),
        false => [
            vec![Act::Wait(Duration::from_millis(20))],
            good_answer(asked),
        ]
        .concat(),
    });
    let told = ask(
        EndpointOptions {
            max_concurrency: 2,
            ..options(&server)
        },
        &prompts(30),
        &greedy(),
    )
    .unwrap();
    let failed: Vec<_> = told
        .completions
        .iter()
        .filter(|completion| completion.error.is_some())
        .collect();
    assert_eq!(
        (told.completions.len(), failed.len(), failed[0].index),
        (30, 1, 1)
    );
    let error = failed[0].error.as_ref().unwrap();
    assert!(
        error.contains("given up after ") && error.contains("500 Internal Server Error: crashed"),
        "{error}"
    );
}

#[test]
fn the_last_prompt_that_crashes_the_server_does_not_end_the_run_for_ever() {
    let server = ModelServer::start(|_| refusal(500, "", "crashed"));
    let told = ask_one(options(&server), &greedy());
    assert!(told.outcome.is_ok(), "{told:?}");
    assert!(told.one().error.as_ref().unwrap().contains("crashed"));
}

#[test]
fn the_pause_that_a_server_asks_for_is_kept() {
    let in_two_seconds = || {
        let then = jiff::Timestamp::try_from(SystemTime::now()).unwrap()
            + jiff::SignedDuration::from_secs(3);
        jiff::fmt::rfc2822::DateTimePrinter::new()
            .timestamp_to_rfc9110_string(&then)
            .unwrap()
    };
    type After = Box<dyn Fn() -> String + Send + Sync>;
    let asked_for: [After; 2] = [Box::new(|| "2".to_string()), Box::new(in_two_seconds)];
    for after in asked_for {
        let server = ModelServer::start(move |asked| match asked.before {
            0 => refusal(429, &format!("retry-after: {}\r\n", after()), "too many"),
            _ => good_answer(asked),
        });
        let policy = RetryPolicy {
            give_up_after: Duration::from_secs(30),
            ..policy()
        };
        let started = Instant::now();
        let told = ask_one(
            EndpointOptions {
                policy,
                ..options(&server)
            },
            &greedy(),
        );
        assert!(
            told.outcome.is_ok() && told.one().error.is_none(),
            "{told:?}"
        );
        assert!(
            started.elapsed() >= Duration::from_millis(1900),
            "{:?}",
            started.elapsed()
        );
    }
}

#[test]
fn a_storm_of_429_is_weathered_with_fewer_requests_at_a_time() {
    use std::sync::atomic::{AtomicUsize, Ordering};
    // The server can do with four at a time.
    let under_way = std::sync::Arc::new(AtomicUsize::new(0));
    let server = ModelServer::start(move |asked| {
        if under_way.fetch_add(1, Ordering::SeqCst) >= 4 {
            under_way.fetch_sub(1, Ordering::SeqCst);
            return refusal(429, "", "too many");
        }
        let under_way = under_way.clone();
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(5)).await;
            under_way.fetch_sub(1, Ordering::SeqCst);
        });
        [
            vec![Act::Wait(Duration::from_millis(6))],
            good_answer(asked),
        ]
        .concat()
    });
    let many = EndpointOptions {
        max_concurrency: 64,
        ..options(&server)
    };
    let told = ask(many, &prompts(400), &greedy()).unwrap();
    assert!(
        told.completions
            .iter()
            .all(|completion| completion.error.is_none())
    );
    assert_eq!(told.completions.len(), 400);
    let in_vain = server.completion_requests().len() - 400;
    assert!(in_vain < 400, "{in_vain} requests were put off");
}

#[test]
fn settings_that_the_server_never_accepts_are_one_error() {
    let server = ModelServer::start(|_| refusal(400, "", "temperature 0 is not supported"));
    let told = ask(options(&server), &prompts(100), &greedy()).unwrap();
    assert_eq!(told.completions.len(), 0);
    assert!(
        told.error().contains("temperature 0 is not supported"),
        "{}",
        told.error()
    );
    assert!(server.completion_requests().len() < 60);
}

#[test]
fn a_key_that_is_refused_and_a_redirect_end_the_run() {
    for (status, headers, expected) in [
        (401, "", "it wants an API key"),
        (
            307,
            "location: http://elsewhere.example/\r\n",
            "redirects to http://elsewhere.example/",
        ),
    ] {
        let server = ModelServer::start(move |_| refusal(status, headers, KEY));
        let options = EndpointOptions {
            key: Some(endpoint::ApiKey::new(KEY, "a test").unwrap()),
            ..options(&server)
        };
        let told = ask(options, &prompts(20), &greedy()).unwrap();
        assert!(told.error().contains(expected), "{}", told.error());
        assert!(!told.error().contains("0123456789"), "{}", told.error());
    }
}
