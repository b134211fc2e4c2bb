//! How the stages of the pipeline ask a model behind a server: in a form that the server holds it to,
//! with an estimate before, a price on the way, and an early end where replies cannot be used.

use std::fs;
use std::path::Path;

use loopback::completions::{
    Act, MODEL, ModelRequest, ModelServer, json_answer, refusal, whole_answer,
};
use serde_json::{Value, json};

use crate::command::{Done, mwpbench};

const USAGE: i32 = 2;
const INCOMPLETE: i32 = 3;

const IN_LINES: &str = "Topics:\n1. Money\n\nKnowledge points:\n1. Percents";
const IN_JSON: &str = r#"{"topics": ["Money"], "knowledge_points": ["Percents", "Rates"]}"#;

fn stage(folder: &Path, stage: &str, flags: &[&str]) -> Done {
    let place = ["mathscale", stage, "--project", "project"];
    mwpbench(folder, place.iter().chain(flags))
}

/// A folder with so many seed questions.
fn seeds(count: usize) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let record = |n: usize| {
        json!({"id": format!("seed-{n}"), "question": format!("How much is {n} + 2?"), "answer": format!("The answer is {}.", n + 2)})
            .to_string()
            + "\n"
    };
    let lines: String = (0..count).map(record).collect();
    fs::write(folder.path().join("seeds.jsonl"), lines).unwrap();
    folder
}

