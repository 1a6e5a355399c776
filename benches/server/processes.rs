//! The processes that are measured, and the one that changes the database beside them.

use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use super::bare::Recorded;
use super::installation::{GATE, ORGANIZER};

const GATEHAND: &str = env!("CARGO_BIN_EXE_gatehand");
/// Has this program serve the bare routes.
pub const BARE: &str = "bare-routes";

/// A server in a process of its own; killed when dropped.
pub struct ServerProcess {
    pub address: SocketAddr,
    child: Child,
}

impl ServerProcess {
    /// `gatehand serve` on a free port.
    pub fn gatehand(database: &Path) -> Self {
        let mut command = gatehand();
        command.args(["serve", "--listen", "127.0.0.1:0", "--database"]);
        let mut child = command
            .arg(database)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let line = lines.next().unwrap().unwrap();
        let address = line
            .strip_prefix("Serving on http://")
            .unwrap_or_else(|| panic!("{line}"));
        let address = address.split_once(',').unwrap().0.parse().unwrap();
        // A full pipe would stop the server.
        thread::spawn(move || {
            lines
                .map_while(Result::ok)
                .for_each(|line| println!("{line}"))
        });
        Self { address, child }
    }

    /// Routes of axum with these answers.
    pub fn bare(answers: &[Recorded]) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .arg(BARE)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let answers = serde_json::to_vec(answers).unwrap();
        child.stdin.take().unwrap().write_all(&answers).unwrap();
        let mut line = String::new();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        output.read_line(&mut line).unwrap();
        Self {
            address: line.trim().parse().unwrap(),
            child,
        }
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// The command, with nothing of the environment.
fn gatehand() -> Command {
    let mut command = Command::new(GATEHAND);
    command
        .env_clear()
        .stdin(Stdio::null())
        .stdout(Stdio::null());
    command
}

/// Runs `gatehand admin` to its end; what it prints.
pub fn admin(database: &Path, arguments: &[&str]) -> Vec<u8> {
    let mut command = gatehand();
    command
        .args(["admin", "--json", "--database"])
        .arg(database);
    let ended = command
        .args(arguments)
        .stdout(Stdio::piped())
        .output()
        .unwrap();
    assert!(ended.status.success(), "{arguments:?}: {ended:?}");
    ended.stdout
}

/// Makes a durable change a second by processes of its own until it is stopped.
pub struct Neighbour {
    stop: mpsc::Sender<()>,
    changes: thread::JoinHandle<usize>,
}

impl Neighbour {
    /// Renames a gate, the first time after `pause`.
    pub fn start(database: PathBuf, pause: Duration) -> Self {
        let (stop, stopped) = mpsc::channel();
        let changes = thread::spawn(move || {
            let (mut pause, mut changes) = (pause, 0);
            while stopped.recv_timeout(pause) == Err(RecvTimeoutError::Timeout) {
                let name = format!("Gate {:08}", fastrand::u32(..100_000_000));
                admin(&database, &["gate", "rename", ORGANIZER, GATE, &name]);
                (pause, changes) = (Duration::from_secs(1), changes + 1);
            }
            changes
        });
        Self { stop, changes }
    }

    pub fn stop(self) {
        drop(self.stop);
        assert_ne!(
            self.changes.join().unwrap(),
            0,
            "nothing was changed meanwhile"
        );
    }
}

/// Processor time that a process has taken so far.
pub fn processor_time(process: u32) -> Duration {
    /// Linux tells it in hundredths of a second on all machines.
    const TICKS: u64 = 100;
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    // The name before may hold anything.
    let fields = stat.rsplit_once(") ").unwrap().1.split(' ');
    let ticks = fields
        .skip(11)
        .take(2)
        .map(|field| field.parse::<u64>().unwrap());
    Duration::from_millis(ticks.sum::<u64>() * 1000 / TICKS)
}
