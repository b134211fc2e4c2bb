use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use fault::{Class, Fault};
use mathscale::{Change, ErrorKind, Input, Project, Stage, StageIdentity, StageStart, StageState};
use serde_json::json;

fn identity(inputs: &[(&str, Input)], options: &[(&str, u64)]) -> StageIdentity {
    StageIdentity {
        inputs: inputs
            .iter()
            .map(|(name, input)| (name.to_string(), input.clone()))
            .collect(),
        options: options
            .iter()
            .map(|(name, value)| (name.to_string(), json!(value)))
            .collect(),
        ..StageIdentity::default()
    }
}

/// Runs a stage that writes one file.
fn run(
    project: &mut Project,
    stage: Stage,
    identity: StageIdentity,
    file: &str,
    text: &str,
    fresh: bool,
) -> StageStart {
    let begun = project
        .begin(stage, identity, fresh, |_| Change::Replies)
        .unwrap();
    if !matches!(begun, StageStart::AlreadyThere(_)) {
        let path = project.file(file);
        let output = store::write_atomic(&path, |out| out.write_all(text.as_bytes())).unwrap();
        let outputs = BTreeMap::from([(file.to_string(), output)]);
        project
            .finish(
                stage,
                outputs,
                BTreeMap::from([("bytes".to_string(), text.len() as u64)]),
            )
            .unwrap();
    }
    begun
}

fn extract(project: &mut Project, text: &str, fresh: bool) -> StageStart {
    run(
        project,
        Stage::Extract,
        identity(&[], &[("n", text.len() as u64)]),
        "extractions.jsonl",
        text,
        fresh,
    )
}

fn graph(project: &mut Project, text: &str, fresh: bool) -> StageStart {
    let input = project.input(Stage::Extract, "extractions.jsonl").unwrap();
    run(
        project,
        Stage::Graph,
        identity(&[("extractions", input)], &[]),
        "graph.json",
        text,
        fresh,
    )
}

fn state(project: &Project, stage: Stage) -> StageState {
    project
        .status()
        .into_iter()
        .find(|status| status.stage == stage)
        .unwrap()
        .state
}

fn new_project(folder: &Path) -> Project {
    Project::open_to_write(&folder.join("project")).unwrap()
}

#[test]
fn a_stage_is_run_once_and_refused_with_other_options() {
    let folder = tempfile::tempdir().unwrap();
    let mut project = new_project(folder.path());
    assert_eq!(extract(&mut project, "one", false), StageStart::New);
    assert!(
        matches!(extract(&mut project, "one", false), StageStart::AlreadyThere(record) if record.counts["bytes"] == 3)
    );
    let refused = project
        .begin(Stage::Extract, identity(&[], &[("n", 7)]), false, |_| {
            Change::Replies
        })
        .unwrap_err()
        .to_string();
    assert!(
        refused.contains("options.n is 3 there and 7 here"),
        "{refused}"
    );
    assert_eq!(extract(&mut project, "sixsix", true), StageStart::New);
    assert_eq!(
        fs::read_to_string(project.file("extractions.jsonl")).unwrap(),
        "sixsix"
    );
    assert_eq!(
        fs::read_to_string(project.file("replaced/extract-1/extractions.jsonl")).unwrap(),
        "one"
    );
}

#[test]
fn inputs_differ_by_digest_and_not_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let [a, b, c] = ["a", "b", "c"].map(|name| folder.path().join(name));
    fs::write(&a, "same").unwrap();
    fs::write(&b, "same").unwrap();
    fs::write(&c, "other").unwrap();
    let of = |file: &Path| identity(&[("seeds", Input::of_file(file).unwrap())], &[]);
    assert_eq!(of(&a).differences(&of(&b)), []);
    let difference = of(&a).differences(&of(&c))[0].to_string();
    assert!(
        difference.starts_with("inputs.seeds is ") && difference.contains("/c ("),
        "{difference}"
    );
}

#[test]
fn later_stages_are_stale_when_an_earlier_one_was_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let mut project = new_project(folder.path());
    extract(&mut project, "one", false);
    graph(&mut project, "graph of one", false);
    let input = project.input(Stage::Graph, "graph.json").unwrap();
    run(
        &mut project,
        Stage::Compose,
        identity(&[("graph", input)], &[]),
        "compositions.jsonl",
        "x",
        false,
    );
    extract(&mut project, "another", true);
    assert_eq!(
        state(&project, Stage::Graph),
        StageState::Stale {
            input: "extractions.jsonl".into()
        }
    );
    assert_eq!(
        state(&project, Stage::Compose),
        StageState::Stale {
            input: "graph.json".into()
        }
    );
    let refused = project
        .input(Stage::Graph, "graph.json")
        .unwrap_err()
        .to_string();
    assert!(
        refused.contains("\"graph\" is stale, extractions.jsonl has changed"),
        "{refused}"
    );
    // The same file again: nothing is stale, though the stage was run again.
    extract(&mut project, "one", true);
    assert_eq!(state(&project, Stage::Compose), StageState::Done);
}

