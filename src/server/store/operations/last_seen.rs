//! When devices last made a call.

use std::fmt::Write;

use crate::server::store::api::Sighting;
use crate::server::store::error::StoreError;
use crate::server::store::session::{Session, Value};

/// Devices noted by one statement; what is left is noted one by one, so that there are two statements only.
const TOGETHER: usize = 64;

/// Notes when devices were seen, unless they were seen later. Each is given once, in the order of their rows:
/// two servers that note the same never wait for each other in a circle. Devices that are gone, as when a backup was
/// restored meanwhile, are left out.
pub(in crate::server::store) fn note(
    session: &mut dyn Session,
    sightings: &[Sighting],
) -> Result<(), StoreError> {
    let together = sightings.chunks_exact(TOGETHER);
    let rest = together.remainder().chunks(1);
    for some in together.chain(rest) {
        let mut sql = "INSERT INTO last_seen (device, organizer, seen)
            SELECT noted.column1, noted.column2, noted.column3 FROM (VALUES "
            .to_owned();
        let mut values: Vec<Value<'_>> = Vec::with_capacity(3 * some.len());
        for (place, sighting) in some.iter().enumerate() {
            let first = 3 * place + 1;
            // The first row says of which type all are.
            let _ = match place {
                0 => write!(sql, "({})", [1, 2, 3].map(number).join(", ")),
                _ => write!(sql, ", (?{first}, ?{}, ?{})", first + 1, first + 2),
            };
            values.push(sighting.device.into());
            values.push(sighting.organizer.into());
            values.push(sighting.seen.into());
        }
        sql.push_str(
            ") AS noted
             WHERE EXISTS (SELECT 1 FROM device
                WHERE device.id = noted.column1 AND device.organizer = noted.column2)
             ORDER BY noted.column1
             ON CONFLICT (device) DO UPDATE SET seen = excluded.seen
             WHERE last_seen.seen < excluded.seen",
        );
        session.execute(&sql, &values)?;
    }
    Ok(())
}

fn number(place: usize) -> String {
    format!("CAST(?{place} AS BIGINT)")
}
