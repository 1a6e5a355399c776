//! How errors name the home of a vault's key.

use std::fmt;

/// Whose key a vault was opened with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyPlace {
    /// That in its file.
    File,
    /// That of the caller of this library.
    Caller,
}

impl fmt::Display for KeyPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::File => "the one it is opened with",
            Self::Caller => "the one that the app holds",
        })
    }
}
