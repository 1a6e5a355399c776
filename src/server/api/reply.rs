//! What is answered: the result of a request, and the reply as it is sent and kept.

use std::borrow::Cow;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use hyper::StatusCode;
use hyper::header::{self, HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::problem::Problem;
use crate::server::reception::Withheld;

/// The answer to a request that was done.
pub(super) struct Answer {
    status: StatusCode,
    headers: Vec<(Cow<'static, str>, Cow<'static, str>)>,
    /// JSON.
    body: Option<String>,
}

impl Answer {
    pub(super) fn new(status: StatusCode, body: &impl Serialize) -> Result<Self, Problem> {
        Ok(Self::json(status, serde_json::to_string(body)?))
    }

    /// An answer that is written already.
    pub(super) fn json(status: StatusCode, body: String) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Some(body),
        }
    }

    /// The same with one more header.
    pub(super) fn with(mut self, name: &'static str, value: String) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// One that is known to be about so many bytes long: else a long one is copied again and again as it grows.
    pub(super) fn long(body: &impl Serialize, length: usize) -> Result<Self, Problem> {
        let mut json = Vec::with_capacity(length);
        serde_json::to_writer(&mut json, body)?;
        let body = String::from_utf8(json).map_err(|error| Problem::Internal(error.into()))?;
        Ok(Self {
            status: StatusCode::OK,
            headers: Vec::new(),
            body: Some(body),
        })
    }

    pub(super) fn ok(body: &impl Serialize) -> Result<Self, Problem> {
        Self::new(StatusCode::OK, body)
    }

    pub(super) fn empty(status: StatusCode) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: None,
        }
    }

    /// An answer that was given before, but for the headers of that endpoint.
    pub(super) fn repeated(reply: &Reply) -> Result<Self, Problem> {
        Ok(Self {
            status: StatusCode::from_u16(reply.status)
                .map_err(|error| Problem::Internal(error.into()))?,
            headers: Vec::new(),
            body: match reply.body.as_str() {
                "" => None,
                // A page for people, as for an unknown path, is told as text.
                page if page.starts_with('<') => Some(json!(page).to_string()),
                json => Some(json.to_owned()),
            },
        })
    }
}

/// An answer as it is sent, and kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) headers: Vec<(Cow<'static, str>, Cow<'static, str>)>,
    pub(super) body: String,
    /// Whether the connection is closed in place of an answer.
    #[serde(skip)]
    pub(super) is_withheld: bool,
}

impl Reply {
    /// A refusal outside of any endpoint.
    pub(super) fn refusal(problem: Problem) -> Self {
        let mut reply = Self {
            status: problem.status().as_u16(),
            headers: vec![("content-type".into(), "application/json".into())],
            body: String::new(),
            is_withheld: matches!(problem, Problem::Unsettled),
        };
        if let Some(seconds) = problem.retry_after() {
            let seconds = seconds.to_string();
            reply.headers.push(("retry-after".into(), seconds.into()));
        }
        if problem.ends_connection() {
            reply.headers.push(("connection".into(), "close".into()));
        }
        reply.body = problem.into_body().to_string();
        reply
    }
}

impl From<Answer> for Reply {
    fn from(answer: Answer) -> Self {
        let Answer {
            status,
            headers: more,
            body,
        } = answer;
        let mut headers = match body {
            Some(_) => vec![("content-type".into(), "application/json".into())],
            None => Vec::new(),
        };
        headers.extend(more);
        Self {
            status: status.as_u16(),
            headers,
            body: body.unwrap_or_default(),
            is_withheld: false,
        }
    }
}

impl IntoResponse for Reply {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::from(self.body));
        *response.status_mut() = StatusCode::from_u16(self.status).unwrap_or_default();
        // With those that are added on the way: else the map is made anew twice.
        response.headers_mut().reserve(self.headers.len() + 8);
        for (name, value) in self.headers {
            let name = HeaderName::from_bytes(name.as_bytes());
            if let (Ok(name), Ok(value)) = (name, HeaderValue::from_str(&value)) {
                response.headers_mut().insert(name, value);
            }
        }
        if self.is_withheld {
            response.extensions_mut().insert(Withheld);
        }
        // Answers hold keys and tokens: nothing on the way may store them.
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(
            header::X_CONTENT_TYPE_OPTIONS,
            HeaderValue::from_static("nosniff"),
        );
        response
    }
}
