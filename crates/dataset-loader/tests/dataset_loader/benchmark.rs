use dataset_loader::Benchmark;

/// Table 1 of the paper (arXiv:2403.02884): set, level, difficulty, question type, language, train,
/// test.
const TABLE_1: [(&str, &str, &str, &str, &str, usize, usize); 10] = [
    ("gsm8k", "Elementary", "Easy", "Word", "En", 7473, 1319),
    ("math", "Competition", "ExHard", "Word", "En", 7498, 5000),
    (
        "college_math",
        "College",
        "ExHard",
        "Word",
        "En",
        1281,
        2818,
    ),
    ("tal", "K12 Math", "Medium", "MC->Word", "En", 2638, 1496),
    ("math23k", "Elementary", "Easy", "Word", "Zh->En", 1000, 949),
    ("ape210k", "Elementary", "Easy", "Word", "Zh->En", 967, 4874),
    (
        "gaokao_bench",
        "High School",
        "Hard",
        "MC->Word",
        "Zh->En",
        0,
        508,
    ),
    (
        "agieval_gaokao",
        "High School",
        "Hard",
        "MC->Word",
        "Zh->En",
        0,
        404,
    ),
    (
        "agieval_sat",
        "High School",
        "Hard",
        "MC->Word",
        "En",
        0,
        102,
    ),
    (
        "agieval_math",
        "Competition",
        "ExHard",
        "Word",
        "En",
        0,
        938,
    ),
];

#[test]
fn the_ten_averaged_sets_are_those_of_table_1_in_the_agreed_order() {
    let benchmark = Benchmark::published();
    let averaged = benchmark.sets().iter().filter(|set| set.in_average);
    let described: Vec<_> = averaged
        .map(|set| {
            (
                set.name.as_str(),
                set.level.as_str(),
                set.difficulty.as_str(),
                set.question_type.as_str(),
                set.language.as_str(),
                set.train_count,
                set.count(),
            )
        })
        .collect();
    assert_eq!(described, TABLE_1);
}

#[test]
fn fresh_gaokao_stands_beside_the_ten() {
    let benchmark = Benchmark::published();
    let fresh = benchmark.set("fresh_gaokao_2023").expect("it is described");
    assert!(!fresh.in_average);
    assert_eq!(fresh.count(), 30);
    assert_eq!(benchmark.set_of_task("FreshGaokaoMath2023"), Some(fresh));
}

#[test]
fn task_names_belong_to_one_set_each() {
    let benchmark = Benchmark::published();
    let mut names: Vec<&str> = benchmark.task_names().collect();
    let all = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), all);
    assert_eq!(all, 8 + 7 + 7 + 1);
}
