//! The form that makes many devices.

use askama::Template;
use axum::response::Response;
use hyper::StatusCode;

use super::usual;
use crate::roster::{
    self, NamePattern, NewDevice, NumberedError, PatternError, RosterError, numbered,
};
use crate::server::api::FieldErrors;
use crate::server::model::{self, BATCH_LIMIT, Expected};
use crate::server::store::Actor;
use crate::server::web::device_form::DeviceForm;
use crate::server::web::device_numbers::DeviceNumbers;
use crate::server::web::fault::Fault;
use crate::server::web::frame::Frame;
use crate::server::web::html;
use crate::server::web::namesakes::{Namesakes, Notice};
use crate::server::web::once::{self, Once};
use crate::server::web::texts::{self, named};
use crate::server::web::visit::Visit;
use crate::wire::{Device, SECURITY_PROFILES, TEXT_LIMIT};

/// Largest number that names begin with.
const FIRST_LIMIT: u64 = 1_000_000;

/// The form.
#[derive(Template)]
#[template(path = "many_form.html")]
struct Form<'v> {
    frame: &'v Frame,
    once: String,
    is_list: bool,
    pattern: String,
    count: String,
    first: String,
    list: String,
    /// What they have in common.
    form: DeviceForm,
    /// What is to be put right.
    fault: Option<String>,
    /// Some of the devices that are called so already.
    there: Option<Notice>,
}

/// `GET /connect/many`.
pub(in crate::server::web) async fn ask(visit: Visit) -> Result<Response, Fault> {
    let choices = visit.state.store.choices(visit.organizer()?).await?;
    Ok(html::ok(&Form {
        frame: &visit.frame,
        once: once::draw()?,
        is_list: false,
        pattern: "Lane {:02}".to_owned(),
        count: "10".to_owned(),
        first: "1".to_owned(),
        list: String::new(),
        form: DeviceForm::empty(&visit.frame, &choices),
        fault: None,
        there: None,
    })?)
}

/// `POST /connect/many`.
pub(in crate::server::web) async fn create(visit: Visit) -> Result<Response, Fault> {
    let once = Once::of(&visit)?;
    if let Some(response) = once.before(&visit).await? {
        return Ok(response);
    }
    let devices = match devices(&visit).await? {
        Ok(devices) => devices
            .into_iter()
            .map(usual::for_store)
            .collect::<Vec<_>>(),
        Err(fault) => return ask_again(&visit, Some(fault), None).await,
    };
    let there = Namesakes::of(&visit, &devices).await?;
    if !there.are_known(&visit) {
        // Of two that come at once, the later one finds what the first has made.
        if let Some(response) = once.before(&visit).await? {
            return Ok(response);
        }
        let there = notice(&visit.frame, &devices, &there);
        return ask_again(&visit, None, Some(there)).await;
    }
    let board = visit.frame.to("/devices/board");
    let known = there.numbers();
    // Of those that were there some may wait, too.
    let leads_to = move |made: &Vec<Device>| {
        let made = made.iter().map(|device| device.device_id);
        let numbers: DeviceNumbers = known.iter().chain(made).collect();
        format!("{board}?devices={numbers}")
    };
    let missing = there.missing(devices);
    if missing.is_empty() {
        return Ok(html::see_other(&leads_to(&Vec::new()))?);
    }
    let caller = &visit.who()?.session.caller;
    let made = visit.state.store.create_devices(
        Actor::Team(caller.token),
        caller.organizer.id,
        missing,
        once.terms(&visit, Expected::default(), leads_to.clone()),
    );
    match made.await {
        Ok(made) => Ok(html::see_other(&leads_to(&made))?),
        Err(error) => Once::meanwhile(&visit, error).await,
    }
}

/// Asks again, for what is to be put right, or whether those that are there are to be left as they are.
async fn ask_again(
    visit: &Visit,
    fault: Option<String>,
    there: Option<Notice>,
) -> Result<Response, Fault> {
    let status = there
        .as_ref()
        .map_or(html::REFUSED, |_| StatusCode::CONFLICT);
    let choices = visit.state.store.choices(visit.organizer()?).await?;
    let form = Form {
        frame: &visit.frame,
        once: once::draw()?,
        is_list: is_list(visit),
        pattern: visit.sent("pattern"),
        count: visit.sent("count"),
        first: visit.sent("first"),
        list: String::from_utf8_lossy(&list(visit)).into_owned(),
        form: DeviceForm::sent(&visit.frame, &choices, &visit.form, &FieldErrors::default()),
        fault,
        there,
    };
    Ok(html::page(status, &form)?)
}

/// How many are there, and what becomes of the form once its sender knows of them.
fn notice(frame: &Frame, new: &[model::NewDevice], there: &Namesakes) -> Notice {
    let language = frame.language;
    let some = texts::number(language, there.len() as u64);
    let all = texts::number(language, new.len() as u64);
    let words = frame.fill("new_many:there", "some", some);
    let going_on = match new.len().saturating_sub(there.len()) as u64 {
        0 => frame.say("new_many:show_board").to_owned(),
        missing => texts::count(
            language,
            "new_many:make_missing_one",
            "new_many:make_missing",
            missing,
        ),
    };
    there.notice(frame, new, words.replace("{all}", &all), going_on)
}

