//! The table of devices.

use askama::Template;
use axum::response::Response;
use jiff::Timestamp;

use super::fault::Fault;
use super::frame::Frame;
use super::html;
use super::since;
use super::standing::Standing;
use super::texts::alone;
use super::visit::Visit;
use crate::server::model::{DetailedDevice, DeviceFilter, Order, OrderBy};

/// Devices on a page.
const PAGE_SIZE: u64 = 50;

/// The table.
#[derive(Template)]
#[template(path = "devices.html")]
struct Devices<'v> {
    frame: &'v Frame,
    rows: Vec<Row>,
}

/// A device in the table, as it may be shown.
struct Row {
    number: u64,
    name: String,
    standing: Standing,
    seen: Option<String>,
    hardware: String,
    software: String,
    events: String,
    gate: String,
    profile: String,
}

impl Row {
    fn of(frame: &Frame, detailed: &DetailedDevice, now: Timestamp) -> Self {
        let device = &detailed.device;
        let all_of = |parts: [&Option<String>; 2]| {
            let parts = parts.into_iter().flatten().map(|part| alone(part));
            parts.collect::<Vec<_>>().join(" ")
        };
        Self {
            number: device.device_id,
            name: alone(&device.name).into_owned(),
            standing: Standing::of(detailed, now),
            seen: detailed
                .last_seen
                .map(|seen| since::ago(frame.language, seen, now)),
            hardware: all_of([&device.hardware_brand, &device.hardware_model]),
            software: all_of([&device.software_brand, &device.software_version]),
            events: match device.all_events {
                true => frame.say("devices:all_events").to_owned(),
                false => device.limit_events.join(", "),
            },
            gate: detailed
                .gate
                .as_ref()
                .map_or_else(String::new, |gate| alone(&gate.name).into_owned()),
            profile: device.security_profile.clone(),
        }
    }
}

/// `GET /devices`.
pub(super) async fn show(visit: Visit) -> Result<Response, Fault> {
    let now = Timestamp::now();
    let filter = DeviceFilter {
        revoked: Some(false),
        ..DeviceFilter::default()
    };
    let order = Order {
        by: OrderBy::Number,
        descending: false,
    };
    let found =
        visit
            .state
            .store
            .filtered_devices(visit.organizer()?, &filter, order, 0, PAGE_SIZE);
    let frame = &visit.frame;
    let table = Devices {
        frame,
        rows: found
            .await?
            .iter()
            .map(|device| Row::of(frame, device, now))
            .collect(),
    };
    Ok(html::ok(&table)?)
}
