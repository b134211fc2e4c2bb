//! `--model org/name`, from a server on loopback that speaks the hub's API.

use std::fs;
use std::io::Write;
use std::net::TcpListener;
use std::path::Path;

use assert_cmd::Command;
use loopback::files::{FileServer, give, head, refuse};
use serde_json::{Value, json};

use crate::checkpoint::Checkpoint;
use crate::command::Done;

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

fn eval(folder: &Path, endpoint: &str, more: &[&str]) -> Done {
    let mut command = Command::cargo_bin("mwpbench").unwrap();
    for (name, _) in std::env::vars() {
        if ["MWPBENCH_", "HF_", "TRANSFORMERS_"]
            .iter()
            .any(|start| name.starts_with(start))
        {
            command.env_remove(name);
        }
    }
    command
        .current_dir(folder)
        .env("MWPBENCH_HOME", folder.join("home"))
        .env("HF_HOME", folder.join("hf"))
        .env("HF_ENDPOINT", endpoint)
        .env("HF_TOKEN", "hf_secret")
        .args([
            "eval",
            "--tasks",
            "gsm8k",
            "--limit",
            "1",
            "--max-tokens",
            "4",
            "--output-dir",
            "run",
        ])
        .args(more);
    let done = Done::from(command.output().unwrap());
    assert!(!done.stderr.contains("hf_secret"), "{}", done.stderr);
    done
}

/// The files of the demo checkpoint as a repository.
fn repository() -> FileServer {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/demo");
    let files: Vec<(String, Vec<u8>)> = fs::read_dir(folder)
        .unwrap()
        .flatten()
        .map(|entry| {
            (
                entry.file_name().into_string().unwrap(),
                fs::read(entry.path()).unwrap(),
            )
        })
        .collect();
    let sibling = |(path, content): &(String, Vec<u8>)| json!({"rfilename": path, "size": content.len(), "blobId": dataset_fetcher::git_blob_id(content)});
    let listing = json!({"sha": COMMIT, "siblings": files.iter().map(sibling).collect::<Vec<_>>()})
        .to_string();
    FileServer::start(move |request, _, stream| {
        if request
            .target
            .starts_with("/api/models/org/name/revision/v1")
        {
            head(
                stream,
                "200 OK",
                &[("Content-Length", &listing.len().to_string())],
            )?;
            return stream.write_all(listing.as_bytes());
        }
        let path = request
            .target
            .strip_prefix(&format!("/org/name/resolve/{COMMIT}/"));
        match files.iter().find(|(name, _)| Some(name.as_str()) == path) {
            Some((_, content)) => give(request, stream, content, "\"x\""),
            None => refuse(
                stream,
                "404 Not Found",
                &[("X-Error-Code", "EntryNotFound")],
            ),
        }
    })
}

#[test]
fn a_checkpoint_of_the_hub_is_evaluated_and_named() {
    let folder = tempfile::tempdir().unwrap();
    let hub = repository();
    let done = eval(folder.path(), &hub.url(), &["--model", "org/name@v1"]).ok();
    assert!(done.stderr.contains("org/name: 5 files"), "{}", done.stderr);
    let manifest = fs::read(folder.path().join("run/run.json")).unwrap();
    let manifest: Value = serde_json::from_slice(&manifest).unwrap();
    let model = &manifest["identity"]["model"];
    assert_eq!(
        (
            &model["name"],
            &model["details"]["repository"],
            &model["details"]["commit"]
        ),
        (&json!("org/name"), &json!("org/name"), &json!(COMMIT))
    );
    // The embedded checkpoint is the same one: where it is from decides nothing.
    eval(folder.path(), &hub.url(), &["--model", "demo"]).ok();
    // Quiet says nothing of the download, and an adapter may be a name too.
    fs::remove_dir_all(folder.path().join("hf")).unwrap();
    let done = eval(
        folder.path(),
        &hub.url(),
        &["--model", "org/name@v1", "--quiet"],
    )
    .ok();
    assert!(!done.stderr.contains("files"), "{}", done.stderr);
    eval(
        folder.path(),
        &hub.url(),
        &["--model", "demo", "--adapter", "org/name@v1"],
    )
    .refused(
        2,
        &["org/name@v1 holds no adapter: it has no adapter_config.json"],
    );
}

