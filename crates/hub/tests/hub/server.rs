//! The hub and its CDN, each on a port of its own, which is another host to a client.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use hub::{Contents, Error, HubEvent, HubSettings, RepositoryName, Snapshot};
use loopback::files::{FileRequest, FileServer, give, head, refuse};
use sha1::{Digest, Sha1};

pub const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

/// A file of the repository `org/name`.
#[derive(Clone)]
pub struct HubFile {
    pub content: Vec<u8>,
    /// Whether it is a large one: known by SHA-256, and given out by the CDN.
    pub large: bool,
}

/// The files by their paths.
pub type HubFiles = BTreeMap<String, HubFile>;

pub fn small(content: &str) -> HubFile {
    HubFile {
        content: content.as_bytes().to_vec(),
        large: false,
    }
}

/// A content that compresses badly and differs for each seed.
pub fn large(seed: u8, bytes: usize) -> HubFile {
    HubFile {
        content: (0..bytes).map(|at| (at * 31 % 251) as u8 ^ seed).collect(),
        large: true,
    }
}

/// A checkpoint in two shards with everything that is not needed beside it.
pub fn checkpoint() -> HubFiles {
    let index = r#"{"metadata": {}, "weight_map": {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}}"#;
    let files = [
        (".gitattributes", small("x")),
        ("README.md", small("read me")),
        ("config.json", small("{\"model_type\": \"llama\"}")),
        ("generation_config.json", small("{}")),
        ("tokenizer.json", large(9, 3000)),
        ("tokenizer_config.json", small("{ }")),
        ("additional_chat_templates/rag.jinja", small("{{ x }}")),
        ("model-00001-of-00002.safetensors", large(1, 200_000)),
        ("model-00002-of-00002.safetensors", large(2, 100_000)),
        ("model.safetensors.index.json", small(index)),
        ("pytorch_model.bin", large(3, 100)),
        ("original/consolidated.00.pth", large(4, 100)),
    ];
    files
        .into_iter()
        .map(|(path, file)| (path.to_string(), file))
        .collect()
}

pub fn git_id(content: &[u8]) -> String {
    let mut sha1 = Sha1::new();
    sha1.update(format!("blob {}\0", content.len()).as_bytes());
    sha1.update(content);
    hex(&sha1.finalize())
}

