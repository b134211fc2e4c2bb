use std::fs;
use std::path::{Path, PathBuf};

use dataset_loader::Benchmark;
use evaluation::{
    Aspect, Baseline, ComparedRun, ComparisonError, ComparisonSettings, Contrast, Error,
    FirstDivergence, Flips, RunComparison, RunPlan, Scorer, Template,
};
use fault::{Class, Fault};
use generation::{FinishReason, Prompt, Sampling, Scripted};
use serde_json::Value;

use crate::scripted::{number, plan, problems, right, run};

/// A plan over two averaged sets and one that is in no average.
pub fn three_sets() -> RunPlan {
    plan(problems(
        &Benchmark::published(),
        &[
            ("gsm8k", 40),
            ("MATH.Algebra", 20),
            ("FreshGaokaoMath2023", 5),
        ],
    ))
}

/// Wrong on every tenth item.
pub fn good(prompt: &Prompt) -> (String, FinishReason) {
    if number(prompt) % 10 == 9 {
        ("It must be 1000000.".to_string(), FinishReason::Eos)
    } else {
        right(prompt)
    }
}

/// Wrong on every fifth item, but for the tenth ones right.
pub fn other(prompt: &Prompt) -> (String, FinishReason) {
    match number(prompt) % 10 {
        4 => ("I do not know.".to_string(), FinishReason::Eos),
        3 => (
            format!("The answer is {}.", number(prompt) + 1),
            FinishReason::Eos,
        ),
        _ => right(prompt),
    }
}

/// Runs a plan in `parent/name` with a model of that name, and opens it.
pub fn opened(
    parent: &Path,
    name: &str,
    plan: &RunPlan,
    answer: fn(&Prompt) -> (String, FinishReason),
) -> ComparedRun {
    ComparedRun::open(&folder(parent, name, plan, answer)).unwrap()
}

/// The folder of such a run.
pub fn folder(
    parent: &Path,
    name: &str,
    plan: &RunPlan,
    answer: fn(&Prompt) -> (String, FinishReason),
) -> PathBuf {
    let path = parent.join(name);
    run(plan, &mut Scripted::new(answer).named(name), &path).unwrap();
    path
}

fn compared(a: &ComparedRun, b: &ComparedRun) -> Result<RunComparison, ComparisonError> {
    RunComparison::of(a, b, &ComparisonSettings::default())
}

fn in_common() -> ComparisonSettings {
    ComparisonSettings {
        only_common: true,
        ..ComparisonSettings::default()
    }
}

