//! Compositions to pairs, by a scripted generator.

use std::fs;
use std::num::NonZeroU32;
use std::ops::ControlFlow;
use std::path::Path;

use fault::{Class, Fault};
use generation::{Decoding, Prompt, Scripted, ScriptedReply};
use mathscale::{
    Asking, ComposePlan, Composition, Error, ErrorKind, GenerateOutcome, GeneratePlan, GraphPlan,
    MergeOptions, Pair, Project, Rejected, WalkOptions, compose, estimate_generation, generate,
    graph,
};
use store::JsonLines;

use crate::extract::extract;

pub const COUNT: usize = 120;

/// A project of seeds with `COUNT` compositions.
pub fn composed(folder: &Path) -> Project {
    let file = folder.join("annotations.jsonl");
    let record = |n: usize| {
        let topics = [format!("Topic {}", n % 7), format!("Topic {}", n * n % 5)];
        let kps: Vec<String> = (0..=n % 4)
            .map(|k| format!("Point {}", (n * (k + 2)) % 19))
            .collect();
        let (question, answer) = (
            format!("How much is {n} plus {n}?"),
            format!("It is {}. The answer is {}.", 2 * n, 2 * n),
        );
        format!(
            "{}\n",
            serde_json::json!({"id": format!("seed-{n}"), "topics": topics, "knowledge_points": kps, "question": question, "answer": answer})
        )
    };
    fs::write(&file, (0..60).map(record).collect::<String>()).unwrap();
    let (mut project, _) = extract(folder, &file, MergeOptions::default()).unwrap();
    graph(&mut project, &GraphPlan::default()).unwrap();
    let plan = ComposePlan {
        walks: WalkOptions {
            count: COUNT as u64,
            seed: 9,
        },
        threads: 1,
        fresh: false,
    };
    let outcome = compose(&mut project, &plan, &mut |_| ControlFlow::Continue(())).unwrap();
    assert_eq!(outcome.details.compositions, COUNT as u64);
    project
}

fn plan() -> GeneratePlan<'static> {
    GeneratePlan {
        examples: 3,
        asking: Asking {
            decoding: Decoding::greedy(512),
            attempts: NonZeroU32::new(3).unwrap(),
            max_refused: None,
            max_rejected: None,
            render: &|text| format!("<<{text}>>"),
            rendering: "angles".to_string(),
        },
        limit: None,
        without_failed: false,
        fresh: false,
    }
}

pub fn number(prompt: &Prompt) -> usize {
    prompt.id.split('/').nth(1).unwrap().parse().unwrap()
}

/// A good reply, in one of several variants of the form.
fn good(prompt: &Prompt) -> String {
    let n = number(prompt);
    match n % 3 {
        0 => format!(
            "Question: What is {n} + 1?\nSolution: The answer is {}.",
            n + 1
        ),
        1 => format!(
            "**Created Question:** What is {n} + 1?\n\n**Solution:**\nThe answer is {}.",
            n + 1
        ),
        _ => format!(
            "### Question\nWhat is {n} + 1?\n### Solution\nThe answer is {}.",
            n + 1
        ),
    }
}

fn run(
    project: &mut Project,
    plan: &GeneratePlan<'_>,
    script: &mut Scripted<'_>,
) -> Result<GenerateOutcome, Error> {
    generate(project, plan, script, &mut |_| ControlFlow::Continue(()))
}

/// A project whose pairs are generated.
pub fn generated(folder: &Path) -> Project {
    let mut project = composed(folder);
    run(&mut project, &plan(), &mut Scripted::new(good)).unwrap();
    project
}

fn pairs(project: &Project) -> Vec<Pair> {
    JsonLines::read_all(&project.file("pairs.jsonl")).unwrap()
}

#[test]
fn every_composition_becomes_a_pair_with_its_nearest_seeds() {
    let folder = tempfile::tempdir().unwrap();
    let mut project = composed(folder.path());
    let mut script = Scripted::new(good);
    let outcome = run(&mut project, &plan(), &mut script).unwrap();
    let counts = &outcome.record.counts;
    let bytes: usize = script.asked.iter().map(|prompt| prompt.text.len()).sum();
    assert_eq!(
        (counts["pairs"], counts["set_aside"], counts["replies"]),
        (COUNT as u64, 0, COUNT as u64)
    );
    assert_eq!(
        (counts["prompt_tokens"], counts["completion_tokens"]),
        (bytes as u64, COUNT as u64)
    );
    let compositions: Vec<Composition> =
        JsonLines::read_all(&project.file("compositions.jsonl")).unwrap();
    for (place, (pair, composition)) in pairs(&project).iter().zip(&compositions).enumerate() {
        assert_eq!(pair.id, format!("pair/{}", place + 1));
        assert_eq!(
            (&pair.topics, &pair.knowledge_points),
            (&composition.topics, &composition.knowledge_points)
        );
        assert_eq!(pair.question, format!("What is {} + 1?", place + 1));
        assert_eq!((pair.model.as_str(), pair.seeds.len()), ("scripted", 3));
        let prompt = &script
            .asked
            .iter()
            .find(|prompt| prompt.id == pair.id)
            .unwrap()
            .text;
        assert!(prompt.starts_with("<<") && prompt.ends_with(">>"));
        let names = composition
            .topics
            .iter()
            .chain(&composition.knowledge_points);
        assert!(
            names
                .clone()
                .all(|name| prompt.contains(&format!("- {name}\n"))),
            "{prompt}"
        );
        for seed in &pair.seeds {
            let n = seed.strip_prefix("seed-").unwrap();
            assert!(
                prompt.contains(&format!(
                    "Question: How much is {n} plus {n}?\nSolution: It is"
                )),
                "{seed}: {prompt}"
            );
        }
    }
    assert!(
        run(&mut project, &plan(), &mut Scripted::new(good))
            .unwrap()
            .already_there
    );
}

