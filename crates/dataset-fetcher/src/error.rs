//! What can go wrong.

use std::path::{Path, PathBuf};

use fault::{Class, Fault};
use store::FileError;

/// Of an offline folder.
const NAMES: &str =
    "an offline folder needs the files under the names that they have in a data folder";

/// Why data could not be fetched or verified.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A name that is no set.
    #[error("there is no set \"{set}\": known are {known}")]
    UnknownSet {
        /// The name given.
        set: String,
        /// The known names, separated by commas.
        known: String,
    },
    /// A set without a file of its publisher.
    #[error("nothing can be fetched of {set} from its publisher: {reason}")]
    NotFromPublisher {
        /// The set.
        set: String,
        /// Why not, and what to do instead.
        reason: String,
    },
    /// A mirror or offline folder that cannot be used.
    #[error("cannot fetch from {given}: {reason}")]
    BadOrigin {
        /// What was given, without a password.
        given: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A variable of the environment says something that cannot be used, or, without a variable, no
    /// HTTP client can be set up.
    #[error("{}{reason}", of_variable(*variable))]
    Environment {
        /// Name of the variable.
        variable: Option<&'static str>,
        /// What is wrong; never the variable's value, which may hold a password.
        reason: String,
    },
    /// The data folder cannot be made or written.
    #[error("{}: cannot be used as data folder: {reason}", path.display())]
    Folder {
        /// The folder, or what stands in its place.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
    /// Another fetch works in the folder.
    #[error("{}: another fetch is at work here ({holder}): wait for it", folder.display())]
    Busy {
        /// The data folder.
        folder: PathBuf,
        /// Who, as far as it says.
        holder: String,
    },
    /// The offline folder lacks a file.
    #[error("{}: there is no such file: {NAMES}", path.display())]
    NotOffline {
        /// Where the file was expected.
        path: PathBuf,
    },
    /// A file of the user's, or one that was changed, lies where a fetched one belongs.
    #[error(
        "{}: the file that is there already has another content (git blob {found}): move it away, or have it replaced",
        path.display()
    )]
    InTheWay {
        /// The file.
        path: PathBuf,
        /// Its git blob id.
        found: String,
    },
    /// The folder of unpacked files is not what was unpacked.
    #[error("{}: this folder is not what the archive holds, or not known to be: move it away, or have it replaced", path.display())]
    UnpackedInTheWay {
        /// The folder.
        path: PathBuf,
    },
    /// The server refused.
    #[error("{url}: the server answered {status}: {hint}")]
    Status {
        /// The address that answered, after redirects.
        url: String,
        /// The status with its name.
        status: String,
        /// What it may mean.
        hint: String,
    },
    /// No whole answer after all attempts.
    #[error(
        "{url}: given up after {}: {reason}; {kept}check the network and the proxy, or fetch from a copy or a mirror",
        counted(*attempts)
    )]
    Unreachable {
        /// The address of the file.
        url: String,
        /// How often it was tried.
        attempts: u32,
        /// What happened the last time.
        reason: String,
        /// What is kept for the next attempt, as half a sentence.
        kept: String,
    },
    /// The server's certificate is not trusted, or TLS failed otherwise.
    #[error(
        "{url}: no trusted connection: {reason}; where a proxy signs connections itself, name its certificate in SSL_CERT_FILE"
    )]
    Tls {
        /// The address.
        url: String,
        /// What TLS says.
        reason: String,
    },
    /// A redirect that is not followed.
    #[error("{url}: redirected to {to}, which is not followed: {reason}")]
    Redirect {
        /// The address that redirects.
        url: String,
        /// Where to.
        to: String,
        /// Why it is not followed.
        reason: String,
    },
    /// An answer that breaks the protocol.
    #[error("{url}: the server's answer cannot be used: {reason}")]
    Answer {
        /// The address.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// More bytes than there can be.
    #[error("{url}: cut off: {reason}; nothing was kept")]
    TooLarge {
        /// The address, or the path of an offline file.
        url: String,
        /// How much, and how much there may be.
        reason: String,
    },
    /// Other bytes than the published ones.
    #[error(
        "{name}: not the published content: expected {expected}, found {found} ({bytes} bytes from {from}); nothing was kept or replaced"
    )]
    WrongContent {
        /// The file, as named in the data folder.
        name: String,
        /// Where it came from.
        from: String,
        /// The id that was expected, such as `git blob 1ba6…`.
        expected: String,
        /// The id that was found.
        found: String,
        /// How many bytes there were.
        bytes: u64,
    },
    /// Other bytes than at the first fetch, of a file that has no published id.
    #[error(
        "{name}: the publisher's file is not the one fetched first: the lock file says git blob {expected}, found {found} from {from}; nothing was replaced: inspect what changed before you accept it"
    )]
    Changed {
        /// The file, as named in the data folder.
        name: String,
        /// Where it came from.
        from: String,
        /// The id in the lock file.
        expected: String,
        /// The id that was found.
        found: String,
    },
    /// An archive with an entry that is refused.
    #[error("{}, entry {entry}: {reason}; nothing was unpacked", path.display())]
    Archive {
        /// The archive.
        path: PathBuf,
        /// Name or number of the entry.
        entry: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The lock file cannot be understood.
    #[error("{}: {reason}; move it away and fetch again to have it written anew", path.display())]
    LockFile {
        /// The lock file.
        path: PathBuf,
        /// Line and field.
        reason: String,
    },
    /// There is no lock file.
    #[error("{}: there is no {} here, so there is nothing to verify: nothing was fetched into this folder", folder.display(), crate::LOCK_FILE)]
    NoLockFile {
        /// The data folder.
        folder: PathBuf,
    },
    /// A file cannot be read.
    #[error("{}: cannot be read: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// A file cannot be written.
    #[error("{}: cannot be written: {source}", path.display())]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// Several files failed.
    #[error("{} files failed: {}", .0.len(), sentences(.0))]
    Several(Vec<Error>),
}

