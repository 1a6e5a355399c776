//! A disk that fails under a server makes it say nothing that is not so: what it says is done is there
//! after a kill, what it refuses is not, and where it can't know it says nothing.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::thread::{self, JoinHandle};

use gatehand::server::store;
use gatehand::wire::IDEMPOTENCY_HEADER;
use serde_json::Value;
use tokio::runtime::Runtime;

use crate::common::installation::{ServerProcess, serve, served_at};
use crate::common::recording::{can_record, strace, with_program};
use crate::common::server::{Answer, ORGANIZER, client, initialization};

/// What fails: a call on the write-ahead log.
#[derive(Clone, Copy, Debug)]
struct Fault {
    call: &'static str,
    error: &'static str,
    /// Whether all later calls fail too.
    lasts: bool,
    /// What the log says to do.
    advice: &'static str,
}

const ROOM: &str = "make room on the disk";
const KERNEL: &str = "look into the kernel's log";

#[rustfmt::skip]
const FAULTS: &[Fault] = &[
    Fault { call: "pwrite64", error: "ENOSPC", lasts: false, advice: ROOM },
    Fault { call: "pwrite64", error: "ENOSPC", lasts: true, advice: ROOM },
    Fault { call: "pwrite64", error: "EIO", lasts: false, advice: KERNEL },
    Fault { call: "pwrite64", error: "EIO", lasts: true, advice: KERNEL },
    Fault { call: "fsync", error: "EIO", lasts: false, advice: KERNEL },
    Fault { call: "fsync", error: "EIO", lasts: true, advice: KERNEL },
];

/// What is asked of the server.
#[derive(Clone, Copy, Debug)]
enum Operation {
    /// Redeems a token.
    Initialize,
    /// Replaces a key.
    Roll,
    /// The same under an idempotency key.
    RollOnce,
}

/// How the server answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Told {
    Done,
    Refused,
    Nothing,
}

/// A database with a device that waits for a scanner and one that is enrolled.
struct Template {
    folder: tempfile::TempDir,
    waiting: Value,
    key: String,
}

impl Template {
    fn new(runtime: &Runtime) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = database(folder.path());
        let device = |name: &str| gatehand::server::model::NewDevice {
            name: name.to_owned(),
            all_events: true,
            limit_events: Vec::new(),
            security_profile: "full".to_owned(),
            gate: None,
        };
        let [waiting, enrolled] = runtime.block_on(async {
            let store = store::open(&database.clone().into(), None).unwrap().store;
            let organizer = store
                .create_organizer(&ORGANIZER.parse().unwrap(), "Big")
                .await
                .unwrap()
                .id;
            let waiting = store.add_device(organizer, device("a")).await.unwrap();
            let enrolled = store.add_device(organizer, device("b")).await.unwrap();
            [waiting, enrolled].map(|device| serde_json::to_value(device).unwrap())
        });
        let server = ServerProcess::start(&database);
        let answer = Operation::Initialize.ask(runtime, &server.url, &enrolled, "");
        let key = answer.unwrap().json()["api_token"]
            .as_str()
            .unwrap()
            .to_owned();
        drop(server);
        // Whoever closes the database takes the log into it.
        drop(store::open(&database.clone().into(), None).unwrap());
        Self {
            folder,
            waiting,
            key,
        }
    }

    fn copy(&self) -> tempfile::TempDir {
        let copy = tempfile::tempdir().unwrap();
        for file in fs::read_dir(self.folder.path()).unwrap() {
            let file = file.unwrap();
            fs::copy(file.path(), copy.path().join(file.file_name())).unwrap();
        }
        copy
    }
}

fn database(folder: &Path) -> PathBuf {
    folder.join("server.db")
}

impl Operation {
    /// The server's answer, if there is one.
    fn ask(self, runtime: &Runtime, url: &str, device: &Value, key: &str) -> Option<Answer> {
        let path = match self {
            Self::Initialize => "initialize",
            Self::Roll | Self::RollOnce => "roll",
        };
        let mut request = client().post(format!("{url}/api/v1/device/{path}"));
        request = match self {
            Self::Initialize => request.json(&initialization(device)),
            Self::Roll | Self::RollOnce => request.header("Authorization", format!("Device {key}")),
        };
        if matches!(self, Self::RollOnce) {
            request = request.header(IDEMPOTENCY_HEADER, "once");
        }
        runtime.block_on(async {
            let response = request.send().await.ok()?;
            Some(Answer {
                status: response.status().as_u16(),
                headers: response.headers().clone(),
                text: response.text().await.unwrap(),
            })
        })
    }
}

