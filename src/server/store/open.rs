//! Opening the database that a server is started with, whichever it is.

use std::error::Error;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use super::administration::Administration;
use super::sqlite::Sqlite;
use super::stored::Stored;
use crate::server::installation_keys::InstallationKeys;
use crate::server::secret_file::SecretFileError;

/// Where a server keeps what it knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Database {
    /// One SQLite file.
    Sqlite(PathBuf),
}

/// A database can't be where this says.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// It is the address of another kind of database.
    #[error("{scheme} databases are not supported; give the path of an SQLite file")]
    Scheme {
        /// As `postgres`.
        scheme: String,
    },
    /// No file is named.
    #[error("no file is named")]
    Empty,
}

impl FromStr for Database {
    type Err = DatabaseError;

    /// Reads a path, or `sqlite:` before one.
    fn from_str(text: &str) -> Result<Self, DatabaseError> {
        let path = match text.split_once(':') {
            Some(("sqlite", path)) => path.strip_prefix("//").unwrap_or(path),
            Some((scheme, rest)) if rest.starts_with("//") => {
                let scheme = scheme.to_owned();
                return Err(DatabaseError::Scheme { scheme });
            }
            _ => text,
        };
        match path {
            "" => Err(DatabaseError::Empty),
            path => Ok(Self::Sqlite(path.into())),
        }
    }
}

impl From<PathBuf> for Database {
    fn from(path: PathBuf) -> Self {
        Self::Sqlite(path)
    }
}

impl fmt::Display for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => path.display().fmt(f),
        }
    }
}

impl Database {
    /// Whether there is one already, whatever it may be.
    pub fn is_there(&self) -> bool {
        match self {
            Self::Sqlite(path) => path.exists(),
        }
    }

    /// The same, wherever a command is started.
    fn absolute(&self) -> Self {
        match self {
            Self::Sqlite(path) => {
                Self::Sqlite(std::path::absolute(path).unwrap_or_else(|_| path.clone()))
            }
        }
    }
}

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

/// What a driver gives when it has opened its database.
pub(super) struct Opened<D> {
    pub(super) driver: D,
    pub(super) keys: InstallationKeys,
    pub(super) secret_file: PathBuf,
}

/// Opens a database, or makes an empty one, with the installation's secret in this file. Without a file
/// that is the systemd credential `gatehand-secret`, else a file beside the database with `.secret`
/// added to its name. The secret is made with the database, and never again.
pub fn open(database: &Database, secret_file: Option<&Path>) -> Result<Installation, OpenError> {
    let opened = match database {
        Database::Sqlite(path) => Sqlite::open(path, secret_file),
    };
    let Opened {
        driver,
        keys,
        secret_file,
    } = opened.map_err(|source| OpenError {
        database: database.clone(),
        source,
    })?;
    let keys = Arc::new(keys);
    Ok(Installation {
        store: Arc::new(Stored::new(driver, Arc::clone(&keys))),
        keys,
        database: database.absolute(),
        secret_file,
    })
}

/// A database that can't be opened.
#[derive(Debug, thiserror::Error)]
#[error("can't open the database {database}")]
pub struct OpenError {
    /// The database.
    pub database: Database,
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
    /// The database program can't use it.
    #[error("the database can't be used")]
    Unusable(#[source] Box<dyn Error + Send + Sync>),
    /// Its sealed values can't be opened.
    #[error(
        "the database was made with another secret; name the file that holds it with --secret-file"
    )]
    OtherSecret,
    /// The secret can't be had.
    #[error(transparent)]
    Secret(#[from] SecretFileError),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_is_named_by_its_path_or_address() {
        for (text, path) in [
            ("gatehand.db", "gatehand.db"),
            ("/srv/a b:c.db", "/srv/a b:c.db"),
            ("c:d", "c:d"),
            ("sqlite:gatehand.db", "gatehand.db"),
            ("sqlite:///srv/gatehand.db", "/srv/gatehand.db"),
        ] {
            assert_eq!(
                text.parse::<Database>().unwrap(),
                PathBuf::from(path).into()
            );
        }
        for (text, words) in [
            (
                "postgres://db/gatehand",
                "postgres databases are not supported",
            ),
            ("sqlite:", "no file is named"),
            ("", "no file is named"),
        ] {
            let error = text.parse::<Database>().unwrap_err().to_string();
            assert!(error.starts_with(words), "{error}");
        }
    }
}
