use std::collections::{HashMap, HashSet};

use dataset_loader::{Benchmark, DataOrigin, all_bundled_problems, bundled_problems};

#[test]
fn every_averaged_set_has_20_samples_and_every_task_5() {
    let benchmark = Benchmark::published();
    let data = all_bundled_problems(&benchmark);
    assert_eq!(data.origin, DataOrigin::Bundled);
    let (mut of_set, mut of_task) = (HashMap::<&str, usize>::new(), HashMap::<&str, usize>::new());
    for problem in &data.problems {
        *of_set.entry(&problem.set).or_default() += 1;
        *of_task.entry(&problem.task).or_default() += 1;
    }
    for set in benchmark.sets() {
        if set.in_average {
            assert!(of_set[set.name.as_str()] >= 20, "{}", set.name);
        }
        for task in &set.tasks {
            assert!(of_task[task.name.as_str()] >= 5, "{}", task.name);
        }
        if set.on_request {
            assert_eq!(of_set[set.name.as_str()], 10, "{}", set.name);
        }
    }
    assert!(of_set["math"] + of_set["college_math"] >= 140);
}

#[test]
fn samples_come_in_the_order_of_the_sets() {
    let benchmark = Benchmark::published();
    let mut order: Vec<String> = all_bundled_problems(&benchmark)
        .problems
        .into_iter()
        .map(|problem| problem.set)
        .collect();
    order.dedup();
    let expected: Vec<String> = benchmark
        .sets()
        .iter()
        .map(|set| set.name.clone())
        .collect();
    assert_eq!(order, expected);
}

#[test]
fn no_question_is_asked_twice() {
    let problems = all_bundled_problems(&Benchmark::published()).problems;
    let questions: HashSet<String> = problems
        .iter()
        .map(|problem| problem.question.to_lowercase())
        .collect();
    assert_eq!(questions.len(), problems.len());
}

#[test]
fn the_problems_of_further_sets_change_nothing_of_the_others() {
    let benchmark = Benchmark::published();
    let (own, all) = (
        bundled_problems(&benchmark),
        all_bundled_problems(&benchmark),
    );
    assert!(own.problems.iter().all(|problem| {
        let set = benchmark.set(&problem.set).expect("it is known");
        !set.on_request
    }));
    assert_eq!(all.problems[..own.problems.len()], own.problems[..]);
    assert_eq!(all.problems.len() - own.problems.len(), 130);
    assert_ne!(own.digest, all.digest);
    // Recorded with the eleven sets of the first version: run folders are bound to it.
    assert_eq!(own.digest[..16], *"5c173526d09d8ed2");
}
