//! The recorded vectors of the original's helper functions, which are private here and so tested
//! from inside.

use std::{fmt::Display, fs, path::PathBuf};

use serde_json::{Value, json};

use super::{
    equality::{is_inline_formula, number},
    extraction::{last_balanced, last_boxed},
    profile::profile,
    rewriting::{
        brace_fractions, brace_square_roots, clean, drop_unit, parenthesised_fractions,
        slash_fraction,
    },
};
use crate::python;

#[test]
#[ignore = "needs the real data ($MWPBENCH_SHARED_DATA)"]
fn helper_functions_agree_with_the_recorded_vectors() {
    let folder = std::env::var_os("MWPBENCH_SHARED_DATA").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data")),
        PathBuf::from,
    );
    let file = folder.join("grading/official_function_vectors.jsonl");
    let vectors = fs::read_to_string(&file).expect("the vectors");
    let mut calls = 0;
    for line in vectors.lines() {
        let vector: Value = serde_json::from_str(line).expect("a JSON object a line");
        let input = vector["input"].as_str().expect("an input");
        let same = |text: Option<String>| json!(text.as_deref().unwrap_or(input));
        let boxed = vector["unbox_extracted"]
            .as_array()
            .expect("a list")
            .last()
            .map(|last| last.as_str().expect("a text"));
        assert_eq!(last_boxed(input), boxed, "{input:?}");
        assert_eq!(last_balanced(input), boxed, "{input:?}");
        for (function, result) in [
            (
                "strip_string",
                or_exception(
                    clean(input.to_owned(), &profile().rewrites, &mut Vec::new()).map(|t| json!(t)),
                ),
            ),
            ("fix_fracs", or_exception(brace_fractions(input).map(same))),
            (
                "fix_sqrt",
                or_exception(brace_square_roots(input).map(same)),
            ),
            ("fix_a_slash_b", same(slash_fraction(input))),
            (
                "remove_right_units",
                or_exception(drop_unit(input).map(same)),
            ),
            (
                "convert_to_latex_fraction",
                same(parenthesised_fractions(input)),
            ),
            ("is_number", json!(number(input).is_some())),
            ("is_single_inline_math", json!(is_inline_formula(input))),
            ("lower", json!(python::lower(input))),
            ("strip", json!(python::strip(input))),
        ] {
            assert_eq!(result, vector[function], "{function} of {input:?}");
            calls += 1;
        }
        calls += 1;
    }
    eprintln!("{calls} of {calls} calls of helper functions agree");
    assert_eq!(calls, 8_452 * 11);
}

fn or_exception(result: Result<Value, impl Display>) -> Value {
    result.unwrap_or_else(|exception| json!({"exception": exception.to_string()}))
}