#[test]
fn a_stage_that_was_stopped_is_continued() {
    let folder = tempfile::tempdir().unwrap();
    let mut project = new_project(folder.path());
    assert_eq!(
        project
            .begin(Stage::Extract, identity(&[], &[]), false, |_| {
                Change::Replies
            })
            .unwrap(),
        StageStart::New
    );
    fs::write(project.file(".mwpbench-half"), "half a file").unwrap();
    drop(project);
    let mut project = new_project(folder.path());
    assert!(!project.file(".mwpbench-half").exists());
    assert_eq!(state(&project, Stage::Extract), StageState::Unfinished);
    assert_eq!(
        project
            .begin(Stage::Extract, identity(&[], &[]), false, |_| {
                Change::Replies
            })
            .unwrap(),
        StageStart::Resumed
    );
    let refused = project
        .input(Stage::Extract, "extractions.jsonl")
        .unwrap_err();
    assert!(
        refused.class() == Class::Usage
            && refused.to_string().contains("has not been run to its end"),
        "{refused}"
    );
}

#[test]
fn files_that_were_changed_afterwards_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let mut project = new_project(folder.path());
    extract(&mut project, "one", false);
    fs::write(project.file("extractions.jsonl"), "two").unwrap();
    let changed = |error: mathscale::Error| {
        matches!(
            error.kind(),
            ErrorKind::Changed {
                stage: Stage::Extract
            }
        )
    };
    assert!(changed(
        project
            .input(Stage::Extract, "extractions.jsonl")
            .unwrap_err()
    ));
    assert!(changed(
        project
            .begin(Stage::Extract, identity(&[], &[("n", 3)]), false, |_| {
                Change::Replies
            })
            .unwrap_err()
    ));
    fs::remove_file(project.file("extractions.jsonl")).unwrap();
    assert!(changed(
        project
            .input(Stage::Extract, "extractions.jsonl")
            .unwrap_err()
    ));
    assert_eq!(
        state(&project, Stage::Extract),
        StageState::Lost {
            file: "extractions.jsonl".into()
        }
    );
}

#[test]
fn folders_of_others_and_other_versions_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("letter.txt"), "dear").unwrap();
    let refused =
        |error: mathscale::Error, part: &str| assert!(error.to_string().contains(part), "{error}");
    refused(
        Project::open_to_write(folder.path()).unwrap_err(),
        "holds other files",
    );
    refused(Project::open(folder.path()).unwrap_err(), "no project here");
    let project = folder.path().join("project.json");
    fs::write(&project, "{\"schema\": \"mwpbench.mathscale.v9\"}").unwrap();
    refused(
        Project::open(folder.path()).unwrap_err(),
        "this program reads \"mwpbench.mathscale.v1\"",
    );
    fs::write(&project, "{\"stages\": {}}").unwrap();
    refused(
        Project::open(folder.path()).unwrap_err(),
        "no field \"schema\"",
    );
    fs::write(&project, "{").unwrap();
    refused(
        Project::open(folder.path()).unwrap_err(),
        "project.json: not JSON",
    );
}

#[test]
fn the_second_writer_is_refused_with_the_name_of_the_first() {
    let folder = tempfile::tempdir().unwrap();
    let first = new_project(folder.path());
    let error = Project::open_to_write(first.folder()).unwrap_err();
    assert!(
        error
            .to_string()
            .contains(&format!("process {}, since ", std::process::id())),
        "{error}"
    );
    Project::open(first.folder()).unwrap();
    drop(first);
    new_project(folder.path());
}

/// The message of an interruption says that the same command continues: also where that is one that
/// replaces.
#[test]
fn a_replacement_that_was_interrupted_is_continued_by_the_same_call() {
    let folder = tempfile::tempdir().unwrap();
    let mut project = Project::open_to_write(folder.path()).unwrap();
    let begin = |project: &mut Project, fresh| {
        let identity = identity(&[], &[("n", 1)]);
        project
            .begin(Stage::Generate, identity, fresh, |_| Change::Replies)
            .unwrap()
    };
    let journal = project.file("generate.replies.jsonl");
    assert_eq!(begin(&mut project, false), StageStart::New);
    fs::write(&journal, "old").unwrap();
    // What was begun without it is replaced ...
    assert_eq!(begin(&mut project, true), StageStart::New);
    assert!(!journal.exists());
    fs::write(&journal, "new").unwrap();
    // ... and the replacement, interrupted, continued: by either call.
    drop(project);
    let mut project = Project::open_to_write(folder.path()).unwrap();
    for fresh in [true, false, true] {
        assert_eq!(begin(&mut project, fresh), StageStart::Resumed);
        assert_eq!(fs::read_to_string(&journal).unwrap(), "new");
    }
    // Once it is finished, the next one replaces it.
    project
        .finish(Stage::Generate, BTreeMap::new(), BTreeMap::new())
        .unwrap();
    assert_eq!(begin(&mut project, true), StageStart::New);
    assert!(!journal.exists());
}
