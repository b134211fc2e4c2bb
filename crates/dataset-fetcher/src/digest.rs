//! What identifies a content: its git blob id, BLAKE3 and SHA-256, computed in one pass.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use sha1::{Digest, Sha1};
use sha2::Sha256;

use crate::error::Error;

/// What identifies a content. All digests are lower-case hexadecimal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Digests {
    /// SHA-1 of `blob <size in bytes>\0<content>`, 40 digits: the id that git gives a file.
    pub git_blob: String,
    /// BLAKE3, 64 digits.
    pub blake3: String,
    /// SHA-256, 64 digits.
    pub sha256: String,
    /// Size in bytes.
    pub bytes: u64,
}

/// The id that git gives a file of this content, 40 lower-case hexadecimal digits.
pub fn git_blob_id(content: &[u8]) -> String {
    let mut sha1 = blob_hasher(content.len() as u64);
    sha1.update(content);
    hex(&sha1.finalize())
}

impl Digests {
    /// Of a file.
    pub(crate) fn of_file(path: &Path) -> Result<Self, Error> {
        let read = || {
            let mut file = File::open(path)?;
            let bytes = file.metadata()?.len();
            Self::of(&mut file, bytes)
        };
        read().map_err(Error::read(path))
    }

    /// Of `bytes` bytes: git hashes the size first, so it must be known. More or fewer are an
    /// error: the file is being written.
    fn of(content: &mut impl Read, bytes: u64) -> io::Result<Self> {
        let mut sha1 = blob_hasher(bytes);
        let mut sha256 = Sha256::new();
        let mut blake3 = blake3::Hasher::new();
        let mut buffer = vec![0; 1 << 18];
        let mut seen = 0;
        loop {
            let count = match content.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            seen += count as u64;
            for_each_hasher(&buffer[..count], &mut sha1, &mut sha256, &mut blake3);
        }
        if seen != bytes {
            return Err(io::Error::other(format!(
                "it changes while it is read ({bytes} bytes, then {seen})"
            )));
        }
        Ok(Self {
            git_blob: hex(&sha1.finalize()),
            blake3: blake3.finalize().to_hex().to_string(),
            sha256: hex(&sha256.finalize()),
            bytes,
        })
    }
}

fn for_each_hasher(
    chunk: &[u8],
    sha1: &mut Sha1,
    sha256: &mut Sha256,
    blake3: &mut blake3::Hasher,
) {
    sha1.update(chunk);
    sha256.update(chunk);
    blake3.update(chunk);
}

fn blob_hasher(bytes: u64) -> Sha1 {
    let mut sha1 = Sha1::new();
    sha1.update(format!("blob {bytes}\0"));
    sha1
}

fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
}

/// Whether a text is a digest of this many hexadecimal digits, lower case.
pub(crate) fn is_digest(text: &str, digits: usize) -> bool {
    text.len() == digits
        && text
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}
