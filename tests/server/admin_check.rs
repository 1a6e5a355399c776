//! `gatehand admin check`: what is wrong with a server's database and what belongs to it, beside the running server.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use serde_json::Value;

use crate::common::installation::ServerProcess;
use crate::common::postgres::{Postgres, name_in};
use crate::common::scanner::{Ended, Scanner};
use crate::common::server::ORGANIZER;

/// A desk with a server's database, of one kind or the other.
struct Place {
    desk: Scanner,
    database: String,
    is_postgres: bool,
}

impl Place {
    fn each() -> Vec<Self> {
        let desk = Scanner::new();
        let database = desk.scratch().join("server.db").display().to_string();
        let sqlite = Self {
            desk,
            database,
            is_postgres: false,
        };
        let postgres = Postgres::shared().map(|postgres| Self {
            desk: Scanner::new(),
            database: postgres.database(),
            is_postgres: true,
        });
        let places: Vec<Self> = [Some(sqlite), postgres].into_iter().flatten().collect();
        for place in &places {
            for arguments in [
                &["organizer", "create", ORGANIZER, "--name", "Big Events"][..],
                &["organizer", "create", "others", "--name", "Others"],
                &["gate", "create", "others", "north", "--name", "North"],
                &[
                    "device",
                    "create",
                    ORGANIZER,
                    "--name",
                    "Lane 1",
                    "--all-events",
                ],
            ] {
                place.admin(arguments).succeeds();
            }
        }
        places
    }

    fn secret(&self) -> PathBuf {
        self.desk.scratch().join("secret")
    }

    fn admin(&self, arguments: &[&str]) -> Ended {
        let secret = self.secret().display().to_string();
        let begin = [
            "admin",
            "--json",
            "--database",
            &self.database,
            "--secret-file",
            &secret,
        ];
        self.desk.run(&[&begin[..], arguments].concat())
    }

    /// The exit code, and what each check has found.
    fn check(&self, more: &[&str]) -> (i32, Vec<(String, String, String)>) {
        let ended = self.admin(&[&["check"], more].concat());
        let document: Value =
            serde_json::from_str(&ended.stdout).unwrap_or_else(|_| panic!("{ended:?}"));
        let checks = document["checks"].as_array().unwrap().iter();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let found = checks.map(|check| {
            (
                text(&check["id"]),
                text(&check["verdict"]),
                text(&check["words"]),
            )
        });
        (ended.code, found.collect())
    }

    /// That one check ends so, with these words.
    #[track_caller]
    fn finds(&self, code: i32, id: &str, verdict: &str, words: &str) {
        let (ended, found) = self.check(&[]);
        let one = found.iter().find(|(of, _, _)| of == id).unwrap();
        assert!(one.1 == verdict && one.2.contains(words), "{found:#?}");
        assert_eq!(ended, code, "{found:#?}");
    }

    fn sql(&self, sql: &str) {
        match self.is_postgres {
            true => drop(
                Postgres::shared()
                    .unwrap()
                    .sql(name_in(&self.database), sql),
            ),
            false => {
                let database = rusqlite::Connection::open(&self.database).unwrap();
                database.execute_batch(sql).unwrap();
            }
        }
    }

    fn serve(&self) -> ServerProcess {
        let secret = self.secret().display().to_string();
        let mut command =
            self.desk
                .command(&["serve", "--listen", "127.0.0.1:0", "--secret-file", &secret]);
        command.env("GATEHAND_DATABASE", &self.database);
        ServerProcess::start_command(command)
    }
}

#[test]
fn all_is_well_beside_a_running_server_and_nothing_is_changed() {
    for place in Place::each() {
        let _served = place.serve();
        let (code, found) = place.check(&[]);
        for (id, verdict, words) in &found {
            let is_skipped = id == "backup" || (id == "disk" && place.is_postgres);
            let expected = if is_skipped { "skipped" } else { "ok" };
            assert_eq!(verdict, expected, "{id}: {words}");
        }
        assert_eq!((code, found.len()), (0, 11));
    }
}

#[test]
fn what_does_not_fit_together_is_told_with_a_count() {
    for place in Place::each() {
        place.finds(0, "orphans", "ok", "belongs together");
        place.sql("UPDATE device SET gate = (SELECT id FROM gate)");
        place.finds(
            22,
            "orphans",
            "warning",
            "1 devices at gates of another organizer",
        );
        place.sql("UPDATE device SET gate = NULL");
        place.sql("UPDATE organizer SET device_count = 0");
        place.finds(
            23,
            "counters",
            "failed",
            "that of the devices of bigevents is at 0, but 1 was given",
        );
        place.sql("UPDATE organizer SET device_count = 1 WHERE slug = 'bigevents'");
        place.sql("DROP INDEX device_by_name");
        place.finds(23, "indexes", "failed", "device_by_name");
        place.sql("CREATE INDEX device_by_name ON device (organizer, lower(name), device_id)");
        let later = 4_102_444_800_000_000_u64;
        place.sql(&format!("UPDATE log_entry SET created = {later}"));
        place.finds(23, "clock", "failed", "the newest entry is of 2100-01-01");
        place.sql("UPDATE log_entry SET created = 5");
        place.sql("INSERT INTO backup (id, taken, restored) VALUES (1, 1, 2)");
        place.finds(23, "restore", "failed", "waits to be confirmed");
    }
}

