//! Names as arguments.

use crate::wire::{TEXT_LIMIT, fields};

/// For the command line: a name by the rules of the API's fields.
pub(super) fn text(argument: &str) -> Result<String, String> {
    match fields::text(argument, Some(TEXT_LIMIT)) {
        Ok(text) => Ok(text.to_owned()),
        Err(_) => Err(format!(
            "1 to {TEXT_LIMIT} characters are allowed, not only blanks"
        )),
    }
}
