//! Digests of weight files that were taken before, by what the system says of the files.
//!
//! To hash a checkpoint takes as long as to read it. A file whose path, size, time of change and
//! inode are the same as when it was hashed counts as the same file. The cache is a file of JSON
//! Lines that only grows; whatever is wrong with it costs the time of hashing and nothing else.

use std::fs::{File, Metadata};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

/// A file changed within this time may change again without its time of change being another.
const SETTLED: Duration = Duration::from_secs(2);

/// What the system says of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Stamp {
    path: PathBuf,
    size: u64,
    /// Nanoseconds since 1970.
    changed: u128,
    /// 0 where the system has none.
    inode: u64,
}

/// A line of the cache.
#[derive(Serialize, Deserialize)]
struct Line {
    files: Vec<Stamp>,
    digest: String,
}

/// The digest of these files, from the cache where it has it, else from `hash`, for the next time.
pub(super) fn digest(cache: &Path, files: &[PathBuf], hash: impl FnOnce() -> String) -> String {
    let Some(stamps) = stamps(files) else {
        return hash();
    };
    if let Some(digest) = find(cache, &stamps) {
        return digest;
    }
    let digest = hash();
    // Files that changed while they were hashed are not noted.
    if self::stamps(files).as_ref() == Some(&stamps) && stamps.iter().all(Stamp::is_settled) {
        let _ = add(
            cache,
            &Line {
                files: stamps,
                digest: digest.clone(),
            },
        );
    }
    digest
}

impl Stamp {
    fn of(file: &Path) -> Option<Self> {
        let metadata = std::fs::metadata(file).ok()?;
        let changed = metadata
            .modified()
            .ok()?
            .duration_since(UNIX_EPOCH)
            .ok()?
            .as_nanos();
        Some(Self {
            path: file.canonicalize().ok()?,
            size: metadata.len(),
            changed,
            inode: inode(&metadata),
        })
    }

    fn is_settled(&self) -> bool {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        now.as_nanos().saturating_sub(self.changed) > SETTLED.as_nanos()
    }
}

#[cfg(unix)]
fn inode(metadata: &Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(metadata)
}

#[cfg(not(unix))]
fn inode(_: &Metadata) -> u64 {
    0
}

fn stamps(files: &[PathBuf]) -> Option<Vec<Stamp>> {
    files
        .iter()
        .map(|file| Stamp::of(file))
        .collect::<Option<Vec<_>>>()
        .filter(|stamps| !stamps.is_empty())
}

/// The last line about these files counts.
fn find(cache: &Path, stamps: &[Stamp]) -> Option<String> {
    let lines = BufReader::new(File::open(cache).ok()?)
        .lines()
        .map_while(Result::ok);
    let known = lines.filter_map(|line| serde_json::from_str::<Line>(&line).ok());
    known
        .filter(|line| line.files == stamps && is_digest(&line.digest))
        .last()
        .map(|line| line.digest)
}

fn is_digest(text: &str) -> bool {
    text.len() == 2 * blake3::OUT_LEN && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// In one write, so that two processes do not mix their lines.
fn add(cache: &Path, line: &Line) -> std::io::Result<()> {
    if let Some(folder) = cache.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut text = serde_json::to_vec(line)?;
    text.push(b'\n');
    // Not synced: a line that a crash cuts off spoils itself and the next one, which costs hashing
    // twice.
    File::options()
        .create(true)
        .append(true)
        .open(cache)?
        .write_all(&text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_hashed_again_only_where_they_changed() {
        let folder = tempfile::tempdir().unwrap();
        let (cache, file) = (
            folder.path().join("cache/digests.jsonl"),
            folder.path().join("weights"),
        );
        let long_ago = SystemTime::now() - Duration::from_secs(60);
        let write = |content: &str, changed: SystemTime| {
            std::fs::write(&file, content).unwrap();
            File::options()
                .append(true)
                .open(&file)
                .unwrap()
                .set_modified(changed)
                .unwrap();
        };
        let files = [file.clone()];
        let one = "11".repeat(blake3::OUT_LEN);
        let other = "22".repeat(blake3::OUT_LEN);

        write("weights", SystemTime::now());
        assert_eq!(digest(&cache, &files, || one.clone()), one);
        assert!(
            !cache.exists(),
            "a file that has just changed may change again"
        );

        write("weights", long_ago);
        assert_eq!(digest(&cache, &files, || one.clone()), one);
        assert_eq!(digest(&cache, &files, || panic!("it is known")), one);
        write("weighty", long_ago - Duration::from_secs(1));
        assert_eq!(digest(&cache, &files, || other.clone()), other);

        // Damage costs time only.
        std::fs::write(&cache, "rubbish\n{\"files\":[],\"digest\":\"").unwrap();
        assert_eq!(digest(&cache, &files, || other.clone()), other);
        assert_eq!(
            digest(&cache, &[folder.path().join("gone")], || one.clone()),
            one
        );
    }
}
