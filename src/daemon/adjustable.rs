//! What of the settings may change while the agent runs.

use std::path::PathBuf;
use std::time::Duration;

use crate::door::Allowed;
use crate::enrolment::{Enrolment, ServerUrl};

/// What of the settings may change while the agent runs.
#[derive(Clone, Debug)]
pub struct Adjustable {
    /// How often the server is asked who this device is.
    pub heartbeat: Duration,
    /// How often it is asked what to scan for, if at all.
    pub event_selection: Option<Duration>,
    /// Where an enrolment may lie: files, or folders with files of the usual names.
    pub sources: Vec<PathBuf>,
    /// What may be enrolled from there.
    pub allowed: AllowedEnrolments,
    /// What passes the doors, each named by its socket.
    pub doors: Vec<(PathBuf, Allowed)>,
}

/// Where a device may enrol that nobody watches.
#[derive(Clone, Debug, Default)]
pub struct AllowedEnrolments {
    /// Addresses of servers that a token may be sent to.
    pub servers: Vec<ServerUrl>,
    /// Slugs of organizers whose device this may become: a public server has others' as well.
    pub organizers: Vec<String>,
}

impl AllowedEnrolments {
    /// Whether servers and organizers are both named, without which nothing is enrolled unwatched.
    pub(super) fn are_named(&self) -> bool {
        !self.servers.is_empty() && !self.organizers.is_empty()
    }

    pub(super) fn allow(&self, enrolment: &Enrolment) -> bool {
        self.servers.contains(enrolment.url())
    }
}
