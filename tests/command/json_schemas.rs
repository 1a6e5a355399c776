//! Every document that `--json` prints is as its schema in `docs/schemas` says, and no other.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use boon::{Compiler, Schemas};
use serde_json::{Value, json};

use crate::common::credentials::Credentials;
use crate::common::daemon::Daemon;
use crate::common::fleet::Fleet;
use crate::common::installation::Installation;
use crate::common::scanner::{Ended, Scanner};
use crate::common::server::ORGANIZER;

const PUBLIC_URL: [&str; 2] = ["--public-url", "https://tickets.example"];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/schemas")
}

/// The names of the schemas of commands that begin so; those of devices with none of these words.
fn schemas(begin: Option<&str>) -> BTreeSet<String> {
    let files = fs::read_dir(folder()).unwrap();
    let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    let of = |name: &str| {
        ["admin", "fleet"]
            .into_iter()
            .find(|word| name.starts_with(&format!("{word}-")))
    };
    names
        .map(|name| name.trim_end_matches(".json").to_owned())
        .filter(|name| of(name) == begin)
        .collect()
}

/// What a schema says against a document.
fn faults(schema: &str, document: &Value) -> Option<String> {
    let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
    let file = folder().join(format!("{schema}.json"));
    let index = compiler.compile(file.to_str().unwrap(), &mut schemas);
    let index = index.unwrap_or_else(|error| panic!("{schema}: {error:#}"));
    let checked = schemas.validate(document, index);
    checked.err().map(|faults| faults.to_string())
}

/// The schemas that documents were held against.
#[derive(Default)]
struct Held(RefCell<BTreeSet<String>>);

impl Held {
    /// Holds a document against its schema, which has to take it as it is only.
    #[track_caller]
    fn hold(&self, schema: &str, document: &Value) {
        if let Some(faults) = faults(schema, document) {
            panic!("{schema}: {faults}\n{document:#}");
        }
        for changed in changed(document) {
            let taken = faults_none(schema, &changed);
            assert!(!taken, "{schema} takes more than it says: {changed:#}");
        }
        self.0.borrow_mut().insert(schema.to_owned());
    }

    /// Runs a command and holds what it prints; an error on standard error too.
    #[track_caller]
    fn run(&self, scanner: &Scanner, schema: &str, arguments: &[&str]) -> Value {
        self.printed(schema, &scanner.run(&[arguments, &["--json"]].concat()))
    }

    #[track_caller]
    fn printed(&self, schema: &str, ended: &Ended) -> Value {
        if ended.code != 0 {
            let error: Value = serde_json::from_str(&ended.stderr).unwrap();
            assert_eq!(error["code"], ended.code);
            self.hold("error", &error);
        }
        let document = serde_json::from_str(&ended.stdout);
        let document = document.unwrap_or_else(|_| panic!("{schema}: {ended:?}"));
        self.hold(schema, &document);
        document
    }
}

fn faults_none(schema: &str, document: &Value) -> bool {
    faults(schema, document).is_none()
}

/// The document with a field too much, or without one that is always there: in itself, and in the
/// first entry of a list.
fn changed(document: &Value) -> Vec<Value> {
    match document {
        Value::Array(entries) => {
            let first = entries.first().map(changed).unwrap_or_default();
            first.into_iter().map(|entry| json!([entry])).collect()
        }
        _ => {
            let mut more = document.clone();
            more["surprise"] = json!(1);
            vec![more, json!({}), json!(null)]
        }
    }
}

