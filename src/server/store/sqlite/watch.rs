//! Whether anyone has changed the database since it was last looked at.

use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::Connection;

use super::connection::Home;
use crate::server::store::driver::State;

/// A reader that is asked for nothing else: it counts what all others change, and its count is like no other's.
#[derive(Default)]
pub(super) struct Watch(Mutex<Watching>);

#[derive(Default)]
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

    /// The state of this database, whose file has this number by now.
    pub(super) fn state(&self, home: &Home, file: u64) -> rusqlite::Result<State> {
        let mut watching = self.watching();
        let reader = match watching.reader.take() {
            Some((opened, reader)) if opened == file => reader,
            _ => {
                watching.opened += 1;
                home.open_reader()?
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

    /// Closes the file, until it is asked for its state again.
    pub(super) fn close(&self) {
        self.watching().reader = None;
    }

    fn watching(&self) -> MutexGuard<'_, Watching> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::store;
    use crate::server::store::driver::Purpose;
    use crate::server::store::sqlite::connection::open_writer;

    #[test]
    fn a_state_has_the_same_name_until_somebody_commits_or_the_file_is_another() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("server.db");
        drop(store::open(&path.clone().into(), None).unwrap());
        let home = |path| Home::new(path, [0; 32], Purpose::Administering);
        let here = home(&path);
        let ((one, _), (other, _)) = (open_writer(&path).unwrap(), open_writer(&path).unwrap());
        let watch = Watch::begin(0, here.open_reader().unwrap());
        let state = |file| watch.state(&here, file).unwrap();
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
        let gone = home(&folder.path().join("gone.db"));
        assert!(watch.state(&gone, 2).is_err());
        seen.push(state(1));
        assert!(!seen.contains(&state(2)));
        seen.push(state(2));
        watch.close();
        assert!(!seen.contains(&state(2)));
    }
}
