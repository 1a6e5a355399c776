//! Files that only their owner may read: created with mode 0600, never readable in between.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{
    DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt, chown, fchown,
};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, OFlags, flock};
use rustix::io::Errno;
use rustix::process::{Uid, geteuid};

use crate::{failpoint, regular_file};

/// Mode of a secret file.
pub const PRIVATE_FILE: u32 = 0o600;
/// Mode of a folder that holds secret files.
pub const PRIVATE_FOLDER: u32 = 0o700;
/// Part of a mode: what others than the owner may do.
const OTHERS: u32 = 0o077;
/// How the name of a file ends that is being made.
const DRAFT: &str = ".new";
/// Digits of the number in such a name.
const NUMBER_LENGTH: usize = 16;

/// Writes a new file with mode 0600 so that after a crash it is there whole or not at all.
///
/// It belongs to the owner of its folder, so that what root creates for a service the service can
/// read. Fails with [`ErrorKind::AlreadyExists`] if `path` is there: a secret is never overwritten,
/// and of two processes that start at once exactly one creates it.
pub fn create(path: &Path, contents: &[u8]) -> io::Result<()> {
    create_with(path, |_, file| file.write_all(contents))
}

/// Like [`create`], with what `fill` writes into the draft, by its path or the open file.
pub fn create_with(
    path: &Path,
    fill: impl FnOnce(&Path, &mut File) -> io::Result<()>,
) -> io::Result<()> {
    let folder = path.parent().ok_or(ErrorKind::InvalidInput)?;
    let (draft, mut file) = draft_of(path)?;
    let created = give_to_owner(&file, folder)
        .and_then(|()| fill(&draft, &mut file))
        .and_then(|()| sync(&file))
        .and_then(|()| publish(&draft, path));
    failpoint::reach("private file: named");
    let removed = fs::remove_file(&draft);
    drop(file);
    match removed {
        Err(error) if created.is_ok() && error.kind() != ErrorKind::NotFound => return Err(error),
        _ => created?,
    }
    failpoint::reach("private file: draft removed");
    sync_folder(folder)
}

/// Whether the file system at `path` keeps files from other users, as those of USB sticks do not: found
/// out with an empty file beside it. Taken for granted where none can be made.
pub fn can_be_private(path: &Path) -> bool {
    let Ok((draft, file)) = draft_of(path) else {
        return true;
    };
    let set = file.set_permissions(Permissions::from_mode(PRIVATE_FILE));
    let is_private = set.and_then(|()| Ok(file.metadata()?.mode() & OTHERS == 0));
    // What stays is removed with the drafts of killed processes.
    let _ = fs::remove_file(&draft);
    is_private.unwrap_or(false)
}

/// Like [`create`], but leaves a file that is there as it is.
pub fn ensure(path: &Path, contents: &[u8]) -> io::Result<()> {
    // On a full disk there is no room for a draft of what is there already.
    if fs::symlink_metadata(path).is_ok() {
        return Ok(());
    }
    match create(path, contents) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        result => result,
    }
}

/// Opens a file to read it. What is no regular file is refused: a link could lead anywhere, and
/// opening a pipe would wait for its other end.
pub fn open(path: &Path) -> io::Result<File> {
    regular_file::open_with(path, OFlags::NOFOLLOW)
}

/// Whether others than its owner may do something with an open file.
pub fn is_open_to_others(file: &File) -> io::Result<bool> {
    Ok(file.metadata()?.mode() & OTHERS != 0)
}

/// Whether an open file belongs to somebody else than this process trusts: itself and root, and as root
/// also the owner of the folder, for whom it may act.
pub fn is_of_a_stranger(file: &File, folder: &Path) -> io::Result<bool> {
    let (owner, us) = (file.metadata()?.uid(), geteuid());
    let is_trusted = owner == us.as_raw()
        || owner == Uid::ROOT.as_raw()
        || us.is_root() && owner == fs::metadata(folder)?.uid();
    Ok(!is_trusted)
}

/// Takes from other users what they may do with an open file, as after a restored backup; whether they
/// could do something. Only its owner can.
pub fn make_open_private(file: &File) -> io::Result<bool> {
    make_private_by(
        || Ok(file.metadata()?.mode()),
        || file.set_permissions(Permissions::from_mode(PRIVATE_FILE)),
    )
}

/// The same of a file that must not be opened: to close a database's would free the locks on it.
pub fn make_private(path: &Path) -> io::Result<bool> {
    make_private_by(
        || Ok(fs::symlink_metadata(path)?.mode()),
        || fs::set_permissions(path, Permissions::from_mode(PRIVATE_FILE)),
    )
}

fn make_private_by(
    mode: impl Fn() -> io::Result<u32>,
    set: impl Fn() -> io::Result<()>,
) -> io::Result<bool> {
    if mode()? & OTHERS == 0 {
        return Ok(false);
    }
    set()?;
    match mode()? & OTHERS {
        0 => Ok(true),
        _ => Err(ErrorKind::Unsupported.into()),
    }
}

