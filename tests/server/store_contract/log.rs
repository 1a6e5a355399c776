//! What is held of the log of what was done to devices.

use gatehand::server::model::{DeviceChange, Permissions};
use gatehand::server::store::{Actor, Terms};
use jiff::Timestamp;
use serde_json::json;

use super::{Fixture, contract, device, keep, report, secret};

contract! {
    what_is_done_to_a_device_is_logged_with_the_change
    what_a_device_does_pushes_nothing_out_of_its_log_that_others_did
    a_log_is_swept_by_age
}

async fn what_is_done_to_a_device_is_logged_with_the_change(f: Fixture) {
    let (store, organizer) = (&f.store, f.organizer);
    store
        .create_team(organizer, "t", Permissions::All)
        .await
        .unwrap();
    let token = store
        .create_team_token(organizer, "t", "laptop")
        .await
        .unwrap()
        .token;
    let caller = store.team_caller(&token).await.unwrap().unwrap();
    let actor = Actor::Team(caller.token);
    let created = store
        .create_device(actor, organizer, device("Door"), Terms::default())
        .await
        .unwrap();
    let token = created.initialization_token.unwrap();
    let (key, new) = (secret("first key"), secret("second key"));
    assert!(
        store
            .redeem_token(&token, report(), &key, Terms::default())
            .await
            .unwrap()
            .is_ok()
    );
    assert!(
        store
            .redeem_token(&token, report(), &key, Terms::default())
            .await
            .unwrap()
            .is_err()
    );
    let mut newer = report();
    newer.software_version += ".1";
    for _ in 0..2 {
        let updated = store.update_device(&key, newer.clone(), Terms::default());
        updated.await.unwrap().unwrap();
    }
    newer.info = Some(json!({"battery": 7}));
    let updated = store.update_device(&key, newer, Terms::default());
    updated.await.unwrap().unwrap();
    store.roll_key(&key, &new, Terms::default()).await.unwrap();
    let change = || DeviceChange {
        name: Some("Gate".to_owned()),
        ..DeviceChange::default()
    };
    let failed = keep(1, None);
    let failed = store
        .change_device(actor, organizer, 1, change(), failed)
        .await;
    assert!(failed.is_err());
    store
        .change_device(actor, organizer, 1, change(), Terms::default())
        .await
        .unwrap();
    store.revoke_device(organizer, 1).await.unwrap();

    let log = store.device_log(organizer, 1).await.unwrap();
    let entries = log
        .iter()
        .map(|entry| (entry.action.as_str(), entry.actor.as_str()));
    let expected = [
        ("created", "team"),
        ("initialized", "device"),
        ("updated", "device"),
        ("key rolled", "device"),
        ("changed", "team"),
        ("revoked", "administrator"),
    ];
    assert!(entries.eq(expected), "{log:?}");
    assert_eq!(log[0].token.as_deref(), Some("laptop"));
    assert_eq!(log[4].data, json!({"name": "Gate"}));
    for text in [token.expose(), "first key", "second key"] {
        assert!(!serde_json::to_string(&log).unwrap().contains(text));
    }
}

async fn what_a_device_does_pushes_nothing_out_of_its_log_that_others_did(f: Fixture) {
    let (store, device) = (&f.store, f.enrolled("Door", "key").await);
    let key = secret("key");
    store
        .revoke_device(f.organizer, f.device("Other").await.device_id)
        .await
        .unwrap();
    for version in 0..600 {
        let mut report = report();
        report.software_version = version.to_string();
        let updated = store.update_device(&key, report, Terms::default());
        updated.await.unwrap().unwrap();
    }
    store
        .revoke_device(f.organizer, device.device_id)
        .await
        .unwrap();
    let log = store
        .device_log(f.organizer, device.device_id)
        .await
        .unwrap();
    let by_others: Vec<_> = log.iter().filter(|entry| entry.actor != "device").collect();
    let actions: Vec<_> = by_others
        .iter()
        .map(|entry| entry.action.as_str())
        .collect();
    assert_eq!(actions, ["created", "revoked"]);
    assert_eq!(log.len(), 2 + 256);
    let newest = &log[log.len() - 2];
    assert_eq!(newest.data["software_version"], "599");
    let other = store.device_log(f.organizer, 2).await.unwrap();
    assert_eq!(other.len(), 2, "each device has room of its own");
}

async fn a_log_is_swept_by_age(f: Fixture) {
    let device = f.enrolled("Door", "key").await;
    let log = async || {
        f.store
            .device_log(f.organizer, device.device_id)
            .await
            .unwrap()
    };
    f.store.sweep_log(log().await[0].created).await.unwrap();
    assert_eq!(log().await.len(), 2);
    let before_the_second = log().await[1].created;
    f.store.sweep_log(before_the_second).await.unwrap();
    assert_eq!(log().await.len(), 1);
    f.store.sweep_log(Timestamp::MAX).await.unwrap();
    assert!(log().await.is_empty());
}
