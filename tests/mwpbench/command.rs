//! Runs the binary.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Output;

use assert_cmd::Command;
use serde_json::Value;

/// What a command left behind.
pub struct Done {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

/// Runs the binary in `folder`, away from the user's data folder and variables.
pub fn mwpbench<I: IntoIterator<Item = S>, S: AsRef<OsStr>>(folder: &Path, args: I) -> Done {
    let mut command = Command::cargo_bin("mwpbench").unwrap();
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("MWPBENCH_")) {
        command.env_remove(name);
    }
    command
        .current_dir(folder)
        .env("MWPBENCH_HOME", folder.join("home"))
        // What looks like a name on the hub is not asked for.
        .env("HF_HUB_OFFLINE", "1")
        .env("HF_HOME", folder.join("hf"))
        .args(args);
    Done::from(command.output().unwrap())
}

impl From<Output> for Done {
    fn from(output: Output) -> Self {
        let done = Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        };
        let twice = said_twice(&done.stderr);
        assert_eq!(twice, None, "said twice in\n{}", done.stderr);
        done
    }
}

/// A clause that messages on stderr hold twice. Short ones may be; attempts are told as they fail,
/// and annotations of CI repeat the error.
fn said_twice(stderr: &str) -> Option<&str> {
    const LONG: usize = 24;
    let lines = stderr
        .lines()
        .filter(|line| !line.starts_with("::") && !line.contains("; attempt "));
    let clauses = lines
        .flat_map(|line| line.split([';', ',', '(', ')']))
        .flat_map(|part| part.split(": "))
        .flat_map(|part| part.split(". "));
    let mut said = HashSet::new();
    clauses
        .map(str::trim)
        .filter(|clause| clause.len() >= LONG && clause.contains(' '))
        .find(|clause| !said.insert(*clause))
}

impl Done {
    /// Asserts success.
    pub fn ok(self) -> Self {
        assert_eq!(self.code, Some(0), "{}", self.stderr);
        self
    }

    /// Asserts that it failed with this code and one message that holds all of these parts, and
    /// printed no result.
    pub fn refused(&self, code: i32, parts: &[&str]) {
        assert_eq!(self.code, Some(code), "{}", self.stderr);
        assert_eq!(self.stdout, "");
        let errors = self
            .stderr
            .lines()
            .filter(|line| line.starts_with("error: "))
            .count();
        assert_eq!(errors, 1, "{}", self.stderr);
        for part in parts {
            assert!(
                self.stderr.contains(part),
                "no {part:?} in: {}",
                self.stderr
            );
        }
        assert!(!self.stderr.contains("panicked"), "{}", self.stderr);
    }

    /// Its stdout as one JSON value.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}", self.stdout))
    }
}

/// The folder of real data, for tests that are ignored where it is not asked for.
pub fn real_data() -> PathBuf {
    std::env::var_os("MWPBENCH_SHARED_DATA").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data"),
        PathBuf::from,
    )
}
