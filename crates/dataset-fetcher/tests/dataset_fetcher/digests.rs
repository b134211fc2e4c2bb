use std::io::Write;
use std::process::{Command, Stdio};

use dataset_fetcher::git_blob_id;
use proptest::prelude::*;

#[test]
fn ids_of_known_contents() {
    assert_eq!(git_blob_id(b""), "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391");
    assert_eq!(
        git_blob_id(b"hello world\n"),
        "3b18e512dba79e4c8300dd08aeb37f8e728b8dad"
    );
}

/// What git says.
fn git(content: &[u8]) -> String {
    let mut child = Command::new("git")
        .args(["hash-object", "--stdin", "--no-filters"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("this test needs git");
    child.stdin.take().unwrap().write_all(content).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    String::from_utf8_lossy(&output.stdout).trim().to_string()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn git_agrees_on_any_content(content in proptest::collection::vec(any::<u8>(), 0..5_000)) {
        prop_assert_eq!(git_blob_id(&content), git(&content));
    }
}
