//! A fresh initialization token for a device that is there already: it keeps its number, gate and history.

use serde_json::json;

use super::{Context, devices, initialization_tokens, kept_answers, log, samples};
use crate::server::store::api::{NoReconnection, Reconnection};
use crate::server::store::error::StoreError;
use crate::server::store::session::{Session, values};

/// Gives a device a fresh token. The key that it has works until that is redeemed, or no more from `now` on.
pub(in crate::server::store) fn begin(
    session: &mut dyn Session,
    context: &Context<'_>,
    organizer: i64,
    device_id: u64,
    now: bool,
) -> Result<Reconnection, StoreError> {
    let row = devices::row_to_change(session, organizer, device_id)?;
    let before = devices::expected(session, context, organizer, device_id)?;
    if before.revoked {
        return Ok(Err(NoReconnection::Revoked));
    }
    let (lookup, sealed) = initialization_tokens::fresh(context.keys, &before.unique_serial)?;
    // A token that was not redeemed is forgotten: whoever has it is told that there is none such.
    session.execute(
        "UPDATE device SET
            redeemed_lookup = CASE WHEN initialized IS NULL OR reconnecting THEN redeemed_lookup
                ELSE token_lookup END,
            reconnecting = initialized IS NOT NULL
         WHERE id = ?1",
        values![row],
    )?;
    initialization_tokens::put(session, row, &lookup, &sealed)?;
    if now {
        session.execute(
            "UPDATE device SET api_key_hash = NULL WHERE id = ?1",
            values![row],
        )?;
        kept_answers::drop_of(session, row)?;
    }
    let data = json!({ "now": now });
    log::write(session, context, row, "token renewed", &data)?;
    devices::existing(session, context, organizer, device_id).map(Ok)
}

/// The same for a device whose code nobody has redeemed yet; the key that it has, if it has one, works as before.
pub(in crate::server::store) fn renew(
    session: &mut dyn Session,
    context: &Context<'_>,
    organizer: i64,
    device_id: u64,
) -> Result<(), StoreError> {
    let row = devices::row_to_change(session, organizer, device_id)?;
    let waits: Option<bool> = session.one(
        "SELECT NOT revoked AND (initialized IS NULL OR reconnecting) FROM device WHERE id = ?1",
        values![row],
    )?;
    match waits {
        Some(true) => begin(session, context, organizer, device_id, false).map(drop),
        _ => Err(StoreError::NotWaiting { device: device_id }),
    }
}

/// What a device that is redeemed anew does not keep of the one it was.
pub(super) fn leave_behind(session: &mut dyn Session, row: i64) -> Result<(), StoreError> {
    session.execute(
        "UPDATE device SET rsa_pubkey = NULL WHERE id = ?1",
        values![row],
    )?;
    samples::forget(session, row)?;
    kept_answers::drop_of(session, row)
}
