use dataset_loader::Benchmark;
use evaluation::{Protocol, Selection, SelectionError};

use crate::scripted::problems;

fn select(selection: &Selection, tasks: &[(&str, usize)]) -> Result<Vec<String>, SelectionError> {
    let benchmark = Benchmark::published();
    let selected = selection.apply(&benchmark, problems(&benchmark, tasks))?;
    Ok(selected.into_iter().map(|problem| problem.id).collect())
}

#[test]
fn names_of_sets_and_of_tasks_both_select() {
    let selection = Selection {
        tasks: Some(vec!["tal".into(), "MATH.Geometry".into()]),
        ..Selection::default()
    };
    let found = select(
        &selection,
        &[
            ("gsm8k", 1),
            ("MATH.Algebra", 1),
            ("MATH.Geometry", 1),
            ("tal", 1),
        ],
    )
    .unwrap();
    assert_eq!(found, ["MATH.Geometry/0", "tal/0"]);
}

#[test]
fn an_unknown_name_is_answered_with_the_known_ones() {
    let selection = Selection {
        tasks: Some(vec!["gsm9k".into()]),
        ..Selection::default()
    };
    let text = select(&selection, &[("gsm8k", 1)]).unwrap_err().to_string();
    assert!(
        text.contains("\"gsm9k\"")
            && text.contains("gsm8k, math, college_math")
            && text.contains("did you mean \"gsm8k\"?"),
        "{text}"
    );
}

#[test]
fn a_name_of_which_the_data_have_nothing_is_refused() {
    let selection = Selection {
        tasks: Some(vec!["tal".into()]),
        ..Selection::default()
    };
    let error = select(&selection, &[("gsm8k", 1)]).unwrap_err();
    assert_eq!(
        error,
        SelectionError::Absent {
            name: "tal".into(),
            present: "gsm8k".into()
        }
    );
}

#[test]
fn the_official_protocol_asks_the_first_2000_of_a_task() {
    let official = select(&Selection::default(), &[("ape210k_en", 2003), ("gsm8k", 3)]).unwrap();
    assert_eq!(official.len(), 2003);
    assert!(
        official.contains(&"ape210k_en/1999".to_string())
            && !official.contains(&"ape210k_en/2000".to_string())
    );
    let full = Selection {
        protocol: Protocol::Full,
        ..Selection::default()
    };
    assert_eq!(
        select(&full, &[("ape210k_en", 2003), ("gsm8k", 3)])
            .unwrap()
            .len(),
        2006
    );
}

#[test]
fn a_limit_takes_from_the_tasks_of_a_set_in_turn() {
    let selection = Selection {
        limit: Some(4),
        ..Selection::default()
    };
    let found = select(
        &selection,
        &[
            ("gsm8k", 6),
            ("MATH.Algebra", 3),
            ("MATH.Geometry", 1),
            ("MATH.Prealgebra", 3),
        ],
    );
    assert_eq!(
        found.unwrap(),
        [
            "gsm8k/0",
            "gsm8k/1",
            "gsm8k/2",
            "gsm8k/3",
            "MATH.Algebra/0",
            "MATH.Algebra/1",
            "MATH.Geometry/0",
            "MATH.Prealgebra/0"
        ]
    );
}
