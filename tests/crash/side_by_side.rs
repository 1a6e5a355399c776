//! A kiosk's agent and commands beside it, killed at any step and time, on a bad network: the device is itself in
//! the end, and nothing was enrolled twice.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use fastrand::Rng;
use serde_json::Value;

use crate::common::daemon::Daemon;
use crate::common::faulty_way::Fault;
use crate::common::scanner::Scanner;
use crate::common::server::ORGANIZER;
use crate::device::Ground;
use crate::process::{Kill, Outcome, Running};

const RUNS: usize = 500;
const WORKERS: usize = 16;

/// What is seen of all runs together.
#[derive(Default)]
struct Seen {
    daemons_killed: AtomicUsize,
    commands_killed: AtomicUsize,
    faults: AtomicUsize,
}

#[test]
fn a_daemon_and_commands_that_are_killed_side_by_side_lose_nothing() {
    let replayed = std::env::var("GATEHAND_CRASH_SIDE_BY_SIDE").ok();
    let seeds: Vec<u64> = match &replayed {
        Some(seed) => vec![seed.parse().unwrap()],
        None => (0..RUNS).map(|_| fastrand::u64(..)).collect(),
    };
    let runs = seeds.len();
    let (seen, failures) = (Seen::default(), Mutex::new(Vec::new()));
    let agenda = Mutex::new(seeds);
    thread::scope(|scope| {
        for _ in 0..WORKERS.min(runs) {
            scope.spawn(|| {
                let ground = Ground::new();
                let mut enrolled = 0;
                while failures.lock().unwrap().len() < 3
                    && let Some(seed) = { agenda.lock().unwrap().pop() }
                {
                    let lived = catch_unwind(AssertUnwindSafe(|| live(&ground, seed, &seen)));
                    match lived {
                        Ok(()) => enrolled += 1,
                        Err(_) => {
                            let way = ground.way_went().join("\n  ");
                            let replay = format!("GATEHAND_CRASH_SIDE_BY_SIDE={seed}\n  {way}");
                            failures.lock().unwrap().push(replay);
                            return;
                        }
                    }
                }
                let devices = ground.installation.devices();
                let initialized = devices
                    .iter()
                    .filter(|device| !device["initialized"].is_null());
                assert_eq!(
                    initialized.count(),
                    enrolled,
                    "each device was enrolled once"
                );
            });
        }
    });
    let failures = failures.into_inner().unwrap();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    if replayed.is_none() {
        let many = |count: &AtomicUsize| count.load(Ordering::Relaxed) > RUNS / 4;
        assert!(
            many(&seen.daemons_killed) && many(&seen.commands_killed),
            "too few were killed"
        );
        assert!(many(&seen.faults), "the network was too good");
    }
}

fn live(ground: &Ground, seed: u64, seen: &Seen) {
    let mut rng = Rng::with_seed(seed);
    let scanner = Scanner::new();
    let device = ground.installation.add_device(&format!("Kiosk {seed}"));
    let number = device["device_id"].as_u64().unwrap();
    let token = device["initialization_token"].as_str().unwrap().to_owned();
    put(&scanner, &ground.way.url, &token);
    for _ in 0..rng.usize(1..4) {
        ground.way.follow(bad_network(rng.fork()));
        let daemon = start(&scanner, ground, &mut rng);
        let commands: Vec<Running> = (0..rng.usize(0..3))
            .map(|_| {
                thread::sleep(Duration::from_millis(rng.u64(0..150)));
                let arguments = some_command(&mut rng, ground, &token);
                let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
                Running::start(
                    scanner.command(&arguments),
                    arguments.join(" "),
                    some_kill(&mut rng),
                )
            })
            .collect();
        for command in commands {
            sound(&command.finish(), &seen.commands_killed);
        }
        sound(&daemon.finish(), &seen.daemons_killed);
        let faults = ground
            .way
            .record()
            .iter()
            .filter(|sent| sent.fault != "Pass")
            .count();
        seen.faults.fetch_add(faults.min(1), Ordering::Relaxed);
    }
    ground.way.heal();
    let mut daemon = Daemon::start(&scanner, &daemon_arguments(&ground.way.url));
    daemon.until_it_is("enrolled");
    daemon.until_it_is_online(true);
    let status = daemon.get("/v1/status");
    assert_eq!(status["device_id"].as_u64(), Some(number), "{status}");
    daemon.until("nothing is left begun", || {
        daemon.get("/v1/status")["pending"] == false
    });
    assert!(daemon.stop().success());
    let told: Value = scanner.told(&["info", "--timeout", "20"]);
    assert_eq!(told["state"], "enrolled", "{told}");
    let device = ground.installation.device(number);
    assert_eq!(device["revoked"], false, "{device}");
    ground.way.forget();
}

