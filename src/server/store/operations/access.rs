//! What a device does itself: it redeems its token, reports, rolls its key, revokes its access.

use serde_json::json;

use super::found::unknown;
use super::{Context, callers, log, reconnection, samples};
use crate::server::model::{EnrolledDevice, ValidReport};
use crate::server::store::api::{Redemption, ReportRefusal, TokenRefusal, Update};
use crate::server::store::error::StoreError;
use crate::server::store::session::{Session, Value, values};

/// What a report sets: the values ?2 to ?9.
macro_rules! reported_columns {
    () => {
        "hardware_brand = ?2, hardware_model = ?3, os_name = ?4, os_version = ?5, software_brand = ?6,
            software_version = ?7, info = ?8, rsa_pubkey = coalesce(rsa_pubkey, ?9)"
    };
}

pub(in crate::server::store) fn redeem(
    session: &mut dyn Session,
    context: &Context<'_>,
    token_lookup: &[u8; 32],
    report: &ValidReport,
    api_key: &[u8; 32],
) -> Result<Redemption, StoreError> {
    let (mut device, reconnects) = match callers::device_to_initialize(session, token_lookup)? {
        None if was_redeemed(session, token_lookup)? => return Ok(Err(TokenRefusal::Used)),
        None => return Ok(Err(TokenRefusal::Unknown)),
        Some((_, true, false)) => return Ok(Err(TokenRefusal::Used)),
        Some((device, _, _)) if device.revoked => return Ok(Err(TokenRefusal::Revoked)),
        Some((device, _, reconnects)) => (device, reconnects),
    };
    if reconnects {
        reconnection::leave_behind(session, device.id)?;
        device.rsa_pubkey = None;
    }
    // Nobody else has changed it since it was read; that it is redeemed once does not rest on that alone.
    let redeemed = store(
        session,
        concat!(
            "UPDATE device SET initialized = ?10, api_key_hash = ?11, reconnecting = FALSE, ",
            reported_columns!(),
            " WHERE id = ?1 AND token_lookup = ?12 AND (initialized IS NULL OR reconnecting) AND NOT revoked"
        ),
        device.id,
        report,
        values![context.now, api_key, token_lookup],
    )?;
    if redeemed == 0 {
        return Err(unknown("device", &device.id.to_string()));
    }
    let action = if reconnects {
        "reconnected"
    } else {
        "initialized"
    };
    log::write(session, context, device.id, action, &reported(report))?;
    samples::note(session, context, device.id, report.info.as_ref())?;
    Ok(Ok(after(device, report)))
}

/// Whether it is the token by which a device was initialized before it got a fresh one.
fn was_redeemed(session: &mut dyn Session, token_lookup: &[u8; 32]) -> Result<bool, StoreError> {
    let found: Option<i64> = session.one(
        "SELECT device.id FROM device JOIN organizer ON organizer.id = device.organizer
         WHERE redeemed_lookup = ?1 AND organizer.active",
        values![token_lookup],
    )?;
    Ok(found.is_some())
}

pub(in crate::server::store) fn update(
    session: &mut dyn Session,
    context: &Context<'_>,
    key: &[u8; 32],
    report: &ValidReport,
) -> Result<Update, StoreError> {
    let Some(device) = with_access(session, key)? else {
        return Ok(Err(ReportRefusal::NoAccess));
    };
    if device.rsa_pubkey.is_some()
        && report.rsa_pubkey.is_some()
        && device.rsa_pubkey != report.rsa_pubkey
    {
        return Ok(Err(ReportRefusal::OtherPublicKey));
    }
    let is_news = is_news(session, device.id, report)?;
    store(
        session,
        concat!("UPDATE device SET ", reported_columns!(), " WHERE id = ?1"),
        device.id,
        report,
        &[],
    )?;
    samples::note(session, context, device.id, report.info.as_ref())?;
    if is_news {
        log::write(session, context, device.id, "updated", &reported(report))?;
    }
    Ok(Ok(after(device, report)))
}

