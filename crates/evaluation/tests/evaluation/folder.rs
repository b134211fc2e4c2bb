use std::fs;
use std::io::Write;
use std::path::Path;

use dataset_loader::Benchmark;
use evaluation::{Error, Grader, LongPrompts, RunFolder, TokenDetails};
use generation::FinishReason;
use serde_json::Value;

use crate::scripted::{plan, problems, right, run};
use generation::Scripted;

fn gsm8k(count: usize) -> evaluation::RunPlan {
    plan(problems(&Benchmark::published(), &[("gsm8k", count)]))
}

fn read(folder: &Path, name: &str) -> String {
    fs::read_to_string(folder.join(name)).unwrap()
}

#[test]
fn a_run_leaves_its_five_files_and_their_figures_agree() {
    let folder = tempfile::tempdir().unwrap();
    let plan = plan(problems(
        &Benchmark::published(),
        &[
            ("gsm8k", 5),
            ("MATH.Algebra", 2),
            ("FreshGaokaoMath2023", 1),
        ],
    ));
    let mut generator = Scripted::new(|prompt| match prompt.id.as_str() {
        "gsm8k/1" => ("The answer is 100.".to_string(), FinishReason::Eos),
        "gsm8k/2" => (String::new(), FinishReason::Eos),
        "gsm8k/3" => ("and then we add 7".to_string(), FinishReason::Length),
        _ => right(prompt),
    });
    let summary = run(&plan, &mut generator, folder.path()).unwrap().summary;

    let gsm8k = &summary.sets[0];
    assert_eq!(
        (
            gsm8k.set.as_str(),
            gsm8k.counts.n,
            gsm8k.counts.official.correct
        ),
        ("gsm8k", 5, 2)
    );
    assert_eq!(
        (
            gsm8k.counts.no_answer,
            gsm8k.counts.truncated,
            gsm8k.counts.failed
        ),
        (1, 1, 0)
    );
    assert_eq!(gsm8k.counts.strict.correct, 2);
    assert!((summary.micro.unwrap().official - 4.0 / 7.0).abs() < 1e-12);
    assert!((summary.micro.unwrap().strict - 4.0 / 7.0).abs() < 1e-12);
    assert!((summary.macro_.unwrap().official - 0.7).abs() < 1e-12);
    assert!(!summary.complete);
    assert_eq!(summary.missing.len(), 8);
    assert_eq!(summary.partial, ["gsm8k", "math"]);

    assert_eq!(read(folder.path(), "completions.jsonl").lines().count(), 8);
    let verdicts: Vec<String> = read(folder.path(), "verdicts.jsonl")
        .lines()
        .map(|line| {
            serde_json::from_str::<Value>(line).unwrap()["official"]["verdict"]
                .as_str()
                .unwrap()
                .to_string()
        })
        .collect();
    assert_eq!(
        verdicts[..5],
        ["correct", "wrong", "no_answer", "truncated", "correct"]
    );
    let written: Value = serde_json::from_str(&read(folder.path(), "summary.json")).unwrap();
    assert_eq!(written, serde_json::to_value(&summary).unwrap());
    assert_eq!(
        RunFolder::open(folder.path()).unwrap().problems().unwrap(),
        plan.problems
    );
}

#[test]
fn completions_come_out_in_the_order_of_the_problems_whatever_the_order_they_finished_in() {
    let folder = tempfile::tempdir().unwrap();
    run(&gsm8k(3), &mut Scripted::new(right), folder.path()).unwrap();
    let ids: Vec<String> = read(folder.path(), "completions.jsonl")
        .lines()
        .map(|line| {
            serde_json::from_str::<Value>(line).unwrap()["id"]
                .as_str()
                .unwrap()
                .to_string()
        })
        .collect();
    assert_eq!(ids, ["gsm8k/0", "gsm8k/1", "gsm8k/2"]);
}

