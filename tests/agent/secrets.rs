//! Through a whole life at the most talkative log level, neither key nor token is seen anywhere but on
//! the way to the enrolled server.
#![allow(clippy::print_stderr, reason = "it says what it skips")]

use std::cell::RefCell;
use std::collections::HashSet;
use std::fs;
use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;

use crate::common::faulty_way::{Fault, FaultyWay};
use crate::common::impostor;
use crate::common::installation::Installation;
use crate::common::scanner::{Ended, Scanner, end};
use crate::common::stranger::{Stranger, answer};

/// A secret shows by any part of it that is this long.
const PART: usize = 12;

/// Scanners and all that could be seen of them by someone who must not know their secrets.
struct Watched {
    installation: Arc<Installation>,
    way: FaultyWay,
    format: &'static str,
    seen: RefCell<Vec<(String, Vec<u8>)>>,
    /// Files and output that were seen already.
    known: RefCell<HashSet<Vec<u8>>>,
}

impl Watched {
    fn new(format: &'static str) -> Self {
        let installation = Arc::new(Installation::start_with(&["--log", "trace"]));
        Self {
            way: FaultyWay::to(Arc::clone(&installation)),
            installation,
            format,
            seen: RefCell::default(),
            known: RefCell::default(),
        }
    }

    fn see(&self, what: impl Into<String>, bytes: Vec<u8>) {
        if self.known.borrow_mut().insert(bytes.clone()) {
            self.seen.borrow_mut().push((what.into(), bytes));
        }
    }

    fn see_files(&self, scanner: &Scanner) {
        for path in files(scanner.scratch()) {
            // It may be gone by now, like a draft.
            if let Ok(bytes) = fs::read(&path) {
                self.see(path.display().to_string(), bytes);
            }
        }
    }

    fn start(&self, scanner: &Scanner, arguments: &[&str], input: &str) -> Child {
        let [working, temporary] = ["working", "temporary"].map(|name| {
            let folder = scanner.scratch().join(name);
            fs::create_dir_all(&folder).unwrap();
            folder
        });
        let mut child = scanner
            .command(arguments)
            .args(["--log", "trace", "--log-format", self.format])
            .current_dir(working)
            .env("TMPDIR", temporary)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut standard_input = child.stdin.take().unwrap();
        // A command that needs none may be gone.
        let _ = standard_input.write_all(input.as_bytes());
        child
    }

    fn finish(&self, scanner: &Scanner, said: &str, child: Child) -> Ended {
        let ended = end(child.wait_with_output().unwrap());
        self.see(format!("output of {said}"), ended.stdout.clone().into());
        self.see(format!("log of {said}"), ended.stderr.clone().into());
        self.see_files(scanner);
        ended
    }

    fn run(&self, scanner: &Scanner, arguments: &[&str], input: &str) -> Ended {
        let child = self.start(scanner, arguments, input);
        self.finish(scanner, &arguments.join(" "), child)
    }