impl Fault for Error {
    /// Of several errors the gravest: integrity before what is incomplete, that before usage.
    fn class(&self) -> Class {
        match self {
            Self::UnknownSet { .. }
            | Self::NotFromPublisher { .. }
            | Self::BadOrigin { .. }
            | Self::Environment { .. }
            | Self::Folder { .. }
            | Self::NotOffline { .. }
            | Self::NoLockFile { .. } => Class::Usage,
            Self::Busy { .. } | Self::Status { .. } | Self::Unreachable { .. } => Class::Incomplete,
            Self::Read { .. } | Self::Write { .. } => Class::Io,
            Self::InTheWay { .. }
            | Self::UnpackedInTheWay { .. }
            | Self::Tls { .. }
            | Self::Redirect { .. }
            | Self::Answer { .. }
            | Self::TooLarge { .. }
            | Self::WrongContent { .. }
            | Self::Changed { .. }
            | Self::Archive { .. }
            | Self::LockFile { .. } => Class::Integrity,
            Self::Several(errors) => {
                let gravity = |class: &Class| match class {
                    Class::Integrity => 2,
                    Class::Incomplete | Class::Io => 1,
                    _ => 0,
                };
                let classes = errors.iter().map(Self::class);
                classes.max_by_key(gravity).unwrap_or(Class::Incomplete)
            }
        }
    }
}

impl Error {
    /// Whether the next file need not be tried: it would fail in the same way.
    pub(crate) fn concerns_all_files(&self) -> bool {
        matches!(
            self,
            Self::Environment { .. }
                | Self::Unreachable { .. }
                | Self::Tls { .. }
                | Self::Write { .. }
        )
    }

    pub(crate) fn read(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_path_buf();
        |source| Self::Read { path, source }
    }

    pub(crate) fn write(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_path_buf();
        |source| Self::Write { path, source }
    }
}

/// What the folder's lock says.
impl From<FileError> for Error {
    fn from(error: FileError) -> Self {
        match error {
            FileError::Locked { folder, holder } => Self::Busy { folder, holder },
            FileError::NotWritable { folder, source } => Self::Folder {
                path: folder,
                reason: source.to_string(),
            },
            FileError::Unreadable { file, source } => Self::Read { path: file, source },
            FileError::WriteFailed { file, source } => Self::Write { path: file, source },
            other => Self::LockFile {
                path: PathBuf::new(),
                reason: other.to_string(),
            },
        }
    }
}

fn of_variable(variable: Option<&str>) -> String {
    variable
        .map(|variable| format!("the variable {variable} of the environment: "))
        .unwrap_or_default()
}

fn counted(attempts: u32) -> String {
    match attempts {
        1 => "1 attempt".to_string(),
        attempts => format!("{attempts} attempts"),
    }
}

/// What each says, the files of one reason together.
fn sentences(errors: &[Error]) -> String {
    let missing: Vec<String> = errors
        .iter()
        .filter_map(|error| match error {
            Error::NotOffline { path } => Some(path.display().to_string()),
            _ => None,
        })
        .collect();
    let mut texts = Vec::new();
    if let [_, _, ..] = missing.as_slice() {
        texts.push(format!(
            "{}: there are no such files: {NAMES}",
            missing.join(", ")
        ));
    }
    let others = errors
        .iter()
        .filter(|error| texts.is_empty() || !matches!(error, Error::NotOffline { .. }));
    let others: Vec<String> = others.map(Error::to_string).collect();
    texts.extend(others);
    texts.join("; and ")
}