pub(in crate::server::store) fn roll(
    session: &mut dyn Session,
    context: &Context<'_>,
    key: &[u8; 32],
    new: &[u8; 32],
) -> Result<Option<EnrolledDevice>, StoreError> {
    let Some(device) = with_access(session, key)? else {
        return Ok(None);
    };
    let rolled = session.execute(
        "UPDATE device SET api_key_hash = ?3 WHERE id = ?1 AND api_key_hash = ?2 AND NOT revoked",
        values![device.id, key, new],
    )?;
    if rolled == 0 {
        return Ok(None);
    }
    log::write(session, context, device.id, "key rolled", &json!({}))?;
    Ok(Some(device))
}

pub(in crate::server::store) fn revoke(
    session: &mut dyn Session,
    context: &Context<'_>,
    key: &[u8; 32],
) -> Result<Option<EnrolledDevice>, StoreError> {
    let Some(device) = with_access(session, key)? else {
        return Ok(None);
    };
    let revoked = session.execute(
        "UPDATE device SET revoked = TRUE WHERE id = ?1 AND api_key_hash = ?2 AND NOT revoked",
        values![device.id, key],
    )?;
    if revoked == 0 {
        return Ok(None);
    }
    log::write(session, context, device.id, "revoked", &json!({}))?;
    Ok(Some(device))
}

fn with_access(
    session: &mut dyn Session,
    key: &[u8; 32],
) -> Result<Option<EnrolledDevice>, StoreError> {
    let device = callers::device_to_change(session, key)?;
    Ok(device.filter(|device| !device.revoked && device.organizer.active))
}

/// Does a statement with the columns of a report and more values; how many rows it changed.
fn store(
    session: &mut dyn Session,
    sql: &str,
    row: i64,
    report: &ValidReport,
    more: &[Value<'_>],
) -> Result<u64, StoreError> {
    let info = report.info.as_ref().map(ToString::to_string);
    let values: &[Value<'_>] = values![
        row,
        &report.hardware_brand,
        &report.hardware_model,
        report.os_name.as_ref(),
        report.os_version.as_ref(),
        &report.software_brand,
        &report.software_version,
        info.as_ref(),
        report.rsa_pubkey.as_ref(),
    ];
    session.execute(sql, &[values, more].concat())
}

/// A device that has reported.
fn after(device: EnrolledDevice, report: &ValidReport) -> EnrolledDevice {
    EnrolledDevice {
        rsa_pubkey: device.rsa_pubkey.or_else(|| report.rsa_pubkey.clone()),
        ..device
    }
}

/// Whether a report tells something for the log that is not known.
fn is_news(session: &mut dyn Session, row: i64, report: &ValidReport) -> Result<bool, StoreError> {
    let is_news = session.one(
        "SELECT (hardware_brand, hardware_model, os_name, os_version, software_brand,
                software_version) IS DISTINCT FROM (?2, ?3, ?4, ?5, ?6, ?7)
            OR rsa_pubkey IS DISTINCT FROM coalesce(rsa_pubkey, ?8)
         FROM device WHERE id = ?1",
        values![
            row,
            &report.hardware_brand,
            &report.hardware_model,
            report.os_name.as_ref(),
            report.os_version.as_ref(),
            &report.software_brand,
            &report.software_version,
            report.rsa_pubkey.as_ref(),
        ],
    )?;
    Ok(is_news.unwrap_or(true))
}

/// A report for the log: without its diagnostics, which are long and soon outdated.
fn reported(report: &ValidReport) -> serde_json::Value {
    json!({
        "hardware_brand": report.hardware_brand,
        "hardware_model": report.hardware_model,
        "os_name": report.os_name,
        "os_version": report.os_version,
        "software_brand": report.software_brand,
        "software_version": report.software_version,
        "rsa_pubkey": report.rsa_pubkey,
    })
}
