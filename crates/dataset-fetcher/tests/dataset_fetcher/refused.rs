use std::fs;
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use dataset_fetcher::{FetchState, LockFile, Origin, Source, git_blob_id};
use fault::{Class, Fault};

use crate::fixture::{Fixture, content, pinned, refused, unpinned};
use loopback::files::{FileServer, give, head, refuse};

const TAG: &str = "\"one\"";

#[test]
fn other_bytes_are_not_kept_and_replace_nothing() {
    let (right, wrong) = (content(5_000), vec![b'x'; 5_000]);
    let mut fixture = Fixture::new(&[pinned("a.json", &right)]);
    let served = wrong.clone();
    let server = FileServer::start(move |request, _, stream| give(request, stream, &served, TAG));
    let ids = [
        format!("git blob {}", git_blob_id(&right)),
        format!("git blob {}", git_blob_id(&wrong)),
    ];
    let error = refused(
        fixture.fetch_from(&server),
        &["a.json", &ids[0], &ids[1], "5000 bytes"],
    );
    assert_eq!(error.class(), Class::Integrity);
    assert!(fixture.entries().is_empty(), "{:?}", fixture.entries());

    fixture.put("a.json", "an older file");
    fixture.request.force = true;
    refused(
        fixture.fetch_from(&server),
        &[&ids[1], "nothing was kept or replaced"],
    );
    assert_eq!(fixture.read("a.json"), b"an older file");
    assert_eq!(fixture.entries(), ["a.json"]);
}

#[test]
fn a_sha_256_counts_as_well() {
    let mut source = unpinned("a.json");
    // Of the empty text.
    source.sha256 =
        Some("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855".to_string());
    let mut fixture = Fixture::new(&[source]);
    let length = Arc::new(AtomicUsize::new(1));
    let served = length.clone();
    let server = FileServer::start(move |request, _, stream| {
        give(
            request,
            stream,
            &vec![b'x'; served.load(Ordering::Relaxed)],
            TAG,
        )
    });
    refused(
        fixture.fetch_from(&server),
        &[
            "expected SHA-256 e3b0c442",
            "found SHA-256 2d711642b726b04401627ca9fbac32f5c8530fb1",
        ],
    );
    length.store(0, Ordering::Relaxed);
    fixture.fetch_from(&server).unwrap();
}

#[test]
fn refusals_of_the_server_are_final_and_name_the_way_out() {
    for (status, part) in [
        ("401 Unauthorized", "does not give"),
        ("403 Forbidden", "does not give"),
        ("404 Not Found", "not there"),
        ("410 Gone", "not there"),
        (
            "451 Unavailable For Legal Reasons",
            "no answer that could be used",
        ),
        ("204 No Content", "no answer that could be used"),
    ] {
        let mut fixture = Fixture::new(&[unpinned("a.json")]);
        let server = FileServer::start(move |_, _, stream| refuse(stream, status, &[]));
        let url = format!("{}/a.json", server.url());
        refused(fixture.fetch_from(&server), &[&url, status, part]);
        assert_eq!(server.requests().len(), 1);
        assert!(fixture.entries().is_empty());
    }
}

#[test]
fn one_file_that_fails_does_not_keep_the_others_away() {
    let bytes = content(1_000);
    let mut fixture = Fixture::new(&[
        unpinned("a.json"),
        pinned("b.json", &bytes),
        unpinned("c.json"),
    ]);
    let server = FileServer::start(move |request, _, stream| match request.target.as_str() {
        "/b.json" => give(request, stream, &bytes, TAG),
        _ => refuse(stream, "404 Not Found", &[]),
    });
    refused(
        fixture.fetch_from(&server),
        &["2 files failed", "/a.json", "/c.json"],
    );
    assert_eq!(fixture.entries(), ["b.json", "mwpbench-data.lock"]);
    assert_eq!(
        fixture.events,
        ["begin b.json 0 Some(1000)", "finished b.json Fetched"]
    );
}

#[test]
fn a_body_without_end_is_cut_off() {
    let known = Source {
        bytes: Some(100_000),
        ..pinned("a.json", b"x")
    };
    for (source, part) in [
        (unpinned("a.json"), "no file may have more than 300000"),
        (known, "the published file has 100000"),
    ] {
        let mut fixture = Fixture::new(&[source]);
        fixture.request.policy.max_file_bytes = 300_000;
        let server = FileServer::start(|_, _, stream| {
            head(stream, "200 OK", &[])?;
            // Until the other side hangs up.
            while stream.write_all(&[b'x'; 4096]).is_ok() {
                std::thread::sleep(Duration::from_micros(50));
            }
            Ok(())
        });
        refused(fixture.fetch_from(&server), &["cut off", part]);
        assert!(fixture.entries().is_empty(), "{:?}", fixture.entries());
        assert_eq!(server.requests().len(), 1);
    }
}

