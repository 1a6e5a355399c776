//! What every database must hold of what fleets ask for.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU8, Ordering};

use gatehand::seal::SealError;
use gatehand::server::model::{
    BatchRefusal, BatchSetting, CodeState, Count, DeviceChange, DeviceFilter, Expected, NewDevice,
    Order, OrderBy, ValidReport, Version, VersionedDevice,
};
use gatehand::server::store::{
    Actor, Keep, KeptAnswer, NoReconnection, Sighting, StoreError, Terms, TokenRefusal,
};
use gatehand::wire::Device;
use jiff::{SignedDuration, Timestamp};

use crate::store_contract::{Fixture, contract, device, long_ago, report, secret};

contract! {
    a_reconnected_device_is_the_same_with_a_new_key_and_the_old_works_until_then
    a_device_that_is_reconnected_now_has_no_key_until_it_is_redeemed
    a_second_code_replaces_the_first_and_a_used_one_stays_used
    a_revoked_device_gets_no_code_and_its_code_no_device
    a_code_that_nobody_has_redeemed_is_renewed
    what_a_device_was_answered_goes_with_its_key
    of_reconnections_redemptions_rolls_and_a_revocation_at_once_no_key_survives_that_should_not
    devices_are_found_by_each_filter_and_counted
    names_are_found_by_what_they_begin_with_whatever_letters_they_have
    when_a_device_was_seen_never_goes_back
    a_device_that_is_gone_keeps_no_other_from_being_seen
    a_batch_makes_all_devices_or_none
    a_batch_changes_what_was_planned_or_nothing
    a_batch_of_too_many_or_of_unknown_devices_is_refused
    a_change_of_what_another_has_changed_is_refused
    whatever_is_changed_of_a_device_makes_another_version
    a_batch_that_meets_a_change_of_one_goes_by_what_it_is_told
}

const ADMIN: Actor = Actor::Administrator;

/// Answers, each to be kept under another id.
fn kept<T>(device: i64) -> (u8, Terms<T>) {
    static NEXT: AtomicU8 = AtomicU8::new(100);
    let id = NEXT.fetch_add(1, Ordering::Relaxed);
    let answer = move || -> Result<KeptAnswer, SealError> {
        Ok(KeptAnswer {
            sealed: vec![id],
            refused_to: None,
            device: Some(device),
        })
    };
    let keep = Some(Keep {
        id: [id; 32],
        render: Box::new(move |_| answer()),
    });
    let terms = Terms {
        keep,
        ..Terms::default()
    };
    (id, terms)
}

impl Fixture {
    async fn reconnect(&self, number: u64, now: bool) -> Device {
        let begun = self
            .store
            .reconnect(ADMIN, self.organizer, number, now, Terms::default());
        begun.await.unwrap().unwrap().device
    }

    /// The device of this number, with what tells it from others of its.
    async fn read(&self, number: u64) -> VersionedDevice {
        let device = self.store.device(self.organizer, number).await;
        device.unwrap().unwrap()
    }

    async fn code(&self, number: u64) -> CodeState {
        let detailed = self.store.detailed_device(self.organizer, number).await;
        detailed.unwrap().unwrap().code
    }

    async fn redeem(&self, device: &Device, key: &str) -> Result<i64, TokenRefusal> {
        let token = device.initialization_token.as_ref().unwrap();
        let redeemed = self
            .store
            .redeem_token(token, report(), &secret(key), Terms::default())
            .await;
        redeemed.unwrap().map(|device| device.id)
    }

    /// The number of the device that has this key.
    async fn holder(&self, key: &str) -> Option<u64> {
        let device = self.store.enrolled_device(&secret(key)).await.unwrap();
        device
            .filter(|device| !device.revoked)
            .map(|device| device.device_id)
    }

    async fn is_kept(&self, id: u8) -> bool {
        let kept = self.store.kept_answer(&[id; 32], long_ago()).await.unwrap();
        kept.is_some()
    }

    async fn found(&self, filter: DeviceFilter, by: OrderBy) -> Vec<u64> {
        let order = Order {
            by,
            descending: false,
        };
        let page = self
            .store
            .filtered_devices(self.organizer, &filter, order, 0, 50);
        let numbers: Vec<u64> = page
            .await
            .unwrap()
            .iter()
            .map(|found| found.device.device_id)
            .collect();
        let count = self
            .store
            .count_filtered(self.organizer, &filter, by)
            .await
            .unwrap();
        let exact = Count {
            count: numbers.len() as u64,
            is_minimum: false,
        };
        assert_eq!(count, exact, "{filter:?}");
        let order = Order {
            by,
            descending: true,
        };
        let page = self
            .store
            .filtered_devices(self.organizer, &filter, order, 0, 50);
        let mut back: Vec<u64> = page
            .await
            .unwrap()
            .iter()
            .map(|found| found.device.device_id)
            .collect();
        back.reverse();
        assert_eq!(back, numbers, "{filter:?}");
        numbers
    }

