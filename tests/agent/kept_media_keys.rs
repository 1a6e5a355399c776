//! Keys for NFC media are read while the server is away: as it told them last, sealed in the vault.

use std::sync::Arc;

use rusqlite::Connection;
use serde_json::Value;

use crate::common::faulty_way::{Fault, FaultyWay};
use crate::common::installation::Installation;
use crate::common::scanner::{Ended, Scanner, end};
use crate::common::server::ORGANIZER;
use crate::common::stranger::answer;
use crate::vault::with_disk;

const ENTRY: &str = "media key sets";
/// Long enough for one try and a repetition.
const IMPATIENT: [&str; 2] = ["--timeout", "1"];
const ASK: [&str; 3] = ["info", "--media-keys", "--json"];
const REVOKED: &str = r#"{"detail": "Device access has been revoked."}"#;
const UNKNOWN: &str = r#"{"detail": "Invalid token."}"#;
const DENIED: &str = r#"{"detail": "Request denied by device security profile."}"#;

/// A device of a server whose organizer has a key set, and the way between them.
struct Gate {
    server: Arc<Installation>,
    way: FaultyWay,
    scanner: Scanner,
}

impl Gate {
    fn new() -> Self {
        let server = Arc::new(Installation::start());
        server.admin(&["media-keys", "create", ORGANIZER, "7"]);
        let way = FaultyWay::to(Arc::clone(&server));
        let scanner = Scanner::new();
        let token = server.create_device("Lane 1");
        scanner.init(&way.url, &token, &[]).succeeds();
        Self {
            server,
            way,
            scanner,
        }
    }

    fn ask(&self) -> Ended {
        self.scanner.run(&ASK)
    }

    /// Asks while nobody answers.
    fn ask_in_vain(&self) -> Ended {
        self.scanner.run(&[&ASK[..], &IMPATIENT].concat())
    }

    fn told(&self) -> Value {
        serde_json::from_str(&self.ask().succeeds().stdout).unwrap()
    }

    fn has_kept(&self) -> bool {
        has_kept(&self.scanner)
    }

    /// What is told while the server is away.
    fn told_offline(&self) -> Value {
        self.way.always(Fault::LoseRequest);
        let ended = self.ask_in_vain();
        let told: Value = serde_json::from_str(&ended.succeeds().stdout).unwrap();
        self.way.heal();
        assert_eq!(told["media_keys_from_vault"], true);
        told
    }
}

fn has_kept(scanner: &Scanner) -> bool {
    let vault = Connection::open(scanner.home().join("vault.db")).unwrap();
    let count =
        "SELECT count(*) FROM entry WHERE name = ?1 AND sealed IS NOT NULL AND plain IS NULL";
    vault.query_row(count, [ENTRY], |row| row.get(0)).unwrap()
}

fn numbers(told: &Value) -> Vec<i64> {
    let sets = told["media_keys"].as_array().unwrap();
    sets.iter()
        .map(|set| set["public_id"].as_i64().unwrap())
        .collect()
}

fn json(status: &str, body: &str) -> Fault {
    Fault::Answer(answer(status, "application/json", body))
}

#[test]
fn what_the_server_told_last_is_told_while_it_is_away_and_says_so() {
    let gate = Gate::new();
    gate.way.always(Fault::LoseRequest);
    gate.ask_in_vain().complains(8, "");
    gate.way.heal();
    let told = gate.told();
    assert_eq!(told["media_keys_from_vault"], false);
    assert!(gate.has_kept());
    for fault in [
        Fault::LoseRequest,
        Fault::LoseAnswer,
        Fault::Silence,
        json("503 Service Unavailable", "{}"),
        Fault::Answer(answer("200 OK", "text/html", "<html>")),
    ] {
        gate.way.always(fault.clone());
        let ended = gate.ask_in_vain();
        let kept: Value = serde_json::from_str(&ended.succeeds().stdout).unwrap();
        assert_eq!(kept["media_keys"], told["media_keys"], "{fault:?}");
        assert_eq!(kept["media_keys_from_vault"], true);
        assert!(kept["media_keys_as_of"].as_str() <= told["media_keys_as_of"].as_str());
        assert!(!ended.stderr.is_empty(), "not a word of why");
        let shown = gate
            .scanner
            .run(&["info", "--media-keys", "--timeout", "1"]);
        assert!(shown.succeeds().stdout.contains("as of"), "{shown:?}");
    }
    // No file has a key as it is, nor as the server encrypted it.
    let secret = told["media_keys"][0]["uid_key"].as_str().unwrap();
    let bytes = base16ct::lower::decode_vec(secret).unwrap();
    for (path, contents) in gate.scanner.files() {
        let holds = |what: &[u8]| contents.windows(what.len()).any(|window| window == what);
        let holds = holds(&bytes) || holds(secret.as_bytes()) || holds(b"uid_key");
        assert!(!holds, "{}", path.display());
    }
}

