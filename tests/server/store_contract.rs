//! What every database behind the server must hold: written against the traits, run on each.

use std::ffi::OsString;
use std::io::Cursor;
use std::sync::{Arc, Mutex};

use gatehand::seal::SealError;
use gatehand::secret::Secret;
use gatehand::server::model::{
    DeviceChange, MediumKeys, Name, NewDevice, Permissions, Schedule, ValidReport,
};
use gatehand::server::organizers_file::{OrganizersFile, Writer};
use gatehand::server::store::{
    self, Actor, Administration, Database, Decision, EventChange, GateChange, ImportReport,
    Imported, Keep, KeptAnswer, NewEvent, OrganizerChange, ReportRefusal, StoreError, TeamChange,
    Terms, TokenChange, TokenRefusal,
};
use gatehand::wire::Device;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::common::postgres::Postgres;

/// A fresh database with one organizer.
pub struct Fixture {
    pub store: Arc<dyn Administration>,
    /// The same database, opened once more.
    other: Arc<dyn Administration>,
    pub organizer: i64,
    kind: Kind,
    database: Database,
    folder: tempfile::TempDir,
}

/// Which database.
#[derive(Clone, Copy)]
enum Kind {
    Sqlite,
    Postgres,
}

impl Fixture {
    pub async fn sqlite() -> Option<Self> {
        Some(Self::of(Kind::Sqlite).await)
    }

    pub async fn postgres() -> Option<Self> {
        Postgres::shared()?;
        Some(Self::of(Kind::Postgres).await)
    }

    async fn of(kind: Kind) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database: Database = match kind {
            Kind::Sqlite => folder.path().join("store.db").into(),
            Kind::Postgres => {
                let address = Postgres::shared().unwrap().database();
                OsString::from(address).try_into().unwrap()
            }
        };
        let open = || open(&database, &folder);
        let store = open();
        let organizer = store
            .create_organizer(&"o".parse().unwrap(), "Organizer")
            .await
            .unwrap()
            .id;
        Self {
            store,
            other: open(),
            organizer,
            kind,
            database,
            folder,
        }
    }

    /// The same database, opened anew.
    fn opened(&self) -> Arc<dyn Administration> {
        open(&self.database, &self.folder)
    }

    /// A fresh one of the same kind.
    async fn another(&self) -> Self {
        Self::of(self.kind).await
    }

    pub async fn device(&self, name: &str) -> Device {
        self.store
            .add_device(self.organizer, device(name))
            .await
            .unwrap()
    }

    /// A device with its API key.
    pub async fn enrolled(&self, name: &str, key: &str) -> Device {
        let device = self.device(name).await;
        let token = device.initialization_token.as_ref().unwrap();
        let redeemed = self
            .store
            .redeem_token(token, report(), &secret(key), Terms::default())
            .await;
        assert!(redeemed.unwrap().is_ok());
        device
    }

    pub async fn event(&self, slug: &str) {
        let created = self.store.create_event(self.organizer, event(slug)).await;
        created.unwrap();
    }

    /// What comes of as many attempts at once, each in a task of its own, half of them by the other.
    pub async fn at_once<T: Send + 'static, F: Future<Output = T> + Send + 'static>(
        &self,
        attempt: impl Fn(usize, Arc<dyn Administration>) -> F,
    ) -> Vec<T> {
        let attempts = (0..ATTEMPTS).map(|number| {
            let store = if number % 2 == 0 {
                &self.store
            } else {
                &self.other
            };
            tokio::spawn(attempt(number, Arc::clone(store)))
        });
        let mut ends = Vec::new();
        for attempt in attempts.collect::<Vec<_>>() {
            ends.push(attempt.await.unwrap());
        }
        ends
    }

    pub async fn count(&self) -> u64 {
        self.store.device_count(self.organizer).await.unwrap()
    }
}

fn open(database: &Database, folder: &tempfile::TempDir) -> Arc<dyn Administration> {
    let secret = folder.path().join("secret");
    store::open(database, Some(&secret)).unwrap().store
}

/// Attempts at the same thing at once.
const ATTEMPTS: usize = 40;

/// Runs each of these on each database.
macro_rules! contract {
    ($($name:ident)*) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
            async fn $name() {
                if let Some(fixture) = super::Fixture::sqlite().await {
                    super::$name(fixture).await;
                }
            })*
        }

        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
            async fn $name() {
                if let Some(fixture) = super::Fixture::postgres().await {
                    super::$name(fixture).await;
                }
            })*
        }
    };
}
pub(crate) use contract;

