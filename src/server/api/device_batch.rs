//! `…/devices/batch/`: many devices made or changed by one call, all or none.

use std::collections::HashMap;

use hyper::StatusCode;
use serde::Serialize;
use serde_json::value::RawValue;

use super::authentication::Team;
use super::body::{Body, Input};
use super::endpoint::Call;
use super::entity_tags;
use super::field_errors::{FieldErrors, FieldFault};
use super::filters;
use super::known_names::{no_gate, refuse_unknown};
use super::problem::Problem;
use super::reply::Answer;
use super::validation::{Extent, boolean, check};
use crate::server::model::{
    BATCH_LIMIT, BatchPlan, BatchRefusal, BatchSetting, DeviceFilter, NewDevice, PlannedChange,
};
use crate::server::store::{Actor, BatchOutcome, StoreError};
use crate::wire::{Device, fields};

const DEVICES: &str = "devices";
const FILTER: &str = "filter";
const SET: &str = "set";
const DRY_RUN: &str = "dry_run";
const NON_FIELD: &str = "non_field_errors";
const GATE: &str = "gate";

pub(super) async fn create(call: Call<Team>) -> Result<Answer, Problem> {
    let mut sent = object(&call).await?;
    let devices = sent.remove(DEVICES);
    let Some(Input::List(items)) = devices.as_deref().map(Input::of) else {
        return refuse(DEVICES, "Expected a list of devices.");
    };
    match items.len() {
        0 => return refuse(DEVICES, "This list may not be empty."),
        1..=BATCH_LIMIT => {}
        _ => return refuse(DEVICES, too_many()),
    }
    let mut entries = Vec::with_capacity(items.len());
    for item in items {
        entries.push(
            match check(&fields::BATCH_DEVICE, &Body::of(item)?, Extent::Whole) {
                Ok(checked) => Ok(checked),
                Err(Problem::Fields(errors)) => Err(errors),
                Err(problem) => return Err(problem),
            },
        );
    }
    refuse_unknown(
        &*call.api.store,
        call.caller.caller.organizer.id,
        entries.iter_mut().filter_map(|entry| entry.as_mut().ok()),
    )
    .await?;
    let (mut devices, mut errors) = (Vec::new(), Vec::new());
    for entry in entries {
        let device = match entry {
            Ok(checked) => checked.finish::<NewDevice>(),
            Err(errors) => Err(Problem::Fields(errors)),
        };
        errors.push(match device {
            Ok(device) => {
                devices.push(device);
                FieldErrors::default()
            }
            Err(Problem::Fields(errors)) => errors,
            Err(problem) => return Err(problem),
        });
    }
    if errors.iter().any(|errors| !errors.is_empty()) {
        return Err(Problem::Entries(DEVICES, errors));
    }
    let render = |created: &Vec<Device>| {
        let created = Created {
            count: created.len(),
            results: created,
        };
        Answer::new(StatusCode::CREATED, &created)
    };
    let team = &call.caller.caller;
    let created = call.api.store.create_devices(
        Actor::Team(team.token),
        team.organizer.id,
        devices,
        call.terms(render),
    );
    render(&created.await?)
}

/// Devices that were made, as they are told.
#[derive(Serialize)]
struct Created<'d> {
    count: usize,
    results: &'d [Device],
}

/// What is to be done with which devices.
struct Order {
    filter: DeviceFilter,
    setting: BatchSetting,
    dry_run: bool,
}

pub(super) async fn change(call: Call<Team>) -> Result<Answer, Problem> {
    let Order {
        filter,
        setting,
        dry_run,
    } = read(&call).await?;
    let team = &call.caller.caller;
    let organizer = team.organizer.id;
    let render = move |outcome: &BatchOutcome| match outcome {
        Ok(plan) => told(plan, dry_run),
        Err(refusal) => Err(refused(refusal)),
    };
    let outcome = match dry_run {
        true => {
            if let Some(idempotent) = &call.request.idempotent {
                idempotent.keep_nothing();
            }
            call.api
                .store
                .plan_batch(organizer, &filter, &setting)
                .await
        }
        false => {
            let mut terms = call.terms(render);
            terms.expected = entity_tags::expected(&call.request)?;
            if terms.expected.is_anything() {
                return Err(Problem::Unconditional(
                    "Ask with dry_run first, and send the ETag of its answer as If-Match.",
                ));
            }
            let actor = Actor::Team(team.token);
            let changed = call
                .api
                .store
                .change_batch(actor, organizer, filter, setting, terms);
            changed.await
        }
    };
    match outcome {
        Ok(outcome) => render(&outcome),
        Err(StoreError::Unknown { kind: GATE, name }) => {
            let fault = no_gate(&*call.api.store, organizer, name).await?;
            refuse(FILTER, format!("gate: {fault}"))
        }
        Err(StoreError::Unknown {
            kind: "event",
            name,
        }) => refuse(FILTER, format!("event: {}", FieldFault::NoEvent(name))),
        Err(error) => Err(error.into()),
    }
}

