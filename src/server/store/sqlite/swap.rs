//! Putting a database in the place of another one, so that whenever this is cut short there is the old one, the new
//! one, or a mark that says which file the old one is.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, fcntl_lock};
use rustix::io::Errno;

use crate::{failpoint, private_file};

/// What a link in the database's place leads to while its log is moved: nowhere, but it names the old database.
const HALF: &str = "half-restored, before it was: ";

/// What stands between a database's name and the number of one that was replaced.
const KEPT: &str = ".before-restore-";

/// Why a database was not put in another one's place.
#[derive(Debug, thiserror::Error)]
pub(in crate::server::store) enum SwapError {
    /// Somebody has the old one open.
    #[error("another process has it open")]
    InUse,
    /// A file can't be renamed.
    #[error(transparent)]
    File(#[from] io::Error),
}

/// Where the old database is, if a swap was cut short before the new one was in its place.
pub(in crate::server::store) fn half_done(path: &Path) -> Option<PathBuf> {
    let target = fs::read_link(path).ok()?;
    let kept = target.to_str()?.strip_prefix(HALF)?;
    Some(path.with_file_name(kept))
}

/// Gives the log that stands beside a database, if it has one, to the file in which that is now.
pub(in crate::server::store) fn move_log(path: &Path, kept: &Path) -> io::Result<()> {
    let [log, _] = beside(path);
    match has_content(&log) {
        true => fs::rename(&log, with_end(kept, "-wal")),
        false => Ok(()),
    }
}

/// Whether there is a database, or a part of one.
pub(in crate::server::store) fn is_there(path: &Path) -> bool {
    let [log, index] = beside(path);
    let mut all = [path, &log, &index].into_iter();
    all.any(|path| fs::symlink_metadata(path).is_ok())
}

/// The log beside a database, and its index.
fn beside(path: &Path) -> [PathBuf; 2] {
    ["-wal", "-shm"].map(|end| with_end(path, end))
}

/// A file's name with more behind it.
pub(in crate::server::store) fn with_end(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    name.into()
}

/// Puts the database in `new`, which nobody has open, in the place of what is in `path`; where that is now.
pub(in crate::server::store) fn put(new: &Path, path: &Path) -> Result<Option<PathBuf>, SwapError> {
    let folder = path
        .parent()
        .ok_or(io::Error::from(ErrorKind::InvalidInput))?;
    let [log, index] = beside(path);
    let kept = match half_done(path) {
        Some(kept) => kept,
        None => free_name(path)?,
    };
    let is_half_done = half_done(path).is_some();
    let old = if is_half_done { &kept } else { path };
    // Nobody opens it meanwhile, who would find one file of the old database and another of the new one.
    let _locked = lock(old)?;
    if !is_half_done && fs::symlink_metadata(path).is_ok() {
        fs::hard_link(path, &kept)?;
        private_file::sync_folder(folder)?;
        failpoint::reach("restore: old database has another name");
        if has_content(&log) {
            mark_half_done(path, &kept, folder)?;
        }
    }
    move_log(path, &kept)?;
    // An empty one, and what can be made anew.
    for path in [&log, &index] {
        if let Err(error) = fs::remove_file(path)
            && error.kind() != ErrorKind::NotFound
        {
            return Err(error.into());
        }
    }
    private_file::sync_folder(folder)?;
    failpoint::reach("restore: old log moved");
    fs::rename(new, path)?;
    private_file::sync_folder(folder)?;
    failpoint::reach("restore: in its place");
    Ok(kept.exists().then_some(kept))
}

fn has_content(log: &Path) -> bool {
    fs::symlink_metadata(log).is_ok_and(|file| file.len() > 0)
}

/// A log that stays beside another database would be taken into that: until it is moved, nothing is there.
fn mark_half_done(path: &Path, kept: &Path, folder: &Path) -> io::Result<()> {
    let name = kept.file_name().unwrap_or_default().to_string_lossy();
    let link = with_end(path, ".half-restored");
    let _ = fs::remove_file(&link);
    symlink(format!("{HALF}{name}"), &link)?;
    fs::rename(&link, path)?;
    private_file::sync_folder(folder)?;
    failpoint::reach("restore: old database is marked");
    Ok(())
}

/// Keeps others from opening a database; they hold a part of this lock as long as they have it open.
fn lock(path: &Path) -> Result<Option<File>, SwapError> {
    let file = match OpenOptions::new().read(true).write(true).open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        file => file?,
    };
    match fcntl_lock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(Some(file)),
        Err(Errno::AGAIN | Errno::ACCESS) => Err(SwapError::InUse),
        Err(error) => Err(io::Error::from(error).into()),
    }
}

/// A name for the old database that no other has.
fn free_name(path: &Path) -> io::Result<PathBuf> {
    for number in 1..=u32::MAX {
        let name = with_end(path, &format!("{KEPT}{number}"));
        if !is_there(&name) {
            return Ok(name);
        }
    }
    Err(ErrorKind::AlreadyExists.into())
}
