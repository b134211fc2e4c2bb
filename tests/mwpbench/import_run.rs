//! `mwpbench import-run`. The files in `imports` are what `tools/report/import_fixtures.py` makes.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::command::{Done, mwpbench};

fn source(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/mwpbench/imports")
        .join(name)
}

fn import(folder: &Path, path: &Path, more: &[&str]) -> Done {
    let mut args = vec!["import-run", path.to_str().unwrap(), "--output-dir", "run"];
    args.extend(["--data", "bundled"]);
    args.extend(more);
    mwpbench(folder, args)
}

fn manifest(folder: &Path) -> Value {
    serde_json::from_slice(&fs::read(folder.join("run/run.json")).unwrap()).unwrap()
}

fn lines(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// Correct completions by the official and the strict scorer, of each set.
fn correct(summary: &Value) -> Vec<(String, u64, u64)> {
    let of_set = |set: &Value| {
        let count = |scorer: &str| set[scorer]["correct"].as_u64().unwrap();
        (
            set["set"].as_str().unwrap().to_string(),
            count("official"),
            count("strict"),
        )
    };
    summary["sets"]
        .as_array()
        .unwrap()
        .iter()
        .map(of_set)
        .collect()
}

fn sets(counts: &[(&str, u64, u64)]) -> Vec<(String, u64, u64)> {
    counts
        .iter()
        .map(|(set, official, strict)| (set.to_string(), *official, *strict))
        .collect()
}

fn unknown(manifest: &Value) -> Vec<&str> {
    let unknown = manifest["identity"]["imported"]["unknown"]
        .as_array()
        .unwrap();
    unknown
        .iter()
        .map(|field| field.as_str().unwrap())
        .collect()
}

#[test]
fn samples_of_lm_eval_become_a_run_whose_template_and_decoding_are_known() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let done = import(path, &source("lm-eval"), &["--json"]).ok();
    // Two of the bundled problems, of which one is solved, and two questions of no known set.
    assert_eq!(
        correct(&done.json()),
        sets(&[("gsm8k", 1, 1), ("four_problems", 2, 2)])
    );
    assert!(
        done.stderr.contains("2 of 4 questions are of known sets"),
        "{}",
        done.stderr
    );
    let manifest = manifest(path);
    assert_eq!(
        unknown(&manifest),
        ["model.digest", "finish_reason", "tokens"]
    );
    let identity = &manifest["identity"];
    assert_eq!(identity["model"]["name"], "ours/recorded");
    assert_eq!(
        identity["template"]["text"],
        "Question: {question}\nAnswer:"
    );
    assert_eq!(
        identity["decoding"],
        json!({ "max_tokens": 64, "stop": ["Question:", "\n\n"] })
    );
    // A worked solution is its answer.
    let problems = lines(&path.join("run/problems.jsonl"));
    assert_eq!(problems[2]["reference"], "30");
    assert_eq!(problems[3]["reference"], r"\frac{1}{4}");
    assert_eq!(problems[2]["id"], "four_problems/2");
    assert_eq!(lines(&path.join("run/prompts.jsonl")).len(), 4);
    // What no file of a run has a place for is there all the same.
    let kept = lines(&path.join("run/imported.jsonl"));
    assert_eq!(kept[0]["fields"]["doc"]["note"], "ours");
    assert_eq!(kept[0]["source_id"], "0");
    // The results alone lead to their samples; without these there is nothing to judge.
    let results = fs::read_dir(source("lm-eval"))
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let results = results
        .into_iter()
        .find(|path| path.extension().unwrap() == "json")
        .unwrap();
    let again = tempfile::tempdir().unwrap();
    import(again.path(), &results, &[]).ok();
    let alone = again.path().join(results.file_name().unwrap());
    fs::copy(&results, &alone).unwrap();
    import(again.path(), &alone, &[]).refused(2, &["without their samples", "--log_samples"]);
}

