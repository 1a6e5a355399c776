//! What all commands do alike: help, JSON, colours, completions and manual pages.

use std::fs;
use std::process::Command;

use serde_json::Value;

use crate::common::installation::Installation;
use crate::common::scanner::{Ended, Scanner, end};
use crate::common::server::ORGANIZER;
use crate::common::skip;
use crate::common::stranger::{Stranger, answer, identity};

/// The commands for devices, with what they need to be called at all.
const FOR_DEVICES: [&[&str]; 9] = [
    &["init"],
    &["adopt"],
    &["status"],
    &["info"],
    &["update"],
    &["roll"],
    &["revoke", "--yes"],
    &["event-selection"],
    &["request", "GET", "/api/v1/version"],
];
const ESCAPE: char = '\u{1b}';

/// The names of all commands, as the help lists them.
fn listed() -> Vec<String> {
    let help = Scanner::new().run(&["--help"]).succeeds().stdout.clone();
    let commands = help.split("Commands:\n").nth(1).unwrap();
    let commands = commands.split("\n\n").next().unwrap();
    let names = commands.lines().filter_map(|line| {
        let name = line.strip_prefix("  ")?.split(' ').next()?;
        (!name.is_empty()).then(|| name.to_owned())
    });
    names.collect()
}

/// The error as the one line that standard error has.
#[track_caller]
fn complaint(ended: &Ended) -> Value {
    assert_eq!(ended.stderr.lines().count(), 1, "{ended:?}");
    assert!(ended.stderr.ends_with('\n'));
    let complaint: Value = serde_json::from_str(&ended.stderr).unwrap();
    let fields: Vec<&String> = complaint.as_object().unwrap().keys().collect();
    assert_eq!(fields, ["advice", "causes", "code", "error", "kind"]);
    assert_eq!(complaint["code"], ended.code, "{ended:?}");
    assert!(!complaint["error"].as_str().unwrap().is_empty());
    let help = Scanner::new().run(&["--help"]).stdout;
    let word = complaint["kind"].as_str().unwrap();
    let listed = format!("\n{:>4}  {word} ", ended.code);
    assert!(help.contains(&listed), "{listed:?} is not in {help}");
    complaint
}

/// Runs a command in a terminal of its own; what that shows.
fn in_terminal(scanner: &Scanner, arguments: &str, variables: &[(&str, &str)]) -> Ended {
    let terminal = scanner
        .on_terminal(arguments)
        .env("TERM", "xterm-256color")
        .env_remove("NO_COLOR")
        .env_remove("CLICOLOR")
        .env_remove("CI") // whose logs have colours
        .envs(variables.iter().copied())
        .output();
    end(terminal.unwrap())
}

#[test]
fn the_help_of_every_command_has_examples_and_the_exit_codes_are_listed() {
    let scanner = Scanner::new();
    for command in FOR_DEVICES {
        let help = scanner.run(&[command[0], "--help"]);
        let help = &help.succeeds().stdout;
        assert!(help.contains("Examples:\n  "), "{help}");
        assert!(
            help.contains(&format!("  gatehand {}", command[0])),
            "{help}"
        );
        assert!(help.contains("--json"), "{help}");
        assert!(!help.contains(ESCAPE), "{help}");
    }
    let help = scanner.run(&["--help"]);
    let help = &help.succeeds().stdout;
    for line in [
        "Exit codes",
        "   0                       done",
        "  19  error-status         an answer to gatehand request",
    ] {
        assert!(help.contains(line), "{help}");
    }
}