#[test]
fn what_the_commands_for_devices_print_is_as_their_schemas_say() {
    let (installation, held) = (Installation::start(), Held::default());
    let (scanner, other) = (Scanner::new(), Scanner::new());
    let url = &installation.url;
    held.run(&scanner, "status", &["status"]);
    held.run(&scanner, "check", &["check"]);

    installation.admin(&["gate", "create", ORGANIZER, "north", "--name", "North"]);
    installation.admin(&["media-keys", "create", ORGANIZER, "7"]);
    let init = |token: &str, more: &[&str]| {
        let enrol = ["init", "--url", url, "--token", token];
        held.run(&scanner, "init", &[&enrol, more].concat());
    };
    init(&installation.create_device("Lane 1"), &[]);
    init(&installation.create_device("Lane 2"), &["--replace"]);
    let third = installation.create_device("Lane 3");
    init(&third, &["--replace", "--revoke-old"]);
    init(&third, &[]);
    let token = installation.create_device("Lane 3 anew");
    let code = json!({"handshake_version": 1, "url": url, "token": token}).to_string();
    let under_caps_lock: String = code
        .chars()
        .map(|c| match c.is_ascii_lowercase() {
            true => c.to_ascii_uppercase(),
            false => c.to_ascii_lowercase(),
        })
        .collect();
    let enrol = ["init", "--json", "--replace", "--payload", &under_caps_lock];
    let ended = scanner.run(&enrol);
    held.hold("notice", &serde_json::from_str(&ended.stderr).unwrap());
    let enrolled = held.printed("init", &ended);
    assert_eq!(enrolled["mapping"], "caps lock is on");
    installation.admin(&["device", "move", ORGANIZER, "4", "north"]);
    held.run(&scanner, "info", &["info"]);
    let info = held.run(&scanner, "info", &["info", "--media-keys"]);
    assert_eq!(info["gate"]["identifier"], "north");
    held.hold("error", &{
        let refused = scanner.run(&["init", "--json", "--url", url, "--token", "t"]);
        serde_json::from_str(&refused.stderr).unwrap()
    });
    held.run(&scanner, "update", &["update", "--os-name", "Kiosk"]);
    held.run(&scanner, "config", &["config"]);
    held.run(&scanner, "check", &["check"]);
    held.run(&scanner, "roll", &["roll"]);
    let adopt = ["vault", "adopt-hardware", "--yes", "--hardware-id", "a"];
    held.run(&scanner, "vault-adopt-hardware", &adopt);
    held.run(&scanner, "status", &["status", "--hardware-id", "b"]);
    held.run(&scanner, "status", &["status"]);

    held.run(&scanner, "event-selection", &["event-selection"]);
    let organizers = scanner.scratch().join("organizers.json");
    fs::write(&organizers, an_event_for_now().to_string()).unwrap();
    installation.admin(&["import", organizers.to_str().unwrap()]);
    let selected = held.run(&scanner, "event-selection", &["event-selection"]);
    assert_eq!(selected["result"], "switch");
    let [list, event] = [&selected["checkin_list"], &selected["event"]["slug"]];
    let current = [
        "--event",
        event.as_str().unwrap(),
        "--checkin-list",
        &list.to_string(),
    ];
    let keep = [&["event-selection"][..], &current].concat();
    assert_eq!(
        held.run(&scanner, "event-selection", &keep)["result"],
        "keep"
    );
    for path in ["/api/v1/device/info", "/api/v1/none"] {
        held.run(&scanner, "request", &["request", "GET", path]);
    }

    let identity = installation.enrol_with_another_app("Lane 4");
    let existing = json!({
        "url": url, "key": identity["api_token"], "serial": identity["unique_serial"],
    });
    let file = other.scratch().join("existing.json");
    fs::write(&file, existing.to_string()).unwrap();
    held.run(&other, "adopt", &["adopt", file.to_str().unwrap()]);

    let scratch = |name: &str| scanner.scratch().join(name).display().to_string();
    let [passphrase, export] = ["words", "lane.gatehand"].map(scratch);
    fs::write(&passphrase, "correct horse battery").unwrap();
    let sealed = ["--json", "--passphrase-file", &passphrase];
    let credentials = Credentials::of(&scanner);
    for (schema, more, home) in [
        ("vault-rekey", &["rekey", "--json"][..], "file"),
        (
            "vault-rekey",
            &["rekey", "--to", "credential"],
            "credential",
        ),
        ("vault-recover", &["recover", "--to", "file"], "file"),
    ] {
        let asked = match more.last() {
            Some(&"--json") => &[][..],
            _ => &sealed,
        };
        if schema == "vault-recover" {
            // A vault that opens needs none.
            fs::remove_file(credentials.file()).unwrap();
        }
        let ended = credentials.run(&scanner, &[&["vault"], more, asked].concat());
        assert_eq!(held.printed(schema, &ended)["key_home"], home);
    }
    let sealed = &sealed[1..];
    held.run(
        &scanner,
        "vault-export",
        &[&["vault", "export", &export], sealed].concat(),
    );
    let third = Scanner::new();
    let import = [&["vault", "import", &export], sealed].concat();
    let imported = held.run(&third, "vault-import", &import);
    assert_eq!(imported["done"], "vault import");
    let scanner = third;

    let door = Daemon::start(&scanner, &["--event-selection", "1h"]);
    let status = || door.get("/v1/status");
    door.until("it was told what to scan for", || {
        !status()["event_selection"].is_null()
    });
    held.hold("door-status", &status());
    held.run(&scanner, "revoke", &["revoke", "--yes"]);
    held.hold("door-status", &status());
    drop(door);
    held.run(&scanner, "status", &["status"]);
    let mut all = schemas(None);
    assert!(all.remove("definitions"));
    // What commands for servers take and write.
    assert!(all.remove("organizers-file"));
    assert_eq!(*held.0.borrow(), all);
}

