//! The form that makes a device.

use askama::Template;
use axum::response::Response;
use hyper::StatusCode;

use crate::server::api::{FieldErrors, FieldFault};
use crate::server::model::Expected;
use crate::server::store::Actor;
use crate::server::web::device_form::DeviceForm;
use crate::server::web::fault::Fault;
use crate::server::web::frame::Frame;
use crate::server::web::html;
use crate::server::web::namesakes::{Namesakes, Notice};
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
    /// The devices that are called so already.
    there: Option<Notice>,
}

/// `GET /connect`.
pub(in crate::server::web) async fn ask(visit: Visit) -> Result<Response, Fault> {
    let choices = visit.state.store.choices(visit.organizer()?).await?;
    Ok(html::ok(&Form {
        frame: &visit.frame,
        form: DeviceForm::empty(&visit.frame, &choices),
        once: once::draw()?,
        there: None,
    })?)
}

/// `POST /connect`.
pub(in crate::server::web) async fn create(visit: Visit) -> Result<Response, Fault> {
    let once = Once::of(&visit)?;
    if let Some(response) = once.before(&visit).await? {
        return Ok(response);
    }
    let new = match sent_device::read(&visit).await? {
        // It could scan nothing, and nobody would know why.
        Ok(new) if !new.all_events && new.limit_events.is_empty() => {
            let errors = FieldErrors::one("limit_events", FieldFault::Required);
            return ask_again(&visit, &errors, None).await;
        }
        Ok(new) => new,
        Err(errors) => return ask_again(&visit, &errors, None).await,
    };
    let new = vec![new];
    let there = Namesakes::of(&visit, &new).await?;
    if !there.are_known(&visit) {
        // Of two that come at once, the later one finds what the first has made.
        if let Some(response) = once.before(&visit).await? {
            return Ok(response);
        }
        let frame = &visit.frame;
        let [words, going_on] =
            ["connect:there", "connect:make_namesake"].map(|name| frame.say(name).to_owned());
        let there = there.notice(frame, &new, words, going_on);
        return ask_again(&visit, &FieldErrors::default(), Some(there)).await;
    }
    let own = visit.frame.to("/devices");
    let leads_to = move |made: &Vec<Device>| {
        let number = made.last().map_or(0, |device| device.device_id);
        format!("{own}/{number}/connect")
    };
    let caller = &visit.who()?.session.caller;
    let made = visit.state.store.create_devices(
        Actor::Team(caller.token),
        caller.organizer.id,
        new,
        once.terms(&visit, Expected::default(), leads_to.clone()),
    );
    match made.await {
        Ok(made) => Ok(html::see_other(&leads_to(&made))?),
        Err(error) => Once::meanwhile(&visit, error).await,
    }
}

/// Asks again, for what is wrong, or whether another is to be called as those that are there.
async fn ask_again(
    visit: &Visit,
    errors: &FieldErrors,
    there: Option<Notice>,
) -> Result<Response, Fault> {
    let choices = visit.state.store.choices(visit.organizer()?).await?;
    let status = there
        .as_ref()
        .map_or(html::REFUSED, |_| StatusCode::CONFLICT);
    let form = Form {
        frame: &visit.frame,
        form: DeviceForm::sent(&visit.frame, &choices, &visit.form, errors),
        once: once::draw()?,
        there,
    };
    Ok(html::page(status, &form)?)
}
