//! A publisher's tar file → files in one folder.
//!
//! Entries are files and folders below one folder, or the archive is refused as a whole: a name
//! that leads elsewhere, a link or a device in an archive is either an attack or not the archive we
//! know.

use std::fs::{self, File};
use std::io;
use std::path::{Component, Path, PathBuf};

use tar::EntryType;

use crate::digest::Digests;
use crate::error::Error;
use crate::folder;
use crate::lock_file::Unpacked;
use crate::names::is_safe;

/// Entries an archive may have.
const MAX_ENTRIES: u64 = 200_000;
/// Bytes that its files may have together.
const MAX_BYTES: u64 = 2 << 30;

/// Unpacks what an archive has below the folder `inner` to `target`, which must not exist yet. It
/// appears whole or not at all.
pub(crate) fn unpack(archive: &Path, inner: &str, target: &Path) -> Result<(), Error> {
    let staging = folder::staging_beside(target)?;
    unpack_entries(archive, inner, staging.path())?;
    let unpacked = staging.path().join(inner);
    if !unpacked.is_dir() {
        return Err(refused(
            archive,
            inner,
            "there is no such folder in the archive",
        ));
    }
    fs::rename(&unpacked, target).map_err(Error::write(target))
}

fn unpack_entries(archive: &Path, inner: &str, into: &Path) -> Result<(), Error> {
    let file = File::open(archive).map_err(Error::read(archive))?;
    let mut reader = tar::Archive::new(io::BufReader::new(file));
    let unreadable = |error: io::Error| {
        refused(
            archive,
            "that follows",
            &format!("the archive is damaged: {error}"),
        )
    };
    let mut bytes = 0_u64;
    for (at, entry) in reader.entries().map_err(unreadable)?.enumerate() {
        let mut entry = entry.map_err(unreadable)?;
        let name = String::from_utf8_lossy(&entry.path_bytes())
            .escape_debug()
            .to_string();
        let refuse = |reason: &str| Err(refused(archive, &name, reason));
        if at as u64 >= MAX_ENTRIES {
            return refuse(&format!("more than {MAX_ENTRIES} entries"));
        }
        // The announced size, added up before anything is written: an entry yields no more than it
        // announces.
        bytes = bytes.saturating_add(entry.size());
        if bytes > MAX_BYTES {
            return refuse(&format!("more than {MAX_BYTES} bytes"));
        }
        let kind = entry.header().entry_type();
        // Comments of whoever packed it (`pax_global_header`): nothing to unpack.
        if kind == EntryType::XGlobalHeader {
            continue;
        }
        let path = match entry.path().ok().and_then(|path| below(&path, inner)) {
            Some(path) => into.join(path),
            None => return refuse(&format!("its path leads out of the folder {inner}")),
        };
        match kind {
            EntryType::Directory => folder::create(&path)?,
            EntryType::Regular | EntryType::Continuous => {
                folder::create_parent(&path)?;
                // New files only: of two entries with one name (or two that a file system without
                // case takes for one) the last would win.
                let mut file = match File::create_new(&path) {
                    Ok(file) => file,
                    Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                        return refuse("there are two of this name");
                    }
                    Err(error) => return Err(Error::write(&path)(error)),
                };
                io::copy(&mut entry, &mut file).map_err(Error::write(&path))?;
            }
            _ => {
                return refuse("it is a link or a device, and only files and folders are unpacked");
            }
        }
    }
    Ok(())
}

/// The path of an entry, where each of its parts is a plain name and the first is `inner`.
fn below(path: &Path, inner: &str) -> Option<PathBuf> {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::Normal(name) if is_safe(name.to_str()?) => plain.push(name),
            Component::CurDir => {}
            _ => return None,
        }
    }
    plain.starts_with(inner).then_some(plain)
}

fn refused(archive: &Path, entry: &str, reason: &str) -> Error {
    Error::Archive {
        path: archive.to_path_buf(),
        entry: entry.to_string(),
        reason: reason.to_string(),
    }
}

/// What a folder of unpacked files holds. Links in it are not followed; they make it another folder
/// than was unpacked.
pub(crate) fn contents(target: &Path, name: &str) -> Result<Unpacked, Error> {
    let mut paths = Vec::new();
    list(target, "", &mut paths)?;
    paths.sort();
    // Paths and contents alone: modes and times depend on the umask and on when it was unpacked.
    let mut hasher = blake3::Hasher::new();
    for (path, is_file) in &paths {
        let digest = match is_file {
            true => Digests::of_file(&target.join(path))?.blake3,
            false => "neither file nor folder".to_string(),
        };
        hasher.update(format!("{digest}  {path}\n").as_bytes());
    }
    Ok(Unpacked {
        folder: name.to_string(),
        files: paths.len() as u64,
        blake3: hasher.finalize().to_hex().to_string(),
    })
}

