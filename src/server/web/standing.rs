//! How a device stands, in one word: the same in the table, on its page, on boards and in lists for spreadsheets.

use jiff::Timestamp;

use crate::server::model::{CodeState, DetailedDevice, SILENT_AFTER};

/// How a device stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// Its code waits for a scanner, which is its first or takes the place of the one that it is.
    Waiting,
    /// It is to have a scanner, and its code lets none in.
    CodeEnded,
    /// It made a call a short while ago, or was connected then and has not been seen since.
    Online,
    /// It is connected, and made no call for a while.
    Silent,
    /// It is connected, and never made a call.
    Unseen,
    /// Its access has ended for good.
    Revoked,
}

impl Standing {
    pub(super) fn of(detailed: &DetailedDevice, now: Timestamp) -> Self {
        match detailed.code {
            _ if detailed.device.revoked => Self::Revoked,
            CodeState::Open => Self::Waiting,
            CodeState::Ended => Self::CodeEnded,
            CodeState::Used => match detailed.last_seen.or(detailed.device.initialized) {
                Some(seen) if now.duration_since(seen) < SILENT_AFTER => Self::Online,
                _ if detailed.last_seen.is_none() => Self::Unseen,
                _ => Self::Silent,
            },
        }
    }

    /// The name of its text.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Waiting => "standing:waiting",
            Self::CodeEnded => "standing:code_ended",
            Self::Online => "standing:online",
            Self::Silent => "standing:silent",
            Self::Unseen => "standing:unseen",
            Self::Revoked => "standing:revoked",
        }
    }

    /// What style sheets and lists know it by.
    pub(super) fn class(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::CodeEnded => "code_ended",
            Self::Online => "online",
            Self::Silent => "silent",
            Self::Unseen => "unseen",
            Self::Revoked => "revoked",
        }
    }
}
