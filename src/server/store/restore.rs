//! Restoring a backup: what was done since is undone, and what that makes dangerous is dealt with before anybody is
//! served by it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use tempfile::TempDir;

use super::api::Actor;
use super::database::Database;
use super::driver::{Driver, Opened, Purpose};
use super::error::StoreError;
use super::open_error::{OpenError, OpenFailure};
use super::operations::Context;
use super::operations::restoration::{self, LastNumbers, Skip};
use super::operations::tables::TABLES;
use super::postgres::Postgres;
use super::postgres_address::PostgresAddress;
use super::session::Session;
use super::sqlite::{self, Standalone, SwapError, swap};
use super::transfer;
use crate::private_file;
use crate::server::installation_keys::InstallationKeys;
use crate::server::model::Expected;
use crate::server::secret_file::{SecretFile, SecretFileError};

/// What stands behind a database's name while one is made to take its place.
const DRAFT: &str = ".restoring";

/// Why a backup was not restored. What was there before is as it was.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// The file is none, or can't be read.
    #[error("can't restore {}", file.display())]
    Backup {
        /// The file.
        file: PathBuf,
        /// Why.
        source: OpenFailure,
    },
    /// The file is not whole.
    #[error("the backup {} is damaged: {fault}", file.display())]
    Damaged {
        /// The file.
        file: PathBuf,
        /// What SQLite says.
        fault: String,
    },
    /// The server's secret is missing or another one.
    #[error("can't restore {} with the secret in {}", file.display(), secret.display())]
    Secret {
        /// The backup.
        file: PathBuf,
        /// The secret's file.
        secret: PathBuf,
        /// Why.
        source: OpenFailure,
    },
    /// There is a server's database already.
    #[error("{database} is not empty")]
    Occupied {
        /// The database.
        database: Database,
    },
    /// A server has the database open.
    #[error("{database} is in use")]
    InUse {
        /// The database.
        database: Database,
    },
    /// Where it is to be restored to can't be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// What is restored can't be written.
    #[error("can't restore to {database}")]
    Write {
        /// The database.
        database: Database,
        /// Why.
        source: io::Error,
    },
    /// The database failed.
    #[error("can't restore to {database}")]
    Store {
        /// The database.
        database: Database,
        /// Why.
        source: StoreError,
    },
}

impl RestoreError {
    /// What to do about it, for whoever runs the server.
    pub fn advice(&self) -> Option<String> {
        match self {
            Self::Backup { source: OpenFailure::Newer { .. }, .. } => Some("update gatehand".into()),
            Self::Backup { .. } => Some("name a file that admin backup has made".into()),
            Self::Damaged { .. } => Some("take an earlier backup".into()),
            Self::Secret { .. } => Some(
                "put the secret of the server that was backed up there, with mode 600, or name it with --secret-file: without it no backup of that server is of use".into(),
            ),
            Self::Occupied { .. } => Some(
                "with --replace the backup takes its place, and what is there is kept beside it".into(),
            ),
            Self::InUse { .. } => Some("stop the server first".into()),
            Self::Open(error) => error.advice().map(Into::into),
            Self::Write { .. } => Some("see that there is room, and that the folder may be written".into()),
            Self::Store { source, .. } => source.advice().map(Into::into),
        }
    }
}

/// How a backup is restored.
#[derive(Clone, Debug, Default)]
pub struct Restoring {
    /// Whether it may take the place of a database in which there is something.
    pub replaces: bool,
    /// How many numbers of devices are skipped; else as many as an organizer has devices, and no less than 1000.
    pub skipped_numbers: Option<u64>,
}

/// Restores a backup. Servers refuse the database from then on, until that is confirmed. Where a kill cuts it short,
/// there is what was there before, or a mark by which all refuse what is there.
///
/// Returns where what was there is kept. Not to be called in a runtime: it has one of its own.
pub fn restore(
    file: &Path,
    database: &Database,
    secret_file: Option<&Path>,
    restoring: &Restoring,
) -> Result<Option<String>, RestoreError> {
    let task = Task {
        file,
        database,
        restoring,
        now: Timestamp::now(),
    };
    match database {
        Database::Sqlite(path) => task.replace_file(path, secret_file),
        Database::Postgres(address) => task.replace_rows(address, secret_file),
    }
}

struct Task<'a> {
    file: &'a Path,
    database: &'a Database,
    restoring: &'a Restoring,
    now: Timestamp,
}

