//! What is held where many do the same at once, by two servers of the same database.

use std::sync::Arc;

use gatehand::server::model::{DeviceChange, Expected, NewDevice, Permissions, ValidReport};
use gatehand::server::store::{
    Actor, Administration, CheckinListChange, GateChange, NewCheckinList, OrganizerChange,
    ReportRefusal, StoreError, TeamChange, Terms, TokenChange, TokenRefusal,
};

use super::{ATTEMPTS, Fixture, contract, device, keep, long_ago, report, secret};

contract! {
    of_many_who_redeem_a_token_at_once_exactly_one_succeeds
    devices_created_at_once_are_numbered_without_gap_or_double
    of_many_who_roll_a_key_at_once_exactly_one_succeeds
    of_many_who_revoke_a_key_at_once_exactly_one_is_told_so
    of_many_under_one_idempotency_key_at_once_exactly_one_is_done
    of_many_under_one_key_and_one_version_at_once_none_is_told_of_another_change
    of_many_who_make_the_same_at_once_exactly_one_makes_it
    of_many_lists_of_one_name_at_once_exactly_one_is_made_or_renamed
    changes_of_different_fields_at_once_are_all_kept
    what_one_has_changed_the_other_sees_at_once
    what_was_read_is_believed_until_anyone_changes_anything_of_it
    of_many_public_keys_reported_at_once_one_is_kept_and_the_others_refused
}

async fn of_many_who_redeem_a_token_at_once_exactly_one_succeeds(f: Fixture) {
    let device = f.device("Door").await;
    let token = device.initialization_token.unwrap();
    let ends = f
        .at_once(|number, store| {
            let token = token.clone();
            async move {
                let key = secret(&number.to_string());
                let redeemed = store.redeem_token(&token, report(), &key, Terms::default());
                redeemed.await.unwrap()
            }
        })
        .await;
    let winners: Vec<usize> = (0..ATTEMPTS).filter(|&n| ends[n].is_ok()).collect();
    assert_eq!(winners.len(), 1, "{ends:?}");
    let losers = ends.iter().filter(|end| **end == Err(TokenRefusal::Used));
    assert_eq!(losers.count(), ATTEMPTS - 1);
    for number in 0..ATTEMPTS {
        let found = f.store.enrolled_device(&secret(&number.to_string())).await;
        assert_eq!(found.unwrap().is_some(), winners == [number], "{number}");
    }
}

async fn devices_created_at_once_are_numbered_without_gap_or_double(f: Fixture) {
    let organizer = f.organizer;
    let created = f
        .at_once(|number, store| async move {
            let device = store.add_device(organizer, device(&number.to_string()));
            device.await.unwrap().device_id
        })
        .await;
    let mut numbers = created.clone();
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=ATTEMPTS as u64).collect::<Vec<_>>());
    assert_eq!(f.count().await, ATTEMPTS as u64);
    for (name, device_id) in created.into_iter().enumerate() {
        let device = f.other.device(organizer, device_id).await.unwrap();
        assert_eq!(device.unwrap().device.name, name.to_string());
    }
}

async fn of_many_who_roll_a_key_at_once_exactly_one_succeeds(f: Fixture) {
    f.enrolled("Door", "old").await;
    let ends = f
        .at_once(|number, store| async move {
            let (old, new) = (secret("old"), secret(&number.to_string()));
            let rolled = store.roll_key(&old, &new, Terms::default());
            rolled.await.unwrap().is_some()
        })
        .await;
    let winners: Vec<usize> = (0..ATTEMPTS).filter(|&n| ends[n]).collect();
    let [winner] = winners[..] else {
        panic!("{winners:?}");
    };
    for (key, works) in [(winner.to_string(), true), ("old".to_owned(), false)] {
        let found = f.store.enrolled_device(&secret(&key)).await.unwrap();
        assert_eq!(found.is_some(), works, "{key}");
    }
}

