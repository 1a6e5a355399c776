//! The rules one by one; the first tests mirror the recorded answers of the reference.

use super::*;

#[test]
fn without_events_there_is_nothing() {
    assert_eq!(at_noon(&[], "-"), "nothing");
    assert_eq!(at_noon(&[], "e1 - 1"), "nothing");
}

#[test]
fn a_running_event_is_suggested_and_kept() {
    let events = running_and_upcoming();
    assert_eq!(at_noon(&events, "-"), "e1 - 1");
    assert_eq!(at_noon(&events, "e1"), "keep");
    assert_eq!(at_noon(&events, "e1 - 1"), "keep");
    assert_eq!(at_noon(&events, "zzz"), "e1 - 1");
    assert_eq!(at_noon(&events, "e2 - 2"), "e1 - 1");
}

#[test]
fn of_upcoming_events_only_the_next_is_suggested() {
    let events = [
        event("e1", schedule(5 * HOUR, 6 * HOUR), vec![list(4, "Main")]),
        event("e2", schedule(9 * HOUR, 10 * HOUR), vec![list(5, "Main")]),
    ];
    assert_eq!(at_noon(&events, "-"), "e1 - 4");
    assert_eq!(at_noon(&events, "e2 - 5"), "e1 - 4");
    assert_eq!(at_noon(&events, "e1 - 4"), "keep");
}

#[test]
fn of_past_events_only_the_last_is_suggested() {
    let events = [
        event(
            "e1",
            schedule(-30 * HOUR, -29 * HOUR),
            vec![list(6, "Main")],
        ),
        event(
            "e2",
            schedule(-28 * HOUR, -27 * HOUR),
            vec![list(7, "Other"), list(8, "Main")],
        ),
    ];
    assert_eq!(at_noon(&events, "-"), "e2 - 8");
    assert_eq!(at_noon(&events, "e2 - 8"), "keep");
    assert_eq!(at_noon(&events, "e2 - 7"), "keep");
}

#[test]
fn of_past_events_the_last_is_the_one_that_ended_last() {
    let events = [
        event("long", schedule(-8 * HOUR, -HOUR), vec![]),
        event("short", schedule(-6 * HOUR, -5 * HOUR), vec![]),
    ];
    assert_eq!(at_noon(&events, "-"), "long - -");
}

#[test]
fn an_event_runs_from_its_admission_on() {
    let admission = |minutes| Schedule {
        date_admission: Some(after_noon(minutes)),
        ..schedule(60, 180)
    };
    let lists = || vec![list(10, "Zeta"), list(11, "Main")];
    let over = event("e1", schedule(-240, -10), vec![list(9, "Main")]);
    let events = [over, event("e2", admission(-5), lists())];
    assert_eq!(at_noon(&events, "-"), "e2 - 11");

    let running = event("e1", schedule(-240, 30), vec![list(9, "Main")]);
    let events = [running, event("e2", admission(0), lists())];
    let before = noon() - SignedDuration::from_nanos(1);
    assert_eq!(select_at(before, &events, None, "e1 - 9"), "keep");
    assert_eq!(at_noon(&events, "e1 - 9"), "e2 - 11");
    assert_eq!(at_noon(&events, "e2 - 11"), "keep");
}

#[test]
fn admission_alone_makes_an_event_without_end_run_until_its_start() {
    let schedule = Schedule {
        date_admission: Some(after_noon(-10)),
        ..schedule(20, None)
    };
    let past = event("past", self::schedule(-60, -1), vec![]);
    let events = [past, event("e", schedule, vec![])];
    assert_eq!(at_noon(&events, "e"), "keep");
    assert_eq!(select_at(after_noon(20), &events, None, "e"), "keep");
}

#[test]
fn an_event_that_is_not_live_is_never_suggested_but_kept_while_it_is_running() {
    let dead = Event {
        live: false,
        ..event("e1", schedule(-30, 30), vec![list(12, "Side")])
    };
    let lists = vec![list(13, "Side"), list(14, "Main")];
    let alone = std::slice::from_ref(&dead);
    assert_eq!(at_noon(alone, "-"), "nothing");
    assert_eq!(at_noon(alone, "e1 - 12"), "keep");
    assert_eq!(select_at(after_noon(30), alone, None, "e1 - 12"), "nothing");

    let next = event("e2", schedule(20, 90), lists);
    let events = [dead, next];
    assert_eq!(at_noon(&events, "-"), "e2 - 14");
    assert_eq!(at_noon(&events, "e1 - 12"), "keep");
    assert_eq!(
        select_at(after_noon(20), &events, None, "e1 - 12"),
        "e2 - 13"
    );
}

