//! Setting a server up by hand, with the real command on a real database.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use reqwest::Method;
use serde_json::{Value, json};

use crate::common::scanner::{Ended, Scanner, end};
use crate::common::server::{TestServer, send};

/// A desk with a database of its own.
struct Desk(Scanner);

impl Desk {
    fn new() -> Self {
        Self(Scanner::new())
    }

    /// With the organizer `bigevents` and its team `admins`.
    fn set_up() -> Self {
        let desk = Self::new();
        desk.admin("organizer create bigevents --name Big")
            .succeeds();
        desk.admin("team create bigevents admins --permission all")
            .succeeds();
        desk
    }

    /// Runs `gatehand admin` with arguments that hold no blanks.
    fn admin(&self, arguments: &str) -> Ended {
        let arguments: Vec<_> = arguments.split(' ').collect();
        end(self.command(&arguments).output().unwrap())
    }

    /// The command, not started yet.
    fn command(&self, arguments: &[&str]) -> Command {
        let database = self.0.scratch().join("server.db");
        let begin = ["admin", "--database", database.to_str().unwrap()];
        self.0.command(&[&begin, arguments].concat())
    }

    /// Runs it with standard output led elsewhere.
    fn admin_to(&self, output: Stdio, arguments: &str) -> Ended {
        let arguments: Vec<_> = arguments.split(' ').collect();
        let mut command = self.command(&arguments);
        let command = command.stdout(output).stderr(Stdio::piped());
        end(command.spawn().unwrap().wait_with_output().unwrap())
    }

    fn json(&self, arguments: &str) -> Value {
        let ended = self.admin(&format!("{arguments} --json"));
        serde_json::from_str(&ended.succeeds().stdout).unwrap()
    }
}

