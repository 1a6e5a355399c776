//! How the databases find what a statement names: none reads a table from its beginning to its end that
//! grows with devices or time.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::io::Cursor;
use std::path::Path;
use std::sync::Arc;

use gatehand::secret::Secret;
use gatehand::server::model::{
    BatchSetting, DeviceChange, DeviceFilter, DeviceState, MediumKeys, Name, NewDevice, Order,
    OrderBy, Permissions, Schedule, ValidReport,
};
use gatehand::server::organizers_file::OrganizersFile;
use gatehand::server::store::{
    self, Actor, Administration, CheckinListChange, Decision, EventChange, GateChange, Keep,
    KeptAnswer, NewCheckinList, NewEvent, OrganizerChange, Sample, Sighting, TeamChange, Terms,
    TokenChange,
};
use jiff::Timestamp;
use proc_macro2::{TokenStream, TokenTree};
use serde_json::{Value, json};

use crate::common::postgres::{Postgres, name_in};

/// What grows with devices or time.
const LARGE: [&str; 13] = [
    "device",
    "last_seen",
    "device_sample",
    "device_event",
    "event",
    "subevent",
    "checkin_list",
    "checkin_list_gate",
    "team_token",
    "kept_answer",
    "log_entry",
    "web_session",
    "login_link",
];

/// Has PostgreSQL write down how it did each statement.
const EXPLAINING: &str = "
session_preload_libraries = 'auto_explain'
auto_explain.log_min_duration = 0
auto_explain.log_format = json
";

/// Other organizers with much of everything together.
const MUCH: &str = "
    INSERT INTO organizer (id, slug, name, device_count) SELECT 1000 + n, 'much' || n, 'Much', 100 FROM generate_series(0, 199) AS n;
    INSERT INTO gate (id, organizer, identifier, name) SELECT 1000 + n, 1000 + n, 'G', 'G' FROM generate_series(0, 199) AS n;
    INSERT INTO event (id, organizer, slug, name, live, timezone, date_from, has_subevents)
        SELECT 1000 + n, 1000 + n % 200, 'e' || n, 'E', TRUE, 'UTC', n, TRUE FROM generate_series(0, 4999) AS n;
    INSERT INTO subevent (id, event, name, active, date_from)
        SELECT 100000 + n, 1000 + n % 5000, 'S', TRUE, n FROM generate_series(0, 19999) AS n;
    INSERT INTO checkin_list (id, event, name) SELECT 100000 + n, 1000 + n % 5000, 'L' FROM generate_series(0, 19999) AS n;
    INSERT INTO checkin_list_gate (checkin_list, gate) SELECT 100000 + n, 1000 + n % 200 FROM generate_series(0, 19999) AS n;
    INSERT INTO team (id, organizer, name) SELECT 1000 + n, 1000 + n, 'T' FROM generate_series(0, 199) AS n;
    INSERT INTO team_token (team, name, hash, created)
        SELECT 1000 + n % 200, 'K', decode(md5('k' || n), 'hex'), 0 FROM generate_series(0, 9999) AS n;
    INSERT INTO device (id, organizer, device_id, unique_serial, token_lookup, token_sealed, api_key_hash, name, all_events, security_profile, created)
        SELECT 100000 + n, 1000 + n % 200, 1 + n / 200, 'S' || n, decode(md5('t' || n), 'hex'), '', decode(md5('a' || n), 'hex'), 'D' || n, FALSE, 'full', 0
        FROM generate_series(0, 19999) AS n;
    INSERT INTO last_seen (device, organizer, seen) SELECT 100000 + n, 1000 + n % 200, n FROM generate_series(0, 19999) AS n;
    INSERT INTO device_sample (device, taken) SELECT 100000 + n % 20000, n FROM generate_series(1, 60000) AS n;
    INSERT INTO device_event (device, event) SELECT 100000 + n, 1000 + n % 5000 FROM generate_series(0, 19999) AS n;
    INSERT INTO kept_answer (id, created, answer, refused_to)
        SELECT decode(md5('r' || n), 'hex'), n, '', decode(md5('c' || n % 1000), 'hex') FROM generate_series(1, 20000) AS n;
    INSERT INTO log_entry (created, device, action, actor, data)
        SELECT n, 100000 + n % 20000, 'updated', 'device', '{}' FROM generate_series(1, 60000) AS n;
    INSERT INTO web_session (hash, token, created, expires)
        SELECT decode(md5('w' || n), 'hex'), 1 + n % 10000, n, n FROM generate_series(1, 20000) AS n;
    INSERT INTO login_link (hash, token, expires) SELECT decode(md5('l' || n), 'hex'), 1 + n % 10000, n FROM generate_series(1, 20000) AS n;
    VACUUM ANALYZE";