    async fn see(&self, number: u64, seen: Timestamp) {
        let device = self
            .store
            .enrolled_device(&secret(&format!("key {number}")))
            .await;
        let sighting = Sighting {
            device: device.unwrap().unwrap().id,
            organizer: self.organizer,
            seen,
        };
        self.store.note_seen(vec![sighting]).await.unwrap();
    }

    async fn log(&self, number: u64) -> Vec<String> {
        let log = self.store.device_log(self.organizer, number).await.unwrap();
        log.into_iter().map(|entry| entry.action).collect()
    }
}

async fn a_reconnected_device_is_the_same_with_a_new_key_and_the_old_works_until_then(f: Fixture) {
    let made = f.device("Door").await;
    let with_key = ValidReport {
        rsa_pubkey: Some("old key".to_owned()),
        ..report()
    };
    let token = made.initialization_token.as_ref().unwrap();
    let redeemed = f
        .store
        .redeem_token(token, with_key, &secret("old"), Terms::default())
        .await;
    let row = redeemed.unwrap().unwrap().id;
    let before = f.read(1).await;
    assert_eq!(f.code(1).await, CodeState::Used);

    let waiting = f.reconnect(1, false).await;
    let as_before = Device {
        initialization_token: before.device.initialization_token.clone(),
        ..waiting.clone()
    };
    assert_eq!(
        serde_json::to_value(&as_before).unwrap(),
        serde_json::to_value(&before.device).unwrap(),
        "it reads as before"
    );
    let after = f.read(1).await;
    assert_ne!(after.version, before.version, "it has another code");
    assert_eq!(f.code(1).await, CodeState::Open);
    assert!(waiting.initialization_token.as_ref().unwrap().expose() != token.expose());
    assert_eq!(f.holder("old").await, Some(1));
    let other_report = f
        .store
        .update_device(&secret("old"), report(), Terms::default())
        .await;
    assert!(other_report.unwrap().is_ok());

    assert_eq!(f.redeem(&waiting, "new").await, Ok(row));
    assert_eq!(
        (f.holder("old").await, f.holder("new").await),
        (None, Some(1))
    );
    let after = f
        .store
        .enrolled_device(&secret("new"))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (after.unique_serial.clone(), after.rsa_pubkey.clone()),
        (made.unique_serial, None)
    );
    assert_eq!(f.redeem(&waiting, "third").await, Err(TokenRefusal::Used));
    assert_eq!(
        f.log(1).await,
        ["created", "initialized", "token renewed", "reconnected"]
    );
}

async fn a_device_that_is_reconnected_now_has_no_key_until_it_is_redeemed(f: Fixture) {
    f.enrolled("Door", "old").await;
    let waiting = f.reconnect(1, true).await;
    assert_eq!(f.holder("old").await, None);
    let found = f.store.enrolled_device(&secret("old")).await.unwrap();
    assert!(found.is_none(), "it is not told that it was revoked");
    assert!(waiting.initialized.is_some());
    let rolled = f
        .store
        .roll_key(&secret("old"), &secret("newer"), Terms::default())
        .await;
    assert_eq!(rolled.unwrap(), None);
    assert!(f.redeem(&waiting, "new").await.is_ok());
    assert_eq!(f.holder("new").await, Some(1));
}

async fn a_second_code_replaces_the_first_and_a_used_one_stays_used(f: Fixture) {
    let unused = f.device("Door").await;
    let fresh = f.reconnect(1, false).await;
    assert!(fresh.initialized.is_none());
    assert_eq!(f.redeem(&unused, "a").await, Err(TokenRefusal::Unknown));
    assert!(f.redeem(&fresh, "b").await.is_ok());

    let first = f.reconnect(1, false).await;
    let second = f.reconnect(1, false).await;
    assert_eq!(f.redeem(&first, "c").await, Err(TokenRefusal::Unknown));
    assert_eq!(f.redeem(&fresh, "c").await, Err(TokenRefusal::Used));
    assert_eq!(f.holder("b").await, Some(1));
    assert!(f.redeem(&second, "c").await.is_ok());
    assert_eq!((f.holder("b").await, f.holder("c").await), (None, Some(1)));
}