impl Task<'_> {
    fn open_error(&self, source: OpenFailure) -> RestoreError {
        let database = self.database.clone();
        OpenError { database, source }.into()
    }

    fn write_error(&self, source: io::Error) -> RestoreError {
        let database = self.database.clone();
        RestoreError::Write { database, source }
    }

    fn store_error(&self, source: StoreError) -> RestoreError {
        let database = self.database.clone();
        RestoreError::Store { database, source }
    }

    fn secret_error(&self, secret: &SecretFile, source: OpenFailure) -> RestoreError {
        RestoreError::Secret {
            file: self.file.to_owned(),
            secret: secret.path().to_owned(),
            source,
        }
    }

    fn keys(&self, secret: &SecretFile) -> Result<InstallationKeys, RestoreError> {
        let path = secret.path().to_owned();
        let found = match secret.load() {
            Ok(Some(found)) => Ok(found),
            Ok(None) => Err(SecretFileError::Missing { path }),
            Err(error) => Err(error),
        };
        let found = found.map_err(|error| self.secret_error(secret, error.into()))?;
        Ok(InstallationKeys::derive(&found))
    }

    /// A copy of the backup in an empty file, in the current version, once all of it was found to be whole and of
    /// this secret.
    fn copy(
        &self,
        draft: &Path,
        secret: &SecretFile,
        keys: &InstallationKeys,
    ) -> Result<Standalone, RestoreError> {
        let backup = |source| RestoreError::Backup {
            file: self.file.to_owned(),
            source,
        };
        if let Err(error) = fs::File::open(self.file) {
            return Err(backup(OpenFailure::File(error)));
        }
        let copy = Standalone::copy(self.file, draft).map_err(backup)?;
        if let Some(fault) = copy.fault().map_err(backup)? {
            let file = self.file.to_owned();
            return Err(RestoreError::Damaged { file, fault });
        }
        match copy.key_check().map_err(backup)? == keys.check() {
            true => Ok(copy),
            false => Err(self.secret_error(secret, OpenFailure::OtherSecret)),
        }
    }

    fn context<'k>(&self, keys: &'k InstallationKeys) -> Context<'k> {
        Context {
            expected: Expected::ANYTHING,
            actor: Actor::Administrator,
            now: self.now,
            keys,
        }
    }

    fn skip(&self, known: LastNumbers) -> Skip {
        Skip {
            known,
            numbers: self.restoring.skipped_numbers,
        }
    }

    fn replace_file(
        &self,
        path: &Path,
        secret_file: Option<&Path>,
    ) -> Result<Option<String>, RestoreError> {
        if let Some(folder) = self.database.missing_folder() {
            return Err(self.open_error(OpenFailure::NoFolder(folder)));
        }
        let path = std::path::absolute(path).map_err(|error| self.write_error(error))?;
        if path.is_dir() {
            return Err(self.open_error(OpenFailure::Folder));
        }
        let named = secret_file.map(std::path::absolute).transpose();
        let named = named.map_err(|error| self.write_error(error))?;
        let secret = SecretFile::locate(named.as_deref(), &path);
        let keys = self.keys(&secret)?;
        // A link stays one: what it leads to is replaced.
        let path = path.canonicalize().unwrap_or(path);
        let known = self.known_in(&path)?;

        let draft = swap::with_end(&path, DRAFT);
        remove_left(&draft).map_err(|error| self.write_error(error))?;
        let mut filled = Ok(());
        let created = private_file::create_with(&draft, |draft, _| {
            filled = self.fill(draft, &secret, &keys, known);
            match filled {
                Ok(()) => Ok(()),
                Err(_) => Err(io::Error::other("it was not filled")),
            }
        });
        filled?;
        created.map_err(|error| self.write_error(error))?;
        let kept = swap::put(&draft, &path).map_err(|error| {
            let _ = fs::remove_file(&draft);
            match error {
                SwapError::InUse => RestoreError::InUse {
                    database: self.database.clone(),
                },
                SwapError::File(error) => self.write_error(error),
            }
        })?;
        Ok(kept.map(|kept| kept.display().to_string()))
    }

    /// The last numbers of what is there, if it may be replaced.
    fn known_in(&self, path: &Path) -> Result<LastNumbers, RestoreError> {
        // Where a restore was cut short, that may go on whatever is there, but not on numbers that were given there.
        if let Some(old) = swap::half_done(path) {
            swap::move_log(path, &old).map_err(|error| self.write_error(error))?;
            return Ok(self.told_by(&old).ok().flatten().unwrap_or_default());
        }
        if !swap::is_there(path) || sqlite::is_empty(path) {
            return Ok(LastNumbers::new());
        }
        let found = self.told_by(path);
        match found {
            Ok(Some(known)) if known.is_empty() => Ok(known),
            // One that is damaged tells nothing.
            found if self.restoring.replaces => Ok(found.ok().flatten().unwrap_or_default()),
            _ => Err(RestoreError::Occupied {
                database: self.database.clone(),
            }),
        }
    }

    fn told_by(&self, path: &Path) -> Result<Option<LastNumbers>, StoreError> {
        sqlite::glance(path, restoration::last_numbers)
    }

    fn fill(
        &self,
        draft: &Path,
        secret: &SecretFile,
        keys: &InstallationKeys,
        known: LastNumbers,
    ) -> Result<(), RestoreError> {
        let mut copy = self.copy(draft, secret, keys)?;
        let done = copy.work(|session| {
            let taken = restoration::taken(session)?;
            let context = self.context(keys);
            restoration::begin(session, &context, taken, &self.skip(known))?;
            for sql in sqlite::SKIP_ON {
                session.execute(sql, &[])?;
            }
            Ok(())
        });
        done.map_err(|error| self.store_error(error))
    }

    fn replace_rows(
        &self,
        address: &PostgresAddress,
        secret_file: Option<&Path>,
    ) -> Result<Option<String>, RestoreError> {
        let named = secret_file.map(std::path::absolute).transpose();
        let named = named.map_err(|error| self.write_error(error))?;
        let Some(secret) = SecretFile::locate_apart(named.as_deref()) else {
            return Err(self.open_error(OpenFailure::NoSecretFile));
        };
        let keys = self.keys(&secret)?;
        let folder = scratch().map_err(|error| self.write_error(error))?;
        let draft = folder.path().join("backup.db");
        private_file::ensure(&draft, &[]).map_err(|error| self.write_error(error))?;
        let mut copy = self.copy(&draft, &secret, &keys)?;
        let taken = copy.work(restoration::taken);
        let taken = taken.map_err(|error| self.store_error(error))?;

        let opened = Postgres::open(address, secret_file, Purpose::Administering);
        let opened = opened.map_err(|source| self.open_error(source))?;
        self.bring_in(&mut copy, opened, taken)
    }

    /// Has the rows of `copy` take the place of those that are there, in one transaction.
    fn bring_in<D: Driver>(
        &self,
        copy: &mut Standalone,
        into: Opened<D>,
        taken: Timestamp,
    ) -> Result<Option<String>, RestoreError> {
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        let runtime = runtime.map_err(|error| self.write_error(error))?;
        let (send, receive) = transfer::way();
        let restoring = self.restoring.clone();
        let now = self.now;
        let Opened { driver, keys, .. } = into;
        let writing = driver.write_much(move |session| {
            for sql in D::ALONE {
                session.query(sql, &[], &mut |_| Ok(()))?;
            }
            let known = restoration::last_numbers(session)?;
            let kept = match (known.is_empty(), restoring.replaces) {
                (true, _) => None,
                (false, true) => Some(keep_aside(session, now)?),
                (false, false) => {
                    transfer::expect_empty(session)?;
                    None
                }
            };
            empty(session)?;
            receive.write_all(session)?;
            for sql in D::AFTER_RESTORE {
                session.query(sql, &[], &mut |_| Ok(()))?;
            }
            let context = Context {
                expected: Expected::ANYTHING,
                actor: Actor::Administrator,
                now,
                keys: &keys,
            };
            let skip = Skip {
                known,
                numbers: restoring.skipped_numbers,
            };
            restoration::begin(session, &context, taken, &skip)?;
            Ok(kept)
        });
        let (written, read) = std::thread::scope(|threads| {
            let reading = std::thread::Builder::new().name("gatehand-restore".into());
            let reading =
                reading.spawn_scoped(threads, move || copy.work(|session| send.all(session)));
            let written = runtime.block_on(writing);
            (written, reading.map(|thread| thread.join()))
        });
        let read = read.map_err(|error| self.write_error(error))?;
        match (written, read) {
            (Err(StoreError::Exists { .. }), _) => Err(RestoreError::Occupied {
                database: self.database.clone(),
            }),
            (Err(error), _) => Err(self.store_error(error)),
            // It was committed once all had come.
            (Ok(kept), _) => Ok(kept.map(|schema| format!("schema {schema}"))),
        }
    }
}

