//! A device moves to other hardware in a file, and the machine that it comes from works until it has arrived.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;

use rustix::fs::{CWD, FileType, Mode, mknodat};
use serde_json::Value;

use crate::common::installation::Installation;
use crate::common::pty::Pty;
use crate::common::scanner::{Ended, Scanner, end};
use crate::common::server::ORGANIZER;
use crate::common::skip::can_run;
use crate::common::way::Way;

const WORDS: &str = "correct horse battery";

/// A device, its server and the way to it.
struct Kiosk {
    installation: Installation,
    way: Way,
    old: Scanner,
    export: PathBuf,
    passphrase: PathBuf,
}

impl Kiosk {
    fn new() -> Self {
        let (installation, old) = (Installation::start(), Scanner::new());
        let way = Way::to(&installation.url);
        let token = installation.create_device("Lane 1");
        let enrolled = old.init(&way.url, &token, &["--hardware-model", "As wished"]);
        enrolled.succeeds();
        let passphrase = old.scratch().join("words");
        fs::write(&passphrase, WORDS).unwrap();
        Self {
            export: old.scratch().join("lane-1.gatehand"),
            installation,
            way,
            old,
            passphrase,
        }
    }

    fn command(&self, scanner: &Scanner, verb: &str) -> Command {
        let mut command = scanner.command(&["vault", verb, "--timeout", "2"]);
        command.arg(&self.export);
        command.arg("--passphrase-file").arg(&self.passphrase);
        command
    }

    fn run(&self, scanner: &Scanner, verb: &str, more: &[&str]) -> Ended {
        end(self.command(scanner, verb).args(more).output().unwrap())
    }

    fn exported(self) -> Self {
        self.run(&self.old, "export", &[]).succeeds();
        self
    }

    fn import(&self, scanner: &Scanner) -> Ended {
        self.run(scanner, "import", &[])
    }
}

fn pending(scanner: &Scanner) -> Value {
    scanner.status()["pending"].clone()
}

#[test]
fn a_device_moves_and_the_machine_that_it_comes_from_has_no_access_any_more() {
    let kiosk = Kiosk::new();
    kiosk
        .installation
        .admin(&["media-keys", "create", ORGANIZER, "7"]);
    let media_keys = ["info", "--media-keys", "--json"];
    let known: Value = kiosk.old.told(&media_keys[..2]);
    let kiosk = kiosk.exported();
    let mode = fs::metadata(&kiosk.export).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    kiosk.old.run(&["info"]).succeeds();

    let new = Scanner::new();
    kiosk.import(&new).succeeds();
    assert_eq!(
        new.status()["unique_serial"],
        kiosk.old.status()["unique_serial"]
    );
    let told = kiosk.old.run(&["info"]);
    told.complains(17, "does not accept this device's key");
    told.complains(17, "that it was imported on");
    let reported = new.status()["reported"].clone();
    assert_eq!(reported["hardware_model"], "As wished");
    let updates = kiosk.way.requests();
    let updates = updates
        .iter()
        .filter(|request| request.contains("/device/update"));
    assert!(updates.count() > 0, "this machine was not reported");

    let moved: Value = new.told(&media_keys[..2]);
    assert_eq!(moved["medium_key_sets"], known["medium_key_sets"]);
    new.run(&["roll"]).succeeds();
    new.run(&["info"]).succeeds();
}

#[test]
fn a_device_arrives_without_a_network_and_the_next_command_replaces_its_key() {
    let kiosk = Kiosk::new().exported();
    let new = Scanner::new();
    kiosk.way.lose_requests();
    let ended = kiosk.import(&new);
    ended.complains(8, "its key is not replaced yet");
    ended.complains(8, "the next command");
    assert_eq!(pending(&new), "roll");
    kiosk.way.lose_nothing();
    kiosk.old.run(&["info"]).succeeds();
    new.run(&["info"]).succeeds();
    assert_eq!(pending(&new), Value::Null);
    kiosk.old.run(&["info"]).complains(17, "does not accept");
    new.run(&["info"]).succeeds();
}

#[test]
fn an_answer_that_is_lost_on_the_way_in_is_heard_by_the_next_command() {
    let kiosk = Kiosk::new().exported();
    let new = Scanner::new();
    kiosk.way.lose_answers();
    kiosk
        .import(&new)
        .complains(8, "its key is not replaced yet");
    kiosk.way.lose_nothing();
    new.run(&["info"]).succeeds();
    assert_eq!(pending(&new), Value::Null);
    kiosk.old.run(&["info"]).complains(17, "does not accept");
}

#[test]
fn a_key_that_was_replaced_meanwhile_is_told_and_nothing_of_it_is_kept() {
    let kiosk = Kiosk::new().exported();
    let [first, second] = [(); 2].map(|()| Scanner::new());
    kiosk.import(&first).succeeds();
    let told = kiosk.import(&second);
    told.complains(17, "was replaced since");
    assert_eq!(second.status()["state"], "not-enrolled");
    first.run(&["info"]).succeeds();
}

