//! One daemon a device: two would enrol from the same file.

use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::OFlags;

use super::daemon_error::DaemonError;
use crate::private_file::PRIVATE_FILE;
use crate::regular_file;
use crate::vault::Folder;

const LOCK: &str = "daemon.lock";

/// Where the kernel lists who has locked what.
const LOCKS: &str = "/proc/locks";
const LOCKS_LIMIT: u64 = 4 * 1024 * 1024;

/// The process that is the daemon of the vault in `folder`, if one is. Takes no lock, which would keep a daemon
/// that begins just then from beginning.
pub fn process_of(folder: &Folder) -> Option<u32> {
    let lock = std::fs::symlink_metadata(folder.path().join(LOCK)).ok()?;
    let locks = regular_file::read(Path::new(LOCKS), LOCKS_LIMIT).ok()?;
    holder(&String::from_utf8_lossy(&locks), lock.ino())
}

/// Who holds a lock on the file of this number. The disk's is not looked at: what the list has of it is another
/// one on some file systems.
fn holder(locks: &str, inode: u64) -> Option<u32> {
    let inode = format!(":{inode}");
    // As in `3: FLOCK  ADVISORY  WRITE 4711 fe:00:1234 0 EOF`; who waits has an arrow before.
    let mut rows = locks.lines().map(str::split_whitespace);
    rows.find_map(|mut row| {
        let kind = row.nth(1)?;
        let process = row.nth(2)?.parse().ok()?;
        let is_it = kind == "FLOCK" && row.next()?.ends_with(&inode);
        is_it.then_some(process)
    })
}

/// The right to be the daemon, held as long as this is.
pub(super) struct Instance {
    _lock: File,
}

impl Instance {
    pub(super) fn only(folder: &Folder) -> Result<Self, DaemonError> {
        let path = folder.path().join(LOCK);
        let failed = |source| DaemonError::Lock {
            path: path.clone(),
            source,
        };
        folder.prepare()?;
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(PRIVATE_FILE)
            .custom_flags((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed())
            .open(&path)
            .map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(DaemonError::Running {
                folder: folder.path().to_owned(),
            }),
            Err(TryLockError::Error(source)) => Err(failed(source)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_holds_the_lock_is_found_among_others_and_who_waits_is_not() {
        let locks = "\
1: POSIX  ADVISORY  WRITE 11 fe:00:77 0 EOF
2: FLOCK  ADVISORY  WRITE 12 fe:00:177 0 EOF
3: FLOCK  ADVISORY  WRITE 13 fe:00:77 0 EOF
3: -> FLOCK  ADVISORY  WRITE 14 fe:00:78 0 EOF
4: OFDLCK ADVISORY  READ -1 00:06:1034 0 EOF
";
        assert_eq!(holder(locks, 77), Some(13));
        assert_eq!(holder(locks, 177), Some(12));
        assert_eq!(holder(locks, 7), None);
        assert_eq!(holder(locks, 78), None);
    }
}
