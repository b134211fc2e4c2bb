//! Servers that go away, and receivers that had enough.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use endpoint::{Endpoint, EndpointOptions};
use generation::{Decoding, Event, GenerationError, Generator};

use crate::asking::{ask, options, prompts};
use loopback::completions::{Act, ModelRequest, ModelServer, good_answer, refusal};

/// A server that is gone after so many answers.
fn gone_after(
    answers: usize,
    gone: impl Fn(&ModelRequest) -> Vec<Act> + Send + Sync + 'static,
) -> ModelServer {
    let given = AtomicUsize::new(0);
    ModelServer::start(
        move |asked| match given.fetch_add(1, Ordering::SeqCst) < answers {
            true => good_answer(asked),
            false => gone(asked),
        },
    )
}

#[test]
fn a_server_that_goes_away_ends_the_run_with_everything_delivered_and_nothing_failed() {
    for (name, server) in [
        ("closes", gone_after(40, |_| vec![Act::Close])),
        ("503", gone_after(40, |_| refusal(503, "", "shutting down"))),
        (
            "429 for ever",
            gone_after(40, |_| refusal(429, "", "You exceeded your current quota")),
        ),
        (
            "500 for all",
            gone_after(40, |_| refusal(500, "", "engine dead")),
        ),
    ] {
        let told = ask(
            EndpointOptions {
                max_concurrency: 8,
                ..options(&server)
            },
            &prompts(500),
            &Decoding::greedy(16),
        )
        .unwrap();
        assert!(
            matches!(told.outcome, Err(GenerationError::Backend(_))),
            "{name}"
        );
        assert!(
            told.error()
                .contains("the server does not respond any more"),
            "{name}: {}",
            told.error()
        );
        assert_eq!(told.completions.len(), 40, "{name}");
        assert!(
            told.completions
                .iter()
                .all(|completion| completion.error.is_none()),
            "{name}"
        );
    }
}

#[test]
fn a_server_that_is_not_there_any_longer_ends_the_run_also_for_one_prompt() {
    let server = ModelServer::start(good_answer);
    let mut endpoint = Endpoint::connect(options(&server), |_| {}).unwrap();
    drop(server);
    let mut heard = 0;
    let outcome = endpoint.generate(&prompts(1), &Decoding::greedy(16), &mut |event| {
        heard += usize::from(matches!(event, Event::Finished(_)));
        Ok(())
    });
    let error = crate::asking::chain(&outcome.unwrap_err());
    assert!(
        error.contains("the server does not respond any more") && error.contains("no connection"),
        "{error}"
    );
    assert_eq!(heard, 0);
}

#[test]
fn a_server_that_comes_back_in_time_is_waited_for() {
    let since = Instant::now();
    let given = AtomicUsize::new(0);
    let server = ModelServer::start(move |asked| {
        let is_away = given.fetch_add(1, Ordering::SeqCst) >= 20
            && since.elapsed() < Duration::from_millis(1200);
        if is_away {
            vec![Act::Close]
        } else {
            good_answer(asked)
        }
    });
    let told = ask(options(&server), &prompts(100), &Decoding::greedy(16)).unwrap();
    assert!(told.outcome.is_ok(), "{}", told.error());
    assert_eq!(told.completions.len(), 100);
    assert!(
        told.completions
            .iter()
            .all(|completion| completion.error.is_none())
    );
    assert!(since.elapsed() >= Duration::from_millis(1200));
}

#[test]
fn a_receiver_that_refuses_ends_the_run_and_hears_no_more() {
    let server = ModelServer::start(good_answer);
    let mut endpoint = Endpoint::connect(options(&server), |_| {}).unwrap();
    let mut heard = 0;
    let outcome = endpoint.generate(
        &prompts(200),
        &Decoding::greedy(16),
        &mut |event| match event {
            Event::Finished(_) if heard == 10 => Err(GenerationError::Receiver("full".into())),
            Event::Finished(_) => {
                heard += 1;
                Ok(())
            }
            _ => Ok(()),
        },
    );
    assert!(
        matches!(outcome, Err(GenerationError::Receiver(_))),
        "{outcome:?}"
    );
    assert_eq!(heard, 10);
    assert!(server.completion_requests().len() < 100);
}

#[test]
fn a_receiver_hears_something_while_the_server_says_nothing() {
    let server = ModelServer::start(|_| vec![Act::Hang]);
    let mut endpoint = Endpoint::connect(options(&server), |_| {}).unwrap();
    let started = Instant::now();
    let outcome = endpoint.generate(&prompts(1), &Decoding::greedy(16), &mut |_| match started
        .elapsed()
        .as_millis()
    {
        700.. => Err(GenerationError::Receiver("interrupted".into())),
        _ => Ok(()),
    });
    assert!(
        matches!(outcome, Err(GenerationError::Receiver(_))),
        "{outcome:?}"
    );
    assert!(started.elapsed() < Duration::from_secs(3));
}

#[test]
fn no_more_than_the_bound_are_under_way_however_slow_the_receiver_is() {
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = asked.clone();
    let server = ModelServer::start(move |request| {
        counted.fetch_add(1, Ordering::SeqCst);
        good_answer(request)
    });
    let mut endpoint = Endpoint::connect(
        EndpointOptions {
            max_concurrency: 6,
            ..options(&server)
        },
        |_| {},
    )
    .unwrap();
    let mut finished = 0;
    let outcome = endpoint.generate(&prompts(60), &Decoding::greedy(16), &mut |event| {
        if let Event::Finished(_) = event {
            std::thread::sleep(Duration::from_millis(5));
            finished += 1;
            let ahead = asked.load(Ordering::SeqCst) - finished;
            assert!(ahead <= 6, "{ahead} ahead");
        }
        Ok(())
    });
    assert!(outcome.is_ok() && finished == 60);
}
