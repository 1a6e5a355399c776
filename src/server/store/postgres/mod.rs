//! The store in a PostgreSQL database, which any number of servers may work with.

mod commits;
mod connection;
mod connector;
mod failure;
mod inspection;
mod schema;
mod session;
mod transaction;
mod workers;

use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;

use super::driver::{Driver, Opened, Purpose};
use super::open_error::OpenFailure;
use super::operations::restoration;
use super::session::Session;
use crate::server::secret_file::SecretFile;
use crate::server::store::decision::Decision;
use crate::server::store::error::StoreError;
use crate::server::store::postgres_address::PostgresAddress;

use connector::Connector;
use failure::Failure;
pub(super) use inspection::inspect;
use session::PostgresSession;
use transaction::{Changing, Reading};
use workers::{Workers, lost};

/// Connections of a server, half of them for what only reads: that must not wait behind changes, which may
/// wait for an import.
const CONNECTIONS: usize = 16;

/// An open database.
pub(super) struct Postgres {
    readers: Workers,
    writers: Workers,
    connector: Arc<Connector>,
}

impl Postgres {
    /// Opens the database, or makes the tables in an empty one, with the secret in this file, which is made
    /// with them.
    pub(super) fn open(
        address: &PostgresAddress,
        secret_file: Option<&Path>,
        purpose: Purpose,
    ) -> Result<Opened<Self>, OpenFailure> {
        let named = secret_file.map(std::path::absolute).transpose();
        let named = named.map_err(OpenFailure::File)?;
        let secret_file =
            SecretFile::locate_apart(named.as_deref()).ok_or(OpenFailure::NoSecretFile)?;
        let connector = Arc::new(Connector::new(address)?);
        // A thread of its own: that of the caller may drive a runtime already.
        let keys = std::thread::scope(|threads| {
            let preparing = threads.spawn(|| {
                let runtime = workers::runtime()?;
                let mut connection = connector.connect(&runtime)?;
                let keys = schema::prepare(&mut connection, &runtime, &secret_file)?;
                if purpose == Purpose::Serving {
                    connector.expect_confirmed();
                    let mut gone = connection::never;
                    let mut session = PostgresSession::new(&mut connection, &runtime, &mut gone);
                    restoration::expect_served(&mut session)?;
                }
                Ok::<_, OpenFailure>(keys)
            });
            let prepared = preparing.join();
            prepared.unwrap_or_else(|_| Err(Failure::Fault("opening panicked").into()))
        })?;
        tracing::debug!(
            "opened the database {address} with the secret in {}",
            secret_file.path().display()
        );
        let readers = Workers::new(Arc::clone(&connector), CONNECTIONS / 2);
        Ok(Opened {
            driver: Self {
                readers,
                writers: Workers::new(Arc::clone(&connector), CONNECTIONS / 2),
                connector,
            },
            keys,
            secret_file: secret_file.path().to_owned(),
        })
    }

    async fn read_as<T: Send + 'static>(
        &self,
        reading: Reading,
        work: impl Fn(&mut dyn Session) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let read = move |desk: transaction::Desk<'_>, gone: connection::Gone<'_>| {
            desk.read(gone, reading, work)
        };
        self.readers.run(read, lost).await
    }

    async fn write_as<T: Send + 'static>(
        &self,
        changing: Changing,
        decision: &Decision,
        work: impl Fn(&mut dyn Session) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let shared = decision.clone();
        let write = move |desk: transaction::Desk<'_>, gone: connection::Gone<'_>| {
            desk.write(gone, &shared, changing, work)
        };
        let if_lost = || match decision.is_taken() {
            true => StoreError::Unsettled,
            false => lost(),
        };
        self.writers.run(write, if_lost).await
    }
}

impl Driver for Postgres {
    const AFTER_COPY: &[&str] = &schema::COUNT_ON;
    const AFTER_RESTORE: &[&str] = &schema::SKIP_ON;
    const ALONE: &[&str] = &schema::ALONE;

    fn retries(&self) -> u64 {
        self.connector.retries.get()
    }

    async fn read<T: Send + 'static>(
        &self,
        work: impl Fn(&mut dyn Session) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.read_as(Reading::Throughout, work).await
    }

    async fn look<T: Send + 'static>(
        &self,
        work: impl Fn(&mut dyn Session) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.read_as(Reading::Once, work).await
    }

    async fn write<T: Send + 'static>(
        &self,
        decision: &Decision,
        work: impl Fn(&mut dyn Session) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.write_as(Changing::Little, decision, work).await
    }

    async fn write_much<T: Send + 'static>(
        &self,
        work: impl Fn(&mut dyn Session) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.write_as(Changing::Much, &Decision::default(), work)
            .await
    }

    async fn sweep(&self, before: Timestamp) -> Result<(), StoreError> {
        let sweep = move |session: &mut dyn Session| commits::sweep(session, before);
        self.write_as(Changing::Little, &Decision::default(), sweep)
            .await
    }
}

impl From<Failure> for OpenFailure {
    fn from(failure: Failure) -> Self {
        Self::Unusable {
            advice: failure.advice(),
            source: failure.into(),
        }
    }
}
