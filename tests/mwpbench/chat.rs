//! `eval --prompt-template chat`: a checkpoint's own chat template.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::checkpoint::Checkpoint;
use crate::command::{Done, mwpbench};

/// The fixtures that were recorded with transformers.
fn recorded(path: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("crates")
        .join(path)
}

fn eval(folder: &Path, args: &[&str]) -> Done {
    let usual = [
        "eval",
        "--tasks",
        "gsm8k",
        "--limit",
        "2",
        "--max-tokens",
        "8",
        "--quiet",
        "--json",
    ];
    mwpbench(folder, usual.iter().chain(args))
}

fn manifest(folder: &Path, run: &str) -> Value {
    serde_json::from_slice(&fs::read(folder.join(run).join("run.json")).unwrap()).unwrap()
}

/// A copy of the demo checkpoint whose tokenizer has this template.
fn with_template(folder: &Path, template: &str) -> Checkpoint {
    let model = Checkpoint::copy_to(folder);
    let mut config: Value = serde_json::from_slice(&model.read("tokenizer_config.json")).unwrap();
    config["chat_template"] = template.into();
    model.write("tokenizer_config.json", config.to_string());
    model
}

const TURNS: &str = "{{ bos_token }}{% for m in messages %}[{{ m.role }}]{{ m.content | trim }}{{ eos_token }}{% endfor %}{% if add_generation_prompt %}[assistant]{% endif %}";

#[test]
fn prompts_are_the_token_ids_of_apply_chat_template() {
    let folder = tempfile::tempdir().unwrap();
    let cases: Value = serde_json::from_slice(
        &fs::read(recorded("inference/tests/fixtures/chat_ids.json")).unwrap(),
    )
    .unwrap();
    let conversations: Value = serde_json::from_slice(
        &fs::read(recorded("chat-template/tests/fixtures/conversations.json")).unwrap(),
    )
    .unwrap();
    for name in ["vicuna", "mistral-v1", "zephyr", "alpaca"] {
        let template = recorded(&format!(
            "chat-template/tests/fixtures/templates/{name}.jinja"
        ));
        let (mut records, mut expected) = (Vec::new(), Vec::new());
        for case in cases["cases"].as_array().unwrap() {
            let messages = conversations[case["conversation"].as_str().unwrap()]
                .as_array()
                .unwrap();
            let asked = case["tokenizer"] == "models/demo"
                && case["template"] == name
                && messages.len() == 1;
            let question = messages[0]["content"].as_str().unwrap();
            // Records are read without blanks around a question.
            if asked && !question.is_empty() && question.trim() == question {
                records.push(json!({
                    "data_topic": "gsm8k", "question_number": records.len(), "question": question, "answer": "1",
                }));
                let ids = case["ids"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|id| id.as_u64().unwrap() as u32);
                let bytes: Vec<u8> = ids.clone().flat_map(u32::to_le_bytes).collect();
                expected.push((
                    ids.count() as u64,
                    blake3::hash(&bytes).to_hex().to_string(),
                ));
            }
        }
        assert!(expected.len() >= 3, "{name}: {}", expected.len());
        let lines: Vec<String> = records.iter().map(Value::to_string).collect();
        fs::write(folder.path().join("data.jsonl"), lines.join("\n")).unwrap();
        let args = [
            "--model",
            "demo",
            "--data",
            "data.jsonl",
            "--limit",
            "9",
            "--output-dir",
            name,
        ];
        let chat = [
            "--prompt-template",
            "chat",
            "--chat-template",
            template.to_str().unwrap(),
        ];
        let mut command = vec!["eval", "--max-tokens", "1", "--quiet"];
        command.extend(args.into_iter().chain(chat));
        mwpbench(folder.path(), &command).ok();
        let completions =
            fs::read_to_string(folder.path().join(name).join("completions.jsonl")).unwrap();
        let found: Vec<(u64, String)> = completions
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap())
            .map(|line| {
                (
                    line["prompt_tokens"].as_u64().unwrap(),
                    line["prompt_hash"].as_str().unwrap().to_string(),
                )
            })
            .collect();
        assert_eq!(found, expected, "{name}");
    }
}