#[test]
fn an_event_that_the_device_may_not_access_is_kept_while_it_is_running_and_names_the_list() {
    let foreign = event("foreign", schedule(-30, 30), vec![list(1, "VIP")]);
    let own = [event(
        "own",
        schedule(60, 90),
        vec![list(7, "Main"), list(8, "VIP")],
    )];
    let current = Current::read(Some(&foreign), None, Some("1"));
    let at = |now, events| line(&select(now, events, None, current));
    assert_eq!(at(noon(), &[]), "keep");
    assert_eq!(at(noon(), &own), "keep");
    assert_eq!(at(after_noon(30), &[]), "nothing");
    assert_eq!(at(after_noon(30), &own), "own - 8");
}

#[test]
fn an_event_without_a_list_is_suggested_without_one() {
    let events = [event("e1", schedule(-30, 90), vec![])];
    assert_eq!(at_noon(&events, "-"), "e1 - -");
}

#[test]
fn between_two_days_the_last_stays_until_half_way_to_the_next() {
    let events = [
        event(
            "y",
            schedule(-26 * HOUR, -25 * HOUR),
            vec![list(13, "Main")],
        ),
        event("t", schedule(50 * HOUR, 51 * HOUR), vec![list(14, "Main")]),
    ];
    assert_eq!(at_noon(&events, "-"), "y - 13");
    // Half-way between -25 and 50 hours.
    let half_way = noon() + SignedDuration::from_mins(25 * HOUR / 2);
    let before = half_way - SignedDuration::from_nanos(1);
    assert_eq!(select_at(before, &events, None, "y - 13"), "keep");
    assert_eq!(select_at(half_way, &events, None, "y - 13"), "t - 14");
}

#[test]
fn within_one_day_the_last_stays_until_half_way_to_the_next() {
    let events = [
        event("matinee", schedule(-2 * HOUR, -HOUR), vec![]),
        event("evening", schedule(3 * HOUR, 5 * HOUR), vec![]),
    ];
    assert_eq!(select_at(after_noon(59), &events, None, "-"), "matinee - -");
    assert_eq!(select_at(after_noon(60), &events, None, "-"), "evening - -");
}

#[test]
fn the_dates_of_a_series_take_its_place() {
    let off = Subevent {
        active: false,
        ..date(103, -10, 40)
    };
    let events = [series(
        vec![date(101, -30, 30), date(102, 5 * HOUR, 6 * HOUR), off],
        vec![
            list_of(101, 15, "Door"),
            list_of(102, 16, "Door"),
            list(17, "All"),
        ],
    )];
    assert_eq!(at_noon(&events, "-"), "series 101 17");
    assert_eq!(at_noon(&events, "series"), "series 101 17");
    assert_eq!(at_noon(&events, "series 101 15"), "keep");
    assert_eq!(at_noon(&events, "series 103 17"), "series 101 17");
    assert_eq!(at_noon(&events, "series 999 17"), "series 101 17");
    assert_eq!(at_noon(&events, "- 101 17"), "series 101 17");
    // The list of the next date that has the name of the current one.
    let later = after_noon(5 * HOUR);
    assert_eq!(
        select_at(later, &events, None, "series 101 15"),
        "series 102 16"
    );
    assert_eq!(
        select_at(later, &events, None, "series 101 17"),
        "series 102 17"
    );
}

#[test]
fn a_series_is_never_suggested_itself() {
    assert_eq!(
        at_noon(&[series(vec![], vec![list(1, "All")])], "series"),
        "nothing"
    );
    let off = Subevent {
        active: false,
        ..date(1, -30, 30)
    };
    let off = [series(vec![off], vec![list(1, "All")])];
    assert_eq!(at_noon(&off, "series"), "nothing");
    assert_eq!(at_noon(&off, "series 1 1"), "keep", "while it is running");
    assert_eq!(
        select_at(after_noon(30), &off, None, "series 1 1"),
        "nothing"
    );
}

