//! Where a vault's key lives: in its file, in a systemd credential, and on the way between them.

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use rusqlite::Connection;

use crate::common::callers::until;
use crate::common::credentials::{Credentials, in_front, program};
use crate::common::daemon::Daemon;
use crate::common::installation::Installation;
use crate::common::pty::Pty;
use crate::common::scanner::{Ended, Scanner, end};

const WORDS: &str = "correct horse battery";

/// A device and its server.
pub struct Kiosk {
    installation: Installation,
    pub scanner: Scanner,
    pub credentials: Credentials,
    pub passphrase: PathBuf,
}

impl Kiosk {
    pub fn new() -> Self {
        let (installation, scanner) = (Installation::start(), Scanner::new());
        let token = installation.create_device("Lane 1");
        scanner.init(&installation.url, &token, &[]).succeeds();
        let passphrase = scanner.scratch().join("words");
        fs::write(&passphrase, format!("{WORDS}\r\n")).unwrap();
        Self {
            credentials: Credentials::of(&scanner),
            installation,
            scanner,
            passphrase,
        }
    }

    /// A `gatehand vault` command, with the passphrase in a file if it is `asked` for.
    pub fn vault(&self, arguments: &[&str], asked: bool) -> Ended {
        let sealed = ["--passphrase-file", self.passphrase.to_str().unwrap()];
        let sealed = if asked { &sealed[..] } else { &[] };
        let arguments = [&["vault"], arguments, sealed].concat();
        self.credentials.run(&self.scanner, &arguments)
    }

    pub fn to_credential(&self) {
        self.vault(&["rekey", "--to", "credential"], true)
            .succeeds();
    }

    /// As after its TPM was cleared.
    pub fn lose_credential(&self) {
        fs::write(self.credentials.file(), "nobody opens this").unwrap();
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.scanner.home().join(name)
    }

    /// What a unit with the credential, if there is one, says who this device is.
    pub fn info(&self) -> Ended {
        self.credentials.run_loaded(&self.scanner, &["info"])
    }

    /// Asserts that no key is handed over and no file is left of a move.
    #[track_caller]
    pub fn has_nothing_left(&self) {
        let vault = Connection::open(self.file("vault.db")).unwrap();
        let handed = "SELECT count(*) FROM entry WHERE name = 'key handover'";
        let handed: u64 = vault.query_row(handed, [], |row| row.get(0)).unwrap();
        assert_eq!(handed, 0);
        let store = self.credentials.file();
        for folder in [self.scanner.home(), store.parent().unwrap().to_owned()] {
            for entry in fs::read_dir(folder).into_iter().flatten() {
                let path = entry.unwrap().path();
                let ends = path.extension().unwrap_or_default();
                assert!(ends != "next" && ends != "new", "{}", path.display());
            }
        }
    }
}

#[track_caller]
fn is_private(path: &Path) {
    let mode = fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o600, "{}", path.display());
}

#[test]
fn a_key_moves_to_a_credential_and_back_and_the_device_stays_itself() {
    let kiosk = Kiosk::new();
    let key = fs::read(kiosk.file("vault.key")).unwrap();
    kiosk.vault(&["rekey"], false).succeeds();
    assert_ne!(fs::read(kiosk.file("vault.key")).unwrap(), key);
    is_private(&kiosk.file("vault.key"));
    kiosk.info().succeeds();
    kiosk.has_nothing_left();

    let key = fs::read(kiosk.file("vault.key")).unwrap();
    let told = kiosk.vault(&["rekey", "--to", "credential"], true);
    assert!(told.succeeds().stderr.contains("LoadCredentialEncrypted="));
    assert!(!kiosk.file("vault.key").exists());
    is_private(&kiosk.file("vault.recovery"));
    is_private(&kiosk.credentials.file());
    kiosk.info().succeeds();
    kiosk.has_nothing_left();

    // The old key opens nothing any more.
    fs::write(kiosk.file("vault.key"), key).unwrap();
    kiosk.scanner.run(&["info"]).complains(11, "was not given");
    kiosk.info().succeeds();
    fs::remove_file(kiosk.file("vault.key")).unwrap();

    let before = fs::read(kiosk.credentials.file()).unwrap();
    kiosk.vault(&["rekey"], true).succeeds();
    assert_ne!(fs::read(kiosk.credentials.file()).unwrap(), before);
    kiosk.info().succeeds();
    kiosk.has_nothing_left();

    kiosk.vault(&["rekey", "--to", "file"], false).succeeds();
    assert!(!kiosk.credentials.file().exists() && !kiosk.file("vault.recovery").exists());
    kiosk.scanner.run(&["info"]).succeeds();
    kiosk.scanner.run(&["roll"]).succeeds();
    kiosk.has_nothing_left();
}

