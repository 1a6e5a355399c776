//! Editing many devices: what is to be set, then what that changes of which, by the same plan as the API's, and only
//! then the change, if the plan is still the same.

use std::collections::HashMap;

use askama::Template;
use axum::response::Response;
use hyper::StatusCode;
use serde_json::Value;

use super::choice::{self, Choice};
use super::choice_names::ChoiceNames;
use super::facts;
use super::fault::Fault;
use super::field_words;
use super::frame::Frame;
use super::html;
use super::meant::Meant;
use super::once::{self, Once};
use super::texts;
use super::visit::Visit;
use crate::server::api::{Extent, FieldErrors, Problem, check, refuse_unknown};
use crate::server::model::{
    BATCH_LIMIT, BatchPlan, BatchRefusal, BatchSetting, DeviceFilter, Expected, Order, OrderBy,
    PlannedChange,
};
use crate::server::store::{Actor, BatchOutcome};
use crate::wire::fields;

/// What is to be set.
#[derive(Template)]
#[template(path = "edit_many.html")]
struct EditMany<'v> {
    frame: &'v Frame,
    meant: &'v Meant,
    found: String,
    gates: Vec<Choice>,
    events: Vec<Choice>,
    profiles: Vec<Choice>,
    refused: Option<String>,
}

/// What that changes.
#[derive(Template)]
#[template(path = "edit_many_plan.html")]
struct Planned<'v> {
    frame: &'v Frame,
    meant: &'v Meant,
    /// What was sent, to be sent again.
    sent: Vec<(&'static str, String)>,
    version: String,
    once: String,
    summary: String,
    changes: Vec<Change>,
    more: Option<String>,
    is_outdated: bool,
    /// What the button says where access ends for good.
    revokes: Option<String>,
}

/// What becomes of one device.
struct Change {
    number: u64,
    name: String,
    fields: Vec<FieldChange>,
}

/// What a field was and becomes.
struct FieldChange {
    name: &'static str,
    from: String,
    to: String,
}

/// Fields of the form besides those of the setting: what says which of these is meant.
const SET: &str = "set";

/// Devices whose changes are shown.
const SHOWN: usize = 200;

/// `GET /devices/edit`.
pub(super) async fn show(visit: Visit) -> Result<Response, Fault> {
    let meant = Meant::read(&visit)?;
    let refused = none_chosen(&visit, &meant);
    let status = refused.as_ref().map_or(StatusCode::OK, |_| html::REFUSED);
    ask(&visit, &meant, refused, status).await
}

/// `POST /devices/edit`: shows what would be done, or does it.
pub(super) async fn edit(visit: Visit) -> Result<Response, Fault> {
    let meant = Meant::read(&visit)?;
    if let Some(words) = none_chosen(&visit, &meant) {
        return ask(&visit, &meant, Some(words), html::REFUSED).await;
    }
    let setting = match setting(&visit).await? {
        Ok(setting) => setting,
        Err(words) => return ask(&visit, &meant, Some(words), html::REFUSED).await,
    };
    match visit.sent("version") {
        version if version.is_empty() => plan(&visit, &meant, &setting, StatusCode::OK).await,
        version => change(&visit, &meant, setting, version).await,
    }
}

fn none_chosen(visit: &Visit, meant: &Meant) -> Option<String> {
    meant
        .is_nothing()
        .then(|| visit.frame.say("many:none_chosen").to_owned())
}

/// Shows what would be done.
async fn plan(
    visit: &Visit,
    meant: &Meant,
    setting: &BatchSetting,
    status: StatusCode,
) -> Result<Response, Fault> {
    let store = &visit.state.store;
    let organizer = visit.organizer()?;
    match store.plan_batch(organizer, &meant.filter, setting).await? {
        Ok(plan) => tell(visit, meant, setting, &plan, status).await,
        Err(refusal) => refuse(visit, meant, &refusal).await,
    }
}