/// An organizers file with an event that is on now.
fn an_event_for_now() -> Value {
    let recorded = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/organizers.json");
    let mut file: Value = serde_json::from_slice(&fs::read(recorded).unwrap()).unwrap();
    let now = jiff::Timestamp::now();
    let hour = jiff::SignedDuration::from_hours(1);
    let mut event = json!({
        "slug": "museum", "name": "Museum", "live": true, "timezone": "UTC",
        "date_from": (now - hour).to_string(), "date_to": (now + hour).to_string(),
        "date_admission": null, "has_subevents": false, "subevents": [],
    });
    event["checkin_lists"] = json!([{"name": "All", "subevent": null, "gates": ["north"]}]);
    file["organizers"] = json!([{
        "slug": ORGANIZER, "name": "Big Events", "gates": [{"identifier": "north", "name": "North"}], "events": [event],
        "teams": [], "devices": [],
    }]);
    file
}

/// The example of the documentation.
fn documented_organizers_file() -> String {
    let text = include_str!("../../docs/ORGANIZERS_FILE.md");
    let example = text.split("```").nth(1).unwrap();
    example.trim_start_matches("json").to_owned()
}

#[test]
fn what_the_commands_for_servers_print_is_as_their_schemas_say() {
    let (installation, held) = (Installation::start(), Held::default());
    let (scanner, database) = (Scanner::new(), installation.database());
    let admin = |arguments: &[&str]| {
        let words = arguments.iter().take(match arguments[0] {
            "import" | "login-link" => 1,
            _ => 2,
        });
        let name = words.fold("admin".to_owned(), |name, word| format!("{name}-{word}"));
        let begin = ["admin", "--database", database.to_str().unwrap()];
        held.run(&scanner, &name, &[&begin, arguments].concat())
    };
    for (subject, create, key) in [
        (
            "organizer",
            &["organizer", "create", "small", "--name", "Small"][..],
            &["small"][..],
        ),
        (
            "gate",
            &["gate", "create", ORGANIZER, "N", "--name", "North"],
            &[ORGANIZER, "N"],
        ),
        (
            "event",
            &[
                "event",
                "create",
                ORGANIZER,
                "museum",
                "--name",
                "Museum",
                "--from",
                "2027-05-08T18:00:00Z",
            ],
            &[ORGANIZER, "museum"],
        ),
        (
            "team",
            &["team", "create", ORGANIZER, "t", "--permission", "all"],
            &[ORGANIZER, "t"],
        ),
        (
            "token",
            &["token", "create", ORGANIZER, "t"],
            &[ORGANIZER, "t", "1"],
        ),
    ] {
        let created = admin(create);
        assert_eq!(created["active"], true);
        for (verb, active) in [("deactivate", false), ("activate", true)] {
            let changed = admin(&[&[subject, verb], key].concat());
            assert_eq!(changed["active"], active, "{subject} {verb}");
        }
        // A team goes by its name, which is its key.
        let name = if subject == "team" { "t" } else { "Renamed" };
        let renamed = admin(&[&[subject, "rename"], key, &[name]].concat());
        assert_eq!(renamed["name"], name);
        let scope = match subject {
            "organizer" => &[][..],
            "token" => &[ORGANIZER, "t"],
            _ => &[ORGANIZER],
        };
        let listed = admin(&[&[subject, "list"], scope].concat());
        assert!(
            listed.as_array().unwrap().contains(&renamed),
            "as the list shows it: {renamed:#}"
        );
    }
    let read = ["--permission", "organizer.devices:read"];
    admin(&[&["team", "permit", ORGANIZER, "t"], &read[..]].concat());
    admin(&["team", "list", ORGANIZER]);
    let link = admin(&[&["login-link", ORGANIZER], &PUBLIC_URL[..]].concat());
    assert_eq!(link["team"], "t");
    admin(&["media-keys", "create", ORGANIZER, "7"]);
    admin(&["media-keys", "list", ORGANIZER]);

    let lane = ["device", "create", ORGANIZER, "--name", "Lane"];
    let made = admin(&[&lane[..], &["--all-events"]].concat());
    assert_eq!((&made["link"], &made["gate"]), (&json!(null), &json!(null)));
    let limited = ["--event", "museum", "--gate", "N"];
    let made = admin(&[&lane[..], &limited, &PUBLIC_URL].concat());
    assert_eq!(made["gate"]["identifier"], "N");
    let shown = admin(&[&["device", "show", ORGANIZER, "2"], &PUBLIC_URL[..]].concat());
    assert_eq!(shown, made);
    for code in ["link", "payload"] {
        let reading = gatehand::enrolment::Reading::of(made[code].as_str().unwrap(), None);
        let read = reading.ok().unwrap().into_enrolment();
        assert_eq!(read.token().expose(), made["initialization_token"]);
    }
    admin(&["device", "rename", ORGANIZER, "2", "Door"]);
    admin(&["device", "move", ORGANIZER, "2"]);
    admin(&["device", "move", ORGANIZER, "2", "N"]);
    admin(&["device", "log", ORGANIZER, "2"]);
    let renewed = admin(&[&["device", "new-code", ORGANIZER, "2"], &PUBLIC_URL[..]].concat());
    assert_ne!(
        renewed["initialization_token"],
        made["initialization_token"]
    );
    let revoked = admin(&["device", "revoke", ORGANIZER, "2"]);
    let listed = admin(&["device", "list", ORGANIZER]);
    assert_eq!(listed[1], revoked);
    let shown = admin(&[&["device", "show", ORGANIZER, "2"], &PUBLIC_URL[..]].concat());
    assert_eq!(shown["link"], json!(null));

    let file = scanner.scratch().join("organizers.json");
    for organizers in [an_event_for_now(), json!({})] {
        fs::write(&file, organizers.to_string()).unwrap();
        admin(&["import", file.to_str().unwrap()]);
    }
    for taken in [
        an_event_for_now(),
        serde_json::from_str(include_str!("../data/organizers.json")).unwrap(),
        serde_json::from_str(&documented_organizers_file()).unwrap(),
    ] {
        held.hold("organizers-file", &taken);
    }
    let export = ["admin", "export", "--database", database.to_str().unwrap()];
    held.run(&scanner, "organizers-file", &export);
    // Of a server that is stopped.
    let [stopped, copy] = ["stopped.db", "copy.db"].map(|name| scanner.scratch().join(name));
    let [stopped, copy] = [&stopped, &copy].map(|path| path.to_str().unwrap());
    let create = ["organizer", "create", "small", "--name", "Small"];
    scanner
        .run(&[&["admin", "--database", stopped], &create[..]].concat())
        .succeeds();
    held.run(&scanner, "admin-copy", &["admin", "copy", stopped, copy]);
    let backup = scanner.scratch().join("backup.db");
    let backup = backup.to_str().unwrap();
    let admin = ["admin", "--database", database.to_str().unwrap()];
    held.run(
        &scanner,
        "admin-backup",
        &[&admin[..], &["backup", backup]].concat(),
    );
    let secret = format!("{}.secret", database.display());
    let restored = scanner.scratch().join("restored.db");
    let restored = [
        "admin",
        "--secret-file",
        &secret,
        "--database",
        restored.to_str().unwrap(),
        "restore",
    ];
    for more in [backup, "--confirm"] {
        held.run(
            &scanner,
            "admin-restore",
            &[&restored[..], &[more]].concat(),
        );
    }

    let mut held = held.0.into_inner();
    assert!(held.remove("error") && held.remove("organizers-file"));
    assert_eq!(held, schemas(Some("admin")));
}