#[test]
fn a_server_says_on_one_line_where_its_files_are_and_what_to_do_next() {
    let desk = Scanner::new();
    let folder = desk.scratch().join("odd folder");
    fs::create_dir(&folder).unwrap();
    let first_line = |more: &[&str]| {
        let mut command = desk.command(&["serve"]);
        command.env("GATEHAND_LISTEN", "127.0.0.1:0");
        command.env("GATEHAND_DATABASE", "gatehand.db");
        let command = command.args(more).current_dir(&folder);
        let mut server = command.stderr(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        let mut said = BufReader::new(server.stderr.take().unwrap());
        said.read_line(&mut line).unwrap();
        server.kill().unwrap();
        server.wait().unwrap();
        line
    };
    // Typed in a shell, in another folder.
    let next = |line: &str| {
        let next = line.split_once("Next: gatehand ").expect(line).1;
        let mut shell = Command::new("sh");
        shell.arg("-c").current_dir("/");
        shell.arg(format!("{} {next}", env!("CARGO_BIN_EXE_gatehand")));
        end(shell.output().unwrap())
    };
    let line = first_line(&[]);
    let database = folder.join("gatehand.db");
    let database = database.to_str().unwrap();
    let files = format!(", database {database}, secret {database}.secret. ");
    assert!(line.contains(&files), "{line}");
    next(&line).succeeds();
    let line = first_line(&["--listen", "0.0.0.0:0"]);
    let end = " --public-url ADDRESS, with the one at which scanners reach it";
    assert!(line.trim_end().ends_with(end), "{line}");
    let secret = folder.join("gatehand.db.secret");
    let elsewhere = desk.scratch().join("secret");
    fs::rename(secret, &elsewhere).unwrap();
    let line = first_line(&[
        "--secret-file",
        elsewhere.to_str().unwrap(),
        "--public-url",
        "https://tickets.example",
    ]);
    let created = next(&line);
    assert!(
        created.succeeds().stdout.contains("%2Ftickets.example"),
        "{created:?}"
    );
}

#[test]
fn what_is_created_is_listed() {
    let desk = Desk::set_up();
    desk.admin("gate create bigevents NORTH --name North")
        .succeeds();
    desk.admin("event create bigevents museum --name Museum --from 2027-05-08T18:00:00+02:00 --timezone Europe/Berlin").succeeds();
    desk.admin("device create bigevents --name Lane --event museum --gate NORTH")
        .succeeds();

    assert_eq!(desk.json("organizer list")[0]["name"], "Big");
    assert_eq!(desk.json("gate list bigevents")[0]["identifier"], "NORTH");
    let event = &desk.json("event list bigevents")[0];
    assert_eq!(event["date_from"], "2027-05-08T16:00:00.000000Z");
    assert_eq!(event["active"], true);
    assert_eq!(
        desk.json("team list bigevents"),
        json!([{"id": 1, "name": "admins", "permissions": "all", "active": true}])
    );
    let device = &desk.json("device list bigevents")[0];
    assert_eq!(device["limit_events"], json!(["museum"]));
    assert_eq!(
        (&device["gate"]["identifier"], &device["device_id"]),
        (&json!("NORTH"), &json!(1))
    );
    assert!(
        desk.admin("device list bigevents")
            .stdout
            .contains("waiting")
    );
}

#[test]
fn check_in_lists_are_made_and_put_at_gates() {
    let desk = Desk::set_up();
    desk.admin("event create bigevents fair --name Fair --from 2027-05-08")
        .succeeds();
    for gate in ["n", "s"] {
        desk.admin(&format!("gate create bigevents {gate} --name x"))
            .succeeds();
    }
    let create = "checkin-list create bigevents fair --name All --gate n";
    let made = desk.json(create);
    assert_eq!(
        (&made["event"], &made["gates"]),
        (&json!("fair"), &json!(["n"]))
    );
    desk.admin(create)
        .complains(15, "there is already a check-in list");
    desk.admin("checkin-list create bigevents none --name All")
        .complains(15, "there is no event");
    desk.admin("checkin-list create bigevents fair --name Day --date 7")
        .complains(15, "there is no date");
    let list = made["id"].to_string();
    desk.admin(&format!("checkin-list move bigevents {list} s none"))
        .complains(15, "there is no gate");
    let listed = desk.json("checkin-list list bigevents");
    assert_eq!(listed, json!([made]), "what is refused is not done");
    let moved = desk.json(&format!("checkin-list move bigevents {list} s"));
    assert_eq!(moved["gates"], json!(["s"]));
    let none = desk.admin("checkin-list rename bigevents 99 x");
    none.complains(15, "checkin-list list bigevents");
    let export = desk.json("export");
    let exported = &export["organizers"][0]["events"];
    let exported = exported
        .as_array()
        .unwrap()
        .iter()
        .find(|event| event["slug"] == "fair");
    assert_eq!(exported.unwrap()["checkin_lists"][0]["gates"], json!(["s"]));
}

#[test]
fn an_event_may_be_a_day_of_its_own_time_zone() {
    let desk = Desk::set_up();
    let create = |slug: &str, times: &str| {
        let create = format!("event create bigevents {slug} --name x --timezone Europe/Berlin");
        let event = desk.json(&format!("{create} {times}"));
        ["date_from", "date_to", "date_admission"].map(|field| event[field].clone())
    };
    let [first, last, next] = [
        "2027-05-07T22:00:00.000000Z",
        "2027-05-08T21:59:59.000000Z",
        "2027-05-09T21:59:59.000000Z",
    ];
    let day = json!([first, last, null]);
    assert_eq!(json!(create("a", "--from 2027-05-08")), day);
    let two = create("b", "--from 2027-05-08 --to 2027-05-09");
    assert_eq!(json!(two), json!([first, next, null]));
    let evening = create("c", "--from 2027-05-08T18:00 --admission 2027-05-08");
    let six = "2027-05-08T16:00:00.000000Z";
    assert_eq!(json!(evening), json!([six, null, first]));
}

#[test]
fn what_is_renamed_or_deactivated_stays_so() {
    let desk = Desk::set_up();
    desk.admin("organizer rename bigevents Bigger").succeeds();
    desk.admin("organizer deactivate bigevents").succeeds();
    let organizer = &desk.json("organizer list")[0];
    assert_eq!(
        (&organizer["name"], &organizer["active"]),
        (&json!("Bigger"), &json!(false))
    );

    desk.admin("gate create bigevents N --name North")
        .succeeds();
    desk.admin("gate rename bigevents N South").succeeds();
    desk.admin("gate deactivate bigevents N").succeeds();
    let gate = &desk.json("gate list bigevents")[0];
    assert_eq!(
        (&gate["name"], &gate["active"]),
        (&json!("South"), &json!(false))
    );

    desk.admin("team permit bigevents admins --permission organizer.devices:read")
        .succeeds();
    desk.admin("team rename bigevents admins readers")
        .succeeds();
    let team = &desk.json("team list bigevents")[0];
    assert_eq!(team["permissions"], json!(["organizer.devices:read"]));
    assert_eq!(team["name"], "readers");

    desk.admin("device create bigevents --name Lane --all-events")
        .succeeds();
    desk.admin("device rename bigevents 1 Door").succeeds();
    desk.admin("device revoke bigevents 1").succeeds();
    let device = &desk.json("device list bigevents")[0];
    assert_eq!(
        (&device["name"], &device["revoked"]),
        (&json!("Door"), &json!(true))
    );
}

#[test]
fn what_was_done_to_a_device_is_told_with_who_did_it() {
    let desk = Desk::set_up();
    desk.admin("device create bigevents --name Lane --all-events")
        .succeeds();
    desk.admin("device rename bigevents 1 Door").succeeds();
    let log = desk.json("device log bigevents 1");
    let log = log.as_array().unwrap();
    assert_eq!(log.len(), 2, "{log:?}");
    assert!(log.iter().all(|entry| entry["actor"] == "administrator"));
    assert!(log[1]["data"].to_string().contains("Door"));
}

#[test]
fn media_keys_are_made_and_never_shown() {
    let desk = Desk::set_up();
    desk.admin("media-keys create bigevents 7").succeeds();
    desk.admin("media-keys create bigevents 7")
        .complains(15, "7");
    let listed = json!([{"public_id": 7, "media_type": "nfc_mf0aes", "active": true}]);
    assert_eq!(desk.json("media-keys list bigevents"), listed);
}

#[test]
fn nothing_is_made_by_a_bad_file_or_a_mistyped_name() {
    let desk = Desk::new();
    let file = desk.0.scratch().join("bad.json");
    fs::write(&file, "{}").unwrap();
    desk.admin(&format!("import {}", file.display()))
        .complains(15, "organizers");
    desk.admin("organizer list")
        .complains(15, "there is no database");
    assert_eq!(fs::read_dir(desk.0.scratch()).unwrap().count(), 1);
}

#[test]
fn a_token_is_shown_once_and_kept_nowhere() {
    let desk = Desk::set_up();
    let made = desk.admin("token create bigevents admins");
    let token = made.succeeds().stdout.trim().to_owned();
    assert_eq!(token.len(), 64, "alone on standard output: {made:?}");
    assert!(
        !desk
            .admin("token list bigevents admins")
            .succeeds()
            .stdout
            .contains(&token)
    );
    for file in fs::read_dir(desk.0.scratch()).unwrap() {
        let bytes = fs::read(file.unwrap().path()).unwrap();
        assert!(
            !bytes
                .windows(token.len())
                .any(|window| window == token.as_bytes())
        );
    }
}

#[test]
fn what_is_not_there_or_there_already_is_told() {
    let desk = Desk::set_up();
    desk.admin("organizer create bigevents --name Again")
        .complains(15, "bigevents");
    desk.admin("team create nobody admins --permission all")
        .complains(15, "nobody");
    desk.admin("token create bigevents nobody")
        .complains(15, "nobody");
    desk.admin("device show bigevents 7")
        .complains(15, "no device 7");
    desk.admin("device create bigevents --name x --event nowhere")
        .complains(15, "nowhere");
    for slug in ["with/slash", "..", "ü"] {
        for command in [
            format!("organizer create {slug} --name x"),
            format!("event create bigevents {slug} --name x --from 2027-05-08"),
        ] {
            desk.admin(&command)
                .complains(2, "letters (a-z, A-Z), digits and ._- are allowed");
        }
    }
    desk.admin("event create bigevents e --name x --from tomorrow")
        .complains(2, "tomorrow");
    desk.admin("event create bigevents e --name x --from 9999-12-31")
        .complains(2, "out of range");
    let neither = desk.admin("device create bigevents --name x");
    neither.complains(2, "<--all-events|--event <SLUG>>");
    desk.admin("device create bigevents --name x --all-events --event e")
        .complains(2, "'--event <SLUG>'");
    desk.admin(
        "event create bigevents e --name x --from 2027-05-08T18:00:00Z --timezone Mars/Base",
    )
    .complains(2, "Europe/Berlin");
    desk.admin("team create bigevents t --permission everything")
        .complains(2, "possible values: all, organizer.devices:read");
}

#[test]
fn a_new_device_comes_with_its_code() {
    let desk = Desk::set_up();
    let png = desk.0.scratch().join("code.png");
    let shown = desk.admin(&format!(
        "device create bigevents --name Lane --all-events --public-url https://tickets.example --qr-image {}",
        png.display()
    ));
    assert!(
        shown
            .succeeds()
            .stdout
            .contains("pretixscan://setup?url=https%3A%2F%2Ftickets.example&token=")
    );
    assert!(shown.stdout.contains('▀'), "{shown:?}");
    assert!(fs::read(&png).unwrap().starts_with(b"\x89PNG"));
    let long = format!("https://tickets.example/{}", "x".repeat(990));
    let shown = desk.admin(&format!("device show bigevents 1 --public-url {long}"));
    let link = shown
        .succeeds()
        .stdout
        .lines()
        .find(|line| line.starts_with("Link: "));
    assert!(link.unwrap().contains("&token="), "{shown:?}");

    desk.admin("device revoke bigevents 1").succeeds();
    let used = desk.admin("device show bigevents 1 --public-url https://tickets.example");
    let shown = &used.succeeds().stdout;
    assert!(
        shown.contains("of no use") && !shown.contains("token="),
        "{used:?}"
    );
}

#[test]
fn the_organizers_file_of_the_documentation_is_imported() {
    let desk = Desk::new();
    let text = include_str!("../../docs/ORGANIZERS_FILE.md");
    let example = text.split("```").nth(1).unwrap().trim_start_matches("json");
    let file = desk.0.scratch().join("documented.json");
    fs::write(&file, example).unwrap();
    let imported = desk.json(&format!("import {}", file.display()));
    for kind in [
        "gates",
        "events",
        "subevents",
        "checkin_lists",
        "tokens",
        "devices",
    ] {
        assert!(
            imported[kind]["created"].as_u64().unwrap() > 0,
            "{imported}"
        );
    }
}

#[test]
fn an_import_from_a_pipe_is_as_one_of_a_file_and_an_export_makes_the_same_again() {
    let desk = Desk::new();
    let (there, other) = (Desk::new(), Desk::new());
    let recorded = include_bytes!("../data/organizers.json");
    let from_input = |desk: &Desk, input: &[u8]| {
        let database = desk.0.scratch().join("server.db").display().to_string();
        let arguments = ["admin", "--json", "--database", &database, "import", "-"];
        desk.0.run_with_input(&arguments, input)
    };
    let imported = from_input(&desk, recorded).succeeds().stdout.clone();
    let imported: Value = serde_json::from_str(&imported).unwrap();
    assert!(imported["devices"]["created"].as_u64().unwrap() >= 120);
    let export = desk.admin("export").succeeds().stdout.clone();
    from_input(&there, export.as_bytes()).succeeds();
    assert_eq!(there.admin("export").succeeds().stdout, export);

    let cut = &export.as_bytes()[..export.len() - 20];
    let refused = from_input(&other, cut);
    assert_eq!(refused.code, 15, "{refused:?}");
    assert!(
        refused.stderr.contains("line") && refused.stderr.contains("column"),
        "{refused:?}"
    );
    assert!(!other.0.scratch().join("server.db").exists());
}

#[test]
fn a_long_name_widens_no_table() {
    let desk = Desk::new();
    desk.admin("organizer create o --name O").succeeds();
    let name = "x".repeat(190);
    desk.admin(&format!("gate create o north --name {name}"))
        .succeeds();
    let shown = desk.admin("gate list o");
    let shown = &shown.succeeds().stdout;
    assert!(shown.contains("x…"), "{shown}");
    assert!(
        shown.lines().all(|line| line.chars().count() <= 80),
        "{shown}"
    );
    assert_eq!(desk.json("gate list o")[0]["name"], name);
}

#[test]
fn an_import_is_whole_or_not_at_all_and_twice_changes_nothing() {
    let desk = Desk::new();
    let recorded = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/organizers.json");
    let first = desk.json(&format!("import {recorded}"));
    assert!(
        first["devices"]["created"].as_u64().unwrap() >= 120,
        "{first}"
    );
    let again = desk.admin(&format!("import {recorded}"));
    assert!(
        again.succeeds().stdout.contains("Nothing to change"),
        "{again:?}"
    );

    let mut bad: Value = serde_json::from_slice(&fs::read(recorded).unwrap()).unwrap();
    bad["organizers"][0]["name"] = json!("Renamed");
    bad["organizers"][0]["events"][0]["date_from"] = json!("tomorrow");
    let file = desk.0.scratch().join("bad.json");
    fs::write(&file, bad.to_string()).unwrap();
    let refused = desk.admin(&format!("import {}", file.display()));
    refused.complains(15, "\n  organizers[0].events[0].date_from");
    let faults = desk.admin(&format!("import {} --json", file.display()));
    let faults: Value = serde_json::from_str(&faults.stdout).unwrap();
    assert_eq!(
        faults["faults"][0]["path"],
        "organizers[0].events[0].date_from"
    );
    let names: Vec<_> = desk
        .json("organizer list")
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["name"].clone())
        .collect();
    assert!(
        !names.contains(&json!("Renamed")),
        "nothing of a bad file is taken"
    );
}

