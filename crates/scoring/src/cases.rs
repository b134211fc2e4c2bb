//! The cases of `answer-normalizers/`, which prove its rules, and how they are run.
//!
//! Every file is embedded, so that `mwpbench rules check` needs no checkout. A rule is
//! covered where one case says that it fires and another that it stays silent, and both hold.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::strict::extraction_cases;
use crate::strict::{Answer, ExtractionCase, Profile};
use crate::{official, rule_files};

macro_rules! case_files {
    ($($name:literal,)+) => {
        [$(($name, include_str!(concat!("../../../answer-normalizers/cases/", $name)))),+]
    };
}

/// The files of whole judgements, by name; the name starts with the profile's.
pub const JUDGEMENT_FILES: [(&str, &str); 25] = case_files![
    "official-exceptions.toml",
    "official-extraction.toml",
    "official-fractions.toml",
    "official-numbers.toml",
    "official-substrings.toml",
    "official-unicode.toml",
    "official-units.toml",
    "strict-calculus.toml",
    "strict-clauses.toml",
    "strict-expressions.toml",
    "strict-extraction.toml",
    "strict-further-sets.toml",
    "strict-lists.toml",
    "strict-logic.toml",
    "strict-names.toml",
    "strict-notations.toml",
    "strict-number-words.toml",
    "strict-numbers.toml",
    "strict-operators.toml",
    "strict-points.toml",
    "strict-questions.toml",
    "strict-ranges.toml",
    "strict-relations.toml",
    "strict-units.toml",
    "strict-words.toml",
];

/// What came of the cases.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct CaseReport {
    /// The files, in the order of their names within each kind.
    pub files: Vec<FileReport>,
    /// The rules, by id.
    pub rules: Vec<RuleReport>,
}

/// What came of one file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FileReport {
    /// Its path below `answer-normalizers`, or that of a user's profile.
    pub file: String,
    /// Cases in it.
    pub cases: usize,
    /// What does not hold, a line each; empty where all is well.
    pub failures: Vec<String>,
}

/// How often cases prove a rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RuleReport {
    /// `official` or `strict`.
    pub profile: String,
    /// The rule's id.
    pub rule: String,
    /// Cases that say that it fires.
    pub fires: usize,
    /// Cases that say that it does not.
    pub silent: usize,
}

impl CaseReport {
    /// Whether every case holds and every rule is covered.
    pub fn holds(&self) -> bool {
        self.failures().next().is_none() && self.uncovered().next().is_none()
    }

    /// What does not hold: file and message.
    pub fn failures(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files.iter().flat_map(|file| {
            file.failures
                .iter()
                .map(|failure| (file.file.as_str(), failure.as_str()))
        })
    }

    /// Rules without a case where they fire or one where they are silent.
    pub fn uncovered(&self) -> impl Iterator<Item = &RuleReport> {
        self.rules
            .iter()
            .filter(|rule| rule.fires == 0 || rule.silent == 0)
    }

    /// Cases run.
    pub fn cases(&self) -> usize {
        self.files.iter().map(|file| file.cases).sum()
    }
}

/// Runs every case of every embedded file.
pub fn check() -> CaseReport {
    let mut run = Run::default();
    for (name, text) in JUDGEMENT_FILES {
        run.judgements(name, text);
    }
    for (name, text) in rule_files::in_folder("extractors") {
        match extraction_cases(name, text) {
            Ok(cases) => {
                run.extractions(&format!("extractors/{name}"), Profile::standard(), &cases)
            }
            Err(error) => run.refused(format!("extractors/{name}"), error.to_string()),
        }
    }
    for (name, _) in rule_files::in_folder("rewrites") {
        run.tables(name);
    }
    for name in Profile::names() {
        if let Some(profile) = Profile::named(name) {
            run.extractions(&format!("profiles/{name}.toml"), profile, profile.cases());
        }
    }
    run.report(
        official_ids(),
        Profile::standard().ids().map(str::to_owned).collect(),
    )
}

/// Runs the cases that a user's profile holds. Coverage is that of its own rules.
pub fn check_profile(profile: &Profile) -> CaseReport {
    let mut run = Run::default();
    run.extractions(profile.name(), profile, profile.cases());
    // Rules of the standard profile are covered by the embedded cases.
    let standard: Vec<&str> = Profile::standard().ids().collect();
    let own = profile
        .ids()
        .filter(|id| !standard.contains(id))
        .map(str::to_owned)
        .collect();
    run.report(Vec::new(), own)
}

/// Completion or prediction, and reference, of every case of every embedded file.
#[cfg(test)]
pub(crate) fn items() -> impl Iterator<Item = (Option<String>, Option<String>, String)> {
    let judged = JUDGEMENT_FILES.into_iter().flat_map(|(_, text)| {
        let file: JudgementFile = toml::from_str(text).expect("a readable file");
        file.case
            .into_iter()
            .map(|case| (case.completion, case.prediction, case.reference))
    });
    let extracted = rule_files::in_folder("extractors").flat_map(|(name, text)| {
        let cases = extraction_cases(name, text).expect("a readable file");
        cases
            .into_iter()
            .map(|case| (Some(case.completion), None, case.reference))
    });
    judged.chain(extracted)
}

