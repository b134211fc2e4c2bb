use std::fs;

use dataset_loader::{Benchmark, Data, DataOrigin, Stats, bundled_problems, load_training};
use proptest::prelude::*;

fn stats(data: &Data) -> Stats {
    Stats::of(&Benchmark::published(), data, (&[], Vec::new()))
}

/// So many problems of a task, as if they came from a file.
fn problems_of(task: &str, count: usize, extras: &str) -> Data {
    let folder = tempfile::tempdir().unwrap();
    let record = |number| {
        format!(
            r#"{{"data_topic":"{task}","question_number":{number},"question":"q","answer":"1"{extras}}}"#
        )
    };
    let lines: Vec<String> = (0..count).map(record).collect();
    fs::write(folder.path().join("data.jsonl"), lines.join("\n")).unwrap();
    dataset_loader::load(&Benchmark::published(), folder.path()).unwrap()
}

fn notes(task: &str, count: usize, extras: &str) -> Vec<String> {
    let stats = stats(&problems_of(task, count, extras));
    stats.sets.into_iter().flat_map(|set| set.notes).collect()
}

#[test]
fn the_paper_counts_18_408_tests_and_20_857_training_problems() {
    let stats = stats(&bundled_problems(&Benchmark::published()));
    assert_eq!(stats.test.paper, Some(18_408));
    assert_eq!(stats.train.paper, Some(20_857));
    assert_eq!(stats.sets.iter().filter(|set| set.in_average).count(), 10);
    assert!(
        stats.sets.iter().all(|set| set.notes.is_empty()),
        "samples need no explanation"
    );
}

#[test]
fn a_difference_is_explained_where_it_is_the_publishers_and_counted_where_not() {
    assert_eq!(notes("gsm8k", 1319, ""), [""; 0]);
    assert_eq!(notes("gsm8k", 1300, ""), ["19 of 1,319 are not at hand"]);
    assert_eq!(notes("gsm8k", 1320, ""), ["1 more than the paper counts"]);
    let tal = notes("tal", 1629, "");
    assert!(
        tal[0].starts_with("these are left of the publisher's 2,000; the paper counts 1,496"),
        "{tal:?}"
    );
    let ape = notes("ape210k_en", 5000, r#","language":"zh""#);
    assert!(
        ape[0].starts_with("these are the publisher's 5,000; the paper counts 4,874"),
        "{ape:?}"
    );
    assert!(
        ape[1].starts_with("5,000 of them wait for their translation"),
        "{ape:?}"
    );
    assert!(ape[2].contains("first 2,000"), "{ape:?}");
    let kept = notes("tal", 2, r#","form":"choice""#);
    assert!(
        kept[1].starts_with("2 of them keep their options"),
        "{kept:?}"
    );
}

#[test]
fn training_files_are_counted_and_others_passed_over() {
    let folder = tempfile::tempdir().unwrap();
    let record = r#"{"data_topic":"math23k_en","question":"q","answer":"1"}"#;
    fs::write(folder.path().join("full_train.json"), record).unwrap();
    fs::write(
        folder.path().join("alpaca_train.json"),
        "[{\"instruction\": \"q\"}]",
    )
    .unwrap();
    let benchmark = Benchmark::published();
    let (problems, passed_over) = load_training(&benchmark, folder.path()).unwrap();
    assert_eq!(
        (problems.len(), passed_over),
        (1, vec![folder.path().join("alpaca_train.json")])
    );
    let stats = Stats::of(
        &benchmark,
        &bundled_problems(&benchmark),
        (&problems, Vec::new()),
    );
    assert_eq!(stats.train.at_hand, 1);
}

#[test]
fn numbers_are_written_in_groups_of_three() {
    for (number, text) in [
        (0, "0"),
        (999, "999"),
        (1000, "1,000"),
        (15_534, "15,534"),
        (1_234_567, "1,234,567"),
    ] {
        assert_eq!(dataset_loader::grouped(number), text);
    }
}

#[test]
fn an_id_that_is_not_there_names_those_that_look_alike() {
    let data = problems_of("gsm8k", 5, "");
    assert_eq!(data.problem("gsm8k/3").unwrap().0.id, "gsm8k/3");
    let text = |id: &str| data.problem(id).unwrap_err().to_string();
    assert_eq!(
        text("GSM8K/3"),
        "the data hold no problem \"GSM8K/3\" (there are gsm8k/3, …)"
    );
    assert_eq!(
        text("gsm8k/9"),
        "the data hold no problem \"gsm8k/9\" (there are gsm8k/0, gsm8k/1, gsm8k/2, …)"
    );
    assert_eq!(
        text("tal"),
        "the data hold no problem \"tal\" (ids are like \"gsm8k/0\")"
    );
}

#[test]
fn seeds_draw_differently() {
    let data = bundled_problems(&Benchmark::published());
    assert_ne!(data.draw(10, 1), data.draw(10, 2));
}

proptest! {
    #[test]
    fn problems_drawn_are_different_and_the_same_for_a_seed(count in 0usize..500, seed in any::<u64>()) {
        let data = bundled_problems(&Benchmark::published());
        prop_assert_eq!(&data.origin, &DataOrigin::Bundled);
        let drawn = data.draw(count, seed);
        prop_assert_eq!(drawn.len(), count.min(data.problems.len()));
        prop_assert_eq!(&drawn, &data.draw(count, seed));
        let mut ids: Vec<&str> = drawn.iter().map(|problem| problem.id.as_str()).collect();
        prop_assert_eq!(&data.draw(count / 2, seed)[..], &drawn[..(count / 2).min(drawn.len())]);
        ids.sort_unstable();
        ids.dedup();
        prop_assert_eq!(ids.len(), drawn.len());
    }
}
