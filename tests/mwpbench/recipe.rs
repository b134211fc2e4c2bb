//! `mwpbench mathscale recipe`, on the demo checkpoint.

use std::fs;
use std::path::Path;

use evaluation::Template;
use serde_json::{Value, json};

use crate::checkpoint::{Checkpoint, demo};
use crate::command::{Done, mwpbench};

const USAGE: i32 = 2;
const INTEGRITY: i32 = 4;

/// A project with its export.
pub fn exported() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let record = |n: usize| {
        let (question, solution) = (
            format!("Add {n} and {} in the usual way.", n * n + 1000),
            format!("$x$ is {0}. The answer is {0}.", n + n * n + 1000),
        );
        json!({"question": question, "solution": solution}).to_string() + "\n"
    };
    let pairs: String = (0..60).map(record).collect();
    fs::write(folder.path().join("pairs.jsonl"), pairs).unwrap();
    stage(
        folder.path(),
        "screen",
        &[&SCREEN[..], &["--exact-only"]].concat(),
    )
    .ok();
    stage(folder.path(), "export", &["--validation", "0.1"]).ok();
    folder
}

const SCREEN: [&str; 3] = ["--pairs", "pairs.jsonl", "--without-tests"];

fn stage(folder: &Path, stage: &str, extra: &[&str]) -> Done {
    let command = ["mathscale", stage, "--project", "project"];
    mwpbench(folder, command.iter().chain(extra))
}

fn recipe(folder: &Path, base: &Path, extra: &[&str]) -> Done {
    let base = base.to_str().unwrap();
    let flags = ["--base", base, "--trainer", "trl"];
    stage(folder, "recipe", &[&flags[..], extra].concat())
}

/// The text that is trained on begins with what `eval` asks, to the byte.
#[test]
fn prompts_of_the_training_are_those_of_the_evaluation() {
    let folder = exported();
    let folder = folder.path();
    let done = recipe(folder, &demo(), &["--gpus", "0", "--json"]).ok();
    let outcome = done.json();
    assert_eq!(
        outcome["batch"],
        json!({"total": 128, "devices": 1, "per_device": 4, "accumulation": 32})
    );
    assert_eq!(done.stderr, "");
    let lines = |file: &str| -> Vec<Value> {
        let text = fs::read_to_string(folder.join("project").join(file)).unwrap();
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    };
    let (trained, asked) = (
        lines("recipe-trl/data/train.jsonl"),
        lines("export/chat/train.jsonl"),
    );
    assert_eq!(trained.len(), asked.len());
    let template = Template::named("alpaca").unwrap();
    for (trained, asked) in trained.iter().zip(&asked) {
        let question = asked["messages"][0]["content"].as_str().unwrap();
        assert_eq!(trained["prompt"], template.render(question).unwrap());
        assert_eq!(trained["completion"], asked["messages"][1]["content"]);
    }
}

/// The size of the demo checkpoint by its configuration is that of its weights.
#[test]
fn parameters_are_counted_from_the_configuration() {
    let folder = exported();
    let outcome = recipe(folder.path(), &demo(), &["--json"]).ok().json();
    let inspected = mwpbench(folder.path(), ["inspect", "demo", "--json"])
        .ok()
        .json();
    let parameters = outcome["memory"]["parameters"].as_u64().unwrap();
    assert!(
        inspected.to_string().contains(&parameters.to_string()),
        "{parameters} in {inspected}"
    );
}

/// The commands that are printed evaluate and compare what came out.
#[test]
fn the_printed_commands_run_as_they_are() {
    let folder = exported();
    let folder = folder.path();
    let base = Checkpoint::copy_to(folder);
    let outcome = recipe(folder, base.path(), &["--json"]).ok().json();
    // In place of a training: the model as it was.
    let output = folder.join("project/recipe-trl/output");
    fs::create_dir(&output).unwrap();
    for entry in fs::read_dir(demo()).unwrap().flatten() {
        fs::copy(entry.path(), output.join(entry.file_name())).unwrap();
    }
    let few = [
        "--tasks",
        "gsm8k",
        "--limit",
        "1",
        "--max-tokens",
        "4",
        "--quiet",
    ];
    for (name, more) in [("eval_base", &few[..]), ("eval", &few[..]), ("gate", &[])] {
        let command = outcome["commands"][name].as_str().unwrap();
        let mut words = command.split(' ');
        assert_eq!(words.next(), Some("mwpbench"));
        let done = mwpbench(folder, words.chain(more.iter().copied()));
        // One problem is too few for the gate to decide.
        assert!(
            matches!(done.code, Some(0 | 3)),
            "{command}: {}",
            done.stderr
        );
    }
    assert!(
        folder
            .join("project/recipe-trl/eval/summary.json")
            .is_file()
    );
}

