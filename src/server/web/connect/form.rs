//! The form that makes a device.

use askama::Template;
use axum::response::Response;
use hyper::StatusCode;

use crate::server::api::{FieldErrors, FieldFault};
use crate::server::model::Expected;
use crate::server::store::{Actor, StoreError};
use crate::server::web::device_form::DeviceForm;
use crate::server::web::fault::Fault;
use crate::server::web::frame::Frame;
use crate::server::web::html;
use crate::server::web::once::{self, Once};
use crate::server::web::sent_device;
use crate::server::web::visit::Visit;
use crate::wire::Device;

/// The form.
#[derive(Template)]
#[template(path = "connect_form.html")]
struct Form<'v> {
    frame: &'v Frame,
    form: DeviceForm,
    once: String,
}

/// `GET /connect`.
pub(in crate::server::web) async fn ask(visit: Visit) -> Result<Response, Fault> {
    let choices = visit.state.store.choices(visit.organizer()?).await?;
    Ok(html::ok(&Form {
        frame: &visit.frame,
        form: DeviceForm::empty(&visit.frame, &choices),
        once: once::draw()?,
    })?)
}

/// `POST /connect`.
pub(in crate::server::web) async fn create(visit: Visit) -> Result<Response, Fault> {
    let once = Once::of(&visit)?;
    if let Some(path) = once.before(&visit).await? {
        return Ok(html::see_other(&path)?);
    }
    let new = match sent_device::read(&visit).await? {
        // It could scan nothing, and nobody would know why.
        Ok(new) if !new.all_events && new.limit_events.is_empty() => {
            let errors = FieldErrors::one("limit_events", FieldFault::Required);
            return ask_again(&visit, &errors).await;
        }
        Ok(new) => new,
        Err(errors) => return ask_again(&visit, &errors).await,
    };
    let own = visit.frame.to("/devices");
    let leads_to = move |made: &Device| format!("{own}/{}/connect", made.device_id);
    let caller = &visit.who()?.session.caller;
    let made = visit.state.store.create_device(
        Actor::Team(caller.token),
        caller.organizer.id,
        new,
        once.terms(&visit, Expected::default(), leads_to.clone()),
    );
    match made.await {
        Ok(made) => Ok(html::see_other(&leads_to(&made))?),
        Err(StoreError::AlreadyKept) => match Once::of(&visit)?.before(&visit).await? {
            Some(path) => Ok(html::see_other(&path)?),
            None => Err(StoreError::AlreadyKept.into()),
        },
        Err(error) => Err(error.into()),
    }
}

async fn ask_again(visit: &Visit, errors: &FieldErrors) -> Result<Response, Fault> {
    let choices = visit.state.store.choices(visit.organizer()?).await?;
    let form = Form {
        frame: &visit.frame,
        form: DeviceForm::sent(&visit.frame, &choices, &visit.form, errors),
        once: once::draw()?,
    };
    Ok(html::page(StatusCode::BAD_REQUEST, &form)?)
}
