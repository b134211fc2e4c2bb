//! What is understood of a checkpoint, adapters, and weights in 8 bits.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::checkpoint::Checkpoint;
use crate::command::{Done, mwpbench};

fn fixture(name: &str) -> String {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("crates/inference/tests/fixtures");
    fixtures.join(name).to_str().unwrap().to_string()
}

#[test]
fn a_checkpoint_is_described() {
    let folder = tempfile::tempdir().unwrap();
    let described = mwpbench(folder.path(), ["inspect", "demo", "--json"])
        .ok()
        .json();
    let facts = &described["facts"];
    assert_eq!(facts["architecture"], "LlamaForCausalLM");
    assert_eq!(facts["parameters"], "2755008");
    assert_eq!(
        facts["heads"],
        "6 of queries, 2 of keys and values, width 32"
    );
    assert_eq!(facts["eos"], "2 \"</s>\"");
    assert_eq!(described["warnings"], json!([]));
    assert_eq!(described["faults"], json!([]));
    let text = mwpbench(folder.path(), ["inspect", "demo"]).ok().stdout;
    assert!(
        text.contains("\narchitecture       LlamaForCausalLM\n"),
        "{text}"
    );
    let text = mwpbench(
        folder.path(),
        ["inspect", &fixture("variants/qwen2-window")],
    )
    .ok()
    .stdout;
    assert!(
        text.contains("layers 0 to 0 see all positions; layers 1 to 2 see the latest 16 positions"),
        "{text}"
    );
    assert!(text.contains("queries, keys, values"), "{text}");
    let text = mwpbench(folder.path(), ["inspect", &fixture("variants/llama-yarn")])
        .ok()
        .stdout;
    assert!(
        text.contains("yarn scaling by 4 from 64 tokens (attention 1.138"),
        "{text}"
    );
}

#[test]
fn what_looks_wrong_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let checkpoint = Checkpoint::copy_to(folder.path());
    checkpoint.edit_tensors(|tensors| {
        let embedding = tensors.get_mut("model.embed_tokens.weight").unwrap();
        let width = embedding.shape[1] * 2;
        // Two tokens of the same row, one of zeros, and five rows that no token has.
        embedding
            .data
            .copy_within(300 * width..301 * width, 400 * width);
        embedding.data[500 * width..501 * width].fill(0);
        embedding.data.extend(vec![0; 5 * width]);
        embedding.shape[0] += 5;
        tensors
            .get_mut("model.layers.2.mlp.up_proj.weight")
            .unwrap()
            .data
            .fill(0);
    });
    checkpoint.edit_config(|config| {
        config["vocab_size"] = json!(2053);
        config["eos_token_id"] = json!(null);
    });
    checkpoint.remove("generation_config.json");
    let model = checkpoint.path().to_str().unwrap();
    let told = mwpbench(folder.path(), ["inspect", model, "--json"])
        .ok()
        .json();
    let warnings = told["warnings"].as_array().unwrap();
    let says = |part: &str| {
        warnings
            .iter()
            .any(|warning| warning.as_str().unwrap().contains(part))
    };
    assert!(
        says("end a sequence with none: completions end at each of them"),
        "{warnings:?}"
    );
    assert!(
        says("5 rows of the embedding belong to no token of the tokenizer"),
        "{warnings:?}"
    );
    assert!(
        says("3 rows of the embedding look untrained (zero, or the same as another): 300 "),
        "{warnings:?}"
    );
    assert!(
        says("tensor `model.layers.2.mlp.up_proj.weight`: all values are zero"),
        "{warnings:?}"
    );

    checkpoint.edit_tensors(|tensors| {
        let norm = &mut tensors.get_mut("model.norm.weight").unwrap().data;
        norm[..2].copy_from_slice(&0x7fc0_u16.to_le_bytes());
    });
    let told = mwpbench(folder.path(), ["inspect", model]);
    assert_eq!(told.code, Some(1), "{}", told.stderr);
    let fault =
        "cannot be run: tensor `model.norm.weight`: 1 values are not finite (NaN or infinity)";
    assert!(told.stdout.contains(fault), "{}", told.stdout);
    mwpbench(folder.path(), ["eval", "--model", model])
        .refused(4, &["model.norm.weight", "not finite"]);
    mwpbench(folder.path(), ["inspect", "nowhere"]).refused(2, &["there is no nowhere"]);
}