async fn a_revoked_device_gets_no_code_and_its_code_no_device(f: Fixture) {
    f.enrolled("Door", "old").await;
    let waiting = f.reconnect(1, false).await;
    let ended = f
        .store
        .end_access(ADMIN, f.organizer, 1, Terms::default())
        .await;
    assert!(ended.unwrap().device.revoked);
    assert_eq!(f.redeem(&waiting, "new").await, Err(TokenRefusal::Revoked));
    let again = f
        .store
        .reconnect(ADMIN, f.organizer, 1, true, Terms::default())
        .await;
    assert!(matches!(again.unwrap(), Err(NoReconnection::Revoked)));
    let old = f
        .store
        .enrolled_device(&secret("old"))
        .await
        .unwrap()
        .unwrap();
    assert!(old.revoked, "it is told so");
    f.store
        .end_access(ADMIN, f.organizer, 1, Terms::default())
        .await
        .unwrap();
    let log = f.log(1).await;
    assert_eq!(log.iter().filter(|action| *action == "revoked").count(), 1);
    let unknown = f
        .store
        .end_access(ADMIN, f.organizer, 2, Terms::default())
        .await;
    assert!(matches!(unknown, Err(StoreError::Unknown { .. })));
}

async fn a_code_that_nobody_has_redeemed_is_renewed(f: Fixture) {
    let first = f.device("Door").await;
    f.store.renew_token(f.organizer, 1).await.unwrap();
    assert_eq!(f.redeem(&first, "a").await, Err(TokenRefusal::Unknown));
    let second = f.read(1).await.device;
    assert!(f.redeem(&second, "a").await.is_ok());
    let refused = f.store.renew_token(f.organizer, 1).await;
    assert!(matches!(refused, Err(StoreError::NotWaiting { device: 1 })));

    let lost = f.reconnect(1, true).await;
    f.store.renew_token(f.organizer, 1).await.unwrap();
    assert_eq!(f.redeem(&lost, "b").await, Err(TokenRefusal::Unknown));
    assert_eq!(f.redeem(&second, "b").await, Err(TokenRefusal::Used));
    let third = f.read(1).await.device;
    assert!(f.redeem(&third, "b").await.is_ok());
    assert_eq!((f.holder("a").await, f.holder("b").await), (None, Some(1)));

    f.store
        .reconnect_device(f.organizer, 1, false)
        .await
        .unwrap();
    f.store.revoke_device(f.organizer, 1).await.unwrap();
    assert_eq!(f.code(1).await, CodeState::Ended);
    let refused = f.store.renew_token(f.organizer, 1).await;
    assert!(matches!(refused, Err(StoreError::NotWaiting { device: 1 })));
    let refused = f.store.reconnect_device(f.organizer, 1, false).await;
    assert!(matches!(refused, Err(StoreError::Revoked { device: 1 })));
}

async fn what_a_device_was_answered_goes_with_its_key(f: Fixture) {
    let made = f.enrolled("Door", "one").await;
    let row = f
        .store
        .enrolled_device(&secret("one"))
        .await
        .unwrap()
        .unwrap()
        .id;
    let roll = async |from: &str, to: &str| {
        let (id, terms) = kept(row);
        let rolled = f.store.roll_key(&secret(from), &secret(to), terms).await;
        assert!(rolled.unwrap().is_some());
        id
    };
    let first = roll("one", "two").await;
    f.reconnect(made.device_id, false).await;
    assert!(f.is_kept(first).await, "the key works on");
    f.reconnect(made.device_id, true).await;
    assert!(!f.is_kept(first).await);

    let waiting = f.reconnect(made.device_id, false).await;
    assert!(f.redeem(&waiting, "three").await.is_ok());
    let second = roll("three", "four").await;
    let waiting = f.reconnect(made.device_id, false).await;
    let (own, terms) = kept(row);
    let token = waiting.initialization_token.as_ref().unwrap();
    let redeemed = f
        .store
        .redeem_token(token, report(), &secret("five"), terms)
        .await;
    assert!(redeemed.unwrap().is_ok());
    assert_eq!(
        (f.is_kept(second).await, f.is_kept(own).await),
        (false, true)
    );

    let third = roll("five", "six").await;
    f.store.revoke_device(f.organizer, 1).await.unwrap();
    assert!(
        f.is_kept(third).await,
        "with its fresh key alone it hears that it was revoked"
    );
    f.enrolled("Other", "ten").await;
    let row = f.store.enrolled_device(&secret("ten")).await;
    let (own, terms) = kept(row.unwrap().unwrap().id);
    let ended = f.store.revoke_key(&secret("ten"), terms).await;
    assert!(ended.unwrap().is_some());
    f.store.revoke_device(f.organizer, 2).await.unwrap();
    assert!(f.is_kept(own).await, "it has done that itself");
}

