//! Whose a file is, and how an older one becomes current.

use std::io;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, Transaction, TransactionBehavior};

use super::backup::SafetyCopy;

/// The tables of one kind of database, in all its versions. The version is kept in SQLite's
/// `user_version`.
#[derive(Debug)]
pub(crate) struct Schema {
    /// Kept in SQLite's `application_id`, so that another program's database is not taken for ours.
    pub(crate) application_id: u32,
    /// Forward only: step N leads from version N to N + 1, and a released step is never edited.
    pub(crate) steps: &'static [&'static str],
    /// Tables by which a database is known that was made before it had an application id.
    pub(crate) known_by: &'static [&'static str],
}

/// What a file turns out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// Nothing yet.
    Empty,
    /// A database of ours with this version, of this program or an older one.
    Ours(u32),
    /// A database of ours that a newer program has made or changed to this version.
    Newer(u32),
    /// A database of something else.
    Foreign,
}

/// Why a file can't be made current. It is as it was.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unusable {
    /// It is the database of something else.
    #[error("it is the database of another program")]
    Foreign,
    /// A newer program has changed it.
    #[error("it has version {found}, this gatehand knows up to {known}")]
    Newer {
        /// Its version.
        found: u32,
        /// The newest version this program knows.
        known: u32,
    },
    /// No copy could be made of it before it was to be changed.
    #[error("no copy can be made of it, without which it is not brought to version {known}")]
    NotCopied {
        /// The version that this program needs.
        known: u32,
        /// What failed.
        source: io::Error,
    },
    /// SQLite failed.
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
}

impl Schema {
    /// The version this program writes.
    pub(crate) const fn current(&self) -> u32 {
        self.steps.len() as u32
    }

    /// Tells what a file is, and changes nothing.
    pub(crate) fn look(&self, connection: &Connection) -> rusqlite::Result<Found> {
        let number = |sql| connection.query_row(sql, [], |row| row.get::<_, i64>(0));
        let version = number("PRAGMA user_version")?;
        let application_id = number("PRAGMA application_id")?;
        if version == 0 && application_id == 0 && number("SELECT count(*) FROM sqlite_schema")? == 0
        {
            return Ok(Found::Empty);
        }
        let is_ours = match application_id {
            0 => self.has_known_tables(connection)?,
            id => id == i64::from(self.application_id),
        };
        Ok(match u32::try_from(version) {
            Ok(version) if is_ours && version > self.current() => Found::Newer(version),
            Ok(version) if is_ours && version > 0 => Found::Ours(version),
            _ => Found::Foreign,
        })
    }

    fn has_known_tables(&self, connection: &Connection) -> rusqlite::Result<bool> {
        let mut known =
            connection.prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?1")?;
        for table in self.known_by {
            if !known.exists([table])? {
                return Ok(false);
            }
        }
        Ok(!self.known_by.is_empty())
    }

