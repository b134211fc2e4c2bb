use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use dataset_fetcher::Source;
use dataset_loader::Benchmark;

use crate::command::{Done, mwpbench, real_data};
use loopback::files::{FileServer, begin, give, head, refuse};

const TAG: &str = "\"one\"";
/// Files whose ids are not known, so that any content can be served for them.
const CLOZE: &str = "native/agieval/gaokao-mathcloze.jsonl";
const QA: &str = "native/agieval/gaokao-mathqa.jsonl";
const GAOKAO: [&str; 6] = [
    "data",
    "fetch",
    "agieval_gaokao",
    "--published-by",
    "publisher",
    "--from",
];
const VARIABLES: [&str; 10] = [
    "http_proxy",
    "https_proxy",
    "all_proxy",
    "no_proxy",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
];

/// Runs the binary away from the user's variables, those of the network included.
fn command(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mwpbench"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("MWPBENCH_")) {
        command.env_remove(name);
    }
    for name in VARIABLES {
        command.env_remove(name);
    }
    command
        .current_dir(folder)
        .env("MWPBENCH_HOME", folder.join("home"))
        .args(args)
        .stdin(Stdio::null());
    command
}

fn run(folder: &Path, args: &[&str]) -> Done {
    Done::from(command(folder, args).output().unwrap())
}

fn fetch(folder: &Path, server: &FileServer, more: &[&str]) -> Done {
    run(folder, &[&GAOKAO[..], &[&server.url()], more].concat())
}

/// Ends it, whatever happens.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn data(folder: &Path) -> PathBuf {
    folder.join("home/data")
}

fn wait_until(what: &str, holds: impl Fn() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(
            started.elapsed() < Duration::from_secs(30),
            "waited in vain until {what}"
        );
        sleep(Duration::from_millis(10));
    }
}

#[test]
fn what_is_fetched_is_listed_locked_verified_and_told_how_to_import() {
    let folder = tempfile::tempdir().unwrap();
    let server = FileServer::start(|request, _, stream| {
        give(request, stream, request.target.as_bytes(), TAG)
    });
    let done = fetch(folder.path(), &server, &[]).ok();
    for part in [
        "gaokao-mathqa.jsonl",
        "fetched",
        "taken as it came *",
        "MIT",
        "mwpbench data import agieval_gaokao ",
    ] {
        assert!(
            done.stdout.contains(part),
            "no {part:?} in\n{}",
            done.stdout
        );
    }
    assert!(
        done.stderr
            .contains(&format!("{QA}: from {}/{QA}", server.url())),
        "{}",
        done.stderr
    );
    assert_eq!(
        fs::read_to_string(data(folder.path()).join(QA)).unwrap(),
        format!("/{QA}")
    );
    let lock = fs::read_to_string(data(folder.path()).join("mwpbench-data.lock")).unwrap();
    for part in [
        CLOZE,
        "84ab72d94318290aad2e4ec820d535a95a1f7552",
        "trust = \"first_use\"",
        "license = \"MIT\"",
        "bytes = ",
    ] {
        assert!(lock.contains(part), "no {part:?} in\n{lock}");
    }

    let again = fetch(folder.path(), &server, &["--json"]).ok();
    let report = again.json();
    assert_eq!(report["files"][0]["state"], "already_there");
    assert_eq!(report["imports"][0]["set"], "agieval_gaokao");
    assert_eq!(server.requests().len(), 2);
    let quiet = fetch(folder.path(), &server, &["--quiet"]).ok();
    assert_eq!((quiet.stdout.as_str(), quiet.stderr.as_str()), ("", ""));

    let verified = run(folder.path(), &["data", "verify"]).ok();
    assert!(
        verified.stdout.contains("all 2 as the lock file says"),
        "{}",
        verified.stdout
    );
    // What is there are no records: the samples remain what is asked.
    let list = run(folder.path(), &["data", "list", "--json"]).ok().json();
    assert_eq!(list["origin"]["kind"], "samples");
}

#[test]
fn verify_finds_what_was_changed_and_what_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    run(folder.path(), &["data", "verify"])
        .refused(2, &["mwpbench-data.lock", "mwpbench data fetch"]);
    let server = FileServer::start(|request, _, stream| {
        give(request, stream, request.target.as_bytes(), TAG)
    });
    fetch(folder.path(), &server, &[]).ok();
    fs::write(data(folder.path()).join(QA), "changed").unwrap();
    fs::remove_file(data(folder.path()).join(CLOZE)).unwrap();
    fs::write(data(folder.path()).join("own.jsonl"), "").unwrap();
    let verified = run(folder.path(), &["data", "verify"]);
    assert_eq!(verified.code, Some(1), "{}", verified.stderr);
    for part in [
        "CHANGED",
        "MISSING",
        "not in the lock file",
        "2 at fault",
        "--force",
    ] {
        assert!(
            verified.stdout.contains(part),
            "no {part:?} in\n{}",
            verified.stdout
        );
    }
    let verified = run(folder.path(), &["data", "verify", "--json"]);
    assert_eq!(verified.code, Some(1));
    let checks: Vec<_> = verified.json()["files"]
        .as_array()
        .unwrap()
        .iter()
        .map(|file| file["check"].as_str().unwrap().to_string())
        .collect();
    assert_eq!(checks, ["missing", "changed", "not_in_lock"]);

    fs::write(
        data(folder.path()).join("mwpbench-data.lock"),
        "version = 1\nfiles = 3\n",
    )
    .unwrap();
    run(folder.path(), &["data", "verify"]).refused(4, &["mwpbench-data.lock", "line 2"]);
}