async fn of_reconnections_redemptions_rolls_and_a_revocation_at_once_no_key_survives_that_should_not(
    f: Fixture,
) {
    for round in 0..4 {
        let name = format!("Door {round}");
        let number = f.enrolled(&name, &format!("old {round}")).await.device_id;
        let waiting = f.reconnect(number, false).await;
        let (organizer, token) = (f.organizer, waiting.initialization_token.clone().unwrap());
        let revokes = round % 2 == 0;
        let ends = f
            .at_once(move |attempt, store| {
                let token = token.clone();
                async move {
                    let old = secret(&format!("old {round}"));
                    let key = format!("key {round} {attempt}");
                    match attempt % 4 {
                        0 => {
                            let now = attempt % 8 == 0;
                            let begun =
                                store.reconnect(ADMIN, organizer, number, now, Terms::default());
                            begun.await.unwrap().ok().map(|_| None)
                        }
                        1 => {
                            let redeemed = store
                                .redeem_token(&token, report(), &secret(&key), Terms::default())
                                .await;
                            redeemed.unwrap().ok().map(|_| Some(key))
                        }
                        2 => {
                            let rolled =
                                store.roll_key(&old, &secret(&key), Terms::default()).await;
                            rolled.unwrap().map(|_| Some(key))
                        }
                        _ if revokes && attempt == 19 => {
                            let ended =
                                store.end_access(ADMIN, organizer, number, Terms::default());
                            ended.await.unwrap();
                            None
                        }
                        _ => None,
                    }
                }
            })
            .await;
        // One at most: each of the others was replaced, ended or never given.
        let mut holders = BTreeSet::new();
        for key in ends
            .into_iter()
            .flatten()
            .flatten()
            .chain([format!("old {round}")])
        {
            if f.holder(&key).await.is_some() {
                holders.insert(key);
            }
        }
        assert!(holders.len() <= usize::from(!revokes), "{holders:?}");
        // Whoever comes last has the only key, unless it was revoked.
        let last = f
            .store
            .reconnect(ADMIN, organizer, number, false, Terms::default())
            .await
            .unwrap();
        assert_eq!(last.is_err(), revokes);
        if let Ok(last) = last {
            let key = format!("last {round}");
            assert!(f.redeem(&last.device, &key).await.is_ok());
            for holder in holders {
                assert_eq!(f.holder(&holder).await, None);
            }
            assert_eq!(f.holder(&key).await, Some(number));
        }
    }
}