contract! {
    a_token_is_redeemed_once_and_its_device_found_by_the_key
    a_report_replaces_the_one_before_but_not_the_public_key
    a_rolled_key_finds_nothing_and_a_revoked_one_a_revoked_device
    a_change_and_its_kept_answer_are_stored_together_or_not_at_all
    a_change_that_is_refused_leaves_nothing
    a_change_that_was_given_up_is_never_done_and_one_that_was_done_is_not_given_up
    answers_are_found_since_a_time_and_swept_by_age
    what_is_done_to_a_device_is_logged_with_the_change
    what_a_device_does_pushes_nothing_out_of_its_log_that_others_did
    a_log_is_swept_by_age
    a_device_is_changed_in_what_is_named
    devices_come_by_number_in_pieces
    a_team_is_known_by_its_tokens_until_one_of_both_is_deactivated
    what_is_there_is_not_made_again_and_what_is_not_there_is_not_changed
    a_device_may_access_events_it_is_not_kept_from_and_name_any
    keys_for_media_come_back_as_they_were_stored
    importing_twice_changes_nothing
    an_import_gives_nobody_access_back
    an_import_that_contradicts_changes_nothing
    an_export_makes_the_same_of_another_database
    a_device_is_known_by_serial_key_or_name_once
    an_edited_export_changes_the_devices_it_names
    two_devices_in_a_file_are_never_taken_for_the_same
    what_a_file_refers_to_may_be_on_the_server_only
    of_dates_and_lists_with_equal_names_an_import_without_numbers_means_the_first
    of_many_who_redeem_a_token_at_once_exactly_one_succeeds
    devices_created_at_once_are_numbered_without_gap_or_double
    of_many_who_roll_a_key_at_once_exactly_one_succeeds
    of_many_who_revoke_a_key_at_once_exactly_one_is_told_so
    of_many_under_one_idempotency_key_at_once_exactly_one_is_done
    of_many_who_make_the_same_at_once_exactly_one_makes_it
    changes_of_different_fields_at_once_are_all_kept
    what_one_has_changed_the_other_sees_at_once
    what_was_read_is_believed_until_anyone_changes_anything_of_it
    of_many_public_keys_reported_at_once_one_is_kept_and_the_others_refused
    imports_at_once_with_other_changes_are_each_done_wholly
    a_name_that_no_database_could_keep_finds_nothing
}

fn event(slug: &str) -> NewEvent {
    NewEvent {
        slug: slug.parse().unwrap(),
        name: Name::ByLanguage(vec![
            ("de".to_owned(), "Messe".to_owned()),
            ("en".to_owned(), "Fair".to_owned()),
        ]),
        live: true,
        timezone: "Europe/Berlin".to_owned(),
        schedule: Schedule {
            date_from: "2030-01-01T10:00:00Z".parse().unwrap(),
            date_to: None,
            date_admission: None,
        },
    }
}

pub fn secret(text: &str) -> Secret {
    Secret::new(text.to_owned())
}

pub fn device(name: &str) -> NewDevice {
    NewDevice {
        name: name.to_owned(),
        all_events: true,
        limit_events: Vec::new(),
        security_profile: "full".to_owned(),
        gate: None,
    }
}

pub fn report() -> ValidReport {
    ValidReport {
        hardware_brand: "Zebra".to_owned(),
        hardware_model: "TC25".to_owned(),
        os_name: Some("Android".to_owned()),
        os_version: None,
        software_brand: "gatehand".to_owned(),
        software_version: "1".to_owned(),
        info: Some(json!({"battery": 93})),
        rsa_pubkey: None,
    }
}

fn keep<T>(id: u8, sealed: Option<&'static [u8]>) -> Terms<T> {
    let keep = Some(Keep {
        id: [id; 32],
        render: Box::new(move |_| {
            Ok(KeptAnswer {
                sealed: sealed.ok_or(SealError::TooLarge)?.to_vec(),
                refused_to: None,
                device: None,
            })
        }),
    });
    Terms {
        keep,
        ..Terms::default()
    }
}

pub fn long_ago() -> Timestamp {
    Timestamp::now() - SignedDuration::from_hours(1)
}

async fn a_token_is_redeemed_once_and_its_device_found_by_the_key(f: Fixture) {
    let created = f.device("Door").await;
    let token = created.initialization_token.unwrap();
    let redeem = async |token: &Secret, key: &str| {
        f.store
            .redeem_token(token, report(), &secret(key), Terms::default())
            .await
            .unwrap()
    };
    assert_eq!(
        redeem(&secret("unknown"), "a").await,
        Err(TokenRefusal::Unknown)
    );
    let redeemed = redeem(&token, "a").await.unwrap();
    assert_eq!(redeemed.unique_serial, created.unique_serial);
    assert_eq!(redeem(&token, "b").await, Err(TokenRefusal::Used));
    let found = f.store.enrolled_device(&secret("a")).await.unwrap();
    assert_eq!(*found.unwrap(), redeemed);
    assert!(
        f.store
            .enrolled_device(&secret("b"))
            .await
            .unwrap()
            .is_none()
    );
    let seen = f
        .store
        .device(f.organizer, created.device_id)
        .await
        .unwrap()
        .unwrap()
        .device;
    assert!(seen.initialized.unwrap() >= created.created);
    assert_eq!(seen.hardware_model.as_deref(), Some("TC25"));
    let again = seen.initialization_token.unwrap();
    assert_eq!(again.expose(), token.expose());

    let revoked = f.device("Revoked").await;
    f.store
        .revoke_device(f.organizer, revoked.device_id)
        .await
        .unwrap();
    let token = revoked.initialization_token.unwrap();
    assert_eq!(redeem(&token, "c").await, Err(TokenRefusal::Revoked));
}

