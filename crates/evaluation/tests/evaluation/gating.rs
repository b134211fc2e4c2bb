use std::path::Path;

use dataset_loader::Benchmark;
use evaluation::{
    Aspect, Baseline, ComparedRun, Gate, GateRules, GateVerdict, Limits, LongPrompts, Rule,
    RunPlan, ScopeRules, gate,
};
use generation::{FinishReason, Prompt, Scripted};
use statistics::{Bootstrap, Level, Sensitivity};

use crate::comparing::{folder, good, opened, three_sets};
use crate::scripted::{number, plan, problems, right, run};

fn gated(baseline: &ComparedRun, candidate: &ComparedRun, rules: &GateRules) -> Gate {
    gate(
        baseline,
        candidate,
        rules,
        Bootstrap {
            resamples: 2000,
            ..Bootstrap::default()
        },
    )
    .unwrap()
}

fn large() -> RunPlan {
    plan(problems(
        &Benchmark::published(),
        &[("gsm8k", 1300), ("MATH.Algebra", 1000), ("math23k_en", 700)],
    ))
}

fn outcome(gate: &Gate, rule: Rule, scope: &str) -> (GateVerdict, String) {
    let found = gate
        .rules
        .iter()
        .find(|outcome| outcome.rule == rule && outcome.scope == scope);
    let found = found.unwrap_or_else(|| panic!("no {rule:?} of {scope}: {:?}", gate.rules));
    (found.verdict, found.why.clone())
}

/// Fails on one item of 25 more than [`good`].
fn worse(prompt: &Prompt) -> (String, FinishReason) {
    if number(prompt).is_multiple_of(25) {
        ("It must be 1000000.".to_string(), FinishReason::Eos)
    } else {
        good(prompt)
    }
}

/// Fails on other items than [`good`], as many, in one of a hundred.
fn wobbling(prompt: &Prompt) -> (String, FinishReason) {
    match number(prompt) % 100 {
        9 => right(prompt),
        8 => ("It must be 1000000.".to_string(), FinishReason::Eos),
        _ => good(prompt),
    }
}

/// Fails on half of one set.
fn collapsed(prompt: &Prompt) -> (String, FinishReason) {
    let fails = prompt.id.starts_with("math23k_en") && number(prompt).is_multiple_of(2);
    if fails {
        ("It must be 1000000.".to_string(), FinishReason::Eos)
    } else {
        good(prompt)
    }
}

#[test]
fn what_wobbles_passes_and_what_is_worse_fails() {
    let parent = tempfile::tempdir().unwrap();
    let baseline = opened(parent.path(), "baseline", &large(), good);
    let wobbled = gated(
        &baseline,
        &opened(parent.path(), "wobbled", &large(), wobbling),
        &GateRules::default(),
    );
    assert_eq!(wobbled.verdict, GateVerdict::Passed, "{:?}", wobbled.rules);
    let (verdict, why) = outcome(&wobbled, Rule::Drop, "micro average");
    assert_eq!(verdict, GateVerdict::Passed);
    assert!(
        why.starts_with("unchanged (interval -0.") && why.ends_with("1 point may be lost"),
        "{why}"
    );

    let failed = gated(
        &baseline,
        &opened(parent.path(), "worse", &large(), worse),
        &GateRules::default(),
    );
    assert_eq!(failed.verdict, GateVerdict::Failed);
    let (_, why) = outcome(&failed, Rule::Drop, "micro average");
    assert!(
        why.starts_with("dropped by 4.0 points (interval 3.")
            && why.ends_with("only 1 point may be lost"),
        "{why}"
    );

    // The average forgives a margin of 15 points; the set does not.
    let rules = GateRules {
        max_drop: 0.15,
        ..GateRules::default()
    };
    let fallen = gated(
        &baseline,
        &opened(parent.path(), "collapsed", &large(), collapsed),
        &rules,
    );
    assert_eq!(
        outcome(&fallen, Rule::Drop, "micro average").0,
        GateVerdict::Passed
    );
    let (verdict, why) = outcome(&fallen, Rule::NoCollapse, "math23k");
    assert_eq!(
        (verdict, fallen.verdict),
        (GateVerdict::Failed, GateVerdict::Failed)
    );
    assert!(why.contains("more than 15 points beyond doubt"), "{why}");
}

#[test]
fn too_few_items_cannot_tell_and_say_how_many_would() {
    let parent = tempfile::tempdir().unwrap();
    let baseline = opened(parent.path(), "baseline", &three_sets(), good);
    let candidate = opened(parent.path(), "candidate", &three_sets(), wobbling);
    let found = gated(&baseline, &candidate, &GateRules::default());
    assert_eq!(found.verdict, GateVerdict::CannotTell);
    let drop = found
        .rules
        .iter()
        .find(|outcome| outcome.rule == Rule::Drop)
        .unwrap();
    assert!(
        drop.n_needed.unwrap() > 60 && drop.why.contains("which 60 items cannot tell: about "),
        "{drop:?}"
    );
    // A rule that failed stands on its own.
    let mut rules = GateRules::default();
    rules.sets.insert(
        "math".to_string(),
        ScopeRules {
            floor: Some(0.99),
            ..ScopeRules::default()
        },
    );
    let failed = gated(&baseline, &candidate, &rules);
    assert_eq!(failed.verdict, GateVerdict::Failed);
    assert_eq!(
        outcome(&failed, Rule::Drop, "micro average").0,
        GateVerdict::CannotTell
    );
}