#[test]
fn a_run_that_broke_off_has_no_summary_and_continues_where_it_stopped() {
    let (broken, whole) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let plan = gsm8k(6);
    let mut failing = Scripted {
        fails_after: 4,
        ..Scripted::new(right)
    };
    let error = run(&plan, &mut failing, broken.path()).unwrap_err();
    assert!(matches!(error, Error::Job(_)), "{error}");
    assert!(!broken.path().join("summary.json").exists());
    let error = evaluation::rescore(
        &Benchmark::published(),
        &Grader::new(&Benchmark::published()),
        &RunFolder::open(broken.path()).unwrap(),
    )
    .unwrap_err();
    assert!(
        matches!(
            error,
            Error::Incomplete {
                done: 4,
                total: 6,
                ..
            }
        ),
        "{error}"
    );

    // A process that was killed while it wrote leaves half a line.
    let journal = broken.path().join("completions.jsonl");
    let mut handle = fs::File::options().append(true).open(&journal).unwrap();
    handle.write_all(br#"{"id":"gsm8k/1","set":"gsm"#).unwrap();
    let error = evaluation::rescore(
        &Benchmark::published(),
        &Grader::new(&Benchmark::published()),
        &RunFolder::open(broken.path()).unwrap(),
    )
    .unwrap_err();
    assert!(
        matches!(
            error,
            Error::Incomplete {
                done: 4,
                total: 6,
                ..
            }
        ),
        "{error}"
    );

    let mut second = Scripted::new(right);
    let finished = run(&plan, &mut second, broken.path()).unwrap();
    assert_eq!(
        (finished.progress.resumed, finished.progress.finished),
        (4, 2)
    );
    assert_eq!(second.asked_ids(), ["gsm8k/1", "gsm8k/0"]);

    run(&plan, &mut Scripted::new(right), whole.path()).unwrap();
    for name in [
        "problems.jsonl",
        "completions.jsonl",
        "verdicts.jsonl",
        "summary.json",
    ] {
        assert_eq!(
            read(broken.path(), name),
            read(whole.path(), name),
            "{name}"
        );
    }
}

#[test]
fn the_same_command_again_generates_nothing() {
    let folder = tempfile::tempdir().unwrap();
    run(&gsm8k(3), &mut Scripted::new(right), folder.path()).unwrap();
    let mut second = Scripted::new(right);
    let again = run(&gsm8k(3), &mut second, folder.path()).unwrap();
    assert_eq!((again.progress.resumed, again.progress.finished), (3, 0));
    assert!(second.asked.is_empty());
}

#[test]
fn a_folder_of_another_run_is_refused_and_the_difference_named() {
    let folder = tempfile::tempdir().unwrap();
    run(&gsm8k(3), &mut Scripted::new(right), folder.path()).unwrap();
    let before = read(folder.path(), "run.json");
    let mut other = gsm8k(3);
    other.decoding.max_tokens = 128;
    let text = run(&other, &mut Scripted::new(right), folder.path())
        .unwrap_err()
        .to_string();
    assert!(
        text.contains("decoding.max_tokens is 64 there and 128 here"),
        "{text}"
    );
    assert_eq!(read(folder.path(), "run.json"), before);
}

#[test]
fn a_run_that_was_killed_while_it_began_begins_again() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("problems.jsonl"), "{\"id\": \"gsm").unwrap();
    fs::write(folder.path().join(".mwpbench-a1b2"), "half").unwrap();
    let error = run(&gsm8k(1), &mut Scripted::new(right), folder.path()).unwrap_err();
    assert!(matches!(error, Error::NotARunFolder(_)), "{error}");
    // The lock says that these files are a run's.
    fs::write(folder.path().join("run.lock"), "").unwrap();
    run(&gsm8k(1), &mut Scripted::new(right), folder.path()).unwrap();
    assert!(!folder.path().join(".mwpbench-a1b2").exists());
}

#[test]
fn a_folder_with_other_files_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("thesis.tex"), "precious").unwrap();
    let error = run(&gsm8k(1), &mut Scripted::new(right), folder.path()).unwrap_err();
    assert!(matches!(error, Error::NotARunFolder(_)), "{error}");
}

#[test]
fn prompts_that_do_not_fit_stop_the_run_before_anything_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let run_path = folder.path().join("run");
    let plan = gsm8k(12);
    let longest = plan.problems[0].question.len();
    let mut generator = Scripted {
        max_prompt_bytes: longest,
        ..Scripted::new(right)
    };
    let text = run(&plan, &mut generator, &run_path)
        .unwrap_err()
        .to_string();
    assert!(
        text.contains("2 of 12 prompts") && text.contains("gsm8k/10"),
        "{text}"
    );
    assert!(!run_path.exists());

    let counted = evaluation::RunPlan {
        long_prompts: LongPrompts::Fail,
        ..plan
    };
    let summary = run(&counted, &mut generator, &run_path).unwrap().summary;
    let counts = &summary.sets[0].counts;
    assert_eq!(
        (
            counts.n,
            counts.failed,
            counts.official.correct,
            counts.no_answer
        ),
        (12, 2, 10, 0)
    );
}

