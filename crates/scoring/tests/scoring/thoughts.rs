//! Thoughts of a model: whatever marks them, what they hold is no answer.

use scoring::strict::{Answer, Profile, StrictJudgement};
use scoring::{Ended, Verdict};

const MARKS: [(&str, &str); 24] = [
    ("<think>", "</think>"),
    ("<think>\n", "\n</think>\n\n"),
    ("<thinking>", "</thinking>"),
    ("<THINKING>", "</THINKING>"),
    ("<thought>", "</thought>"),
    ("<Thought>\n", "</Thought>\n"),
    ("<thoughts>", "</thoughts>"),
    ("<reasoning>", "</reasoning>"),
    ("<reflection>", "</reflection>"),
    ("<scratchpad>", "</scratchpad>"),
    ("<analysis>", "</analysis>"),
    ("<chain_of_thought>", "</chain_of_thought>"),
    ("<seed:think>", "</seed:think>"),
    ("<start_working_out>", "<end_working_out>"),
    ("<|begin_of_thought|>", "<|end_of_thought|>"),
    ("<|START_THINKING|>", "<|END_THINKING|>"),
    ("<|thinking|>", "<|/thinking|>"),
    ("<|inner_prefix|>", "<|inner_suffix|>"),
    ("[THINK]", "[/THINK]"),
    ("[THOUGHT]", "[/THOUGHT]"),
    ("◁think▷", "◁/think▷"),
    ("analysis", "assistantfinal"),
    (
        "<|channel|>analysis<|message|>",
        "<|end|><|start|>assistant<|channel|>final<|message|>",
    ),
    ("<|im_start|>think\n", "<|im_start|>answer\n"),
];

const THOUGHTS: &str = "Perhaps \\boxed{10}. No, the answer is 11, or rather 12.";

fn judge(completion: &str, reference: &str) -> StrictJudgement {
    Profile::standard().judge(Answer::Completion(completion), reference, None)
}

#[test]
fn what_is_thought_is_passed_over() {
    for (open, close) in MARKS {
        for said in ["The sum is 12.", "So \\boxed{12}.", "**12**", "12"] {
            let completion = format!("{open}{THOUGHTS}{close}{said}");
            for (reference, correct) in [("12", true), ("10", false), ("11", false)] {
                assert_eq!(
                    judge(&completion, reference).correct,
                    correct,
                    "{completion}"
                );
            }
        }
    }
}

#[test]
fn thoughts_that_the_prompt_opened_are_passed_over() {
    for (_, close) in MARKS {
        let completion = format!("{THOUGHTS}{close}The sum is 12.");
        assert!(!judge(&completion, "10").correct, "{completion}");
        // Where a mark closes messages of every kind, it closes no thoughts unless one was opened.
        assert!(judge(&completion, "12").correct, "{completion}");
    }
}

#[test]
fn thoughts_behind_the_answer_are_passed_over() {
    for (open, close) in MARKS
        .iter()
        .filter(|(open, _)| open.starts_with(['<', '[']))
    {
        let completion = format!("The answer is 12. {open}{THOUGHTS}");
        assert!(judge(&completion, "12").correct, "{completion}");
        if close.contains("start") || open.contains("im_start") {
            continue;
        }
        let completion = format!("We add. {open}{THOUGHTS}{close} The answer is 12.");
        assert!(judge(&completion, "12").correct, "{completion}");
    }
}

#[test]
fn thoughts_alone_have_a_verdict_of_their_own() {
    for (open, _) in MARKS {
        let completion = format!("{open}{THOUGHTS}");
        let judgement = judge(&completion, "10");
        let thoughts = judgement.thoughts.as_ref().expect("nothing but thoughts");
        assert!(
            !judgement.correct && judgement.answer.is_none(),
            "{completion}"
        );
        assert!(thoughts.correct && thoughts.unfinished, "{completion}");
        assert_eq!(thoughts.answer.as_deref(), Some("10"), "{completion}");
        assert_eq!(judgement.verdict(Ended::Complete), Verdict::Truncated);
        assert_eq!(judgement.verdict(Ended::Truncated), Verdict::Truncated);
        assert_eq!(judgement.verdict(Ended::Failed), Verdict::Failed);
        assert!(!judge(&completion, "12").thoughts.expect("thoughts").correct);
    }
    let judgement = judge("<think>So \\boxed{4}</think>\n", "4");
    let thoughts = judgement.thoughts.as_ref().expect("nothing but thoughts");
    assert!(thoughts.correct && !thoughts.unfinished);
    assert_eq!(judgement.verdict(Ended::Complete), Verdict::NoAnswer);
}

#[test]
fn a_profile_may_credit_thoughts() {
    let text = "purpose = 'p'\nsource = 's'\n[comparison]\nthoughts = 'count'\n";
    let profile = Profile::parse("credit", text).expect("a profile");
    for completion in ["<think>So \\boxed{4}", "<think>So \\boxed{4}</think>"] {
        let judgement = profile.judge(Answer::Completion(completion), "4", None);
        assert!(
            judgement.correct && judgement.thoughts.is_none(),
            "{judgement:?}"
        );
        assert!(judgement.trace.contains(&"extract/thoughts"));
        assert!(
            !profile
                .judge(Answer::Completion(completion), "5", None)
                .correct
        );
    }
}

#[test]
fn what_only_looks_like_thoughts_is_read() {
    for completion in [
        "Analysis of both sides gives \\boxed{4}.",
        "analysis of both sides gives \\boxed{4}.",
        "Since a<b and b</c>, so to speak, \\boxed{4}.",
        "In [T] we find \\boxed{4}.",
        "I think>so: \\boxed{4}",
        "\\boxed{4} is what I <b>think</b>.",
    ] {
        assert!(judge(completion, "4").correct, "{completion}");
    }
}

#[test]
fn the_judgement_is_written_without_thoughts_where_there_are_none() {
    let written = serde_json::to_string(&judge("\\boxed{4}", "4")).expect("JSON");
    assert!(!written.contains("thoughts"), "{written}");
}
