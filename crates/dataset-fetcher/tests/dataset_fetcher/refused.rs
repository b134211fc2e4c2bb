use std::fs;
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use dataset_fetcher::{ErrorKind, LockFile, Origin, Source, State, git_blob_id};

use crate::kitchen::{Kitchen, content, pinned, refused, unpinned};
use crate::server::{Server, give, head, refuse};

const TAG: &str = "\"one\"";

#[test]
fn other_bytes_are_not_kept_and_replace_nothing() {
    let (right, wrong) = (content(5_000), vec![b'x'; 5_000]);
    let mut kitchen = Kitchen::new(&[pinned("a.json", &right)]);
    let served = wrong.clone();
    let server = Server::start(move |request, _, stream| give(request, stream, &served, TAG));
    let ids = [
        format!("git blob {}", git_blob_id(&right)),
        format!("git blob {}", git_blob_id(&wrong)),
    ];
    let error = refused(
        kitchen.fetch_from(&server),
        &["a.json", &ids[0], &ids[1], "5000 bytes"],
    );
    assert_eq!(error.kind(), ErrorKind::Integrity);
    assert!(kitchen.entries().is_empty(), "{:?}", kitchen.entries());

    kitchen.put("a.json", "an older file");
    kitchen.order.force = true;
    refused(
        kitchen.fetch_from(&server),
        &[&ids[1], "nothing was kept or replaced"],
    );
    assert_eq!(kitchen.read("a.json"), b"an older file");
    assert_eq!(kitchen.entries(), ["a.json"]);
}

#[test]
fn a_sha_256_counts_as_well() {
    let mut source = unpinned("a.json");
    // Of the empty text.
    source.sha256 =
        Some("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855".to_string());
    let mut kitchen = Kitchen::new(&[source]);
    let length = Arc::new(AtomicUsize::new(1));
    let served = length.clone();
    let server = Server::start(move |request, _, stream| {
        give(
            request,
            stream,
            &vec![b'x'; served.load(Ordering::Relaxed)],
            TAG,
        )
    });
    refused(
        kitchen.fetch_from(&server),
        &[
            "expected SHA-256 e3b0c442",
            "found SHA-256 2d711642b726b04401627ca9fbac32f5c8530fb1",
        ],
    );
    length.store(0, Ordering::Relaxed);
    kitchen.fetch_from(&server).unwrap();
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
        let mut kitchen = Kitchen::new(&[unpinned("a.json")]);
        let server = Server::start(move |_, _, stream| refuse(stream, status, &[]));
        let url = format!("{}/a.json", server.url());
        refused(
            kitchen.fetch_from(&server),
            &[&url, status, part, "--from DIR", "--from URL"],
        );
        assert_eq!(server.requests().len(), 1);
        assert!(kitchen.entries().is_empty());
    }
}

#[test]
fn one_file_that_fails_does_not_keep_the_others_away() {
    let bytes = content(1_000);
    let mut kitchen = Kitchen::new(&[
        unpinned("a.json"),
        pinned("b.json", &bytes),
        unpinned("c.json"),
    ]);
    let server = Server::start(move |request, _, stream| match request.target.as_str() {
        "/b.json" => give(request, stream, &bytes, TAG),
        _ => refuse(stream, "404 Not Found", &[]),
    });
    refused(
        kitchen.fetch_from(&server),
        &["2 files failed", "/a.json", "/c.json"],
    );
    assert_eq!(kitchen.entries(), ["b.json", "mwpbench-data.lock"]);
    assert_eq!(
        kitchen.told,
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
        let mut kitchen = Kitchen::new(&[source]);
        kitchen.order.patience.largest_file = 300_000;
        let server = Server::start(|_, _, stream| {
            head(stream, "200 OK", &[])?;
            // Until the other side hangs up.
            while stream.write_all(&[b'x'; 4096]).is_ok() {
                std::thread::sleep(Duration::from_micros(50));
            }
            Ok(())
        });
        refused(kitchen.fetch_from(&server), &["cut off", part]);
        assert!(kitchen.entries().is_empty(), "{:?}", kitchen.entries());
        assert_eq!(server.requests().len(), 1);
    }
}

#[test]
fn a_size_that_cannot_be_is_refused_before_a_byte_is_taken() {
    let mut kitchen = Kitchen::new(&[unpinned("a.json")]);
    let server =
        Server::start(|_, _, stream| head(stream, "200 OK", &[("Content-Length", "2147483649")]));
    refused(
        kitchen.fetch_from(&server),
        &["announces 2147483649 bytes", "2147483648"],
    );
    assert!(kitchen.entries().is_empty());
}