/// Rubbish half of the time: what comes right on a later attempt is used, the rest is set aside
/// with its reason.
#[test]
fn half_rubbish_is_asked_again_with_the_reason_and_then_rejected() {
    let folder = tempfile::tempdir().unwrap();
    let mut project = composed(folder.path());
    let answer = |prompt: &Prompt| match number(prompt) % 4 {
        0 => "As a language model I like \u{7}numbers\u{0}".to_string(),
        1 if prompt.sample == 0 => "Question: What is 1 + 1?".to_string(),
        _ => good(prompt),
    };
    let mut script = Scripted::new(answer);
    let outcome = run(&mut project, &plan(), &mut script).unwrap();
    let counts = &outcome.record.counts;
    let (hopeless, late) = (COUNT as u64 / 4, COUNT as u64 / 4);
    assert_eq!(
        (counts["pairs"], counts["set_aside"]),
        (COUNT as u64 - hopeless, hopeless)
    );
    assert_eq!(counts["replies"], COUNT as u64 + 2 * hopeless + late);
    let again = script.asked.iter().filter(|prompt| {
        prompt
            .text
            .contains("could not be used: there is no line that begins with \"Solution:\"")
    });
    assert_eq!(again.count() as u64, late);
    let rejected: Vec<Rejected> =
        JsonLines::read_all(&project.file("generate.set-aside.jsonl")).unwrap();
    assert_eq!(rejected.len() as u64, hopeless);
    assert_eq!(
        (rejected[0].id.as_str(), rejected[0].place.as_deref()),
        ("pair/4", Some("line 4"))
    );
    assert!(
        rejected[0].reason.contains("begins with \"Question:\""),
        "{}",
        rejected[0].reason
    );
    assert_eq!(outcome.details.rejected[0], rejected[0]);
}

#[test]
fn interruptions_change_nothing_and_nothing_is_asked_twice() {
    let whole = tempfile::tempdir().unwrap();
    let expected = pairs(&generated(whole.path()));
    let folder = tempfile::tempdir().unwrap();
    let mut project = composed(folder.path());
    let mut asked = 0;
    for start in 0.. {
        let mut script = Scripted {
            fails_after: 1 + start * 11,
            ..Scripted::new(good)
        };
        let outcome = run(&mut project, &plan(), &mut script);
        asked += script.asked.len();
        match outcome {
            Ok(_) => break,
            Err(error) => assert_eq!(error.class(), Class::Backend, "{error}"),
        }
        assert!(!project.file("pairs.jsonl").exists());
        // As after a kill in the middle of a line, and a new process.
        let file = project.file("generate.replies.jsonl");
        let mut bytes = fs::read(&file).unwrap();
        bytes.extend_from_slice(b"{\"item\":3,\"id\":\"pa");
        fs::write(&file, bytes).unwrap();
        drop(project);
        project = Project::open_to_write(&folder.path().join("project")).unwrap();
    }
    assert_eq!(asked, COUNT);
    assert_eq!(pairs(&project), expected);
}

#[test]
fn failed_compositions_are_named_and_asked_again_or_rejected() {
    let folder = tempfile::tempdir().unwrap();
    let mut project = composed(folder.path());
    let failing = |prompt: &Prompt| match number(prompt) {
        7 => ScriptedReply::Failure("no line".to_string()),
        _ => good(prompt).into(),
    };
    let error = run(&mut project, &plan(), &mut Scripted::new(failing)).unwrap_err();
    assert!(
        error.class() == Class::Incomplete && error.to_string().contains("(pair/7): no line"),
        "{error}"
    );
    let ended = GeneratePlan {
        without_failed: true,
        ..plan()
    };
    let mut script = Scripted::new(failing);
    let outcome = run(&mut project, &ended, &mut script).unwrap();
    assert_eq!(script.asked.len(), 1);
    assert_eq!(
        (
            outcome.record.counts["pairs"],
            outcome.details.rejected[0].reason.as_str()
        ),
        (COUNT as u64 - 1, "no line")
    );
}