async fn devices_are_found_by_each_filter_and_counted(f: Fixture) {
    f.store
        .create_gate(f.organizer, "N", "North")
        .await
        .unwrap();
    for number in 1..=4 {
        f.enrolled(&format!("Lane {}", 10 - number), &format!("key {number}"))
            .await;
    }
    f.device("unused").await;
    let move_to = DeviceChange {
        gate: Some(Some("N".to_owned())),
        ..DeviceChange::default()
    };
    f.store.edit_device(f.organizer, 2, move_to).await.unwrap();
    let newer = ValidReport {
        software_version: "2".to_owned(),
        ..report()
    };
    let updated = f
        .store
        .update_device(&secret("key 3"), newer, Terms::default())
        .await;
    assert!(updated.unwrap().is_ok());
    f.store.revoke_device(f.organizer, 4).await.unwrap();
    let now = Timestamp::now();
    for (number, hours) in [(1, 3), (2, 2), (3, 1)] {
        f.see(number, now - SignedDuration::from_hours(hours)).await;
    }
    // Another organizer's devices are never among them.
    let others = f
        .store
        .create_organizer(&"others".parse().unwrap(), "Others")
        .await
        .unwrap();
    f.store
        .add_device(others.id, device("Lane 1"))
        .await
        .unwrap();

    let all = DeviceFilter::default;
    let cases = [
        (all(), vec![1, 2, 3, 4, 5]),
        (
            DeviceFilter {
                numbers: Some(vec![5, 2, 2, 99]),
                ..all()
            },
            vec![2, 5],
        ),
        (
            DeviceFilter {
                revoked: Some(true),
                ..all()
            },
            vec![4],
        ),
        (
            DeviceFilter {
                revoked: Some(false),
                ..all()
            },
            vec![1, 2, 3, 5],
        ),
        (
            DeviceFilter {
                initialized: Some(true),
                ..all()
            },
            vec![1, 2, 3, 4],
        ),
        (
            DeviceFilter {
                initialized: Some(false),
                ..all()
            },
            vec![5],
        ),
        (
            DeviceFilter {
                gate: Some(Some("N".to_owned())),
                ..all()
            },
            vec![2],
        ),
        (
            DeviceFilter {
                gate: Some(None),
                ..all()
            },
            vec![1, 3, 4, 5],
        ),
        (
            DeviceFilter {
                software_brand: Some("gatehand".to_owned()),
                ..all()
            },
            vec![1, 2, 3, 4],
        ),
        (
            DeviceFilter {
                software_version: Some("2".to_owned()),
                ..all()
            },
            vec![3],
        ),
        (
            DeviceFilter {
                last_seen_before: Some(now - SignedDuration::from_mins(90)),
                ..all()
            },
            vec![1, 2],
        ),
        (
            DeviceFilter {
                last_seen_before: Some(Timestamp::MAX),
                ..all()
            },
            vec![1, 2, 3],
        ),
        (
            DeviceFilter {
                revoked: Some(false),
                initialized: Some(true),
                gate: Some(None),
                search: Some("lane".to_owned()),
                software_version: Some("1".to_owned()),
                ..all()
            },
            vec![1],
        ),
    ];
    for (filter, expected) in cases {
        assert_eq!(
            f.found(filter.clone(), OrderBy::Number).await,
            expected,
            "{filter:?}"
        );
    }
    assert_eq!(f.found(all(), OrderBy::Name).await, [4, 3, 2, 1, 5]);
    assert_eq!(f.found(all(), OrderBy::LastSeen).await, [1, 2, 3]);
    let unknown = DeviceFilter {
        gate: Some(Some("S".to_owned())),
        ..all()
    };
    let refused = f
        .store
        .count_filtered(f.organizer, &unknown, OrderBy::Number)
        .await;
    assert!(matches!(
        refused,
        Err(StoreError::Unknown { kind: "gate", .. })
    ));

    let one = f
        .store
        .detailed_device(f.organizer, 2)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(one.gate.unwrap().identifier, "N");
    assert_eq!(one.info, report().info);
    let seen = (now - SignedDuration::from_hours(2)).as_microsecond();
    assert_eq!(one.last_seen.unwrap().as_microsecond(), seen);
    let order = Order {
        by: OrderBy::Name,
        descending: true,
    };
    let page = f
        .store
        .filtered_devices(f.organizer, &all(), order, 3, 1)
        .await
        .unwrap();
    assert_eq!(page[0].device.device_id, 3);
}

async fn names_are_found_by_what_they_begin_with_whatever_letters_they_have(f: Fixture) {
    let names = [
        "Åse",
        "åse",
        "100%",
        "100_",
        "a'b",
        "\u{10ffff}x",
        "LANE",
        "lane two",
        "Lan",
    ];
    let mut serials = Vec::new();
    for name in names {
        serials.push(f.device(name).await.unique_serial);
    }
    let search = async |text: &str| {
        let filter = DeviceFilter {
            search: Some(text.to_owned()),
            ..DeviceFilter::default()
        };
        let found = f.found(filter, OrderBy::Number).await;
        found
            .into_iter()
            .filter(|number| !serials[*number as usize - 1].starts_with(&text.to_ascii_uppercase()))
            .collect::<Vec<u64>>()
    };
    for (text, expected) in [
        ("Å", vec![1]),
        ("åS", vec![2]),
        ("100%", vec![3]),
        ("100", vec![3, 4]),
        ("A'", vec![5]),
        ("\u{10ffff}", vec![6]),
        ("lane", vec![7, 8]),
        ("LAN", vec![7, 8, 9]),
        ("lane two and more", vec![]),
        ("a\0b", vec![]),
    ] {
        assert_eq!(search(text).await, expected, "{text:?}");
    }
    let serial = serials[4].to_ascii_lowercase();
    let filter = DeviceFilter {
        search: Some(serial[..12].to_owned()),
        ..DeviceFilter::default()
    };
    assert_eq!(f.found(filter, OrderBy::Name).await, [5]);
}

