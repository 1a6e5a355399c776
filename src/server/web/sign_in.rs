//! Signing in with a team's token.

use askama::Template;
use axum::response::Response;
use hyper::StatusCode;
use hyper::header::{self, HeaderValue};
use jiff::Timestamp;

use super::fault::Fault;
use super::frame::Frame;
use super::html;
use super::local_path::LocalPath;
use super::session;
use super::visit::Visit;
use crate::secret::Secret;
use crate::server::model::TeamCaller;
use crate::wire::fields;

/// The form.
#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignIn<'v> {
    frame: &'v Frame,
    /// Where to go afterwards.
    next: &'v str,
    /// Why it was not taken.
    refused: Option<String>,
    /// What became of a session that was there.
    ended: Option<&'static str>,
}

/// `GET /sign-in`.
pub(super) async fn show(visit: Visit) -> Result<Response, Fault> {
    let next = visit.query("next").unwrap_or_default();
    if visit.frame.who.is_some() {
        return Ok(html::see_other(&visit.frame.to(after(&next).as_str()))?);
    }
    Ok(html::ok(&SignIn {
        frame: &visit.frame,
        next: &next,
        refused: None,
        ended: match (visit.query("undone"), visit.was_signed_in()) {
            (Some(_), _) => Some(visit.frame.say("sign_in:undone")),
            (None, true) => Some(visit.frame.say("sign_in:ended")),
            (None, false) => None,
        },
    })?)
}

/// `POST /sign-in`.
pub(super) async fn sign_in(visit: Visit) -> Result<Response, Fault> {
    let next = visit.sent("next");
    let token = Secret::new(fields::strip(&visit.sent("token")).to_owned());
    let caller = visit.state.store.team_caller(&token).await?;
    let caller = match caller {
        Some(caller) if caller.active && caller.organizer.active => caller,
        found => return refuse(&visit, &next, found),
    };
    visit.set_known();
    let secret = session::new_secret()?;
    let begun = visit
        .state
        .store
        .begin_session(caller.token, &secret, Timestamp::now());
    begun.await?;
    signed_in(&visit, &secret, &after(&next))
}

/// Sends who is signed in on, with the cookie.
pub(super) fn signed_in(
    visit: &Visit,
    secret: &Secret,
    next: &LocalPath,
) -> Result<Response, Fault> {
    let mut response = html::see_other(&visit.frame.to(next.as_str()))?;
    if let Some(cookie) = visit.cookies.session(secret) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

/// Where to go after signing in.
fn after(next: &str) -> LocalPath {
    LocalPath::read(next).unwrap_or_else(LocalPath::devices)
}

/// Tells that a token lets nobody in. One that nobody has is counted.
fn refuse(visit: &Visit, next: &str, found: Option<TeamCaller>) -> Result<Response, Fault> {
    visit.set_unknown();
    let frame = &visit.frame;
    let too_many = match found {
        Some(_) => None,
        None => visit.state.callers.unknown_keys.too_many(&visit.client),
    };
    let (status, words) = match (too_many, found) {
        (Some(seconds), _) => (
            StatusCode::TOO_MANY_REQUESTS,
            frame.fill("sign_in:too_many", "seconds", seconds),
        ),
        (None, Some(_)) => (
            StatusCode::FORBIDDEN,
            frame.say("sign_in:inactive").to_owned(),
        ),
        (None, None) => (
            StatusCode::FORBIDDEN,
            frame.say("sign_in:unknown").to_owned(),
        ),
    };
    let mut response = html::page(
        status,
        &SignIn {
            frame,
            next,
            refused: Some(words),
            ended: None,
        },
    )?;
    if let Some(seconds) = too_many {
        let headers = response.headers_mut();
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    Ok(response)
}
