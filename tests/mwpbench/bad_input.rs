use std::fs;
use std::path::Path;

use safetensors::tensor::Dtype;
use serde_json::{Value, json};

use crate::checkpoint::{Checkpoint, Tensor};
use crate::command::{Done, mwpbench};

const INTEGRITY: i32 = 4;
const USAGE: i32 = 2;
const INCOMPLETE: i32 = 3;

/// Evaluates a copy of the demo checkpoint that was spoilt; the run folder must not come into
/// being.
fn refuse_model(spoil: impl FnOnce(&Checkpoint), parts: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    let checkpoint = Checkpoint::copy_to(folder.path());
    spoil(&checkpoint);
    let model = checkpoint.path().to_str().unwrap();
    mwpbench(
        folder.path(),
        [
            "eval",
            "--model",
            model,
            "--tasks",
            "tal",
            "--limit",
            "1",
            "--output-dir",
            "run",
        ],
    )
    .refused(INTEGRITY, parts);
    assert!(!folder.path().join("run").exists());
}

/// Evaluates the demo checkpoint on a data file; the run folder must not come into being.
fn refuse_data(content: &[u8], parts: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("data.jsonl"), content).unwrap();
    mwpbench(
        folder.path(),
        [
            "eval",
            "--model",
            "demo",
            "--data",
            "data.jsonl",
            "--output-dir",
            "run",
        ],
    )
    .refused(INTEGRITY, parts);
    assert!(!folder.path().join("run").exists());
}

fn demo_run(folder: &Path, extra: &[&str]) -> Done {
    let mut args = vec![
        "eval",
        "--model",
        "demo",
        "--tasks",
        "tal",
        "--limit",
        "3",
        "--max-tokens",
        "8",
    ];
    args.extend(extra);
    mwpbench(folder, args)
}

#[test]
fn a_folder_that_is_not_there() {
    let folder = tempfile::tempdir().unwrap();
    mwpbench(folder.path(), ["eval", "--model", "no/such/model"])
        .refused(USAGE, &["no/such/model"]);
}

#[test]
fn devices_that_the_program_cannot_use() {
    let folder = tempfile::tempdir().unwrap();
    demo_run(folder.path(), &["--device", "gpu"]).refused(USAGE, &["--device", "`cuda:N`"]);
    if !cfg!(feature = "cuda") {
        demo_run(folder.path(), &["--device", "cuda"])
            .refused(USAGE, &["--features cuda", "--device cpu"]);
    }
}

#[test]
fn a_folder_without_config() {
    refuse_model(|model| model.remove("config.json"), &["config.json"]);
}

#[test]
fn a_folder_without_tokenizer() {
    refuse_model(|model| model.remove("tokenizer.json"), &["tokenizer.json"]);
}

#[test]
fn a_folder_without_weights() {
    refuse_model(
        |model| model.remove("model.safetensors"),
        &["model.safetensors"],
    );
}

#[test]
fn weights_as_bin_only() {
    refuse_model(
        |model| {
            model.remove("model.safetensors");
            model.write("pytorch_model.bin", "pickle");
        },
        &["pytorch_model*.bin", "save_pretrained"],
    );
}

#[test]
fn a_tokenizer_as_sentencepiece_model_only() {
    refuse_model(
        |model| {
            model.remove("tokenizer.json");
            model.write("tokenizer.model", "pieces");
        },
        &["tokenizer.model", "AutoTokenizer"],
    );
}

#[test]
fn an_architecture_that_is_not_supported() {
    let spoil = |config: &mut Value| {
        config["model_type"] = "gpt2".into();
        config["architectures"] = json!(["GPT2LMHeadModel"]);
    };
    refuse_model(
        |model| model.edit_config(spoil),
        &["GPT2LMHeadModel", "llama", "mistral"],
    );
}

#[test]
fn a_setting_that_would_change_the_result_and_is_not_implemented() {
    let spoil = |config: &mut Value| config["hidden_act"] = "gelu".into();
    refuse_model(
        |model| model.edit_config(spoil),
        &["config.json", "hidden_act", "gelu"],
    );
}

#[test]
fn a_config_that_is_not_json() {
    refuse_model(
        |model| model.write("config.json", "{\"model_type\": "),
        &["config.json"],
    );
}

