use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use assert_cmd::cargo::CommandCargoExt;
use evaluation::Template;
use loopback::completions::{MODEL, ModelServer, json_answer, whole_answer};
use serde_json::{Value, json};

use crate::checkpoint::Checkpoint;
use crate::command::{Done, mwpbench};

const USAGE: i32 = 2;
const INTEGRITY: i32 = 4;

/// Annotations of 80 seeds.
fn annotations(folder: &Path, name: &str, shift: usize) {
    let record = |n: usize| {
        let topics = [
            format!("Topic {}", n % 7),
            format!("topic {}", (n * n + shift) % 5),
        ];
        let kps: Vec<String> = (0..=n % 4)
            .map(|k| format!("Point {}", (n * (k + 2)) % 19))
            .collect();
        format!(
            "{}\n",
            json!({ "id": n, "topics": topics, "knowledge_points": kps, "question": "1 + 1?", "answer": "2" })
        )
    };
    fs::write(folder.join(name), (0..80).map(record).collect::<String>()).unwrap();
}

fn stage(folder: &Path, stage: &[&str], extra: &[&str]) -> Done {
    mwpbench(
        folder,
        ["mathscale"]
            .iter()
            .chain(stage)
            .chain(&["--project", "project"])
            .chain(extra),
    )
}

fn lines(folder: &Path, name: &str) -> Vec<Value> {
    let text = fs::read_to_string(folder.join("project").join(name)).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// Folder, extracted and with its graph.
fn with_graph() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    annotations(folder.path(), "seeds.jsonl", 0);
    stage(
        folder.path(),
        &["extract"],
        &["--from-annotations", "seeds.jsonl"],
    )
    .ok();
    stage(folder.path(), &["graph"], &[]).ok();
    folder
}

#[test]
fn annotations_become_compositions_whatever_the_number_of_threads() {
    let folder = with_graph();
    let folder = folder.path();
    let compose = ["--count", "3000", "--seed", "7"];
    let text = stage(folder, &["compose"], &compose).ok();
    assert!(
        text.stdout.starts_with("3000 compositions in "),
        "{}",
        text.stdout
    );
    let found = lines(folder, "compositions.jsonl");
    assert_eq!(found.len(), 3000);
    for composition in &found {
        assert_eq!(
            composition.as_object().unwrap().keys().collect::<Vec<_>>(),
            ["topics", "knowledge_points"]
        );
        for names in
            ["topics", "knowledge_points"].map(|field| composition[field].as_array().unwrap())
        {
            let names: Vec<&str> = names.iter().map(|name| name.as_str().unwrap()).collect();
            assert!(!names.is_empty() && names.is_sorted(), "{composition}");
        }
    }
    let bytes = fs::read(folder.join("project/compositions.jsonl")).unwrap();
    let again = stage(folder, &["compose"], &compose).ok();
    assert!(again.stderr.contains("there already"), "{}", again.stderr);
    stage(
        folder,
        &["compose"],
        &[&compose[..], &["--threads", "1", "--fresh", "--quiet"]].concat(),
    )
    .ok();
    assert!(bytes == fs::read(folder.join("project/compositions.jsonl")).unwrap());
    stage(folder, &["compose"], &["--count", "3000", "--seed", "8"]).refused(
        INTEGRITY,
        &["options.seed is 7 there and 8 here", "--fresh"],
    );
}

#[test]
fn a_graph_that_runs_out_says_so_with_the_number_reached() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let seed = json!({ "topics": ["Sets", "Logic"], "knowledge_points": ["Union", "Proof"] });
    fs::write(folder.join("seeds.jsonl"), format!("{seed}\n{seed}\n")).unwrap();
    stage(folder, &["extract"], &["--from-annotations", "seeds.jsonl"]).ok();
    stage(folder, &["graph"], &[]).ok();
    let done = stage(folder, &["compose"], &["--count", "1000", "--json"]).ok();
    assert_eq!(
        (
            done.json()["compositions"].clone(),
            done.json()["count"].clone()
        ),
        (json!(3), json!(1000))
    );
    assert!(
        done.stderr
            .contains("the graph gave 3 of the 1000 compositions asked for"),
        "{}",
        done.stderr
    );
    assert_eq!(lines(folder, "compositions.jsonl").len(), 3);
}