fn official_ids() -> Vec<String> {
    #[derive(Deserialize)]
    struct Rules {
        extractor: Vec<Id>,
        rewrite: Vec<Id>,
        equality: Vec<Id>,
    }
    #[derive(Deserialize)]
    struct Id {
        id: String,
    }
    let rules: Rules = toml::from_str(rule_files::text("profiles/official.toml"))
        .expect("a test reads the embedded profile");
    rules
        .extractor
        .into_iter()
        .chain(rules.rewrite)
        .chain(rules.equality)
        .map(|rule| rule.id)
        .collect()
}

/// A file of judgements.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct JudgementFile {
    purpose: String,
    source: String,
    case: Vec<JudgementCase>,
}

/// A judgement and its outcome. The format is described in `answer-normalizers/README.md`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct JudgementCase {
    purpose: String,
    completion: Option<String>,
    prediction: Option<String>,
    reference: String,
    correct: bool,
    #[serde(default)]
    fires: Vec<String>,
    #[serde(default)]
    silent: Vec<String>,
    // Of the official scorer only.
    clean_prediction: Option<String>,
    clean_reference: Option<String>,
    exception: Option<String>,
    swallowed: Option<String>,
    // Of the strict scorer only.
    question: Option<String>,
    profile: Option<String>,
    #[serde(default)]
    one_way: bool,
}

/// Files and counts as they come.
#[derive(Default)]
struct Run {
    files: Vec<FileReport>,
    /// By profile and rule: cases where it fires, cases where it is silent.
    counts: BTreeMap<(&'static str, String), (usize, usize)>,
}

impl Run {
    fn judgements(&mut self, name: &str, text: &str) {
        let path = format!("cases/{name}");
        let file: JudgementFile = match toml::from_str(text) {
            Ok(file) => file,
            Err(error) => return self.refused(path, error.to_string()),
        };
        if file.purpose.is_empty() || file.source.is_empty() {
            return self.refused(path, "it says neither why nor whence".to_owned());
        }
        let scorer = if name.starts_with("official-") {
            "official"
        } else {
            "strict"
        };
        let mut failures = Vec::new();
        for case in &file.case {
            let outcome = if scorer == "official" {
                case.by_official()
            } else {
                case.by_strict()
            };
            match outcome {
                Ok(()) => {
                    self.count(scorer, case.fires.iter(), case.silent.iter());
                }
                Err(message) => failures.push(format!("{}: {message}", case.purpose)),
            }
        }
        self.files.push(FileReport {
            file: path,
            cases: file.case.len(),
            failures,
        });
    }

    fn extractions(&mut self, path: &str, profile: &Profile, cases: &[ExtractionCase]) {
        let mut failures = Vec::new();
        for case in cases {
            let judgement =
                profile.judge(Answer::Completion(&case.completion), &case.reference, None);
            let rule = judgement.trace[0];
            let fires = case.fires.as_deref().is_none_or(|id| rule == id);
            let silent = case.silent.as_deref().is_none_or(|id| rule != id);
            // Whether the answer is correct is no matter here: the case is about what is found.
            if judgement.answer != case.answer || !fires || !silent {
                failures.push(format!(
                    "{}: {rule} takes {:?}",
                    case.purpose, judgement.answer
                ));
            } else {
                self.count("strict", case.fires.iter(), case.silent.iter());
            }
        }
        if !cases.is_empty() {
            self.files.push(FileReport {
                file: path.to_owned(),
                cases: cases.len(),
                failures,
            });
        }
    }

    fn tables(&mut self, name: &str) {
        let cases: Vec<_> = math_equality::table_cases()
            .iter()
            .filter(|(file, _)| *file == name)
            .collect();
        let failures = cases.iter().filter_map(|(_, case)| {
            let shown = math_equality::notation(&case.text);
            (shown != case.shows)
                .then(|| format!("{}: \"{}\" is read as {shown}", case.purpose, case.text))
        });
        self.files.push(FileReport {
            file: format!("rewrites/{name}"),
            cases: cases.len(),
            failures: failures.collect(),
        });
    }

    fn refused(&mut self, file: String, message: String) {
        self.files.push(FileReport {
            file,
            cases: 0,
            failures: vec![message],
        });
    }

    fn count<'r>(
        &mut self,
        scorer: &'static str,
        fires: impl Iterator<Item = &'r String>,
        silent: impl Iterator<Item = &'r String>,
    ) {
        fires.for_each(|rule| self.counts.entry((scorer, rule.clone())).or_default().0 += 1);
        silent.for_each(|rule| self.counts.entry((scorer, rule.clone())).or_default().1 += 1);
    }