#[test]
fn a_device_that_is_enrolled_in_a_unit_with_a_credential_has_its_key_there_from_the_start() {
    let (installation, scanner) = (Installation::start(), Scanner::new());
    let given = scanner.scratch().join("given");
    fs::create_dir(&given).unwrap();
    fs::write(given.join("gatehand.vault-key"), [b'4'; 64]).unwrap();
    let token = installation.create_device("Lane 1");
    let run = |arguments: &[&str]| {
        let mut command = scanner.command(arguments);
        command.env("CREDENTIALS_DIRECTORY", &given);
        end(command.output().unwrap())
    };
    run(&["init", "--url", &installation.url, "--token", &token]).succeeds();
    assert!(!scanner.home().join("vault.key").exists());
    run(&["info"]).succeeds();
    scanner.run(&["status"]).complains(11, "was not given");
}

#[test]
fn what_is_wrong_with_a_credential_is_told_and_nothing_is_set_aside() {
    let kiosk = Kiosk::new();
    kiosk.to_credential();
    let given = kiosk.scanner.scratch().join("wrong");
    fs::create_dir(&given).unwrap();
    let before = kiosk.scanner.lasting_files();
    let token = kiosk.installation.create_device("Lane 2");
    let url = kiosk.installation.url.clone();
    let init = ["init", "--replace", "--url", &url, "--token", &token];
    for (contents, words) in [
        (None, "was not given"),
        (Some(&b""[..]), "holds no key that can be used"),
        (
            Some(&[7; 32]),
            "another key than the one in the systemd credential",
        ),
        (Some(&[7; 5000]), "holds no key that can be used"),
    ] {
        if let Some(contents) = contents {
            fs::write(given.join("gatehand.vault-key"), contents).unwrap();
        }
        for arguments in [&["status"][..], &["info"], &init] {
            let mut command = kiosk.scanner.command(arguments);
            command.env("CREDENTIALS_DIRECTORY", &given);
            let ended = end(command.output().unwrap());
            ended.complains(11, words);
            ended.complains(11, "gatehand vault recover");
        }
        assert!(kiosk.scanner.lasting_files() == before, "{words}");
    }
    kiosk.info().succeeds();
}

#[test]
fn a_key_that_is_not_the_vaults_is_not_written_over() {
    let kiosk = Kiosk::new();
    let file = kiosk.credentials.file();
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(&file, "of another machine").unwrap();
    let refused = kiosk.vault(&["rekey", "--to", "credential"], true);
    refused.complains(10, "is not this vault's");
    assert_eq!(fs::read(&file).unwrap(), b"of another machine");
    kiosk.scanner.run(&["info"]).succeeds();
    fs::remove_file(&file).unwrap();

    kiosk.to_credential();
    fs::write(kiosk.file("vault.key"), [3; 32]).unwrap();
    let refused = kiosk.vault(&["rekey", "--to", "file"], false);
    refused.complains(10, "is not this vault's");
    assert_eq!(fs::read(kiosk.file("vault.key")).unwrap(), [3; 32]);
    kiosk.info().succeeds();
}

#[test]
fn a_program_of_systemd_that_fails_or_lies_changes_nothing() {
    let kiosk = Kiosk::new();
    let before = kiosk.scanner.lasting_files();
    for (script, words) in [
        ("#!/bin/sh\necho no TPM here >&2\nexit 1\n", "no TPM here"),
        ("#!/bin/sh\nexit 3\n", "ended with"),
        (
            "#!/bin/sh\ncat >/dev/null\necho another\n",
            "it is another one",
        ),
    ] {
        // Stands for systemd's program where that is broken.
        let bin = kiosk.scanner.scratch().join("broken-systemd");
        program(&bin, script);
        let sealed = ["--passphrase-file", kiosk.passphrase.to_str().unwrap()];
        let rekey = ["vault", "rekey", "--to", "credential"];
        let mut command = kiosk
            .credentials
            .command(&kiosk.scanner, &[&rekey[..], &sealed].concat());
        command.env("PATH", in_front(&bin));
        end(command.output().unwrap()).complains(10, words);
        assert!(kiosk.scanner.lasting_files() == before, "{words}");
    }
    let mut command = kiosk.credentials.command(
        &kiosk.scanner,
        &["vault", "rekey", "--to", "credential", "--no-recovery"],
    );
    command.env("PATH", "/nowhere");
    end(command.output().unwrap()).complains(10, "can't be run");
    kiosk.scanner.run(&["info"]).succeeds();
    kiosk.has_nothing_left();
}