#[test]
fn a_size_that_cannot_be_is_refused_before_a_byte_is_taken() {
    let mut fixture = Fixture::new(&[unpinned("a.json")]);
    let server = FileServer::start(|_, _, stream| {
        head(stream, "200 OK", &[("Content-Length", "2147483649")])
    });
    refused(
        fixture.fetch_from(&server),
        &["announces 2147483649 bytes", "2147483648"],
    );
    assert!(fixture.entries().is_empty());
}

#[test]
fn compressed_bodies_are_refused() {
    let mut fixture = Fixture::new(&[unpinned("a.json")]);
    let server = FileServer::start(|_, _, stream| {
        head(
            stream,
            "200 OK",
            &[("Content-Length", "3"), ("Content-Encoding", "gzip")],
        )?;
        stream.write_all(b"abc")
    });
    refused(fixture.fetch_from(&server), &["compressed (gzip)"]);
}

#[test]
fn a_file_that_lies_there_is_not_replaced_without_force() {
    let bytes = content(1_000);
    for source in [pinned("a.json", &bytes), unpinned("a.json")] {
        let mut fixture = Fixture::new(&[source]);
        let served = bytes.clone();
        let server =
            FileServer::start(move |request, _, stream| give(request, stream, &served, TAG));
        fixture.put("a.json", "mine");
        refused(
            fixture.fetch_from(&server),
            &["a.json", &git_blob_id(b"mine"), "move it away"],
        );
        assert_eq!(fixture.read("a.json"), b"mine");
        assert_eq!(server.requests().len(), 0);
        fixture.request.force = true;
        assert_eq!(
            fixture.fetch_from(&server).unwrap().files[0].state,
            FetchState::Fetched
        );
        assert_eq!(fixture.read("a.json"), bytes);
    }
}

#[test]
fn the_first_content_of_an_unknown_file_is_held_to() {
    let mut fixture = Fixture::new(&[unpinned("a.json")]);
    let version = Arc::new(AtomicUsize::new(1));
    let served = version.clone();
    let server = FileServer::start(move |request, _, stream| {
        let version = served.load(Ordering::Relaxed).to_string();
        give(
            request,
            stream,
            version.as_bytes(),
            &format!("\"{version}\""),
        )
    });
    fixture.fetch_from(&server).unwrap();
    version.store(2, Ordering::Relaxed);
    // While it is there, nobody asks; once it is gone, another does not take its place.
    assert_eq!(
        fixture.fetch_from(&server).unwrap().files[0].state,
        FetchState::AlreadyThere
    );
    fs::remove_file(fixture.path("a.json")).unwrap();
    let (first, second) = (git_blob_id(b"1"), git_blob_id(b"2"));
    refused(
        fixture.fetch_from(&server),
        &[&first, &second, "inspect what changed"],
    );
    assert_eq!(fixture.entries(), ["mwpbench-data.lock"]);
    fixture.request.force = true;
    fixture.fetch_from(&server).unwrap();
    assert_eq!(fixture.read("a.json"), b"2");
    assert_eq!(
        LockFile::load(fixture.data())
            .unwrap()
            .unwrap()
            .entry("a.json")
            .unwrap()
            .git_blob,
        second
    );
    // Under `force` it is fetched again although it is there.
    version.store(3, Ordering::Relaxed);
    fixture.fetch_from(&server).unwrap();
    assert_eq!(fixture.read("a.json"), b"3");
}

#[test]
fn an_offline_folder_serves_as_well_and_is_checked_as_well() {
    let bytes = content(1_000);
    let mut fixture = Fixture::new(&[pinned("native/a.json", &bytes)]);
    let offline = tempfile::tempdir().unwrap();
    fixture.request.from = Some(Origin::Folder(offline.path().to_path_buf()));
    let error = refused(
        fixture.fetch(),
        &["native/a.json", "no such file", "offline folder"],
    );
    assert_eq!(error.class(), Class::Usage);
    fs::create_dir(offline.path().join("native")).unwrap();
    fs::write(offline.path().join("native/a.json"), "other").unwrap();
    refused(
        fixture.fetch(),
        &["not the published content", &git_blob_id(b"other")],
    );
    assert!(
        fs::read_dir(fixture.path("native"))
            .unwrap()
            .next()
            .is_none()
    );
    fs::write(offline.path().join("native/a.json"), &bytes).unwrap();
    let report = fixture.fetch().unwrap();
    assert_eq!(fixture.read("native/a.json"), bytes);
    assert_eq!(
        report.files[0].from,
        offline.path().join("native/a.json").display().to_string()
    );
    assert!(offline.path().join("native/a.json").exists());
}

