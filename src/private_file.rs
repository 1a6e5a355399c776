//! Files that only their owner may read: created with mode 0600, never readable in between.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, fchown};
use std::path::Path;

/// Mode of a secret file.
pub const PRIVATE_FILE: u32 = 0o600;
/// Mode of a folder that holds secret files.
pub const PRIVATE_FOLDER: u32 = 0o700;

/// Writes a new file with mode 0600 so that after a crash it is there whole or not at all.
///
/// It belongs to the owner of its folder, so that what root creates for a service the service can
/// read. Fails with [`ErrorKind::AlreadyExists`] if `path` is there: a secret is never overwritten,
/// and of two processes that start at once exactly one creates it.
pub fn create(path: &Path, contents: &[u8]) -> io::Result<()> {
    let folder = path.parent().ok_or(ErrorKind::InvalidInput)?;
    let name = path
        .file_name()
        .ok_or(ErrorKind::InvalidInput)?
        .to_string_lossy();
    let suffix = getrandom::u64().map_err(io::Error::other)?;
    let draft = folder.join(format!(".{name}.{suffix:016x}.new"));
    let created = write_synced(&draft, contents, folder).and_then(|()| fs::hard_link(&draft, path));
    match fs::remove_file(&draft) {
        Err(error) if created.is_ok() => return Err(error),
        _ => created?,
    }
    sync_folder(folder)
}

/// Like [`create`], but leaves a file that is there as it is.
pub fn ensure(path: &Path, contents: &[u8]) -> io::Result<()> {
    match create(path, contents) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        result => result,
    }
}

/// Creates a folder with mode 0700, and the missing ones above it; leaves one that is there as it is.
pub fn ensure_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new()
        .recursive(true)
        .mode(PRIVATE_FOLDER)
        .create(path)
}

/// Commits the folder's own entries to disk, so that a created or renamed file survives a power cut.
pub fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

fn write_synced(path: &Path, contents: &[u8], folder: &Path) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(PRIVATE_FILE)
        .open(path)?;
    let (owner, created) = (fs::metadata(folder)?, file.metadata()?);
    if (owner.uid(), owner.gid()) != (created.uid(), created.gid()) && created.uid() == 0 {
        fchown(&file, Some(owner.uid()), Some(owner.gid()))?;
    }
    file.write_all(contents)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

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
        ensure(&path, b"third").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"first");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_file_belongs_to_the_owner_of_its_folder() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        // Only root can give files away; anyone else owns both anyway.
        let _ = std::os::unix::fs::chown(folder.path(), Some(4711), Some(4712));
        create(&path, b"secret").unwrap();
        let (file, folder) = (
            fs::metadata(&path).unwrap(),
            fs::metadata(folder.path()).unwrap(),
        );
        assert_eq!((file.uid(), file.gid()), (folder.uid(), folder.gid()));
    }
}