#[test]
fn what_of_a_file_differs_and_is_not_changed_is_told() {
    let desk = Desk::new();
    let recorded = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/organizers.json");
    desk.admin(&format!("import {recorded}")).succeeds();
    let export = desk.admin("export").succeeds().stdout.clone();
    let mut file: Value = serde_json::from_str(&export).unwrap();
    let organizers = file["organizers"].as_array().unwrap();
    let count = |one: &Value, kind: &str| one[kind].as_array().map_or(0, Vec::len);
    let place = organizers
        .iter()
        .position(|one| count(one, "devices") > 1 && count(one, "teams") > 0)
        .unwrap();
    let organizer = &mut file["organizers"][place];
    organizer["devices"][0]["name"] = json!("Another name");
    let named = organizer["devices"][1].as_object_mut().unwrap();
    for key in ["unique_serial", "api_token_sha256", "initialized"] {
        named.remove(key);
    }
    named["security_profile"] = json!("pretixscan_online_kiosk");
    organizer["teams"][0]["active"] = json!(false);
    let path = desk.0.scratch().join("edited.json");
    fs::write(&path, file.to_string()).unwrap();
    let import = format!("import {}", path.display());
    let told = desk.admin(&import).succeeds().stdout.clone();
    assert!(told.contains("devices: 0 created, 1 changed"), "{told}");
    let left = "left as they are: teams: 1; devices: 1.";
    assert!(told.contains(left), "{told}");
    let again = desk.json(&import);
    let devices = json!({"created": 0, "changed": 0, "left": 1});
    assert_eq!(again["devices"], devices);
    file["organizers"][place]["devices"][1]["gate"] = json!("nowhere");
    fs::write(&path, file.to_string()).unwrap();
    let refused = desk.admin(&format!("{import} --json"));
    let faults: Value = serde_json::from_str(&refused.stdout).unwrap();
    let fault = &faults["faults"][0];
    assert_eq!(refused.code, 15);
    let path = format!("organizers[{place}].devices[1].gate");
    assert_eq!(fault["path"], path);
    let name = &file["organizers"][place]["devices"][1]["name"];
    assert_eq!(&fault["device"], name);
}

