use std::collections::HashMap;
use std::path::{Path, PathBuf};

use dataset_loader::{
    Benchmark, Destination, DropReason, ImportPlan, Imported, Stats, import, load,
};

/// The folder of real data.
fn shared() -> PathBuf {
    match std::env::var_os("MWPBENCH_SHARED_DATA") {
        Some(folder) => PathBuf::from(folder),
        None => PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"),
    }
}

/// Imports a file or folder of real data, and reads what was written.
fn imported(set: &str, input: &Path, split: &str) -> (Imported, dataset_loader::Data) {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("out.jsonl");
    let plan = ImportPlan {
        set,
        input,
        destination: Destination::File(&output),
        split,
        keep_choices: false,
        force: false,
    };
    let benchmark = Benchmark::published();
    let imported = import(&benchmark, &plan).unwrap_or_else(|error| panic!("{set}: {error}"));
    let data = load(&benchmark, &output).unwrap();
    assert_eq!(data.problems.len(), imported.converted);
    assert_eq!(imported.read, imported.converted + imported.dropped.len());
    (imported, data)
}

#[test]
#[ignore = "needs the real data ($MWPBENCH_SHARED_DATA)"]
fn published_files_are_read_in_full() {
    let folder = shared();
    let folder = folder.join("canonical");
    let benchmark = Benchmark::published();
    for (file, set) in [
        ("college_math_test.jsonl", "college_math"),
        ("gaokao_bench_math_en_test.jsonl", "gaokao_bench"),
        ("fresh_gaokao_math_2023.json", "fresh_gaokao_2023"),
    ] {
        let data = load(&benchmark, &folder.join(file)).unwrap();
        let described = benchmark.set(set).unwrap();
        for task in &described.tasks {
            let found = data
                .problems
                .iter()
                .filter(|problem| problem.task == task.name)
                .count();
            assert_eq!(found, task.count, "{}", task.name);
        }
        assert_eq!(data.problems.len(), described.count(), "{file}");
    }
}

#[test]
#[ignore = "needs the real data ($MWPBENCH_SHARED_DATA)"]
fn every_file_of_the_publishers_is_read_in_full() {
    let folder = shared();
    for (set, input, split, read, converted) in [
        ("gsm8k", "native/gsm8k", "test", 1319, 1319),
        ("gsm8k", "native/gsm8k", "train", 7473, 7473),
        ("gsm8k", "native/gsm8k/train.parquet", "train", 7473, 7473),
        ("math", "native/math", "test", 5000, 5000),
        ("tal", "native/tal", "test", 2000, 1629),
        ("tal", "native/tal", "train", 3000, 2712),
        (
            "math23k",
            "native/math23k/sample_1000.json",
            "test",
            1000,
            1000,
        ),
        ("ape210k", "native/ape210k", "test", 5000, 5000),
        ("gaokao_bench", "native/gaokao_bench", "test", 599, 599),
        ("agieval_gaokao", "native/agieval", "test", 469, 462),
        ("agieval_sat", "native/agieval", "test", 220, 111),
        ("agieval_math", "native/agieval", "test", 1000, 1000),
        (
            "college_math",
            "canonical/college_math_test.jsonl",
            "test",
            2818,
            2818,
        ),
        (
            "gaokao_bench",
            "canonical/gaokao_bench_math_en_test.jsonl",
            "test",
            508,
            508,
        ),
        (
            "fresh_gaokao_2023",
            "canonical/fresh_gaokao_math_2023.json",
            "test",
            30,
            30,
        ),
        ("mwpbench", "canonical", "test", 3356, 3356),
    ] {
        let (imported, data) = imported(set, &folder.join(input), split);
        assert_eq!(
            (imported.read, imported.converted),
            (read, converted),
            "{set} {input} {split}"
        );
        // What is left out is left out by the two rules for word problems and nothing else.
        let by_rule = |reason: &DropReason| {
            matches!(
                reason,
                DropReason::NeedsOptions { .. } | DropReason::SeveralCorrect { .. }
            )
        };
        assert!(
            imported
                .dropped
                .iter()
                .all(|dropped| by_rule(&dropped.reason)),
            "{set} {input} {split}"
        );
        let publisher = Benchmark::published()
            .set(set)
            .and_then(|set| set.publisher.clone());
        if let (Some(publisher), true, "test") = (publisher, input.starts_with("native"), split) {
            assert_eq!(
                (publisher.test, publisher.imported),
                (read, converted),
                "datasets/{set}/dataset.toml"
            );
            let stats = Stats::of(&Benchmark::published(), &data, (&[], Vec::new()));
            let of_set = stats.sets.iter().find(|own| own.set == set).unwrap();
            assert_eq!(
                of_set.notes.is_empty(),
                of_set.test.paper == Some(converted) && set != "ape210k",
                "{set}"
            );
        }
    }
}

#[test]
#[ignore = "needs the real data ($MWPBENCH_SHARED_DATA)"]
fn parquet_and_json_lines_give_the_same_records() {
    let folder = shared();
    let (_, lines) = imported("gsm8k", &folder.join("native/gsm8k/train.jsonl"), "train");
    let (_, rows) = imported("gsm8k", &folder.join("native/gsm8k/train.parquet"), "train");
    assert_eq!(
        lines,
        dataset_loader::Data {
            origin: lines.origin.clone(),
            ..rows
        }
    );
}

#[test]
#[ignore = "needs the real data ($MWPBENCH_SHARED_DATA)"]
fn multiple_choice_of_gaokao_bench_gives_the_references_of_the_published_benchmark() {
    let folder = shared();
    let (_, ours) = imported("gaokao_bench", &folder.join("native/gaokao_bench"), "test");
    let (_, published) = imported(
        "gaokao_bench",
        &folder.join("canonical/gaokao_bench_math_en_test.jsonl"),
        "test",
    );
    let bare = |reference: &str| reference.replace([' ', '$'], "");
    let references: HashMap<&str, String> = ours
        .problems
        .iter()
        .map(|problem| (problem.id.as_str(), bare(&problem.reference)))
        .collect();
    let equal = published
        .problems
        .iter()
        .filter(|problem| references[problem.id.as_str()] == bare(&problem.reference));
    // The other 38 hold words, which were translated, or signs that the translation wrote in
    // another way.
    assert_eq!(equal.count(), 470);
}

#[test]
#[ignore = "needs the real data ($MWPBENCH_SHARED_DATA)"]
fn references_of_math_are_boxed_and_those_of_agieval_agree_with_them() {
    let folder = shared();
    let (_, math) = imported("math", &folder.join("native/math"), "test");
    let (_, agieval) = imported("agieval_math", &folder.join("native/agieval"), "test");
    let references: HashMap<&str, &str> = math
        .problems
        .iter()
        .map(|problem| (problem.question.as_str(), problem.reference.as_str()))
        .collect();
    // AGIEval took its thousand problems and their answers from MATH's test.
    let differing: Vec<_> = agieval
        .problems
        .iter()
        .filter(|problem| {
            references.get(problem.question.as_str()) != Some(&problem.reference.as_str())
        })
        .map(|problem| {
            (
                &problem.id,
                &problem.reference,
                references.get(problem.question.as_str()),
            )
        })
        .collect();
    assert!(
        differing.is_empty(),
        "{} differ: {differing:?}",
        differing.len()
    );
}
