//! Telling the device API's answers from anything else that may answer.

use reqwest::StatusCode;
use reqwest::header::HeaderMap;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use super::client::Answer;
use crate::mask::Mask;
use crate::secret::Secret;
use crate::wire::{Problem, hidden};

/// Largest answer of the device API that is read, in bytes.
pub(super) const ANSWER_LIMIT: usize = 1024 * 1024;

/// An answer of the documented shape.
pub(crate) enum Reply<T> {
    /// 2xx with what was asked for.
    Done(T),
    /// 400, 401 or 403 with the server's words.
    Refused(StatusCode, Problem),
}

/// Why an answer is none of the device API's: it says nothing about what became of the request.
#[derive(Debug, thiserror::Error)]
pub enum ForeignAnswer {
    /// A redirect, which is not followed.
    #[error("it redirects to {location}, and redirects are not followed")]
    Redirect {
        /// Where to.
        location: String,
        /// Whether that may be a page to log in to a network at.
        may_be_login: bool,
    },
    /// The network's own word for "log in first".
    #[error("this network lets nothing through before a login (status 511)")]
    LoginRequired,
    /// Not found: perhaps a mistyped address.
    #[error("it has no device API at this address (404)")]
    NotFound,
    /// The same request is still being answered, or too many were sent.
    #[error("it asks to try again in a moment (status {0})")]
    NotYet(StatusCode),
    /// What was asked was not encrypted, and it is only answered if it is.
    #[error("it answers encrypted requests only, at an https:// address (status {0})")]
    EncryptedOnly(StatusCode),
    /// The server failed.
    #[error("it failed with status {0}: try again later")]
    Failure(StatusCode),
    /// Another status or content, as from the login page of a network.
    #[error(
        "it answered with status {status} and {content}, which is not the device API; a network's login page or a proxy may have answered in its place"
    )]
    Unexpected {
        /// Status of the answer.
        status: StatusCode,
        /// What the answer holds.
        content: &'static str,
    },
}

impl ForeignAnswer {
    /// The status by which the server, or a gateway before it, says that it can't answer properly;
    /// `None` if something else may have answered in its place.
    pub fn failure(&self) -> Option<StatusCode> {
        match self {
            Self::NotFound => Some(StatusCode::NOT_FOUND),
            Self::NotYet(status) | Self::Failure(status) => Some(*status),
            Self::Redirect { .. }
            | Self::LoginRequired
            | Self::EncryptedOnly(_)
            | Self::Unexpected { .. } => None,
        }
    }
}

/// Reads an answer: JSON with status 2xx, 400, 401 or 403 in the API's shapes is a reply. What is done
/// is taken as whatever it is labelled, since it may be the only answer with the key. Where words
/// repeat one of the `secrets` that were sent, there are asterisks.
pub(crate) fn read<T: DeserializeOwned>(
    answer: &Answer,
    secrets: &[&Secret],
) -> Result<Reply<T>, ForeignAnswer> {
    let secrets: Vec<&str> = secrets.iter().map(|secret| secret.expose()).collect();
    let status = answer.status;
    let unexpected = |content| ForeignAnswer::Unexpected { status, content };
    if status.is_redirection() {
        let (location, may_be_login) = match &answer.redirect {
            Some(redirect) => (redirect.location.clone(), redirect.may_be_login),
            None => ("nowhere".to_owned(), false),
        };
        return Err(ForeignAnswer::Redirect {
            location: hidden(location, &secrets),
            may_be_login,
        });
    }
    if status == StatusCode::NETWORK_AUTHENTICATION_REQUIRED {
        return Err(ForeignAnswer::LoginRequired);
    }
    if status == StatusCode::NOT_FOUND {
        return Err(ForeignAnswer::NotFound);
    }
    if matches!(status, StatusCode::CONFLICT | StatusCode::TOO_MANY_REQUESTS) {
        return Err(ForeignAnswer::NotYet(status));
    }
    if status.is_server_error() {
        return Err(ForeignAnswer::Failure(status));
    }
    let is_refusal = matches!(
        status,
        StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN
    );
    if status == StatusCode::BAD_REQUEST && !answer.is_json && wants_encryption(&answer.body) {
        return Err(ForeignAnswer::EncryptedOnly(status));
    }
    let no_json = || unexpected("no JSON");
    if status.is_success() {
        let text = Zeroizing::new(String::from_utf8_lossy(&answer.body).into_owned());
        // Not the parser's own words: they may repeat the API key.
        serde_json::from_str(text.trim_start_matches('\u{feff}'))
            .map(Reply::Done)
            .map_err(|_| match answer.is_json {
                true => unexpected("JSON of another shape"),
                false => no_json(),
            })
    } else if !answer.is_json {
        Err(no_json())
    } else if is_refusal {
        let body = serde_json::from_slice(&answer.body).map_err(|_| unexpected("broken JSON"))?;
        let problem = Problem::read(&body).ok_or_else(|| unexpected("JSON of another shape"))?;
        Ok(Reply::Refused(status, problem.without(&secrets)))
    } else {
        Err(unexpected("JSON"))
    }
}

