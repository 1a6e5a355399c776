//! The devices resource of an organizer.

use std::sync::Arc;

use hyper::{Method, StatusCode};

use super::Api;
use super::authentication::{Team, authorize_team};
use super::endpoint::{Answer, Endpoint};
use super::pages::Wanted;
use super::problem::Problem;
use super::python;
use super::request::Request;
use super::validation::{Checked, Extent, check};
use crate::server::store::{Actor, StoreError};
use crate::wire::{self, Device, fields};

/// `/api/v1/organizers/{organizer}/devices/`
pub(super) static LIST: Endpoint = Endpoint {
    name: "Device List",
    allow: "GET, POST, HEAD, OPTIONS",
    challenge: Some("Token"),
};

/// `/api/v1/organizers/{organizer}/devices/{device_id}/`
pub(super) static ONE: Endpoint = Endpoint {
    name: "Device Instance",
    allow: "GET, PUT, PATCH, HEAD, OPTIONS",
    challenge: Some("Token"),
};

const NO_DEVICE: Problem = Problem::NotFound("No Device matches the given query.");

pub(super) async fn list(api: Arc<Api>, request: Request) -> Result<Answer, Problem> {
    let team = authorize_team(&api, &request, request.param(0)).await?;
    match request.method {
        Method::GET | Method::HEAD => page(&api, &request, &team).await,
        Method::POST => create(&api, &request, &team).await,
        Method::OPTIONS if team.may_write => Ok(LIST.describe(&[("POST", &fields::DEVICE)])),
        Method::OPTIONS => Ok(LIST.describe(&[])),
        _ => Err(Problem::Method(request.method)),
    }
}

async fn page(api: &Api, request: &Request, team: &Team) -> Result<Answer, Problem> {
    let wanted = Wanted::read(request);
    let organizer = team.caller.organizer.id;
    let count = api.store.device_count(organizer).await?;
    let found = wanted.find(count)?;
    let devices = api
        .store
        .devices(organizer, found.skip, wanted.size)
        .await?;
    let devices = devices.into_iter();
    Answer::ok(&wire::Page {
        count,
        next: found.next(api, request),
        previous: found.previous(api, request),
        results: devices
            .map(|device| visible(device, team.may_write))
            .collect(),
    })
}

async fn create(api: &Api, request: &Request, team: &Team) -> Result<Answer, Problem> {
    let checked = check(&fields::DEVICE, &request.body().await?, Extent::Whole)?;
    let device = with_known_events(api, team, checked).await?.finish()?;
    let render = |device: &Device| Answer::new(StatusCode::CREATED, device);
    let created = api
        .store
        .create_device(
            Actor::Team(team.caller.token),
            team.caller.organizer.id,
            device,
            request.terms(&LIST, render),
        )
        .await?;
    render(&created)
}

pub(super) async fn one(api: Arc<Api>, request: Request) -> Result<Answer, Problem> {
    let team = authorize_team(&api, &request, request.param(0)).await?;
    match request.method {
        Method::GET | Method::HEAD => {
            let device = find(&api, &request, &team).await?;
            Answer::ok(&visible(device, team.may_write))
        }
        Method::PUT => change(&api, &request, &team, Extent::Whole).await,
        Method::PATCH => change(&api, &request, &team, Extent::Part).await,
        Method::OPTIONS => {
            let may_change = team.may_write && find(&api, &request, &team).await.is_ok();
            let put: &[(&str, &[fields::Field])] = &[("PUT", &fields::DEVICE)];
            Ok(ONE.describe(if may_change { put } else { &[] }))
        }
        _ => Err(Problem::Method(request.method)),
    }
}

async fn change(
    api: &Api,
    request: &Request,
    team: &Team,
    extent: Extent,
) -> Result<Answer, Problem> {
    let device_id = find(api, request, team).await?.device_id;
    let checked = check(&fields::DEVICE, &request.body().await?, extent)?;
    let change = with_known_events(api, team, checked).await?.finish()?;
    let may_read = team.may_write;
    let render = move |device: &Device| Answer::ok(&visible(device.clone(), may_read));
    let changed = api
        .store
        .change_device(
            Actor::Team(team.caller.token),
            team.caller.organizer.id,
            device_id,
            change,
            request.terms(&ONE, render),
        )
        .await;
    match changed {
        Ok(device) => render(&device),
        Err(StoreError::Unknown { .. }) => Err(NO_DEVICE),
        Err(error) => Err(error.into()),
    }
}

/// The device that the path names.
async fn find(api: &Api, request: &Request, team: &Team) -> Result<Device, Problem> {
    let number = python::integer(request.param(1)).ok_or(Problem::NotFound("Not found."))?;
    let Ok(device_id) = u64::try_from(number) else {
        return Err(NO_DEVICE);
    };
    let organizer = team.caller.organizer.id;
    let device = api.store.device(organizer, device_id).await?;
    device.ok_or(NO_DEVICE)
}

/// Refuses a list of events that the organizer does not have.
async fn with_known_events(
    api: &Api,
    team: &Team,
    mut checked: Checked,
) -> Result<Checked, Problem> {
    const FIELD: &str = "limit_events";
    let slugs = checked.slugs(FIELD);
    if !slugs.is_empty() {
        let organizer = team.caller.organizer.id;
        if let Some(slug) = api.store.unknown_event(organizer, &slugs).await? {
            checked.refuse(FIELD, format!("Object with slug={slug} does not exist."));
        }
    }
    Ok(checked)
}

/// Only writers see the initialization token.
fn visible(device: Device, to_writer: bool) -> Device {
    Device {
        initialization_token: device.initialization_token.filter(|_| to_writer),
        ..device
    }
}
