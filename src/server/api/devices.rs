//! The devices resource of an organizer.

use std::borrow::Cow;

use hyper::StatusCode;

use super::authentication::Team;
use super::endpoint::Call;
use super::pages::Wanted;
use super::problem::Problem;
use super::python;
use super::reply::Answer;
use super::validation::Checked;
use crate::server::store::{Actor, StoreError};
use crate::wire::{self, Device};

/// Bytes that hold most devices as JSON.
const USUAL_LENGTH: usize = 768;

const NO_DEVICE: Problem = Problem::NotFound("No Device matches the given query.");

pub(super) async fn page(call: Call<Team>) -> Result<Answer, Problem> {
    let Call {
        api,
        request,
        caller: team,
        ..
    } = call;
    let wanted = Wanted::read(&request);
    let organizer = team.caller.organizer.id;
    let count = api.store.device_count(organizer).await?;
    let found = wanted.find(count)?;
    let devices = api
        .store
        .devices(organizer, found.skip, wanted.size)
        .await?;
    let results: Vec<_> = devices
        .iter()
        .map(|device| visible(Cow::Borrowed(device), team.may_write))
        .collect();
    let length = (results.len() + 1) * USUAL_LENGTH;
    let page = wire::Page {
        count,
        next: found.next(&api, &request),
        previous: found.previous(&api, &request),
        results,
    };
    Answer::long(&page, length)
}

pub(super) async fn create(call: Call<Team>) -> Result<Answer, Problem> {
    let checked = call.checked().await?;
    let device = with_known_events(&call, checked).await?.finish()?;
    let render = |device: &Device| Answer::new(StatusCode::CREATED, device);
    let team = &call.caller.caller;
    let created = call
        .api
        .store
        .create_device(
            Actor::Team(team.token),
            team.organizer.id,
            device,
            call.terms(render),
        )
        .await?;
    render(&created)
}

/// Whether the caller may make devices.
pub(super) async fn may_create(call: Call<Team>) -> bool {
    call.caller.may_write
}

pub(super) async fn show(call: Call<Team>) -> Result<Answer, Problem> {
    let device_id = number(&call).await?;
    let organizer = call.caller.caller.organizer.id;
    let device = call.api.store.device(organizer, device_id).await?;
    let device = device.ok_or(NO_DEVICE)?;
    Answer::ok(&visible(Cow::Owned(device), call.caller.may_write))
}

pub(super) async fn change(call: Call<Team>) -> Result<Answer, Problem> {
    let device_id = number(&call).await?;
    let checked = call.checked().await?;
    let change = with_known_events(&call, checked).await?.finish()?;
    let may_read = call.caller.may_write;
    let render = move |device: &Device| Answer::ok(&visible(Cow::Borrowed(device), may_read));
    let team = &call.caller.caller;
    let changed = call
        .api
        .store
        .change_device(
            Actor::Team(team.token),
            team.organizer.id,
            device_id,
            change,
            call.terms(render),
        )
        .await;
    match changed {
        Ok(device) => render(&device),
        Err(StoreError::Unknown { .. }) => Err(NO_DEVICE),
        Err(error) => Err(error.into()),
    }
}

/// Whether there is such a device, and the caller may change it.
pub(super) async fn may_change(call: Call<Team>) -> bool {
    call.caller.may_write && number(&call).await.is_ok()
}

/// The number in the path, if there is such a device.
async fn number(call: &Call<Team>) -> Result<u64, Problem> {
    let number = python::integer(call.request.param(1)).ok_or(Problem::NotFound("Not found."))?;
    let number = u64::try_from(number).map_err(|_| NO_DEVICE)?;
    let organizer = call.caller.caller.organizer.id;
    match call.api.store.has_device(organizer, number).await? {
        true => Ok(number),
        false => Err(NO_DEVICE),
    }
}

/// Refuses a list of events that the organizer does not have.
async fn with_known_events(call: &Call<Team>, mut checked: Checked) -> Result<Checked, Problem> {
    const FIELD: &str = "limit_events";
    let slugs = checked.slugs(FIELD);
    if !slugs.is_empty() {
        let organizer = call.caller.caller.organizer.id;
        if let Some(slug) = call.api.store.unknown_event(organizer, &slugs).await? {
            checked.refuse(FIELD, format!("Object with slug={slug} does not exist."));
        }
    }
    Ok(checked)
}

/// Only writers see the initialization token.
fn visible(mut device: Cow<'_, Device>, to_writer: bool) -> Cow<'_, Device> {
    if !to_writer {
        device.to_mut().initialization_token = None;
    }
    device
}
