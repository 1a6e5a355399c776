//! What can go wrong with a request, and the words for it.

use std::error::Error;

use hyper::{Method, StatusCode};
use serde_json::{Map, Value, json};

use crate::server::store::StoreError;
use crate::wire::UNKNOWN_KEY_DETAIL;

/// Why a request is not done.
#[derive(Debug)]
pub(super) enum Problem {
    /// 400: what is wrong with each field.
    Fields(FieldErrors),
    /// 400: the body can't be read.
    Unreadable(String),
    /// 401, or 403 where no way to authenticate is announced.
    NotAuthenticated(&'static str),
    /// 403: who asks is known, but may not.
    Forbidden(&'static str),
    /// 404.
    NotFound(&'static str),
    /// 405.
    Method(Method),
    /// 406: the caller takes no JSON.
    NotAcceptable,
    /// 408: the body did not come in time.
    Slow,
    /// 409: a request with the same idempotency key is not done yet.
    Concurrent,
    /// 413.
    TooLarge,
    /// 415.
    MediaType(String),
    /// 500: the cause is for the log only.
    Internal(Box<dyn Error + Send + Sync>),
    /// 503: nothing could be stored, or it took too long.
    Unavailable,
}

pub(super) const NO_CREDENTIALS: &str = "Authentication credentials were not provided.";
pub(super) const INVALID_TOKEN: &str = UNKNOWN_KEY_DETAIL;
pub(super) const NO_PERMISSION: &str = "You do not have permission to perform this action.";

/// Seconds after which a caller may ask again that met a request with its own idempotency key.
pub(super) const RETRY_AFTER: u64 = 5;

impl Problem {
    pub(super) fn status(&self) -> StatusCode {
        match self {
            Self::Fields(_) | Self::Unreadable(_) => StatusCode::BAD_REQUEST,
            Self::NotAuthenticated(_) => StatusCode::UNAUTHORIZED,
            Self::Forbidden(_) => StatusCode::FORBIDDEN,
            Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::Method(_) => StatusCode::METHOD_NOT_ALLOWED,
            Self::NotAcceptable => StatusCode::NOT_ACCEPTABLE,
            Self::Slow => StatusCode::REQUEST_TIMEOUT,
            Self::Concurrent => StatusCode::CONFLICT,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::MediaType(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// The body of the answer. The cause of an internal error is written to the log here.
    pub(super) fn into_body(self) -> Value {
        let detail = match self {
            Self::Fields(errors) => return errors.into_body(),
            Self::Unreadable(detail) => detail,
            Self::NotAuthenticated(detail) | Self::Forbidden(detail) | Self::NotFound(detail) => {
                detail.to_owned()
            }
            Self::Method(method) => format!("Method \"{method}\" not allowed."),
            Self::NotAcceptable => "Could not satisfy the request Accept header.".to_owned(),
            Self::Slow => "The request body did not arrive in time.".to_owned(),
            Self::Concurrent => "Concurrent request with idempotency key.".to_owned(),
            Self::TooLarge => "The request body is too large.".to_owned(),
            Self::MediaType(media_type) => {
                format!("Unsupported media type \"{media_type}\" in request.")
            }
            Self::Internal(error) => {
                let causes = std::iter::successors(error.source(), |error| (*error).source());
                let causes: Vec<String> = causes.map(ToString::to_string).collect();
                tracing::error!(%error, ?causes, "a request failed");
                "A server error occurred.".to_owned()
            }
            Self::Unavailable => "The server can't do this now. Try again later.".to_owned(),
        };
        json!({ "detail": detail })
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            // Who comes second gets the kept answer when it asks again.
            StoreError::AlreadyKept => Self::Concurrent,
            StoreError::Unavailable => Self::Unavailable,
            error => Self::Internal(error.into()),
        }
    }
}

impl From<getrandom::Error> for Problem {
    fn from(error: getrandom::Error) -> Self {
        Self::Internal(error.into())
    }
}

impl From<serde_json::Error> for Problem {
    fn from(error: serde_json::Error) -> Self {
        Self::Internal(error.into())
    }
}

/// What is wrong with each field of a request.
#[derive(Debug, Default)]
pub(super) struct FieldErrors(Vec<(&'static str, Vec<String>)>);

impl FieldErrors {
    pub(super) fn one(field: &'static str, message: impl Into<String>) -> Self {
        Self(vec![(field, vec![message.into()])])
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds what is wrong with a field; what was wrong with it before is forgotten.
    pub(super) fn set(&mut self, field: &'static str, messages: Vec<String>) {
        self.0.retain(|(name, _)| *name != field);
        self.0.push((field, messages));
    }

    fn into_body(self) -> Value {
        let fields = self.0.into_iter();
        let fields = fields.map(|(field, messages)| (field.to_owned(), json!(messages)));
        Value::Object(fields.collect::<Map<_, _>>())
    }
}
