//! `gatehand admin backup` and `restore`, from and to either database: what a stale backup makes dangerous is dealt
//! with before anybody is served by it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use rusqlite::Connection;
use serde_json::{Value, json};

use crate::common::installation::{ServerProcess, serve};
use crate::common::postgres::{Postgres, name_in};
use crate::common::scanner::{Ended, Scanner, end};
use crate::common::server::{Answer, ORGANIZER, ask, initialization};
use crate::common::visitor::{is_signed_in, sign_in_by};

const NOT_CONFIRMED: i32 = 25;

/// A desk with a server's database and its secret.
struct Place {
    desk: Scanner,
    database: String,
    secret: String,
}

impl Place {
    fn new(database: Option<String>) -> Self {
        let desk = Scanner::new();
        let path = |name: &str| desk.scratch().join(name).to_str().unwrap().to_owned();
        Self {
            database: database.unwrap_or_else(|| path("server.db")),
            secret: path("secret"),
            desk,
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.desk.scratch().join(name)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let begin = [
            "admin",
            "--database",
            &self.database,
            "--secret-file",
            &self.secret,
        ];
        self.desk.command(&[&begin[..], arguments].concat())
    }

    fn run(&self, arguments: &[&str]) -> Ended {
        end(self.command(arguments).output().unwrap())
    }

    fn admin(&self, arguments: &[&str]) -> Value {
        let ended = self.run(&[&["--json"][..], arguments].concat());
        serde_json::from_str(&ended.succeeds().stdout).unwrap()
    }

    fn serve(&self) -> ServerProcess {
        ServerProcess::start_with(Path::new(&self.database), &["--secret-file", &self.secret])
    }

    /// Starts a server that must not serve.
    fn serve_in_vain(&self) -> Ended {
        let mut command = serve(Path::new(&self.database));
        command.args(["--secret-file", &self.secret]);
        end(command.output().unwrap())
    }

    fn add(&self, name: &str) -> Value {
        self.admin(&[
            "device",
            "create",
            ORGANIZER,
            "--name",
            name,
            "--all-events",
        ])
    }

    fn backup(&self, name: &str) -> String {
        let file = self.path(name).to_str().unwrap().to_owned();
        self.admin(&["backup", &file]);
        file
    }
}

fn post(server: &ServerProcess, path: &str, key: &str, name: &str, body: &Value) -> Answer {
    let url = format!("{}/api/v1/device/{path}", server.url);
    ask(|client| {
        let request = client
            .post(url)
            .header("X-Idempotency-Key", name)
            .json(body);
        match key {
            "" => request,
            key => request.header("Authorization", format!("Device {key}")),
        }
    })
}

fn enrol(server: &ServerProcess, device: &Value) -> String {
    let answer = post(
        server,
        "initialize",
        "",
        &device["name"].to_string(),
        &initialization(device),
    );
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()["api_token"].as_str().unwrap().to_owned()
}

fn info(server: &ServerProcess, key: &str) -> Answer {
    let url = format!("{}/api/v1/device/info", server.url);
    ask(|client| {
        client
            .get(url)
            .header("Authorization", format!("Device {key}"))
    })
}

/// What happened before a backup and since.
struct Story {
    backup: String,
    /// Enrolled before.
    enrolled: (Value, String),
    /// Created before, enrolled since.
    late: (Value, String),
    /// Created before, and never enrolled.
    waiting: Value,
    /// Enrolled before, its key rolled since.
    rolled: (String, String),
    /// Enrolled before, revoked since.
    revoked: String,
    /// Signed in before, and perhaps out since.
    cookie: String,
}

impl Story {
    fn tell(place: &Place) -> Self {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/organizers.json");
        place.admin(&["import", file]);
        place.admin(&["team", "create", ORGANIZER, "crew", "--permission", "all"]);
        place.admin(&["token", "create", ORGANIZER, "crew"]);
        let [enrolled, late, waiting, rolled, revoked] =
            ["Enrolled", "Late", "Waiting", "Rolled", "Revoked"].map(|name| place.add(name));
        let server = place.serve();
        let key = enrol(&server, &enrolled);
        let first = enrol(&server, &rolled);
        let revoked_key = enrol(&server, &revoked);
        let link = [
            "login-link",
            ORGANIZER,
            "--team",
            "crew",
            "--public-url",
            &server.url,
        ];
        let cookie = sign_in_by(place.admin(&link)["link"].as_str().unwrap());
        assert!(is_signed_in(&server.url, &cookie));
        let backup = place.backup("monday.db");
        let late_key = enrol(&server, &late);
        let second = post(&server, "roll", &first, "roll", &json!({}));
        let second = second.json()["api_token"].as_str().unwrap().to_owned();
        let number = revoked["device_id"].to_string();
        place.admin(&["device", "revoke", ORGANIZER, &number]);
        place.add("Since");
        Self {
            backup,
            enrolled: (enrolled, key),
            late: (late, late_key),
            waiting,
            rolled: (first, second),
            revoked: revoked_key,
            cookie,
        }
    }
}

fn number(device: &Value) -> String {
    device["device_id"].to_string()
}

/// What must hold of a database that this backup was restored to, until it is confirmed and afterwards.
fn is_safe(place: &Place, story: &Story) {
    let ended = place.serve_in_vain();
    ended.complains(NOT_CONFIRMED, "was restored from a backup");
    assert!(ended.stderr.contains("--confirm"), "{}", ended.stderr);

    let told = place.admin(&["restore"]);
    assert_eq!(told["confirmed"], Value::Null);
    let organizers = told["organizers"].as_array().unwrap();
    let of = organizers
        .iter()
        .find(|one| one["organizer"] == ORGANIZER)
        .unwrap();
    let devices = of["devices"].as_array().unwrap();
    let listed = |device: &Value| {
        devices
            .iter()
            .position(|one| one["device_id"] == device["device_id"])
    };
    let place_of =
        |device: &Value| listed(device).unwrap_or_else(|| panic!("{device} in {devices:#?}"));
    // What was enrolled last before the backup is looked at before what only waited.
    assert!(place_of(&story.enrolled.0) < place_of(&story.waiting));
    assert_eq!(devices[place_of(&story.enrolled.0)]["initialized"], true);
    assert_eq!(devices[place_of(&story.late.0)]["initialized"], false);
    assert_eq!(of["tokens"][0]["team"], "crew");
    let shown = place.run(&["restore"]).succeeds().stdout.clone();
    assert!(shown.contains("revoked or rolled since?"), "{shown}");

    // Whoever looks through it can act on it before it is served.
    let code = place.admin(&["device", "new-code", ORGANIZER, &number(&story.waiting)]);
    let enrolled = number(&story.enrolled.0);
    let refused = place.run(&["device", "new-code", ORGANIZER, &enrolled]);
    refused.complains(15, "does not wait for a scanner");
    place.admin(&["restore", "--confirm"]);
    place
        .run(&["restore", "--confirm"])
        .complains(15, "no restored backup waits");
    let server = place.serve();
    assert_eq!(info(&server, &story.enrolled.1).status, 200);
    for (key, status) in [
        (&story.late.1, 401),
        (&story.rolled.0, 200),
        (&story.rolled.1, 401),
        (&story.revoked, 200),
    ] {
        assert_eq!(info(&server, key).status, status, "{key}");
    }
    assert!(!is_signed_in(&server.url, &story.cookie));
    // Every code of the backup is ended, used since or not; the new one is good.
    for device in [&story.late.0, &story.waiting] {
        let refused = post(&server, "initialize", "", "again", &initialization(device));
        assert_eq!(refused.status, 400, "{}", refused.text);
    }
    let shown = place.admin(&["device", "show", ORGANIZER, &number(&story.late.0)]);
    assert_eq!(shown.get("initialization_token"), None);
    enrol(&server, &code);
    // An answer that the backup has is repeated as before.
    let again = post(
        &server,
        "initialize",
        "",
        "\"Enrolled\"",
        &initialization(&story.enrolled.0),
    );
    assert_eq!(again.json()["api_token"], story.enrolled.1.as_str());

    // No number comes again, and the list has no holes.
    let before = place
        .admin(&["device", "list", ORGANIZER])
        .as_array()
        .unwrap()
        .len();
    let next = place.add("Next");
    assert_eq!(next["device_id"], of["next_device"]);
    assert!(
        next["device_id"].as_u64().unwrap() > 1000 + before as u64,
        "{next}"
    );
    let all = place.admin(&["device", "list", ORGANIZER]);
    assert_eq!(all.as_array().unwrap().len(), before + 1);
    let summary = place.admin(&["organizer", "list"]);
    let summary = summary
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["slug"] == ORGANIZER)
        .cloned();
    assert_eq!(summary.unwrap()["devices"], before + 1);
    let token = place.admin(&["token", "create", ORGANIZER, "crew"]);
    let mut page = Some(format!(
        "{}/api/v1/organizers/{ORGANIZER}/devices/?page_size=3",
        server.url
    ));
    let mut found = Vec::new();
    while let Some(url) = page {
        let token = format!("Token {}", token["token"].as_str().unwrap());
        let answer = ask(|client| client.get(url).header("Authorization", token)).json();
        assert_eq!(answer["count"], before + 1);
        found.extend(
            answer["results"]
                .as_array()
                .unwrap()
                .iter()
                .map(|one| one["device_id"].clone()),
        );
        page = answer["next"].as_str().map(str::to_owned);
    }
    let expected: Vec<Value> = all
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["device_id"].clone())
        .collect();
    assert_eq!(found, expected);
}

