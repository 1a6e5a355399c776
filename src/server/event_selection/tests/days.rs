//! What is today: midnight, time zones and clock changes.

use super::*;

#[test]
fn an_event_of_several_days_is_today_on_the_day_it_begins() {
    let fair = |begins| between("fair", begins, "2026-06-15T06:00:00Z", "UTC");
    let next = between(
        "next",
        "2026-06-15T20:00:00Z",
        "2026-06-15T22:00:00Z",
        "UTC",
    );
    // Before half-way.
    let now = time("2026-06-15T07:00:00Z");
    let at = |begins| select_at(now, &[fair(begins), next.clone()], None, "-");
    assert_eq!(at("2026-06-12T08:00:00Z"), "next - -");
    assert_eq!(at("2026-06-14T23:59:59Z"), "next - -");
    assert_eq!(at("2026-06-15T00:00:00Z"), "fair - -");
}

#[test]
fn an_event_is_today_by_its_beginning_and_not_by_its_admission() {
    let admitting = |mut event: Event, from| {
        event.schedule.date_admission = Some(time(from));
        event
    };
    let now = time("2026-06-15T07:00:00Z");
    let last = between(
        "last",
        "2026-06-15T04:00:00Z",
        "2026-06-15T06:00:00Z",
        "UTC",
    );
    let later = between(
        "next",
        "2026-06-15T20:00:00Z",
        "2026-06-15T22:00:00Z",
        "UTC",
    );
    let early = admitting(last, "2026-06-14T20:00:00Z");
    assert_eq!(select_at(now, &[early, later], None, "-"), "last - -");
    let yesterday = between(
        "last",
        "2026-06-14T20:00:00Z",
        "2026-06-15T06:00:00Z",
        "UTC",
    );
    let tomorrow = between(
        "next",
        "2026-06-16T06:00:00Z",
        "2026-06-16T08:00:00Z",
        "UTC",
    );
    let soon = admitting(tomorrow, "2026-06-15T22:00:00Z");
    assert_eq!(select_at(now, &[yesterday, soon], None, "-"), "last - -");
}

#[test]
fn the_day_changes_at_midnight_of_the_events_zone() {
    // Local midnight is 22:00 in UTC.
    let events = [
        between(
            "last",
            "2026-06-15T06:00:00Z",
            "2026-06-15T08:00:00Z",
            "Europe/Berlin",
        ),
        between(
            "next",
            "2026-06-16T06:00:00Z",
            "2026-06-16T08:00:00Z",
            "Europe/Berlin",
        ),
    ];
    assert_eq!(
        select_at(time("2026-06-15T21:59:59.999999999Z"), &events, None, "-"),
        "last - -"
    );
    assert_eq!(
        select_at(time("2026-06-15T22:00:00Z"), &events, None, "-"),
        "next - -"
    );
}

#[test]
fn the_day_is_that_of_the_current_events_zone_if_there_is_one() {
    // In Berlin the next one is tomorrow, in New York, where it takes place, it is today.
    let events = [
        between(
            "last",
            "2026-11-28T16:30:00Z",
            "2026-11-28T20:38:00Z",
            "Europe/Berlin",
        ),
        between(
            "next",
            "2026-11-29T00:25:00Z",
            "2026-11-29T04:00:00Z",
            "America/New_York",
        ),
        between(
            "long-ago",
            "2026-10-29T00:25:00Z",
            "2026-10-29T04:00:00Z",
            "Europe/Berlin",
        ),
    ];
    let now = time("2026-11-28T22:50:00Z");
    assert_eq!(select_at(now, &events, None, "-"), "next - -");
    assert_eq!(select_at(now, &events, None, "long-ago"), "last - -");
    assert_eq!(select_at(now, &events, None, "last"), "keep");
    assert_eq!(select_at(now, &events, None, "next"), "keep");
}

#[test]
fn without_a_current_event_the_day_is_that_of_the_next_ones_zone() {
    // In Berlin the last one was yesterday; in Auckland both are today.
    let events = [
        between(
            "last",
            "2026-11-28T17:07:00Z",
            "2026-11-28T21:13:00Z",
            "Europe/Berlin",
        ),
        between(
            "next",
            "2026-11-29T06:49:00Z",
            "2026-11-29T08:40:00Z",
            "Pacific/Auckland",
        ),
    ];
    let now = time("2026-11-28T23:25:00Z");
    assert_eq!(select_at(now, &events, None, "-"), "last - -");
}

