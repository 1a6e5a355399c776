//! Reading an enrolment from a picture of its QR code: a saved code, a screenshot, a photo of a screen.

mod error;
mod file;
mod other;
mod search;

use super::{Layout, ParseError, Reading};
use crate::secret::Secret;

pub use error::{OtherFormat, PictureError};

/// Reads the one enrolment from the QR codes in a picture. PNG, JPEG, WebP, GIF and BMP are
/// recognised by their first bytes. What a code holds is read as [`Reading::of`] does, under the layout
/// that this system is set to.
///
/// A code may be turned, mirrored, skewed, unevenly lit, coloured, or light on dark. Codes of other
/// things beside it don't matter, but of different enrolments nobody can tell which is meant.
pub fn read(bytes: &[u8], system: Option<Layout>) -> Result<Reading, PictureError> {
    let picture = file::decode(bytes)?;
    let found = search::codes(picture, |content| Reading::of(content, system).is_ok());
    if !found.contents.is_empty() {
        return the_one_meant(&found.contents, system);
    }
    Err(if file::is_cut_off(bytes) {
        PictureError::Incomplete
    } else if found.is_something_unreadable {
        PictureError::Unreadable
    } else {
        PictureError::NoCode
    })
}

fn the_one_meant(contents: &[Secret], system: Option<Layout>) -> Result<Reading, PictureError> {
    let mut readings: Vec<Reading> = Vec::new();
    let mut others = Vec::new();
    for content in contents {
        match Reading::of(content.expose(), system) {
            Ok(reading) => {
                let is_same = |known: &Reading| known.enrolment().is(reading.enrolment());
                if !readings.iter().any(is_same) {
                    readings.push(reading);
                }
            }
            Err(error) => others.push((error, other::kind(content.expose()))),
        }
    }
    if readings.len() > 1 {
        let servers = readings.iter().map(|it| it.enrolment().url().to_string());
        let mut servers: Vec<String> = servers.collect();
        servers.sort_unstable();
        servers.dedup();
        return Err(PictureError::SeveralEnrolments(servers));
    }
    readings.pop().ok_or_else(|| of_others(others))
}

/// What to say of codes that are no enrolments: of the only one, or the only one that was meant to
/// be one, what is wrong with it.
fn of_others(mut others: Vec<(ParseError, &'static str)>) -> PictureError {
    let is_of_something_else = |error: &ParseError| {
        use ParseError::{
            Empty, OtherLink, SomethingElse, TicketLike, TokenAlone, TooLong, WebAddress,
        };
        matches!(
            error,
            Empty | OtherLink | SomethingElse | TicketLike | TokenAlone | TooLong | WebAddress
        )
    };
    let spoilt = others
        .iter()
        .position(|(error, _)| !is_of_something_else(error));
    match (spoilt, others.len()) {
        (Some(at), _) => PictureError::Code(others.swap_remove(at).0),
        (None, 1) => PictureError::Code(others.swap_remove(0).0),
        (None, _) => {
            let mut kinds: Vec<&str> = others.into_iter().map(|(_, kind)| kind).collect();
            kinds.sort_unstable();
            kinds.dedup();
            PictureError::OtherCodes(kinds)
        }
    }
}

#[cfg(test)]
mod tests;
