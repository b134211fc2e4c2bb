//! Files that a flag names: reports, tables, pictures.

use std::fs;
use std::io;
use std::path::Path;

use fault::Class;
use store::FileError;

/// Whether a file that is there may be replaced.
#[derive(clap::Args, Clone, Copy, Debug)]
pub struct ReplaceArgs {
    /// Replace a file of that name that holds something else.
    #[arg(long)]
    force: bool,
}

impl ReplaceArgs {
    /// Writes a file as [`write()`] does, unless another one would be lost.
    pub fn write(self, file: &Path, content: &[u8]) -> anyhow::Result<()> {
        self.check(file, content)?;
        write(file, content)
    }

    /// Refuses to replace a file that holds something else.
    pub fn check(self, file: &Path, content: &[u8]) -> anyhow::Result<()> {
        let is_other = || fs::read(file).is_ok_and(|there| there != content);
        if !self.force && file.is_file() && is_other() {
            anyhow::bail!(
                "{} is there and holds something else: name another file, or replace it with --force",
                file.display()
            );
        }
        Ok(())
    }
}

/// Writes a file whole: a reader finds the old content or the new one. A folder that is not there
/// is not made, since its name is probably a slip; what is no ordinary file, such as /dev/stdout,
/// is written to as it is.
pub fn write(file: &Path, content: &[u8]) -> anyhow::Result<()> {
    let written = match file.canonicalize() {
        // Where the name is a link, the file behind it is replaced, and not the link.
        Ok(target) if target.is_file() => write_atomic(&target, content),
        Ok(_) => fs::write(file, content),
        Err(_) => write_atomic(file, content),
    };
    written.map_err(|source| {
        let class = Class::of_writing(&source);
        let error = FileError::write_failed(file)(source);
        match class {
            Class::Usage => anyhow::anyhow!("{error}"),
            _ => error.into(),
        }
    })
}

fn write_atomic(file: &Path, content: &[u8]) -> io::Result<()> {
    if let Some(folder) = file
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
    {
        fs::metadata(folder)?;
    }
    store::write_atomic(file, |out| out.write_all(content)).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_behind_its_link_and_a_missing_folder_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        write(&path("report.md"), b"one").unwrap();
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink(path("report.md"), path("link.md")).unwrap();
            write(&path("link.md"), b"two").unwrap();
            assert!(path("link.md").is_symlink());
            assert_eq!(fs::read(path("report.md")).unwrap(), b"two");
            write(Path::new("/dev/null"), b"three").unwrap();
            assert!(!Path::new("/dev/null").is_file());
        }
        let error = write(&path("no/such/report.md"), b"four").unwrap_err();
        assert!(!path("no").exists());
        assert!(error.to_string().starts_with("cannot write "), "{error}");
        assert!(error.downcast_ref::<FileError>().is_none());
    }
}
