//! Reading again what can be read only once, as standard input or a pipe.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// Keeps what is read in a file without a name, so that it can be read again from its beginning.
pub(super) struct Spool {
    /// None once it was read.
    input: Option<Box<dyn Read + Send>>,
    file: File,
}

impl Spool {
    pub(super) fn of(input: impl Read + Send + 'static) -> io::Result<Self> {
        Ok(Self {
            input: Some(Box::new(input)),
            file: tempfile::tempfile_in(folder())?,
        })
    }
}

/// Where large files belong that nobody keeps. The usual folder may be in memory.
fn folder() -> PathBuf {
    let large = Path::new("/var/tmp");
    match std::env::var_os("TMPDIR") {
        None if large.is_dir() => large.to_owned(),
        _ => std::env::temp_dir(),
    }
}

impl Read for Spool {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let Some(input) = &mut self.input else {
            return self.file.read(into);
        };
        let length = input.read(into)?;
        self.file
            .write_all(into.get(..length).unwrap_or_default())?;
        Ok(length)
    }
}

impl Seek for Spool {
    /// What was not read until then is not there afterwards.
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        if self.file.stream_position()? > 0 {
            self.input = None;
        }
        self.file.seek(to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_read_once_is_read_again() {
        let mut spool = Spool::of(&b"a stream"[..]).unwrap();
        for _ in 0..3 {
            spool.rewind().unwrap();
            let mut text = String::new();
            spool.read_to_string(&mut text).unwrap();
            assert_eq!(text, "a stream");
        }
    }
}
