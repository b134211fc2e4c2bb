//! The version of both scorers.
//!
//! Rules are data and have a digest; thirteen thousand lines of rules are code, and a digest of
//! code would change with every comment. So the version is bound to what the code does:
//! `answer-normalizers/versions.toml` holds, for each version, the digest of both scorers' verdicts
//! over all cases of this repository. A test recomputes it: who changes a verdict has to write a
//! new version down.

use std::sync::OnceLock;

use serde::Deserialize;

const VERSIONS: &str = include_str!("../../../answer-normalizers/versions.toml");

#[derive(Deserialize)]
struct Versions {
    version: Vec<Version>,
}

/// One version; what its verdicts are is for the tests.
#[derive(Deserialize)]
struct Version {
    number: u32,
}

/// The version of both scorers: it changes whenever a verdict does.
pub fn scorer_version() -> u32 {
    static VERSION: OnceLock<u32> = OnceLock::new();
    *VERSION.get_or_init(|| {
        let versions: Versions = toml::from_str(VERSIONS).expect("a test reads the versions");
        versions
            .version
            .last()
            .expect("a test finds a version")
            .number
    })
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;
    use crate::official;
    use crate::strict::{Answer, Profile};

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Recorded {
        version: Vec<RecordedVersion>,
    }

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct RecordedVersion {
        number: u32,
        /// BLAKE3 (hex) of both scorers' verdicts over the cases of that time.
        verdicts: String,
        /// What changed, for the changelog's first heading.
        changes: String,
    }

    fn versions() -> Vec<RecordedVersion> {
        toml::from_str::<Recorded>(VERSIONS).unwrap().version
    }

    /// Completion or prediction, and reference, of every case and of the recorded vectors.
    fn items() -> Vec<(Option<String>, Option<String>, String)> {
        #[derive(Deserialize)]
        struct Row {
            completion: String,
            reference: String,
        }
        let file = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/fixtures/official_vectors.jsonl.gz"
        );
        let mut text = String::new();
        let packed = std::fs::File::open(file).expect("the committed vectors");
        flate2::read::GzDecoder::new(packed)
            .read_to_string(&mut text)
            .expect("a packed text");
        let rows = text
            .lines()
            .map(|line| serde_json::from_str::<Row>(line).expect("an object a line"));
        let rows = rows.map(|row| (Some(row.completion), None, row.reference));
        crate::cases::items().chain(rows).collect()
    }

    /// BLAKE3 (hex) of what both scorers say of every item.
    fn verdicts_digest() -> String {
        let mut hasher = blake3::Hasher::new();
        for (completion, prediction, reference) in items() {
            let answer = match (&completion, &prediction) {
                (Some(text), _) => Answer::Completion(text),
                (None, text) => Answer::Prediction(text.as_deref().unwrap_or_default()),
            };
            let by_official = match answer {
                Answer::Completion(text) => official::judge_completion(text, &reference),
                Answer::Prediction(text) => official::judge_prediction(text, &reference),
            };
            let by_strict = Profile::standard().judge(answer, &reference, None);
            let said = format!(
                "{:?} {:?} {:?} {:?} | {:?} {:?}\n",
                by_official.correct,
                by_official.prediction,
                by_official.reference,
                by_official.exception,
                by_strict.correct,
                by_strict.answer
            );
            hasher.update(said.as_bytes());
        }
        hasher.finalize().to_hex().to_string()
    }

    #[test]
    fn a_verdict_that_changed_has_a_version_of_its_own() {
        let current = versions().pop().unwrap();
        assert_eq!(current.number, scorer_version());
        assert_eq!(
            verdicts_digest(),
            current.verdicts,
            "a verdict, or a case, changed: where only cases were added, put the new digest into the last entry of \
             answer-normalizers/versions.toml; where a verdict changed, add an entry with the next number, and a line under \
             \"Scores that change\" in CHANGELOG.md"
        );
    }

    #[test]
    fn versions_count_up_and_say_what_changed() {
        let numbers: Vec<u32> = versions().iter().map(|version| version.number).collect();
        assert_eq!(numbers, (1..=numbers.len() as u32).collect::<Vec<_>>());
        assert!(
            versions()
                .iter()
                .all(|version| !version.changes.is_empty() && version.verdicts.len() == 64)
        );
    }

    #[test]
    fn the_digest_covers_enough() {
        assert!(items().len() > 1_400, "{}", items().len());
    }
}
