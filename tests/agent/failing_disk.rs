//! A disk that fails at any moment costs no device: the command says so in words, what was there
//! stays, and the same command goes on once the disk works again.

use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use gatehand::wire::IDEMPOTENCY_HEADER;
use serde_json::Value;

use crate::common::installation::Installation;
use crate::common::operations::{self, Before, OPERATIONS, Operation, Prepared, Progress};
use crate::common::recording::{can_record, strace, with_program};
use crate::common::scanner::{Ended, Scanner, end};
use crate::common::server::ORGANIZER;
use crate::common::skip;
use crate::common::stranger::{Stranger, answer, identity, info};

/// Size of a page of the vault, in bytes.
const PAGE: usize = 4096;

/// What fails.
struct Fault {
    /// The system call that fails first.
    call: &'static str,
    /// Calls that fail along with it, from the first on.
    along: &'static [&'static str],
    error: &'static str,
    /// Whether all later calls fail too.
    lasts: bool,
}

#[rustfmt::skip]
const FAULTS: &[Fault] = &[
    Fault { call: "pwrite64", along: &[], error: "ENOSPC", lasts: true },
    Fault { call: "pwrite64", along: &[], error: "EIO", lasts: false },
    Fault { call: "pread64", along: &[], error: "EIO", lasts: false },
    Fault { call: "read", along: &[], error: "EIO", lasts: false },
    Fault { call: "write", along: &[], error: "ENOSPC", lasts: false },
    Fault { call: "write", along: &[], error: "EIO", lasts: false },
    Fault { call: "fsync", along: &[], error: "EIO", lasts: false },
    Fault { call: "fsync", along: &[], error: "EIO", lasts: true },
    Fault { call: "fdatasync", along: &[], error: "EIO", lasts: false },
    Fault { call: "ftruncate", along: &[], error: "EIO", lasts: false },
    Fault { call: "ftruncate", along: &[], error: "ENOSPC", lasts: true },
    Fault { call: "openat", along: &[], error: "EIO", lasts: false },
    Fault { call: "openat", along: &[], error: "ENOSPC", lasts: false },
    Fault { call: "mkdir", along: &[], error: "ENOSPC", lasts: false },
    Fault { call: "linkat", along: &[], error: "EIO", lasts: false },
    Fault { call: "linkat", along: &["rename"], error: "ENOSPC", lasts: true },
    Fault { call: "rename", along: &[], error: "EIO", lasts: false },
    Fault { call: "unlink", along: &[], error: "EIO", lasts: false },
    Fault { call: "fchmod", along: &[], error: "EIO", lasts: false },
];

/// How often a fault is tried until it hits the vault.
const ATTEMPTS: usize = 5;

/// What it takes to set a damaged vault aside.
const SET_ASIDE: [&str; 2] = ["rename", "fsync"];

/// A call that an operation makes on its vault.
struct Call {
    name: String,
    /// Counts up from 1 for each name.
    number: usize,
    creates: bool,
}

/// The calls that fail one by one. Of many that do the same to a file between two syncs, the first
/// and the last stand for all.
fn calls(operation: &Operation, server: &Installation) -> Vec<Call> {
    let prepared = operation.prepare(server);
    let mut names: Vec<_> = FAULTS.iter().map(|fault| fault.call).collect();
    names.dedup();
    let (ended, log) = run(&prepared, &[format!("trace=?{}", names.join(",?"))]);
    ended.succeeds();
    let home = prepared.scanner.home();
    let home = home.to_str().unwrap();
    let mut counts: HashMap<(&str, &str), usize> = HashMap::new();
    let mut calls: BTreeMap<(usize, &str, &str), Vec<Call>> = BTreeMap::new();
    let mut syncs = 0;
    for line in log.lines() {
        let Some((process, line)) = line.split_once(' ') else {
            continue;
        };
        let Some((name, arguments)) = line.trim_start().split_once('(') else {
            continue;
        };
        let count = counts.entry((process, name)).or_default();
        *count += 1;
        if !arguments.contains(home) {
            continue;
        }
        syncs += usize::from(name == "fsync");
        // The open file, but of other calls everything, so that no two are the same.
        let file = match name {
            "pread64" | "pwrite64" => arguments.split(',').next().unwrap(),
            _ => arguments,
        };
        let same = calls.entry((syncs, name, file)).or_default();
        same.truncate(1);
        same.push(Call {
            name: name.to_owned(),
            number: *count,
            creates: arguments.contains("O_CREAT"),
        });
    }
    calls.into_values().flatten().collect()
}

