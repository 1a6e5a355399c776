//! Removes the file whose token was redeemed. What it was is written over first, which on flash memory
//! promises nothing.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;

use rustix::fs::OFlags;

use super::source::{Seen, folder_of};
use crate::private_file;

/// Removes a file that is still the one that was read. Of a link, what it leads to stays.
pub(super) fn wipe(seen: &Seen) -> io::Result<()> {
    let opened = OpenOptions::new()
        .write(true)
        .custom_flags((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed())
        .open(&seen.path);
    let mut file = match opened {
        // A stick was pulled, or somebody was faster.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        opened => opened?,
    };
    let found = file.metadata()?;
    if Seen::of(&seen.path, &found)? != *seen {
        return Ok(());
    }
    io::copy(
        &mut io::Read::take(io::repeat(b' '), found.len()),
        &mut file,
    )?;
    file.flush()?;
    file.sync_all()?;
    fs::remove_file(&seen.path)?;
    private_file::sync_folder(folder_of(&seen.path))
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
