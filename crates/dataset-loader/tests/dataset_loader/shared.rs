use std::path::PathBuf;

use dataset_loader::{Benchmark, load};

/// The folder of real data, or a loud note that the test is skipped.
fn canonical() -> Option<PathBuf> {
    let folder = match std::env::var_os("MWPBENCH_SHARED_DATA") {
        Some(folder) => PathBuf::from(folder),
        None => PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"),
    };
    let canonical = folder.join("canonical");
    if !canonical.is_dir() {
        eprintln!("SKIPPED: no real data at {} (set MWPBENCH_SHARED_DATA)", canonical.display());
        return None;
    }
    Some(canonical)
}

#[test]
fn published_files_are_read_in_full() {
    let Some(folder) = canonical() else { return };
    let benchmark = Benchmark::published();
    for (file, set) in [
        ("college_math_test.jsonl", "college_math"),
        ("gaokao_bench_math_en_test.jsonl", "gaokao_bench"),
        ("fresh_gaokao_math_2023.json", "fresh_gaokao_2023"),
    ] {
        let data = load(&benchmark, &folder.join(file)).unwrap();
        let described = benchmark.set(set).unwrap();
        for task in &described.tasks {
            let found = data.problems.iter().filter(|problem| problem.task == task.name).count();
            assert_eq!(found, task.count, "{}", task.name);
        }
        assert_eq!(data.problems.len(), described.count(), "{file}");
    }
}
