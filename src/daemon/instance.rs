//! One daemon a device: two would enrol from the same file.

use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::OpenOptionsExt;

use rustix::fs::OFlags;

use super::daemon_error::DaemonError;
use crate::private_file::PRIVATE_FILE;
use crate::vault::Folder;

const LOCK: &str = "daemon.lock";

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
