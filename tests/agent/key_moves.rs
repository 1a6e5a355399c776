//! A vault's key on its way to another home: what is refused before anything is sealed anew, and what is left of a move
//! that was cut short.

use std::fs;
use std::os::unix::fs::symlink;

use rustix::fs::{CWD, FileType, Mode, mknodat};

use crate::check::check;
use crate::common::credentials::{in_front, program};
use crate::common::pty::Pty;
use crate::common::scanner::{Ended, end};
use crate::key_homes::Kiosk;

const WORDS: &str = "correct horse battery";

/// A `gatehand vault` command that is killed at this step; whether it was.
fn killed(kiosk: &Kiosk, arguments: &[&str], step: usize) -> bool {
    let passphrase = ["--passphrase-file", kiosk.passphrase.to_str().unwrap()];
    let arguments = [&["vault"], arguments, &passphrase].concat();
    let mut command = kiosk.credentials.command(&kiosk.scanner, &arguments);
    command.env("GATEHAND_KILL_AT", step.to_string());
    let ended = end(command.output().unwrap());
    assert!([-1, 0].contains(&ended.code), "{ended:?}");
    ended.code == -1
}

/// Whether the vault still hands its key over to an old one.
fn hands_over(kiosk: &Kiosk) -> bool {
    let vault = rusqlite::Connection::open(kiosk.file("vault.db")).unwrap();
    let handed = "SELECT count(*) FROM entry WHERE name = 'key handover'";
    vault
        .query_row(handed, [], |row| row.get::<_, u64>(0))
        .unwrap()
        > 0
}

#[test]
fn the_next_command_of_the_service_ends_a_move_that_was_cut_short() {
    let mut ended = 0;
    for step in 1.. {
        let kiosk = Kiosk::new();
        let old = fs::read(kiosk.file("vault.key")).unwrap();
        let was_killed = killed(&kiosk, &["rekey", "--to", "credential"], step);
        let is_under_way = hands_over(&kiosk);
        let is_in_credential = kiosk.credentials.file().exists();
        let told = kiosk.info();
        told.succeeds();
        if is_under_way && is_in_credential {
            ended += 1;
            assert!(!kiosk.file("vault.key").exists(), "step {step}");
            kiosk.has_nothing_left();
            kiosk.info().succeeds();
            // The old key opens nothing any more, and the passphrase opens what it is for.
            fs::write(kiosk.file("vault.key"), old).unwrap();
            kiosk.scanner.run(&["info"]).complains(11, "was not given");
            fs::remove_file(kiosk.file("vault.key")).unwrap();
            fs::remove_file(kiosk.credentials.file()).unwrap();
            kiosk.vault(&["recover", "--to", "file"], true).succeeds();
            kiosk.scanner.run(&["info"]).succeeds();
        } else if is_under_way {
            // Where the key is to be, only the command knows that was cut short.
            assert!(told.stderr.contains("gatehand vault rekey"), "{told:?}");
        }
        if !was_killed {
            break;
        }
    }
    assert!(ended > 2, "{ended}");
}

#[test]
fn a_check_warns_of_a_move_that_was_cut_short_and_leaves_it_so() {
    for step in 1.. {
        let kiosk = Kiosk::new();
        let was_killed = killed(&kiosk, &["rekey", "--to", "credential"], step);
        assert!(was_killed, "no step has left a move under way");
        if !hands_over(&kiosk) {
            continue;
        }
        let before = kiosk.scanner.lasting_files();
        let checked = check(&kiosk.scanner, &[]);
        checked
            .wrong(22, &["key-home"])
            .is("key-home", "warning", "was cut short")
            .is("key-home", "warning", "gatehand vault rekey again");
        assert!(kiosk.scanner.lasting_files() == before);
        return;
    }
}

#[test]
fn a_home_that_is_a_link_is_found_before_anything_is_sealed_anew() {
    let kiosk = Kiosk::new();
    let credential = kiosk.credentials.file();
    fs::create_dir_all(credential.parent().unwrap()).unwrap();
    let elsewhere = kiosk.scanner.scratch().join("elsewhere");
    for link in [credential.clone(), kiosk.file("vault.recovery")] {
        symlink(&elsewhere, &link).unwrap();
        let before = kiosk.scanner.lasting_files();
        let refused = kiosk.vault(&["rekey", "--to", "credential"], true);
        refused.complains(10, "can't write");
        refused.complains(10, "link");
        assert!(
            kiosk.scanner.lasting_files() == before,
            "{}",
            link.display()
        );
        assert!(!hands_over(&kiosk) && !elsewhere.exists());
        fs::remove_file(&link).unwrap();
    }
    kiosk.to_credential();
    kiosk.info().succeeds();
    kiosk.has_nothing_left();
}

#[test]
fn another_credential_than_the_one_that_is_loaded_is_named_on_purpose_only() {
    let kiosk = Kiosk::new();
    kiosk.to_credential();
    let other = kiosk.scanner.scratch().join("other-credential");
    let rekey = |more: &[&str]| {
        let passphrase = ["--passphrase-file", kiosk.passphrase.to_str().unwrap()];
        let arguments = [&["vault", "rekey"], more, &passphrase].concat();
        let mut command = kiosk.credentials.command(&kiosk.scanner, &[]);
        let (path, mut anew) = (
            command.get_envs().find(|(name, _)| *name == "PATH"),
            kiosk.scanner.command(&arguments),
        );
        if let Some((name, Some(path))) = path {
            anew.env(name, path);
        }
        command = anew;
        command.args(["--with-key", "host", "--credential-file"]);
        command.arg(&other);
        end(kiosk.credentials.loaded(command).output().unwrap())
    };
    let before = kiosk.scanner.lasting_files();
    let refused: Ended = rekey(&[]);
    refused.complains(10, "is not the credential");
    assert!(kiosk.scanner.lasting_files() == before && !other.exists());
    kiosk.info().succeeds();
    let told = rekey(&["--to", "credential"]);
    let told = told.succeeds();
    let loads = format!(
        "LoadCredentialEncrypted=gatehand.vault-key:{}",
        other.display()
    );
    assert!(told.stderr.contains(&loads), "{told:?}");
    assert!(other.exists());
}

