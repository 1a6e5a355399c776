//! Devices that fell silent, and which of it was told: of several servers one tells each.

use jiff::Timestamp;

use crate::server::store::api::{Silence, SilentDevice};
use crate::server::store::error::StoreError;
use crate::server::store::session::{Columns, Session, values};

macro_rules! devices {
    ($more:literal) => {
        concat!(
            "SELECT device.id, organizer.id, organizer.slug, device.device_id, device.unique_serial, device.name,
                gate.id, gate.identifier, gate.name, last_seen.seen ",
            $more
        )
    };
}

/// Devices at a gate that were last seen in this time, and of whose silence nothing was told.
pub(in crate::server::store) fn untold(
    session: &mut dyn Session,
    from: Timestamp,
    to: Timestamp,
) -> Result<Vec<SilentDevice>, StoreError> {
    session.rows(
        devices!(
            "FROM last_seen JOIN device ON device.id = last_seen.device
             JOIN organizer ON organizer.id = device.organizer AND organizer.active
             JOIN gate ON gate.id = device.gate AND gate.active
             WHERE last_seen.seen >= ?1 AND last_seen.seen < ?2 AND NOT device.revoked
                AND NOT EXISTS (SELECT 1 FROM silence WHERE silence.device = device.id)
             ORDER BY last_seen.seen, device.id"
        ),
        values![from, to],
        silent,
    )
}

/// Silences that were told and have ended: their devices were seen again, or are revoked.
pub(in crate::server::store) fn ended(
    session: &mut dyn Session,
) -> Result<Vec<Silence>, StoreError> {
    session.rows(
        devices!(
            ", silence.seen, device.revoked
             FROM silence JOIN device ON device.id = silence.device
             JOIN last_seen ON last_seen.device = device.id
             JOIN organizer ON organizer.id = device.organizer
             LEFT JOIN gate ON gate.id = device.gate
             WHERE device.revoked OR last_seen.seen > silence.seen
             ORDER BY silence.told, device.id"
        ),
        values![],
        |columns| {
            Ok(Silence {
                device: silent(columns)?,
                seen_before: columns.next()?,
                is_revoked: columns.next()?,
            })
        },
    )
}

fn silent(columns: &mut Columns<'_>) -> Result<SilentDevice, StoreError> {
    let (row, organizer_row, organizer, device_id, unique_serial, name) = (
        columns.next()?,
        columns.next()?,
        columns.next()?,
        columns.next()?,
        columns.next()?,
        columns.next()?,
    );
    let gate = (columns.next()?, columns.next()?, columns.next()?);
    Ok(SilentDevice {
        row,
        organizer_row,
        organizer,
        device_id,
        unique_serial,
        name,
        gate_row: gate.0,
        gate_identifier: gate.1,
        gate_name: gate.2,
        seen: columns.next()?,
    })
}

/// Takes a silence on, if the device was not seen since and nobody else has; whether it is taken.
pub(in crate::server::store) fn take(
    session: &mut dyn Session,
    device: i64,
    seen: Timestamp,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let taken = session.execute(
        "INSERT INTO silence (device, seen, told)
         SELECT device, seen, ?3 FROM last_seen WHERE device = ?1 AND seen = ?2
         ON CONFLICT (device) DO NOTHING",
        values![device, seen, now],
    )?;
    Ok(taken > 0)
}

/// Ends a silence; whether it was this call that did.
pub(in crate::server::store) fn end(
    session: &mut dyn Session,
    device: i64,
    seen_before: Timestamp,
) -> Result<bool, StoreError> {
    let ended = session.execute(
        "DELETE FROM silence WHERE device = ?1 AND seen = ?2",
        values![device, seen_before],
    )?;
    Ok(ended > 0)
}