/// Whether the server lets a device in with this key.
fn is_good(runtime: &Runtime, url: &str, key: &str) -> bool {
    let request = client().get(format!("{url}/api/v1/device/info"));
    let request = request.header("Authorization", format!("Device {key}"));
    let status = runtime.block_on(async { request.send().await.unwrap().status() });
    assert!(matches!(status.as_u16(), 200 | 401), "{status}");
    status.is_success()
}

/// A server whose calls fail; killed in the middle when it is dropped.
struct Failing {
    url: String,
    strace: Child,
    /// Taken when it is killed.
    process: Option<String>,
    log: Option<JoinHandle<String>>,
}

impl Failing {
    fn start(folder: &Path, calls: &Path, options: &[String]) -> Self {
        let database = database(folder);
        let number = folder.join("process");
        let server = serve(&database);
        let mut command = Command::new("sh");
        command
            .args(["-c", "echo $$ > \"$0\"; exec \"$@\""])
            .arg(&number);
        let command = with_program(command, &server);
        let mut traced = strace(&command, calls);
        traced.arg("-P").arg(folder.join("server.db-wal"));
        for option in options {
            traced.args(["-e", option]);
        }
        let mut strace = with_program(traced, &command)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(strace.stderr.take().unwrap()).lines();
        let first = lines.next().unwrap().unwrap();
        let url = served_at(&first).expect(&first);
        let log = thread::spawn(move || {
            let lines: Vec<_> = lines.map_while(Result::ok).collect();
            lines.join("\n")
        });
        Self {
            url,
            strace,
            process: Some(fs::read_to_string(number).unwrap().trim().to_owned()),
            log: Some(log),
        }
    }

    /// Kills it; what it has logged.
    fn kill(mut self) -> String {
        self.end();
        self.log.take().unwrap().join().unwrap()
    }

    fn end(&mut self) {
        if let Some(process) = self.process.take() {
            let killed = Command::new("kill").args(["-KILL", &process]).status();
            assert!(killed.unwrap().success());
            self.strace.wait().unwrap();
        }
    }
}

impl Drop for Failing {
    fn drop(&mut self) {
        self.end();
    }
}

/// How many calls of this name an operation makes on the log before it is answered.
fn count(runtime: &Runtime, template: &Template, operation: Operation, call: &str) -> usize {
    let (folder, logs) = (template.copy(), tempfile::tempdir().unwrap());
    let calls = logs.path().join("calls");
    let server = Failing::start(folder.path(), &calls, &[format!("trace={call}")]);
    let answer = operation.ask(runtime, &server.url, &template.waiting, &template.key);
    assert_eq!(answer.unwrap().status, 200);
    drop(server);
    let log = fs::read_to_string(calls).unwrap();
    log.lines().filter(|line| line.contains(call)).count()
}

/// Asks a server whose call with this number fails, kills it, and looks what is there.
fn tells_the_truth(
    runtime: &Runtime,
    template: &Template,
    operation: Operation,
    fault: Fault,
    number: usize,
) -> Told {
    let what = format!("{operation:?}, {fault:?}, number {number}");
    let Template { waiting, key, .. } = template;
    let (folder, logs) = (template.copy(), tempfile::tempdir().unwrap());
    let calls = logs.path().join("calls");
    let from = if fault.lasts { "+" } else { "" };
    let Fault { call, error, .. } = fault;
    let options = [
        format!("trace={call}"),
        format!("inject={call}:error={error}:when={number}{from}"),
    ];
    let server = Failing::start(folder.path(), &calls, &options);
    let answer = operation.ask(runtime, &server.url, waiting, key);
    let log = server.kill();
    let injected = fs::read_to_string(calls).unwrap();
    assert!(injected.contains("(INJECTED)"), "{what}: {injected}");
    assert!(log.contains(fault.advice), "{what}: {log}");

    let server = ServerProcess::start(&database(folder.path()));
    let ask_again = || operation.ask(runtime, &server.url, waiting, key).unwrap();
    let Some(answer) = answer else {
        if matches!(operation, Operation::RollOnce) {
            let again = ask_again();
            assert_eq!(again.status, 200, "{what}: {again:?}");
            let new = again.json();
            assert!(is_good(
                runtime,
                &server.url,
                new["api_token"].as_str().unwrap()
            ));
        }
        return Told::Nothing;
    };
    if answer.status == 200 {
        let new = answer.json();
        let new = new["api_token"].as_str().unwrap();
        assert!(
            is_good(runtime, &server.url, new),
            "{what}: the new key is lost"
        );
        return Told::Done;
    }
    assert_eq!(
        (answer.status, answer.header("retry-after")),
        (503, "5"),
        "{what}: {answer:?}"
    );
    if !matches!(operation, Operation::Initialize) {
        assert!(
            is_good(runtime, &server.url, key),
            "{what}: the old key is lost"
        );
    }
    let again = ask_again();
    assert_eq!(again.status, 200, "{what}: {again:?}");
    Told::Refused
}

