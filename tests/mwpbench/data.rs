use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::command::{Done, mwpbench, real_data};

const INTEGRITY: i32 = 4;
const USAGE: i32 = 2;

fn set<'a>(list: &'a Value, name: &str) -> &'a Value {
    let sets = list["sets"].as_array().unwrap();
    sets.iter()
        .find(|set| set["set"] == name)
        .unwrap_or_else(|| panic!("no {name} in {list}"))
}

/// Evaluates the demo checkpoint, a few tokens a problem.
fn evaluate(folder: &Path, extra: &[&str]) -> Done {
    let mut args = vec![
        "eval",
        "--model",
        "demo",
        "--max-tokens",
        "4",
        "--output-dir",
        "run",
        "--quiet",
    ];
    args.extend(extra);
    mwpbench(folder, args)
}

#[test]
fn list_shows_all_sets_with_published_and_present_counts() {
    let folder = tempfile::tempdir().unwrap();
    let table = mwpbench(folder.path(), ["data", "list"]).ok().stdout;
    for part in [
        "AGIEval-Gaokao-Math",
        "fresh_gaokao_2023",
        "4874",
        "at hand: the bundled problems",
        "Further sets, asked where --tasks names them",
        "OlympiadBench",
    ] {
        assert!(table.contains(part), "no {part:?} in\n{table}");
    }
    let list = mwpbench(folder.path(), ["data", "list", "--json"])
        .ok()
        .json();
    assert_eq!(list["origin"]["kind"], "samples");
    let sets = list["sets"].as_array().unwrap();
    assert_eq!(sets.len(), 24);
    assert!(sets[..11].iter().all(|set| set.get("on_request").is_none()));
    assert!(sets[11..].iter().all(|set| set["on_request"] == true));
    assert_eq!(sets[0]["published"], 1319);
}