#[test]
fn epochs_of_an_inspect_log_are_samples_in_both_of_its_forms() {
    let mut found = Vec::new();
    for file in ["inspect/log.json", "inspect/log.eval"] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        let done = import(path, &source(file), &["--json"]).ok();
        assert!(
            done.stderr.contains("1 of 8 completions are empty"),
            "{}",
            done.stderr
        );
        let manifest = manifest(path);
        let sampling = &manifest["identity"]["decoding"]["sampling"];
        assert_eq!(
            (&sampling["samples"], &sampling["seed"]),
            (&json!(2), &json!(7))
        );
        assert_eq!(
            unknown(&manifest),
            ["model.digest", "template", "decoding.stop"]
        );
        let completions = fs::read_to_string(path.join("run/completions.jsonl")).unwrap();
        assert_eq!(completions.lines().count(), 8);
        assert!(completions.contains("Rows times tulips."), "{completions}");
        assert!(
            completions.contains(r#""finish_reason":"length""#),
            "{completions}"
        );
        found.push((correct(&done.json()), completions));
    }
    assert_eq!(
        found[0].0,
        sets(&[("gsm8k", 2, 2), ("four_problems", 2, 3)])
    );
    assert_eq!(found[0], found[1]);
}

#[test]
fn the_files_of_other_programs_are_known_by_their_content() {
    for (file, format, counts) in [
        (
            "official",
            "official",
            [("gsm8k", 1, 1), ("four_problems", 2, 2)],
        ),
        (
            "nemo-skills",
            "nemo-skills",
            [("gsm8k", 2, 2), ("nemo_skills", 2, 3)],
        ),
        (
            "opencompass/predictions/recorded",
            "opencompass",
            [("gsm8k", 1, 1), ("four_problems", 2, 2)],
        ),
        (
            "opencompass/chat",
            "opencompass",
            [("gsm8k", 1, 1), ("four_problems", 2, 2)],
        ),
        (
            "opencompass/samples",
            "opencompass",
            [("gsm8k", 2, 2), ("four_problems", 2, 3)],
        ),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let done = import(folder.path(), &source(file), &["--json"]).ok();
        assert_eq!(correct(&done.json()), sets(&counts), "{file}");
        let manifest = manifest(folder.path());
        assert_eq!(manifest["identity"]["imported"]["format"], format, "{file}");
        // Told by prompts that are texts.
        let texts = ["opencompass/predictions/recorded", "opencompass/samples"];
        let template = unknown(&manifest).contains(&"template");
        assert_eq!(template, !texts.contains(&file), "{file}");
        if format == "nemo-skills" {
            assert!(
                done.stderr
                    .contains("unknown fields, kept in imported.jsonl: house_field"),
                "{}",
                done.stderr
            );
        }
    }
}

#[test]
fn json_lines_are_read_by_a_field_map() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let replies = source("replies.jsonl");
    import(path, &replies, &[]).refused(
        2,
        &[
            "replies.jsonl",
            "problem, answer, batch",
            "--map completion=FIELD",
        ],
    );
    let map = "completion=response.body.choices,reference=answer,question=problem,model=response.body.model";
    let done = import(path, &replies, &["--map", map, "--name", "mine", "--json"]).ok();
    assert_eq!(
        correct(&done.json()),
        sets(&[("gsm8k", 2, 2), ("replies", 2, 3)])
    );
    assert!(
        done.stderr.contains("kept in imported.jsonl: batch"),
        "{}",
        done.stderr
    );
    assert_eq!(manifest(path)["tags"]["name"], "mine");
    for (map, parts) in [
        (
            "completion=nothing,reference=answer",
            vec![
                "line 1",
                "\"nothing\" (completion) is missing",
                "--map completion=FIELD",
            ],
        ),
        (
            "completion=batch.x,reference=answer",
            vec!["line 1", "missing"],
        ),
        (
            "completion=problem,reference=response",
            vec![
                "line 1",
                "\"response\" (reference) is an object",
                "--map reference=FIELD",
            ],
        ),
        ("answer=x", vec!["no key \"answer\"", "finish_reason"]),
        ("completion", vec!["KEY=FIELD"]),
        ("id=a,id=b", vec!["id is given twice"]),
    ] {
        let done = import(path, &replies, &["--map", map]);
        assert!(matches!(done.code, Some(2 | 4)), "{map}: {}", done.stderr);
        done.refused(done.code.unwrap(), &parts);
    }
}

