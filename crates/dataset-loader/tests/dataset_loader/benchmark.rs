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
    assert_eq!(all, 8 + 7 + 7 + 1 + 13);
}

#[test]
fn the_further_sets_are_asked_on_request_and_in_no_average() {
    let benchmark = Benchmark::published();
    let further: Vec<_> = benchmark
        .sets()
        .iter()
        .filter(|set| set.on_request)
        .collect();
    let counts: Vec<(&str, usize)> = further
        .iter()
        .map(|set| (set.name.as_str(), set.count()))
        .collect();
    assert_eq!(
        counts,
        [
            ("math_500", 500),
            ("aime_2024", 30),
            ("aime_2025", 30),
            ("amc_2023", 40),
            ("minerva_math", 272),
            ("olympiadbench", 675),
            ("gaokao_2023_en", 385),
            ("svamp", 1000),
            ("asdiv", 2215),
            ("mawps", 2065),
            ("cmath", 600),
            ("sat_math_qwen", 32),
            ("aqua", 254),
        ]
    );
    for set in &further {
        assert!(!set.in_average, "{}", set.name);
        assert!(set.answers.is_some(), "{}: kind of answers", set.name);
        let source = set.source.as_ref().expect("where it is from");
        assert!(!source.license.is_empty(), "{}", set.name);
        let from = set.examples_from.as_deref();
        assert!(
            from.is_none_or(|name| benchmark.set(name).is_some()),
            "{}",
            set.name
        );
    }
    assert_eq!(benchmark.mwpbench_sets().count(), 11);
    assert!(benchmark.mwpbench_sets().all(|set| !set.on_request));
}
