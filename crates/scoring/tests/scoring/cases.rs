//! The cases of `answer-normalizers/cases/official-*.toml`: judgements, and the rules that fire or stay silent.

use std::{collections::BTreeSet, fs};

use scoring::official::{judge_completion, judge_prediction};
use serde::Deserialize;

macro_rules! case_files {
    ($($name:literal,)+) => {
        [$(($name, include_str!(concat!("../../../../answer-normalizers/cases/", $name)))),+]
    };
}

const FILES: [(&str, &str); 7] = case_files![
    "official-exceptions.toml",
    "official-extraction.toml",
    "official-fractions.toml",
    "official-numbers.toml",
    "official-substrings.toml",
    "official-unicode.toml",
    "official-units.toml",
];

const PROFILE: &str = include_str!("../../../../answer-normalizers/profiles/official.toml");

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CaseFile {
    purpose: String,
    source: String,
    case: Vec<Case>,
}

/// The format is described in `answer-normalizers/README.md`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    purpose: String,
    completion: Option<String>,
    prediction: Option<String>,
    reference: String,
    correct: bool,
    clean_prediction: Option<String>,
    clean_reference: Option<String>,
    exception: Option<String>,
    swallowed: Option<String>,
    fires: Vec<String>,
    #[serde(default)]
    silent: Vec<String>,
}

fn case_files() -> impl Iterator<Item = (&'static str, CaseFile)> {
    FILES.iter().map(|(name, text)| match toml::from_str(text) {
        Ok(file) => (*name, file),
        Err(error) => panic!("{name}: {error}"),
    })
}

#[test]
fn every_case_holds() {
    let (mut count, mut failures) = (0, Vec::new());
    for (name, file) in case_files() {
        assert!(!file.purpose.is_empty() && !file.source.is_empty(), "{name} says neither why nor whence");
        for case in file.case {
            count += 1;
            if let Err(failure) = case.check() {
                failures.push(format!("{name}: {}: {failure}", case.purpose));
            }
        }
    }
    eprintln!("{} of {count} cases hold", count - failures.len());
    assert!(failures.is_empty(), "{failures:#?}");
    assert!(count >= 80);
}

impl Case {
    fn check(&self) -> Result<(), String> {
        let judgement = match (&self.completion, &self.prediction) {
            (Some(completion), None) => judge_completion(completion, &self.reference),
            (None, Some(prediction)) => judge_prediction(prediction, &self.reference),
            _ => return Err("give a completion or a prediction".to_owned()),
        };
        let trace = &judgement.trace;
        let fires = |rule: &&String| trace.contains(&rule.as_str());
        if let Some(rule) = self.fires.iter().find(|rule| !fires(rule)) {
            return Err(format!("{rule} does not fire: {trace:?}"));
        }
        if let Some(rule) = self.silent.iter().find(fires) {
            return Err(format!("{rule} fires: {trace:?}"));
        }
        let as_expected = judgement.correct == self.correct
            && judgement.prediction == self.clean_prediction
            && judgement.reference == self.clean_reference
            && judgement.exception.map(|exception| exception.to_string()) == self.exception
            && judgement.swallowed.map(|exception| exception.to_string()) == self.swallowed;
        if as_expected { Ok(()) } else { Err(format!("{judgement:?}")) }
    }
}

#[test]
fn every_rule_has_a_case_where_it_fires_and_one_where_it_does_not() {
    let profile: toml::Table = toml::from_str(PROFILE).expect("a table");
    let mut rules = BTreeSet::new();
    for list in ["extractor", "rewrite", "equality"] {
        let entries = profile[list].as_array().expect("a list of rules");
        rules.extend(entries.iter().map(|entry| entry["id"].as_str().expect("an id").to_owned()));
    }
    let (mut fires, mut silent) = (BTreeSet::new(), BTreeSet::new());
    for case in case_files().flat_map(|(_, file)| file.case) {
        fires.extend(case.fires);
        silent.extend(case.silent);
    }
    assert_eq!(fires, rules);
    assert_eq!(silent, rules);
}

#[test]
fn list_of_files_equals_the_folder() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../answer-normalizers/cases");
    let names = fs::read_dir(folder)
        .expect("the folder of cases")
        .map(|entry| entry.expect("an entry of the folder").file_name().into_string().expect("a name in ASCII"));
    let mut names: Vec<String> = names.filter(|name| name.starts_with("official-")).collect();
    names.sort();
    assert_eq!(names, FILES.map(|(name, _)| name));
}
