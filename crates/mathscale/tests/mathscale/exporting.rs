//! Training files in every format, and what reads them.

use std::collections::BTreeSet;
use std::fs;
use std::ops::ControlFlow;
use std::path::Path;
use std::process::Command;

use mathscale::{
    Amount, ExportFormat, ExportPlan, Mix, Project, ScreenPlan, ScreenRules, Stage, StageState,
    export, screen,
};
use serde_json::Value;

use crate::screening;

const PAIRS: usize = 200;

pub fn go_on(_: u64) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

/// A project of screened pairs, some with signs that forms must escape.
pub fn screened(folder: &Path) -> Project {
    let texts: Vec<(String, String)> = (0..PAIRS)
        .map(|n| {
            (
                format!("How much is {n} times {}?\n\"Tell\" \\me | ä 数 {n}", n + 7),
                format!(
                    "{n} * {} = {}\n\nThe answer is ${}$.",
                    n + 7,
                    n * (n + 7),
                    n * (n + 7)
                ),
            )
        })
        .collect();
    let lines: Vec<(&str, &str)> = texts
        .iter()
        .map(|(question, solution)| (question.as_str(), solution.as_str()))
        .collect();
    let (mut project, pairs) = screening::project(folder, &lines);
    let rules = ScreenRules {
        min_jaccard: None,
        ..ScreenRules::default()
    };
    let outcome = screen(
        &mut project,
        &ScreenPlan {
            pairs,
            rules,
            fresh: false,
        },
        None,
        &mut go_on,
    )
    .unwrap();
    assert_eq!(outcome.details.report.kept, PAIRS as u64);
    project
}

fn plan(folder: &Path) -> ExportPlan {
    let file = folder.join("train.jsonl");
    let lines: String = (0..50)
        .map(|n| {
            format!(
                "{{\"data_topic\":\"gsm8k\",\"question_number\":{n},\"question\":\"Mixed {n}?\",\"answer\":\"{n}\"}}\n"
            )
        })
        .collect();
    fs::write(&file, lines).unwrap();
    ExportPlan {
        validation_share: 0.2,
        seed: 7,
        mix: vec![Mix {
            file,
            amount: Amount::Count(20),
        }],
        title: "Trial: \"quoted\"".to_string(),
        license: "cc-by-4.0".to_string(),
        ..ExportPlan::default()
    }
}