#[test]
fn the_figures_of_a_comparison_are_those_of_its_items() {
    let parent = tempfile::tempdir().unwrap();
    let (a, b) = (
        opened(parent.path(), "a", &three_sets(), good),
        opened(parent.path(), "b", &three_sets(), other),
    );
    let found = compared(&a, &b).unwrap();
    let gsm8k = &found.sets[0];
    assert_eq!(
        (
            gsm8k.set.as_str(),
            gsm8k.figures.n,
            gsm8k.figures.won,
            gsm8k.figures.lost
        ),
        ("gsm8k", 40, 4, 8)
    );
    assert_eq!(gsm8k.figures.accuracies, [0.9, 0.8]);
    // McNemar with 4 and 8 of 12: twice the sum of C(12, k) / 2¹² over k up to 4.
    assert!(
        (gsm8k.figures.p - 2.0 * 794.0 / 4096.0).abs() < 1e-12,
        "{}",
        gsm8k.figures.p
    );
    assert!(gsm8k.figures.p_holm >= gsm8k.figures.p && gsm8k.figures.detectable.is_some());
    let fresh = &found.sets[2];
    assert_eq!(
        (fresh.set.as_str(), fresh.in_average, fresh.figures.lost),
        ("fresh_gaokao_2023", false, 2)
    );
    let micro = found.micro.unwrap();
    assert!(
        micro.n == 60
            && (micro.accuracies[0] - 0.9).abs() < 1e-12
            && (micro.accuracies[1] - 0.8).abs() < 1e-12
    );
    assert!((found.macro_.unwrap().difference + 0.1).abs() < 1e-12);
    assert_eq!((found.warnings.len(), found.left_out.len()), (0, 0));
    let aspects: Vec<Aspect> = found
        .differences
        .iter()
        .map(|difference| difference.aspect)
        .collect();
    assert_eq!(aspects, [Aspect::Model], "{:?}", found.differences);

    let flips = Flips::of(&a, &b, &ComparisonSettings::default(), 3).unwrap();
    assert_eq!(
        (
            flips.lost_total,
            flips.won_total,
            flips.lost.len(),
            flips.won.len()
        ),
        (14, 6, 3, 3)
    );
    let first = &flips.lost[0];
    assert_eq!(
        (first.id.as_str(), first.reference.as_str()),
        ("gsm8k/13", "13")
    );
    assert_eq!(
        first.sides[0].completion.as_deref(),
        Some("The answer is 13.")
    );
    assert_eq!(
        (first.sides[1].answer.as_deref(), first.sides[1].correct),
        (Some("14"), 0)
    );

    let contrast = Contrast::of(&a, &b, "gsm8k/13", 0).unwrap();
    assert_eq!(
        contrast.first_divergence,
        Some(FirstDivergence {
            words: 3,
            at: [14, 14]
        })
    );
    assert_eq!(
        Contrast::of(&a, &b, "gsm8k/1", 0).unwrap().first_divergence,
        None
    );
    let missing = Contrast::of(&a, &b, "gsm8k/x", 0).unwrap_err().to_string();
    assert!(
        missing.contains("asked no problem \"gsm8k/x\"; did you mean \"gsm8k/0\"? (65 problems; the first is \"gsm8k/0\")"),
        "{missing}"
    );
    let sample = Contrast::of(&a, &b, "gsm8k/1", 7).unwrap_err().to_string();
    assert!(
        sample.contains("drew 1 completion a problem, there is no sample 7"),
        "{sample}"
    );
}

#[test]
fn averages_over_different_items_are_refused_and_those_in_common_compared() {
    let parent = tempfile::tempdir().unwrap();
    let mut fewer = plan(problems(
        &Benchmark::published(),
        &[("gsm8k", 30), ("math23k_en", 4)],
    ));
    fewer.problems[7].question.push_str(" Tell it.");
    fewer.limit = Some(30);
    let (a, b) = (
        opened(parent.path(), "a", &three_sets(), good),
        opened(parent.path(), "b", &fewer, right),
    );
    let message = compared(&a, &b).unwrap_err().to_string();
    for part in [
        "gsm8k has 40 items in A and 30 items in B, 29 of them in both; \"gsm8k/7\" has another question or reference",
        "math (20 items) is in A only",
        "math23k (4 items) is in B only",
        "limit a set: none in A, 30 in B",
        "Averages over different items say nothing",
    ] {
        assert!(message.contains(part), "no {part:?} in: {message}");
    }
    let found = RunComparison::of(&a, &b, &in_common()).unwrap();
    assert_eq!(
        (
            found.sets.len(),
            found.sets[0].figures.n,
            found.sets[0].figures.won
        ),
        (1, 29, 3)
    );
    assert!(!found.left_out.is_empty());
    let parting = Contrast::of(&a, &b, "gsm8k/7", 0).unwrap_err().to_string();
    assert!(
        parting.contains("\"gsm8k/7\" has another question or reference"),
        "{parting}"
    );

    let elsewhere = plan(problems(&Benchmark::published(), &[("math23k_en", 4)]));
    let c = opened(parent.path(), "c", &elsewhere, right);
    let error = RunComparison::of(&a, &c, &in_common()).unwrap_err();
    assert!(matches!(error, ComparisonError::NothingInCommon), "{error}");
}