#[test]
fn a_key_that_was_replaced_before_there_was_a_network_is_told_and_is_no_lost_answer() {
    if !can_run("unshare", &["--map-root-user", "--net", "true"]) {
        return;
    }
    let kiosk = Kiosk::new().exported();
    let late = Scanner::new();
    let import = kiosk.command(&late, "import");
    let mut alone = Command::new("unshare");
    alone.args(["--map-root-user", "--net"]);
    alone.arg(import.get_program()).args(import.get_args());
    for (name, value) in import.get_envs() {
        match value {
            Some(value) => alone.env(name, value),
            None => alone.env_remove(name),
        };
    }
    let ended = end(alone.output().unwrap());
    ended.complains(8, "its key is not replaced yet");
    assert_eq!(pending(&late), "roll");

    kiosk.import(&Scanner::new()).succeeds();
    // It was written down here, but never sent: no answer to it can be lost.
    late.run(&["info"]).complains(17, "does not accept");
    assert_eq!(late.status()["state"], "rejected");
    assert_eq!(pending(&late), Value::Null);
}

#[test]
fn a_device_comes_into_no_vault_that_has_one() {
    let kiosk = Kiosk::new().exported();
    let new = Scanner::new();
    let token = kiosk.installation.create_device("Lane 2");
    new.init(&kiosk.way.url, &token, &[]).succeeds();
    let before = new.lasting_files();
    kiosk.import(&new).complains(12, "already enrolled");
    assert!(new.lasting_files() == before);
    kiosk.import(&kiosk.old).complains(12, "already enrolled");
    kiosk.old.run(&["info"]).succeeds();
}

#[test]
fn a_device_takes_the_place_of_another_where_that_is_said() {
    let kiosk = Kiosk::new().exported();
    let (new, serial) = (Scanner::new(), kiosk.old.status()["unique_serial"].clone());
    let token = kiosk.installation.create_device("Lane 2");
    new.init(&kiosk.way.url, &token, &[]).succeeds();
    let arrived = kiosk.run(&new, "import", &["--replace", "--revoke-old", "--json"]);
    let arrived: Value = serde_json::from_str(&arrived.succeeds().stdout).unwrap();
    assert_eq!(arrived["unique_serial"], serial);
    assert_eq!(arrived["replaced"]["name"], "Lane 2");
    assert_eq!(arrived["replaced"]["state"], "revoked");
    new.run(&["info"]).succeeds();
    // The same device again is not revoked: it is this one.
    let kiosk = Kiosk {
        export: kiosk.export.with_extension("again"),
        ..kiosk
    };
    kiosk.run(&new, "export", &[]).succeeds();
    let again = kiosk.run(&new, "import", &["--replace", "--revoke-old"]);
    assert!(
        !again.succeeds().stderr.contains("here before"),
        "{again:?}"
    );
    new.run(&["info"]).succeeds();
}

#[test]
fn a_vault_past_use_is_kept_beside_the_one_that_a_device_comes_into() {
    let kiosk = Kiosk::new().exported();
    let new = Scanner::new();
    let token = kiosk.installation.create_device("Lane 2");
    new.init(&kiosk.way.url, &token, &[]).succeeds();
    fs::write(new.home().join("vault.db"), "no vault".repeat(1000)).unwrap();
    let before = new.lasting_files();
    let refused = kiosk.import(&new);
    assert_ne!(refused.code, 0, "{refused:?}");
    assert!(new.lasting_files() == before);
    let told = kiosk.run(&new, "import", &["--replace"]);
    assert!(told.succeeds().stderr.contains("was kept as"), "{told:?}");
    let kept = |(_, bytes): (PathBuf, Vec<u8>)| bytes.starts_with(b"no vault");
    assert!(new.files().into_iter().any(kept));
    new.run(&["info"]).succeeds();
}

#[test]
fn what_was_begun_is_finished_before_a_device_leaves() {
    let kiosk = Kiosk::new();
    kiosk.way.lose_answers();
    kiosk.old.run(&["roll", "--timeout", "1"]).complains(8, "");
    assert_eq!(pending(&kiosk.old), "roll");
    kiosk.run(&kiosk.old, "export", &[]).complains(8, "");
    assert!(!kiosk.export.exists());
    kiosk.way.lose_nothing();
    let kiosk = kiosk.exported();
    assert_eq!(pending(&kiosk.old), Value::Null);
    let new = Scanner::new();
    kiosk.import(&new).succeeds();
    new.run(&["info"]).succeeds();
}

#[test]
fn only_an_enrolled_device_leaves_and_no_file_is_written_over() {
    let kiosk = Kiosk::new();
    kiosk
        .run(&Scanner::new(), "export", &[])
        .complains(13, "not enrolled");
    fs::write(&kiosk.export, "something").unwrap();
    kiosk.run(&kiosk.old, "export", &[]).complains(1, "exists");
    assert_eq!(fs::read(&kiosk.export).unwrap(), b"something");
    fs::remove_file(&kiosk.export).unwrap();
    kiosk.old.run(&["revoke", "--yes"]).succeeds();
    kiosk
        .run(&kiosk.old, "export", &[])
        .complains(16, "revoked");
    assert!(!kiosk.export.exists());
}