#[test]
fn each_refusal_of_the_hub_has_its_way_out() {
    let folder = tempfile::tempdir().unwrap();
    let refusing = |status: &'static str, code: &'static str| {
        FileServer::start(move |_, _, stream| refuse(stream, status, &[("X-Error-Code", code)]))
    };
    let gated = refusing("403 Forbidden", "GatedRepo");
    let page = format!("Accept its terms at {}/org/name", gated.url());
    eval(folder.path(), &gated.url(), &["--model", "org/name"])
        .refused(2, &["org/name is gated", &page, "HF_TOKEN"]);
    let unknown = refusing("404 Not Found", "RepoNotFound");
    eval(folder.path(), &unknown.url(), &["--model", "org/name"])
        .refused(2, &["knows no repository org/name", "Is the name right?"]);
    // Nobody listens there any more.
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    eval(
        folder.path(),
        &format!("http://127.0.0.1:{port}"),
        &["--model", "org/name", "--quiet"],
    )
    .refused(3, &["given up after 3 attempts", "HF_ENDPOINT"]);
    // A folder of that name wins.
    fs::create_dir_all(folder.path().join("org/name")).unwrap();
    let folder_wins = eval(folder.path(), &unknown.url(), &["--model", "org/name"]);
    assert!(
        folder_wins.stderr.contains("holds no config.json"),
        "{}",
        folder_wins.stderr
    );
    assert!(!folder.path().join("run").exists());
}

#[test]
fn a_tokenizer_of_the_hub_comes_without_weights() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let hub = repository();
    Checkpoint::copy_to(path).remove("tokenizer.json");
    let model = ["--model", "model", "--tokenizer", "org/name@v1"];
    let done = eval(path, &hub.url(), &model).ok();
    assert!(done.stderr.contains("org/name: 2 files"), "{}", done.stderr);
    let snapshot = path.join("hf/hub/models--org--name/snapshots").join(COMMIT);
    assert!(snapshot.join("tokenizer.json").exists());
    assert!(!snapshot.join("model.safetensors").exists());
    // A repository without a template says so, and a file that is not there is no repository.
    let chat = [
        "--model",
        "demo",
        "--prompt-template",
        "chat",
        "--chat-template",
    ];
    let given = |template: &'static str| {
        let more = [&chat[..], &[template]].concat();
        eval(path, &hub.url(), &more)
    };
    given("org/name@v1").refused(2, &["chat template"]);
    given("templates/none.jinja").refused(2, &["templates/none.jinja"]);
}

/// A recipe is made without a weight of the base model, which the trainer downloads itself.
#[test]
fn a_recipe_downloads_configuration_and_tokenizer_alone() {
    let (folder, hub) = (crate::recipe::exported(), repository());
    let mut command = Command::cargo_bin("mwpbench").unwrap();
    command
        .current_dir(folder.path())
        .env("MWPBENCH_HOME", folder.path().join("home"))
        .env("HF_HOME", folder.path().join("hf"))
        .env("HF_ENDPOINT", hub.url())
        .env_remove("HF_HUB_OFFLINE")
        .args([
            "mathscale",
            "recipe",
            "--project",
            "project",
            "--trainer",
            "trl",
        ])
        .args(["--base", "org/name@v1", "--json", "--quiet"]);
    Done::from(command.output().unwrap()).ok();
    let cache = folder.path().join("hf/hub/models--org--name");
    let snapshot = cache.join("snapshots").join(COMMIT);
    assert!(snapshot.join("tokenizer.json").exists());
    assert!(!snapshot.join("model.safetensors").exists());
    let recipe = folder.path().join("project/recipe-trl");
    let config = fs::read_to_string(recipe.join("train.yaml")).unwrap();
    assert!(
        config.contains("\nmodel_name_or_path: \"org/name\"\nmodel_revision: \"v1\"\n"),
        "{config}"
    );
    let script = fs::read_to_string(recipe.join("eval.sh")).unwrap();
    assert!(
        script.contains("eval --model org/name@v1 --prompt-template alpaca"),
        "{script}"
    );
}