async fn when_a_device_was_seen_never_goes_back(f: Fixture) {
    let mut sightings = Vec::new();
    let now = Timestamp::now();
    for number in 0..70 {
        let key = format!("key {number}");
        f.enrolled("Door", &key).await;
        let device = f
            .store
            .enrolled_device(&secret(&key))
            .await
            .unwrap()
            .unwrap();
        sightings.push(Sighting {
            device: device.id,
            organizer: f.organizer,
            seen: now,
        });
    }
    f.store.note_seen(sightings.clone()).await.unwrap();
    let earlier = sightings.iter().map(|sighting| Sighting {
        seen: now - SignedDuration::from_secs(1),
        ..*sighting
    });
    f.store.note_seen(earlier.collect()).await.unwrap();
    let before = DeviceFilter {
        last_seen_before: Some(now),
        ..DeviceFilter::default()
    };
    assert_eq!(f.found(before, OrderBy::LastSeen).await, Vec::<u64>::new());
    let all = DeviceFilter::default();
    let counted = f
        .store
        .count_filtered(f.organizer, &all, OrderBy::LastSeen)
        .await;
    assert_eq!(counted.unwrap().count, 70);
}

async fn a_device_that_is_gone_keeps_no_other_from_being_seen(f: Fixture) {
    let now = Timestamp::now();
    let mut sightings = Vec::new();
    for number in 1..=2_i64 {
        let key = format!("key {number}");
        f.enrolled(&format!("Lane {number}"), &key).await;
        let device = f.store.enrolled_device(&secret(&key)).await;
        let sighting = Sighting {
            device: device.unwrap().unwrap().id,
            organizer: f.organizer,
            seen: now,
        };
        // As of a server that ran on while a backup was restored: rows that are not there, and one that is another's.
        for gone in 0..40 {
            sightings.push(Sighting {
                device: 1_000_000 * number + gone,
                ..sighting
            });
        }
        let organizer = if number == 1 {
            f.organizer
        } else {
            f.organizer + 1
        };
        sightings.push(Sighting {
            organizer,
            ..sighting
        });
    }
    sightings.sort_by_key(|sighting| sighting.device);
    f.store.note_seen(sightings).await.unwrap();
    assert_eq!(
        f.found(DeviceFilter::default(), OrderBy::LastSeen).await,
        [1]
    );
}

async fn a_batch_makes_all_devices_or_none(f: Fixture) {
    f.event("fair").await;
    f.device("first").await;
    let new = |name: &str, gate: Option<&str>| NewDevice {
        limit_events: vec!["fair".to_owned()],
        gate: gate.map(str::to_owned),
        ..device(name)
    };
    let create = |devices| {
        f.store
            .create_devices(ADMIN, f.organizer, devices, Terms::default())
    };
    let refused = create(vec![new("a", None), new("b", Some("none"))]).await;
    assert!(matches!(refused, Err(StoreError::Unknown { .. })));
    assert_eq!(f.count().await, 1);
    let created = create(vec![new("a", None), new("b", None)]).await.unwrap();
    let told: Vec<(u64, &str)> = created
        .iter()
        .map(|device| (device.device_id, &*device.name))
        .collect();
    assert_eq!(told, [(2, "a"), (3, "b")]);
    assert_eq!(created[1].limit_events, ["fair"]);
    assert!(f.redeem(&created[1], "key").await.is_ok());
    assert_eq!(f.device("next").await.device_id, 4);
    assert_eq!(f.log(2).await, ["created"]);
}

fn to_gate(identifier: &str) -> BatchSetting {
    BatchSetting {
        change: DeviceChange {
            gate: Some(Some(identifier.to_owned())),
            ..DeviceChange::default()
        },
        revoked: None,
    }
}

