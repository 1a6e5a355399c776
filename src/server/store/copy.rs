//! Copying a server from one database to another, with the proof that all of it has come.

use std::path::Path;

use super::database::Database;
use super::driver::{Driver, Opened, Purpose};
use super::error::StoreError;
use super::open_error::{OpenError, OpenFailure};
use super::operations::tables::{TABLES, sums};
use super::postgres::Postgres;
use super::sqlite::Sqlite;
use super::transfer;

const PURPOSE: Purpose = Purpose::Administering;

/// Why a server was not copied. Nothing is in the new database then, unless it says otherwise.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// One of both can't be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// There is none to copy.
    #[error("there is no database {0}")]
    Missing(Database),
    /// The old one failed.
    #[error("can't copy from {database}")]
    From {
        /// The old one.
        database: Database,
        /// Why.
        source: StoreError,
    },
    /// The new one failed.
    #[error("can't copy to {database}")]
    To {
        /// The new one.
        database: Database,
        /// Why.
        source: StoreError,
    },
    /// A server went on with the old one.
    #[error("{database} was changed while it was copied, and the copy lacks that")]
    Changed {
        /// The old one.
        database: Database,
    },
}

impl CopyError {
    /// What to do about it, for whoever runs the server.
    pub fn advice(&self) -> Option<String> {
        match self {
            Self::Open(error) => error.advice().map(Into::into),
            Self::Missing(_) => {
                Some("give the database of the server first, and the new one then".into())
            }
            Self::To {
                source: StoreError::Exists { .. },
                ..
            } => Some("copy to a database that has nothing in it".into()),
            Self::From { source, .. } | Self::To { source, .. } => source.advice().map(Into::into),
            Self::Changed { .. } => {
                Some("stop the server, and copy again to a database that has nothing in it".into())
            }
        }
    }
}

/// A table that was copied.
#[derive(Clone, Debug, serde::Serialize)]
pub struct CopiedTable {
    /// Its name in both.
    pub table: &'static str,
    /// How many rows it has in both.
    pub rows: u64,
    /// Of all that is in them in both, as hexadecimal digits.
    pub checksum: String,
}

/// Copies all of a server into a database that has nothing in it. Both have the secret in this file, or where
/// the old one has it.
pub async fn copy(
    from: &Database,
    to: &Database,
    secret_file: Option<&Path>,
) -> Result<Vec<CopiedTable>, CopyError> {
    if !from.is_there() {
        return Err(CopyError::Missing(from.clone()));
    }
    match from {
        Database::Sqlite(path) => {
            let old = opened(from, Sqlite::open(path, secret_file, PURPOSE))?;
            copy_of(from, old, to).await
        }
        Database::Postgres(address) => {
            let old = opened(from, Postgres::open(address, secret_file, PURPOSE))?;
            copy_of(from, old, to).await
        }
    }
}

fn opened<D>(
    database: &Database,
    opened: Result<Opened<D>, OpenFailure>,
) -> Result<Opened<D>, OpenError> {
    opened.map_err(|source| OpenError {
        database: database.clone(),
        source,
    })
}

async fn copy_of<D: Driver>(
    from: &Database,
    old: Opened<D>,
    to: &Database,
) -> Result<Vec<CopiedTable>, CopyError> {
    let secret_file = Some(old.secret_file.as_path());
    match to {
        Database::Sqlite(path) => {
            let new = opened(to, Sqlite::open(path, secret_file, PURPOSE))?;
            between((from, &old.driver), (to, &new.driver)).await
        }
        Database::Postgres(address) => {
            let new = opened(to, Postgres::open(address, secret_file, PURPOSE))?;
            between((from, &old.driver), (to, &new.driver)).await
        }
    }
}

async fn between<A: Driver, B: Driver>(
    (from, old): (&Database, &A),
    (to, new): (&Database, &B),
) -> Result<Vec<CopiedTable>, CopyError> {
    let (send, receive) = transfer::way();
    let writing = new.write_much(move |session| {
        transfer::expect_empty(session)?;
        receive.write_all(session)?;
        for sql in B::AFTER_COPY {
            session.query(sql, &[], &mut |_| Ok(()))?;
        }
        Ok(())
    });
    let reading = old.read(move |session| send.all(session));
    // In this order: a read may be done in place, and then the other has to be begun.
    let (written, read) = tokio::join!(writing, reading);
    let read = match read {
        // The other one ended, and says why.
        Err(StoreError::GivenUp) => None,
        Err(source) => {
            let database = from.clone();
            return Err(CopyError::From { database, source });
        }
        Ok(read) => Some(read),
    };
    written.map_err(|source| {
        let database = to.clone();
        CopyError::To { database, source }
    })?;
    let now = old.read(sums).await.map_err(|source| {
        let database = from.clone();
        CopyError::From { database, source }
    })?;
    if Some(&now) != read.as_ref() {
        let database = from.clone();
        return Err(CopyError::Changed { database });
    }
    let copied = TABLES.iter().zip(now).map(|(table, sum)| CopiedTable {
        table: table.name,
        rows: sum.rows,
        checksum: base16ct::lower::encode_string(&sum.checksum),
    });
    Ok(copied.collect())
}
