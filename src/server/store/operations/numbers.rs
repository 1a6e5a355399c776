//! The numbers of an organizer's devices: one after the other, but for those that were skipped.

use crate::server::store::error::StoreError;
use crate::server::store::session::{Session, values};

use super::found::unknown;

/// The last number that was given to a device, or skipped.
pub(super) fn last(session: &mut dyn Session, organizer: i64) -> Result<u64, StoreError> {
    let last = session.one(
        "SELECT device_count FROM organizer WHERE id = ?1",
        values![organizer],
    )?;
    last.ok_or_else(|| unknown("organizer", &organizer.to_string()))
}

/// Of so many devices after the first so many the numbers: behind the first of both, up to the other. What is
/// skipped need not be counted through.
pub(super) fn range(
    session: &mut dyn Session,
    organizer: i64,
    skip: u64,
    limit: u64,
) -> Result<(u64, u64), StoreError> {
    let skipped = session.rows(
        "SELECT behind, numbers FROM skipped_numbers WHERE organizer = ?1 ORDER BY behind",
        values![organizer],
        |columns| Ok((columns.next()?, columns.next()?)),
    )?;
    let number = |place| number_at(place, &skipped);
    Ok((number(skip), number(skip.saturating_add(limit))))
}

/// The number of the device in this place, of which the first is 1, where these are skipped.
fn number_at(place: u64, skipped: &[(u64, u64)]) -> u64 {
    let skipped = skipped.iter();
    skipped.fold(place, |number, (behind, numbers)| match number > *behind {
        true => number.saturating_add(*numbers),
        false => number,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_has_the_number_of_its_place_but_for_those_that_were_skipped() {
        let numbers =
            |skipped: &[(u64, u64)]| (0..=6).map(|n| number_at(n, skipped)).collect::<Vec<_>>();
        assert_eq!(numbers(&[]), [0, 1, 2, 3, 4, 5, 6]);
        assert_eq!(numbers(&[(2, 10)]), [0, 1, 2, 13, 14, 15, 16]);
        assert_eq!(numbers(&[(0, 10)]), [0, 11, 12, 13, 14, 15, 16]);
        // Restored twice with nothing between, and once more behind two devices.
        assert_eq!(
            numbers(&[(2, 10), (12, 10), (24, 5)]),
            [0, 1, 2, 23, 24, 30, 31]
        );
        assert_eq!(number_at(u64::MAX, &[(2, 10)]), u64::MAX);
    }
}