fn secret(text: &str) -> Secret {
    Secret::new(text.to_owned())
}

fn kept<T>(id: u8) -> Terms<T> {
    let answer = || KeptAnswer {
        sealed: vec![1],
        refused_to: Some(vec![127, 0, 0, 1]),
        device: Some(-1),
    };
    Terms {
        keep: Some(Keep {
            id: [id; 32],
            render: Box::new(move |_| Ok(answer())),
        }),
        ..Terms::default()
    }
}

fn report() -> ValidReport {
    ValidReport {
        hardware_brand: "Zebra".to_owned(),
        hardware_model: "TC25".to_owned(),
        os_name: None,
        os_version: None,
        software_brand: "gatehand".to_owned(),
        software_version: "1".to_owned(),
        info: None,
        rsa_pubkey: None,
    }
}

/// Two imports, the second of which changes what the first has made.
fn files() -> [OrganizersFile; 2] {
    let file = |name: &str, gates: &[&str], numbered: bool, devices: Value| {
        let id = |number: u64| if numbered { json!(number) } else { Value::Null };
        let date = json!({"id": id(5), "name": "Day", "active": numbered, "date_from": "2030-01-02T10:00:00Z"});
        let list = json!({"id": id(7), "name": "Door", "gates": gates, "subevent": null});
        let text = json!({"organizers": [{
            "slug": "filed", "name": name, "active": numbered,
            "gates": [
                {"name": name, "identifier": "N", "active": numbered},
                {"name": name, "identifier": "S"},
            ],
            "events": [
                {"slug": "series", "name": name, "live": true, "timezone": "UTC",
                 "date_from": "2030-01-01T10:00:00Z", "subevents": [date], "checkin_lists": [list]},
                {"slug": "other", "name": "Other", "live": true, "timezone": "UTC",
                 "date_from": "2030-01-01T10:00:00Z",
                 "subevents": [{"name": "New", "active": true, "date_from": "2030-01-02T10:00:00Z"}],
                 "checkin_lists": [{"name": "New", "gates": ["S"], "subevent": null}]},
            ],
            "teams": [{"name": "T", "organizer_permissions": "all", "tokens": [
                {"name": "K", "active": true,
                 "token": "admin0admin0admin0admin0admin0admin0admin0admin0admin0admin0admi"},
            ]}],
            "devices": devices,
        }]});
        OrganizersFile::read(Cursor::new(text.to_string().into_bytes()))
            .ok()
            .unwrap()
    };
    [
        file(
            "One",
            &["N"],
            true,
            json!([
                {"name": "A", "security_profile": "full", "unique_serial": "SERIALSERIALSER1"},
                {"name": "B", "security_profile": "full", "limit_events": ["series"], "gate": "N"},
            ]),
        ),
        file(
            "Two",
            &["S"],
            false,
            json!([
                {"name": "C", "security_profile": "full", "unique_serial": "SERIALSERIALSER1",
                 "revoked": true, "limit_events": ["series"]},
                {"name": "B", "security_profile": "full"},
                {"name": "D", "security_profile": "full", "initialized": true,
                 "api_token_sha256": "2c70e12b7a0646f92279f427c7b38e7334d8e5389cff167a1dc30e73f826b683"},
            ]),
        ),
    ]
}

