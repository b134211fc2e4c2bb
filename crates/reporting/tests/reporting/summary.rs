use evaluation::Summary;
use reporting::{SummaryTable, summary_table};
use serde_json::json;

fn summary(edit: impl FnOnce(&mut serde_json::Value)) -> Summary {
    let counts = |correct: u32, n: u32, low: f64, high: f64| {
        let accuracy = f64::from(correct) / f64::from(n);
        let accuracy = json!({ "correct": correct, "accuracy": accuracy, "interval": [low, high] });
        json!({ "n": n, "official": accuracy, "strict": accuracy,
            "no_answer": 1, "truncated": 2, "failed": 0 })
    };
    let merged = |mut base: serde_json::Value, counts: serde_json::Value| {
        base.as_object_mut()
            .unwrap()
            .extend(counts.as_object().unwrap().clone());
        base
    };
    let task = |name: &str| merged(json!({ "task": name }), counts(1, 2, 0.1, 0.9));
    let set = |name: &str,
               title: &str,
               level: &str,
               averaged: bool,
               tasks: Vec<serde_json::Value>| {
        let base = json!({ "set": name, "title": title, "level": level, "in_average": averaged, "expected": 5000, "tasks": tasks });
        merged(base, counts(2, 4, 0.15, 0.85))
    };
    let mut value = json!({
        "schema": "mwpbench.summary.v1", "model": "tuned-7b", "protocol": "official", "deviations": [], "data": "full_test.json",
        "sets": [
            set("math", "MATH", "Competition", true, vec![task("MATH.Algebra"), task("MATH.Geometry")]),
            set("fresh_gaokao_2023", "Fresh-GaokaoMath-2023", "High School", false, vec![]),
        ],
        "micro": { "official": 0.5, "strict": 0.625 }, "macro": { "official": 0.5, "strict": 0.625 }, "complete": false,
        "missing": ["gsm8k", "tal"], "partial": ["math"], "reference_errors": [],
    });
    edit(&mut value);
    serde_json::from_value(value).unwrap()
}

#[test]
fn a_run_fits_the_terminal() {
    let table = |layout: SummaryTable| {
        move |width| {
            let layout = SummaryTable {
                width: Some(width),
                ..layout
            };
            summary_table(&summary(|_| ()), layout)
        }
    };
    crate::at_each_width("run", table(SummaryTable::default()));
    let by_task = SummaryTable {
        by_task: true,
        ..SummaryTable::default()
    };
    crate::at_each_width("run_by_task", table(by_task));
}

#[test]
fn a_table_on_real_data() {
    let text = summary_table(&summary(|_| ()), SummaryTable::default());
    insta::assert_snapshot!(text, @r#"
    tuned-7b on full_test.json: official protocol
    ────────────────────────────────────────────────────────────────────────────────────────────────────────────────
     set                       level         n   official   strict   95 % interval   no answer   truncated   failed
    ────────────────────────────────────────────────────────────────────────────────────────────────────────────────
     MATH                      Competition   4       50.0     50.0     15.0 – 85.0           1           2        0
     Fresh-GaokaoMath-2023 *   High School   4       50.0     50.0     15.0 – 85.0           1           2        0
     micro average             1 set         4       50.0     62.5
     macro average             1 set         4       50.0     62.5
    ────────────────────────────────────────────────────────────────────────────────────────────────────────────────
    Accuracy in percent: official is the published scorer, strict compares values; the interval is the strict one's.
    * in no average.
    The averages leave out sets that are not in the run: gsm8k, tal.
    In part: math.
    "#);
}

#[test]
fn tasks_get_rows_of_their_own_when_asked_for() {
    let layout = SummaryTable {
        by_task: true,
        ..SummaryTable::default()
    };
    let text = summary_table(&summary(|_| ()), layout);
    assert!(
        text.contains("MATH.Algebra") && text.contains("MATH.Geometry"),
        "{text}"
    );
    assert!(!summary_table(&summary(|_| ()), SummaryTable::default()).contains("MATH.Algebra"));
}

#[test]
fn only_a_complete_run_is_called_mwpbench() {
    let title = |complete: bool| {
        let summary = summary(|value| value["complete"] = complete.into());
        summary_table(&summary, SummaryTable::default())
            .lines()
            .next()
            .unwrap()
            .to_string()
    };
    assert_eq!(
        title(true),
        "tuned-7b on MwpBench (full_test.json): official protocol"
    );
    assert_eq!(
        title(false),
        "tuned-7b on full_test.json: official protocol"
    );
}

#[test]
fn deviations_and_unreadable_references_are_said() {
    let summary = summary(|value| {
        value["deviations"] = json!(["limit 4 a set", "template none"]);
        value["reference_errors"] = json!(["a/1", "a/2", "a/3", "a/4", "a/5", "a/6", "a/7"]);
    });
    let text = summary_table(&summary, SummaryTable::default());
    assert!(
        text.contains("official protocol, but limit 4 a set, template none"),
        "{text}"
    );
    assert!(
        text.contains("fails on 7 of the references") && text.contains("a/5 and 2 more"),
        "{text}"
    );
}

/// A bootstrap over items that are all right cannot vary; that is no certainty.
#[test]
fn an_average_never_has_an_interval_of_width_zero() {
    let all_right = |value: &mut serde_json::Value| {
        let figure = json!({ "correct": 4, "accuracy": 1.0, "interval": [0.51, 1.0] });
        (value["sets"][0]["official"], value["sets"][0]["strict"]) = (figure.clone(), figure);
        let average = json!({ "official": 1.0, "strict": 1.0,
            "official_interval": [1.0, 1.0], "strict_interval": [1.0, 1.0] });
        (value["micro"], value["macro"]) = (average.clone(), average);
    };
    let text = summary_table(&summary(all_right), SummaryTable::default());
    let averages: Vec<&str> = text
        .lines()
        .filter(|line| line.starts_with(" micro") || line.starts_with(" macro"))
        .map(str::trim_end)
        .collect();
    // Over one set the interval is that set's own.
    assert_eq!(
        averages,
        [
            " micro average             1 set         4      100.0    100.0    51.0 – 100.0",
            " macro average             1 set         4      100.0    100.0    51.0 – 100.0",
        ]
    );
}

#[test]
fn a_narrow_terminal_is_not_overrun() {
    let layout = SummaryTable {
        width: Some(60),
        ..SummaryTable::default()
    };
    let text = summary_table(&summary(|_| ()), layout);
    let table_lines = text
        .lines()
        .skip(1)
        .take_while(|line| !line.starts_with("Accuracy"));
    assert!(
        table_lines.clone().all(|line| line.chars().count() <= 60),
        "{text}"
    );
}

#[test]
fn averages_with_each_problem_once_get_rows_and_a_note() {
    let averages = json!({ "official": 0.25, "strict": 0.5 });
    let once = json!({ "repeated": [{ "set": "agieval_math", "items": 3 }], "n": 2, "sets": 1, "micro": averages, "macro": averages });
    let text = summary_table(
        &summary(|value| value["counted_once"] = once),
        SummaryTable::default(),
    );
    assert!(
        text.contains(" micro, each once          1 set         2       25.0     50.0"),
        "{text}"
    );
    assert!(
        text.contains(" macro, each once          1 set         2       25.0     50.0"),
        "{text}"
    );
    assert!(
        text.contains(
            "Each once: without problems that a set above has already: 3 of agieval_math."
        ),
        "{text}"
    );
}
