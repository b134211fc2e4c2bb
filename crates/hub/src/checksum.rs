//! What the hub says of a file's content: SHA-256 of large files, git's id of small ones.

use std::fmt::Write as _;
use std::io::Read;

use sha1::{Digest, Sha1};
use sha2::Sha256;

/// The checksum of a file, in lower-case hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Checksum {
    Sha256(String),
    /// SHA-1 of `blob <size in bytes>\0<content>`.
    GitBlob(String),
}

impl Checksum {
    /// Its digits: the name of the file's content in the cache.
    pub(crate) fn digits(&self) -> &str {
        match self {
            Self::Sha256(digits) | Self::GitBlob(digits) => digits,
        }
    }

    /// Reads what an API says; `None` for what is no checksum, and so no file name.
    pub(crate) fn parse(sha256: Option<&str>, git_blob: Option<&str>) -> Option<Self> {
        let is = |digits: &&str, length| {
            digits.len() == length
                && digits
                    .bytes()
                    .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
        };
        match sha256 {
            Some(digits) => Some(digits)
                .filter(|digits| is(digits, 64))
                .map(|digits| Self::Sha256(digits.to_string())),
            None => git_blob
                .filter(|digits| is(digits, 40))
                .map(|digits| Self::GitBlob(digits.to_string())),
        }
    }

    /// Begins to compute it for a file of so many bytes.
    pub(crate) fn hasher(&self, bytes: u64) -> Hasher {
        match self {
            Self::Sha256(_) => Hasher::Sha256(Sha256::new()),
            Self::GitBlob(_) => {
                let mut sha1 = Sha1::new();
                sha1.update(format!("blob {bytes}\0").as_bytes());
                Hasher::GitBlob(sha1)
            }
        }
    }
}

/// A checksum that is being computed.
pub(crate) enum Hasher {
    Sha256(Sha256),
    GitBlob(Sha1),
}

impl Hasher {
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha256(hasher) => hasher.update(bytes),
            Self::GitBlob(hasher) => hasher.update(bytes),
        }
    }

    /// Takes all that can be read.
    pub(crate) fn update_from(&mut self, content: &mut impl Read) -> std::io::Result<()> {
        let mut buffer = vec![0; 1 << 18];
        loop {
            match content.read(&mut buffer) {
                Ok(0) => return Ok(()),
                Ok(count) => self.update(&buffer[..count]),
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    pub(crate) fn digits(self) -> String {
        let bytes = match self {
            Self::Sha256(hasher) => hasher.finalize().to_vec(),
            Self::GitBlob(hasher) => hasher.finalize().to_vec(),
        };
        bytes.iter().fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `printf 'hello\n' | git hash-object --stdin` and `| sha256sum`.
    #[test]
    fn checksums_are_those_of_git_and_sha256sum() {
        let git = Checksum::parse(None, Some("ce013625030ba8dba906f756967f9e9ca394464a")).unwrap();
        let sha = Checksum::parse(
            Some("5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03"),
            None,
        )
        .unwrap();
        for checksum in [git, sha] {
            let mut hasher = checksum.hasher(6);
            hasher.update(b"hel");
            hasher.update_from(&mut &b"lo\n"[..]).unwrap();
            assert_eq!(hasher.digits(), checksum.digits());
        }
        assert_eq!(Checksum::parse(Some("../../x"), None), None);
        assert_eq!(Checksum::parse(None, Some("")), None);
    }
}
