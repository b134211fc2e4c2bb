use std::path::Path;

use dataset_loader::{Benchmark, Problem};
use evaluation::{Excluded, Exclusion, ExclusionError, Selection};

use crate::scripted::problems;

const TASKS: [(&str, usize); 3] = [("gsm8k", 4), ("MATH.Algebra", 3), ("tal", 2)];

/// The ids that stay and what was taken out, of all problems of these tasks.
fn exclude(
    content: &str,
    selection: &Selection,
) -> Result<(Vec<String>, Option<Excluded>), String> {
    let benchmark = Benchmark::published();
    let data = problems(&benchmark, &TASKS);
    let selected = selection.apply(&benchmark, data.clone()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ids.txt");
    std::fs::write(&path, content).unwrap();
    let exclusion = Exclusion::load(&path).and_then(|ids| ids.apply(&benchmark, &data, selected));
    let prefix = format!("{}/", folder.path().display());
    let (stay, excluded) = exclusion.map_err(|error| error.to_string().replace(&prefix, ""))?;
    Ok((
        stay.into_iter()
            .map(|problem: Problem| problem.id)
            .collect(),
        excluded,
    ))
}

#[test]
fn ids_in_the_file_are_left_out() {
    let (stay, excluded) = exclude(
        "\u{feff}gsm8k/1\r\n\n  tal/0\ngsm8k/1\n",
        &Selection::default(),
    )
    .unwrap();
    assert_eq!(
        stay,
        [
            "gsm8k/0",
            "gsm8k/2",
            "gsm8k/3",
            "MATH.Algebra/0",
            "MATH.Algebra/1",
            "MATH.Algebra/2",
            "tal/1"
        ]
    );
    assert_eq!(excluded.unwrap().problems, 2);
}

#[test]
fn a_limit_is_taken_before_so_that_what_stays_is_a_part_of_the_same_run() {
    let limited = Selection {
        limit: Some(2),
        tasks: Some(vec!["gsm8k".into()]),
        ..Selection::default()
    };
    assert_eq!(exclude("gsm8k/1\n", &limited).unwrap().0, ["gsm8k/0"]);
    let (stay, excluded) = exclude("gsm8k/3\n", &limited).unwrap();
    assert_eq!((stay.len(), excluded), (2, None));
}

#[test]
fn the_digest_tells_which_were_left_out_whatever_the_file_looks_like() {
    let digest = |content| {
        exclude(content, &Selection::default())
            .unwrap()
            .1
            .unwrap()
            .ids_digest
    };
    assert_eq!(
        digest("gsm8k/1\ntal/0\n"),
        digest("tal/0\n\ngsm8k/1\nmath23k_en/7")
    );
    assert_ne!(digest("gsm8k/1\n"), digest("gsm8k/2\n"));
}

#[test]
fn ids_of_sets_that_are_not_there_are_passed_over() {
    assert!(exclude("math23k_en/5\ngsm8k/1\n", &Selection::default()).is_ok());
}

#[test]
fn unknown_ids_are_refused_with_their_count() {
    for (content, expected) in [
        (
            "gsm8k/1\ngsm8k/77\ngsm8k/78\n",
            "2 of the 3 ids in ids.txt belong to no problem: gsm8k/77, gsm8k/78",
        ),
        (
            "gsm9k/1\n",
            "1 of the 1 ids in ids.txt belong to no problem: gsm9k/1",
        ),
        ("12\n", "1 of the 1 ids in ids.txt belong to no problem: 12"),
        ("\n \n", "ids.txt holds no id"),
        (
            "gsm8k/0\ngsm8k/1\ngsm8k/2\ngsm8k/3\n",
            "ids.txt excludes every problem that was selected",
        ),
    ] {
        let selection = Selection {
            tasks: Some(vec!["gsm8k".into()]),
            ..Selection::default()
        };
        let text = exclude(content, &selection).unwrap_err();
        assert!(text.starts_with(expected), "{text}");
    }
    assert!(matches!(
        Exclusion::load(Path::new("none.txt")),
        Err(ExclusionError::Unreadable { .. })
    ));
}
