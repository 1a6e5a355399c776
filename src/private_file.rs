//! Files that only their owner may read: created with mode 0600, never readable in between.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{
    DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt, chown, fchown,
};
use std::path::Path;

use rustix::fs::OFlags;

use crate::failpoint;

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
    let created = write_synced(&draft, contents, folder).and_then(|()| publish(&draft, path));
    failpoint::reach("private file: named");
    match fs::remove_file(&draft) {
        Err(error) if created.is_ok() && error.kind() != ErrorKind::NotFound => return Err(error),
        _ => created?,
    }
    failpoint::reach("private file: draft removed");
    sync_folder(folder)
}

/// Like [`create`], but leaves a file that is there as it is.
pub fn ensure(path: &Path, contents: &[u8]) -> io::Result<()> {
    match create(path, contents) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        result => result,
    }
}

/// Opens a file to read it. What is no regular file is refused: a link could lead anywhere, and
/// opening a pipe would wait for its other end.
pub fn open(path: &Path) -> io::Result<File> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(flags.bits() as i32)
        .open(path)?;
    if file.metadata()?.is_file() {
        Ok(file)
    } else {
        Err(io::Error::new(
            ErrorKind::InvalidInput,
            "it is not a regular file",
        ))
    }
}

/// Creates a folder with mode 0700, and the missing ones above it; leaves one that is there as it is.
///
/// What root creates belongs to the owner of the nearest folder that was there.
pub fn ensure_folder(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    let parent = path.parent().ok_or(ErrorKind::InvalidInput)?;
    ensure_folder(parent)?;
    match DirBuilder::new().mode(PRIVATE_FOLDER).create(path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => return Ok(()),
        created => created?,
    }
    failpoint::reach("folder: made");
    fs::set_permissions(path, Permissions::from_mode(PRIVATE_FOLDER))?; // whatever the umask is
    let owner = fs::metadata(parent)?;
    if is_for_another(&owner, &fs::metadata(path)?) {
        chown(path, Some(owner.uid()), Some(owner.gid()))?;
    }
    sync_folder(parent)
}

/// Commits the folder's own entries to disk, so that a created or renamed file survives a power cut.
pub fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Gives the draft its name, unless another process was first.
fn publish(draft: &Path, path: &Path) -> io::Result<()> {
    match fs::hard_link(draft, path) {
        // Android's apps may not link, and some file systems can't. Without links two processes could
        // both find the name free, so that callers who may meet there hold a lock.
        Err(error) if error.kind() != ErrorKind::AlreadyExists => {
            match fs::symlink_metadata(path) {
                Ok(_) => Err(ErrorKind::AlreadyExists.into()),
                Err(_) => fs::rename(draft, path),
            }
        }
        linked => linked,
    }
}

fn write_synced(path: &Path, contents: &[u8], folder: &Path) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(PRIVATE_FILE)
        .open(path)?;
    failpoint::reach("private file: draft made");
    file.set_permissions(Permissions::from_mode(PRIVATE_FILE))?; // whatever the umask is
    let owner = fs::metadata(folder)?;
    if is_for_another(&owner, &file.metadata()?) {
        fchown(&file, Some(owner.uid()), Some(owner.gid()))?;
    }
    file.write_all(contents)?;
    failpoint::reach("private file: draft written");
    file.sync_all()?;
    failpoint::reach("private file: draft synced");
    Ok(())
}

/// Only root can give files away, and has to.
fn is_for_another(owner: &fs::Metadata, created: &fs::Metadata) -> bool {
    created.uid() == 0 && (owner.uid(), owner.gid()) != (created.uid(), created.gid())
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
        ensure(&path, b"third").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"first");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_is_no_regular_file_is_not_opened() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        create(&path, b"secret").unwrap();
        open(&path).unwrap();
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        let pipe = folder.path().join("pipe");
        rustix::fs::mknodat(
            rustix::fs::CWD,
            &pipe,
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::RUSR,
            0,
        )
        .unwrap();
        for other in [link, pipe, folder.path().to_owned()] {
            assert!(open(&other).is_err(), "{}", other.display());
        }
    }

    #[test]
    fn new_folders_are_private_and_belong_to_the_owner_of_the_one_above() {
        let scratch = tempfile::tempdir().unwrap();
        // Only root can give files away; anyone else owns all of them anyway.
        let _ = chown(scratch.path(), Some(4711), Some(4712));
        let folder = scratch.path().join("a/b");
        ensure_folder(&folder).unwrap();
        let above = fs::metadata(scratch.path()).unwrap();
        for folder in [scratch.path().join("a"), folder] {
            let made = fs::metadata(folder).unwrap();
            assert_eq!(made.permissions().mode() & 0o777, PRIVATE_FOLDER);
            assert_eq!((made.uid(), made.gid()), (above.uid(), above.gid()));
        }
    }

    #[test]
    fn a_file_belongs_to_the_owner_of_its_folder() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        // Only root can give files away; anyone else owns both anyway.
        let _ = chown(folder.path(), Some(4711), Some(4712));
        create(&path, b"secret").unwrap();
        let (file, folder) = (
            fs::metadata(&path).unwrap(),
            fs::metadata(folder.path()).unwrap(),
        );
        assert_eq!((file.uid(), file.gid()), (folder.uid(), folder.gid()));
    }
}
