//! The copy that is made of a database before a newer version changes it.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::backup::Backup;
use rusqlite::{Connection, OpenFlags};

use crate::private_file;

/// Pages copied at once: all there are.
const ALL: i32 = i32::MAX;

/// How many copies of a database stay: those that were made last.
const KEPT: usize = 3;

/// What stands between a database's name and the version of a copy.
const MARK: &str = ".version-";

/// A copy, removed again unless it is kept.
pub(super) struct SafetyCopy {
    path: PathBuf,
    is_kept: bool,
}

impl SafetyCopy {
    /// Copies the database in `path`, which nobody may be changing meanwhile, beside it, as
    /// `server.db.version-1`, or with a number more where that name is taken.
    pub(super) fn make(path: &Path, version: u32) -> io::Result<Self> {
        let mut attempt = 1;
        loop {
            let mut name = path.as_os_str().to_owned();
            name.push(format!("{MARK}{version}"));
            if attempt > 1 {
                name.push(format!("-{attempt}"));
            }
            let copy = PathBuf::from(name);
            private_file::remove_drafts(&copy)?;
            match private_file::create_with(&copy, |draft, _| copy_into(path, draft)) {
                Ok(()) => {
                    return Ok(Self {
                        path: copy,
                        is_kept: false,
                    });
                }
                Err(error) if error.kind() == ErrorKind::AlreadyExists => attempt += 1,
                Err(error) => return Err(error),
            }
        }
    }

    /// Leaves it there, and of older ones as many as are kept; where it is.
    pub(super) fn keep(mut self, of: &Path) -> PathBuf {
        self.is_kept = true;
        if let Err(error) = remove_oldest(of, &self.path) {
            tracing::warn!(%error, "copies of {} that are too many can't be removed", of.display());
        }
        std::mem::take(&mut self.path)
    }
}

impl Drop for SafetyCopy {
    fn drop(&mut self) {
        if !self.is_kept
            && let Err(error) = fs::remove_file(&self.path)
        {
            tracing::warn!(%error, "the copy {} is of no use and can't be removed", self.path.display());
        }
    }
}

/// Removes the copies of the database in `path` that are too many beside the newest.
fn remove_oldest(path: &Path, newest: &Path) -> io::Result<()> {
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
        return Ok(());
    };
    let prefix = format!("{}{MARK}", name.to_string_lossy());
    let is_copy = |name: &str| {
        let number = |text: &str| !text.is_empty() && text.bytes().all(|c| c.is_ascii_digit());
        let suffix = name.strip_prefix(&prefix);
        suffix.is_some_and(|suffix| match suffix.split_once('-') {
            Some((version, attempt)) => number(version) && number(attempt),
            None => number(suffix),
        })
    };
    let mut copies = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.path() != newest && entry.file_name().to_str().is_some_and(is_copy) {
            copies.push((entry.metadata()?.modified()?, entry.path()));
        }
    }
    copies.sort();
    let too_many = copies.len().saturating_sub(KEPT - 1);
    for (_, copy) in copies.into_iter().take(too_many) {
        fs::remove_file(copy)?;
    }
    Ok(())
}

fn copy_into(path: &Path, draft: &Path) -> io::Result<()> {
    let copy = || -> rusqlite::Result<()> {
        let from = super::open(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        let mut to: Connection = super::open(draft, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        // A copy that is not whole is thrown away, so that it needs no journal to undo it by.
        to.execute_batch("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF")?;
        Backup::new(&from, &mut to)?.run_to_completion(ALL, Duration::ZERO, None)
    };
    copy().map_err(|error| match super::Failure::of(&error) {
        super::Failure::Full => io::Error::new(ErrorKind::StorageFull, error),
        _ => io::Error::other(error),
    })
}
