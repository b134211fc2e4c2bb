use std::fs;
use std::path::{Path, PathBuf};

use dataset_loader::{
    Benchmark, Data, Destination, DropReason, ErrorKind, ImportPlan, Imported, import, load,
};
use fault::{Class, Fault};
use serde_json::{Value, json};

/// A folder with a publisher's files, and a place for what comes of them.
struct Bench {
    folder: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.folder.path().join("in").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        path
    }

    fn output(&self) -> PathBuf {
        self.folder.path().join("out.jsonl")
    }

    fn import(
        &self,
        set: &str,
        input: &Path,
        split: &str,
    ) -> Result<Imported, dataset_loader::Error> {
        let output = self.output();
        let plan = ImportPlan {
            set,
            input,
            destination: Destination::File(&output),
            split,
            keep_choices: false,
            force: true,
        };
        import(&Benchmark::published(), &plan)
    }

    fn import_to_data_folder(
        &self,
        set: &str,
        input: &Path,
        split: &str,
    ) -> Result<Imported, dataset_loader::Error> {
        let folder = self.folder.path().join("data");
        let plan = ImportPlan {
            set,
            input,
            destination: Destination::DataFolder(&folder),
            split,
            keep_choices: false,
            force: false,
        };
        import(&Benchmark::published(), &plan)
    }

    /// The records that were written.
    fn records(&self) -> Vec<Value> {
        let text = fs::read_to_string(self.output()).unwrap();
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    fn data(&self) -> Data {
        load(&Benchmark::published(), &self.output()).unwrap()
    }
}

const GSM8K: &str = r#"{"question":" How many? ","answer":"6 - 2 = <<6-2=4>>4\n#### 4"}"#;

fn tal(id: &str, problem: &str, options: &[(&str, &str)], answer: &str) -> String {
    let option = |(label, content): &(&str, &str)| json!([{ "aoVal": label, "content": content }]);
    json!({
        "dataset_name": "prime_math_competition_en_single_choice_8K_dev",
        "qid": id,
        "problem": problem,
        "answer_option_list": options.iter().map(option).collect::<Vec<_>>(),
        "knowledge_point_routes": ["Overseas Competition->Knowledge Point->Number Theory Modules"],
        "answer_analysis": null,
        "answer_value": answer,
    })
    .to_string()
}

const OPTIONS: [(&str, &str); 3] = [("A", "$$3$$ "), ("B", "$$4$$ "), ("C", " ")];

#[test]
fn gsm8k_gives_what_stands_after_the_mark_and_keeps_the_solution() {
    let bench = Bench::new();
    let input = bench.file("test.jsonl", GSM8K);
    let imported = bench.import("gsm8k", &input, "test").unwrap();
    assert_eq!((imported.read, imported.converted), (1, 1));
    let expected = json!({
        "data_source": "openai/grade-school-math", "question_number": "1", "question": "How many?", "answer": "4",
        "license": "MIT", "data_topic": "gsm8k", "solution": "6 - 2 = <<6-2=4>>4\n#### 4",
    });
    assert_eq!(bench.records(), [expected]);
}

#[test]
fn the_last_mark_of_a_solution_counts() {
    let bench = Bench::new();
    let record = json!({ "question": "q", "answer": "#### 3 is not it\n#### 1,450" });
    let input = bench.file("test.jsonl", record.to_string());
    bench.import("gsm8k", &input, "test").unwrap();
    assert_eq!(bench.records()[0]["answer"], "1,450");
}