async fn a_report_replaces_the_one_before_but_not_the_public_key(f: Fixture) {
    let key = secret("key");
    f.enrolled("Door", "key").await;
    let update = async |report: ValidReport| {
        f.store
            .update_device(&key, report, Terms::default())
            .await
            .unwrap()
    };
    let with_key = |pem: &str| ValidReport {
        rsa_pubkey: Some(pem.to_owned()),
        os_name: None,
        ..report()
    };
    assert_eq!(
        update(with_key("one")).await.unwrap().rsa_pubkey.as_deref(),
        Some("one")
    );
    assert_eq!(
        update(with_key("two")).await,
        Err(ReportRefusal::OtherPublicKey)
    );
    assert_eq!(
        update(report()).await.unwrap().rsa_pubkey.as_deref(),
        Some("one")
    );
    assert!(update(with_key("one")).await.is_ok());
    let seen = f.store.device(f.organizer, 1).await.unwrap().unwrap();
    assert_eq!(seen.device.os_name, None);
    let unknown = f
        .store
        .update_device(&secret("other"), report(), Terms::default())
        .await
        .unwrap();
    assert_eq!(unknown, Err(ReportRefusal::NoAccess));
}

async fn a_rolled_key_finds_nothing_and_a_revoked_one_a_revoked_device(f: Fixture) {
    f.enrolled("Door", "old").await;
    let (old, new) = (secret("old"), secret("new"));
    assert!(
        f.store
            .roll_key(&old, &new, Terms::default())
            .await
            .unwrap()
            .is_some()
    );
    assert!(
        f.store
            .roll_key(&old, &new, Terms::default())
            .await
            .unwrap()
            .is_none()
    );
    assert!(f.store.enrolled_device(&old).await.unwrap().is_none());
    assert!(
        !f.store
            .enrolled_device(&new)
            .await
            .unwrap()
            .unwrap()
            .revoked
    );
    assert!(
        f.store
            .revoke_key(&new, Terms::default())
            .await
            .unwrap()
            .is_some()
    );
    assert!(
        f.store
            .enrolled_device(&new)
            .await
            .unwrap()
            .unwrap()
            .revoked
    );
    assert!(
        f.store
            .revoke_key(&new, Terms::default())
            .await
            .unwrap()
            .is_none()
    );
    assert!(
        f.store
            .roll_key(&new, &old, Terms::default())
            .await
            .unwrap()
            .is_none()
    );
    let update = f
        .store
        .update_device(&new, report(), Terms::default())
        .await
        .unwrap();
    assert_eq!(update, Err(ReportRefusal::NoAccess));
}

async fn a_change_and_its_kept_answer_are_stored_together_or_not_at_all(f: Fixture) {
    let create = async |keep| {
        let new = device("Door");
        f.store
            .create_device(Actor::Administrator, f.organizer, new, keep)
            .await
    };
    let failed = create(keep(1, None)).await;
    assert!(matches!(failed, Err(StoreError::Seal(SealError::TooLarge))));
    assert_eq!(f.count().await, 0);
    assert!(
        f.store
            .kept_answer(&[1; 32], long_ago())
            .await
            .unwrap()
            .is_none()
    );

    assert_eq!(create(keep(1, Some(b"sealed"))).await.unwrap().device_id, 1);
    let kept = f.store.kept_answer(&[1; 32], long_ago()).await.unwrap();
    assert_eq!(kept.unwrap(), b"sealed");
    let again = create(keep(1, Some(b"other"))).await;
    assert!(matches!(again, Err(StoreError::AlreadyKept)));
    assert_eq!(f.count().await, 1);
    let answer = KeptAnswer {
        sealed: b"refusal".to_vec(),
        refused_to: Some(vec![127, 0, 0, 1]),
        device: None,
    };
    let again = f
        .store
        .keep_answer(&[1; 32], answer, &Decision::default())
        .await;
    assert!(matches!(again, Err(StoreError::AlreadyKept)));
}

async fn a_change_that_is_refused_leaves_nothing(f: Fixture) {
    for new in [
        NewDevice {
            gate: Some("none".to_owned()),
            ..device("Door")
        },
        NewDevice {
            limit_events: vec!["none".to_owned()],
            ..device("Door")
        },
    ] {
        let refused = f.store.add_device(f.organizer, new).await;
        assert!(matches!(refused, Err(StoreError::Unknown { .. })));
    }
    assert_eq!(f.count().await, 0);
    assert_eq!(f.device("Door").await.device_id, 1, "no number is lost");
}

async fn a_change_that_was_given_up_is_never_done_and_one_that_was_done_is_not_given_up(
    f: Fixture,
) {
    let create = async |id: u8, decision: &Decision| {
        let terms = Terms {
            decision: decision.clone(),
            ..keep(id, Some(b"sealed"))
        };
        f.store
            .create_device(Actor::Administrator, f.organizer, device("Door"), terms)
            .await
    };
    let given_up = Decision::default();
    assert!(given_up.give_up());
    let refused = create(1, &given_up).await;
    assert!(matches!(refused, Err(StoreError::GivenUp)));
    let kept = f.store.kept_answer(&[1; 32], long_ago()).await.unwrap();
    assert_eq!((kept, f.count().await), (None, 0));

    let done = Decision::default();
    create(1, &done).await.unwrap();
    assert!(!done.give_up());
    assert_eq!(f.count().await, 1);

    let refused = Decision::default();
    let again = create(1, &refused).await;
    assert!(matches!(again, Err(StoreError::AlreadyKept)));
    assert!(refused.give_up(), "nothing was done");
}

