//! 10,000 prompts, a fifth of the requests in vain, in every way at once.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use endpoint::{EndpointOptions, RetryPolicy};
use generation::{Decoding, FinishReason};

use crate::asking::{ask, options, policy, prompts};
use loopback::completions::{
    Act, ModelRequest, ModelServer, answer, chunk, events, good_answer, model_answer, refusal,
    stream_head, stream_of,
};

const PROMPTS: usize = 10_000;
/// One prompt in so many is refused for itself, and as many get an answer without an end.
const REFUSED_EVERY: usize = 500;

/// A number that depends on prompt and attempt alone, spread over all of `0..1000`.
fn lot(asked: &ModelRequest) -> u32 {
    let key = format!("{} {}", asked.prompt(), asked.before);
    let digest = blake3::hash(key.as_bytes());
    u32::from_le_bytes(digest.as_bytes()[..4].try_into().unwrap()) % 1000
}

fn number(asked: &ModelRequest) -> usize {
    asked
        .prompt()
        .trim_start_matches("Question ")
        .split(':')
        .next()
        .unwrap()
        .parse()
        .unwrap()
}

/// The answer to one request: two in ten are in vain, whatever the prompt.
fn behave(asked: &ModelRequest) -> Vec<Act> {
    if number(asked) % REFUSED_EVERY == 1 {
        return refusal(400, "", &format!("prompt {} is too long", number(asked)));
    }
    if number(asked) % REFUSED_EVERY == 2 {
        let piece = chunk(
            format!(
                "data: {{\"choices\":[{{\"text\":\"{}\"}}]}}\n\n",
                "x".repeat(8000)
            )
            .as_bytes(),
        );
        return std::iter::once(Act::Send(stream_head()))
            .chain((0..20).map(|_| Act::Send(piece.clone())))
            .collect();
    }
    let text = model_answer(asked.prompt());
    let body = events(asked, &text, "\n");
    match lot(asked) {
        0..20 => vec![Act::Close],
        20..40 => {
            // Anywhere before the text's end: in a line, in a character, between events.
            let end = body.find("\"stop\"").unwrap();
            let cut = blake3::hash(body.as_bytes()).as_bytes()[0] as usize * end / 256;
            vec![
                Act::Send(stream_head()),
                Act::Send(chunk(&body.as_bytes()[..cut])),
                Act::Close,
            ]
        }
        40..60 => stream_of(b"data: {\"choices\":[{\"te\n\n", 99),
        60..80 => answer(200, "content-type: application/json\r\n", b"{\"choices\":"),
        80..120 => refusal(500, "", "internal"),
        120..140 => refusal(503, "", "busy"),
        140..170 => refusal(429, "retry-after: 0\r\n", "too many"),
        170..180 => stream_of(
            b"data: {\"error\":{\"message\":\"CUDA\",\"code\":500}}\n\n",
            99,
        ),
        180..185 => vec![Act::Hang],
        185..190 => vec![Act::Send(stream_head()), Act::Hang],
        190..200 => answer(502, "", b"<html>Bad gateway</html>"),
        200..250 => stream_of(events(asked, &text, "\r\n").as_bytes(), 37),
        250..260 => [
            vec![Act::Wait(Duration::from_millis(50))],
            good_answer(asked),
        ]
        .concat(),
        260..300 => [good_answer(asked), vec![Act::Close]].concat(),
        _ => good_answer(asked),
    }
}

/// A field of `/proc/self/status`, in KiB.
fn memory(field: &str) -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with(field))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

#[test]
fn ten_thousand_prompts_are_all_accounted_for_and_every_answer_is_whole() {
    let server = ModelServer::start(behave);
    let options = EndpointOptions {
        max_concurrency: 64,
        policy: RetryPolicy {
            max_attempts: 12,
            idle_timeout: Duration::from_millis(500),
            max_response_bytes: 100_000,
            give_up_after: Duration::from_secs(60),
            ..policy()
        },
        ..options(&server)
    };
    let before = memory("VmRSS");
    let started = Instant::now();
    let told = ask(options, &prompts(PROMPTS), &Decoding::greedy(64)).unwrap();
    let elapsed = started.elapsed();
    assert!(told.outcome.is_ok(), "{}", told.error());

    let by_index: BTreeMap<usize, _> = told
        .completions
        .iter()
        .map(|completion| (completion.index, completion))
        .collect();
    assert_eq!(
        (told.completions.len(), by_index.len()),
        (PROMPTS, PROMPTS),
        "some prompt twice or never"
    );
    let mut failed = 0;
    for (index, completion) in &by_index {
        let error = completion.error.as_deref();
        match index % REFUSED_EVERY {
            1 => assert!(
                error.is_some_and(|error| error.contains("too long")),
                "{completion:?}"
            ),
            2 => assert!(
                error.is_some_and(|error| error.contains("more than 100000 bytes")),
                "{completion:?}"
            ),
            _ => {
                let expected = model_answer(&format!("Question {index}: how many?"));
                assert_eq!(
                    (&completion.text, completion.finish_reason, error),
                    (&expected, FinishReason::Eos, None)
                );
            }
        }
        failed += usize::from(error.is_some());
    }
    assert_eq!(failed, 2 * PROMPTS / REFUSED_EVERY);
    let asked = server.count();
    let in_vain = asked - (PROMPTS - failed);
    let share = in_vain as f64 / asked as f64;
    assert!(
        (0.18..0.24).contains(&share),
        "{share} of the requests were in vain"
    );
    eprintln!(
        "{PROMPTS} prompts, {} requests, {in_vain} in vain, {failed} failed, {:.1} s; resident {before:?} KiB before, {:?} KiB at the peak",
        asked,
        elapsed.as_secs_f64(),
        memory("VmHWM")
    );
}
