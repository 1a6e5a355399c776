//! Why the record can't be read or written.

use std::path::PathBuf;

use crate::vault::VaultError;

/// What the agent's own error has the words for.
#[derive(Debug)]
pub(in crate::agent) enum RecordError {
    Vault(VaultError),
    /// The operating system gave no random bytes.
    Random(getrandom::Error),
    /// An entry has another form than this program writes.
    Entry {
        path: PathBuf,
        entry: &'static str,
        source: serde_json::Error,
    },
    /// There is an identity and no key to it.
    NoKey {
        path: PathBuf,
    },
    /// An entry could not be written as JSON.
    Encode(serde_json::Error),
}

impl From<VaultError> for RecordError {
    fn from(error: VaultError) -> Self {
        Self::Vault(error)
    }
}