/// Whether these are the words of a common server or proxy that was called without TLS where it wants TLS.
fn wants_encryption(body: &[u8]) -> bool {
    let text = String::from_utf8_lossy(body).to_lowercase();
    let mut words = [
        "to https port",
        "plain http to an ssl",
        "to an https server",
    ]
    .into_iter();
    words.any(|words| text.contains(words))
}

/// Names and values of the headers that are text, masked.
pub(super) fn visible_headers(headers: &HeaderMap, mask: &Mask) -> Vec<(String, String)> {
    let visible = headers.iter().filter_map(|(name, value)| {
        let value = value.to_str().ok()?;
        Some((mask.hide(name.as_str()), mask.hide(value)))
    });
    visible.collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn answer(status: u16, is_json: bool, body: &str) -> Answer {
        Answer {
            status: StatusCode::from_u16(status).unwrap(),
            is_json,
            redirect: None,
            proxy: None,
            headers: Default::default(),
            retry_after: None,
            body: Zeroizing::new(body.as_bytes().to_vec()),
        }
    }

    #[test]
    fn only_documented_answers_are_replies() {
        let refusal = r#"{"detail": "Invalid token."}"#;
        for (status, is_json, body, is_reply) in [
            (200, true, r#"{"a": 1}"#, true),
            (201, true, r#"{"a": 1}"#, true),
            (200, false, r#"{"a": 1}"#, true),
            (200, false, "<html>", false),
            (200, true, "<html>", false),
            (302, false, "", false),
            (
                400,
                true,
                r#"{"token": ["Unknown initialization token."]}"#,
                true,
            ),
            (401, true, refusal, true),
            (403, true, refusal, true),
            (403, false, "<html>blocked</html>", false),
            (403, true, "[]", false),
            (404, true, refusal, false),
            (409, true, refusal, false),
            (429, true, refusal, false),
            (500, true, refusal, false),
            (503, false, "", false),
            (511, true, refusal, false),
        ] {
            let read = read::<std::collections::BTreeMap<String, Value>>(
                &answer(status, is_json, body),
                &[],
            );
            assert_eq!(read.is_ok(), is_reply, "{status} {body}");
        }
    }

    #[test]
    fn the_servers_words_are_kept() {
        let body = json!({"token": ["This initialization token has already been used."]});
        let Ok(Reply::<Value>::Refused(status, problem)) =
            read(&answer(400, true, &body.to_string()), &[])
        else {
            panic!("a refusal");
        };
        assert_eq!(status, StatusCode::BAD_REQUEST);
        assert_eq!(
            problem.to_string(),
            "token: This initialization token has already been used."
        );
    }
}
