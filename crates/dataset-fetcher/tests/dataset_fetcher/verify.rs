use std::fs;

use dataset_fetcher::{Check, Error, ErrorKind, LOCK_FILE, Origin, Source, verify};

use crate::kitchen::{Kitchen, pinned, unpinned};

/// A data folder with the files `a.json`, `b.json` and `native/c.json`.
fn fetched() -> Kitchen {
    let sources = [
        pinned("a.json", b"aaa"),
        unpinned("b.json"),
        unpinned("native/c.json"),
    ];
    let mut kitchen = Kitchen::new(&sources);
    let offline = kitchen.folder.path().join("offline");
    fs::create_dir_all(offline.join("native")).unwrap();
    for (name, content) in [
        ("a.json", "aaa"),
        ("b.json", "bbb"),
        ("native/c.json", "ccc"),
    ] {
        fs::write(offline.join(name), content).unwrap();
    }
    kitchen.order.from = Some(Origin::Folder(offline));
    kitchen.fetch().unwrap();
    kitchen
}

fn checks(kitchen: &Kitchen) -> Vec<(String, Check)> {
    let verification = verify(kitchen.data()).unwrap();
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

fn expected(checks: &[(&str, Check)]) -> Vec<(String, Check)> {
    checks
        .iter()
        .map(|(name, check)| (name.to_string(), *check))
        .collect()
}

#[test]
fn what_was_fetched_is_good() {
    let kitchen = fetched();
    let all = [
        ("a.json", Check::Ok),
        ("b.json", Check::Ok),
        ("native/c.json", Check::Ok),
    ];
    assert_eq!(checks(&kitchen), expected(&all));
}

#[test]
fn every_change_is_found() {
    let kitchen = fetched();
    kitchen.put("a.json", "aab");
    fs::remove_file(kitchen.path("b.json")).unwrap();
    kitchen.put("own.jsonl", "mine");
    kitchen.put("native/other/x.json", "mine");
    kitchen.put("full_test.json.part", "half");
    kitchen.put("full_test.json.part.note", "url");
    let all = [
        ("a.json", Check::Changed),
        ("b.json", Check::Missing),
        ("native/c.json", Check::Ok),
        ("full_test.json.part", Check::Unfinished),
        ("native/other/x.json", Check::NotInLock),
        ("own.jsonl", Check::NotInLock),
    ];
    assert_eq!(checks(&kitchen), expected(&all));
    assert!(!verify(kitchen.data()).unwrap().is_good());
}

#[test]
fn files_of_the_users_are_no_fault() {
    let kitchen = fetched();
    kitchen.put("own.jsonl", "mine");
    assert!(verify(kitchen.data()).unwrap().is_good());
}

#[test]
fn the_published_id_decides_whatever_the_lock_file_says() {
    let kitchen = fetched();
    let lock = fs::read_to_string(kitchen.path(LOCK_FILE)).unwrap();
    kitchen.put(
        LOCK_FILE,
        lock.replace("\"a.json\"", "\"fresh_gaokao_math_2023.json\""),
    );
    fs::rename(
        kitchen.path("a.json"),
        kitchen.path("fresh_gaokao_math_2023.json"),
    )
    .unwrap();
    let verification = verify(kitchen.data()).unwrap();
    let file = verification
        .files
        .iter()
        .find(|file| file.name.starts_with("fresh"))
        .unwrap();
    assert_eq!(file.check, Check::Changed);
    assert_eq!(
        file.expected.as_deref(),
        Some("git blob d88294bb4221599539fed8c12963b5df48ebda7f")
    );
}

#[test]
#[cfg(unix)]
fn a_link_is_not_the_file_that_was_fetched() {
    let kitchen = fetched();
    fs::rename(kitchen.path("a.json"), kitchen.folder.path().join("moved")).unwrap();
    std::os::unix::fs::symlink(kitchen.folder.path().join("moved"), kitchen.path("a.json"))
        .unwrap();
    assert_eq!(
        checks(&kitchen)[0],
        ("a.json".to_string(), Check::Unreadable)
    );
}

#[test]
fn a_lock_file_that_names_something_outside_is_refused() {
    let kitchen = fetched();
    let lock = fs::read_to_string(kitchen.path(LOCK_FILE)).unwrap();
    for name in ["../secret", "/etc/passwd", "native/../../secret"] {
        kitchen.put(
            LOCK_FILE,
            lock.replace("\"a.json\"", &format!("\"{name}\"")),
        );
        let error = verify(kitchen.data()).unwrap_err();
        assert!(
            error.to_string().contains("leads out of the data folder"),
            "{error}"
        );
        assert_eq!(error.kind(), ErrorKind::Integrity);
    }
}

#[test]
fn without_a_lock_file_there_is_nothing_to_verify() {
    let folder = tempfile::tempdir().unwrap();
    let error = verify(folder.path()).unwrap_err();
    assert!(matches!(error, Error::NoLockFile { .. }) && error.kind() == ErrorKind::Usage);
    assert!(error.to_string().contains("mwpbench data fetch"), "{error}");
}

#[test]
fn a_changed_file_is_put_right_by_fetching_with_force() {
    let mut kitchen = fetched();
    kitchen.put("a.json", "aab");
    kitchen.put("b.json", "bbc");
    kitchen.order.force = true;
    kitchen.fetch().unwrap();
    assert!(verify(kitchen.data()).unwrap().is_good());
    assert_eq!(kitchen.read("b.json"), b"bbb");
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