/// Runs the operation with these options of `strace -e`; how it ended, and the log.
fn run(prepared: &Prepared, options: &[String]) -> (Ended, String) {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let command = prepared.command();
    let mut traced = strace(&command, &log);
    traced.arg("-y");
    for option in options {
        traced.args(["-e", option]);
    }
    let ended = end(with_program(traced, &command).output().unwrap());
    (ended, fs::read_to_string(&log).unwrap())
}

impl Fault {
    /// Makes the call with this number fail.
    fn options(&self, number: usize) -> Vec<String> {
        let from = if self.lasts { "+" } else { "" };
        let calls = [&[self.call], self.along].concat().join(",?");
        let mut options = vec![
            format!("trace=?{calls}"),
            format!(
                "inject={}:error={}:when={number}{from}",
                self.call, self.error
            ),
        ];
        let along = self.along.iter();
        options.extend(along.map(|call| format!("inject=?{call}:error={}", self.error)));
        options
    }
}

/// The operation ends well or says in words what failed, and either way the device is not lost.
/// Returns how far it came, or nothing if another call failed than one on the vault: what is read of
/// the machine before is not always the same.
fn survives(
    operation: &Operation,
    server: &Installation,
    fault: &Fault,
    number: usize,
) -> Option<Progress> {
    let prepared = operation.prepare(server);
    let home = prepared.scanner.home();
    let is_damaged = operation.before == Before::Damaged;
    let before = if is_damaged {
        Vec::new()
    } else {
        operations::entries(&home)
    };
    let (ended, log) = run(&prepared, &fault.options(number));
    let what = format!(
        "{}: {} of {} number {number}: {ended:?}",
        operation.name, fault.error, fault.call
    );
    let failed = log.lines().find(|line| line.ends_with("(INJECTED)"))?;
    if !failed.contains(home.to_str().unwrap()) {
        return None;
    }
    assert!(matches!(ended.code, 0 | 10 | 11), "{what}");
    assert!(!ended.stderr.contains("panicked"), "{what}");
    let is_set_aside = ended.stderr.contains("was kept as");
    assert!(
        !is_set_aside || is_damaged,
        "a good vault was set aside: {what}"
    );
    let says_why = ended.stderr.lines().any(|line| line.starts_with("error: "));
    assert!(ended.code == 0 || says_why, "{what}");

    let status = prepared.scanner.run(&["status"]);
    let is_expected = match status.code {
        0 | 13 => true,
        11 => is_damaged,
        16 => !operation.keeps_access,
        _ => false,
    };
    assert!(is_expected, "{status:?} after {what}");
    let reached = if status.code == 11 {
        Progress::NotBegun
    } else {
        operations::progress(&before, &operations::entries(&home))
    };
    if reached == Progress::Finished {
        operation.assert_done(&home, &what);
        return Some(reached);
    }
    assert_ne!(ended.code, 0, "{what}");
    // The server may have used the token up: then only the first idempotency key gets anywhere.
    let again = end(prepared.command().output().unwrap());
    assert_eq!(again.code, 0, "{again:?} after {what}");
    let now = operations::progress(&before, &operations::entries(&home));
    assert_eq!(now, Progress::Finished, "{what}");
    operation.assert_done(&home, &what);
    Some(reached)
}

#[test]
fn a_disk_that_fails_at_any_call_costs_no_device() {
    if !can_record() {
        return;
    }
    let server = &Installation::start();
    std::thread::scope(|threads| {
        for operation in OPERATIONS {
            threads.spawn(move || fails_at_each_call(operation, server));
        }
    });
}

