//! Where a device enrols and the token that lets it in once, and how both are written as a code.

use serde_json::Value;
use url::form_urlencoded;

use super::token_error::TOKEN_LIMIT;
use super::{ServerUrl, TokenError};
use crate::secret::Secret;

/// The one version of the handshake there is.
pub(super) const HANDSHAKE_VERSION: u64 = 1;
pub(super) const LINK_SCHEME: &str = "pretixscan";

/// Where a device enrols and the token that lets it in once.
#[derive(Clone)]
pub struct Enrolment {
    url: ServerUrl,
    token: Secret,
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
    pub(super) fn is(&self, other: &Self) -> bool {
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

    /// The payload of a QR code: JSON without blanks, the fields in the order of the reference.
    pub fn to_payload(&self) -> Secret {
        let url = Value::from(self.url.to_string());
        let token = Value::from(self.token.expose());
        Secret::new(format!(
            r#"{{"handshake_version":{HANDSHAKE_VERSION},"url":{url},"token":{token}}}"#
        ))
    }

    /// The setup link.
    pub fn to_link(&self) -> Secret {
        let mut parameters = form_urlencoded::Serializer::new(String::new())
            .append_pair("url", &self.url.to_string())
            .append_pair("token", self.token.expose())
            .finish();
        // At the end of a link they are a sentence's, or the marks of bold text.
        for (mark, coded) in [('.', "%2E"), ('*', "%2A")] {
            if parameters.ends_with(mark) {
                parameters.pop();
                parameters.push_str(coded);
            }
        }
        Secret::new(format!("{LINK_SCHEME}://setup?{parameters}"))
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