/// What a user reads from one stage to the next, whole.
#[test]
fn every_stage_prints_its_figures() {
    let folder = with_graph();
    let mut printed = String::new();
    let mut print = |command: &[&str], flags: &[&str]| {
        let text = stage(folder.path(), command, flags).ok().stdout;
        let line = command.iter().chain(flags).copied().collect::<Vec<_>>();
        printed += &format!("$ mathscale {}\n{text}\n", line.join(" "));
    };
    print(&["extract"], &["--from-annotations", "seeds.jsonl"]);
    print(&["graph"], &[]);
    print(&["graph", "stats"], &["--heaviest", "2"]);
    print(&["graph", "show", "Topic 3"], &["--limit", "2"]);
    print(&["compose"], &["--count", "50"]);
    print(&["status"], &[]);
    insta::assert_snapshot!(without_times(&printed));
}

/// `2026-11-29 01:03` with its digits hidden.
pub fn without_times(text: &str) -> String {
    const FORM: &str = "0000-00-00 00:00";
    let mut chars: Vec<char> = text.chars().collect();
    for start in 0..chars.len().saturating_sub(FORM.len() - 1) {
        let time = &mut chars[start..start + FORM.len()];
        let fits = |(c, form): (&char, char)| match form {
            '0' => c.is_ascii_digit(),
            form => *c == form,
        };
        if time.iter().zip(FORM.chars()).all(fits) {
            time.iter_mut().for_each(|c| {
                *c = if c.is_ascii_digit() { '0' } else { *c };
            });
        }
    }
    chars.into_iter().collect()
}

/// What a user reads when something is refused.
#[test]
fn refusals_name_the_difference_and_the_way_out() {
    let folder = with_graph();
    let folder = folder.path();
    let none = ["mathscale", "status", "--project", "none"];
    let mut printed = format!("{}\n", mwpbench(folder, none).stderr);
    let mut refuse = |command: &[&str], flags: &[&str]| {
        let done = stage(folder, command, flags);
        printed += &format!("{}\n", done.stderr);
    };
    refuse(&["generate"], &["--dry-run"]);
    refuse(
        &["extract"],
        &["--from-annotations", "seeds.jsonl", "--merge"],
    );
    fs::write(folder.join("project/graph.json"), "{}").unwrap();
    refuse(&["compose"], &["--count", "5"]);
    insta::assert_snapshot!(printed);
}

#[test]
fn empty_and_tiny_seed_files() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fs::write(folder.join("empty.jsonl"), "").unwrap();
    stage(folder, &["extract"], &["--from-annotations", "empty.jsonl"])
        .refused(INTEGRITY, &["empty.jsonl: this file holds no record"]);
    stage(folder, &["extract"], &["--from-annotations", "none.jsonl"])
        .refused(USAGE, &["there is no such file"]);
    stage(folder, &["graph"], &[]).refused(USAGE, &["mwpbench mathscale extract"]);
    let long = "x".repeat(10_240);
    let records = [
        json!({ "topics": ["Sets"], "knowledge_points": ["Union"] }),
        json!({ "topics": ["Sets"], "knowledge_points": [long] }),
        json!({ "topics": ["Se\u{1b}ts"], "knowledge_points": ["Union"] }),
    ];
    fs::write(
        folder.join("tiny.jsonl"),
        records.map(|record| format!("{record}\n")).concat(),
    )
    .unwrap();
    let done = stage(folder, &["extract"], &["--from-annotations", "tiny.jsonl"]).ok();
    assert!(done.stdout.contains("2 seeds rejected"), "{}", done.stdout);
    assert!(
        done.stdout
            .contains("a name of 10240 characters, of which 200 are allowed (line 2)"),
        "{}",
        done.stdout
    );
    assert!(
        done.stdout.contains("control character U+001B (line 3)"),
        "{}",
        done.stdout
    );
    assert!(!done.stdout.contains('\u{1b}'));
    let done = stage(folder, &["graph"], &[]).ok();
    assert!(
        done.stderr.contains("warning: the graph has no edges"),
        "{}",
        done.stderr
    );
    stage(folder, &["compose"], &["--count", "5"]).refused(INTEGRITY, &["the graph has no edges"]);
}

#[test]
fn a_project_of_other_seeds_is_refused_and_what_follows_is_called_stale() {
    let folder = with_graph();
    let folder = folder.path();
    annotations(folder, "others.jsonl", 1);
    stage(
        folder,
        &["extract"],
        &["--from-annotations", "others.jsonl"],
    )
    .refused(
        INTEGRITY,
        &[
            "inputs.annotations is seeds.jsonl (",
            "others.jsonl (",
            "--fresh",
        ],
    );
    stage(
        folder,
        &["extract"],
        &["--from-annotations", "seeds.jsonl", "--merge"],
    )
    .refused(
        INTEGRITY,
        &["options.merge is \"none\" there and \"plurals\" here"],
    );
    stage(
        folder,
        &["extract"],
        &["--from-annotations", "others.jsonl", "--fresh"],
    )
    .ok();
    let status = stage(folder, &["status"], &["--json"]).ok().json();
    assert_eq!(
        (&status[0]["state"], &status[1]["state"]),
        (
            &json!("done"),
            &json!({ "stale": { "input": "extractions.jsonl" } })
        )
    );
    assert_eq!(status[2]["state"], json!("not_run"));
    let text = stage(folder, &["status"], &[]).ok().stdout;
    assert!(
        text.contains("stale: extractions.jsonl has changed"),
        "{text}"
    );
    stage(folder, &["compose"], &["--count", "5"]).refused(
        INTEGRITY,
        &["\"graph\" is stale", "mwpbench mathscale graph --fresh"],
    );
    assert!(
        folder
            .join("project/replaced/extract-1/extractions.jsonl")
            .exists()
    );
}

