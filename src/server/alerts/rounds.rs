//! How far was looked for devices that fell silent. Each is looked at as it does; and all of them again, a piece at a time,
//! for what has changed since, as a list that was put at their gate.

use std::collections::HashMap;

use jiff::Timestamp;

use crate::server::store::LastSeenPlace;

#[derive(Default)]
pub(super) struct Rounds {
    /// Behind whom nobody of an organizer was looked at yet.
    first: HashMap<i64, LastSeenPlace>,
    /// The organizer whose devices are looked at again, and behind whom.
    again: Option<(i64, LastSeenPlace)>,
    /// The organizer at whose devices a look ended, as no more could be told then.
    ended_at: Option<i64>,
}

impl Rounds {
    /// These organizers, by number, in the order in which it is their turn: one with a crowd keeps no other from its
    /// alerts.
    pub(super) fn in_turn(&self, organizers: &[i64]) -> Vec<i64> {
        let mut organizers = organizers.to_vec();
        if let Some(last) = self.ended_at {
            let next = organizers.partition_point(|organizer| *organizer <= last);
            organizers.rotate_left(next);
        }
        organizers
    }

    /// No more could be told at this organizer's devices.
    pub(super) fn ended_at(&mut self, organizer: i64) {
        self.ended_at = Some(organizer);
    }

    /// Where to go on among an organizer's devices, of which those are looked at that were seen since a time.
    pub(super) fn first(&self, organizer: i64, from: Timestamp) -> LastSeenPlace {
        let from = LastSeenPlace::before(from);
        let place = self.first.get(&organizer).copied();
        place.map_or(from, |place| place.max(from))
    }

    /// So far was looked.
    pub(super) fn looked(&mut self, organizer: i64, until: LastSeenPlace) {
        self.first.insert(organizer, until);
    }

    /// Where to look again, among which of these organizers' devices.
    pub(super) fn again(
        &mut self,
        organizers: &[i64],
        from: Timestamp,
    ) -> Option<(i64, LastSeenPlace)> {
        let from = LastSeenPlace::before(from);
        let (current, place) = self.again.unwrap_or((i64::MIN, from));
        let next = organizers.iter().find(|organizer| **organizer >= current);
        let next = *next.or(organizers.first())?;
        match next == current {
            true => Some((next, place.max(from))),
            false => Some((next, from)),
        }
    }

    /// So far was looked again; with `is_over` it is the next organizer's turn.
    pub(super) fn looked_again(&mut self, organizer: i64, until: LastSeenPlace, is_over: bool) {
        self.again = Some(match is_over {
            true => (
                organizer.saturating_add(1),
                LastSeenPlace::before(Timestamp::MIN),
            ),
            false => (organizer, until),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn place(second: i64, device: i64) -> LastSeenPlace {
        LastSeenPlace {
            seen: at(second),
            device,
        }
    }

    #[test]
    fn what_is_new_is_looked_at_from_where_the_last_look_ended() {
        let mut rounds = Rounds::default();
        assert_eq!(rounds.first(1, at(10)), LastSeenPlace::before(at(10)));
        rounds.looked(1, place(20, 7));
        assert_eq!(rounds.first(1, at(10)), place(20, 7));
        assert_eq!(rounds.first(2, at(10)), LastSeenPlace::before(at(10)));
        assert_eq!(
            rounds.first(1, at(30)),
            LastSeenPlace::before(at(30)),
            "what is too old by now is passed over"
        );
    }

    #[test]
    fn where_no_more_could_be_told_the_next_organizer_is_looked_at_first() {
        let mut rounds = Rounds::default();
        assert_eq!(rounds.in_turn(&[3, 5, 7]), [3, 5, 7]);
        rounds.ended_at(3);
        assert_eq!(rounds.in_turn(&[3, 5, 7]), [5, 7, 3]);
        rounds.ended_at(7);
        assert_eq!(rounds.in_turn(&[3, 5, 7]), [3, 5, 7]);
        rounds.ended_at(4);
        assert_eq!(rounds.in_turn(&[3, 5]), [5, 3]);
        assert!(rounds.in_turn(&[]).is_empty());
    }

    #[test]
    fn all_are_looked_at_again_one_organizer_after_the_other() {
        let mut rounds = Rounds::default();
        let from = LastSeenPlace::before(at(10));
        assert_eq!(rounds.again(&[], at(10)), None);
        assert_eq!(rounds.again(&[3, 5], at(10)), Some((3, from)));
        rounds.looked_again(3, place(20, 7), false);
        assert_eq!(rounds.again(&[3, 5], at(10)), Some((3, place(20, 7))));
        rounds.looked_again(3, place(40, 1), true);
        assert_eq!(rounds.again(&[3, 5], at(10)), Some((5, from)));
        rounds.looked_again(5, place(40, 1), true);
        assert_eq!(rounds.again(&[3, 5], at(10)), Some((3, from)));
        // One that is gone meanwhile is passed over.
        rounds.looked_again(3, place(20, 7), false);
        assert_eq!(rounds.again(&[5], at(10)), Some((5, from)));
    }
}