#[test]
fn weights_cut_off_in_the_header_and_in_the_data() {
    for keep in [0, 7, 100, 100_000] {
        let cut = |model: &Checkpoint| {
            model.write(
                "model.safetensors",
                &model.read("model.safetensors")[..keep],
            )
        };
        refuse_model(cut, &["model.safetensors"]);
    }
}

#[test]
fn weights_with_flipped_bits_in_the_header() {
    for byte in [0, 3, 7, 8, 9] {
        let flip = |model: &Checkpoint| {
            let mut content = model.read("model.safetensors");
            content[byte] ^= 0x40;
            model.write("model.safetensors", content);
        };
        refuse_model(flip, &["model.safetensors"]);
    }
}

#[test]
fn a_tensor_that_is_missing() {
    let name = "model.layers.0.mlp.up_proj.weight";
    refuse_model(
        |model| model.edit_tensors(|tensors| drop(tensors.remove(name))),
        &[name],
    );
}

#[test]
fn a_tensor_too_many() {
    let extra = || Tensor {
        dtype: Dtype::BF16,
        shape: vec![2],
        data: vec![0; 4],
    };
    let name = "model.layers.0.mlp.router.weight";
    refuse_model(
        |model| model.edit_tensors(|tensors| drop(tensors.insert(name.to_string(), extra()))),
        &[name],
    );
}

#[test]
fn a_tensor_of_the_wrong_shape() {
    let name = "model.layers.0.self_attn.k_proj.weight";
    let turn = |model: &Checkpoint| {
        model.edit_tensors(|tensors| tensors.get_mut(name).unwrap().shape.reverse())
    };
    refuse_model(turn, &[name, "shape"]);
}

#[test]
fn a_tensor_of_integers() {
    let name = "model.norm.weight";
    let turn = |model: &Checkpoint| {
        model.edit_tensors(|tensors| tensors.get_mut(name).unwrap().dtype = Dtype::I16)
    };
    refuse_model(turn, &[name]);
}

#[test]
fn a_weight_that_is_no_number() {
    let name = "model.layers.1.self_attn.o_proj.weight";
    let spoil = |model: &Checkpoint| {
        model.edit_tensors(|tensors| {
            tensors.get_mut(name).unwrap().data[10..12].copy_from_slice(&[0xc0, 0x7f])
        });
    };
    refuse_model(spoil, &[name, "NaN"]);
}

#[test]
fn a_shard_that_is_missing() {
    let spoil = |model: &Checkpoint| {
        model.shard();
        model.remove("model-00002-of-00002.safetensors");
    };
    refuse_model(spoil, &["model-00002-of-00002.safetensors"]);
}

#[test]
fn shards_hold_the_weights_of_a_single_file() {
    let folder = tempfile::tempdir().unwrap();
    let checkpoint = Checkpoint::copy_to(folder.path());
    let model = checkpoint.path().to_str().unwrap();
    let completions = |run: &str| {
        let args = ["eval", "--model", model, "--tasks", "tal", "--limit", "2"];
        let args = [&args[..], &["--max-tokens", "8", "--output-dir", run]].concat();
        mwpbench(folder.path(), args).ok();
        fs::read_to_string(folder.path().join(run).join("completions.jsonl")).unwrap()
    };
    let whole = completions("whole");
    checkpoint.shard();
    assert_eq!(completions("sharded"), whole);
}

#[test]
fn a_vocabulary_smaller_than_the_tokenizers_ids() {
    let shrink = |model: &Checkpoint| {
        model.edit_config(|config| config["vocab_size"] = 1000.into());
        model.edit_tensors(|tensors| {
            let embedding = tensors.get_mut("model.embed_tokens.weight").unwrap();
            let row = embedding.data.len() / embedding.shape[0];
            embedding.shape[0] = 1000;
            embedding.data.truncate(1000 * row);
        });
    };
    refuse_model(shrink, &["1000", "tokenizer"]);
}

#[test]
fn a_prompt_longer_than_the_context() {
    let question = "How much is it? ".repeat(2000);
    let record = json!({ "data_topic": "gsm8k", "question_number": "long", "question": question, "answer": "1" });
    refuse_data(
        record.to_string().as_bytes(),
        &["gsm8k/long", "context", "--on-long-prompt"],
    );
}

