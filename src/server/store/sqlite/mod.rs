//! The store in one SQLite file, which several processes may have open.

mod advice;
mod commits;
mod connection;
mod inspection;
mod log_index;
mod place;
mod readers;
mod reopen_error;
mod schema;
mod session;
mod standalone;
pub(super) mod swap;
mod watch;
mod writer;

use std::path::Path;

use jiff::Timestamp;
use rusqlite::ErrorCode;

use super::driver::{Driver, Opened, Purpose, State};
use super::open_error::OpenFailure;
use super::operations::restoration;
use super::session::Session;
use crate::private_file;
use crate::server::installation_keys::InstallationKeys;
use crate::server::secret_file::{SecretFile, SecretFileError};
use crate::server::store::decision::Decision;
use crate::server::store::error::StoreError;
use crate::sqlite::Unusable;

pub(super) use inspection::inspect;
pub use schema::CURRENT as SCHEMA_VERSION;
pub(super) use standalone::{SKIP_ON, Standalone, glance, is_empty};
pub(super) use swap::SwapError;

use connection::Home;
use readers::{Read, Readers, Span};
use reopen_error::ReopenError;
use session::SqliteSession;
use writer::Writer;

/// How much of the database a change of much of it may keep in memory, in KiB below 0.
const MUCH_CACHE: &str = "PRAGMA cache_size = -65536";
/// What SQLite keeps else.
const USUAL_CACHE: &str = "PRAGMA cache_size = -2000";

/// An open file.
pub(super) struct Sqlite {
    // Dropped before the writer: whoever closes last takes the write-ahead log into the database.
    readers: Readers,
    writer: Writer,
}

impl Sqlite {
    /// Opens the file, or makes an empty one, with the secret in this file. Without a file that is the
    /// systemd credential `gatehand-secret`, else a file beside the database with `.secret` added to
    /// its name. The secret is made with the database, and never again.
    pub(super) fn open(
        database: &Path,
        secret_file: Option<&Path>,
        purpose: Purpose,
    ) -> Result<Opened<Self>, OpenFailure> {
        // The folder of a bare name would be an empty path.
        let database = &std::path::absolute(database).map_err(OpenFailure::File)?;
        if database.is_dir() {
            return Err(OpenFailure::Folder);
        }
        if let Some(kept) = swap::half_done(database) {
            return Err(OpenFailure::HalfRestored { kept });
        }
        let secret_file = match secret_file.map(std::path::absolute).transpose() {
            Ok(named) => SecretFile::locate(named.as_deref(), database),
            Err(source) => return Err(OpenFailure::File(source)),
        };
        for path in [database, secret_file.path()] {
            if let Err(error) = private_file::remove_drafts(path) {
                tracing::warn!(%error, "what a killed process left beside {} can't be removed", path.display());
            }
        }
        private_file::ensure(database, &[]).map_err(OpenFailure::File)?;
        // Asked first: where another process has made the database, its secret is there by now.
        let (mut connection, is_made) = connection::open_writer(database)?;
        let secret = match secret_file.load()? {
            Some(secret) => secret,
            None if is_made => {
                let path = secret_file.path().to_owned();
                return Err(SecretFileError::Missing { path }.into());
            }
            None => secret_file.create()?,
        };
        let keys = InstallationKeys::derive(&secret);
        schema::prepare(&mut connection, database, &keys.check())?;
        let home = Home::new(database, keys.check(), purpose);
        if purpose == Purpose::Serving {
            let mut session = SqliteSession(&connection);
            restoration::expect_served(&mut session)?;
        }
        tracing::debug!(
            "opened the database {} with the secret in {}",
            database.display(),
            secret_file.path().display()
        );
        let readers = Readers::open(&home)?;
        let opened = home.opened(connection);
        let writer = Writer::start(home, opened, readers.idle());
        Ok(Opened {
            driver: Self {
                readers,
                writer: writer.map_err(OpenFailure::File)?,
            },
            keys,
            secret_file: secret_file.path().to_owned(),
        })
    }
}

impl Sqlite {
    async fn read_within<T: Send + 'static>(
        &self,
        span: Span,
        work: impl Fn(&mut dyn Session) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let work = match self.readers.read(span, work).await? {
            Read::Done(value) => return Ok(value),
            Read::Away(work) => work,
        };
        // The writer opens all of it anew before it does anything.
        let nothing = |_: &mut dyn Session| Ok(());
        self.writer.write(&Decision::default(), nothing).await?;
        match self.readers.read(span, work).await? {
            Read::Done(value) => Ok(value),
            Read::Away(_) => Err(ReopenError::Away.into()),
        }
    }
}

impl Driver for Sqlite {
    async fn read<T: Send + 'static>(
        &self,
        work: impl Fn(&mut dyn Session) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.read_within(Span::Transaction, work).await
    }

    async fn look<T: Send + 'static>(
        &self,
        work: impl Fn(&mut dyn Session) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.read_within(Span::Statement, work).await
    }

    fn state(&self) -> Option<State> {
        self.readers.state()
    }

    async fn write<T: Send + 'static>(
        &self,
        decision: &Decision,
        work: impl Fn(&mut dyn Session) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.writer.write(decision, work).await
    }

    async fn write_much<T: Send + 'static>(
        &self,
        work: impl Fn(&mut dyn Session) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let with_room = move |session: &mut dyn Session| {
            // Keys and serials are random: with less, each would move pages to the log and back.
            session.execute(MUCH_CACHE, &[])?;
            let done = work(session);
            session.execute(USUAL_CACHE, &[])?;
            done
        };
        self.writer.write(&Decision::default(), with_room).await
    }

    async fn sweep(&self, before: Timestamp) -> Result<(), StoreError> {
        let sweep = move |session: &mut dyn Session| commits::sweep(session, before);
        self.writer.write(&Decision::default(), sweep).await
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Database {
            advice: advice::advice(&error),
            source: error.into(),
        }
    }
}

impl From<rusqlite::Error> for OpenFailure {
    fn from(error: rusqlite::Error) -> Self {
        if error.sqlite_error_code() == Some(ErrorCode::NotADatabase) {
            return Self::NoDatabase;
        }
        Self::Unusable {
            advice: advice::advice(&error),
            source: error.into(),
        }
    }
}

impl From<Unusable> for OpenFailure {
    fn from(error: Unusable) -> Self {
        match error {
            Unusable::Foreign => Self::Foreign,
            Unusable::Newer { found, known } => Self::Newer { found, known },
            Unusable::NotCopied { known, source } => Self::NotCopied { known, source },
            Unusable::Sqlite(error) => error.into(),
        }
    }
}
