//! The files of `answer-normalizers/` that hold rules: the one list of them.

use std::sync::OnceLock;

use math_equality::TABLES;

macro_rules! files {
    ($($path:literal,)+) => {
        [$(($path, include_str!(concat!("../../../answer-normalizers/", $path))),)+
        // What texts are read with belongs to the crate that reads them.
        ("rewrites/symbols.toml", TABLES[0].1), ("rewrites/units.toml", TABLES[1].1),
        ("rewrites/words.toml", TABLES[2].1)]
    };
}

/// Path below `answer-normalizers/` and content, in the order of the paths.
const FILES: [(&str, &str); 23] = files![
    "extractors/answer_is.toml",
    "extractors/bold.toml",
    "extractors/boxed.toml",
    "extractors/chinese.toml",
    "extractors/code.toml",
    "extractors/hashes.toml",
    "extractors/last.toml",
    "extractors/letters.toml",
    "extractors/refusals.toml",
    "extractors/runs_on.toml",
    "extractors/thoughts.toml",
    "profiles/as_asked.toml",
    "profiles/asdiv.toml",
    "profiles/choice.toml",
    "profiles/exact.toml",
    "profiles/mawps.toml",
    "profiles/official.toml",
    "profiles/olympiadbench.toml",
    "profiles/strict.toml",
    "profiles/units_converted.toml",
];

/// Name and content of the files of one folder.
pub(crate) fn in_folder(folder: &str) -> impl Iterator<Item = (&'static str, &'static str)> {
    FILES.iter().filter_map(move |(path, text)| {
        let name = path.strip_prefix(folder)?.strip_prefix('/')?;
        Some((name, *text))
    })
}

/// The content of a file that is listed here.
pub(crate) fn text(path: &str) -> &'static str {
    let found = FILES.iter().find(|(listed, _)| *listed == path);
    found
        .map(|(_, text)| *text)
        .expect("the path of a listed file")
}

/// BLAKE3 (hex) over the rules that come with the program. Cases and words about rules do not
/// count: they cannot move a verdict. What is code is told by
/// [`scorer_version`](crate::scorer_version).
pub fn rules_digest() -> String {
    static DIGEST: OnceLock<String> = OnceLock::new();
    DIGEST.get_or_init(|| digest(&FILES)).clone()
}

fn digest(files: &[(&str, &str)]) -> String {
    let mut hasher = blake3::Hasher::new();
    for (name, text) in files {
        let table: toml::Table = text.parse().expect("a test reads the embedded rules");
        // Parsed and written again: comments and the layout of a file move no verdict.
        let rules = serde_json::to_string(&bare(table)).expect("tables are plain data");
        for part in [*name, rules.as_str()] {
            // Lengths keep names and rules apart, so that no other files come to the same bytes.
            hasher
                .update(&(part.len() as u64).to_le_bytes())
                .update(part.as_bytes());
        }
    }
    hasher.finalize().to_hex().to_string()
}

/// Without what explains or proves, the keys in alphabetic order.
fn bare(table: toml::Table) -> toml::Table {
    let mut entries: Vec<(String, toml::Value)> = table.into_iter().collect();
    entries.retain(|(key, _)| !["case", "purpose", "source"].contains(&key.as_str()));
    entries.sort_by(|one, other| one.0.cmp(&other.0));
    entries
        .into_iter()
        .map(|(key, value)| (key, bare_value(value)))
        .collect()
}

fn bare_value(value: toml::Value) -> toml::Value {
    match value {
        toml::Value::Table(table) => toml::Value::Table(bare(table)),
        // Items keep their places: in a list of rules the order decides.
        toml::Value::Array(items) => {
            toml::Value::Array(items.into_iter().map(bare_value).collect())
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_files_of_rules_are_listed() {
        let root =
            std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../answer-normalizers");
        let mut found = Vec::new();
        for folder in ["extractors", "profiles", "rewrites"] {
            for entry in std::fs::read_dir(root.join(folder)).unwrap() {
                found.push(format!(
                    "{folder}/{}",
                    entry.unwrap().file_name().to_string_lossy()
                ));
            }
        }
        found.sort();
        assert_eq!(found, FILES.map(|(name, _)| name));
    }

    #[test]
    fn a_rule_changes_the_digest_and_a_case_does_not() {
        let of = |text: &str| digest(&[("profiles/strict.toml", text)]);
        let rule = "purpose = \"x\"\n[[rule]]\nid = \"a\"\npattern = \"b\"\npurpose = \"y\"\n";
        assert_eq!(
            of(rule),
            of(&format!("{rule}[[case]]\ncompletion = \"c\"\n").replace("\"y\"", "\"z\""))
        );
        assert_ne!(of(rule), of(&rule.replace("\"b\"", "\"c\"")));
        assert_eq!(rules_digest().len(), 64);
    }
}
