//! What the sources of facts have in common.

use crate::wire::Text;

/// What one source tells of the hardware.
pub(super) struct Hardware {
    pub(super) brand: Option<Text>,
    pub(super) model: Option<Text>,
}

/// What one source tells of the operating system.
pub(super) struct OperatingSystem {
    pub(super) name: Text,
    pub(super) version: Option<Text>,
}
