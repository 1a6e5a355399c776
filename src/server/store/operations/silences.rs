//! Devices that fell silent, and which of it was told: of several servers one tells each.

use jiff::Timestamp;

use crate::server::store::api::{LastSeenPlace, Silence, SilentDevice, Unseen};
use crate::server::store::error::StoreError;
use crate::server::store::session::{Columns, Session, values};

macro_rules! devices {
    ($seen:literal, $more:literal) => {
        concat!(
            "SELECT device.id, organizer.id, organizer.slug, device.device_id, device.unique_serial, device.name,
                gate.id, gate.identifier, gate.name, ",
            $seen,
            $more
        )
    };
}

/// Devices that are looked at together.
const PIECE: u64 = 1000;

/// The devices behind a place that were last seen before a time, as many as are looked at together: of those whose silence
/// nobody needs to be told the place alone.
pub(in crate::server::store) fn unseen(
    session: &mut dyn Session,
    organizer: i64,
    behind: LastSeenPlace,
    to: Timestamp,
) -> Result<Unseen, StoreError> {
    let looked_at = session.rows(
        devices!(
            "looked_at.seen",
            ", coalesce(gate.active, FALSE) AND NOT device.revoked
                AND NOT EXISTS (SELECT 1 FROM silence WHERE silence.device = device.id)
             FROM (SELECT device, seen FROM last_seen
                WHERE organizer = ?1 AND (seen, device) > (?2, ?3) AND seen < ?4
                ORDER BY seen, device LIMIT ?5) AS looked_at
             JOIN device ON device.id = looked_at.device
             JOIN organizer ON organizer.id = device.organizer
             LEFT JOIN gate ON gate.id = device.gate
             ORDER BY looked_at.seen, device.id"
        ),
        values![organizer, behind.seen, behind.device, to, PIECE],
        |columns| Ok((silent(columns)?, columns.next()?)),
    )?;
    let has_more = looked_at.len() as u64 >= PIECE;
    let last = looked_at.last().filter(|_| has_more);
    let until = match last {
        Some((device, _)) => device.place(),
        None => LastSeenPlace::before(to),
    };
    let devices = looked_at.into_iter();
    let devices = devices.filter_map(|(device, is_untold): (_, bool)| is_untold.then_some(device));
    Ok(Unseen {
        devices: devices.collect(),
        until,
        has_more,
    })
}

/// Ended silences that are told of at once.
const ENDED: u64 = 64;

/// Silences that were told and have ended, the first of them: their devices were seen again, or are revoked.
pub(in crate::server::store) fn ended(
    session: &mut dyn Session,
) -> Result<Vec<Silence>, StoreError> {
    // Each is looked up, so that no database reads all devices to join them to a few.
    let ended: Vec<(i64, Timestamp)> = session.rows(
        "SELECT device, seen FROM silence
         WHERE (SELECT last_seen.seen FROM last_seen WHERE last_seen.device = silence.device) > silence.seen
            OR (SELECT device.revoked FROM device WHERE device.id = silence.device)
         ORDER BY told, device LIMIT ?1",
        values![ENDED],
        |columns| Ok((columns.next()?, columns.next()?)),
    )?;
    let mut silences = Vec::with_capacity(ended.len());
    for (row, seen_before) in ended {
        let silence = session.row(
            devices!(
                "last_seen.seen",
                ", device.revoked
                 FROM device JOIN last_seen ON last_seen.device = device.id
                 JOIN organizer ON organizer.id = device.organizer
                 LEFT JOIN gate ON gate.id = device.gate
                 WHERE device.id = ?1"
            ),
            values![row],
            |columns| {
                Ok(Silence {
                    device: silent(columns)?,
                    seen_before,
                    is_revoked: columns.next()?,
                })
            },
        )?;
        silences.extend(silence);
    }
    Ok(silences)
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