#[test]
fn files_that_are_not_as_they_should_be_are_refused_with_file_line_and_way_out() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let line = |id: u32, completion: &str| {
        json!({ "id": id, "question": format!("Q{id}?"), "reference": "1", "completion": completion }).to_string() + "\n"
    };
    let bad = |name: &str, content: &[u8], code: i32, parts: &[&str]| {
        let file = path.join(name);
        fs::write(&file, content).unwrap();
        import(path, &file, &[]).refused(code, parts);
        assert!(!path.join("run").exists(), "{name}");
    };
    bad(
        "twice.jsonl",
        (line(1, "1") + &line(2, "1") + &line(1, "2")).as_bytes(),
        4,
        &[
            "twice.jsonl, line 3",
            "\"1\"",
            "twice, first in line 1",
            "--map sample=FIELD",
        ],
    );
    bad(
        "torn.jsonl",
        (line(1, "1") + "{\"id\": 2, \"comp").as_bytes(),
        4,
        &["torn.jsonl", "line 2"],
    );
    bad(
        "array.jsonl",
        b"[[1], [2]]",
        2,
        &["none of the known formats"],
    );
    bad("empty.jsonl", b"", 4, &["there is no completion in it"]);
    bad(
        "blank.jsonl",
        json!({ "id": 1, "reference": " ", "completion": "1" })
            .to_string()
            .as_bytes(),
        4,
        &["line 1", "its reference is blank"],
    );
    bad(
        "log.json",
        json!({ "version": 2, "status": "error", "eval": { "task": "t" }, "samples": [] })
            .to_string()
            .as_bytes(),
        4,
        &["holds no samples", "\"error\""],
    );
    bad(
        "log.eval",
        b"PK\x03\x04 and no more",
        4,
        &["zip file cannot be read"],
    );
    let numbered = |id: u32, sample: u32| {
        json!({ "id": id, "sample": sample, "question": "Q?", "reference": "1", "completion": "1" })
            .to_string()
            + "\n"
    };
    bad(
        "uneven.jsonl",
        (numbered(1, 0) + &numbered(1, 1) + &numbered(2, 0) + &numbered(3, 0)).as_bytes(),
        4,
        &["\"1\"", "has 2 completions, others have 1"],
    );
    let likelihood = json!({ "doc_id": 0, "doc": {}, "target": 1, "resps": [[["-1.5", "False"]]], "filter": "none" });
    bad(
        "samples_mc.jsonl",
        likelihood.to_string().as_bytes(),
        4,
        &["log-likelihoods", "nothing to judge"],
    );
    import(path, &path.join("nowhere"), &[]).refused(2, &["nowhere", "cannot be read"]);
    // OpenCompass' files lie two folders down.
    let above = path.join("above");
    fs::create_dir_all(above.join("predictions/model")).unwrap();
    fs::copy(
        source("opencompass/chat/four_problems.json"),
        above.join("predictions/model/four_problems.json"),
    )
    .unwrap();
    import(path, &above, &["--from", "opencompass"]).refused(
        4,
        &[
            "above",
            "no completion in it",
            "the folder in which the files of one run lie",
        ],
    );
    // Text of any kind is data, and a run of ours is none.
    let odd = json!({ "id": "a\n/../b", "question": "</script>\u{202e}", "reference": "1", "completion": "\u{0} 1" });
    fs::write(path.join("odd.jsonl"), odd.to_string()).unwrap();
    import(path, &path.join("odd.jsonl"), &[]).ok();
    import(path, &path.join("run"), &[]).refused(2, &["a run of this program"]);
    import(path, &path.join("twice.jsonl"), &["--from", "excel"])
        .refused(2, &["invalid value 'excel'"]);
}