#[test]
fn the_secret_has_to_be_there_private_and_the_databases_own() {
    for place in Place::each() {
        let secret = fs::read(place.secret()).unwrap();
        let open = fs::Permissions::from_mode(0o644);
        fs::set_permissions(place.secret(), open).unwrap();
        place.finds(23, "secret", "failed", "others may read");
        fs::remove_file(place.secret()).unwrap();
        place.finds(23, "secret", "failed", "is not in");
        let write = |contents: &[u8]| {
            fs::write(place.secret(), contents).unwrap();
            let private = fs::Permissions::from_mode(0o600);
            fs::set_permissions(place.secret(), private).unwrap();
        };
        write("5".repeat(64).as_bytes());
        place.finds(
            23,
            "secret",
            "failed",
            "not the one that the database was made with",
        );
        write(&secret);
        place.finds(0, "secret", "ok", "the database's own");
    }
}

#[test]
fn a_backup_has_an_age_and_a_folder_without_one_is_told() {
    for place in Place::each() {
        let folder = place.desk.scratch().join("backups");
        fs::create_dir(&folder).unwrap();
        let folder = folder.to_str().unwrap();
        let of = |more: &[&str]| {
            let (code, found) = place.check(&[&["--backups", folder], more].concat());
            let (_, verdict, words) = found.into_iter().find(|(id, _, _)| id == "backup").unwrap();
            (code, verdict, words)
        };
        let nowhere = place.admin(&["check", "--backups", "/nowhere/at/all"]);
        assert!(
            nowhere.stdout.contains("nothing is at /nowhere/at/all"),
            "{nowhere:?}"
        );
        let (code, verdict, words) = of(&[]);
        assert_eq!((code, verdict.as_str()), (23, "failed"), "{words}");
        fs::write(format!("{folder}/notes.txt"), "no backup").unwrap();
        let file = format!("{folder}/monday.db");
        place.admin(&["backup", &file]).succeeds();
        let (code, verdict, words) = of(&[]);
        assert_eq!((code, verdict.as_str()), (0, "ok"), "{words}");
        assert!(words.contains("monday.db"), "{words}");
        let (code, verdict, words) = of(&["--backup-age", "0d"]);
        assert_eq!((code, verdict.as_str()), (22, "warning"), "{words}");
    }
}

#[test]
fn a_file_that_is_damaged_missing_or_something_else_is_told_and_left() {
    let place = Place::each().swap_remove(0);
    let file = PathBuf::from(&place.database);
    let whole = fs::read(&file).unwrap();
    let mut damaged = whole.clone();
    let middle = damaged.len() / 2;
    for byte in &mut damaged[middle..middle + 8192] {
        *byte = 0xA5;
    }
    fs::write(&file, &damaged).unwrap();
    let (code, found) = place.check(&[]);
    let failed = |id: &str| {
        found
            .iter()
            .any(|(of, verdict, _)| of == id && verdict == "failed")
    };
    assert!(
        code == 23 && (failed("integrity") || failed("database")),
        "{found:#?}"
    );
    assert_eq!(fs::read(&file).unwrap(), damaged);
    fs::write(&file, "no database").unwrap();
    place.finds(23, "database", "failed", "can't open the database");
    fs::remove_file(&file).unwrap();
    place.finds(23, "database", "failed", "there is no database");
    assert!(!file.exists());
    let (_, found) = place.check(&[]);
    assert!(found.iter().any(|(id, verdict, words)| {
        id == "integrity" && verdict == "skipped" && words.contains("see database")
    }));
    fs::create_dir(&file).unwrap();
    place.finds(23, "database", "failed", "it is a folder");
    let (_, found) = place.check(&[]);
    assert!(
        found
            .iter()
            .all(|(_, _, words)| !words.contains("for a database of"))
    );
}

#[test]
fn an_older_database_is_told_and_not_brought_up() {
    let place = Place::each().swap_remove(0);
    let old = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/servers/version-2");
    fs::copy(format!("{old}/server.db"), &place.database).unwrap();
    fs::copy(format!("{old}/server.db.secret"), place.secret()).unwrap();
    let private = fs::Permissions::from_mode(0o600);
    fs::set_permissions(place.secret(), private).unwrap();
    place.finds(22, "schema", "warning", "its tables have version 2");
    place.finds(22, "schema", "warning", "its tables have version 2");
    place.finds(22, "orphans", "skipped", "see schema");
}
