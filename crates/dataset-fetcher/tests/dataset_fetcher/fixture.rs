use std::borrow::Cow;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use dataset_fetcher::{
    Backoff, DownloadPolicy, Error, FetchEvent, FetchReport, FetchRequest, Origin, PublishedBy,
    Source, Split, fetch, git_blob_id,
};
use tempfile::TempDir;

use loopback::files::FileServer;

/// Some content of so many bytes, without a pattern that repeats soon.
pub fn content(bytes: usize) -> Vec<u8> {
    let mut state = 0x2545_f491_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    (0..bytes).map(|_| next()).collect()
}

/// A file whose content is known beforehand.
pub fn pinned(name: &str, content: &[u8]) -> Source {
    Source {
        git_blob: Some(git_blob_id(content)),
        ..unpinned(name)
    }
}

/// A file whose content is not known beforehand.
pub fn unpinned(name: &str) -> Source {
    Source {
        published_by: PublishedBy::Mwpbench,
        name: name.to_string(),
        sets: vec!["gsm8k".to_string()],
        split: Split::Test,
        repository: None,
        revision: None,
        path: None,
        url: Some(format!("https://publisher.invalid/{name}")),
        git_blob: None,
        sha256: None,
        bytes: None,
        license: "MIT".to_string(),
        unpack: None,
    }
}

/// A data folder, and a request for it with short timeouts.
pub struct Fixture {
    pub folder: TempDir,
    pub request: FetchRequest,
    /// The events of the last fetch, a line each.
    pub events: Vec<String>,
}

impl Fixture {
    pub fn new(sources: &[Source]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut request = FetchRequest::new(folder.path().join("data"));
        request.sources = Cow::Owned(sources.to_vec());
        request.policy = DownloadPolicy {
            max_attempts: 3,
            backoff: Backoff {
                first: Duration::from_millis(10),
                max: Duration::from_millis(40),
            },
            idle_timeout: Duration::from_millis(400),
            connect_timeout: Duration::from_secs(5),
            ..DownloadPolicy::default()
        };
        Self {
            folder,
            request,
            events: Vec::new(),
        }
    }

    pub fn data(&self) -> &Path {
        &self.request.folder
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.data().join(name)
    }

    pub fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap()
    }

    pub fn put(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    pub fn fetch_from(&mut self, server: &FileServer) -> Result<FetchReport, Error> {
        self.request.from = Some(Origin::parse(&server.url()).unwrap());
        self.fetch()
    }

    pub fn fetch(&mut self) -> Result<FetchReport, Error> {
        self.events.clear();
        let events = &mut self.events;
        fetch(&self.request, &mut |event| match event {
            FetchEvent::Begin {
                name, have, total, ..
            } => events.push(format!("begin {name} {have} {total:?}")),
            FetchEvent::Retry {
                name,
                reason,
                attempt,
                ..
            } => events.push(format!("retry {name} {attempt}: {reason}")),
            FetchEvent::Finished(fetched) => {
                events.push(format!("finished {} {:?}", fetched.name, fetched.state))
            }
            _ => {}
        })
    }

    /// Names of all that is in the data folder, but for the guard.
    pub fn entries(&self) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(self.data())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| !name.ends_with(".guard"))
            .collect();
        names.sort();
        names
    }
}

/// Asserts an error that says all of this.
#[track_caller]
pub fn refused(result: Result<FetchReport, Error>, parts: &[&str]) -> Error {
    let error = result.expect_err("this must fail");
    let text = error.to_string();
    for part in parts {
        assert!(text.contains(part), "no {part:?} in: {text}");
    }
    error
}
