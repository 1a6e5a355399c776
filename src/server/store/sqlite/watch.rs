//! Whether anyone has changed the database since it was last looked at.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::connection::Home;
use super::log_index::{Head, LogIndex};
use crate::server::store::driver::State;

/// Looks at the log of the database, where whoever commits leaves a trace.
#[derive(Default)]
pub(super) struct Watch(Mutex<Watching>);

#[derive(Default)]
struct Watching {
    /// How many logs have been watched.
    opened: u64,
    /// How often the one that is watched was found changed.
    changes: u64,
    seen: Option<Head>,
    /// With the number of the file whose log it is.
    index: Option<(u64, LogIndex)>,
}

impl Watch {
    /// Watches the file of this number.
    pub(super) fn open(&self, home: &Home, file: u64) -> rusqlite::Result<()> {
        let index = LogIndex::of(home.open_reader()?)?;
        let mut watching = self.watching();
        watching.opened += 1;
        let before = watching.index.replace((file, index));
        drop(watching);
        // Closed where nobody waits for it.
        drop(before);
        Ok(())
    }

    /// Whether it is the file of this number that is watched.
    pub(super) fn is_of(&self, file: u64) -> bool {
        let watching = self.watching();
        watching
            .index
            .as_ref()
            .is_some_and(|(opened, _)| *opened == file)
    }

    /// The state of the database, if it is the file of this number that is watched.
    pub(super) fn state(&self, file: u64) -> Option<State> {
        let mut watching = self.watching();
        let (opened, index) = watching.index.as_ref()?;
        let head = index.head().filter(|_| *opened == file)?;
        if watching.seen.replace(head) != Some(head) {
            watching.changes += 1;
        }
        Some(State {
            watch: watching.opened,
            version: watching.changes,
        })
    }

    /// Closes the file, until it is opened again.
    pub(super) fn close(&self) {
        let before = self.watching().index.take();
        drop(before);
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
        let watch = Watch::default();
        watch.open(&here, 0).unwrap();
        let state = |file| watch.state(file).unwrap();
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
        assert_eq!(watch.state(1), None, "it is another file");
        watch.open(&here, 1).unwrap();
        assert!(!seen.contains(&state(1)));
        seen.push(state(1));
        let gone = home(&folder.path().join("gone.db"));
        assert!(watch.open(&gone, 2).is_err());
        assert_eq!(Some(&state(1)), seen.last(), "the one before is still open");
        watch.close();
        assert_eq!(watch.state(1), None);
        watch.open(&here, 1).unwrap();
        assert!(!seen.contains(&state(1)));
    }
}
