//! Why something can't be done to a fleet.

use super::offered::Offer;
use crate::agent::{AgentError, ErrorKind};
use crate::wire::Problem;

/// Why something can't be done to a fleet.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FleetError {
    /// No answer, or none of the API, or a refusal.
    #[error(transparent)]
    Call(#[from] AgentError),
    /// Of devices that were to be made together some are not taken, so that none was.
    #[error("{server} refused, and none was made: {}", of_entries(.entries))]
    Entries {
        /// The server.
        server: String,
        /// Which, and its words.
        entries: Vec<(String, Problem)>,
    },
    /// The token has characters for which a header has no room.
    #[error("the token can't be sent: it holds characters that no token has")]
    Token,
    /// The organizer's slug is none.
    #[error("{0:?} is no organizer's slug")]
    Organizer(String),
    /// No device goes by this.
    #[error("no device has the number, serial or name {0:?}")]
    NoDevice(String),
    /// Several devices have this name.
    #[error("{} devices have the name {name:?}: {}", .numbers.len(), numbered(.numbers))]
    Several {
        /// The name.
        name: String,
        /// Their numbers.
        numbers: Vec<u64>,
    },
    /// The server can't do it.
    #[error("{server} {}", .offer.lacks())]
    NotOffered {
        /// The server.
        server: String,
        /// What it lacks.
        offer: Offer,
    },
    /// The server answered with success, and nothing was done.
    #[error("{server} answered that it was done, but {what} is as it was")]
    Ignored {
        /// The server.
        server: String,
        /// What of the device.
        what: &'static str,
    },
    /// It was done, as far as the server said.
    #[error("the server answered that it was done, which could not be read back")]
    NotReadBack(#[source] Box<FleetError>),
    /// A device has the name that another one was to have, and is otherwise.
    #[error("device {number} has this name already, and {what} is another")]
    Differs {
        /// Its number.
        number: u64,
        /// What of it.
        what: &'static str,
    },
    /// A device has the name that another one is to get.
    #[error("device {number} has the name {name:?} already")]
    NameTaken {
        /// The name.
        name: String,
        /// The device that has it.
        number: u64,
    },
    /// A device has the name that another one was to have, and no scanner can become it.
    #[error("device {number} has this name, and its code was ended before it was used")]
    CodeEnded {
        /// Its number.
        number: u64,
    },
    /// A device's access has ended for good.
    #[error("device {number} was revoked, which is for good")]
    Revoked {
        /// Its number.
        number: u64,
    },
    /// The list was longer than any fleet.
    #[error("{server} lists devices without end")]
    Endless {
        /// The server.
        server: String,
    },
    /// So many devices are found that some are not.
    #[error("more names begin with {search:?} than {server} looks at")]
    TooMany {
        /// The server.
        server: String,
        /// What they begin with.
        search: String,
    },
    /// What was to be changed is not what it was when it was looked at.
    #[error("{} changed by somebody else since it was looked at, so nothing was done", were(.numbers))]
    Overtaken {
        /// Their numbers, where they are known.
        numbers: Vec<u64>,
    },
}

impl FleetError {
    /// Of which class it is; `None` where the server lacks something.
    pub(crate) fn kind(&self) -> Option<ErrorKind> {
        match self {
            Self::Call(error) => Some(error.kind()),
            Self::Token
            | Self::Organizer(_)
            | Self::NoDevice(_)
            | Self::Several { .. }
            | Self::TooMany { .. } => Some(ErrorKind::ArgumentInvalid),
            Self::NotOffered { .. } => None,
            Self::NotReadBack(source) => source.kind(),
            Self::Ignored { .. } | Self::Endless { .. } => Some(ErrorKind::ForeignAnswer),
            Self::Overtaken { .. }
            | Self::Differs { .. }
            | Self::Entries { .. }
            | Self::NameTaken { .. }
            | Self::CodeEnded { .. }
            | Self::Revoked { .. } => Some(ErrorKind::Refused),
        }
    }

    /// Whether the next device would meet the same.
    pub(super) fn is_of_all(&self) -> bool {
        match self {
            Self::Call(AgentError::Refused { status, .. }) => status.as_u16() != 400,
            Self::Call(_) | Self::NotOffered { .. } | Self::Endless { .. } => true,
            Self::NotReadBack(source) => source.is_of_all(),
            _ => false,
        }
    }
}

/// Which devices, as far as they can be told in a line.
fn were(numbers: &[u64]) -> String {
    match numbers {
        [] => "devices were".to_owned(),
        [number] => format!("device {number} was"),
        _ if numbers.len() <= NAMED => format!("the devices {} were", numbered(numbers)),
        [first, rest @ ..] => format!("device {first} and {} others were", rest.len()),
    }
}

fn numbered(numbers: &[u64]) -> String {
    let numbers: Vec<String> = numbers.iter().map(u64::to_string).collect();
    numbers.join(", ")
}

/// Devices that are named at most.
const NAMED: usize = 5;

fn of_entries(entries: &[(String, Problem)]) -> String {
    let named = entries.iter().take(NAMED);
    let named: Vec<String> = named
        .map(|(name, problem)| format!("{name}: {problem}"))
        .collect();
    let more = entries.len().saturating_sub(NAMED);
    match more {
        0 => named.join("; "),
        more => format!("{}; and {more} more", named.join("; ")),
    }
}