#[test]
fn other_work_is_refused_with_the_difference() {
    let folder = tempfile::tempdir().unwrap();
    let mut project = composed(folder.path());
    let early = |project: &mut Project, plan: &GeneratePlan<'_>, script: &mut Scripted<'_>| {
        run(project, plan, script).unwrap_err()
    };
    run(&mut project, &plan(), &mut Scripted::new(good)).unwrap();
    let message = early(
        &mut project,
        &GeneratePlan {
            examples: 2,
            ..plan()
        },
        &mut Scripted::new(good),
    )
    .to_string();
    assert!(
        message.contains("options.examples is 3 there and 2 here"),
        "{message}"
    );
    let message = early(
        &mut project,
        &GeneratePlan {
            asking: Asking {
                rendering: "none".into(),
                ..plan().asking
            },
            ..plan()
        },
        &mut Scripted::new(good),
    )
    .to_string();
    assert!(message.contains("prompt is "), "{message}");
    let mut other = Scripted::new(good).named("other");
    let message = early(&mut project, &plan(), &mut other).to_string();
    assert!(
        message.contains("generator.weights_digest is scripted there and other here"),
        "{message}"
    );

    // Other seeds make everything after them stale.
    drop(project);
    let file = folder.path().join("annotations.jsonl");
    let fewer: String = fs::read_to_string(&file)
        .unwrap()
        .lines()
        .take(50)
        .map(|line| format!("{line}\n"))
        .collect();
    fs::write(&file, fewer).unwrap();
    let mut project = Project::open_to_write(&folder.path().join("project")).unwrap();
    let plan_seeds = mathscale::AnnotationPlan {
        file,
        merge: MergeOptions::default(),
        fresh: true,
    };
    mathscale::extract_from_annotations(&mut project, &plan_seeds).unwrap();
    let error = early(&mut project, &plan(), &mut Scripted::new(good));
    assert!(matches!(error.kind(), ErrorKind::Stale { .. }), "{error}");
}

#[test]
fn a_dry_run_estimates_and_asks_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let project = composed(folder.path());
    let estimate = estimate_generation(&project, &plan()).unwrap();
    assert_eq!(estimate.items, COUNT);
    let a_prompt = estimate.prompt_tokens / COUNT as u64;
    assert!((300..900).contains(&a_prompt), "{a_prompt} tokens a prompt");
    assert!(
        (5..40).contains(&(estimate.completion_tokens / COUNT as u64)),
        "{estimate:?}"
    );
    assert_eq!(estimate.max_completion_tokens, 512 * COUNT as u64);
    let ten = estimate_generation(
        &project,
        &GeneratePlan {
            limit: Some(10),
            ..plan()
        },
    )
    .unwrap();
    assert_eq!(ten.items, 10);
    assert!(!project.file("generate.job.json").exists());
}

/// A sample first, and all of it later: what was paid for is not asked again.
#[test]
fn a_limit_is_raised_without_asking_anything_twice() {
    let folder = tempfile::tempdir().unwrap();
    let mut project = composed(folder.path());
    let limited = |limit| GeneratePlan { limit, ..plan() };
    let mut asked = Vec::new();
    for limit in [Some(20), Some(50), None] {
        let mut script = Scripted::new(good);
        let outcome = run(&mut project, &limited(limit), &mut script).unwrap();
        let total = limit.unwrap_or(COUNT);
        assert_eq!(outcome.record.counts["pairs"], total as u64);
        assert_eq!(script.asked.len(), total - asked.len());
        asked.extend(script.asked.iter().map(number));
    }
    asked.sort_unstable();
    assert!(asked.into_iter().eq(1..=COUNT));
    let whole = tempfile::tempdir().unwrap();
    assert_eq!(pairs(&project), pairs(&generated(whole.path())));
    let fewer = run(&mut project, &limited(Some(20)), &mut Scripted::new(good));
    let message = fewer.unwrap_err().to_string();
    assert!(
        message.contains("options.limit is null there and 20 here"),
        "{message}"
    );
}

#[test]
fn reasons_are_counted_and_still_there_when_nothing_is_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let mut project = composed(folder.path());
    let answer = |prompt: &Prompt| match number(prompt) % 3 {
        0 => "Nothing.".to_string(),
        1 => "Question: 1 + 1?".to_string(),
        _ => good(prompt),
    };
    for already_there in [false, true] {
        let outcome = run(&mut project, &plan(), &mut Scripted::new(answer)).unwrap();
        assert_eq!(outcome.already_there, already_there);
        let reasons = &outcome.details.reasons;
        assert_eq!(
            reasons.values().copied().collect::<Vec<_>>(),
            [COUNT as u64 / 3; 2],
            "{reasons:?}"
        );
        assert_eq!(outcome.details.rejected.len(), 5);
    }
}