/// Does each operation, most of them as if there were something for each of their statements.
async fn do_everything(store: &Arc<dyn Administration>) {
    let slug = "small".parse().unwrap();
    let organizer = store.create_organizer(&slug, "Small").await.unwrap().id;
    store.organizers().await.unwrap();
    let change = OrganizerChange {
        name: Some("S".to_owned()),
        active: Some(true),
    };
    store.change_organizer("small", change).await.unwrap();
    store.create_gate(organizer, "N", "North").await.unwrap();
    store
        .change_gate(organizer, "N", GateChange::default())
        .await
        .unwrap();
    store.gates(organizer).await.unwrap();
    let event = NewEvent {
        slug: "fair".parse().unwrap(),
        name: Name::Plain("Fair".to_owned()),
        live: true,
        timezone: "UTC".to_owned(),
        schedule: Schedule {
            date_from: Timestamp::UNIX_EPOCH,
            date_to: None,
            date_admission: None,
        },
    };
    store.create_event(organizer, event).await.unwrap();
    let list = NewCheckinList {
        name: "All".to_owned(),
        gates: vec!["N".to_owned()],
        ..NewCheckinList::default()
    };
    let list = store
        .create_checkin_list(organizer, "fair", list)
        .await
        .unwrap();
    let nowhere = CheckinListChange {
        name: None,
        gates: Some(vec![]),
    };
    store
        .change_checkin_list(organizer, list, nowhere)
        .await
        .unwrap();
    store.checkin_lists(organizer).await.unwrap();
    let change = EventChange {
        name: Some(Name::Plain("F".to_owned())),
        live: None,
    };
    store.change_event(organizer, "fair", change).await.unwrap();
    store.events(organizer).await.unwrap();
    store
        .unknown_event(organizer, &["fair".to_owned()])
        .await
        .unwrap();
    store
        .create_team(organizer, "t", Permissions::All)
        .await
        .unwrap();
    let token = store.create_team_token(organizer, "t", "t").await.unwrap();
    store
        .change_team_token(organizer, "t", token.id, TokenChange::default())
        .await
        .unwrap();
    store.team_tokens(organizer, "t").await.unwrap();
    store.team_caller(&token.token).await.unwrap().unwrap();
    let change = TeamChange {
        name: Some("u".to_owned()),
        permissions: Some(Permissions::All),
        active: Some(true),
    };
    store.change_team(organizer, "t", change).await.unwrap();
    store.teams(organizer).await.unwrap();
    let keys = MediumKeys {
        public_id: 1,
        active: true,
        media_type: "x".to_owned(),
        uid_key: vec![1].into(),
        diversification_key: vec![1].into(),
    };
    store.create_medium_keys(organizer, keys).await.unwrap();
    store.medium_keys(organizer).await.unwrap();

    let new = NewDevice {
        name: "Door".to_owned(),
        all_events: false,
        limit_events: vec!["fair".to_owned()],
        security_profile: "full".to_owned(),
        gate: Some("N".to_owned()),
    };
    let made = store.add_device(organizer, new).await.unwrap();
    store.renew_token(organizer, made.device_id).await.unwrap();
    let made = store
        .device(organizer, made.device_id)
        .await
        .unwrap()
        .unwrap()
        .device;
    let change = DeviceChange {
        limit_events: Some(vec!["fair".to_owned()]),
        gate: Some(Some("N".to_owned())),
        ..DeviceChange::default()
    };
    store
        .edit_device(organizer, made.device_id, change)
        .await
        .unwrap();
    let (one, two) = (secret("one"), secret("two"));
    let token = made.initialization_token.unwrap();
    let redeemed = store
        .redeem_token(&token, report(), &one, kept(1))
        .await
        .unwrap();
    let row = redeemed.unwrap().id;
    store
        .update_device(&one, report(), kept(2))
        .await
        .unwrap()
        .unwrap();
    store.roll_key(&one, &two, kept(3)).await.unwrap().unwrap();
    store.enrolled_device(&two).await.unwrap().unwrap();
    store.accessible_events(row).await.unwrap();
    store.event_beside(row, "fair").await.unwrap();
    store.device_count(organizer).await.unwrap();
    store.devices(organizer, 0, 50).await.unwrap();
    store.device(organizer, 1).await.unwrap();
    manage_a_fleet(store, organizer, row).await;
    store.placed_devices(organizer).await.unwrap();
    store.placed_device(organizer, 1).await.unwrap();
    store.device_log(organizer, 1).await.unwrap();
    store.revoke_key(&two, kept(4)).await.unwrap().unwrap();
    store.revoke_device(organizer, 1).await.unwrap();
    store
        .kept_answer(&[1; 32], Timestamp::UNIX_EPOCH)
        .await
        .unwrap()
        .unwrap();
    let answer = KeptAnswer {
        sealed: vec![1],
        refused_to: Some(vec![1]),
        device: None,
    };
    store
        .keep_answer(&[9; 32], answer, &Decision::default())
        .await
        .unwrap();
    for file in files() {
        store.import(file).await.unwrap();
    }
    let begun: Timestamp = "1970-01-01T00:00:00.000100Z".parse().unwrap();
    store.sweep_answers(begun).await.unwrap();
    store.sweep_log(begun).await.unwrap();
    watch(store, organizer).await;
    sign_in(store, organizer).await;
    store.sweep_samples(begun).await.unwrap();
}

