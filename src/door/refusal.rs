//! Why a program at the door gets another answer than it asked for.

use hyper::StatusCode;

use super::standing::Problem;
use crate::agent::{AgentError, ErrorKind};

/// Why a program gets another answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refusal {
    #[error(
        "this door has no such path; it has /v1/status, /v1/events, /v1/event-selection, /v1/metrics and what is allowed below /api/v1/"
    )]
    Unknown,
    #[error("{0} is not allowed here: see the door's paths in the settings")]
    NotAllowed(String),
    #[error("the device's security profile {profile} does not allow {request}")]
    Profile { profile: String, request: String },
    #[error("only GET is possible here")]
    Method,
    #[error("the secret is missing or wrong: send it as Authorization: Bearer")]
    Secret,
    #[error("this door is not for the host or origin that the request names")]
    Foreign,
    #[error("too many calls at once: try again")]
    Crowd,
    #[error("the body does not arrive in time, or is larger than a call that is repeated may have")]
    Body,
    #[error(transparent)]
    Agent(#[from] AgentError),
}

impl Refusal {
    pub(super) fn status(&self) -> StatusCode {
        match self {
            Self::Unknown => StatusCode::NOT_FOUND,
            Self::NotAllowed(_) | Self::Profile { .. } | Self::Foreign => StatusCode::FORBIDDEN,
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::Secret => StatusCode::UNAUTHORIZED,
            Self::Crowd => StatusCode::TOO_MANY_REQUESTS,
            Self::Body => StatusCode::REQUEST_TIMEOUT,
            Self::Agent(error) => match error.kind() {
                ErrorKind::ArgumentInvalid => StatusCode::BAD_REQUEST,
                ErrorKind::AnswerTooLarge => StatusCode::BAD_GATEWAY,
                _ => StatusCode::SERVICE_UNAVAILABLE,
            },
        }
    }

    fn kind(&self) -> &'static str {
        match self {
            Self::Unknown => "unknown-path",
            Self::NotAllowed(_) => "not-allowed",
            Self::Profile { .. } => "not-in-profile",
            Self::Method => "unknown-method",
            Self::Secret => "secret-wrong",
            Self::Foreign => "foreign",
            Self::Crowd => "crowded",
            Self::Body => "body-unusable",
            Self::Agent(error) => error.kind().code(),
        }
    }

    pub(super) fn document(&self) -> Problem {
        match self {
            Self::Agent(error) => Problem::of(error),
            _ => Problem {
                kind: self.kind(),
                detail: self.to_string(),
            },
        }
    }

    /// In how many seconds it may be better.
    pub(super) fn retry_after(&self) -> Option<u32> {
        match self {
            Self::Crowd => Some(1),
            Self::Agent(error) if error.is_for_want_of_the_server() => Some(5),
            _ => None,
        }
    }
}
