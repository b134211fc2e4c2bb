//! The best of several runs.

use evaluation::{BestRun, ComparedRun, ComparisonSettings, Standing};
use generation::{FinishReason, Prompt};

use crate::comparing::{good, opened, other, three_sets};
use crate::scripted::right;

fn wrong(_: &Prompt) -> (String, FinishReason) {
    ("It must be 1000000.".to_string(), FinishReason::Eos)
}

fn best(runs: &[(ComparedRun, Option<u64>)]) -> BestRun {
    BestRun::of(runs, &ComparisonSettings::default())
        .unwrap()
        .unwrap()
}

#[test]
fn the_highest_accuracy_is_the_best_and_only_what_is_separated_is_worse() {
    let parent = tempfile::tempdir().unwrap();
    let run = |name: &str, answer: fn(&Prompt) -> (String, FinishReason)| {
        opened(parent.path(), name, &three_sets(), answer)
    };
    let runs = [
        (run("checkpoint-1", wrong), Some(1)),
        (run("checkpoint-2", other), Some(2)),
        (run("checkpoint-3", good), Some(3)),
        (run("checkpoint-4", good), Some(4)),
    ];
    let found = best(&runs);
    assert_eq!((found.best, found.best().step), (2, Some(3)));
    // The third set is in no average.
    assert_eq!((found.sets.len(), found.items), (2, 60));
    assert!((found.best().accuracy - 0.9).abs() < 1e-12);
    let standings: Vec<Standing> = found.runs.iter().map(|run| run.standing).collect();
    assert_eq!(
        standings,
        [
            Standing::Worse,
            Standing::CannotTell,
            Standing::Best,
            Standing::CannotTell
        ]
    );
    let other = &found.runs[1];
    assert!((other.difference.unwrap() + 0.1).abs() < 1e-12);
    // Wider than that of one comparison, which is held against in `comparing.rs`.
    let alone =
        evaluation::RunComparison::of(&runs[2].0, &runs[1].0, &ComparisonSettings::default());
    let alone = alone.unwrap().micro.unwrap().interval;
    let joint = other.interval.unwrap();
    assert!(
        joint[0] < alone[0] && joint[1] > alone[1],
        "{joint:?} {alone:?}"
    );
    assert!(
        BestRun::of(&runs[..1], &ComparisonSettings::default())
            .unwrap()
            .is_none()
    );
}

#[test]
fn runs_that_were_asked_otherwise_are_not_compared() {
    let parent = tempfile::tempdir().unwrap();
    let mut shorter = three_sets();
    shorter.decoding.max_tokens = 7;
    let mut fewer = three_sets();
    fewer.problems.truncate(30);
    let runs = [
        (opened(parent.path(), "all", &three_sets(), right), None),
        (opened(parent.path(), "short", &shorter, good), None),
        (opened(parent.path(), "few", &fewer, wrong), None),
    ];
    let found = best(&runs);
    assert_eq!(found.best, 0);
    for (run, reason) in found.runs[1..]
        .iter()
        .zip(["most new tokens", "in the best only"])
    {
        assert_eq!(
            (run.standing, run.interval),
            (Standing::NotComparable, None)
        );
        let why = run.why.as_deref().unwrap();
        assert!(why.contains(reason), "{why}");
    }
}