#[test]
fn a_server_on_a_failing_disk_tells_nothing_that_is_not_so() {
    if !can_record() {
        return;
    }
    let runtime = &tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    let template = &Template::new(runtime);
    let seen = &Mutex::new(BTreeSet::new());
    thread::scope(|threads| {
        for operation in [Operation::Initialize, Operation::Roll, Operation::RollOnce] {
            for fault in FAULTS {
                threads.spawn(move || {
                    let last = count(runtime, template, operation, fault.call);
                    // The log's head, a first page, and the page that makes it a transaction.
                    for number in BTreeSet::from([1, 3.min(last), last - 1, last]) {
                        let told = tells_the_truth(runtime, template, operation, *fault, number);
                        if fault.error == "ENOSPC" || !fault.lasts {
                            assert_ne!(told, Told::Nothing, "{operation:?} {fault:?} {number}");
                        }
                        seen.lock()
                            .unwrap()
                            .insert((fault.error, fault.lasts, told));
                    }
                });
            }
        }
    });
    let seen = seen.lock().unwrap();
    for told in [
        ("ENOSPC", true, Told::Refused),
        ("EIO", false, Told::Refused),
        ("EIO", true, Told::Nothing),
    ] {
        assert!(seen.contains(&told), "{told:?} in {seen:?}");
    }
}

#[test]
fn a_server_whose_database_is_gone_makes_no_other_and_goes_on_once_it_is_back() {
    if !can_record() {
        return;
    }
    let runtime = &tokio::runtime::Runtime::new().unwrap();
    let template = Template::new(runtime);
    let Template { waiting, key, .. } = &template;
    let last = count(runtime, &template, Operation::Initialize, "fsync");
    let (folder, logs) = (template.copy(), tempfile::tempdir().unwrap());
    // More calls fail than one COMMIT is looked up with, so that its connection is given up.
    let options = [
        "trace=fsync".to_owned(),
        format!("inject=fsync:error=EIO:when={last}..{}", last + 60),
    ];
    let server = Failing::start(folder.path(), &logs.path().join("calls"), &options);
    let answer = Operation::Initialize.ask(runtime, &server.url, waiting, key);
    assert!(answer.is_none(), "{answer:?}");

    let away = tempfile::tempdir_in(folder.path()).unwrap();
    let names = ["server.db", "server.db-wal", "server.db-shm"];
    // Whoever closes the database last may have taken its log away.
    let is_there = |name: &&str| folder.path().join(name).exists();
    let moved: Vec<&str> = names.into_iter().filter(is_there).collect();
    for name in &moved {
        fs::rename(folder.path().join(name), away.path().join(name)).unwrap();
    }
    let roll = || Operation::RollOnce.ask(runtime, &server.url, waiting, key);
    for _ in 0..2 {
        assert_eq!(roll().unwrap().status, 503);
        assert!(!names.iter().any(is_there));
    }
    for name in &moved {
        fs::rename(away.path().join(name), folder.path().join(name)).unwrap();
    }
    // The calls that still fail are spent by these.
    let new = loop {
        match roll() {
            Some(answer) if answer.status == 200 => break answer.json(),
            Some(answer) => assert_eq!(answer.status, 503, "{answer:?}"),
            None => {}
        }
    };
    assert!(is_good(
        runtime,
        &server.url,
        new["api_token"].as_str().unwrap()
    ));
    let log = server.kill();
    assert!(log.contains("mount its disk again"), "{log}");
    assert!(!log.contains("fault of gatehand"), "{log}");
}
