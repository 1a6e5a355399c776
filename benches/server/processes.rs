//! The processes that are measured.

use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use super::database::Database;

const GATEHAND: &str = env!("CARGO_BIN_EXE_gatehand");

/// A server in a process of its own; killed when dropped.
pub struct ServerProcess {
    pub address: SocketAddr,
    child: Child,
}

impl ServerProcess {
    /// `gatehand serve` on a free port.
    pub fn gatehand(database: &Database) -> Self {
        let mut command = gatehand();
        command.args(["serve", "--listen", "127.0.0.1:0"]);
        database.of(&mut command);
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
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

    /// A process that serves on the port that it tells in a line, once it is told this.
    pub fn told(mut command: Command, what: &[u8]) -> Self {
        let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = piped.spawn().unwrap();
        child.stdin.take().unwrap().write_all(what).unwrap();
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
pub fn admin(database: &Database, arguments: &[&str]) -> Vec<u8> {
    let mut command = gatehand();
    command.args(["admin", "--json"]);
    database.of(&mut command);
    let ended = command
        .args(arguments)
        .stdout(Stdio::piped())
        .output()
        .unwrap();
    assert!(ended.status.success(), "{arguments:?}: {ended:?}");
    ended.stdout
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

/// Memory that a process has now, and had at most, in MiB.
pub fn memory(process: u32) -> (u64, u64) {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let kibibytes = |name: &str| -> u64 {
        let line = status.lines().find(|line| line.starts_with(name)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    };
    (kibibytes("VmRSS:") / 1024, kibibytes("VmHWM:") / 1024)
}
