//! One daemon a device: two would enrol from the same file.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{OFlags, major, minor};
use serde::{Deserialize, Serialize};

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
    let disk = format!("{:02x}:{:02x}", major(lock.dev()), minor(lock.dev()));
    let locks = String::from_utf8_lossy(&locks).into_owned();
    let mut holders = holders(&locks, lock.ino());
    // What the list has of a disk is another number on some file systems.
    let is_it = |(process, on): &(u32, &str)| *on == disk || is_ours(*process);
    holders.find(is_it).map(|(process, _)| process)
}

/// What a daemon leaves in its lock as long as it runs: where it can be asked, however that was set.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reach {
    /// The sockets of its doors.
    pub doors: Vec<PathBuf>,
    /// Its file for metrics.
    pub metrics_file: Option<PathBuf>,
}

/// Bytes that are read of it at most.
const REACH_LIMIT: u64 = 64 * 1024;

impl Reach {
    /// That of the daemon of the vault in `folder`, if it says so; of use only while it runs.
    pub fn of(folder: &Folder) -> Option<Self> {
        let text = regular_file::read(&folder.path().join(LOCK), REACH_LIMIT).ok()?;
        serde_json::from_slice(&text).ok()
    }
}

fn is_ours(process: u32) -> bool {
    std::fs::read_to_string(format!("/proc/{process}/comm"))
        .is_ok_and(|name| name.starts_with("gatehand"))
}

/// Who holds a lock on a file of this number, and on which disk.
fn holders(locks: &str, inode: u64) -> impl Iterator<Item = (u32, &str)> {
    let inode = inode.to_string();
    // As in `3: FLOCK  ADVISORY  WRITE 4711 fe:00:1234 0 EOF`; who waits has an arrow before.
    let rows = locks.lines().map(str::split_whitespace);
    rows.filter_map(move |mut row| {
        let kind = row.nth(1)?;
        let process = row.nth(2)?.parse().ok()?;
        let (disk, file) = row.next()?.rsplit_once(':')?;
        (kind == "FLOCK" && file == inode).then_some((process, disk))
    })
}

/// The right to be the daemon, held as long as this is; or that nobody is, for what no daemon may see half done.
pub struct Instance {
    lock: File,
}

impl Drop for Instance {
    fn drop(&mut self) {
        let _ = self.lock.set_len(0);
    }
}

impl Instance {
    /// Sees to it that none runs. Nothing where none ever did: its lock would belong to whoever asks.
    pub fn none(folder: &Folder) -> Result<Option<Self>, DaemonError> {
        match folder.path().join(LOCK).exists() {
            true => Self::only(folder).map(Some),
            false => Ok(None),
        }
    }

    /// Leaves word of where this daemon can be asked.
    pub(super) fn tell(&self, reach: &Reach) {
        let told = serde_json::to_vec(reach)
            .map_err(io::Error::from)
            .and_then(|text| self.lock.write_all_at(&text, 0));
        if let Err(error) = told {
            tracing::debug!("the doors can't be told in {LOCK}: {error}");
        }
    }

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
            Ok(()) => {
                // What one left that was killed; a disk that is full or read-only keeps none from running.
                let _ = lock.set_len(0);
                Ok(Self { lock })
            }
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
        let found = |inode| holders(locks, inode).collect::<Vec<_>>();
        assert_eq!(found(77), [(13, "fe:00")]);
        assert_eq!(found(177), [(12, "fe:00")]);
        assert_eq!(found(7), []);
        assert_eq!(found(78), []);
    }
}
