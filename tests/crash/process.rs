//! A command of a device as a process, which may be killed.

use std::fs::{self, File};
use std::io::{Read, Seek};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::NamedTempFile;

use crate::common::scanner::Ended;

/// How long any command may take. None waits that long by itself.
const PATIENCE: Duration = Duration::from_secs(90);

/// When a command is killed.
#[derive(Clone, Copy, Debug)]
pub enum Kill {
    Never,
    /// At the failpoint with this number.
    AtStep(usize),
    /// After this time, if it still runs.
    After(Duration),
    /// At that failpoint, or after this time if it is not reached.
    AtStepOrAfter(usize, Duration),
}

/// A command that runs.
pub struct Running {
    said: String,
    kill: Kill,
    since: Instant,
    child: Child,
    stdout: File,
    stderr: File,
    trace: NamedTempFile,
}

/// What a command did.
pub struct Outcome {
    pub said: String,
    pub status: ExitStatus,
    pub was_killed: bool,
    /// The failpoint at which it was killed, if it was at one.
    pub killed_at: Option<String>,
    pub ended: Ended,
}

impl Running {
    /// Starts a command, of which `said` is shown to a person.
    pub fn start(mut command: Command, said: String, kill: Kill) -> Self {
        let [stdout, stderr] = [(); 2].map(|()| tempfile::tempfile().unwrap());
        let trace = NamedTempFile::new().unwrap();
        command
            .env("GATEHAND_FAILPOINTS_TRACE", trace.path())
            .stdout(Stdio::from(stdout.try_clone().unwrap()))
            .stderr(Stdio::from(stderr.try_clone().unwrap()));
        if let Kill::AtStep(step) | Kill::AtStepOrAfter(step, _) = kill {
            command.env("GATEHAND_KILL_AT", step.to_string());
        }
        Self {
            said,
            kill,
            since: Instant::now(),
            child: command.spawn().unwrap(),
            stdout,
            stderr,
            trace,
        }
    }

    /// Kills it when its time has come, and waits for its end.
    pub fn finish(mut self) -> Outcome {
        if let Kill::After(time) | Kill::AtStepOrAfter(_, time) = self.kill {
            while self.since.elapsed() < time && self.child.try_wait().unwrap().is_none() {
                thread::sleep(Duration::from_millis(5));
            }
            self.child.kill().unwrap();
        }
        let status = self.wait();
        let was_killed = status.signal() == Some(9);
        let trace = fs::read_to_string(self.trace.path()).unwrap();
        let is_at_step = was_killed && matches!(self.kill, Kill::AtStep(_));
        let killed_at = trace.lines().last().filter(|_| is_at_step);
        Outcome {
            said: format!("gatehand {} ({:?})", self.said, self.kill),
            status,
            was_killed,
            killed_at: killed_at.map(str::to_owned),
            ended: Ended {
                code: status.code().unwrap_or(-1),
                stdout: text(self.stdout),
                stderr: text(self.stderr),
            },
        }
    }

    fn wait(&mut self) -> ExitStatus {
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            if self.since.elapsed() > PATIENCE {
                self.child.kill().unwrap();
                self.child.wait().unwrap();
                panic!("gatehand {} does not end", self.said);
            }
            thread::sleep(Duration::from_millis(2));
        }
    }
}

fn text(mut file: File) -> String {
    let mut text = String::new();
    file.rewind().unwrap();
    file.read_to_string(&mut text).unwrap();
    text
}
