//! The device's RSA key for NFC media, as it is kept.

use zeroize::Zeroizing;

use super::error::RecordError;
use super::identity::Identity;
use crate::vault::{Change, Vault, VaultError};

const PRIVATE: &str = "rsa key";
const PUBLIC: &str = "rsa public key";
/// Name of a pair that another app has made, in the store of keys that holds it.
pub(super) const HELD: &str = "rsa key held as";

/// The public half in PEM, if there is a key.
pub(in crate::agent) fn public(vault: &Vault) -> Result<Option<String>, RecordError> {
    Ok(vault.plain(PUBLIC)?)
}

/// The same while the vault is changed.
pub(super) fn public_now(change: &Change<'_>) -> Result<Option<String>, RecordError> {
    Ok(change.plain(PUBLIC)?)
}

/// The private half in DER, if it is here.
pub(in crate::agent) fn private(
    vault: &Vault,
    identity: &Identity,
) -> Result<Option<Zeroizing<Vec<u8>>>, RecordError> {
    Ok(vault.sealed(PRIVATE, &identity.context())?)
}

/// The name under which the pair is held elsewhere, if another app has made it. An entry that does not open is
/// that of another identity, which an older version has left.
pub(in crate::agent) fn held_as(
    vault: &Vault,
    identity: &Identity,
) -> Result<Option<String>, RecordError> {
    match vault.sealed(HELD, &identity.context()) {
        Err(VaultError::Seal { .. }) => Ok(None),
        name => Ok(name?.and_then(|name| String::from_utf8(name.to_vec()).ok())),
    }
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

/// Stores the public half of a pair that another app has made, and the name under which that holds it. The name is
/// bound to the identity, so that no other one ever asks for that pair.
pub(in crate::agent) fn store_held(
    change: &Change<'_>,
    identity: &Identity,
    name: &str,
    public: &str,
) -> Result<(), RecordError> {
    change.put_sealed(HELD, &identity.context(), name.as_bytes())?;
    store_public(change, public)
}

/// Stores the public half of a pair whose private half is held elsewhere.
pub(in crate::agent) fn store_public(change: &Change<'_>, public: &str) -> Result<(), RecordError> {
    Ok(change.put(PUBLIC, public)?)
}

/// Removes a key that the server does not take. The name of one that another app has made stays, for there is no
/// other that the server may take later.
pub(in crate::agent) fn remove_refused(change: &Change<'_>) -> Result<(), RecordError> {
    change.remove(PRIVATE)?;
    Ok(change.remove(PUBLIC)?)
}

/// Removes the key, and the name of one that another app has made.
pub(in crate::agent) fn remove(change: &Change<'_>) -> Result<(), RecordError> {
    change.remove(HELD)?;
    remove_refused(change)
}
