//! Initialization tokens as they are kept: sealed for their device, and beside that what they are looked up by.

use serde_json::json;

use super::{Context, log};
use crate::secret::Secret;
use crate::server::installation_keys::InstallationKeys;
use crate::server::store::error::StoreError;
use crate::server::store::session::{Session, values};
use crate::server::tokens;

/// What is kept in place of a sealed token that was ended.
const NONE: Vec<u8> = Vec::new();

/// The token that is kept for the device of this serial, unless that was ended.
pub(super) fn open(
    keys: &InstallationKeys,
    serial: &str,
    sealed: &[u8],
) -> Result<Option<Secret>, StoreError> {
    if *sealed == *NONE {
        return Ok(None);
    }
    let token = keys.unseal(&purpose(serial), sealed)?;
    let text = String::from_utf8_lossy(&token).into_owned();
    Ok(Some(Secret::new(text)))
}

/// A new one for the device of this serial, as it is found and as it is kept.
pub(super) fn fresh(
    keys: &InstallationKeys,
    serial: &str,
) -> Result<([u8; 32], Vec<u8>), StoreError> {
    let token = tokens::initialization_token()?;
    let sealed = keys.seal(&purpose(serial), token.expose().as_bytes())?;
    Ok((keys.token_lookup(&token), sealed))
}

/// Has the device in this row have this one, in place of the one that it has.
pub(super) fn put(
    session: &mut dyn Session,
    row: i64,
    lookup: &[u8; 32],
    sealed: &Vec<u8>,
) -> Result<(), StoreError> {
    session.execute(
        "UPDATE device SET token_lookup = ?2, token_sealed = ?3 WHERE id = ?1",
        values![row, lookup, sealed],
    )?;
    Ok(())
}

/// Binds a sealed token to its device.
fn purpose(serial: &str) -> String {
    format!("initialization token of {serial}")
}

/// Ends the one that the device in this row has.
pub(super) fn end(
    session: &mut dyn Session,
    context: &Context<'_>,
    row: i64,
) -> Result<(), StoreError> {
    // No token leads to it.
    let mut nobodys = [0; 32];
    getrandom::fill(&mut nobodys)?;
    put(session, row, &nobodys, &NONE)?;
    log::write(session, context, row, "token ended", &json!({}))
}
