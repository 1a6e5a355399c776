//! `gatehand status` as a whole process on an enrolled vault, against `sqlite3 vault.db 'select 1'`:
//! the least that a program which looks into the same file can take.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a benchmark fails by panicking and prints what it found"
)]

use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use gatehand::vault::{Folder, Vault, VaultError};

const GATEHAND: &str = env!("CARGO_BIN_EXE_gatehand");
const RUNS: usize = 101;
const RATIO_TARGET: f64 = 3.0;
const MEMORY_TARGET: u64 = 15;
/// Prints a process' peak memory in KiB; Debian package time.
const TIME: &str = "/usr/bin/time";

const IDENTITY: &str = r#"{"server": "https://pretix.eu", "organizer": "bigevents", "device_id": 7,
    "unique_serial": "ABCDEFGH12345678", "name": "Lane 7", "security_profile": "full",
    "gate": {"id": 3, "name": "North", "identifier": "N"}, "enrolled": "2026-11-24T11:03:29Z",
    "reported": {"hardware_brand": "Zebra", "hardware_model": "TC25", "os_name": "Android",
    "os_version": "8.1.0", "software_brand": "gatehand", "software_version": "0.1.0"}}"#;
const CONTEXT: &str = "https://pretix.eu\nbigevents\n7\nABCDEFGH12345678";

fn main() {
    let scratch = tempfile::tempdir().unwrap();
    let folder = Folder::at(scratch.path()).unwrap();
    enrol(&folder);
    let status = || {
        let mut command = Command::new(GATEHAND);
        command.arg("status").env("GATEHAND_HOME", folder.path());
        command
    };
    let shown = output(&mut status());
    assert!(
        shown.status.success() && String::from_utf8_lossy(&shown.stdout).contains("Lane 7"),
        "{shown:?}"
    );
    compare(status, &folder.vault_path());
    measure_memory(status());
}

fn enrol(folder: &Folder) {
    Vault::open(folder)
        .unwrap()
        .change::<_, VaultError>(|change| {
            change.put("identity", IDENTITY)?;
            change.put_sealed("api key", CONTEXT, &[b'k'; 64])
        })
        .unwrap();
}

fn output(command: &mut Command) -> Output {
    command.stdin(Stdio::null()).output().unwrap()
}

/// Runs both in turn, so that whatever else the machine does hits both.
fn compare(status: impl Fn() -> Command, vault: &Path) {
    let select = || {
        let mut command = Command::new("sqlite3");
        command.arg(vault).arg("select 1");
        command
    };
    let can_compare = select().output().is_ok_and(|ran| ran.status.success());
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        ours.push(time(&mut status()));
        if can_compare {
            theirs.push(time(&mut select()));
        }
    }
    let ours = median(ours);
    println!(
        "gatehand status                  {:6.2} ms",
        milliseconds(ours)
    );
    if !can_compare {
        println!("no ratio: sqlite3 can't be run here (Debian package sqlite3)");
        return;
    }
    let theirs = median(theirs);
    println!(
        "sqlite3 vault.db 'select 1'      {:6.2} ms",
        milliseconds(theirs)
    );
    let ratio = ours.as_secs_f64() / theirs.as_secs_f64();
    let verdict = verdict(ratio <= RATIO_TARGET);
    println!(
        "ratio                            {ratio:6.2} ×   (target: {RATIO_TARGET} ×) {verdict}"
    );
}

fn time(command: &mut Command) -> Duration {
    let begun = Instant::now();
    assert!(output(command).status.success());
    begun.elapsed()
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

fn measure_memory(status: Command) {
    let mut timed = Command::new(TIME);
    timed.args(["-f", "%M"]).arg(status.get_program());
    timed.args(status.get_args());
    for (name, value) in status.get_envs() {
        timed.env(name, value.unwrap());
    }
    let Ok(timed) = timed.stdin(Stdio::null()).output() else {
        println!("no peak memory: {TIME} can't be run here (Debian package time)");
        return;
    };
    let said = String::from_utf8_lossy(&timed.stderr);
    let kibibytes: u64 = said.lines().last().unwrap().trim().parse().unwrap();
    let verdict = verdict(kibibytes <= MEMORY_TARGET * 1024);
    println!(
        "peak memory                      {:6.1} MB  (target: {MEMORY_TARGET} MB) {verdict}",
        kibibytes as f64 / 1024.0
    );
}

fn verdict(is_reached: bool) -> &'static str {
    if is_reached { "reached" } else { "MISSED" }
}
