//! Which pairs are kept, and why others are not.

use std::fs;
use std::ops::ControlFlow;
use std::path::Path;

use mathscale::{
    ErrorKind, Pair, PairSource, Project, RemovalReason, Removed, ScreenOutcome, ScreenPlan,
    ScreenRules, Stage, Tests, screen,
};
use overlap::{Index, OverlapOptions, TestItem};
use store::JsonLines;

/// A project, and a file of pairs beside it.
pub fn project(folder: &Path, lines: &[(&str, &str)]) -> (Project, PairSource) {
    let file = folder.join("pairs.jsonl");
    let line = |(number, (question, solution)): (usize, &(&str, &str))| {
        let record = serde_json::json!({"id": number + 1, "question": question, "solution": solution, "topics": ["Numbers"], "knowledge_points": ["Sums"], "model": "teacher"});
        format!("{record}\n")
    };
    fs::write(
        &file,
        lines.iter().enumerate().map(line).collect::<String>(),
    )
    .unwrap();
    (
        Project::open_to_write(&folder.join("project")).unwrap(),
        PairSource::File(file),
    )
}

fn tests() -> Tests {
    let item = |id: &str, text: &str| TestItem {
        id: id.into(),
        set: "gsm8k".into(),
        text: text.into(),
    };
    let items = vec![
        item(
            "gsm8k/1",
            "Ann has 12 apples and gives 5 of them to her brother Ben. How many apples does she have left now?",
        ),
        item(
            "gsm8k/2",
            "A train of 15 wagons carries 32 tons of coal in each of them from the mine to the port. How many tons does it carry in all?",
        ),
    ];
    Tests {
        index: Index::new(items, OverlapOptions::default()).unwrap(),
        bundled: false,
    }
}

fn run(
    project: &mut Project,
    pairs: PairSource,
    rules: ScreenRules,
    fresh: bool,
) -> Result<ScreenOutcome, mathscale::Error> {
    let plan = ScreenPlan {
        pairs,
        rules,
        fresh,
    };
    screen(project, &plan, Some(&tests()), &mut |_| {
        ControlFlow::Continue(())
    })
}

const LINES: [(&str, &str); 9] = [
    (
        "Carl buys 3 pens for 2 dollars each. How much does he pay?",
        "3 * 2 = 6. The answer is 6.",
    ),
    (
        "ANN has 12 apples and gives 5 of them to her brother Ben; how many apples does she have left now?",
        "12 - 5 = 7. The answer is 7.",
    ),
    (
        "Carl buys 3 pens for 2 dollars each. How much does he pay?",
        "He pays 6 dollars.",
    ),
    ("", "The answer is 5."),
    (
        "What is the sum of the first ten odd numbers, and why is it a square?",
        "Because it is so.",
    ),
    (
        "A hiker walks 14 kilometres on each of the five days of his tour through the hills near the lake. How far does he walk?",
        "14 * 5 = 70. The answer is 70.",
    ),
    (
        "A hiker walks 14 kilometres on each of the five days of his tour through the hills near the sea. How far does he walk?",
        "14 * 5 = 70. The answer is 70.",
    ),
    (
        "In a port a train of 15 wagons carries 32 tons of coal in each of them from the mine to the port, said the man.",
        "15 * 32 = 480. The answer is 480.",
    ),
    ("How much is 7 times 8?", "\\boxed{56}"),
];

#[test]
fn each_removal_has_its_reason_and_the_rest_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let (mut project, pairs) = project(folder.path(), &LINES);
    let outcome = run(&mut project, pairs.clone(), ScreenRules::default(), false).unwrap();
    let kept: Vec<Pair> = JsonLines::read_all(&project.file("screened.jsonl")).unwrap();
    assert_eq!(
        kept.iter().map(|pair| pair.id.as_str()).collect::<Vec<_>>(),
        ["pairs/1", "pairs/6", "pairs/9"]
    );
    assert_eq!(kept[0].topics, ["Numbers"]);
    let removed: Vec<Removed> = JsonLines::read_all(&project.file("screen.removed.jsonl")).unwrap();
    let reasons: Vec<(&str, RemovalReason, Option<&str>)> = removed
        .iter()
        .map(|why| (why.id.as_str(), why.reason, why.same_as.as_deref()))
        .collect();
    assert_eq!(
        reasons,
        [
            ("pairs/2", RemovalReason::Contaminated, Some("gsm8k/1")),
            ("pairs/3", RemovalReason::Duplicate, Some("pairs/1")),
            ("pairs/4", RemovalReason::Malformed, None),
            ("pairs/5", RemovalReason::NoFinalAnswer, None),
            ("pairs/7", RemovalReason::NearDuplicate, Some("pairs/6")),
            ("pairs/8", RemovalReason::Contaminated, Some("gsm8k/2")),
        ]
    );
    assert!(
        removed[5].detail.contains("13-grams"),
        "{}",
        removed[5].detail
    );
    let report = outcome.details.report;
    assert_eq!(
        (
            report.read,
            report.kept,
            report.contaminated_by_set["gsm8k"]
        ),
        (9, 3, 2)
    );
    assert_eq!(report.removed.values().sum::<u64>(), 6);
    assert_eq!(report.tests.map(|tests| tests.sets["gsm8k"]), Some(2));
    assert!(
        run(&mut project, pairs, ScreenRules::default(), false)
            .unwrap()
            .already_there
    );
}