/// Removes what killed processes left of a file that they were making: parts of it, or all under
/// another name. What a living process is making stays.
pub fn remove_drafts(path: &Path) -> io::Result<()> {
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
        return Ok(());
    };
    let prefix = format!(".{}.", name.to_string_lossy());
    let made = fs::symlink_metadata(path).ok();
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name();
        let suffix = name.to_str().and_then(|name| name.strip_prefix(&prefix));
        let number = suffix.and_then(|suffix| suffix.strip_suffix(DRAFT));
        let is_ours = |number: &str| {
            number.len() == NUMBER_LENGTH && number.bytes().all(|digit| digit.is_ascii_hexdigit())
        };
        if !number.is_some_and(is_ours) {
            continue;
        }
        match remove_if_left(&entry.path(), made.as_ref()) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

fn remove_if_left(draft: &Path, made: Option<&fs::Metadata>) -> io::Result<()> {
    let file = open(draft)?;
    let found = file.metadata()?;
    let is_made = made.is_some_and(|made| (made.dev(), made.ino()) == (found.dev(), found.ino()));
    // What is made already may be locked for its own sake.
    if is_made || flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok() {
        fs::remove_file(draft)?;
    }
    Ok(())
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

/// A draft of the file, under a name of its own.
fn draft_of(path: &Path) -> io::Result<(PathBuf, File)> {
    let folder = path.parent().ok_or(ErrorKind::InvalidInput)?;
    let name = path
        .file_name()
        .ok_or(ErrorKind::InvalidInput)?
        .to_string_lossy();
    loop {
        let suffix = getrandom::u64().map_err(io::Error::other)?;
        let draft = folder.join(format!(".{name}.{suffix:0NUMBER_LENGTH$x}{DRAFT}"));
        if let Some(file) = begin(&draft)? {
            return Ok((draft, file));
        }
    }
}

/// Makes an empty draft that is locked, which tells it from one that a killed process left; `None` if
/// another process was quicker and removed it.
fn begin(draft: &Path) -> io::Result<Option<File>> {
    let file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(PRIVATE_FILE)
        .open(draft)?;
    failpoint::reach("private file: draft made");
    // Where files can't be locked at all, nobody removes drafts.
    if let Err(Errno::WOULDBLOCK) = flock(&file, FlockOperation::NonBlockingLockExclusive) {
        return Ok(None);
    }
    Ok((file.metadata()?.nlink() > 0).then_some(file))
}

fn give_to_owner(file: &File, folder: &Path) -> io::Result<()> {
    file.set_permissions(Permissions::from_mode(PRIVATE_FILE))?; // whatever the umask is
    let owner = fs::metadata(folder)?;
    if is_for_another(&owner, &file.metadata()?) {
        fchown(file, Some(owner.uid()), Some(owner.gid()))?;
    }
    Ok(())
}

fn sync(file: &File) -> io::Result<()> {
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

    fn numbered_draft(path: &Path, number: u64) -> std::path::PathBuf {
        let name = path.file_name().unwrap().to_str().unwrap();
        path.with_file_name(format!(".{name}.{number:016x}.new"))
    }

    #[test]
    fn what_killed_processes_left_of_a_file_is_removed_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        for round in ["before it is made", "afterwards"] {
            let (left, living) = (numbered_draft(&path, 7), numbered_draft(&path, 8));
            fs::write(&left, "part").unwrap();
            let at_work = begin(&living).unwrap().unwrap();
            let other = numbered_draft(&folder.path().join("other"), 7);
            let no_draft = folder.path().join(".key.backup.new");
            for kept in [&other, &no_draft] {
                fs::write(kept, "x").unwrap();
            }
            remove_drafts(&path).unwrap();
            assert!(!left.exists(), "{round}");
            for kept in [&living, &other, &no_draft] {
                assert!(kept.exists(), "{round}: {}", kept.display());
            }
            drop(at_work);
            remove_drafts(&path).unwrap();
            assert!(!living.exists(), "{round}");
            ensure(&path, b"secret").unwrap();
        }
        // Named, and killed before its other name was removed; and it is in use.
        let left = numbered_draft(&path, 9);
        fs::hard_link(&path, &left).unwrap();
        let in_use = open(&path).unwrap();
        flock(&in_use, FlockOperation::NonBlockingLockExclusive).unwrap();
        remove_drafts(&path).unwrap();
        assert!(!left.exists());
        assert_eq!(fs::read(&path).unwrap(), b"secret");
    }

    #[test]
    fn a_file_is_made_whoever_removes_drafts_meanwhile() {
        let folder = tempfile::tempdir().unwrap();
        let paths: Vec<_> = (0..200)
            .map(|n| folder.path().join(n.to_string()))
            .collect();
        std::thread::scope(|scope| {
            let making = scope.spawn(|| {
                for path in &paths {
                    create(path, b"secret").unwrap();
                }
            });
            while !making.is_finished() {
                for path in paths.iter().filter(|path| !path.exists()).take(2) {
                    remove_drafts(path).unwrap();
                }
            }
        });
        for path in paths {
            assert_eq!(fs::read(path).unwrap(), b"secret");
        }
    }

    #[test]
    fn a_file_that_others_may_read_is_made_private() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        create(&path, b"secret").unwrap();
        let file = open(&path).unwrap();
        for make_private in [&|| make_private(&path), &|| make_open_private(&file)]
            as [&dyn Fn() -> io::Result<bool>; 2]
        {
            assert!(!make_private().unwrap());
            for mode in [0o644, 0o640, 0o602, 0o777] {
                fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
                assert!(make_private().unwrap());
                let mode = fs::metadata(&path).unwrap().permissions().mode();
                assert_eq!(mode & 0o777, PRIVATE_FILE);
            }
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