#[test]
fn a_key_changes_under_no_agent_that_runs() {
    let kiosk = Kiosk::new();
    let daemon = Daemon::start(&kiosk.scanner, &[]);
    let refused = kiosk.vault(&["rekey"], false);
    refused.complains(14, "gatehand run has");
    drop(daemon);
    kiosk.vault(&["rekey"], false).succeeds();
    kiosk.scanner.run(&["info"]).succeeds();
}

#[test]
fn a_vault_whose_credential_is_lost_opens_with_its_passphrase() {
    for to in ["credential", "file"] {
        let kiosk = Kiosk::new();
        kiosk.to_credential();
        kiosk.lose_credential();
        kiosk.scanner.run(&["info"]).complains(11, "was not given");
        kiosk.vault(&["recover", "--to", to], true).succeeds();
        match to {
            "file" => kiosk.scanner.run(&["info"]).succeeds(),
            _ => kiosk.info().succeeds(),
        };
        let is_kept = kiosk.file("vault.recovery").exists();
        assert_eq!(is_kept, to == "credential");
        if is_kept {
            fs::remove_file(kiosk.credentials.file()).unwrap();
            kiosk.vault(&["recover", "--to", "file"], true).succeeds();
            kiosk.scanner.run(&["info"]).succeeds();
        }
        kiosk.has_nothing_left();
    }
}

#[test]
fn a_recovery_file_that_is_damaged_or_of_another_vault_loses_nothing() {
    let (kiosk, other) = (Kiosk::new(), Kiosk::new());
    let recover = ["recover", "--to", "file"];
    kiosk.to_credential();
    other.to_credential();
    let credential = fs::read(kiosk.credentials.file()).unwrap();
    kiosk.lose_credential();
    let path = kiosk.file("vault.recovery");
    let good = fs::read_to_string(&path).unwrap();
    let foreign = fs::read_to_string(other.file("vault.recovery")).unwrap();
    for (text, code, words) in [
        (good[..good.len() / 2].to_owned(), 1, "damaged"),
        (String::new(), 1, "damaged"),
        ("{}".to_owned(), 1, "damaged"),
        (good.replace("Argon2id", "Argon3"), 1, "Argon3"),
        (
            good.replace("\"passes\":3", "\"passes\":4"),
            21,
            "passphrase",
        ),
        (good.replace("65536", "4000000000"), 1, "memory"),
        (good.replace("\"lanes\":1", "\"lanes\":99"), 1, "memory"),
        (foreign, 11, "does not open the vault beside it"),
        ("x".repeat(100_000), 1, "larger"),
    ] {
        fs::write(&path, &text).unwrap();
        let before = kiosk.scanner.lasting_files();
        kiosk.vault(&recover, true).complains(code, words);
        assert!(kiosk.scanner.lasting_files() == before, "{words}");
    }
    fs::write(&path, good).unwrap();
    fs::write(kiosk.credentials.file(), credential).unwrap();
    kiosk.info().succeeds();
    kiosk.lose_credential();
    kiosk.vault(&recover, true).succeeds();
    kiosk.scanner.run(&["info"]).succeeds();
}

