//! The devices resource of an organizer.

use std::borrow::Cow;

use hyper::{Method, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};

use super::authentication::Team;
use super::endpoint::Call;
use super::entity_tags;
use super::expansion::{Expanded, Expansion};
use super::field_errors::{FieldErrors, FieldFault};
use super::filters::Listing;
use super::ignored_fields;
use super::known_names::no_gate;
use super::pages::{Length, Wanted};
use super::problem::Problem;
use super::python;
use super::reply::Answer;
use super::state::Api;
use super::validation::Checked;
use crate::server::model::{DetailedDevice, DeviceFilter, Order, OrderBy, VersionedDevice};
use crate::server::store::{Actor, NoReconnection, Reconnection, StoreError};
use crate::wire::{self, Device};

/// Bytes that hold most devices as JSON.
const USUAL_LENGTH: usize = 768;

pub(super) const NO_DEVICE: Problem = Problem::NotFound("No Device matches the given query.");

pub(super) async fn page(call: Call<Team>) -> Result<Answer, Problem> {
    let expansion = Expansion::read(&call.request)?;
    match (Listing::read(&call.request)?, expansion.is_none()) {
        (None, true) => page_of_all(call).await,
        (listing, _) => page_of(call, listing, expansion).await,
    }
}

async fn page_of_all(call: Call<Team>) -> Result<Answer, Problem> {
    let Call {
        api,
        request,
        caller: team,
        ..
    } = call;
    let wanted = Wanted::read(&request);
    let organizer = team.caller.organizer.id;
    let count = api.store.device_count(organizer).await?;
    let found = wanted.find(Length::Exactly(count))?;
    let devices = api
        .store
        .devices(organizer, found.skip, wanted.size)
        .await?;
    let results = devices.sent(team.may_write, |devices| {
        let devices = devices.iter();
        let results = devices.map(|device| visible(Cow::Borrowed(device), team.may_write));
        to_raw_value(&results.collect::<Vec<_>>())
    })?;
    let page = MadePage {
        count,
        next: found.next(&api, &request),
        previous: found.previous(&api, &request),
        results,
    };
    Answer::long(&page, results.get().len() + USUAL_LENGTH)
}

/// A [`wire::Page`] whose results were made before.
#[derive(Serialize)]
struct MadePage<'p> {
    count: u64,
    next: Option<String>,
    previous: Option<String>,
    results: &'p RawValue,
}

/// A page that tells whether its count is all there is.
#[derive(Serialize)]
struct CountedPage {
    #[serde(flatten)]
    page: wire::Page<Expanded>,
    count_is_minimum: bool,
}

async fn page_of(
    call: Call<Team>,
    listing: Option<Listing>,
    expansion: Expansion,
) -> Result<Answer, Problem> {
    let (api, request, team) = (&call.api, &call.request, &call.caller);
    let listing = listing.unwrap_or(Listing {
        filter: DeviceFilter::default(),
        order: Order {
            by: OrderBy::Number,
            descending: false,
        },
    });
    let Listing { filter, order } = &listing;
    let organizer = team.caller.organizer.id;
    let wanted = Wanted::read(request);
    // That of all devices is known without counting.
    let length = match filter.is_all() && order.by != OrderBy::LastSeen {
        true => Length::Exactly(api.store.device_count(organizer).await?),
        false => {
            let counted = api.store.count_filtered(organizer, filter, order.by).await;
            let counted = match counted {
                Ok(counted) => counted,
                Err(error) => return Err(filter_refused(api, organizer, error).await),
            };
            match counted.is_minimum {
                true => Length::AtLeast(counted.count),
                false => Length::Exactly(counted.count),
            }
        }
    };
    let mut found = wanted.find(length)?;
    // One more tells whether there is another page.
    let devices =
        api.store
            .filtered_devices(organizer, filter, *order, found.skip, wanted.size + 1);
    let mut devices = match devices.await {
        Ok(devices) => devices,
        Err(error) => return Err(filter_refused(api, organizer, error).await),
    };
    found.has_read(devices.len() as u64, wanted.size)?;
    devices.truncate(usize::try_from(wanted.size).unwrap_or(usize::MAX));
    let devices = devices.into_iter();
    let (count, count_is_minimum) = match length {
        Length::Exactly(count) => (count, false),
        Length::AtLeast(count) => (count, true),
    };
    Answer::ok(&CountedPage {
        page: wire::Page {
            count,
            next: found.next(api, request),
            previous: found.previous(api, request),
            results: devices
                .map(|device| expansion.of(visible_detailed(device, team.may_write)))
                .collect(),
        },
        count_is_minimum,
    })
}

async fn filter_refused(api: &Api, organizer: i64, error: StoreError) -> Problem {
    match error {
        StoreError::Unknown { kind: "gate", name } => {
            match no_gate(&*api.store, organizer, name).await {
                Ok(fault) => Problem::Fields(FieldErrors::one("gate", fault)),
                Err(error) => error.into(),
            }
        }
        StoreError::Unknown {
            kind: "event",
            name,
        } => Problem::Fields(FieldErrors::one("event", FieldFault::NoEvent(name))),
        error => error.into(),
    }
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
    let expansion = Expansion::read(&call.request)?;
    let may_write = call.caller.may_write;
    if expansion.is_none() {
        return told(&find(&call).await?, may_write);
    }
    let organizer = call.caller.caller.organizer.id;
    let detailed = call.api.store.detailed_device(organizer, number(&call)?);
    let detailed = detailed.await?.ok_or(NO_DEVICE)?;
    let tag = entity_tags::tag(&detailed.version);
    let answer = Answer::ok(&expansion.of(visible_detailed(detailed, may_write)))?;
    Ok(answer.with("etag", tag))
}

