//! What holds for any text: no panic, no hang, an answer that equals itself.

use proptest::prelude::*;
use scoring::official::{judge_completion, judge_prediction};

/// Texts rich in what the rules look for.
fn latex() -> impl Strategy<Value = String> {
    let fragment = prop_oneof![
        4 => prop::sample::select(FRAGMENTS.to_vec()).prop_map(str::to_owned),
        1 => "\\PC{0,3}",
        1 => any::<char>().prop_map(String::from),
    ];
    prop::collection::vec(fragment, 0..24).prop_map(|fragments| fragments.concat())
}

#[rustfmt::skip]
const FRAGMENTS: [&str; 64] = [
    "\\boxed{", "\\boxed", "{", "}", "{{", "}}", "\\frac", "\\dfrac", "\\tfrac", "\\sqrt", "\\text{ ", "\\text{", "\\left", "\\right", "\\",
    "\\\\", "\\!", "\\$", "$", "$$", "\\%", "%", "^{\\circ}", "^\\circ", "\\quad", " ", "\n", ".", ".\n", " .", "{.", ":", "=", "x", "x=", "-", "+",
    "/", ",", "((", "))", ")/(", "((1)/(2))", "1", "2", "0", "0.5", "1e400", "nan", "inf", "_", "e", "answer is", "The solution is ", "is", "Σ", "İ",
    "é", "١", "५", "９", "\u{1d7d8}", "\u{a0}", "\u{1c}",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 2048, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_judged(completion in latex(), reference in latex()) {
        for judgement in [judge_completion(&completion, &reference), judge_prediction(&completion, &reference)] {
            prop_assert!(!judgement.trace.is_empty());
            prop_assert!(!(judgement.correct && judgement.exception.is_some()));
            prop_assert_eq!(judgement.reference.is_none(), judgement.exception.is_some());
        }
    }

    #[test]
    fn any_characters_are_judged(completion in any::<String>(), reference in any::<String>()) {
        judge_completion(&completion, &reference);
        judge_prediction(&completion, &reference);
    }

    /// The two exceptions: a reference that raises, and `nan`, which equals nothing.
    #[test]
    fn an_answer_equals_itself(answer in latex()) {
        let judgement = judge_prediction(&answer, &answer);
        let reference = judgement.reference.clone().unwrap_or_default();
        let number = reference.trim_matches('$').trim();
        let is_nan = number.strip_prefix(['-', '+']).unwrap_or(number) == "nan";
        prop_assert_eq!(judgement.correct, judgement.exception.is_none() && !is_nan, "{:?}", judgement);
    }

    /// Lower-casing comes first, on both sides.
    #[test]
    fn case_does_not_matter_to_ascii(completion in "[ -~]{0,40}", reference in "[ -~]{0,10}") {
        let judgement = judge_completion(&completion, &reference);
        prop_assert_eq!(judge_completion(&completion.to_ascii_uppercase(), &reference.to_ascii_uppercase()), judgement);
    }
}

/// A scan that starts again at each of these would take minutes.
#[test]
fn a_hostile_megabyte_takes_no_longer_than_any_other() {
    for fragment in [
        "{",
        "}",
        "\\boxed{",
        "\\boxed{}",
        "{\\boxed{1",
        "\\",
        "(",
        "((1)/(2))",
        "((1)/(",
        "((1",
        "1",
        "-",
        "1/",
        "1,",
        ".",
        ".\n",
        ":",
        " ",
        "$",
        "is",
        "answer is",
        "\\frac",
        "\\frac1",
        "\\frac12",
        "\\sqrt",
        "\\sqrt1",
        "\\text{ ",
        "=",
        "_",
        "1_",
        "0.",
        "e",
        "Σ",
        "aΣ\u{301}",
        "İ",
        "٣",
        "\u{85}",
        "\u{1e4ec}",
    ] {
        let text = fragment.repeat(1_000_000 / fragment.len());
        for closing in ["", "}", "1"] {
            let text = text.clone() + closing;
            for reference in ["1", "x", text.as_str()] {
                judge_completion(&text, reference);
                judge_prediction(&text, reference);
            }
        }
    }
    // Substring search: a needle that almost matches everywhere.
    let haystack = "a".repeat(1_000_000);
    let needle = "a".repeat(500_000) + "b" + &"a".repeat(10_000);
    assert!(!judge_prediction(&needle, &haystack).correct);
    assert!(!judge_prediction(&haystack, &needle).correct);
}
