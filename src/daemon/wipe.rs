//! Removes the file whose token was redeemed. What it was is written over first, which on flash memory
//! promises nothing.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use super::source::Seen;
use crate::private_file;

/// Removes a file that is still the one that was read.
pub(super) fn wipe(seen: &Seen) -> io::Result<()> {
    match Seen::now(&seen.path) {
        Ok(now) if now == *seen => {}
        // A stick was pulled, or somebody was faster.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
        Ok(_) => return Ok(()),
    }
    let mut file = OpenOptions::new().write(true).open(&seen.path)?;
    let length = file.metadata()?.len();
    io::copy(&mut io::Read::take(io::repeat(b' '), length), &mut file)?;
    file.flush()?;
    file.sync_all()?;
    fs::remove_file(&seen.path)?;
    let folder = seen.path.parent().filter(|folder| *folder != Path::new(""));
    private_file::sync_folder(folder.unwrap_or(Path::new(".")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_file_that_was_read_goes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("enrolment.json");
        fs::write(&path, "one").unwrap();
        let seen = Seen::now(&path).unwrap();
        fs::write(&path, "another").unwrap();
        wipe(&seen).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"another");
        wipe(&Seen::now(&path).unwrap()).unwrap();
        assert!(!path.exists());
        wipe(&seen).unwrap();
    }
}
