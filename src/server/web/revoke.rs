//! Revoking one device, once its name was confirmed.

use askama::Template;
use axum::response::Response;
use hyper::StatusCode;
use jiff::Timestamp;

use super::choice_names::ChoiceNames;
use super::fault::Fault;
use super::found_device::{find, number};
use super::frame::Frame;
use super::html;
use super::once::{self, Once};
use super::row::Row;
use super::texts::named;
use super::visit::Visit;
use crate::server::model::Expected;
use crate::server::store::{Actor, StoreError};

/// The question.
#[derive(Template)]
#[template(path = "revoke.html")]
struct Revoke<'v> {
    frame: &'v Frame,
    row: Row,
    serial: &'v str,
    question: String,
    version: String,
    once: String,
    is_revoked: bool,
    /// Whether another has changed the device since it was asked before.
    is_outdated: bool,
}

/// `GET /devices/{number}/revoke`.
pub(super) async fn show(visit: Visit) -> Result<Response, Fault> {
    ask(&visit, StatusCode::OK).await
}

/// `POST /devices/{number}/revoke`.
pub(super) async fn revoke(visit: Visit) -> Result<Response, Fault> {
    let number = number(&visit)?;
    let once = Once::of(&visit)?;
    if let Some(response) = once.before(&visit).await? {
        return Ok(response);
    }
    let device = visit.frame.to(&format!("/devices/{number}"));
    let expected = Expected::one_of(vec![visit.sent("version")]);
    let terms = {
        let device = device.clone();
        once.terms(&visit, expected, move |_| device.clone())
    };
    let caller = &visit.who()?.session.caller;
    let revoked = visit.state.store.end_access(
        Actor::Team(caller.token),
        caller.organizer.id,
        number,
        terms,
    );
    match revoked.await {
        Ok(_) => Ok(html::see_other(&device)?),
        Err(error) => match Once::meanwhile(&visit, error).await {
            Err(Fault::Store(StoreError::Outdated)) => ask(&visit, StatusCode::CONFLICT).await,
            told => told,
        },
    }
}

async fn ask(visit: &Visit, status: StatusCode) -> Result<Response, Fault> {
    let (detailed, names) = (find(visit).await?, ChoiceNames::read(visit).await?);
    let (frame, device) = (&visit.frame, &detailed.device);
    let question = frame.fill("revoke:question", "name", named(&device.name));
    Ok(html::page(
        status,
        &Revoke {
            frame,
            row: Row::of(frame, &names, &detailed, Timestamp::now()),
            serial: &device.unique_serial,
            question,
            version: detailed.version.to_string(),
            once: once::draw()?,
            is_revoked: device.revoked,
            is_outdated: status == StatusCode::CONFLICT,
        },
    )?)
}