/// A run of the tiny base with flags; the summary and `run.json`.
fn run(folder: &Path, name: &str, model: &str, flags: &[&str]) -> (Value, Value) {
    let plan = [
        "eval",
        "--model",
        model,
        "--tasks",
        "tal",
        "--limit",
        "2",
        "--max-tokens",
        "8",
        "--json",
    ];
    let small = [
        "--prompt-template",
        "none",
        "--on-long-prompt",
        "fail",
        "--output-dir",
        name,
    ];
    let done = mwpbench(folder, plan.iter().chain(&small).chain(flags));
    let manifest: PathBuf = folder.join(name).join("run.json");
    let manifest = std::fs::read(&manifest).unwrap_or_else(|_| panic!("{}", done.stderr));
    (done.json(), serde_json::from_slice(&manifest).unwrap())
}

#[test]
fn a_gguf_file_is_understood_and_evaluated() {
    let folder = tempfile::tempdir().unwrap();
    let file = fixture("gguf/llama-k-q4_k_m.gguf");
    let told = mwpbench(folder.path(), ["inspect", &file]).ok().stdout;
    for fact in [
        "LlamaForCausalLM",
        "q4_k, ",
        "byte-pair encoding with byte fallback",
        "1 (add_bos_token)",
    ] {
        assert!(told.contains(fact), "{fact}: {told}");
    }
    let (summary, manifest) = run(folder.path(), "run", &file, &[]);
    assert_eq!(summary["model"], "llama-k-q4_k_m");
    assert!(
        summary["deviations"]
            .to_string()
            .contains("weights rounded to q4_k, "),
        "{summary}"
    );
    let details = &manifest["identity"]["model"]["details"];
    assert!(
        details["quantization"]
            .as_str()
            .unwrap()
            .starts_with("q4_k, "),
        "{details}"
    );
    let flags = ["--tokenizer", "nowhere"];
    mwpbench(folder.path(), ["inspect", &file].iter().chain(&flags))
        .refused(2, &["there is no nowhere: give a tokenizer.json"]);
    let other = fixture("variants/llama3");
    let told = mwpbench(folder.path(), ["inspect", &file, "--tokenizer", &other])
        .ok()
        .stdout;
    assert!(
        told.contains("288 \"<|begin_of_text|>\"") || told.contains("tokenizer"),
        "{told}"
    );
    mwpbench(folder.path(), ["eval", "--model", &fixture("gguf")])
        .refused(4, &["holds no config.json; for a GGUF file give the file"]);
    let part = fixture("gguf/llama-mqa-split-bf16-00002-of-00002.gguf");
    mwpbench(folder.path(), ["eval", "--model", &part])
        .refused(4, &["is not the first of 2 parts: give "]);
}

/// A copy of a GGUF fixture in which bytes behind a text are others.
fn changed_gguf(folder: &Path, name: &str, behind: &str, skipped: usize, bytes: &[u8]) -> String {
    let mut file = std::fs::read(fixture(&format!("gguf/{name}"))).unwrap();
    let found = file
        .windows(behind.len())
        .position(|window| window == behind.as_bytes())
        .unwrap();
    let at = found + behind.len() + skipped;
    file[at..at + bytes.len()].copy_from_slice(bytes);
    let path = folder.join("changed.gguf");
    std::fs::write(&path, file).unwrap();
    path.to_str().unwrap().to_string()
}

/// What was told on stdout put aside, the file was refused.
fn refused(told: Done, parts: &[&str]) {
    Done {
        stdout: String::new(),
        ..told
    }
    .refused(4, parts);
}