/// All below a folder that is no folder, with `/` between parts, and whether it is a regular file.
fn list(folder: &Path, below: &str, paths: &mut Vec<(String, bool)>) -> Result<(), Error> {
    for entry in fs::read_dir(folder).map_err(Error::read(folder))? {
        let entry = entry.map_err(Error::read(folder))?;
        let kind = entry.file_type().map_err(Error::read(&entry.path()))?;
        let path = format!("{below}{}", entry.file_name().to_string_lossy());
        match kind.is_dir() {
            true => list(&entry.path(), &format!("{path}/"), paths)?,
            false => paths.push((path, kind.is_file())),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    /// One header of 512 bytes and its content, with a name that the writer of the `tar` crate
    /// would refuse.
    fn entry(name: &str, kind: u8, link: &str, content: &[u8]) -> Vec<u8> {
        let mut header = tar::Header::new_ustar();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
        header.as_mut_bytes()[157..157 + link.len()].copy_from_slice(link.as_bytes());
        header.set_entry_type(EntryType::new(kind));
        header.set_cksum();
        let mut bytes = header.as_bytes().to_vec();
        bytes.extend(content);
        bytes.resize(bytes.len().next_multiple_of(512), 0);
        bytes
    }

    fn unpacked(entries: &[Vec<u8>]) -> (tempfile::TempDir, Result<(), Error>) {
        let folder = tempfile::tempdir().unwrap();
        let archive = folder.path().join("MATH.tar");
        let mut file = File::create(&archive).unwrap();
        for entry in entries {
            file.write_all(entry).unwrap();
        }
        file.write_all(&[0; 1024]).unwrap();
        let result = unpack(&archive, "MATH", &folder.path().join("MATH"));
        (folder, result)
    }

    #[test]
    fn files_and_folders_are_unpacked() {
        let entries = [
            entry("MATH/", b'5', "", b""),
            entry("MATH/test/algebra/1.json", b'0', "", b"{}"),
            entry("./MATH/train/algebra/1.json", b'0', "", b"[]"),
        ];
        let (folder, result) = unpacked(&entries);
        result.unwrap();
        assert_eq!(
            fs::read_to_string(folder.path().join("MATH/test/algebra/1.json")).unwrap(),
            "{}"
        );
        let found = contents(&folder.path().join("MATH"), "native/math/MATH").unwrap();
        assert_eq!(found.files, 2);
        fs::write(folder.path().join("MATH/test/algebra/1.json"), "{ }").unwrap();
        assert_ne!(
            contents(&folder.path().join("MATH"), "native/math/MATH").unwrap(),
            found
        );
    }

    #[test]
    fn entries_that_lead_out_links_devices_and_repetitions_are_refused_whole() {
        for (bad, part) in [
            (entry("../evil", b'0', "", b"x"), "leads out"),
            (entry("/tmp/evil", b'0', "", b"x"), "leads out"),
            (entry("MATH/../../evil", b'0', "", b"x"), "leads out"),
            (entry("elsewhere/x", b'0', "", b"x"), "leads out"),
            (
                entry("MATH/link", b'2', "/etc/passwd", b""),
                "link or a device",
            ),
            (entry("MATH/link", b'1', "MATH/a", b""), "link or a device"),
            (entry("MATH/pipe", b'6', "", b""), "link or a device"),
            (entry("MATH/disk", b'4', "", b""), "link or a device"),
            (entry("MATH/a", b'0', "", b"x"), "two of this name"),
            (vec![b'x'; 512], "damaged"),
        ] {
            let (folder, result) = unpacked(&[entry("MATH/a", b'0', "", b"good"), bad]);
            let text = result.unwrap_err().to_string();
            assert!(text.contains(part), "{text}");
            let left: Vec<_> = fs::read_dir(folder.path())
                .unwrap()
                .map(|entry| entry.unwrap().file_name())
                .collect();
            assert_eq!(left, ["MATH.tar"]);
            assert!(!folder.path().parent().unwrap().join("evil").exists());
        }
    }

    #[test]
    fn an_archive_of_other_things_is_refused() {
        let (_folder, result) = unpacked(&[]);
        assert!(result.unwrap_err().to_string().contains("no such folder"));
    }
}
