//! Revoking one device, once its name was confirmed.

use askama::Template;
use axum::response::Response;
use hyper::StatusCode;
use jiff::Timestamp;

use super::fault::Fault;
use super::found_device::{find, number};
use super::frame::Frame;
use super::html;
use super::row::Row;
use super::texts::named;
use super::visit::Visit;
use crate::server::model::{DetailedDevice, Expected};
use crate::server::store::{Actor, StoreError, Terms};

/// The question.
#[derive(Template)]
#[template(path = "revoke.html")]
struct Revoke<'v> {
    frame: &'v Frame,
    row: Row,
    serial: &'v str,
    question: String,
    version: String,
    /// Whether another has changed the device since it was asked before.
    is_outdated: bool,
}

/// `GET /devices/{number}/revoke`.
pub(super) async fn show(visit: Visit) -> Result<Response, Fault> {
    ask(&visit, &find(&visit).await?, StatusCode::OK)
}

/// `POST /devices/{number}/revoke`. A second one changes nothing more.
pub(super) async fn revoke(visit: Visit) -> Result<Response, Fault> {
    let number = number(&visit)?;
    let caller = &visit.who()?.session.caller;
    let revoked = visit.state.store.end_access(
        Actor::Team(caller.token),
        caller.organizer.id,
        number,
        Terms {
            decision: visit.decision.clone(),
            expected: Expected::one_of(vec![visit.sent("version")]),
            keep: None,
        },
    );
    let to_device = || html::see_other(&visit.frame.to(&format!("/devices/{number}")));
    match revoked.await {
        Ok(_) => Ok(to_device()?),
        Err(StoreError::Outdated) => {
            let detailed = find(&visit).await?;
            match detailed.device.revoked {
                true => Ok(to_device()?),
                false => ask(&visit, &detailed, StatusCode::CONFLICT),
            }
        }
        Err(error) => Err(error.into()),
    }
}

fn ask(visit: &Visit, detailed: &DetailedDevice, status: StatusCode) -> Result<Response, Fault> {
    let (frame, device) = (&visit.frame, &detailed.device);
    let question = frame.fill("revoke:question", "name", named(&device.name));
    Ok(html::page(
        status,
        &Revoke {
            frame,
            row: Row::of(frame, detailed, Timestamp::now()),
            serial: &device.unique_serial,
            question,
            version: detailed.version.to_string(),
            is_outdated: status == StatusCode::CONFLICT,
        },
    )?)
}
