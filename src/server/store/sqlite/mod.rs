//! The store in one SQLite file.

mod administration;
mod advice;
mod callers;
mod commits;
mod connection;
mod devices;
mod events;
mod import;
mod kept_answers;
mod log;
mod organizers;
mod schema;
mod teams;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;

use super::{
    Actor, Decision, DeviceChange, EnrolledDevice, KeptAnswer, MediumKeys, NewDevice, Redemption,
    Report, Store, StoreError, TeamCaller, Terms, Update,
};
use crate::private_file;
use crate::secret::Secret;
use crate::server::event_selection;
use crate::server::installation_keys::{InstallationKeys, KeptId, key_hash};
use crate::server::secret_file::{SecretFile, SecretFileError};
use crate::sqlite::Unusable;
use crate::wire;
pub use schema::CURRENT as SCHEMA_VERSION;

use connection::Readers;
use writer::Writer;

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Database {
            advice: advice::advice(&error),
            source: error.into(),
        }
    }
}

/// A database that can't be opened.
#[derive(Debug, thiserror::Error)]
#[error("can't open the database {}", database.display())]
pub struct OpenError {
    /// The database.
    pub database: PathBuf,
    /// Why.
    pub source: OpenFailure,
}

/// Why a database can't be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenFailure {
    /// The file can't be created or read.
    #[error("the file can't be used")]
    File(#[source] std::io::Error),
    /// It is the database of another program, or a vault.
    #[error("it is not a gatehand server's database; name another file with --database")]
    Foreign,
    /// A later version of gatehand has changed it.
    #[error("the database has version {found}, this gatehand knows up to {known}; update gatehand")]
    Newer {
        /// Its version.
        found: u32,
        /// The latest version this program knows.
        known: u32,
    },
    /// It is older, and no copy could be made of it.
    #[error(
        "it is brought to version {known} only after a copy was made beside it, which failed; make room on its disk"
    )]
    NotCopied {
        /// The version this program needs.
        known: u32,
        /// What failed.
        source: std::io::Error,
    },
    /// SQLite can't use it.
    #[error("the database can't be used")]
    Sqlite(#[from] rusqlite::Error),
    /// Its sealed values can't be opened.
    #[error(
        "the database was made with another secret; name the file that holds it with --secret-file"
    )]
    OtherSecret,
    /// The secret can't be had.
    #[error(transparent)]
    Secret(#[from] SecretFileError),
}

impl From<Unusable> for OpenFailure {
    fn from(error: Unusable) -> Self {
        match error {
            Unusable::Foreign => Self::Foreign,
            Unusable::Newer { found, known } => Self::Newer { found, known },
            Unusable::NotCopied { known, source } => Self::NotCopied { known, source },
            Unusable::Sqlite(error) => Self::Sqlite(error),
        }
    }
}

/// The store in one SQLite file. Several processes may have it open.
pub struct SqliteStore {
    database: PathBuf,
    secret_file: PathBuf,
    // Dropped before the writer: whoever closes last takes the write-ahead log into the database.
    readers: Readers,
    writer: Writer,
    keys: Arc<InstallationKeys>,
}

impl SqliteStore {
    /// Opens the database, or makes an empty one, with the secret in this file. Without a file that
    /// is the systemd credential `gatehand-secret`, else a file beside the database with `.secret`
    /// added to its name. The secret is made with the database, and never again.
    pub fn open(database: &Path, secret_file: Option<&Path>) -> Result<Self, OpenError> {
        Self::open_file(database, secret_file).map_err(|source| OpenError {
            database: database.to_owned(),
            source,
        })
    }

    fn open_file(database: &Path, secret_file: Option<&Path>) -> Result<Self, OpenFailure> {
        // The folder of a bare name would be an empty path.
        let database = &std::path::absolute(database).map_err(OpenFailure::File)?;
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
        tracing::debug!(
            "opened the database {} with the secret in {}",
            database.display(),
            secret_file.path().display()
        );
        let readers = Readers::of(database);
        Ok(Self {
            database: database.clone(),
            secret_file: secret_file.path().to_owned(),
            writer: Writer::start(database, connection, readers.idle())
                .map_err(OpenFailure::File)?,
            readers,
            keys: Arc::new(keys),
        })
    }

    /// Where the database is.
    pub fn database(&self) -> &Path {
        &self.database
    }

    /// Where the installation's secret is.
    pub fn secret_file(&self) -> &Path {
        &self.secret_file
    }

    /// The keys of the installation that the database belongs to.
    pub fn keys(&self) -> Arc<InstallationKeys> {
        Arc::clone(&self.keys)
    }
}

fn micros(time: Timestamp) -> i64 {
    time.as_microsecond()
}

/// A time in a column that holds [`micros`].
fn time(micros: i64) -> rusqlite::Result<Timestamp> {
    Timestamp::from_microsecond(micros).map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Integer, error.into())
    })
}

/// What goes with a change: who makes it, when, and what to keep of it.
struct Context<'a> {
    actor: Actor,
    now: Timestamp,
    keys: &'a InstallationKeys,
}

