//! Why an operation was not done, and what to do about it.

use std::error::Error;
use std::io;

use crate::seal::SealError;
use crate::server::organizers_file::{self, Fault, OrganizersFileError};

/// Why an operation was not done. Nothing of it is stored then, nor will be, unless the error is
/// [`Unsettled`](Self::Unsettled).
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database failed.
    #[error("the database failed")]
    Database {
        /// What to do about it.
        advice: &'static str,
        /// What failed.
        source: Box<dyn Error + Send + Sync>,
    },
    /// A column holds what was never written there.
    #[error("column {column} of a row holds something else than it should")]
    Unreadable {
        /// Its position in the query.
        column: usize,
    },
    /// A statement that is for one row met several.
    #[error("a statement for one row met several")]
    SeveralRows,
    /// The caller gave the change up before it was done.
    #[error("the change was given up before it was done")]
    GivenUp,
    /// The database failed while it stored the change, and can't tell whether it is stored.
    #[error("the database failed, and can't tell whether the change was stored")]
    Unsettled,
    /// The answer to a request with the same idempotency key was kept a moment ago.
    #[error("a request with the same idempotency key was answered a moment ago")]
    AlreadyKept,
    /// What is to be changed is not what the caller expects any more.
    #[error("it was changed since it was read")]
    Outdated,
    /// A value could not be sealed or unsealed.
    #[error("a sealed value can't be used")]
    Seal(#[from] SealError),
    /// The operating system gave no random bytes.
    #[error("the operating system gave no random bytes")]
    Random(#[from] getrandom::Error),
    /// What is to be made is there already.
    #[error("there is already {kind} {name:?}")]
    Exists {
        /// As `a gate`.
        kind: &'static str,
        /// Slug, identifier or name.
        name: String,
    },
    /// What is referred to is not there.
    #[error("there is no {kind} {name:?}")]
    Unknown {
        /// As `gate`.
        kind: &'static str,
        /// Slug, identifier, name or number.
        name: String,
    },
    /// It has a scanner already, or was revoked.
    #[error("device {device} does not wait for a scanner")]
    NotWaiting {
        /// Its number.
        device: u64,
    },
    /// Its access has ended for good.
    #[error("device {device} was revoked, which is for good")]
    Revoked {
        /// Its number.
        device: u64,
    },
    /// Something in an organizers file contradicts what is stored.
    #[error("{}", organizers_file::list(faults, *more))]
    Contradiction {
        /// The first of what does.
        faults: Vec<Fault>,
        /// How much does beyond these.
        more: usize,
    },
    /// An organizers file is not any more what it was when it was looked at.
    #[error("the organizers file was changed while it was imported")]
    File(#[from] OrganizersFileError),
    /// What is exported can't be written.
    #[error("the export can't be written")]
    Output(#[source] io::Error),
}

/// What nothing but a mistake of ours brings about.
pub(super) const FAULT: &str = "this is a fault of gatehand: report it";
pub(super) const NO_RANDOM: &str = "let the server read random bytes of the operating system";

impl StoreError {
    /// A single thing contradicts what is stored.
    pub(super) fn contradiction(fault: Fault) -> Self {
        Self::Contradiction {
            faults: vec![fault],
            more: 0,
        }
    }

    /// What to do about it, for whoever runs the server; where the words don't say it.
    pub fn advice(&self) -> Option<&'static str> {
        match self {
            Self::Database { advice, .. } => Some(advice),
            Self::Unreadable { .. } => Some(
                "the database is damaged, or something else changed it: restore it from a backup",
            ),
            Self::SeveralRows => Some(FAULT),
            Self::GivenUp => Some("see what keeps the database or its disk busy"),
            Self::Random(_) => Some(NO_RANDOM),
            Self::Seal(_) => Some("see that the database and the server's secret belong together"),
            Self::Unsettled => Some("see whether it was done before you do it again"),
            Self::NotWaiting { .. } => Some(
                "if its scanner was reset or replaced, admin device reconnect gives it a code; of one that was revoked, create another",
            ),
            Self::Revoked { .. } => Some("create another device"),
            Self::AlreadyKept
            | Self::Outdated
            | Self::Exists { .. }
            | Self::Unknown { .. }
            | Self::Contradiction { .. }
            | Self::File(_)
            | Self::Output(_) => None,
        }
    }
}
