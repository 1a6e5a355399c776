//! How errors name the home of a vault's key.

use std::fmt;

/// Name of the systemd credential that holds a vault's key.
pub const CREDENTIAL: &str = "gatehand.vault-key";

/// Whose key a vault was opened with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyPlace {
    /// That in its file.
    File,
    /// That in a systemd credential.
    Credential,
    /// That of the caller of this library.
    Caller,
}

impl fmt::Display for KeyPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::File => "the one it is opened with",
            Self::Credential => "the one in the systemd credential",
            Self::Caller => "the one that the app holds",
        })
    }
}
