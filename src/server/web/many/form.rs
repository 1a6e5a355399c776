//! The form that makes many devices.

use askama::Template;
use axum::response::Response;
use hyper::StatusCode;

use crate::server::web::device_numbers::DeviceNumbers;
use crate::server::web::fault::Fault;
use crate::server::web::frame::Frame;
use crate::server::web::html;
use crate::server::web::once::{self, Once};
use crate::server::web::texts::named;
use crate::server::web::usual_fields::{UsualFields, for_store, unknown};
use crate::server::web::visit::Visit;
use crate::roster::{
    self, Listed, NamePattern, NewDevice, NumberedError, PatternError, RosterError, Usual, numbered,
};
use crate::server::model::BATCH_LIMIT;
use crate::server::store::{Actor, StoreError};
use crate::wire;
use crate::wire::{SECURITY_PROFILES, TEXT_LIMIT};

/// Largest number that names begin with.
const FIRST_LIMIT: u64 = 1_000_000;

/// The form.
#[derive(Template)]
#[template(path = "many_form.html")]
struct Form<'f> {
    frame: &'f Frame,
    once: String,
    is_list: bool,
    pattern: String,
    count: String,
    first: String,
    list: String,
    usual: UsualFields,
    /// What is to be put right.
    faults: Vec<String>,
}

/// `GET /connect/many`.
pub(in crate::server::web) async fn ask(visit: Visit) -> Result<Response, Fault> {
    let form = Form {
        frame: &visit.frame,
        once: once::mark()?,
        is_list: false,
        pattern: "Lane {:02}".to_owned(),
        count: "10".to_owned(),
        first: "1".to_owned(),
        list: String::new(),
        usual: UsualFields::empty(&visit).await?,
        faults: Vec::new(),
    };
    Ok(html::ok(&form)?)
}

/// `POST /connect/many`.
pub(in crate::server::web) async fn create(visit: Visit) -> Result<Response, Fault> {
    let once = Once::of(&visit)?;
    let usual = UsualFields::sent(&visit).await?;
    let devices = match devices(&visit, &usual).await? {
        Ok(devices) => devices,
        Err(fault) => {
            let form = Form {
                frame: &visit.frame,
                once: visit.sent(once::FIELD),
                is_list: is_list(&visit),
                pattern: visit.sent("pattern"),
                count: visit.sent("count"),
                first: visit.sent("first"),
                list: String::from_utf8_lossy(&list(&visit)).into_owned(),
                usual,
                faults: vec![fault],
            };
            return Ok(html::page(StatusCode::BAD_REQUEST, &form)?);
        }
    };
    let actor = Actor::Team(visit.who()?.session.caller.token);
    let board = |made: &Vec<wire::Device>| {
        let numbers: DeviceNumbers = made.iter().map(|device| device.device_id).collect();
        format!("/devices/board?devices={numbers}")
    };
    let made = visit.state.store.create_devices(
        actor,
        visit.organizer()?,
        devices.into_iter().map(for_store).collect(),
        once.terms(board),
    );
    let path = match made.await {
        Ok(made) => board(&made),
        Err(StoreError::AlreadyKept) => once.led(&visit).await?.ok_or(Fault::Unreadable)?,
        Err(error) => return Err(error.into()),
    };
    Ok(html::see_other(&visit.frame.to(&path))?)
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
async fn devices(
    visit: &Visit,
    usual: &UsualFields,
) -> Result<Result<Vec<NewDevice>, String>, Fault> {
    let frame = &visit.frame;
    let usual = match usual.usual(frame) {
        Ok(usual) => usual,
        Err(fault) => return Ok(Err(fault)),
    };
    if !is_list(visit) {
        let devices = match by_pattern(visit, usual) {
            Ok(devices) => devices,
            Err(fault) => return Ok(Err(fault)),
        };
        return Ok(match unknown(visit, &devices).await? {
            Some((_, fault)) => Err(fault),
            None => Ok(devices),
        });
    }
    let listed = match roster::read(&list(visit), &usual, BATCH_LIMIT) {
        Ok(listed) => listed,
        Err(error) => return Ok(Err(of_list(frame, &error))),
    };
    let lines: Vec<u64> = listed.iter().map(|listed| listed.line).collect();
    let devices: Vec<NewDevice> = listed.into_iter().map(|Listed { device, .. }| device).collect();
    Ok(match unknown(visit, &devices).await? {
        Some((place, fault)) => {
            let line = lines.get(place).copied().unwrap_or_default();
            let begin = frame.fill("many:in_line", "line", line);
            Err(format!("{begin} {fault}"))
        }
        None => Ok(devices),
    })
}

fn by_pattern(visit: &Visit, usual: Usual) -> Result<Vec<NewDevice>, String> {
    let frame = &visit.frame;
    let pattern: NamePattern = visit.sent("pattern").parse().map_err(|error| match error {
        PatternError::Place => frame.say("many:no_place").to_owned(),
        PatternError::Twice => frame.say("many:two_places").to_owned(),
    })?;
    let number = |name: &str| visit.sent(name).trim().parse::<u64>().ok();
    let count = number("count").filter(|count| (1..=BATCH_LIMIT as u64).contains(count));
    let count = count.ok_or_else(|| frame.fill("many:no_count", "limit", BATCH_LIMIT))?;
    let first = number("first").filter(|first| *first < FIRST_LIMIT);
    let first = first.ok_or_else(|| frame.say("many:no_first").to_owned())?;
    numbered(&pattern, first..first + count, usual).map_err(|error| match error {
        NumberedError::SameNames => frame.say("many:same_names").to_owned(),
        NumberedError::NoEvents => frame.say("usual:no_events").to_owned(),
        NumberedError::Name(_) => frame.fill("connect:no_name", "limit", TEXT_LIMIT),
    })
}

/// What is to be put right in a list.
fn of_list(frame: &Frame, error: &RosterError) -> String {
    let column = |name, column: &str| frame.fill(name, "column", named(column));
    let line = |name, line: &u64| frame.fill(name, "line", line);
    let more = |text: String, place: &str, with: &str| text.replace(&format!("{{{place}}}"), with);
    match error {
        RosterError::Encoding => frame.say("many:encoding").to_owned(),
        RosterError::NoName => frame.say("many:no_column").to_owned(),
        RosterError::Column(name) => column("many:other_column", name),
        RosterError::ColumnTwice(name) => column("many:column_twice", name),
        RosterError::Blank => frame.say("many:no_device").to_owned(),
        RosterError::TooLong(limit) => frame.fill("many:too_many", "limit", limit),
        RosterError::Cells {
            line: at,
            found,
            wanted,
        } => {
            let text = more(line("many:cells", at), "found", &found.to_string());
            more(text, "wanted", &wanted.to_string())
        }
        RosterError::Nameless(at) => line("many:nameless", at),
        RosterError::Eventless(at) => line("many:eventless", at),
        RosterError::Name(at) => {
            let limit = TEXT_LIMIT.to_string();
            more(line("many:bad_name", at), "limit", &limit)
        }
        RosterError::Profile { line: at, found } => {
            let text = line("many:bad_profile", at);
            let text = more(text, "profiles", &SECURITY_PROFILES.join(", "));
            more(text, "profile", &named(found))
        }
        RosterError::Twice { first, second } => {
            more(line("many:name_twice", second), "first", &first.to_string())
        }
        RosterError::Line { line: at } => line("many:unreadable_line", at),
    }
}
