use dataset_loader::{Benchmark, Problem};
use evaluation::{FewShot, FewShotError, FewShotPlan, Template, TrainingRecord};
use proptest::prelude::*;

use crate::scripted::plan;

fn problem(set: &str, id: &str, question: &str) -> Problem {
    Problem {
        id: id.to_string(),
        set: set.to_string(),
        task: set.to_string(),
        question: question.to_string(),
        reference: "7".to_string(),
    }
}

/// So many training problems, each with words of its own.
fn training(set: &str, count: usize) -> Vec<TrainingRecord> {
    const THINGS: [&str; 8] = [
        "apples", "books", "coins", "drums", "eggs", "flags", "geese", "hats",
    ];
    let record = |number: usize| TrainingRecord {
        problem: problem(
            set,
            &format!("{set}/train.{number}"),
            &format!(
                "Person number {number} keeps {} {} in a shed and sells some of them. How many stay there?",
                number * 3 + 5,
                THINGS[number % 8]
            ),
        ),
        solution: Some(format!("{} - 1 = 7\n#### 7", number + 8)),
    };
    (0..count).map(record).collect()
}

fn few(examples: usize, seed: u64) -> FewShotPlan {
    FewShotPlan {
        examples,
        seed,
        boxed: false,
    }
}

fn choose(
    asked: &[Problem],
    training: &[TrainingRecord],
    plan: FewShotPlan,
) -> Result<FewShot, FewShotError> {
    FewShot::choose(&Benchmark::published(), asked, training, plan)
}

#[test]
fn examples_come_from_the_set_or_from_the_one_that_stands_for_it() {
    let asked = [
        problem("gsm8k", "gsm8k/1", "Which number is one?"),
        problem("svamp", "svamp/1", "Which number is two?"),
    ];
    let chosen = choose(&asked, &training("gsm8k", 20), few(3, 0)).unwrap();
    assert_eq!(chosen.of_set("gsm8k").len(), 3);
    // SVAMP has no training split: its description names GSM8K.
    assert_eq!(chosen.of_set("svamp"), chosen.of_set("gsm8k"));
    assert!(
        chosen.of_set("gsm8k")[0]
            .answer
            .ends_with("\nThe answer is 7.")
    );
    assert_eq!(
        choose(&asked, &training("math", 20), few(3, 0)),
        Err(FewShotError::NoTraining {
            set: "gsm8k".to_string(),
            of: "of gsm8k".to_string()
        })
    );
}

#[test]
fn a_training_problem_that_is_asked_is_no_example() {
    let mut records = training("gsm8k", 4);
    // The same question with other blanks and capitals.
    let asked = [problem(
        "gsm8k",
        "gsm8k/1",
        &records[2]
            .problem
            .question
            .to_uppercase()
            .replace(' ', "  "),
    )];
    let chosen = choose(&asked, &records, few(3, 5)).unwrap();
    let ids: Vec<&str> = chosen
        .of_set("gsm8k")
        .iter()
        .map(|example| example.id.as_str())
        .collect();
    assert!(!ids.contains(&"gsm8k/train.2"), "{ids:?}");
    assert_eq!(
        choose(&asked, &records, few(4, 5)),
        Err(FewShotError::TooFew {
            set: "gsm8k".to_string(),
            at_hand: 4,
            usable: 3
        })
    );
    // By its id too.
    records[1].problem.id = "gsm8k/1".to_string();
    assert!(choose(&asked, &records, few(3, 5)).is_err());
}

#[test]
fn examples_stand_before_the_question_in_the_template_and_in_the_identity() {
    let asked = vec![problem("gsm8k", "gsm8k/1", "Which number is one?")];
    let few_shot = choose(&asked, &training("gsm8k", 9), few(2, 1)).unwrap();
    let mut run_plan = plan(asked);
    run_plan.template = Template::named("alpaca").unwrap();
    let zero_shot = run_plan.prompts().unwrap()[0].text.clone();
    run_plan.few_shot = Some(few_shot.clone());
    let text = run_plan.prompts().unwrap()[0].text.clone();
    assert!(text.ends_with(&format!("\n\n{zero_shot}")), "{text}");
    assert_eq!(text.matches("### Instruction:").count(), 3);
    for example in few_shot.of_set("gsm8k") {
        assert!(
            text.contains(&format!("### Response: {}\n\n", example.answer)),
            "{text}"
        );
    }
    let info = generation::GeneratorInfo {
        name: "m".into(),
        kind: "script".into(),
        details: Default::default(),
    };
    let identity = run_plan.identity(info.clone());
    run_plan.few_shot = None;
    assert_ne!(identity.digest(), run_plan.identity(info).digest());
}

#[test]
fn the_boxed_prompt_stops_where_a_next_question_would_be_asked() {
    let boxed = Template::named("boxed").unwrap();
    assert!(boxed.asks_for_a_box());
    let line = "Please reason step by step, and put your final answer within \\boxed{}.";
    assert!(boxed.few_shot_stop_strings().contains(&line.to_string()));
    assert!(!boxed.stop_strings().contains(&line.to_string()));
    // Alpaca's own marks are among the protocol's stop strings.
    let alpaca = Template::named("alpaca").unwrap();
    assert_eq!(alpaca.few_shot_stop_strings(), alpaca.stop_strings());
}

proptest! {
    #[test]
    fn a_seed_chooses_the_same_examples_whatever_else_there_is(
        seed in any::<u64>(), examples in 1usize..6, more in 0usize..20,
    ) {
        let asked = [problem("gsm8k", "gsm8k/1", "Which number is one?")];
        let mut records = training("gsm8k", 12);
        let chosen = choose(&asked, &records, few(examples, seed)).unwrap();
        prop_assert_eq!(chosen.of_set("gsm8k").len(), examples);
        // Order and other sets change nothing, and fewer examples are the first of more.
        records.reverse();
        records.extend(training("math", more));
        prop_assert_eq!(&choose(&asked, &records, few(examples, seed)).unwrap(), &chosen);
        let longer = choose(&asked, &records, few(examples + 1, seed)).unwrap();
        prop_assert_eq!(&longer.of_set("gsm8k")[..examples], chosen.of_set("gsm8k"));
    }
}