#[test]
fn a_fetch_that_is_killed_goes_on_where_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let bytes: Vec<u8> = (0..400_000_u32)
        .map(|at| (at.wrapping_mul(at) % 251) as u8)
        .collect();
    let served = bytes.clone();
    let server = FileServer::start(move |request, number, stream| {
        let rest = begin(request, stream, &served, TAG)?;
        if number > 0 {
            return stream.write_all(rest);
        }
        stream.write_all(&rest[..150_000])?;
        sleep(Duration::from_secs(15));
        Ok(())
    });
    let url = server.url();
    let part = data(folder.path()).join(format!("{QA}.part"));
    let mut child = Killed(
        command(folder.path(), &[&GAOKAO[..], &[&url]].concat())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap(),
    );
    wait_until("150,000 bytes are there", || {
        fs::metadata(&part).is_ok_and(|found| found.len() == 150_000)
    });
    // Only one at a time; the second says who is at work.
    fetch(folder.path(), &server, &[]).refused(
        3,
        &[
            "another fetch is at work here",
            &format!("process {}", child.0.id()),
        ],
    );
    child.0.kill().unwrap();
    child.0.wait().unwrap();
    assert!(!data(folder.path()).join(QA).exists());
    // A half-finished fetch is no data.
    let list = run(folder.path(), &["data", "list", "--json"]).ok().json();
    assert_eq!(list["origin"]["kind"], "samples");

    let done = fetch(folder.path(), &server, &[]).ok();
    assert!(
        done.stderr.contains("resuming at 150.00 kB"),
        "{}",
        done.stderr
    );
    assert_eq!(server.requests()[1].range(), Some(150_000));
    assert_eq!(fs::read(data(folder.path()).join(QA)).unwrap(), bytes);
    assert!(!part.exists());
    run(folder.path(), &["data", "verify"]).ok();
}

#[test]
fn each_trouble_has_its_code_one_message_and_leaves_nothing_to_load() {
    let folder = tempfile::tempdir().unwrap();
    let no_such_file = FileServer::start(|_, _, stream| refuse(stream, "404 Not Found", &[]));
    let at_fault =
        FileServer::start(|_, _, stream| refuse(stream, "500 Internal Server Error", &[]));
    let wrong = FileServer::start(|request, _, stream| give(request, stream, &[b' '; 9517], TAG));
    let endless = FileServer::start(|_, _, stream| {
        head(stream, "200 OK", &[])?;
        while stream.write_all(&[b' '; 8192]).is_ok() {}
        Ok(())
    });
    let elsewhere = FileServer::start(|_, _, stream| {
        refuse(stream, "302 Found", &[("Location", "file:///etc/passwd")])
    });
    let fresh = [
        "data",
        "fetch",
        "fresh_gaokao_2023",
        "--attempts",
        "2",
        "--from",
    ];
    let cases: [(&FileServer, i32, &[&str]); 5] = [
        (
            &no_such_file,
            3,
            &["404 Not Found", "fresh_gaokao_math_2023.json", "--from DIR"],
        ),
        (
            &at_fault,
            3,
            &["given up after 2 attempts", "500 Internal Server Error"],
        ),
        (
            &wrong,
            4,
            &[
                "expected git blob d88294bb4221599539fed8c12963b5df48ebda7f",
                "found git blob 6d143c349a73378fa8210af77c4848d0b8ff5a69",
            ],
        ),
        (&endless, 4, &["cut off", "the published file has 9517"]),
        (
            &elsewhere,
            4,
            &["redirected to file:///etc/passwd", "not followed"],
        ),
    ];
    for (server, code, parts) in cases {
        run(folder.path(), &[&fresh[..], &[&server.url()]].concat()).refused(code, parts);
        let left: Vec<_> = fs::read_dir(data(folder.path()))
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        assert_eq!(left, [".mwpbench-fetch.guard"]);
    }
}

