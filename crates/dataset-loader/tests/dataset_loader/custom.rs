use std::fs;
use std::path::Path;

use dataset_loader::{Benchmark, Error, ErrorKind, custom_sets, load, new_set};
use fault::{Class, Fault};

fn write_set(folder: &Path, description: &str, records: &str) {
    fs::create_dir_all(folder).unwrap();
    fs::write(folder.join("dataset.toml"), description).unwrap();
    fs::write(folder.join("test.jsonl"), records).unwrap();
}

const RECORD: &str = r#"{"question":"1+1?","answer":"2"}"#;

/// Loads one set of this description and these records.
fn try_set(description: &str, records: &str) -> Result<(Benchmark, dataset_loader::Data), Error> {
    let folder = tempfile::tempdir().unwrap();
    write_set(folder.path(), description, records);
    load_all(folder.path())
}

fn load_all(place: &Path) -> Result<(Benchmark, dataset_loader::Data), Error> {
    let published = Benchmark::published();
    let benchmark = published.clone().with(custom_sets(&published, place)?)?;
    let data = load(&benchmark, place)?;
    Ok((benchmark, data))
}

fn refused(description: &str, records: &str) -> String {
    try_set(description, records)
        .expect_err("it is refused")
        .to_string()
}

#[test]
fn a_name_is_enough() {
    let (benchmark, data) = try_set("name = \"mine\"", &format!("{RECORD}\n{RECORD}")).unwrap();
    let set = benchmark.set("mine").unwrap();
    assert!(set.is_custom() && !set.in_average);
    assert_eq!((set.count(), set.scoring_profile.as_str()), (2, "strict"));
    assert_eq!(
        data.problems
            .iter()
            .map(|problem| problem.id.as_str())
            .collect::<Vec<_>>(),
        ["mine/1", "mine/2"]
    );
}

#[test]
fn the_template_loads_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let new = new_set(&Benchmark::published(), "algebra_2", folder.path()).unwrap();
    for place in [folder.path(), &new.folder] {
        let (benchmark, data) = load_all(place).unwrap();
        assert_eq!(benchmark.set("algebra_2").unwrap().count(), 2);
        assert!(
            data.problems
                .iter()
                .all(|problem| problem.set == "algebra_2")
        );
    }
    let error = new_set(&Benchmark::published(), "algebra_2", folder.path()).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::AlreadyThere), "{error}");
}

#[test]
fn every_line_of_the_template_that_is_commented_out_is_valid() {
    let folder = tempfile::tempdir().unwrap();
    let new = new_set(&Benchmark::published(), "mine", folder.path()).unwrap();
    let file = new.folder.join("dataset.toml");
    let text = fs::read_to_string(&file).unwrap();
    let is_toml = |line: &str| {
        line.starts_with("# [")
            || line
                .split(" = ")
                .nth(1)
                .is_some_and(|v| v.starts_with(['"', '[']))
    };
    let uncommented: Vec<&str> = text
        .lines()
        .map(|line| {
            if is_toml(line) {
                line.trim_start_matches("# ")
            } else {
                line
            }
        })
        .collect();
    fs::write(&file, uncommented.join("\n")).unwrap();
    let records = r#"{"question":"1+1?","answer":"2","data_topic":"mine.money","author":"me"}"#;
    fs::write(new.folder.join("example.jsonl"), records).unwrap();
    let (benchmark, data) = load_all(&new.folder).unwrap();
    assert_eq!(benchmark.set("mine").unwrap().tasks.len(), 2);
    assert_eq!(data.problems[0].task, "mine.money");
}

