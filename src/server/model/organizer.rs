//! Organizers, and who calls for them.

use super::permissions::Permissions;

/// An organizer as callers belong to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Organizer {
    /// Number of its row.
    pub id: i64,
    /// Unique in the installation.
    pub slug: String,
    /// Nothing of an organizer that is not active is served.
    pub active: bool,
}

/// The holder of a team's token.
#[derive(Clone, Debug)]
pub struct TeamCaller {
    /// Number of the token's row.
    pub token: i64,
    /// Whether token and team may still be used.
    pub active: bool,
    /// To whom the team belongs.
    pub organizer: Organizer,
    /// What the team may do.
    pub permissions: Permissions,
}

impl TeamCaller {
    /// Whether the team has a permission, as `organizer.devices:read`.
    pub fn may(&self, permission: &str) -> bool {
        self.permissions.include(permission)
    }
}