    /// Makes an empty file a database and brings an older one to the current version, after a copy of it
    /// was made beside it, which stays only if it could be done. `check` looks at what was made before
    /// anything is copied or changed. What `finish` does with the version that was found, 0 for an empty
    /// file, is part of the same transaction.
    pub(crate) fn bring_up<E: From<Unusable>>(
        &self,
        connection: &mut Connection,
        path: &Path,
        check: impl FnOnce(&Transaction<'_>) -> Result<(), E>,
        finish: impl FnOnce(&Transaction<'_>, u32) -> Result<(), E>,
    ) -> Result<Option<PathBuf>, E> {
        let sqlite = |error| E::from(Unusable::Sqlite(error));
        let transaction = connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(sqlite)?;
        let known = self.current();
        let found = match self.look(&transaction).map_err(sqlite)? {
            Found::Empty => 0,
            Found::Ours(found) => found,
            Found::Newer(found) => return Err(Unusable::Newer { found, known }.into()),
            Found::Foreign => return Err(Unusable::Foreign.into()),
        };
        if found > 0 {
            check(&transaction)?;
        }
        let copy = match (1..known).contains(&found) {
            true => {
                let copied = SafetyCopy::make(path, found);
                Some(copied.map_err(|source| Unusable::NotCopied { known, source })?)
            }
            false => None,
        };
        self.run_steps(&transaction, found).map_err(sqlite)?;
        finish(&transaction, found)?;
        transaction.commit().map_err(sqlite)?;
        Ok(copy.map(|copy| copy.keep(path)))
    }

    /// The same of a copy, which nobody else has open, and of which none has to be kept.
    #[cfg(feature = "server")]
    pub(crate) fn bring_up_alone(&self, connection: &mut Connection) -> Result<(), Unusable> {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let known = self.current();
        let found = match self.look(&transaction)? {
            Found::Empty => 0,
            Found::Ours(found) => found,
            Found::Newer(found) => return Err(Unusable::Newer { found, known }),
            Found::Foreign => return Err(Unusable::Foreign),
        };
        self.run_steps(&transaction, found)?;
        Ok(transaction.commit()?)
    }

    fn run_steps(&self, transaction: &Transaction<'_>, found: u32) -> rusqlite::Result<()> {
        for (step, sql) in (0..).zip(self.steps).filter(|(step, _)| *step >= found) {
            transaction.execute_batch(sql)?;
            transaction.pragma_update(None, "user_version", step + 1)?;
        }
        let stamped: i64 = transaction.query_row("PRAGMA application_id", [], |row| row.get(0))?;
        match stamped == i64::from(self.application_id) {
            true => Ok(()),
            false => transaction.pragma_update(None, "application_id", self.application_id),
        }
    }
}

#[cfg(test)]
impl Schema {
    /// Asserts that the first steps make just the tables that this database has, which they made when
    /// they were released.
    pub(crate) fn assert_made(&self, steps: usize, released: &Path) {
        let tables = |connection: &Connection| -> Vec<(String, String)> {
            let mut statement = connection
                .prepare("SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name")
                .unwrap();
            let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)));
            rows.unwrap().collect::<Result<_, _>>().unwrap()
        };
        // SQLite would write into the folder of a database with a log.
        let copy = tempfile::NamedTempFile::new().unwrap();
        std::fs::copy(released, copy.path()).unwrap();
        let made = Connection::open_in_memory().unwrap();
        made.execute_batch(&self.steps[..steps].concat()).unwrap();
        let found = Connection::open(copy.path()).unwrap();
        assert_eq!(tables(&made), tables(&found), "{}", released.display());
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use rusqlite::OpenFlags;

    use super::*;
    use crate::{private_file, sqlite};

    const STEPS: [&str; 2] = [
        "CREATE TABLE thing (name TEXT)",
        "ALTER TABLE thing ADD COLUMN size INTEGER",
    ];
    const OLDER: Schema = Schema {
        application_id: 0x7465_7374,
        steps: STEPS.first_chunk::<1>().unwrap(),
        known_by: &["thing"],
    };
    const NEWER: Schema = Schema {
        steps: &STEPS,
        ..OLDER
    };

    struct File {
        _folder: tempfile::TempDir,
        path: PathBuf,
    }

    impl File {
        fn empty() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("a.db");
            private_file::ensure(&path, &[]).unwrap();
            Self {
                _folder: folder,
                path,
            }
        }

        fn open(&self) -> Connection {
            sqlite::open(&self.path, OpenFlags::SQLITE_OPEN_READ_WRITE).unwrap()
        }

