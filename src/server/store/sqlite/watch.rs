//! Whether anyone has changed the database since it was last looked at.

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use rusqlite::Connection;

use super::connection::open_reader;
use crate::server::store::driver::State;

/// A reader that is asked for nothing else: it counts what all others change, and its count is like no other's.
pub(super) struct Watch(Mutex<Watching>);

struct Watching {
    /// How many have been opened.
    opened: u64,
    /// With the number of the file that it has open; none after one failed.
    reader: Option<(u64, Connection)>,
}

impl Watch {
    /// Watches the file of this number.
    pub(super) fn begin(file: u64, reader: Connection) -> Self {
        Self(Mutex::new(Watching {
            opened: 1,
            reader: Some((file, reader)),
        }))
    }

    /// The state of the database in this path, whose file has this number by now.
    pub(super) fn state(&self, path: &Path, file: u64) -> rusqlite::Result<State> {
        let mut watching = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let reader = match watching.reader.take() {
            Some((opened, reader)) if opened == file => reader,
            _ => {
                watching.opened += 1;
                open_reader(path)?
            }
        };
        let version = reader
            .prepare_cached("PRAGMA data_version")?
            .query_row([], |row| row.get(0))?;
        watching.reader = Some((file, reader));
        Ok(State {
            watch: watching.opened,
            version,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::store;
    use crate::server::store::sqlite::connection::reopen_writer;

    #[test]
    fn a_state_has_the_same_name_until_somebody_commits_or_the_file_is_another() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("server.db");
        drop(store::open(&path.clone().into(), None).unwrap());
        let (one, other) = (reopen_writer(&path).unwrap(), reopen_writer(&path).unwrap());
        let watch = Watch::begin(0, open_reader(&path).unwrap());
        let state = |file| watch.state(&path, file).unwrap();
        let mut seen = vec![state(0)];
        for (number, writer) in [&one, &other, &one].into_iter().enumerate() {
            writer.execute_batch("BEGIN").unwrap();
            let insert = "INSERT INTO organizer (slug, name) VALUES (?1, '')";
            writer.execute(insert, [number.to_string()]).unwrap();
            assert_eq!(Some(&state(0)), seen.last(), "it is not committed");
            writer.execute_batch("COMMIT").unwrap();
            assert!(!seen.contains(&state(0)));
            assert_eq!(state(0), state(0));
            seen.push(state(0));
        }
        assert!(!seen.contains(&state(1)));
        assert!(watch.state(&folder.path().join("gone.db"), 2).is_err());
        seen.push(state(1));
        assert!(!seen.contains(&state(2)));
    }
}