/// Places for a test, one of each kind of database that there is here.
fn places() -> Vec<Place> {
    let mut places = vec![Place::new(None)];
    places.extend(Postgres::shared().map(|postgres| Place::new(Some(postgres.database()))));
    places
}

#[test]
fn a_backup_of_either_database_is_restored_to_either_and_served_once_that_is_confirmed() {
    for from in places() {
        let story = Story::tell(&from);
        let file = fs::read(&story.backup).unwrap();
        let mode = fs::metadata(&story.backup).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        // One file, which needs none beside it.
        assert_eq!(file[18..20], [1, 1]);
        let secret = fs::read_to_string(&from.secret).unwrap();
        let holds = |bytes: &[u8]| file.windows(bytes.len()).any(|found| found == bytes);
        assert!(holds(b"Enrolled") && !holds(secret.trim().as_bytes()));
        from.run(&["backup", &story.backup])
            .complains(15, "there is already");
        assert_eq!(fs::read(&story.backup).unwrap(), file);

        for to in places() {
            fs::copy(&from.secret, &to.secret).unwrap();
            fs::set_permissions(&to.secret, fs::Permissions::from_mode(0o600)).unwrap();
            to.run(&["restore", &story.backup]).succeeds();
            is_safe(&to, &story);
        }
        assert_eq!(
            fs::read(&story.backup).unwrap(),
            file,
            "it is left as it is"
        );
    }
}

