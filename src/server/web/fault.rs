//! What can go wrong with a visit, and the page that tells it.

use std::error::Error;

use askama::Template;
use axum::body::Body;
use axum::response::Response;
use hyper::StatusCode;
use hyper::header::{self, HeaderName, HeaderValue};
use url::form_urlencoded;

use super::device_numbers::NumbersError;
use super::frame::Frame;
use super::html::{self, HtmlError};
use crate::causes;
use crate::server::api::Problem;
use crate::server::model::BATCH_LIMIT;
use crate::server::reception::{Refusal, Withheld};
use crate::server::store::StoreError;

/// Why a visitor gets another page than was asked for.
#[derive(Debug)]
pub(super) enum Fault {
    /// Nobody is signed in; what was sent, if anything, was not done.
    SignedOut { undone: bool },
    /// Nobody is signed in, as far as a browser tells that comes from another site; it may know better when it asks
    /// from here.
    FromElsewhere,
    /// Who is signed in may not see the organizer's devices.
    NoReader,
    /// Who is signed in may see the organizer's devices, and not change them.
    NoWriter,
    /// A form that is none of ours, or older than the session.
    Forged,
    /// None of the devices that were asked for has a code to print.
    NoOpenCode,
    /// The address names no devices that are shown together.
    Numbers(NumbersError),
    /// The form was done before, with other contents; where that led.
    OtherForm(String),
    /// There is no such page.
    NotFound,
    /// The page is there, and to be used so only.
    Method(&'static str),
    /// What was sent can't be read.
    Unreadable,
    /// It was not let in.
    Refused(Refusal),
    /// What the store says.
    Store(StoreError),
    /// A fault of ours.
    Internal(Box<dyn Error + Send + Sync>),
}

/// Seconds after which a page whose server was away asks again.
const AGAIN: u64 = 5;

/// A page that tells a fault.
#[derive(Template)]
#[template(path = "fault.html")]
struct Told<'f> {
    frame: &'f Frame,
    title: &'static str,
    words: String,
    /// Where it led before.
    led_to: Option<&'f str>,
    /// After how many seconds the page asks again by itself.
    again: Option<u64>,
}

/// Has a browser ask again, from here.
#[derive(Template)]
#[template(path = "ask_again.html")]
struct AskAgain<'f> {
    frame: &'f Frame,
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<NumbersError> for Fault {
    fn from(error: NumbersError) -> Self {
        Self::Numbers(error)
    }
}

impl From<getrandom::Error> for Fault {
    fn from(error: getrandom::Error) -> Self {
        Self::Store(error.into())
    }
}

/// What the API's rules say of what was sent.
impl From<Problem> for Fault {
    fn from(problem: Problem) -> Self {
        match problem {
            Problem::Internal(error) => Self::Internal(error),
            _ => Self::Unreadable,
        }
    }
}

impl From<HtmlError> for Fault {
    fn from(error: HtmlError) -> Self {
        Self::Internal(error.into())
    }
}

impl From<Refusal> for Fault {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Internal(error) => Self::Internal(error),
            Refusal::Store(error) => Self::Store(error),
            refusal => Self::Refused(refusal),
        }
    }
}