#[test]
fn a_look_at_who_the_device_is_keeps_what_is_new_of_its_keys() {
    let gate = Gate::new();
    gate.scanner.run(&["info"]).succeeds();
    assert!(!gate.has_kept(), "sets of a device that has no RSA key");
    gate.told();
    gate.server.admin(&["media-keys", "create", ORGANIZER, "8"]);
    gate.scanner.run(&["info"]).succeeds();
    assert_eq!(numbers(&gate.told_offline()), [7, 8]);
}

#[test]
fn fewer_sets_take_the_place_of_those_that_were_kept() {
    let gate = Gate::new();
    gate.told();
    let key = gate.way.secrets().api_keys[0].clone();
    let server = gate.server.address();
    let path = format!("http://{server}/api/v1/device/info");
    let answered = crate::common::server::ask(|client| {
        client
            .get(path)
            .header("Authorization", format!("Device {key}"))
    });
    let mut info = answered.json();
    info["medium_key_sets"] = serde_json::json!([]);
    gate.way.always(json("200 OK", &info.to_string()));
    assert_eq!(numbers(&gate.told()), [0; 0]);
    gate.way.heal();
    assert_eq!(numbers(&gate.told_offline()), [0; 0]);
}

#[test]
fn a_new_key_keeps_the_sets_and_another_device_has_none_of_them() {
    let gate = Gate::new();
    let told = gate.told();
    gate.scanner.run(&["roll"]).succeeds();
    assert_eq!(gate.told_offline()["media_keys"], told["media_keys"]);
    let token = gate.server.create_device("Lane 2");
    let replace = ["--replace"];
    gate.scanner
        .init(&gate.way.url, &token, &replace)
        .succeeds();
    assert!(!gate.has_kept());
    gate.way.always(Fault::LoseRequest);
    gate.ask_in_vain().complains(8, "");
}

#[test]
fn what_a_server_refuses_is_not_had_from_the_vault() {
    let gate = Gate::new();
    gate.told();
    let away = |code| {
        gate.way.always(Fault::LoseRequest);
        gate.ask_in_vain().complains(code, "");
    };
    gate.way.always(json("403 Forbidden", DENIED));
    gate.ask().complains(6, "security profile");
    gate.way.always(json("401 Unauthorized", UNKNOWN));
    gate.ask().complains(17, "Invalid token");
    // Nor by a cut cable from then on.
    away(8);
    assert!(gate.has_kept());
    gate.way.heal();
    gate.told();
    gate.told_offline();
}

#[test]
fn a_revocation_destroys_them() {
    let gate = Gate::new();
    gate.told();
    gate.way.always(json("401 Unauthorized", REVOKED));
    gate.ask().complains(16, "revoked");
    assert!(!gate.has_kept());
    gate.way.always(Fault::LoseRequest);
    gate.ask().complains(16, "revoked");
}

#[test]
fn a_revocation_that_was_begun_withholds_them() {
    let gate = Gate::new();
    gate.told();
    gate.way.always(Fault::LoseAnswer);
    gate.scanner
        .run(&["revoke", "--yes", "--timeout", "1"])
        .complains(8, "");
    assert_eq!(gate.scanner.status()["pending"], "revoke");
    gate.way.always(Fault::LoseRequest);
    gate.ask_in_vain().complains(8, "");
}

#[test]
fn a_crash_before_they_are_kept_costs_nothing() {
    let gate = Gate::new();
    gate.told();
    gate.server.admin(&["media-keys", "create", ORGANIZER, "8"]);
    let mut command = gate.scanner.command(&ASK);
    let command = command.env("GATEHAND_PANIC_AT", "key sets: before storing");
    let crashed = end(command.output().unwrap());
    assert_ne!(crashed.code, 0, "{crashed:?}");
    assert_eq!(numbers(&gate.told_offline()), [7]);
    assert_eq!(numbers(&gate.told()), [7, 8]);
    assert_eq!(numbers(&gate.told_offline()), [7, 8]);
}

#[test]
fn a_disk_that_is_full_or_read_only_refuses_no_answer() {
    for (options, spoil) in [
        (
            "size=1m",
            "dd if=/dev/zero of=\"$GATEHAND_HOME/fill\" bs=4k 2>/dev/null",
        ),
        (
            "size=1m",
            "mount -o remount,bind,ro \"$GATEHAND_HOME\" || exit 99",
        ),
    ] {
        let (server, scanner) = (Installation::start(), Scanner::new());
        let token = server.create_device("Lane 1");
        let admin = format!(
            "\"$GATEHAND\" admin --json --database {} media-keys create {ORGANIZER}",
            server.database().display()
        );
        let script = format!(
            "\"$GATEHAND\" init --url {url} --token {token} >/dev/null || exit 98
             {admin} 7 >/dev/null && \"$GATEHAND\" info --media-keys --json >/dev/null || exit 97
             {spoil}
             {admin} 8 >/dev/null || exit 96
             exec \"$GATEHAND\" info --media-keys --json",
            url = server.url
        );
        let Some(ended) = with_disk(&scanner, options, &script) else {
            return;
        };
        let told: Value = serde_json::from_str(&ended.succeeds().stdout).unwrap();
        assert_eq!(numbers(&told), [7, 8]);
        assert_eq!(told["media_keys_from_vault"], false);
        assert!(!ended.stderr.is_empty(), "not a word of it");
    }
}