#[test]
fn with_json_an_error_is_one_line_of_json_with_code_words_and_causes() {
    for command in FOR_DEVICES {
        let ended = Scanner::new().run(&[command, &["--json"]].concat());
        let code = match command[0] {
            "init" | "adopt" => 2,
            _ => 13,
        };
        assert_eq!(ended.code, code, "{command:?}: {ended:?}");
        assert_eq!(complaint(&ended)["causes"], serde_json::json!([]));
        if command[0] != "status" {
            assert_eq!(ended.stdout, "", "{command:?}");
        }
    }

    let gone = Stranger::once("");
    std::net::TcpStream::connect(gone.url.strip_prefix("http://").unwrap()).unwrap();
    let arguments = [
        "init",
        "--json",
        "--timeout",
        "1",
        "--url",
        &gone.url,
        "--token",
        "t",
    ];
    let ended = Scanner::new().run(&arguments);
    assert_eq!(ended.code, 8, "{ended:?}");
    let causes = complaint(&ended)["causes"].clone();
    let causes = causes.as_array().unwrap();
    assert!(
        !causes.is_empty() && causes.iter().all(Value::is_string),
        "{causes:?}"
    );
}

#[test]
fn what_to_do_is_told_as_advice_and_not_in_the_error() {
    let (installation, scanner) = (Installation::start(), Scanner::new());
    let token = installation.create_device("Lane 1");
    scanner.init(&installation.url, &token, &[]).succeeds();
    let told = |ended: &Ended, code: i32, advice: &str| {
        assert_eq!(ended.code, code, "{ended:?}");
        let told: Value = serde_json::from_str(&ended.stderr).unwrap();
        let advised = told["advice"].as_str().unwrap_or_default();
        assert!(advised.contains(advice), "{told}");
        let error = told["error"].as_str().unwrap();
        for word in ["try ", "run ", "create ", "look at", "check ", "enrol with"] {
            assert!(!error.contains(word), "{word:?} in {error}");
        }
    };
    let path = scanner.scratch().join("existing.json");
    let existing = r#"{"url": "http://127.0.0.1:9", "key": "k", "serial": "S"}"#;
    fs::write(&path, existing).unwrap();
    let adopted = scanner.run(&["adopt", path.to_str().unwrap(), "--json"]);
    told(&adopted, 12, "gatehand status shows it");
    let again = scanner.init(&installation.url, "kpp4jn8g2ynzonp6", &["--json"]);
    told(&again, 12, "--revoke-old");

    installation.admin(&["device", "revoke", ORGANIZER, "1"]);
    for command in ["info", "status"] {
        let ended = scanner.run(&[command, "--json"]);
        told(&ended, 16, "create a new device on the server");
    }

    let gone = Scanner::new();
    let server = Stranger::once(&identity("k"));
    gone.init(&server.url, "t", &[]).succeeds();
    for (command, advice) in [("info", "check this device's network"), ("roll", "network")] {
        let ended = gone.run(&[command, "--json", "--timeout", "1"]);
        told(&ended, 8, advice);
    }

    let unauthorized = answer(
        "401 Unauthorized",
        "application/json",
        r#"{"detail": "No."}"#,
    );
    let server = Stranger::answering_in_turn(vec![identity("k"), unauthorized]);
    let rejected = Scanner::new();
    rejected.init(&server.url, "t", &[]).succeeds();
    told(
        &rejected.run(&["info", "--json"]),
        17,
        "look at the device on the server",
    );
    told(
        &rejected.run(&["status", "--json"]),
        17,
        "another copy of this vault",
    );
}