/// The flags that ask a server for concepts.
fn flags<'a>(server: &'a ModelServer, more: &[&'a str]) -> Vec<&'a str> {
    let usual = [
        "--seeds",
        "seeds.jsonl",
        "--keep-singletons",
        "--model",
        MODEL,
        "--endpoint",
        &server.url,
    ];
    [&usual[..], more].concat()
}

fn extract_counts(folder: &Path) -> Value {
    let project = fs::read(folder.join("project/project.json")).unwrap();
    let project: Value = serde_json::from_slice(&project).unwrap();
    project["stages"]["extract"].clone()
}

fn reply(asked: &ModelRequest, text: &str) -> Vec<Act> {
    json_answer(200, &whole_answer(asked, text))
}

#[test]
fn a_server_is_asked_to_hold_replies_to_a_schema() {
    let folder = seeds(3);
    let folder = folder.path();
    let server = ModelServer::start(|asked| reply(asked, IN_JSON));
    let done = stage(folder, "extract", &flags(&server, &[])).ok();
    assert!(!done.stderr.contains("response_format"), "{}", done.stderr);
    for asked in server.completion_requests() {
        let format = &asked.body["response_format"];
        assert_eq!(format["type"], "json_schema", "{format}");
        let schema = &format["json_schema"]["schema"];
        assert_eq!(schema["required"], json!(["topics", "knowledge_points"]));
        assert!(asked.prompt().contains("JSON object"), "{}", asked.prompt());
    }
    let record = extract_counts(folder);
    assert_eq!(record["counts"]["knowledge_points"], 2);
    assert_eq!(record["counts"]["schema_refused"], Value::Null);
    let generator = &record["identity"]["generator"]["details"]["response_format"];
    assert!(
        generator
            .as_str()
            .unwrap()
            .starts_with("concepts (JSON Schema "),
        "{generator}"
    );

    // Not where it is not wanted, nor by a route that has no such field.
    for way in [
        &["--structured", "off"][..],
        &["--endpoint-api", "completions"],
    ] {
        let plain = [&flags(&server, &["--fresh"])[..], way].concat();
        stage(folder, "extract", &plain).ok();
        let last = server.completion_requests().pop().unwrap();
        assert_eq!(last.body["response_format"], Value::Null, "{way:?}");
        assert!(
            last.prompt().contains("1. first topic"),
            "{}",
            last.prompt()
        );
    }
}

/// One line says so, the project keeps it, and the replies are asked for in words.
#[test]
fn a_server_that_refuses_the_schema_is_asked_without() {
    for message in [
        "Invalid parameter: 'response_format' of type 'json_schema' is not supported with this model.",
        "bad request",
    ] {
        let folder = seeds(40);
        let folder = folder.path();
        let server = ModelServer::start(move |asked| match &asked.body["response_format"] {
            Value::Null => reply(asked, IN_LINES),
            _ => refusal(400, "", message),
        });
        let done = stage(folder, "extract", &flags(&server, &["--concurrency", "4"])).ok();
        let warnings = done.stderr.matches("accepts no response_format").count();
        assert_eq!(warnings, 1, "{}", done.stderr);
        assert!(
            done.stdout.contains("the server took no JSON Schema"),
            "{}",
            done.stdout
        );
        let counts = &extract_counts(folder)["counts"];
        assert_eq!(
            (
                &counts["schema_refused"],
                &counts["refused"],
                &counts["seeds"]
            ),
            (&json!(1), &json!(0), &json!(40))
        );
        // No more than the requests under way met the refusal.
        let requests = server.completion_requests();
        let with = requests
            .iter()
            .filter(|asked| !asked.body["response_format"].is_null());
        let with = with.count();
        assert!((1..=4).contains(&with), "{with} of {}", requests.len());
    }
}

/// One prompt that is refused once the schema was accepted says nothing about the schema.
#[test]
fn a_prompt_that_is_refused_costs_the_others_no_schema() {
    let folder = seeds(30);
    let folder = folder.path();
    let server = ModelServer::start(
        |asked| match asked.prompt().contains("How much is 20 + 2?") {
            true => refusal(400, "", "this text is not allowed here"),
            false => reply(asked, IN_JSON),
        },
    );
    let done = stage(
        folder,
        "extract",
        &flags(&server, &["--max-concurrency", "1"]),
    );
    assert_eq!(done.code, Some(INCOMPLETE), "{}", done.stderr);
    assert!(
        done.stderr.contains("this text is not allowed"),
        "{}",
        done.stderr
    );
    let requests = server.completion_requests();
    let all = requests
        .iter()
        .all(|asked| !asked.body["response_format"].is_null());
    assert!(all && requests.len() >= 30, "{}", requests.len());
}

/// Three of four replies cannot be used, for three reasons.
fn weak(asked: &ModelRequest) -> Vec<Act> {
    let number: usize = asked
        .prompt()
        .split("How much is ")
        .nth(1)
        .and_then(|rest| rest.split(' ').next())
        .and_then(|number| number.parse().ok())
        .unwrap();
    match number % 4 {
        0 => reply(asked, IN_LINES),
        1 => reply(asked, "As a language model I like mathematics."),
        2 => reply(asked, "Topics: A; B; C\nKnowledge points: x"),
        _ => {
            let mut answer = whole_answer(asked, "Topics:\n1. Money\nKnowledge poi");
            answer["choices"][0]["finish_reason"] = json!("length");
            json_answer(200, &answer)
        }
    }
}

#[test]
fn a_model_of_which_too_many_replies_are_rejected_is_stopped_early_and_goes_on_when_told() {
    let folder = seeds(70);
    let folder = folder.path();
    let server = ModelServer::start(weak);
    let usual = ["--attempts", "1", "--concurrency", "1"];
    let usual = flags(&server, &usual);
    let strict = [&usual[..], &["--max-rejected", "0.5"]].concat();
    let done = stage(folder, "extract", &strict);
    done.refused(
        INCOMPLETE,
        &[
            "error: 37 of the first 50 replies cannot be used, which is more than 50 %:\n",
            "13 × there is no topic below a heading \"Topics:\"; seed-1 was answered \"As a language model I like mathematics.\"\n",
            "12 × it names 3 topics, name 1 to 2; seed-2 was answered \"Topics: A; B; C Knowledge points: x\"\n",
            "12 × the reply was cut off after",
            "extract.replies.jsonl",
            "--max-tokens",
            "--max-rejected 1 goes on",
        ],
    );
    assert_eq!(server.count(), 50);
    let status = stage(folder, "status", &[]).ok().stdout;
    for part in [
        "extract so far: 13 of 50 replies could be used (26.0 %)\n",
        "  13 not in the form that was asked for\n",
        "  12 cut off: they had as many tokens as allowed, and no end\n",
        "  12 with more concepts than asked for\n",
        "follow instructions",
    ] {
        assert!(status.contains(part), "{part} is missing in {status}");
    }
    // Again nothing is asked, as percent or as a number.
    let percent = [&usual[..], &["--max-rejected", "50%"]].concat();
    stage(folder, "extract", &percent).refused(INCOMPLETE, &["37 of the first 50 replies"]);
    assert_eq!(server.count(), 50);
    // The usual limit lets it go on, and what was replied counts.
    let done = stage(folder, "extract", &usual).ok();
    assert_eq!(server.count(), 70);
    for part in [
        "52 seeds rejected",
        "18 of 70 replies could be used (25.7 %)\n",
        "  18 not in the form that was asked for\n",
    ] {
        assert!(
            done.stdout.contains(part),
            "{part} is missing in {}",
            done.stdout
        );
    }
    let status = stage(folder, "status", &["--json"]).ok().json();
    let replies = &status[0]["replies"];
    assert_eq!(
        (&replies["replies"], &replies["usable"]),
        (&json!(70), &json!(18))
    );
    assert_eq!(
        replies["refused"][0],
        json!({"kind": "other_form", "count": 18})
    );
    let text = stage(folder, "status", &[]).ok().stdout;
    assert!(
        text.contains("extract: 18 of 70 replies could be used"),
        "{text}"
    );
}

#[test]
fn what_a_stage_would_ask_is_estimated_before() {
    let folder = seeds(70);
    let folder = folder.path();
    let dry = [
        "--seeds",
        "seeds.jsonl",
        "--dry-run",
        "--price",
        "1,2",
        "--attempts",
        "2",
    ];
    let json = stage(folder, "extract", &[&dry[..], &["--json"]].concat())
        .ok()
        .json();
    let estimate = &json["estimate"];
    assert_eq!(
        (
            &estimate["seeds"],
            &estimate["requests"],
            &estimate["most_requests"]
        ),
        (&json!(70), &json!(70), &json!(140))
    );
    assert!(
        json["cost"].as_f64() > Some(0.0) && json["cost"].as_f64() < json["most_cost"].as_f64()
    );
    assert_eq!(json["seconds"], Value::Null);
    let text = stage(folder, "extract", &[&dry[..], &["--speed", "100"]].concat())
        .ok()
        .stdout;
    // 70 replies of 2,048 tokens at most.
    for part in [
        "70 seeds, 70 requests, up to 140 where replies are refused: about ",
        "143360 new tokens, cost 0.3",
        ", 0:23:53 hours\n",
    ] {
        assert!(text.contains(part), "{part} is missing in {text}");
    }
    assert!(!folder.join("project").exists());
    for (flags, part) in [
        (&["--seeds", "seeds.jsonl"][..], "--model"),
        (&["--seeds", "seeds.jsonl", "--speed", "5"], "--dry-run"),
        (
            &["--seeds", "seeds.jsonl", "--dry-run", "--speed", "0"],
            "above 0",
        ),
        (
            &["--from-annotations", "seeds.jsonl", "--dry-run"],
            "--from-annotations",
        ),
        (
            &[
                "--seeds",
                "seeds.jsonl",
                "--model",
                "demo",
                "--max-rejected",
                "2",
            ],
            "from 0 to 1",
        ),
    ] {
        stage(folder, "extract", flags).refused(USAGE, &[part]);
    }
}

/// Prices are of a million tokens, and the tokens are those that the server counted.
#[test]
fn a_price_is_told_by_the_tokens_that_were_counted() {
    let folder = seeds(8);
    let folder = folder.path();
    let server = ModelServer::start(|asked| reply(asked, IN_JSON));
    let priced = flags(&server, &["--price", "100000,10000"]);
    let done = stage(folder, "extract", &priced).ok();
    // 5 prompt tokens and one new token for each character and the end, of eight replies.
    let cost = 8.0 * (5.0 * 0.1 + (IN_JSON.len() + 1) as f64 * 0.01);
    let part = format!(" items/s, cost {cost:.2}");
    assert!(
        done.stderr.contains(&part),
        "{part} is missing in {}",
        done.stderr
    );
}

/// By reference two requests a pair, by self-consistency one for each solution.
#[test]
fn what_validation_would_ask_is_estimated_before() {
    let folder = seeds(12);
    let folder = folder.path();
    let server = ModelServer::start(|asked| match &asked.body["response_format"] {
        Value::Null => {
            let text = "Question: How much is 3 + 4?\nSolution: 3 + 4 = 7. The answer is 7.";
            reply(asked, text)
        }
        _ => reply(asked, IN_JSON),
    });
    stage(folder, "extract", &flags(&server, &[])).ok();
    stage(folder, "graph", &[]).ok();
    stage(folder, "compose", &["--count", "2"]).ok();
    let model = ["--model", MODEL, "--endpoint", &server.url];
    stage(folder, "generate", &model).ok();
    let asked = server.count();
    let dry = ["--dry-run", "--json"];
    let json = stage(folder, "validate", &dry).ok().json();
    let pairs = json["estimate"]["pairs"].as_u64().unwrap();
    assert!(pairs > 0, "{json}");
    assert_eq!(json["estimate"]["requests"].as_u64(), Some(2 * pairs));
    let several = [
        "--dry-run",
        "--json",
        "--consistency",
        "5",
        "--temperature",
        "0.7",
    ];
    let json = stage(folder, "validate", &several).ok().json();
    assert_eq!(json["estimate"]["requests"].as_u64(), Some(5 * pairs));
    assert_eq!(server.count(), asked);
    stage(folder, "validate", &[]).refused(USAGE, &["--model"]);
}
