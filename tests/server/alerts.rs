//! A command is told when a device falls silent while something runs at its gate, and when it is back.

use std::fs;
use std::io::Cursor;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use gatehand::server::model::DeviceChange;
use gatehand::server::organizers_file::OrganizersFile;
use gatehand::server::store::CheckinListChange;
use gatehand::server::{AlertSettings, Config};
use jiff::{SignedDuration, Timestamp};
use reqwest::Method;
use serde_json::{Value, json};

use crate::common::postgres::{Postgres, name_in};
use crate::common::server::{ORGANIZER, TestServer, config, send};

const PATIENCE: Duration = Duration::from_secs(60);

/// A folder with a command, which keeps what it is told there.
struct Told(tempfile::TempDir);

impl Told {
    fn new() -> Self {
        Self::by("cat >part.$$; /usr/bin/env >environment; mv part.$$ told.$$")
    }

    fn by(script: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("command");
        // Nothing of the environment tells where it is.
        let here = folder.path().display();
        fs::write(&path, format!("#!/bin/sh\ncd {here}\n{script}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).unwrap();
        Self(folder)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn settings(&self) -> AlertSettings {
        AlertSettings {
            silent_after: Duration::from_millis(1500),
            interval: Duration::from_millis(50),
            time: Duration::from_secs(20),
            ..AlertSettings::new(self.file("command"))
        }
    }

    fn config(&self) -> Config {
        Config {
            alerts: Some(self.settings()),
            sightings_interval: Duration::from_millis(50),
            ..config(None)
        }
    }

    /// All alerts so far, in the order in which they were noticed.
    fn alerts(&self) -> Vec<Value> {
        let files = fs::read_dir(self.0.path()).unwrap();
        let files = files.map(|file| file.unwrap());
        let told = files.filter(|file| {
            let name = file.file_name().into_string().unwrap();
            name.starts_with("told.")
        });
        let mut alerts: Vec<Value> = told
            .map(|file| serde_json::from_slice(&fs::read(file.path()).unwrap()).unwrap())
            .collect();
        alerts.sort_by_key(|alert| alert["noticed"].to_string());
        alerts
    }

    async fn until(&self, count: usize) -> Vec<Value> {
        let begun = Instant::now();
        loop {
            let alerts = self.alerts();
            if alerts.len() >= count {
                return alerts;
            }
            assert!(begun.elapsed() < PATIENCE, "{alerts:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// An organizers file with a gate at which something has run for an hour, and one at which nothing does.
fn running() -> String {
    let at = |minutes: i64| Timestamp::now() + SignedDuration::from_mins(minutes);
    json!({
        "organizers": [{
            "slug": ORGANIZER,
            "name": "Big Events",
            "gates": [
                {"identifier": "north", "name": "North <b>gate</b>"},
                {"identifier": "south", "name": "South"},
            ],
            "events": [{
                "slug": "museum",
                "name": "Museum night",
                "live": true,
                "timezone": "UTC",
                "date_from": at(-60).to_string(),
                "date_to": at(60).to_string(),
                "date_admission": null,
                "has_subevents": false,
                "subevents": [],
                "checkin_lists": [{"name": "All", "subevent": null, "gates": ["north"]}],
            }],
        }],
    })
    .to_string()
}

async fn import(server: &TestServer) {
    let file = OrganizersFile::read(Cursor::new(running())).unwrap();
    server.store.import(file).await.unwrap();
}

async fn enrol_at(server: &TestServer, name: &str, gate: &str) -> (u64, String) {
    let (device, key) = server.enrol(name).await;
    let change = DeviceChange {
        gate: Some(Some(gate.to_owned())),
        ..DeviceChange::default()
    };
    let edited = server.store.edit_device(server.organizer, device, change);
    edited.await.unwrap();
    (device, key)
}

async fn call(server: &TestServer, key: &str) {
    let answer = send(server.as_device(key, Method::GET, "/api/v1/device/info")).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
}

/// Does a statement in the database of a server.
fn sql(folder: &Path, sql: &str) {
    match fs::read_to_string(folder.join("address")) {
        Ok(address) => drop(Postgres::shared().unwrap().sql(name_in(&address), sql)),
        Err(_) => {
            let database = rusqlite::Connection::open(folder.join("gatehand.db")).unwrap();
            database.busy_timeout(PATIENCE).unwrap();
            database.execute_batch(sql).unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silence_is_told_once_and_its_end_once_also_after_a_restart() {
    for server in TestServer::on_each().await {
        let told = Told::new();
        let server = TestServer::start_with(server.stop().await, told.config()).await;
        import(&server).await;
        let (device, key) = enrol_at(&server, "Lane \u{202e}1\" <b>", "north").await;
        let (_, elsewhere) = enrol_at(&server, "Lane 2", "south").await;
        let (_, nowhere) = server.enrol("Lane 3").await;
        // It never made a call.
        server.create_device("Lane 4").await;
        for key in [&key, &elsewhere, &nowhere] {
            call(&server, key).await;
        }
        let alerts = told.until(1).await;
        let alert = &alerts[0];
        assert_eq!(alert["kind"], "silent");
        assert_eq!(alert["organizer"], ORGANIZER);
        assert_eq!(alert["device"]["device_id"], device);
        assert_eq!(alert["device"]["name"], "Lane \u{202e}1\" <b>");
        assert_eq!(
            alert["gate"],
            json!({"identifier": "north", "name": "North <b>gate</b>"})
        );
        assert_eq!(
            alert["event"],
            json!({"slug": "museum", "name": "Museum night", "subevent": null})
        );
        let environment = fs::read_to_string(told.file("environment")).unwrap();
        for line in environment.lines() {
            // A shell sets these by itself.
            let own = ["PWD=", "OLDPWD=", "SHLVL=", "_="];
            assert!(
                own.iter().any(|name| line.starts_with(name)),
                "{environment}"
            );
        }
        let server = TestServer::start_with(server.stop().await, told.config()).await;
        call(&server, &elsewhere).await;
        call(&server, &key).await;
        let alerts = told.until(2).await;
        assert_eq!(alerts[1]["kind"], "back");
        assert_eq!(alerts[1]["device"]["device_id"], device);
        assert_eq!(alerts[1]["last_seen"], alerts[0]["last_seen"]);
        assert!(alerts[1]["seen_again"].as_str() > alerts[0]["last_seen"].as_str());
        // It falls silent again; that which is then revoked is told as that.
        told.until(3).await;
        server
            .store
            .revoke_device(server.organizer, device)
            .await
            .unwrap();
        let alerts = told.until(4).await;
        let kinds: Vec<_> = alerts
            .iter()
            .map(|alert| alert["kind"].as_str().unwrap())
            .collect();
        assert_eq!(kinds, ["silent", "back", "silent", "revoked"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_servers_one_tells_and_what_was_silent_before_the_event_or_the_server_is_not_told() {
    let Some(server) = TestServer::start_on_postgres().await else {
        return;
    };
    let told = Told::new();
    let folder = server.stop().await;
    let copy = tempfile::tempdir().unwrap();
    for name in ["address", "gatehand.db.secret"] {
        fs::copy(folder.path().join(name), copy.path().join(name)).unwrap();
    }
    let servers = [
        TestServer::start_with(folder, told.config()).await,
        TestServer::start_with(copy, told.config()).await,
    ];
    import(&servers[0]).await;
    for lane in 0..3 {
        let (_, key) = enrol_at(&servers[0], &format!("Lane {lane}"), "north").await;
        call(&servers[lane % 2], &key).await;
    }
    // One that has no gate yet is not looked at.
    let (old, _) = servers[0].enrol("Off since yesterday").await;
    let seen = || servers[0].store.detailed_device(servers[0].organizer, old);
    let begun = Instant::now();
    while seen().await.unwrap().unwrap().last_seen.is_none() {
        assert!(begun.elapsed() < PATIENCE);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let yesterday = (Timestamp::now() - SignedDuration::from_hours(24)).as_microsecond();
    let of_device = "device = (SELECT id FROM device WHERE name = 'Off since yesterday')";
    let change = format!("UPDATE last_seen SET seen = {yesterday} WHERE {of_device}");
    sql(servers[0].folder(), &change);
    let change = DeviceChange {
        gate: Some(Some("north".to_owned())),
        ..DeviceChange::default()
    };
    let edited = servers[0]
        .store
        .edit_device(servers[0].organizer, old, change);
    edited.await.unwrap();
    let alerts = told.until(3).await;
    // A device that is known to be told is told after all that could be told before it.
    let (last, key) = enrol_at(&servers[1], "The last", "north").await;
    call(&servers[1], &key).await;
    told.until(4).await;
    let mut numbers: Vec<u64> = told
        .alerts()
        .iter()
        .map(|alert| alert["device"]["device_id"].as_u64().unwrap())
        .collect();
    numbers.sort_unstable();
    assert_eq!(numbers, [1, 2, 3, last], "{alerts:?}");
}

/// Each device is looked at as it falls silent; what changes later is seen when all are looked at again.
#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_comes_to_a_gate_late_is_seen_for_who_fell_silent_before() {
    for server in TestServer::on_each().await {
        let told = Told::new();
        let server = TestServer::start_with(server.stop().await, told.config()).await;
        import(&server).await;
        let (early, key) = enrol_at(&server, "Lane 1", "south").await;
        call(&server, &key).await;
        let (late, key) = enrol_at(&server, "Lane 2", "north").await;
        call(&server, &key).await;
        // The first fell silent before.
        let alerts = told.until(1).await;
        assert_eq!(alerts[0]["device"]["device_id"], late);
        let lists = server.store.checkin_lists(server.organizer).await.unwrap();
        let change = CheckinListChange {
            name: None,
            gates: Some(vec!["north".to_owned(), "south".to_owned()]),
        };
        let moved = server
            .store
            .change_checkin_list(server.organizer, lists[0].id, change);
        moved.await.unwrap();
        let alerts = told.until(2).await;
        assert_eq!(alerts[1]["device"]["device_id"], early);
        assert_eq!(alerts[1]["gate"]["identifier"], "south");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_hangs_is_killed_with_what_it_has_started() {
    let told = Told::by("echo $$ >>told.pid; sleep 1000 & echo $! >>started; wait");
    let config = Config {
        alerts: Some(AlertSettings {
            time: Duration::from_millis(500),
            ..told.settings()
        }),
        ..told.config()
    };
    let server = TestServer::start_with(tempfile::tempdir().unwrap(), config).await;
    import(&server).await;
    let (_, key) = enrol_at(&server, "Lane 1", "north").await;
    call(&server, &key).await;
    let begun = Instant::now();
    let started = loop {
        let started = fs::read_to_string(told.file("started")).unwrap_or_default();
        if let Ok(started) = started.trim().parse::<u32>() {
            break started;
        }
        assert!(begun.elapsed() < PATIENCE);
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    let is_there = || {
        let status = fs::read_to_string(format!("/proc/{started}/status"));
        status.is_ok_and(|status| !status.contains("State:\tZ"))
    };
    while is_there() {
        assert!(begun.elapsed() < PATIENCE, "it runs on");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