#[test]
fn a_pipe_in_place_of_a_credential_keeps_nobody_waiting() {
    let kiosk = Kiosk::new();
    kiosk.to_credential();
    let given = kiosk.scanner.scratch().join("pipe");
    fs::create_dir(&given).unwrap();
    let pipe = given.join("gatehand.vault-key");
    mknodat(CWD, &pipe, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    let mut command = std::process::Command::new("timeout");
    let info = kiosk.scanner.command(&["status"]);
    command
        .arg("20")
        .arg(info.get_program())
        .args(info.get_args());
    for (name, value) in info.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command.env("CREDENTIALS_DIRECTORY", &given);
    end(command.output().unwrap()).complains(11, "holds no key that can be used");
}

#[test]
fn systemd_is_asked_only_where_there_is_a_credential() {
    let kiosk = Kiosk::new();
    let bin = kiosk.scanner.scratch().join("counting");
    let ran = kiosk.scanner.scratch().join("ran");
    program(
        &bin,
        &format!("#!/bin/sh\ntouch {}\nexit 1\n", ran.display()),
    );
    let mut command = kiosk
        .credentials
        .command(&kiosk.scanner, &["vault", "rekey"]);
    command.env("PATH", in_front(&bin));
    end(command.output().unwrap()).succeeds();
    assert!(!ran.exists());
}

#[test]
fn nothing_is_sealed_with_a_passphrase_that_nobody_can_type() {
    let kiosk = Kiosk::new();
    let rekey = ["rekey", "--to", "credential"];
    let before = kiosk.scanner.lasting_files();
    for (text, words) in [
        ("correct horse battery\nstaple\n", "one line"),
        ("correct horse\tbattery", "control characters"),
        ("correct horse\0battery", "control characters"),
        ("correct horse \u{1b}battery", "control characters"),
    ] {
        fs::write(&kiosk.passphrase, text).unwrap();
        kiosk.vault(&rekey, true).complains(2, words);
        assert!(kiosk.scanner.lasting_files() == before, "{text:?}");
    }
    // What an editor on Windows puts around it.
    fs::write(&kiosk.passphrase, format!("\u{feff}{WORDS}\r\n\r\n")).unwrap();
    kiosk.to_credential();
    fs::write(&kiosk.passphrase, WORDS).unwrap();
    kiosk.lose_credential();
    kiosk.vault(&["recover", "--to", "file"], true).succeeds();
    kiosk.scanner.run(&["info"]).succeeds();
}

#[test]
fn a_credential_that_was_never_finished_goes_with_the_next_move() {
    let kiosk = Kiosk::new();
    let file = kiosk.credentials.file();
    let next = file.with_file_name("gatehand.vault-key.next");
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(&next, "of a command that was killed").unwrap();
    kiosk.vault(&["rekey", "--to", "file"], false).succeeds();
    assert!(!next.exists());
    kiosk.has_nothing_left();
}

#[test]
fn a_vault_that_opens_is_not_recovered() {
    let kiosk = Kiosk::new();
    let recover = ["recover", "--to", "file"];
    let none = kiosk.vault(&recover, true);
    none.complains(1, "nothing to recover");
    none.complains(1, "vault.key");
    kiosk.to_credential();
    let before = kiosk.scanner.lasting_files();
    let none = kiosk.vault(&recover, true);
    none.complains(1, "nothing to recover");
    none.complains(1, "gatehand vault rekey --to file");
    assert!(kiosk.scanner.lasting_files() == before);
    fs::remove_file(kiosk.credentials.file()).unwrap();
    fs::remove_file(kiosk.file("vault.recovery")).unwrap();
    kiosk
        .vault(&recover, true)
        .complains(11, "gatehand init --replace");
}

#[test]
fn what_a_new_key_takes_away_and_asks_for_is_said() {
    let kiosk = Kiosk::new();
    kiosk.to_credential();
    let told = kiosk.vault(&["rekey", "--no-recovery"], false);
    let told = told.succeeds();
    assert!(
        told.stderr.contains("The old recovery file is gone"),
        "{told:?}"
    );
    for words in ["LoadCredentialEncrypted=", "systemctl start gatehand"] {
        assert!(told.stderr.contains(words), "{told:?}");
    }
    let not_given = kiosk.scanner.run(&["info"]);
    not_given.complains(11, "systemctl start gatehand");
    not_given.complains(
        11,
        "--uid=gatehand --setenv=GATEHAND_HOME=/var/lib/gatehand",
    );
}

#[test]
fn who_ends_the_asking_for_a_passphrase_is_asked_no_more() {
    let kiosk = Kiosk::new();
    let pty = Pty::new();
    let command = kiosk
        .credentials
        .command(&kiosk.scanner, &["vault", "rekey", "--to", "credential"]);
    let mut child = pty.start_for_a_person(&command);
    pty.wait_for("at least 12 characters");
    pty.wait_until_quiet();
    pty.types_slowly("\u{4}");
    assert_eq!(child.wait().unwrap().code(), Some(2), "{}", pty.shown());
    assert_eq!(pty.shown().matches("passphrase for").count(), 1);
    kiosk.scanner.run(&["info"]).succeeds();
}