        fn bring_up(&self, schema: &Schema) -> Result<Option<PathBuf>, Unusable> {
            schema.bring_up(
                &mut self.open(),
                &self.path,
                |_| Ok(()),
                |_, _| Ok::<_, Unusable>(()),
            )
        }
    }

    #[test]
    fn an_older_database_is_copied_before_it_is_changed() {
        let file = File::empty();
        assert_eq!(file.bring_up(&OLDER).unwrap(), None);
        file.open()
            .execute("INSERT INTO thing VALUES ('one')", [])
            .unwrap();
        let copy = file.bring_up(&NEWER).unwrap().unwrap();
        assert_eq!(copy, file.path.with_file_name("a.db.version-1"));
        let mode = fs::metadata(&copy).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(NEWER.look(&file.open()).unwrap(), Found::Ours(2));
        let copied = sqlite::open(&copy, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
        assert_eq!(OLDER.look(&copied).unwrap(), Found::Ours(1));
        let name: String = copied
            .query_row("SELECT name FROM thing", [], |row| row.get(0))
            .unwrap();
        assert_eq!(name, "one");
        // Nothing is left to do, and so nothing to copy.
        assert_eq!(file.bring_up(&NEWER).unwrap(), None);
        // An older copy was put back: its own copy takes no other's place.
        fs::copy(&copy, &file.path).unwrap();
        let second = file.bring_up(&NEWER).unwrap().unwrap();
        assert_eq!(second, file.path.with_file_name("a.db.version-1-2"));
    }

    #[test]
    fn only_the_last_copies_are_kept_and_what_is_no_copy_stays() {
        let file = File::empty();
        file.bring_up(&OLDER).unwrap();
        let older = fs::read(&file.path).unwrap();
        let other = file.path.with_file_name("a.db.version-mine");
        fs::write(&other, "x").unwrap();
        let mut copies = Vec::new();
        for _ in 0..5 {
            for end in ["-wal", "-shm"] {
                let _ = fs::remove_file(file.path.with_file_name(format!("a.db{end}")));
            }
            fs::write(&file.path, &older).unwrap();
            let copy = file.bring_up(&NEWER).unwrap().unwrap();
            assert!(copy.exists());
            copies.push(copy);
        }
        // The name of one that was removed is free again.
        copies.sort();
        copies.dedup();
        let kept = copies.iter().filter(|copy| copy.exists()).count();
        assert_eq!(kept, 3, "{copies:?}");
        assert!(other.exists());
    }

    #[test]
    fn a_database_that_cannot_be_copied_is_not_changed() {
        let file = File::empty();
        file.bring_up(&OLDER).unwrap();
        let nowhere = file.path.with_file_name("missing").join("a.db");
        let error = NEWER
            .bring_up(
                &mut file.open(),
                &nowhere,
                |_| Ok(()),
                |_, _| Ok::<_, Unusable>(()),
            )
            .unwrap_err();
        assert!(matches!(error, Unusable::NotCopied { known: 2, .. }));
        assert_eq!(NEWER.look(&file.open()).unwrap(), Found::Ours(1));
    }

    #[test]
    fn what_fails_at_the_end_leaves_the_file_as_it_was() {
        let file = File::empty();
        let failing = |_: &Transaction<'_>, _| Err(Unusable::Foreign);
        OLDER
            .bring_up(&mut file.open(), &file.path, |_| Ok(()), failing)
            .unwrap_err();
        assert_eq!(OLDER.look(&file.open()).unwrap(), Found::Empty);

        file.bring_up(&OLDER).unwrap();
        let refusing = |_: &Transaction<'_>| Err(Unusable::Foreign);
        let failing = |_: &Transaction<'_>, _| Err(Unusable::Foreign);
        for _ in 0..2 {
            let ended = NEWER.bring_up(&mut file.open(), &file.path, |_| Ok(()), failing);
            ended.unwrap_err();
            let ended = NEWER.bring_up(&mut file.open(), &file.path, refusing, |_, _| Ok(()));
            ended.unwrap_err();
        }
        assert_eq!(NEWER.look(&file.open()).unwrap(), Found::Ours(1));
        let folder = fs::read_dir(file.path.parent().unwrap()).unwrap();
        assert_eq!(folder.count(), 1, "no copy is left");
    }

    #[test]
    fn a_database_from_before_is_known_by_its_tables_and_stamped() {
        let file = File::empty();
        let connection = file.open();
        connection.execute_batch(STEPS[0]).unwrap();
        assert_eq!(OLDER.look(&connection).unwrap(), Found::Foreign);
        connection.pragma_update(None, "user_version", 1).unwrap();
        assert_eq!(OLDER.look(&connection).unwrap(), Found::Ours(1));
        let unknown = Schema {
            known_by: &[],
            ..OLDER
        };
        assert_eq!(unknown.look(&connection).unwrap(), Found::Foreign);
        file.bring_up(&OLDER).unwrap();
        assert_eq!(unknown.look(&connection).unwrap(), Found::Ours(1));
    }

    #[test]
    fn another_programs_database_and_a_newer_one_are_left_as_they_are() {
        let file = File::empty();
        file.bring_up(&NEWER).unwrap();
        let before = fs::read(&file.path).unwrap();
        let error = file.bring_up(&OLDER).unwrap_err();
        assert!(matches!(error, Unusable::Newer { found: 2, known: 1 }));
        let other = Schema {
            application_id: 7,
            ..NEWER
        };
        let error = file.bring_up(&other).unwrap_err();
        assert!(matches!(error, Unusable::Foreign));
        assert_eq!(fs::read(&file.path).unwrap(), before);
    }
}
