//! The copy that is made of a database before a newer version changes it.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use rusqlite::OpenFlags;

use crate::private_file;

/// Copies the database in `path`, which nobody may be changing meanwhile, beside it, and says where to:
/// `server.db.version-1`, or with a number more where that name is taken.
pub(super) fn copy(path: &Path, version: u32) -> io::Result<PathBuf> {
    let mut attempt = 1;
    loop {
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".version-{version}"));
        if attempt > 1 {
            name.push(format!("-{attempt}"));
        }
        let copy = PathBuf::from(name);
        match private_file::create_with(&copy, |draft, file| copy_into(path, draft, file)) {
            Ok(()) => return Ok(copy),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => attempt += 1,
            Err(error) => return Err(error),
        }
    }
}

fn copy_into(path: &Path, draft: &Path, _: &mut File) -> io::Result<()> {
    let draft = draft.to_str().ok_or(ErrorKind::InvalidFilename)?;
    super::open(path, OpenFlags::SQLITE_OPEN_READ_ONLY)
        .and_then(|connection| connection.execute("VACUUM INTO ?1", [draft]))
        .map(drop)
        .map_err(io::Error::other)
}
