//! Opening the database that a server is started with, whichever it is.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::administration::Administration;
use super::database::Database;
use super::driver::{Driver, Opened, Purpose};
use super::open_error::{OpenError, OpenFailure};
use super::postgres::Postgres;
use super::sqlite::Sqlite;
use super::stored::Stored;
use crate::server::installation_keys::InstallationKeys;

/// An open database, and the installation that it belongs to.
#[derive(Clone)]
pub struct Installation {
    /// What the server knows.
    pub store: Arc<dyn Administration>,
    /// The keys of the installation.
    pub(in crate::server) keys: Arc<InstallationKeys>,
    /// Where the database is.
    pub database: Database,
    /// Where the installation's secret is.
    pub secret_file: PathBuf,
}

/// Opens a database, or makes an empty one, with the installation's secret in this file. Without a file
/// that is the systemd credential `gatehand-secret`, else a file beside the SQLite file with `.secret`
/// added to its name; for PostgreSQL there has to be one of the first two. The secret is made with the
/// database, and never again.
///
/// SQLite is read on the threads of the runtime that this is called in, by all but one of them: a
/// runtime of one thread waits for each read.
pub fn open(database: &Database, secret_file: Option<&Path>) -> Result<Installation, OpenError> {
    open_for(Purpose::Administering, database, secret_file)
}

/// Opens a database as [`open`] does, to answer callers: a restored backup that nobody has confirmed is
/// refused, then and later.
pub fn open_to_serve(
    database: &Database,
    secret_file: Option<&Path>,
) -> Result<Installation, OpenError> {
    open_for(Purpose::Serving, database, secret_file)
}

fn open_for(
    purpose: Purpose,
    database: &Database,
    secret_file: Option<&Path>,
) -> Result<Installation, OpenError> {
    let installation = match (database.missing_folder(), database) {
        (Some(folder), _) => Err(OpenFailure::NoFolder(folder)),
        (None, Database::Sqlite(path)) => {
            let opened = Sqlite::open(path, secret_file, purpose);
            opened.map(|opened| installation(database, opened))
        }
        (None, Database::Postgres(address)) => {
            let opened = Postgres::open(address, secret_file, purpose);
            opened.map(|opened| installation(database, opened))
        }
    };
    installation.map_err(|source| OpenError {
        database: database.clone(),
        source,
    })
}

fn installation<D: Driver>(database: &Database, opened: Opened<D>) -> Installation {
    let keys = Arc::new(opened.keys);
    Installation {
        store: Arc::new(Stored::new(opened.driver, Arc::clone(&keys))),
        keys,
        database: database.absolute(),
        secret_file: opened.secret_file,
    }
}