#[test]
fn other_rules_or_tests_are_refused_with_the_difference() {
    let folder = tempfile::tempdir().unwrap();
    let (mut project, pairs) = project(folder.path(), &LINES);
    run(&mut project, pairs.clone(), ScreenRules::default(), false).unwrap();
    let exact = ScreenRules {
        min_jaccard: None,
        final_answer: false,
        ..ScreenRules::default()
    };
    let message = run(&mut project, pairs.clone(), exact, false)
        .unwrap_err()
        .to_string();
    assert!(
        message.contains("options.near is 0.7 there and null here"),
        "{message}"
    );
    let without = ScreenPlan {
        pairs: pairs.clone(),
        rules: ScreenRules::default(),
        fresh: false,
    };
    let message = screen(&mut project, &without, None, &mut |_| {
        ControlFlow::Continue(())
    })
    .unwrap_err()
    .to_string();
    assert!(message.contains("options.tests is "), "{message}");
    let outcome = run(&mut project, pairs.clone(), exact, true).unwrap();
    assert_eq!(outcome.details.report.kept, 5);
    assert!(project.file("replaced/screen-1/screened.jsonl").is_file());
    let wild = ScreenRules {
        min_jaccard: Some(0.1),
        ..ScreenRules::default()
    };
    assert!(
        run(&mut project, pairs, wild, true)
            .unwrap_err()
            .to_string()
            .contains("0.5 to 1")
    );
}

#[test]
fn a_stop_keeps_nothing_and_the_same_call_starts_again() {
    let folder = tempfile::tempdir().unwrap();
    let (mut project, pairs) = project(folder.path(), &LINES);
    let plan = ScreenPlan {
        pairs: pairs.clone(),
        ..ScreenPlan::default()
    };
    let stopped = screen(&mut project, &plan, None, &mut |_| ControlFlow::Break(())).unwrap_err();
    assert!(
        matches!(
            stopped.kind(),
            ErrorKind::Interrupted {
                stage: Stage::Screen,
                done: 9,
                what: "pairs"
            }
        ),
        "{stopped}"
    );
    assert!(!project.file("screened.jsonl").exists());
    let outcome = screen(
        &mut project,
        &plan,
        None,
        &mut |_| ControlFlow::Continue(()),
    )
    .unwrap();
    assert_eq!(
        (outcome.already_there, outcome.details.report.kept),
        (false, 5)
    );
}

#[test]
fn what_is_no_pair_is_named_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let (mut project, _) = project(folder.path(), &LINES);
    let file = folder.path().join("odd.jsonl");
    fs::write(
        &file,
        "{\"question\":\"Q\",\"answer\":\"5\"}\n{\"question\":\"Q\"}\n",
    )
    .unwrap();
    let message = run(
        &mut project,
        PairSource::File(file),
        ScreenRules::default(),
        false,
    )
    .unwrap_err()
    .to_string();
    assert!(
        message.contains("odd.jsonl, line 2: no question with a solution"),
        "{message}"
    );
    let message = run(
        &mut project,
        PairSource::Latest,
        ScreenRules::default(),
        true,
    )
    .unwrap_err()
    .to_string();
    assert!(
        message.contains("\"generate\" has not been run"),
        "{message}"
    );
}

/// Real pairs of a public pipeline.
#[test]
#[ignore = "needs the real data ($MWPBENCH_SHARED_DATA)"]
fn real_pairs_are_screened() {
    let shared = std::env::var_os("MWPBENCH_SHARED_DATA").map(std::path::PathBuf::from);
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let file = shared
        .unwrap_or(beside)
        .join("mathscale/math_generation.json");
    let folder = tempfile::tempdir().unwrap();
    let mut project = Project::open_to_write(&folder.path().join("project")).unwrap();
    let outcome = run(
        &mut project,
        PairSource::File(file),
        ScreenRules::default(),
        false,
    )
    .unwrap();
    eprintln!("{:?}", outcome.details.report);
    assert_eq!(outcome.details.report.read, 43);
    assert!(
        outcome.details.report.kept > 20,
        "{:?}",
        outcome.details.report
    );
}