impl SqliteStore {
    /// Does a change that nobody gives up.
    async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&rusqlite::Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.writer.write(&Decision::default(), work).await
    }

    /// Does a change and keeps the answer to it in the same transaction.
    async fn change<T: Send + 'static>(
        &self,
        actor: Actor,
        terms: Terms<T>,
        work: impl FnOnce(&rusqlite::Connection, &Context<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let keys = self.keys();
        let Terms { decision, keep } = terms;
        self.writer
            .write(&decision, move |connection| {
                let now = Timestamp::now();
                if let Some(keep) = &keep {
                    kept_answers::refuse_if_kept(connection, &keep.id, now)?;
                }
                let context = Context {
                    actor,
                    now,
                    keys: &keys,
                };
                let done = work(connection, &context)?;
                if let Some(keep) = keep {
                    let answer = (keep.render)(&done)?;
                    kept_answers::keep(connection, &keep.id, &answer, now)?;
                }
                Ok(done)
            })
            .await
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn team_caller(&self, token: &Secret) -> Result<Option<TeamCaller>, StoreError> {
        let hash = key_hash(token);
        self.readers
            .read(move |connection| callers::team(connection, &hash))
            .await
    }

    async fn enrolled_device(&self, key: &Secret) -> Result<Option<EnrolledDevice>, StoreError> {
        let hash = key_hash(key);
        self.readers
            .read(move |connection| callers::device(connection, &hash))
            .await
    }

    async fn device_count(&self, organizer: i64) -> Result<u64, StoreError> {
        self.readers
            .read(move |connection| devices::count(connection, organizer))
            .await
    }

    async fn devices(
        &self,
        organizer: i64,
        skip: u64,
        limit: u64,
    ) -> Result<Vec<wire::Device>, StoreError> {
        let keys = self.keys();
        self.readers
            .read(move |connection| devices::page(connection, &keys, organizer, skip, limit))
            .await
    }

    async fn device(
        &self,
        organizer: i64,
        device_id: u64,
    ) -> Result<Option<wire::Device>, StoreError> {
        let keys = self.keys();
        self.readers
            .read(move |connection| devices::find(connection, &keys, organizer, device_id))
            .await
    }

    async fn unknown_event(
        &self,
        organizer: i64,
        slugs: &[String],
    ) -> Result<Option<String>, StoreError> {
        let slugs = slugs.to_vec();
        self.readers
            .read(move |connection| events::first_unknown(connection, organizer, slugs))
            .await
    }

    async fn create_device(
        &self,
        actor: Actor,
        organizer: i64,
        device: NewDevice,
        terms: Terms<wire::Device>,
    ) -> Result<wire::Device, StoreError> {
        self.change(actor, terms, move |connection, context| {
            devices::create(connection, context, organizer, &device)
        })
        .await
    }

    async fn change_device(
        &self,
        actor: Actor,
        organizer: i64,
        device_id: u64,
        change: DeviceChange,
        terms: Terms<wire::Device>,
    ) -> Result<wire::Device, StoreError> {
        self.change(actor, terms, move |connection, context| {
            devices::change(connection, context, organizer, device_id, &change)
        })
        .await
    }

    async fn redeem_token(
        &self,
        token: &Secret,
        report: Report,
        api_key: &Secret,
        terms: Terms<Redemption>,
    ) -> Result<Redemption, StoreError> {
        let (lookup, key) = (self.keys.token_lookup(token), key_hash(api_key));
        self.change(Actor::Device, terms, move |connection, context| {
            devices::redeem(connection, context, &lookup, &report, &key)
        })
        .await
    }

    async fn update_device(
        &self,
        key: &Secret,
        report: Report,
        terms: Terms<Update>,
    ) -> Result<Update, StoreError> {
        let key = key_hash(key);
        self.change(Actor::Device, terms, move |connection, context| {
            devices::update(connection, context, &key, &report)
        })
        .await
    }

    async fn roll_key(
        &self,
        key: &Secret,
        new: &Secret,
        terms: Terms<Option<EnrolledDevice>>,
    ) -> Result<Option<EnrolledDevice>, StoreError> {
        let (key, new) = (key_hash(key), key_hash(new));
        self.change(Actor::Device, terms, move |connection, context| {
            devices::roll(connection, context, &key, &new)
        })
        .await
    }

    async fn revoke_key(
        &self,
        key: &Secret,
        terms: Terms<Option<EnrolledDevice>>,
    ) -> Result<Option<EnrolledDevice>, StoreError> {
        let key = key_hash(key);
        self.change(Actor::Device, terms, move |connection, context| {
            devices::revoke_by_key(connection, context, &key)
        })
        .await
    }

    async fn accessible_events(
        &self,
        device: i64,
    ) -> Result<Vec<event_selection::Event>, StoreError> {
        self.readers
            .read(move |connection| events::accessible(connection, device))
            .await
    }

    async fn event_beside(
        &self,
        device: i64,
        slug: &str,
    ) -> Result<Option<event_selection::Event>, StoreError> {
        let slug = slug.to_owned();
        self.readers
            .read(move |connection| events::beside(connection, device, &slug))
            .await
    }

    async fn medium_keys(&self, organizer: i64) -> Result<Vec<MediumKeys>, StoreError> {
        let keys = self.keys();
        self.readers
            .read(move |connection| organizers::medium_keys(connection, &keys, organizer))
            .await
    }

    async fn kept_answer(
        &self,
        id: &KeptId,
        since: Timestamp,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let id = *id;
        self.readers
            .read(move |connection| kept_answers::find(connection, &id, since))
            .await
    }

    async fn keep_answer(
        &self,
        id: &KeptId,
        answer: KeptAnswer,
        decision: &Decision,
    ) -> Result<(), StoreError> {
        let id = *id;
        self.writer
            .write(decision, move |connection| {
                let now = Timestamp::now();
                kept_answers::refuse_if_kept(connection, &id, now)?;
                kept_answers::keep(connection, &id, &answer, now)
            })
            .await
    }

    async fn sweep_answers(&self, before: Timestamp) -> Result<(), StoreError> {
        // In pieces, so that nobody waits long behind a day's answers.
        while self
            .write(move |connection| kept_answers::sweep_some(connection, before))
            .await?
        {}
        self.write(move |connection| Ok(commits::sweep(connection, before)?))
            .await
    }
}
