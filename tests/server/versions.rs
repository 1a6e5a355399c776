//! Databases that older releases wrote, one a schema version, see tests/data/servers.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use gatehand::server::store::SCHEMA_VERSION;
use reqwest::Method;
use rusqlite::{Connection, OpenFlags};
use serde_json::Value;

use crate::common::server::{TestServer, initialization, send};

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

fn pragma(database: &Path, name: &str) -> u32 {
    let database = Connection::open_with_flags(database, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    database
        .query_row(&format!("PRAGMA {name}"), [], |row| row.get(0))
        .unwrap()
}

fn version_of(database: &Path) -> u32 {
    pragma(database, "user_version")
}

/// All files in a folder and what they hold.
fn contents(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let entries = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    entries
        .map(|path| (path.clone(), fs::read(path).unwrap()))
        .collect()
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

#[tokio::test]
async fn a_database_of_every_version_is_copied_before_it_is_changed_and_stamped() {
    for version in 1..=SCHEMA_VERSION {
        let folder = copy(version);
        let database = folder.path().join("gatehand.db");
        // It was stamped from version 3 on.
        let is_stamped = pragma(&database, "application_id") != 0;
        assert_eq!(is_stamped, version >= 3);
        let before = folder.path().join(format!("gatehand.db.version-{version}"));
        let server = TestServer::start_in(folder, None).await;
        assert_eq!(
            pragma(&server.database(), "application_id").to_be_bytes(),
            *b"gats"
        );
        assert_eq!(before.exists(), version < SCHEMA_VERSION);
        if before.exists() {
            assert_eq!(version_of(&before), version);
            let mode = fs::metadata(&before).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }
}

#[test]
fn what_is_no_servers_database_is_refused_in_words_and_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let foreign = folder.path().join("foreign.db");
    let of_another_program = Connection::open(&foreign).unwrap();
    of_another_program
        .execute_batch("CREATE TABLE recipe (name TEXT); INSERT INTO recipe VALUES ('cake')")
        .unwrap();
    drop(of_another_program);
    // Another one, whose last changes are in its log: it was killed.
    let killed = Connection::open(folder.path().join("killed.db")).unwrap();
    killed
        .execute_batch("PRAGMA journal_mode = WAL; CREATE TABLE recipe (name TEXT)")
        .unwrap();
    for name in ["killed.db", "killed.db-wal"] {
        let copy = folder.path().join(name.replace("killed", "log"));
        fs::copy(folder.path().join(name), copy).unwrap();
    }
    drop(killed);
    fs::remove_file(folder.path().join("killed.db")).unwrap();
    fs::write(
        folder.path().join("text.db"),
        "no database at all\n".repeat(99),
    )
    .unwrap();
    let vaults = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/vaults/version-1");
    fs::copy(
        vaults.join("enrolled/vault.db"),
        folder.path().join("vault.db"),
    )
    .unwrap();
    fs::copy(data(1).join("server.db"), folder.path().join("newer.db")).unwrap();
    let newer = Connection::open(folder.path().join("newer.db")).unwrap();
    newer.pragma_update(None, "user_version", 9999).unwrap();
    drop(newer);
    let before = contents(folder.path());
    for (name, words) in [
        ("foreign.db", "is not a gatehand server's database"),
        ("log.db", "is not a gatehand server's database"),
        ("vault.db", "is not a gatehand server's database"),
        ("text.db", "it is no database"),
        ("newer.db", "has version 9999"),
    ] {
        let path = folder.path().join(name);
        for arguments in [
            &["admin", "organizer", "create", "bigevents", "--name", "Big"][..],
            &["admin", "organizer", "list"],
            &["serve", "--listen", "127.0.0.1:0"],
        ] {
            let ended = Command::new(env!("CARGO_BIN_EXE_gatehand"))
                .args(arguments)
                .arg("--database")
                .arg(&path)
                .output()
                .unwrap();
            assert!(!ended.status.success(), "{name}: {arguments:?}");
            let said = String::from_utf8(ended.stderr).unwrap();
            assert!(
                said.contains(words) && said.contains(name),
                "{arguments:?} said: {said}"
            );
            let mut now = contents(folder.path());
            now.remove(&folder.path().join("log.db-shm"));
            assert!(now == before, "{name}: {arguments:?}");
        }
    }
}

#[test]
fn failed_starts_leave_no_copies_of_an_older_database() {
    let folder = copy(1);
    let database = folder.path().join("gatehand.db");
    let other = folder.path().join("other.secret");
    fs::write(&other, "0".repeat(64)).unwrap();
    fs::set_permissions(&other, PermissionsExt::from_mode(0o600)).unwrap();
    let before = contents(folder.path());
    for _ in 0..3 {
        let ended = Command::new(env!("CARGO_BIN_EXE_gatehand"))
            .args(["admin", "organizer", "list", "--database"])
            .arg(&database)
            .arg("--secret-file")
            .arg(&other)
            .output()
            .unwrap();
        let said = String::from_utf8(ended.stderr).unwrap();
        assert!(said.contains("another secret"), "{said}");
    }
    let mut now = contents(folder.path());
    now.retain(|path, _| before.contains_key(path) || path.to_str().unwrap().contains("version-"));
    assert_eq!(
        now.keys().collect::<Vec<_>>(),
        before.keys().collect::<Vec<_>>()
    );
    assert_eq!(version_of(&database), 1);
}

#[test]
fn an_older_database_is_copied_whatever_its_path_is() {
    use std::os::unix::ffi::OsStrExt;
    let folder = copy(1);
    let strange = folder
        .path()
        .join(std::ffi::OsStr::from_bytes(b"caf\xe9 #%?"));
    fs::create_dir(&strange).unwrap();
    for name in ["gatehand.db", "gatehand.db.secret"] {
        fs::rename(folder.path().join(name), strange.join(name)).unwrap();
    }
    let ended = Command::new(env!("CARGO_BIN_EXE_gatehand"))
        .args(["admin", "organizer", "list", "--database"])
        .arg(strange.join("gatehand.db"))
        .output()
        .unwrap();
    assert!(ended.status.success(), "{ended:?}");
    assert_eq!(version_of(&strange.join("gatehand.db.version-1")), 1);
}