#[test]
fn what_a_person_gave_wrongly_comes_with_advice_and_an_error_without_it() {
    let scanner = Scanner::new();
    let file = |name: &str, contents: &[u8]| {
        let path = scanner.scratch().join(name);
        fs::write(&path, contents).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let der = file("ca.der", &[0x30, 0x82, 1, 2]);
    let (empty, text) = (file("empty.png", b""), file("text.png", b"no picture"));
    let url = ["--url", "https://localhost:9", "--token", "t"];
    for (arguments, code, advice) in [
        (&["init"][..], 2, "give --qr-image FILE"),
        (
            &["init", "--payload", "{"],
            4,
            "show or copy the whole code",
        ),
        (&["init", "--payload", "[1]"], 4, "give --url ADDRESS"),
        (&["init", "--payload", "https://x.org"], 4, "--token"),
        (
            &["init", "--url", "x.org", "--token", "t"],
            4,
            "write https://x.org",
        ),
        (
            &["init", "--url", "ftp://x.org", "--token", "t"],
            4,
            "as in https://",
        ),
        (
            &["init", "--url", "https://x.org", "--token", ""],
            4,
            "copy it as the server shows it",
        ),
        (
            &["init", "--qr-image", &empty],
            3,
            "save or copy the picture",
        ),
        (&["init", "--qr-image", &text], 3, "save it as one of these"),
        (
            &["init", url[0], url[1], url[2], url[3], "--ca-file", &der],
            1,
            "certificate again",
        ),
        (
            &["init", url[0], url[1], url[2], url[3], "--ca-file", &text],
            1,
            "pkcs7",
        ),
        (
            &[
                "init",
                url[0],
                url[1],
                url[2],
                url[3],
                "--ca-file",
                "/nowhere",
            ],
            1,
            "check the file",
        ),
        (&["revoke", "--yes"], 13, "--qr-image"),
    ] {
        let ended = scanner.run(&[arguments, &["--json"]].concat());
        assert_eq!(ended.code, code, "{arguments:?}: {ended:?}");
        let told = complaint(&ended);
        assert!(told["advice"].as_str().unwrap().contains(advice), "{told}");
        let mut texts = vec![told["error"].as_str().unwrap()];
        texts.extend(
            told["causes"]
                .as_array()
                .unwrap()
                .iter()
                .map(|one| one.as_str().unwrap()),
        );
        for text in texts {
            assert!(!text.contains("; ") && !text.contains(advice), "{told}");
        }
        let shown = scanner.run(arguments).stderr;
        assert!(shown.contains("  what to do: "), "{shown}");
        assert_eq!(shown.matches(advice).count(), 1, "{shown}");
    }
}

#[test]
fn what_a_server_does_not_have_comes_with_where_to_see_what_it_has() {
    let installation = Installation::start();
    let database = installation.database();
    for (arguments, advice) in [
        (&["team", "list", "nobody"][..], "organizer list".to_owned()),
        (
            &["device", "show", ORGANIZER, "99"],
            format!("device list {ORGANIZER}"),
        ),
    ] {
        let advice = format!("gatehand admin --database {} {advice} ", database.display());
        let options = ["--json", "--database", database.to_str().unwrap()];
        let ended = Scanner::new().run(&[&["admin"], arguments, &options].concat());
        assert_eq!(ended.code, 15, "{ended:?}");
        let told = complaint(&ended);
        assert!(told["advice"].as_str().unwrap().contains(&advice), "{told}");
    }
}

#[test]
fn with_json_a_success_is_one_document_and_nothing_else() {
    let (server, scanner) = (Stranger::answering(identity("k")), Scanner::new());
    let ended = scanner.init(&server.url, "t", &["--json"]);
    let told: Value = serde_json::from_str(&ended.succeeds().stdout).unwrap();
    let mut expected = scanner.status();
    expected["done"] = "init".into();
    expected["begun_before"] = false.into();
    assert_eq!(told, expected);
    assert_eq!(ended.stderr, "");
}

#[test]
fn completions_render_for_every_shell() {
    let scanner = Scanner::new();
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let ended = scanner.run(&["completions", shell]);
        let script = &ended.succeeds().stdout;
        for command in listed() {
            assert!(script.contains(&command), "{shell} lacks {command}");
        }
        assert!(script.contains("hardware-model"), "{shell}");
        assert_eq!(ended.stderr, "");
    }
    scanner.run(&["completions", "tcsh"]).complains(2, "tcsh");
}