#[test]
fn long_prompts_that_are_counted_as_failed_are_no_success_where_nothing_else_was_asked() {
    const INCOMPLETE: i32 = 3;
    let folder = tempfile::tempdir().unwrap();
    let record = |number: &str, question: String| {
        json!({ "data_topic": "gsm8k", "question_number": number, "question": question, "answer": "1" }).to_string()
    };
    let (long, short) = (
        record("long", "How much is it? ".repeat(2000)),
        record("short", "1 + 1?".to_string()),
    );
    for (data, code) in [(format!("{long}\n{short}"), 0), (long.clone(), INCOMPLETE)] {
        let file = folder.path().join("data.jsonl");
        fs::write(&file, &data).unwrap();
        let args = [
            "eval",
            "--model",
            "demo",
            "--data",
            "data.jsonl",
            "--max-tokens",
            "4",
            "--on-long-prompt",
            "fail",
        ];
        let done = mwpbench(folder.path(), args.iter().chain(&["--fresh"]));
        assert_eq!(done.code, Some(code), "{}", done.stderr);
        assert!(
            done.stderr.contains("  1 × the prompt has ")
                && done.stderr.contains(" the context only "),
            "{}",
            done.stderr
        );
    }
}

#[test]
fn records_that_are_not_of_the_form() {
    let good = r#"{"data_topic":"gsm8k","question_number":"1","question":"1+1?","answer":"2"}"#;
    let second = |line: &[u8]| [good.as_bytes(), b"\n", line].concat();
    let missing = r#"{"data_topic":"gsm8k","question":"1+1?"}"#;
    refuse_data(
        &second(missing.as_bytes()),
        &["data.jsonl, line 2", "\"answer\" is missing"],
    );
    let wrong = r#"{"data_topic":"gsm8k","question":"1+1?","answer":2}"#;
    refuse_data(
        &second(wrong.as_bytes()),
        &["data.jsonl, line 2", "\"answer\" must be a string"],
    );
    refuse_data(
        &second(b"{\"question\":\"\xff\"}"),
        &["data.jsonl, line 2", "UTF-8"],
    );
    refuse_data(
        &second(good.as_bytes()),
        &[
            "data.jsonl, line 2",
            "\"gsm8k/1\" was used before",
            "line 1",
        ],
    );
}

#[test]
fn data_that_are_not_there() {
    let folder = tempfile::tempdir().unwrap();
    mwpbench(
        folder.path(),
        ["eval", "--model", "demo", "--data", "nowhere.jsonl"],
    )
    .refused(USAGE, &["nowhere.jsonl"]);
}

#[test]
fn a_task_that_is_not_known() {
    let folder = tempfile::tempdir().unwrap();
    let done = mwpbench(
        folder.path(),
        ["eval", "--model", "demo", "--tasks", "gsm9k"],
    );
    done.refused(
        USAGE,
        &[
            "\"gsm9k\"; did you mean \"gsm8k\"?",
            "gsm8k, math, college_math",
        ],
    );
}

#[test]
fn a_template_that_is_not_known() {
    let folder = tempfile::tempdir().unwrap();
    let done = mwpbench(
        folder.path(),
        ["eval", "--model", "demo", "--prompt-template", "alpacca"],
    );
    done.refused(
        USAGE,
        &["\"alpacca\"", "alpaca, none, alpaca_force_ans, alpaca_cot"],
    );
}

#[test]
fn an_output_folder_of_another_run() {
    let folder = tempfile::tempdir().unwrap();
    demo_run(folder.path(), &["--output-dir", "run"]).ok();
    let before = fs::read(folder.path().join("run/run.json")).unwrap();
    demo_run(
        folder.path(),
        &["--output-dir", "run", "--prompt-template", "none"],
    )
    .refused(INTEGRITY, &["holds another run", "template.digest"]);
    assert_eq!(
        fs::read(folder.path().join("run/run.json")).unwrap(),
        before
    );
}

#[test]
fn an_output_folder_that_cannot_be_written() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("file"), "in the way").unwrap();
    demo_run(folder.path(), &["--output-dir", "file/run"])
        .refused(USAGE, &["cannot write to the folder", "file/run"]);
}

/// Permissions bind ordinary users only: for the superuser the folder stays writable.
#[cfg(unix)]
#[test]
#[ignore = "needs a user who is not the superuser"]
fn a_read_only_output_folder() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let locked = folder.path().join("locked");
    fs::create_dir(&locked).unwrap();
    fs::set_permissions(&locked, fs::Permissions::from_mode(0o555)).unwrap();
    demo_run(folder.path(), &["--output-dir", "locked/run"])
        .refused(USAGE, &["cannot write to the folder"]);
}