#[test]
fn differences_of_protocol_are_told_in_words_and_labels_do_not_count() {
    let parent = tempfile::tempdir().unwrap();
    let mut changed = three_sets();
    changed.decoding.max_tokens = 128;
    changed.template = Template::named("alpaca").unwrap();
    changed.data_digest = "another file with the same problems".to_string();
    changed.version = "2.0".to_string();
    let (a, b) = (
        opened(parent.path(), "a", &three_sets(), right),
        opened(parent.path(), "b", &changed, |prompt| {
            (prompt.id.clone(), FinishReason::Eos)
        }),
    );
    let found = compared(&a, &b).unwrap().differences;
    let told: Vec<(Aspect, &str, &str, &str)> = found
        .iter()
        .map(|found| {
            (
                found.aspect,
                found.what.as_str(),
                found.a.as_str(),
                found.b.as_str(),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            (
                Aspect::Template,
                "text around the question",
                "none (08d5727e703b)",
                "alpaca (f94a1c4feab6)"
            ),
            (Aspect::Decoding, "most new tokens", "64", "128"),
            (Aspect::Model, "weights digest", "a", "b"),
            (Aspect::Program, "version", "test", "2.0"),
        ]
    );
}

#[test]
fn the_same_run_twice_and_two_runs_of_one_name_are_warned_of() {
    let parent = tempfile::tempdir().unwrap();
    let a = opened(parent.path(), "a", &three_sets(), good);
    assert!(compared(&a, &a).unwrap().warnings[0].contains("this is the same run twice"));
    fs::create_dir(parent.path().join("again")).unwrap();
    let again = opened(&parent.path().join("again"), "a", &three_sets(), good);
    assert!(compared(&a, &again).unwrap().warnings[0].contains("the same identity"));
    let mut longer = three_sets();
    longer.decoding.max_tokens = 65;
    fs::create_dir(parent.path().join("other")).unwrap();
    let namesake = opened(&parent.path().join("other"), "a", &longer, good);
    let warning = &compared(&a, &namesake).unwrap().warnings[0];
    assert!(
        warning.contains("both runs are named \"a\": A is ") && warning.contains("other/a"),
        "{warning}"
    );
}

#[test]
fn several_completions_a_problem_are_taken_together() {
    let parent = tempfile::tempdir().unwrap();
    let sampled = |samples: u32| {
        let mut plan = three_sets();
        plan.decoding.sampling = Some(Sampling {
            temperature: 0.7,
            top_k: None,
            top_p: 1.0,
            min_p: 0.0,
            repetition_penalty: 1.0,
            seed: u64::from(samples),
            samples: samples.try_into().unwrap(),
        });
        plan
    };
    let wavering = |prompt: &Prompt| {
        if prompt.sample == 0 && number(prompt).is_multiple_of(2) {
            ("Perhaps -1.".to_string(), FinishReason::Eos)
        } else {
            right(prompt)
        }
    };
    let a = opened(parent.path(), "a", &sampled(4), right);
    let b = opened(parent.path(), "b", &sampled(2), wavering);
    let found = compared(&a, &b).unwrap();
    let gsm8k = &found.sets[0].figures;
    assert_eq!(
        (gsm8k.n, gsm8k.accuracies, gsm8k.won, gsm8k.lost),
        (40, [1.0, 0.75], 0, 20)
    );
    assert!(gsm8k.counts.is_none() && gsm8k.p < 0.01, "{gsm8k:?}");
    assert!(
        found
            .differences
            .iter()
            .all(|difference| !difference.aspect.forbids_comparison())
    );
    assert_eq!(
        found
            .differences
            .iter()
            .filter(|difference| difference.aspect == Aspect::Drawing)
            .count(),
        2
    );
    let flips = Flips::of(&a, &b, &ComparisonSettings::default(), 1).unwrap();
    assert_eq!(
        (
            flips.lost[0].sides[0].correct,
            flips.lost[0].sides[1].correct,
            flips.lost[0].sides[1].samples
        ),
        (4, 1, 2)
    );
    // Counts survive a baseline too.
    let file = parent.path().join("b.json");
    Baseline::of(&b).write(&file).unwrap();
    let kept = compared(&a, &ComparedRun::open(&file).unwrap()).unwrap();
    assert_eq!(kept.sets[0].figures, found.sets[0].figures);
}

#[test]
fn a_baseline_says_the_same_as_its_run() {
    let parent = tempfile::tempdir().unwrap();
    let (a, b) = (
        opened(parent.path(), "a", &three_sets(), good),
        opened(parent.path(), "b", &three_sets(), other),
    );
    let file = parent.path().join("a.json");
    Baseline::of(&a).write(&file).unwrap();
    let kept = ComparedRun::open(&file).unwrap();
    for scorer in [Scorer::Official, Scorer::Strict] {
        let settings = ComparisonSettings {
            scorer,
            ..ComparisonSettings::default()
        };
        let (direct, through) = (
            RunComparison::of(&a, &b, &settings).unwrap(),
            RunComparison::of(&kept, &b, &settings).unwrap(),
        );
        assert_eq!(
            (direct.micro, direct.macro_),
            (through.micro, through.macro_)
        );
        assert_eq!(direct.differences, through.differences);
    }
    let flips = Flips::of(&kept, &b, &ComparisonSettings::default(), 2).unwrap();
    assert_eq!(
        (flips.lost[0].id.as_str(), flips.lost[0].reference.as_str()),
        ("gsm8k/13", "13")
    );
    assert_eq!(
        (
            flips.lost[0].sides[0].completion.as_deref(),
            flips.lost[0].sides[0].correct
        ),
        (None, 1)
    );
    let error = Contrast::of(&kept, &b, "gsm8k/13", 0)
        .unwrap_err()
        .to_string();
    assert!(error.contains("a baseline keeps verdicts only"), "{error}");
    assert!(Flips::of(&kept, &kept, &ComparisonSettings::default(), 2).is_err());
    // The same run gives the same file, and no path of this machine is in it.
    let text = fs::read_to_string(&file).unwrap();
    Baseline::of(&a).write(&file).unwrap();
    assert_eq!(fs::read_to_string(&file).unwrap(), text);
    assert!(!text.contains(parent.path().to_str().unwrap()));
}

#[test]
fn a_baseline_that_was_edited_or_is_none_is_refused() {
    let parent = tempfile::tempdir().unwrap();
    let a = opened(parent.path(), "a", &three_sets(), good);
    let file = parent.path().join("a.json");
    Baseline::of(&a).write(&file).unwrap();
    let text = fs::read_to_string(&file).unwrap();
    let refused = |content: &str| {
        fs::write(&file, content).unwrap();
        ComparedRun::open(&file).unwrap_err().to_string()
    };
    let mut flipped: Value = serde_json::from_str(&text).unwrap();
    flipped["sets"][0]["failed"] = 1.into();
    let mut lacking: Value = serde_json::from_str(&text).unwrap();
    lacking["sets"][1].as_object_mut().unwrap().remove("n");
    for (content, part) in [
        (
            flipped.to_string(),
            "a.json: its content does not match its checksum: it was edited or damaged",
        ),
        (
            lacking.to_string(),
            "not a baseline of this version: missing field `n`",
        ),
        (
            text.replace("baseline.v1", "baseline.v9"),
            "written as \"mwpbench.baseline.v9\", this program reads",
        ),
        (
            text.replace("\"truncated\": 0", "\"truncated\": NaN"),
            "not a baseline file: no JSON",
        ),
        ("{}".to_string(), "no field \"schema\""),
        (String::new(), "not a baseline file: no JSON"),
    ] {
        let message = refused(&content);
        assert!(message.contains(part), "no {part:?} in: {message}");
    }
    // White space is nobody's business.
    fs::write(
        &file,
        serde_json::from_str::<Value>(&text).unwrap().to_string(),
    )
    .unwrap();
    ComparedRun::open(&file).unwrap();
    assert!(matches!(
        ComparedRun::open(&parent.path().join("none")),
        Err(ComparisonError::NotThere(_))
    ));
}

#[test]
fn a_baseline_of_the_whole_benchmark_takes_some_kilobytes() {
    let parent = tempfile::tempdir().unwrap();
    let tasks = [
        ("gsm8k", 1319),
        ("MATH.Algebra", 5000),
        ("math23k_en", 1000),
    ];
    let a = opened(
        parent.path(),
        "a",
        &plan(problems(&Benchmark::published(), &tasks)),
        good,
    );
    let file = parent.path().join("a.json");
    Baseline::of(&a).write(&file).unwrap();
    // 7,319 items take 2 · 4/3 bits each, and what else there is does not grow.
    assert!(fs::metadata(&file).unwrap().len() < 5_000);
}

#[test]
fn damaged_and_unfinished_runs_are_told_apart() {
    let parent = tempfile::tempdir().unwrap();
    let changed = |name: &str, change: &dyn Fn(&Path)| {
        let path = folder(parent.path(), name, &three_sets(), good);
        change(&path);
        ComparedRun::open(&path).unwrap_err()
    };
    let replace = |file: &'static str, from: &'static str, to: &'static str| {
        move |path: &Path| {
            let text = fs::read_to_string(path.join(file)).unwrap();
            assert!(text.contains(from), "{file}: {text}");
            fs::write(path.join(file), text.replacen(from, to, 1)).unwrap();
        }
    };
    for (name, change, part) in [
        (
            "schema",
            replace("run.json", "mwpbench.run.v1", "mwpbench.run.v9"),
            "written as \"mwpbench.run.v9\", this program reads",
        ),
        (
            "field",
            replace("run.json", "\"version\"", "\"versoin\""),
            "not a run's manifest: unknown field `versoin`",
        ),
        (
            "problem",
            replace(
                "problems.jsonl",
                "\"reference\":\"1\"",
                "\"reference\":\"7\"",
            ),
            "does not match the digest",
        ),
        (
            "journal",
            replace("completions.jsonl", "answer is 1.", "answer is 7."),
            "line 2: the line does not match its checksum",
        ),
        (
            "verdict",
            replace(
                "verdicts.jsonl",
                "\"verdict\":\"wrong\",\"correct\":false",
                "\"verdict\":\"correct\",\"correct\":true",
            ),
            "verdicts.jsonl: line 10 (\"gsm8k/9\") is not what the scorers say",
        ),
        (
            "summary",
            replace("summary.json", "\"correct\": 36", "\"correct\": 39"),
            "summary.json: its counts are not those of verdicts.jsonl",
        ),
        (
            "accuracy",
            replace("summary.json", "\"accuracy\": 0.9", "\"accuracy\": NaN"),
            "summary.json: not JSON",
        ),
        (
            "lacking",
            replace("summary.json", "\"no_answer\"", "\"no_answers\""),
            "not a run's summary: missing field `no_answer`",
        ),
    ] {
        let error = changed(name, &change);
        assert!(error.to_string().contains(part), "no {part:?} in: {error}");
        assert!(error.class() != Class::Incomplete, "{error}");
    }
    let error = changed("stopped", &|path| {
        let journal = path.join("completions.jsonl");
        let text = fs::read_to_string(&journal).unwrap();
        fs::write(
            &journal,
            text.split_inclusive('\n').take(25).collect::<String>(),
        )
        .unwrap();
        fs::remove_file(path.join("summary.json")).unwrap();
    });
    assert!(
        matches!(
            error,
            ComparisonError::Run(Error::Incomplete {
                done: 25,
                total: 65,
                ..
            })
        ),
        "{error}"
    );
    assert_eq!(error.class(), Class::Incomplete);
    let error = changed("unborn", &|path| {
        fs::remove_file(path.join("completions.jsonl")).unwrap()
    });
    assert!(
        matches!(
            error,
            ComparisonError::Run(Error::Incomplete {
                done: 0,
                total: 65,
                ..
            })
        ),
        "{error}"
    );
    let error = changed("unjudged", &|path| {
        fs::remove_file(path.join("summary.json")).unwrap()
    });
    assert!(
        error.class() == Class::Incomplete && error.to_string().contains("was not judged"),
        "{error}"
    );
    let error = changed("empty", &|path| {
        fs::write(path.join("problems.jsonl"), "").unwrap();
        let manifest = path.join("run.json");
        let mut value: Value = serde_json::from_slice(&fs::read(&manifest).unwrap()).unwrap();
        // BLAKE3 of nothing.
        value["identity"]["data"]["problems_digest"] =
            "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262".into();
        fs::write(manifest, value.to_string()).unwrap();
    });
    assert!(
        error.to_string().contains("this run asked no problem"),
        "{error}"
    );
    let error = ComparedRun::open(parent.path()).unwrap_err();
    assert!(
        matches!(error, ComparisonError::Run(Error::NoRun(_))),
        "{error}"
    );
}
