//! What is held of devices as their organizer sees them.

use gatehand::server::model::DeviceChange;
use gatehand::server::store::{EventChange, StoreError};

use super::{Fixture, contract, device, secret};

contract! {
    a_device_is_changed_in_what_is_named
    devices_come_by_number_in_pieces
    a_device_may_access_events_it_is_not_kept_from_and_name_any
    a_name_that_no_database_could_keep_finds_nothing
}

async fn a_device_is_changed_in_what_is_named(f: Fixture) {
    f.event("fair").await;
    let created = f.device("Door").await;
    let edit = async |change| {
        f.store
            .edit_device(f.organizer, created.device_id, change)
            .await
    };
    let unchanged = edit(DeviceChange::default()).await.unwrap();
    assert_eq!(
        (unchanged.name.as_str(), unchanged.all_events),
        ("Door", true)
    );
    let change = DeviceChange {
        name: Some("Gate".to_owned()),
        all_events: Some(false),
        limit_events: Some(vec!["fair".to_owned()]),
        security_profile: Some("pretixscan".to_owned()),
        gate: None,
    };
    let changed = edit(change).await.unwrap();
    assert_eq!((changed.name.as_str(), changed.all_events), ("Gate", false));
    assert_eq!(changed.limit_events, ["fair"]);
    assert_eq!(changed.security_profile, "pretixscan");
    assert_eq!(changed.unique_serial, created.unique_serial);
    let unknown = f
        .store
        .edit_device(f.organizer, 99, DeviceChange::default())
        .await;
    assert!(matches!(
        unknown,
        Err(StoreError::Unknown { kind: "device", .. })
    ));
}

async fn devices_come_by_number_in_pieces(f: Fixture) {
    for number in 1..=5 {
        f.device(&format!("Lane {number}")).await;
    }
    let other = f
        .store
        .create_organizer(&"p".parse().unwrap(), "Other")
        .await
        .unwrap()
        .id;
    assert_eq!(
        f.store
            .add_device(other, device("x"))
            .await
            .unwrap()
            .device_id,
        1
    );
    let numbers = async |skip, limit| {
        let devices = f.store.devices(f.organizer, skip, limit).await.unwrap();
        devices
            .devices()
            .iter()
            .map(|device| device.device_id)
            .collect::<Vec<_>>()
    };
    assert_eq!(numbers(0, 2).await, [1, 2]);
    assert_eq!(numbers(4, 2).await, [5]);
    assert_eq!(numbers(5, 2).await, [] as [u64; 0]);
    assert_eq!(numbers(u64::MAX, u64::MAX).await, [] as [u64; 0]);
    assert_eq!(f.count().await, 5);
    assert!(f.store.device(f.organizer, 0).await.unwrap().is_none());
    assert!(
        f.store
            .device(f.organizer, u64::MAX)
            .await
            .unwrap()
            .is_none()
    );
    let organizers = f.store.organizers().await.unwrap();
    assert_eq!(
        organizers.iter().map(|o| o.devices).collect::<Vec<_>>(),
        [5, 1]
    );
}

async fn a_device_may_access_events_it_is_not_kept_from_and_name_any(f: Fixture) {
    f.event("a").await;
    f.event("b").await;
    f.enrolled("Door", "key").await;
    let row = f
        .store
        .enrolled_device(&secret("key"))
        .await
        .unwrap()
        .unwrap()
        .id;
    let accessible = async || {
        let mut events = f.store.accessible_events(row).await.unwrap();
        events.sort_by(|one, other| one.slug.cmp(&other.slug));
        events
            .into_iter()
            .map(|event| (event.slug, event.live))
            .collect::<Vec<_>>()
    };
    let (a, b) = (("a".to_owned(), true), ("b".to_owned(), true));
    assert_eq!(accessible().await, [a, b.clone()]);
    let limit = DeviceChange {
        all_events: Some(false),
        limit_events: Some(vec!["b".to_owned()]),
        ..DeviceChange::default()
    };
    f.store.edit_device(f.organizer, 1, limit).await.unwrap();
    assert_eq!(accessible().await, [b]);
    let change = EventChange {
        live: Some(false),
        ..EventChange::default()
    };
    f.store
        .change_event(f.organizer, "b", change)
        .await
        .unwrap();
    assert_eq!(accessible().await, [("b".to_owned(), false)]);
    for slug in ["a", "b"] {
        let beside = f.store.event_beside(row, slug).await.unwrap().unwrap();
        assert_eq!((&*beside.slug, beside.live), (slug, slug == "a"));
    }
    assert!(f.store.event_beside(row, "x").await.unwrap().is_none());
    let slugs = ["a".to_owned(), "x".to_owned()];
    let unknown = f.store.unknown_event(f.organizer, &slugs).await.unwrap();
    assert_eq!(unknown.as_deref(), Some("x"));
}

async fn a_name_that_no_database_could_keep_finds_nothing(f: Fixture) {
    f.event("fair").await;
    let found = f.store.organizer("o\0").await;
    assert!(
        matches!(found, Err(StoreError::Unknown { .. })),
        "{found:?}"
    );
    let name = "fair\0".to_owned();
    let unknown = f
        .store
        .unknown_event(f.organizer, std::slice::from_ref(&name))
        .await;
    assert_eq!(unknown.unwrap(), Some(name));
    f.enrolled("Door", "key").await;
    let door = f
        .store
        .enrolled_device(&secret("key"))
        .await
        .unwrap()
        .unwrap();
    assert!(
        f.store
            .event_beside(door.id, "\0fair")
            .await
            .unwrap()
            .is_none()
    );
}