#[test]
fn a_recipe_tells_what_to_type_next_and_whether_it_fits() {
    let folder = exported();
    let folder = folder.path();
    let base = Checkpoint::copy_to(folder);
    base.edit_config(|config| {
        for (name, size) in [
            ("hidden_size", 4096),
            ("num_hidden_layers", 32),
            ("num_attention_heads", 32),
            ("num_key_value_heads", 32),
            ("intermediate_size", 11008),
            ("head_dim", 128),
        ] {
            config[name] = size.into();
        }
    });
    let text = recipe(folder, base.path(), &["--gpu-memory", "80GB"])
        .ok()
        .stdout;
    assert!(
        text.contains("does NOT fit 80.0 GB; --gpus 2 or --lora would fit"),
        "{text}"
    );
    let lora = ["--gpu-memory", "80GB", "--lora"];
    let text = recipe(folder, base.path(), &lora).ok().stdout;
    assert!(
        text.contains("fits 80.0 GB\nnext:\n  bash project/recipe-trl-lora/train.sh"),
        "{text}"
    );
    assert!(
        text.contains("--adapter project/recipe-trl-lora/output"),
        "{text}"
    );
}

#[test]
fn bad_input_is_refused_before_a_folder_is_made() {
    let folder = exported();
    let folder = folder.path();
    let demo = demo();
    let refused = |base: &Path, extra: &[&str], code: i32, parts: &[&str]| {
        recipe(folder, base, extra).refused(code, parts);
        assert!(!folder.join("project/recipe-trl").exists());
    };
    refused(
        &demo,
        &["--gpus", "3"],
        USAGE,
        &["cannot be shared by 3 GPUs", "--gpus 1, 2, 4, 8"],
    );
    refused(
        &demo,
        &["--gpu-memory", "much"],
        USAGE,
        &["expected a size"],
    );
    refused(&demo, &["--max-length", "4096"], USAGE, &["made for 2048"]);
    refused(
        &folder.join("none"),
        &[],
        USAGE,
        &["there is no", "org/name"],
    );
    refused(Path::new("demo"), &[], USAGE, &["trainers read a folder"]);
    refused(Path::new("org/name"), &[], USAGE, &["HF_HUB_OFFLINE"]);
    refused(folder, &[], INTEGRITY, &["no config.json"]);
    let file = folder.join("pairs.jsonl");
    refused(&file, &[], USAGE, &["is a file"]);
    let adapter = folder.join("adapter");
    fs::create_dir(&adapter).unwrap();
    let config = json!({"base_model_name_or_path": "org/base"}).to_string();
    fs::write(adapter.join("adapter_config.json"), config).unwrap();
    refused(&adapter, &[], USAGE, &["is a LoRA adapter"]);

    // A folder with something else in it, and an export that is older than what it was made of.
    let used = ["--output-dir", "adapter"];
    refused(&demo, &used, USAGE, &["holds other files", "--output-dir"]);
    let again = [
        &SCREEN[..],
        &["--fresh", "--max-question-chars", "32", "--exact-only"],
    ]
    .concat();
    stage(folder, "screen", &again).ok();
    refused(
        &demo,
        &[],
        INTEGRITY,
        &["\"export\" is stale", "mathscale export --fresh"],
    );
    let other = mwpbench(
        folder,
        [
            "mathscale",
            "recipe",
            "--project",
            "none",
            "--base",
            "x",
            "--trainer",
            "trl",
        ],
    );
    other.refused(USAGE, &["no project here"]);
}

/// What is trained on the Alpaca template is asked in it, whatever the tokenizer carries.
#[test]
fn a_chat_template_is_told_and_the_evaluation_asks_in_alpaca() {
    let folder = exported();
    let folder = folder.path();
    let base = Checkpoint::copy_to(folder);
    base.write("chat_template.jinja", "{{ messages }}");
    let done = recipe(folder, base.path(), &[]).ok();
    assert!(
        done.stderr
            .starts_with("warning: the base model has a chat template"),
        "{}",
        done.stderr
    );
    assert!(
        done.stdout.contains("--prompt-template alpaca"),
        "{}",
        done.stdout
    );
    let readme = fs::read_to_string(folder.join("project/recipe-trl/README.md")).unwrap();
    assert!(readme.contains("## Look at this first"), "{readme}");
    let again = recipe(folder, base.path(), &[]).ok();
    assert!(again.stderr.contains("there already"), "{}", again.stderr);
    recipe(folder, base.path(), &["--epochs", "2"]).refused(
        INTEGRITY,
        &["epochs is 3 there, and 2 here", "--output-dir"],
    );
}