#[test]
fn compressed_bodies_are_refused() {
    let mut kitchen = Kitchen::new(&[unpinned("a.json")]);
    let server = Server::start(|_, _, stream| {
        head(
            stream,
            "200 OK",
            &[("Content-Length", "3"), ("Content-Encoding", "gzip")],
        )?;
        stream.write_all(b"abc")
    });
    refused(kitchen.fetch_from(&server), &["compressed (gzip)"]);
}

#[test]
fn a_file_that_lies_there_is_not_replaced_without_force() {
    let bytes = content(1_000);
    for source in [pinned("a.json", &bytes), unpinned("a.json")] {
        let mut kitchen = Kitchen::new(&[source]);
        let served = bytes.clone();
        let server = Server::start(move |request, _, stream| give(request, stream, &served, TAG));
        kitchen.put("a.json", "mine");
        refused(
            kitchen.fetch_from(&server),
            &["a.json", &git_blob_id(b"mine"), "--force"],
        );
        assert_eq!(kitchen.read("a.json"), b"mine");
        assert_eq!(server.requests().len(), 0);
        kitchen.order.force = true;
        assert_eq!(
            kitchen.fetch_from(&server).unwrap().files[0].state,
            State::Fetched
        );
        assert_eq!(kitchen.read("a.json"), bytes);
    }
}

#[test]
fn the_first_content_of_an_unknown_file_is_held_to() {
    let mut kitchen = Kitchen::new(&[unpinned("a.json")]);
    let version = Arc::new(AtomicUsize::new(1));
    let served = version.clone();
    let server = Server::start(move |request, _, stream| {
        let version = served.load(Ordering::Relaxed).to_string();
        give(
            request,
            stream,
            version.as_bytes(),
            &format!("\"{version}\""),
        )
    });
    kitchen.fetch_from(&server).unwrap();
    version.store(2, Ordering::Relaxed);
    // While it is there, nobody asks; once it is gone, another does not take its place.
    assert_eq!(
        kitchen.fetch_from(&server).unwrap().files[0].state,
        State::AlreadyThere
    );
    fs::remove_file(kitchen.path("a.json")).unwrap();
    let (first, second) = (git_blob_id(b"1"), git_blob_id(b"2"));
    refused(kitchen.fetch_from(&server), &[&first, &second, "--force"]);
    assert_eq!(kitchen.entries(), ["mwpbench-data.lock"]);
    kitchen.order.force = true;
    kitchen.fetch_from(&server).unwrap();
    assert_eq!(kitchen.read("a.json"), b"2");
    assert_eq!(
        LockFile::load(kitchen.data())
            .unwrap()
            .unwrap()
            .entry("a.json")
            .unwrap()
            .git_blob,
        second
    );
    // With --force it is looked at again although it is there.
    version.store(3, Ordering::Relaxed);
    kitchen.fetch_from(&server).unwrap();
    assert_eq!(kitchen.read("a.json"), b"3");
}

