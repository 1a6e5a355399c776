//! A fresh code for a device that is there already.

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
use crate::server::store::{Actor, Reconnection, StoreError};

/// The question.
#[derive(Template)]
#[template(path = "reconnect.html")]
struct Reconnect<'v> {
    frame: &'v Frame,
    row: Row,
    question: String,
    version: String,
    once: String,
    is_revoked: bool,
    /// Whether another has changed the device since it was asked before.
    is_outdated: bool,
}

/// `GET /devices/{number}/reconnect`.
pub(super) async fn show(visit: Visit) -> Result<Response, Fault> {
    ask(&visit, StatusCode::OK).await
}

/// `POST /devices/{number}/reconnect`.
pub(super) async fn reconnect(visit: Visit) -> Result<Response, Fault> {
    let number = number(&visit)?;
    let once = Once::of(&visit)?;
    if let Some(response) = once.before(&visit).await? {
        return Ok(response);
    }
    let own = visit.frame.to(&format!("/devices/{number}"));
    let leads_to = move |reconnection: &Reconnection| match reconnection {
        Ok(_) => format!("{own}/connect"),
        Err(_) => own.clone(),
    };
    let expected = Expected::one_of(vec![visit.sent("version")]);
    let terms = once.terms(&visit, expected, leads_to.clone());
    let caller = &visit.who()?.session.caller;
    let reconnection = visit.state.store.reconnect(
        Actor::Team(caller.token),
        caller.organizer.id,
        number,
        visit.sent("now") == "true",
        terms,
    );
    match reconnection.await {
        Ok(reconnection) => Ok(html::see_other(&leads_to(&reconnection))?),
        Err(error) => match Once::meanwhile(&visit, error).await {
            Err(Fault::Store(StoreError::Outdated)) => ask(&visit, StatusCode::CONFLICT).await,
            told => told,
        },
    }
}

async fn ask(visit: &Visit, status: StatusCode) -> Result<Response, Fault> {
    let (detailed, names) = (find(visit).await?, ChoiceNames::read(visit).await?);
    let (frame, device) = (&visit.frame, &detailed.device);
    let question = frame.fill("reconnect:question", "name", named(&device.name));
    Ok(html::page(
        status,
        &Reconnect {
            frame,
            row: Row::of(frame, &names, &detailed, Timestamp::now()),
            question,
            version: detailed.version.to_string(),
            once: once::draw()?,
            is_revoked: device.revoked,
            is_outdated: status == StatusCode::CONFLICT,
        },
    )?)
}
