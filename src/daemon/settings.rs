//! How the agent of a kiosk is set up when it starts.

use std::time::Duration;

use super::metrics_file::MetricsFile;
use crate::door::DoorSettings;
use crate::facts::Overrides;
use crate::serving::PassedSocket;

/// How the agent of a kiosk is set up when it starts.
pub struct Settings {
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
