//! What the server answered, as it goes on to the program.

use hyper::header::{CONTENT_LENGTH, HeaderName, HeaderValue};
use hyper::{Response, StatusCode};

use super::call::Asked;
use crate::agent::{AgentError, ApiResponse, ApiStream};
use crate::door::answer::{Answer, DoorBody};
use crate::door::inside::Inside;

/// What concerns a connection alone, and what the server says to this device's agent. A length is told anew.
const NOT_HANDED_ON: [&str; 10] = [
    "connection",
    "content-encoding",
    "content-length",
    "keep-alive",
    "proxy-authenticate",
    "set-cookie",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Status and headers of an answer of the server.
pub(super) struct Head {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
}

impl Head {
    /// How long the body is said to be, which masking does not change.
    pub(super) fn length(&self) -> Option<u64> {
        let is_length = |name: &String| name.eq_ignore_ascii_case(CONTENT_LENGTH.as_str());
        let mut lengths = self.headers.iter().filter(|(name, _)| is_length(name));
        let (_, length) = lengths.next()?;
        length.parse().ok()
    }

    /// The answer with this body. One to `HEAD` tells how long the body would be, unless that is not the server's own.
    pub(super) fn with(self, body: DoorBody, asked: Asked) -> Answer {
        let length = self.length().filter(|_| asked.is_head && !asked.is_info);
        let mut answer = Response::new(body);
        *answer.status_mut() = StatusCode::from_u16(self.status).unwrap_or(StatusCode::BAD_GATEWAY);
        let headers = answer.headers_mut();
        for (name, value) in self.headers {
            if NOT_HANDED_ON.contains(&name.as_str()) {
                continue;
            }
            let name = HeaderName::from_bytes(name.as_bytes());
            if let (Ok(name), Ok(value)) = (name, HeaderValue::try_from(value)) {
                headers.append(name, value);
            }
        }
        if let Some(length) = length {
            headers.insert(CONTENT_LENGTH, length.into());
        }
        answer
    }
}

/// Notes whether the server was there.
pub(super) fn heard<T: Answered>(
    inside: &Inside,
    result: Result<T, AgentError>,
) -> Result<T, AgentError> {
    let is_there = match &result {
        Ok(answer) if answer.status() < 500 => true,
        Err(error) if error.is_for_want_of_the_server() => false,
        _ => return result,
    };
    inside.feed.reached(is_there);
    result
}

pub(super) trait Answered {
    fn status(&self) -> u16;
}

impl Answered for ApiResponse {
    fn status(&self) -> u16 {
        self.status
    }
}

impl Answered for ApiStream {
    fn status(&self) -> u16 {
        self.status
    }
}
