//! What holds for any events and any query.

use proptest::prelude::*;

use super::*;

/// Times a few hours around noon, so that many coincide.
fn any_schedule() -> impl Strategy<Value = Schedule> {
    let hours = || (-30_i64..30).prop_map(|hours| after_noon(hours * HOUR));
    (
        hours(),
        prop::option::of(hours()),
        prop::option::of(hours()),
    )
        .prop_map(|(date_from, date_to, date_admission)| Schedule {
            date_from,
            date_to,
            date_admission,
        })
}

fn any_event() -> impl Strategy<Value = Event> {
    let zones = [
        "UTC",
        "Europe/Berlin",
        "Pacific/Kiritimati",
        "America/Los_Angeles",
        "?",
    ];
    let dates = prop::collection::vec((any_schedule(), any::<bool>()), 0..4);
    let gates = prop::collection::vec(1_i64..3, 0..2);
    let list = ("[AB]", prop::option::of(0_i64..4), gates);
    let lists = prop::collection::vec(list, 0..4);
    let zone = prop::sample::select(zones.to_vec());
    let flags = (prop::bool::weighted(0.8), any::<bool>());
    (flags, zone, any_schedule(), dates, lists).prop_map(
        |((live, has_subevents), zone, schedule, dates, lists)| Event {
            live,
            timezone: zone.into(),
            has_subevents,
            // The numbers become unique in `any_events`.
            subevents: dates
                .into_iter()
                .filter(|_| has_subevents)
                .map(|(schedule, active)| Subevent {
                    id: 0,
                    active,
                    schedule,
                })
                .collect(),
            checkin_lists: lists
                .into_iter()
                .map(|(name, subevent, gates)| CheckinList {
                    id: 0,
                    name,
                    subevent,
                    gates,
                })
                .collect(),
            ..event("", schedule, vec![])
        },
    )
}

fn any_events() -> impl Strategy<Value = Vec<Event>> {
    prop::collection::vec(any_event(), 0..8).prop_map(|mut events| {
        for (number, event) in (0_i64..).zip(&mut events) {
            event.slug = format!("e{number}");
            for (id, date) in (number * 4..).zip(&mut event.subevents) {
                date.id = id;
            }
            for (id, list) in (number * 4..).zip(&mut event.checkin_lists) {
                list.id = id;
                list.subevent = list.subevent.map(|date| number * 4 + date);
            }
        }
        events
    })
}

fn any_current() -> impl Strategy<Value = (Option<String>, Option<String>, Option<String>)> {
    let number = || prop::option::of(prop_oneof![3 => "[0-9]|1[0-9]|2[0-4]", 1 => ".*"]);
    let slug = prop::option::of(prop_oneof![3 => "e[0-6]", 1 => ".*"]);
    (slug, number(), number())
}

proptest! {
    #[test]
    fn nothing_is_suggested_exactly_where_each_event_has_something_in_its_way(
        events in any_events(),
        minutes in -40 * HOUR..40 * HOUR,
        gate in prop::option::of(1_i64..4),
    ) {
        let selection = select(after_noon(minutes), &events, gate, Current::default());
        let all_blocked = events.iter().all(|event| Obstacle::of(event, gate).is_some());
        prop_assert_eq!(matches!(selection, Selection::Nothing), all_blocked);
        let why = why_nothing(&events, gate);
        if events.is_empty() {
            prop_assert_eq!(&why, "the device may access no event");
        }
        let told = events.iter().filter(|event| why.contains(&event.slug)).count();
        prop_assert!(told <= TOLD);
        if all_blocked {
            prop_assert_eq!(told, events.len().min(TOLD));
            prop_assert_eq!(why.contains("more events"), events.len() > TOLD);
        }
    }

    #[test]
    fn only_what_is_live_active_and_at_the_gate_is_suggested_and_then_kept(
        mut events in any_events(),
        in_one_zone in any::<bool>(),
        minutes in -40 * HOUR..40 * HOUR,
        gate in prop::option::of(1_i64..4),
        current in any_current(),
    ) {
        if in_one_zone {
            for event in &mut events {
                event.timezone = "Europe/Berlin".into();
            }
        }
        let now = after_noon(minutes);
        let (slug, subevent, list) = &current;
        let held = named(&events, slug.as_deref());
        let current = Current::read(held, subevent.as_deref(), list.as_deref());
        match select(now, &events, gate, current) {
            Selection::Suggest { event, subevent, checkin_list } => {
                prop_assert!(event.live);
                prop_assert_eq!(event.has_subevents, subevent.is_some());
                if let Some(id) = subevent {
                    prop_assert!(event.subevents.iter().any(|date| date.id == id && date.active));
                }
                match checkin_list {
                    Some(id) => {
                        let list = event.checkin_lists.iter().find(|list| list.id == id).unwrap();
                        prop_assert!(list.is_at(gate));
                        prop_assert!(list.subevent.is_none() || list.subevent == subevent);
                    }
                    None => prop_assert!(gate.is_none()),
                }
                let current = Current { event: Some(event), subevent, checkin_list };
                let again = select(now, &events, gate, current);
                // In whose zone it is today changes with the event, and with it what is best.
                let is_kept = matches!(again, Selection::Keep);
                prop_assert!(is_kept || !in_one_zone, "{}", line(&again));
                prop_assert!(!matches!(again, Selection::Nothing));
            }
            Selection::Keep => {
                let is_running = current.occasion().unwrap().is_running(now);
                prop_assert!(is_running || held.unwrap().live);
            }
            Selection::Nothing => {
                let fresh = select(now, &events, gate, Current::default());
                prop_assert!(matches!(fresh, Selection::Nothing));
            }
        }
    }

    #[test]
    fn the_order_of_events_dates_and_lists_does_not_matter(
        (events, mut shuffled) in any_events().prop_flat_map(|events| {
            (Just(events.clone()), Just(events).prop_shuffle())
        }),
        minutes in -40 * HOUR..40 * HOUR,
        gate in prop::option::of(1_i64..4),
        current in any_current(),
    ) {
        for event in &mut shuffled {
            event.subevents.reverse();
            event.checkin_lists.reverse();
        }
        let now = after_noon(minutes);
        let (slug, subevent, list) = &current;
        let selected = |events: &[Event]| {
            let held = named(events, slug.as_deref());
            let current = Current::read(held, subevent.as_deref(), list.as_deref());
            line(&select(now, events, gate, current))
        };
        prop_assert_eq!(selected(&events), selected(&shuffled));
    }
}
