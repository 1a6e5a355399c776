//! What to do about an error of SQLite.

use rusqlite::{Error, ErrorCode, ffi};

/// What nothing but a mistake of ours brings about.
pub(super) const FAULT: &str = "this is a fault of gatehand: report it";

/// What to do, for whoever runs the server.
pub(super) fn advice(error: &Error) -> &'static str {
    if let Some(ffi::SQLITE_IOERR_FSYNC | ffi::SQLITE_IOERR_DIR_FSYNC) =
        error.sqlite_error().map(|error| error.extended_code)
    {
        return "the disk does not keep what is written, and may be failing: look into the kernel's log, and copy the database to another disk";
    }
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => "make room on the disk of the database",
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            "another process holds the database, as a backup or a shell with an open transaction: end it (fuser names it)"
        }
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => {
            "let the server's user write the database and its folder, and mount their file system for writing"
        }
        Some(ErrorCode::CannotOpen) => {
            "if the database is gone, mount its disk again or put it back; the server goes on by itself. If it is there, let the server open more files"
        }
        Some(ErrorCode::SystemIoFailure | ErrorCode::FileLockingProtocolFailed) => {
            "the disk or its file system may be failing: look into the kernel's log"
        }
        Some(ErrorCode::OutOfMemory) => "leave more memory to the server",
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            "the database is damaged: stop the server and restore it from a backup"
        }
        _ => FAULT,
    }
}
