//! Files that others read, replaced as a whole.

use std::fs::{self, OpenOptions, Permissions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use rustix::fs::OFlags;

/// Others read it, as other users.
const MODE: u32 = 0o644;

/// A file on this machine, whatever its name is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FileNumber {
    device: u64,
    inode: u64,
}

impl FileNumber {
    fn of(found: &fs::Metadata) -> Self {
        Self {
            device: found.dev(),
            inode: found.ino(),
        }
    }
}

/// Whoever reads the file finds it whole. It is not synced: after a power cut nobody needs it.
pub(crate) fn write(path: &Path, text: &str) -> io::Result<FileNumber> {
    let name = path.file_name().ok_or(ErrorKind::InvalidInput)?;
    // With another ending, by which readers know what is theirs.
    let draft = path.with_file_name(format!(".{}.new", name.to_string_lossy()));
    match fs::remove_file(&draft) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(MODE)
        .custom_flags(OFlags::NOFOLLOW.bits().cast_signed())
        .open(&draft)?;
    let written = file
        .set_permissions(Permissions::from_mode(MODE)) // whatever the umask is
        .and_then(|()| file.write_all(text.as_bytes()))
        .and_then(|()| file.metadata())
        .and_then(|found| fs::rename(&draft, path).map(|()| FileNumber::of(&found)));
    if written.is_err() {
        let _ = fs::remove_file(&draft);
    }
    written
}

/// Removes what [`write()`] wrote, and nothing that others put in its place.
pub(crate) fn remove(path: &Path, written: FileNumber) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Ok(found) if FileNumber::of(&found) == written => fs::remove_file(path),
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_as_a_whole_and_nothing_stays_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.prom");
        let elsewhere = folder.path().join("elsewhere");
        fs::write(&elsewhere, "kept").unwrap();
        std::os::unix::fs::symlink(&elsewhere, folder.path().join(".a.prom.new")).unwrap();
        for text in ["one\n", "two\n"] {
            write(&path, text).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
            let mode = fs::metadata(&path).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, MODE);
        }
        assert_eq!(fs::read_to_string(&elsewhere).unwrap(), "kept");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
        let folder_there = folder.path().join("folder.prom");
        fs::create_dir(&folder_there).unwrap();
        assert!(write(&folder_there, "one\n").is_err());
        assert!(write(&folder.path().join("none/a.prom"), "one\n").is_err());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3);
    }

    #[test]
    fn what_others_put_in_its_place_is_not_removed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.prom");
        let ours = write(&path, "ours\n").unwrap();
        let other = folder.path().join("other");
        fs::write(&other, "theirs\n").unwrap();
        fs::rename(&other, &path).unwrap();
        remove(&path, ours).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "theirs\n");
        let ours = write(&path, "ours\n").unwrap();
        remove(&path, ours).unwrap();
        assert!(!path.exists());
        remove(&path, ours).unwrap();
    }
}