#[test]
fn judging_again_gives_the_same_and_needs_no_model() {
    let folder = tempfile::tempdir().unwrap();
    let summary = run(&gsm8k(4), &mut Scripted::new(right), folder.path())
        .unwrap()
        .summary;
    let verdicts = read(folder.path(), "verdicts.jsonl");
    fs::remove_file(folder.path().join("verdicts.jsonl")).unwrap();
    fs::remove_file(folder.path().join("summary.json")).unwrap();
    let again = evaluation::rescore(
        &Benchmark::published(),
        &Grader::new(&Benchmark::published()),
        &RunFolder::open(folder.path()).unwrap(),
    )
    .unwrap();
    assert_eq!(again, summary);
    assert_eq!(read(folder.path(), "verdicts.jsonl"), verdicts);
}

#[test]
fn damage_is_named_by_file_and_line() {
    let folder = tempfile::tempdir().unwrap();
    run(&gsm8k(3), &mut Scripted::new(right), folder.path()).unwrap();
    let open = RunFolder::open(folder.path()).unwrap();
    let journal = folder.path().join("completions.jsonl");
    let whole = fs::read_to_string(&journal).unwrap();

    fs::write(
        &journal,
        whole
            .replacen("\"sample\":0", "\"sample\":\"x\"", 2)
            .replacen("\"sample\":\"x\"", "\"sample\":0", 1),
    )
    .unwrap();
    let text = open.completions().unwrap_err().to_string();
    assert!(
        text.contains("completions.jsonl, line 2: the line does not match its checksum"),
        "{text}"
    );

    fs::write(
        &journal,
        format!("{whole}{}\n", whole.lines().next().unwrap()),
    )
    .unwrap();
    let text = open.completions().unwrap_err().to_string();
    assert!(
        text.contains("completions.jsonl, line 4: this item was finished before"),
        "{text}"
    );

    let problems = folder.path().join("problems.jsonl");
    fs::write(
        &problems,
        fs::read_to_string(&problems)
            .unwrap()
            .replace("\"reference\":\"1\"", "\"reference\":\"7\""),
    )
    .unwrap();
    let text = open.problems().unwrap_err().to_string();
    assert!(
        text.contains("does not match the digest in run.json"),
        "{text}"
    );

    let manifest = folder.path().join("run.json");
    fs::write(
        &manifest,
        fs::read_to_string(&manifest)
            .unwrap()
            .replace("mwpbench.run.v1", "mwpbench.run.v9"),
    )
    .unwrap();
    let text = RunFolder::open(folder.path()).unwrap_err().to_string();
    assert!(
        text.contains("written as \"mwpbench.run.v9\", this program reads \"mwpbench.run.v1\""),
        "{text}"
    );
}

#[test]
fn disagreements_are_grouped_by_the_rules_that_made_them() {
    let folder = tempfile::tempdir().unwrap();
    let mut problems = problems(&Benchmark::published(), &[("gsm8k", 4)]);
    for (problem, reference) in
        problems
            .iter_mut()
            .zip(["\\frac{3}{4}", "\\frac{1}{4}", "3-\\sqrt{5}", "7"])
    {
        problem.reference = reference.to_string();
    }
    let mut generator = Scripted::new(|prompt| {
        let answer = match prompt.id.as_str() {
            "gsm8k/0" => "\\boxed{0.75}",
            "gsm8k/1" => "\\boxed{0.25}",
            "gsm8k/2" => "\\boxed{2(3-\\sqrt{5})}",
            _ => "\\boxed{7}",
        };
        (answer.to_string(), FinishReason::Eos)
    });
    run(&plan(problems), &mut generator, folder.path()).unwrap();
    let verdicts = RunFolder::open(folder.path()).unwrap().verdicts().unwrap();
    let found = evaluation::Disagreements::of(&verdicts);
    assert_eq!(
        (
            found.n,
            found.official_false_positives,
            found.official_false_negatives
        ),
        (4, 1, 2)
    );
    assert_eq!(found.groups[0].ids, ["gsm8k/0", "gsm8k/1"]);
    assert!(!found.groups[0].official_accepts);
    assert_eq!(found.groups[0].strict_rule, "equal/rational");
    assert_eq!(found.groups[1].ids, ["gsm8k/2"]);
}