fn fails_at_each_call(operation: &Operation, server: &Installation) {
    let calls = calls(operation, server);
    let mut reached = BTreeMap::new();
    for fault in FAULTS {
        let fails = |call: &&Call| {
            // A full disk only keeps new files from being opened.
            let is_full = fault.call == "openat" && fault.error == "ENOSPC";
            // Once it is set aside, a new vault is made as for a new device.
            let is_new = operation.before != Before::Damaged || SET_ASIDE.contains(&fault.call);
            call.name == fault.call && (call.creates || !is_full) && is_new
        };
        for call in calls.iter().filter(fails) {
            let progress = (0..ATTEMPTS)
                .find_map(|_| survives(operation, server, fault, call.number))
                .expect("a call that fails on the vault");
            *reached.entry(format!("{progress:?}")).or_insert(0) += 1;
        }
    }
    // Before the operation is written down, before the answer is, and after.
    assert_eq!(reached.len(), 3, "{}: {reached:?}", operation.name);
}

/// The header of a request that names its idempotency key.
fn idempotency_key(request: &str) -> &str {
    let name = IDEMPOTENCY_HEADER.to_ascii_lowercase();
    let is_key = |line: &&str| line.to_ascii_lowercase().starts_with(&name);
    request.lines().find(is_key).unwrap()
}

#[test]
fn an_answer_that_cannot_be_kept_is_asked_for_again_under_the_same_key() {
    if !can_record() {
        return;
    }
    let key = "k3y".repeat(21) + "k";
    let prepare = || {
        let (scanner, server) = (Scanner::new(), Stranger::answering(identity(&key)));
        let arguments = ["init", "--url", &server.url, "--token", "t"].map(str::to_owned);
        let arguments = arguments.to_vec();
        (Prepared { scanner, arguments }, server)
    };
    let (prepared, _server) = prepare();
    let (_, log) = run(&prepared, &["trace=pwrite64,writev,sendto".to_owned()]);
    let (before, after) = log.split_at(log.find("POST").unwrap());
    let sent = before.matches("pwrite64(").count();
    assert!(after.contains("pwrite64("), "the answer is not kept");

    for number in sent + 1..=sent + 4 {
        for fault in FAULTS.iter().filter(|fault| fault.call == "pwrite64") {
            let (prepared, server) = prepare();
            let (ended, _) = run(&prepared, &fault.options(number));
            ended.complains(10, "can't write to the vault");
            prepared
                .scanner
                .run(&["status"])
                .complains(13, "has not read the answer");
            prepared.scanner.run(&prepared.arguments()).succeeds();
            let requests = server.requests();
            let keys: Vec<_> = requests
                .iter()
                .map(|request| idempotency_key(request))
                .collect();
            assert_eq!(keys.len(), 2);
            assert_eq!(keys[0], keys[1]);
        }
    }
}

/// Whether a folder can be made read-only for one command.
fn can_mount() -> bool {
    skip::can_run("unshare", &["--user", "--map-root-user", "--mount", "true"])
}

/// Runs the command with a vault's folder that is read-only for it.
fn run_read_only(scanner: &Scanner, command: &Command) -> Ended {
    let script = "mount --bind \"$GATEHAND_HOME\" \"$GATEHAND_HOME\" \
        && mount -o remount,bind,ro \"$GATEHAND_HOME\" || exit 99; exec \"$@\"";
    let mut read_only = Command::new("unshare");
    read_only.args([
        "--user",
        "--map-root-user",
        "--mount",
        "sh",
        "-c",
        script,
        "sh",
    ]);
    read_only.env("GATEHAND_HOME", scanner.home());
    end(with_program(read_only, command).output().unwrap())
}