pub(super) async fn change(call: Call<Team>) -> Result<Answer, Problem> {
    let device_id = existing(&call, number(&call)?).await?;
    let body = call.request.body().await?;
    let ignored = match call.request.method {
        Method::PATCH => ignored_fields::named(call.fields, &body),
        _ => None,
    };
    let checked = call.check(&body)?;
    let change = with_known_events(&call, checked).await?.finish()?;
    let may_read = call.caller.may_write;
    let render = move |device: &VersionedDevice| {
        let answer = told(device, may_read)?;
        Ok(match &ignored {
            Some(names) => answer.with(ignored_fields::HEADER, names.clone()),
            None => answer,
        })
    };
    let team = &call.caller.caller;
    let mut terms = call.terms(render.clone());
    terms.expected = entity_tags::expected(&call.request)?;
    let changed = call
        .api
        .store
        .change_device(
            Actor::Team(team.token),
            team.organizer.id,
            device_id,
            change,
            terms,
        )
        .await;
    render(&changed.map_err(gone)?)
}

/// Whether there is such a device, and the caller may change it.
pub(super) async fn may_change(call: Call<Team>) -> bool {
    let number = number(&call);
    call.caller.may_write && matches!(number, Ok(number) if existing(&call, number).await.is_ok())
}

pub(super) async fn revoke(call: Call<Team>) -> Result<Answer, Problem> {
    let device_id = existing(&call, plain_number(&call)?).await?;
    let render = |device: &VersionedDevice| told(device, true);
    let team = &call.caller.caller;
    let mut terms = call.terms(render);
    terms.expected = entity_tags::expected(&call.request)?;
    let actor = Actor::Team(team.token);
    let revoked = call
        .api
        .store
        .end_access(actor, team.organizer.id, device_id, terms);
    render(&revoked.await.map_err(gone)?)
}

#[derive(Deserialize)]
struct ReconnectRequest {
    /// Whether the old key is to be refused at once.
    #[serde(default)]
    now: bool,
}

pub(super) async fn reconnect(call: Call<Team>) -> Result<Answer, Problem> {
    let device_id = existing(&call, plain_number(&call)?).await?;
    let ReconnectRequest { now } = call.checked().await?.finish()?;
    let render = |reconnection: &Reconnection| match reconnection {
        Ok(device) => told(device, true),
        Err(NoReconnection::Revoked) => Err(Problem::Fields(FieldErrors::one(
            "non_field_errors",
            "This device was revoked, which is for good. Make a new one.",
        ))),
    };
    let team = &call.caller.caller;
    let mut terms = call.terms(render);
    terms.expected = entity_tags::expected(&call.request)?;
    let actor = Actor::Team(team.token);
    let reconnection = call
        .api
        .store
        .reconnect(actor, team.organizer.id, device_id, now, terms);
    render(&reconnection.await.map_err(gone)?)
}

const NO_NUMBER: Problem = Problem::NotFound("Not found.");

/// The number in the path, as the reference reads it.
fn number(call: &Call<Team>) -> Result<u64, Problem> {
    let number = python::integer(call.request.param(1)).ok_or(NO_NUMBER)?;
    u64::try_from(number).map_err(|_| NO_DEVICE)
}

/// The number in a path that the reference has not: digits, and nothing else.
pub(super) fn plain_number(call: &Call<Team>) -> Result<u64, Problem> {
    let text = call.request.param(1);
    match text.bytes().all(|byte| byte.is_ascii_digit()) {
        // What is too large is no device's.
        true => text.parse().map_err(|_| NO_DEVICE),
        false => Err(NO_NUMBER),
    }
}

/// A number that was read, if there is such a device.
async fn existing(call: &Call<Team>, number: u64) -> Result<u64, Problem> {
    let organizer = call.caller.caller.organizer.id;
    match call.api.store.has_device(organizer, number).await? {
        true => Ok(number),
        false => Err(NO_DEVICE),
    }
}

/// The device that the path names.
async fn find(call: &Call<Team>) -> Result<VersionedDevice, Problem> {
    let organizer = call.caller.caller.organizer.id;
    let device = call.api.store.device(organizer, number(call)?).await?;
    device.ok_or(NO_DEVICE)
}

fn gone(error: StoreError) -> Problem {
    match error {
        StoreError::Unknown { .. } => NO_DEVICE,
        error => error.into(),
    }
}

/// Refuses a list of events that the organizer does not have.
async fn with_known_events(call: &Call<Team>, mut checked: Checked) -> Result<Checked, Problem> {
    const FIELD: &str = "limit_events";
    let slugs = checked.slugs(FIELD);
    if !slugs.is_empty() {
        let organizer = call.caller.caller.organizer.id;
        if let Some(slug) = call.api.store.unknown_event(organizer, &slugs).await? {
            checked.refuse(FIELD, FieldFault::NoEvent(slug));
        }
    }
    Ok(checked)
}

/// The device, with what tells it from what it is after a change.
fn told(found: &VersionedDevice, to_writer: bool) -> Result<Answer, Problem> {
    let answer = Answer::ok(&visible(Cow::Borrowed(&found.device), to_writer))?;
    Ok(answer.with("etag", entity_tags::tag(&found.version)))
}

/// Only writers see the initialization token.
fn visible(mut device: Cow<'_, Device>, to_writer: bool) -> Cow<'_, Device> {
    if !to_writer {
        device.to_mut().initialization_token = None;
    }
    device
}

fn visible_detailed(detailed: DetailedDevice, to_writer: bool) -> DetailedDevice {
    DetailedDevice {
        device: visible(Cow::Owned(detailed.device), to_writer).into_owned(),
        ..detailed
    }
}
