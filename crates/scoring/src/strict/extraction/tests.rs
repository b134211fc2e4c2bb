//! The cases in the rules' own files, the files themselves, and texts made to break things.

use std::{collections::BTreeSet, fs, time::Instant};

use proptest::prelude::*;

use super::{
    ReferenceKind, extract, kind_of,
    rules::{FILES, File, PROFILE, Rules, rules},
};

const KINDS: [ReferenceKind; 4] =
    [ReferenceKind::Number, ReferenceKind::Choice, ReferenceKind::Formula, ReferenceKind::Text];

fn files() -> impl Iterator<Item = (&'static str, File)> {
    FILES.iter().map(|(name, text)| (*name, File::parse(name, text).unwrap_or_else(|error| panic!("{error}"))))
}

#[test]
fn every_case_holds() {
    let mut failures = Vec::new();
    for (name, file) in files() {
        for case in file.case {
            let found = extract(&case.completion, kind_of(&case.reference));
            let rule = found.as_ref().map(|found| found.rule);
            let answer = found.as_ref().map(|found| found.text.as_ref());
            let fires = case.fires.as_deref().is_none_or(|id| rule == Some(id));
            let silent = case.silent.as_deref().is_none_or(|id| rule != Some(id));
            if answer != case.answer.as_deref() || !fires || !silent {
                failures.push(format!("{name}: {}: {found:?}, {:?}", case.purpose, kind_of(&case.reference)));
            }
        }
    }
    assert!(failures.is_empty(), "{failures:#?}");
}

#[test]
fn every_rule_has_a_case_where_it_fires_and_one_where_it_does_not() {
    let ids: BTreeSet<String> =
        KINDS.iter().flat_map(|&kind| rules().order(kind)).flatten().map(|rule| rule.id.clone()).collect();
    let (mut fires, mut silent) = (BTreeSet::new(), BTreeSet::new());
    for case in files().flat_map(|(_, file)| file.case) {
        fires.extend(case.fires);
        silent.extend(case.silent);
    }
    assert_eq!(fires, ids);
    assert_eq!(silent, ids);
}

#[test]
fn list_of_files_equals_the_folder() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../answer-normalizers/extractors");
    let mut names: Vec<String> = fs::read_dir(folder)
        .expect("the folder of extractors")
        .map(|entry| entry.expect("an entry of the folder").file_name().into_string().expect("a name in ASCII"))
        .collect();
    names.sort();
    assert_eq!(names, FILES.map(|(name, _)| name));
}

#[test]
fn refuses_what_it_does_not_know() {
    let refusal = |file: &str, from: &str, to: &str| {
        let mut files = FILES.map(|(name, text)| (name, text.to_owned()));
        let mut profile = PROFILE.to_owned();
        let text = files.iter_mut().find(|(name, _)| *name == file).map_or(&mut profile, |(_, text)| text);
        let changed = text.replacen(from, to, 1);
        assert_ne!(*text, changed);
        *text = changed;
        let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (*name, text.as_str())).collect();
        Rules::parse(&files, &profile).err().expect("a refusal").to_string()
    };
    assert!(refusal("boxed.toml", "source = ", "origin = ").contains("unknown field `origin`"));
    assert!(refusal("boxed.toml", "joined_by = ", "joined = ").contains("unknown field `joined`"));
    assert!(refusal("last.toml", "\"last_line\"", "\"first_line\"").contains("unknown variant `first_line`"));
    assert_eq!(refusal("last.toml", "extract/last-is", "extract/bold"), "rule `extract/bold` is defined twice");
    assert_eq!(
        refusal("strict.toml", "extract/chinese-choice", "extract/choice"),
        "rule `extract/chinese-choice` is in no list of the profile"
    );
    assert_eq!(refusal("strict.toml", "extract/hashes", "extract/boxed"), "the profile lists `extract/boxed` twice");
}

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
    expect(ReferenceKind::Choice, &["B", "(C)", "$A$", "\\text{D}", "ABD", "A, B, C", "(b)", "(D) Alina", "B."]);
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
    expect(ReferenceKind::Text, &["Evelyn", "True", "yes", "\\text{even}", "no solution"]);
}

#[test]
fn hostile_texts_take_linear_time() {
    // A quarter of a megabyte: quadratic work on it would take minutes, linear work takes milliseconds.
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
        for text in [repeated.clone(), format!("\\boxed{{{repeated}}}"), format!("The answer is {repeated}")] {
            for kind in KINDS {
                let start = Instant::now();
                let _ = extract(&text, kind);
                let elapsed = start.elapsed();
                assert!(elapsed.as_secs_f64() < 3.0, "{piece:?}, {kind:?}: {elapsed:?}");
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
