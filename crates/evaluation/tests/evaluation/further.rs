//! The further sets on the publishers' own files: `MWPBENCH_SHARED_DATA`.

use std::path::PathBuf;

use dataset_loader::{Benchmark, Data, Destination, ImportPlan, Imported, import, load};
use evaluation::{Grader, SelfCheck};

/// Set, file, records read and problems made of them.
const FILES: [(&str, &str, usize, usize); 13] = [
    ("math_500", "math_500.jsonl", 500, 500),
    ("aime_2024", "aime24.jsonl", 30, 30),
    ("aime_2025", "aime25.jsonl", 30, 30),
    ("amc_2023", "amc23.jsonl", 40, 40),
    ("minerva_math", "minerva_math.jsonl", 272, 272),
    ("olympiadbench", "olympiadbench.jsonl", 675, 675),
    ("gaokao_2023_en", "gaokao2023en.jsonl", 385, 383),
    ("svamp", "svamp.jsonl", 1000, 1000),
    ("asdiv", "asdiv.jsonl", 2215, 2215),
    ("mawps", "mawps.jsonl", 2065, 2065),
    ("cmath", "cmath.jsonl", 600, 600),
    ("sat_math_qwen", "sat_math.jsonl", 32, 32),
    ("aqua", "aqua.jsonl", 254, 254),
];

fn shared() -> PathBuf {
    std::env::var_os("MWPBENCH_SHARED_DATA").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"),
        PathBuf::from,
    )
}

fn imported(set: &str, file: &str) -> (Imported, Data) {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("out.jsonl");
    let plan = ImportPlan {
        set,
        input: &shared().join("native/extra").join(file),
        destination: Destination::File(&output),
        split: "test",
        keep_choices: false,
        force: false,
    };
    let benchmark = Benchmark::published();
    let imported = import(&benchmark, &plan).unwrap_or_else(|error| panic!("{set}: {error}"));
    (imported, load(&benchmark, &output).unwrap())
}

#[test]
#[ignore = "needs the real data ($MWPBENCH_SHARED_DATA)"]
fn every_file_is_read_in_full_and_counts_what_its_description_says() {
    let benchmark = Benchmark::published();
    for (set, file, read, converted) in FILES {
        let (imported, data) = imported(set, file);
        assert_eq!(
            (imported.read, imported.converted),
            (read, converted),
            "{set}"
        );
        assert_eq!(
            imported.untranslated, 0,
            "{set} is asked in its own language"
        );
        let described = benchmark.set(set).unwrap();
        let publisher = described.publisher.as_ref().unwrap();
        assert_eq!(
            (publisher.test, publisher.imported),
            (read, converted),
            "{set}"
        );
        data.check_language(&benchmark, &data.problems).unwrap();
        assert!(data.problems.iter().all(|problem| problem.set == set));
    }
}

#[test]
#[ignore = "needs the real data ($MWPBENCH_SHARED_DATA)"]
fn every_reference_equals_itself_through_both_scorers() {
    let benchmark = Benchmark::published();
    let grader = Grader::new(&benchmark);
    for (set, file, _, converted) in FILES {
        let (_, data) = imported(set, file);
        let checked = SelfCheck::of(&benchmark, &grader, &data);
        let [of_set] = checked.sets.as_slice() else {
            panic!("{set}: one set");
        };
        assert_eq!(of_set.equal_themselves, converted, "{set}");
        let unequal: Vec<&str> = data
            .problems
            .iter()
            .filter(|problem| {
                let official =
                    scoring::official::judge_prediction(&problem.reference, &problem.reference);
                !official.correct
            })
            .map(|problem| problem.id.as_str())
            .collect();
        let exceptions: Vec<&str> = of_set
            .official_exceptions
            .iter()
            .map(|exception| exception.id.as_str())
            .collect();
        // What the original cannot read, by id; nothing else fails.
        println!(
            "{set}: {converted} equal themselves, {} of {} forms failed, official {unequal:?}, exceptions {exceptions:?}",
            of_set.failed, of_set.tried
        );
        assert_eq!(unequal, exceptions, "{set}");
        assert_eq!(unequal.len(), 0, "{set}: {unequal:?}");
    }
}
