//! What stands on one label.

use crate::enrolment::draw::QrCode;

/// One device's code, and what tells people whose it is.
pub(crate) struct Label {
    pub(crate) code: QrCode,
    pub(crate) number: u64,
    pub(crate) name: String,
    pub(crate) gate: Option<String>,
    /// Whose it is.
    pub(crate) organizer: String,
}