#[test]
fn items_that_failed_are_asked_again_on_request_and_the_others_stay() {
    let folder = tempfile::tempdir().unwrap();
    let plan = gsm8k(5);
    let mut broken = Scripted::new(|prompt| match prompt.id.as_str() {
        "gsm8k/1" | "gsm8k/3" => (String::new(), FinishReason::Error),
        _ => right(prompt),
    });
    assert_eq!(
        run(&plan, &mut broken, folder.path())
            .unwrap()
            .summary
            .failed(),
        2
    );
    // Without being asked to, a finished run stays as it is.
    let mut idle = Scripted::new(right);
    assert_eq!(
        run(&plan, &mut idle, folder.path())
            .unwrap()
            .summary
            .failed(),
        2
    );
    assert_eq!(idle.asked_ids(), Vec::<&str>::new());

    // Interrupted in between, the folder does not claim to be whole.
    let retry = evaluation::RunPlan {
        retry_failed: true,
        ..plan.clone()
    };
    let mut stopping = Scripted {
        fails_after: 1,
        ..Scripted::new(right)
    };
    run(&retry, &mut stopping, folder.path()).unwrap_err();
    assert!(!folder.path().join("summary.json").exists());
    assert_eq!(stopping.asked_ids(), ["gsm8k/3"]);

    let mut mended = Scripted::new(right);
    let summary = run(&retry, &mut mended, folder.path()).unwrap().summary;
    assert_eq!(
        (summary.failed(), summary.sets[0].counts.strict.correct),
        (0, 5)
    );
    assert_eq!(mended.asked_ids(), ["gsm8k/1"]);
    let whole = tempfile::tempdir().unwrap();
    run(&plan, &mut Scripted::new(right), whole.path()).unwrap();
    for file in ["completions.jsonl", "verdicts.jsonl", "summary.json"] {
        assert_eq!(
            read(folder.path(), file),
            read(whole.path(), file),
            "{file}"
        );
    }
}

#[test]
fn token_ids_are_written_where_the_model_tells_them() {
    let folder = tempfile::tempdir().unwrap();
    let plan = evaluation::RunPlan {
        token_details: TokenDetails {
            token_ids: true,
            logprobs: false,
        },
        ..gsm8k(2)
    };
    let benchmark = Benchmark::published();
    let grader = Grader::new(&benchmark);
    let go = |generator: &mut dyn generation::Generator, folder: &Path| {
        evaluation::run(&benchmark, &grader, &plan, generator, folder, &mut |_| {
            std::ops::ControlFlow::Continue(())
        })
    };
    go(
        &mut Scripted {
            reports_token_ids: true,
            ..Scripted::new(right)
        },
        folder.path(),
    )
    .unwrap();
    let lines: Vec<evaluation::PromptRecord> = read(folder.path(), "prompts.jsonl")
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(
        (lines[1].id.as_str(), lines[1].prompt.as_str()),
        ("gsm8k/1", "Which number is 1?")
    );
    assert_eq!(lines[1].token_ids, [1, 18]);
    let silent = tempfile::tempdir().unwrap();
    assert!(matches!(
        go(&mut Scripted::new(right), silent.path()),
        Err(Error::NoTokenIds)
    ));
}

#[test]
fn token_details_are_kept_of_all_completions_or_of_none() {
    let folder = tempfile::tempdir().unwrap();
    let details = |logprobs| evaluation::RunPlan {
        token_details: TokenDetails {
            token_ids: false,
            logprobs,
        },
        ..gsm8k(4)
    };
    let stopped = |fails_after| Scripted {
        fails_after,
        ..Scripted::new(right)
    };
    // Nothing is finished yet: the next start decides.
    run(&details(true), &mut stopped(0), folder.path()).unwrap_err();
    run(&details(false), &mut stopped(2), folder.path()).unwrap_err();
    let error = run(&details(true), &mut Scripted::new(right), folder.path()).unwrap_err();
    assert!(
        matches!(error, Error::OtherTokenDetails { finished: 2, .. }),
        "{error}"
    );
    assert!(!read(folder.path(), "run.json").contains("token_details"));
    run(&details(false), &mut Scripted::new(right), folder.path()).unwrap();
    let error = run(&details(true), &mut Scripted::new(right), folder.path()).unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("what is kept is settled when a run begins"),
        "{error}"
    );

    let folder = tempfile::tempdir().unwrap();
    let failing = |prompt: &generation::Prompt| match prompt.id.as_str() {
        "gsm8k/1" => (String::new(), FinishReason::Error),
        _ => right(prompt),
    };
    run(&details(true), &mut Scripted::new(failing), folder.path()).unwrap();
    run(&details(false), &mut Scripted::new(right), folder.path()).unwrap();
    let again = evaluation::RunPlan {
        retry_failed: true,
        ..details(false)
    };
    let error = run(&again, &mut Scripted::new(right), folder.path()).unwrap_err();
    assert!(
        matches!(error, Error::OtherTokenDetails { finished: 3, .. }),
        "the one that failed would have none: {error}"
    );
    let again = evaluation::RunPlan {
        retry_failed: true,
        ..details(true)
    };
    run(&again, &mut Scripted::new(right), folder.path()).unwrap();
}