#[test]
fn what_the_commands_for_fleets_print_is_as_their_schemas_say() {
    let (installation, held) = (Installation::start(), Held::default());
    let fleet = Fleet::of(&installation);
    installation.admin(&["gate", "create", ORGANIZER, "north", "--name", "North"]);
    let run = |schema: &str, arguments: &[&str]| {
        let ended = fleet.run(&[arguments, &["--json"]].concat());
        held.printed(schema, &ended)
    };
    let create = [
        "create",
        "--count",
        "2",
        "--name",
        "Lane {}",
        "--all-events",
    ];
    let made = run("fleet-create", &create);
    for code in ["link", "payload"] {
        let reading = gatehand::enrolment::Reading::of(made[0][code].as_str().unwrap(), None);
        let read = reading.ok().unwrap().into_enrolment();
        assert_eq!(read.token().expose(), made[0]["initialization_token"]);
    }
    run("fleet-create", &create);
    run("fleet-show", &["show", "1"]);
    run("fleet-list", &["list"]);
    run(
        "fleet-edit",
        &["edit", "1", "2", "--security-profile", "pretixscan"],
    );
    run("fleet-edit", &["edit", "1", "--event", "none"]);
    run("fleet-move", &["move", "1", "--gate", "north", "--dry-run"]);

    let watch = [
        "watch",
        "--every",
        "1",
        "--until-all",
        "--json",
        "--search",
        "Lane 1",
    ];
    let mut watching = fleet.command(&watch);
    watching.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut watching = watching.spawn().unwrap();
    let begun = first_line(watching.stderr.take().unwrap());
    held.hold("notice", &begun);
    let token = made[0]["initialization_token"].as_str().unwrap();
    let scanner = Scanner::new();
    scanner.init(&installation.url, token, &[]).succeeds();
    held.hold("fleet-watch", &first_line(watching.stdout.take().unwrap()));
    assert!(watching.wait().unwrap().success());
    // The entries are the same, whoever asks for them.
    let log = installation.admin(&["device", "log", ORGANIZER, "1"]);
    held.hold("fleet-log", &log);

    run("fleet-revoke", &["revoke", "2", "--yes"]);
    run("fleet-reconnect", &["reconnect", "1"]);
    let mut held = held.0.into_inner();
    assert!(held.remove("error") && held.remove("notice"));
    assert_eq!(held, schemas(Some("fleet")));
}