#[test]
fn floors_limits_and_margins_of_sets_are_asked() {
    let parent = tempfile::tempdir().unwrap();
    let baseline = opened(parent.path(), "baseline", &large(), good);
    let candidate = opened(parent.path(), "candidate", &large(), |prompt| {
        match number(prompt) % 50 {
            0 => (String::new(), FinishReason::Eos),
            1 => ("and then".to_string(), FinishReason::Length),
            _ => good(prompt),
        }
    });
    let mut rules = GateRules {
        max_drop: 0.2,
        ..GateRules::default()
    };
    rules.limits = Limits {
        no_answer: Some(0.01),
        truncated: Some(0.05),
    };
    rules.micro.floor = Some(0.5);
    rules.macro_ = ScopeRules {
        max_drop: Some(0.2),
        floor: Some(0.95),
        ..ScopeRules::default()
    };
    let set = ScopeRules {
        max_drop: Some(0.01),
        floor: Some(0.8),
        limits: Limits {
            no_answer: Some(0.5),
            truncated: None,
        },
    };
    rules.sets.insert("math23k".to_string(), set);
    rules.sets.insert(
        "tal".to_string(),
        ScopeRules {
            floor: Some(0.1),
            ..ScopeRules::default()
        },
    );
    let found = gated(&baseline, &candidate, &rules);
    let verdict = |rule, scope| outcome(&found, rule, scope).0;
    assert_eq!(
        verdict(Rule::NoAnswerRate, "all items"),
        GateVerdict::Failed
    );
    assert_eq!(
        verdict(Rule::TruncatedRate, "all items"),
        GateVerdict::Passed
    );
    assert_eq!(verdict(Rule::Floor, "micro average"), GateVerdict::Passed);
    assert_eq!(verdict(Rule::Drop, "macro average"), GateVerdict::Passed);
    assert_eq!(verdict(Rule::Floor, "macro average"), GateVerdict::Failed);
    assert_eq!(verdict(Rule::Drop, "math23k"), GateVerdict::Failed);
    assert_eq!(verdict(Rule::Floor, "math23k"), GateVerdict::Passed);
    assert_eq!(verdict(Rule::NoAnswerRate, "math23k"), GateVerdict::Passed);
    assert_eq!(
        outcome(&found, Rule::Whole, "tal"),
        (GateVerdict::Incomplete, "neither run asked it".to_string())
    );
    let (_, why) = outcome(&found, Rule::NoAnswerRate, "all items");
    assert!(
        why.starts_with("120 of 3000 completions hold no answer (4 %), 1 % at most may"),
        "{why}"
    );
}

#[test]
fn strict_fails_on_a_drop_within_the_margin() {
    let parent = tempfile::tempdir().unwrap();
    let baseline = opened(parent.path(), "baseline", &large(), good);
    let candidate = opened(parent.path(), "candidate", &large(), worse);
    let rules = GateRules {
        max_drop: 0.1,
        ..GateRules::default()
    };
    assert_eq!(
        gated(&baseline, &candidate, &rules).verdict,
        GateVerdict::Passed
    );
    let found = gated(
        &baseline,
        &candidate,
        &GateRules {
            strict: true,
            ..rules
        },
    );
    assert_eq!(found.verdict, GateVerdict::Failed);
    assert!(
        outcome(&found, Rule::NoSignificantDrop, "micro average")
            .1
            .contains("significant (p 0.0")
    );
    let rules = GateRules {
        strict: true,
        ..GateRules::default()
    };
    let same = gated(
        &baseline,
        &opened(parent.path(), "wobbled", &large(), wobbling),
        &rules,
    );
    assert_eq!(
        (same.verdict, same.rules.last().unwrap().rule),
        (GateVerdict::Passed, Rule::NoSignificantDrop)
    );
}

