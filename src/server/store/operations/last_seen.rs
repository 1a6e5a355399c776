//! When devices last made a call.

use std::fmt::Write;

use crate::server::store::api::Sighting;
use crate::server::store::error::StoreError;
use crate::server::store::session::{Session, Value};

/// Devices noted by one statement; what is left is noted one by one, so that there are two statements only.
const TOGETHER: usize = 64;

/// Notes when devices were seen, unless they were seen later. Each is given once, in the order of their rows:
/// two servers that note the same never wait for each other in a circle.
pub(in crate::server::store) fn note(
    session: &mut dyn Session,
    sightings: &[Sighting],
) -> Result<(), StoreError> {
    let together = sightings.chunks_exact(TOGETHER);
    let rest = together.remainder().chunks(1);
    for some in together.chain(rest) {
        let mut sql = "INSERT INTO last_seen (device, organizer, seen) VALUES ".to_owned();
        let mut values: Vec<Value<'_>> = Vec::with_capacity(3 * some.len());
        for (place, sighting) in some.iter().enumerate() {
            let comma = if place == 0 { "" } else { ", " };
            let first = 3 * place + 1;
            let _ = write!(sql, "{comma}(?{first}, ?{}, ?{})", first + 1, first + 2);
            values.push(sighting.device.into());
            values.push(sighting.organizer.into());
            values.push(sighting.seen.into());
        }
        sql.push_str(
            " ON CONFLICT (device) DO UPDATE SET seen = excluded.seen
             WHERE last_seen.seen < excluded.seen",
        );
        session.execute(&sql, &values)?;
    }
    Ok(())
}
