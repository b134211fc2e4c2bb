use std::path::{Path, PathBuf};

use overlap::{Index, OverlapOptions, TestItem, repeated_items, same_items};

/// The folder of published files.
fn published() -> PathBuf {
    let folder = match std::env::var_os("MWPBENCH_SHARED_DATA") {
        Some(folder) => PathBuf::from(folder),
        None => PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"),
    };
    folder.join("native")
}

fn read(set: &str, path: &Path, field: &str) -> Vec<TestItem> {
    let records = record_files::open(path).unwrap().map(Result::unwrap);
    let item = |record: record_files::Record| TestItem {
        id: format!("{set}/{}", record.place.number()),
        set: set.to_owned(),
        text: record.value[field].as_str().unwrap().to_owned(),
    };
    records.map(item).collect()
}

#[test]
#[ignore = "needs the real data ($MWPBENCH_SHARED_DATA)"]
fn gsm8k_test_is_not_in_gsm8k_train() {
    let native = published();
    let index = Index::new(
        read("gsm8k", &native.join("gsm8k/test.jsonl"), "question"),
        OverlapOptions::default(),
    )
    .unwrap();
    let reports = ["gsm8k/train.jsonl", "gsm8k/train.parquet"]
        .map(|file| overlap::scan(&index, &[native.join(file)], None, &mut |_| {}).unwrap());
    let counts = &reports[0].sets[0];
    assert_eq!(
        (counts.items, counts.exact, counts.ngram, counts.near),
        (1319, 0, 3, 0)
    );
    assert_eq!(reports[0].sets, reports[1].sets);
    let row = reports[1].items[0].ngram.as_ref().unwrap();
    assert!(row.row.is_some() && row.line.is_none());
}

/// Chinese has no spaces: its characters are its words.
#[test]
#[ignore = "needs the real data ($MWPBENCH_SHARED_DATA)"]
fn chinese_items_are_found_with_other_spaces_and_signs() {
    let native = published();
    let items = read(
        "ape210k",
        &native.join("ape210k/test.ape.json"),
        "original_text",
    );
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("train.txt");
    let changed = |item: &TestItem| {
        item.text
            .replace('，', ",")
            .replace('．', ".")
            .replace("的", " 的\t")
            .replace('？', "。")
    };
    std::fs::write(
        &path,
        items
            .iter()
            .map(|item| changed(item) + "\n\n")
            .collect::<String>(),
    )
    .unwrap();
    let report = overlap::scan(
        &Index::new(items, OverlapOptions::default()).unwrap(),
        &[path],
        None,
        &mut |_| {},
    )
    .unwrap();
    assert_eq!((report.sets[0].items, report.sets[0].exact), (5000, 5000));
}

#[test]
#[ignore = "needs the real data ($MWPBENCH_SHARED_DATA)"]
fn every_item_of_agieval_math_is_in_math() {
    let native = published();
    let items = [
        read(
            "agieval_math",
            &native.join("agieval/math.jsonl"),
            "question",
        ),
        read("math", &native.join("math/test.jsonl"), "problem"),
    ]
    .concat();
    let pairs = same_items(&items, "agieval_math", "math").unwrap();
    assert_eq!(pairs.len(), 1000);
    assert!(
        pairs
            .iter()
            .all(|pair| pair.exact && pair.same_as.starts_with("math/"))
    );
    assert_eq!(same_items(&items, "agieval_math", "gsm8k").unwrap(), []);

    // The list beside the set's description says the same.
    let list: serde_json::Value = serde_json::from_str(include_str!(
        "../../../../datasets/agieval_math/overlap.json"
    ))
    .unwrap();
    let listed = list["items"].as_array().unwrap();
    assert_eq!(listed.len(), pairs.len());
    for (listed, pair) in listed.iter().zip(&pairs) {
        let item = items.iter().find(|item| item.id == pair.id).unwrap();
        let digest = blake3::hash(overlap::normal_form(&item.text).as_bytes())
            .to_hex()
            .to_string();
        assert_eq!(pair.id, format!("agieval_math/{}", listed["agieval_line"]));
        assert_eq!(
            pair.same_as,
            format!("math/{}", listed["math_idx"].as_u64().unwrap() + 1)
        );
        assert_eq!(listed["question_blake3"], digest);
    }
}

/// Nothing is taken for the same by chance: the one other pair, of SAT and TAL, is one problem in
/// two orders of words.
#[test]
#[ignore = "needs the real data ($MWPBENCH_SHARED_DATA)"]
fn other_sets_have_one_problem_in_common() {
    let native = published();
    let canonical = native.join("../canonical");
    let items = [
        read("gsm8k", &native.join("gsm8k/test.jsonl"), "question"),
        read("math", &native.join("math/test.jsonl"), "problem"),
        read(
            "college_math",
            &canonical.join("college_math_test.jsonl"),
            "question",
        ),
        read(
            "tal",
            &native.join("tal/en_single_choice_test_2K.jsonl"),
            "problem",
        ),
        read(
            "gaokao_bench",
            &canonical.join("gaokao_bench_math_en_test.jsonl"),
            "question",
        ),
        read(
            "agieval_sat",
            &native.join("agieval/sat-math.jsonl"),
            "question",
        ),
        read(
            "agieval_math",
            &native.join("agieval/math.jsonl"),
            "question",
        ),
    ]
    .concat();
    let pairs = repeated_items(&items).unwrap();
    let of_agieval_math = pairs
        .iter()
        .filter(|pair| pair.id.starts_with("agieval_math/"))
        .count();
    let others = pairs
        .iter()
        .filter(|pair| !pair.id.starts_with("agieval_math/"));
    let others: Vec<(&str, &str)> = others
        .map(|pair| (pair.id.as_str(), pair.same_as.as_str()))
        .collect();
    assert_eq!(of_agieval_math, 1000);
    assert_eq!(others, [("agieval_sat/202", "tal/1831")]);
}
