//! `gatehand admin copy`: a server moves between databases as it is.

use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use crate::common::installation::ServerProcess;
use crate::common::postgres::{Postgres, name_in};
use crate::common::scanner::Scanner;
use crate::common::server::{Answer, ORGANIZER, ask, initialization};
use crate::common::visitor::{is_signed_in, sign_in_by};

/// A desk with a server's SQLite file that has something of everything.
struct Old {
    desk: Scanner,
    database: String,
    secret: String,
    key: String,
    /// That of a session at the page.
    cookie: String,
}

fn admin(desk: &Scanner, database: &str, secret: &str, arguments: &[&str]) -> Value {
    let begin = [
        "admin",
        "--json",
        "--database",
        database,
        "--secret-file",
        secret,
    ];
    let ended = desk.run(&[&begin[..], arguments].concat());
    serde_json::from_str(&ended.succeeds().stdout).unwrap()
}

/// How long to wait for the server, which may write at the same time.
const PATIENCE: Duration = Duration::from_secs(10);

impl Old {
    fn make() -> Self {
        let desk = Scanner::new();
        let path = |name: &str| desk.scratch().join(name).to_str().unwrap().to_owned();
        let (database, secret) = (path("old.db"), path("secret"));
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/organizers.json");
        let admin = |arguments: &[&str]| admin(&desk, &database, &secret, arguments);
        admin(&["import", file]);
        admin(&["media-keys", "create", ORGANIZER, "1"]);
        let create = [
            "device",
            "create",
            ORGANIZER,
            "--name",
            "Door",
            "--all-events",
        ];
        let device = admin(&create);
        let server = ServerProcess::start_with(Path::new(&database), &["--secret-file", &secret]);
        let redeemed = post(&server, "initialize", "", &initialization(&device));
        assert_eq!(redeemed.status, 200, "{}", redeemed.text);
        let key = redeemed.json()["api_token"].as_str().unwrap().to_owned();
        let link = [
            "login-link",
            ORGANIZER,
            "--team",
            "admins",
            "--public-url",
            &server.url,
        ];
        let cookie = sign_in_by(admin(&link)["link"].as_str().unwrap());
        // It would store by itself what it has seen, but not at once.
        let seen = "INSERT INTO last_seen SELECT id, organizer, 5 FROM device WHERE initialized > 0
            ON CONFLICT DO NOTHING";
        let connection = rusqlite::Connection::open(&database).unwrap();
        connection.busy_timeout(PATIENCE).unwrap();
        connection.execute(seen, []).unwrap();
        Self {
            desk,
            database,
            secret,
            key,
            cookie,
        }
    }

    fn copy(&self, from: &str, to: &str) -> crate::common::scanner::Ended {
        let secret = ["--secret-file", &self.secret];
        self.desk
            .run(&[&["admin", "--json", "copy"][..], &secret, &[from, to]].concat())
    }

    fn export(&self, database: &str) -> String {
        let begin = [
            "admin",
            "export",
            "--database",
            database,
            "--secret-file",
            &self.secret,
        ];
        self.desk.run(&begin).succeeds().stdout.clone()
    }

    fn path(&self, name: &str) -> String {
        self.desk.scratch().join(name).to_str().unwrap().to_owned()
    }
}

fn post(server: &ServerProcess, path: &str, authorization: &str, body: &Value) -> Answer {
    let url = format!("{}/api/v1/device/{path}", server.url);
    ask(|client| {
        let request = client
            .post(url)
            .header("X-Idempotency-Key", path)
            .json(body);
        match authorization {
            "" => request,
            some => request.header("Authorization", some),
        }
    })
}

