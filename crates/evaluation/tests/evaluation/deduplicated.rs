use dataset_loader::{Benchmark, Problem};
use evaluation::{DeduplicatedAverages, RepeatedItems};
use generation::{FinishReason, Prompt, Scripted};

use crate::scripted::{plan, problems, right, run};

fn counted_once(
    problems: Vec<Problem>,
    answer: fn(&Prompt) -> (String, FinishReason),
) -> Option<DeduplicatedAverages> {
    let folder = tempfile::tempdir().unwrap();
    let done = run(
        &plan(problems),
        &mut Scripted::new(answer),
        &folder.path().join("run"),
    )
    .unwrap();
    let stored = done.folder.summary().unwrap();
    assert_eq!(stored, done.summary);
    done.summary.counted_once
}

/// Right where the number is at most 1.
fn half_right(prompt: &Prompt) -> (String, FinishReason) {
    match right(prompt) {
        (text, reason) if text.contains("is 0") || text.contains("is 1") => (text, reason),
        (_, reason) => ("I do not know.".into(), reason),
    }
}

#[test]
fn a_problem_of_two_sets_counts_in_the_first() {
    let benchmark = Benchmark::published();
    // The scripted problems of all tasks are the same: `Which number is 0?`, …
    let asked = problems(&benchmark, &[("gsm8k", 4), ("MATH.Algebra", 6), ("tal", 2)]);
    let once = counted_once(asked, half_right).unwrap();
    let repeated = |set: &str, items| RepeatedItems {
        set: set.into(),
        items,
    };
    assert_eq!(once.repeated, [repeated("math", 4), repeated("tal", 2)]);
    assert_eq!((once.n, once.sets), (6, 2));
    assert!((once.micro.official - 2.0 / 6.0).abs() < 1e-12);
    assert!((once.macro_.strict - 0.25).abs() < 1e-12);
}

#[test]
fn problems_with_other_numbers_are_other_problems() {
    let benchmark = Benchmark::published();
    let mut asked = problems(&benchmark, &[("gsm8k", 2), ("tal", 2)]);
    let long = "A train leaves the old station at noon and travels for two hours at a steady speed of 60 miles. Which number is";
    for (number, problem) in asked.iter_mut().enumerate() {
        problem.question = format!("{long} {number}?");
    }
    assert_eq!(counted_once(asked, right), None);
}

#[test]
fn sets_outside_the_averages_neither_give_nor_take() {
    let benchmark = Benchmark::published();
    let asked = problems(&benchmark, &[("gsm8k", 2), ("FreshGaokaoMath2023", 2)]);
    assert_eq!(counted_once(asked, right), None);
}

#[test]
fn counts_note_what_an_earlier_set_has() {
    let benchmark = Benchmark::published();
    let mut data = dataset_loader::bundled_problems(&benchmark);
    let noted = |data: &dataset_loader::Data| {
        let mut stats = dataset_loader::Stats::of(&benchmark, data, (&[], Vec::new()));
        evaluation::note_repeated(&mut stats, &benchmark, &data.problems);
        stats
            .sets
            .into_iter()
            .find(|set| set.set == "agieval_math")
            .unwrap()
            .notes
            .join(" ")
    };
    assert!(!noted(&data).contains("also in MATH"), "{}", noted(&data));
    let again: Vec<String> = data
        .problems
        .iter()
        .filter(|problem| problem.set == "math")
        .take(2)
        .map(|problem| problem.question.clone())
        .collect();
    let own = data
        .problems
        .iter_mut()
        .filter(|problem| problem.set == "agieval_math");
    own.zip(&again)
        .for_each(|(problem, question)| problem.question = question.to_uppercase());
    assert!(
        noted(&data).contains("2 of these are also in MATH"),
        "{}",
        noted(&data)
    );
}