#[test]
fn each_events_day_is_that_of_its_own_zone() {
    let now = time("2026-06-15T20:00:00Z");
    let last = |zone| between("last", "2026-06-15T09:00:00Z", "2026-06-15T10:00:00Z", zone);
    let next = |zone| between("next", "2026-06-16T01:00:00Z", "2026-06-16T02:00:00Z", zone);
    let at = |last_zone, next_zone| select_at(now, &[last(last_zone), next(next_zone)], None, "-");
    // In Tokyo it is the 16th already, in Los Angeles the next starts on the 15th.
    assert_eq!(at("UTC", "UTC"), "last - -");
    assert_eq!(at("Asia/Tokyo", "Asia/Tokyo"), "next - -");
    assert_eq!(at("UTC", "America/Los_Angeles"), "next - -");
    assert_eq!(at("Nowhere/At_All", "UTC"), "last - -");
}

#[test]
fn a_day_is_as_long_as_the_clocks_make_it() {
    let zone = "Europe/Berlin";
    // 2026-03-29 has 23 hours: it starts at 23:00 UTC and ends at 22:00 UTC.
    let short_day = [
        between("last", "2026-03-29T04:00:00Z", "2026-03-29T05:00:00Z", zone),
        between("next", "2026-03-29T22:00:00Z", "2026-03-29T23:00:00Z", zone),
    ];
    assert_eq!(
        select_at(time("2026-03-29T21:30:00Z"), &short_day, None, "-"),
        "last - -"
    );
    // 2026-10-25 has 25 hours: it starts at 22:00 UTC and ends at 23:00 UTC.
    let long_day = [
        between("last", "2026-10-24T20:00:00Z", "2026-10-24T22:00:00Z", zone),
        between("next", "2026-10-25T22:30:00Z", "2026-10-25T23:30:00Z", zone),
    ];
    assert_eq!(
        select_at(time("2026-10-24T22:00:00Z"), &long_day, None, "-"),
        "next - -"
    );
    let tomorrow = [
        between("last", "2026-10-25T10:00:00Z", "2026-10-25T11:00:00Z", zone),
        between("next", "2026-10-25T23:00:00Z", "2026-10-25T23:30:00Z", zone),
    ];
    assert_eq!(
        select_at(time("2026-10-25T22:59:59Z"), &tomorrow, None, "-"),
        "last - -"
    );
}

#[test]
fn an_hour_that_comes_twice_is_two_hours_apart() {
    let zone = "Europe/Berlin";
    // 02:30 summer time and 02:30 winter time of one night.
    let events = [
        between(
            "first",
            "2026-10-25T00:30:00Z",
            "2026-10-25T01:00:00Z",
            zone,
        ),
        between(
            "second",
            "2026-10-25T01:30:00Z",
            "2026-10-25T02:00:00Z",
            zone,
        ),
    ];
    assert_eq!(
        select_at(time("2026-10-25T00:45:00Z"), &events, None, "-"),
        "first - -"
    );
    assert_eq!(
        select_at(time("2026-10-25T01:14:00Z"), &events, None, "-"),
        "first - -"
    );
    assert_eq!(
        select_at(time("2026-10-25T01:15:00Z"), &events, None, "-"),
        "second - -"
    );
}

#[test]
fn a_midnight_that_the_clocks_skip_still_starts_the_day() {
    // In Beirut 2026-03-29 begins at 01:00, 22:00 in UTC.
    let events = [
        between(
            "last",
            "2026-03-28T20:00:00Z",
            "2026-03-28T22:00:00Z",
            "Asia/Beirut",
        ),
        between(
            "next",
            "2026-03-29T19:00:00Z",
            "2026-03-29T20:00:00Z",
            "Asia/Beirut",
        ),
    ];
    assert_eq!(
        select_at(time("2026-03-28T22:00:00Z"), &events, None, "-"),
        "next - -"
    );
}