async fn answers_are_found_since_a_time_and_swept_by_age(f: Fixture) {
    let answer = |refused_to| KeptAnswer {
        sealed: b"x".to_vec(),
        refused_to,
        device: None,
    };
    f.store
        .keep_answer(&[1; 32], answer(None), &Decision::default())
        .await
        .unwrap();
    let later = Timestamp::now() + SignedDuration::from_secs(1);
    assert!(
        f.store
            .kept_answer(&[1; 32], later)
            .await
            .unwrap()
            .is_none()
    );
    assert!(
        f.store
            .kept_answer(&[2; 32], long_ago())
            .await
            .unwrap()
            .is_none()
    );
    f.store.sweep_answers(long_ago()).await.unwrap();
    assert!(
        f.store
            .kept_answer(&[1; 32], long_ago())
            .await
            .unwrap()
            .is_some()
    );
    f.store.sweep_answers(later).await.unwrap();
    assert!(
        f.store
            .kept_answer(&[1; 32], long_ago())
            .await
            .unwrap()
            .is_none()
    );
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

async fn a_team_is_known_by_its_tokens_until_one_of_both_is_deactivated(f: Fixture) {
    let (store, organizer) = (&f.store, f.organizer);
    let permissions = Permissions::Listed(vec!["organizer.devices:read".to_owned()]);
    store
        .create_team(organizer, "t", permissions)
        .await
        .unwrap();
    let token = store
        .create_team_token(organizer, "t", "laptop")
        .await
        .unwrap()
        .token;
    let caller = async || store.team_caller(&token).await.unwrap().unwrap();
    let known = caller().await;
    assert!(known.active && known.may("organizer.devices:read"));
    assert!(!known.may("organizer.devices:write"));
    assert!(store.team_caller(&secret("other")).await.unwrap().is_none());

    let tokens = store.team_tokens(organizer, "t").await.unwrap();
    assert_eq!(
        (tokens[0].name.as_str(), tokens[0].active),
        ("laptop", true)
    );
    let active = |active| TokenChange {
        name: None,
        active: Some(active),
    };
    store
        .change_team_token(organizer, "t", tokens[0].id, active(false))
        .await
        .unwrap();
    assert!(!caller().await.active);
    store
        .change_team_token(organizer, "t", tokens[0].id, active(true))
        .await
        .unwrap();
    let change = TeamChange {
        name: Some("u".to_owned()),
        permissions: Some(Permissions::All),
        active: Some(false),
    };
    store.change_team(organizer, "t", change).await.unwrap();
    let known = caller().await;
    assert!(!known.active && known.may("organizer.devices:write"));
    assert_eq!(store.teams(organizer).await.unwrap()[0].name, "u");
}

async fn what_is_there_is_not_made_again_and_what_is_not_there_is_not_changed(f: Fixture) {
    let (store, organizer) = (&f.store, f.organizer);
    f.event("fair").await;
    store.create_gate(organizer, "G", "Gate").await.unwrap();
    store
        .create_team(organizer, "t", Permissions::All)
        .await
        .unwrap();
    store
        .create_team(organizer, "u", Permissions::All)
        .await
        .unwrap();
    let there = store.events(organizer).await.unwrap().remove(0);
    assert_eq!(there.name.text(), "Fair");
    let exists = [
        store
            .create_organizer(&"o".parse().unwrap(), "x")
            .await
            .err(),
        store.create_gate(organizer, "G", "x").await.err(),
        store
            .create_event(organizer, event(&there.slug))
            .await
            .err(),
        store
            .create_team(organizer, "t", Permissions::All)
            .await
            .err(),
        store
            .change_team(
                organizer,
                "u",
                TeamChange {
                    name: Some("t".to_owned()),
                    ..TeamChange::default()
                },
            )
            .await
            .err(),
    ];
    for error in exists {
        assert!(
            matches!(error, Some(StoreError::Exists { .. })),
            "{error:?}"
        );
    }
    let unknown = [
        store.organizer("x").await.err(),
        store
            .change_organizer("x", OrganizerChange::default())
            .await
            .err(),
        store
            .change_gate(organizer, "x", GateChange::default())
            .await
            .err(),
        store
            .change_event(organizer, "x", EventChange::default())
            .await
            .err(),
        store
            .change_team(organizer, "x", TeamChange::default())
            .await
            .err(),
        store.team_tokens(organizer, "x").await.err(),
        store.create_team_token(organizer, "x", "y").await.err(),
        store
            .change_team_token(organizer, "t", 99, TokenChange::default())
            .await
            .err(),
        store.revoke_device(organizer, 1).await.err(),
    ];
    for error in unknown {
        assert!(
            matches!(error, Some(StoreError::Unknown { .. })),
            "{error:?}"
        );
    }
    let change = EventChange {
        name: Some(Name::Plain("Expo".to_owned())),
        live: Some(false),
    };
    store.change_event(organizer, "fair", change).await.unwrap();
    let event = store.events(organizer).await.unwrap().remove(0);
    assert_eq!(
        (event.name, event.live),
        (Name::Plain("Expo".to_owned()), false)
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

async fn keys_for_media_come_back_as_they_were_stored(f: Fixture) {
    let keys = |public_id| MediumKeys {
        public_id,
        active: false,
        media_type: "nfc_mf0aes".to_owned(),
        uid_key: vec![1; 16].into(),
        diversification_key: vec![2; 16].into(),
    };
    f.store
        .create_medium_keys(f.organizer, keys(5))
        .await
        .unwrap();
    let again = f.store.create_medium_keys(f.organizer, keys(5)).await;
    assert!(matches!(again, Err(StoreError::Exists { .. })));
    let stored = f.store.medium_keys(f.organizer).await.unwrap();
    assert_eq!(stored.len(), 1);
    assert_eq!((stored[0].public_id, stored[0].active), (5, false));
    assert_eq!(
        (stored[0].uid_key[0], stored[0].diversification_key[0]),
        (1, 2)
    );
    assert!(f.store.medium_keys(99).await.unwrap().is_empty());
}

const FILE: &str = include_str!("../data/organizers.json");

fn organizers_file(text: &str) -> OrganizersFile {
    OrganizersFile::read(Cursor::new(text.as_bytes().to_vec()))
        .ok()
        .unwrap()
}

async fn importing_twice_changes_nothing(f: Fixture) {
    let report = f.store.import(organizers_file(FILE)).await.unwrap();
    assert!(report.devices.created > 100 && report.events.created > 10);
    let organizers = f.store.organizers().await.unwrap();
    let again = f.store.import(organizers_file(FILE)).await.unwrap();
    assert_eq!(again, ImportReport::default());
    assert_eq!(f.store.organizers().await.unwrap(), organizers);

    let renamed = FILE.replacen("\"name\": \"Big Events\"", "\"name\": \"Bigger Events\"", 1);
    assert_ne!(renamed, FILE);
    let report = f.store.import(organizers_file(&renamed)).await.unwrap();
    assert_eq!(
        report.organizers,
        Imported {
            changed: 1,
            ..Imported::default()
        }
    );
}

/// A file with a device, a team with a token, an event with a date, and a list.
fn small_file() -> serde_json::Value {
    json!({"organizers": [{
        "slug": "s", "name": "Small", "gates": [{"name": "G", "identifier": "G"}],
        "events": [{
            "slug": "e", "name": {"de": "Fest", "en": "Feast"}, "live": true, "timezone": "UTC",
            "date_from": "2030-01-01T10:00:00Z", "date_to": null, "date_admission": null,
            "has_subevents": true,
            "subevents": [
                {"name": "picked", "active": true, "date_from": "2030-01-02T10:00:00Z",
                 "date_to": null, "date_admission": null},
                {"id": 1, "name": "named", "active": true, "date_from": "2030-01-01T10:00:00Z",
                 "date_to": null, "date_admission": null},
            ],
            "checkin_lists": [
                {"name": "All", "subevent": null, "gates": ["G"]},
                {"id": 1, "name": "One", "subevent": 1, "gates": []},
            ],
        }],
        "teams": [{"name": "t", "organizer_permissions": ["organizer.devices:read"],
                   "tokens": [{"name": "t", "token": "t".repeat(64), "active": true}]}],
        "devices": [
            {"name": "d", "all_events": true, "limit_events": [], "gate": "G",
             "security_profile": "full", "initialized": true, "revoked": false,
             "api_token": "d".repeat(64)},
            {"name": "waiting", "all_events": false, "limit_events": ["e"], "gate": null,
             "security_profile": "pretixscan", "initialized": false, "revoked": false,
             "api_token": null},
        ],
    }]})
}

async fn an_import_gives_nobody_access_back(f: Fixture) {
    let (store, import) = (&f.store, async |file: &serde_json::Value| {
        f.store.import(organizers_file(&file.to_string())).await
    });
    let report = import(&small_file()).await.unwrap();
    assert_eq!(report.subevents.created, 2);
    assert_eq!(report.devices.created, 2);
    let organizer = store.organizer("s").await.unwrap().id;
    let key = secret(&"d".repeat(64));
    let device = store.enrolled_device(&key).await.unwrap().unwrap();
    assert_eq!(device.gate.as_ref().unwrap().identifier, "G");
    let placed = store.placed_devices(organizer).await.unwrap();
    assert_eq!(placed[0].gate.as_ref().unwrap().identifier, "G");
    assert_eq!(placed[1].device.limit_events, ["e"]);

    let new_key = secret("rolled");
    store
        .roll_key(&key, &new_key, Terms::default())
        .await
        .unwrap();
    store.revoke_device(organizer, 2).await.unwrap();
    let tokens = store.team_tokens(organizer, "t").await.unwrap();
    let change = TokenChange {
        name: None,
        active: Some(false),
    };
    store
        .change_team_token(organizer, "t", tokens[0].id, change)
        .await
        .unwrap();
    let one_left = Imported {
        left: 1,
        ..Imported::default()
    };
    let told = ImportReport {
        tokens: one_left,
        devices: one_left,
        ..ImportReport::default()
    };
    assert_eq!(import(&small_file()).await.unwrap(), told);
    assert!(store.enrolled_device(&key).await.unwrap().is_none());
    let second = store.device(organizer, 2).await.unwrap().unwrap();
    assert!(second.device.revoked);
    let team = store
        .team_caller(&secret(&"t".repeat(64)))
        .await
        .unwrap()
        .unwrap();
    assert!(!team.active);
}

async fn exported(store: &dyn Administration) -> String {
    let text = Arc::new(Mutex::new(String::new()));
    let lines = Arc::clone(&text);
    let writer = Writer::new(move |line: Option<&str>| {
        let mut text = lines.lock().unwrap();
        text.extend(line.into_iter().flat_map(|line| [line, "\n"]));
        Ok(())
    });
    store.export(Box::new(writer)).await.unwrap();
    let text = text.lock().unwrap();
    text.clone()
}

async fn an_export_makes_the_same_of_another_database(f: Fixture) {
    f.store.import(organizers_file(FILE)).await.unwrap();
    let mut small = small_file();
    let event = &mut small["organizers"][0]["events"][0];
    event["subevents"][1]["id"] = json!(9001);
    event["checkin_lists"][1]["id"] = json!(9002);
    event["checkin_lists"][1]["subevent"] = json!(9001);
    let small = organizers_file(&small.to_string());
    f.store.import(small).await.unwrap();
    let odd = [
        "\"",
        "]}",
        "\\u0041\\",
        "a\tb\nc",
        "\u{202e}abc\u{2028}\u{feff}x",
        "👩\u{200d}🚒 e\u{301} ß İ",
        "\u{1}\u{7f}\u{fffd}",
    ];
    for name in odd {
        f.device(name).await;
        let gate = f.store.create_gate(f.organizer, name, name).await.unwrap();
        let permissions = Permissions::Listed(Vec::new());
        f.store
            .create_team(f.organizer, name, permissions)
            .await
            .unwrap();
        let moved = DeviceChange {
            gate: Some(Some(gate.identifier)),
            ..DeviceChange::default()
        };
        f.store.edit_device(f.organizer, 1, moved).await.unwrap();
    }
    f.enrolled("Lane", "a key").await;
    let team = TeamChange {
        active: Some(false),
        ..TeamChange::default()
    };
    f.store
        .change_team(f.organizer, odd[0], team)
        .await
        .unwrap();
    let gate = GateChange {
        active: Some(false),
        ..GateChange::default()
    };
    f.store
        .change_gate(f.organizer, odd[1], gate)
        .await
        .unwrap();
    let organizer = OrganizerChange {
        active: Some(false),
        ..OrganizerChange::default()
    };
    f.store.change_organizer("s", organizer).await.unwrap();
    let export = exported(&*f.store).await;

    let other = f.another().await;
    let report = other.store.import(organizers_file(&export)).await.unwrap();
    assert!(report.devices.created > 100, "{report:?}");
    assert_eq!(exported(&*other.store).await, export);
    let again = other.store.import(organizers_file(&export)).await.unwrap();
    assert_eq!(again, ImportReport::default());
    assert_eq!(exported(&*other.store).await, export);

    let (here, there) = (
        f.store
            .enrolled_device(&secret("a key"))
            .await
            .unwrap()
            .unwrap(),
        other
            .store
            .enrolled_device(&secret("a key"))
            .await
            .unwrap()
            .unwrap(),
    );
    assert_eq!(
        (here.unique_serial.clone(), here.device_id),
        (there.unique_serial, there.device_id)
    );
    let token = f.device("Later").await.initialization_token.unwrap();
    assert!(!export.contains(token.expose()));
}

async fn a_device_is_known_by_serial_key_or_name_once(f: Fixture) {
    let serial = f.enrolled("Door", "key").await.unique_serial;
    f.device("Door").await;
    let file = |devices: serde_json::Value| {
        let organizer = json!({"slug": "o", "name": "Organizer", "devices": devices});
        organizers_file(&json!({"organizers": [organizer]}).to_string())
    };
    let full = |mut device: serde_json::Value| {
        device["security_profile"] = json!("full");
        device
    };
    let by_serial = || full(json!({"name": "Renamed", "unique_serial": serial}));
    let by_name = || full(json!({"name": "Door"}));
    // The one with the serial counts as the first door, wherever it stands.
    let known = file(json!([by_name(), by_serial()]));
    let report = f.store.import(known).await.unwrap().devices;
    assert_eq!((report.created, report.changed, report.left), (0, 1, 1));
    // By now it is called otherwise.
    let known = f.store.device(f.organizer, 1).await.unwrap().unwrap();
    assert_eq!(known.device.name, "Renamed");
    let one_more = file(json!([by_name(), by_name(), by_serial()]));
    assert_eq!(f.store.import(one_more).await.unwrap().devices.created, 1);
    assert_eq!(f.count().await, 3);
    let elsewhere = json!({"organizers": [{"slug": "p", "name": "P", "devices": [by_serial()]}]});
    match f
        .store
        .import(organizers_file(&elsewhere.to_string()))
        .await
    {
        Err(StoreError::Contradiction { faults, .. }) => {
            assert_eq!(faults[0].path, "organizers[0].devices[0].unique_serial");
        }
        other => panic!("{other:?}"),
    }
    assert!(f.store.organizer("p").await.is_err());
}

async fn an_edited_export_changes_the_devices_it_names(f: Fixture) {
    let mut small = small_file();
    small["organizers"][0]["gates"] =
        json!([{"name": "G", "identifier": "G"}, {"name": "H", "identifier": "H"}]);
    f.store
        .import(organizers_file(&small.to_string()))
        .await
        .unwrap();
    let organizer = f.store.organizer("s").await.unwrap().id;
    let edit = async |edits: &[(usize, &str, serde_json::Value)]| {
        let mut file: serde_json::Value = serde_json::from_str(&exported(&*f.store).await).unwrap();
        let organizers = file["organizers"].as_array_mut().unwrap();
        let edited = organizers.iter_mut().find(|one| one["slug"] == "s");
        let edited = edited.unwrap();
        for (device, field, value) in edits {
            edited["devices"][device][field] = value.clone();
        }
        f.store.import(organizers_file(&file.to_string())).await
    };
    let report = edit(&[
        (0, "name", json!("waiting")),
        (0, "all_events", json!(false)),
        (0, "limit_events", json!(["e"])),
        (0, "gate", json!("H")),
        (0, "security_profile", json!("pretixscan")),
        (1, "name", json!("d")),
        (1, "limit_events", json!([])),
        (1, "revoked", json!(true)),
    ])
    .await;
    let changed = |devices| ImportReport {
        devices,
        ..ImportReport::default()
    };
    let two = Imported {
        changed: 2,
        ..Imported::default()
    };
    assert_eq!(report.unwrap(), changed(two));
    let placed = f.store.placed_devices(organizer).await.unwrap();
    let first = &placed[0].device;
    assert_eq!(placed[0].gate.as_ref().unwrap().identifier, "H");
    assert_eq!(
        (&*first.name, first.all_events, &*first.security_profile),
        ("waiting", false, "pretixscan")
    );
    assert_eq!(first.limit_events, ["e"]);
    let second = &placed[1].device;
    assert_eq!((&*second.name, second.revoked), ("d", true));
    assert!(second.limit_events.is_empty());
    // The key that it had is its key.
    let key = secret(&"d".repeat(64));
    assert!(f.store.enrolled_device(&key).await.unwrap().is_some());
    let log = f.store.device_log(organizer, 2).await.unwrap();
    let log: Vec<_> = log
        .iter()
        .map(|entry| (&*entry.action, &*entry.actor))
        .collect();
    let by_administrator = ["created", "changed", "revoked"].map(|what| (what, "administrator"));
    assert_eq!(log, by_administrator);

    assert_eq!(edit(&[]).await.unwrap(), ImportReport::default());
    let left = Imported {
        left: 1,
        ..Imported::default()
    };
    let report = edit(&[(1, "revoked", json!(false))]).await.unwrap();
    assert_eq!(report, changed(left));
    let second = f.store.device(organizer, 2).await.unwrap().unwrap();
    assert!(second.device.revoked);
}

async fn two_devices_in_a_file_are_never_taken_for_the_same(f: Fixture) {
    let serial = f.enrolled("Door", "key").await.unique_serial;
    let devices = json!([
        {"name": "A", "security_profile": "full", "unique_serial": serial},
        {"name": "B", "security_profile": "full", "initialized": true,
         "api_token_sha256": "2c70e12b7a0646f92279f427c7b38e7334d8e5389cff167a1dc30e73f826b683"},
    ]);
    let file = json!({"organizers": [{"slug": "o", "name": "Organizer", "devices": devices}]});
    match f.store.import(organizers_file(&file.to_string())).await {
        Err(StoreError::Contradiction { faults, .. }) => {
            assert_eq!(faults[0].path, "organizers[0].devices[1]");
        }
        other => panic!("{other:?}"),
    }
    let device = f.store.device(f.organizer, 1).await.unwrap().unwrap();
    assert_eq!(device.device.name, "Door");
}

async fn what_a_file_refers_to_may_be_on_the_server_only(f: Fixture) {
    let import =
        async |file: &serde_json::Value| f.store.import(organizers_file(&file.to_string())).await;
    import(&small_file()).await.unwrap();
    let device = |name: &str, gate: &str, event: &str| json!({"name": name, "gate": gate, "limit_events": [event], "security_profile": "full"});
    let file = |slug: &str, device: serde_json::Value| json!({"organizers": [{"slug": slug, "name": "Small", "devices": [device]}]});
    let report = import(&file("s", device("new", "G", "e"))).await.unwrap();
    assert_eq!(report.devices.created, 1);

    let known = device("d", "N", "gone");
    for file in [
        file("s", device("more", "N", "gone")),
        file("s", known),
        file("other", device("more", "G", "e")),
    ] {
        match import(&file).await {
            Err(StoreError::Contradiction { faults, more: 0 }) => {
                let told: Vec<_> = faults
                    .iter()
                    .map(|fault| (&*fault.path, &*fault.expected))
                    .collect();
                let expected = [
                    (
                        "organizers[0].devices[0].gate",
                        "the identifier of a gate of this organizer",
                    ),
                    (
                        "organizers[0].devices[0].limit_events[0]",
                        "the slug of an event of this organizer",
                    ),
                ];
                assert_eq!(told, expected);
                assert!(faults[0].device.is_some());
            }
            other => panic!("{other:?}"),
        }
    }
    let mut lists = small_file();
    lists["organizers"][0]["gates"] = json!([]);
    let report = import(&lists).await.unwrap();
    assert_eq!(report.checkin_lists, Imported::default());
    lists["organizers"][0]["events"][0]["checkin_lists"][0]["gates"] = json!(["G", "N"]);
    match import(&lists).await {
        Err(StoreError::Contradiction { faults, .. }) => {
            let path = "organizers[0].events[0].checkin_lists[0].gates[1]";
            assert_eq!(faults[0].path, path);
        }
        other => panic!("{other:?}"),
    }
}

async fn an_import_that_contradicts_changes_nothing(f: Fixture) {
    let import =
        async |file: &serde_json::Value| f.store.import(organizers_file(&file.to_string())).await;
    import(&small_file()).await.unwrap();
    for path in [
        "organizers[0].events[0].subevents[1].id",
        "organizers[0].teams[0].tokens[0].token",
    ] {
        let mut file = small_file();
        file["organizers"][0]["slug"] = json!("other");
        if path.contains("teams") {
            file["organizers"][0]["events"] = json!([]);
            file["organizers"][0]["devices"] = json!([]);
        }
        match import(&file).await {
            Err(StoreError::Contradiction { faults, .. }) => assert_eq!(faults[0].path, path),
            other => panic!("{other:?}"),
        }
        assert!(f.store.organizer("other").await.is_err());
    }
    let mut file = small_file();
    file["organizers"][0]["teams"][0]["organizer_permissions"] = json!("all");
    let report = import(&file).await.unwrap();
    assert_eq!((report.teams.changed, report.teams.left), (0, 1));
    file["organizers"][0]["teams"][0]["tokens"][0]["token"] = json!("u".repeat(64));
    match import(&file).await {
        Err(StoreError::Contradiction { faults, .. }) => {
            assert_eq!(
                faults[0].path,
                "organizers[0].teams[0].organizer_permissions"
            );
        }
        other => panic!("{other:?}"),
    }
    let mut file = small_file();
    file["organizers"][0]["slug"] = json!("other");
    file["organizers"][0]["events"] = json!([]);
    file["organizers"][0]["teams"] = json!([]);
    file["organizers"][0]["devices"][1]["limit_events"] = json!([]);
    match import(&file).await {
        Err(StoreError::Contradiction { faults, .. }) => {
            assert_eq!(faults[0].path, "organizers[0].devices[0].api_token");
        }
        other => panic!("{other:?}"),
    }
}

async fn of_dates_and_lists_with_equal_names_an_import_without_numbers_means_the_first(f: Fixture) {
    let file = |subevents: serde_json::Value, lists: serde_json::Value| {
        let file = json!({"organizers": [{
            "slug": "o", "name": "Organizer", "gates": [{"name": "North", "identifier": "N"}],
            "events": [{
                "slug": "series", "name": "Series", "live": true, "timezone": "UTC",
                "date_from": "2030-01-01T10:00:00Z", "subevents": subevents, "checkin_lists": lists,
            }],
            "teams": [], "devices": [],
        }]});
        organizers_file(&file.to_string())
    };
    let date = |id: serde_json::Value, active: bool| json!({"id": id, "name": "Day", "active": active, "date_from": "2030-01-02T10:00:00Z"});
    let list = |id: serde_json::Value, gates: &[&str]| json!({"id": id, "name": "Door", "gates": gates, "subevent": null});
    let numbered = file(
        json!([date(json!(5), true), date(json!(6), true)]),
        json!([list(json!(1), &[]), list(json!(2), &[])]),
    );
    f.store.import(numbered).await.unwrap();
    let unnumbered = file(
        json!([date(json!(null), false)]),
        json!([list(json!(null), &["N"])]),
    );
    f.store.import(unnumbered).await.unwrap();
    f.enrolled("Door", "key").await;
    let enrolled = f.store.enrolled_device(&secret("key")).await.unwrap();
    let events = f.store.accessible_events(enrolled.unwrap().id).await;
    let event = events.unwrap().remove(0);
    let mut dates = event.subevents;
    dates.sort_by_key(|date| date.id);
    let active: Vec<_> = dates.iter().map(|date| (date.id, date.active)).collect();
    assert_eq!(active, [(5, false), (6, true)]);
    let mut lists = event.checkin_lists;
    lists.sort_by_key(|list| list.id);
    let gates: Vec<_> = lists
        .iter()
        .map(|list| (list.id, list.gates.len()))
        .collect();
    assert_eq!(gates, [(1, 1), (2, 0)]);
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
            serde_json::to_string(&*page).unwrap(),
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

async fn imports_at_once_with_other_changes_are_each_done_wholly(f: Fixture) {
    f.device("Door").await;
    let ends = f
        .at_once(|number, store| async move {
            if number % 4 < 2 {
                let file = json!({"organizers": [{"slug": "o", "name": "Organizer", "devices": [
                    {"name": format!("A {number}"), "security_profile": "full"},
                    {"name": format!("B {number}"), "security_profile": "full"},
                ]}]});
                let file = organizers_file(&file.to_string());
                return store.import(file).await.unwrap().devices.created;
            }
            let organizer = store.organizer("o").await.unwrap().id;
            let device = device(&format!("C {number}"));
            u64::from(store.add_device(organizer, device).await.is_ok())
        })
        .await;
    let made = 1 + ends.iter().sum::<u64>();
    assert_eq!(made, 1 + (ATTEMPTS * 3 / 2) as u64);
    assert_eq!(f.count().await, made);
    let all = f.store.devices(f.organizer, 0, u64::MAX).await.unwrap();
    let numbers: Vec<u64> = all.iter().map(|device| device.device_id).collect();
    assert_eq!(numbers, (1..=made).collect::<Vec<_>>());
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