/// A limit on the size of files stands in for a full disk: writing fails in the same place.
#[cfg(unix)]
#[test]
fn a_disk_that_fills_up_during_the_run() {
    let folder = tempfile::tempdir().unwrap();
    // Short questions: the completions outgrow the limit, the list of problems does not.
    let record = |number: u32| {
        json!({ "data_topic": "gsm8k", "question": format!("{number} + 1?"), "answer": "1" })
            .to_string()
    };
    fs::write(
        folder.path().join("data.jsonl"),
        (0..200).map(record).collect::<Vec<_>>().join("\n"),
    )
    .unwrap();
    let arguments = [
        "eval",
        "--model",
        "demo",
        "--data",
        "data.jsonl",
        "--max-tokens",
        "32",
        "--output-dir",
        "run",
        "--json",
    ];
    let mut command = std::process::Command::new("sh");
    command
        .args(["-c", "trap '' XFSZ; ulimit -f 64; exec \"$0\" \"$@\""])
        .arg(assert_cmd::cargo::cargo_bin("mwpbench"));
    command
        .args(arguments)
        .current_dir(folder.path())
        .env("MWPBENCH_HOME", folder.path());
    let done = Done::from(command.output().unwrap());
    done.refused(
        INCOMPLETE,
        &[
            "cannot write",
            "completions.jsonl",
            "start the same command again",
        ],
    );
    assert!(!folder.path().join("run/summary.json").exists());
    let kept = fs::read_to_string(folder.path().join("run/completions.jsonl"))
        .unwrap()
        .lines()
        .count();
    assert!(kept > 1);
    mwpbench(folder.path(), ["score", "run"]).refused(INCOMPLETE, &["incomplete"]);

    let finished = mwpbench(folder.path(), arguments).ok();
    assert_eq!(finished.json()["sets"][0]["n"], 200);
}

#[test]
fn flags_out_of_range() {
    let folder = tempfile::tempdir().unwrap();
    for (flag, value) in [
        ("--limit", "0"),
        ("--max-tokens", "0"),
        ("--batch-size", "none"),
        ("--threads", "-1"),
        ("--dtype", "int8"),
    ] {
        let done = demo_run(folder.path(), &[flag, value]);
        assert_eq!(done.code, Some(USAGE), "{flag} {value}: {}", done.stderr);
    }
}

#[test]
fn more_threads_than_any_machine_has_are_refused_before_they_are_started() {
    let folder = tempfile::tempdir().unwrap();
    mwpbench(
        folder.path(),
        ["eval", "--model", "demo", "--threads", "100000"],
    )
    .refused(2, &["--threads", "100000", "1024"]);
    assert!(!folder.path().join("mwpbench-runs").exists());
}

#[test]
fn sampling_that_cannot_be_meant_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let refused = |flags: &[&str], parts: &[&str]| {
        mwpbench(
            folder.path(),
            ["eval", "--model", "demo"].iter().chain(flags),
        )
        .refused(2, parts);
        assert!(!folder.path().join("mwpbench-runs").exists());
    };
    refused(&["--samples", "4"], &["--samples", "--temperature"]);
    refused(&["--top-k", "5"], &["--top-k", "--temperature"]);
    refused(&["--temperature=-1"], &["--temperature", "above 0"]);
    refused(
        &["--temperature", "0.7", "--top-p", "0"],
        &["--top-p", "above 0 and at most 1"],
    );
    refused(
        &["--temperature", "nan"],
        &["--temperature", "above 0", "NaN"],
    );
    refused(
        &["--temperature", "0.7", "--samples", "0"],
        &["--samples", "1 to 1024"],
    );
    // As many prompts as would fill any memory.
    refused(
        &["--temperature", "0.7", "--samples", "4294967295"],
        &["--samples", "1 to 1024"],
    );
    refused(
        &["--kv-memory", "99999999999GiB"],
        &["--kv-memory", "512MiB"],
    );
    refused(&["--kv-memory", "lots"], &["--kv-memory", "512MiB"]);
}

