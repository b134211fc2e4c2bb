//! `mwpbench eval --endpoint` against a server on loopback.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use assert_cmd::cargo::CommandCargoExt;
use serde_json::{Value, json};

use crate::command::mwpbench;
use loopback::completions::{Act, MODEL, ModelServer, good_answer, json_answer, refusal};

const USAGE: i32 = 2;
const INCOMPLETE: i32 = 3;
const BACKEND: i32 = 5;
const KEY: &str = "sk-secret-0123456789abcdef";

/// Files that do not say when the run was made.
const LASTING: [&str; 4] = [
    "problems.jsonl",
    "completions.jsonl",
    "verdicts.jsonl",
    "summary.json",
];

/// 40 problems, asked of a server.
fn plan<'a>(url: &'a str, run: &'a str) -> Vec<&'a str> {
    let what = [
        "eval",
        "--model",
        MODEL,
        "--tasks",
        "gsm8k",
        "--limit",
        "40",
        "--max-tokens",
        "64",
        "--quiet",
    ];
    [
        &what[..],
        &[
            "--endpoint",
            url,
            "--max-concurrency",
            "8",
            "--output-dir",
            run,
        ],
    ]
    .concat()
}

fn contents(run: &Path) -> Vec<Vec<u8>> {
    LASTING
        .iter()
        .map(|file| fs::read(run.join(file)).unwrap_or_else(|error| panic!("{file}: {error}")))
        .collect()
}

/// Lines of the journal that have their end.
fn finished(run: &Path) -> usize {
    fs::read(run.join("completions.jsonl"))
        .map_or(0, |text| text.iter().filter(|&&byte| byte == b'\n').count())
}

fn manifest(run: &Path) -> Value {
    serde_json::from_slice(&fs::read(run.join("run.json")).unwrap()).unwrap()
}

