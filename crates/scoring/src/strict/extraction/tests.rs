//! Kinds of references, and texts made to break things. The cases of the rules are in their files;
//! `crate::cases` runs them.

use proptest::prelude::*;

use super::{Extracted, ReferenceKind, kind_of};
use crate::strict::Profile;

fn extract(text: &str, kind: ReferenceKind) -> Option<Extracted<'_>> {
    super::extract(Profile::standard().rules(), text, kind, None).found
}

const KINDS: [ReferenceKind; 4] = [
    ReferenceKind::Number,
    ReferenceKind::Choice,
    ReferenceKind::Formula,
    ReferenceKind::Text,
];

#[test]
fn kinds_of_references() {
    let expect = |kind: ReferenceKind, references: &[&str]| {
        for reference in references {
            assert_eq!(kind_of(reference), kind, "{reference}");
        }
    };
    expect(
        ReferenceKind::Number,
        &[
            "18",
            "-3",
            "1,250",
            "0.5",
            "(47/50)",
            "3/4",
            "\\frac{2807}{27}",
            "$-\\frac{1}{2}$",
            "12%",
            "198\\%",
            "\\$6",
            "$18.",
            "5 cm",
            "125 \\text{ miles}",
            "90^\\circ",
            "$75^{\\circ}$.",
            "4:30",
            "2 1/2",
            "-2 .",
            "1.5e3",
        ],
    );
    expect(
        ReferenceKind::Choice,
        &[
            "B",
            "(C)",
            "$A$",
            "\\text{D}",
            "ABD",
            "A, B, C",
            "(b)",
            "(D) Alina",
            "B.",
        ],
    );
    expect(
        ReferenceKind::Formula,
        &[
            "6x",
            "x^2+1",
            "(1, 2)",
            "$[0,1)$",
            "x = 5",
            "x",
            "\\sqrt{2}",
            "$y=2 x$",
            "40\\pi",
            "[1, -1]",
            "1, 2",
            "x < 8",
        ],
    );
    expect(
        ReferenceKind::Text,
        &["Evelyn", "True", "yes", "\\text{even}", "no solution"],
    );
}

#[test]
fn hostile_texts_take_linear_time() {
    // A quarter of a megabyte: quadratic work on it would take minutes, linear work takes
    // milliseconds.
    const BYTES: usize = 1 << 18;
    let pieces = [
        "\\boxed{",
        "\\boxed{1}",
        "\\boxed{\\boxed{1} and ",
        "is ",
        "the answer is ",
        "answer ",
        "####",
        "#### 1 ",
        "```",
        "```\n",
        "$",
        "$x$,",
        "$x$ and ",
        "\\[",
        "\\begin{",
        "1",
        "1,111",
        "1 and ",
        "1/",
        "1:",
        ".",
        "A",
        "A, ",
        "(",
        "option ",
        "**",
        "**a**",
        "答案",
        "【答案】",
        "\n",
        " \n",
        "<",
        "Q:",
        "\nQ:",
        "</think>",
        "{",
        "}",
        "\\",
        "=",
        "1=",
        "-",
        "\\frac{1}{",
        "故选",
    ];
    for piece in pieces {
        let repeated = piece.repeat(BYTES / piece.len());
        for text in [
            repeated.clone(),
            format!("\\boxed{{{repeated}}}"),
            format!("The answer is {repeated}"),
        ] {
            for kind in KINDS {
                let _ = extract(&text, kind);
            }
        }
        let _ = kind_of(&repeated);
    }
}

fn fragments() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        prop::sample::select(vec![
            "\\boxed{",
            "\\fbox{",
            "}",
            "{",
            "the answer is ",
            "Answer: ",
            "#### ",
            "【答案】",
            "答案是",
            "故选",
            "$",
            "\\(",
            "\\)",
            "\\[",
            "\\]",
            "$$",
            "**",
            "```",
            "```output\n",
            "\n",
            "\nQ:",
            "</s>",
            "</think>",
            "option ",
            "(B)",
            "A, B",
            "-3/4",
            "1,250.50",
            "\\frac{1}{2}",
            " and ",
            "=",
            ". ",
            "。",
            "é",
            "−",
            "5 + 3 = 8",
            "4:30 p.m.",
            "\\$",
            "\\",
        ])
        .prop_map(str::to_owned),
        any::<String>(),
    ];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn any_text_is_survived_and_spans_hold_their_answer(text in fragments()) {
        kind_of(&text);
        for kind in KINDS {
            if let Some(found) = extract(&text, kind) {
                prop_assert!(!found.text.is_empty());
                prop_assert!(text.get(found.span.clone()).is_some());
                if let std::borrow::Cow::Borrowed(borrowed) = found.text {
                    prop_assert_eq!(borrowed, &text[found.span]);
                }
            }
        }
    }
}
