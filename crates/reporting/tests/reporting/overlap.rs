use dataset_loader::Benchmark;
use overlap::{Index, OverlapOptions, TestItem};
use reporting::{OverlapLayout, overlap_text};

#[test]
fn counts_notes_and_texts_side_by_side() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("train.txt");
    let question = "Ann has 16 eggs and sells 4 of them for 2 dollars each at the market.";
    std::fs::write(&file, format!("no match\n{}\n", question.to_uppercase())).unwrap();
    let item = |id: &str, set: &str, text: &str| TestItem {
        id: id.into(),
        set: set.into(),
        text: text.into(),
    };
    let items = vec![
        item("gsm8k/1", "gsm8k", question),
        item("gsm8k/2", "gsm8k", "Another?"),
        item("tal/1", "tal", "A third?"),
    ];
    let index = Index::new(items, OverlapOptions::default()).unwrap();
    let report = overlap::scan(&index, &[file], None, &mut |_| {}).unwrap();
    let layout = OverlapLayout {
        width: Some(100),
        examples: 2,
    };
    let text = overlap_text(&Benchmark::published(), &report, layout);
    let text = text.replace(&format!("{}/", folder.path().display()), "");
    // The path of the temporary folder decides where the lines of the second table break, so it is
    // told apart from the first.
    let (counts, examples) = text.split_once("\n\n").unwrap();
    insta::assert_snapshot!(counts, @r"
    ──────────────────────────────────────────────────────────────────
     set       items   exact   n-gram   near   contaminated   percent
    ──────────────────────────────────────────────────────────────────
     GSM8K         2       1        1      1              1      50.0
     TAL-SCQ       1       0        0      0              0       0.0
     all           3       1        1      1              1      33.3
    ──────────────────────────────────────────────────────────────────
    Looked up: 2 questions of 2 records in train.txt.
    exact: the same words, numbers and signs. n-gram: 13 words in a row of the item are in a training question (shorter items: all of it, from 8 words).
    near: three-word shingles with a Jaccard index of at least 0.7. contaminated: exact, near, or 50 % of the item's n-grams in one question.
    ");
    assert!(
        examples.contains("gsm8k/1")
            && examples.contains("exact")
            && examples.contains("ANN HAS 16 EGGS")
    );
    let none = overlap_text(
        &Benchmark::published(),
        &report,
        OverlapLayout {
            width: None,
            examples: 0,
        },
    );
    assert!(!none.contains("test item"));
}
