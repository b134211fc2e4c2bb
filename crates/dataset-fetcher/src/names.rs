//! Names in a data folder: which are the fetcher's own, and which stay in the folder.

use std::path::{Component, Path};

use store::TEMPORARY_PREFIX;

/// Name of the lock file in the data folder.
pub const LOCK_FILE: &str = "mwpbench-data.lock";
/// The file that is locked while a fetch works. It stays when the fetch ends: removing it would let
/// two others lock two files.
pub(crate) const GUARD: &str = ".mwpbench-fetch.guard";
/// Prefix of the folders in which a fetch prepares files.
pub(crate) const STAGING: &str = ".mwpbench-unfinished-";
/// Suffix of an unfinished download.
pub(crate) const PART: &str = ".part";
/// Suffix of the note beside it.
pub(crate) const NOTE: &str = ".part.note";
/// The folder of publishers' own files.
const NATIVE: &str = "native";

/// Whether an entry of a data folder is the fetcher's own book-keeping, or publishers' files that
/// are not records: nothing that problems are loaded from.
pub fn is_internal(name: &str) -> bool {
    let is_part = name.ends_with(PART) || name.ends_with(NOTE);
    // The guard and what is being staged have this prefix too.
    name == LOCK_FILE || name == NATIVE || name.starts_with(TEMPORARY_PREFIX) || is_part
}

/// Whether a name with `/` between its parts stays below the folder that it is joined to, on every
/// platform.
pub(crate) fn is_safe(name: &str) -> bool {
    let is_plain = |part: &str| {
        !part.is_empty()
            && part != "."
            && part != ".."
            && !part.contains(['\\', ':', '\0'])
            && !part.ends_with(['.', ' '])
    };
    name.split('/').all(is_plain)
        && Path::new(name)
            .components()
            .all(|part| matches!(part, Component::Normal(_)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_lead_elsewhere_are_not_safe() {
        for name in [
            "full_test.json",
            "native/gsm8k/test.jsonl",
            "native/2010-2022_Math_I_MCQs.json",
            "...a",
            "题目.json",
        ] {
            assert!(is_safe(name), "{name}");
        }
        let bad = [
            "",
            "/etc/passwd",
            "../x",
            "a/../x",
            "a/..",
            "a//b",
            "a/",
            "./a",
            "C:/x",
            "C:x",
            "a\\b",
            "a\0b",
            "a/. /b",
            "x.",
            "..",
        ];
        for name in bad {
            assert!(!is_safe(name), "{name:?}");
        }
    }

    #[test]
    fn internal_names_are_nothing_to_load() {
        for name in [
            "mwpbench-data.lock",
            "full_test.json.part",
            "full_test.json.part.note",
            ".mwpbench-unfinished-x1",
            GUARD,
            "native",
        ] {
            assert!(is_internal(name), "{name}");
        }
        assert!(!is_internal("full_test.json") && !is_internal("own.jsonl"));
    }
}