    fn report(mut self, official: Vec<String>, mut strict: Vec<String>) -> CaseReport {
        strict.sort();
        strict.dedup();
        let mut rules = Vec::new();
        for (profile, ids) in [("official", official), ("strict", strict)] {
            for rule in ids {
                let (fires, silent) = self
                    .counts
                    .remove(&(profile, rule.clone()))
                    .unwrap_or_default();
                rules.push(RuleReport {
                    profile: profile.to_owned(),
                    rule,
                    fires,
                    silent,
                });
            }
        }
        // What is left in the counts is named by a case and is no rule.
        for (profile, rule) in self.counts.into_keys() {
            self.files.push(FileReport {
                file: "cases".to_owned(),
                cases: 0,
                failures: vec![format!("`{rule}` is no rule of the profile {profile}")],
            });
        }
        CaseReport {
            files: self.files,
            rules,
        }
    }
}

impl JudgementCase {
    fn by_official(&self) -> Result<(), String> {
        let judgement = match (&self.completion, &self.prediction) {
            (Some(completion), None) => official::judge_completion(completion, &self.reference),
            (None, Some(prediction)) => official::judge_prediction(prediction, &self.reference),
            _ => return Err("give a completion or a prediction".to_owned()),
        };
        self.traced(&judgement.trace)?;
        let as_expected = judgement.correct == self.correct
            && judgement.prediction == self.clean_prediction
            && judgement.reference == self.clean_reference
            && judgement.exception.map(|exception| exception.to_string()) == self.exception
            && judgement.swallowed.map(|exception| exception.to_string()) == self.swallowed;
        if as_expected {
            Ok(())
        } else {
            Err(format!("{judgement:?}"))
        }
    }

    fn by_strict(&self) -> Result<(), String> {
        let name = self.profile.as_deref().unwrap_or("strict");
        let profile = Profile::named(name).ok_or_else(|| format!("no profile is called {name}"))?;
        let answer = match (&self.completion, &self.prediction) {
            (Some(completion), None) => Answer::Completion(completion),
            (None, Some(prediction)) => Answer::Prediction(prediction),
            _ => return Err("give a completion or a prediction".to_owned()),
        };
        let question = self.question.as_deref();
        let judgement = profile.judge(answer, &self.reference, question);
        self.traced(&judgement.trace)?;
        if judgement.correct != self.correct {
            return Err(format!("{judgement:?}"));
        }
        // Equality has no direction.
        if let Answer::Prediction(prediction) = answer
            && !self.one_way
            && profile
                .judge(Answer::Prediction(&self.reference), prediction, question)
                .correct
                != self.correct
        {
            return Err("exchanged, the two sides get another verdict".to_owned());
        }
        Ok(())
    }

    fn traced(&self, trace: &[&str]) -> Result<(), String> {
        let fires = |rule: &&String| trace.contains(&rule.as_str());
        if let Some(rule) = self.fires.iter().find(|rule| !fires(rule)) {
            return Err(format!("{rule} does not fire: {trace:?}"));
        }
        match self.silent.iter().find(fires) {
            Some(rule) => Err(format!("{rule} fires: {trace:?}")),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn names_in(folder: &str) -> Vec<String> {
        let folder = format!(
            "{}/../../answer-normalizers/{folder}",
            env!("CARGO_MANIFEST_DIR")
        );
        let name = |entry: std::io::Result<fs::DirEntry>| {
            entry
                .expect("an entry")
                .file_name()
                .into_string()
                .expect("ASCII")
        };
        let mut names: Vec<String> = fs::read_dir(folder).expect("a folder").map(name).collect();
        names.sort();
        names
    }

    #[test]
    fn embedded_files_are_those_of_the_folders() {
        assert_eq!(names_in("cases"), JUDGEMENT_FILES.map(|(name, _)| name));
    }

    #[test]
    fn every_case_holds_and_every_rule_is_covered() {
        let report = check();
        let failures: Vec<_> = report.failures().collect();
        assert!(failures.is_empty(), "{failures:#?}");
        let uncovered: Vec<_> = report.uncovered().collect();
        assert!(uncovered.is_empty(), "{uncovered:#?}");
        assert!(report.cases() >= 350, "{}", report.cases());
    }

    #[test]
    fn a_wrong_case_and_an_unknown_rule_are_found() {
        let text = "purpose = 'p'\nsource = 's'\n[[case]]\npurpose = 'wrong'\nprediction = '1'\nreference = '2'\ncorrect = true\n\
                    [[case]]\npurpose = 'no rule'\nprediction = '1'\nreference = '1'\ncorrect = true\nsilent = ['equal/magic']\n";
        let mut run = Run::default();
        run.judgements("strict-x.toml", text);
        let report = run.report(Vec::new(), Vec::new());
        let failures: Vec<_> = report
            .failures()
            .map(|(_, message)| message.to_owned())
            .collect();
        assert_eq!(failures.len(), 2, "{failures:?}");
        assert!(failures[0].starts_with("wrong: "));
        assert!(failures[1].contains("`equal/magic` is no rule"));
    }
}