/// Does what who signs in and out at the page asks for.
async fn sign_in(store: &Arc<dyn Administration>, organizer: i64) {
    let now = Timestamp::now();
    let tokens = store.team_tokens(organizer, "u").await.unwrap();
    let token = tokens[0].id;
    let link = store.create_login_link(organizer, "u", token, now);
    let link = link.await.unwrap().secret;
    store.look_at_login_link(&link, now).await.unwrap().unwrap();
    let session = secret("session");
    let redeemed = store.redeem_login_link(&link, &session, now).await;
    redeemed.unwrap().unwrap();
    let caller = store.session_caller(&session, now).await.unwrap();
    assert_eq!(caller.unwrap().caller.token, token);
    store.extend_session(&session, now).await.unwrap();
    store.end_session(&session).await.unwrap();
    store.end_sessions(token).await.unwrap();
    store.choices(organizer).await.unwrap();
}

/// Does what who watches asks for.
async fn watch(store: &Arc<dyn Administration>, organizer: i64) {
    store.made_together(organizer, 20).await.unwrap();
    let none = store.live_sessions(vec![[1; 32]], Timestamp::now());
    assert!(none.await.unwrap().is_empty());
    let last = store.last_in_log().await.unwrap();
    let ranges = [(last - 5, last - 3), (last - 2, i64::MAX)];
    assert!(!store.news(&ranges, 10).await.unwrap().is_empty());
    let sample = Sample {
        taken: Timestamp::now(),
        battery: Some(50),
        mains: None,
    };
    store.add_samples(organizer, 1, vec![sample]).await.unwrap();
    let day = store.samples(organizer, 1, Timestamp::UNIX_EPOCH);
    assert!(!day.await.unwrap().is_empty());
}