#[test]
fn a_gguf_file_that_is_refused_still_tells_what_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let file = "llama-q-q8_0.gguf";
    // Behind the key: the type of the value and its length; behind a tensor's name: its dimensions
    // and their number.
    let architecture = changed_gguf(folder.path(), file, "general.architecture", 12, b"gemma");
    let told = mwpbench(folder.path(), ["inspect", &architecture]);
    for fact in [
        "\narchitecture    gemma\n",
        "\nfile_type       Q8_0\n",
        "\ngguf_tokenizer  llama, pre-tokenizer default, ",
    ] {
        assert!(told.stdout.contains(fact), "{fact}: {}", told.stdout);
    }
    refused(
        told,
        &[
            "changed.gguf: architecture `gemma` is not supported; supported are `llama` (LLaMA, Mistral and Mixtral)",
        ],
    );
    mwpbench(folder.path(), ["eval", "--model", &architecture])
        .refused(4, &["architecture `gemma` is not supported"]);

    let quantization = changed_gguf(
        folder.path(),
        file,
        "blk.0.attn_q.weight",
        20,
        &20u32.to_le_bytes(),
    );
    let told = mwpbench(folder.path(), ["inspect", &quantization, "--json"]);
    let described = told.json();
    assert_eq!(described["facts"]["layers"], "1");
    assert_eq!(described["facts"]["context_length"], "256");
    assert_eq!(described["facts"]["chat_template"], "none");
    let stored = described["facts"]["stored"].as_str().unwrap();
    assert!(
        stored.contains("iq4_nl: 1 tensors (attn_q), 4352 bytes; q8_0: 8 tensors (attn_k, "),
        "{stored}"
    );
    let refusal =
        "changed.gguf: tensor `blk.0.attn_q.weight` is stored as IQ4_NL, which is not supported";
    assert!(
        described["faults"][0]
            .as_str()
            .unwrap()
            .starts_with(refusal),
        "{described}"
    );
    refused(told, &[refusal]);

    let name = changed_gguf(
        folder.path(),
        "llama3-bf16.gguf",
        "tokenizer.ggml.pre",
        12,
        b"llama-xyz",
    );
    let told = mwpbench(folder.path(), ["inspect", &name]);
    assert!(
        told.stdout
            .contains("gpt2, pre-tokenizer llama-xyz, 294 tokens\n"),
        "{}",
        told.stdout
    );
    refused(
        told,
        &[
            "the pre-tokenizer `llama-xyz`",
            "tokenizer.json can take its place. Give it with --tokenizer",
        ],
    );
    let own = fixture("variants/llama3");
    mwpbench(folder.path(), ["inspect", &name, "--tokenizer", &own]).ok();
    // A file of which not even that can be read tells nothing.
    std::fs::write(folder.path().join("changed.gguf"), b"GGUF\x03\0\0\0\x01").unwrap();
    let told = mwpbench(folder.path(), ["inspect", &name]);
    assert_eq!(told.stdout, "");
    told.refused(4, &["changed.gguf: damaged or cut off"]);
}

#[test]
fn an_adapter_is_merged_and_named() {
    let folder = tempfile::tempdir().unwrap();
    let (base, adapter) = (fixture("adapters/base"), fixture("adapters/lora"));
    let (plain, _) = run(folder.path(), "plain", &base, &[]);
    let (merged, manifest) = run(folder.path(), "merged", &base, &["--adapter", &adapter]);
    assert_eq!(
        (plain["model"].as_str(), merged["model"].as_str()),
        (Some("base"), Some("base+lora"))
    );
    let details = &manifest["identity"]["model"]["details"];
    assert!(
        details["adapter"]
            .as_str()
            .unwrap()
            .starts_with("LoRA of rank 4"),
        "{details}"
    );
    let told = mwpbench(folder.path(), ["inspect", &base, "--adapter", &adapter])
        .ok()
        .stdout;
    assert!(told.contains("LoRA of rank 4"), "{told}");
    let other = fixture("adapters/ia3");
    mwpbench(
        folder.path(),
        ["eval", "--model", &base, "--adapter", &other],
    )
    .refused(4, &["IA3", "merge_and_unload"]);
    mwpbench(folder.path(), ["inspect", &base, "--adapter", "nowhere"])
        .refused(2, &["there is no folder nowhere"]);
    mwpbench(folder.path(), ["eval", "--model", &adapter])
        .refused(4, &["holds an adapter without its base model"]);
    // The folder of one is not continued with the other.
    let plan = [
        "eval",
        "--model",
        &base,
        "--tasks",
        "tal",
        "--limit",
        "2",
        "--max-tokens",
        "8",
    ];
    let small = [
        "--prompt-template",
        "none",
        "--on-long-prompt",
        "fail",
        "--output-dir",
        "merged",
    ];
    mwpbench(folder.path(), plan.iter().chain(&small)).refused(4, &["adapter"]);
}

#[test]
fn eight_bits_are_told_and_do_not_depend_on_company() {
    let folder = tempfile::tempdir().unwrap();
    let (first, manifest) = run(
        folder.path(),
        "first",
        "demo",
        &["--quantize", "q8_0", "--batch-size", "1"],
    );
    assert!(
        first["deviations"]
            .to_string()
            .contains("weights rounded to q8_0"),
        "{first}"
    );
    assert_eq!(
        manifest["identity"]["model"]["details"]["quantization"],
        "q8_0"
    );
    run(
        folder.path(),
        "second",
        "demo",
        &["--quantize", "int8", "--threads", "3"],
    );
    let completions = |name: &str| {
        std::fs::read_to_string(folder.path().join(name).join("completions.jsonl")).unwrap()
    };
    assert_eq!(completions("first"), completions("second"));
    mwpbench(
        folder.path(),
        ["eval", "--model", "demo", "--quantize", "int3"],
    )
    .refused(2, &["q8_0"]);
}