fn start(folder: &Path, args: &[&str]) -> Child {
    let mut command = Command::cargo_bin("mwpbench").unwrap();
    command
        .current_dir(folder)
        .env("MWPBENCH_HOME", folder.join("home"))
        .args(args);
    command
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Waits until so many items are finished, at most a minute.
fn wait_for(run: &Path, items: usize) {
    for _ in 0..3000 {
        if finished(run) >= items {
            return;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    panic!("{} items only", finished(run));
}

#[test]
fn a_run_is_kept_with_the_servers_facts_and_without_the_key() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("key"), format!("{KEY}\n")).unwrap();
    let server = ModelServer::start(good_answer);
    for (run, more) in [
        ("completions", &["--api-key-file", "key"][..]),
        (
            "chat",
            &[
                "--api-key-file",
                "key",
                "--endpoint-api",
                "chat",
                "--system-prompt",
                "Be brief.",
            ],
        ),
        ("whole", &["--api-key-file", "key", "--no-stream"]),
    ] {
        let done = mwpbench(
            folder.path(),
            [&plan(&server.url, run), more, &["--json"]].concat(),
        )
        .ok();
        assert_eq!(done.json()["sets"][0]["n"], 40);
        let run = folder.path().join(run);
        let model = &manifest(&run)["identity"]["model"];
        assert_eq!(
            (&model["kind"], &model["name"]),
            (&json!("endpoint"), &json!(MODEL))
        );
        assert_eq!(model["details"]["url"], json!(format!("{}/v1", server.url)));
        let is_chat = model["details"]["api"] == json!("chat");
        assert_eq!(
            model["details"]["system_prompt"].as_str().is_some(),
            is_chat
        );
        assert_eq!(
            manifest(&run)["identity"]["decoding"]["stop"] == json!([]),
            is_chat
        );
        for file in fs::read_dir(&run).unwrap() {
            let text =
                String::from_utf8_lossy(&fs::read(file.unwrap().path()).unwrap()).into_owned();
            assert!(!text.contains("0123456789abcdef"));
        }
        assert!(!done.stderr.contains("0123456789abcdef"), "{}", done.stderr);
    }
    assert!(
        server
            .requests()
            .iter()
            .all(|asked| asked.authorization == format!("Bearer {KEY}"))
    );
    assert_eq!(
        contents(&folder.path().join("completions")),
        contents(&folder.path().join("whole"))
    );
}

#[test]
fn a_run_that_is_killed_is_continued_and_nothing_finished_is_asked_again() {
    let folder = tempfile::tempdir().unwrap();
    let server = ModelServer::start(|asked| {
        [
            vec![Act::Wait(Duration::from_millis(300))],
            good_answer(asked),
        ]
        .concat()
    });
    mwpbench(folder.path(), plan(&server.url, "whole")).ok();
    let before = server.count();
    assert_eq!(before, 40);
    let killed = folder.path().join("killed");
    let mut child = start(folder.path(), &plan(&server.url, "killed"));
    wait_for(&killed, 5);
    child.kill().unwrap();
    child.wait().unwrap();
    let kept = finished(&killed);
    // Requests that were sent before the end may still come in.
    std::thread::sleep(Duration::from_secs(1));
    let asked = server.count();
    mwpbench(folder.path(), plan(&server.url, "killed")).ok();
    assert!(
        kept < 40 && server.count() - asked <= 40 - kept,
        "{kept} kept, {} asked again",
        server.count() - asked
    );
    assert_eq!(contents(&killed), contents(&folder.path().join("whole")));
}

#[test]
fn a_server_that_goes_away_ends_the_run_with_5_and_the_same_command_continues() {
    let folder = tempfile::tempdir().unwrap();
    let is_back = Arc::new(AtomicBool::new(false));
    let (back, asked) = (is_back.clone(), AtomicUsize::new(0));
    let server = ModelServer::start(move |request| {
        let answers = asked.fetch_add(1, Ordering::SeqCst) < 12 || back.load(Ordering::SeqCst);
        if answers {
            good_answer(request)
        } else {
            vec![Act::Close]
        }
    });
    let command = [plan(&server.url, "run"), vec!["--give-up-after", "2"]].concat();
    mwpbench(folder.path(), command.clone()).refused(
        BACKEND,
        &["the server does not respond any more", "none succeeded for"],
    );
    let run = folder.path().join("run");
    assert_eq!(finished(&run), 12);
    assert!(!run.join("summary.json").exists());
    is_back.store(true, Ordering::SeqCst);
    let asked = server.count();
    mwpbench(folder.path(), command).ok();
    assert_eq!(server.count() - asked, 28);
    assert_eq!(finished(&run), 40);
    assert!(
        !String::from_utf8(fs::read(run.join("completions.jsonl")).unwrap())
            .unwrap()
            .contains("\"error\":\"")
    );
}

#[test]
fn what_failed_for_itself_is_told_and_only_that_is_asked_again() {
    let folder = tempfile::tempdir().unwrap();
    // One prompt in seven or so is refused the first time.
    let server =
        ModelServer::start(
            |asked| match asked.before == 0 && asked.prompt().len() % 7 == 0 {
                true => refusal(
                    400,
                    "",
                    &format!("a prompt of {} bytes is too long", asked.prompt().len()),
                ),
                false => good_answer(asked),
            },
        );
    let first = mwpbench(folder.path(), plan(&server.url, "run"));
    assert_eq!(first.code, Some(INCOMPLETE), "{}", first.stderr);
    let completions = fs::read_to_string(folder.path().join("run/completions.jsonl")).unwrap();
    let failed = completions
        .lines()
        .filter(|line| line.contains("400 Bad Request: a prompt of "))
        .count();
    assert!(
        (1..40).contains(&failed) && server.count() == 40,
        "{failed} of {}",
        server.count()
    );
    mwpbench(
        folder.path(),
        [plan(&server.url, "run"), vec!["--retry-failed"]].concat(),
    )
    .ok();
    assert_eq!(server.count(), 40 + failed);
    assert_eq!(finished(&folder.path().join("run")), 40);
}

#[test]
fn how_the_server_served_is_in_the_manifest_and_told_on_request() {
    let folder = tempfile::tempdir().unwrap();
    let server =
        ModelServer::start(
            |asked| match asked.body["stop"].as_array().map_or(0, Vec::len) {
                0..=2 => good_answer(asked),
                many => refusal(
                    400,
                    "",
                    &format!("stop: List should have at most 2 items after validation, not {many}"),
                ),
            },
        );
    let done = mwpbench(
        folder.path(),
        [plan(&server.url, "run"), vec!["--latency"]].concat(),
    )
    .ok();
    assert!(
        done.stderr
            .contains("Latency of 40 requests, medians: time to first token "),
        "{}",
        done.stderr
    );
    let serving = manifest(&folder.path().join("run"))["serving"].clone();
    let stops = &manifest(&folder.path().join("run"))["identity"]["decoding"]["stop"];
    assert!(stops.as_array().unwrap().len() > 4);
    assert_eq!(serving["stop_strings_sent"].as_array().unwrap().len(), 2);
    assert_eq!(serving["latency"]["requests"], 40);
    assert!(
        serving["latency"]["time_to_first_token_s"]["p95"]
            .as_f64()
            .unwrap()
            > 0.0
    );
    // A start that asks nothing leaves what is there.
    mwpbench(folder.path(), plan(&server.url, "run")).ok();
    assert_eq!(manifest(&folder.path().join("run"))["serving"], serving);
}

#[test]
fn why_items_failed_is_told_also_where_few_were_asked() {
    let folder = tempfile::tempdir().unwrap();
    let server = ModelServer::start(|_| refusal(400, "", "this model does not continue texts"));
    let few = [
        "eval",
        "--model",
        MODEL,
        "--tasks",
        "gsm8k",
        "--limit",
        "3",
        "--quiet",
        "--endpoint",
        &server.url,
    ];
    let done = mwpbench(folder.path(), few);
    assert_eq!(done.code, Some(INCOMPLETE), "{}", done.stderr);
    let expected = "  3 × the server answered 400 Bad Request: this model does not continue texts";
    assert!(done.stderr.contains(expected), "{}", done.stderr);
}

#[test]
fn a_served_model_of_a_short_context_works_at_the_defaults() {
    let folder = tempfile::tempdir().unwrap();
    let list = json!({ "data": [{ "id": MODEL, "owned_by": "vllm", "max_model_len": 2048 }] });
    let server = ModelServer::start_with_list(list, |asked| match asked.route.as_str() {
        "POST /tokenize" => json_answer(
            200,
            &json!({ "count": asked.body["prompt"].as_str().unwrap().len() / 3 }),
        ),
        _ => good_answer(asked),
    });
    let eval = [
        "eval",
        "--model",
        MODEL,
        "--tasks",
        "gsm8k",
        "--limit",
        "5",
        "--quiet",
        "--endpoint",
        &server.url,
    ];
    let done = mwpbench(folder.path(), eval).ok();
    assert!(
        done.stderr
            .contains("5 of 5 prompts leave less room than 2048 new tokens"),
        "{}",
        done.stderr
    );
    for asked in server.completion_requests() {
        let prompt_tokens = asked.prompt().len() as u64 / 3;
        assert_eq!(
            asked.body["max_tokens"].as_u64().unwrap() + prompt_tokens,
            2048
        );
    }
}

#[test]
fn a_server_that_reads_other_tokens_than_the_tokenizer_is_told_of_before_anything_is_asked() {
    let folder = tempfile::tempdir().unwrap();
    let server = ModelServer::start(good_answer);
    let tokenizer = concat!(env!("CARGO_MANIFEST_DIR"), "/models/demo");
    let done = mwpbench(
        folder.path(),
        [plan(&server.url, "run"), vec!["--tokenizer", tokenizer]].concat(),
    )
    .ok();
    assert!(
        done.stderr
            .contains("the server reads other tokens than the tokenizer given: 5 in the prompt"),
        "{}",
        done.stderr
    );
}

#[cfg(unix)]
#[test]
fn a_signal_is_heard_while_the_server_says_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let asked = AtomicUsize::new(0);
    let server = ModelServer::start(move |request| {
        if asked.fetch_add(1, Ordering::SeqCst) < 12 {
            good_answer(request)
        } else {
            vec![Act::Hang]
        }
    });
    let child = start(folder.path(), &plan(&server.url, "run"));
    wait_for(&folder.path().join("run"), 1);
    let id = child.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-TERM", &id])
            .status()
            .unwrap()
            .success()
    );
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(130));
}

