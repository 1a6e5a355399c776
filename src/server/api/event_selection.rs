//! `GET /api/v1/device/eventselection`: what a device should scan for now.

use std::sync::Arc;

use hyper::{Method, StatusCode};
use jiff::Timestamp;
use serde_json::json;

use super::Api;
use super::authentication::authorize_device;
use super::endpoint::{Answer, Endpoint};
use super::problem::Problem;
use super::request::Request;
use crate::server::event_selection::{Current, Selection, select, why_nothing};

pub(super) static SELECTION: Endpoint = Endpoint {
    name: "Event Selection",
    allow: "GET, HEAD, OPTIONS",
    challenge: Some("Device"),
};

pub(super) async fn selection(api: Arc<Api>, request: Request) -> Result<Answer, Problem> {
    let caller = authorize_device(&api, &request).await?;
    match request.method {
        Method::GET | Method::HEAD => {}
        Method::OPTIONS => return Ok(SELECTION.describe(&[])),
        _ => return Err(Problem::Method(request.method)),
    }
    let [event, subevent, checkin_list] =
        ["current_event", "current_subevent", "current_checkinlist"]
            .map(|name| request.query(name));
    let device = caller.device.id;
    let held = match event {
        Some(slug) => api.store.event_beside(device, &slug).await?,
        None => None,
    };
    let current = Current::read(held.as_ref(), subevent.as_deref(), checkin_list.as_deref());
    let gate = caller.device.gate.as_ref().map(|gate| gate.id);
    let events = api.store.accessible_events(device).await?;
    let selection = select(Timestamp::now(), &events, gate, current);
    if matches!(selection, Selection::Nothing) {
        tracing::info!(
            organizer = caller.device.organizer.slug,
            device = caller.device.device_id,
            gate = caller.device.gate.as_ref().map(|gate| &*gate.identifier),
            why = why_nothing(&events, gate),
            "nothing to scan for"
        );
    }
    match selection {
        Selection::Suggest {
            event,
            subevent,
            checkin_list,
        } => Answer::ok(&json!({
            "event": {"slug": event.slug, "name": event.name},
            "subevent": subevent,
            "checkinlist": checkin_list,
        })),
        Selection::Keep => Ok(Answer::empty(StatusCode::NOT_MODIFIED)),
        Selection::Nothing => Ok(Answer::empty(StatusCode::NOT_FOUND)),
    }
}
