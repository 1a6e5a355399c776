//! What not every compatible server offers.

/// Something beyond the plain devices resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Offer {
    /// At which gate a device is, and to put it at another.
    Gates,
    /// When a device was last seen.
    LastSeen,
    /// To end a device's access.
    Revocation,
    /// To give a device a new code.
    Reconnection,
    /// What was done to a device.
    Log,
}

impl Offer {
    /// What such a server does not do.
    pub(super) fn lacks(self) -> &'static str {
        match self {
            Self::Gates => "tells and takes no gate of a device over its API",
            Self::LastSeen => "does not tell over its API when a device was last seen",
            Self::Revocation => "revokes no device over its API",
            Self::Reconnection => "gives no device a new code over its API",
            Self::Log => "does not tell over its API what was done to a device",
        }
    }
}
