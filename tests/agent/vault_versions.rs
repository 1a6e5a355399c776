//! Vaults that older releases wrote, one set a schema version, see tests/data/vaults.

use std::env;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use gatehand::vault::{Folder, SCHEMA_VERSION, Vault, VaultError};
use rusqlite::{Connection, OpenFlags};
use serde_json::{Value, json};

use crate::common::installation::Installation;
use crate::common::scanner::{Ended, Scanner, end};
use crate::common::stranger::{Stranger, identity};

const SERVER: &str = "http://localhost:8777/tickets";
const TOKEN: &str = "kpp4jn8g2ynzonp6";
/// What the device's key is bound to.
const CONTEXT: &str = "http://localhost:8777/tickets\nbigevents\n7\nABCDEFGH12345678";

fn data(version: u32) -> PathBuf {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/vaults");
    data.join(format!("version-{version}"))
}

/// A scanner for each version, with a copy of this vault.
fn scanners_with(vault: &str) -> Vec<(u32, Scanner)> {
    let copy = |version| {
        let scanner = Scanner::new();
        fs::create_dir(scanner.home()).unwrap();
        fs::set_permissions(scanner.home(), PermissionsExt::from_mode(0o700)).unwrap();
        for file in ["vault.db", "vault.key"] {
            let copy = scanner.home().join(file);
            fs::copy(data(version).join(vault).join(file), &copy).unwrap();
            fs::set_permissions(&copy, PermissionsExt::from_mode(0o600)).unwrap();
        }
        (version, scanner)
    };
    (1..=SCHEMA_VERSION).map(copy).collect()
}

fn folder(scanner: &Scanner) -> Folder {
    Folder::at(scanner.home()).unwrap()
}

