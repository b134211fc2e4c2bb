//! Pairs judged by a scripted generator.

use std::num::NonZeroU32;
use std::ops::ControlFlow;

use generation::{Decoding, Prompt, Sampling, Scripted};
use mathscale::{
    Asking, Error, JudgeAndScorer, OnWrong, Pair, PairSource, Project, Rejected, ScreenPlan,
    ScreenRules, ValidateOutcome, ValidatePlan, Validation, ValidationMethod, screen, validate,
};
use store::JsonLines;

use crate::generating::{COUNT, generated, number};

fn plan(method: ValidationMethod, on_wrong: OnWrong) -> ValidatePlan<'static> {
    let sampling = Sampling {
        temperature: 0.7,
        top_k: None,
        top_p: 1.0,
        min_p: 0.0,
        repetition_penalty: 1.0,
        seed: 1,
        samples: NonZeroU32::MIN,
    };
    ValidatePlan {
        method,
        on_wrong,
        asking: Asking {
            decoding: Decoding {
                sampling: Some(sampling),
                ..Decoding::greedy(256)
            },
            attempts: NonZeroU32::new(2).unwrap(),
            max_refused: None,
            max_rejected: None,
            render: &|text| text.to_string(),
            rendering: "plain".to_string(),
        },
        fresh: false,
    }
}

fn run(
    project: &mut Project,
    plan: &ValidatePlan<'_>,
    answer: &dyn Fn(&Prompt) -> String,
) -> Result<ValidateOutcome, Error> {
    let mut script = Scripted::new(answer).named("examiner");
    validate(project, plan, &mut script, &mut |_| {
        ControlFlow::Continue(())
    })
}

fn validated(project: &Project) -> Vec<Pair> {
    JsonLines::read_all(&project.file("validated.jsonl")).unwrap()
}

/// Finds every sixth solution wrong: for each twelfth the answers differ too, for every 30th the
/// judge is mistaken; the tenth is never solved, the 20th never judged.
fn examiner(prompt: &Prompt) -> String {
    let n = number(prompt);
    if prompt.text.contains("Verdict") {
        return match n {
            20 => "I would rather not say.".to_string(),
            n if n % 6 == 0 => "There is a slip.\nVerdict: incorrect".to_string(),
            _ => "**Verdict:** Correct".to_string(),
        };
    }
    match n {
        10 => "I do not know".to_string(),
        n if n % 12 == 0 => format!("The answer is {}.", n + 500),
        n => format!("One more. The answer is {}.", n + 1),
    }
}

#[test]
fn wrong_solutions_are_replaced_as_in_the_paper() {
    let folder = tempfile::tempdir().unwrap();
    let mut project = generated(folder.path());
    let outcome = run(
        &mut project,
        &plan(ValidationMethod::Reference, OnWrong::Replace),
        &examiner,
    )
    .unwrap();
    let report = outcome.details.report;
    let wrong = COUNT as u64 / 6;
    assert_eq!(
        (report.pairs, report.wrong, report.unjudged),
        (COUNT as u64, wrong, 2)
    );
    assert_eq!(report.confirmed, COUNT as u64 - wrong - 2);
    let counts = report.judge_and_scorer.unwrap();
    let both_wrong = COUNT as u64 / 12;
    let expected = JudgeAndScorer {
        both_right: report.confirmed,
        only_judge_right: 0,
        only_scorer_right: wrong - both_wrong,
        both_wrong,
    };
    assert_eq!(counts, expected);
    let concept = report.topics.values().next().unwrap();
    assert!((concept.agreement - concept.confirmed as f64 / concept.judged as f64).abs() < 1e-12);
    let pairs = validated(&project);
    assert_eq!(pairs.len(), COUNT);
    let replaced = &pairs[11];
    assert_eq!(replaced.validation, Some(Validation::Replaced));
    assert_eq!(
        (replaced.solution.as_str(), replaced.model.as_str()),
        ("The answer is 512.", "examiner")
    );
    assert_eq!(
        (pairs[9].validation, pairs[19].validation),
        (Some(Validation::Unjudged), Some(Validation::Unjudged))
    );
    assert_eq!(
        (pairs[0].validation, pairs[0].model.as_str()),
        (Some(Validation::Confirmed), "scripted")
    );

    // The next stage takes what was validated.
    let rules = ScreenRules {
        min_jaccard: None,
        ..ScreenRules::default()
    };
    let plan = ScreenPlan {
        pairs: PairSource::Latest,
        rules,
        fresh: false,
    };
    screen(
        &mut project,
        &plan,
        None,
        &mut |_| ControlFlow::Continue(()),
    )
    .unwrap();
    let kept: Vec<Pair> = JsonLines::read_all(&project.file("screened.jsonl")).unwrap();
    assert!(
        kept.iter()
            .any(|pair| pair.validation == Some(Validation::Replaced))
    );
}