#[test]
fn a_read_only_disk_keeps_the_device_through_every_operation() {
    if !can_mount() {
        return;
    }
    let server = Installation::start();
    for operation in OPERATIONS {
        let prepared = operation.prepare(&server);
        let command = prepared.command();
        fs::create_dir_all(prepared.scanner.home()).unwrap();
        let before = prepared.scanner.files();
        let ended = run_read_only(&prepared.scanner, &command);
        ended.complains(10, "can't write");
        assert!(prepared.scanner.files() == before, "{}", operation.name);
        end(prepared.command().output().unwrap()).succeeds();
    }
}

#[test]
fn a_read_only_disk_hides_no_answer_that_came() {
    if !can_mount() {
        return;
    }
    let (server, scanner) = (Installation::start(), Scanner::new());
    let token = server.create_device("Lane 1");
    scanner.init(&server.url, &token, &[]).succeeds();
    server.admin(&["device", "rename", ORGANIZER, "1", "Lane 9"]);
    let before = scanner.files();
    for command in [
        &["info", "--json"][..],
        &["info"],
        &["request", "GET", "/api/v1/device/info"],
    ] {
        let ended = run_read_only(&scanner, &scanner.command(command));
        assert!(ended.succeeds().stdout.contains("Lane 9"), "{ended:?}");
        ended.complains(0, "can't write");
        let words = ended.stderr.matches("readonly database").count();
        assert_eq!(words, 1, "{ended:?}");
    }
    assert!(scanner.files() == before);
    scanner.run(&["info", "--media-keys"]).succeeds();

    // Without anything new there is nothing to write, and nothing to warn of.
    let before = scanner.files();
    for command in [
        &["info"][..],
        &["info", "--media-keys"],
        &["event-selection"],
        &["request", "POST", "/api/v1/device/nothing"],
    ] {
        let ended = run_read_only(&scanner, &scanner.command(command));
        assert!(matches!(ended.code, 0 | 19), "{ended:?}");
        assert!(!ended.stderr.contains("can't write"), "{ended:?}");
    }
    assert!(scanner.files() == before);
}

