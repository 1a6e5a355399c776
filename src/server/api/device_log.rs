//! `GET …/devices/{device_id}/log/`: what was done to a device, and by whom.

use super::authentication::Team;
use super::devices;
use super::endpoint::Call;
use super::pages::{Length, Wanted};
use super::problem::Problem;
use super::reply::Answer;
use crate::server::store::StoreError;
use crate::wire;

pub(super) async fn page(call: Call<Team>) -> Result<Answer, Problem> {
    let device_id = devices::plain_number(&call)?;
    let wanted = Wanted::read(&call.request);
    let organizer = call.caller.caller.organizer.id;
    let store = &call.api.store;
    let gone = |error| match error {
        StoreError::Unknown { .. } => devices::NO_DEVICE,
        error => error.into(),
    };
    let count = store
        .log_page(organizer, device_id, 0, 0)
        .await
        .map_err(gone)?
        .count;
    let found = wanted.find(Length::Exactly(count))?;
    let log = store.log_page(organizer, device_id, found.skip, wanted.size);
    let log = log.await.map_err(gone)?;
    Answer::ok(&wire::Page {
        count,
        next: found.next(&call.api, &call.request),
        previous: found.previous(&call.api, &call.request),
        results: log.entries,
    })
}
