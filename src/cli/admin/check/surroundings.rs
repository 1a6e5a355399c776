//! The disk that a database is on.

use std::fs;
use std::path::Path;

use rustix::fs::{StatVfsMountFlags, statvfs};

use super::id::Id;
use crate::cli::findings::Finding;
use crate::server::store::Database;

/// Room below which the next change may fail, in bytes.
const TOO_LITTLE: u64 = 16 * 1024 * 1024;
/// Room below which somebody should make some, besides what a copy of the database takes.
const LITTLE: u64 = 256 * 1024 * 1024;

pub(super) fn disk(database: &Database) -> Finding<Id> {
    let Database::Sqlite(path) = database else {
        return Finding::needless(
            Id::Disk,
            "the database's disk is PostgreSQL's to watch, on its machine",
        );
    };
    of(&std::path::absolute(path).unwrap_or_else(|_| path.clone()))
}

fn of(path: &Path) -> Finding<Id> {
    let id = Id::Disk;
    let Some(there) = path.ancestors().skip(1).find(|folder| folder.exists()) else {
        return Finding::failed(id, format!("nothing is at {}", path.display()));
    };
    let shown = there.display();
    let found = match statvfs(there) {
        Ok(found) => found,
        Err(error) => return Finding::failed(id, format!("{shown} can't be looked at: {error}")),
    };
    if found.f_flag.contains(StatVfsMountFlags::RDONLY) {
        return Finding::failed(
            id,
            format!("{shown} is on a file system that can't be written now"),
        )
        .advising("see in the system's log whether the disk is damaged");
    }
    let room = found.f_bavail.saturating_mul(found.f_frsize);
    let file = fs::metadata(path).ok().filter(|file| file.is_file());
    let size = file.map(|file| file.len());
    let of_database =
        size.map(|size| format!(", for a database of {} MB", size.div_ceil(1_000_000)));
    let told = format!(
        "{} MB free at {shown}{}",
        room / 1_000_000,
        of_database.unwrap_or_default()
    );
    let size = size.unwrap_or_default();
    const ADVICE: &str = "make room: a new version copies the database before it changes its tables, and its log grows while backups are taken";
    if room < TOO_LITTLE {
        return Finding::failed(id, format!("{told}: the next change may not find room"))
            .advising(ADVICE);
    }
    match room < LITTLE.saturating_add(size.saturating_mul(2)) {
        true => Finding::warning(id, told).advising(ADVICE),
        false => Finding::ok(id, told),
    }
}