async fn a_batch_changes_what_was_planned_or_nothing(f: Fixture) {
    f.store
        .create_gate(f.organizer, "N", "North")
        .await
        .unwrap();
    f.event("fair").await;
    for name in ["a", "b", "c"] {
        f.device(name).await;
    }
    let some = DeviceFilter {
        numbers: Some(vec![1, 2]),
        ..DeviceFilter::default()
    };
    let setting = BatchSetting {
        change: DeviceChange {
            limit_events: Some(vec!["fair".to_owned()]),
            security_profile: Some("full".to_owned()),
            ..to_gate("N").change
        },
        revoked: Some(true),
    };
    let plan = async || {
        f.store
            .plan_batch(f.organizer, &some, &setting)
            .await
            .unwrap()
            .unwrap()
    };
    let change = async |version: &Version| {
        let terms = Terms {
            expected: Expected::one_of(vec![version.to_string()]),
            ..Terms::default()
        };
        let changed =
            f.store
                .change_batch(ADMIN, f.organizer, some.clone(), setting.clone(), terms);
        changed.await.unwrap()
    };
    let first = plan().await;
    let changes = &first.devices[0].changes;
    assert_eq!(
        changes["gate"],
        serde_json::json!({"from": null, "to": "N"})
    );
    assert!(
        !changes.contains_key("security_profile"),
        "it is so already"
    );
    assert_eq!(first, plan().await, "nothing was done");

    let moved = f.store.edit_device(f.organizer, 2, to_gate("N").change);
    moved.await.unwrap();
    assert_eq!(change(&first.version).await, Err(BatchRefusal::Outdated));
    let untouched = f
        .store
        .detailed_device(f.organizer, 1)
        .await
        .unwrap()
        .unwrap();
    assert!(untouched.gate.is_none() && !untouched.device.revoked);

    let second = plan().await;
    assert_eq!(change(&second.version).await, Ok(second));
    for number in [1, 2] {
        let now = f
            .store
            .detailed_device(f.organizer, number)
            .await
            .unwrap()
            .unwrap();
        assert!(now.device.revoked);
        assert_eq!(now.device.limit_events, ["fair"]);
        assert_eq!(now.gate.unwrap().identifier, "N");
    }
    assert_eq!(f.log(1).await, ["created", "changed", "revoked"]);
    assert!(
        f.store
            .detailed_device(f.organizer, 3)
            .await
            .unwrap()
            .unwrap()
            .gate
            .is_none()
    );
    let third = plan().await;
    assert!(third.devices.iter().all(|device| device.changes.is_empty()));
}

async fn a_batch_of_too_many_or_of_unknown_devices_is_refused(f: Fixture) {
    f.store
        .create_gate(f.organizer, "N", "North")
        .await
        .unwrap();
    for _ in 0..2 {
        let devices = (0..501).map(|_| device("Lane")).collect();
        f.store
            .create_devices(ADMIN, f.organizer, devices, Terms::default())
            .await
            .unwrap();
    }
    let change = async |filter: DeviceFilter| {
        let changed =
            f.store
                .change_batch(ADMIN, f.organizer, filter, to_gate("N"), Terms::default());
        changed.await.unwrap().map(|plan| plan.devices.len())
    };
    let named = |numbers: Vec<u64>| DeviceFilter {
        numbers: Some(numbers),
        ..DeviceFilter::default()
    };
    let search = |text: &str| DeviceFilter {
        search: Some(text.to_owned()),
        ..DeviceFilter::default()
    };
    assert_eq!(change(search("lane")).await, Err(BatchRefusal::TooMany));
    assert_eq!(
        change(named((1..=1001).collect())).await,
        Err(BatchRefusal::TooMany)
    );
    let unknown = change(named(vec![1, 1003, 0])).await;
    assert_eq!(unknown, Err(BatchRefusal::NoDevices(vec![0, 1003])));
    let at_gate = DeviceFilter {
        gate: Some(Some("N".to_owned())),
        ..DeviceFilter::default()
    };
    assert!(f.found(at_gate.clone(), OrderBy::Number).await.is_empty());
    assert_eq!(change(named((1..=1000).collect())).await, Ok(1000));
    assert_eq!(change(at_gate).await, Ok(1000));
    assert_eq!(change(search("none")).await, Ok(0));
}

async fn a_change_of_what_another_has_changed_is_refused(f: Fixture) {
    f.device("Door").await;
    let rename = async |name: &str, version: &Version| {
        let terms = Terms {
            expected: Expected::one_of(vec![version.to_string()]),
            ..Terms::default()
        };
        let change = DeviceChange {
            name: Some(name.to_owned()),
            ..DeviceChange::default()
        };
        f.store
            .change_device(ADMIN, f.organizer, 1, change, terms)
            .await
    };
    let version = f.read(1).await.version;
    let first = rename("one", &version).await.unwrap();
    assert!(matches!(
        rename("two", &version).await,
        Err(StoreError::Outdated)
    ));
    assert_eq!(
        rename("two", &first.version).await.unwrap().device.name,
        "two"
    );
    // Of many who have read the same, one changes it.
    let (organizer, version) = (f.organizer, f.read(1).await.version.to_string());
    let ends = f
        .at_once(move |attempt, store| {
            let terms = Terms {
                expected: Expected::one_of(vec![version.clone()]),
                ..Terms::default()
            };
            let change = DeviceChange {
                name: Some(format!("at once {attempt}")),
                ..DeviceChange::default()
            };
            async move {
                store
                    .change_device(ADMIN, organizer, 1, change, terms)
                    .await
                    .is_ok()
            }
        })
        .await;
    assert_eq!(ends.into_iter().filter(|changed| *changed).count(), 1);
}