#[test]
fn a_broken_run_is_no_worse_model() {
    let parent = tempfile::tempdir().unwrap();
    let baseline = opened(parent.path(), "baseline", &three_sets(), good);
    let path = parent.path().join("broken");
    let broken = RunPlan {
        long_prompts: LongPrompts::Fail,
        ..three_sets()
    };
    let longest = broken.problems[0].question.len();
    let mut generator = Scripted {
        max_prompt_bytes: longest,
        ..Scripted::new(right).named("broken")
    };
    run(&broken, &mut generator, &path).unwrap();
    let candidate = ComparedRun::open(&path).unwrap();
    let found = gated(&baseline, &candidate, &GateRules::default());
    assert_eq!(
        (found.verdict, found.rules.len()),
        (GateVerdict::Incomplete, 2)
    );
    let (verdict, why) = outcome(&found, Rule::Whole, "candidate");
    assert!(
        verdict == GateVerdict::Incomplete
            && why.starts_with("40 of 65 completions failed, 0 % at most may"),
        "{why}"
    );
    assert!(
        found.warnings[0].contains("40 of 65 completions failed"),
        "{:?}",
        found.warnings
    );
    let forgiving = GateRules {
        max_failed_rate: 0.7,
        ..GateRules::default()
    };
    assert_eq!(
        gated(&baseline, &candidate, &forgiving).verdict,
        GateVerdict::Failed
    );
}

#[test]
fn runs_that_are_not_comparable_get_no_verdict() {
    let parent = tempfile::tempdir().unwrap();
    let file = parent.path().join("baseline.json");
    Baseline::of(&opened(parent.path(), "baseline", &three_sets(), good))
        .write(&file)
        .unwrap();
    let baseline = ComparedRun::open(&file).unwrap();
    let mut shorter = three_sets();
    shorter.decoding.max_tokens = 32;
    let found = gated(
        &baseline,
        &opened(parent.path(), "shorter", &shorter, good),
        &GateRules::default(),
    );
    assert_eq!(
        (found.verdict, found.rules.len()),
        (GateVerdict::ProtocolsDiffer, 0)
    );
    assert_eq!(found.differences[0].aspect, Aspect::Decoding);

    let mut other_data = three_sets();
    other_data.problems[3].reference = "4".to_string();
    let found = gated(
        &baseline,
        &opened(parent.path(), "data", &other_data, good),
        &GateRules::default(),
    );
    assert_eq!(found.verdict, GateVerdict::ProtocolsDiffer);
    let items = &found.differences[0];
    assert_eq!(
        (items.aspect, items.a.as_str()),
        (Aspect::Items, "65 items of data.jsonl")
    );
    assert!(
        items.what.contains(
            "gsm8k has 40 items in the baseline and 40 items in the candidate, not all the same"
        ),
        "{}",
        items.what
    );

    let same = folder(parent.path(), "same", &three_sets(), good);
    let found = gated(
        &baseline,
        &ComparedRun::open(&same).unwrap(),
        &GateRules {
            max_drop: 0.3,
            ..GateRules::default()
        },
    );
    assert_eq!(found.verdict, GateVerdict::Passed, "{:?}", found.rules);
}

#[test]
fn without_an_average_each_set_is_asked_for_its_drop() {
    let parent = tempfile::tempdir().unwrap();
    let alone = plan(problems(
        &Benchmark::published(),
        &[("FreshGaokaoMath2023", 400)],
    ));
    let baseline = opened(parent.path(), "baseline", &alone, good);
    let candidate = opened(parent.path(), "candidate", &alone, worse);
    let found = gated(
        &baseline,
        &candidate,
        &GateRules {
            max_drop: 0.1,
            ..GateRules::default()
        },
    );
    assert_eq!(
        (found.verdict, found.micro.is_none()),
        (GateVerdict::Passed, true),
        "{:?}",
        found.rules
    );
    assert_eq!(
        outcome(&found, Rule::Drop, "fresh_gaokao_2023").0,
        GateVerdict::Passed
    );
    let found = gated(
        &baseline,
        &candidate,
        &GateRules {
            strict: true,
            max_drop: 0.1,
            ..GateRules::default()
        },
    );
    assert_eq!(
        outcome(&found, Rule::NoSignificantDrop, "fresh_gaokao_2023").0,
        GateVerdict::Failed
    );
    let mut rules = GateRules {
        max_drop: 0.1,
        ..GateRules::default()
    };
    rules.micro.floor = Some(0.1);
    assert_eq!(
        gated(&baseline, &candidate, &rules).verdict,
        GateVerdict::Incomplete
    );
}

/// The table of `docs/ci.md`, from the code that decides.
#[test]
fn the_numbers_of_items_in_the_docs_are_those_of_the_code() {
    let text =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/ci.md"))
            .unwrap();
    let sensitivity = Sensitivity::new(Level::one_sided(0.05).unwrap(), 0.8).unwrap();
    for discordance in [2.0, 5.0, 10.0, 20.0] {
        let mut row = format!("| {discordance} % |");
        for margin in [0.5, 1.0, 2.0, 3.0, 5.0] {
            let items = sensitivity
                .items_for_margin(margin / 100.0, discordance / 100.0)
                .unwrap();
            row.push_str(&format!(" {} |", thousands(items)));
        }
        assert!(text.contains(&row), "docs/ci.md lacks: {row}");
    }
}

fn thousands(number: usize) -> String {
    match number {
        0..1000 => number.to_string(),
        _ => format!("{},{:03}", thousands(number / 1000), number % 1000),
    }
}
