//! Devices that were made at once, as by a form for many.

use crate::server::model::BATCH_LIMIT;
use crate::server::store::error::StoreError;
use crate::server::store::fleet_page::MadeTogether;
use crate::server::store::session::{Session, values};

/// Among so many of the organizer's last devices it is looked.
const LOOKED_AT: u64 = 5000;

/// The last that were made together, at most so many times.
pub(in crate::server::store) fn lately(
    session: &mut dyn Session,
    organizer: i64,
    limit: u64,
) -> Result<Vec<MadeTogether>, StoreError> {
    session.rows(
        "SELECT created, min(device_id), max(device_id),
            sum(CASE WHEN (initialized IS NULL OR reconnecting) AND NOT revoked THEN 1 ELSE 0 END)
         FROM (SELECT created, device_id, initialized, reconnecting, revoked FROM device
               WHERE organizer = ?1 ORDER BY device_id DESC LIMIT ?2) AS last_made
         GROUP BY created
         HAVING count(*) > 1 AND count(*) <= ?3 AND count(*) = max(device_id) - min(device_id) + 1
         ORDER BY created DESC LIMIT ?4",
        values![organizer, LOOKED_AT, BATCH_LIMIT as u64, limit],
        |columns| {
            Ok(MadeTogether {
                created: columns.next()?,
                first: columns.next()?,
                last: columns.next()?,
                awaited: columns.next()?,
            })
        },
    )
}