#[test]
fn a_solution_without_an_answer_is_dropped_and_named() {
    let bench = Bench::new();
    let input = bench.file(
        "test.jsonl",
        format!("{GSM8K}\n{}", r#"{"question":"q","answer":"no mark"}"#),
    );
    let imported = bench.import("gsm8k", &input, "test").unwrap();
    let [dropped] = imported.dropped.as_slice() else {
        panic!("{:?}", imported.dropped)
    };
    assert_eq!((dropped.line, dropped.id.as_str()), (2, "gsm8k/2"));
    assert!(matches!(dropped.reason, DropReason::NoAnswer { .. }));
}

#[test]
fn math_in_a_folder_a_subject_is_numbered_by_its_files() {
    let bench = Bench::new();
    let problem = |kind: &str, answer: u32| {
        let solution = format!("so $\\boxed{{{answer}}}$");
        json!({ "problem": "p?", "level": "Level 1", "type": kind, "solution": solution })
            .to_string()
    };
    bench.file("MATH/test/algebra/10.json", problem("Algebra", 10));
    bench.file("MATH/test/algebra/2.json", problem("Algebra", 2));
    bench.file(
        "MATH/test/counting_and_probability/2.json",
        problem("Counting & Probability", 7),
    );
    bench.file("MATH/train/algebra/3.json", problem("Algebra", 3));
    let root = bench.folder.path().join("in/MATH");
    let imported = bench.import("math", &root, "test").unwrap();
    assert_eq!(imported.converted, 3);
    let ids: Vec<String> = bench
        .data()
        .problems
        .iter()
        .map(|problem| problem.id.clone())
        .collect();
    assert_eq!(
        ids,
        [
            "MATH.Algebra/2",
            "MATH.Algebra/10",
            "MATH.Counting_&_Probability/2"
        ]
    );
    assert_eq!(bench.records()[0]["level"], "Level 1");
    assert_eq!(bench.import("math", &root, "train").unwrap().converted, 1);
    assert_eq!(bench.records()[0]["split"], "train");
    // A folder that is named after another split holds nothing of this one.
    let error = bench
        .import("math", &root.join("train"), "test")
        .unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::NoFileOfSplit { .. }) && error.class() == Class::Usage,
        "{error}"
    );
}

#[test]
fn multiple_choice_becomes_a_word_problem_with_the_content_of_the_correct_option() {
    let bench = Bench::new();
    let lines = [
        tal("7", "What is $$1+2$$? ", &OPTIONS, "A"),
        tal("8", "Which Of The Following is $$4$$?", &OPTIONS, "B"),
        tal("9", "How many, then?", &OPTIONS, "C"),
        tal("10", "How many, then?", &OPTIONS, "AB"),
        tal("11", "How many, then?", &OPTIONS, "D"),
    ];
    let input = bench.file("en_single_choice_test_2K.jsonl", lines.join("\n"));
    let imported = bench.import("tal", &input, "test").unwrap();
    let records = bench.records();
    assert_eq!(records.len(), 1);
    assert_eq!(
        (&records[0]["question"], &records[0]["answer"]),
        (&json!("What is $$1+2$$?"), &json!("$$3$$"))
    );
    assert_eq!(
        records[0]["options"],
        json!({ "A": "$$3$$", "B": "$$4$$", "C": "" })
    );
    assert_eq!(records[0]["label"], "A");
    assert!(records[0]["knowledge_point_routes"].is_array());
    let reasons: Vec<_> = imported
        .dropped
        .iter()
        .map(|dropped| (dropped.line, dropped.reason.clone()))
        .collect();
    assert_eq!(
        reasons,
        [
            (
                2,
                DropReason::NeedsOptions {
                    phrase: "which of the following"
                }
            ),
            (3, DropReason::EmptyOption { label: "C".into() }),
            (
                4,
                DropReason::SeveralCorrect {
                    labels: "AB".into()
                }
            ),
            (5, DropReason::NoSuchOption { label: "D".into() }),
        ]
    );
}

#[test]
fn each_of_the_five_phrases_needs_the_options() {
    for phrase in [
        "which of the following",
        "which one",
        "which is",
        "the following",
        "which statement",
    ] {
        let found =
            dataset_loader::needs_options(&format!("Say, {} holds?", phrase.to_uppercase()));
        assert_eq!(found, Some(phrase));
    }
    assert_eq!(
        dataset_loader::needs_options("Which number follows? What is the statement?"),
        None
    );
}

