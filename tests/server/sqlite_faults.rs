//! SQLite fails under load: nothing that was acknowledged is lost, nothing is done twice, and nothing is written into
//! a file that nobody finds.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use gatehand::server::model::NewDevice;
use gatehand::server::store::{self, Administration};
use gatehand::wire::IDEMPOTENCY_HEADER;
use rusqlite::Connection;
use rusqlite::types::Value as Cell;
use serde_json::Value;

use crate::common::installation::{Installation, ServerProcess, serve};
use crate::common::load::Running;
use crate::common::server::{ORGANIZER, ask, initialization};
use crate::common::skip;

/// An SQLite file with an organizer in it.
struct Ground {
    folder: tempfile::TempDir,
    organizer: i64,
    store: Option<Arc<dyn Administration>>,
}

impl Ground {
    async fn lay() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("server.db").into();
        let store = store::open(&database, None).unwrap().store;
        let slug = ORGANIZER.parse().unwrap();
        let organizer = store.create_organizer(&slug, "O").await.unwrap().id;
        Self {
            folder,
            organizer,
            store: Some(store),
        }
    }

    fn database(&self) -> PathBuf {
        self.folder.path().join("server.db")
    }

    fn serve(&self) -> ServerProcess {
        ServerProcess::start(&self.database())
    }

    /// Callers at work at these servers; the test itself has nothing open any more.
    async fn run(&mut self, servers: &[&ServerProcess]) -> Running {
        let store = self.store.take().unwrap();
        Running::begin(&*store, self.organizer, servers).await
    }

    /// Moves these files of the database elsewhere, and returns what brings them back.
    fn take_away(&self, ends: &'static [&'static str]) -> impl Fn() + use<> {
        let database = self.database();
        let name = move |place: &str, end: &str| {
            let mut name = database.clone().into_os_string();
            name.push(format!("{place}{end}"));
            PathBuf::from(name)
        };
        for end in ends {
            fs::rename(name("", end), name(".away", end)).unwrap();
        }
        move || {
            for end in ends.iter().rev() {
                fs::rename(name(".away", end), name("", end)).unwrap();
            }
        }
    }
}

/// What a statement tells of a database, a line a row, columns separated by `|`.
fn told(database: &Path, sql: &str) -> String {
    let connection = Connection::open(database).unwrap();
    let mut statement = connection.prepare(sql).unwrap();
    let columns = statement.column_count();
    let rows = statement.query_map([], |row| {
        let cells = (0..columns).map(|column| {
            Ok(match row.get(column)? {
                Cell::Integer(number) => number.to_string(),
                Cell::Text(text) => text,
                other => format!("{other:?}"),
            })
        });
        Ok(cells.collect::<rusqlite::Result<Vec<_>>>()?.join("|"))
    });
    let rows: Vec<_> = rows.unwrap().map(Result::unwrap).collect();
    rows.join("\n")
}