#[test]
fn a_checkpoints_own_template_asks_and_the_run_can_be_told_again() {
    let folder = tempfile::tempdir().unwrap();
    let model = with_template(folder.path(), TURNS);
    fs::write(folder.path().join("system.txt"), "Be brief.\n").unwrap();
    let path = model.path().to_str().unwrap();
    let chat = [
        "--model",
        path,
        "--prompt-template",
        "chat",
        "--output-dir",
        "run",
        "--system-prompt",
        "@system.txt",
    ];
    let done = eval(folder.path(), &chat).ok();
    let said = done.stderr.lines().collect::<Vec<_>>();
    assert!(
        matches!(said[..], [line] if line.starts_with("run: run (")),
        "nothing is wrong with this template: {said:?}"
    );
    let deviations = done.json()["deviations"].to_string();
    assert!(
        deviations.contains("template chat") && deviations.contains("no stop strings"),
        "{deviations}"
    );

    let template = &manifest(folder.path(), "run")["identity"]["template"];
    let text = "<s>[system]Be brief.</s>[user]{question}</s>[assistant]";
    assert_eq!(
        (&template["name"], &template["text"]),
        (&"chat".into(), &text.into())
    );
    assert_eq!(
        template["chat"]["special_tokens"],
        json!({"bos_token": "<s>", "eos_token": "</s>"})
    );
    assert_eq!(template["chat"]["source"], TURNS);
    assert!(template["chat"].get("date").is_none(), "{template}");

    // Without the checkpoint.
    fs::remove_dir_all(model.path()).unwrap();
    let problems = fs::read_to_string(folder.path().join("run/problems.jsonl")).unwrap();
    let problem: Value = serde_json::from_str(problems.lines().next().unwrap()).unwrap();
    let id = problem["id"].as_str().unwrap();
    let shown = mwpbench(folder.path(), ["show", "run", "--item", id, "--json"])
        .ok()
        .json();
    let expected = text.replace("{question}", problem["question"].as_str().unwrap());
    assert_eq!(shown["prompt"], expected);
    mwpbench(folder.path(), ["score", "run"]).ok();
}

#[test]
fn the_same_command_goes_on_and_another_prompt_does_not() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("t.jinja"), TURNS).unwrap();
    let chat = [
        "--model",
        "demo",
        "--prompt-template",
        "chat",
        "--chat-template",
        "t.jinja",
        "--output-dir",
        "run",
    ];
    eval(folder.path(), &chat).ok();
    eval(folder.path(), &chat).ok();
    let mut other = chat.to_vec();
    other.extend(["--system-prompt", "Be brief."]);
    eval(folder.path(), &other).refused(
        4,
        &["template.chat.system is null there and \"Be brief.\" here"],
    );
    fs::write(
        folder.path().join("t.jinja"),
        TURNS.replace("[user]", "[asker]").replace("trim", "lower"),
    )
    .unwrap();
    eval(folder.path(), &chat).refused(4, &["template.digest is"]);
    let plain = ["--model", "demo", "--output-dir", "plain"];
    eval(folder.path(), &plain).ok();
    let compared = mwpbench(folder.path(), ["compare", "plain", "run"])
        .ok()
        .stdout;
    assert!(
        compared.contains("text around the question") && compared.contains("alpaca"),
        "{compared}"
    );
}

#[test]
fn a_date_is_told_recorded_and_can_be_given() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(
        folder.path().join("t.jinja"),
        format!("{TURNS}{{{{ strftime_now('%d %b %Y') }}}}"),
    )
    .unwrap();
    let chat = [
        "--model",
        "demo",
        "--prompt-template",
        "chat",
        "--chat-template",
        "t.jinja",
        "--output-dir",
        "run",
    ];
    let mut dated = chat.to_vec();
    dated.extend(["--chat-date", "2026-01-02"]);
    let done = eval(folder.path(), &dated).ok();
    assert!(
        done.stderr
            .contains("warning: the chat template writes the date into every prompt, 2026-01-02"),
        "{}",
        done.stderr
    );
    let template = &manifest(folder.path(), "run")["identity"]["template"];
    assert!(
        template["text"]
            .as_str()
            .unwrap()
            .ends_with("[assistant]02 Jan 2026"),
        "{template}"
    );
    assert_eq!(template["chat"]["date"], "2026-01-02");
    eval(folder.path(), &chat).refused(4, &["template.chat.date is \"2026-01-02\" there"]);
}

#[test]
fn begins_and_ends_that_do_not_fit_are_told() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(
        folder.path().join("t.jinja"),
        "{% for m in messages %}<|{{ m.role }}|>{{ m.content }}<|end|>\n{% endfor %}",
    )
    .unwrap();
    let chat = [
        "--model",
        "demo",
        "--prompt-template",
        "chat",
        "--chat-template",
        "t.jinja",
        "--output-dir",
        "run",
    ];
    let done = eval(folder.path(), &chat).ok();
    for part in [
        "warning: the chat template does not write \"<s>\"",
        "warning: the chat template ends a turn with \"<|end|>\", which is none of the model's end-of-sequence tokens (\"</s>\")",
    ] {
        assert!(done.stderr.contains(part), "no {part:?} in {}", done.stderr);
    }
    assert_eq!(
        manifest(folder.path(), "run")["identity"]["model"]["details"]["bos"],
        "as the chat template writes it"
    );
}

