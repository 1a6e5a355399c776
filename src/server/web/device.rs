//! One device: what it is, how it is doing, and what was done to it.

use askama::Template;
use axum::response::Response;
use jiff::Timestamp;

use super::chart;
use super::choice_names::ChoiceNames;
use super::facts::{self, Fact};
use super::fault::Fault;
use super::found_device::find;
use super::frame::Frame;
use super::html;
use super::log::Done;
use super::row::{Row, Seen};
use super::standing::Standing;
use super::visit::Visit;
use crate::server::model::{CodeState, DetailedDevice};

/// Entries of the log on a page.
const ENTRIES: u64 = 50;

/// A device.
#[derive(Template)]
#[template(path = "device.html")]
struct Device<'v> {
    frame: &'v Frame,
    row: Row,
    serial: &'v str,
    created: Seen,
    initialized: Option<Seen>,
    is_revoked: bool,
    /// What is to be known of its code.
    about_code: Option<&'static str>,
    diagnostics: Vec<Fact>,
    /// Its day, as HTML.
    chart: String,
    /// The newest first.
    log: Vec<Done>,
    newer: Option<u64>,
    older: Option<u64>,
}

/// `GET /devices/{number}`.
pub(super) async fn show(visit: Visit) -> Result<Response, Fault> {
    let (frame, now) = (&visit.frame, Timestamp::now());
    let detailed = find(&visit).await?;
    let device = &detailed.device;
    let page = visit.query("log").and_then(|page| page.parse::<u64>().ok());
    let page = page.unwrap_or(1).max(1);
    let (organizer, number) = (visit.organizer()?, device.device_id);
    let store = &visit.state.store;
    let count = store.log_page(organizer, number, 0, 0).await?.count;
    let end = count.saturating_sub((page - 1).saturating_mul(ENTRIES));
    let begin = end.saturating_sub(ENTRIES);
    let log = store
        .log_page(organizer, number, begin, end - begin)
        .await?;
    let names = ChoiceNames::read(&visit).await?;
    let since = now.checked_sub(chart::DAY).unwrap_or(Timestamp::MIN);
    let samples = store.samples(organizer, number, since).await?;
    Ok(html::ok(&Device {
        frame,
        about_code: about_code(frame, &detailed),
        row: Row::of(frame, &names, &detailed, now),
        serial: &device.unique_serial,
        created: Seen::of(frame, device.created, now),
        initialized: device
            .initialized
            .map(|initialized| Seen::of(frame, initialized, now)),
        is_revoked: device.revoked,
        chart: chart::draw(frame, &samples, now)?,
        diagnostics: match &detailed.info {
            Some(info) => facts::of(frame.language, info),
            None => Vec::new(),
        },
        log: log
            .entries
            .iter()
            .rev()
            .map(|entry| Done::of(frame, &names, entry))
            .collect(),
        newer: (page > 1).then(|| page - 1),
        older: (begin > 0).then_some(page.saturating_add(1)),
    })?)
}

/// What is to be known of a device that waits for another scanner than it was, or for a code.
fn about_code(frame: &Frame, detailed: &DetailedDevice) -> Option<&'static str> {
    let device = &detailed.device;
    match detailed.code {
        _ if device.revoked => None,
        CodeState::Used => None,
        CodeState::Open if device.initialized.is_none() => None,
        CodeState::Open if detailed.has_key => Some(frame.say("device:waits_with_access")),
        CodeState::Open => Some(frame.say("device:waits_without_access")),
        CodeState::Ended => Some(frame.say("device:code_ended")),
    }
}
