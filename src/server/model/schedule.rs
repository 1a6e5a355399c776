//! When something takes place.

use jiff::Timestamp;
use serde::Serialize;

/// The times of an event or of a date.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Schedule {
    /// When it starts.
    pub date_from: Timestamp,
    /// When it ends; without, as soon as it starts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub date_to: Option<Timestamp>,
    /// When the doors open; scanning starts then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub date_admission: Option<Timestamp>,
}

impl Schedule {
    /// When scanning starts.
    pub fn start(&self) -> Timestamp {
        self.date_admission.unwrap_or(self.date_from)
    }

    /// When it is over: never before the start, whatever was entered.
    pub fn end(&self) -> Timestamp {
        self.date_to.unwrap_or(self.date_from).max(self.start())
    }
}
