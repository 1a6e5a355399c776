//! Reads files whose paths others name: regular ones only, and never more than a limit. Opening a pipe
//! would wait for its other end, and a device has no end.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rustix::fs::OFlags;
use zeroize::Zeroizing;

/// Opens a regular file, or a link to one, to read it.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    // Opening a device may do something.
    if !fs::metadata(path)?.is_file() {
        return Err(not_regular());
    }
    open_with(path, OFlags::empty())
}

/// The same with more flags, and without a look beforehand.
pub(crate) fn open_with(path: &Path, flags: OFlags) -> io::Result<File> {
    let flags = flags | OFlags::NONBLOCK;
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(flags.bits() as i32)
        .open(path)?;
    match file.metadata()?.is_file() {
        true => Ok(file),
        false => Err(not_regular()),
    }
}

/// Reads a regular file; more than `limit` bytes are an error.
pub(crate) fn read(path: &Path, limit: u64) -> io::Result<Zeroizing<Vec<u8>>> {
    read_open(open(path)?, limit)
}

/// The same of one that is open.
pub(crate) fn read_open(file: File, limit: u64) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(Vec::new());
    file.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        let words = format!("it is larger than {limit} bytes");
        return Err(io::Error::new(ErrorKind::FileTooLarge, words));
    }
    Ok(bytes)
}

/// What is said of anything but a regular file.
pub(crate) fn not_regular() -> io::Error {
    io::Error::new(ErrorKind::InvalidInput, "it is not a regular file")
}

#[cfg(test)]
mod tests {
    use rustix::fs::{CWD, FileType, Mode, mknodat};

    use super::*;

    #[test]
    fn only_regular_files_are_read_and_only_to_the_limit() {
        let folder = tempfile::tempdir().unwrap();
        let [file, link, pipe] = ["file", "link", "pipe"].map(|name| folder.path().join(name));
        fs::write(&file, "12345").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        mknodat(CWD, &pipe, FileType::Fifo, Mode::RUSR, 0).unwrap();
        for path in [&file, &link] {
            assert_eq!(*read(path, 5).unwrap(), b"12345");
            assert_eq!(read(path, 4).unwrap_err().kind(), ErrorKind::FileTooLarge);
        }
        for path in [&pipe, folder.path(), Path::new("/dev/zero")] {
            let refused = read(path, 5).unwrap_err();
            assert_eq!(
                refused.kind(),
                ErrorKind::InvalidInput,
                "{}",
                path.display()
            );
            assert_eq!(open(path).unwrap_err().kind(), ErrorKind::InvalidInput);
        }
    }
}