async fn of_many_who_revoke_a_key_at_once_exactly_one_is_told_so(f: Fixture) {
    let device = f.enrolled("Door", "key").await;
    let ends = f
        .at_once(|_, store| async move {
            let key = secret("key");
            let revoked = store.revoke_key(&key, Terms::default());
            revoked.await.unwrap().is_some()
        })
        .await;
    assert_eq!(ends.iter().filter(|end| **end).count(), 1);
    let log = f.store.device_log(f.organizer, device.device_id).await;
    let log = log.unwrap();
    let revoked = log.iter().filter(|entry| entry.action == "revoked");
    assert_eq!(revoked.count(), 1);
}

async fn of_many_under_one_idempotency_key_at_once_exactly_one_is_done(f: Fixture) {
    let organizer = f.organizer;
    let ends = f
        .at_once(|number, store| async move {
            let device = device(&number.to_string());
            let terms = keep(1, Some(b"answer"));
            store
                .create_device(Actor::Administrator, organizer, device, terms)
                .await
        })
        .await;
    let refused = |end: &Result<_, _>| matches!(end, Err(StoreError::AlreadyKept));
    assert_eq!(ends.iter().filter(|end| end.is_ok()).count(), 1);
    assert_eq!(ends.iter().filter(|end| refused(end)).count(), ATTEMPTS - 1);
    assert_eq!(f.count().await, 1);
    let kept = f.other.kept_answer(&[1; 32], long_ago()).await.unwrap();
    assert_eq!(kept.as_deref(), Some(&b"answer"[..]));
}

async fn of_many_under_one_key_and_one_version_at_once_none_is_told_of_another_change(f: Fixture) {
    let device_id = f.device("Door").await.device_id;
    let organizer = f.organizer;
    let found = f.store.device(organizer, device_id).await.unwrap().unwrap();
    let version = found.version.to_string();
    let ends = f
        .at_once(|_, store| {
            let expected = Expected::one_of(vec![version.clone()]);
            async move {
                let change = DeviceChange {
                    name: Some("North door".to_owned()),
                    ..DeviceChange::default()
                };
                let terms = Terms {
                    expected,
                    ..keep(1, Some(b"answer"))
                };
                let actor = Actor::Administrator;
                store
                    .change_device(actor, organizer, device_id, change, terms)
                    .await
            }
        })
        .await;
    let refused = |end: &&Result<_, _>| matches!(end, Err(StoreError::AlreadyKept));
    assert_eq!(ends.iter().filter(|end| end.is_ok()).count(), 1);
    assert_eq!(ends.iter().filter(refused).count(), ATTEMPTS - 1);
}

async fn of_many_lists_of_one_name_at_once_exactly_one_is_made_or_renamed(f: Fixture) {
    f.event("fair").await;
    let organizer = f.organizer;
    let is_made = |ends: &[Result<_, StoreError>]| {
        let exists = |end: &&Result<_, _>| matches!(end, Err(StoreError::Exists { .. }));
        assert_eq!(ends.iter().filter(exists).count(), ATTEMPTS - 1);
        assert_eq!(ends.iter().filter(|end| end.is_ok()).count(), 1);
    };
    let list = |name: String| NewCheckinList {
        name,
        ..NewCheckinList::default()
    };
    let made = f.at_once(|_, store| async move {
        let made = store.create_checkin_list(organizer, "fair", list("All".to_owned()));
        made.await.map(drop)
    });
    is_made(&made.await);
    let mut others = Vec::new();
    for number in 0..ATTEMPTS {
        let made = (f.store).create_checkin_list(organizer, "fair", list(number.to_string()));
        others.push(made.await.unwrap());
    }
    let rename = |name: &'static str| CheckinListChange {
        name: Some(name.to_owned()),
        gates: None,
    };
    let renamed = f.at_once(|number, store| {
        let list = others[number];
        async move {
            let change = rename("Friends");
            store.change_checkin_list(organizer, list, change).await
        }
    });
    is_made(&renamed.await);
    let taken = f
        .store
        .change_checkin_list(organizer, others[0], rename("All"));
    assert!(matches!(taken.await, Err(StoreError::Exists { .. })));
    let lists = f.store.checkin_lists(organizer).await.unwrap();
    let friends = lists.iter().find(|list| list.name == "Friends").unwrap();
    let same = f
        .store
        .change_checkin_list(organizer, friends.id, rename("Friends"));
    same.await.unwrap();
}

