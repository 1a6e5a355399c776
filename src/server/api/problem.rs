//! What can go wrong with a request, and the words for it.

use std::error::Error;

use hyper::{Method, StatusCode};
use serde_json::{Value, json};

use super::field_errors::FieldErrors;
use crate::causes;
use crate::server::reception::Refusal;
use crate::server::store::StoreError;
use crate::wire::UNKNOWN_KEY_DETAIL;

/// Why a request is not done.
#[derive(Debug)]
pub(in crate::server) enum Problem {
    /// 400: what is wrong with each field.
    Fields(FieldErrors),
    /// 400: the body can't be read.
    Unreadable(String),
    /// 400: what is wrong with each field of each entry of a list.
    Entries(&'static str, Vec<FieldErrors>),
    /// 400: a header can't be read.
    Malformed(&'static str),
    /// 400: the host that is named is not ours, or not clear.
    Host(&'static str),
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
    /// 422: another request came with the same idempotency key.
    OtherRequest,
    /// 412: it was changed since the caller read it.
    Outdated,
    /// 428: it is done only if the caller says as what it knows it.
    Unconditional(&'static str),
    /// 413.
    TooLarge,
    /// 503: there is no memory for the body now.
    NoRoom,
    /// 415.
    MediaType(String),
    /// 429: too many unknown keys came from there; seconds until the next may come.
    ManyUnknown { seconds: u64 },
    /// 500, which says nothing of what was done: the cause is for the log only.
    Internal(Box<dyn Error + Send + Sync>),
    /// 503: it was surely not done. The cause, and what to do about it, are for the log only.
    Unavailable {
        advice: Option<&'static str>,
        cause: Box<dyn Error + Send + Sync>,
    },
    /// 503: it took too long, and was surely not done.
    Late,
    /// No answer at all: nobody knows whether it was done.
    Unsettled,
}

pub(super) const NO_CREDENTIALS: &str = "Authentication credentials were not provided.";
pub(super) const INVALID_TOKEN: &str = UNKNOWN_KEY_DETAIL;
pub(super) const NO_PERMISSION: &str = "You do not have permission to perform this action.";

/// Seconds after which a caller may ask again for what was not done, or met a request with its own
/// idempotency key.
const RETRY_AFTER: u64 = 5;

impl Problem {
    pub(super) fn status(&self) -> StatusCode {
        match self {
            Self::Fields(_)
            | Self::Entries(..)
            | Self::Unreadable(_)
            | Self::Malformed(_)
            | Self::Host(_) => StatusCode::BAD_REQUEST,
            Self::OtherRequest => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Outdated => StatusCode::PRECONDITION_FAILED,
            Self::Unconditional(_) => StatusCode::PRECONDITION_REQUIRED,
            Self::NotAuthenticated(_) => StatusCode::UNAUTHORIZED,
            Self::Forbidden(_) => StatusCode::FORBIDDEN,
            Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::Method(_) => StatusCode::METHOD_NOT_ALLOWED,
            Self::NotAcceptable => StatusCode::NOT_ACCEPTABLE,
            Self::Slow => StatusCode::REQUEST_TIMEOUT,
            Self::Concurrent => StatusCode::CONFLICT,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::MediaType(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::ManyUnknown { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::Internal(_) | Self::Unsettled => StatusCode::INTERNAL_SERVER_ERROR,
            Self::NoRoom | Self::Unavailable { .. } | Self::Late => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// Seconds after which the caller may ask again for the same, as nothing was done.
    pub(super) fn retry_after(&self) -> Option<u64> {
        match self {
            Self::Concurrent | Self::NoRoom | Self::Unavailable { .. } | Self::Late => {
                Some(RETRY_AFTER)
            }
            Self::ManyUnknown { seconds } => Some(*seconds),
            _ => None,
        }
    }

    /// Whether the connection ends with the answer: not all of the request was read, or others may see its
    /// end elsewhere.
    pub(super) fn ends_connection(&self) -> bool {
        matches!(
            self,
            Self::Slow | Self::TooLarge | Self::NoRoom | Self::Host(_)
        )
    }

    /// The body of the answer. The causes of what is not the caller's fault are logged here.
    pub(super) fn into_body(self) -> Value {
        let detail = match self {
            Self::Fields(errors) => return errors.into_body(),
            Self::Entries(list, errors) => {
                let errors = errors.into_iter().map(FieldErrors::into_body);
                return json!({ list: errors.collect::<Value>() });
            }
            Self::Outdated => {
                "This was changed since you read it. Read it again, and send its new ETag as If-Match."
                    .to_owned()
            }
            Self::Unreadable(detail) => detail,
            Self::NotAuthenticated(detail)
            | Self::Forbidden(detail)
            | Self::NotFound(detail)
            | Self::Malformed(detail)
            | Self::Unconditional(detail)
            | Self::Host(detail) => detail.to_owned(),
            Self::ManyUnknown { .. } => {
                "Too many keys or tokens that nobody has came from your address. Try again later."
                    .to_owned()
            }
            Self::Method(method) => format!("Method \"{method}\" not allowed."),
            Self::NotAcceptable => "Could not satisfy the request Accept header.".to_owned(),
            Self::Slow => "The request body did not arrive in time.".to_owned(),
            Self::OtherRequest => {
                "This idempotency key came with another request before. Nothing was done: send a new key."
                    .to_owned()
            }
            Self::Concurrent => "Concurrent request with idempotency key.".to_owned(),
            Self::TooLarge => "The request body is too large.".to_owned(),
            Self::NoRoom => UNAVAILABLE.to_owned(),
            Self::MediaType(media_type) => {
                format!("Unsupported media type \"{media_type}\" in request.")
            }
            Self::Internal(error) => {
                tracing::error!(%error, causes = ?causes::of(&*error), "a request failed");
                INTERNAL.to_owned()
            }
            Self::Unavailable { advice, cause } => {
                let (error, causes) = (&cause, causes::of(&*cause));
                tracing::error!(%error, ?causes, advice, "a request was not done");
                UNAVAILABLE.to_owned()
            }
            Self::Late => {
                let advice = StoreError::GivenUp.advice();
                tracing::error!(advice, "a request took too long, and was not done");
                UNAVAILABLE.to_owned()
            }
            // The writer logs what failed.
            Self::Unsettled => INTERNAL.to_owned(),
        };
        json!({ "detail": detail })
    }
}

const INTERNAL: &str = "A server error occurred.";
const UNAVAILABLE: &str = "The server can't do this now. Try again later.";

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            // Who comes second gets the kept answer when it asks again.
            StoreError::AlreadyKept => Self::Concurrent,
            StoreError::Outdated => Self::Outdated,
            StoreError::Unsettled => Self::Unsettled,
            // Whatever else the store says, nothing was done.
            error => Self::Unavailable {
                advice: error.advice(),
                cause: error.into(),
            },
        }
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Host(detail) => Self::Host(detail),
            Refusal::Broken => Self::Unreadable("The request body is broken.".to_owned()),
            Refusal::Slow => Self::Slow,
            Refusal::TooLarge => Self::TooLarge,
            Refusal::NoRoom => Self::NoRoom,
            Refusal::Late => Self::Late,
            Refusal::Internal(error) => Self::Internal(error),
            Refusal::Store(error) => error.into(),
        }
    }
}

/// Keys are drawn before anything is done with them.
impl From<getrandom::Error> for Problem {
    fn from(error: getrandom::Error) -> Self {
        StoreError::from(error).into()
    }
}

impl From<serde_json::Error> for Problem {
    fn from(error: serde_json::Error) -> Self {
        Self::Internal(error.into())
    }
}