#[test]
fn options_can_be_kept_with_labels_as_references() {
    let bench = Bench::new();
    let lines = [
        tal("8", "Which of the following is $$4$$?", &OPTIONS, "B"),
        tal("9", "Both?", &OPTIONS, "A B"),
    ];
    let input = bench.file("test.jsonl", lines.join("\n"));
    let output = bench.output();
    let destination = Destination::File(&output);
    let plan = ImportPlan {
        set: "tal",
        input: &input,
        destination,
        split: "test",
        keep_choices: true,
        force: false,
    };
    let imported = import(&Benchmark::published(), &plan).unwrap();
    assert_eq!((imported.converted, imported.dropped.len()), (2, 0));
    let records = bench.records();
    assert_eq!(
        records[0]["question"],
        "Which of the following is $$4$$?\n(A) $$3$$\n(B) $$4$$\n(C) "
    );
    assert_eq!(
        (&records[0]["answer"], &records[1]["answer"]),
        (&json!("B"), &json!("AB"))
    );
}

#[test]
fn math23k_is_a_run_of_objects_whose_answers_stay_as_they_are() {
    let bench = Bench::new();
    let object = |id: u32, answer: &str| {
        format!(
            "{{\n  \"id\": \"{id}\",\n  \"original_text\": \"多少？\",\n  \"equation\": \"x=1\",\n  \"ans\": \"{answer}\"\n}}\n"
        )
    };
    let answers = ["15%", "((1)/(5))", "1((1)/(2))", "0.5"];
    let content: String = answers
        .iter()
        .zip(1..)
        .map(|(answer, id)| object(id, answer))
        .collect();
    let imported = bench
        .import("math23k", &bench.file("math23k_test.json", content), "test")
        .unwrap();
    assert_eq!((imported.converted, imported.untranslated), (4, 4));
    let records = bench.records();
    assert_eq!(
        records
            .iter()
            .map(|record| record["answer"].as_str().unwrap())
            .collect::<Vec<_>>(),
        answers
    );
    assert_eq!(
        (&records[0]["language"], &records[0]["equation"]),
        (&json!("zh"), &json!("x=1"))
    );
}

#[test]
fn gaokao_bench_finds_the_options_in_the_question() {
    let bench = Bench::new();
    let choice = "1. （5 分) 集合 A. 与 B 的 ( )\nA. $1$\nB. $\\{2\\}$ C. 3\n\nD.\n\n$x<4$\n";
    let content = json!({
        "keywords": "2010-2022_Math_I_MCQs",
        "example": [
            { "year": "2010", "question": choice, "answer": ["C"], "analysis": "解", "index": 4, "score": 5 },
            { "year": "2011", "question": "13. 方程为\n", "answer": "$x=1$\n", "analysis": "解", "index": 5, "score": 5 },
        ],
    });
    let input = bench.file(
        "2010-2022_Math_I_MCQs.json",
        serde_json::to_string_pretty(&content).unwrap(),
    );
    bench.import("gaokao_bench", &input, "test").unwrap();
    let records = bench.records();
    assert_eq!(records[0]["question_number"], "2010-2022_Math_I_MCQs.4");
    assert_eq!(records[0]["question"], "1. （5 分) 集合 A. 与 B 的 ( )");
    assert_eq!(
        records[0]["options"],
        json!({ "A": "$1$", "B": "$\\{2\\}$", "C": "3", "D": "$x<4$" })
    );
    assert_eq!(
        (&records[0]["answer"], &records[1]["answer"]),
        (&json!("3"), &json!("$x=1$"))
    );
}