#[test]
fn a_file_that_is_no_json_is_told_what_an_organizers_file_is() {
    let desk = Desk::new();
    let file = desk.0.scratch().join("devices.csv");
    let import = format!("import {}", file.display());
    fs::write(&file, "name;gate\nLane 1;north\n").unwrap();
    let refused = desk.admin(&import);
    refused.complains(15, "line 1 column");
    refused.complains(15, "docs/ORGANIZERS_FILE.md");
    fs::write(&file, b"\xff\xfe{\0").unwrap();
    desk.admin(&import).complains(15, "save it in UTF-8");
}

#[test]
fn an_event_does_not_end_before_it_starts() {
    let desk = Desk::set_up();
    let create = "event create bigevents fair --name Fair --from 2020-01-02 --to";
    desk.admin(&format!("{create} 2020-01-01"))
        .complains(2, "not before --from");
    assert_eq!(desk.json("event list bigevents"), json!([]));
    desk.admin(&format!("{create} 2020-01-02")).succeeds();
}

#[test]
fn what_is_no_database_is_told_as_what_it_is() {
    let scanner = Scanner::new();
    let folder = scanner.scratch();
    let text = folder.join("notes.txt");
    fs::write(&text, "these are the notes of somebody\n".repeat(200)).unwrap();
    let nowhere = folder.join("nowhere");
    let missing = format!("there is no folder {}", nowhere.display());
    for (database, words) in [
        (text.as_path(), "it is no database"),
        (folder, "it is a folder"),
        (&nowhere.join("server.db"), &missing),
    ] {
        let database = database.to_str().unwrap();
        for command in [
            &["organizer", "list"][..],
            &["organizer", "create", "o", "--name", "O"],
        ] {
            let arguments = [&["admin", "--database", database], command].concat();
            let refused = scanner.run(&arguments);
            refused.complains(15, words);
            refused.complains(15, "with --database");
            assert!(!refused.stderr.contains("damaged"), "{refused:?}");
        }
    }
    assert!(!nowhere.exists());
}

