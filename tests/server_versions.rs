//! Databases that older releases wrote, one a schema version, see tests/data/servers.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod common;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use common::server::{TestServer, initialization, send};
use gatehand::server::store::sqlite::SCHEMA_VERSION;
use reqwest::Method;
use rusqlite::{Connection, OpenFlags};
use serde_json::Value;

fn data(version: u32) -> PathBuf {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/servers");
    data.join(format!("version-{version}"))
}

/// A copy of the database with this version, as a server keeps it.
fn copy(version: u32) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (file, name) in [
        ("server.db", "gatehand.db"),
        ("server.db.secret", "gatehand.db.secret"),
    ] {
        let copy = folder.path().join(name);
        fs::copy(data(version).join(file), &copy).unwrap();
        fs::set_permissions(&copy, PermissionsExt::from_mode(0o600)).unwrap();
    }
    folder
}

fn version_of(database: &Path) -> u32 {
    let database = Connection::open_with_flags(database, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    database
        .query_row("PRAGMA user_version", [], |row| row.get(0))
        .unwrap()
}

#[tokio::test]
async fn a_server_goes_on_with_a_database_of_every_version() {
    for version in 1..=SCHEMA_VERSION {
        let callers = fs::read(data(version).join("callers.json")).unwrap();
        let callers: Value = serde_json::from_slice(&callers).unwrap();
        let (team, device) = (callers["team"].as_str(), callers["device"].as_str());
        let (team, device) = (team.unwrap(), device.unwrap());
        let folder = copy(version);
        assert_eq!(version_of(&folder.path().join("gatehand.db")), version);

        let server = TestServer::start_in(folder, None).await;
        assert_eq!(version_of(&server.database()), SCHEMA_VERSION);
        let path = "/api/v1/organizers/bigevents/devices/2/";
        let waiting = server.request(Method::GET, path);
        let waiting = waiting.header("Authorization", format!("Token {team}"));
        let waiting = send(waiting).await.json();
        assert_eq!(waiting["limit_events"], serde_json::json!(["museum"]));
        let initialize = server.request(Method::POST, "/api/v1/device/initialize");
        let identity = send(initialize.json(&initialization(&waiting)))
            .await
            .json();
        assert_eq!(
            (&identity["name"], &identity["gate"]["identifier"]),
            (&"Lane 2".into(), &"NORTH".into())
        );
        let roll = server.as_device(device, Method::POST, "/api/v1/device/roll");
        assert_eq!(send(roll).await.json()["name"], "Lane 1");
    }
}