#[test]
fn a_shell_understands_its_completions() {
    let scanner = Scanner::new();
    let script = scanner
        .run(&["completions", "bash"])
        .succeeds()
        .stdout
        .clone();
    let file = scanner.scratch().join("completions");
    fs::write(&file, script).unwrap();
    if skip::can_run("bash", &["--version"]) {
        let read = Command::new("bash")
            .args(["--norc", "-c"])
            .arg("source \"$0\" && COMP_WORDS=(gatehand ev) COMP_CWORD=1 && _gatehand gatehand ev gatehand && echo \"${COMPREPLY[*]}\"")
            .arg(&file)
            .output();
        assert_eq!(end(read.unwrap()).succeeds().stdout, "event-selection\n");
    }
}

#[test]
fn a_manual_page_is_found_by_its_title_as_by_the_words_of_its_command() {
    let scanner = Scanner::new();
    let page = |arguments: &[&str]| scanner.run(&[&["man"], arguments].concat());
    let expected = page(&["admin", "device", "create"])
        .succeeds()
        .stdout
        .clone();
    for title in ["admin-device-create", "gatehand-admin-device-create"] {
        assert_eq!(page(&[title]).succeeds().stdout, expected);
    }
    assert_eq!(page(&["gatehand"]).succeeds().stdout, page(&[]).stdout);
    for wrong in [
        &["admin-device-"][..],
        &["device"],
        &["admin", "admin-device"],
    ] {
        page(wrong).complains(2, "there is no command");
    }
}

#[test]
fn what_is_no_number_is_told_in_plain_words() {
    let scanner = Scanner::new();
    for arguments in [
        &["info", "--timeout", "x"][..],
        &["info", "--timeout="],
        &["event-selection", "--subevent", "1.5"],
    ] {
        scanner.run(arguments).complains(2, "a whole number");
    }
    let large = "9".repeat(30);
    let subevent = ["event-selection", "--subevent", &large];
    scanner
        .run(&subevent)
        .complains(2, "the number is too large");
}

#[test]
fn a_variable_that_is_empty_is_not_set() {
    let (server, scanner) = (Stranger::answering(identity("k")), Scanner::new());
    let mut command = scanner.command(&["init", "--url", &server.url, "--token", "t"]);
    for variable in [
        "GATEHAND_CA_FILE",
        "GATEHAND_SYSTEM_CERTIFICATES",
        "GATEHAND_LOG",
        "GATEHAND_LOG_FORMAT",
    ] {
        command.env(variable, "");
    }
    end(command.output().unwrap()).succeeds();
}

#[test]
fn there_is_a_manual_page_for_every_command() {
    let scanner = Scanner::new();
    let page = scanner.run(&["man"]);
    let page = &page.succeeds().stdout;
    assert!(page.contains(".TH gatehand 1"), "{page}");
    assert!(page.contains("event\\-selection"), "{page}");

    let folder = scanner.scratch().join("share/man1");
    let ended = scanner.run(&["man", "--into", folder.to_str().unwrap()]);
    assert_eq!(ended.succeeds().stdout, "");
    let read = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
    assert!(read("gatehand.1").contains("the answer with this device"));
    let commands = listed();
    assert!(commands.len() > 10, "{commands:?}");
    for command in commands.iter().filter(|command| *command != "help") {
        let page = read(&format!("gatehand-{command}.1"));
        assert!(page.starts_with(".ie"), "{page:.100}");
        assert!(page.contains(".TH gatehand"), "{page:.300}");
    }
    assert!(read("gatehand-init.1").contains("kpp4jn8g2ynzonp6"));

    let only = scanner.run(&["man", "init"]);
    assert!(
        only.succeeds()
            .stdout
            .contains(".TH gatehand-init 1 \" \" \"gatehand ")
    );
    scanner
        .run(&["man", "admin", "none"])
        .complains(2, "admin none");

    let file = scanner.scratch().join("file");
    fs::write(&file, "").unwrap();
    scanner
        .run(&["man", "--into", file.to_str().unwrap()])
        .complains(1, "can't write");
}

