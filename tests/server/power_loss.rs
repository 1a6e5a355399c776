//! A power cut takes nothing from a server that it acknowledged: the real server is recorded, and its
//! database is opened from every state that the disk may hold then.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;

use gatehand::server::store;
use gatehand::wire::IDEMPOTENCY_HEADER;
use reqwest::Client;
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::common::disk::Disk;
use crate::common::installation::{self, ServerProcess};
use crate::common::power_cut::{self, Checked, Content, Finding, Random, Sample};
use crate::common::recording::{self, Action, Event, Recorder};
use crate::common::scanner::{Scanner, end};
use crate::common::server::{ORGANIZER, initialization};

/// States that a server's day leaves at least.
const ENOUGH: usize = 1000;

/// A request that was answered.
struct Step {
    path: String,
    authorization: Option<String>,
    /// Its idempotency key.
    name: String,
    body: Value,
    answer: Value,
}

/// What a server did from its first start until it was told to stop.
struct Recorded {
    /// Before: nothing.
    disk: Disk,
    folder: Scanner,
    events: Vec<Event>,
    steps: Vec<Step>,
}

/// A recorded server; told to stop when dropped.
struct RecordedServer {
    recorder: Recorder,
    child: Child,
    url: String,
}

impl RecordedServer {
    fn start(recorder: Recorder, database: &Path) -> Self {
        let mut child = recorder
            .command(&installation::serve(database))
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap());
        let mut first = String::new();
        log.read_line(&mut first).unwrap();
        thread::spawn(move || log.lines().for_each(drop));
        let url = installation::served_at(&first).expect(&first);
        Self {
            recorder,
            child,
            url,
        }
    }
}

impl Drop for RecordedServer {
    fn drop(&mut self) {
        // The recorder ends with what it records.
        let process = self.recorder.process().unwrap();
        let told = Command::new("kill").args(["-TERM", &process]).status();
        assert!(told.unwrap().success());
        self.child.wait().unwrap();
    }
}

/// Sets a server up and takes a device through its life, all of it recorded.
async fn record() -> Recorded {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let folder = Scanner::new();
    let disk = Disk::of(folder.scratch());
    let database = folder.scratch().join("server.db");
    let logs = tempfile::tempdir().unwrap();
    let mut events: Vec<Event> = Vec::new();
    let mut add = |recorder: &Recorder| {
        let base = events.last().map_or(0, |event| event.at + 1);
        let more = recorder.recording(folder.scratch()).into_iter();
        events.extend(more.map(|event| Event {
            at: base + event.at,
            began: base + event.began,
            ..event
        }));
    };

    let mut printed = String::new();
    for (number, subject) in [
        &["organizer", "create", ORGANIZER, "--name", "Big Events"][..],
        &["team", "create", ORGANIZER, "t", "--permission", "all"],
        &["token", "create", ORGANIZER, "t"],
    ]
    .into_iter()
    .enumerate()
    {
        let recorder = Recorder::to(logs.path().join(number.to_string()));
        let mut arguments = vec!["admin", "--json", "--database", database.to_str().unwrap()];
        arguments.extend(subject);
        let mut command = recorder.command(&folder.command(&arguments));
        printed = end(command.output().unwrap()).succeeds().stdout.clone();
        add(&recorder);
    }
    let token: Value = serde_json::from_str(&printed).unwrap();
    let token = format!("Token {}", token["token"].as_str().unwrap());

    let recorder = Recorder::to(logs.path().join("serve"));
    let server = RecordedServer::start(recorder, &database);
    let mut steps = Vec::new();
    let devices = format!("/api/v1/organizers/{ORGANIZER}/devices/");
    let mut device = Value::Null;
    for name in ["first", "second"] {
        let body = json!({"name": name, "all_events": true, "limit_events": []});
        device = step(&server.url, &mut steps, &devices, Some(&token), body).await;
    }
    let mut key: Option<String> = None;
    for operation in ["initialize", "update", "roll", "roll", "revoke"] {
        let path = format!("/api/v1/device/{operation}");
        let body = initialization(&device);
        let identity = step(&server.url, &mut steps, &path, key.as_deref(), body).await;
        key = Some(format!(
            "Device {}",
            identity["api_token"].as_str().unwrap()
        ));
    }
    let log = logs.path().join("serve");
    drop(server);
    add(&Recorder::to(log));
    Recorded {
        disk,
        folder,
        events,
        steps,
    }
}

