//! How the agent of a kiosk is set up.

use std::path::PathBuf;
use std::time::Duration;

use super::metrics_file::MetricsFile;
use crate::agent::OwnHardware;
use crate::door::DoorSettings;
use crate::enrolment::{Enrolment, ServerUrl};
use crate::facts::Overrides;
use crate::serving::PassedSocket;

/// How the agent of a kiosk is set up.
pub struct Settings {
    /// What tells this machine from others.
    pub hardware: OwnHardware,
    /// How often the server is asked who this device is.
    pub heartbeat: Duration,
    /// How often it is asked what to scan for, if at all.
    pub event_selection: Option<Duration>,
    /// Where an enrolment may lie: files, or folders with files of the usual names.
    pub sources: Vec<PathBuf>,
    /// What may be enrolled from there.
    pub allowed: AllowedEnrolments,
    /// How long a clock is waited for that nobody has set.
    pub clock_patience: Duration,
    /// What is reported instead of what is found.
    pub overrides: Overrides,
    /// The doors for the kiosk's other programs.
    pub doors: Vec<DoorSettings>,
    /// The file for what monitoring watches, if there is to be one.
    pub metrics_file: Option<MetricsFile>,
    /// A socket that a service manager passed, for the first door instead of its own.
    pub passed: Option<PassedSocket>,
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
