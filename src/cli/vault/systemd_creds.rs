//! systemd's own program, which makes and opens credentials: with the machine's TPM, or a key of root's.

use std::io::{self, Read, Write};
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use clap::ValueEnum;
use zeroize::Zeroizing;

use crate::shown;
use crate::vault::{CREDENTIAL, KeyStore, StoreError};

const PROGRAM: &str = "systemd-creds";
/// How long it may take: a TPM is slow, and one that hangs never answers.
const PATIENCE: Duration = Duration::from_secs(60);
/// What a TPM is to have measured before it opens a credential. What is measured while booting changes with each update of
/// the firmware, so nothing; but then some versions of systemd, as 252, make what they don't open. For these a register
/// that is for debugging, which stays as it is.
const MEASURED: [&str; 2] = ["--tpm2-pcrs=", "--tpm2-pcrs=16"];
/// How often to look whether it has ended.
const INTERVAL: Duration = Duration::from_millis(10);
/// Longest credential that is read, in bytes.
const LONGEST: usize = 64 * 1024;

/// What a credential is sealed with.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum WithKey {
    /// The TPM if there is one, and the machine's own key.
    Auto,
    /// The TPM alone.
    Tpm2,
    /// The machine's own key alone, a file that root may read.
    Host,
}

pub(super) struct SystemdCreds {
    pub(super) with_key: WithKey,
}

impl SystemdCreds {
    fn command(verb: &str) -> Command {
        let mut command = Command::new(PROGRAM);
        command.arg(verb).arg(format!("--name={CREDENTIAL}"));
        command
    }
}

impl KeyStore for SystemdCreds {
    fn wrap(&self, key: &[u8]) -> Result<Vec<u8>, StoreError> {
        let with_key = match self.with_key {
            WithKey::Auto => "auto",
            WithKey::Tpm2 => "tpm2",
            WithKey::Host => "host",
        };
        let mut last = io::Error::other("it is another one");
        for measured in MEASURED {
            let mut command = Self::command("encrypt");
            command
                .arg(format!("--with-key={with_key}"))
                .args([measured, "-", "-"]);
            let wrapped = run(command, key, PATIENCE)?;
            let mut command = Self::command("decrypt");
            command.args(["-", "-"]);
            match run(command, &wrapped, PATIENCE) {
                Ok(read) if *read == key => return Ok(wrapped.to_vec()),
                Ok(_) => {}
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    fn unwrap(&self, file: &Path) -> Result<Zeroizing<Vec<u8>>, StoreError> {
        let mut command = Self::command("decrypt");
        command.arg(file).arg("-");
        run(command, &[], PATIENCE)
    }
}

/// Runs it with this input, for no longer than that: what it puts out, which may be a key.
fn run(mut command: Command, input: &[u8], patience: Duration) -> io::Result<Zeroizing<Vec<u8>>> {
    let until = Instant::now() + patience;
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(not_started)?;
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let [stdout, stderr] = [stdout.map(read_apart), stderr.map(read_apart)];
    let written = match child.stdin.take() {
        Some(mut stdin) => stdin.write_all(input),
        None => Ok(()),
    };
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if Instant::now() >= until {
            child.kill()?;
            child.wait()?;
            return Err(silent(patience));
        }
        thread::sleep(INTERVAL);
    };
    // Whoever it has started may keep them open.
    let heard = |output: Option<mpsc::Receiver<Zeroizing<Vec<u8>>>>| match output {
        Some(output) => {
            let left = until.saturating_duration_since(Instant::now());
            output.recv_timeout(left).map_err(|_| silent(patience))
        }
        None => Ok(Zeroizing::default()),
    };
    let (stdout, stderr) = (heard(stdout)?, heard(stderr)?);
    // Why it reads no more, its own words tell.
    ended(status, &stderr)?;
    written.map(|()| stdout)
}

fn read_apart<T: Read + Send + 'static>(output: T) -> mpsc::Receiver<Zeroizing<Vec<u8>>> {
    let (told, heard) = mpsc::channel();
    thread::spawn(move || {
        // As long as it gets: what grows leaves a copy behind.
        let mut bytes = Zeroizing::new(Vec::with_capacity(LONGEST + 1));
        if output.take(LONGEST as u64).read_to_end(&mut bytes).is_ok() {
            let _ = told.send(bytes);
        }
    });
    heard
}

fn silent(patience: Duration) -> io::Error {
    let why = format!(
        "{PROGRAM} gave no answer for {} s, and was ended",
        patience.as_secs()
    );
    io::Error::new(io::ErrorKind::TimedOut, why)
}

fn not_started(error: io::Error) -> io::Error {
    let why = format!("{PROGRAM} can't be run: {error}");
    io::Error::new(error.kind(), why)
}

fn ended(status: ExitStatus, stderr: &[u8]) -> io::Result<()> {
    let words = String::from_utf8_lossy(stderr);
    let last = words.lines().rfind(|line| !line.trim().is_empty());
    let last = shown::line(last.unwrap_or_default());
    if status.success() {
        if !last.is_empty() {
            tracing::debug!("{PROGRAM}: {last}");
        }
        return Ok(());
    }
    Err(io::Error::other(match last.is_empty() {
        true => format!("{PROGRAM} ended with {status}"),
        false => format!("{PROGRAM}: {last}"),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_hangs_or_leaves_somebody_behind_is_waited_for_no_longer_than_that() {
        let patience = Duration::from_millis(300);
        for script in ["exec sleep 600", "sleep 20 & echo key"] {
            let begun = Instant::now();
            let mut command = Command::new("sh");
            command.args(["-c", script]);
            let error = run(command, b"", patience).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::TimedOut, "{script}: {error}");
            assert!(begun.elapsed() < Duration::from_secs(10), "{script}");
        }
        let mut command = Command::new("cat");
        command.arg("-");
        let read = run(command, b"key", Duration::from_secs(60)).unwrap();
        assert_eq!(*read, b"key");
    }
}
