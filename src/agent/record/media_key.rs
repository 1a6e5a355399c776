//! The device's RSA key for NFC media, as it is kept.

use zeroize::Zeroizing;

use super::error::RecordError;
use super::identity::Identity;
use crate::vault::{Change, Vault};

const PRIVATE: &str = "rsa key";
const PUBLIC: &str = "rsa public key";

/// The public half in PEM, if there is a key.
pub(in crate::agent) fn public(vault: &Vault) -> Result<Option<String>, RecordError> {
    Ok(vault.plain(PUBLIC)?)
}

/// The private half in DER, if it is here.
pub(in crate::agent) fn private(
    vault: &Vault,
    identity: &Identity,
) -> Result<Option<Zeroizing<Vec<u8>>>, RecordError> {
    Ok(vault.sealed(PRIVATE, &identity.context())?)
}

pub(in crate::agent) fn store(
    change: &Change<'_>,
    identity: &Identity,
    private: &[u8],
    public: &str,
) -> Result<(), RecordError> {
    change.put_sealed(PRIVATE, &identity.context(), private)?;
    store_public(change, public)
}

/// Stores the public half of a pair whose private half is held elsewhere.
pub(in crate::agent) fn store_public(change: &Change<'_>, public: &str) -> Result<(), RecordError> {
    Ok(change.put(PUBLIC, public)?)
}

pub(in crate::agent) fn remove(change: &Change<'_>) -> Result<(), RecordError> {
    change.remove(PRIVATE)?;
    Ok(change.remove(PUBLIC)?)
}