/// A line of JSON that is printed while the command goes on.
fn first_line(printed: impl Read) -> Value {
    let mut line = String::new();
    BufReader::new(printed).read_line(&mut line).unwrap();
    serde_json::from_str(&line).unwrap()
}

#[test]
fn the_schema_of_errors_names_every_code_with_its_word() {
    let error = fs::read(folder().join("error.json")).unwrap();
    let error: Value = serde_json::from_slice(&error).unwrap();
    let of = |field: &str| error["properties"][field]["enum"].clone();
    let (codes, kinds) = (of("code"), of("kind"));
    let help = Scanner::new().run(&["--help"]).stdout;
    let listed = help.split("`kind`:\n").nth(1).unwrap().lines().skip(1);
    let listed: Vec<_> = listed
        .take_while(|line| !line.is_empty())
        .filter(|line| !line.starts_with("     "))
        .map(|line| {
            let mut words = line.split_whitespace();
            let number: u64 = words.next().unwrap().parse().unwrap();
            (json!(number), json!(words.next().unwrap()))
        })
        .collect();
    let codes = codes.as_array().unwrap().iter().cloned();
    let named: Vec<_> = codes
        .zip(kinds.as_array().unwrap().iter().cloned())
        .collect();
    assert_eq!(listed, named);
}
