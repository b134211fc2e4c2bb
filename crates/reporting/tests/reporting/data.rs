use dataset_loader::{
    Benchmark, Destination, DropReason, Dropped, Extras, ImportPlan, Problem, Stats,
    bundled_problems, import,
};
use serde_json::json;

#[test]
fn a_problem_is_told_with_the_lines_of_its_lists_below_each_other() {
    let problem = Problem {
        id: "tal/3".to_string(),
        set: "tal".to_string(),
        task: "tal".to_string(),
        question: "How many?\n\n  A drawing.\n".to_string(),
        reference: "$$3$$".to_string(),
    };
    let extras: Extras = serde_json::from_value(json!({
        "options": { "A": "$$3$$", "B": "four" },
        "score": 5,
        "solution": "One.\n\nTwo.",
    }))
    .unwrap();
    insta::assert_snapshot!(reporting::problem_text(&problem, "TAL-SCQ", Some(&extras)), @r#"
    tal/3   TAL-SCQ, task tal

      How many?

        A drawing.

      reference  $$3$$
      options    A  $$3$$
                 B  four
      score      5
      solution   One.

                 Two.
    "#);
    insta::assert_snapshot!(reporting::problem_text(&problem, "TAL-SCQ", None), @r#"
    tal/3   TAL-SCQ, task tal

      How many?

        A drawing.

      reference  $$3$$
    "#);
}

#[test]
fn an_import_is_told_with_its_reasons_and_on_request_with_every_problem() {
    let folder = tempfile::tempdir().unwrap();
    let record = |question: &str| {
        json!({ "question": question, "options": ["(A)1", "(B)2"], "label": "A", "answer": null })
            .to_string()
    };
    let input = folder.path().join("sat-math.jsonl");
    let lines = [
        record("How many?"),
        record("Which is it?"),
        record("Which is more?"),
    ];
    std::fs::write(&input, lines.join("\n")).unwrap();
    let output = folder.path().join("out.jsonl");
    let plan = ImportPlan {
        set: "agieval_sat",
        input: &input,
        destination: Destination::File(&output),
        split: "test",
        keep_choices: false,
        force: false,
    };
    let mut imported = import(&Benchmark::published(), &plan).unwrap();
    imported.output = "out.jsonl".into();
    insta::assert_snapshot!(reporting::import_text(&imported, false), @r#"
    agieval_sat: 3 read, 1 converted, 2 dropped → out.jsonl
      dropped     2  cannot be asked without its options: "which is"
                     agieval.sat-math/sat-math.1, agieval.sat-math/sat-math.2
    "#);
    insta::assert_snapshot!(reporting::import_text(&imported, true), @r#"
    agieval_sat: 3 read, 1 converted, 2 dropped → out.jsonl
      dropped     2  cannot be asked without its options: "which is"
                     agieval.sat-math/sat-math.1 (sat-math.jsonl, line 2): cannot be asked without its options: "which is"
                     agieval.sat-math/sat-math.2 (sat-math.jsonl, line 3): cannot be asked without its options: "which is"
    "#);
    let dropped = |number: u32| Dropped {
        file: "f".into(),
        line: 1,
        id: format!("tal/{number}"),
        reason: DropReason::SeveralCorrect {
            labels: format!("A{number}"),
        },
        message: String::new(),
    };
    imported.dropped = (0..1200).map(dropped).collect();
    let text = reporting::import_text(&imported, false);
    assert!(
        text.contains("dropped 1,200  several options are correct"),
        "{text}"
    );
    assert!(text.contains("tal/0, tal/1, tal/2, …\n"), "{text}");
}

#[test]
fn stats_are_a_table_with_the_paper_beside_what_is_at_hand() {
    let benchmark = Benchmark::published();
    let text = reporting::stats_text(
        &Stats::of(
            &benchmark,
            &bundled_problems(&benchmark),
            (&[], vec!["x_train.json".into()]),
        ),
        None,
    );
    for line in [
        " GSM8K                     gsm8k                                  1,319        48            7,473               0",
        "                           MATH.Algebra                           1,187        10",
        " the 10 averaged sets                                            18,408       388           20,857               0",
        "Table 1 is the paper's (arXiv:2403.02884). At hand are the bundled problems, which are not the benchmark.",
        "x_train.json: not in the record form, so not counted as training problems.",
    ] {
        assert!(
            text.lines().any(|own| own.trim_end() == line),
            "no {line:?} in\n{text}"
        );
    }
}

/// At 80 columns names in print make way for short ones, and no word is broken.
#[test]
fn tables_of_the_data_fit_the_terminal() {
    let benchmark = Benchmark::published();
    let data = dataset_loader::bundled_problems(&benchmark);
    crate::at_each_width("sets", |width| {
        reporting::set_list(&benchmark, &data, Some(width))
    });
    let stats = Stats::of(&benchmark, &data, (&data.problems, Vec::new()));
    crate::at_each_width("stats", |width| reporting::stats_text(&stats, Some(width)));
}
