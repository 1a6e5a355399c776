//! Reading files and standard input, as much as makes sense and no more.

use std::fs::File;
use std::io::{self, BufRead, Read, Write};
use std::path::Path;

use zeroize::Zeroizing;

use super::error::CliError;
use crate::regular_file;

/// Longest text that is read from a person or a hand scanner, in bytes.
pub(super) const TEXT_LIMIT: u64 = 64 * 1024;

/// Reads a file, or standard input for `-`. More than `limit` bytes are an error.
pub(super) fn read_file(path: &Path, limit: u64) -> Result<Zeroizing<Vec<u8>>, CliError> {
    if path == Path::new("-") {
        return read_standard_input(limit);
    }
    let name = path.display().to_string();
    match File::open(path) {
        Ok(file) => read(file, &name, limit),
        Err(source) => Err(CliError::Input { name, source }),
    }
}

/// Reads a file that holds a private key, or standard input for `-`. A pipe is read if it is open already, as a
/// shell's `<(…)` is: the opening of any other may wait without end for whoever writes into it.
pub(super) fn read_key_file(path: &Path, limit: u64) -> Result<Zeroizing<Vec<u8>>, CliError> {
    if path == Path::new("-") || path == Path::new("/dev/stdin") {
        return read_standard_input(limit);
    }
    if path.starts_with("/dev/fd") || path.starts_with("/proc/self/fd") {
        return read_file(path, limit);
    }
    let name = path.display().to_string();
    match regular_file::open(path) {
        Ok(file) => read(file, &name, limit),
        Err(source) => Err(CliError::Input { name, source }),
    }
}

/// What a person calls a file that is read here.
pub(super) fn name(path: &Path) -> String {
    if path == Path::new("-") {
        "standard input".to_owned()
    } else {
        path.display().to_string()
    }
}

/// Reads standard input to its end. More than `limit` bytes are an error.
pub(super) fn read_standard_input(limit: u64) -> Result<Zeroizing<Vec<u8>>, CliError> {
    read(io::stdin(), "standard input", limit)
}

fn read(input: impl Read, name: &str, limit: u64) -> Result<Zeroizing<Vec<u8>>, CliError> {
    let mut bytes = Zeroizing::new(Vec::new());
    input
        .take(limit + 1)
        .read_to_end(&mut bytes)
        .map_err(|source| CliError::Input {
            name: name.to_owned(),
            source,
        })?;
    if bytes.len() as u64 > limit {
        return Err(CliError::InputTooLong {
            name: name.to_owned(),
            limit,
        });
    }
    Ok(bytes)
}

/// Asks in the terminal. On standard error, so that standard output stays clean for `--json`.
pub(super) fn ask_for(question: &str) -> Result<Zeroizing<String>, CliError> {
    let mut terminal = anstream::stderr().lock();
    write!(terminal, "{question}")?;
    terminal.flush()?;
    let mut line = Zeroizing::new(String::new());
    io::stdin()
        .lock()
        .take(TEXT_LIMIT)
        .read_line(&mut line)
        .map_err(|source| CliError::Input {
            name: "standard input".to_owned(),
            source,
        })?;
    let line = Zeroizing::new(line.trim().to_owned());
    if line.is_empty() {
        Err(CliError::NoInput)
    } else {
        Ok(line)
    }
}
