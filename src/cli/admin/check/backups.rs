//! How old the newest backup is.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::id::Id;
use crate::cli::findings::Finding;
use crate::server::store;

/// Files of a folder that are looked at, the newest first.
const LOOKED_AT: usize = 50;

pub(super) fn newest(named: Option<&Path>, age: Duration) -> Finding<Id> {
    let id = Id::Backup;
    let Some(named) = named else {
        return Finding::needless(id, "where backups are is not known here")
            .advising("name their folder with --backups");
    };
    let shown = named.display();
    if !named.exists() {
        return Finding::failed(id, format!("nothing is at {shown}"))
            .advising("name the folder that backups are written to, or the last of them");
    }
    let files = match named.is_dir() {
        true => files_in(named),
        false => Ok(vec![named.to_owned()]),
    };
    let files = match files {
        Ok(files) => files,
        Err(error) => return Finding::failed(id, format!("{shown} can't be read: {error}")),
    };
    let taken = files.iter().take(LOOKED_AT).filter_map(|file| {
        let taken = store::backup_taken(file).ok().flatten()?;
        Some((taken, file))
    });
    let Some((taken, file)) = taken.max_by_key(|(taken, _)| *taken) else {
        return Finding::failed(id, format!("no backup of this version is at {shown}"))
            .advising("take one: admin backup FILE");
    };
    let old = Timestamp::now().duration_since(taken);
    let told = format!("the newest is {}, of {taken:.0}", file.display());
    match old > SignedDuration::try_from(age).unwrap_or(SignedDuration::MAX) {
        true => Finding::warning(id, format!("{told}: {} days old", old.as_hours() / 24))
            .advising("take one, and see why none was: admin backup FILE"),
        false => Finding::ok(id, told),
    }
}

/// Its files, the newest first.
fn files_in(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let found = entry.metadata()?;
        if found.is_file() {
            files.push((found.modified().ok(), entry.path()));
        }
    }
    files.sort();
    files.reverse();
    Ok(files.into_iter().map(|(_, path)| path).collect())
}
