//! Initialization tokens as they are kept: sealed for their device, and beside that what they are looked up by.

use serde_json::json;

use super::found::unknown;
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

/// Binds a sealed token to its device.
fn purpose(serial: &str) -> String {
    format!("initialization token of {serial}")
}

/// Gives a device that waits for a scanner a new one, in place of the one that it has.
pub(in crate::server::store) fn renew(
    session: &mut dyn Session,
    context: &Context<'_>,
    organizer: i64,
    device_id: u64,
) -> Result<(), StoreError> {
    let found = session.row(
        "SELECT id, unique_serial FROM device WHERE organizer = ?1 AND device_id = ?2",
        values![organizer, device_id],
        |columns| Ok((columns.next::<i64>()?, columns.next::<String>()?)),
    )?;
    let (row, serial) = found.ok_or_else(|| unknown("device", &device_id.to_string()))?;
    let (lookup, sealed) = fresh(context.keys, &serial)?;
    let renewed = session.execute(
        "UPDATE device SET token_lookup = ?2, token_sealed = ?3
         WHERE id = ?1 AND initialized IS NULL AND NOT revoked",
        values![row, &lookup, &sealed],
    )?;
    match renewed {
        0 => Err(StoreError::NotWaiting { device: device_id }),
        _ => log::write(session, context, row, "token renewed", &json!({})),
    }
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
    session.execute(
        "UPDATE device SET token_lookup = ?2, token_sealed = ?3 WHERE id = ?1",
        values![row, &nobodys, &NONE],
    )?;
    log::write(session, context, row, "token ended", &json!({}))
}