#[test]
fn the_command_that_shows_what_is_there_can_be_typed_as_it_is_told() {
    let desk = Desk::set_up();
    let folder = desk.0.scratch().join("it's a folder");
    fs::create_dir(&folder).unwrap();
    let database = folder.join("server.db");
    fs::copy(desk.0.scratch().join("server.db"), &database).unwrap();
    let secret = desk.0.scratch().join("server.db.secret");
    let begin = ["admin", "--database", database.to_str().unwrap()];
    let begin = [&begin[..], &["--secret-file", secret.to_str().unwrap()]].concat();
    for (command, list) in [
        (&["gate", "list", "nobody"][..], "organizer list"),
        (
            &["gate", "rename", "bigevents", "gone", "N"],
            "gate list bigevents",
        ),
        (
            &["event", "deactivate", "bigevents", "gone"],
            "event list bigevents",
        ),
        (
            &["team", "deactivate", "bigevents", "gone"],
            "team list bigevents",
        ),
        (
            &["token", "list", "bigevents", "gone"],
            "team list bigevents",
        ),
        (
            &["device", "show", "bigevents", "7"],
            "device list bigevents",
        ),
        (
            &["device", "revoke", "bigevents", "7"],
            "device list bigevents",
        ),
    ] {
        let refused = desk.0.run(&[&begin, command].concat());
        assert_eq!(refused.code, 15, "{refused:?}");
        let told = refused.stderr.split(" shows those that are there").next();
        let (_, told) = told.unwrap().rsplit_once("gatehand admin ").unwrap();
        assert!(told.ends_with(list), "{refused:?}");
        let gatehand = env!("CARGO_BIN_EXE_gatehand");
        let typed = Command::new("sh")
            .args(["-c", &format!("{gatehand} admin {told}")])
            .output()
            .unwrap();
        assert!(typed.status.success(), "{told}: {typed:?}");
    }
}