#[test]
fn what_is_begun_while_a_passphrase_is_typed_is_in_the_export() {
    let kiosk = Kiosk::new();
    let export = kiosk.export.to_str().unwrap();
    let command = kiosk.old.command(&["vault", "export", export]);
    let pty = Pty::new();
    let mut child = pty.start_for_a_person(&command);
    pty.wait_for("passphrase for");
    kiosk.old.run(&["roll"]).succeeds();
    for (question, answer) in [("passphrase for", WORDS), ("The same again: ", WORDS)] {
        pty.wait_for(question);
        pty.wait_until_quiet();
        pty.types_slowly(&format!("{answer}\r"));
    }
    assert!(child.wait().unwrap().success(), "{}", pty.shown());
    let new = Scanner::new();
    kiosk.import(&new).succeeds();
    new.run(&["info"]).succeeds();
}

#[test]
fn nobody_is_asked_for_a_passphrase_for_nothing() {
    let kiosk = Kiosk::new().exported();
    let export = kiosk.export.to_str().unwrap();
    // Without a passphrase there is nothing to ask at: it would be told if it was asked for.
    let export = ["vault", "export", export];
    kiosk.old.run(&export).complains(1, "exists");
    fs::remove_file(&kiosk.export).unwrap();
    Scanner::new().run(&export).complains(13, "not enrolled");
    kiosk
        .old
        .run(&export)
        .complains(2, "a passphrase is needed");
    assert!(!kiosk.export.exists());
}

#[test]
fn a_pipe_in_place_of_an_export_keeps_nobody_waiting() {
    let kiosk = Kiosk::new();
    let pipe = kiosk.old.scratch().join("pipe");
    mknodat(CWD, &pipe, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    let new = Scanner::new();
    let import = new.command(&["vault", "import", pipe.to_str().unwrap()]);
    let mut command = Command::new("timeout");
    command
        .arg("20")
        .arg(import.get_program())
        .args(import.get_args());
    for (name, value) in import.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    end(command.output().unwrap()).complains(1, "not a regular file");
}

#[test]
fn a_file_that_is_damaged_or_strange_and_a_wrong_passphrase_change_nothing() {
    let kiosk = Kiosk::new().exported();
    let new = Scanner::new();
    let good = fs::read_to_string(&kiosk.export).unwrap();
    for (text, code, words) in [
        (good[..good.len() / 2].to_owned(), 1, "damaged"),
        (String::new(), 1, "damaged"),
        ("[]".to_owned(), 1, "damaged"),
        (
            good.replace("\"version\": 1", "\"version\": 2"),
            1,
            "version 2",
        ),
        (good.replace("gatehand-export", "other"), 1, "damaged"),
        (
            good.replace("\"passes\": 3", "\"passes\": 2"),
            21,
            "passphrase",
        ),
        (good.replace("65536", "99999999"), 1, "memory"),
        ("x".repeat(2_000_000), 1, "larger than"),
    ] {
        fs::write(&kiosk.export, text).unwrap();
        kiosk.import(&new).complains(code, words);
        assert_eq!(new.status()["state"], "not-enrolled", "{words}");
    }
    fs::write(&kiosk.export, &good).unwrap();
    fs::write(&kiosk.passphrase, "wrong horse battery").unwrap();
    kiosk.import(&new).complains(21, "passphrase");
    fs::write(&kiosk.passphrase, WORDS).unwrap();
    kiosk.old.run(&["info"]).succeeds();
    kiosk.import(&new).succeeds();
}

#[test]
fn neither_key_nor_passphrase_is_seen_on_the_way() {
    let kiosk = Kiosk::new();
    let new = Scanner::new();
    let mut seen = Vec::new();
    for (scanner, verb) in [(&kiosk.old, "export"), (&new, "import")] {
        let Ended {
            code,
            stdout,
            stderr,
        } = kiosk.run(scanner, verb, &["--log", "trace"]);
        assert_eq!(code, 0, "{stderr}");
        seen.extend([stdout, stderr].map(String::into_bytes));
    }
    seen.push(fs::read(&kiosk.export).unwrap());
    seen.extend(new.files().into_iter().map(|(_, contents)| contents));
    let sent: Vec<String> = kiosk.way.requests();
    let keys = sent.iter().filter_map(|request| {
        let key = request.split("Device ").nth(1)?.lines().next()?;
        (key.len() > 20).then(|| key.trim().to_owned())
    });
    let secrets: Vec<String> = keys.chain([WORDS.to_owned()]).collect();
    assert!(secrets.len() > 2, "keys were sent");
    for secret in &secrets {
        for bytes in &seen {
            let part = &secret.as_bytes()[..12];
            let is_in = bytes.windows(part.len()).any(|window| window == part);
            assert!(
                !is_in,
                "{secret:.12} is in {}",
                String::from_utf8_lossy(bytes)
            );
        }
    }
}