/// Does what fleets ask for, the last of which ends the key of the device.
async fn manage_a_fleet(store: &Arc<dyn Administration>, organizer: i64, row: i64) {
    let more = vec![NewDevice {
        name: "Lane".to_owned(),
        all_events: true,
        limit_events: Vec::new(),
        security_profile: "full".to_owned(),
        gate: None,
    }];
    let (actor, terms) = (Actor::Administrator, Terms::default());
    store
        .create_devices(actor, organizer, more, terms)
        .await
        .unwrap();
    let sightings = (0..65).map(|number| Sighting {
        device: if number == 0 { row } else { 100_000 + number },
        organizer: if number == 0 {
            organizer
        } else {
            1000 + number
        },
        seen: Timestamp::now(),
    });
    store.note_seen(sightings.collect()).await.unwrap();
    let any = DeviceFilter::default();
    let filters = [
        any.clone(),
        DeviceFilter {
            numbers: Some(vec![1, 2]),
            ..any.clone()
        },
        DeviceFilter {
            search: Some("L".to_owned()),
            ..any.clone()
        },
        DeviceFilter {
            revoked: Some(true),
            ..any.clone()
        },
        DeviceFilter {
            revoked: Some(false),
            ..any.clone()
        },
        DeviceFilter {
            initialized: Some(true),
            ..any.clone()
        },
        DeviceFilter {
            initialized: Some(false),
            ..any.clone()
        },
        DeviceFilter {
            gate: Some(Some("N".to_owned())),
            ..any.clone()
        },
        DeviceFilter {
            gate: Some(None),
            ..any.clone()
        },
        DeviceFilter {
            software_brand: Some("gatehand".to_owned()),
            ..any.clone()
        },
        DeviceFilter {
            software_version: Some("1".to_owned()),
            ..any.clone()
        },
        DeviceFilter {
            last_seen_before: Some(Timestamp::MAX),
            ..any.clone()
        },
        DeviceFilter {
            event: Some("fair".to_owned()),
            after: Some(0),
            ..any.clone()
        },
        DeviceFilter {
            state: Some(DeviceState::Active),
            ..any.clone()
        },
        DeviceFilter {
            state: Some(DeviceState::Waiting),
            ..any.clone()
        },
        DeviceFilter {
            state: Some(DeviceState::Revoked),
            ..any.clone()
        },
        DeviceFilter {
            state: Some(DeviceState::Awaited),
            ..any.clone()
        },
        DeviceFilter {
            state: Some(DeviceState::Connected),
            ..any.clone()
        },
        DeviceFilter {
            names: Some(vec!["Lane 1".to_owned(), "Lane 2".to_owned()]),
            ..any.clone()
        },
    ];
    for filter in &filters {
        for by in [OrderBy::Number, OrderBy::Name, OrderBy::LastSeen] {
            store.count_filtered(organizer, filter, by).await.unwrap();
            for descending in [false, true] {
                let order = Order { by, descending };
                store
                    .filtered_devices(organizer, filter, order, 0, 51)
                    .await
                    .unwrap();
            }
        }
        let setting = BatchSetting {
            change: DeviceChange {
                gate: Some(None),
                ..DeviceChange::default()
            },
            revoked: None,
        };
        store
            .plan_batch(organizer, filter, &setting)
            .await
            .unwrap()
            .unwrap();
        store
            .change_batch(actor, organizer, filter.clone(), setting, Terms::default())
            .await
            .unwrap()
            .unwrap();
    }
    store.detailed_device(organizer, 1).await.unwrap();
    let events = vec!["fair".to_owned()];
    store
        .unknown_names(organizer, events, vec!["N".to_owned()])
        .await
        .unwrap();
    let reconnected = store
        .reconnect(actor, organizer, 1, true, Terms::default())
        .await
        .unwrap()
        .unwrap();
    let token = reconnected.device.initialization_token.unwrap();
    store
        .redeem_token(&token, report(), &secret("two"), Terms::default())
        .await
        .unwrap()
        .unwrap();
    let unknown = store
        .redeem_token(&secret("none"), report(), &secret("x"), Terms::default())
        .await;
    assert!(unknown.unwrap().is_err());
}

/// What PostgreSQL has written down since this many bytes, by statement.
fn plans(log: &Path, from: usize) -> BTreeMap<String, Value> {
    let log = std::fs::read(log).unwrap();
    let log = String::from_utf8_lossy(&log[from..]).into_owned();
    let mut plans = BTreeMap::new();
    for entry in log.split("plan:\n").skip(1) {
        let lines = entry
            .lines()
            .take_while(|line| line.starts_with('\t') || line.starts_with(['{', '}', ' ']));
        let text: Vec<&str> = lines.collect();
        let plan: Value = serde_json::from_str(&text.join("\n"))
            .unwrap_or_else(|error| panic!("{error}: {entry}"));
        plans.insert(
            plan["Query Text"].as_str().unwrap().to_owned(),
            plan["Plan"].clone(),
        );
    }
    plans
}

/// The large tables that a plan reads as a whole.
fn scanned(plan: &Value) -> Vec<String> {
    let own = (plan["Node Type"] == "Seq Scan")
        .then(|| plan["Relation Name"].as_str().unwrap().to_owned());
    let own = own.filter(|table| LARGE.contains(&table.as_str()));
    let within = plan["Plans"]
        .as_array()
        .into_iter()
        .flatten()
        .flat_map(scanned);
    own.into_iter().chain(within).collect()
}

