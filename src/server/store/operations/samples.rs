//! How devices were when they reported, for a day.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::{Context, devices};
use crate::server::store::error::StoreError;
use crate::server::store::fleet_page::Sample;
use crate::server::store::session::{Session, values};

/// Two samples of a device are as far apart at least: whoever reports all the time does not fill the database.
const APART: SignedDuration = SignedDuration::from_mins(10);

/// Samples dropped in one transaction.
const PIECE: u64 = 1000;

/// Notes how the device in this row is by its diagnostics, unless that was noted a moment ago as far as they tell.
pub(super) fn note(
    session: &mut dyn Session,
    context: &Context<'_>,
    row: i64,
    info: Option<&Value>,
) -> Result<(), StoreError> {
    let apart = context.now.checked_sub(APART).unwrap_or(Timestamp::MIN);
    let battery = info.and_then(|info| info.get("battery"));
    let (held, mains) = (battery.and_then(percent), battery.and_then(is_on_mains));
    // What devices enrol with tells of no battery, and does not keep the next report's from being noted. A clock
    // that was set back leaves samples of the future, which hold nothing up.
    session.execute(
        "INSERT INTO device_sample (device, taken, battery, mains)
         SELECT id, ?2, ?4, ?5 FROM device WHERE id = ?1 AND NOT EXISTS (
            SELECT 1 FROM device_sample WHERE device = ?1 AND taken > ?3 AND taken <= ?2
                AND (battery IS NOT NULL OR NOT ?6))
         ON CONFLICT DO NOTHING",
        values![row, context.now, apart, held, mains, held.is_some()],
    )?;
    Ok(())
}

/// Adds how a device was at other times.
pub(in crate::server::store) fn add(
    session: &mut dyn Session,
    organizer: i64,
    device_id: u64,
    samples: &[Sample],
) -> Result<(), StoreError> {
    let row = devices::row_of(session, organizer, device_id)?;
    for sample in samples {
        session.execute(
            "INSERT INTO device_sample (device, taken, battery, mains) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT DO NOTHING",
            values![
                row,
                sample.taken,
                sample.battery.map(i64::from),
                sample.mains
            ],
        )?;
    }
    Ok(())
}

/// How much a battery holds. What others report may be anything.
fn percent(battery: &Value) -> Option<i64> {
    let percent = battery.get("percent").unwrap_or(battery).as_f64()?;
    // Within these limits nothing is lost but what is behind the point.
    (0.0..=100.0).contains(&percent).then_some(percent as i64)
}

/// Whether it does not run on its battery.
fn is_on_mains(battery: &Value) -> Option<bool> {
    let status = battery.get("status")?.as_str()?;
    Some(matches!(status, "charging" | "full" | "not_charging"))
}

/// Forgets how the device in this row was: another one takes its place.
pub(super) fn forget(session: &mut dyn Session, row: i64) -> Result<(), StoreError> {
    session.execute("DELETE FROM device_sample WHERE device = ?1", values![row])?;
    Ok(())
}

/// How a device was since `since`, oldest first.
pub(in crate::server::store) fn since(
    session: &mut dyn Session,
    organizer: i64,
    device_id: u64,
    since: Timestamp,
) -> Result<Vec<Sample>, StoreError> {
    let row = devices::row_of(session, organizer, device_id)?;
    session.rows(
        "SELECT taken, battery, mains FROM device_sample
         WHERE device = ?1 AND taken >= ?2 ORDER BY taken",
        values![row, since],
        |columns| {
            Ok(Sample {
                taken: columns.next()?,
                battery: columns
                    .next::<Option<i64>>()?
                    .and_then(|percent| u8::try_from(percent).ok()),
                mains: columns.next()?,
            })
        },
    )
}

/// Drops some of the samples taken before `before`; whether there may be more.
pub(in crate::server::store) fn sweep_some(
    session: &mut dyn Session,
    before: Timestamp,
) -> Result<bool, StoreError> {
    let last: Option<Option<Timestamp>> = session.one(
        "SELECT max(taken) FROM (
            SELECT taken FROM device_sample WHERE taken < ?1 ORDER BY taken LIMIT ?2) AS piece",
        values![before, PIECE],
    )?;
    let Some(last) = last.flatten() else {
        return Ok(false);
    };
    let dropped = session.execute("DELETE FROM device_sample WHERE taken <= ?1", values![last])?;
    Ok(dropped >= PIECE)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_battery_is_what_it_tells_within_its_limits() {
        for (told, known) in [
            (json!({"percent": 87}), Some(87)),
            (json!(93), Some(93)),
            (json!({"percent": 0}), Some(0)),
            (json!({"percent": 99.9}), Some(99)),
            (json!({"percent": 101}), None),
            (json!({"percent": -1}), None),
            (json!({"percent": "87"}), None),
            (json!({"percent": null}), None),
            (json!([87]), None),
        ] {
            assert_eq!(percent(&told), known, "{told}");
        }
        for (told, known) in [
            (json!({"status": "charging"}), Some(true)),
            (json!({"status": "full"}), Some(true)),
            (json!({"status": "discharging"}), Some(false)),
            (json!({"status": 1}), None),
            (json!(null), None),
        ] {
            assert_eq!(is_on_mains(&told), known, "{told}");
        }
    }
}
