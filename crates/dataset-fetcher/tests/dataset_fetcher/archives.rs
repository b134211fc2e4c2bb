use std::fs;
use std::path::Path;

use dataset_fetcher::{Check, Import, PublishedBy, Source, State, verify};

use crate::kitchen::{Kitchen, pinned, refused};
use crate::server::{Server, give};

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

fn kitchen(content: &[u8]) -> (Kitchen, Server) {
    let mut kitchen = Kitchen::new(&[source(content)]);
    kitchen.order.published_by = PublishedBy::Publisher;
    let served = content.to_vec();
    (
        kitchen,
        Server::start(move |request, _, stream| give(request, stream, &served, "\"one\"")),
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
    let (mut kitchen, server) = kitchen(&archive(20, None));
    let report = kitchen.fetch_from(&server).unwrap();
    assert_eq!(
        report.files[0]
            .unpacked
            .as_ref()
            .map(|unpacked| unpacked.files),
        Some(40)
    );
    let import = Import {
        set: "gsm8k".to_string(),
        folder: kitchen.path("native/own"),
        has_records: false,
    };
    assert_eq!(report.imports, [import]);
    assert_eq!(
        kitchen.read("native/own/MATH/test/algebra/7.json"),
        b"{\"problem\": \"7\"}"
    );
    assert_eq!(names(&kitchen.path("native/own")), ["MATH", "MATH.tar"]);
    assert_eq!(
        kitchen.fetch_from(&server).unwrap().files[0].state,
        State::AlreadyThere
    );
    assert_eq!(server.requests().len(), 1);

    let checks = |kitchen: &Kitchen| -> Vec<Check> {
        verify(kitchen.data())
            .unwrap()
            .files
            .iter()
            .map(|file| file.check)
            .collect()
    };
    assert_eq!(checks(&kitchen), [Check::Ok, Check::Ok]);
    kitchen.put("native/own/MATH/test/algebra/7.json", "{}");
    assert_eq!(checks(&kitchen), [Check::Ok, Check::Changed]);
    // What was changed is not thrown away without a word.
    refused(kitchen.fetch_from(&server), &["native/own/MATH", "--force"]);
    kitchen.order.force = true;
    kitchen.fetch_from(&server).unwrap();
    assert_eq!(checks(&kitchen), [Check::Ok, Check::Ok]);
    kitchen.order.force = false;
    fs::remove_dir_all(kitchen.path("native/own/MATH")).unwrap();
    assert_eq!(checks(&kitchen), [Check::Ok, Check::Missing]);
    kitchen.fetch_from(&server).unwrap();
    assert_eq!(checks(&kitchen), [Check::Ok, Check::Ok]);
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn an_archive_with_a_foreign_entry_is_not_unpacked_at_all() {
    let (mut kitchen, server) = kitchen(&archive(3, Some("elsewhere/evil.json")));
    refused(
        kitchen.fetch_from(&server),
        &["MATH.tar", "elsewhere/evil.json", "nothing was unpacked"],
    );
    assert_eq!(names(&kitchen.path("native/own")), ["MATH.tar"]);
    assert!(!kitchen.path("native/own/elsewhere").exists());
}

#[test]
fn an_archive_cut_short_is_said_to_be_damaged() {
    let whole = archive(20, None);
    let (mut kitchen, server) = kitchen(&whole[..whole.len() / 2 - 300]);
    refused(kitchen.fetch_from(&server), &["MATH.tar", "damaged"]);
    assert_eq!(names(&kitchen.path("native/own")), ["MATH.tar"]);
}