#[test]
fn a_cache_too_small_for_a_prompt_is_refused_with_the_figures() {
    let folder = tempfile::tempdir().unwrap();
    mwpbench(
        folder.path(),
        [
            "eval",
            "--model",
            "demo",
            "--limit",
            "1",
            "--kv-memory",
            "64KiB",
        ],
    )
    .refused(5, &["KV cache needs", "--kv-memory", "--max-tokens"]);
}

#[test]
fn what_is_no_checkpoint_is_told_what_its_user_wants() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let config = std::fs::read("models/demo/config.json").unwrap();
    for step in ["checkpoint-100", "checkpoint-50"] {
        std::fs::create_dir_all(path.join("trained").join(step)).unwrap();
        std::fs::write(path.join("trained").join(step).join("config.json"), &config).unwrap();
    }
    std::fs::create_dir(path.join("adapter")).unwrap();
    let adapter = "{\"base_model_name_or_path\": \"meta/base\", \"peft_type\": \"LORA\"}";
    std::fs::write(path.join("adapter/adapter_config.json"), adapter).unwrap();
    std::fs::write(path.join("model.safetensors"), b"no GGUF").unwrap();
    for (model, parts) in [
        (
            "meta-llama/Llama-2-7b-hf",
            &["hub", "not whole in the cache", "HF_HUB_OFFLINE"][..],
        ),
        (
            "nowhere",
            &["there is no nowhere", "Hugging Face layout", "org/name"],
        ),
        (
            "trained",
            &["trained/checkpoint-50, trained/checkpoint-100"],
        ),
        ("adapter", &["--model meta/base --adapter adapter"]),
        ("model.safetensors", &["not enough", "--model ."]),
    ] {
        let done = mwpbench(path, ["eval", "--model", model]);
        assert!(matches!(done.code, Some(2 | 4)), "{model}: {}", done.stderr);
        done.refused(done.code.unwrap(), parts);
    }
}

#[test]
fn numbers_below_the_range_are_refused_as_values() {
    let folder = tempfile::tempdir().unwrap();
    for (flag, value, part) in [
        ("--limit", "0", "at least 1"),
        ("--limit", "-1", "at least 1"),
        ("--max-tokens", "-5", "at least 1"),
        ("--temperature", "-1", "above 0"),
    ] {
        let done = mwpbench(folder.path(), ["eval", "--model", "demo", flag, value]);
        done.refused(USAGE, &[flag, value, part]);
    }
}

#[test]
fn a_publishers_file_is_sent_to_the_import() {
    let folder = tempfile::tempdir().unwrap();
    let record = "{\"question\": \"1 + 1?\", \"answer\": \"#### 2\"}\n";
    std::fs::write(folder.path().join("test.jsonl"), record).unwrap();
    mwpbench(
        folder.path(),
        ["eval", "--model", "demo", "--data", "test.jsonl"],
    )
    .refused(4, &["test.jsonl, line 1", "mwpbench data import"]);
}

/// A name from elsewhere must not steer the terminal that a table is printed on.
#[test]
fn a_name_that_does_not_fit_a_table_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let long = "x".repeat(101);
    for (flag, value, part) in [
        ("--name", "two\nlines", "control characters"),
        ("--name", "\u{1b}[31mred", "control characters"),
        ("--name", " ", "is empty"),
        ("--name", &long, "101 characters"),
        ("--tag", "base=a\tb", "control characters"),
    ] {
        let args = ["eval", "--model", "demo", "--limit", "1", flag, value];
        mwpbench(folder.path(), args).refused(USAGE, &[flag, part]);
    }
}

#[test]
fn a_table_with_two_columns_of_one_name_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("train.csv"), "question,question\n1,2\n").unwrap();
    let args = [
        "data",
        "overlap",
        "--train",
        "train.csv",
        "--data",
        "bundled",
    ];
    mwpbench(folder.path(), args).refused(4, &["train.csv, line 1", "\"question\" twice"]);
}

/// What helps with a run folder does not help with a file of another program.
#[test]
fn a_damaged_file_of_another_program_is_told_nothing_of_run_folders() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("answers.jsonl"), b"\xff{}\n").unwrap();
    let args = [
        "score",
        "--input",
        "answers.jsonl",
        "--output",
        "verdicts.jsonl",
    ];
    let done = mwpbench(folder.path(), args);
    done.refused(4, &["answers.jsonl, line 1", "not UTF-8"]);
    assert!(!done.stderr.contains("--fresh"), "{}", done.stderr);
}