/// Waits until so many more requests were refused with 503.
async fn is_refused(running: &Running, times: usize) {
    let (begun, before) = (Instant::now(), running.load.seen()[1]);
    while running.load.seen()[1] < before + times {
        let seen = running.load.seen();
        assert!(begun.elapsed() < Duration::from_secs(60), "{seen:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn under_load_nothing_acknowledged_is_lost_and_nothing_done_twice_whatever_fails() {
    let mut ground = Ground::lay().await;
    let (first, second) = (ground.serve(), ground.serve());
    let running = ground.run(&[&first, &second]).await;
    running.goes_on("at first").await;

    // Longer than either server waits for it, so that some are refused.
    let other = Connection::open(ground.database()).unwrap();
    other.busy_timeout(Duration::from_secs(10)).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    is_refused(&running, 8).await;
    other.execute_batch("COMMIT").unwrap();
    drop(other);
    running.goes_on("locked by another process").await;

    for ends in [&[""][..], &["", "-wal", "-shm"]] {
        for _ in 0..5 {
            let bring_back = ground.take_away(ends);
            is_refused(&running, 8).await;
            bring_back();
            running.goes_on("renamed and brought back").await;
        }
    }
    for server in [&first, &second] {
        server.logs("put the database back");
    }
    drop(first);
    running.goes_on("one of two servers killed").await;
    let database = ground.database();
    running.proves(|sql| told(&database, sql), &second).await;
    assert_eq!(told(&database, "PRAGMA integrity_check"), "ok");
    assert!(
        !second.log().contains("fault of gatehand"),
        "{}",
        second.log()
    );
}

/// What `unshare` runs: the server's folder is a small file system, which fills up and is freed as files in the folder
/// `$CONTROL` say; its database is copied there by the online backup.
const SMALL_DISK: &str = r#"
    mount -t tmpfs -o size=12m,mode=700 tmpfs "$FOLDER" || exit 99
    cp "$CONTROL"/server.db* "$FOLDER"
    while [ -e "$CONTROL" ]; do
        if [ -e "$CONTROL/fill" ]; then
            dd if=/dev/zero of="$FOLDER/fill" bs=4k 2>/dev/null
            mv "$CONTROL/fill" "$CONTROL/full"
        elif [ -e "$CONTROL/free" ]; then
            rm "$FOLDER/fill" "$CONTROL/free"
        elif [ -e "$CONTROL/back-up" ]; then
            "$1" admin backup --database "$FOLDER/server.db" "$CONTROL/copy.db" >&2
            rm "$CONTROL/back-up"
        fi
        sleep 0.05
    done &
    exec "$@"
"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_refuses_under_load_and_what_was_acknowledged_is_there_when_there_is_room_again()
 {
    const OWN_MOUNTS: [&str; 5] = ["--user", "--map-root-user", "--mount", "sh", "-c"];
    let trial = "mount -t tmpfs tmpfs /mnt";
    if !skip::can_run("unshare", &[&OWN_MOUNTS[..], &[trial]].concat()) {
        return;
    }
    let control = Ground::lay().await;
    let store = control.store.as_ref().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let server = serve(&folder.path().join("server.db"));
    let mut command = Command::new("unshare");
    command.args(OWN_MOUNTS).args([SMALL_DISK, "sh"]);
    command.arg(server.get_program()).args(server.get_args());
    command.env("CONTROL", control.folder.path());
    command.env("FOLDER", folder.path());
    // The token is made before the database is copied.
    let tell = |what: &str| fs::write(control.folder.path().join(what), "").unwrap();
    let is_done = |what: &str, is_there: bool| {
        let (begun, path) = (Instant::now(), control.folder.path().join(what));
        while path.exists() != is_there {
            assert!(begun.elapsed() < Duration::from_secs(60), "{what}");
            std::thread::sleep(Duration::from_millis(20));
        }
    };
    let token = Running::token(&**store, control.organizer).await;
    let server = ServerProcess::start_command(command);
    let running = Running::begin_with(&token, &[&server]);
    running.goes_on("at first").await;
    for _ in 0..3 {
        tell("fill");
        is_done("full", true);
        is_refused(&running, 8).await;
        fs::remove_file(control.folder.path().join("full")).unwrap();
        tell("free");
        running.goes_on("a full disk").await;
    }
    server.logs("make room on the disk");
    let copy = control.folder.path().join("copy.db");
    let backed_up = || {
        tell("back-up");
        is_done("back-up", false);
    };
    // While it is asked on, and of nothing that was not whole.
    backed_up();
    assert_eq!(told(&copy, "PRAGMA integrity_check"), "ok");
    running.stop();
    let known = running.known().await;
    fs::remove_file(&copy).unwrap();
    backed_up();
    Running::prove(&known, |sql| told(&copy, sql), &server).await;
}

fn database_of(folder: &tempfile::TempDir) -> PathBuf {
    folder.path().join("server.db")
}

fn info(server: &ServerProcess, key: &str) -> u16 {
    let url = format!("{}/api/v1/device/info", server.url);
    let authorization = format!("Device {key}");
    ask(|client| client.get(url).header("Authorization", authorization)).status
}

fn initialize(server: &ServerProcess, device: &Value, name: &str) -> crate::common::server::Answer {
    let url = format!("{}/api/v1/device/initialize", server.url);
    let report = initialization(device);
    ask(|client| {
        client
            .post(url)
            .header(IDEMPOTENCY_HEADER, name)
            .json(&report)
    })
}

/// A database in which so many devices wait for a scanner.
async fn with_devices(count: usize) -> (tempfile::TempDir, Vec<Value>) {
    let ground = Ground::lay().await;
    let Ground {
        folder,
        organizer,
        store,
    } = ground;
    let store = store.unwrap();
    let mut devices = Vec::new();
    for number in 0..count {
        let device = NewDevice {
            name: format!("Door {number}"),
            all_events: true,
            limit_events: Vec::new(),
            security_profile: "full".to_owned(),
            gate: None,
        };
        let made = store.add_device(organizer, device).await.unwrap();
        devices.push(serde_json::to_value(made).unwrap());
    }
    (folder, devices)
}

fn blocking<T>(work: impl FnOnce() -> T + Send) -> T
where
    T: Send,
{
    std::thread::scope(|threads| threads.spawn(work).join().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_beside_the_log_of_the_one_before_is_served_only_without_that_log() {
    let (folder, devices) = with_devices(2).await;
    let database = database_of(&folder);
    let copy = folder.path().join("copy.db");
    blocking(|| {
        let server = ServerProcess::start(&database);
        Connection::open(&database)
            .unwrap()
            .execute("VACUUM INTO ?1", [copy.to_str().unwrap()])
            .unwrap();
        // What is in the log belongs to the file that is there now.
        let enrolled = initialize(&server, &devices[0], "a");
        let key = enrolled.json()["api_token"].as_str().unwrap().to_owned();
        let log = format!("{}-wal", database.display());
        assert!(fs::metadata(&log).unwrap().len() > 0);
        fs::rename(&copy, &database).unwrap();
        while info(&server, &key) == 200 {}
        assert_eq!(info(&server, &key), 503);
        assert_eq!(initialize(&server, &devices[1], "b").status, 503);
        server.logs("beside the log of the one before");
        for end in ["-wal", "-shm"] {
            fs::remove_file(format!("{}{end}", database.display())).unwrap();
        }
        // The key is none of it.
        assert_eq!(info(&server, &key), 401);
        let again = initialize(&server, &devices[1], "b");
        assert_eq!(again.status, 200, "{}", again.text);
        drop(server);
        assert_eq!(told(&database, "PRAGMA integrity_check"), "ok");
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_file_has_taken_the_place_of_answers_nothing_and_the_file_in_its_place_is_served()
 {
    let (folder, devices) = with_devices(2).await;
    let database = database_of(&folder);
    let copy = folder.path().join("copy.db");
    Connection::open(&database)
        .unwrap()
        .execute("VACUUM INTO ?1", [copy.to_str().unwrap()])
        .unwrap();
    let (foreign, _) = with_devices(1).await;
    blocking(|| {
        let server = ServerProcess::start(&database);
        let enrolled = initialize(&server, &devices[0], "a");
        assert_eq!(enrolled.status, 200, "{}", enrolled.text);
        let key = enrolled.json()["api_token"].as_str().unwrap().to_owned();
        assert_eq!(info(&server, &key), 200);
        let away = |end: &str| folder.path().join(format!("away.db{end}"));
        for end in ["", "-wal", "-shm"] {
            fs::rename(format!("{}{end}", database.display()), away(end)).unwrap();
        }
        // Neither read nor changed, and nothing is made in its place. What was read before is given for a moment longer.
        while info(&server, &key) == 200 {}
        assert_eq!(info(&server, &key), 503);
        assert_eq!(initialize(&server, &devices[1], "b").status, 503);
        assert!(!database.exists());
        server.logs("put it back");
        // Another server's is not taken for it, nor what is no database.
        for other in [
            database_of(&foreign),
            PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml"),
        ] {
            fs::copy(other, &database).unwrap();
            assert_eq!(info(&server, &key), 503);
            assert_eq!(initialize(&server, &devices[1], "b").status, 503);
            for end in ["", "-wal", "-shm"] {
                let _ = fs::remove_file(format!("{}{end}", database.display()));
            }
        }
        // An older state of it is what there is now: the key is none of it.
        fs::rename(&copy, &database).unwrap();
        assert_eq!(info(&server, &key), 401);
        let again = initialize(&server, &devices[1], "b");
        assert_eq!(again.status, 200, "{}", again.text);
        assert!(
            !server.log().contains("fault of gatehand"),
            "{}",
            server.log()
        );
        drop(server);
        // What was acknowledged before is where the file is.
        let device = told(
            &away(""),
            "SELECT count(*) FROM device WHERE initialized IS NOT NULL",
        );
        assert_eq!(device, "1");
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_is_removed_under_the_server_is_taken_into_its_database() {
    let (folder, devices) = with_devices(20).await;
    let database = database_of(&folder);
    blocking(|| {
        let server = ServerProcess::start(&database);
        let mut keys = Vec::new();
        for (number, device) in devices.iter().enumerate() {
            let name = number.to_string();
            let answer = initialize(&server, device, &name);
            assert_eq!(answer.status, 200, "{}", answer.text);
            keys.push(answer.json()["api_token"].as_str().unwrap().to_owned());
            let ends: &[&str] = if number % 2 == 0 {
                &["-wal"]
            } else {
                &["-wal", "-shm"]
            };
            for end in ends {
                fs::remove_file(format!("{}{end}", database.display())).unwrap();
            }
        }
        assert_eq!(
            initialize(&server, &devices[0], "0").json()["api_token"],
            keys[0]
        );
        drop(server);
        let server = ServerProcess::start(&database);
        for key in &keys {
            assert_eq!(info(&server, key), 200);
        }
        assert_eq!(told(&database, "PRAGMA integrity_check"), "ok");
    });
}

/// A clock of a server that a test sets.
struct Clock {
    file: PathBuf,
    library: String,
}

impl Clock {
    fn new(folder: &Path) -> Option<Self> {
        let libraries = ["x86_64", "aarch64"]
            .map(|processor| format!("/usr/lib/{processor}-linux-gnu/faketime/libfaketimeMT.so.1"));
        let library = libraries.into_iter().find(|path| Path::new(path).exists());
        if !skip::can_run("faketime", &["2030-01-01", "true"]) {
            return None;
        }
        let clock = Self {
            file: folder.join("clock"),
            library: library?,
        };
        clock.set(0);
        Some(clock)
    }

    /// Has it show so many seconds more than it is.
    fn set(&self, ahead: i64) {
        let draft = self.file.with_extension("new");
        fs::write(&draft, format!("{ahead:+}s\n")).unwrap();
        fs::rename(draft, &self.file).unwrap();
    }

    fn serve(&self, database: &Path) -> ServerProcess {
        let file = self.file.to_str().unwrap();
        let variables = [
            ("LD_PRELOAD", self.library.as_str()),
            ("FAKETIME_TIMESTAMP_FILE", file),
            ("FAKETIME_NO_CACHE", "1"),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
        ];
        ServerProcess::start_with_environment(database, &variables)
    }
}

#[test]
fn a_clock_that_jumps_loses_no_key_repeats_answers_within_a_day_and_lets_nobody_in() {
    const HOUR: i64 = 3600;
    let installation = Installation::start();
    let folder = tempfile::tempdir().unwrap();
    let Some(clock) = Clock::new(folder.path()) else {
        return;
    };
    let server = clock.serve(&installation.database());
    let mut ahead = [0, HOUR, -HOUR, 23 * HOUR, -3 * 24 * HOUR, 0].into_iter();
    let mut seen = Vec::new();
    while let Some(jump) = ahead.next() {
        clock.set(jump);
        let name = format!("at {jump} s");
        let device = installation.add_device(&name);
        let first = initialize(&server, &device, &name);
        assert_eq!(first.status, 200, "{name}: {}", first.text);
        let key = first.json()["api_token"].as_str().unwrap().to_owned();
        seen.push((device, name, key));
        // Forwards by less than a day, and backwards by any time, answers are repeated and keys are good.
        let later = ahead.clone().next();
        for now in [Some(jump), later, Some(jump + 23 * HOUR)]
            .into_iter()
            .flatten()
        {
            clock.set(now);
            let (device, name, key) = seen.last().unwrap();
            assert_eq!(info(&server, key), 200, "{name}");
            if now - jump < 24 * HOUR {
                let again = initialize(&server, device, name);
                assert_eq!(again.json()["api_token"], key.as_str(), "{name}, {now}");
            }
            let another = initialize(&server, device, "another");
            assert_eq!(another.status, 400, "{name}: {}", another.text);
        }
    }
    clock.set(0);
    for (_, name, key) in &seen {
        assert_eq!(info(&server, key), 200, "{name}");
    }
    // By more than a day: the token is used, and nobody gets another key for it.
    let (device, name, key) = seen.last().unwrap();
    clock.set(10 * 24 * HOUR);
    assert_eq!(initialize(&server, device, name).status, 400);
    assert_eq!(info(&server, key), 200);
    clock.set(-10 * 24 * HOUR);
    assert_eq!(info(&server, key), 200);
    // What an address may try is counted by a clock that does not jump.
    let url = format!("{}/api/v1/device/info", server.url);
    let unknown = |number: usize| {
        clock.set(if number.is_multiple_of(2) {
            0
        } else {
            2 * HOUR
        });
        let authorization = format!("Device {number:064}");
        let answer = ask(|client| client.get(&url).header("Authorization", authorization));
        answer.status
    };
    let refused = (0..400).map(unknown).find(|status| *status == 429);
    assert_eq!(refused, Some(429));
    let log = server.log();
    assert!(!log.contains("panicked"), "{log}");
}