/// Makes a request and returns its answer, which it must get.
async fn step(
    url: &str,
    steps: &mut Vec<Step>,
    path: &str,
    authorization: Option<&str>,
    body: Value,
) -> Value {
    let mut step = Step {
        path: path.to_owned(),
        authorization: authorization.map(str::to_owned),
        name: format!("step {}", steps.len()),
        body,
        answer: Value::Null,
    };
    step.answer = send(url, &step).await;
    steps.push(step);
    steps.last().unwrap().answer.clone()
}

async fn send(url: &str, step: &Step) -> Value {
    let client = Client::builder().no_proxy().build().unwrap();
    let mut request = client.post(format!("{url}{}", step.path)).json(&step.body);
    request = request.header(IDEMPOTENCY_HEADER, &step.name);
    if let Some(authorization) = &step.authorization {
        request = request.header("Authorization", authorization);
    }
    let answer = request.send().await.unwrap();
    let status = answer.status();
    let text = answer.text().await.unwrap();
    assert!(
        status.is_success(),
        "{} of {}: {text}",
        step.name,
        step.path
    );
    serde_json::from_str(&text).unwrap()
}

/// Opens a database as the next start of the server does; all rows and the secret.
fn look(folder: &Path) -> Result<Content, String> {
    let database = folder.join("server.db");
    let mut content = Content::new();
    if database.exists() {
        content = rows(&Connection::open(&database).unwrap()).map_err(|error| error.to_string())?;
    }
    if !content.is_empty() {
        let secret = fs::read_to_string(folder.join("server.db.secret"));
        content.push(secret.map_err(|error| format!("the secret: {error}"))?);
    }
    store::open(&database.clone().into(), None).map_err(|error| format!("{error:?}"))?;
    Ok(content)
}

fn rows(connection: &Connection) -> rusqlite::Result<Content> {
    let mut tables =
        connection.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")?;
    let tables = tables.query_map([], |row| row.get::<_, String>(0))?;
    let mut content = Content::new();
    for table in tables {
        let table = table?;
        let mut query = connection.prepare(&format!("SELECT * FROM {table}"))?;
        let columns = query.column_count();
        let mut rows = query.query([])?;
        content.push(table);
        while let Some(row) = rows.next()? {
            let values = (0..columns).map(|column| row.get_ref(column));
            content.push(format!("{:?}", values.collect::<Result<Vec<_>, _>>()?));
        }
    }
    Ok(content)
}

fn check(recorded: &Recorded, events: &[Event]) -> Result<Checked, Finding> {
    let mut random = Random(power_cut::seed());
    power_cut::check(recorded.disk.clone(), events, &mut random, &look)
}

/// The server goes on after a power cut: it repeats the last answer it gave, and does what it was
/// asked next, be it for the first time or not.
async fn goes_on(recorded: &Recorded, sample: &Sample) {
    let is_answer = |event: &&Event| matches!(&event.action, Action::Told { bytes } if bytes.starts_with(b"HTTP/1.1 2"));
    let answered = recorded.events[..sample.point]
        .iter()
        .filter(is_answer)
        .count();
    let server = ServerProcess::start(&sample.folder.path().join("server.db"));
    if let Some(last) = answered.checked_sub(1) {
        let last = &recorded.steps[last];
        assert_eq!(send(&server.url, last).await, last.answer, "{}", last.name);
    }
    if let Some(next) = recorded.steps.get(answered).filter(|_| answered > 0) {
        send(&server.url, next).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_power_cut_takes_nothing_that_the_server_acknowledged() {
    if !recording::can_record() {
        return;
    }
    let recorded = record().await;
    let after = recorded.disk.clone().after(&recorded.events);
    let there = Disk::of(recorded.folder.scratch());
    assert!(
        after.files() == there.files(),
        "the recording misses something"
    );

    let checked = check(&recorded, &recorded.events).unwrap_or_else(|finding| panic!("{finding}"));
    assert!(checked.states > ENOUGH, "{}", checked.states);
    assert!(checked.contents.len() > recorded.steps.len());
    for sample in &checked.samples {
        goes_on(&recorded, sample).await;
    }
}

/// Whoever leaves out a sync loses something in some state, and the check finds it.
#[tokio::test(flavor = "multi_thread")]
async fn without_its_syncs_the_same_recording_loses_something() {
    if !recording::can_record() {
        return;
    }
    let recorded = record().await;
    let folder = recorded.folder.scratch();
    for (how, events) in power_cut::without_syncs(&recorded.events, folder) {
        assert!(events.len() < recorded.events.len(), "{how}");
        assert!(check(&recorded, &events).is_err(), "{how}");
    }
}
