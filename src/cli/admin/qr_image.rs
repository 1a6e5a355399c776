//! The picture of a device's QR code, which is as secret as its token.

use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::cli::error::CliError;
use crate::cli::output;
use crate::enrolment::Enrolment;
use crate::enrolment::draw::QrCode;
use crate::private_file::PRIVATE_FILE;

/// A file that was opened before there is anything to draw, so that what can't be written is told
/// before a device is created. Dropped without a picture, it is removed if it was made for it.
pub(super) struct QrImage {
    path: PathBuf,
    file: File,
    is_new: bool,
}

impl QrImage {
    pub(super) fn open(path: &Path) -> Result<Self, CliError> {
        match open(path) {
            Ok((file, is_new)) => Ok(Self {
                path: path.to_owned(),
                file,
                is_new,
            }),
            Err(source) => Err(cannot_write(path, source)),
        }
    }

    pub(super) fn draw(mut self, enrolment: &Enrolment) -> Result<(), CliError> {
        let png = QrCode::new(enrolment)?.png(output::MODULE_PIXELS)?;
        self.replace(&png)
            .map_err(|source| cannot_write(&self.path, source))?;
        self.is_new = false;
        Ok(())
    }

    fn replace(&mut self, contents: &[u8]) -> io::Result<()> {
        if self.file.metadata()?.is_file() {
            self.file.set_len(0)?;
        }
        self.file.write_all(contents)
    }
}

impl Drop for QrImage {
    fn drop(&mut self) {
        if self.is_new {
            // It is empty: nothing is lost where it stays.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// The file, and whether it was made. Only its owner may read it from now on.
fn open(path: &Path) -> io::Result<(File, bool)> {
    let mut options = OpenOptions::new();
    options.write(true).mode(PRIVATE_FILE);
    let (file, is_new) = match options.clone().create_new(true).open(path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => (options.open(path)?, false),
        made => (made?, true),
    };
    if file.metadata()?.is_file() {
        file.set_permissions(Permissions::from_mode(PRIVATE_FILE))?;
    }
    Ok((file, is_new))
}

fn cannot_write(path: &Path, source: io::Error) -> CliError {
    CliError::Write {
        name: path.display().to_string(),
        source,
    }
}
