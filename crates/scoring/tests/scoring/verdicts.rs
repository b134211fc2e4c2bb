//! How a judgement and the end of a completion become a verdict, and how verdicts and exceptions
//! are written.

use scoring::official::{Exception, judge_completion};
use scoring::strict::{Answer, Profile};
use scoring::{Ended, Verdict};

#[test]
fn first_line_that_applies_decides() {
    use Ended::{Complete, Failed, Truncated};
    for (completion, reference, ended, expected) in [
        ("\\boxed{2}", "2", Complete, Verdict::Correct),
        ("\\boxed{2}", "2", Truncated, Verdict::Correct),
        ("\\boxed{2}", "2", Failed, Verdict::Failed),
        ("\\boxed{3}", "2", Complete, Verdict::Wrong),
        ("\\boxed{3}", "2", Truncated, Verdict::Truncated),
        ("no digits", "2", Complete, Verdict::NoAnswer),
        ("no digits", "2", Truncated, Verdict::Truncated),
        ("no sentence", "x", Complete, Verdict::NoAnswer),
        ("\\boxed{x}", "\\sqrt", Complete, Verdict::Wrong),
        ("no sentence", "\\sqrt", Complete, Verdict::Wrong),
        ("no sentence", "\\sqrt", Truncated, Verdict::Wrong),
        ("no sentence", "\\sqrt", Failed, Verdict::Failed),
    ] {
        let judgement = judge_completion(completion, reference);
        assert_eq!(
            judgement.verdict(ended),
            expected,
            "{completion:?} against {reference:?}, {ended:?}"
        );
    }
}

#[test]
fn first_line_that_applies_decides_for_the_strict_scorer_too() {
    use Ended::{Complete, Failed, Truncated};
    for (completion, reference, ended, expected) in [
        ("\\boxed{2}", "2", Complete, Verdict::Correct),
        ("\\boxed{2.0}", "2", Truncated, Verdict::Correct),
        ("\\boxed{2}", "2", Failed, Verdict::Failed),
        ("\\boxed{3}", "2", Complete, Verdict::Wrong),
        ("\\boxed{3}", "2", Truncated, Verdict::Truncated),
        ("", "2", Complete, Verdict::NoAnswer),
        ("", "2", Truncated, Verdict::Truncated),
    ] {
        let judgement = Profile::standard().judge(Answer::Completion(completion), reference, None);
        assert_eq!(
            judgement.verdict(ended),
            expected,
            "{completion:?} against {reference:?}, {ended:?}"
        );
    }
}

#[test]
fn names_are_stable() {
    for verdict in [
        Verdict::Correct,
        Verdict::Wrong,
        Verdict::NoAnswer,
        Verdict::Truncated,
        Verdict::Failed,
    ] {
        let written = serde_json::to_string(&verdict).expect("a verdict is a text");
        assert_eq!(written, format!("\"{verdict}\""));
        assert_eq!(
            serde_json::from_str::<Verdict>(&written).expect("what was written"),
            verdict
        );
    }
    assert_eq!(Verdict::NoAnswer.to_string(), "no_answer");
    for (exception, name) in [
        (Exception::IndexError, "IndexError"),
        (Exception::AssertionError, "AssertionError"),
    ] {
        assert_eq!(exception.to_string(), name);
        assert_eq!(
            serde_json::to_string(&exception).expect("a text"),
            format!("\"{name}\"")
        );
    }
}