#[test]
fn an_imported_run_is_a_run_like_any_other_and_compared_on_request_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    import(path, &source("official"), &[]).ok();
    let run = |args: &str| mwpbench(path, args.split(' '));
    let shown = run("show run --item gsm8k/sample.1").ok().stdout;
    let parts = [
        "── prompt (tokens unknown)\n(unknown)",
        "── completion (tokens unknown, why it ended unknown)",
    ];
    assert!(parts.iter().all(|part| shown.contains(part)), "{shown}");
    run("score run --json").ok();
    run("report run --output page.html").ok();
    run("export run --format official --output back").ok();
    let back = lines(&path.join("back/four_problems.prediction.json"));
    assert_eq!(back.len(), 2);
    let board = run("leaderboard run --format markdown").ok();
    assert!(
        board.stdout.contains("imported from official"),
        "{}",
        board.stdout
    );
    assert!(
        board.stdout.contains("unknown: template"),
        "{}",
        board.stdout
    );
    run("baseline save run --output baseline.json").ok();
    let why = "its files do not tell how it was asked (template, most new tokens, stop strings, sampling)";
    run("compare run run").refused(4, &[why, "--allow-unknown"]);
    run("gate --baseline baseline.json --candidate run").refused(4, &[why, "--allow-unknown"]);
    let compared = run("compare run run --allow-unknown").ok();
    assert!(
        compared.stdout.contains("its files do not tell"),
        "{}",
        compared.stdout
    );
    run("gate --baseline baseline.json --candidate run --allow-unknown").ok();
    // The same files are the same run; others are not written over it.
    import(path, &source("official"), &[]).ok();
    import(path, &source("lm-eval"), &[]).refused(4, &["holds another run", "--output-dir"]);
}

#[test]
fn what_is_exported_and_imported_again_has_the_same_verdicts() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let args = "eval --model demo --tasks gsm8k,math --limit 7 --max-tokens 80 --quiet --output-dir first --json";
    let first = mwpbench(path, args.split(' ')).ok().json();
    for format in ["official", "lm-eval", "inspect", "inspect-eval"] {
        let target = path.join(format);
        mwpbench(
            path,
            [
                "export",
                "first",
                "--format",
                format,
                "--output",
                target.to_str().unwrap(),
            ],
        )
        .ok();
        let output = format!("again-{format}");
        let args = [
            "import-run",
            format,
            "--data",
            "bundled",
            "--output-dir",
            &output,
            "--json",
        ];
        let again = mwpbench(path, args).ok().json();
        assert_eq!(correct(&again), correct(&first), "{format}");
        let kept = |run: &str| {
            let verdicts = lines(&path.join(run).join("verdicts.jsonl"));
            verdicts
                .iter()
                .map(|verdict| {
                    (
                        verdict["id"].clone(),
                        verdict["official"]["correct"].clone(),
                        verdict["strict"]["answer"].clone(),
                    )
                })
                .collect::<Vec<_>>()
        };
        let sorted = |mut verdicts: Vec<(Value, Value, Value)>| {
            verdicts.sort_by_key(|verdict| verdict.0.to_string());
            verdicts
        };
        assert_eq!(sorted(kept(&output)), sorted(kept("first")), "{format}");
        // lm-eval's files hold prompts and settings: template, stop strings and cap are the same.
        if format == "lm-eval" {
            let read = |run: &str| -> Value {
                serde_json::from_slice(&fs::read(path.join(run).join("run.json")).unwrap()).unwrap()
            };
            for field in ["template", "decoding"] {
                assert_eq!(
                    read(&output)["identity"][field],
                    read("first")["identity"][field]
                );
            }
        }
    }
}