#[test]
#[cfg(unix)]
fn links_do_not_lead_out_of_the_data_folder() {
    use std::os::unix::fs::symlink;
    let bytes = content(1_000);
    let mut fixture = Fixture::new(&[pinned("native/a.json", &bytes)]);
    let served = bytes.clone();
    let server = FileServer::start(move |request, _, stream| give(request, stream, &served, TAG));
    let outside = fixture.folder.path().join("outside");
    fs::create_dir(&outside).unwrap();
    fs::create_dir(fixture.data()).unwrap();

    symlink(&outside, fixture.path("native")).unwrap();
    refused(fixture.fetch_from(&server), &["native", "not followed"]);
    fs::remove_file(fixture.path("native")).unwrap();

    fixture.put("native/x", "");
    fs::write(outside.join("mine"), "mine").unwrap();
    symlink(outside.join("mine"), fixture.path("native/a.json")).unwrap();
    refused(
        fixture.fetch_from(&server),
        &["a.json", "a link", "move it away"],
    );
    fs::remove_file(fixture.path("native/a.json")).unwrap();

    // A link in place of an unfinished download, with a note that would make it one.
    symlink(outside.join("mine"), fixture.path("native/a.json.part")).unwrap();
    let note = format!("url = \"{}/native/a.json\"\ntotal = 1000\n", server.url());
    fs::write(outside.join("note"), &note).unwrap();
    fixture.put("native/a.json.part.note", &note);
    fixture.fetch_from(&server).unwrap();
    assert_eq!(fixture.read("native/a.json"), bytes);
    assert!(!fixture.path("native/a.json.part").is_symlink());
    assert_eq!(fs::read(outside.join("mine")).unwrap(), b"mine");
    assert_eq!(server.requests()[0].range(), None);

    // A link in place of the note: written anew, not through the link.
    fs::remove_file(fixture.path("native/a.json")).unwrap();
    fixture.put("native/a.json.part", &bytes[..500]);
    symlink(
        outside.join("note"),
        fixture.path("native/a.json.part.note"),
    )
    .unwrap();
    fixture.fetch_from(&server).unwrap();
    assert_eq!(fs::read_to_string(outside.join("note")).unwrap(), note);
    assert_eq!(fs::read_dir(&outside).unwrap().count(), 2);
}

#[test]
fn a_second_fetch_waits_for_nobody_and_says_who_is_at_work() {
    let bytes = content(1_000);
    let mut fixture = Fixture::new(&[pinned("a.json", &bytes)]);
    let mut second = Fixture::new(&[pinned("a.json", &bytes)]);
    second.request.folder = fixture.request.folder.clone();
    let server = FileServer::start(move |request, _, stream| {
        std::thread::sleep(Duration::from_millis(300));
        give(request, stream, &bytes, TAG)
    });
    std::thread::scope(|scope| {
        let first = scope.spawn(|| fixture.fetch_from(&server).map(|_| ()));
        std::thread::sleep(Duration::from_millis(100));
        let error = refused(
            second.fetch_from(&server),
            &[
                "another fetch is at work here",
                &format!("process {}", std::process::id()),
            ],
        );
        assert_eq!(error.class(), Class::Incomplete);
        first.join().unwrap().unwrap();
    });
    second.fetch_from(&server).unwrap();
}

#[test]
fn what_a_killed_fetch_left_unfinished_is_cleared_away() {
    let bytes = content(1_000);
    let mut fixture = Fixture::new(&[pinned("native/a.json", &bytes)]);
    fixture.put(".mwpbench-unfinished-x1", "half");
    fixture.put("native/.mwpbench-unfinished-x2/MATH/1.json", "half");
    let server = FileServer::start(move |request, _, stream| give(request, stream, &bytes, TAG));
    fixture.fetch_from(&server).unwrap();
    assert_eq!(fixture.entries(), ["mwpbench-data.lock", "native"]);
    assert_eq!(fs::read_dir(fixture.path("native")).unwrap().count(), 1);
}

#[test]
fn a_damaged_lock_file_stops_the_fetch_before_anything_is_done() {
    let mut fixture = Fixture::new(&[unpinned("a.json")]);
    fixture.put(
        "mwpbench-data.lock",
        "version = 1\n[[file]]\nname = \"a.json\"\n",
    );
    let server = FileServer::start(|request, _, stream| give(request, stream, b"x", TAG));
    let error = refused(
        fixture.fetch_from(&server),
        &[
            "mwpbench-data.lock",
            "line 2",
            "missing field",
            "move it away",
        ],
    );
    assert_eq!(error.class(), Class::Integrity);
    assert_eq!(server.requests().len(), 0);
}
