//! The form that makes a device.

use askama::Template;
use axum::response::Response;
use hyper::StatusCode;

use crate::server::web::fault::Fault;
use crate::server::web::frame::Frame;
use crate::server::web::html;
use crate::server::web::once::{self, Once};
use crate::server::web::usual_fields::{UsualFields, for_store, unknown};
use crate::server::web::visit::Visit;
use crate::roster::NewDevice;
use crate::server::store::{Actor, StoreError};
use crate::wire::TEXT_LIMIT;
use crate::wire::fields::text;

/// The form.
#[derive(Template)]
#[template(path = "connect_form.html")]
struct Form<'f> {
    frame: &'f Frame,
    once: String,
    name: String,
    usual: UsualFields,
    /// What is to be put right.
    faults: Vec<String>,
}

/// `GET /connect`.
pub(in crate::server::web) async fn ask(visit: Visit) -> Result<Response, Fault> {
    let form = Form {
        frame: &visit.frame,
        once: once::mark()?,
        name: String::new(),
        usual: UsualFields::empty(&visit).await?,
        faults: Vec::new(),
    };
    Ok(html::ok(&form)?)
}

/// `POST /connect`.
pub(in crate::server::web) async fn create(visit: Visit) -> Result<Response, Fault> {
    let once = Once::of(&visit)?;
    let usual = UsualFields::sent(&visit).await?;
    let device = match device(&visit, &usual).await? {
        Ok(device) => device,
        Err(fault) => {
            let form = Form {
                frame: &visit.frame,
                once: visit.sent(once::FIELD),
                name: visit.sent("name"),
                usual,
                faults: vec![fault],
            };
            return Ok(html::page(StatusCode::BAD_REQUEST, &form)?);
        }
    };
    let organizer = visit.organizer()?;
    let actor = Actor::Team(visit.who()?.session.caller.token);
    let path = |number: u64| format!("/devices/{number}/connect");
    let terms = once.terms(move |made: &crate::wire::Device| path(made.device_id));
    let made = visit
        .state
        .store
        .create_device(actor, organizer, for_store(device), terms)
        .await;
    let path = match made {
        Ok(made) => path(made.device_id),
        Err(StoreError::AlreadyKept) => once.led(&visit).await?.ok_or(Fault::Unreadable)?,
        Err(error) => return Err(error.into()),
    };
    Ok(html::see_other(&visit.frame.to(&path))?)
}

/// The device that is asked for, or what is to be put right.
async fn device(visit: &Visit, usual: &UsualFields) -> Result<Result<NewDevice, String>, Fault> {
    let frame = &visit.frame;
    let name = visit.sent("name");
    let Ok(name) = text(&name, Some(TEXT_LIMIT)) else {
        return Ok(Err(frame.fill("connect:no_name", "limit", TEXT_LIMIT)));
    };
    let usual = match usual.usual(frame) {
        Ok(usual) => usual,
        Err(fault) => return Ok(Err(fault)),
    };
    let Some(events) = usual.events else {
        return Ok(Err(frame.say("usual:no_events").to_owned()));
    };
    let device = NewDevice {
        name: name.to_owned(),
        events,
        security_profile: usual.security_profile,
        gate: usual.gate,
    };
    let unknown = unknown(visit, std::slice::from_ref(&device)).await?;
    Ok(match unknown {
        Some((_, fault)) => Err(fault),
        None => Ok(device),
    })
}
