use std::io::Write;
use std::thread::sleep;
use std::time::{Duration, Instant};

use dataset_fetcher::{FetchState, LockFile, Trust};
use fault::{Class, Fault};

use crate::fixture::{Fixture, content, pinned, refused, unpinned};
use loopback::files::{FileServer, begin, give, head, refuse};

const TAG: &str = "\"one\"";

#[test]
fn a_file_is_fetched_recorded_and_not_fetched_again() {
    let bytes = content(100_000);
    let mut fixture = Fixture::new(&[pinned("a.json", &bytes)]);
    let served = bytes.clone();
    let server = FileServer::start(move |request, _, stream| give(request, stream, &served, TAG));
    let report = fixture.fetch_from(&server).unwrap();
    assert_eq!(report.files[0].state, FetchState::Fetched);
    assert_eq!(fixture.read("a.json"), bytes);
    assert_eq!(fixture.entries(), ["a.json", "mwpbench-data.lock"]);
    let lock = LockFile::load(fixture.data()).unwrap().unwrap();
    let entry = lock.entry("a.json").unwrap();
    assert_eq!((entry.bytes, entry.trust), (100_000, Trust::PublishedId));
    assert_eq!(entry.blake3, blake3(&bytes));
    assert_eq!(entry.url, "https://publisher.invalid/a.json");
    assert_eq!(entry.fetched_from, format!("{}/a.json", server.url()));
    assert_eq!(server.requests()[0].target, "/a.json");
    assert_eq!(
        server.requests()[0].header("accept-encoding"),
        Some("identity")
    );

    let again = fixture.fetch_from(&server).unwrap();
    assert_eq!(again.files[0].state, FetchState::AlreadyThere);
    assert_eq!(server.requests().len(), 1);
}

fn blake3(bytes: &[u8]) -> String {
    blake3::hash(bytes).to_hex().to_string()
}

