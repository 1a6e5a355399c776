//! What a failure of SQLite means for the person who has to mend it.

use rusqlite::{Error, ErrorCode, ffi};

/// A kind of failure. Vault and server each have their own words for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// The disk is full.
    Full,
    /// The file, its folder or its file system may not be written.
    ReadOnly,
    /// Another process holds the database.
    Busy,
    /// The file can't be opened: it is gone, or too many files are open.
    CannotOpen,
    /// The disk does not give what is on it.
    Unreadable,
    /// The disk or its file system fails.
    Disk,
    /// What was written may not have reached the disk.
    LostSync,
    /// There is no memory left.
    Memory,
    /// The file is damaged, or no database at all.
    Damaged,
    /// Anything else, which nothing but a mistake of ours brings about.
    Fault,
}

impl Failure {
    /// The kind of this error.
    pub(crate) fn of(error: &Error) -> Self {
        let code = error.sqlite_error().map(|error| error.extended_code);
        match code {
            Some(ffi::SQLITE_IOERR_FSYNC | ffi::SQLITE_IOERR_DIR_FSYNC) => return Self::LostSync,
            Some(
                ffi::SQLITE_IOERR_READ | ffi::SQLITE_IOERR_SHORT_READ | ffi::SQLITE_IOERR_CORRUPTFS,
            ) => return Self::Unreadable,
            _ => {}
        }
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::Full,
            Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => Self::ReadOnly,
            // What it says after it has waited long for the locks of the write-ahead log.
            Some(
                ErrorCode::DatabaseBusy
                | ErrorCode::DatabaseLocked
                | ErrorCode::FileLockingProtocolFailed,
            ) => Self::Busy,
            Some(ErrorCode::CannotOpen) => Self::CannotOpen,
            Some(ErrorCode::SystemIoFailure) => Self::Disk,
            Some(ErrorCode::OutOfMemory) => Self::Memory,
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Self::Damaged,
            _ => Self::Fault,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extended_codes_say_more_than_primary_ones() {
        for (code, failure) in [
            (ffi::SQLITE_FULL, Failure::Full),
            (ffi::SQLITE_READONLY_DBMOVED, Failure::ReadOnly),
            (ffi::SQLITE_BUSY_SNAPSHOT, Failure::Busy),
            (ffi::SQLITE_PROTOCOL, Failure::Busy),
            (ffi::SQLITE_CANTOPEN_ISDIR, Failure::CannotOpen),
            (ffi::SQLITE_IOERR_SHORT_READ, Failure::Unreadable),
            (ffi::SQLITE_IOERR_WRITE, Failure::Disk),
            (ffi::SQLITE_IOERR_FSYNC, Failure::LostSync),
            (ffi::SQLITE_NOMEM, Failure::Memory),
            (ffi::SQLITE_CORRUPT_INDEX, Failure::Damaged),
            (ffi::SQLITE_CONSTRAINT_UNIQUE, Failure::Fault),
        ] {
            let error = Error::SqliteFailure(ffi::Error::new(code), None);
            assert_eq!(Failure::of(&error), failure, "{code}");
        }
    }
}