#[test]
fn the_data_folder_comes_before_the_samples_and_data_before_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    let record =
        |task: &str| format!(r#"{{"data_topic":"{task}","question":"1+1?","answer":"2"}}"#);
    fs::create_dir_all(folder.path().join("home/data")).unwrap();
    fs::write(folder.path().join("home/data/test.jsonl"), record("tal")).unwrap();
    fs::write(folder.path().join("given.jsonl"), record("gsm8k")).unwrap();
    let at_hand = |args: &[&str]| {
        let list = mwpbench(folder.path(), args).ok().json();
        let sets = list["sets"].as_array().unwrap().clone();
        sets.into_iter()
            .filter(|set| set["at_hand"] != 0)
            .map(|set| set["set"].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(at_hand(&["data", "list", "--json"]), ["tal"]);
    assert_eq!(
        at_hand(&["data", "list", "--json", "--data", "given.jsonl"]),
        ["gsm8k"]
    );
}

#[test]
fn import_writes_the_record_form_and_tells_what_it_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let option = |label: &str, content: &str| json!([{ "aoVal": label, "content": content }]);
    let record = |id: &str, problem: &str| {
        let options = [option("A", "$$3$$ "), option("B", "$$4$$")];
        json!({ "qid": id, "problem": problem, "answer_option_list": options, "answer_value": "A" })
            .to_string()
    };
    let lines = [
        record("1", "What is one and two?"),
        record("2", "Which of the following is three?"),
    ];
    fs::write(folder.path().join("tal.jsonl"), lines.join("\n")).unwrap();
    let import = |args: &[&str]| {
        mwpbench(
            folder.path(),
            [&["data", "import", "tal", "tal.jsonl"], args].concat(),
        )
    };
    let told = import(&["--output", "out.jsonl"]).ok().stdout;
    for part in [
        "2 read, 1 converted, 1 dropped",
        "out.jsonl",
        "\"which of the following\"",
        "tal/2",
    ] {
        assert!(told.contains(part), "no {part:?} in\n{told}");
    }
    let told = import(&["--output", "kept.jsonl", "--keep-choices", "--json"])
        .ok()
        .json();
    assert_eq!((&told["read"], &told["converted"]), (&json!(2), &json!(2)));
    let kept = fs::read_to_string(folder.path().join("kept.jsonl")).unwrap();
    assert!(kept.contains("(A) $$3$$\\n(B) $$4$$"), "{kept}");
    // Without --output into the data folder, where it is found.
    import(&["--quiet"]).ok();
    let list = mwpbench(folder.path(), ["data", "list", "--json"])
        .ok()
        .json();
    assert_eq!(set(&list, "tal")["at_hand"], 1);
    import(&["--output", "tal.jsonl"]).refused(USAGE, &["tal.jsonl", "would be overwritten"]);
    mwpbench(folder.path(), ["data", "import", "tall", "tal.jsonl"])
        .refused(USAGE, &["no set \"tall\"", "gsm8k"]);
    mwpbench(folder.path(), ["data", "import", "gsm8k", "no.jsonl"])
        .refused(USAGE, &["no.jsonl", "no such file"]);
    mwpbench(
        folder.path(),
        ["data", "import", "gsm8k", "tal.jsonl", "--output", "x"],
    )
    .refused(
        INTEGRITY,
        &[
            "tal.jsonl, line 1",
            "\"question\" is missing",
            "expected GSM8K as published",
        ],
    );
    assert!(!folder.path().join("x").exists());
}

#[test]
fn untranslated_problems_wait_beside_the_data_and_are_not_asked() {
    let folder = tempfile::tempdir().unwrap();
    let record =
        r#"{"id":"7","original_text":"\u591a\u5c11\uff1f","ans":"(3/5)","equation":"x=3/5"}"#;
    fs::write(folder.path().join("test.ape.json"), record).unwrap();
    let told = mwpbench(
        folder.path(),
        ["data", "import", "ape210k", "test.ape.json"],
    )
    .ok()
    .stdout;
    assert!(
        told.contains("not in English: 1, which") && told.contains("untranslated"),
        "{told}"
    );
    let list = mwpbench(folder.path(), ["data", "list", "--json"])
        .ok()
        .json();
    assert_eq!(list["origin"]["kind"], "samples");
    evaluate(
        folder.path(),
        &["--data", "home/data/untranslated/ape210k.jsonl"],
    )
    .refused(
        USAGE,
        &[
            "not translated",
            "ape210k_en/7",
            "zh",
            "mwpbench data translate",
            "mwpbench data new",
        ],
    );
    assert!(!folder.path().join("run").exists());
}

#[test]
fn stats_puts_counts_beside_table_1() {
    let folder = tempfile::tempdir().unwrap();
    let table = mwpbench(folder.path(), ["data", "stats"]).ok().stdout;
    for part in [
        "AGIEval-Gaokao-Math",
        "MATH.Prealgebra",
        "18,408",
        "20,857",
        "At hand are the bundled problems",
    ] {
        assert!(table.contains(part), "no {part:?} in\n{table}");
    }
    let record = r#"{"data_topic":"math23k_en","question":"1+1?","answer":"2"}"#;
    fs::write(folder.path().join("test.jsonl"), record).unwrap();
    fs::write(folder.path().join("full_train.json"), record).unwrap();
    let stats = mwpbench(folder.path(), ["data", "stats", "--data", ".", "--json"])
        .ok()
        .json();
    let math23k = set(&stats, "math23k");
    assert_eq!(
        (&math23k["test"]["paper"], &math23k["test"]["at_hand"]),
        (&json!(949), &json!(1))
    );
    assert_eq!(math23k["train"]["at_hand"], 1);
    assert_eq!(math23k["notes"][0], "948 of 949 are not at hand");
}

#[test]
fn a_problem_is_shown_with_what_its_record_holds() {
    let folder = tempfile::tempdir().unwrap();
    let record = r#"{"data_topic":"gsm8k","question_number":"a","question":"1+1?","answer":"2","level":"easy"}"#;
    fs::write(folder.path().join("test.jsonl"), record).unwrap();
    let show = |args: &[&str]| {
        mwpbench(
            folder.path(),
            [&["data", "show", "--data", "test.jsonl"], args].concat(),
        )
    };
    let text = show(&["gsm8k/a"]).ok().stdout;
    for part in [
        "gsm8k/a   GSM8K, task gsm8k",
        "1+1?",
        "reference  2",
        "level      easy",
    ] {
        assert!(text.contains(part), "no {part:?} in\n{text}");
    }
    let shown = show(&["gsm8k/a", "--json"]).ok().json();
    assert_eq!(
        (&shown["reference"], &shown["extras"]["level"]),
        (&json!("2"), &json!("easy"))
    );
    show(&["gsm8k/b"]).refused(USAGE, &["no problem \"gsm8k/b\"", "gsm8k/a"]);
}

#[test]
fn a_seed_draws_the_same_problems_again() {
    let folder = tempfile::tempdir().unwrap();
    let ids = |args: &[&str]| {
        let drawn = mwpbench(
            folder.path(),
            [&["data", "random", "--json"], args].concat(),
        )
        .ok()
        .json();
        let problems = drawn["problems"].as_array().unwrap().clone();
        problems
            .into_iter()
            .map(|problem| problem["id"].as_str().unwrap().to_string())
            .collect::<Vec<_>>()
    };
    assert_eq!(ids(&["5", "--seed", "3"]), ids(&["5", "--seed", "3"]));
    assert_ne!(ids(&["5", "--seed", "3"]), ids(&["5", "--seed", "4"]));
    assert!(
        ids(&["30", "--seed", "3", "--tasks", "tal,MATH.Algebra"])
            .iter()
            .all(|id| !id.starts_with("gsm8k"))
    );
    let text = mwpbench(folder.path(), ["data", "random", "2", "--seed", "3"])
        .ok()
        .stdout;
    assert!(
        text.contains("2 of 398; the same again with --seed 3"),
        "{text}"
    );
    mwpbench(folder.path(), ["data", "random", "0"]).refused(USAGE, &["invalid value '0'"]);
}

#[test]
fn path_tells_where_the_data_folder_is() {
    let folder = tempfile::tempdir().unwrap();
    let told = mwpbench(folder.path(), ["data", "path"]).ok().stdout;
    assert_eq!(Path::new(told.trim_end()), folder.path().join("home/data"));
    let told = mwpbench(folder.path(), ["data", "path", "--json"])
        .ok()
        .json();
    assert_eq!(
        (&told["path"], &told["exists"]),
        (&json!(folder.path().join("home/data")), &json!(false))
    );
}

#[test]
fn a_new_set_is_asked_as_it_is_and_enters_no_average() {
    let folder = tempfile::tempdir().unwrap();
    mwpbench(
        folder.path(),
        ["data", "new", "fractions_2", "--dir", "sets"],
    )
    .ok();
    let stats = mwpbench(folder.path(), ["data", "stats", "--data", "sets", "--json"])
        .ok()
        .json();
    assert_eq!(
        set(&stats, "fractions_2")["test"],
        json!({ "paper": null, "at_hand": 2 })
    );
    let summary = evaluate(folder.path(), &["--data", "sets/fractions_2", "--json"])
        .ok()
        .json();
    let own = set(&summary, "fractions_2");
    assert_eq!(
        (&own["n"], &own["in_average"], &own["expected"]),
        (&json!(2), &json!(false), &json!(2))
    );
    assert_eq!(
        (&summary["micro"], &summary["complete"]),
        (&Value::Null, &json!(false))
    );
    // What was asked is known to the run: neither judging again nor showing an item needs the set's
    // folder.
    fs::remove_dir_all(folder.path().join("sets")).unwrap();
    let again = mwpbench(folder.path(), ["score", "run", "--json"])
        .ok()
        .json();
    assert_eq!(set(&again, "fractions_2")["n"], 2);
    let item = mwpbench(folder.path(), ["show", "run", "--item", "fractions_2/1"])
        .ok()
        .stdout;
    assert!(item.contains("How many bags"), "{item}");
}

#[test]
fn own_sets_stand_beside_the_benchmark_in_the_data_folder() {
    let folder = tempfile::tempdir().unwrap();
    mwpbench(folder.path(), ["data", "new", "mine", "--dir", "home/data"]).ok();
    let record = r#"{"data_topic":"gsm8k","question":"1+1?","answer":"2"}"#;
    fs::write(folder.path().join("home/data/gsm8k.jsonl"), record).unwrap();
    let summary = evaluate(folder.path(), &["--json"]).ok().json();
    let names: Vec<&Value> = summary["sets"]
        .as_array()
        .unwrap()
        .iter()
        .map(|set| &set["set"])
        .collect();
    assert_eq!(names, ["gsm8k", "mine"]);
    assert_eq!(summary["micro"], summary["macro"]);
    let only = mwpbench(
        folder.path(),
        ["data", "random", "9", "--tasks", "mine", "--json"],
    )
    .ok()
    .json();
    assert_eq!(only["problems"].as_array().unwrap().len(), 2);
    mwpbench(folder.path(), ["data", "selfcheck"]).ok();
}

#[test]
fn own_sets_that_are_not_as_they_should_be_are_refused_before_a_model_is_loaded() {
    let folder = tempfile::tempdir().unwrap();
    mwpbench(folder.path(), ["data", "new", "gsm8k"])
        .refused(USAGE, &["\"gsm8k\" is taken by the set GSM8K"]);
    mwpbench(folder.path(), ["data", "new", "Mine"])
        .refused(USAGE, &["\"Mine\" cannot be used", "a-z, 0-9 and _"]);
    assert!(!folder.path().join("gsm8k").exists() && !folder.path().join("Mine").exists());
    mwpbench(folder.path(), ["data", "new", "mine"]).ok();
    mwpbench(folder.path(), ["data", "new", "mine"]).refused(USAGE, &["mine: is there already"]);
    let description = folder.path().join("mine/dataset.toml");
    let template = fs::read_to_string(&description).unwrap();
    for (line, parts) in [
        (
            "levle = \"x\"",
            ["mine/dataset.toml, line ", "unknown field `levle`"],
        ),
        (
            "scoring_profile = \"lenient\"",
            ["the set \"mine\"", "scoring profile \"lenient\""],
        ),
        (
            "in_average = true",
            ["mine/dataset.toml", "MwpBench's ten sets"],
        ),
    ] {
        fs::write(&description, format!("{template}\n{line}\n")).unwrap();
        evaluate(folder.path(), &["--data", "mine"]).refused(INTEGRITY, &parts);
    }
    fs::write(&description, &template).unwrap();
    fs::write(
        folder.path().join("mine/example.jsonl"),
        r#"{"question":"1+1?","anwser":"2"}"#,
    )
    .unwrap();
    evaluate(folder.path(), &["--data", "mine"])
        .refused(INTEGRITY, &["mine/example.jsonl, line 1", "anwser"]);
    assert!(!folder.path().join("run").exists());
}

#[test]
fn problems_without_a_known_fault_are_not_on_the_list() {
    let folder = tempfile::tempdir().unwrap();
    let record = r#"{"data_topic":"gsm8k","question":"1+1?","answer":"2"}"#;
    fs::write(folder.path().join("own.jsonl"), record).unwrap();
    let known = ["data", "known-errors", "--data", "own.jsonl"];
    let text = mwpbench(folder.path(), known).ok().stdout;
    assert_eq!(text, "No problem at hand is on the list.\n");
    mwpbench(folder.path(), known.iter().chain(&["--ids", "ids.txt"]))
        .refused(USAGE, &["no problem at hand is on the list"]);
    assert!(!folder.path().join("ids.txt").exists());
    mwpbench(folder.path(), known.iter().chain(&["--kind", "strange"]))
        .refused(USAGE, &["strange", "wrong-reference"]);
    mwpbench(folder.path(), known.iter().chain(&["--tasks", "strange"]))
        .refused(USAGE, &["strange"]);
}

#[test]
#[ignore = "needs the real data ($MWPBENCH_SHARED_DATA)"]
fn known_errors_of_gsm8k_are_found_by_their_questions_and_can_be_left_out() {
    let shared = real_data();
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let input = shared.join("native/gsm8k").to_str().unwrap().to_string();
    mwpbench(folder, ["data", "import", "gsm8k", &input, "--quiet"]).ok();
    let known = |more: &[&str]| {
        let command = ["data", "known-errors", "--json"];
        mwpbench(folder, command.iter().chain(more)).ok().json()
    };
    let errors = known(&["--ids", "ids.txt"]);
    let ids = fs::read_to_string(folder.join("ids.txt")).unwrap();
    assert_eq!(ids.lines().count(), errors.as_array().unwrap().len());
    let wrong = known(&["--kind", "wrong-reference"]);
    let wrong = wrong.as_array().unwrap();
    assert!(
        wrong.iter().any(|error| {
            (&error["id"], &error["reference"], &error["correct"])
                == (&json!("gsm8k/455"), &json!("150"), &json!("240"))
        }),
        "{wrong:?}"
    );
    assert_eq!(
        known(&["--kind", "wrong-reference,unconfirmed"])
            .as_array()
            .unwrap()
            .len(),
        52
    );
    let text = mwpbench(folder, ["data", "selfcheck"]).ok().stdout;
    assert!(
        text.contains("gsm8k: 120 problems on the list of known errors"),
        "{text}"
    );
    // In the runs, unless the user leaves them out; then the table says so.
    let run = |output: &str, more: &[&str]| {
        let command = [
            "eval",
            "--model",
            "demo",
            "--limit",
            "20",
            "--max-tokens",
            "2",
        ];
        let output = ["--json", "--quiet", "--output-dir", output];
        mwpbench(folder, command.iter().chain(&output).chain(more))
            .ok()
            .json()
    };
    assert_eq!(set(&run("all", &[]), "gsm8k")["n"], 20);
    let part = run("part", &["--exclude-ids", "ids.txt"]);
    assert!(set(&part, "gsm8k")["n"].as_u64().unwrap() < 20, "{part}");
    assert!(
        part["deviations"].to_string().contains("excluded"),
        "{part}"
    );
}

#[test]
#[ignore = "needs the real data ($MWPBENCH_SHARED_DATA)"]
fn real_files_are_imported_into_the_data_folder_and_counted() {
    let shared = real_data();
    let folder = tempfile::tempdir().unwrap();
    let import = |set: &str, input: &str, extra: &[&str]| {
        let input = shared.join(input).to_str().unwrap().to_string();
        let mut args = vec!["data", "import", set, &input, "--quiet"];
        args.extend(extra);
        mwpbench(folder.path(), args).ok();
    };
    import("gsm8k", "native/gsm8k", &[]);
    import("tal", "native/tal", &[]);
    import("tal", "native/tal", &["--split", "train"]);
    import("agieval_sat", "native/agieval", &[]);
    import("college_math", "canonical/college_math_test.jsonl", &[]);
    let stats = mwpbench(folder.path(), ["data", "stats", "--json"])
        .ok()
        .json();
    for (name, test, train) in [
        ("gsm8k", 1319, 0),
        ("tal", 1629, 2712),
        ("agieval_sat", 111, 0),
        ("college_math", 2818, 0),
        ("math", 0, 0),
    ] {
        let counted = set(&stats, name);
        assert_eq!(
            (&counted["test"]["at_hand"], &counted["train"]["at_hand"]),
            (&json!(test), &json!(train)),
            "{name}"
        );
    }
    let text = mwpbench(folder.path(), ["data", "stats"]).ok().stdout;
    assert!(
        text.contains("filtered a little more than they say"),
        "{text}"
    );
}

#[test]
fn an_import_replaces_nothing_and_takes_no_training_split_unasked() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let line = |number: usize| {
        format!("{{\"question\": \"What is {number}?\", \"answer\": \"#### {number}\"}}\n")
    };
    fs::write(folder.join("gsm8k_test.jsonl"), line(1)).unwrap();
    fs::write(folder.join("other.jsonl"), line(2)).unwrap();
    fs::write(folder.join("gsm8k-train.jsonl"), line(3)).unwrap();
    let import = |extra: &[&str]| mwpbench(folder, ["data", "import", "gsm8k"].iter().chain(extra));
    import(&["gsm8k_test.jsonl"]).ok();
    // The same again changes nothing.
    import(&["gsm8k_test.jsonl"]).ok();
    let file = folder.join("home/data/gsm8k.jsonl");
    let before = fs::read(&file).unwrap();
    import(&["other.jsonl"]).refused(
        USAGE,
        &["is there already and holds something else", "--force"],
    );
    import(&["gsm8k-train.jsonl"])
        .refused(USAGE, &["looks like the training split", "--split train"]);
    assert_eq!(fs::read(&file).unwrap(), before);
    import(&["gsm8k-train.jsonl", "--split", "train"]).ok();
    assert_eq!(fs::read(&file).unwrap(), before);
    import(&["other.jsonl", "--force"]).ok();
    assert_ne!(fs::read(&file).unwrap(), before);
}
