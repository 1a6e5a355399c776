//! How errors name the home of a vault's key.

use std::fmt;
use std::path::PathBuf;

/// Whose key a vault was opened with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyPlace {
    /// That in this file.
    File(PathBuf),
    /// That of the caller of this library.
    Caller,
}

impl fmt::Display for KeyPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::File(_) => "the one it is opened with",
            Self::Caller => "the one that the app holds",
        })
    }
}