/// Where a kiosk looks, a file appears as a whole.
fn put(scanner: &Scanner, server: &str, token: &str) {
    let code = format!(r#"{{"handshake_version": 1, "url": "{server}", "token": "{token}"}}"#);
    fs::create_dir_all(scanner.home()).unwrap();
    let draft = scanner.scratch().join("draft");
    fs::write(&draft, code).unwrap();
    fs::rename(draft, scanner.home().join("enrolment.json")).unwrap();
}

fn daemon_arguments(server: &str) -> [&str; 6] {
    [
        "--heartbeat",
        "1s",
        "--allowed-server",
        server,
        "--allowed-organizer",
        ORGANIZER,
    ]
}

fn start(scanner: &Scanner, ground: &Ground, rng: &mut Rng) -> Running {
    let socket = scanner.scratch().join("door.sock");
    let own = [
        "run",
        "--timeout",
        "2",
        "--socket",
        socket.to_str().unwrap(),
    ];
    let arguments = [&own[..], &daemon_arguments(&ground.way.url)].concat();
    // It does not end by itself.
    let kill = match rng.bool() {
        true => Kill::AtStepOrAfter(rng.usize(1..60), Duration::from_millis(1500)),
        false => Kill::After(Duration::from_millis(rng.u64(0..1200))),
    };
    Running::start(scanner.command(&arguments), "run".to_owned(), kill)
}

fn some_command(rng: &mut Rng, ground: &Ground, token: &str) -> Vec<String> {
    let arguments: &[&str] = match rng.u8(0..6) {
        0 => &["update", "--os-name", "Kiosk"],
        1 | 2 => &["roll"],
        3 => &["info"],
        4 => &["status"],
        _ => &["init", "--url", &ground.way.url, "--token", token],
    };
    let timeout = ["--timeout", "3"]
        .iter()
        .filter(|_| arguments[0] != "status");
    arguments
        .iter()
        .chain(timeout)
        .map(|&text| text.to_owned())
        .collect()
}

fn some_kill(rng: &mut Rng) -> Kill {
    match rng.u8(0..4) {
        0 => Kill::Never,
        1 => Kill::After(Duration::from_millis(rng.u64(0..600))),
        _ => Kill::AtStep(rng.usize(1..30)),
    }
}

fn bad_network(mut rng: Rng) -> impl FnMut(&str) -> Fault + Send {
    move |_| match rng.u8(0..10) {
        0 => Fault::LoseRequest,
        1 | 2 => Fault::LoseAnswer,
        3 => Fault::CutAnswer,
        4 => Fault::Repeat,
        _ => Fault::Pass,
    }
}

/// Nothing panics, and nothing is said that should not be.
fn sound(outcome: &Outcome, killed: &AtomicUsize) {
    assert!(
        !outcome.ended.stderr.contains("panicked"),
        "{} {:?}",
        outcome.said,
        outcome.ended
    );
    if outcome.was_killed {
        killed.fetch_add(1, Ordering::Relaxed);
    }
}