#[test]
fn an_offline_folder_serves_as_well_and_is_checked_as_well() {
    let bytes = content(1_000);
    let mut kitchen = Kitchen::new(&[pinned("native/a.json", &bytes)]);
    let offline = tempfile::tempdir().unwrap();
    kitchen.order.from = Some(Origin::Folder(offline.path().to_path_buf()));
    let error = refused(
        kitchen.fetch(),
        &["native/a.json", "no such file", "--from DIR"],
    );
    assert_eq!(error.kind(), ErrorKind::Usage);
    fs::create_dir(offline.path().join("native")).unwrap();
    fs::write(offline.path().join("native/a.json"), "other").unwrap();
    refused(
        kitchen.fetch(),
        &["not the published content", &git_blob_id(b"other")],
    );
    assert!(
        fs::read_dir(kitchen.path("native"))
            .unwrap()
            .next()
            .is_none()
    );
    fs::write(offline.path().join("native/a.json"), &bytes).unwrap();
    let report = kitchen.fetch().unwrap();
    assert_eq!(kitchen.read("native/a.json"), bytes);
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
    let mut kitchen = Kitchen::new(&[pinned("native/a.json", &bytes)]);
    let served = bytes.clone();
    let server = Server::start(move |request, _, stream| give(request, stream, &served, TAG));
    let outside = kitchen.folder.path().join("outside");
    fs::create_dir(&outside).unwrap();
    fs::create_dir(kitchen.data()).unwrap();

    symlink(&outside, kitchen.path("native")).unwrap();
    refused(kitchen.fetch_from(&server), &["native", "not followed"]);
    fs::remove_file(kitchen.path("native")).unwrap();

    kitchen.put("native/x", "");
    fs::write(outside.join("mine"), "mine").unwrap();
    symlink(outside.join("mine"), kitchen.path("native/a.json")).unwrap();
    refused(
        kitchen.fetch_from(&server),
        &["a.json", "a link", "move it away"],
    );
    fs::remove_file(kitchen.path("native/a.json")).unwrap();

    // A link in place of an unfinished download, with a note that would make it one.
    symlink(outside.join("mine"), kitchen.path("native/a.json.part")).unwrap();
    let note = format!("url = \"{}/native/a.json\"\ntotal = 1000\n", server.url());
    fs::write(outside.join("note"), &note).unwrap();
    kitchen.put("native/a.json.part.note", &note);
    kitchen.fetch_from(&server).unwrap();
    assert_eq!(kitchen.read("native/a.json"), bytes);
    assert!(!kitchen.path("native/a.json.part").is_symlink());
    assert_eq!(fs::read(outside.join("mine")).unwrap(), b"mine");
    assert_eq!(server.requests()[0].range(), None);

    // A link in place of the note: written anew, not through the link.
    fs::remove_file(kitchen.path("native/a.json")).unwrap();
    kitchen.put("native/a.json.part", &bytes[..500]);
    symlink(
        outside.join("note"),
        kitchen.path("native/a.json.part.note"),
    )
    .unwrap();
    kitchen.fetch_from(&server).unwrap();
    assert_eq!(fs::read_to_string(outside.join("note")).unwrap(), note);
    assert_eq!(fs::read_dir(&outside).unwrap().count(), 2);
}

#[test]
fn a_second_fetch_waits_for_nobody_and_says_who_is_at_work() {
    let bytes = content(1_000);
    let mut kitchen = Kitchen::new(&[pinned("a.json", &bytes)]);
    let mut second = Kitchen::new(&[pinned("a.json", &bytes)]);
    second.order.folder = kitchen.order.folder.clone();
    let server = Server::start(move |request, _, stream| {
        std::thread::sleep(Duration::from_millis(300));
        give(request, stream, &bytes, TAG)
    });
    std::thread::scope(|scope| {
        let first = scope.spawn(|| kitchen.fetch_from(&server).map(|_| ()));
        std::thread::sleep(Duration::from_millis(100));
        let error = refused(
            second.fetch_from(&server),
            &[
                "another fetch is at work here",
                &format!("process {}", std::process::id()),
            ],
        );
        assert_eq!(error.kind(), ErrorKind::Incomplete);
        first.join().unwrap().unwrap();
    });
    second.fetch_from(&server).unwrap();
}

#[test]
fn what_a_killed_fetch_left_unfinished_is_cleared_away() {
    let bytes = content(1_000);
    let mut kitchen = Kitchen::new(&[pinned("native/a.json", &bytes)]);
    kitchen.put(".mwpbench-unfinished-x1", "half");
    kitchen.put("native/.mwpbench-unfinished-x2/MATH/1.json", "half");
    let server = Server::start(move |request, _, stream| give(request, stream, &bytes, TAG));
    kitchen.fetch_from(&server).unwrap();
    assert_eq!(kitchen.entries(), ["mwpbench-data.lock", "native"]);
    assert_eq!(fs::read_dir(kitchen.path("native")).unwrap().count(), 1);
}

#[test]
fn a_damaged_lock_file_stops_the_fetch_before_anything_is_done() {
    let mut kitchen = Kitchen::new(&[unpinned("a.json")]);
    kitchen.put(
        "mwpbench-data.lock",
        "version = 1\n[[file]]\nname = \"a.json\"\n",
    );
    let server = Server::start(|request, _, stream| give(request, stream, b"x", TAG));
    let error = refused(
        kitchen.fetch_from(&server),
        &[
            "mwpbench-data.lock",
            "line 2",
            "missing field",
            "move it away",
        ],
    );
    assert_eq!(error.kind(), ErrorKind::Integrity);
    assert_eq!(server.requests().len(), 0);
}
