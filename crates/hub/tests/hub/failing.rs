use std::net::TcpStream;

use fault::{Class, Fault};
use hub::{Error, HubEvent, Refusal};
use loopback::files::{FileRequest, head, refuse};

use crate::server::{Hub, checkpoint, description, fetch, fetch_telling, well_behaved};

type Headers = &'static [(&'static str, &'static str)];

/// A hub that answers everything with a status.
fn refusing(status: &'static str, headers: Headers) -> Hub {
    let answer = move |_: &FileRequest, _, stream: &mut TcpStream| {
        refuse(stream, status, headers).map(|()| true)
    };
    Hub::start(checkpoint(), answer, well_behaved)
}

#[test]
fn each_refusal_is_told_apart() {
    const INVALID: Headers = &[(
        "X-Error-Message",
        "Invalid credentials in Authorization header",
    )];
    let token = Some("hf_secret");
    for (status, headers, token, refusal, part) in [
        (
            "401 Unauthorized",
            &[("X-Error-Code", "RepoNotFound")][..],
            None,
            Refusal::NoRepository,
            "knows no repository org/name",
        ),
        (
            "404 Not Found",
            &[("X-Error-Code", "RepoNotFound")],
            token,
            Refusal::NoRepository,
            "the token of HF_TOKEN",
        ),
        (
            "401 Unauthorized",
            &[],
            None,
            Refusal::NoRepository,
            "knows no repository",
        ),
        (
            "401 Unauthorized",
            &[("X-Error-Code", "GatedRepo")],
            None,
            Refusal::Gated,
            "no token says who asks",
        ),
        (
            "403 Forbidden",
            &[("X-Error-Code", "GatedRepo")],
            token,
            Refusal::Gated,
            "has not been granted access",
        ),
        (
            "404 Not Found",
            &[("X-Error-Code", "RevisionNotFound")],
            None,
            Refusal::NoRevision,
            "no such branch",
        ),
        (
            "401 Unauthorized",
            INVALID,
            token,
            Refusal::Token,
            "does not accept the token of HF_TOKEN",
        ),
        (
            "403 Forbidden",
            &[("X-Error-Message", "Access to this resource is disabled.")],
            None,
            Refusal::Other,
            "is disabled",
        ),
        ("418 I'm a teapot", &[], None, Refusal::Other, "418"),
    ] {
        let (hub, cache) = (refusing(status, headers), tempfile::tempdir().unwrap());
        let variables: Vec<(&str, &str)> =
            token.map(|token| ("HF_TOKEN", token)).into_iter().collect();
        let error = fetch(&hub.settings(cache.path(), &variables), "org/name").unwrap_err();
        let text = error.to_string();
        assert!(text.contains(part) && !text.contains("hf_secret"), "{text}");
        assert!(
            matches!(error, Error::Refused { refusal: found, .. } if found == refusal),
            "{error:?}"
        );
        assert_eq!(error.class(), Class::Usage);
        // Asked once, and nothing is left behind.
        assert_eq!(hub.hub.requests().len(), 1);
        assert_eq!(std::fs::read_dir(cache.path()).unwrap().count(), 0);
    }
}

#[test]
fn what_passes_is_tried_again() {
    // The list once with 429, a small file once with 503, the CDN once with 500.
    let once = |status: &'static str, wanted: &'static str| {
        let done = std::sync::atomic::AtomicBool::new(false);
        move |request: &FileRequest, _: usize, stream: &mut TcpStream| {
            if !request.target.contains(wanted)
                || done.swap(true, std::sync::atomic::Ordering::SeqCst)
            {
                return Ok(false);
            }
            refuse(stream, status, &[("Retry-After", "0")]).map(|()| true)
        }
    };
    let (list, file) = (
        once("429 Too Many Requests", "/revision/"),
        once("503 Service Unavailable", "config.json"),
    );
    let hub = Hub::start(
        checkpoint(),
        move |request, number, stream| {
            Ok(list(request, number, stream)? || file(request, number, stream)?)
        },
        once("500 Internal Server Error", "/"),
    );
    let cache = tempfile::tempdir().unwrap();
    let mut reasons = Vec::new();
    fetch_telling(&hub.settings(cache.path(), &[]), "org/name", &mut |event| {
        if let HubEvent::Retry { reason, .. } = event {
            reasons.push(reason.to_string());
        }
    })
    .unwrap();
    let statuses = ["429", "503", "500"];
    assert_eq!(reasons.len(), 3, "{reasons:?}");
    for status in statuses {
        assert!(
            reasons.iter().any(|reason| reason.contains(status)),
            "{reasons:?}"
        );
    }
}

