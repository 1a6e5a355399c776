//! A code in a picture.

use std::path::Path;

use crate::cli::error::CliError;
use crate::cli::{input, system_layout};
use crate::enrolment::Reading;
use crate::enrolment::picture::{self, PictureError};

/// Largest picture that is read, in bytes.
const PICTURE_LIMIT: u64 = 64 * 1024 * 1024;

/// Reads the enrolment from the picture of its QR code.
pub(in crate::cli) fn read_picture(path: &Path) -> Result<Reading, CliError> {
    let picture = input::read_file(path, PICTURE_LIMIT)?;
    picture::read(&picture, system_layout::find()).map_err(|error| match error {
        PictureError::Code(error) => CliError::Code(error),
        source => CliError::Picture {
            name: path.display().to_string(),
            source,
        },
    })
}