async fn of_many_who_make_the_same_at_once_exactly_one_makes_it(f: Fixture) {
    let organizer = f.organizer;
    let ends = f
        .at_once(|_, store| async move {
            [
                store
                    .create_organizer(&"new".parse().unwrap(), "New")
                    .await
                    .map(drop),
                store.create_gate(organizer, "N", "North").await.map(drop),
                store.create_team(organizer, "t", Permissions::All).await,
            ]
        })
        .await;
    for what in 0..3 {
        let made = ends.iter().filter(|end| end[what].is_ok());
        assert_eq!(made.count(), 1, "{what}");
        let exists = ends
            .iter()
            .filter(|end| matches!(end[what], Err(StoreError::Exists { .. })));
        assert_eq!(exists.count(), ATTEMPTS - 1, "{what}");
    }
}

async fn changes_of_different_fields_at_once_are_all_kept(f: Fixture) {
    let device_id = f.device("Door").await.device_id;
    let organizer = f.organizer;
    f.store.create_gate(organizer, "N", "North").await.unwrap();
    f.at_once(|number, store| async move {
        let mut change = DeviceChange::default();
        match number % 4 {
            0 => change.name = Some("Gate".to_owned()),
            1 => change.all_events = Some(false),
            2 => change.security_profile = Some("pretixscan".to_owned()),
            _ => change.gate = Some(Some("N".to_owned())),
        }
        store
            .edit_device(organizer, device_id, change)
            .await
            .unwrap();
    })
    .await;
    let placed = f.store.placed_device(organizer, device_id).await.unwrap();
    let placed = placed.unwrap();
    assert_eq!(placed.gate.unwrap().identifier, "N");
    assert_eq!(
        (
            &*placed.device.name,
            placed.device.all_events,
            &*placed.device.security_profile
        ),
        ("Gate", false, "pretixscan")
    );
}

async fn what_one_has_changed_the_other_sees_at_once(f: Fixture) {
    for number in 0..ATTEMPTS {
        let (writer, reader) = match number % 2 {
            0 => (&f.store, &f.other),
            _ => (&f.other, &f.store),
        };
        let device = writer
            .add_device(f.organizer, device("Door"))
            .await
            .unwrap();
        let token = device.initialization_token.unwrap();
        let key = secret(&number.to_string());
        let redeemed = writer.redeem_token(&token, report(), &key, Terms::default());
        redeemed.await.unwrap().unwrap();
        assert!(reader.enrolled_device(&key).await.unwrap().is_some());
        writer.revoke_key(&key, Terms::default()).await.unwrap();
        assert!(reader.enrolled_device(&key).await.unwrap().unwrap().revoked);
    }
}

