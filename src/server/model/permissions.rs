//! What a team may do.

use serde::{Serialize, Serializer};

/// To see an organizer's devices.
pub(in crate::server) const READ_DEVICES: &str = "organizer.devices:read";
/// To change them.
pub(in crate::server) const WRITE_DEVICES: &str = "organizer.devices:write";

/// What a team may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Permissions {
    /// Everything.
    All,
    /// As `organizer.devices:read`; those of other resources of the API are kept too.
    Listed(Vec<String>),
}

impl Permissions {
    /// Whether a permission is among them, as `organizer.devices:read`.
    pub fn include(&self, permission: &str) -> bool {
        match self {
            Self::All => true,
            Self::Listed(list) => list.iter().any(|listed| listed == permission),
        }
    }
}

impl Serialize for Permissions {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::All => serializer.serialize_str("all"),
            Self::Listed(list) => list.serialize(serializer),
        }
    }
}
