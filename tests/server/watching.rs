//! What who watches devices is told: the log of all of them as it is written, and how they were for a day.

use std::collections::BTreeSet;

use gatehand::server::model::ValidReport;
use gatehand::server::store::{Administration, NoReconnection, Sample, StoreError, Terms};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::store_contract::{Fixture, contract, report, secret};

contract! {
    the_log_of_all_devices_is_read_behind_a_number_in_pieces
    a_sample_is_kept_of_a_report_and_not_of_the_next_one_at_once
    samples_come_since_a_time_and_are_swept_by_age
    a_device_that_is_set_up_anew_begins_a_day_of_its_own
}

const ALL: (i64, i64) = (0, i64::MAX);

async fn the_log_of_all_devices_is_read_behind_a_number_in_pieces(f: Fixture) {
    let store = &f.store;
    assert_eq!(store.last_in_log().await.unwrap(), 0);
    assert_eq!(store.news(&[ALL], 10).await.unwrap(), []);
    f.enrolled("Door", "key").await;
    let other = store
        .create_organizer(&"other".parse().unwrap(), "Other")
        .await
        .unwrap()
        .id;
    let device = crate::store_contract::device("Lane");
    store.add_device(other, device).await.unwrap();
    let news = store.news(&[ALL], 10).await.unwrap();
    let told: Vec<_> = news
        .iter()
        .map(|news| {
            (
                news.organizer,
                news.name.as_str(),
                news.entry.action.as_str(),
            )
        })
        .collect();
    let expected = [
        (f.organizer, "Door", "created"),
        (f.organizer, "Door", "initialized"),
        (other, "Lane", "created"),
    ];
    assert_eq!(told, expected);
    let ids: Vec<i64> = news.iter().map(|news| news.id).collect();
    assert_eq!(store.last_in_log().await.unwrap(), ids[2]);
    assert_eq!(news[1].entry.data["hardware_model"], "TC25");
    let read = async |ranges: &[(i64, i64)], limit| -> Vec<i64> {
        let news = store.news(ranges, limit).await.unwrap();
        news.iter().map(|news| news.id).collect()
    };
    assert_eq!(read(&[(ids[0], i64::MAX)], 10).await, ids[1..]);
    assert_eq!(read(&[ALL], 2).await, ids[..2]);
    let around = [(0, ids[0]), (ids[1], ids[2])];
    assert_eq!(read(&around, 10).await, [ids[0], ids[2]]);
    assert_eq!(read(&[], 10).await, [0; 0]);
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), 3);
}

fn with_battery(info: Value) -> ValidReport {
    ValidReport {
        info: Some(info),
        ..report()
    }
}

async fn samples(f: &Fixture, device: u64) -> Vec<Sample> {
    let since = f.store.samples(f.organizer, device, Timestamp::MIN);
    since.await.unwrap()
}

async fn a_sample_is_kept_of_a_report_and_not_of_the_next_one_at_once(f: Fixture) {
    let device = f.device("Door").await;
    let begun = Timestamp::now();
    let info = json!({"battery": {"percent": 87, "status": "discharging"}});
    let token = device.initialization_token.unwrap();
    let redeemed = f
        .store
        .redeem_token(&token, with_battery(info), &secret("key"), Terms::default())
        .await;
    redeemed.unwrap().unwrap();
    let first = samples(&f, 1).await;
    let [sample] = first.as_slice() else {
        panic!("{first:?}");
    };
    assert_eq!((sample.battery, sample.mains), (Some(87), Some(false)));
    assert!(sample.taken >= begun && sample.taken <= Timestamp::now());
    let info = json!({"battery": {"percent": 5, "status": "charging"}});
    let key = secret("key");
    let updated = f
        .store
        .update_device(&key, with_battery(info), Terms::default());
    updated.await.unwrap().unwrap();
    assert_eq!(samples(&f, 1).await, first);
    // One that tells nothing of a battery was heard of all the same.
    let device = f.device("Lane").await;
    let token = device.initialization_token.unwrap();
    let nothing = with_battery(json!(["battery", {"percent": "full"}]));
    let redeemed = f
        .store
        .redeem_token(&token, nothing, &secret("other"), Terms::default())
        .await;
    redeemed.unwrap().unwrap();
    let told: Vec<_> = samples(&f, 2)
        .await
        .iter()
        .map(|sample| (sample.battery, sample.mains))
        .collect();
    assert_eq!(told, [(None, None)]);
    assert!(matches!(
        f.store.samples(f.organizer, 3, Timestamp::MIN).await,
        Err(StoreError::Unknown { .. })
    ));
}

/// A sample of so many hours ago.
fn sample(hours: i64) -> Sample {
    let ago = Timestamp::now() - SignedDuration::from_hours(hours);
    Sample {
        // As a database keeps it.
        taken: Timestamp::from_microsecond(ago.as_microsecond()).unwrap(),
        battery: u8::try_from(hours).ok(),
        mains: Some(hours % 2 == 0),
    }
}

async fn samples_come_since_a_time_and_are_swept_by_age(f: Fixture) {
    let f = &f;
    f.device("Door").await;
    f.device("Lane").await;
    let store: &dyn Administration = &*f.store;
    let all: Vec<Sample> = (1..=30).rev().map(sample).collect();
    let add = async |device| {
        let added = store.add_samples(f.organizer, device, all.clone());
        added.await.unwrap();
    };
    add(1).await;
    // The same again, as what is done again after a failure.
    add(1).await;
    add(2).await;
    assert_eq!(samples(f, 1).await, all);
    let day = store.samples(f.organizer, 1, all[6].taken).await.unwrap();
    assert_eq!(day, all[6..]);
    store.sweep_samples(all[6].taken).await.unwrap();
    for device in [1, 2] {
        assert_eq!(samples(f, device).await, all[6..], "{device}");
    }
    store.sweep_samples(Timestamp::MAX).await.unwrap();
    assert_eq!(samples(f, 1).await, []);
}

async fn a_device_that_is_set_up_anew_begins_a_day_of_its_own(f: Fixture) {
    f.enrolled("Door", "key").await;
    let added = f.store.add_samples(f.organizer, 1, vec![sample(3)]);
    added.await.unwrap();
    let actor = gatehand::server::store::Actor::Administrator;
    let renewed = f
        .store
        .reconnect(actor, f.organizer, 1, false, Terms::default());
    let token = renewed.await.unwrap().unwrap().initialization_token;
    assert_eq!(samples(&f, 1).await.len(), 2, "it goes on until then");
    let redeemed = f
        .store
        .redeem_token(
            &token.unwrap(),
            with_battery(json!({"battery": {"percent": 99}})),
            &secret("new"),
            Terms::default(),
        )
        .await;
    redeemed.unwrap().unwrap();
    let batteries: Vec<_> = samples(&f, 1)
        .await
        .iter()
        .map(|sample| sample.battery)
        .collect();
    assert_eq!(batteries, [Some(99)]);
    f.store.revoke_device(f.organizer, 1).await.unwrap();
    let refused = f
        .store
        .reconnect(actor, f.organizer, 1, false, Terms::default());
    assert_eq!(refused.await.unwrap().err(), Some(NoReconnection::Revoked));
}