#[test]
fn with_a_gate_only_what_has_a_list_there_is_suggested() {
    let events = [
        series(
            vec![date(104, -30, 30), date(105, 5 * HOUR, 6 * HOUR)],
            vec![
                list_of(104, 18, "Door"),
                at_gate(1, list_of(105, 19, "Door")),
            ],
        ),
        event(
            "plain",
            schedule(7 * HOUR, 8 * HOUR),
            vec![at_gate(2, list(20, "Main"))],
        ),
    ];
    let at = |gate, current| select_at(noon(), &events, gate, current);
    assert_eq!(at(Some(1), "-"), "series 105 19");
    assert_eq!(at(Some(1), "series 104 18"), "keep", "while it is running");
    assert_eq!(
        select_at(after_noon(30), &events, Some(1), "series 104 18"),
        "series 105 19"
    );
    assert_eq!(at(Some(2), "-"), "plain - 20");
    assert_eq!(at(Some(3), "plain - 20"), "nothing");
    assert_eq!(at(None, "-"), "series 104 18");
}

#[test]
fn a_list_for_all_dates_brings_all_of_them_to_its_gate() {
    let events = [series(
        vec![date(1, -30, 30)],
        vec![list_of(1, 5, "Door"), at_gate(1, list(6, "Side"))],
    )];
    assert_eq!(
        select_at(noon(), &events, Some(1), "series 2 5"),
        "series 1 6"
    );
}

#[test]
fn the_list_is_a_namesake_of_the_current_one_or_the_first_by_name() {
    let events = [
        event(
            "past",
            schedule(-90, -60),
            vec![list(1, "VIP"), list(2, "Gone")],
        ),
        event(
            "now",
            schedule(-30, 30),
            vec![
                list(7, "VIP"),
                list(8, "VIP"),
                list(6, "VIP"),
                list(9, "Main"),
            ],
        ),
    ];
    for (current, expected) in [
        ("past - 1", "now - 6"),
        ("past - 2", "now - 9"),
        // That is another event's.
        ("past - 8", "now - 9"),
        ("past - 999", "now - 9"),
        ("past", "now - 9"),
        ("- - 8", "now - 9"),
    ] {
        assert_eq!(at_noon(&events, current), expected, "{current}");
    }
}

#[test]
fn in_a_series_the_current_list_counts_with_a_date_of_the_series_only() {
    let dates = vec![date(1, -90, -60), date(2, -30, 30)];
    let lists = vec![
        list(5, "All"),
        list_of(1, 6, "VIP"),
        list_of(2, 7, "VIP"),
        list_of(2, 8, "Side"),
    ];
    let events = [series(dates, lists)];
    for (current, expected) in [
        ("series 1 6", "series 2 7"),
        ("series 1 7", "series 2 7"),
        ("series 1 8", "series 2 8"),
        ("series - 8", "series 2 5"),
        ("series 99 8", "series 2 5"),
    ] {
        assert_eq!(at_noon(&events, current), expected, "{current}");
    }
}

#[test]
fn a_list_that_is_gone_is_replaced_once_the_event_is_not_running() {
    let events = [event("e", schedule(-30, 30), vec![list(5, "Main")])];
    assert_eq!(at_noon(&events, "e - 999"), "keep");
    assert_eq!(select_at(after_noon(30), &events, None, "e - 999"), "e - 5");
    let events = [event("e", schedule(-30, 0), vec![])];
    assert_eq!(at_noon(&events, "e - 999"), "e - -");
    assert_eq!(at_noon(&events, "e"), "keep");
}

#[test]
fn a_running_event_that_started_later_takes_over() {
    let events = [
        event("early", schedule(-60, 60), vec![]),
        event("late", schedule(-30, 30), vec![]),
        event("over", schedule(-10, -5), vec![]),
    ];
    assert_eq!(at_noon(&events, "early"), "late - -");
    assert_eq!(at_noon(&events, "late"), "keep");
    assert_eq!(
        select_at(after_noon(45), &events, None, "late"),
        "early - -"
    );
}