/// Standard output that is full.
fn full() -> Stdio {
    File::options()
        .write(true)
        .open("/dev/full")
        .unwrap()
        .into()
}

/// Standard output that nobody reads.
fn unread() -> Stdio {
    std::io::pipe().unwrap().1.into()
}

#[test]
fn a_device_whose_code_cannot_be_written_is_not_created() {
    let desk = Desk::set_up();
    let scratch = desk.0.scratch().display();
    for (options, words) in [
        (
            "--public-url https://tickets.example --qr-image /nonexistent/x.png".to_owned(),
            "/nonexistent/x.png",
        ),
        (
            format!("--public-url https://tickets.example --qr-image {scratch}"),
            "can't write",
        ),
    ] {
        let create = format!("device create bigevents --name Lane --all-events {options}");
        desk.admin(&create).complains(1, words);
        assert_eq!(desk.json("device list bigevents"), json!([]), "{options}");
    }
    let refused =
        "device create bigevents --name Lane --event none --public-url https://tickets.example";
    desk.admin(&format!("{refused} --qr-image {scratch}/x.png"))
        .complains(15, "none");
    assert!(
        !desk.0.scratch().join("x.png").exists(),
        "no picture of nothing"
    );
}

#[test]
fn a_picture_of_a_code_is_for_its_owner_only() {
    let desk = Desk::set_up();
    let create = |picture: &str| {
        let path = desk.0.scratch().join(picture);
        desk.admin(&format!(
            "device create bigevents --name Lane --all-events --public-url https://tickets.example --qr-image {}",
            path.display()
        ))
        .succeeds();
        path
    };
    let old = desk.0.scratch().join("old.png");
    fs::write(&old, vec![b'x'; 100_000]).unwrap();
    fs::set_permissions(&old, PermissionsExt::from_mode(0o644)).unwrap();
    for picture in ["old.png", "new.png"] {
        let path = create(picture);
        let bytes = fs::read(&path).unwrap();
        assert!(bytes.starts_with(b"\x89PNG") && bytes.len() < 100_000);
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{picture}");
    }
}