#[test]
fn a_read_only_disk_hides_no_word_on_the_key() {
    if !can_mount() {
        return;
    }
    let refused = |detail: &str| {
        let body = format!(r#"{{"detail": "{detail}"}}"#);
        answer("401 Unauthorized", "application/json", &body)
    };
    for (detail, code, state) in [
        ("Invalid token.", 17, "rejected"),
        ("Device access has been revoked.", 16, "revoked"),
    ] {
        let refusal = refused(detail);
        let answers = vec![identity("k3y"), info("k3y"), refusal];
        let (server, scanner) = (Stranger::answering_in_turn(answers), Scanner::new());
        scanner.init(&server.url, "t", &[]).succeeds();
        scanner.run(&["info"]).succeeds();
        for command in [
            &["info"][..],
            &["event-selection"],
            &["request", "GET", "/api/v1/x/"],
        ] {
            let ended = run_read_only(&scanner, &scanner.command(command));
            ended.complains(code, "can't write");
            assert_eq!(scanner.status()["state"], "enrolled");
        }
        assert_eq!(scanner.run(&["info"]).code, code);
        assert_eq!(scanner.status()["state"], state);
    }

    // Nor that it works again.
    let mut answers = vec![
        identity("k3y"),
        refused("Invalid token."),
        refused("Invalid token."),
    ];
    answers.push(info("k3y"));
    let (server, scanner) = (Stranger::answering_in_turn(answers), Scanner::new());
    scanner.init(&server.url, "t", &[]).succeeds();
    assert_eq!(scanner.run(&["info"]).code, 17);
    let ended = run_read_only(&scanner, &scanner.command(&["info", "--json"]));
    let told: Value = serde_json::from_str(&ended.succeeds().stdout).unwrap();
    assert_eq!(told["state"], "enrolled");
    assert_eq!(scanner.status()["state"], "rejected");
    scanner.run(&["info"]).succeeds();
    assert_eq!(scanner.status()["state"], "enrolled");
}

#[test]
fn a_truncated_vault_is_told_and_left_as_it_is() {
    let server = Stranger::answering(identity("k3y"));
    let enrolled = Scanner::new();
    enrolled.init(&server.url, "first", &[]).succeeds();
    let vault = enrolled.home().join("vault.db");
    let whole = fs::read(&vault).unwrap();
    let lengths = (0..whole.len()).step_by(PAGE);
    let odd = [
        1,
        15,
        16,
        99,
        100,
        511,
        512,
        PAGE - 1,
        PAGE + 1,
        whole.len() - PAGE - 1,
    ];
    for length in lengths.chain(odd) {
        fs::write(&vault, &whole[..length]).unwrap();
        let asked = server.requests().len();
        enrolled.run(&["status"]).complains(11, "restore");
        enrolled
            .init(&server.url, "second", &[])
            .complains(11, "restore");
        assert!(
            fs::read(&vault).unwrap() == whole[..length],
            "{length} bytes"
        );
        assert_eq!(server.requests().len(), asked, "{length} bytes");
    }
    fs::write(&vault, &whole).unwrap();
    enrolled.run(&["status"]).succeeds();
}

/// Fills the disk that a process has at `folder`, which only that process may see.
fn fill(process: u32, folder: &Path) {
    let inside = folder.strip_prefix("/").unwrap();
    let path = Path::new("/proc").join(process.to_string()).join("root");
    let mut file = File::create(path.join(inside).join("filler")).unwrap();
    for size in [4096, 512, 1] {
        while file.write_all(&vec![0; size]).is_ok() {}
    }
}

#[test]
fn a_disk_that_fills_while_the_answer_is_under_way_costs_no_device() {
    if !skip::can_run("unshare", &["--user", "--map-root-user", "--mount", "true"]) {
        return;
    }
    // Names of the length that servers take, and far beyond it.
    for text in ["Lane 1".to_owned(), "👩".repeat(190), "\u{1}".repeat(2000)] {
        let child = Arc::new(AtomicU32::new(0));
        let scanner = Scanner::new();
        let (filled, home) = (Arc::clone(&child), scanner.home());
        let server = Stranger::answering_by(move |request| {
            let is_roll = request.contains("/roll ");
            let process = loop {
                match filled.load(Ordering::SeqCst) {
                    0 => thread::yield_now(),
                    process => break process,
                }
            };
            fill(process, &home);
            let number = if request.contains("t0ken2") { 2 } else { 1 };
            let device = serde_json::json!({
                "organizer": text, "device_id": number, "unique_serial": format!("{number}{text}"),
                "api_token": if is_roll { "rolled" } else { "k3y" }, "name": text,
                "security_profile": text,
                "gate": {"id": 1, "name": text, "identifier": text},
            });
            answer("200 OK", "application/json", &device.to_string())
        });
        fs::create_dir_all(scanner.home()).unwrap();
        let program = env!("CARGO_BIN_EXE_gatehand");
        // All in one place that is gone with the shell: what is stored on the full disk is read there.
        let script = format!(
            "mount -t tmpfs -o size=1m,mode=700 none \"$GATEHAND_HOME\" || exit 99
             empty() {{ rm -f \"$GATEHAND_HOME/filler\"; }}
             set -e
             {program} init --url {url} --token first; empty
             {program} roll; empty
             {program} init --url {url} --token t0ken2 --replace; empty
             {program} status --json",
            url = server.url
        );
        let mut command = scanner.command(&[]);
        let mut shell = Command::new("unshare");
        shell.args(["--user", "--map-root-user", "--mount", "sh", "-c", &script]);
        shell.envs(
            command
                .env("GATEHAND_VOLATILE", "true")
                .get_envs()
                .filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned()))),
        );
        let running = shell
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.store(running.id(), Ordering::SeqCst);
        let ended = end(running.wait_with_output().unwrap());
        ended.succeeds();
        let document = ended
            .stdout
            .find("{\n")
            .map(|at| &ended.stdout[at..])
            .unwrap();
        let status: Value = serde_json::from_str(document).unwrap();
        assert_eq!(status["device_id"], 2);
        assert_eq!(status["state"], "enrolled");
    }
}