#[test]
fn dropping_after_replacing_asks_nothing_again() {
    let folder = tempfile::tempdir().unwrap();
    let mut project = generated(folder.path());
    run(
        &mut project,
        &plan(ValidationMethod::Reference, OnWrong::Replace),
        &examiner,
    )
    .unwrap();
    let drop = plan(ValidationMethod::Reference, OnWrong::Drop);
    let silent = |_: &Prompt| -> String { panic!("nothing is left to ask") };
    let message = run(&mut project, &drop, &silent).unwrap_err().to_string();
    assert!(
        message.contains("options.on_wrong is \"replace\" there and \"drop\" here"),
        "{message}"
    );
    run(
        &mut project,
        &ValidatePlan {
            fresh: true,
            ..drop
        },
        &silent,
    )
    .unwrap();
    let rejected: Vec<Rejected> =
        JsonLines::read_all(&project.file("validate.set-aside.jsonl")).unwrap();
    assert_eq!(
        (validated(&project).len(), rejected.len()),
        (COUNT - COUNT / 6, COUNT / 6)
    );
    assert_eq!(rejected[0].id, "pair/6");
}

#[test]
fn the_answer_of_most_samples_decides() {
    let folder = tempfile::tempdir().unwrap();
    let mut project = generated(folder.path());
    let method = ValidationMethod::Consistency(NonZeroU32::new(5).unwrap());
    // Of five samples two differ, each in its own way; for every eighth question four agree on
    // another answer.
    let answer = |prompt: &Prompt| -> String {
        let n = number(prompt);
        let sample: usize = prompt.id.rsplit('/').next().unwrap().parse().unwrap();
        match (n % 8, sample) {
            (0, 0..4) => format!("So \\boxed{{{}}}.", n + 300),
            (1.., 3..) => format!("The answer is {}.", 1000 + sample),
            _ => format!("The answer is {}.0", n + 1),
        }
    };
    let greedy = ValidatePlan {
        asking: Asking {
            decoding: Decoding::greedy(99),
            ..plan(method, OnWrong::Keep).asking
        },
        ..plan(method, OnWrong::Keep)
    };
    assert!(
        run(&mut project, &greedy, &answer)
            .unwrap_err()
            .to_string()
            .contains("temperature above 0")
    );
    let outcome = run(&mut project, &plan(method, OnWrong::Keep), &answer).unwrap();
    let report = outcome.details.report;
    assert_eq!((report.wrong, report.unjudged), (COUNT as u64 / 8, 0));
    assert_eq!(outcome.record.counts["replies"], 5 * COUNT as u64);
    // Three of five agree with a right pair, one of five with a wrong one.
    let expected = (7.0 * 0.6 + 0.2) / 8.0;
    assert!(
        (report.sample_agreement.unwrap() - expected).abs() < 1e-9,
        "{:?}",
        report.sample_agreement
    );
    assert!(
        report
            .knowledge_points
            .values()
            .all(|concept| (0.2..=0.6001).contains(&concept.agreement))
    );
    assert_eq!(
        validated(&project)[7].validation,
        Some(Validation::Rejected)
    );
    assert_eq!(validated(&project)[7].model, "scripted");
}