async fn whatever_is_changed_of_a_device_makes_another_version(f: Fixture) {
    f.store
        .create_gate(f.organizer, "N", "North")
        .await
        .unwrap();
    f.event("fair").await;
    f.device("Door").await;
    let mut versions = vec![f.read(1).await.version];
    let nothing = DeviceChange::default;
    for change in [
        DeviceChange {
            name: Some("Gate".to_owned()),
            ..nothing()
        },
        to_gate("N").change,
        DeviceChange {
            gate: Some(None),
            name: Some("Other".to_owned()),
            ..nothing()
        },
        DeviceChange {
            limit_events: Some(vec!["fair".to_owned()]),
            ..nothing()
        },
        DeviceChange {
            security_profile: Some("pretixscan".to_owned()),
            ..nothing()
        },
    ] {
        f.store.edit_device(f.organizer, 1, change).await.unwrap();
        versions.push(f.read(1).await.version);
    }
    f.store.renew_token(f.organizer, 1).await.unwrap();
    versions.push(f.read(1).await.version);
    let waiting = f.read(1).await.device;
    assert!(f.redeem(&waiting, "key").await.is_ok());
    versions.push(f.read(1).await.version);
    f.store.revoke_device(f.organizer, 1).await.unwrap();
    versions.push(f.read(1).await.version);
    let different: BTreeSet<String> = versions.iter().map(Version::to_string).collect();
    assert_eq!(different.len(), versions.len());
    let detailed = f.store.detailed_device(f.organizer, 1).await;
    assert_eq!(
        detailed.unwrap().unwrap().version,
        f.read(1).await.version,
        "however it is read"
    );
}

async fn a_batch_that_meets_a_change_of_one_goes_by_what_it_is_told(f: Fixture) {
    for identifier in ["N", "S"] {
        let gate = f.store.create_gate(f.organizer, identifier, identifier);
        gate.await.unwrap();
    }
    f.device("Door").await;
    f.device("Other").await;
    let organizer = f.organizer;
    for round in 0..3 {
        let away = DeviceChange {
            gate: Some(None),
            ..DeviceChange::default()
        };
        f.store.edit_device(organizer, 1, away).await.unwrap();
        let before = f.log(1).await.len();
        let ends = f
            .at_once(move |attempt, store| async move {
                if attempt % 4 == 3 {
                    let moved = store.edit_device(organizer, 1, to_gate("S").change);
                    moved.await.unwrap();
                    return None;
                }
                let both = DeviceFilter {
                    numbers: Some(vec![1, 2]),
                    ..DeviceFilter::default()
                };
                let plan = store.plan_batch(organizer, &both, &to_gate("N")).await;
                let terms = Terms {
                    expected: Expected::one_of(vec![plan.unwrap().unwrap().version.to_string()]),
                    ..Terms::default()
                };
                let done = store.change_batch(ADMIN, organizer, both, to_gate("N"), terms);
                let done = done.await.unwrap().ok()?;
                let gate = done.devices[0].changes.get("gate")?;
                Some(gate["from"].as_str().map(str::to_owned))
            })
            .await;
        // What each batch was told that it changes is what it has changed: by the log, in the order of the changes.
        let log = f.store.device_log(organizer, 1).await.unwrap();
        let gates = log.iter().skip(before - 1);
        let gates: Vec<Option<String>> = gates
            .map(|entry| entry.data["gate"].as_str().map(str::to_owned))
            .collect();
        let mut replaced: Vec<Option<String>> = gates
            .windows(2)
            .filter(|pair| pair[1].as_deref() == Some("N"))
            .map(|pair| pair[0].clone())
            .collect();
        let mut told: Vec<Option<String>> = ends.into_iter().flatten().collect();
        replaced.sort();
        told.sort();
        assert_eq!(told, replaced, "round {round}");
        assert!(gates.iter().any(|gate| gate.as_deref() == Some("S")));
    }
}