#[test]
fn a_person_has_three_tries_at_a_passphrase_and_none_is_shown() {
    let kiosk = Kiosk::new();
    let pty = Pty::new();
    let command = kiosk
        .credentials
        .command(&kiosk.scanner, &["vault", "rekey", "--to", "credential"]);
    let mut child = pty.start_for_a_person(&command);
    for (question, answer) in [
        ("of at least 12 characters: ", "short\r"),
        ("12 characters or more", "correct horse batteryy\u{7f}\r"),
        ("The same again: ", "correct horse battery\r"),
    ] {
        pty.wait_for(question);
        pty.wait_until_quiet();
        pty.types_slowly(answer);
    }
    assert!(child.wait().unwrap().success(), "{}", pty.shown());
    assert!(!pty.shown().contains("horse"), "{}", pty.shown());

    let credential = fs::read(kiosk.credentials.file()).unwrap();
    let recover = ["vault", "recover", "--to", "file"];
    let command = kiosk.credentials.command(&kiosk.scanner, &recover);
    for (tries, code) in [(&["x", "wrong", ""][..], 21), (&["x", WORDS], 0)] {
        kiosk.lose_credential();
        let before = kiosk.scanner.lasting_files();
        let pty = Pty::new();
        let mut child = pty.start_for_a_person(&command);
        for (done, answer) in tries.iter().enumerate() {
            until("it asks", || {
                pty.shown().matches("The passphrase of").count() > done
            });
            pty.wait_until_quiet();
            pty.types_slowly(&format!("{answer}\r"));
        }
        assert_eq!(child.wait().unwrap().code(), Some(code), "{}", pty.shown());
        if code == 21 {
            pty.wait_for("the passphrase is not the right one");
            assert!(kiosk.scanner.lasting_files() == before);
            fs::write(kiosk.credentials.file(), &credential).unwrap();
            kiosk.info().succeeds();
        }
    }
    kiosk.scanner.run(&["info"]).succeeds();
}

#[test]
fn without_a_terminal_a_passphrase_comes_from_a_file_or_standard_input() {
    let kiosk = Kiosk::new();
    let rekey = ["rekey", "--to", "credential"];
    kiosk
        .vault(&rekey, false)
        .complains(2, "a passphrase is needed");
    fs::write(&kiosk.passphrase, "too short\n").unwrap();
    kiosk.vault(&rekey, true).complains(2, "12 characters");
    fs::write(&kiosk.passphrase, [0xff; 20]).unwrap();
    kiosk.vault(&rekey, true).complains(2, "UTF-8");
    let arguments = [
        "vault",
        "rekey",
        "--to",
        "credential",
        "--passphrase-file",
        "-",
    ];
    let mut command = kiosk.credentials.command(&kiosk.scanner, &arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::null());
    let mut child = command.spawn().unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(WORDS.as_bytes())
        .unwrap();
    assert!(child.wait().unwrap().success());
    kiosk.info().succeeds();
    fs::write(&kiosk.passphrase, WORDS).unwrap();
    kiosk.lose_credential();
    kiosk.vault(&["recover", "--to", "file"], true).succeeds();
    fs::remove_file(kiosk.credentials.file()).unwrap();

    kiosk
        .vault(&["rekey", "--to", "credential", "--no-recovery"], false)
        .succeeds();
    assert!(!kiosk.file("vault.recovery").exists());
    kiosk.info().succeeds();
}

#[test]
fn no_key_and_no_passphrase_is_seen_however_talkative_the_commands_are() {
    let kiosk = Kiosk::new();
    let mut seen = String::new();
    let mut keys = vec![fs::read(kiosk.file("vault.key")).unwrap()];
    for (arguments, asked) in [
        (&["rekey", "--log", "trace"][..], false),
        (&["rekey", "--to", "credential", "--log", "trace"], true),
        (
            &["recover", "--to", "file", "--log", "trace", "--json"],
            true,
        ),
        (&["rekey", "--log", "trace", "--json"], false),
    ] {
        if arguments.contains(&"recover") {
            fs::remove_file(kiosk.credentials.file()).unwrap();
        }
        let Ended {
            code,
            stdout,
            stderr,
        } = kiosk.vault(arguments, asked);
        assert_eq!(code, 0, "{stderr}");
        seen.push_str(&stdout);
        seen.push_str(&stderr);
        keys.extend(fs::read(kiosk.file("vault.key")));
    }
    assert!(seen.contains("vault.key"));
    assert!(!seen.contains("horse"), "the passphrase is seen");
    for key in keys {
        let hex: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
        for part in [&hex[..16], &hex[48..]] {
            assert!(!seen.to_lowercase().contains(part), "a key is seen");
        }
    }
    for (path, contents) in kiosk.scanner.files() {
        is_private(&path);
        let holds = contents.windows(5).any(|window| window == b"horse");
        assert!(!holds, "{}", path.display());
    }
}
