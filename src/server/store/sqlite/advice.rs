//! What to do about a failure of the database.

use rusqlite::Error;

use crate::server::store::error::FAULT;
use crate::sqlite::Failure;

/// What to do, for whoever runs the server.
pub(super) fn advice(error: &Error) -> &'static str {
    match Failure::of(error) {
        Failure::LostSync => {
            "the disk does not keep what is written, and may be failing: look into the kernel's log, and copy the database to another disk"
        }
        Failure::Full => "make room on the disk of the database",
        Failure::Busy => {
            "another process holds the database: an import is waited for; a backup or a shell with an open transaction is to be ended (fuser names it)"
        }
        Failure::ReadOnly => {
            "let the server's user write the database and its folder, and mount their file system for writing"
        }
        Failure::CannotOpen => {
            "if the database is gone, mount its disk again or put it back; the server goes on by itself. If it is there, let the server open more files"
        }
        Failure::Unreadable | Failure::Disk => {
            "the disk or its file system may be failing: look into the kernel's log"
        }
        Failure::Memory => "leave more memory to the server",
        Failure::Damaged => "the database is damaged: stop the server and restore it from a backup",
        Failure::Fault => FAULT,
    }
}
