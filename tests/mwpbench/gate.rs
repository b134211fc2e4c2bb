use std::fs;
use std::path::Path;

use assert_cmd::Command;
use serde_json::Value;

use crate::checkpoint::{Checkpoint, Tensor};
use crate::command::{Done, mwpbench};

/// The sets of which the demo checkpoint solves some items, at the length that its answers have.
const ASKED: [&str; 5] = [
    "--tasks",
    "gsm8k,math23k,ape210k",
    "--max-tokens",
    "160",
    "--quiet",
];

fn eval(folder: &Path, model: &str, run: &str, extra: &[&str]) {
    let args = ["eval", "--model", model, "--output-dir", run]
        .into_iter()
        .chain(ASKED)
        .chain(extra.iter().copied());
    mwpbench(folder, args).ok();
}

/// Four items of each of two sets.
fn eval_two_sets(folder: &Path, run: &str) {
    let args = [
        "eval",
        "--model",
        "demo",
        "--tasks",
        "gsm8k,tal",
        "--limit",
        "4",
        "--quiet",
        "--output-dir",
        run,
    ];
    mwpbench(folder, args).ok();
}

/// Four items of one set, in a moment.
fn eval_small(folder: &Path, run: &str, extra: &[&str]) {
    eval_small_by("demo", folder, run, extra);
}

fn eval_small_by(model: &str, folder: &Path, run: &str, extra: &[&str]) {
    let args = [
        "eval",
        "--model",
        model,
        "--tasks",
        "gsm8k",
        "--limit",
        "4",
        "--quiet",
        "--output-dir",
        run,
    ];
    mwpbench(folder, args.iter().chain(extra)).ok();
}

/// Runs the gate as a job of GitHub Actions would.
fn under_actions(folder: &Path, args: &[&str]) -> Done {
    let mut command = Command::cargo_bin("mwpbench").unwrap();
    command
        .current_dir(folder)
        .env("MWPBENCH_HOME", folder.join("home"))
        .env("GITHUB_ACTIONS", "true");
    command
        .env("GITHUB_STEP_SUMMARY", folder.join("step.md"))
        .arg("gate")
        .args(args);
    Done::from(command.output().unwrap())
}

/// Runs the gate as a person would.
fn gate(folder: &Path, args: &[&str]) -> Done {
    let mut command = Command::cargo_bin("mwpbench").unwrap();
    command
        .current_dir(folder)
        .env("MWPBENCH_HOME", folder.join("home"));
    command
        .env_remove("GITHUB_ACTIONS")
        .env_remove("GITHUB_STEP_SUMMARY")
        .env_remove("MWPBENCH_CONFIG");
    Done::from(command.arg("gate").args(args).output().unwrap())
}

/// A copy of the demo checkpoint with noise on its matrices, in parts of each one's standard
/// deviation.
fn noisy(folder: &Path, strength: f32) -> Checkpoint {
    fs::create_dir_all(folder).unwrap();
    let checkpoint = Checkpoint::copy_to(folder);
    checkpoint.edit_tensors(|tensors| {
        let matrices = tensors
            .values_mut()
            .filter(|tensor| tensor.shape.len() == 2);
        matrices
            .enumerate()
            .for_each(|(seed, tensor)| add_noise(tensor, strength, seed as u64 + 1));
    });
    checkpoint
}

/// Adds even noise of a standard deviation to a bf16 tensor.
fn add_noise(tensor: &mut Tensor, strength: f32, mut state: u64) {
    let read =
        |bytes: &[u8]| f32::from_bits(u32::from(u16::from_le_bytes([bytes[0], bytes[1]])) << 16);
    let squares: f32 = tensor
        .data
        .chunks_exact(2)
        .map(|bytes| read(bytes).powi(2))
        .sum();
    let deviation = (squares / (tensor.data.len() / 2) as f32).sqrt();
    for bytes in tensor.data.chunks_exact_mut(2) {
        // Knuth's 64-bit linear congruential generator: the noise is the same everywhere.
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let uniform = (state >> 40) as f32 / (1 << 24) as f32 - 0.5;
        let value = read(bytes) + strength * deviation * uniform * 12f32.sqrt();
        bytes.copy_from_slice(&((value.to_bits() >> 16) as u16).to_le_bytes());
    }
}