#[test]
fn the_graph_is_inspected_and_exported_and_read_back() {
    let folder = with_graph();
    let folder = folder.path();
    let stats = stage(folder, &["graph", "stats"], &["--json"]).ok().json();
    assert_eq!(
        (&stats["topics"], stats["links"].as_array().unwrap().len()),
        (&json!(7), 3)
    );
    let text = stage(folder, &["graph", "stats"], &[]).ok().stdout;
    assert!(
        text.contains("Heaviest edges, topics and knowledge points:"),
        "{text}"
    );
    let shown = stage(folder, &["graph", "show", "topic 3"], &["--json"])
        .ok()
        .json();
    let neighbours = shown[0]["knowledge_points"].as_array().unwrap();
    let sum: f64 = neighbours
        .iter()
        .map(|neighbour| neighbour["probability"].as_f64().unwrap())
        .sum();
    assert!((sum - 1.0).abs() < 1e-9, "{sum}");
    stage(folder, &["graph", "show", "Topik"], &[])
        .refused(USAGE, &["no concept is called \"Topik\""]);
    let export = |format: &str, file: &str| {
        let flags = ["--format", format, "--output", file];
        stage(folder, &["graph", "export"], &flags).ok();
        fs::read_to_string(folder.join(file)).unwrap()
    };
    let graphml = export("graphml", "graph.graphml");
    assert_eq!(
        graphml.matches("<node ").count() as u64,
        stats["topics"].as_u64().unwrap() + stats["knowledge_points"].as_u64().unwrap()
    );
    let own = fs::read_to_string(folder.join("project/graph.json")).unwrap();
    assert!(own == export("json", "graph.json"));
    stage(folder, &["graph"], &["--from", "graph.json"])
        .refused(INTEGRITY, &["inputs.graph is absent there"]);
    stage(folder, &["graph"], &["--from", "graph.json", "--fresh"]).ok();
    assert!(own == fs::read_to_string(folder.join("project/graph.json")).unwrap());
}

#[test]
fn a_model_that_answers_rubbish_is_refused_and_nothing_is_begun_without_one() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fs::write(
        folder.join("seeds.jsonl"),
        "{\"question\": \"What is 2 + 2?\", \"answer\": \"4\"}\n",
    )
    .unwrap();
    stage(folder, &["extract"], &["--seeds", "seeds.jsonl"]).refused(USAGE, &["--model"]);
    stage(folder, &["extract"], &[]).refused(USAGE, &["--from-annotations"]);
    stage(
        folder,
        &["extract"],
        &["--seeds", "gsm8k", "--model", "demo"],
    )
    .refused(USAGE, &["no training problem of gsm8k"]);
    assert!(!folder.join("project").exists());
    let asked = [
        "--seeds",
        "seeds.jsonl",
        "--model",
        "demo",
        "--attempts",
        "2",
        "--max-tokens",
        "16",
        "--quiet",
    ];
    stage(folder, &["extract"], &asked).refused(INTEGRITY, &["none of its 1 records can be used"]);
    // Both replies are kept: the same command asks nothing again.
    assert_eq!(lines(folder, "extract.replies.jsonl").len(), 2);
    let state = &stage(folder, &["status"], &["--json"]).ok().json()[0]["state"];
    assert_eq!(*state, json!("unfinished"));
}