#[test]
fn a_database_with_something_in_it_is_replaced_only_when_that_is_said_and_then_kept() {
    for place in places() {
        let story = Story::tell(&place);
        let last = place
            .admin(&["device", "list", ORGANIZER])
            .as_array()
            .unwrap()
            .len() as u64;
        let restore = ["restore", "--skip-numbers", "7", &story.backup];
        place.run(&restore).complains(15, "is not empty");
        drop(place.serve());
        let replaced = place.admin(&[&restore[..], &["--replace"]].concat());
        let kept = replaced["kept"].as_str().unwrap().to_owned();
        // The last number of what is replaced is known, and so many more are skipped.
        let organizers = replaced["organizers"].as_array().unwrap();
        let of = organizers
            .iter()
            .find(|one| one["organizer"] == ORGANIZER)
            .unwrap();
        assert_eq!(of["next_device"], last + 8);
        place
            .serve_in_vain()
            .complains(NOT_CONFIRMED, "was restored");
        let devices = match kept.strip_prefix("schema ") {
            None => {
                let kept = Connection::open(kept).unwrap();
                let sql = "SELECT count(*) FROM device";
                kept.query_row(sql, [], |row| row.get::<_, u64>(0)).unwrap()
            }
            Some(schema) => {
                let sql = format!("SELECT count(*) FROM {schema}.device");
                let postgres = Postgres::shared().unwrap();
                postgres
                    .sql(name_in(&place.database), &sql)
                    .parse()
                    .unwrap()
            }
        };
        let all = replaced["organizers"].as_array().unwrap().iter();
        let restored: usize = all
            .map(|one| one["devices"].as_array().unwrap().len())
            .sum();
        assert!(devices > restored as u64, "{devices} {restored}");
    }
}

