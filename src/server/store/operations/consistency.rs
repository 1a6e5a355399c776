//! Whether what the tables hold fits together, beyond what the database itself sees to.

use jiff::{SignedDuration, Timestamp};

use crate::server::store::error::StoreError;
use crate::server::store::inspected::{Behind, Orphans};
use crate::server::store::session::{Session, values};
use crate::server::store::terms::oldest_kept;

/// How much later than it should a server may drop what it has kept.
const SWEEP_PATIENCE: SignedDuration = SignedDuration::from_hours(2);

/// What must not be there, and how many of it there are.
const NEVER: [(&str, &str); 6] = [
    (
        "devices at gates of another organizer",
        "SELECT count(*) FROM device JOIN gate ON gate.id = device.gate WHERE gate.organizer <> device.organizer",
    ),
    (
        "devices that may access events of another organizer",
        "SELECT count(*) FROM device_event JOIN device ON device.id = device_event.device
         JOIN event ON event.id = device_event.event WHERE event.organizer <> device.organizer",
    ),
    (
        "check-in lists for dates of another event",
        "SELECT count(*) FROM checkin_list JOIN subevent ON subevent.id = checkin_list.subevent
         WHERE subevent.event <> checkin_list.event",
    ),
    (
        "check-in lists at gates of another organizer",
        "SELECT count(*) FROM checkin_list_gate JOIN gate ON gate.id = checkin_list_gate.gate
         JOIN checkin_list ON checkin_list.id = checkin_list_gate.checkin_list
         JOIN event ON event.id = checkin_list.event WHERE event.organizer <> gate.organizer",
    ),
    (
        "devices whose last call is noted for another organizer",
        "SELECT count(*) FROM last_seen JOIN device ON device.id = last_seen.device
         WHERE device.organizer <> last_seen.organizer",
    ),
    (
        "kept answers of devices that are not there",
        "SELECT count(*) FROM kept_answer WHERE device IS NOT NULL
         AND NOT EXISTS (SELECT 1 FROM device WHERE device.id = kept_answer.device)",
    ),
];

/// All that points nowhere or where it must not; what there is none of is not told.
pub(in crate::server::store) fn orphans(
    session: &mut dyn Session,
) -> Result<Vec<Orphans>, StoreError> {
    let mut found = Vec::new();
    for (what, sql) in NEVER {
        let rows: u64 = session.one(sql, values![])?.unwrap_or_default();
        found.push((what, rows));
    }
    let oldest = oldest_kept(Timestamp::now());
    let oldest = oldest.checked_sub(SWEEP_PATIENCE).unwrap_or(oldest);
    let sql = "SELECT count(*) FROM kept_answer WHERE created < ?1";
    let rows: u64 = session.one(sql, values![oldest])?.unwrap_or_default();
    found.push((
        "answers that are kept for longer than they should be, as where no server runs",
        rows,
    ));
    let found = found.into_iter().filter(|(_, rows)| *rows > 0);
    let told = found.map(|(what, rows)| Orphans {
        what: what.to_owned(),
        rows,
    });
    Ok(told.collect())
}

/// Organizers whose next device would get a number that one has.
pub(in crate::server::store) fn organizers_behind(
    session: &mut dyn Session,
) -> Result<Vec<Behind>, StoreError> {
    session.rows(
        "SELECT slug, device_count, highest FROM organizer
         JOIN (SELECT organizer, max(device_id) AS highest FROM device GROUP BY organizer) AS found
             ON found.organizer = organizer.id
         WHERE highest > device_count ORDER BY slug",
        values![],
        |columns| {
            let slug: String = columns.next()?;
            Ok(Behind {
                of: format!("the devices of {slug}"),
                counter: columns.next()?,
                highest: columns.next()?,
            })
        },
    )
}

/// When something was last written down.
pub(in crate::server::store) fn last_entry(
    session: &mut dyn Session,
) -> Result<Option<Timestamp>, StoreError> {
    let logged: Option<Timestamp> = session.one(
        "SELECT created FROM log_entry ORDER BY id DESC LIMIT 1",
        values![],
    )?;
    let seen: Option<Option<Timestamp>> =
        session.one("SELECT max(seen) FROM last_seen", values![])?;
    Ok(logged.max(seen.flatten()))
}

/// When a backup was restored that waits to be confirmed.
pub(in crate::server::store) fn unconfirmed(
    session: &mut dyn Session,
) -> Result<Option<Timestamp>, StoreError> {
    session.one(
        "SELECT coalesce(restored, taken) FROM backup WHERE confirmed IS NULL",
        values![],
    )
}

/// What tells the secret that the database was made with.
pub(in crate::server::store) fn key_check(
    session: &mut dyn Session,
) -> Result<Option<Vec<u8>>, StoreError> {
    session.one("SELECT key_check FROM installation WHERE id = 1", values![])
}