/// The manual pages as `man` shows them in 80 columns, and as they were written, by name.
fn manual(scanner: &Scanner) -> Vec<(String, String, String)> {
    let folder = scanner.scratch().join("man1");
    let into = ["man", "--into", folder.to_str().unwrap()];
    scanner.run(&into).succeeds();
    let files = fs::read_dir(&folder).unwrap();
    let pages = files.map(|file| {
        let path = file.unwrap().path();
        let shown = Command::new("man")
            .args(["--no-hyphenation", "--no-justification", "-l"])
            .arg(&path)
            .env("MANWIDTH", "80")
            .env("LC_ALL", "C.UTF-8")
            .output();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let shown = end(shown.unwrap()).succeeds().stdout.clone();
        (name, shown, fs::read_to_string(&path).unwrap())
    });
    pages.collect()
}

#[test]
fn manual_pages_name_values_variables_and_only_pages_that_are_there() {
    if !skip::can_run("man", &["--version"]) {
        return;
    }
    let scanner = Scanner::new();
    let pages = manual(&scanner);
    assert!(pages.len() > 50, "{}", pages.len());
    let names: Vec<&str> = pages.iter().map(|(name, ..)| name.as_str()).collect();
    for (name, shown, _) in &pages {
        // Names with a hyphen are the only words that it cuts.
        let help = name.replace("event-selection", "event_selection");
        let help = help.replace("media-keys", "media_keys");
        let help = help.replace("adopt-hardware", "adopt_hardware");
        let help = help.replace("new-code", "new_code");
        let help = help.replace("checkin-list", "checkin_list");
        let help = help.replace("login-link", "login_link");
        let words = help.split('-').skip(1).map(|word| word.replace('_', "-"));
        let words: Vec<_> = words.chain(["--help".to_owned()]).collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let help = scanner.run(&words).succeeds().stdout.clone();
        // Without the lines at top and bottom.
        let shown = shown.trim().split_once('\n').unwrap().1;
        let shown = shown.rsplit_once('\n').unwrap().0;
        let has = |what: &str| assert!(shown.contains(what), "{name} lacks {what}: {shown}");
        for variable in help.split("[env: ").skip(1) {
            has(variable.split(['=', ']']).next().unwrap());
        }
        for values in help.split("[possible values: ").skip(1) {
            let values = values.split(']').next().unwrap().split([',', '\n']);
            values.map(str::trim).for_each(has);
        }
        let examples = help.lines().skip_while(|line| *line != "Examples:");
        for example in examples.skip(1).filter(|line| line.starts_with("  ")) {
            has(example.trim_end());
        }
        for (before, _) in shown.match_indices("(1)").map(|(at, _)| shown.split_at(at)) {
            let page = before.rsplit([' ', '\n']).next().unwrap();
            assert!(names.contains(&page), "{name} names {page}: {shown}");
        }
        assert!(!shown.contains("EXTRA"), "{shown}");
    }
    let alone = scanner.run(&["man"]).stdout;
    let references = alone.matches("(1)").count();
    assert_eq!(references, 0, "alone, it names no page: {alone}");
}

#[test]
fn options_come_in_the_order_a_person_needs_with_what_is_common_last() {
    let scanner = Scanner::new();
    for (command, order) in [
        (
            &["admin", "device", "create"][..],
            &[
                "--name",
                "--all-events",
                "--event ",
                "--public-url",
                "--json",
                "--database",
                "--log ",
            ][..],
        ),
        (
            &["init"],
            &[
                "--qr-image",
                "--payload",
                "--replace",
                "--json",
                "--ca-file",
                "--log ",
            ],
        ),
        (
            &["serve"],
            &["--listen", "--public-url", "--database", "--log "],
        ),
    ] {
        let man = [&["man"], command].concat();
        let help = [command, &["--help"]].concat();
        for text in [
            scanner.run(&man).stdout.replace('\\', ""),
            scanner.run(&help).stdout,
        ] {
            let text = text
                .split_once("OPTIONS")
                .map_or(text.as_str(), |(_, rest)| rest);
            let text = text.split_once("Options:").map_or(text, |(_, rest)| rest);
            let text = text.replace("fR", " ");
            let places = order.iter().map(|option| text.find(option).expect(option));
            assert!(places.is_sorted(), "{order:?} in {text}");
        }
    }
}

