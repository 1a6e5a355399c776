//! What tells a device as it was read from the same device after a change.

use std::fmt::{self, Display, Formatter};

use sha2::{Digest, Sha256};

use crate::wire;

/// Differs for whatever differs, and is the same for all who may see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version(String);

impl Version {
    /// That of a device at the gate in this row, whoever sees it. Of its token, which some don't see, it has what that is
    /// looked up by.
    pub(in crate::server) fn of(
        device: &wire::Device,
        gate: Option<i64>,
        token_lookup: &[u8],
    ) -> Self {
        let without_token = wire::Device {
            initialization_token: None,
            ..device.clone()
        };
        // It is made of texts, numbers and times, which all can be written.
        let made_of = (without_token, gate, token_lookup);
        Self::of_bytes(&serde_json::to_vec(&made_of).unwrap_or_default())
    }

    /// That of whatever these bytes are all of.
    pub fn of_bytes(bytes: &[u8]) -> Self {
        let hash = Sha256::digest(bytes);
        let half = hash.iter().take(16);
        Self(half.map(|byte| format!("{byte:02x}")).collect())
    }
}

impl Display for Version {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// The versions of which a caller wants a thing to be one before it is changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expected(Option<Vec<String>>);

impl Expected {
    /// Anything.
    pub const ANYTHING: &Self = &Self(None);

    /// One of these.
    pub fn one_of(versions: Vec<String>) -> Self {
        Self(Some(versions))
    }

    /// Whether nothing is expected.
    pub fn is_anything(&self) -> bool {
        self.0.is_none()
    }

    /// Whether a thing of this version may be changed.
    pub fn holds(&self, version: &Version) -> bool {
        let versions = self.0.as_ref();
        versions.is_none_or(|versions| versions.contains(&version.0))
    }
}