#[test]
fn an_end_is_put_to_attempts() {
    let hub = Hub::start(checkpoint(), well_behaved, |_, _, stream| {
        refuse(stream, "502 Bad Gateway", &[]).map(|()| true)
    });
    let cache = tempfile::tempdir().unwrap();
    let error = fetch(&hub.settings(cache.path(), &[]), "org/name").unwrap_err();
    assert_eq!(error.class(), Class::Incomplete);
    let text = error.to_string();
    assert!(
        text.contains("given up after 5 attempts: the server answered 502")
            && !text.contains("secret"),
        "{text}"
    );
}

#[test]
fn a_content_that_is_another_is_not_kept() {
    let hub = Hub::start(checkpoint(), well_behaved, |request, _, stream| {
        let files = checkpoint();
        let name = request
            .target
            .trim_start_matches('/')
            .split('?')
            .next()
            .unwrap();
        let file = files.values().find(|file| file.checksum() == name).unwrap();
        let mut changed = file.content.clone();
        changed[7] ^= 1;
        loopback::files::give(request, stream, &changed, "\"x\"").map(|()| true)
    });
    let cache = tempfile::tempdir().unwrap();
    let error = fetch(&hub.settings(cache.path(), &[]), "org/name").unwrap_err();
    assert!(matches!(error, Error::WrongContent { .. }), "{error}");
    assert_eq!(error.class(), Class::Integrity);
    let blobs = cache.path().join("models--org--name/blobs");
    let left: Vec<_> = std::fs::read_dir(blobs)
        .unwrap()
        .flatten()
        .map(|entry| entry.file_name())
        .collect();
    assert!(
        left.iter()
            .all(|name| !name.to_string_lossy().contains("incomplete")),
        "{left:?}"
    );
}

#[test]
fn answers_that_cannot_be_used_are_refused() {
    let with_body = |body: String| {
        let answer = move |_: &FileRequest, _, stream: &mut TcpStream| {
            head(
                stream,
                "200 OK",
                &[("Content-Length", &body.len().to_string())],
            )?;
            std::io::Write::write_all(stream, body.as_bytes()).map(|()| true)
        };
        Hub::start(checkpoint(), answer, well_behaved)
    };
    let evil = description(&checkpoint()).replace("README.md", "../../../evil");
    for (body, part) in [
        ("<html>sign in</html>".to_string(), "cannot be understood"),
        (evil, "leads out of the repository"),
    ] {
        let (hub, cache) = (with_body(body), tempfile::tempdir().unwrap());
        let error = fetch(&hub.settings(cache.path(), &[]), "org/name").unwrap_err();
        assert!(error.to_string().contains(part), "{error}");
        assert_eq!(error.class(), Class::Integrity);
    }
    let elsewhere = Hub::start(
        checkpoint(),
        |_, _, stream| refuse(stream, "302 Found", &[("Location", "ftp://x/y")]).map(|()| true),
        well_behaved,
    );
    let cache = tempfile::tempdir().unwrap();
    let error = fetch(&elsewhere.settings(cache.path(), &[]), "org/name").unwrap_err();
    assert!(
        error.to_string().contains("only http: and https:"),
        "{error}"
    );
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_named_with_what_is_missing() {
    let (hub, cache) = (Hub::ordinary(), tempfile::tempdir().unwrap());
    let blobs = cache.path().join("models--org--name/blobs");
    std::fs::create_dir_all(&blobs).unwrap();
    // A device that is always full in place of the file.
    let config = checkpoint()["config.json"].checksum();
    std::os::unix::fs::symlink("/dev/full", blobs.join(format!("{config}.incomplete"))).unwrap();
    let error = fetch(&hub.settings(cache.path(), &[]), "org/name").unwrap_err();
    assert!(
        matches!(error, Error::DiskFull { missing: 23, .. }),
        "{error:?}"
    );
    assert_eq!(error.class(), Class::Io);
}

#[test]
fn a_cache_that_cannot_be_written_is_named() {
    let (hub, folder) = (Hub::ordinary(), tempfile::tempdir().unwrap());
    let in_the_way = folder.path().join("file");
    std::fs::write(&in_the_way, "x").unwrap();
    let error = fetch(&hub.settings(&in_the_way, &[]), "org/name").unwrap_err();
    assert!(matches!(error, Error::Cache { .. }), "{error:?}");
    assert!(error.to_string().contains("file"), "{error}");
}
