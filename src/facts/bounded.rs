//! Reads files that others write: never more than a limit, never waiting for a writer.

use std::io::Read;
use std::path::Path;

use crate::regular_file;
use crate::wire::Text;

/// Most bytes taken from one file. The longest that is needed, the first processor in
/// `/proc/cpuinfo`, has some 2,000.
const LIMIT: u64 = 64 * 1024;

/// The text of a file, cut at [`LIMIT`], with U+FFFD for what is not UTF-8.
pub(super) fn text(path: &Path) -> Option<String> {
    let mut bytes = Vec::new();
    regular_file::open(path)
        .ok()?
        .take(LIMIT)
        .read_to_end(&mut bytes)
        .ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// The one value that a file holds, up to the first NUL.
pub(super) fn value(path: &Path) -> Option<Text> {
    let text = text(path)?;
    Text::fit(text.split('\0').next().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};
    use std::process::Command;

    use super::*;

    #[test]
    fn a_value_ends_at_the_first_nul() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("compatible");
        fs::write(&path, b"raspberrypi,4-model-b\0brcm,bcm2711\0").unwrap();
        assert_eq!(value(&path).unwrap().as_str(), "raspberrypi,4-model-b");
    }

    #[test]
    fn a_huge_file_is_cut() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("huge");
        File::create(&path).unwrap().set_len(1 << 40).unwrap();
        assert_eq!(text(&path).unwrap().len() as u64, LIMIT);
    }

    #[test]
    fn what_is_not_a_regular_file_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let fifo = folder.path().join("fifo");
        assert!(
            Command::new("mkfifo")
                .arg(&fifo)
                .status()
                .unwrap()
                .success()
        );
        for path in [&fifo, folder.path(), Path::new("/dev/zero")] {
            assert_eq!(text(path), None, "{}", path.display());
        }
    }
}