#[test]
fn the_more_is_to_be_logged_the_more_is_told_of_what_is_done() {
    let (server, scanner) = (Stranger::answering(identity("k")), Scanner::new());
    let log = |level: &str, command: &[&str]| {
        let arguments = [command, &["--log", level]].concat();
        scanner.run(&arguments).stderr
    };
    let init = ["init", "--url", &server.url, "--token", "t"];
    let debug = log("debug", &init);
    for told in [
        "opened the vault",
        "asking: POST http://",
        "/api/v1/device/initialize",
        "answered with status 200",
        "the server's word on initialize: Done; the device is enrolled",
        "stored the change in the vault",
    ] {
        assert!(debug.contains(told), "{told:?} is not in {debug}");
    }
    assert!(!debug.contains("TRACE"), "{debug}");
    let roll = ["roll", "--timeout", "1"];
    let [info, debug, trace] = ["info", "debug", "TRACE"].map(|level| log(level, &roll));
    assert!(!info.contains("DEBUG"), "{info}");
    assert!(
        !debug.contains("TRACE") && debug.contains("DEBUG"),
        "{debug}"
    );
    assert!(
        trace.contains("DEBUG") && trace.contains("TRACE"),
        "{trace}"
    );
    assert!(trace.contains("took the lock"), "{trace}");
    let off = log("off", &["status"]);
    assert_eq!(off, "");
}

#[test]
fn colours_are_for_terminals_only() {
    let (server, scanner) = (Stranger::answering(identity("k")), Scanner::new());
    let to_pipe = |command: &[&str]| {
        let mut command = scanner.command(command);
        command
            .env_remove("CLICOLOR_FORCE")
            .env("TERM", "xterm-256color");
        end(command.output().unwrap())
    };
    let has_none = |ended: &Ended| {
        assert!(!ended.stdout.contains(ESCAPE), "{ended:?}");
        assert!(!ended.stderr.contains(ESCAPE), "{ended:?}");
    };
    let init = [
        "init",
        "--url",
        &server.url,
        "--token",
        "t",
        "--log",
        "trace",
    ];
    has_none(&to_pipe(&["info"]));
    has_none(to_pipe(&init).succeeds());
    has_none(&to_pipe(&["--help"]));

    if !skip::can_run("script", &["--version"]) {
        return;
    }
    let fresh = Scanner::new();
    let error = in_terminal(&fresh, "info", &[]);
    assert_eq!(error.code, 13);
    assert!(
        error.stdout.contains("\u{1b}[1m\u{1b}[31merror:"),
        "{error:?}"
    );
    let enrolled = in_terminal(&fresh, &init.join(" "), &[]);
    let heading = "\u{1b}[1mThis device is enrolled.";
    assert!(enrolled.succeeds().stdout.contains(heading), "{enrolled:?}");

    let fresh = Scanner::new();
    for variable in [("NO_COLOR", "1"), ("TERM", "dumb")] {
        has_none(&in_terminal(&fresh, "info", &[variable]));
        has_none(&in_terminal(&fresh, "--help", &[variable]));
    }
    has_none(&in_terminal(&fresh, &init.join(" "), &[("NO_COLOR", "1")]));
    let json = in_terminal(&fresh, "status --json", &[]);
    assert!(!json.stdout.contains(ESCAPE), "{json:?}");
}

#[test]
fn a_reader_that_has_seen_enough_is_no_failure() {
    let (server, scanner) = (Stranger::answering(identity("k")), Scanner::new());
    scanner.init(&server.url, "t", &[]).succeeds();
    for command in [
        &["status"][..],
        &["status", "--json"],
        &["man"],
        &["completions", "bash"],
    ] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let ended = end(scanner.command(command).stdout(writer).output().unwrap());
        assert_eq!((ended.code, ended.stderr.as_str()), (0, ""), "{command:?}");
    }
}
