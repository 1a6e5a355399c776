//! What a team may do.

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
