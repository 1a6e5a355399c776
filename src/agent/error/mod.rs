//! What can go wrong with an operation or a call, in words for the person at the device.

mod kind;
mod words;

use std::path::PathBuf;

use reqwest::StatusCode;
use reqwest::header::InvalidHeaderValue;

use super::answer::ForeignAnswer;
use super::client::{ClientError, SendError};
use super::media_keys::MediaKeyError;
use super::record::{Device, Identity, RecordError, Revoker};
use super::state::{Operation, State};
use crate::causes;
use crate::enrolment::ServerUrlError;
use crate::facts::BlankOverride;
use crate::shown;
use crate::vault::VaultError;
use crate::wire::{Problem, TOKEN_UNKNOWN};

pub use kind::ErrorKind;

/// Why an operation or a call failed.
#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    /// The vault can't be used.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The address is not one to send a token or a key to.
    #[error(transparent)]
    Address(#[from] ServerUrlError),
    /// A blank text is to be reported.
    #[error(transparent)]
    Override(#[from] BlankOverride),
    /// The connections of an operation can't be set up.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// Keys for NFC media can't be had.
    #[error(transparent)]
    MediaKey(#[from] MediaKeyError),
    /// The operating system gave no random bytes.
    #[error("the operating system gave no random bytes: {0}")]
    Random(getrandom::Error),
    /// The operating system starts no more threads.
    #[error("the operating system starts no thread to wait for the disk on")]
    Thread(#[source] std::io::Error),
    /// There is no identity.
    #[error("this device is not enrolled")]
    NotEnrolled,
    /// A token was sent, and its answer not read.
    #[error("this device has sent a token to {server} and has not read the answer yet")]
    Enrolling {
        /// The server the token was for.
        server: String,
    },
    /// The device has an identity, and it was not said to be replaced.
    #[error("this device is already enrolled as {}", .0.in_words())]
    AlreadyEnrolled(Box<Identity>),
    /// Another token was sent and its answer never read.
    #[error(
        "an enrolment at {server} with another token or address was not finished, and its token may be used up"
    )]
    Unfinished {
        /// The server the other token was for.
        server: String,
    },
    /// The server has ended the device's access for good.
    #[error(
        "the server has revoked this device, {}, and its key is worthless now",
        .0.in_words()
    )]
    Revoked(Box<Identity>),
    /// The device itself has ended its access for good.
    #[error(
        "this device, {}, was revoked from here, and its key is destroyed",
        .0.in_words()
    )]
    RevokedHere(Box<Identity>),
    /// The key is not accepted, for a reason that need not last.
    #[error(
        "{server} does not accept this device's key ({problem}); the key is kept, and works again as soon as the server takes it"
    )]
    Rejected {
        /// The server.
        server: String,
        /// Its words.
        problem: Problem,
    },
    /// A key was given out in an answer that will never arrive.
    #[error("{}", words::answer_lost(*.operation, .server))]
    AnswerLost {
        /// What was asked for.
        operation: Operation,
        /// Who was asked.
        server: String,
    },
    /// The server refused, in its own words.
    #[error("{server} refused: {problem}{}", words::still_begun(*.pending))]
    Refused {
        /// What was asked for, if it was an operation.
        operation: Option<Operation>,
        /// Whether the operation is still in the vault, because an earlier try may have been done.
        pending: bool,
        /// The server.
        server: String,
        /// 400, 401 or 403.
        status: StatusCode,
        /// Its words.
        problem: Problem,
        /// Whether they are about the initialization token, which so is of no use any more.
        about_token: bool,
    },
    /// No answer came.
    #[error("{} at {server}{}", words::failure(*.operation), words::after(*.operation, *.pending, .source))]
    Unanswered {
        /// What was asked for, if it was an operation.
        operation: Option<Operation>,
        /// The server.
        server: String,
        /// Whether the server may have done it. An operation is then still in the vault, to be finished.
        pending: bool,
        /// Why.
        #[source]
        source: SendError,
    },
    /// Something else than the device API answered.
    #[error("{} at {server}{}{}", words::failure(*.operation), words::through(.proxy), words::go_on(*.operation, true))]
    Foreign {
        /// What was asked for, if it was an operation.
        operation: Option<Operation>,
        /// The server.
        server: String,
        /// The proxy on the way to it, which may have answered in its place.
        proxy: Option<String>,
        /// What answered.
        #[source]
        source: ForeignAnswer,
    },
    /// The server's answer holds no key that could be used, or is about another device.
    #[error(
        "{server} answered with an identity that can't be used{}",
        words::go_on(Some(*.operation), true)
    )]
    Unsound {
        /// What was asked for.
        operation: Operation,
        /// The server.
        server: String,
    },
    /// The token led to a device of an organizer that is not among the allowed ones.
    #[error("the code is for {}, whose organizer is not allowed here{}", .device.in_words(), words::unwanted(*.is_revoked))]
    OtherOrganizer {
        /// The device, which this one did not become.
        device: Box<Identity>,
        /// Whether it is revoked; else that is tried again.
        is_revoked: bool,
    },
    /// The vault is bound to other hardware, and is not to be used here.
    #[error(
        "this vault was copied from another machine: its device was enrolled on hardware with another {}, and copied_card = \"refuse\" is set", .differs.join(" and another ")
    )]
    OtherHardware {
        /// What differs, in words.
        differs: Vec<&'static str>,
    },
    /// Nothing tells this hardware from other.
    #[error("nothing tells this hardware from other: it has no serial number, and none is given")]
    NoHardware,
    /// What was begun on the device decides whether it goes on to be one.
    #[cfg(feature = "cli")]
    #[error(
        "{} was begun here and is not finished, so the vault was not bound to this hardware", operation.in_words()
    )]
    NotAdoptedHere {
        /// What.
        operation: Operation,
    },
    /// The server told of another device than this one.
    #[error("{server} answered with another device than this one")]
    OtherDevice {
        /// The server.
        server: String,
    },
    /// The server does not know the key of a device that is to be adopted.
    #[error("{server} does not accept this key ({problem}), so nothing was adopted")]
    NotAdopted {
        /// The server.
        server: String,
        /// Its words.
        problem: Problem,
    },
    /// The server does not know the key of a device that comes from other hardware.
    #[cfg(feature = "cli")]
    #[error(
        "{server} does not accept the key of the device that was to be imported ({problem}): it was replaced since, by an import of the same file or by the machine that it comes from; nothing was imported"
    )]
    NotImported {
        /// The server.
        server: String,
        /// Its words.
        problem: Problem,
    },
    /// A device whose key is not accepted is of no use elsewhere.
    #[cfg(feature = "cli")]
    #[error("there is nothing to export: {server} does not accept this device's key")]
    NotExported {
        /// The server.
        server: String,
    },
    /// What was begun may be answered later, here and nowhere else.
    #[cfg(feature = "cli")]
    #[error("{} was begun here and is not finished, so nothing was exported", operation.in_words())]
    UnderWay {
        /// What.
        operation: Operation,
    },
    /// The server keeps the RSA key of an earlier installation.
    #[error(
        "{server} keeps another RSA key for this device, from an earlier installation, and takes no second one; to read NFC media, this has to become a new device"
    )]
    OtherMediaKey {
        /// The server.
        server: String,
    },
    /// The server does not take the RSA key of a device that is to be adopted.
    #[error(
        "{server} does not take this RSA key for the device ({problem}), so nothing was adopted"
    )]
    GivenMediaKey {
        /// The server.
        server: String,
        /// 400.
        status: StatusCode,
        /// Its words.
        problem: Problem,
    },
    /// A call would change the identity behind the agent's back.
    #[error("{path} changes who this device is, and so is not for a plain request")]
    OwnPath {
        /// The path.
        path: String,
        /// The operation that does it.
        operation: Operation,
    },
    /// What is no method to call an API with.
    #[error("{0:?} is no method of the API: give GET, HEAD, OPTIONS, POST, PUT, PATCH or DELETE")]
    Method(String),
    /// A text that no header can hold.
    #[error("the {0} holds characters that can't be sent")]
    Header(&'static str),
    /// A header that is not the app's to set.
    #[error("the header {0} is not for a call to set: leave it out")]
    OwnHeader(String),
    /// A key that no header can hold.
    #[error("this device's key holds characters that can't be sent")]
    Key(#[from] InvalidHeaderValue),
    /// An entry of the vault has another form than this program writes.
    #[error("the entry {entry:?} of the vault {path} can't be understood")]
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
    #[error("the vault {path} holds an identity without its key")]
    NoKey {
        /// The vault.
        path: PathBuf,
    },
    /// An entry could not be written as JSON.
    #[error("can't write an entry as JSON")]
    Encode(#[source] serde_json::Error),
}

impl From<RecordError> for AgentError {
    fn from(error: RecordError) -> Self {
        match error {
            RecordError::Vault(error) => Self::Vault(error),
            RecordError::Random(error) => Self::Random(error),
            RecordError::Entry {
                path,
                entry,
                source,
            } => Self::Entry {
                path,
                entry,
                source,
            },
            RecordError::NoKey { path } => Self::NoKey { path },
            RecordError::Encode(error) => Self::Encode(error),
        }
    }
}

impl AgentError {
    /// The error that says why a device in this state can make no calls.
    pub(super) fn unusable(device: &Device) -> Self {
        match (
            device.situation().state(),
            &device.identity,
            &device.standing.lost,
            &device.enrolment,
        ) {
            (State::Revoked, Some(identity), ..) => {
                let identity = Box::new(identity.clone());
                match device.standing.revoked_by {
                    Some(Revoker::Device) => Self::RevokedHere(identity),
                    Some(Revoker::Server) | None => Self::Revoked(identity),
                }
            }
            (State::AnswerLost, _, Some(lost), _) => Self::AnswerLost {
                operation: lost.operation,
                server: lost.server.to_string(),
            },
            (State::Enrolling, _, _, Some(begun)) => Self::Enrolling {
                server: begun.server.to_string(),
            },
            _ => Self::NotEnrolled,
        }
    }

    /// What class of failure it is.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Vault(error) => error.into(),
            Self::Entry { .. } | Self::NoKey { .. } => ErrorKind::VaultDamaged,
            Self::Address(ServerUrlError::PlainHttp(_)) => ErrorKind::NotEncrypted,
            Self::Address(_)
            | Self::Override(_)
            | Self::OwnPath { .. }
            | Self::NoHardware
            | Self::Method(_)
            | Self::Header(_)
            | Self::OwnHeader(_) => ErrorKind::ArgumentInvalid,
            Self::NotEnrolled => ErrorKind::NotEnrolled,
            Self::Enrolling { .. } => ErrorKind::Enrolling,
            Self::Unfinished { .. } => ErrorKind::EnrolmentUnfinished,
            Self::AlreadyEnrolled(_) => ErrorKind::AlreadyEnrolled,
            Self::Revoked(_) | Self::RevokedHere(_) => ErrorKind::Revoked,
            Self::Rejected { .. } => ErrorKind::Rejected,
            Self::NotAdopted { problem, .. } => match problem.says_revoked() {
                true => ErrorKind::GivenKeyRevoked,
                false => ErrorKind::GivenKeyRejected,
            },
            #[cfg(feature = "cli")]
            Self::NotImported { problem, .. } => match problem.says_revoked() {
                true => ErrorKind::GivenKeyRevoked,
                false => ErrorKind::GivenKeyRejected,
            },
            #[cfg(feature = "cli")]
            Self::NotExported { .. } => ErrorKind::Rejected,
            #[cfg(feature = "cli")]
            Self::UnderWay { .. } | Self::NotAdoptedHere { .. } => ErrorKind::Failed,
            Self::AnswerLost { .. } => ErrorKind::AnswerLost,
            Self::Refused {
                about_token: true, ..
            } => ErrorKind::TokenRefused,
            Self::Refused { .. } => ErrorKind::Refused,
            Self::OtherDevice { .. } => ErrorKind::OtherDevice,
            Self::OtherHardware { .. } => ErrorKind::OtherHardware,
            Self::OtherOrganizer { .. } => ErrorKind::OtherOrganizer,
            Self::OtherMediaKey { .. } => ErrorKind::MediaKeyLost,
            Self::GivenMediaKey { .. } => ErrorKind::OtherMediaKey,
            Self::MediaKey(
                MediaKeyError::GivenPrivate
                | MediaKeyError::GivenEncrypted
                | MediaKeyError::GivenPublic,
            ) => ErrorKind::ArgumentInvalid,
            Self::MediaKey(MediaKeyError::Coding { .. } | MediaKeyError::Decrypt { .. }) => {
                ErrorKind::MediaKeysUnreadable
            }
            Self::Unanswered { source, .. } => source.into(),
            Self::Foreign { source, .. } => source.into(),
            Self::Unsound { .. } => ErrorKind::ServerFailed,
            Self::MediaKey(MediaKeyError::Make(_) | MediaKeyError::Read(_))
            | Self::Client(_)
            | Self::Random(_)
            | Self::Thread(_)
            | Self::Key(_)
            | Self::Encode(_) => ErrorKind::Failed,
        }
    }

    /// Whether what is in the vault can't be used, so that only setting it aside makes room.
    pub(super) fn is_beyond_use(&self) -> bool {
        self.kind() == ErrorKind::VaultDamaged
    }

    /// Whether the server knows no such token, and so nothing was used up.
    pub(super) fn is_token_unknown(&self) -> bool {
        match self {
            Self::Refused {
                about_token: true,
                pending: false,
                problem,
                ..
            } => problem.to_string().contains(TOKEN_UNKNOWN),
            _ => false,
        }
    }

    /// Whether the vault can't be written now, which hides no answer that came: what it told is learnt
    /// by a later call.
    pub(super) fn is_about_writing(&self) -> bool {
        matches!(
            self,
            Self::Vault(
                VaultError::Busy { .. }
                    | VaultError::Unwritable { .. }
                    | VaultError::NotWritten { .. }
            )
        )
    }

    /// Whether the server was not asked, or something else than it answered: it said nothing of this device.
    pub fn is_for_want_of_the_server(&self) -> bool {
        matches!(
            self.kind(),
            ErrorKind::Unreachable
                | ErrorKind::TimedOut
                | ErrorKind::CertificateInvalid
                | ErrorKind::ServerFailed
                | ErrorKind::ForeignAnswer
        )
    }

    /// Whether no call can be made because of it: the key is gone or not accepted, the vault can't be
    /// read, or the server can't be reached. Anything else concerns what failed alone.
    pub(super) fn is_in_the_way(&self) -> bool {
        match self {
            error if error.is_about_writing() => false,
            Self::Refused { .. }
            | Self::Foreign { .. }
            | Self::Unsound { .. }
            | Self::OtherOrganizer { .. }
            | Self::OtherDevice { .. } => false,
            Self::Unanswered {
                operation, source, ..
            } => source.is_unsent() && *operation != Some(Operation::Initialize),
            Self::AnswerLost { operation, .. } => *operation != Operation::Initialize,
            _ => true,
        }
    }

    /// Why it came about, without what it was a failure of.
    pub(super) fn reason(&self) -> String {
        match self {
            Self::Unanswered { source, .. } => source.to_string(),
            Self::Foreign { server, source, .. } => format!("{server}: {source}"),
            error => error.to_string(),
        }
    }

    /// Tells in the log what is no failure of what was asked for: one line, with the causes.
    pub fn warn(&self) {
        let mut words = self.to_string();
        for cause in causes::of(self) {
            words.push_str(&format!(": {cause}"));
        }
        tracing::warn!("{}", shown::line(&words));
    }

    /// The same refusal of an operation that stays begun.
    pub(super) fn left_begun(mut self, is_begun: bool) -> Self {
        if let Self::Refused { pending, .. } = &mut self {
            *pending = is_begun;
        }
        self
    }

    /// A refusal that means that the answer of an earlier try was lost.
    pub(super) fn with_answer_lost(self, operation: Operation) -> Self {
        match self {
            Self::Refused { server, .. } | Self::Rejected { server, .. } => {
                Self::AnswerLost { operation, server }
            }
            error => error,
        }
    }
}
