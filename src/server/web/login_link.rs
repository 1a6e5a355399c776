//! Signing in with a link that is good once. To open it does not spend it, since programs that look through mail do
//! that, too: its page has a button that does.

use askama::Template;
use axum::response::Response;
use hyper::StatusCode;
use jiff::Timestamp;

use super::fault::Fault;
use super::frame::Frame;
use super::html;
use super::local_path::LocalPath;
use super::session;
use super::sign_in::signed_in;
use super::visit::Visit;
use crate::secret::Secret;
use crate::server::store::LinkRefusal;

/// What a link leads to.
#[derive(Template)]
#[template(path = "login_link.html")]
struct LoginLink<'v> {
    frame: &'v Frame,
    /// Why it signs nobody in.
    refused: Option<&'static str>,
}

/// `GET /sign-in/{link}`.
pub(super) async fn show(visit: Visit) -> Result<Response, Fault> {
    let link = Secret::new(visit.param(0).to_owned());
    let found = visit
        .state
        .store
        .look_at_login_link(&link, Timestamp::now())
        .await?;
    match found {
        Ok(()) => Ok(html::ok(&LoginLink {
            frame: &visit.frame,
            refused: None,
        })?),
        Err(refusal) => refuse(&visit, refusal),
    }
}

/// `POST /sign-in/{link}`.
pub(super) async fn redeem(visit: Visit) -> Result<Response, Fault> {
    let link = Secret::new(visit.param(0).to_owned());
    let secret = session::new_secret()?;
    let redeemed = visit
        .state
        .store
        .redeem_login_link(&link, &secret, Timestamp::now())
        .await?;
    match redeemed {
        Ok(()) => {
            visit.set_known();
            signed_in(&visit, &secret, &LocalPath::devices())
        }
        Err(refusal) => refuse(&visit, refusal),
    }
}

fn refuse(visit: &Visit, refusal: LinkRefusal) -> Result<Response, Fault> {
    let frame = &visit.frame;
    let (status, words) = match refusal {
        LinkRefusal::Unknown => {
            visit.set_unknown();
            match visit.state.callers.unknown_keys.too_many(&visit.client) {
                Some(_) => (StatusCode::TOO_MANY_REQUESTS, "login_link:too_many"),
                None => (StatusCode::FORBIDDEN, "login_link:unknown"),
            }
        }
        LinkRefusal::Used => (StatusCode::FORBIDDEN, "login_link:used"),
        LinkRefusal::Expired => (StatusCode::FORBIDDEN, "login_link:expired"),
        LinkRefusal::Inactive => (StatusCode::FORBIDDEN, "sign_in:inactive"),
    };
    let refused = Some(frame.say(words));
    Ok(html::page(status, &LoginLink { frame, refused })?)
}