#[test]
fn fields_may_have_other_names() {
    let description = "name = \"mine\"\n[fields]\nquestion = \"ask\"\nreference = \"gold\"\nnumber = \"no\"\nextra = [\"by\"]";
    let (_, data) = try_set(description, r#"{"ask":"1+1?","gold":"2","no":7,"by":"me"}"#).unwrap();
    assert_eq!(
        (
            data.problems[0].id.as_str(),
            data.problems[0].reference.as_str()
        ),
        ("mine/7", "2")
    );
    assert_eq!(data.extras["mine/7"]["by"], "me");
}

#[test]
fn sets_stand_beside_records_of_the_benchmark_and_come_after_them() {
    let folder = tempfile::tempdir().unwrap();
    write_set(&folder.path().join("zz"), "name = \"a_set\"", RECORD);
    write_set(&folder.path().join("aa"), "name = \"b_set\"", RECORD);
    fs::write(
        folder.path().join("tal.jsonl"),
        r#"{"data_topic":"tal","question":"1+1?","answer":"2"}"#,
    )
    .unwrap();
    let (_, data) = load_all(folder.path()).unwrap();
    let sets: Vec<&str> = data
        .problems
        .iter()
        .map(|problem| problem.set.as_str())
        .collect();
    assert_eq!(sets, ["tal", "b_set", "a_set"]);
}

#[test]
fn names_that_are_taken_or_odd_are_refused() {
    for (name, expected) in [
        ("gsm8k", "is taken by the set GSM8K of the benchmark"),
        ("tal", "is taken by the set TAL-SCQ"),
        ("math23k_en", "is taken by the set Math23k"),
        ("mwpbench", "it has a meaning of its own"),
        ("My-Set", "names are of a-z, 0-9 and _ only"),
        ("../mine", "names are of a-z, 0-9 and _ only"),
        ("", "it is empty"),
    ] {
        let text = refused(&format!("name = \"{name}\""), RECORD);
        assert!(
            text.contains(expected) && text.contains("dataset.toml"),
            "{name}: {text}"
        );
        let folder = tempfile::tempdir().unwrap();
        let error = new_set(&Benchmark::published(), name, folder.path()).unwrap_err();
        assert!(
            error.to_string().contains(expected) && error.class() == Class::Usage,
            "{error}"
        );
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
    assert!(
        refused("name = \"mine\"\ntitle = \"GSM8K\"", RECORD).contains("is taken by the set GSM8K")
    );
    let folder = tempfile::tempdir().unwrap();
    write_set(&folder.path().join("a"), "name = \"mine\"", RECORD);
    write_set(&folder.path().join("b"), "name = \"mine\"", RECORD);
    assert!(
        load_all(folder.path())
            .unwrap_err()
            .to_string()
            .contains("is taken by another custom data set, mine")
    );
}

#[test]
fn a_benchmark_takes_no_set_whose_name_task_or_title_it_has() {
    let (benchmark, _) = try_set("name = \"mine\"", RECORD).unwrap();
    let mine = benchmark.set("mine").unwrap().clone();
    for spoil in [
        |set: &mut dataset_loader::Set| set.title = "gsm8K".to_string(),
        |set: &mut dataset_loader::Set| set.name = "MATH".to_string(),
        |set: &mut dataset_loader::Set| set.tasks[0].name = "tal".to_string(),
    ] {
        let mut set = mine.clone();
        spoil(&mut set);
        let error = Benchmark::published().with(vec![set]).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Shadows { .. }), "{error}");
    }
    assert!(Benchmark::published().with(vec![mine]).is_ok());
}

#[test]
fn tasks_are_named_after_their_set() {
    let with = |task: &str| format!("name = \"mine\"\n[[task]]\nname = \"{task}\"");
    for (task, expected) in [
        ("gsm8k", "a task is called like its set"),
        ("mine2", "a task is called like its set"),
        ("mine.", "a task is called like its set"),
        ("mine.a,b", "names of tasks are of letters"),
        ("mine.a/b", "names of tasks are of letters"),
    ] {
        assert!(refused(&with(task), RECORD).contains(expected), "{task}");
    }
    let twice = format!("{}\n[[task]]\nname = \"mine.a\"", with("mine.a"));
    assert!(refused(&twice, RECORD).contains("another task of this set"));
    assert!(
        refused(
            &format!("{}\n[[task]]\nname = \"mine.b\"", with("mine.a")),
            RECORD
        )
        .contains("\"data_topic\" is missing")
    );
    let unknown = r#"{"question":"1+1?","answer":"2","data_topic":"mine.b"}"#;
    assert!(
        refused(&with("mine.a"), unknown)
            .contains("names no known task: \"mine.b\" (known: mine.a)")
    );
}

#[test]
fn descriptions_are_checked_with_line_and_key() {
    for (description, expected) in [
        (
            "name = \"mine\"\nnmae = \"x\"",
            "dataset.toml, line 2: unknown field `nmae`",
        ),
        ("title = \"x\"", "missing field `name`"),
        ("name = 3", "dataset.toml, line 1: invalid type"),
        (
            "name = \"mine\"\n[fields]\nqestion = \"q\"",
            "dataset.toml, line 3: unknown field `qestion`",
        ),
        ("name = \"mine\"\ntitle = ", "dataset.toml, line 2: "),
        (
            "name = \"mine\"\nin_average = true",
            "the averages are those of MwpBench's ten sets",
        ),
    ] {
        let text = refused(description, RECORD);
        assert!(text.contains(expected), "{description}\ngave {text}");
        assert!(!text.contains('\n'), "{text}");
    }
    assert!(try_set("name = \"mine\"\nin_average = false", RECORD).is_ok());
}

#[test]
fn records_are_checked_with_file_line_and_field() {
    let records = format!(
        "{RECORD}\n{}",
        r#"{"question":"1+1?","answer":"2","anwser":"3"}"#
    );
    let text = refused("name = \"mine\"", &records);
    assert!(
        text.contains("test.jsonl, line 2: the field \"anwser\" is not of the record form"),
        "{text}"
    );
    assert!(text.contains("extra = [\"anwser\"]"), "{text}");
    assert!(
        refused("name = \"mine\"", r#"{"question":"1+1?"}"#)
            .contains("line 1: the field \"answer\" is missing")
    );
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("dataset.toml"), "name = \"mine\"").unwrap();
    assert!(matches!(
        load_all(folder.path()).unwrap_err().kind(),
        ErrorKind::EmptyFolder
    ));
}

#[test]
fn a_set_in_another_language_is_asked_in_it() {
    let record = r#"{"question":"多少？","answer":"2","language":"zh"}"#;
    let (benchmark, data) = try_set("name = \"mine\"\nlanguage = \"Zh\"", record).unwrap();
    assert!(data.check_language(&benchmark, &data.problems).is_ok());
    let (benchmark, data) = try_set("name = \"mine\"", record).unwrap();
    assert!(data.check_language(&benchmark, &data.problems).is_err());
}