fn on_one_line(sql: &str) -> String {
    sql.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The statements, and pieces of some, that the operations are written with.
fn written() -> BTreeSet<String> {
    fn literals(tokens: TokenStream, found: &mut BTreeSet<String>) {
        for token in tokens {
            match token {
                TokenTree::Group(group) => literals(group.stream(), found),
                TokenTree::Literal(literal) => {
                    let text = literal.to_string();
                    let Some(text) = text
                        .strip_prefix('"')
                        .and_then(|text| text.strip_suffix('"'))
                    else {
                        continue;
                    };
                    let is_sql = ["SELECT ", "INSERT INTO ", "UPDATE ", "DELETE FROM "].iter();
                    // A copy, which reads everything, makes its own of the names of columns.
                    if is_sql.clone().any(|word| text.starts_with(word)) && !text.contains('{') {
                        found.insert(on_one_line(text));
                    }
                }
                _ => {}
            }
        }
    }
    let mut found = BTreeSet::new();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/server/store/operations");
    for entry in std::fs::read_dir(folder).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        literals(text.parse().unwrap(), &mut found);
    }
    found
}

/// It asks whether there is any device: for the first that comes.
const IS_ANY: &str = "SELECT id FROM device LIMIT 1";

#[tokio::test(flavor = "multi_thread")]
async fn no_statement_reads_a_large_table_as_a_whole() {
    let Some(postgres) = Postgres::start(EXPLAINING, &[]) else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let address = postgres.database();
    let database = OsString::from(&address).try_into().unwrap();
    let secret = folder.path().join("secret");
    let store = store::open(&database, Some(&secret)).unwrap().store;
    for statement in MUCH.split(';') {
        postgres.sql(name_in(&address), statement);
    }
    let before = std::fs::read(postgres.log()).unwrap().len();
    do_everything(&store).await;
    let plans = plans(&postgres.log(), before);
    let done: Vec<String> = plans
        .keys()
        .map(|sql| on_one_line(&sql.replace('$', "?")))
        .collect();
    let not_done: Vec<_> = written()
        .into_iter()
        .filter(|sql| !done.iter().any(|done| done.contains(sql.as_str())))
        .collect();
    // These read everything: an export is looked at apart, a restore is done while nobody is served.
    let not_done: Vec<_> = not_done.into_iter().filter(|sql| !of_all(sql)).collect();
    assert!(not_done.is_empty(), "not tried: {not_done:#?}");
    for (sql, plan) in &plans {
        let scanned = scanned(plan);
        assert!(
            scanned.is_empty() || sql == IS_ANY,
            "{sql} reads all of {scanned:?}: {plan:#}"
        );
    }

    // The same statements in SQLite, which knows nothing of how much there is.
    let path = folder.path().join("server.db");
    drop(store::open(&path.clone().into(), None).unwrap());
    let sqlite = rusqlite::Connection::open(&path).unwrap();
    sqlite
        // Without what would look for rows that wait for the one they refer to: none ever waits.
        .execute_batch("PRAGMA foreign_keys = OFF; CREATE TEMPORARY TABLE unclaimed_device (organizer, name, device, PRIMARY KEY (organizer, name, device))")
        .unwrap();
    for sql in plans
        .keys()
        .filter(|sql| !sql.contains("COMMIT") && !sql.contains("current_setting"))
    {
        let sql = sql.replace('$', "?");
        let sql = sql.trim_end_matches(" FOR UPDATE OF device");
        let mut explained = sqlite
            .prepare(&format!("EXPLAIN QUERY PLAN {sql}"))
            .unwrap_or_else(|error| panic!("{sql}: {error}"));
        let count = explained.parameter_count();
        let values = rusqlite::params_from_iter(std::iter::repeat_n(1, count));
        let steps = explained
            .query_map(values, |row| row.get::<_, String>(3))
            .unwrap();
        let steps: Vec<String> = steps.map(Result::unwrap).collect();
        let scans = |step: &String| {
            LARGE.iter().any(|table| {
                step.starts_with(&format!("SCAN {table} ")) || *step == format!("SCAN {table}")
            })
        };
        assert!(
            !steps.iter().any(scans) || sql == IS_ANY,
            "{sql}: {steps:?}"
        );
    }
}

/// Whether a statement is one of the export, of a restored backup, or of what looks at all devices for no caller, as
/// `admin check`, metrics and alerts do every now and then: these have files of their own.
fn of_all(sql: &str) -> bool {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/server/store/operations");
    let files = [
        "consistency.rs",
        "device_states.rs",
        "export.rs",
        "restoration.rs",
        "silences.rs",
    ];
    files.iter().any(|file| {
        let text = std::fs::read_to_string(folder.join(file)).unwrap();
        on_one_line(&text).contains(sql)
    })
}
