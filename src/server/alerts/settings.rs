//! Who is told of devices that fall silent, and when.

use std::path::PathBuf;
use std::time::Duration;

/// Who is told of devices that fall silent.
#[derive(Clone, Debug)]
pub struct AlertSettings {
    /// The program that is run for each alert, with it as JSON on its standard input.
    pub command: PathBuf,
    /// After how long without a call a device is silent.
    pub silent_after: Duration,
    /// How often it is looked.
    pub interval: Duration,
    /// How long a command may take.
    pub time: Duration,
}

impl AlertSettings {
    /// This command, with the default of everything else.
    pub fn new(command: PathBuf) -> Self {
        Self {
            command,
            silent_after: SILENT_AFTER,
            interval: Duration::from_secs(15),
            time: Duration::from_secs(30),
        }
    }
}

/// After how long without a call a device is silent, unless it is told otherwise.
pub const SILENT_AFTER: Duration = Duration::from_secs(600);
