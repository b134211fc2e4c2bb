use std::fs;

use dataset_loader::{Benchmark, all_bundled_problems, bundled_problems};
use evaluation::{Selection, SelectionError, Suites, Summary};

use crate::scripted::{plan, right, run};
use generation::Scripted;

fn names(list: &[&str]) -> Vec<String> {
    list.iter().map(ToString::to_string).collect()
}

/// The sets that a list of names selects from the bundled problems.
fn selected(list: Option<&[&str]>) -> Result<Vec<String>, SelectionError> {
    let benchmark = Benchmark::published();
    let problems = all_bundled_problems(&benchmark).problems;
    let list = list.map(names);
    let asked = Suites::known(&benchmark).resolve(list.as_deref(), &problems)?;
    let selection = Selection {
        tasks: asked.tasks,
        ..Selection::default()
    };
    let mut sets: Vec<String> = selection
        .apply(&benchmark, problems)?
        .into_iter()
        .map(|problem| problem.set)
        .collect();
    sets.dedup();
    Ok(sets)
}

#[test]
fn without_names_the_sets_of_mwpbench_are_asked_and_no_further_one() {
    let benchmark = Benchmark::published();
    let own: Vec<&str> = benchmark
        .mwpbench_sets()
        .map(|set| set.name.as_str())
        .collect();
    assert_eq!(selected(None).unwrap(), own);
    assert_eq!(selected(Some(&["mwpbench"])).unwrap(), own);
    assert_eq!(selected(Some(&["all"])).unwrap().len(), 24);
}

#[test]
fn a_suite_stands_for_its_sets_and_goes_with_others() {
    let reasoning = [
        "math_500",
        "aime_2024",
        "aime_2025",
        "amc_2023",
        "minerva_math",
        "olympiadbench",
    ];
    assert_eq!(selected(Some(&["reasoning"])).unwrap(), reasoning);
    assert_eq!(selected(Some(&["gsm8k", "Reasoning"])).unwrap()[0], "gsm8k");
    assert_eq!(
        selected(Some(&["svamp", "aqua"])).unwrap(),
        ["svamp", "aqua"]
    );
    assert!(matches!(
        selected(Some(&["raesoning"])),
        Err(SelectionError::Unknown { .. })
    ));
}

#[test]
fn data_of_further_sets_alone_are_asked_without_being_named() {
    let benchmark = Benchmark::published();
    let mut problems = all_bundled_problems(&benchmark).problems;
    problems.retain(|problem| problem.set == "svamp");
    let kept = Selection::default().apply(&benchmark, problems).unwrap();
    assert_eq!(kept.len(), 10);
}

#[test]
fn a_suite_of_which_nothing_is_at_hand_is_refused() {
    let benchmark = Benchmark::published();
    let problems = bundled_problems(&benchmark).problems;
    let asked = Suites::known(&benchmark).resolve(Some(&names(&["reasoning"])), &problems);
    assert!(matches!(asked, Err(SelectionError::Absent { .. })));
}

#[test]
fn suites_of_a_file_are_known_and_what_is_wrong_with_them_is_said() {
    let benchmark = Benchmark::published();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("mwpbench.toml");
    let read = |text: &str| {
        fs::write(&file, text).unwrap();
        Suites::known(&benchmark).with_file(&benchmark, &file)
    };
    let own = read("[gate]\nmax_drop = 1\n[suites]\nshort = [\"aqua\", \"gsm8k\"]\n").unwrap();
    // In the benchmark's order.
    assert_eq!(own.named("short").unwrap().sets, ["gsm8k", "aqua"]);
    for (text, part) in [
        ("[suites]\nall = [\"gsm8k\"]", "has that name already"),
        ("[suites]\nsvamp = [\"gsm8k\"]", "has that name already"),
        ("[suites]\nmine = [\"gsm9k\"]", "no set is called \"gsm9k\""),
        ("[suites]\nmine = []", "names no set"),
        ("[suites]\n\"a b\" = [\"gsm8k\"]", "letters, digits"),
        ("[suites]\nmine = 1", "invalid type"),
    ] {
        let error = read(text).unwrap_err().to_string();
        assert!(error.contains(part), "{text}: {error}");
        assert!(error.contains("mwpbench.toml"), "{error}");
    }
}

/// A run over these sets, asked for as a suite of that name.
fn suite_run(suite: &str, tasks: &[(&str, usize)]) -> Summary {
    let benchmark = Benchmark::published();
    let folder = tempfile::tempdir().unwrap();
    let mut asked = plan(crate::scripted::problems(&benchmark, tasks));
    let known = Suites::known(&benchmark);
    asked.suites = vec![known.named(suite).unwrap().clone()];
    let mut generator = Scripted::new(right);
    run(&asked, &mut generator, &folder.path().join("run"))
        .unwrap()
        .summary
}

#[test]
fn averages_of_a_suite_are_named_and_leave_those_of_mwpbench_alone() {
    let summary = suite_run("reasoning", &[("aime_2024", 3), ("amc_2023", 1)]);
    assert_eq!((summary.micro, summary.macro_), (None, None));
    let [suite] = summary.suites.as_slice() else {
        panic!("one suite: {:?}", summary.suites);
    };
    assert_eq!(suite.suite, "reasoning");
    assert_eq!(suite.sets, ["aime_2024", "amc_2023"]);
    assert_eq!(suite.n, 4);
    assert_eq!(suite.missing.len(), 4);
    assert_eq!(suite.partial, ["aime_2024", "amc_2023"]);
}

#[test]
fn a_problem_of_two_sets_of_a_suite_counts_once() {
    // Questions of the fixture are numbered alike in every set: all of the second are repeated.
    let summary = suite_run("reasoning", &[("aime_2024", 4), ("amc_2023", 2)]);
    let once = summary.suites[0]
        .counted_once
        .as_ref()
        .expect("two are repeated");
    assert_eq!(once.n, 4);
    assert_eq!(once.repeated.len(), 1);
    assert_eq!(
        (once.repeated[0].set.as_str(), once.repeated[0].items),
        ("amc_2023", 2)
    );
}