/// Copies what is there into a schema of its own; its name.
fn keep_aside(session: &mut dyn Session, now: Timestamp) -> Result<String, StoreError> {
    let schema = format!("before_restore_{}", now.as_second());
    session.execute(&format!("CREATE SCHEMA {schema}"), &[])?;
    let own = ["installation"].into_iter();
    for name in own.chain(TABLES.iter().map(|table| table.name)) {
        let sql = format!("CREATE TABLE {schema}.{name} AS TABLE {name}");
        session.execute(&sql, &[])?;
    }
    Ok(schema)
}

/// Empties all tables.
fn empty(session: &mut dyn Session) -> Result<(), StoreError> {
    let names: Vec<_> = TABLES.iter().map(|table| table.name).collect();
    session.execute(&format!("TRUNCATE {}", names.join(", ")), &[])?;
    Ok(())
}

/// Removes what a killed process left of a database that it was making.
fn remove_left(draft: &Path) -> io::Result<()> {
    private_file::remove_drafts(draft)?;
    match fs::remove_file(draft) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// A folder for what nobody keeps and may be large. The usual one may be in memory.
fn scratch() -> io::Result<TempDir> {
    let large = Path::new("/var/tmp");
    match std::env::var_os("TMPDIR") {
        None if large.is_dir() => TempDir::new_in(large),
        _ => TempDir::new(),
    }
}
