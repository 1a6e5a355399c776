//! Why a database that was in use can't be used any more, or not again.

use super::advice;
use crate::server::store::error::StoreError;
use crate::server::store::open_error::UNCONFIRMED;

/// Why a database that was in use is not used.
#[derive(Debug, thiserror::Error)]
pub(super) enum ReopenError {
    /// SQLite failed.
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
    /// Its file was renamed, replaced or removed, or its log was.
    #[error("the database, or the log beside it, is not any more where it was opened")]
    Away,
    /// The file in its place is another one.
    #[error("{0} is in the place of the database")]
    Another(&'static str),
    /// Another file is in its place, and its log was left there.
    #[error("another file is in the place of the database, beside the log of the one before")]
    OtherLog,
    /// It was restored from a backup, and nobody has said that it may be served.
    #[error("a restored backup that is not confirmed is in the place of the database")]
    Unconfirmed,
    /// Some reads of the old file do not end.
    #[error("the database can't be opened anew while it is read")]
    InUse,
}

impl ReopenError {
    /// What to do about it, for whoever runs the server.
    pub(super) fn advice(&self) -> &'static str {
        match self {
            Self::Sqlite(error) => advice::advice(error),
            Self::Away | Self::Another(_) => {
                "put the database back with the -wal and -shm beside it, or stop the server before it is replaced: what is in another file now is missed by all others; the server goes on by itself"
            }
            Self::OtherLog => {
                "put the database back; or, to serve the other file, move the -wal and -shm that are beside it to the one that they belong to: one log taken for another destroys a database"
            }
            Self::Unconfirmed => UNCONFIRMED,
            Self::InUse => "see what keeps the database or its disk busy",
        }
    }
}

impl From<ReopenError> for StoreError {
    fn from(error: ReopenError) -> Self {
        match error {
            ReopenError::Sqlite(error) => error.into(),
            error => Self::Database {
                advice: error.advice(),
                source: error.into(),
            },
        }
    }
}