pub fn sha256(content: &[u8]) -> String {
    hex(&sha2::Sha256::digest(content))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl HubFile {
    pub fn checksum(&self) -> String {
        match self.large {
            true => sha256(&self.content),
            false => git_id(&self.content),
        }
    }
}

/// What the hub's API says of the repository.
pub fn description(files: &HubFiles) -> String {
    let sibling = |(path, file): (&String, &HubFile)| {
        let bytes = file.content.len();
        let lfs = match file.large {
            true => {
                serde_json::json!({"sha256": sha256(&file.content), "size": bytes, "pointerSize": 130})
            }
            false => serde_json::Value::Null,
        };
        serde_json::json!({"rfilename": path, "size": bytes, "blobId": git_id(&file.content), "lfs": lfs})
    };
    let siblings: Vec<_> = files.iter().map(sibling).collect();
    serde_json::json!({"id": "org/name", "sha": COMMIT, "gated": false, "siblings": siblings})
        .to_string()
}

pub struct Hub {
    pub hub: FileServer,
    pub cdn: FileServer,
}

/// May answer in place of a server; `false` where it leaves that to it. It gets the request, its
/// number, and the connection.
type Instead = dyn Fn(&FileRequest, usize, &mut TcpStream) -> std::io::Result<bool> + Send + Sync;

pub fn well_behaved(_: &FileRequest, _: usize, _: &mut TcpStream) -> std::io::Result<bool> {
    Ok(false)
}

impl Hub {
    /// Both, with what answers in their place.
    pub fn start(
        files: HubFiles,
        hub: impl Fn(&FileRequest, usize, &mut TcpStream) -> std::io::Result<bool>
        + Send
        + Sync
        + 'static,
        cdn: impl Fn(&FileRequest, usize, &mut TcpStream) -> std::io::Result<bool>
        + Send
        + Sync
        + 'static,
    ) -> Self {
        let files = Arc::new(files);
        let (hub, cdn): (Box<Instead>, Box<Instead>) = (Box::new(hub), Box::new(cdn));
        let of_cdn = files.clone();
        let cdn = FileServer::start(move |request, number, stream| {
            if cdn(request, number, stream)? {
                return Ok(());
            }
            let name = request
                .target
                .trim_start_matches('/')
                .split('?')
                .next()
                .unwrap_or_default();
            match of_cdn.values().find(|file| file.checksum() == name) {
                Some(file) => give(request, stream, &file.content, &format!("\"{name}\"")),
                None => refuse(stream, "404 Not Found", &[]),
            }
        });
        let at_cdn = cdn.url();
        let hub = FileServer::start(move |request, number, stream| {
            if hub(request, number, stream)? {
                return Ok(());
            }
            answer(&files, &at_cdn, request, stream)
        });
        Self { hub, cdn }
    }

    pub fn ordinary() -> Self {
        Self::start(checkpoint(), well_behaved, well_behaved)
    }

    /// Settings for a cache in this folder, with more variables.
    pub fn settings(&self, cache: &Path, more: &[(&str, &str)]) -> HubSettings {
        settings(&self.hub.url(), cache, more)
    }

    /// Paths that were asked for at the CDN, without what signs them.
    pub fn given_out(&self) -> Vec<String> {
        let path = |request: FileRequest| {
            request
                .target
                .split('?')
                .next()
                .unwrap_or_default()
                .to_string()
        };
        self.cdn.requests().into_iter().map(path).collect()
    }
}

pub fn settings(endpoint: &str, cache: &Path, more: &[(&str, &str)]) -> HubSettings {
    let own = [
        ("HF_ENDPOINT", endpoint),
        ("HF_HUB_CACHE", cache.to_str().unwrap()),
        ("HOME", "/nonexistent"),
    ];
    let variable = |name: &str| {
        let mut all = more.iter().chain(&own);
        let found = all.find(|(known, _)| *known == name);
        found.map(|(_, value)| OsString::from(value))
    };
    let mut settings = HubSettings::from_variables(variable).unwrap();
    settings.backoff.first = Duration::from_millis(1);
    settings.backoff.max = Duration::from_millis(2);
    settings.idle_timeout = Duration::from_secs(5);
    settings
}

/// As the hub answers: the list of files, small files as they are, large ones by a redirect to an
/// address that is signed.
fn answer(
    files: &HubFiles,
    cdn: &str,
    request: &FileRequest,
    stream: &mut TcpStream,
) -> std::io::Result<()> {
    let target = request.target.as_str();
    let revision = |name: &str| format!("/api/models/org/name/revision/{name}?blobs=true");
    if [
        revision("main"),
        revision("refs%2Fpr%2F1"),
        revision(COMMIT),
    ]
    .iter()
    .any(|known| known == target)
    {
        let text = description(files);
        head(
            stream,
            "200 OK",
            &[("Content-Length", &text.len().to_string())],
        )?;
        return std::io::Write::write_all(stream, text.as_bytes());
    }
    // A repository under its old name.
    if let Some(rest) = target.strip_prefix("/api/models/org/old/") {
        return refuse(
            stream,
            "307 Temporary Redirect",
            &[("Location", &format!("/api/models/org/name/{rest}"))],
        );
    }
    let path = ["name", "old"]
        .iter()
        .find_map(|name| target.strip_prefix(&format!("/org/{name}/resolve/{COMMIT}/")));
    match path.and_then(|path| files.get(path)) {
        Some(file) if file.large => {
            let location = format!("{cdn}/{}?signature=secret", file.checksum());
            refuse(
                stream,
                "302 Found",
                &[
                    ("Location", &location),
                    ("X-Linked-Etag", &format!("\"{}\"", file.checksum())),
                ],
            )
        }
        Some(file) => give(
            request,
            stream,
            &file.content,
            &format!("\"{}\"", file.checksum()),
        ),
        None if target.contains("/revision/") => refuse(
            stream,
            "404 Not Found",
            &[("X-Error-Code", "RevisionNotFound")],
        ),
        None => refuse(
            stream,
            "404 Not Found",
            &[("X-Error-Code", "EntryNotFound")],
        ),
    }
}

pub fn fetch(settings: &HubSettings, name: &str) -> Result<Snapshot, Error> {
    fetch_telling(settings, name, &mut |_| ())
}

pub fn fetch_telling(
    settings: &HubSettings,
    name: &str,
    on_event: &mut dyn FnMut(HubEvent<'_>),
) -> Result<Snapshot, Error> {
    let name = RepositoryName::parse(name).unwrap().unwrap();
    hub::fetch(settings, &name, Contents::Checkpoint, on_event)
}

/// The paths below a folder with their contents.
pub fn files_of(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut open = vec![folder.to_path_buf()];
    while let Some(inner) = open.pop() {
        for entry in std::fs::read_dir(inner).into_iter().flatten().flatten() {
            let path = entry.path();
            match std::fs::metadata(&path).unwrap().is_dir() {
                true => open.push(path),
                false => {
                    let name = path
                        .strip_prefix(folder)
                        .unwrap()
                        .to_str()
                        .unwrap()
                        .to_string();
                    found.insert(name, std::fs::read(&path).unwrap());
                }
            }
        }
    }
    found
}