fn lines(file: &Path) -> Vec<Value> {
    fs::read_to_string(file)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn all_formats_hold_the_same_records_in_the_same_order() {
    let folder = tempfile::tempdir().unwrap();
    let mut project = screened(folder.path());
    let outcome = export(&mut project, &plan(folder.path()), &mut go_on).unwrap();
    let counts = &outcome.record.counts;
    assert_eq!(
        (
            counts["own"],
            counts["mixed"],
            counts["train"] + counts["validation"]
        ),
        (200, 20, 220)
    );
    assert!((20..80).contains(&counts["validation"]), "{counts:?}");
    let at = |name: &str| project.file("export").join(name);
    for split in ["train", "validation"] {
        let alpaca: Vec<Value> = serde_json::from_str(
            &fs::read_to_string(at(&ExportFormat::Alpaca.path(split))).unwrap(),
        )
        .unwrap();
        let chat = lines(&at(&ExportFormat::Chat.path(split)));
        let plain = lines(&at(&ExportFormat::PromptCompletion.path(split)));
        let rows: Vec<Value> = record_files::open(&at(&ExportFormat::Parquet.path(split)))
            .unwrap()
            .map(|row| row.unwrap().value)
            .collect();
        assert_eq!(alpaca.len() as u64, counts[split]);
        assert!(
            [chat.len(), plain.len(), rows.len()]
                .iter()
                .all(|&length| length == alpaca.len())
        );
        for (((alpaca, chat), plain), row) in alpaca.iter().zip(&chat).zip(&plain).zip(&rows) {
            let (question, solution) = (
                row["question"].as_str().unwrap(),
                row["solution"].as_str().unwrap(),
            );
            assert_eq!(alpaca["instruction"], question);
            assert_eq!(
                (&alpaca["input"], &alpaca["output"]),
                (&"".into(), &solution.into())
            );
            assert_eq!(
                chat["messages"][0],
                serde_json::json!({"role": "user", "content": question})
            );
            assert_eq!(
                chat["messages"][1],
                serde_json::json!({"role": "assistant", "content": solution})
            );
            assert!(
                plain["prompt"]
                    .as_str()
                    .unwrap()
                    .ends_with(&format!("### Instruction:\n{question}\n\n### Response:"))
            );
            assert_eq!(plain["completion"], solution);
            let own = row["source"] == "mathscale";
            assert_eq!(
                row["topics"],
                if own {
                    serde_json::json!(["Numbers"])
                } else {
                    serde_json::json!([])
                }
            );
        }
    }
    let card = fs::read_to_string(at("README.md")).unwrap();
    for part in [
        "license: \"cc-by-4.0\"",
        "path: alpaca/train.json\n",
        "| validation |",
        "| this pipeline | 200 |",
        "| train.jsonl | 20 | 20 |",
        "| Numbers | 200 |",
        "load_dataset(FOLDER, \"chat\")",
        "load_dataset(FOLDER + \"/parquet\")",
        "Of 200 pairs in pairs.jsonl (BLAKE3 ",
    ] {
        assert!(card.contains(part), "{part} is missing in\n{card}");
    }
    for (name, output) in outcome
        .record
        .outputs
        .iter()
        .filter(|(name, _)| !name.ends_with("README.md"))
    {
        assert!(card.contains(&output.blake3), "{name}");
    }
    assert!(
        export(&mut project, &plan(folder.path()), &mut go_on)
            .unwrap()
            .already_there
    );
}

#[test]
fn split_and_order_depend_on_seed_and_id_alone() {
    let folder = tempfile::tempdir().unwrap();
    let mut project = screened(folder.path());
    let chat = [ExportFormat::Chat].to_vec();
    let mut questions = |plan: ExportPlan| {
        export(
            &mut project,
            &ExportPlan {
                formats: chat.clone(),
                fresh: true,
                ..plan
            },
            &mut go_on,
        )
        .unwrap();
        let train = lines(&project.file("export/chat/train.jsonl"));
        train
            .iter()
            .map(|line| line["messages"][0]["content"].as_str().unwrap().to_string())
            .collect::<Vec<_>>()
    };
    let mixed = questions(plan(folder.path()));
    let alone = questions(ExportPlan {
        mix: Vec::new(),
        ..plan(folder.path())
    });
    let own: Vec<String> = mixed
        .iter()
        .filter(|question| !question.starts_with("Mixed"))
        .cloned()
        .collect();
    assert_eq!(own, alone);
    let other = questions(ExportPlan {
        mix: Vec::new(),
        seed: 8,
        ..plan(folder.path())
    });
    assert_ne!(other, alone);
    // More held out is what was held out before, and others.
    let more = questions(ExportPlan {
        mix: Vec::new(),
        validation_share: 0.5,
        ..plan(folder.path())
    });
    let alone: BTreeSet<String> = alone.into_iter().collect();
    assert!(more.len() < alone.len() && more.iter().all(|question| alone.contains(question)));
    assert!(
        project
            .file("replaced/export-3/export/chat/train.jsonl")
            .is_file()
    );
}

#[test]
fn bad_options_and_files_are_refused_before_anything_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let mut project = screened(folder.path());
    let refused = |project: &mut Project, plan: ExportPlan| {
        export(project, &plan, &mut go_on).unwrap_err().to_string()
    };
    let message = refused(
        &mut project,
        ExportPlan {
            validation_share: 1.0,
            ..ExportPlan::default()
        },
    );
    assert!(message.contains("at least 0 and below 1"), "{message}");
    let missing = Mix {
        file: folder.path().join("none.jsonl"),
        amount: Amount::All,
    };
    let message = refused(
        &mut project,
        ExportPlan {
            mix: vec![missing],
            ..ExportPlan::default()
        },
    );
    assert!(message.contains("none.jsonl"), "{message}");
    assert!(!project.file("export").exists());
    let other = ExportPlan {
        seed: 1,
        ..ExportPlan::default()
    };
    export(&mut project, &ExportPlan::default(), &mut go_on).unwrap();
    assert!(refused(&mut project, other).contains("options.seed is 0 there and 1 here"));
    let state = project
        .status()
        .into_iter()
        .find(|status| status.stage == Stage::Export)
        .unwrap()
        .state;
    assert_eq!(state, StageState::Done);
}

/// Every format, by the package that trainers use.
#[test]
#[ignore = "needs a Python with the package datasets ($MWPBENCH_DATASETS_PYTHON)"]
fn the_package_datasets_reads_every_format() {
    let python = std::env::var_os("MWPBENCH_DATASETS_PYTHON").unwrap_or("python3".into());
    let folder = tempfile::tempdir().unwrap();
    let mut project = screened(folder.path());
    let counts = export(&mut project, &plan(folder.path()), &mut go_on)
        .unwrap()
        .record
        .counts;
    let script = "
import sys, json
from datasets import load_dataset, get_dataset_config_names
folder, cache = sys.argv[1:]
found = {'configs': get_dataset_config_names(folder)}
for name in found['configs'] + ['parquet']:
    place = [folder + '/parquet'] if name == 'parquet' else [folder, name]
    data = load_dataset(*place, cache_dir=cache)
    found[name] = {split: [len(data[split]), sorted(data[split].column_names), data[split][0]] for split in data}
found['default'] = load_dataset(folder, cache_dir=cache)['train'].column_names
print(json.dumps(found))
";
    let output = Command::new(python)
        .args(["-c", script])
        .arg(project.file("export"))
        .arg(folder.path().join("cache"))
        .env("HF_HUB_OFFLINE", "1")
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        found["configs"],
        serde_json::json!(["alpaca", "chat", "prompt_completion"])
    );
    for format in ExportFormat::ALL {
        for split in ["train", "validation"] {
            assert_eq!(
                found[format.name()][split][0],
                counts[split],
                "{format} {split}"
            );
        }
    }
    assert_eq!(
        found["alpaca"]["train"][1],
        serde_json::json!(["input", "instruction", "output"])
    );
    assert_eq!(
        found["default"],
        serde_json::json!(["instruction", "input", "output"])
    );
    let row = &found["parquet"]["train"][2];
    assert_eq!(found["alpaca"]["train"][2]["instruction"], row["question"]);
    assert!(row["topics"].is_array(), "{row}");
}