#[test]
fn noise_on_the_weights_fails_the_gate_and_equal_skill_passes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    eval(path, "demo", "demo", &[]);
    mwpbench(
        path,
        [
            "baseline",
            "save",
            "demo",
            "--output",
            "demo.json",
            "--quiet",
        ],
    )
    .ok();
    let shown = mwpbench(path, ["baseline", "show", "demo.json", "--json"])
        .ok()
        .json();
    assert_eq!(
        (&shown["model"], shown["sets"].as_array().unwrap().len()),
        (&"demo".into(), 3)
    );

    let gate_of = |run: &str| {
        let reports = ["--junit", "gate.xml", "--markdown", "gate.md"];
        let args: Vec<&str> = [
            "--baseline",
            "demo.json",
            "--candidate",
            run,
            "--max-drop",
            "10",
        ]
        .into_iter()
        .chain(reports)
        .collect();
        let done = under_actions(path, &args);
        let read = |file: &str| fs::read_to_string(path.join(file)).unwrap();
        (done, read("gate.xml"), read("gate.md"))
    };
    // 8-bit weights, and noise in the last digits of bf16: as good as before.
    eval(path, "demo", "rounded", &["--quantize", "q8_0"]);
    let whisper = noisy(&path.join("whisper"), 0.004);
    eval(path, whisper.path().to_str().unwrap(), "whispering", &[]);
    for run in ["rounded", "whispering"] {
        let (done, junit, markdown) = gate_of(run);
        assert_eq!(done.code, Some(0), "{run}: {}{}", done.stdout, done.stderr);
        assert!(
            done.stdout
                .starts_with("gate: PASSED (rules: 4 passed; official scorer, alpha 0.05)"),
            "{}",
            done.stdout
        );
        assert!(!done.stderr.contains("::"), "{}", done.stderr);
        assert!(junit.contains("errors=\"0\" failures=\"0\""), "{junit}");
        assert!(
            markdown.starts_with("## mwpbench gate: PASSED"),
            "{markdown}"
        );
    }
    // Noise half as large as the weights: broken.
    let noise = noisy(&path.join("noise"), 0.5);
    eval(path, noise.path().to_str().unwrap(), "noisy", &[]);
    let (done, junit, markdown) = gate_of("noisy");
    assert_eq!(done.code, Some(1), "{}{}", done.stdout, done.stderr);
    assert!(done.stdout.starts_with("gate: FAILED"), "{}", done.stdout);
    let annotation = "::error title=mwpbench gate%3A drop of micro average%3A failed::dropped by ";
    assert!(done.stderr.contains(annotation), "{}", done.stderr);
    assert!(junit.contains("<failure message=\"dropped by "), "{junit}");
    assert!(
        markdown.contains("| drop | micro average | **failed** | dropped by "),
        "{markdown}"
    );
    // Each gate added its summary to the job's.
    let summaries = fs::read_to_string(path.join("step.md")).unwrap();
    assert_eq!(
        summaries.matches("## mwpbench gate: ").count(),
        3,
        "{summaries}"
    );

    let items = mwpbench(path, ["compare", "demo.json", "noisy", "--items", "1"])
        .ok()
        .stdout;
    for part in [
        "A  demo",
        "(baseline demo.json)",
        "What is compared:",
        "weights digest",
        "lost: A is right more often than B, the first 1 listed",
    ] {
        assert!(items.contains(part), "no {part:?} in: {items}");
    }
}

