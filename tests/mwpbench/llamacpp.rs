//! A real server: llama.cpp's, through `tools/endpoints/llamacpp.py`, against our own engine.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

#[test]
fn llama_cpp_behind_its_server_answers_as_our_own_engine_does() {
    let Ok(python) = std::env::var("MWPBENCH_LLAMACPP_PYTHON") else {
        eprintln!("SKIPPED: set MWPBENCH_LLAMACPP_PYTHON to a Python with tools/endpoints/requirements.txt");
        return;
    };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tools/endpoints/llamacpp.py");
    let done = Command::new(&python)
        .arg(script)
        .args(["--python", &python, "--mwpbench", env!("CARGO_BIN_EXE_mwpbench")])
        .args(["--limit", "8", "--max-tokens", "256", "--least-equal", "0.95"])
        .output()
        .unwrap();
    let (stdout, stderr) = (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    assert!(done.status.success(), "{stdout}{stderr}");
    let result: Value = serde_json::from_str(&stdout).unwrap();
    assert!(result["n"].as_u64() > Some(80), "{stdout}");
    for prompts in ["prompts", "chat"] {
        assert_eq!(result[prompts]["equal_tokens"], result[prompts]["n"], "the server reads other tokens: {stdout}");
    }
    assert_eq!(result["chat"]["same"], result["chat"]["n"], "{stdout}");
}
