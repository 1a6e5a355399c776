//! Editing one device. Who edits what another has changed since the form was opened is told, and shown what it is now.

use askama::Template;
use axum::response::Response;
use hyper::StatusCode;
use jiff::Timestamp;

use super::choice_names::ChoiceNames;
use super::device_form::DeviceForm;
use super::fault::Fault;
use super::found_device::find;
use super::frame::Frame;
use super::html;
use super::once::{self, Once};
use super::row::Row;
use super::sent_device;
use super::visit::Visit;
use crate::server::api::FieldErrors;
use crate::server::model::{DetailedDevice, DeviceChange, Expected, NewDevice};
use crate::server::store::{Actor, Choices, StoreError};

/// The form.
#[derive(Template)]
#[template(path = "edit.html")]
struct Edit<'v> {
    frame: &'v Frame,
    /// The device as it is.
    row: Row,
    form: DeviceForm,
    /// As what it is known to who edits it.
    version: String,
    once: String,
    /// Whether another has changed it since.
    is_outdated: bool,
}

/// `GET /devices/{number}/edit`.
pub(super) async fn show(visit: Visit) -> Result<Response, Fault> {
    let detailed = find(&visit).await?;
    let choices = visit.state.store.choices(visit.organizer()?).await?;
    let form = DeviceForm::of(&visit.frame, &choices, &detailed);
    ask(&visit, &choices, &detailed, form, StatusCode::OK)
}

/// `POST /devices/{number}/edit`.
pub(super) async fn edit(visit: Visit) -> Result<Response, Fault> {
    let once = Once::of(&visit)?;
    if let Some(response) = once.before(&visit).await? {
        return Ok(response);
    }
    let detailed = find(&visit).await?;
    let new = match sent_device::read(&visit).await? {
        Ok(new) => new,
        Err(errors) => return ask_again(&visit, &detailed, &errors, html::REFUSED).await,
    };
    let number = detailed.device.device_id;
    let device = visit.frame.to(&format!("/devices/{number}"));
    let expected = Expected::one_of(vec![visit.sent("version")]);
    let terms = {
        let device = device.clone();
        once.terms(&visit, expected, move |_| device.clone())
    };
    let caller = &visit.who()?.session.caller;
    let changed = visit.state.store.change_device(
        Actor::Team(caller.token),
        caller.organizer.id,
        number,
        difference(&detailed, new),
        terms,
    );
    match changed.await {
        Ok(_) => Ok(html::see_other(&device)?),
        Err(error) => match Once::meanwhile(&visit, error).await {
            Err(Fault::Store(StoreError::Outdated)) => {
                let nothing_wrong = FieldErrors::default();
                let detailed = find(&visit).await?;
                ask_again(&visit, &detailed, &nothing_wrong, StatusCode::CONFLICT).await
            }
            told => told,
        },
    }
}

/// What of a device becomes another: the log names only that.
fn difference(detailed: &DetailedDevice, new: NewDevice) -> DeviceChange {
    let device = &detailed.device;
    let gate_before = detailed.gate.as_ref().map(|gate| gate.identifier.clone());
    let mut limit_events = new.limit_events;
    // Their order is that of the events, whoever names them.
    limit_events.sort();
    let mut before = device.limit_events.clone();
    before.sort();
    DeviceChange {
        name: (new.name != device.name).then_some(new.name),
        all_events: (new.all_events != device.all_events).then_some(new.all_events),
        limit_events: (limit_events != before).then_some(limit_events),
        security_profile: (new.security_profile != device.security_profile)
            .then_some(new.security_profile),
        gate: (new.gate != gate_before).then_some(new.gate),
    }
}

async fn ask_again(
    visit: &Visit,
    detailed: &DetailedDevice,
    errors: &FieldErrors,
    status: StatusCode,
) -> Result<Response, Fault> {
    let choices = visit.state.store.choices(visit.organizer()?).await?;
    let form = DeviceForm::sent(&visit.frame, &choices, &visit.form, errors);
    ask(visit, &choices, detailed, form, status)
}

fn ask(
    visit: &Visit,
    choices: &Choices,
    detailed: &DetailedDevice,
    form: DeviceForm,
    status: StatusCode,
) -> Result<Response, Fault> {
    let frame = &visit.frame;
    let is_outdated = status == StatusCode::CONFLICT;
    // Who only wrote something wrong goes on with what was known to them.
    let known = (form.is_refused()).then(|| visit.sent("version"));
    Ok(html::page(
        status,
        &Edit {
            frame,
            row: Row::of(
                frame,
                &ChoiceNames::of(frame, choices),
                detailed,
                Timestamp::now(),
            ),
            form,
            once: once::draw()?,
            version: known.unwrap_or_else(|| detailed.version.to_string()),
            is_outdated,
        },
    )?)
}