#[test]
fn each_verdict_has_its_exit_code() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    eval_small(path, "a", &["--max-tokens", "48"]);
    let whisper = noisy(&path.join("whisper"), 0.02);
    let model = whisper.path().to_str().unwrap();
    eval_small_by(model, path, "b", &["--max-tokens", "48"]);
    eval_small(path, "longer", &["--max-tokens", "49"]);
    mwpbench(
        path,
        ["baseline", "save", "a", "--output", "a.json", "--quiet"],
    )
    .ok();

    // The same completions are no worse, however few.
    let same = gate(path, &["--baseline", "a.json", "--candidate", "a"]);
    assert_eq!(same.code, Some(0), "{}", same.stderr);
    assert!(same.stdout.contains("byte for byte"), "{}", same.stdout);

    // Too few items.
    let done = under_actions(path, &["--baseline", "a.json", "--candidate", "b"]);
    assert_eq!(done.code, Some(3), "{}", done.stderr);
    assert!(
        done.stdout.starts_with("gate: CANNOT TELL") && done.stdout.contains("items would do"),
        "{}",
        done.stdout
    );
    assert!(
        done.stderr
            .contains("::warning title=mwpbench gate%3A drop of micro average%3A cannot tell::"),
        "{}",
        done.stderr
    );

    // A floor that is broken wins over that.
    fs::write(
        path.join("mwpbench.toml"),
        "[gate]\nmax_drop = 2.0\n[gate.sets.gsm8k]\nfloor = 100\n",
    )
    .unwrap();
    let done = gate(
        path,
        &["--baseline", "a.json", "--candidate", "b", "--json"],
    );
    assert_eq!(done.code, Some(1), "{}", done.stderr);
    let found = done.json();
    assert_eq!(
        (&found["schema"], &found["verdict"]),
        (&"mwpbench.gate.v1".into(), &"failed".into())
    );
    let drop = &found["rules"][2];
    assert_eq!(
        (&drop["rule"], &drop["verdict"], &drop["limit"]),
        (&"drop".into(), &"cannot_tell".into(), &0.02.into())
    );
    assert!(drop["n_needed"].as_u64().unwrap() > 4);
    // Flags win over the file.
    let done = gate(
        path,
        &[
            "--baseline",
            "a.json",
            "--candidate",
            "b",
            "--json",
            "--max-drop",
            "90",
            "--scorer",
            "strict",
        ],
    );
    assert_eq!(
        (&done.json()["scorer"], &done.json()["rules"][2]["limit"]),
        (&"strict".into(), &0.9.into())
    );

    // Rules that there are not.
    fs::write(path.join("mwpbench.toml"), "[gate]\nmax_dorp = 2.0\n").unwrap();
    gate(path, &["--baseline", "a.json", "--candidate", "b"])
        .refused(2, &["mwpbench.toml, line 2: unknown field `max_dorp`"]);
    gate(
        path,
        &["--baseline", "a", "--candidate", "b", "--config", "no.toml"],
    )
    .refused(2, &["cannot read no.toml"]);
    fs::remove_file(path.join("mwpbench.toml")).unwrap();
    gate(
        path,
        &["--baseline", "a", "--candidate", "b", "--max-drop", "101"],
    )
    .refused(2, &["max-drop: 101 is not in 0..=100"]);
    gate(path, &["--baseline", "none", "--candidate", "b"]).refused(
        2,
        &["none: there is neither a run folder nor a baseline file"],
    );

    // Another protocol.
    let done = gate(
        path,
        &[
            "--baseline",
            "a.json",
            "--candidate",
            "longer",
            "--junit",
            "gate.xml",
        ],
    );
    assert_eq!(done.code, Some(4), "{}", done.stderr);
    for part in [
        "gate: PROTOCOLS DIFFER",
        "decoding: most new tokens: baseline 48, candidate 49",
    ] {
        assert!(
            done.stdout.contains(part),
            "no {part:?} in: {}",
            done.stdout
        );
    }
    assert!(
        fs::read_to_string(path.join("gate.xml"))
            .unwrap()
            .contains("errors=\"1\"")
    );

    // Other data, an edited run, an edited baseline, an unfinished run.
    eval_small(
        path,
        "other",
        &["--max-tokens", "48", "--data", &write_data(path)],
    );
    let done = gate(path, &["--baseline", "a.json", "--candidate", "other"]);
    assert_eq!(done.code, Some(4), "{}", done.stderr);
    assert!(
        done.stdout
            .contains("gsm8k has 4 items in the baseline and 1 item in the candidate"),
        "{}",
        done.stdout
    );
    let edit = |file: &str, from: &str, to: &str| {
        let text = fs::read_to_string(path.join(file)).unwrap();
        assert!(text.contains(from), "{file}: {text}");
        fs::write(path.join(file), text.replacen(from, to, 1)).unwrap();
    };
    edit(
        "longer/verdicts.jsonl",
        "\"truncated\":",
        "\"truncated\":true,\"no_answer\":true,\"x\":",
    );
    gate(path, &["--baseline", "a.json", "--candidate", "longer"])
        .refused(4, &["verdicts.jsonl, line 1"]);
    edit("a.json", "\"truncated\": ", "\"truncated\": 1");
    gate(path, &["--baseline", "a.json", "--candidate", "b"])
        .refused(4, &["a.json: its content does not match its checksum"]);
    let journal = fs::read_to_string(path.join("b/completions.jsonl")).unwrap();
    fs::write(
        path.join("b/completions.jsonl"),
        journal.split_inclusive('\n').take(3).collect::<String>(),
    )
    .unwrap();
    fs::remove_file(path.join("b/summary.json")).unwrap();
    let done = under_actions(
        path,
        &["--baseline", "a", "--candidate", "b", "--junit", "gate.xml"],
    );
    assert_eq!((done.code, done.stdout.as_str()), (Some(3), ""));
    assert!(
        done.stderr
            .contains("::error title=mwpbench gate%3A no verdict::the run in b is incomplete: 3 of 4 completions"),
        "{}",
        done.stderr
    );
    assert!(
        done.stderr
            .contains("\nerror: the run in b is incomplete: 3 of 4 completions are there"),
        "{}",
        done.stderr
    );
    assert!(
        fs::read_to_string(path.join("gate.xml"))
            .unwrap()
            .contains("no verdict")
    );
}