#[test]
fn variables_switch_what_a_template_writes() {
    let folder = tempfile::tempdir().unwrap();
    let qwen = recorded("chat-template/tests/fixtures/templates/qwen3.jinja");
    let chat = [
        "--model",
        "demo",
        "--prompt-template",
        "chat",
        "--chat-template",
        qwen.to_str().unwrap(),
    ];
    for (variables, thinks) in [("{}", true), (r#"{"enable_thinking": false}"#, false)] {
        let mut args = chat.to_vec();
        let run = format!("thinks-{thinks}");
        args.extend(["--chat-template-kwargs", variables, "--output-dir", &run]);
        eval(folder.path(), &args).ok();
        let text = manifest(folder.path(), &run)["identity"]["template"]["text"].clone();
        let ends = if thinks {
            "assistant\n"
        } else {
            "</think>\n\n"
        };
        assert!(text.as_str().unwrap().ends_with(ends), "{text}");
    }
}

#[test]
fn what_cannot_be_asked_is_refused_with_the_way_out() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    write("broken.jinja", "{{ bos_token }}\n{% if %}");
    write(
        "strict.jinja",
        "{% if messages[0].role == 'system' %}{{ raise_exception('no system') }}{% endif %}{{ messages[0].content }}",
    );
    write("fussy.jinja", "{{ raise_exception('not today') }}");
    write(
        "drops.jinja",
        "{% for m in messages if m.role == 'user' %}{{ m.content }}{% endfor %}",
    );
    write(
        "endless.jinja",
        "{% for a in range(99999) %}{% for b in range(99999) %}{{ a }}{% endfor %}{% endfor %}",
    );
    let demo = ["--model", "demo", "--output-dir", "run"];
    let chat = |more: &[&str]| {
        let mut args = demo.to_vec();
        args.extend(["--prompt-template", "chat"]);
        args.extend(more);
        eval(folder.path(), &args)
    };
    chat(&[]).refused(2, &["demo has no chat template", "--chat-template FILE"]);
    chat(&["--chat-template", "nowhere.jinja"]).refused(2, &["no file or folder nowhere.jinja"]);
    chat(&["--chat-template", "broken.jinja"]).refused(
        4,
        &["broken.jinja, line 2: the chat template cannot be understood"],
    );
    let refused = [
        "Leave --system-prompt out",
        "strict.jinja, line 1",
        "no system",
    ];
    chat(&[
        "--chat-template",
        "strict.jinja",
        "--system-prompt",
        "Be brief.",
    ])
    .refused(2, &refused);
    chat(&["--chat-template", "fussy.jinja"]).refused(2, &["fussy.jinja, line 1", "not today"]);
    chat(&[
        "--chat-template",
        "drops.jinja",
        "--system-prompt",
        "Be brief.",
    ])
    .refused(
        2,
        &["does not write the system prompt. Leave --system-prompt out"],
    );
    chat(&["--chat-template", "endless.jinja"])
        .refused(4, &["endless.jinja, line 1", "does not come to an end"]);
    chat(&[
        "--chat-template",
        "drops.jinja",
        "--system-prompt",
        "@missing.txt",
    ])
    .refused(2, &["missing.txt"]);
    chat(&[
        "--chat-template",
        "drops.jinja",
        "--chat-template-kwargs",
        r#"{"messages": []}"#,
    ])
    .refused(2, &["\"messages\""]);
    for (flag, value) in [
        ("--chat-template", "drops.jinja"),
        ("--system-prompt", "Be brief."),
        ("--chat-date", "2026-01-02"),
        ("--chat-template-kwargs", "{}"),
    ] {
        let mut args = demo.to_vec();
        args.extend([flag, value]);
        eval(folder.path(), &args).refused(2, &[flag, "--prompt-template chat"]);
    }
    assert!(!folder.path().join("run").exists());
    for (flag, value) in [
        ("--chat-date", "yesterday"),
        ("--chat-template-kwargs", "[]"),
    ] {
        assert_eq!(
            chat(&["--chat-template", "drops.jinja", flag, value]).code,
            Some(2)
        );
    }
}