#[test]
fn what_was_done_is_told_even_where_it_cannot_be_printed() {
    let desk = Desk::set_up();
    desk.admin_to(full(), "device create bigevents --name Lane --all-events")
        .complains(1, "gatehand admin device show bigevents 1");
    desk.admin_to(full(), "gate create bigevents N --name North")
        .complains(1, "Created the gate N");
    desk.admin_to(full(), "gate rename bigevents N South --json")
        .complains(1, "it was done");
    // Whoever looked away is no fault.
    for command in [
        "device create bigevents --name Door --all-events",
        "gate create bigevents S --name South",
    ] {
        let ended = desk.admin_to(unread(), command);
        ended.succeeds();
        assert!(ended.stderr.contains("reated"), "{ended:?}");
    }
    assert_eq!(
        desk.json("device list bigevents").as_array().unwrap().len(),
        2
    );
    assert_eq!(
        desk.json("gate list bigevents").as_array().unwrap().len(),
        2
    );

    let shown = desk.0.scratch().join("shown");
    let picture = "--public-url https://tickets.example --qr-image /dev/full";
    let create = format!("device create bigevents --name Gate --all-events {picture}");
    let output = File::create(&shown).unwrap().into();
    desk.admin_to(output, &create)
        .complains(1, "gatehand admin device show bigevents 3");
    assert!(
        fs::read_to_string(shown)
            .unwrap()
            .contains("Initialization token: ")
    );
}

#[test]
fn a_token_that_cannot_be_shown_lets_nobody_in() {
    let desk = Desk::set_up();
    for (output, json) in [
        (full(), ""),
        (unread(), ""),
        (full(), " --json"),
        (unread(), " --json"),
    ] {
        let ended = desk.admin_to(output, &format!("token create bigevents admins{json}"));
        ended.complains(1, "deactivated");
    }
    let tokens = desk.json("token list bigevents admins");
    let tokens = tokens.as_array().unwrap();
    assert!(
        tokens.iter().all(|token| token["active"] == false),
        "{tokens:?}"
    );

    let made = tokens.len();
    desk.admin_to(Stdio::null(), "token create bigevents admins")
        .complains(1, "leads nowhere");
    let closed = Command::new("sh")
        .args([
            "-c",
            "exec \"$@\" >&-",
            "sh",
            env!("CARGO_BIN_EXE_gatehand"),
        ])
        .args([
            "admin",
            "token",
            "create",
            "bigevents",
            "admins",
            "--database",
        ])
        .arg(desk.0.scratch().join("server.db"))
        .output();
    end(closed.unwrap()).complains(1, "leads nowhere");
    let tokens = desk.json("token list bigevents admins");
    assert_eq!(tokens.as_array().unwrap().len(), made);
}

/// Names as people and programs make them, up to twice as long as any may be.
fn names() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        any::<char>().prop_map(String::from),
        "[ \\t\\n\\r\u{85}\u{a0}\u{1c}-\u{1f}]{1,3}",
        Just("\u{1b}[31m".to_owned()),
        Just("\u{202e}".to_owned()),
        Just("👩‍🚀".to_owned()),
        "[a-z]{1,200}",
    ];
    // No process takes an argument with NUL.
    prop::collection::vec(piece, 0..4).prop_map(|pieces| pieces.concat().replace('\0', ""))
}

#[test]
fn a_name_is_taken_by_hand_and_by_import_exactly_if_the_api_takes_it() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let server = runtime.block_on(TestServer::start());
    let scanner = Scanner::new();
    let database = server.database();
    let file = scanner.scratch().join("file.json");
    let run = |arguments: &[&str]| {
        let begin = ["admin", "--json", "--database", database.to_str().unwrap()];
        scanner.run(&[&begin, arguments].concat())
    };
    let slug = crate::common::server::ORGANIZER;
    let mut runner = TestRunner::new(ProptestConfig::with_cases(40));
    let outcome = runner.run(&names(), |name| {
        let body = json!({"name": name, "all_events": true, "limit_events": []});
        let answer = runtime.block_on(send(server.devices(Method::POST, "").json(&body)));
        let argument = format!("--name={name}");
        let created = run(&["device", "create", slug, &argument, "--all-events"]);
        let imported = json!({"organizers": [
            {"slug": "imported", "name": name, "gates": [], "events": [], "teams": [], "devices": []},
        ]});
        fs::write(&file, imported.to_string()).unwrap();
        let imported = run(&["import", file.to_str().unwrap()]);
        if answer.status == 201 {
            let stored = answer.json()["name"].clone();
            let created: Value = serde_json::from_str(&created.succeeds().stdout).unwrap();
            prop_assert_eq!(&created["name"], &stored);
            imported.succeeds();
            let all: Value =
                serde_json::from_str(&run(&["organizer", "list"]).succeeds().stdout).unwrap();
            let all = all.as_array().unwrap();
            let found = all.iter().find(|one| one["slug"] == "imported").unwrap();
            prop_assert_eq!(&found["name"], &stored);
        } else {
            prop_assert_eq!(answer.status, 400);
            prop_assert_eq!((created.code, imported.code), (2, 15));
        }
        Ok(())
    });
    outcome.unwrap();
}

