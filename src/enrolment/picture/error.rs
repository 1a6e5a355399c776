//! Why no enrolment was read from a picture.

use std::borrow::Cow;

use image::ImageError;

use crate::enrolment::ParseError;

/// Why no enrolment was read from a picture.
#[derive(Debug, thiserror::Error)]
pub enum PictureError {
    /// A file without content.
    #[error("the file is empty")]
    Empty,
    /// Something else than a picture that is read, by content.
    #[error("this is not a PNG, JPEG, WebP, GIF or BMP picture")]
    Format,
    /// A known format that is not read.
    #[error("this is {}, which is not read here", .0.name)]
    Other(OtherFormat),
    /// Begins as a picture but can't be decoded.
    #[error("the picture is damaged or incomplete")]
    Damaged(#[source] ImageError),
    /// A picture whose end is missing, and no code in what there is.
    #[error("the picture is damaged: its end is missing, and there is no QR code in the rest")]
    Incomplete,
    /// More pixels or memory than is read.
    #[error("the picture is too large with {width} x {height} pixels")]
    TooLarge {
        /// Width in pixels.
        width: u32,
        /// Height in pixels.
        height: u32,
    },
    /// No QR code in sight.
    #[error("there is no QR code in the picture, or it is too small or blurred to be seen")]
    NoCode,
    /// A QR code without readable content.
    #[error("there seems to be a QR code in the picture, but it can't be read")]
    Unreadable,
    /// Different enrolments; their servers.
    #[error(
        "there are different enrolment codes in the picture, for {}", .0.join(" and ")
    )]
    SeveralEnrolments(Vec<String>),
    /// Several QR codes of other things; what they seem to be.
    #[error(
        "none of the QR codes in the picture is for enrolment, they seem to be {}", .0.join(" and ")
    )]
    OtherCodes(Vec<&'static str>),
    /// A QR code that is no enrolment, or a spoilt one.
    #[error(transparent)]
    Code(#[from] ParseError),
}

impl PictureError {
    /// What to do about it, where that is known.
    pub fn advice(&self) -> Option<Cow<'static, str>> {
        let advice = match self {
            Self::Other(format) => format.advice,
            Self::Code(error) => return error.advice(),
            Self::Empty => "save or copy the picture again",
            Self::Format => "save it as one of these",
            Self::Damaged(_) => "save or copy it again, or make a new one",
            Self::Incomplete => "copy the whole file again",
            Self::TooLarge { .. } => "cut out the part with the QR code, or save it smaller",
            Self::Unreadable => "make a sharper picture that shows the whole code",
            Self::SeveralEnrolments(_) => "cut out the one that is meant",
            Self::OtherCodes(_) => "take a picture of the device's code as the server shows it",
            Self::NoCode => return None,
        };
        Some(advice.into())
    }
}

/// A file of another format than is read, and what the person can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OtherFormat {
    /// As "a PDF".
    pub name: &'static str,
    /// As "open it and take a screenshot of the QR code".
    pub advice: &'static str,
}
