//! What a caller shows to say who it is: the `Authorization` header.

use hyper::header::{self, HeaderMap};

use super::problem::Problem;
use crate::secret::Secret;

/// A way to authenticate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scheme {
    Token,
    Device,
}

/// What the `Authorization` header says. Several headers count as one with commas in between.
pub(super) fn authorization(headers: &HeaderMap) -> Vec<u8> {
    let values = headers.get_all(header::AUTHORIZATION);
    let values: Vec<&[u8]> = values.iter().map(|value| value.as_bytes()).collect();
    values.join(&b","[..])
}

/// Whether the `Authorization` header has the form of a token or key, right or wrong.
pub(super) fn has_credentials(headers: &HeaderMap) -> bool {
    matches!(
        credentials(headers, &[Scheme::Token, Scheme::Device]),
        Ok(Some(_))
    )
}

/// What the `Authorization` header holds, if it is for one of these schemes.
pub(super) fn credentials(
    headers: &HeaderMap,
    schemes: &[Scheme],
) -> Result<Option<(Scheme, Secret)>, Problem> {
    let joined = authorization(headers);
    let words = joined.split(u8::is_ascii_whitespace);
    let words: Vec<&[u8]> = words.filter(|word| !word.is_empty()).collect();
    let [keyword, rest @ ..] = words.as_slice() else {
        return Ok(None);
    };
    let named = schemes.iter().find(|scheme| match scheme {
        Scheme::Token => keyword.eq_ignore_ascii_case(b"Token"),
        Scheme::Device => keyword.eq_ignore_ascii_case(b"Device"),
    });
    let Some(scheme) = named else {
        return Ok(None);
    };
    let malformed = match rest {
        [key] => match std::str::from_utf8(key) {
            Ok(key) => return Ok(Some((*scheme, Secret::new(key.to_owned())))),
            Err(_) => "Invalid token header. Token string should not contain invalid characters.",
        },
        [] => "Invalid token header. No credentials provided.",
        _ => "Invalid token header. Token string should not contain spaces.",
    };
    Err(Problem::NotAuthenticated(malformed))
}