#[test]
fn wrong_flags_are_refused_before_anything_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let cases: [(&[&str], &[&str]); 6] = [
        (
            &["gsm9k"],
            &["there is no set \"gsm9k\"", "fresh_gaokao_2023"],
        ),
        (
            &["math23k", "--published-by", "publisher"],
            &["math23k", "mwpbench data import"],
        ),
        (
            &["--from", "file:///tmp"],
            &["file:///tmp", "only addresses with http: and https:"],
        ),
        (
            &["--from", "no-such-folder"],
            &["no-such-folder", "neither a folder nor an address"],
        ),
        (
            &["--from", "https://user:secret@example.org"],
            &["https://…@example.org", "password"],
        ),
        (&["--from", "."], &["full_test.json", "no such file"]),
    ];
    for (args, parts) in cases {
        let done = run(folder.path(), &[&["data", "fetch"], args].concat());
        done.refused(2, parts);
        assert!(!done.stderr.contains("secret"), "{}", done.stderr);
    }
    assert!(!data(folder.path()).join("full_test.json").exists());
    assert_eq!(
        mwpbench(folder.path(), ["data", "fetch", "--attempts", "0"]).code,
        Some(2)
    );
}

#[test]
fn a_users_file_is_not_replaced() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(data(folder.path())).unwrap();
    fs::write(
        data(folder.path()).join("fresh_gaokao_math_2023.json"),
        "mine",
    )
    .unwrap();
    run(
        folder.path(),
        &["data", "fetch", "fresh_gaokao_2023", "--from", "."],
    )
    .refused(4, &["move it away", "--force"]);
    assert_eq!(
        fs::read_to_string(data(folder.path()).join("fresh_gaokao_math_2023.json")).unwrap(),
        "mine"
    );
}

#[test]
fn each_further_set_has_one_file_of_its_publisher_as_its_description_says() {
    let benchmark = Benchmark::published();
    for set in benchmark.sets().iter().filter(|set| set.on_request) {
        let files: Vec<&Source> = dataset_fetcher::sources()
            .iter()
            .filter(|source| source.sets.contains(&set.name))
            .collect();
        let [file] = files.as_slice() else {
            panic!("{}: {} files", set.name, files.len());
        };
        let source = set.source.as_ref().unwrap();
        assert_eq!(file.name, format!("native/{}/test.jsonl", set.name));
        assert_eq!(file.license, source.license, "{}", set.name);
        assert_eq!(file.git_blob, source.git_blob, "{}", set.name);
        let url = file.url();
        assert!(
            url.contains(&source.repository) && url.ends_with(&source.path),
            "{}: {url}",
            set.name
        );
        assert_eq!(url.contains("huggingface.co"), source.hub, "{}", set.name);
        if let Some(revision) = &source.revision {
            assert!(url.contains(revision), "{}: {url}", set.name);
        }
        if let Some(sha256) = &source.sha256 {
            assert_eq!(file.sha256.as_ref(), Some(sha256), "{}", set.name);
        }
    }
}

#[test]
fn the_fetcher_and_the_descriptions_of_the_sets_agree() {
    let benchmark = Benchmark::published();
    for set in benchmark.mwpbench_sets() {
        let of_set = |source: &&Source| {
            source.published_by == dataset_fetcher::PublishedBy::Mwpbench
                && source.sets.contains(&set.name)
        };
        let (test, train): (Vec<&Source>, Vec<&Source>) = dataset_fetcher::sources()
            .iter()
            .filter(of_set)
            .partition(|source| source.split == dataset_fetcher::Split::Test);
        let source = set.source.as_ref().unwrap();
        let provenance = (
            Some(&source.repository),
            source.revision.as_ref(),
            Some(&source.path),
            source.git_blob.as_ref(),
        );
        let found: Vec<_> = test
            .iter()
            .map(|source| {
                (
                    source.repository.as_ref(),
                    source.revision.as_ref(),
                    source.path.as_ref(),
                    source.git_blob.as_ref(),
                )
            })
            .collect();
        assert_eq!(found, [provenance], "{}", set.name);
        assert_eq!(
            train.len(),
            usize::from(set.train_count > 0),
            "{}",
            set.name
        );
    }
}

#[test]
#[ignore = "needs the real data ($MWPBENCH_SHARED_DATA)"]
fn real_files_from_an_offline_folder_are_what_was_published() {
    let shared = real_data();
    let folder = tempfile::tempdir().unwrap();
    let canonical = shared.join("canonical");
    let from = canonical.to_str().unwrap();
    let done = run(
        folder.path(),
        &["data", "fetch", "fresh_gaokao_2023", "--from", from],
    )
    .ok();
    assert!(done.stdout.contains("as published"), "{}", done.stdout);
    let list = run(folder.path(), &["data", "list", "--json"]).ok().json();
    let fresh = list["sets"]
        .as_array()
        .unwrap()
        .iter()
        .find(|set| set["set"] == "fresh_gaokao_2023")
        .unwrap()
        .clone();
    assert_eq!(fresh["at_hand"], 30);

    let from = shared.to_str().unwrap();
    let sets = [
        "gsm8k",
        "tal",
        "ape210k",
        "gaokao_bench",
        "agieval_gaokao",
        "agieval_sat",
        "agieval_math",
    ];
    run(
        folder.path(),
        &[
            &["data", "fetch"],
            &sets[..],
            &["--published-by", "publisher", "--from", from, "--train"],
        ]
        .concat(),
    )
    .ok();
    run(folder.path(), &["data", "verify"]).ok();
}