#[test]
fn a_slow_server_is_waited_for() {
    let bytes = content(3_000);
    let mut fixture = Fixture::new(&[pinned("a.json", &bytes)]);
    let served = bytes.clone();
    let server = FileServer::start(move |request, _, stream| {
        for piece in begin(request, stream, &served, TAG)?.chunks(200) {
            sleep(Duration::from_millis(60));
            stream.write_all(piece)?;
        }
        Ok(())
    });
    // 900 ms in all, more than twice the time that a connection may say nothing.
    fixture.fetch_from(&server).unwrap();
    assert_eq!(fixture.read("a.json"), bytes);
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn a_connection_that_is_cut_off_is_gone_on_with() {
    let bytes = content(200_000);
    // With a known id and without: the tag of the server serves both.
    for source in [pinned("a.json", &bytes), unpinned("a.json")] {
        let mut fixture = Fixture::new(&[source]);
        let served = bytes.clone();
        let server = FileServer::start(move |request, number, stream| {
            let rest = begin(request, stream, &served, TAG)?;
            stream.write_all(if number < 2 { &rest[..60_000] } else { rest })
        });
        fixture.fetch_from(&server).unwrap();
        assert_eq!(fixture.read("a.json"), bytes);
        assert_eq!(fixture.entries(), ["a.json", "mwpbench-data.lock"]);
        let asked: Vec<_> = server
            .requests()
            .iter()
            .map(|request| request.range())
            .collect();
        assert_eq!(asked, [None, Some(60_000), Some(120_000)]);
        assert_eq!(server.requests()[2].header("if-range"), Some(TAG));
        let reported = "retry a.json 2: broken off at 60000 of 200000 bytes: ";
        assert!(
            fixture
                .events
                .iter()
                .any(|event| event.starts_with(reported)),
            "{:?}",
            fixture.events
        );
    }
}

#[test]
fn a_server_that_ignores_ranges_sends_all_of_it() {
    let bytes = content(50_000);
    let mut fixture = Fixture::new(&[pinned("a.json", &bytes)]);
    let served = bytes.clone();
    let server = FileServer::start(move |_, number, stream| {
        head(stream, "200 OK", &[("Content-Length", "50000")])?;
        stream.write_all(if number == 0 {
            &served[..20_000]
        } else {
            &served
        })
    });
    fixture.fetch_from(&server).unwrap();
    assert_eq!(fixture.read("a.json"), bytes);
    assert_eq!(server.requests()[1].range(), Some(20_000));
}

#[test]
fn a_file_that_changes_meanwhile_is_taken_whole() {
    let (old, new) = (content(50_000), vec![7; 40_000]);
    let mut fixture = Fixture::new(&[unpinned("a.json")]);
    let served = new.clone();
    let server = FileServer::start(move |request, number, stream| match number {
        0 => begin(request, stream, &old, TAG).and_then(|rest| stream.write_all(&rest[..20_000])),
        _ => give(request, stream, &served, "\"two\""),
    });
    fixture.fetch_from(&server).unwrap();
    assert_eq!(fixture.read("a.json"), new);
}

#[test]
fn without_a_tag_or_an_id_nothing_is_gone_on_with() {
    let bytes = content(50_000);
    let mut fixture = Fixture::new(&[unpinned("a.json")]);
    let served = bytes.clone();
    let server = FileServer::start(move |_, number, stream| {
        // A weak tag does not promise the same bytes.
        head(
            stream,
            "200 OK",
            &[("Content-Length", "50000"), ("ETag", "W/\"one\"")],
        )?;
        stream.write_all(if number == 0 {
            &served[..20_000]
        } else {
            &served
        })
    });
    fixture.fetch_from(&server).unwrap();
    assert_eq!(fixture.read("a.json"), bytes);
    assert_eq!(server.requests()[1].range(), None);
}

#[test]
fn a_rest_from_elsewhere_in_the_file_is_not_joined() {
    let bytes = content(50_000);
    for lie in [
        "bytes 10000-49999/50000",
        "bytes 20000-49999/60000",
        "nonsense",
    ] {
        let mut fixture = Fixture::new(&[pinned("a.json", &bytes)]);
        let served = bytes.clone();
        let server = FileServer::start(move |request, number, stream| match number {
            0 => begin(request, stream, &served, TAG)
                .and_then(|rest| stream.write_all(&rest[..20_000])),
            1 => {
                head(
                    stream,
                    "206 Partial Content",
                    &[("Content-Length", "30000"), ("Content-Range", lie)],
                )?;
                stream.write_all(&served[20_000..])
            }
            _ => give(request, stream, &served, TAG),
        });
        fixture.fetch_from(&server).unwrap();
        assert_eq!(fixture.read("a.json"), bytes);
        assert_eq!(server.requests()[2].range(), None, "{lie}");
    }
}

#[test]
fn a_range_that_is_no_longer_there_starts_anew() {
    let (old, new) = (content(50_000), content(10_000));
    let mut fixture = Fixture::new(&[pinned("a.json", &new)]);
    let served = new.clone();
    let server = FileServer::start(move |request, number, stream| match number {
        0 => begin(request, stream, &old, TAG).and_then(|rest| stream.write_all(&rest[..20_000])),
        _ => give(request, stream, &served, TAG),
    });
    fixture.fetch_from(&server).unwrap();
    assert_eq!(fixture.read("a.json"), new);
    let asked: Vec<_> = server
        .requests()
        .iter()
        .map(|request| request.range())
        .collect();
    assert_eq!(asked, [None, Some(20_000), None]);
}

#[test]
fn pieces_that_do_not_belong_together_are_fetched_once_more() {
    let bytes = content(50_000);
    let mut fixture = Fixture::new(&[pinned("a.json", &bytes)]);
    let served = bytes.clone();
    let server = FileServer::start(move |request, _, stream| give(request, stream, &served, TAG));
    // As a loss of power may leave it: the length is right, the bytes are not.
    fixture.put("a.json.part", vec![0; 20_000]);
    let note = format!(
        "url = \"{}/a.json\"\ntotal = 50000\nvalidator = '{TAG}'\n",
        server.url()
    );
    fixture.put("a.json.part.note", note);
    fixture.fetch_from(&server).unwrap();
    assert_eq!(fixture.read("a.json"), bytes);
    let asked: Vec<_> = server
        .requests()
        .iter()
        .map(|request| request.range())
        .collect();
    assert_eq!(asked, [Some(20_000), None]);
}

#[test]
fn a_later_run_goes_on_also_from_another_mirror() {
    let bytes = content(80_000);
    let mut fixture = Fixture::new(&[pinned("a.json", &bytes)]);
    fixture.request.policy.max_attempts = 1;
    let served = bytes.clone();
    let broken = FileServer::start(move |request, _, stream| {
        begin(request, stream, &served, TAG).and_then(|rest| stream.write_all(&rest[..30_000]))
    });
    refused(
        fixture.fetch_from(&broken),
        &["given up after 1 attempt:", "30000 bytes are kept"],
    );
    assert_eq!(fixture.entries(), ["a.json.part", "a.json.part.note"]);
    let served = bytes.clone();
    let good = FileServer::start(move |request, _, stream| {
        give(request, stream, &served, "\"other tag\"")
    });
    fixture.fetch_from(&good).unwrap();
    assert_eq!(fixture.read("a.json"), bytes);
    // The content's id is known: the tag of another server would only be in the way.
    assert_eq!(good.requests()[0].range(), Some(30_000));
    assert_eq!(good.requests()[0].header("if-range"), None);
    assert_eq!(fixture.events[0], "begin a.json 30000 Some(80000)");
}

#[test]
fn a_whole_part_is_only_checked() {
    let bytes = content(5_000);
    let mut fixture = Fixture::new(&[pinned("a.json", &bytes)]);
    let server = FileServer::start(|_, _, stream| refuse(stream, "500 Internal Server Error", &[]));
    fixture.put("a.json.part", &bytes);
    fixture.put(
        "a.json.part.note",
        format!("url = \"{}/a.json\"\ntotal = 5000\n", server.url()),
    );
    fixture.fetch_from(&server).unwrap();
    assert_eq!(fixture.read("a.json"), bytes);
    assert_eq!(server.requests().len(), 0);
}

#[test]
fn a_part_that_nobody_knows_the_origin_of_is_not_used() {
    let bytes = content(5_000);
    for note in [None, Some("url = 3"), Some("[[[")] {
        let mut fixture = Fixture::new(&[pinned("a.json", &bytes)]);
        let served = bytes.clone();
        let server =
            FileServer::start(move |request, _, stream| give(request, stream, &served, TAG));
        fixture.put("a.json.part", &bytes[..1_000]);
        if let Some(note) = note {
            fixture.put("a.json.part.note", note);
        }
        fixture.fetch_from(&server).unwrap();
        assert_eq!(server.requests()[0].range(), None);
    }
}

#[test]
fn errors_of_the_server_are_tried_again_with_a_growing_wait() {
    let bytes = content(1_000);
    for status in [
        "500 Internal Server Error",
        "502 Bad Gateway",
        "503 Service Unavailable",
        "408 Request Timeout",
    ] {
        let mut fixture = Fixture::new(&[pinned("a.json", &bytes)]);
        let served = bytes.clone();
        let server = FileServer::start(move |request, number, stream| match number {
            0 | 1 => refuse(stream, status, &[]),
            _ => give(request, stream, &served, TAG),
        });
        fixture.fetch_from(&server).unwrap();
        assert_eq!(
            fixture.events[0],
            format!("retry a.json 2: the server answered {status}")
        );
        assert_eq!(server.requests().len(), 3);
    }
}

#[test]
fn attempts_are_bounded() {
    let mut fixture = Fixture::new(&[unpinned("a.json"), unpinned("b.json")]);
    let server = FileServer::start(|_, _, stream| refuse(stream, "500 Internal Server Error", &[]));
    let url = format!("{}/a.json", server.url());
    refused(
        fixture.fetch_from(&server),
        &[
            &url,
            "given up after 3 attempts",
            "500 Internal Server Error",
        ],
    );
    // The second file is not tried at all: it would fail in the same way.
    assert_eq!(server.requests().len(), 3);
    assert!(fixture.entries().is_empty());
}

#[test]
fn bytes_that_come_again_and_again_are_no_progress() {
    let mut fixture = Fixture::new(&[unpinned("a.json")]);
    let server = FileServer::start(|_, _, stream| {
        head(stream, "200 OK", &[("Content-Length", "50000")])?;
        stream.write_all(&[1; 10_000])
    });
    let error = refused(
        fixture.fetch_from(&server),
        &["given up after 3 attempts", "10000 of 50000 bytes"],
    );
    // Nothing tells whether the rest would fit, so nothing is promised.
    assert!(!error.to_string().contains("are kept"), "{error}");
    assert_eq!(server.requests().len(), 3);
}

#[test]
fn progress_in_small_steps_is_bounded_too() {
    let bytes = content(50_000);
    let mut fixture = Fixture::new(&[pinned("a.json", &bytes)]);
    fixture.request.policy.max_total_attempts = 10;
    let server = FileServer::start(move |request, _, stream| {
        begin(request, stream, &bytes, TAG).and_then(|rest| stream.write_all(&rest[..1]))
    });
    refused(
        fixture.fetch_from(&server),
        &["given up after 10 attempts", "10 bytes are kept"],
    );
}

#[test]
fn a_server_may_say_how_long_to_wait() {
    let bytes = content(1_000);
    let soon = jiff::Timestamp::now() + Duration::from_secs(3);
    let date = jiff::fmt::rfc2822::DateTimePrinter::new()
        .timestamp_to_rfc9110_string(&soon)
        .unwrap();
    for (asked, least) in [("1".to_string(), 1.0), (date, 0.9)] {
        let mut fixture = Fixture::new(&[pinned("a.json", &bytes)]);
        let served = bytes.clone();
        let server = FileServer::start(move |request, number, stream| match number {
            0 => refuse(stream, "429 Too Many Requests", &[("Retry-After", &asked)]),
            _ => give(request, stream, &served, TAG),
        });
        let started = Instant::now();
        fixture.fetch_from(&server).unwrap();
        assert!(
            started.elapsed().as_secs_f64() >= least,
            "{:?}",
            started.elapsed()
        );
        assert_eq!(fixture.read("a.json"), bytes);
    }
}

#[test]
fn a_wait_that_is_too_long_is_said_and_not_made() {
    let mut fixture = Fixture::new(&[unpinned("a.json")]);
    let server = FileServer::start(|_, _, stream| {
        refuse(stream, "429 Too Many Requests", &[("Retry-After", "3600")])
    });
    refused(
        fixture.fetch_from(&server),
        &["429 Too Many Requests", "wait for 3600 s"],
    );
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn a_stalled_connection_is_given_up_and_gone_on_with() {
    let bytes = content(50_000);
    let mut fixture = Fixture::new(&[pinned("a.json", &bytes)]);
    let served = bytes.clone();
    let server = FileServer::start(move |request, number, stream| {
        let rest = begin(request, stream, &served, TAG)?;
        if number == 0 {
            stream.write_all(&rest[..20_000])?;
            sleep(Duration::from_secs(5));
            return Ok(());
        }
        stream.write_all(rest)
    });
    let started = Instant::now();
    fixture.fetch_from(&server).unwrap();
    assert!(
        started.elapsed() < Duration::from_secs(3),
        "{:?}",
        started.elapsed()
    );
    assert_eq!(fixture.read("a.json"), bytes);
    assert_eq!(server.requests()[1].range(), Some(20_000));
}

#[test]
fn a_server_that_never_answers_is_given_up() {
    let mut fixture = Fixture::new(&[unpinned("a.json")]);
    let server = FileServer::start(|_, _, _| {
        sleep(Duration::from_secs(4));
        Ok(())
    });
    let started = Instant::now();
    refused(
        fixture.fetch_from(&server),
        &["given up after 3 attempts", "no answer in time"],
    );
    assert!(
        started.elapsed() < Duration::from_secs(4),
        "{:?}",
        started.elapsed()
    );
}

#[test]
fn nobody_there_is_said() {
    let mut fixture = Fixture::new(&[unpinned("a.json")]);
    let server = FileServer::start(|_, _, _| Ok(()));
    let url = server.url();
    drop(server);
    fixture.request.from = Some(dataset_fetcher::Origin::parse(&url).unwrap());
    let error = refused(
        fixture.fetch(),
        &[
            "given up after 3 attempts",
            "check the network and the proxy",
        ],
    );
    assert_eq!(error.class(), Class::Incomplete);
}

#[test]
fn a_body_without_an_announced_length_may_end_with_the_connection_or_come_in_chunks() {
    let bytes = content(30_000);
    for chunked in [false, true] {
        let mut fixture = Fixture::new(&[pinned("a.json", &bytes)]);
        let served = bytes.clone();
        let server = FileServer::start(move |_, _, stream| {
            if !chunked {
                head(stream, "200 OK", &[])?;
                return stream.write_all(&served);
            }
            head(stream, "200 OK", &[("Transfer-Encoding", "chunked")])?;
            for piece in served.chunks(7_000) {
                write!(stream, "{:x}\r\n", piece.len())?;
                stream.write_all(piece)?;
                stream.write_all(b"\r\n")?;
            }
            stream.write_all(b"0\r\n\r\n")
        });
        fixture.fetch_from(&server).unwrap();
        assert_eq!(fixture.read("a.json"), bytes);
    }
}

#[test]
fn chunks_that_break_off_are_no_end() {
    let bytes = content(30_000);
    let mut fixture = Fixture::new(&[unpinned("a.json")]);
    let served = bytes.clone();
    let server = FileServer::start(move |request, number, stream| match number {
        0 => {
            head(stream, "200 OK", &[("Transfer-Encoding", "chunked")])?;
            write!(stream, "{:x}\r\n", 20_000)?;
            stream.write_all(&served[..10_000])
        }
        _ => give(request, stream, &served, TAG),
    });
    fixture.fetch_from(&server).unwrap();
    assert_eq!(fixture.read("a.json"), bytes);
}
