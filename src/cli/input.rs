//! Reading files and standard input, as much as makes sense and no more.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use zeroize::Zeroizing;

use super::CliError;

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
