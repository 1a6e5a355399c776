//! How a device stands, in one word.

use jiff::Timestamp;

use crate::server::model::{DetailedDevice, SILENT_AFTER};

/// How a device stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// Its code waits for a scanner.
    Waiting,
    /// It made a call a short while ago.
    Online,
    /// It has access, and made no call for a while.
    Silent,
    /// Its access has ended for good.
    Revoked,
}

impl Standing {
    pub(super) fn of(detailed: &DetailedDevice, now: Timestamp) -> Self {
        let DetailedDevice {
            device, last_seen, ..
        } = detailed;
        let is_recent = |seen: &Timestamp| now.duration_since(*seen) < SILENT_AFTER;
        match (device.revoked, device.initialized, last_seen) {
            (true, _, _) => Self::Revoked,
            (false, None, _) => Self::Waiting,
            (false, Some(_), Some(seen)) if is_recent(seen) => Self::Online,
            (false, Some(initialized), None) if is_recent(&initialized) => Self::Online,
            (false, Some(_), _) => Self::Silent,
        }
    }

    /// The name of its text.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Waiting => "standing:waiting",
            Self::Online => "standing:online",
            Self::Silent => "standing:silent",
            Self::Revoked => "standing:revoked",
        }
    }

    /// What style sheets know it by.
    pub(super) fn class(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Online => "online",
            Self::Silent => "silent",
            Self::Revoked => "revoked",
        }
    }
}
