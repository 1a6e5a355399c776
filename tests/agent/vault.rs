//! The vault under hard conditions: what happens to it, and that no token is lost to it.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::process::Command;

use rusqlite::Connection;

use crate::common::installation::Installation;
use crate::common::scanner::{Ended, Scanner, end};
use crate::common::skip;
use crate::common::stranger::{Stranger, answer, identity};
use crate::common::way::Way;

const KEY: &str = "k3yk3yk3yk3yk3yk3yk3yk3yk3yk3yk3yk3yk3yk3yk3yk3yk3yk3yk3yk3yk3yk3";

fn server() -> Stranger {
    Stranger::answering(identity(KEY))
}

fn enrolled() -> Scanner {
    let scanner = Scanner::new();
    scanner
        .init(&server().url, "first", &["--hardware-brand", "First"])
        .succeeds();
    scanner
}

/// Asserts that enrolling fails before the token is sent and leaves every file as it is.
#[track_caller]
fn refuses_untouched(scanner: &Scanner, code: i32, words: &str) {
    let (server, before) = (server(), scanner.lasting_files());
    scanner
        .init(&server.url, "second", &[])
        .complains(code, words);
    assert!(server.requests().is_empty(), "the token was sent");
    let names = |files: &[(std::path::PathBuf, Vec<u8>)]| {
        files
            .iter()
            .map(|(path, _)| path.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(names(&scanner.lasting_files()), names(&before));
    assert!(scanner.lasting_files() == before, "a file was changed");
}

#[test]
fn every_file_is_private_and_the_key_is_in_none() {
    let scanner = enrolled();
    let folder = fs::metadata(scanner.home()).unwrap();
    assert_eq!(folder.permissions().mode() & 0o777, 0o700);
    let files = scanner.files();
    assert!(files.iter().any(|(path, _)| path.ends_with("vault.db")));
    for (path, contents) in files {
        let mode = fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{}", path.display());
        let found = contents
            .windows(KEY.len())
            .any(|window| window == KEY.as_bytes());
        assert!(!found, "the key is in {}", path.display());
    }
}

#[test]
fn the_key_and_the_token_are_in_no_output_however_talkative() {
    let scanner = Scanner::new();
    let server = server();
    for arguments in [
        &[
            "--log",
            "trace",
            "init",
            "--url",
            &server.url,
            "--token",
            "t0k3nt0k3n",
        ][..],
        &[
            "--log",
            "trace",
            "init",
            "--url",
            &server.url,
            "--token",
            "t0k3nt0k3n",
            "--json",
        ],
        &["--log", "trace", "status"],
        &["--log", "trace", "status", "--json"],
    ] {
        let Ended { stdout, stderr, .. } = scanner.run(arguments);
        for secret in [KEY, "t0k3nt0k3n"] {
            assert!(
                !stdout.contains(secret) && !stderr.contains(secret),
                "{arguments:?}"
            );
        }
    }
}

#[test]
fn an_enrolled_device_is_kept_unless_it_is_to_be_replaced() {
    let scanner = enrolled();
    refuses_untouched(&scanner, 12, "already enrolled as \"Lane 7\"");
    let server = server();
    scanner
        .init(
            &server.url,
            "second",
            &["--replace", "--hardware-brand", "Second"],
        )
        .succeeds();
    assert_eq!(scanner.status()["reported"]["hardware_brand"], "Second");
}

#[test]
fn a_failed_replacement_keeps_the_device() {
    let scanner = enrolled();
    let refusing = Stranger::answering(crate::common::stranger::answer(
        "400 Bad Request",
        "application/json",
        r#"{"token": ["Unknown initialization token."]}"#,
    ));
    scanner
        .init(&refusing.url, "second", &["--replace"])
        .complains(6, "Unknown initialization");
    assert_eq!(scanner.status()["reported"]["hardware_brand"], "First");
}

#[test]
fn a_damaged_vault_is_left_as_it_is_and_set_aside_only_when_told() {
    let scanner = enrolled();
    let vault = scanner.home().join("vault.db");
    fs::write(
        &vault,
        "these are not the bytes of a database, but of a damaged file",
    )
    .unwrap();
    refuses_untouched(&scanner, 11, "is damaged");
    scanner.run(&["status"]).complains(11, "is damaged");

    let ended = scanner.init(&server().url, "second", &["--replace"]);
    assert!(ended.succeeds().stderr.contains("was kept as"), "{ended:?}");
    assert_eq!(scanner.status()["state"], "enrolled");
    let kept = scanner
        .files()
        .into_iter()
        .filter(|(_, bytes)| bytes.starts_with(b"these are"));
    assert_eq!(kept.count(), 1);
}

fn vault_path(scanner: &Scanner) -> std::path::PathBuf {
    scanner.home().join("vault.db")
}

fn sql(scanner: &Scanner, statement: &str) {
    Connection::open(vault_path(scanner))
        .unwrap()
        .execute_batch(statement)
        .unwrap();
}

#[test]
fn whatever_is_wrong_with_a_vault_it_can_be_replaced_and_is_kept() {
    let damages: [fn(&Scanner); 8] = [
        |scanner| fs::write(vault_path(scanner), [0]).unwrap(),
        |scanner| fs::write(scanner.home().join("vault.key"), "short").unwrap(),
        |scanner| {
            let mut bytes = fs::read(vault_path(scanner)).unwrap();
            bytes[8192..12288].fill(0xa5);
            fs::write(vault_path(scanner), bytes).unwrap();
        },
        |scanner| {
            fs::remove_file(vault_path(scanner)).unwrap();
            fs::create_dir(vault_path(scanner)).unwrap();
        },
        |scanner| {
            let key = scanner.home().join("vault.key");
            fs::rename(&key, scanner.scratch().join("key")).unwrap();
            std::os::unix::fs::symlink(scanner.scratch().join("key"), key).unwrap();
        },
        |scanner| {
            sql(
                scanner,
                "UPDATE entry SET plain = '{}' WHERE name = 'identity'",
            )
        },
        |scanner| sql(scanner, "PRAGMA application_id = 0"),
        |scanner| sql(scanner, "DROP TABLE entry"),
    ];
    for (number, damage) in damages.iter().enumerate() {
        let scanner = enrolled();
        damage(&scanner);
        let (server, before) = (server(), scanner.files().len());
        scanner
            .init(&server.url, "second", &[])
            .complains(11, "vault");
        assert!(server.requests().is_empty(), "{number}: the token was sent");

        let ended = scanner.init(&server.url, "second", &["--replace"]);
        assert!(
            ended.succeeds().stderr.contains("was kept as"),
            "{number}: {ended:?}"
        );
        assert_eq!(scanner.status()["state"], "enrolled", "{number}");
        assert!(
            scanner.files().len() > before,
            "{number}: the old files are kept"
        );
    }
}

#[test]
fn another_programs_database_is_left_alone() {
    let scanner = Scanner::new();
    fs::create_dir(scanner.home()).unwrap();
    let database = Connection::open(scanner.home().join("vault.db")).unwrap();
    database.execute_batch("CREATE TABLE theirs (a)").unwrap();
    drop(database);
    refuses_untouched(&scanner, 11, "is no vault of gatehand");
}

#[test]
fn a_link_in_the_place_of_the_vault_is_not_followed() {
    let scanner = enrolled();
    let elsewhere = scanner.scratch().join("elsewhere.db");
    fs::rename(scanner.home().join("vault.db"), &elsewhere).unwrap();
    std::os::unix::fs::symlink(&elsewhere, scanner.home().join("vault.db")).unwrap();
    refuses_untouched(&scanner, 11, "not a regular file");
    scanner.run(&["status"]).complains(11, "not a regular file");
}

#[test]
fn a_replacement_that_was_not_finished_is_shown_and_can_be_finished() {
    let scanner = enrolled();
    let login_page = answer("200 OK", "text/html", "<h1>Accept the terms</h1>");
    let server = Stranger::answering_in_turn(vec![login_page, identity("new")]);
    assert_eq!(scanner.init(&server.url, "second", &["--replace"]).code, 7);
    let status = scanner.status();
    assert_eq!(
        (&status["state"], &status["unfinished"]),
        (&"enrolled".into(), &server.url.clone().into())
    );
    scanner.init(&server.url, "second", &[]).succeeds();
    assert!(scanner.status()["unfinished"].is_null());
}

#[test]
fn an_emptied_vault_is_not_taken_for_a_new_one() {
    let scanner = enrolled();
    fs::write(scanner.home().join("vault.db"), "").unwrap();
    refuses_untouched(&scanner, 11, "was emptied");
    fs::remove_file(scanner.home().join("vault.db")).unwrap();
    refuses_untouched(&scanner, 11, "is missing");
}

#[test]
fn a_vault_sealed_with_another_key_is_refused() {
    let scanner = enrolled();
    fs::write(scanner.home().join("vault.key"), [7; 32]).unwrap();
    refuses_untouched(&scanner, 11, "was sealed with another key");
    fs::remove_file(scanner.home().join("vault.key")).unwrap();
    refuses_untouched(&scanner, 11, "is missing");
}

#[test]
fn a_vault_of_a_newer_version_is_refused_even_when_replacing() {
    let scanner = enrolled();
    let vault = Connection::open(scanner.home().join("vault.db")).unwrap();
    vault.pragma_update(None, "user_version", 99).unwrap();
    drop(vault);
    refuses_untouched(&scanner, 11, "update gatehand");
    scanner
        .init(&server().url, "second", &["--replace"])
        .complains(11, "update gatehand");
}

#[test]
fn a_changed_address_in_the_vault_never_gets_the_key() {
    let scanner = enrolled();
    let vault = Connection::open(scanner.home().join("vault.db")).unwrap();
    let changed = vault.execute(
        "UPDATE entry SET plain = replace(plain, 'http://localhost', 'http://127.0.0.1')
         WHERE name = 'identity'",
        [],
    );
    assert_eq!(changed.unwrap(), 1);
    drop(vault);
    scanner
        .run(&["status"])
        .complains(11, "was changed from outside");
}

#[test]
fn a_folder_that_cannot_be_made_costs_no_token() {
    let scanner = Scanner::new();
    fs::write(scanner.home(), "a file in the way").unwrap();
    let server = server();
    scanner
        .init(&server.url, "token", &[])
        .complains(10, "can't write");
    assert!(server.requests().is_empty());
}

#[test]
fn a_folder_that_others_can_write_to_is_refused() {
    let scanner = enrolled();
    fs::set_permissions(scanner.home(), fs::Permissions::from_mode(0o777)).unwrap();
    refuses_untouched(&scanner, 10, "other users can write");
}

#[test]
fn a_second_process_is_told_to_wait_and_the_first_goes_on() {
    let scanner = Scanner::new();
    let silent = Stranger::silent_then(identity(KEY));
    let mut first = scanner.start(&["init", "--url", &silent.url, "--token", "t"]);
    while silent.requests().is_empty() {
        std::thread::yield_now();
    }
    scanner
        .init(&server().url, "t", &["--timeout", "1"])
        .complains(14, "another gatehand process");
    scanner
        .run(&["status"])
        .complains(13, "has not read the answer yet");
    first.kill().unwrap();
    first.wait().unwrap();
    scanner.init(&silent.url, "t", &[]).succeeds();
}

/// `sh` as root of a user of its own, with mounts of its own.
const OWN_MOUNTS: [&str; 5] = ["--user", "--map-root-user", "--mount", "sh", "-c"];

/// Runs `script` after `mount` has put a file system at the scanner's home.
fn with_mount(scanner: &Scanner, mount: &str, script: &str) -> Command {
    let script = format!("mkdir -p \"$GATEHAND_HOME\" && {mount} || exit 99; {script}");
    let mut command = Command::new("unshare");
    command.args(OWN_MOUNTS).arg(&script);
    command.env("GATEHAND_HOME", scanner.home());
    command.env("GATEHAND", scanner.command(&[]).get_program());
    command.env_remove("GATEHAND_VOLATILE");
    command
}

/// Runs `script` with a disk at the scanner's home that is `options`.
pub fn with_disk(scanner: &Scanner, options: &str, script: &str) -> Option<Ended> {
    if !skip::can_run("unshare", &[&OWN_MOUNTS[..], &["true"]].concat()) {
        return None;
    }
    let mount = format!("mount -t tmpfs -o {options},mode=700 tmpfs \"$GATEHAND_HOME\"");
    let mut command = with_mount(scanner, &mount, script);
    let ended = end(command.env("GATEHAND_VOLATILE", "true").output().unwrap());
    assert_ne!(ended.code, 99, "no file system: {ended:?}");
    Some(ended)
}

#[test]
fn a_vault_that_is_gone_at_the_next_boot_is_refused_before_anything_is_sent() {
    let in_memory = "mount -t tmpfs -o mode=700 tmpfs \"$GATEHAND_HOME\"";
    let overlay = "mount -t tmpfs tmpfs \"$GATEHAND_HOME\" && cd \"$GATEHAND_HOME\" \
        && mkdir lower upper work home \
        && mount -t overlay -o lowerdir=$PWD/lower,upperdir=$PWD/upper,workdir=$PWD/work overlay home \
        && export GATEHAND_HOME=\"$PWD/home/gatehand\"";
    let relative = "mount -t tmpfs none /mnt && cd /mnt && mkdir ov && mount -t tmpfs none ov \
        && mkdir ov/l ov/u ov/w ov/m \
        && mount -t overlay -o lowerdir=ov/l,upperdir=ov/u,workdir=ov/w overlay ov/m \
        && export GATEHAND_HOME=\"$PWD/ov/m/gatehand\"";
    for (mount, words) in [
        (relative, "is on an overlay, at "),
        (in_memory, "is on a tmpfs in memory"),
        (overlay, "is on an overlay, at "),
    ] {
        let trial = format!("GATEHAND_HOME=/mnt; {mount}");
        if !skip::can_run("unshare", &[&OWN_MOUNTS[..], &[&trial]].concat()) {
            continue;
        }
        let (installation, scanner) = (Installation::start(), Scanner::new());
        let way = Way::to(&installation.url);
        let token = installation.create_device("Lane 1");
        let existing = scanner.scratch().join("existing.json");
        let key = serde_json::json!({"url": way.url, "key": KEY, "serial": "S"});
        fs::write(&existing, key.to_string()).unwrap();
        let script = format!(
            "run() {{ \"$GATEHAND\" \"$@\" > /dev/null; echo \"$1 $?\"; }}
             run init --url {url} --token {token}
             run adopt {existing}
             run roll
             run init --volatile --url {url} --token {token}
             run info
             run roll
             GATEHAND_VOLATILE=true run roll",
            url = way.url,
            existing = existing.display(),
        );
        let ended = end(with_mount(&scanner, mount, &script).output().unwrap());
        let told: Vec<&str> = ended.stdout.lines().collect();
        let expected = [
            "init 10", "adopt 10", "roll 13", "init 0", "info 0", "roll 10", "roll 0",
        ];
        assert_eq!(told, expected, "{ended:?}");
        assert_eq!(ended.stderr.matches(words).count(), 3, "{ended:?}");
        assert_eq!(
            ended.stderr.matches("add --volatile").count(),
            3,
            "{ended:?}"
        );
        let requests = way.requests();
        let sent: Vec<&str> = requests
            .iter()
            .map(|sent| sent.split(' ').nth(1).unwrap())
            .collect();
        let paths = ["initialize", "info", "roll"].map(|path| format!("/api/v1/device/{path}"));
        assert_eq!(sent, paths);
    }
}

#[test]
fn files_that_others_could_read_are_made_private_and_that_is_told_once() {
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    for command in [&["status"][..], &["info"], &["roll"]] {
        for (name, open) in [
            ("vault.key", 0o644),
            ("vault.db", 0o640),
            ("vault.key", 0o606),
        ] {
            let (installation, scanner) = (Installation::start(), Scanner::new());
            let token = installation.create_device("Lane 1");
            scanner.init(&installation.url, &token, &[]).succeeds();
            let path = scanner.home().join(name);
            fs::set_permissions(&path, fs::Permissions::from_mode(open)).unwrap();
            let words = format!("other users could read {}", path.display());
            let ended = scanner.run(command);
            assert_eq!(
                ended.succeeds().stderr.matches(&words).count(),
                1,
                "{ended:?}"
            );
            assert_eq!(mode(&path), 0o600, "{command:?}");
            let again = scanner.run(command);
            assert!(
                !again.succeeds().stderr.contains("other users"),
                "{again:?}"
            );
        }
    }
}

#[test]
fn a_key_that_another_user_has_and_can_read_is_refused() {
    let scanner = enrolled();
    let (user, key) = (Some(4711), scanner.home().join("vault.key"));
    let files = scanner.files().into_iter().map(|(path, _)| path);
    for path in files
        .filter(|path| *path != key)
        .chain([scanner.scratch().to_owned(), scanner.home()])
    {
        // Only root can give files away, and has something to prove.
        if std::os::unix::fs::chown(path, user, user).is_err() {
            return;
        }
    }
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    let program = scanner.command(&[]).get_program().to_owned();
    let as_user = ["--reuid=4711", "--regid=4711", "--clear-groups"];
    let trial = [&as_user[..], &[program.to_str().unwrap(), "--version"]].concat();
    if !skip::can_run("setpriv", &trial) {
        return;
    }
    let mut status = Command::new("setpriv");
    status.args(as_user).arg(program).arg("status");
    let ended = end(status
        .env("GATEHAND_HOME", scanner.home())
        .output()
        .unwrap());
    ended.complains(11, "belongs to one of them");
    assert!(ended.stderr.contains("chmod 600"), "{ended:?}");
    std::os::unix::fs::chown(&key, user, user).unwrap();
    let ended = end(status.output().unwrap());
    assert!(
        ended.succeeds().stderr.contains("other users could read"),
        "{ended:?}"
    );
}

#[test]
fn what_a_killed_command_left_is_removed_by_the_next_one() {
    let scanner = enrolled();
    let left = ["vault.key", "vault.db", "vault.lock"].map(|name| {
        let path = scanner.home().join(format!(".{name}.0123456789abcdef.new"));
        fs::write(&path, "part of it").unwrap();
        path
    });
    fs::remove_file(&left[0]).unwrap();
    fs::hard_link(scanner.home().join("vault.key"), &left[0]).unwrap();
    scanner.run(&["status"]).succeeds();
    let server = server();
    scanner
        .init(&server.url, "second", &["--replace"])
        .succeeds();
    for path in left {
        assert!(!path.exists(), "{}", path.display());
    }
    scanner.run(&["status"]).succeeds();
}

#[test]
fn a_full_disk_costs_no_token() {
    // Every size at which some step of the enrolment is the one that finds the disk full.
    for kilobytes in (4..=400).step_by(12) {
        let (scanner, server) = (Scanner::new(), server());
        let script = format!(
            "\"$GATEHAND\" init --url {} --token t && \"$GATEHAND\" status",
            server.url
        );
        let Some(ended) = with_disk(&scanner, &format!("size={kilobytes}k"), &script) else {
            return;
        };
        if server.requests().is_empty() {
            assert_eq!(ended.code, 10, "{kilobytes} KiB: {ended:?}");
        } else {
            assert_eq!(
                ended.code, 0,
                "the token was used for nothing at {kilobytes} KiB: {ended:?}"
            );
        }
        assert!(
            kilobytes > 12 || server.requests().is_empty(),
            "the disk was never full"
        );
        assert!(
            kilobytes < 400 || ended.code == 0,
            "the disk was always full: {ended:?}"
        );
    }
}

#[test]
fn a_read_only_disk_costs_no_token_and_status_still_works() {
    let (scanner, server) = (Scanner::new(), server());
    let script = format!(
        "\"$GATEHAND\" init --url {url} --token t || exit 98
         mount -o remount,bind,ro \"$GATEHAND_HOME\" || exit 99
         \"$GATEHAND\" status || exit 97
         exec \"$GATEHAND\" init --url {url} --token u --replace",
        url = server.url
    );
    let Some(ended) = with_disk(&scanner, "size=4m", &script) else {
        return;
    };
    ended.complains(10, "can't write");
    assert!(ended.stdout.matches("Lane 7").count() == 2, "{ended:?}");
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn what_root_makes_belongs_to_the_owner_of_the_folder() {
    let scanner = Scanner::new();
    fs::create_dir(scanner.home()).unwrap();
    fs::set_permissions(scanner.home(), fs::Permissions::from_mode(0o700)).unwrap();
    if std::os::unix::fs::chown(scanner.home(), Some(4711), Some(4712)).is_err() {
        return; // Only root can give a folder away, and only root has something to prove.
    }
    let server = server();
    scanner.init(&server.url, "t", &[]).succeeds();
    let mut held = Connection::open(scanner.home().join("vault.db")).unwrap();
    held.transaction()
        .unwrap()
        .query_row("SELECT count(*) FROM entry", [], |_| Ok(()))
        .unwrap();
    scanner.init(&server.url, "u", &["--replace"]).succeeds();
    let files = scanner.files();
    assert!(files.len() >= 3, "vault, log and key: {}", files.len());
    for (path, _) in files {
        let file = fs::metadata(&path).unwrap();
        assert_eq!((file.uid(), file.gid()), (4711, 4712), "{}", path.display());
    }
}

/// A real file system that shows `mode` for all files and takes no other, as that of a USB stick; gone
/// when dropped.
struct Stick(std::path::PathBuf);

impl Stick {
    /// `None` where file systems can't be mounted.
    fn mount(scanner: &Scanner, mode: &str, chmod: &str) -> Option<Self> {
        let [files, mounted] = ["files", "stick"].map(|name| scanner.scratch().join(name));
        fs::create_dir(&files).unwrap();
        fs::create_dir(&mounted).unwrap();
        let permissions = format!("--perms={mode}");
        let [from, to] = [&files, &mounted].map(|path| path.to_str().unwrap());
        skip::can_run("bindfs", &[&permissions, chmod, from, to]).then_some(Self(mounted))
    }
}

impl Drop for Stick {
    fn drop(&mut self) {
        for unmount in [&["umount"][..], &["fusermount", "-u"]] {
            let ran = Command::new(unmount[0])
                .args(&unmount[1..])
                .arg(&self.0)
                .output();
            if ran.is_ok_and(|ran| ran.status.success()) {
                return;
            }
        }
    }
}

#[test]
fn where_no_permissions_are_kept_the_vault_is_said_to_belong_elsewhere_and_nothing_is_sent() {
    // The one refuses other permissions, as vfat does, the other takes them and forgets them.
    for (mode, chmod) in [
        ("0777", "--chmod-deny"),
        ("0777", "--chmod-ignore"),
        ("0755", "--chmod-deny"),
    ] {
        for (folder, holds_something) in [("new", false), ("", false), ("", true)] {
            let (scanner, server) = (Scanner::new(), server());
            let Some(stick) = Stick::mount(&scanner, mode, chmod) else {
                return;
            };
            if holds_something {
                fs::write(stick.0.join("photo"), "x").unwrap();
            }
            let mut init = scanner.command(&["init", "--url", &server.url, "--token", "token"]);
            init.env("GATEHAND_HOME", stick.0.join(folder));
            let ended = end(init.output().unwrap());
            let place = format!("{mode} {chmod} {folder:?}");
            assert!(
                ended.stderr.contains("keeps no permissions"),
                "{place}: {ended:?}"
            );
            ended.complains(10, "GATEHAND_HOME");
            assert!(!ended.stderr.contains("chmod 700"), "{ended:?}");
            assert!(server.requests().is_empty());
        }
    }
}

#[test]
fn where_no_permissions_are_kept_the_servers_secret_is_said_to_belong_elsewhere() {
    for chmod in ["--chmod-deny", "--chmod-ignore"] {
        let scanner = Scanner::new();
        let Some(stick) = Stick::mount(&scanner, "0755", chmod) else {
            return;
        };
        let [database, secret] =
            [scanner.scratch(), &*stick.0].map(|folder| folder.join("server.db"));
        let (database, secret) = (database.to_str().unwrap(), secret.to_str().unwrap());
        let begin = ["admin", "--database", database, "--secret-file", secret];
        let create = ["organizer", "create", "fair", "--name", "Fair"];
        let ended = scanner.run(&[&begin[..], &create].concat());
        assert_ne!(ended.code, 0, "{ended:?}");
        assert!(ended.stderr.contains("keeps no permissions"), "{ended:?}");
        assert!(!ended.stderr.contains("run: chmod"), "{ended:?}");
    }
}