fn version_of(vault: &Path) -> u32 {
    let database = Connection::open_with_flags(vault, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    database
        .query_row("PRAGMA user_version", [], |row| row.get(0))
        .unwrap()
}

#[track_caller]
fn is_lane_7(status: &Value) {
    let told = ["server", "organizer", "device_id", "unique_serial", "name"]
        .map(|field| status[field].clone());
    let expected: [Value; 5] = [
        SERVER.into(),
        "bigevents".into(),
        7.into(),
        "ABCDEFGH12345678".into(),
        "Lane 7".into(),
    ];
    assert_eq!(told, expected);
}

#[test]
fn every_version_has_its_vaults() {
    for version in 1..=SCHEMA_VERSION {
        for vault in ["enrolled", "enrolling", "replacing"] {
            let vault = data(version).join(vault).join("vault.db");
            assert!(vault.is_file(), "{} is missing", vault.display());
            // SQLite would write into the folder of a vault with a log.
            let copy = tempfile::NamedTempFile::new().unwrap();
            fs::copy(&vault, copy.path()).unwrap();
            assert_eq!(version_of(copy.path()), version, "{}", vault.display());
        }
    }
}

#[test]
fn an_older_vault_tells_its_state_before_and_after_it_became_current() {
    for (vault, code, state, pending, unfinished) in [
        ("enrolled", 0, "enrolled", Value::Null, Value::Null),
        (
            "enrolling",
            13,
            "enrolling",
            "initialize".into(),
            SERVER.into(),
        ),
        (
            "replacing",
            0,
            "enrolled",
            "initialize".into(),
            SERVER.into(),
        ),
    ] {
        for (version, scanner) in scanners_with(vault) {
            let tells = || {
                let ended = scanner.run(&["status", "--json"]);
                assert_eq!(ended.code, code, "{vault} of version {version}: {ended:?}");
                let status: Value = serde_json::from_str(&ended.stdout).unwrap();
                assert_eq!(status["state"], state, "{vault} of version {version}");
                assert_eq!(status["pending"], pending);
                assert_eq!(status["unfinished"], unfinished);
                if vault != "enrolling" {
                    is_lane_7(&status);
                    let built_in = json!({"certificates": [], "system_certificates": false});
                    assert_eq!(status["trust"], built_in);
                }
                ended.stdout
            };
            let before = tells();
            assert_eq!(version_of(&scanner.home().join("vault.db")), version);
            drop(Vault::open(&folder(&scanner)).unwrap());
            assert_eq!(version_of(&scanner.home().join("vault.db")), SCHEMA_VERSION);
            assert_eq!(tells(), before);
        }
    }
}

#[test]
fn the_key_in_an_older_vault_opens_before_and_after_it_became_current() {
    for vault in ["enrolled", "replacing"] {
        for (_, scanner) in scanners_with(vault) {
            let looked = Vault::look(&folder(&scanner)).unwrap().unwrap();
            let opened = Vault::open(&folder(&scanner)).unwrap();
            for vault in [looked, opened] {
                let key = vault.sealed("api key", CONTEXT).unwrap().unwrap();
                assert_eq!(*key, [b'k'; 64]);
                let elsewhere = CONTEXT.replace("localhost", "elsewhere");
                let error = vault.sealed("api key", &elsewhere).unwrap_err();
                assert!(matches!(error, VaultError::Seal { .. }), "{error}");
            }
        }
    }
}

#[test]
fn an_older_vaults_unfinished_enrolment_goes_on() {
    for vault in ["enrolling", "replacing"] {
        for (version, scanner) in scanners_with(vault) {
            let server = Stranger::answering(identity(&"n".repeat(64)));
            // The address is the only thing that can't be as it was: the port may be in use.
            let idempotency_key = send_to(&folder(&scanner), &server.url);

            scanner.run(&["init"]).succeeds();
            let status = scanner.status();
            assert_eq!(status["state"], "enrolled", "{vault} of version {version}");
            assert_eq!(status["pending"], Value::Null);
            assert_eq!(status["server"], server.url);

            let requests = server.requests();
            assert_eq!(requests.len(), 1, "{requests:?}");
            assert!(requests[0].starts_with("POST /api/v1/device/initialize "));
            assert!(requests[0].contains(TOKEN));
            assert!(requests[0].contains(&idempotency_key));
        }
    }
}

#[test]
fn a_vault_of_before_is_used_without_its_key_or_version_being_rewritten() {
    for vault in ["enrolled", "enrolling", "replacing"] {
        for (version, scanner) in scanners_with(vault) {
            let key = || fs::read(scanner.home().join("vault.key")).unwrap();
            let before = key();
            drop(Vault::look(&folder(&scanner)).unwrap());
            scanner.status();
            assert_eq!(version_of(&scanner.home().join("vault.db")), version);
            change(&scanner);
            scanner.status();
            // What has to become current was copied first, and only its file changes.
            assert_eq!(version_of(&scanner.home().join("vault.db")), SCHEMA_VERSION);
            assert_eq!(key(), before, "{vault} of version {version}");
        }
    }
}

#[test]
#[ignore = "needs an older gatehand: make test-older"]
fn an_older_gatehand_and_this_one_take_turns_at_one_device() {
    let installation = Installation::start();
    let programs = [Path::new(env!("CARGO_BIN_EXE_gatehand")), &older()];
    for (lane, [first, second]) in [("Lane 1", programs), ("Lane 2", [programs[1], programs[0]])] {
        let scanner = Scanner::new();
        let token = installation.create_device(lane);
        let init = ["init", "--url", &installation.url, "--token", &token];
        run_by(first, &scanner, &init).succeeds();
        let key = || fs::read(scanner.home().join("vault.key")).unwrap();
        let made = key();
        for program in [second, first, second] {
            let status = run_by(program, &scanner, &["status", "--json"]);
            let status: Value = serde_json::from_str(&status.succeeds().stdout).unwrap();
            assert_eq!(
                (&status["state"], &status["name"]),
                (&"enrolled".into(), &lane.into())
            );
            for command in ["info", "roll", "update"] {
                run_by(program, &scanner, &[command]).succeeds();
            }
            assert_eq!(key(), made, "{}", program.display());
        }
    }
}

#[test]
#[ignore = "needs an older gatehand: make test-older"]
fn an_older_gatehand_opens_each_vault_of_its_time_that_this_one_changed() {
    for vault in ["enrolled", "enrolling", "replacing"] {
        let (_, scanner) = scanners_with(vault).remove(0);
        let tells = || run_by(&older(), &scanner, &["status", "--json"]);
        let before = tells();
        change(&scanner);
        let after = tells();
        assert_eq!(
            (after.code, &after.stdout),
            (before.code, &before.stdout),
            "{after:?}"
        );
        let told: Value = serde_json::from_str(&after.stdout).unwrap();
        assert!(["enrolled", "enrolling"].contains(&told["state"].as_str().unwrap()));
    }
}

/// The program of an older revision, which tests/older_version.sh builds.
fn older() -> PathBuf {
    let program = env::var_os("GATEHAND_OLDER").expect("GATEHAND_OLDER names an older gatehand");
    program.into()
}

fn run_by(program: &Path, scanner: &Scanner, arguments: &[&str]) -> Ended {
    end(scanner.command_of(program, arguments).output().unwrap())
}

/// Adds an entry that no version asks for.
fn change(scanner: &Scanner) {
    let mut vault = Vault::open(&folder(scanner)).unwrap();
    vault
        .change::<_, VaultError>(|change| change.put_sealed("of a test", "", b"sealed"))
        .unwrap();
}

/// Exchanges the server of the unfinished enrolment; its idempotency key.
fn send_to(folder: &Folder, url: &str) -> String {
    let mut vault = Vault::open(folder).unwrap();
    let begun = vault.sealed("operation", "").unwrap().unwrap();
    let mut begun: Value = serde_json::from_slice(&begun).unwrap();
    assert_eq!(
        (&begun["server"], &begun["token"]),
        (&SERVER.into(), &TOKEN.into())
    );
    begun["server"] = url.into();
    let bytes = serde_json::to_vec(&begun).unwrap();
    vault
        .change::<_, VaultError>(|change| change.put_sealed("operation", "", &bytes))
        .unwrap();
    begun["idempotency_key"].as_str().unwrap().to_owned()
}