#[test]
fn what_is_wrong_is_told_before_a_folder_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let server = ModelServer::start(good_answer);
    let refusing =
        ModelServer::start_bare(|asked| refusal(401, "", &format!("no: {}", asked.authorization)));
    fs::write(folder.path().join("key"), KEY).unwrap();
    let address = server.url.clone();
    let url = address.as_str();
    let ask = |args: &[&str]| mwpbench(folder.path(), args);
    let eval = |more: &[&str]| ask(&[&plan(url, "run"), more].concat());
    for (flag, value) in [
        ("--dtype", "f32"),
        ("--adapter", "lora"),
        ("--quantize", "q8_0"),
        ("--batch-size", "8"),
        ("--kv-memory", "1GiB"),
        ("--threads", "2"),
    ] {
        eval(&[flag, value]).refused(
            USAGE,
            &[&format!("{flag} is for checkpoints"), "--endpoint"],
        );
    }
    eval(&["--system-prompt", "x"]).refused(USAGE, &["--system-prompt", "--endpoint-api chat"]);
    eval(&["--tokenizer", "none"]).refused(USAGE, &["there is no none: give a tokenizer.json"]);
    eval(&["--api-key-file", "none"]).refused(USAGE, &["none"]);
    ask(&["eval", "--model", "other", "--endpoint", url])
        .refused(USAGE, &["no model \"other\": it lists tiny"]);
    ask(&["eval", "--model", MODEL, "--endpoint", "localhost"]).refused(USAGE, &["http://"]);
    ask(&["eval", "--model", "demo", "--no-stream"]).refused(USAGE, &["--endpoint"]);
    let refused = ask(&[
        "eval",
        "--model",
        MODEL,
        "--endpoint",
        &refusing.url,
        "--api-key-file",
        "key",
    ]);
    refused.refused(USAGE, &["401 Unauthorized", "MWPBENCH_API_KEY", "[key]"]);
    assert!(!refused.stderr.contains("0123456789"), "{}", refused.stderr);
    drop(server);
    ask(&["eval", "--model", MODEL, "--endpoint", url])
        .refused(BACKEND, &["no answer after 4 attempts"]);
    assert!(!folder.path().join("run").exists() && !folder.path().join("mwpbench-runs").exists());
}