/// A name that would clear the screen, begin a line, and turn the direction of writing.
const HOSTILE: &str = "a\u{1b}[2J\n=b\u{202e}c\u{9b}d";

/// Nothing of a hostile name reaches the terminal.
#[track_caller]
fn is_harmless(ended: &Ended) {
    for text in [&ended.stdout, &ended.stderr] {
        assert!(
            !text.contains(['\u{1b}', '\u{9b}', '\u{202e}']),
            "{ended:?}"
        );
        assert!(!text.lines().any(|line| line.starts_with('=')), "{ended:?}");
    }
}

#[test]
fn a_hostile_name_steers_no_terminal_and_is_told_to_scripts_as_it_is() {
    let desk = Desk::set_up();
    let run = |arguments: &[&str]| end(desk.command(arguments).output().unwrap());
    let from = "2027-05-08T18:00:00Z";
    let (name, new) = (HOSTILE, &format!("{HOSTILE}!"));
    for arguments in [
        &["organizer", "create", "other", "--name", name][..],
        &["organizer", "rename", "other", new],
        &["gate", "create", "bigevents", "N", "--name", name],
        &["gate", "rename", "bigevents", "N", new],
        &[
            "event",
            "create",
            "bigevents",
            "e",
            "--name",
            name,
            "--from",
            from,
        ],
        &["event", "rename", "bigevents", "e", new],
        &["team", "create", "bigevents", name, "--permission", "all"],
        &["token", "create", "bigevents", name, "--name", name],
        &["token", "rename", "bigevents", name, "1", new],
        &["team", "rename", "bigevents", name, new],
        &[
            "device",
            "create",
            "bigevents",
            "--name",
            name,
            "--all-events",
        ],
        &["device", "show", "bigevents", "1"],
        &["device", "rename", "bigevents", "1", new],
        &["device", "log", "bigevents", "1"],
        &[
            "media-keys",
            "create",
            "bigevents",
            "1",
            "--media-type",
            name,
        ],
    ] {
        is_harmless(run(arguments).succeeds());
    }
    for (list, field) in [
        (&["organizer", "list"][..], "name"),
        (&["gate", "list", "bigevents"], "name"),
        (&["event", "list", "bigevents"], "name"),
        (&["team", "list", "bigevents"], "name"),
        (&["token", "list", "bigevents", new], "name"),
        (&["device", "list", "bigevents"], "name"),
        (&["media-keys", "list", "bigevents"], "media_type"),
    ] {
        is_harmless(run(list).succeeds());
        let told = run(&[list, &["--json"]].concat());
        is_harmless(told.succeeds());
        let told: Value = serde_json::from_str(&told.stdout).unwrap();
        let told = told.as_array().unwrap().iter();
        let mut told = told.map(|one| one[field].as_str().unwrap());
        assert!(told.any(|told| told.starts_with(name)), "{list:?}");
    }
    for refused in [
        &["token", "list", "bigevents", name][..],
        &["device", "move", "bigevents", "1", name],
        &["device", "create", "bigevents", "--name=x", "--event", name],
        &["organizer", "rename", name, "x"],
    ] {
        let ended = run(refused);
        assert_eq!(ended.code, 15, "{ended:?}");
        is_harmless(&ended);
    }
    let file = desk.0.scratch().join("file.json");
    fs::write(
        &file,
        json!({ HOSTILE: HOSTILE, "organizers": HOSTILE }).to_string(),
    )
    .unwrap();
    is_harmless(&run(&["import", file.to_str().unwrap()]));
    for misuse in [
        &[name][..],
        &["organizer", "create", name, "--name", "x"],
        &[
            "event",
            "create",
            "bigevents",
            "x",
            "--name",
            "x",
            "--from",
            name,
        ],
        &[
            "event",
            "create",
            "bigevents",
            "x",
            "--name",
            "x",
            "--from",
            from,
            "--timezone",
            name,
        ],
        &["team", "create", "bigevents", "x", "--permission", name],
        &["device", "show", "bigevents", name],
        &[
            "device",
            "create",
            "bigevents",
            "--all-events",
            "--name=x",
            "--public-url",
            name,
        ],
        &["device", "list", "bigevents", name],
        &["device", "list", "bigevents", "--log", name],
    ] {
        let ended = run(misuse);
        assert_eq!(ended.code, 2, "{ended:?}");
        is_harmless(&ended);
    }
}
