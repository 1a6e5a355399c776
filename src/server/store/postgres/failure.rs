//! Why PostgreSQL did not do something, and what to do about it.

use std::time::Duration;

use tokio_postgres::error::{DbError, Severity, SqlState};

use crate::server::store::error::{FAULT, StoreError};
use crate::server::store::open_error::UNCONFIRMED;

/// What went wrong between here and the database.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    /// It could not be reached.
    #[error("PostgreSQL can't be reached at {host}")]
    Unreachable { host: String, source: Box<Failure> },
    /// It said no. What it says of the values that a statement met is left out: it may be kept in a log.
    #[error("PostgreSQL refused: {message} ({})", code.code())]
    Refused {
        code: SqlState,
        message: String,
        /// The connection ends with it.
        is_fatal: bool,
    },
    /// The connection failed, or what came by it.
    #[error("the connection to PostgreSQL failed")]
    Connection(#[source] tokio_postgres::Error),
    /// It is there and says nothing.
    #[error("PostgreSQL did not answer within {0:?}")]
    NoAnswer(Duration),
    /// The connection ended without a word.
    #[error("the connection to PostgreSQL ended")]
    Ended,
    /// The caller who wanted it has gone.
    #[error("the caller has gone")]
    Gone,
    /// The certificates that vouch for it can't be read.
    #[error("the certificates that vouch for PostgreSQL can't be had")]
    Certificates(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A thread or its runtime can't be made.
    #[error("a thread for the database can't be started")]
    Thread(#[source] std::io::Error),
    /// A mistake of ours.
    #[error("{0}")]
    Fault(&'static str),
    /// It was restored from a backup, and nobody has said that it may be served.
    #[error("the database holds a restored backup that is not confirmed")]
    Unconfirmed,
    /// It would acknowledge what it may not keep.
    #[error("PostgreSQL ended a COMMIT with a warning: {0}")]
    Warned(String),
}

/// What a failure means for a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// It met another one, and may be run again.
    Conflict,
    /// The connection is of no use any more, and perhaps its host.
    Lost,
    /// The connection is of no use, as nobody waited for its answer.
    Gone,
    /// Anything else.
    Other,
}

impl Failure {
    pub(super) fn kind(&self) -> Kind {
        let (code, is_fatal) = match self {
            Self::Refused { code, is_fatal, .. } => (code, *is_fatal),
            Self::Fault(_) => return Kind::Other,
            Self::Gone => return Kind::Gone,
            _ => return Kind::Lost,
        };
        // Of a unique index, the other one of two that made the same at once: run again, it is found there.
        if [
            SqlState::T_R_SERIALIZATION_FAILURE,
            SqlState::T_R_DEADLOCK_DETECTED,
            SqlState::UNIQUE_VIOLATION,
        ]
        .contains(code)
        {
            return Kind::Conflict;
        }
        let is_other_server = [
            SqlState::READ_ONLY_SQL_TRANSACTION,
            SqlState::INVALID_SQL_STATEMENT_NAME,
            SqlState::FEATURE_NOT_SUPPORTED,
        ]
        .contains(code);
        match is_fatal || is_other_server || code.code().starts_with("08") {
            true => Kind::Lost,
            false => Kind::Other,
        }
    }

    /// Whether a COMMIT that failed so has surely not been done.
    pub(super) fn refuses_commit(&self) -> bool {
        let Self::Refused { code, is_fatal, .. } = self else {
            return false;
        };
        let is_of = |class| code.code().starts_with(class);
        !is_fatal
            && *code != SqlState::T_R_STATEMENT_COMPLETION_UNKNOWN
            && (is_of("23") || is_of("25") || is_of("40"))
    }

    /// What to do, for whoever runs the server.
    pub(super) fn advice(&self) -> &'static str {
        match self {
            Self::Unreachable { source, .. } => match &**source {
                Self::Refused { .. } | Self::Certificates(_) => source.advice(),
                Self::Connection(error) if is_of_tls(error) => {
                    "let PostgreSQL have a certificate for the host's name, and name the authority that vouches for it with sslrootcert in the address; the server goes on by itself"
                }
                _ => UNREACHABLE,
            },
            Self::Refused { code, .. } => advice_on(code.code()),
            Self::Connection(_) | Self::NoAnswer(_) | Self::Ended | Self::Gone => UNREACHABLE,
            Self::Certificates(_) => {
                "see that the file is there, and holds certificates in PEM form"
            }
            Self::Thread(_) => "let the server start more threads",
            Self::Fault(_) => FAULT,
            Self::Unconfirmed => UNCONFIRMED,
            Self::Warned(_) => {
                "see that PostgreSQL's replicas are there; the server goes on by itself"
            }
        }
    }
}

const UNREACHABLE: &str =
    "see that PostgreSQL runs and is reached from here; the server goes on by itself";

fn is_fatal(error: &DbError) -> bool {
    matches!(
        error.parsed_severity(),
        Some(Severity::Fatal | Severity::Panic)
    )
}

fn is_of_tls(error: &tokio_postgres::Error) -> bool {
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        if error.is::<rustls::Error>() {
            return true;
        }
        let inner = error.downcast_ref::<std::io::Error>();
        if let Some(inner) = inner.and_then(std::io::Error::get_ref) {
            return inner.is::<rustls::Error>();
        }
        cause = error.source();
    }
    false
}

fn advice_on(code: &str) -> &'static str {
    match code {
        "28000" | "28P01" => {
            "see the user and the password in the database's address, and pg_hba.conf of PostgreSQL"
        }
        "3D000" => "make the database: createdb --encoding=UTF8 --template=template0 gatehand",
        "42501" => {
            "let the user in the database's address own its database: ALTER DATABASE … OWNER TO …"
        }
        "53100" => "make room on the disk of PostgreSQL",
        "53300" => {
            "let PostgreSQL take more connections (max_connections): each server needs up to 16"
        }
        "55P03" => {
            "another process holds the database: an import is waited for; a shell with an open transaction is to be ended (pg_stat_activity names it)"
        }
        "25006" => {
            "name the host that takes writes in the database's address, or all of them: postgres://HOST1,HOST2/…"
        }
        "40001" | "40P01" => "many changes meet: they are done when they are asked for again",
        "58030" | "XX001" | "XX002" => {
            "PostgreSQL's disk or data is damaged: look into its log, and restore the database from a backup"
        }
        code if code.starts_with("57P") || code.starts_with("08") => UNREACHABLE,
        code if code.starts_with("53") => "leave more memory or disk to PostgreSQL",
        _ => FAULT,
    }
}

impl From<tokio_postgres::Error> for Failure {
    fn from(error: tokio_postgres::Error) -> Self {
        match error.as_db_error() {
            Some(refused) => Self::Refused {
                code: refused.code().clone(),
                message: refused.message().to_owned(),
                is_fatal: is_fatal(refused),
            },
            None => Self::Connection(error),
        }
    }
}

impl From<Failure> for StoreError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Gone => Self::GivenUp,
            failure => Self::Database {
                advice: failure.advice(),
                source: failure.into(),
            },
        }
    }
}
