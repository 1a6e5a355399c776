//! What can go wrong with an operation, in words for the person at the device.

use std::path::PathBuf;

use reqwest::StatusCode;

use super::Identity;
use super::answer::ForeignAnswer;
use super::client::SendError;
use crate::enrolment::ServerUrlError;
use crate::vault::VaultError;
use crate::wire::Problem;

/// Why an operation failed.
#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    /// The vault can't be used.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The server's address is not one to send a token to.
    #[error(transparent)]
    Transport(#[from] ServerUrlError),
    /// The operating system gave no random bytes.
    #[error("the operating system gave no random bytes: {0}")]
    Random(getrandom::Error),
    /// The device has an identity, and it was not said to be replaced.
    #[error(
        "this device is already enrolled as {:?} (device {} of {} at {}); to give that up and enrol anew, add --replace",
        .0.name, .0.device_id, .0.organizer, .0.server
    )]
    AlreadyEnrolled(Box<Identity>),
    /// Another token was sent and its answer never read.
    #[error(
        "an enrolment at {server} with another token or address was not finished, and its token may be used up: enrol with that code again to finish it, or add --replace to give it up"
    )]
    Unfinished {
        /// The server the other token was for.
        server: String,
    },
    /// The server refused, in its own words.
    #[error("{server} refused: {problem}")]
    Refused {
        /// The server.
        server: String,
        /// 400, 401 or 403.
        status: StatusCode,
        /// Its words.
        problem: Problem,
    },
    /// No answer came.
    #[error("this device could not be enrolled at {server}{}", go_on(!.source.is_unsent()))]
    Unanswered {
        /// The server.
        server: String,
        /// Why.
        #[source]
        source: SendError,
    },
    /// Something else than the device API answered.
    #[error("this device could not be enrolled at {server}{}", go_on(true))]
    Foreign {
        /// The server.
        server: String,
        /// What answered.
        #[source]
        source: ForeignAnswer,
    },
    /// The server's answer holds no key that could be used.
    #[error("{server} answered with an identity that can't be used{}", go_on(true))]
    Unsound {
        /// The server.
        server: String,
    },
    /// An entry of the vault has another form than this program writes.
    #[error("the entry {entry:?} of the vault {path} can't be understood: update gatehand")]
    Entry {
        /// The vault.
        path: PathBuf,
        /// Name of the entry.
        entry: &'static str,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// The vault has an identity and no key to it.
    #[error(
        "the vault {path} holds an identity without its key: restore it from a backup, or enrol anew with --replace"
    )]
    NoKey {
        /// The vault.
        path: PathBuf,
    },
    /// An entry could not be written as JSON.
    #[error("can't write an entry as JSON")]
    Encode(#[source] serde_json::Error),
}

fn go_on(may_be_used: bool) -> &'static str {
    if may_be_used {
        "; try again with the same code: nothing is lost, it goes on where it stopped"
    } else {
        ""
    }
}

impl AgentError {
    /// Whether what is in the vault can't be used, so that only setting it aside makes room.
    pub(super) fn is_beyond_use(&self) -> bool {
        match self {
            Self::Vault(error) => error.is_beyond_use(),
            Self::Entry { .. } => true,
            _ => false,
        }
    }

    /// Whether nothing is left to finish: the server has said its last word on this token, or never
    /// saw it. Once a token may have been seen before (`went_on`), only a word on the token itself
    /// counts: a gateway's refusal says nothing about what the server did earlier.
    pub(super) fn ends_the_operation(&self, went_on: bool) -> bool {
        match self {
            Self::Refused { problem, .. } => !went_on || problem.names("token"),
            Self::Unanswered { source, .. } => !went_on && source.is_unsent(),
            _ => false,
        }
    }
}