/// Does it, if it is what was shown.
async fn change(
    visit: &Visit,
    meant: &Meant,
    setting: BatchSetting,
    version: String,
) -> Result<Response, Fault> {
    let once = Once::of(visit)?;
    if let Some(response) = once.before(visit).await? {
        return Ok(response);
    }
    let (table, form) = (
        visit.frame.to(&meant.table),
        visit.frame.to("/devices/edit"),
    );
    let form = format!("{form}{}", meant.query);
    let leads_to = move |outcome: &BatchOutcome| match outcome {
        Ok(plan) => {
            let joint = if table.contains('?') { '&' } else { '?' };
            format!("{table}{joint}changed={}", changed_of(plan).count())
        }
        Err(_) => form.clone(),
    };
    let terms = once.terms(visit, Expected::one_of(vec![version]), leads_to.clone());
    let caller = &visit.who()?.session.caller;
    let changed = visit.state.store.change_batch(
        Actor::Team(caller.token),
        caller.organizer.id,
        meant.filter.clone(),
        setting.clone(),
        terms,
    );
    match changed.await {
        Ok(Ok(plan)) => Ok(html::see_other(&leads_to(&Ok(plan)))?),
        Ok(Err(BatchRefusal::Outdated)) => plan(visit, meant, &setting, StatusCode::CONFLICT).await,
        Ok(Err(refusal)) => refuse(visit, meant, &refusal).await,
        Err(error) => Once::meanwhile(visit, error).await,
    }
}

/// What is to be set: of each field only if its box says so, since a form can't leave one away.
async fn setting(visit: &Visit) -> Result<Result<BatchSetting, String>, Fault> {
    let frame = &visit.frame;
    let wanted = visit.form.texts(SET);
    let fields = fields::BATCH_CHANGE.iter().filter(|field| {
        let name = match field.name {
            // One box is for both.
            "limit_events" => "all_events",
            name => name,
        };
        wanted.iter().any(|wanted| wanted == name)
    });
    let fields: Vec<_> = fields.copied().collect();
    if fields.is_empty() {
        return Ok(Err(frame.say("many:nothing").to_owned()));
    }
    let mut checked = check(&fields, &visit.form, Extent::Whole)?;
    let organizer = visit.organizer()?;
    refuse_unknown(
        &*visit.state.store,
        organizer,
        std::iter::once(&mut checked),
    )
    .await?;
    match checked.finish() {
        Ok(setting) => Ok(Ok(setting)),
        Err(Problem::Fields(errors)) => Ok(Err(wrong(frame, &errors))),
        Err(problem) => Err(problem.into()),
    }
}

fn wrong(frame: &Frame, errors: &FieldErrors) -> String {
    let named = fields::BATCH_CHANGE.iter().filter_map(|field| {
        let words = field_words::of(frame, errors, field.name)?;
        Some(format!("{}: {words}", frame.say(label(field.name))))
    });
    named.collect::<Vec<_>>().join(" ")
}

/// The name of the text for a field.
fn label(field: &str) -> &'static str {
    match field {
        "gate" => "devices:gate",
        "all_events" => "device:all_events",
        "limit_events" => "devices:events",
        "security_profile" => "devices:profile",
        "revoked" => "standing:revoked",
        _ => "devices:standing",
    }
}

async fn ask(
    visit: &Visit,
    meant: &Meant,
    refused: Option<String>,
    status: StatusCode,
) -> Result<Response, Fault> {
    let (frame, store) = (&visit.frame, &visit.state.store);
    let organizer = visit.organizer()?;
    let choices = store.choices(organizer).await?;
    let sent = |name: &str| visit.form.text(name);
    let found = match &meant.filter.numbers {
        Some(numbers) => texts::count(
            frame.language,
            "devices:one",
            "devices:many",
            numbers.len() as u64,
        ),
        None => {
            let counted = store.count_filtered(organizer, &meant.filter, OrderBy::Number);
            let counted = counted.await?;
            match counted.is_minimum {
                true => {
                    let count = texts::number(frame.language, counted.count);
                    frame.fill("devices:more_than", "count", count)
                }
                false => {
                    let language = frame.language;
                    texts::count(language, "devices:one", "devices:many", counted.count)
                }
            }
        }
    };
    Ok(html::page(
        status,
        &EditMany {
            frame,
            meant,
            found,
            gates: choice::gates(&choices, sent("gate").as_deref()),
            events: choice::events(
                &choices,
                frame.language.code(),
                &visit.form.texts("limit_events"),
            ),
            profiles: choice::profiles(sent("security_profile").as_deref()),
            refused,
        },
    )?)
}

