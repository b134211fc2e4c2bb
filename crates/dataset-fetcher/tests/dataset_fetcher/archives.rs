use std::fs;
use std::path::Path;

use dataset_fetcher::{CheckResult, FetchState, PendingImport, PublishedBy, Source, verify};

use crate::fixture::{Fixture, pinned, refused};
use loopback::files::{FileServer, give};

const NAME: &str = "native/own/MATH.tar";

/// An archive of so many problems in each split.
fn archive(problems: usize, extra: Option<&str>) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    let mut add = |path: &str, content: &str| {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        header.set_cksum();
        builder
            .append_data(&mut header, path, content.as_bytes())
            .unwrap();
    };
    for number in 0..problems {
        for split in ["test", "train"] {
            add(
                &format!("MATH/{split}/algebra/{number}.json"),
                &format!("{{\"problem\": \"{number}\"}}"),
            );
        }
    }
    if let Some(path) = extra {
        add(path, "x");
    }
    builder.into_inner().unwrap()
}

fn source(content: &[u8]) -> Source {
    Source {
        published_by: PublishedBy::Publisher,
        unpack: Some("MATH".to_string()),
        ..pinned(NAME, content)
    }
}

fn fixture(content: &[u8]) -> (Fixture, FileServer) {
    let mut fixture = Fixture::new(&[source(content)]);
    fixture.request.published_by = PublishedBy::Publisher;
    let served = content.to_vec();
    (
        fixture,
        FileServer::start(move |request, _, stream| give(request, stream, &served, "\"one\"")),
    )
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn an_archive_is_unpacked_once_and_verified_with_its_files() {
    let (mut fixture, server) = fixture(&archive(20, None));
    let report = fixture.fetch_from(&server).unwrap();
    assert_eq!(
        report.files[0]
            .unpacked
            .as_ref()
            .map(|unpacked| unpacked.files),
        Some(40)
    );
    let import = PendingImport {
        set: "gsm8k".to_string(),
        folder: fixture.path("native/own"),
        has_records: false,
    };
    assert_eq!(report.imports, [import]);
    assert_eq!(
        fixture.read("native/own/MATH/test/algebra/7.json"),
        b"{\"problem\": \"7\"}"
    );
    assert_eq!(names(&fixture.path("native/own")), ["MATH", "MATH.tar"]);
    assert_eq!(
        fixture.fetch_from(&server).unwrap().files[0].state,
        FetchState::AlreadyThere
    );
    assert_eq!(server.requests().len(), 1);

    let checks = |fixture: &Fixture| -> Vec<CheckResult> {
        verify(fixture.data())
            .unwrap()
            .files
            .iter()
            .map(|file| file.check)
            .collect()
    };
    assert_eq!(checks(&fixture), [CheckResult::Ok, CheckResult::Ok]);
    fixture.put("native/own/MATH/test/algebra/7.json", "{}");
    assert_eq!(checks(&fixture), [CheckResult::Ok, CheckResult::Changed]);
    // What was changed is not thrown away without a word.
    refused(
        fixture.fetch_from(&server),
        &["native/own/MATH", "move it away"],
    );
    fixture.request.force = true;
    fixture.fetch_from(&server).unwrap();
    assert_eq!(checks(&fixture), [CheckResult::Ok, CheckResult::Ok]);
    fixture.request.force = false;
    fs::remove_dir_all(fixture.path("native/own/MATH")).unwrap();
    assert_eq!(checks(&fixture), [CheckResult::Ok, CheckResult::Missing]);
    fixture.fetch_from(&server).unwrap();
    assert_eq!(checks(&fixture), [CheckResult::Ok, CheckResult::Ok]);
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn an_archive_with_a_foreign_entry_is_not_unpacked_at_all() {
    let (mut fixture, server) = fixture(&archive(3, Some("elsewhere/evil.json")));
    refused(
        fixture.fetch_from(&server),
        &["MATH.tar", "elsewhere/evil.json", "nothing was unpacked"],
    );
    assert_eq!(names(&fixture.path("native/own")), ["MATH.tar"]);
    assert!(!fixture.path("native/own/elsewhere").exists());
}

#[test]
fn an_archive_cut_short_is_said_to_be_damaged() {
    let whole = archive(20, None);
    let (mut fixture, server) = fixture(&whole[..whole.len() / 2 - 300]);
    refused(fixture.fetch_from(&server), &["MATH.tar", "damaged"]);
    assert_eq!(names(&fixture.path("native/own")), ["MATH.tar"]);
}
