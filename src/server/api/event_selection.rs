//! `GET /api/v1/device/eventselection`: what a device should scan for now.

use hyper::StatusCode;
use jiff::Timestamp;
use serde_json::json;

use super::authentication::Device;
use super::endpoint::Call;
use super::problem::Problem;
use super::reply::Answer;
use crate::server::event_selection::{Current, Selection, select, why_nothing};

pub(super) async fn selection(call: Call<Device>) -> Result<Answer, Problem> {
    let Call {
        api,
        request,
        caller,
        ..
    } = call;
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