    /// Looks at a command and its files while it waits for an answer to a request with `words`.
    fn look_at(
        &self,
        scanner: &Scanner,
        (arguments, words): (&[&str], &'static str),
        input: &str,
    ) -> Child {
        self.way.once(words, Fault::HoldAnswer);
        let child = self.start(scanner, arguments, input);
        self.way.wait_until_held();
        let process = PathBuf::from(format!("/proc/{}", child.id()));
        let [arguments, environment] = ["cmdline", "environ"].map(|name| {
            let shown = fs::read(process.join(name));
            let shown = shown.map(|shown| {
                self.see(process.join(name).display().to_string(), shown.clone());
                String::from_utf8_lossy(&shown).into_owned()
            });
            shown.map_err(|error| error.kind())
        });
        assert!(
            arguments.as_ref().unwrap().contains("trace"),
            "{arguments:?}"
        );
        match environment {
            Ok(environment) => assert!(environment.contains("GATEHAND_HOME"), "{environment}"),
            // Only root may look into a process that can't be dumped.
            Err(kind) => assert_eq!(kind, ErrorKind::PermissionDenied),
        }
        self.see_files(scanner);
        child
    }

    /// Kills a command while it waits, and looks at what it leaves.
    fn kill(&self, scanner: &Scanner, command: (&[&str], &'static str), input: &str) {
        let mut child = self.look_at(scanner, command, input);
        child.kill().unwrap();
        let ended = self.finish(scanner, "a killed command", child);
        assert_eq!(ended.code, -1, "{ended:?}");
        self.way.release();
        self.way.settle();
    }

    /// Lets a command be looked at and come to its end.
    fn watch(&self, scanner: &Scanner, command: (&[&str], &'static str), input: &str) -> Ended {
        let child = self.look_at(scanner, command, input);
        self.way.release();
        self.finish(scanner, &command.0.join(" "), child)
    }

    /// Asserts that no secret that went over the wire was seen.
    fn none_was_seen(&self) {
        let secrets = self.way.secrets();
        assert_eq!(secrets.tokens.len(), 1);
        assert!(secrets.api_keys.len() >= 3, "those of init and two rolls");
        assert!(
            secrets.idempotency_keys.len() >= 5,
            "one for each operation"
        );
        let all = [secrets.api_keys, secrets.idempotency_keys, secrets.tokens].concat();
        let parts: HashSet<&[u8]> = all
            .iter()
            .flat_map(|secret| secret.as_bytes().windows(PART))
            .collect();
        let seen = self.seen.borrow();
        for (what, bytes) in seen.iter() {
            if let Some(at) = bytes.windows(PART).position(|part| parts.contains(part)) {
                let around = &bytes[at.saturating_sub(100)..bytes.len().min(at + 100)];
                panic!("a secret is in {what}: {}", String::from_utf8_lossy(around));
            }
        }
        let has = |words: &str| {
            let words = words.as_bytes();
            seen.iter()
                .any(|(_, bytes)| bytes.windows(words.len()).any(|part| part == words))
        };
        // Whether the right things were looked at.
        assert!(has("SQLite format 3"), "no vault");
        assert!(has("bigevents"), "no identity");
        assert!(has("gatehand::agent"), "no log");
        let is_vault_log =
            |what: &str, bytes: &[u8]| what.ends_with("vault.db-wal") && !bytes.is_empty();
        let vault_logs = seen
            .iter()
            .filter(|(what, bytes)| is_vault_log(what, bytes));
        assert!(vault_logs.count() >= 4, "of init, update, roll and revoke");
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap();
    entries
        .map(|entry| entry.unwrap().path())
        .flat_map(|path| match path.is_dir() {
            true => files(&path),
            false => vec![path],
        })
        .collect()
}

/// What may go wrong with a request, and the exit code that tells it.
fn bad_weather(elsewhere: &Stranger) -> Vec<(Fault, i32)> {
    vec![
        (impostor::portal(), 7),
        (impostor::json_portal(), 7),
        (impostor::proxy_refusal(), 7),
        (impostor::redirect(&format!("{}/login", elsewhere.url)), 7),
        (impostor::away(503), 7),
        (impostor::not_now(409, Some(1)), 7),
        (Fault::CutAnswer, 8),
        (Fault::LoseAnswer, 8),
    ]
}

fn is_in_no_sight_through_a_whole_life(format: &'static str) {
    let (watched, scanner) = (Watched::new(format), Scanner::new());
    let way = &watched.way;
    let nothing = answer("200 OK", "application/json", "{}");
    let elsewhere = Stranger::answering(nothing);
    let device = watched.installation.add_device("Lane");
    let code = json!({
        "handshake_version": 1,
        "url": way.url,
        "token": device["initialization_token"],
    });
    let code = code.to_string();

    let init: &[&str] = &["init", "--payload", "-", "--timeout", "1"];
    for (fault, exit_code) in bad_weather(&elsewhere) {
        way.always(fault.clone());
        let ended = watched.run(&scanner, init, &code);
        assert_eq!(ended.code, exit_code, "{fault:?}: {ended:?}");
    }
    let init = &["init", "--payload", "-"];
    watched.kill(&scanner, (init, "/initialize"), &code);
    watched
        .watch(&scanner, (init, "/initialize"), &code)
        .succeeds();

    let info: (&[&str], _) = (&["info"], "/device/info");
    let update: (&[&str], _) = (&["update", "--hardware-model", "Other"], "/device/update");
    let roll: (&[&str], _) = (&["roll", "--json"], "/device/roll");
    let request: (&[&str], _) = (
        &["request", "GET", "/api/v1/device/info", "--include"],
        "/device/info",
    );
    for (arguments, words) in [info, update, roll, request] {
        let impatient = [arguments, &["--timeout", "1"]].concat();
        for (fault, exit_code) in bad_weather(&elsewhere) {
            way.always(fault.clone());
            let ended = watched.run(&scanner, &impatient, "");
            // A call that is not ours hands on whatever was answered.
            let is_handed_on = arguments == request.0 && matches!(ended.code, 0 | 19);
            let is_told = ended.code == exit_code || is_handed_on;
            assert!(is_told, "{fault:?}: {ended:?}");
        }
        watched.kill(&scanner, (arguments, words), "");
        let ended = watched.watch(&scanner, (arguments, words), "");
        ended.succeeds();
    }
    // What went wrong above was one operation in the end.
    watched.run(&scanner, roll.0, "").succeeds();
    watched.run(&scanner, &["status"], "").succeeds();
    watched.run(&scanner, &["status", "--json"], "").succeeds();
    let bundle = |name: &str| scanner.scratch().join(name).to_str().unwrap().to_owned();
    let check = |name: &str, code| {
        let ended = watched.run(&scanner, &["check", "--bundle", &bundle(name)], "");
        assert_eq!(ended.code, code, "{ended:?}");
    };
    check("well.json", 0);

    way.always(impostor::refusal(401, "Invalid token."));
    for command in [&["info"][..], &["roll"], request.0] {
        assert_eq!(watched.run(&scanner, command, "").code, 17, "{command:?}");
    }
    check("rejected.json", 23);
    way.heal();
    watched.run(&scanner, &["info", "--json"], "").succeeds();
    // A refusal that repeats what it was sent.
    way.follow(|request| impostor::refusal(403, request));
    for (arguments, _) in [info, update, roll, request] {
        let ended = watched.run(&scanner, arguments, "");
        assert!([6, 19].contains(&ended.code), "{ended:?}");
        let repeated = format!("{}{}", ended.stdout, ended.stderr);
        assert!(repeated.contains("Device ****"), "{repeated}");
    }
    check("repeating.json", 23);
    way.heal();
    watched.run(&scanner, &["info"], "").succeeds();

    for address in [
        format!("{}/api/v1/device/info", elsewhere.url),
        elsewhere.url.trim_start_matches("http:").to_owned(),
        "https://unknown.invalid/".to_owned(),
    ] {
        let ended = watched.run(&scanner, &["request", "GET", &address], "");
        assert_eq!(ended.code, 2, "{ended:?}");
    }

    let other = Scanner::new();
    let existing = json!({
        "url": way.url,
        "key": way.secrets().api_keys.last().unwrap(),
        "serial": device["unique_serial"],
    });
    let existing = existing.to_string();
    let adopt = &["adopt", "-"];
    watched.kill(&other, (adopt, "/device/info"), &existing);
    watched
        .watch(&other, (adopt, "/device/info"), &existing)
        .succeeds();

    let revoke: (&[&str], _) = (&["revoke", "--yes"], "/device/revoke");
    watched.kill(&scanner, revoke, "");
    watched.watch(&scanner, revoke, "").succeeds();
    assert_eq!(watched.run(&scanner, &["info"], "").code, 16);
    assert_eq!(watched.run(&other, &["roll"], "").code, 16);

    watched.see("the server's log", watched.installation.log().into());
    watched.none_was_seen();
    assert_eq!(elsewhere.requests(), Vec::<String>::new());
}

#[test]
fn no_secret_is_seen_through_a_whole_life_with_a_log_for_people() {
    is_in_no_sight_through_a_whole_life("text");
}

#[test]
fn no_secret_is_seen_through_a_whole_life_with_a_log_for_machines() {
    is_in_no_sight_through_a_whole_life("json");
}

/// What a secret may be written as.
fn writings(secret: &[u8]) -> Vec<String> {
    let hex = |case: fn(u8) -> String| secret.iter().map(|byte| case(*byte)).collect::<String>();
    let mut writings = vec![
        String::from_utf8_lossy(secret).into_owned(),
        hex(|byte| format!("{byte:02x}")),
        hex(|byte| format!("{byte:02X}")),
        hex(|byte| format!("%{byte:02X}")),
        hex(|byte| match byte.is_ascii_alphanumeric() {
            true => char::from(byte).to_string(),
            false => format!("%{byte:02X}"),
        }),
    ];
    for engine in [BASE64_STANDARD, BASE64_URL_SAFE] {
        // Wherever it begins in what is encoded.
        for before in 0..3 {
            let whole = [&b"..."[..before], secret].concat();
            let coded = engine.encode(whole);
            writings.push(coded[4..coded.len() - 4].to_owned());
        }
    }
    writings
}

#[test]
fn a_bundle_for_support_holds_no_secret_however_it_is_written() {
    const DOOR: &str = "d00r-s3cret/of+this=kiosk!";
    const PROXY: &str = "pr0xy-p@ss/word+of=kiosk!";
    let installation = Arc::new(Installation::start());
    let way = FaultyWay::to(Arc::clone(&installation));
    let scanner = Scanner::new();
    let token = installation.create_device("Lane");
    scanner.init(&way.url, &token, &[]).succeeds();
    way.follow(|request| {
        let is_operation = ["/device/roll", "/device/initialize"]
            .iter()
            .any(|path| request.contains(path));
        match is_operation {
            true => Fault::LoseAnswer,
            false => Fault::Pass,
        }
    });
    let ended = scanner.run(&["roll", "--timeout", "1"]);
    assert_eq!(ended.code, 8, "{ended:?}");
    let unfinished = installation.create_device("Another");
    let init = ["--replace", "--timeout", "1"];
    assert_eq!(scanner.init(&way.url, &unfinished, &init).code, 8);

    let file = |name: &str, contents: &str| {
        let path = scanner.scratch().join(name);
        fs::write(&path, contents).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        path.display().to_string()
    };
    let secret = file("door.secret", DOOR);
    let proxy = format!("http://me:{}@127.0.0.1:9", url_encoded(PROXY));
    let settings = file(
        "agent.toml",
        &format!(
            "proxy = \"{proxy}\"\nno_proxy = [\"localhost\"]\n[[door]]\nsocket = \"/tmp/a.sock\"\nlisten = \"127.0.0.1:9\"\nsecret_file = \"{secret}\"\n"
        ),
    );
    let mut seen = Vec::new();
    for more in [
        &[][..],
        &["--url", "https://tickets.example"],
        &["--log", "trace"],
    ] {
        let path = scanner
            .scratch()
            .join(format!("bundle-{}.json", seen.len()));
        let arguments = [&["check", "--bundle", path.to_str().unwrap()], more].concat();
        let mut command = scanner.command(&arguments);
        let ended = end(command
            .env("GATEHAND_SETTINGS", &settings)
            .output()
            .unwrap());
        let bundle = fs::read_to_string(&path).unwrap();
        assert!(bundle.contains("127.0.0.1:9"), "{bundle}");
        seen.push(format!("{bundle}\n{}\n{}", ended.stdout, ended.stderr));
    }
    let all = way.secrets();
    assert!(all.api_keys.len() >= 2 && all.idempotency_keys.len() >= 3);
    let texts = [
        all.api_keys,
        all.idempotency_keys,
        all.tokens,
        vec![DOOR.to_owned(), PROXY.to_owned()],
    ];
    let texts = texts.concat().into_iter().map(String::into_bytes);
    let vault_key = fs::read(scanner.home().join("vault.key")).unwrap();
    for secret in texts.chain([vault_key]) {
        for writing in writings(&secret) {
            let is_seen = seen.iter().any(|seen| seen.contains(&writing));
            assert!(!is_seen, "{writing} is in {seen:#?}");
        }
    }
}

#[test]
fn a_proxys_password_is_not_shown_however_its_address_is_written() {
    let scanner = Scanner::new();
    for address in [
        " http://me:Pr0xyPassw0rd@127.0.0.1:9",
        "http://me:Pr0xyPassw0rd@127.0.0.1:9 ",
        "\thttp://me:Pr0xyPassw0rd@127.0.0.1:9",
        "http://me:Pr0xy Passw0rd@127.0.0.1:9",
        "http://me:Pr0xyPassw0rd with\ttabs@127.0.0.1:9",
        " me:Pr0xyPassw0rd@127.0.0.1:9",
        "me:Pr0xyPassw0rd @127.0.0.1:9",
        "me:Pr0xyPassw0rd://@127.0.0.1:9",
        "me:Pr0xyPassw0rd@word@127.0.0.1:9",
    ] {
        let bundle = scanner.scratch().join("bundle.json");
        let url = "https://tickets.example";
        let bundling = ["check", "--url", url, "--bundle", bundle.to_str().unwrap()];
        let log = ["--log", "trace"];
        for arguments in [
            &["config"][..],
            &["config", "--json"],
            &[&bundling[..], &log].concat(),
            &["check", "--url", url, "--json"],
            &["info", "--log", "trace"],
        ] {
            let mut command = scanner.command(arguments);
            let ended = end(command.env("HTTPS_PROXY", address).output().unwrap());
            let written = fs::read_to_string(&bundle).unwrap_or_default();
            let said = format!("{}{}{written}", ended.stdout, ended.stderr);
            for part in ["Pr0xy", "Passw0rd", "with\\t"] {
                assert!(!said.contains(part), "{address:?}, {arguments:?}: {said}");
            }
        }
        fs::remove_file(&bundle).unwrap();
    }
}

fn url_encoded(text: &str) -> String {
    let bytes = text.bytes().map(|byte| match byte.is_ascii_alphanumeric() {
        true => char::from(byte).to_string(),
        false => format!("%{byte:02X}"),
    });
    bytes.collect()
}

/// Whether a command that has begun leaves a core dump when it crashes.
fn leaves_core_dump(arguments: &[&str], environment: &[(&str, &str)]) -> bool {
    let scanner = Scanner::new();
    let command = scanner.command(arguments);
    let mut shell = Command::new("sh");
    let mut child = shell
        .args([
            "-c",
            // What runs behind a shell's `&` ignores SIGQUIT, and so would its children.
            "ulimit -c unlimited; exec env --default-signal=QUIT \"$0\" \"$@\"",
        ])
        .arg(command.get_program())
        .args(command.get_args())
        .env("GATEHAND_HOME", scanner.home())
        .envs(environment.iter().copied())
        .current_dir(scanner.scratch())
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    match arguments[0] {
        "serve" => {
            let mut line = String::new();
            BufReader::new(child.stderr.take().unwrap())
                .read_line(&mut line)
                .unwrap();
            assert!(line.starts_with("Serving"), "{line}");
        }
        _ => {
            input.write_all(b"x").unwrap();
            let begun = Instant::now();
            while rustix::io::ioctl_fionread(&input).unwrap() > 0 {
                assert!(begun.elapsed() < Duration::from_secs(60));
                thread::sleep(Duration::from_millis(5));
            }
        }
    }
    let process = Pid::from_child(&child);
    kill_process(process, Signal::QUIT).unwrap();
    let status = child.wait().unwrap();
    assert_eq!(status.signal(), Some(Signal::QUIT.as_raw()));
    status.core_dumped()
}

#[test]
fn a_command_that_crashes_leaves_no_keys_in_a_core_dump_unless_it_is_allowed_to() {
    for arguments in [
        &["serve", "--listen", "127.0.0.1:0", "--database", "x.db"][..],
        &["init", "--payload", "-"],
    ] {
        assert!(!leaves_core_dump(arguments, &[]), "{arguments:?}");
        if !leaves_core_dump(arguments, &[("GATEHAND_CORE_DUMPS", "1")]) {
            eprintln!("SKIPPED: this system keeps no core dumps");
        }
    }
}

#[test]
fn a_secret_in_the_place_of_a_path_or_name_is_not_repeated() {
    let scanner = Scanner::new();
    let database = scanner.scratch().join("gatehand.db");
    let database = database.to_str().unwrap();
    let created = ["admin", "--database", database, "organizer", "create"];
    scanner
        .run(&[&created[..], &["bigevents", "--name", "Big Events"]].concat())
        .succeeds();
    let token = "kpp4jn8g2ynzonp6";
    let key = "6ur3tfn2".repeat(8);
    let link = format!("pretixscan://setup?url=https%3A%2F%2Fpretix.eu&token={token}");
    let payload =
        format!(r#"{{"handshake_version":1,"url":"https://pretix.eu","token":"{token}"}}"#);
    let existing = format!(r#"{{"url":"https://pretix.eu","key":"{key}","serial":"S"}}"#);
    for secret in [token, &key, &link, &payload, &existing] {
        let admin = |arguments: &[&'static str]| -> Vec<String> {
            let begin = ["admin", "--database", database];
            let all = begin.iter().chain(arguments);
            all.map(|argument| argument.replace("SECRET", secret))
                .collect()
        };
        let plain = |arguments: &[&str]| -> Vec<String> {
            let all = arguments.iter();
            all.map(|argument| argument.replace("SECRET", secret))
                .collect()
        };
        for arguments in [
            plain(&["init", "--qr-image", "SECRET"]),
            plain(&["init", "--qr-image", "SECRET", "--json"]),
            plain(&["init", "--payload", payload.as_str(), "--ca-file", "SECRET"]),
            plain(&["init", "--url", "SECRET", "--token", "t"]),
            plain(&["init", "SECRET"]),
            plain(&["adopt", "SECRET"]),
            plain(&["adopt", "SECRET", "--json"]),
            plain(&["request", "GET", "/x", "--body", "SECRET"]),
            plain(&["request", "SECRET", "/x"]),
            plain(&["request", "GET", "SECRET"]),
            plain(&["man", "SECRET"]),
            plain(&["admin", "--database", "SECRET", "organizer", "list"]),
            plain(&["serve", "--database", "missing/SECRET/x.db"]),
            plain(&["serve", "--database", database, "--secret-file", "SECRET/x"]),
            plain(&["serve", "--database", database, "--public-url", "SECRET"]),
            admin(&["import", "SECRET"]),
            admin(&["gate", "list", "SECRET"]),
            admin(&["gate", "list", "SECRET", "--json"]),
            admin(&["device", "list", "SECRET"]),
            admin(&["device", "show", "bigevents", "SECRET"]),
            admin(&[
                "device",
                "create",
                "--name",
                "Lane",
                "bigevents",
                "--all-events",
                "--gate",
                "SECRET",
            ]),
            admin(&[
                "device",
                "create",
                "--name",
                "Lane",
                "bigevents",
                "--event",
                "SECRET",
            ]),
            admin(&["team", "create", "bigevents", "T", "--permission", "SECRET"]),
            admin(&[
                "event",
                "create",
                "bigevents",
                "a",
                "--name",
                "A",
                "--from",
                "SECRET",
            ]),
        ] {
            let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
            let ended = end(scanner
                .command(&arguments)
                .current_dir(scanner.scratch())
                .output()
                .unwrap());
            assert_ne!(ended.code, 0, "{arguments:?} {ended:?}");
            let said = format!("{}{}", ended.stdout, ended.stderr);
            let is_repeated = said.contains(token) || said.contains(&key);
            assert!(!is_repeated, "{arguments:?}: {said}");
        }
    }
    let variable = scanner
        .command(&["info"])
        .env("GATEHAND_CA_FILE", &key)
        .output();
    let variable = end(variable.unwrap());
    variable.complains(1, "not repeated");
    assert!(!variable.stderr.contains(&key), "{variable:?}");

    // A path is named, whatever its directories are called.
    let path = scanner
        .scratch()
        .join("internationalmusicfestival2026/kpp4.jpg");
    scanner
        .run(&["init", "--qr-image", path.to_str().unwrap()])
        .complains(1, path.to_str().unwrap());
}
