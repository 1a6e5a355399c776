//! How many devices are in which state.

use crate::server::store::api::DeviceCount;
use crate::server::store::error::StoreError;
use crate::server::store::session::{Session, values};

/// The devices of each organizer, by state; what there is none of is not told.
pub(in crate::server::store) fn count(
    session: &mut dyn Session,
) -> Result<Vec<DeviceCount>, StoreError> {
    session.rows(
        "SELECT slug, state, devices
         FROM (SELECT organizer, count(*) AS devices,
                   CASE WHEN revoked THEN 'revoked'
                       WHEN initialized IS NULL THEN 'waiting'
                       WHEN reconnecting THEN 'reconnecting'
                       ELSE 'active' END AS state
               FROM device GROUP BY organizer, state) AS counted
         JOIN organizer ON organizer.id = counted.organizer
         ORDER BY slug, state",
        values![],
        |columns| {
            Ok(DeviceCount {
                organizer: columns.next()?,
                state: columns.next()?,
                devices: columns.next()?,
            })
        },
    )
}
