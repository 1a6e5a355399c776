//! systemd's own program, which makes and opens credentials: with the machine's TPM, or a key of root's.

use std::io::{self, Write};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use clap::ValueEnum;
use zeroize::Zeroizing;

use crate::shown;
use crate::vault::{CREDENTIAL, KeyStore, StoreError};

const PROGRAM: &str = "systemd-creds";

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
        let mut command = Self::command("encrypt");
        command
            .arg(format!("--with-key={with_key}"))
            // What is measured while booting changes with each update of the firmware.
            .args(["--tpm2-pcrs=", "-", "-"]);
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(not_started)?;
        let written = match child.stdin.take() {
            Some(mut input) => input.write_all(key),
            None => Ok(()),
        };
        // Why it reads no more, its own words tell.
        let ended = ended(child.wait_with_output()?)?;
        written.map(|()| ended.stdout)
    }

    fn unwrap(&self, file: &Path) -> Result<Zeroizing<Vec<u8>>, StoreError> {
        let mut command = Self::command("decrypt");
        command.arg(file).arg("-").stdin(Stdio::null());
        let output = command.output().map_err(not_started)?;
        let stdout = Zeroizing::new(output.stdout);
        ended(Output {
            stdout: Vec::new(),
            ..output
        })
        .map(|_| stdout)
    }
}

fn not_started(error: io::Error) -> io::Error {
    let why = format!("{PROGRAM} can't be run: {error}");
    io::Error::new(error.kind(), why)
}

fn ended(output: Output) -> io::Result<Output> {
    let words = String::from_utf8_lossy(&output.stderr);
    let last = words.lines().rfind(|line| !line.trim().is_empty());
    let last = shown::line(last.unwrap_or_default());
    if output.status.success() {
        if !last.is_empty() {
            tracing::debug!("{PROGRAM}: {last}");
        }
        return Ok(output);
    }
    Err(io::Error::other(match last.is_empty() {
        true => format!("{PROGRAM} ended with {}", output.status),
        false => format!("{PROGRAM}: {last}"),
    }))
}
