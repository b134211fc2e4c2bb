//! `docs/schemas`: the JSON Schemas of files that scripts read, as the types have them. After a change
//! of a type: `UPDATE_SCHEMAS=1 cargo test --workspace --test mwpbench schemas`.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use schemars::Schema;
use serde_json::Value;

use crate::command::mwpbench;

fn schemas() -> Vec<(&'static str, Schema)> {
    let mut schemas = evaluation::schemas();
    schemas.push(("leaderboard", reporting::leaderboard_schema()));
    schemas
}

#[test]
fn committed_schemas_are_those_of_the_types() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/schemas");
    let mut expected = BTreeSet::new();
    for (name, schema) in schemas() {
        let file = folder.join(format!("{name}.json"));
        let text = format!("{:#}\n", Value::from(schema));
        if std::env::var_os("UPDATE_SCHEMAS").is_some() {
            fs::create_dir_all(&folder).unwrap();
            fs::write(&file, &text).unwrap();
        }
        let committed = fs::read_to_string(&file).unwrap_or_default();
        assert!(
            committed == text,
            "{} is not what the types say",
            file.display()
        );
        expected.insert(format!("{name}.json"));
    }
    let names = fs::read_dir(&folder).unwrap();
    let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert_eq!(names.collect::<BTreeSet<_>>(), expected);
}

/// Whether a value has what a schema of this program demands of its objects, and nothing else.
fn agrees(schema: &Value, root: &Value, value: &Value, place: &str) -> Result<(), String> {
    let schema = match schema.get("$ref").and_then(Value::as_str) {
        Some(reference) => root.pointer(reference.trim_start_matches('#')).unwrap(),
        None => schema,
    };
    let Some(object) = value.as_object() else {
        let items = value.as_array().into_iter().flatten();
        return items
            .enumerate()
            .try_for_each(|(index, item)| match schema.get("items") {
                Some(schema) => agrees(schema, root, item, &format!("{place}[{index}]")),
                None => Ok(()),
            });
    };
    let Some(properties) = schema.get("properties").and_then(Value::as_object) else {
        return Ok(());
    };
    let required = schema.get("required").and_then(Value::as_array);
    for name in required.into_iter().flatten().filter_map(Value::as_str) {
        if !object.contains_key(name) {
            return Err(format!("{place} lacks {name}"));
        }
    }
    for (name, value) in object {
        let place = format!("{place}.{name}");
        match properties.get(name) {
            Some(schema) => agrees(schema, root, value, &place)?,
            None => return Err(format!("{place} is not in the schema")),
        }
    }
    Ok(())
}

#[test]
fn files_of_a_run_agree_with_their_schemas() {
    let folder = tempfile::tempdir().unwrap();
    let eval = [
        "eval",
        "--model",
        "demo",
        "--tasks",
        "gsm8k",
        "--limit",
        "2",
        "--max-tokens",
        "8",
        "--log-tokens",
        "--logprobs",
        "--temperature",
        "0.5",
        "--samples",
        "2",
        "--tag",
        "base=x",
        "--quiet",
        "--output-dir",
        "run",
    ];
    mwpbench(folder.path(), eval).ok();
    mwpbench(
        folder.path(),
        ["baseline", "save", "run", "--output", "baseline.json"],
    )
    .ok();
    let board = mwpbench(
        folder.path(),
        ["leaderboard", "run", "--with-paper", "--json"],
    )
    .ok();
    fs::write(folder.path().join("leaderboard.json"), board.stdout).unwrap();
    let schema = |wanted: &str| -> Value {
        let (_, schema) = schemas()
            .into_iter()
            .find(|(name, _)| *name == wanted)
            .unwrap();
        schema.into()
    };
    for (file, name) in [
        ("run/run.json", "run"),
        ("run/problems.jsonl", "problem"),
        ("run/prompts.jsonl", "prompt"),
        ("run/completions.jsonl", "completion"),
        ("run/verdicts.jsonl", "verdict"),
        ("run/summary.json", "summary"),
        ("baseline.json", "baseline"),
        ("leaderboard.json", "leaderboard"),
    ] {
        let (schema, text) = (
            schema(name),
            fs::read_to_string(folder.path().join(file)).unwrap(),
        );
        let values = serde_json::Deserializer::from_str(&text).into_iter::<Value>();
        let mut count = 0;
        for value in values {
            agrees(&schema, &schema, &value.unwrap(), file).unwrap();
            count += 1;
        }
        assert!(count > 0, "{file}");
    }
    let summary = schema("summary");
    assert!(
        agrees(
            &summary,
            &summary,
            &serde_json::json!({"schema": "x"}),
            "it"
        )
        .is_err()
    );
}
