//! Files that only their owner may read: created with mode 0600, never readable in between.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

/// Mode of a secret file.
pub const PRIVATE_FILE: u32 = 0o600;
/// Mode of a folder that holds secret files.
pub const PRIVATE_FOLDER: u32 = 0o700;

/// Writes a new file with mode 0600 so that after a crash it is there whole or not at all.
///
/// Fails with [`ErrorKind::AlreadyExists`] if `path` is there: a secret is never overwritten, and of
/// two processes that start at once exactly one creates it.
pub fn create(path: &Path, contents: &[u8]) -> io::Result<()> {
    let folder = path.parent().ok_or(ErrorKind::InvalidInput)?;
    let name = path
        .file_name()
        .ok_or(ErrorKind::InvalidInput)?
        .to_string_lossy();
    let draft = folder.join(format!(".{name}.{}.new", random_suffix()?));
    let written = write_synced(&draft, contents).and_then(|()| fs::hard_link(&draft, path));
    let removed = fs::remove_file(&draft);
    written.and(removed).and_then(|()| sync_folder(folder))
}

/// Commits the folder's own entries to disk, so that a created or renamed file survives a power cut.
pub fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// The permission bits of `path` that let anyone but its owner in; 0 for a private file.
pub fn foreign_access(path: &Path) -> io::Result<u32> {
    Ok(fs::metadata(path)?.permissions().mode() & 0o077)
}

fn write_synced(path: &Path, contents: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(PRIVATE_FILE)
        .open(path)?;
    file.write_all(contents)?;
    file.sync_all()
}

fn random_suffix() -> io::Result<String> {
    Ok(format!(
        "{:016x}",
        getrandom::u64().map_err(io::Error::other)?
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_created_file_is_private_and_alone_in_its_folder() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        create(&path, b"secret").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"secret");
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            PRIVATE_FILE
        );
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn an_existing_file_is_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        create(&path, b"first").unwrap();
        assert_eq!(
            create(&path, b"second").unwrap_err().kind(),
            ErrorKind::AlreadyExists
        );
        assert_eq!(fs::read(&path).unwrap(), b"first");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