fn is_list(visit: &Visit) -> bool {
    visit.sent("by") == "list"
}

/// The list that was uploaded, else the one that was pasted.
fn list(visit: &Visit) -> Vec<u8> {
    let file = visit.form.file("file").filter(|file| !file.is_empty());
    match file {
        Some(file) => file.to_vec(),
        None => visit.sent("list").into_bytes(),
    }
}

/// The devices that are asked for, or what is to be put right.
async fn devices(visit: &Visit) -> Result<Result<Vec<NewDevice>, String>, Fault> {
    let frame = &visit.frame;
    if !is_list(visit) {
        if !list(visit).trim_ascii().is_empty() {
            return Ok(Err(frame.say("new_many:list_too").to_owned()));
        }
        let devices = match by_pattern(visit) {
            Ok(devices) => devices,
            Err(fault) => return Ok(Err(fault)),
        };
        return Ok(match usual::unknown(visit, &devices).await? {
            Some((_, fault)) => Err(fault),
            None => Ok(devices),
        });
    }
    let devices = match roster::read(&list(visit), &usual::sent(visit), BATCH_LIMIT) {
        Ok(devices) => devices,
        Err(error) => return Ok(Err(of_list(frame, &error))),
    };
    Ok(match usual::unknown(visit, &devices).await? {
        Some((place, fault)) => {
            let line = devices.get(place).and_then(|device| device.line);
            let line = line.unwrap_or_default();
            let begin = frame.fill("new_many:in_line", "line", line);
            Err(format!("{begin} {fault}"))
        }
        None => Ok(devices),
    })
}

fn by_pattern(visit: &Visit) -> Result<Vec<NewDevice>, String> {
    let frame = &visit.frame;
    let pattern: NamePattern = visit.sent("pattern").parse().map_err(|error| match error {
        PatternError::Place => frame.say("new_many:no_place").to_owned(),
        PatternError::Twice => frame.say("new_many:two_places").to_owned(),
    })?;
    let number = |name: &str| visit.sent(name).trim().parse::<u64>().ok();
    let count = number("count").filter(|count| (1..=BATCH_LIMIT as u64).contains(count));
    let count = count.ok_or_else(|| frame.fill("new_many:no_count", "limit", BATCH_LIMIT))?;
    let first = number("first").filter(|first| *first < FIRST_LIMIT);
    let first = first.ok_or_else(|| frame.say("new_many:no_first").to_owned())?;
    let usual = usual::sent(visit);
    if !SECURITY_PROFILES.contains(&usual.security_profile.as_str()) {
        let profile = named(&usual.security_profile);
        return Err(frame.fill("field:no_choice", "value", profile));
    }
    numbered(&pattern, first..first + count, usual).map_err(|error| match error {
        NumberedError::SameNames => frame.say("new_many:same_names").to_owned(),
        NumberedError::NoEvents => frame.say("new_many:no_events").to_owned(),
        NumberedError::Name(_) => frame.fill("new_many:bad_names", "limit", TEXT_LIMIT),
    })
}

/// What is to be put right in a list.
fn of_list(frame: &Frame, error: &RosterError) -> String {
    let column = |name, column: &str| frame.fill(name, "column", named(column));
    let line = |name, line: &u64| frame.fill(name, "line", line);
    let more = |text: String, place: &str, with: &str| text.replace(&format!("{{{place}}}"), with);
    match error {
        RosterError::Encoding => frame.say("new_many:encoding").to_owned(),
        RosterError::NoName => frame.say("new_many:no_column").to_owned(),
        RosterError::Column(name) => column("new_many:other_column", name),
        RosterError::ColumnTwice(name) => column("new_many:column_twice", name),
        RosterError::Blank => frame.say("new_many:no_device").to_owned(),
        RosterError::TooLong(limit) => frame.fill("new_many:too_many", "limit", limit),
        RosterError::Cells {
            line: at,
            found,
            wanted,
        } => {
            let text = more(line("new_many:cells", at), "found", &found.to_string());
            more(text, "wanted", &wanted.to_string())
        }
        RosterError::Nameless(at) => line("new_many:nameless", at),
        RosterError::Eventless(at) => line("new_many:eventless", at),
        RosterError::Name(at) => {
            let limit = TEXT_LIMIT.to_string();
            more(line("new_many:bad_name", at), "limit", &limit)
        }
        RosterError::Profile { line: at, found } => {
            let text = line("new_many:bad_profile", at);
            let text = more(text, "profiles", &SECURITY_PROFILES.join(", "));
            more(text, "profile", &named(found))
        }
        RosterError::Twice { first, second } => more(
            line("new_many:name_twice", second),
            "first",
            &first.to_string(),
        ),
        RosterError::Line { line: at } => line("new_many:unreadable_line", at),
    }
}
