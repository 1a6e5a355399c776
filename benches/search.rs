//! `gatehand fleet list --search` at a server of 100,000 devices against the same at one of 1,000, the whole command:
//! it has to take twice as long at most.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    unreachable_pub,
    reason = "a benchmark fails by panicking and prints what it found"
)]

#[path = "server/database.rs"]
mod database;
#[path = "server/importing.rs"]
mod importing;
#[allow(dead_code, reason = "another benchmark needs more of it")]
#[path = "server/processes.rs"]
mod processes;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use database::Database;
use importing::{ORGANIZER, enrolled, import, organizer, secret};
use processes::ServerProcess;

const USAGE: &str = "cargo bench --bench search -- [--rounds NUMBER] [--devices NUMBER]";
const FEW: usize = 1_000;
const MANY: usize = 100_000;
/// What those of the one time are to the other's at most.
const TARGET: f64 = 2.0;
/// What a hundred devices of either begin with.
const SEARCH: &str = "Lane 00000";
const FOUND: usize = 100;

/// A server of so many devices, and a token for it.
struct Searched {
    server: ServerProcess,
    token_file: PathBuf,
}

impl Searched {
    fn set_up(folder: &Path, devices: usize) -> Self {
        let folder = folder.join(devices.to_string());
        std::fs::create_dir(&folder).unwrap();
        let (database, token) = (Database::sqlite(&folder), secret());
        let made = (0..devices).map(|number| enrolled(number, &secret()));
        import(&folder, &database, organizer(&token), made);
        let server = ServerProcess::gatehand(&database);
        let token_file = folder.join("team.env");
        let text = format!(
            "GATEHAND_FLEET_URL=http://{}\nGATEHAND_FLEET_TOKEN={token}\nGATEHAND_FLEET_ORGANIZER={ORGANIZER}\n",
            server.address
        );
        std::fs::write(&token_file, text).unwrap();
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        std::fs::set_permissions(&token_file, mode).unwrap();
        Self { server, token_file }
    }

    /// How long the command takes.
    fn search(&self) -> Duration {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gatehand"));
        command
            .env_clear()
            .args(["fleet", "list", "--search", SEARCH]);
        command.arg("--token-file").arg(&self.token_file);
        let begun = Instant::now();
        let ended = command.output().unwrap();
        let taken = begun.elapsed();
        assert!(ended.status.success(), "{ended:?}");
        let lines = String::from_utf8_lossy(&ended.stdout).lines().count();
        assert_eq!(lines, FOUND + 1, "at {}", self.server.address);
        taken
    }
}

fn main() {
    let (mut rounds, mut devices) = (20, MANY);
    // Cargo adds --bench.
    let mut arguments = std::env::args()
        .skip(1)
        .filter(|argument| argument != "--bench");
    while let Some(argument) = arguments.next() {
        let number = arguments.next().and_then(|number| number.parse().ok());
        match (argument.as_str(), number) {
            ("--rounds", Some(number)) => rounds = number,
            ("--devices", Some(number)) => devices = number,
            _ => panic!("{USAGE}"),
        }
    }
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let [few, many] = [FEW, devices].map(|devices| Searched::set_up(folder.path(), devices));
    // The first round warms up; the two take turns at being first.
    let measured: Vec<[Duration; 2]> = (0..=rounds)
        .map(|round| match round % 2 {
            0 => [few.search(), many.search()],
            _ => {
                let many = many.search();
                [few.search(), many]
            }
        })
        .skip(1)
        .collect();
    let median = |which: usize| {
        let mut times: Vec<Duration> = measured.iter().map(|round| round[which]).collect();
        times.sort();
        times[times.len() / 2].as_secs_f64() * 1000.0
    };
    let [few, many] = [median(0), median(1)];
    println!(
        "| `fleet list --search` of {FOUND} devices | of {FEW} | of {devices} | target |\n| --- | --- | --- | --- |"
    );
    println!(
        "| median of {rounds} | {few:.1} ms | {many:.1} ms, {:.2} times as long | {TARGET} times |",
        many / few
    );
    assert!(
        many <= few * TARGET,
        "it takes more than {TARGET} times as long"
    );
}