impl Fault {
    fn status(&self) -> StatusCode {
        match self {
            Self::SignedOut { .. } => StatusCode::SEE_OTHER,
            Self::FromElsewhere => StatusCode::OK,
            Self::NoReader | Self::NoWriter | Self::Forged => StatusCode::FORBIDDEN,
            Self::NotFound | Self::NoOpenCode | Self::Numbers(_) => StatusCode::NOT_FOUND,
            // As the API answers another request under a key that was used.
            Self::OtherForm(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Method(_) => StatusCode::METHOD_NOT_ALLOWED,
            Self::Unreadable => StatusCode::BAD_REQUEST,
            Self::Refused(refusal) => match refusal {
                Refusal::Host(_) | Refusal::Broken => StatusCode::BAD_REQUEST,
                Refusal::Slow => StatusCode::REQUEST_TIMEOUT,
                Refusal::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
                Refusal::NoRoom | Refusal::Late => StatusCode::SERVICE_UNAVAILABLE,
                Refusal::Internal(_) | Refusal::Store(_) => StatusCode::INTERNAL_SERVER_ERROR,
            },
            Self::Store(StoreError::Unsettled) | Self::Internal(_) => {
                StatusCode::INTERNAL_SERVER_ERROR
            }
            Self::Store(StoreError::Unknown { .. }) => StatusCode::NOT_FOUND,
            Self::Store(StoreError::Outdated) => StatusCode::CONFLICT,
            Self::Store(_) => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// The names of its title and of what to know and do about it.
    fn words(&self) -> (&'static str, &'static str) {
        if let Self::Numbers(error) = self {
            return ("fault:no_devices", numbers_words(error));
        }
        match self.status() {
            _ if matches!(self, Self::NoReader) => ("fault:no_right", "fault:no_reader"),
            _ if matches!(self, Self::NoWriter) => ("fault:no_right", "fault:no_writer"),
            _ if matches!(self, Self::Refused(Refusal::Host(_))) => {
                ("fault:host", "fault:host_words")
            }
            _ if matches!(self, Self::NoOpenCode) => ("fault:no_code", "fault:no_code_words"),
            _ if matches!(self, Self::OtherForm(_)) => {
                ("fault:other_form", "fault:other_form_words")
            }
            StatusCode::FORBIDDEN => ("fault:forged", "fault:forged_words"),
            StatusCode::NOT_FOUND => ("fault:not_found", "fault:not_found_words"),
            StatusCode::CONFLICT => ("fault:outdated", "fault:outdated_words"),
            StatusCode::SERVICE_UNAVAILABLE => ("fault:away", "fault:away_words"),
            StatusCode::INTERNAL_SERVER_ERROR => ("fault:internal", "fault:internal_words"),
            StatusCode::PAYLOAD_TOO_LARGE => ("fault:too_large", "fault:too_large_words"),
            _ => ("fault:unreadable", "fault:unreadable_words"),
        }
    }

    /// Logs the cause of what is not the visitor's fault.
    fn log(&self) {
        match self {
            // The writer logs what failed.
            Self::Store(StoreError::Unsettled) => {}
            Self::Store(error) if self.status() == StatusCode::SERVICE_UNAVAILABLE => {
                let (causes, advice) = (causes::of(error), error.advice());
                tracing::error!(%error, ?causes, advice, "a page can't be shown now");
            }
            Self::Refused(Refusal::Late) => {
                let advice = StoreError::GivenUp.advice();
                tracing::error!(advice, "a page took too long, and nothing was done");
            }
            Self::Internal(error) => {
                tracing::error!(%error, causes = ?causes::of(&**error), "a page failed");
            }
            _ => {}
        }
    }

    /// The answer that tells it.
    pub(super) fn told(self, frame: &Frame) -> Response {
        self.log();
        let status = self.status();
        let told = match &self {
            Self::SignedOut { undone } => to_sign_in(frame, *undone),
            Self::FromElsewhere => html::ok(&AskAgain { frame }),
            _ if frame.is_part => Ok(part(status)),
            _ => {
                let (title, words) = self.words();
                let again = (status == StatusCode::SERVICE_UNAVAILABLE).then_some(AGAIN);
                let told = Told {
                    frame,
                    title: frame.say(title),
                    words: frame.fill(words, "limit", BATCH_LIMIT),
                    again,
                    led_to: match &self {
                        Self::OtherForm(path) => Some(path.as_str()),
                        _ => None,
                    },
                };
                html::page(status, &told)
            }
        };
        // What tells a fault fails only where all does.
        let mut response = told.unwrap_or_else(|_| part(StatusCode::INTERNAL_SERVER_ERROR));
        if matches!(self, Self::Store(StoreError::Unsettled)) {
            response.extensions_mut().insert(Withheld);
        }
        let headers = response.headers_mut();
        if let Self::Refused(_) = self {
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        if let Self::Method(allowed) = self {
            headers.insert(header::ALLOW, HeaderValue::from_static(allowed));
        }
        if status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(AGAIN));
        }
        response
    }
}

/// The name of the text that says why an address names no devices.
fn numbers_words(error: &NumbersError) -> &'static str {
    match error {
        NumbersError::Unreadable => "fault:numbers_unreadable",
        NumbersError::TooMany => "fault:numbers_too_many",
        NumbersError::None => "fault:numbers_none",
    }
}

/// Sends who is not signed in to where that is done, and then back here.
fn to_sign_in(frame: &Frame, undone: bool) -> Result<Response, HtmlError> {
    let mut query = form_urlencoded::Serializer::new(String::new());
    if frame.here() != "/" && !frame.is_part {
        query.append_pair("next", frame.here());
        if undone {
            query.append_pair("undone", "1");
        }
    }
    let query = query.finish();
    let question = if query.is_empty() { "" } else { "?" };
    let path = frame.to(&format!("/sign-in{question}{query}"));
    if !frame.is_part {
        return html::see_other(&path);
    }
    // A script can't be sent on by a status; the page around it is loaded anew, and sent on then.
    let mut response = part(StatusCode::UNAUTHORIZED);
    let refresh = HeaderName::from_static("hx-refresh");
    let headers = response.headers_mut();
    headers.insert(refresh, HeaderValue::from_static("true"));
    Ok(response)
}

/// An answer to a script, which has the words itself.
fn part(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    html::protect(&mut response);
    response
}