async fn read(call: &Call<Team>) -> Result<Order, Problem> {
    let mut sent = object(call).await?;
    let (devices, filter) = (sent.remove(DEVICES), sent.remove(FILTER));
    let (set, dry_run) = (sent.remove(SET), sent.remove(DRY_RUN));
    if let Some(name) = sent.into_keys().min() {
        return refuse(NON_FIELD, format!("There is no field {name:?} in a batch."));
    }
    let dry_run = match dry_run.as_deref().map(Input::of) {
        None => false,
        Some(input) => match boolean(&input) {
            Some(dry_run) => dry_run,
            None => return refuse(DRY_RUN, "Must be a valid boolean."),
        },
    };
    let filter = match (devices, filter) {
        (Some(numbers), None) => DeviceFilter {
            numbers: Some(numbers_of(&numbers)?),
            ..DeviceFilter::default()
        },
        (None, Some(filter)) => match filters::in_body(&filter) {
            Ok(filter) => filter,
            Err(message) => return refuse(FILTER, message),
        },
        _ => return refuse(NON_FIELD, "Send either devices or filter."),
    };
    let Some(set) = set else {
        return refuse(SET, "This field is required.");
    };
    Ok(Order {
        filter,
        setting: setting(call, &set).await?,
        dry_run,
    })
}

fn numbers_of(raw: &RawValue) -> Result<Vec<u64>, Problem> {
    const WORDS: &str = "Expected a list of devices' numbers.";
    let Input::List(items) = Input::of(raw) else {
        return Err(Problem::Fields(FieldErrors::one(DEVICES, WORDS)));
    };
    if items.is_empty() || items.len() > BATCH_LIMIT {
        let message = match items.is_empty() {
            true => "This list may not be empty.".to_owned(),
            false => too_many(),
        };
        return Err(Problem::Fields(FieldErrors::one(DEVICES, message)));
    }
    let numbers = items.into_iter().map(|item| match Input::of(item) {
        Input::Number(raw) => raw.parse().ok(),
        _ => None,
    });
    let numbers: Option<Vec<u64>> = numbers.collect();
    numbers.ok_or_else(|| Problem::Fields(FieldErrors::one(DEVICES, WORDS)))
}

async fn setting(call: &Call<Team>, raw: &RawValue) -> Result<BatchSetting, Problem> {
    let body = Body::of(raw)?;
    if let Body::Object(sent) = &body {
        let known = |name: &String| fields::BATCH_CHANGE.iter().any(|field| field.name == name);
        if let Some(name) = sent.keys().filter(|name| !known(name)).min() {
            let names: Vec<&str> = fields::BATCH_CHANGE
                .iter()
                .map(|field| field.name)
                .collect();
            let names = names.join(", ");
            return refuse(SET, format!("{name:?} can't be set. There are {names}."));
        }
        if sent.is_empty() {
            return refuse(SET, "Nothing is to be set.");
        }
    }
    let checked = check(&fields::BATCH_CHANGE, &body, Extent::Part);
    let mut checked = checked.map_err(|problem| match problem {
        Problem::Fields(errors) => Problem::Fields(errors.within(SET)),
        problem => problem,
    })?;
    let organizer = call.caller.caller.organizer.id;
    refuse_unknown(&*call.api.store, organizer, std::iter::once(&mut checked)).await?;
    let setting: BatchSetting = checked.finish().map_err(|problem| match problem {
        Problem::Fields(errors) => Problem::Fields(errors.within(SET)),
        problem => problem,
    })?;
    match setting.revoked {
        Some(false) => refuse(SET, "revoked: A revocation can't be taken back."),
        _ => Ok(setting),
    }
}

/// A plan as it is told.
#[derive(Serialize)]
struct Told<'p> {
    dry_run: bool,
    /// Devices that are meant.
    count: usize,
    /// Those of which something changes.
    changed: usize,
    devices: &'p [PlannedChange],
}

fn told(plan: &BatchPlan, dry_run: bool) -> Result<Answer, Problem> {
    let devices = &plan.devices;
    let changed = devices.iter().filter(|device| !device.changes.is_empty());
    let answer = Answer::ok(&Told {
        dry_run,
        count: devices.len(),
        changed: changed.count(),
        devices,
    })?;
    Ok(match dry_run {
        true => answer.with("etag", entity_tags::tag(&plan.version)),
        false => answer,
    })
}

fn refused(refusal: &BatchRefusal) -> Problem {
    let (field, message) = match refusal {
        BatchRefusal::Outdated => return Problem::Outdated,
        BatchRefusal::TooMany => (NON_FIELD, too_many()),
        BatchRefusal::NoDevices(numbers) => {
            let shown: Vec<String> = numbers.iter().take(10).map(u64::to_string).collect();
            let more = if numbers.len() > shown.len() {
                " and more"
            } else {
                ""
            };
            (
                DEVICES,
                format!("There is no device {}{more}.", shown.join(", ")),
            )
        }
    };
    Problem::Fields(FieldErrors::one(field, message))
}

fn too_many() -> String {
    format!("More than {BATCH_LIMIT} devices are meant, and so nothing is done. Mean fewer.")
}

/// The fields of the body, which has to be a JSON object.
async fn object(call: &Call<Team>) -> Result<HashMap<String, Box<RawValue>>, Problem> {
    match call.request.body().await? {
        Body::Object(fields) => Ok(fields),
        Body::Form(_) => Err(Problem::MediaType("a form".to_owned())),
        Body::Null => refuse(NON_FIELD, "No data provided"),
        Body::Other(kind) => {
            let message = format!("Invalid data. Expected a dictionary, but got {kind}.");
            refuse(NON_FIELD, message)
        }
    }
}

fn refuse<T>(field: &'static str, message: impl Into<FieldFault>) -> Result<T, Problem> {
    Err(Problem::Fields(FieldErrors::one(field, message)))
}
