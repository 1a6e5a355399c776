//! Passphrases: asked for at a terminal that shows nothing of them, or read from a file.

use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::str;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use zeroize::Zeroizing;

use crate::cli::error::CliError;
use crate::cli::terminal::Quiet;
use crate::cli::{input, output};
use crate::passphrase::{LONGEST, Passphrase, PassphraseError, SHORTEST};

/// How often a person may be wrong.
const TRIES: usize = 3;
/// Longest file with a passphrase, in bytes: with what editors put around it.
const FILE_LIMIT: u64 = LONGEST as u64 + 64;
/// How long a signal waits for a key to be pressed.
const PATIENCE: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 200_000_000,
};

const ETX: u8 = 3; // Ctrl+C
const EOT: u8 = 4; // Ctrl+D
const BACKSPACES: [u8; 2] = [8, 127];
const WIPE: u8 = 21; // Ctrl+U

/// The passphrase that `what` is to be sealed with.
pub(super) fn for_sealing(file: Option<&Path>, what: &str) -> Result<Passphrase, CliError> {
    if let Some(file) = file {
        let text = from_file(file)?;
        return Passphrase::to_seal(&text).map_err(|source| unfit(file, source));
    }
    let mut told: Option<String> = None;
    for _ in 0..TRIES {
        if let Some(words) = told.take() {
            output::say(&words);
        }
        let text = typed(&format!(
            "A passphrase for {what}, of at least {SHORTEST} characters: "
        ))?;
        let passphrase = match Passphrase::to_seal(&text) {
            Err(PassphraseError::TooShort) => {
                told = Some(format!("That is too short: {SHORTEST} characters or more."));
                continue;
            }
            passphrase => passphrase.map_err(CliError::NewPassphrase)?,
        };
        if Passphrase::new(&typed("The same again: ")?).is_ok_and(|again| again.is(&passphrase)) {
            return Ok(passphrase);
        }
        told = Some("The two differ.".to_owned());
    }
    Err(CliError::PassphrasesDiffer)
}

/// Opens what `name` holds with the passphrase, for which a person has three tries.
pub(super) fn opened<T>(
    file: Option<&Path>,
    name: &str,
    open: impl Fn(&Passphrase) -> Result<T, PassphraseError>,
) -> Result<(T, Passphrase), CliError> {
    let failed = |source| CliError::Passphrase {
        name: name.to_owned(),
        source,
    };
    if let Some(file) = file {
        let passphrase = Passphrase::new(&from_file(file)?).map_err(failed)?;
        return Ok((open(&passphrase).map_err(failed)?, passphrase));
    }
    for left in (0..TRIES).rev() {
        let passphrase = Passphrase::new(&typed(&format!("The passphrase of {name}: "))?);
        let opened = passphrase.and_then(|passphrase| Ok((open(&passphrase)?, passphrase)));
        match opened {
            Err(PassphraseError::Mismatch) if left > 0 => {
                output::say("That is not the passphrase.");
            }
            opened => return opened.map_err(failed),
        }
    }
    Err(failed(PassphraseError::Mismatch))
}

/// The text of a file, without the mark that editors begin it with and the ends of its last line.
fn from_file(file: &Path) -> Result<Zeroizing<String>, CliError> {
    let bytes = input::read_key_file(file, FILE_LIMIT)?;
    let text = str::from_utf8(&bytes).map_err(|_| unfit(file, PassphraseError::Form))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    Ok(Zeroizing::new(
        text.trim_end_matches(['\r', '\n']).to_owned(),
    ))
}

fn unfit(file: &Path, source: PassphraseError) -> CliError {
    match source {
        PassphraseError::Form => CliError::PassphraseFile {
            name: input::name(file),
        },
        source => CliError::NewPassphrase(source),
    }
}

/// A line that a person types, of which the terminal shows nothing.
fn typed(question: &str) -> Result<Zeroizing<String>, CliError> {
    let unreadable = |source| CliError::Input {
        name: "standard input".to_owned(),
        source,
    };
    let quiet = match io::stdin().is_terminal() {
        true => Quiet::begin().map_err(unreadable)?,
        false => None,
    };
    let quiet = quiet.ok_or(CliError::NoPassphrase)?;
    let mut terminal = anstream::stderr().lock();
    write!(terminal, "{}", output::printable(question))?;
    terminal.flush()?;
    let line = line(&quiet).map_err(unreadable);
    // The terminal did not show its end either.
    writeln!(terminal)?;
    line?.ok_or(CliError::NotTyped)
}

/// What is typed up to the end of a line; `None` if it ends with nothing, as by Ctrl+D.
fn line(quiet: &Quiet) -> io::Result<Option<Zeroizing<String>>> {
    // As long as it gets: what grows leaves a copy behind.
    let mut line = Zeroizing::new(Vec::with_capacity(LONGEST + 4));
    loop {
        quiet.obey_signals();
        let stdin = io::stdin();
        let mut ready = [PollFd::new(&stdin, PollFlags::IN)];
        match poll(&mut ready, Some(&PATIENCE)) {
            Ok(0) | Err(rustix::io::Errno::INTR) => continue,
            Ok(_) => {}
            Err(error) => return Err(error.into()),
        }
        let mut byte = Zeroizing::new([0; 1]);
        if rustix::io::read(&stdin, &mut *byte)? == 0 {
            return Ok(None);
        }
        let [byte] = *byte;
        match byte {
            EOT if line.is_empty() => return Ok(None),
            b'\r' | b'\n' | EOT => break,
            ETX => quiet.interrupt(),
            WIPE => line.clear(),
            byte if BACKSPACES.contains(&byte) => {
                // A character is as many bytes as follow its first.
                while line.pop().is_some_and(|byte| byte & 0xc0 == 0x80) {}
            }
            byte if line.len() <= LONGEST => line.push(byte),
            _ => {}
        }
    }
    match str::from_utf8(&line) {
        Ok(text) => Ok(Some(Zeroizing::new(text.to_owned()))),
        Err(_) => Err(io::ErrorKind::InvalidData.into()),
    }
}
