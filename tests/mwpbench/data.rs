use std::fs;

use crate::command::mwpbench;

#[test]
fn list_shows_all_sets_with_published_and_present_counts() {
    let folder = tempfile::tempdir().unwrap();
    let table = mwpbench(folder.path(), ["data", "list"]).ok().stdout;
    for part in ["AGIEval-Gaokao-Math", "fresh_gaokao_2023", "4874", "samples that come with the program"] {
        assert!(table.contains(part), "no {part:?} in\n{table}");
    }
    let list = mwpbench(folder.path(), ["data", "list", "--json"]).ok().json();
    assert_eq!(list["origin"]["kind"], "samples");
    assert_eq!(list["sets"].as_array().unwrap().len(), 11);
    assert_eq!(list["sets"][0]["published"], 1319);
}

#[test]
fn the_data_folder_comes_before_the_samples_and_data_before_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    let record = |task: &str| format!(r#"{{"data_topic":"{task}","question":"1+1?","answer":"2"}}"#);
    fs::create_dir_all(folder.path().join("home/data")).unwrap();
    fs::write(folder.path().join("home/data/test.jsonl"), record("tal")).unwrap();
    fs::write(folder.path().join("given.jsonl"), record("gsm8k")).unwrap();
    let at_hand = |args: &[&str]| {
        let list = mwpbench(folder.path(), args).ok().json();
        let sets = list["sets"].as_array().unwrap().clone();
        sets.into_iter().filter(|set| set["at_hand"] != 0).map(|set| set["set"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(at_hand(&["data", "list", "--json"]), ["tal"]);
    assert_eq!(at_hand(&["data", "list", "--json", "--data", "given.jsonl"]), ["gsm8k"]);
}
