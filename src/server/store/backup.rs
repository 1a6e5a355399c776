//! Backups: all of a server in one file, as it is at one time, taken while it is served.

use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::database::Database;
use super::driver::{Driver, Opened, Purpose};
use super::error::StoreError;
use super::open_error::{OpenError, OpenFailure};
use super::operations::restoration;
use super::operations::tables::TABLES;
use super::postgres::Postgres;
use super::session::Session;
use super::sqlite::{Standalone, glance};
use super::transfer;
use crate::private_file;

/// Why no backup was taken. There is no file then.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// There is nothing to back up.
    #[error("there is no database {0}")]
    Missing(Database),
    /// The database can't be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The file is there already.
    #[error("there is already {}; a backup never takes another file's place", file.display())]
    Exists {
        /// The file.
        file: PathBuf,
    },
    /// The file can't be made.
    #[error("can't write {}", file.display())]
    Write {
        /// The file.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The database failed, or the file did.
    #[error("can't back {database} up")]
    Copy {
        /// The database.
        database: Database,
        /// Why.
        source: StoreError,
    },
    /// The copy is not whole, and so the database isn't.
    #[error("{database} is damaged: {fault}")]
    Damaged {
        /// The database.
        database: Database,
        /// What SQLite says.
        fault: String,
    },
}

impl BackupError {
    /// What to do about it, for whoever runs the server.
    pub fn advice(&self) -> Option<String> {
        match self {
            Self::Missing(_) => Some("name the server's database with --database".into()),
            Self::Open(error) => error.advice().map(Into::into),
            Self::Exists { .. } => Some("name another file".into()),
            Self::Write { .. } => {
                Some("see that there is room, and that the folder may be written".into())
            }
            Self::Copy { source, .. } => source.advice().map(Into::into),
            Self::Damaged { .. } => Some(
                "keep the file as it is, and restore the last backup: admin restore FILE --replace"
                    .into(),
            ),
        }
    }
}

/// How many rows a table of a backup has.
#[derive(Clone, Debug, serde::Serialize)]
pub struct CountedTable {
    /// Its name.
    pub table: &'static str,
    /// How many rows it has.
    pub rows: u64,
}

/// A backup that was taken.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Backup {
    /// When.
    #[serde(with = "crate::wire::timestamp")]
    pub taken: Timestamp,
    /// What is in it.
    pub tables: Vec<CountedTable>,
}

impl Backup {
    /// How many rows the table of this name has.
    pub fn rows(&self, table: &str) -> u64 {
        let found = self.tables.iter().find(|counted| counted.table == table);
        found.map_or(0, |counted| counted.rows)
    }
}

/// Takes a backup of a server, which may be running, into a file that is missing. It is private from its creation,
/// and there only once it is whole, has been read again, and is on the disk.
///
/// Not to be called in a runtime: it has one of its own.
pub fn backup(
    database: &Database,
    file: &Path,
    secret_file: Option<&Path>,
) -> Result<Backup, BackupError> {
    if !database.is_there() {
        return Err(BackupError::Missing(database.clone()));
    }
    let write = |source| BackupError::Write {
        file: file.to_owned(),
        source,
    };
    let file = &std::path::absolute(file).map_err(write)?;
    if file.symlink_metadata().is_ok() {
        let file = file.clone();
        return Err(BackupError::Exists { file });
    }
    private_file::remove_drafts(file).map_err(write)?;
    let mut taken = None;
    let created = private_file::create_with(file, |draft, _| {
        let done = fill(database, draft, secret_file);
        let is_done = done.is_ok();
        taken = Some(done);
        match is_done {
            true => Ok(()),
            false => Err(io::Error::other("it was not filled")),
        }
    });
    match (taken, created) {
        (Some(Err(error)), _) => Err(error),
        (Some(Ok(backup)), Ok(())) => Ok(backup),
        (_, Err(error)) if error.kind() == io::ErrorKind::AlreadyExists => {
            let file = file.clone();
            Err(BackupError::Exists { file })
        }
        (_, Err(source)) => Err(BackupError::Write {
            file: file.clone(),
            source,
        }),
        (None, Ok(())) => Err(write(io::Error::other("it was not filled"))),
    }
}

/// When a backup was taken; nothing of a file that is none of this version.
pub fn backup_taken(file: &Path) -> Result<Option<Timestamp>, StoreError> {
    Ok(glance(file, restoration::marked_taken)?.flatten())
}

fn fill(
    database: &Database,
    draft: &Path,
    secret_file: Option<&Path>,
) -> Result<Backup, BackupError> {
    let open = |source| OpenError {
        database: database.clone(),
        source,
    };
    let copy = |source| BackupError::Copy {
        database: database.clone(),
        source,
    };
    // What is in it was done by then.
    let taken = Timestamp::now();
    let mut made = match database {
        Database::Sqlite(path) => Standalone::copy(path, draft).map_err(open)?,
        Database::Postgres(address) => {
            let opened = Postgres::open(address, secret_file, Purpose::Administering);
            copy_rows(opened.map_err(open)?, draft).map_err(|failure| match failure {
                OpenFailure::Store(source) => copy(*source),
                failure => open(failure).into(),
            })?
        }
    };
    let tables = made.work(|session| {
        restoration::mark_taken(session, taken)?;
        count(session)
    });
    let tables = tables.map_err(copy)?;
    match made.fault().map_err(open)? {
        Some(fault) => Err(BackupError::Damaged {
            database: database.clone(),
            fault,
        }),
        None => Ok(Backup { taken, tables }),
    }
}

/// Copies all rows, as they are at one time, into a new database.
fn copy_rows<D: Driver>(from: Opened<D>, draft: &Path) -> Result<Standalone, OpenFailure> {
    let mut made = Standalone::make(draft, &from.keys.check())?;
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let runtime = runtime.map_err(OpenFailure::File)?;
    let (send, receive) = transfer::way();
    let (written, read) = std::thread::scope(|threads| {
        // In its own thread it is dropped where it fails, and nobody waits to be taken from.
        let made = &mut made;
        let writing = std::thread::Builder::new().name("gatehand-backup".into());
        let writing = writing.spawn_scoped(threads, move || {
            made.work(|session| receive.write_all(session))
        });
        let read = runtime.block_on(from.driver.read(move |session| send.all(session)));
        let written = writing.map(|thread| thread.join());
        (written, read)
    });
    let written = written.map_err(OpenFailure::File)?;
    let store = |error: StoreError| OpenFailure::Store(error.into());
    match (written, read) {
        // The other one ended, and says why.
        (Ok(written), Err(StoreError::GivenUp)) => written.map_err(store)?,
        (_, Err(error)) => return Err(store(error)),
        (Ok(written), Ok(_)) => written.map_err(store)?,
        (Err(_), Ok(_)) => return Err(OpenFailure::File(io::Error::other("writing panicked"))),
    }
    Ok(made)
}

fn count(session: &mut dyn Session) -> Result<Vec<CountedTable>, StoreError> {
    let mut tables = Vec::with_capacity(TABLES.len());
    for table in TABLES.iter().map(|table| table.name) {
        let rows = session.one(&format!("SELECT count(*) FROM {table}"), &[])?;
        tables.push(CountedTable {
            table,
            rows: rows.unwrap_or_default(),
        });
    }
    Ok(tables)
}
