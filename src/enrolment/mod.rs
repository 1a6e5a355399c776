//! Enrolment: the server and the initialization token that turn a scanner into one of an
//! organizer's devices, in every form that people hand them over.
//!
//! The forms are the JSON payload of a QR code, the `pretixscan://setup` link, and URL and token
//! typed by hand. `reading` is where all text comes in. With feature `qr-image` the payload is drawn as a QR code (`draw`) and read
//! back from a picture (`picture`).

mod apart;
mod codes;
mod keyboard;
mod parse_error;
mod pasted;
mod payload;
mod reading;
mod server_url;
mod token_slip;

#[cfg(feature = "qr-image")]
pub mod draw;
#[cfg(feature = "qr-image")]
pub mod picture;

use crate::secret::Secret;

pub use apart::{plain, token_alone};
pub use codes::ObjectScan;
pub use keyboard::{Layout, Undone};
pub use parse_error::ParseError;
pub use reading::{Reading, TEXT_LIMIT};
pub(crate) use server_url::decodings;
pub use server_url::{ServerUrl, ServerUrlError};
pub use token_slip::TokenSlip;

/// Longest token in characters: the API takes no longer text.
const TOKEN_LIMIT: usize = crate::wire::TEXT_LIMIT;

/// Where a device enrols and the token that lets it in once.
#[derive(Clone)]
pub struct Enrolment {
    url: ServerUrl,
    token: Secret,
}

/// Why a text can't be an initialization token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Nothing but blanks.
    #[error("the token is empty; copy it as the server shows it for the device")]
    Empty,
    /// More than 190 characters.
    #[error("the token is longer than {TOKEN_LIMIT} characters; copy it as the server shows it")]
    TooLong,
    /// A blank, a control character, one beyond ASCII, or one that codes and addresses are made of.
    #[error(
        "the token has blanks or special characters, as whole codes and addresses have; \
         copy the token alone as the server shows it"
    )]
    Characters,
}

impl Enrolment {
    /// Takes a URL and a token entered by hand; blanks around the token go.
    ///
    /// Servers hand out 16 of a-z0-9. Other visible ASCII is taken too, but not what codes, links and
    /// addresses are made of: one of them in the place of the token would go to a server that it may not be for.
    pub fn new(url: ServerUrl, token: Secret) -> Result<Self, TokenError> {
        let trimmed = token.expose().trim();
        if trimmed.is_empty() {
            return Err(TokenError::Empty);
        }
        if !trimmed.bytes().all(is_of_a_token) {
            return Err(TokenError::Characters);
        }
        if trimmed.len() > TOKEN_LIMIT {
            return Err(TokenError::TooLong);
        }
        let token = Secret::new(trimmed.to_owned());
        Ok(Self { url, token })
    }

    /// Whether it is the same server and token.
    fn is(&self, other: &Self) -> bool {
        self.url == other.url && self.token.expose() == other.token.expose()
    }

    /// The server.
    pub fn url(&self) -> &ServerUrl {
        &self.url
    }

    /// The initialization token.
    pub fn token(&self) -> &Secret {
        &self.token
    }
}

fn is_of_a_token(byte: u8) -> bool {
    byte.is_ascii_graphic() && !br#"{}":/\?&=<>"#.contains(&byte)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn enrol(token: &str) -> Result<Enrolment, TokenError> {
        let url = "https://pretix.eu".parse().unwrap();
        Enrolment::new(url, Secret::new(token.to_owned()))
    }

    #[test]
    fn a_token_is_taken_without_the_blanks_around_it() {
        let enrolment = enrol(" kpp4jn8g2ynzonp6\n").ok().unwrap();
        assert_eq!(enrolment.token().expose(), "kpp4jn8g2ynzonp6");
        assert_eq!(enrolment.url().to_string(), "https://pretix.eu");
        assert!(enrol("Any-visible_ASCII!~").is_ok());
        assert!(enrol(&"x".repeat(TOKEN_LIMIT)).is_ok());
    }

    #[test]
    fn what_can_be_no_token_is_refused() {
        for (token, expected) in [
            ("", TokenError::Empty),
            (" \t\n", TokenError::Empty),
            ("two words", TokenError::Characters),
            ("a\0b", TokenError::Characters),
            ("tökèn", TokenError::Characters),
            (&"x".repeat(TOKEN_LIMIT + 1), TokenError::TooLong),
        ] {
            assert_eq!(enrol(token).err(), Some(expected), "{token}");
        }
    }

    proptest! {
        #[test]
        fn no_code_link_or_address_is_a_token(
            scheme in "(https?|pretixscan)",
            rest in "[a-z0-9.]{1,30}",
            token in "[a-z0-9]{16}",
        ) {
            let enrolment = enrol(&token).ok().unwrap();
            let address = format!("{scheme}://{rest}");
            for text in [enrolment.to_payload().expose(), enrolment.to_link().expose(), &address] {
                prop_assert_eq!(enrol(text).err(), Some(TokenError::Characters), "{}", text);
            }
        }
    }
}
