use std::fs;

use dataset_fetcher::{CheckResult, Error, LOCK_FILE, Origin, Source, verify};
use fault::{Class, Fault};

use crate::fixture::{Fixture, pinned, unpinned};

/// A data folder with the files `a.json`, `b.json` and `native/c.json`.
fn fetched() -> Fixture {
    let sources = [
        pinned("a.json", b"aaa"),
        unpinned("b.json"),
        unpinned("native/c.json"),
    ];
    let mut fixture = Fixture::new(&sources);
    let offline = fixture.folder.path().join("offline");
    fs::create_dir_all(offline.join("native")).unwrap();
    for (name, content) in [
        ("a.json", "aaa"),
        ("b.json", "bbb"),
        ("native/c.json", "ccc"),
    ] {
        fs::write(offline.join(name), content).unwrap();
    }
    fixture.request.from = Some(Origin::Folder(offline));
    fixture.fetch().unwrap();
    fixture
}

fn checks(fixture: &Fixture) -> Vec<(String, CheckResult)> {
    let verification = verify(fixture.data()).unwrap();
    assert_eq!(
        verification.is_good(),
        verification.files.iter().all(|file| !file.check.is_fault())
    );
    verification
        .files
        .into_iter()
        .map(|file| (file.name, file.check))
        .collect()
}

fn expected(checks: &[(&str, CheckResult)]) -> Vec<(String, CheckResult)> {
    checks
        .iter()
        .map(|(name, check)| (name.to_string(), *check))
        .collect()
}

#[test]
fn what_was_fetched_is_good() {
    let fixture = fetched();
    let all = [
        ("a.json", CheckResult::Ok),
        ("b.json", CheckResult::Ok),
        ("native/c.json", CheckResult::Ok),
    ];
    assert_eq!(checks(&fixture), expected(&all));
}

#[test]
fn every_change_is_found() {
    let fixture = fetched();
    fixture.put("a.json", "aab");
    fs::remove_file(fixture.path("b.json")).unwrap();
    fixture.put("own.jsonl", "mine");
    fixture.put("native/other/x.json", "mine");
    fixture.put("full_test.json.part", "half");
    fixture.put("full_test.json.part.note", "url");
    let all = [
        ("a.json", CheckResult::Changed),
        ("b.json", CheckResult::Missing),
        ("native/c.json", CheckResult::Ok),
        ("full_test.json.part", CheckResult::Unfinished),
        ("native/other/x.json", CheckResult::NotInLock),
        ("own.jsonl", CheckResult::NotInLock),
    ];
    assert_eq!(checks(&fixture), expected(&all));
    assert!(!verify(fixture.data()).unwrap().is_good());
}

#[test]
fn files_of_the_users_are_no_fault() {
    let fixture = fetched();
    fixture.put("own.jsonl", "mine");
    assert!(verify(fixture.data()).unwrap().is_good());
}

#[test]
fn the_published_id_decides_whatever_the_lock_file_says() {
    let fixture = fetched();
    let lock = fs::read_to_string(fixture.path(LOCK_FILE)).unwrap();
    fixture.put(
        LOCK_FILE,
        lock.replace("\"a.json\"", "\"fresh_gaokao_math_2023.json\""),
    );
    fs::rename(
        fixture.path("a.json"),
        fixture.path("fresh_gaokao_math_2023.json"),
    )
    .unwrap();
    let verification = verify(fixture.data()).unwrap();
    let file = verification
        .files
        .iter()
        .find(|file| file.name.starts_with("fresh"))
        .unwrap();
    assert_eq!(file.check, CheckResult::Changed);
    assert_eq!(
        file.expected.as_deref(),
        Some("git blob d88294bb4221599539fed8c12963b5df48ebda7f")
    );
}

#[test]
#[cfg(unix)]
fn a_link_is_not_the_file_that_was_fetched() {
    let fixture = fetched();
    fs::rename(fixture.path("a.json"), fixture.folder.path().join("moved")).unwrap();
    std::os::unix::fs::symlink(fixture.folder.path().join("moved"), fixture.path("a.json"))
        .unwrap();
    assert_eq!(
        checks(&fixture)[0],
        ("a.json".to_string(), CheckResult::Unreadable)
    );
}

#[test]
fn a_lock_file_that_names_something_outside_is_refused() {
    let fixture = fetched();
    let lock = fs::read_to_string(fixture.path(LOCK_FILE)).unwrap();
    for name in ["../secret", "/etc/passwd", "native/../../secret"] {
        fixture.put(
            LOCK_FILE,
            lock.replace("\"a.json\"", &format!("\"{name}\"")),
        );
        let error = verify(fixture.data()).unwrap_err();
        assert!(
            error.to_string().contains("leads out of the data folder"),
            "{error}"
        );
        assert_eq!(error.class(), Class::Integrity);
    }
}

#[test]
fn without_a_lock_file_there_is_nothing_to_verify() {
    let folder = tempfile::tempdir().unwrap();
    let error = verify(folder.path()).unwrap_err();
    assert!(matches!(error, Error::NoLockFile { .. }) && error.class() == Class::Usage);
    assert!(error.to_string().contains("nothing was fetched"), "{error}");
}

#[test]
fn a_changed_file_is_put_right_by_fetching_with_force() {
    let mut fixture = fetched();
    fixture.put("a.json", "aab");
    fixture.put("b.json", "bbc");
    fixture.request.force = true;
    fixture.fetch().unwrap();
    assert!(verify(fixture.data()).unwrap().is_good());
    assert_eq!(fixture.read("b.json"), b"bbb");
}

#[test]
fn a_source_of_ones_own_has_its_address() {
    let source = Source {
        url: None,
        repository: Some("o/r".into()),
        revision: Some("main".into()),
        path: Some("p/q".into()),
        ..unpinned("x")
    };
    assert_eq!(
        source.url(),
        "https://raw.githubusercontent.com/o/r/main/p/q"
    );
}
