//! Naming a database.

use std::ffi::OsString;
use std::fmt;
use std::io::ErrorKind;
use std::path::PathBuf;

use super::postgres_address::{PostgresAddress, PostgresAddressError};

/// Where a server keeps what it knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Database {
    /// One SQLite file.
    Sqlite(PathBuf),
    /// A database of a PostgreSQL server.
    Postgres(PostgresAddress),
}

/// A database can't be where this says.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// It is the address of another kind of database.
    #[error(
        "{scheme} databases are not supported; give the path of an SQLite file, or an address of PostgreSQL"
    )]
    Scheme {
        /// As `mysql`.
        scheme: String,
    },
    /// No file is named.
    #[error("no file is named")]
    Empty,
    /// It is no good address of PostgreSQL.
    #[error(transparent)]
    Postgres(#[from] PostgresAddressError),
}

impl TryFrom<OsString> for Database {
    type Error = DatabaseError;

    /// Reads a path, or `sqlite:` before one, or an address that begins with `postgres://`.
    fn try_from(text: OsString) -> Result<Self, DatabaseError> {
        let Some(text) = text.to_str() else {
            return Ok(Self::Sqlite(text.into()));
        };
        if PostgresAddress::is_meant(text) {
            return Ok(Self::Postgres(PostgresAddress::parse(text)?));
        }
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
            Self::Postgres(address) => address.fmt(f),
        }
    }
}

impl Database {
    /// Of which kind it is, in a word.
    pub(in crate::server) fn kind(&self) -> &'static str {
        match self {
            Self::Sqlite(_) => "sqlite",
            Self::Postgres(_) => "postgresql",
        }
    }

    /// Whether there is one already, whatever it may be. Where that can't be seen, opening it tells more.
    pub fn is_there(&self) -> bool {
        match self {
            Self::Sqlite(path) => match path.symlink_metadata() {
                Err(error) => error.kind() != ErrorKind::NotFound,
                Ok(_) => true,
            },
            Self::Postgres(_) => true,
        }
    }

    /// Whether it could be made there.
    pub fn has_folder(&self) -> bool {
        self.missing_folder().is_none()
    }

    /// The folder it would be in, where that is missing.
    pub(super) fn missing_folder(&self) -> Option<PathBuf> {
        let Self::Sqlite(path) = self.absolute() else {
            return None;
        };
        let folder = path.parent()?;
        (!folder.is_dir()).then(|| folder.to_owned())
    }

    /// The same, wherever a command is started.
    pub(super) fn absolute(&self) -> Self {
        match self {
            Self::Sqlite(path) => {
                Self::Sqlite(std::path::absolute(path).unwrap_or_else(|_| path.clone()))
            }
            Self::Postgres(_) => self.clone(),
        }
    }
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
                Database::try_from(OsString::from(text)).unwrap(),
                PathBuf::from(path).into()
            );
        }
        let address = "postgres://gate:secret@db/gatehand";
        let named = Database::try_from(OsString::from(address)).unwrap();
        assert_eq!(
            format!("{named} {named:?}"),
            "postgres://gate@db/gatehand Postgres(postgres://gate@db/gatehand)"
        );
        for (text, words) in [
            ("mysql://db/gatehand", "mysql databases are not supported"),
            ("postgres://db", "the address of the database names none"),
            ("sqlite:", "no file is named"),
            ("", "no file is named"),
        ] {
            let error = Database::try_from(OsString::from(text))
                .unwrap_err()
                .to_string();
            assert!(error.starts_with(words), "{error}");
        }
    }
}