#[test]
fn agieval_has_labelled_options_blanks_and_passages() {
    let bench = Bench::new();
    let lines = [
        json!({ "passage": "the following table", "question": "How much?\\\\\n", "options": ["(A)$1$", "(B) two"], "label": "B",
            "other": { "solution": "s" } }),
        json!({ "passage": null, "question": "多少", "options": ["(A)1", "(B)2"], "label": "A B", "answer": null }),
        json!({ "passage": "", "question": "填空", "options": null, "label": null, "answer": "$5$;$10$", "other": null }),
    ];
    let input = bench.file(
        "sat-math.jsonl",
        lines.map(|line| line.to_string()).join("\n"),
    );
    let imported = bench.import("agieval_sat", &input, "test").unwrap();
    let records = bench.records();
    // The phrases are looked for in the question, not in what stands before it.
    assert_eq!(records[0]["question"], "the following table\nHow much?");
    assert_eq!(
        (&records[0]["answer"], &records[0]["solution"]),
        (&json!("two"), &json!("s"))
    );
    assert_eq!(
        (&records[1]["question_number"], &records[1]["answer"]),
        (&json!("sat-math.2"), &json!("$5$;$10$"))
    );
    assert_eq!(
        imported.dropped[0].reason,
        DropReason::SeveralCorrect {
            labels: "AB".into()
        }
    );
}

#[test]
fn a_file_in_the_record_form_is_taken_by_every_set_and_keeps_what_it_has() {
    let bench = Bench::new();
    let lines = [
        r#"{"data_topic":"gsm8k","question_number":"a","question":"q?","answer":"1","data_source":"s","level":3}"#,
        r#"{"data_topic":"tal","question":"q?","answer":"1"}"#,
        r#"{"data_topic":"gsm8k","question_number":"a","question":"q?","answer":"1","data_source":"s","level":3}"#,
    ];
    let input = bench.file("full_test.json", lines.join("\n"));
    let imported = bench.import("gsm8k", &input, "test").unwrap();
    assert_eq!((imported.read, imported.converted), (3, 1));
    let reasons: Vec<DropReason> = imported
        .dropped
        .iter()
        .map(|dropped| dropped.reason.clone())
        .collect();
    assert_eq!(
        reasons,
        [
            DropReason::OtherSet { set: "tal".into() },
            DropReason::Repeated
        ]
    );
    let record = &bench.records()[0];
    assert_eq!(
        (&record["data_source"], &record["level"]),
        (&json!("s"), &json!(3))
    );
    let imported = bench
        .import(dataset_loader::ALL_SETS, &input, "test")
        .unwrap();
    assert_eq!(
        imported.tasks,
        [("gsm8k".to_string(), 1), ("tal".to_string(), 1)]
    );
}

#[test]
fn records_of_another_form_are_refused_with_file_line_and_field_and_nothing_is_written() {
    for (set, content, expected) in [
        (
            "math",
            GSM8K,
            "line 1: the field \"problem\" is missing (expected MATH as published",
        ),
        (
            "college_math",
            GSM8K,
            "line 1: the field \"data_topic\" is missing",
        ),
        (
            "gsm8k",
            r#"{"question":"q","answer":4}"#,
            "line 1: the field \"answer\" must be a string, found a number",
        ),
        ("gsm8k", "[1]", "not a JSON object: found a number"),
        (
            "tal",
            r#"{"problem":"p","answer_value":"A","answer_option_list":"x"}"#,
            "must be a list, found a string",
        ),
        (
            "tal",
            r#"{"problem":"p","answer_value":"yes","answer_option_list":[]}"#,
            "must be the label of an option",
        ),
        (
            "gaokao_bench",
            r#"{"keywords":"k","example":[{"question":"q"}]}"#,
            "\"example[0].answer\" is missing",
        ),
        (
            "gaokao_bench",
            r#"{"keywords":"k","example":[{"question":"q","answer":["A"]}]}"#,
            "with options A., B.",
        ),
        (
            "agieval_sat",
            r#"{"question":"q","options":["1"],"label":"A"}"#,
            "an option without a label",
        ),
        (
            "mwpbench",
            r#"{"data_topic":"gsm9k","question":"q","answer":"1"}"#,
            "no known task: \"gsm9k\"",
        ),
        (
            "math",
            r#"{"problem":"p","type":"Logic","solution":"\\boxed{1}"}"#,
            "no known task: \"MATH.Logic\"",
        ),
        ("gsm8k", "", "holds no record"),
    ] {
        let bench = Bench::new();
        let error = bench
            .import(set, &bench.file("test.jsonl", content), "test")
            .unwrap_err();
        assert!(error.to_string().contains(expected), "{set}: {error}");
        assert!(error.to_string().contains("test.jsonl"), "{error}");
        assert!(error.class() != Class::Usage, "{error}");
        let left: Vec<_> = fs::read_dir(bench.folder.path())
            .unwrap()
            .flatten()
            .map(|entry| entry.file_name())
            .collect();
        assert_eq!(left, ["in"]);
    }
}