/// A file with one problem of GSM8K's form; its path.
fn write_data(folder: &Path) -> String {
    let record = serde_json::json!({
        "data_source": "gsm8k", "data_topic": "gsm8k", "question_number": "1",
        "question": "What is 1 + 1?", "answer": "2", "ref_answer": "2", "prompt": "", "ref_solution": "",
    });
    let file = folder.join("data.jsonl");
    fs::write(&file, format!("{record}\n")).unwrap();
    file.to_str().unwrap().to_string()
}

#[test]
fn a_comparison_tells_differences_figures_and_where_completions_part() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    eval_small(path, "a", &[]);
    eval_small(path, "short", &["--max-tokens", "5"]);
    let text = mwpbench(path, ["compare", "a", "short", "--items"])
        .ok()
        .stdout;
    for part in [
        "warning: both runs are named \"demo\": A is a, B is short",
        "The protocols differ, so that figures are not comparable:\n  decoding: most new tokens: A 2048, B 5\n",
        "95 % interval",
        "GSM8K",
        "micro average",
        "McNemar's exact test on sets",
        " lost: A is right more often than B\n",
    ] {
        assert!(text.contains(part), "no {part:?} in: {text}");
    }
    let found = mwpbench(path, ["compare", "a", "short", "--json", "--items", "1"])
        .ok()
        .json();
    assert_eq!(
        (&found["schema"], &found["sets"][0]["n"]),
        (&"mwpbench.comparison.v1".into(), &4.into())
    );
    let lost = found["sets"][0]["lost"].as_u64().unwrap();
    assert_eq!(found["items"]["lost_total"], lost);

    let id = fs::read_to_string(path.join("a/problems.jsonl")).unwrap();
    let id = serde_json::from_str::<Value>(id.lines().next().unwrap()).unwrap()["id"]
        .as_str()
        .unwrap()
        .to_string();
    let text = mwpbench(path, ["compare", "a", "short", "--explain", &id])
        .ok()
        .stdout;
    for part in [
        "── question",
        "── reference",
        "── completion A (",
        "ended by length; ",
        "»",
        "── verdicts on B",
        "decided by ",
    ] {
        assert!(text.contains(part), "no {part:?} in: {text}");
    }
    mwpbench(path, ["compare", "a", "short", "--explain", "gsm8k/none"])
        .refused(2, &["asked no problem \"gsm8k/none\""]);
    mwpbench(path, ["compare", "a", "short", "--alpha", "2"])
        .refused(2, &["an alpha of 2 is not above 0"]);
    let text = mwpbench(path, ["compare", "a", "a"]).ok().stdout;
    assert!(
        text.contains("warning: this is the same run twice (a): there can be no difference"),
        "{text}"
    );

    eval_two_sets(path, "fewer");
    mwpbench(path, ["compare", "a", "fewer"])
        .refused(4, &["tal (4 items) is in B only", "--common"]);
    let text = mwpbench(path, ["compare", "a", "fewer", "--common"])
        .ok()
        .stdout;
    assert!(
        text.contains(
            "Only the items that both runs have are compared:\n  tal (4 items) is in B only"
        ),
        "{text}"
    );
}

#[test]
fn the_committed_baseline_is_of_the_demo_checkpoint_on_all_samples() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/baselines/demo.json");
    let shown = mwpbench(
        Path::new(env!("CARGO_MANIFEST_DIR")),
        ["baseline", "show", file.to_str().unwrap(), "--json"],
    )
    .ok()
    .json();
    assert_eq!(
        (&shown["model"], &shown["identity"]["data"]["samples"]),
        (&"demo".into(), &true.into())
    );
    assert_eq!(shown["sets"].as_array().unwrap().len(), 11);
    assert!(fs::metadata(file).unwrap().len() < 8_000);
}

#[test]
fn a_run_that_the_baseline_does_not_suit_is_refused_before_it_starts() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    eval_small(path, "a", &["--max-tokens", "48"]);
    mwpbench(
        path,
        ["baseline", "save", "a", "--output", "a.json", "--quiet"],
    )
    .ok();
    let eval = |extra: &[&str]| {
        let common = [
            "eval",
            "--model",
            "demo",
            "--tasks",
            "gsm8k",
            "--baseline",
            "a.json",
        ];
        mwpbench(path, common.iter().chain(extra))
    };
    eval(&["--limit", "4", "--max-tokens", "48", "--output-dir", "b"]).ok();
    eval(&["--limit", "3", "--max-tokens", "40", "--output-dir", "c"]).refused(
        4,
        &[
            "limit a set: 4 in the baseline, 3 in this run",
            "most new tokens: 48 in the baseline, 40 in this run",
            "mwpbench baseline save",
        ],
    );
    assert!(!path.join("c").exists(), "nothing was begun");
}