async fn tell(
    visit: &Visit,
    meant: &Meant,
    setting: &BatchSetting,
    plan: &BatchPlan,
    status: StatusCode,
) -> Result<Response, Fault> {
    let frame = &visit.frame;
    let count = changed_of(plan).count() as u64;
    let more = count.saturating_sub(SHOWN as u64);
    let names = Names::read(visit, changed_of(plan).take(SHOWN)).await?;
    let summary = texts::count(frame.language, "many:one", "many:many", count);
    let sent = [
        SET,
        "gate",
        "all_events",
        "limit_events",
        "security_profile",
        "revoked",
    ];
    let sent = sent.into_iter().flat_map(|name| {
        let values = visit.form.texts(name).into_iter();
        values.map(move |value| (name, value))
    });
    Ok(html::page(
        status,
        &Planned {
            frame,
            meant,
            sent: sent.collect(),
            version: plan.version.to_string(),
            once: once::draw()?,
            summary: summary.replace(
                "{all}",
                &texts::number(frame.language, plan.devices.len() as u64),
            ),
            changes: changed_of(plan)
                .take(SHOWN)
                .map(|device| shown(frame, device, &names))
                .collect(),
            more: (more > 0).then(|| {
                let more = texts::number(frame.language, more);
                frame.fill("many:more", "count", more)
            }),
            is_outdated: status == StatusCode::CONFLICT,
            revokes: (setting.revoked == Some(true)).then(|| {
                texts::count(frame.language, "many:revoke_one", "many:revoke_many", count)
            }),
        },
    )?)
}

/// The devices of which something changes.
fn changed_of(plan: &BatchPlan) -> impl Iterator<Item = &PlannedChange> {
    let devices = plan.devices.iter();
    devices.filter(|device| !device.changes.is_empty())
}

/// What the devices of a plan, and what they are given, are called.
struct Names {
    devices: HashMap<u64, String>,
    choices: ChoiceNames,
}

impl Names {
    async fn read(
        visit: &Visit,
        planned: impl Iterator<Item = &PlannedChange>,
    ) -> Result<Self, Fault> {
        let filter = DeviceFilter {
            numbers: Some(planned.map(|device| device.device_id).collect()),
            ..DeviceFilter::default()
        };
        let by_number = Order {
            by: OrderBy::Number,
            descending: false,
        };
        let (store, organizer) = (&visit.state.store, visit.organizer()?);
        let devices = store.filtered_devices(organizer, &filter, by_number, 0, SHOWN as u64);
        let devices = devices.await?.into_iter().map(|found| found.device);
        Ok(Self {
            devices: devices
                .map(|device| (device.device_id, device.name))
                .collect(),
            choices: ChoiceNames::read(visit).await?,
        })
    }
}

fn shown(frame: &Frame, planned: &PlannedChange, names: &Names) -> Change {
    let fields = planned.changes.iter().map(|(field, change)| {
        let value = |of: &str| {
            let value = change.get(of).unwrap_or(&Value::Null);
            let words = match names.choices.in_words(field, value) {
                Some(words) => words,
                None => {
                    let fact = facts::of(frame.language, value).into_iter().next();
                    fact.map_or_else(String::new, |fact| fact.value)
                }
            };
            match words.is_empty() {
                true => frame.say("many:none").to_owned(),
                false => words,
            }
        };
        FieldChange {
            name: frame.say(label(field)),
            from: value("from"),
            to: value("to"),
        }
    });
    Change {
        number: planned.device_id,
        name: names
            .devices
            .get(&planned.device_id)
            .cloned()
            .unwrap_or_default(),
        fields: fields.collect(),
    }
}

async fn refuse(visit: &Visit, meant: &Meant, refusal: &BatchRefusal) -> Result<Response, Fault> {
    let frame = &visit.frame;
    let words = match refusal {
        BatchRefusal::TooMany => {
            let limit = texts::number(frame.language, BATCH_LIMIT as u64);
            frame.fill("many:too_many", "limit", limit)
        }
        BatchRefusal::NoDevices(_) => frame.say("many:no_devices").to_owned(),
        BatchRefusal::Outdated => frame.say("many:outdated").to_owned(),
    };
    ask(visit, meant, Some(words), html::REFUSED).await
}