async fn what_was_read_is_believed_until_anyone_changes_anything_of_it(f: Fixture) {
    let organizer = f.organizer;
    f.event("fair").await;
    f.store.create_gate(organizer, "G", "Gate").await.unwrap();
    let placed = NewDevice {
        gate: Some("G".to_owned()),
        ..device("Door")
    };
    let placed = f.store.add_device(organizer, placed).await.unwrap();
    let (token, key) = (placed.initialization_token.unwrap(), secret("key"));
    let redeemed = f
        .store
        .redeem_token(&token, report(), &key, Terms::default());
    redeemed.await.unwrap().unwrap();
    let team = Permissions::Listed(vec!["organizer.devices:read".to_owned()]);
    f.store.create_team(organizer, "t", team).await.unwrap();
    let token = f.store.create_team_token(organizer, "t", "laptop").await;
    let token = token.unwrap();
    let seen = async |store: &Arc<dyn Administration>| {
        let page = store.devices(organizer, 0, 50).await.unwrap();
        (
            format!("{:?}", store.enrolled_device(&key).await.unwrap()),
            format!("{:?}", store.team_caller(&token.token).await.unwrap()),
            store.device_count(organizer).await.unwrap(),
            serde_json::to_string(page.devices()).unwrap(),
        )
    };
    const CHANGES: usize = 12;
    for number in 0..CHANGES {
        let before = seen(&f.store).await;
        assert_eq!(seen(&f.other).await, before);
        let by = if number % 2 == 0 { &f.store } else { &f.other };
        let change =
            |change| by.change_device(Actor::Administrator, organizer, 1, change, Terms::default());
        match number {
            0 => {
                let renamed = GateChange {
                    name: Some("North".to_owned()),
                    active: None,
                };
                by.change_gate(organizer, "G", renamed).await.unwrap();
            }
            1 => {
                let closed = GateChange {
                    name: None,
                    active: Some(false),
                };
                by.change_gate(organizer, "G", closed).await.unwrap();
            }
            2 | 3 => {
                let inactive = OrganizerChange {
                    name: None,
                    active: Some(number == 3),
                };
                by.change_organizer("o", inactive).await.unwrap();
            }
            4 => drop(by.add_device(organizer, device("Other")).await.unwrap()),
            5 => {
                let limited = DeviceChange {
                    all_events: Some(false),
                    limit_events: Some(vec!["fair".to_owned()]),
                    ..DeviceChange::default()
                };
                change(limited).await.unwrap();
            }
            6 => {
                let narrowed = DeviceChange {
                    security_profile: Some("pretixscan".to_owned()),
                    ..DeviceChange::default()
                };
                change(narrowed).await.unwrap();
            }
            7 => {
                let report = ValidReport {
                    rsa_pubkey: Some("pem".to_owned()),
                    ..report()
                };
                let updated = by.update_device(&key, report, Terms::default());
                updated.await.unwrap().unwrap();
            }
            8 => {
                let more = TeamChange {
                    permissions: Some(Permissions::All),
                    ..TeamChange::default()
                };
                by.change_team(organizer, "t", more).await.unwrap();
            }
            9 => {
                let inactive = TokenChange {
                    name: None,
                    active: Some(false),
                };
                let changed = by.change_team_token(organizer, "t", token.id, inactive);
                changed.await.unwrap();
            }
            10 => drop(by.revoke_key(&key, Terms::default()).await.unwrap()),
            _ => {
                let renamed = DeviceChange {
                    name: Some("Back door".to_owned()),
                    ..DeviceChange::default()
                };
                change(renamed).await.unwrap();
            }
        }
        let now = seen(&f.opened()).await;
        assert_ne!(now, before, "change {number}");
        assert_eq!(seen(&f.store).await, now, "change {number}");
        assert_eq!(seen(&f.other).await, now, "change {number}");
    }
}

async fn of_many_public_keys_reported_at_once_one_is_kept_and_the_others_refused(f: Fixture) {
    f.enrolled("Door", "key").await;
    let ends = f
        .at_once(|number, store| async move {
            let report = ValidReport {
                rsa_pubkey: Some(format!("key {number}")),
                ..report()
            };
            let key = secret("key");
            let update = store.update_device(&key, report, Terms::default());
            update.await.unwrap().map(|device| device.rsa_pubkey)
        })
        .await;
    let kept: Vec<_> = ends.iter().filter_map(|end| end.as_ref().ok()).collect();
    assert_eq!(kept.len(), 1, "{ends:?}");
    let refused = ends.iter().filter_map(|end| end.as_ref().err());
    assert!(
        refused
            .clone()
            .all(|refusal| *refusal == ReportRefusal::OtherPublicKey)
    );
    let stored = f
        .store
        .enrolled_device(&secret("key"))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(stored.rsa_pubkey, *kept[0]);
}