#[test]
fn back_to_back_events_change_at_the_very_moment() {
    let events = [
        event("first", schedule(-60, 0), vec![]),
        event("second", schedule(0, 60), vec![]),
    ];
    let before = noon() - SignedDuration::from_nanos(1);
    assert_eq!(select_at(before, &events, None, "first"), "keep");
    assert_eq!(at_noon(&events, "first"), "second - -");
    assert_eq!(at_noon(&events, "second"), "keep");
}

#[test]
fn events_at_the_same_time_keep_the_current_one_and_begin_with_the_first_slug() {
    for start in [-30, 30, -90] {
        let events = [
            event("b", schedule(start, start + 60), vec![]),
            event("a", schedule(start, start + 60), vec![]),
        ];
        assert_eq!(at_noon(&events, "-"), "a - -");
        assert_eq!(at_noon(&events, "a"), "keep");
        assert_eq!(at_noon(&events, "b"), "keep");
    }
}

#[test]
fn an_event_that_ends_before_it_starts_counts_as_over_when_it_starts() {
    let events = [event("garbage", schedule(30, -60), vec![])];
    assert_eq!(at_noon(&events, "-"), "garbage - -");
    let with_next = [events[0].clone(), event("next", schedule(60, 90), vec![])];
    assert_eq!(
        select_at(after_noon(40), &with_next, None, "-"),
        "garbage - -"
    );
    assert_eq!(select_at(after_noon(50), &with_next, None, "-"), "next - -");
}

#[test]
fn garbage_in_the_query_counts_as_absent() {
    let events = running_and_upcoming();
    let huge = "9".repeat(100);
    for garbage in ["", "abc", "1.5", "-", "0x1", "\0", "١", huge.as_str()] {
        let current = Current::read(Some(&events[0]), Some(garbage), Some(garbage));
        assert_eq!(line(&select(noon(), &events, None, current)), "keep");
        let current = Current::read(None, Some(garbage), Some(garbage));
        assert_eq!(line(&select(noon(), &events, None, current)), "e1 - 1");
    }
    assert_eq!(at_noon(&events, "E1"), "e1 - 1");
}

#[test]
fn times_at_the_edges_of_the_calendar_are_compared_too() {
    let schedule = |from, to| Schedule {
        date_from: from,
        date_to: Some(to),
        date_admission: None,
    };
    let events = [
        event("dawn", schedule(Timestamp::MIN, Timestamp::MIN), vec![]),
        event("dusk", schedule(Timestamp::MAX, Timestamp::MAX), vec![]),
    ];
    for zone in ["Pacific/Kiritimati", "Etc/GMT+12"] {
        let events = events.clone().map(|event| Event {
            timezone: zone.into(),
            ..event
        });
        assert_eq!(select_at(Timestamp::MIN, &events, None, "-"), "dawn - -");
        assert_eq!(select_at(Timestamp::MAX, &events, None, "-"), "dusk - -");
    }
}

#[test]
fn an_event_that_runs_and_has_a_list_at_no_gate_is_found() {
    let at_gate = CheckinList {
        gates: vec![7],
        ..list(1, "Door")
    };
    let runs = |slug: &str, lists| event(slug, schedule(-60, 60), lists);
    let nowhere = [
        runs("a", vec![at_gate.clone()]),
        runs("b", vec![list(2, "All")]),
    ];
    let since = |minutes| runs_at_no_gate(noon(), after_noon(minutes), &nowhere);
    assert_eq!(since(-30).unwrap().slug, "b");
    assert!(since(-90).is_none(), "it did not run then");
    let over = event("b", schedule(-60, -10), vec![list(2, "All")]);
    assert!(runs_at_no_gate(noon(), after_noon(-30), &[over]).is_none());
    let not_live = Event {
        live: false,
        ..runs("b", Vec::new())
    };
    assert!(runs_at_no_gate(noon(), after_noon(-30), &[not_live]).is_none());
    let somewhere = runs("b", vec![list(2, "All"), at_gate]);
    assert!(runs_at_no_gate(noon(), after_noon(-30), &[somewhere]).is_none());
}