#[test]
fn the_same_number_for_two_problems_is_refused() {
    let bench = Bench::new();
    let lines = [
        tal("7", "What is one?", &OPTIONS, "A"),
        tal("7", "What is two?", &OPTIONS, "B"),
    ];
    let error = bench
        .import("tal", &bench.file("test.jsonl", lines.join("\n")), "test")
        .unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::DuplicateId { .. }),
        "{error}"
    );
    assert_eq!(error.line(), Some(2));
}

#[test]
fn an_input_is_never_written_over() {
    let bench = Bench::new();
    let input = bench.file("test.jsonl", GSM8K);
    let again = bench.folder.path().join("in/../in/test.jsonl");
    let destination = Destination::File(&again);
    let plan = ImportPlan {
        set: "gsm8k",
        input: &input,
        destination,
        split: "test",
        keep_choices: false,
        force: false,
    };
    let error = import(&Benchmark::published(), &plan).unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::OutputIsInput) && error.class() == Class::Usage,
        "{error}"
    );
    assert_eq!(fs::read_to_string(&input).unwrap(), GSM8K);
}

#[test]
fn the_data_folder_has_a_place_for_tests_training_files_and_untranslated_ones() {
    let bench = Bench::new();
    let gsm8k = bench.file("test.jsonl", GSM8K);
    let chinese = bench.file(
        "test.ape.json",
        r#"{"id":"1","original_text":"多少？","ans":"(3/5)"}"#,
    );
    let data = bench.folder.path().join("data");
    assert_eq!(
        bench
            .import_to_data_folder("gsm8k", &gsm8k, "test")
            .unwrap()
            .output,
        data.join("gsm8k.jsonl")
    );
    assert_eq!(
        bench
            .import_to_data_folder("gsm8k", &gsm8k, "train")
            .unwrap()
            .output,
        data.join("gsm8k.train.jsonl")
    );
    let untranslated = bench
        .import_to_data_folder("ape210k", &chinese, "test")
        .unwrap()
        .output;
    assert_eq!(untranslated, data.join("untranslated/ape210k.jsonl"));
    let error = bench
        .import_to_data_folder("gsm8k", &gsm8k, "valid")
        .unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::NeedsOutput { .. }),
        "{error}"
    );
    assert_eq!(
        load(&Benchmark::published(), &data).unwrap().problems.len(),
        1
    );
    // The same set from another file would be asked twice.
    fs::rename(data.join("gsm8k.jsonl"), data.join("full_test.json")).unwrap();
    let error = bench
        .import_to_data_folder("gsm8k", &gsm8k, "test")
        .unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::OtherFileOfSet { .. }) && error.class() == Class::Usage,
        "{error}"
    );
}

#[test]
fn untranslated_problems_are_not_asked_unless_their_set_is_in_that_language() {
    let bench = Bench::new();
    let benchmark = Benchmark::published();
    bench
        .import(
            "ape210k",
            &bench.file("a.json", r#"{"id":"1","original_text":"多少？","ans":"1"}"#),
            "test",
        )
        .unwrap();
    let data = bench.data();
    let error = data.check_language(&benchmark, &data.problems).unwrap_err();
    assert!(error.to_string().contains(
        "1 of the problems asked are not translated (the first is \"ape210k_en/1\", in \"zh\")"
    ));
    assert!(data.check_language(&benchmark, &[]).is_ok());
}