#[test]
fn a_server_that_runs_serves_nothing_restored_until_that_is_confirmed() {
    for place in places() {
        let story = Story::tell(&place);
        let server = place.serve();
        let is_file = place.database.ends_with(".db");
        assert_eq!(info(&server, &story.late.1).status, 200);
        if is_file {
            let in_use = place.run(&["restore", "--replace", &story.backup]);
            in_use.complains(15, "is in use");
            assert!(
                in_use.stderr.contains("stop the server"),
                "{}",
                in_use.stderr
            );
            assert_eq!(info(&server, &story.late.1).status, 200);
            for end in ["", "-wal", "-shm"] {
                let name = format!("{}{end}", place.database);
                fs::rename(&name, format!("{name}.away")).unwrap();
            }
        }
        place
            .run(&["restore", "--replace", &story.backup])
            .succeeds();
        for key in [&story.enrolled.1, &story.late.1] {
            let refused = info(&server, key);
            assert_eq!(
                (refused.status, refused.header("retry-after")),
                (503, "5"),
                "{}",
                refused.text
            );
        }
        let refused = post(&server, "roll", &story.enrolled.1, "roll", &json!({}));
        assert_eq!(refused.status, 503, "{}", refused.text);
        server.logs("not confirmed");
        place.admin(&["restore", "--confirm"]);
        assert_eq!(info(&server, &story.enrolled.1).status, 200);
        assert_eq!(info(&server, &story.late.1).status, 401);
        assert_eq!(
            post(&server, "roll", &story.enrolled.1, "roll", &json!({})).status,
            200
        );
    }
}

#[test]
fn what_is_no_backup_of_this_server_is_refused_and_nothing_is_changed() {
    let place = Place::new(None);
    let story = Story::tell(&place);
    for to in places() {
        let restore = |file: &Path| to.run(&["restore", file.to_str().unwrap()]);
        let backup = Path::new(&story.backup);
        // The secret is there before the backup: none is made for it.
        restore(backup).complains(15, "with the secret in");
        assert!(!Path::new(&to.secret).exists());
        fs::write(&to.secret, "0".repeat(64)).unwrap();
        fs::set_permissions(&to.secret, fs::Permissions::from_mode(0o600)).unwrap();
        restore(backup).complains(15, "another secret");
        fs::copy(&place.secret, &to.secret).unwrap();
        restore(&to.path("missing.db")).complains(15, "No such file");
        restore(Path::new(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/Cargo.toml"
        )))
        .complains(15, "no database");
        let mut damaged = fs::read(backup).unwrap();
        // A whole page, which is in use whatever it holds.
        let middle = damaged.len() / 2 / 4096 * 4096;
        damaged[middle..middle + 4096].fill(0xa5);
        fs::write(to.path("damaged.db"), damaged).unwrap();
        let ended = restore(&to.path("damaged.db"));
        assert_eq!(ended.code, 15, "{}", ended.stderr);
        assert!(!Path::new(&to.database).exists());
        let left: Vec<_> = fs::read_dir(to.desk.scratch())
            .unwrap()
            .map(|file| file.unwrap().file_name())
            .collect();
        assert!(
            !left
                .iter()
                .any(|name| name.to_string_lossy().contains("restoring")),
            "{left:?}"
        );
        restore(backup).succeeds();
    }
    // A backup that is put in place by hand lacks what makes it safe.
    let by_hand = Place::new(None);
    fs::copy(&place.secret, &by_hand.secret).unwrap();
    fs::copy(&story.backup, &by_hand.database).unwrap();
    by_hand
        .serve_in_vain()
        .complains(15, "put in its place by hand");
}

#[test]
fn a_copy_that_says_nothing_of_itself_is_restored_as_of_its_last_change() {
    let place = Place::new(None);
    let story = Story::tell(&place);
    let copy = place.path("copy.db");
    let sql = format!("VACUUM INTO '{}'", copy.display());
    Connection::open(&place.database)
        .unwrap()
        .execute_batch(&sql)
        .unwrap();
    let restored = place.admin(&["restore", "--replace", copy.to_str().unwrap()]);
    let log = place.admin(&["device", "log", ORGANIZER, &number(&story.waiting)]);
    let last = log.as_array().unwrap().last().unwrap();
    assert_eq!(last["action"], "token ended");
    assert_eq!(restored["restored"], last["created"]);
    assert!(restored["taken"].as_str().unwrap() < restored["restored"].as_str().unwrap());
    // It was restored once already, which says nothing of this copy.
    place.admin(&["restore", "--confirm"]);
    let copy = place.path("again.db");
    let sql = format!("VACUUM INTO '{}'", copy.display());
    Connection::open(&place.database)
        .unwrap()
        .execute_batch(&sql)
        .unwrap();
    let again = place.admin(&["restore", "--replace", copy.to_str().unwrap()]);
    assert_eq!(again["taken"], restored["restored"]);
}