#[test]
fn a_compose_that_is_killed_at_any_moment_leaves_a_project_that_goes_on() {
    let folder = with_graph();
    let folder = folder.path();
    let arguments = [
        "mathscale",
        "compose",
        "--project",
        "project",
        "--count",
        "60000",
        "--seed",
        "1",
        "--quiet",
    ];
    let mut kills = 0;
    loop {
        let mut command = Command::cargo_bin("mwpbench").unwrap();
        let command = command
            .current_dir(folder)
            .env("MWPBENCH_HOME", folder.join("home"))
            .args(arguments);
        let mut child = command
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(20 + 60 * kills));
        if let Some(status) = child.try_wait().unwrap() {
            assert!(status.success());
            break;
        }
        child.kill().unwrap();
        child.wait().unwrap();
        kills += 1;
        let file = folder.join("project/compositions.jsonl");
        assert!(!file.exists() || fs::read(&file).unwrap().ends_with(b"]}\n"));
    }
    let bytes = fs::read(folder.join("project/compositions.jsonl")).unwrap();
    stage(
        folder,
        &["compose"],
        &["--count", "60000", "--seed", "1", "--fresh", "--quiet"],
    )
    .ok();
    assert!(bytes == fs::read(folder.join("project/compositions.jsonl")).unwrap());
    let half: Vec<_> = fs::read_dir(folder.join("project"))
        .unwrap()
        .filter(|entry| {
            entry
                .as_ref()
                .unwrap()
                .file_name()
                .to_string_lossy()
                .starts_with('.')
        })
        .collect();
    assert!(half.is_empty(), "{half:?}");
}

/// What a model that follows the instruction replies.
const CONCEPTS: &str = "Topics:\n1. Money\n\nKnowledge points:\n1. Question types";

/// The stop strings of the evaluation cut what is asked for, and its template is for models that
/// were trained on it.
#[test]
fn a_server_is_asked_in_a_chat_without_template_and_stop_strings() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let seed = "{\"question\": \"What is 2 + 2?\", \"answer\": \"4\"}\n";
    fs::write(folder.join("seeds.jsonl"), seed).unwrap();
    let server = ModelServer::start(|asked| json_answer(200, &whole_answer(asked, CONCEPTS)));
    let flags = [
        "--seeds",
        "seeds.jsonl",
        "--keep-singletons",
        "--model",
        MODEL,
        "--endpoint",
        &server.url,
    ];
    stage(folder, &["extract"], &flags).ok();
    let [asked] = server.completion_requests().try_into().ok().unwrap();
    assert!(
        asked.route.ends_with("/chat/completions"),
        "{}",
        asked.route
    );
    assert!(
        !asked.prompt().contains("### Instruction"),
        "{}",
        asked.prompt()
    );
    assert_eq!(asked.body["stop"], Value::Null);
    let found = lines(folder, "extractions.jsonl");
    assert_eq!(found[0]["knowledge_points"], json!(["Question types"]));
    // By the other API the prompt is what is said, and nothing is said of it.
    let plain = [&flags[..], &["--endpoint-api", "completions", "--fresh"]].concat();
    stage(folder, &["extract"], &plain).ok();
    let last = server.completion_requests().pop().unwrap();
    assert!(
        !last.prompt().contains("### Instruction"),
        "{}",
        last.prompt()
    );
    assert_eq!(last.body["stop"], Value::Null);
    let alpaca = [&flags[..], &["--prompt-template", "alpaca", "--fresh"]].concat();
    stage(folder, &["extract"], &alpaca).ok();
    let last = server.completion_requests().pop().unwrap();
    assert!(
        last.body["messages"] == Value::Null && last.prompt().contains("### Instruction"),
        "{}",
        last.prompt()
    );
}

#[test]
fn a_checkpoint_is_asked_by_its_own_chat_template() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let seed = "{\"question\": \"What is 2 + 2?\", \"answer\": \"4\"}\n";
    fs::write(folder.join("seeds.jsonl"), seed).unwrap();
    let model = Checkpoint::copy_to(folder);
    let ask = |flags: &[&str]| {
        let usual = [
            "--seeds",
            "seeds.jsonl",
            "--model",
            "model",
            "--max-tokens",
            "4",
            "--attempts",
            "1",
            "--quiet",
            "--fresh",
        ];
        let done = stage(folder, &["extract"], &[&usual[..], flags].concat());
        assert!(
            done.stderr.contains("none of its 1 records"),
            "{}",
            done.stderr
        );
        let file = folder.join("project/extract.job.json");
        let job: Value = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
        assert_eq!(job["decoding"]["stop"], json!([]));
        job["binding"]["rendering"].clone()
    };
    let plain = ask(&[]);
    assert_eq!(plain, Template::named("none").unwrap().digest());
    let mut config: Value = serde_json::from_slice(&model.read("tokenizer_config.json")).unwrap();
    config["chat_template"] =
        "{% for m in messages %}[{{ m.role }}]{{ m.content }}{% endfor %}[assistant]".into();
    model.write("tokenizer_config.json", config.to_string());
    let chat = ask(&[]);
    assert_ne!(chat, plain);
    assert_eq!(ask(&["--prompt-template", "chat"]), chat);
    assert_eq!(ask(&["--prompt-template", "none"]), plain);
}