#[test]
fn a_server_moves_to_postgresql_and_back_as_it_is() {
    let Some(postgres) = Postgres::shared() else {
        return;
    };
    let old = Old::make();
    let address = postgres.database();
    let there: Value =
        serde_json::from_str(&old.copy(&old.database, &address).succeeds().stdout).unwrap();
    let back = old.path("back.db");
    let again: Value = serde_json::from_str(&old.copy(&address, &back).succeeds().stdout).unwrap();
    assert_eq!(there, again);
    let rows = |table: &str| {
        let all = there.as_array().unwrap();
        let found = all.iter().find(|copied| copied["table"] == table).unwrap();
        found["rows"].as_u64().unwrap()
    };
    for table in [
        "organizer",
        "gate",
        "event",
        "subevent",
        "checkin_list",
        "checkin_list_gate",
        "team",
    ] {
        assert!(rows(table) > 0, "{table}");
    }
    for table in [
        "team_token",
        "device",
        "device_event",
        "last_seen",
        "medium_key_set",
        "kept_answer",
        "log_entry",
        "web_session",
        "login_link",
    ] {
        assert!(rows(table) > 0, "{table}");
    }
    assert_eq!(old.export(&old.database), old.export(&address));
    assert_eq!(old.export(&old.database), old.export(&back));

    // Keys, kept answers, tokens and sessions go on, and so do numbers.
    let server = ServerProcess::start_with(Path::new(&address), &["--secret-file", &old.secret]);
    assert!(is_signed_in(&server.url, &old.cookie));
    let device = admin(
        &old.desk,
        &address,
        &old.secret,
        &["device", "show", ORGANIZER, "1"],
    );
    let retried = post(&server, "initialize", "", &initialization(&device));
    assert_eq!(retried.json()["api_token"], old.key.as_str());
    let rolled = post(&server, "roll", &format!("Device {}", old.key), &json!({}));
    assert_eq!(rolled.status, 200, "{}", rolled.text);
    for name in ["Second", "Third"] {
        let create = [
            "device",
            "create",
            ORGANIZER,
            "--name",
            name,
            "--all-events",
        ];
        admin(&old.desk, &address, &old.secret, &create);
        admin(
            &old.desk,
            &address,
            &old.secret,
            &["gate", "create", ORGANIZER, name, "--name", name],
        );
        admin(
            &old.desk,
            &address,
            &old.secret,
            &["team", "create", ORGANIZER, name, "--permission", "all"],
        );
        admin(
            &old.desk,
            &address,
            &old.secret,
            &["token", "create", ORGANIZER, name],
        );
        admin(
            &old.desk,
            &address,
            &old.secret,
            &["organizer", "create", name, "--name", name],
        );
    }
}

#[test]
fn a_copy_that_is_not_the_same_is_not_kept() {
    let Some(postgres) = Postgres::shared() else {
        return;
    };
    let old = Old::make();
    let address = postgres.database();
    old.desk
        .run(&[
            "admin",
            "organizer",
            "list",
            "--database",
            &address,
            "--secret-file",
            &old.secret,
        ])
        .succeeds();
    let sql = |sql: &str| postgres.sql(name_in(&address), sql);
    sql(
        "CREATE FUNCTION other() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.name := 'other'; RETURN NEW; END $$",
    );
    sql("CREATE TRIGGER other BEFORE INSERT ON gate FOR EACH ROW EXECUTE FUNCTION other()");
    let ended = old.copy(&old.database, &address);
    assert!(
        ended
            .stderr
            .contains("what was written is not what was read"),
        "{}",
        ended.stderr
    );
    assert_eq!(sql("SELECT count(*) FROM organizer"), "0");
    sql("DROP TRIGGER other ON gate");
    old.copy(&old.database, &address).succeeds();
    let ended = old.copy(&old.database, &address);
    assert!(
        ended.stderr.contains("there is already an organizer"),
        "{}",
        ended.stderr
    );
    assert!(ended.stderr.contains("nothing in it"), "{}", ended.stderr);
}

#[test]
fn a_server_that_goes_on_while_it_is_copied_is_told() {
    let Some(postgres) = Postgres::shared() else {
        return;
    };
    let old = Old::make();
    let address = postgres.database();
    old.desk
        .run(&[
            "admin",
            "organizer",
            "list",
            "--database",
            &address,
            "--secret-file",
            &old.secret,
        ])
        .succeeds();
    let name = name_in(&address);
    let ended = std::thread::scope(|threads| {
        let lock = "BEGIN; LOCK TABLE organizer; SELECT pg_sleep(4)";
        threads.spawn(|| postgres.sql(name, lock));
        let waits = |what: &str| {
            let query = format!(
                "SELECT count(*) > 0 FROM pg_locks WHERE relation = 'organizer'::regclass AND {what}"
            );
            while postgres.sql(name, &query) != "t" {}
        };
        waits("granted AND mode = 'AccessExclusiveLock'");
        let copying = threads.spawn(|| old.copy(&old.database, &address));
        waits("NOT granted");
        while !is_read(&old.database) {}
        let create = [
            "device",
            "create",
            ORGANIZER,
            "--name",
            "Late",
            "--all-events",
        ];
        admin(&old.desk, &old.database, &old.secret, &create);
        copying.join().unwrap()
    });
    assert!(
        ended.stderr.contains("was changed while it was copied"),
        "{}",
        ended.stderr
    );
}

/// Whether some process is in the middle of reading an SQLite database: then it holds one of the locks on this
/// range of the file beside its log.
fn is_read(database: &str) -> bool {
    let file = std::fs::metadata(format!("{database}-shm")).map(|file| file.ino());
    let inode = file.map_or("none".to_owned(), |inode| format!(":{inode}"));
    let locks = std::fs::read_to_string("/proc/locks").unwrap();
    locks.lines().any(|lock| {
        let words: Vec<&str> = lock.split_whitespace().collect();
        words.iter().any(|word| word.ends_with(&inode))
            && ["123", "124", "125", "126", "127"]
                .iter()
                .any(|byte| words.contains(byte))
    })
}