#[test]
fn a_restore_that_is_killed_at_any_step_leaves_the_old_state_or_one_that_nobody_serves() {
    let origin = Place::new(None);
    let story = Story::tell(&origin);
    for (place, has_log) in places()
        .into_iter()
        .flat_map(|place| {
            let is_file = place.database.ends_with(".db");
            let second = is_file.then(|| (Place::new(None), true));
            [Some((place, false)), second]
        })
        .flatten()
    {
        fs::copy(&origin.secret, &place.secret).unwrap();
        place.run(&["restore", &story.backup]).succeeds();
        place.admin(&["restore", "--confirm"]);
        let added = place.add("Before");
        let mut steps = 0;
        let mut seen = Vec::new();
        for step in 1.. {
            let last = match has_log {
                true => leave_log(&place),
                false => added.clone(),
            };
            let mut command = place.command(&["restore", "--replace", &story.backup]);
            let ended = command
                .env("GATEHAND_KILL_AT", step.to_string())
                .output()
                .unwrap();
            steps = step;
            if ended.status.success() {
                break;
            }
            assert_eq!(ended.status.code(), None, "{ended:?}");
            let number = number(&added);
            let stands = match place.run(&["device", "show", ORGANIZER, &number]) {
                Ended { code: 0, .. } => "old",
                ended if ended.stderr.contains("a restore was begun") => "half",
                ended => {
                    assert!(
                        ended.stderr.contains("there is no device"),
                        "{}",
                        ended.stderr
                    );
                    place
                        .serve_in_vain()
                        .complains(NOT_CONFIRMED, "was restored");
                    "new"
                }
            };
            seen.push(stands);
            if stands == "half" {
                place
                    .serve_in_vain()
                    .complains(15, "a restore was begun and not ended");
            }
            if stands != "old" {
                // Again, which knows of the numbers that were given, and back to where it began.
                let again = ["restore", "--replace", "--skip-numbers", "0", &story.backup];
                let restored = place.admin(&again);
                let next = restored["organizers"][0]["next_device"].as_u64();
                assert!(next > last["device_id"].as_u64(), "{stands}: {restored}");
                place
                    .serve_in_vain()
                    .complains(NOT_CONFIRMED, "was restored");
                for end in ["", "-wal", "-shm"] {
                    let _ = fs::remove_file(format!("{}{end}", place.database));
                }
                place.run(&["restore", &story.backup]).succeeds();
                place.admin(&["restore", "--confirm"]);
                let again = place.add("Before");
                assert_eq!(again["device_id"], added["device_id"]);
            }
        }
        place
            .serve_in_vain()
            .complains(NOT_CONFIRMED, "was restored");
        if place.database.ends_with(".db") {
            assert!(steps > 6, "{seen:?}");
            assert_eq!(seen.contains(&"half"), has_log, "{seen:?}");
        }
    }
}

/// Leaves a database with a log beside it, as of a server that was killed; the device that is in the log alone.
fn leave_log(place: &Place) -> Value {
    let server = place.serve();
    let last = place.add("In the log");
    drop(server);
    last
}

#[test]
fn numbers_that_a_database_of_an_older_version_has_given_do_not_come_again() {
    let place = Place::new(None);
    place.admin(&["organizer", "create", ORGANIZER, "--name", "Big Events"]);
    place.add("Kept");
    let backup = place.backup("backup.db");
    for name in ["Since", "Since too"] {
        place.add(name);
    }
    let file = Connection::open(&place.database).unwrap();
    file.pragma_update(None, "user_version", 4).unwrap();
    drop(file);
    let restore = ["restore", "--replace", "--skip-numbers", "0", &backup];
    let restored = place.admin(&restore);
    assert_eq!(restored["organizers"][0]["next_device"], 4);
    place.admin(&["restore", "--confirm"]);
    assert_eq!(place.add("New")["device_id"], 4);
}
