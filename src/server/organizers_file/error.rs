//! What is wrong with a file.

use std::io;

use serde::Serialize;

use super::shown::quote;

/// How much a file may hold besides devices, in bytes. Of these there may be any number.
pub const SIZE_LIMIT: usize = 16 * 1024 * 1024;

/// How much a single device may take, in bytes.
pub const DEVICE_LIMIT: usize = 1024 * 1024;

/// How many faults are told in full; the rest is counted.
pub const FAULT_LIMIT: usize = 20;

/// Something in the file that is not as expected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// The place, as `organizers[2].events[0].date_from`.
    pub path: String,
    /// The name of the device it is in, if it is in one that has a name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    /// The value there, shortened; of what may be secret only its kind.
    pub found: String,
    /// What was expected instead.
    pub expected: String,
}

impl std::fmt::Display for Fault {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            path,
            device,
            found,
            expected,
        } = self;
        write!(formatter, "{path}")?;
        if let Some(device) = device {
            write!(formatter, " ({})", quote(device))?;
        }
        write!(formatter, ": found {found}, expected {expected}")
    }
}

/// Why a file can't be imported.
#[derive(Debug, thiserror::Error)]
pub enum OrganizersFileError {
    /// It holds more than [`SIZE_LIMIT`] besides devices.
    #[error(
        "the organizers file holds more than {} MiB besides devices; split it",
        SIZE_LIMIT / 1024 / 1024
    )]
    TooLarge,
    /// A device takes more than [`DEVICE_LIMIT`].
    #[error(
        "the device that goes on at line {line} column {column} of the organizers file is larger than {} MiB",
        DEVICE_LIMIT / 1024 / 1024
    )]
    LargeDevice {
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
    },
    /// It can't be read.
    #[error("the organizers file can't be read")]
    Unreadable(#[source] io::Error),
    /// What came before can't be kept, to see what comes twice.
    #[error("the organizers file can't be checked for what comes twice in it")]
    Unchecked(#[source] rusqlite::Error),
    /// It is in UTF-16.
    #[error("the organizers file is in UTF-16")]
    Utf16,
    /// It can't be read as JSON; the cause tells the line and column.
    #[error("the organizers file is not JSON")]
    Syntax(#[source] serde_json::Error),
    /// It is JSON, but not as expected.
    #[error("{}", list(faults, *more))]
    Faults {
        /// The first [`FAULT_LIMIT`] in the order of the file.
        faults: Vec<Fault>,
        /// How many there are beyond these.
        more: usize,
    },
}

/// A line for each fault.
pub(in crate::server) fn list(faults: &[Fault], more: usize) -> String {
    let mut text = "the organizers file is not as expected:".to_owned();
    for fault in faults {
        text += &format!("\n  {fault}");
    }
    if more > 0 {
        text += &format!("\n  and {more} more");
    }
    text
}
