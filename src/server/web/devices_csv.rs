//! The devices of a view as a table for spreadsheets (RFC 4180), sent as they are read.

use std::io;

use axum::body::{Body, Bytes};
use axum::response::Response;
use csv::{Terminator, Writer, WriterBuilder};
use http_body_util::channel::{Channel, Sender};
use hyper::header::{self, HeaderValue};
use jiff::Timestamp;

use super::fault::Fault;
use super::html;
use super::standing::Standing;
use super::view::View;
use super::visit::Visit;
use crate::causes;
use crate::server::model::{DetailedDevice, DeviceFilter, Order, OrderBy};
use crate::shown::does_more_than_be_read;

/// Devices read at once.
const PIECE: u64 = 500;

/// Pieces that are read before they are taken.
const AHEAD: usize = 1;

/// By which spreadsheets know how the letters are coded.
const MARK: &str = "\u{feff}";

const HEADER: [&str; 17] = [
    "device_id",
    "name",
    "state",
    "last_seen",
    "gate",
    "all_events",
    "limit_events",
    "security_profile",
    "unique_serial",
    "hardware_brand",
    "hardware_model",
    "os_name",
    "os_version",
    "software_brand",
    "software_version",
    "created",
    "initialized",
];

type Pieces = Sender<Bytes, io::Error>;

/// `GET /devices.csv`: all that the table would show, by number.
pub(super) async fn show(visit: Visit) -> Result<Response, Fault> {
    let view = View::read(&visit)?;
    let slug = &visit.who()?.session.caller.organizer.slug;
    let name = format!("attachment; filename=\"devices-{slug}.csv\"");
    let name = HeaderValue::from_str(&name).map_err(|error| Fault::Internal(error.into()))?;
    // What is wrong with the first piece can be told by a status.
    let first = read(&visit, &view.filter, 0).await?;
    let (pieces, body) = Channel::new(AHEAD);
    let ending = visit.state.ending();
    tokio::spawn(async move {
        tokio::select! {
            () = send(visit, view.filter, first, pieces) => {}
            () = ending => {}
        }
    });
    let mut response = Response::new(Body::new(body));
    html::protect(&mut response);
    let headers = response.headers_mut();
    let csv = HeaderValue::from_static("text/csv; charset=utf-8; header=present");
    headers.insert(header::CONTENT_TYPE, csv);
    headers.insert(header::CONTENT_DISPOSITION, name);
    Ok(response)
}

async fn read(
    visit: &Visit,
    filter: &DeviceFilter,
    after: u64,
) -> Result<Vec<DetailedDevice>, Fault> {
    let filter = DeviceFilter {
        after: Some(after),
        ..filter.clone()
    };
    let order = Order {
        by: OrderBy::Number,
        descending: false,
    };
    let organizer = visit.organizer()?;
    let devices = visit
        .state
        .store
        .filtered_devices(organizer, &filter, order, 0, PIECE);
    Ok(devices.await?)
}

/// Sends piece after piece. An end that is not that of the list breaks the answer off: nobody takes a part for all.
async fn send(visit: Visit, filter: DeviceFilter, first: Vec<DetailedDevice>, mut pieces: Pieces) {
    let (mut devices, mut is_first) = (first, true);
    loop {
        let Ok(text) = written(&devices, is_first) else {
            let broken = io::Error::other("a list can't be written");
            return pieces.abort(broken);
        };
        // Whoever asked has gone.
        if pieces.send_data(text.into()).await.is_err() {
            return;
        }
        let is_last = (devices.len() as u64) < PIECE;
        let last = devices.last().map(|detailed| detailed.device.device_id);
        let (Some(last), false) = (last, is_last) else {
            return;
        };
        is_first = false;
        devices = match read(&visit, &filter, last).await {
            Ok(devices) => devices,
            Err(fault) => {
                if let Fault::Store(error) = fault {
                    let (causes, advice) = (causes::of(&error), error.advice());
                    tracing::error!(%error, ?causes, advice, "a list of devices breaks off");
                }
                return pieces.abort(io::Error::other("the rest can't be read"));
            }
        };
    }
}

fn written(devices: &[DetailedDevice], is_first: bool) -> Result<Vec<u8>, csv::Error> {
    let mut text = Vec::new();
    if is_first {
        text.extend_from_slice(MARK.as_bytes());
    }
    let mut writer = WriterBuilder::new()
        .terminator(Terminator::CRLF)
        .from_writer(&mut text);
    if is_first {
        writer.write_record(HEADER)?;
    }
    let now = Timestamp::now();
    for device in devices {
        write(&mut writer, device, now)?;
    }
    writer.flush()?;
    drop(writer);
    Ok(text)
}

fn write(
    writer: &mut Writer<impl io::Write>,
    detailed: &DetailedDevice,
    now: Timestamp,
) -> Result<(), csv::Error> {
    let device = &detailed.device;
    let optional = |text: &Option<String>| text.clone().unwrap_or_default();
    let time = |time: Option<Timestamp>| time.map_or_else(String::new, |time| time.to_string());
    let gate = detailed.gate.as_ref();
    let record = [
        device.device_id.to_string(),
        device.name.clone(),
        Standing::of(detailed, now).class().to_owned(),
        time(detailed.last_seen),
        gate.map_or_else(String::new, |gate| gate.identifier.clone()),
        device.all_events.to_string(),
        device.limit_events.join(" "),
        device.security_profile.clone(),
        device.unique_serial.clone(),
        optional(&device.hardware_brand),
        optional(&device.hardware_model),
        optional(&device.os_name),
        optional(&device.os_version),
        optional(&device.software_brand),
        optional(&device.software_version),
        device.created.to_string(),
        time(device.initialized),
    ];
    writer.write_record(record.map(harmless))
}

/// What some spreadsheets take for the end of a cell, also within quotation marks.
const ENDS: [char; 4] = [';', '\t', '\r', '\n'];

/// A cell that no spreadsheet takes for a formula, nor a part of it that becomes a cell where they are parted otherwise
/// than by commas: an apostrophe before it has it be a text.
fn harmless(cell: String) -> String {
    let parts = cell.split_inclusive(ENDS);
    let parts = parts.map(|part| match is_harmful(part) {
        true => format!("'{part}"),
        false => part.to_owned(),
    });
    parts.collect()
}

fn is_harmful(cell: &str) -> bool {
    // What takes no room is passed over by some.
    let is_seen = |letter: &char| !letter.is_whitespace() && !does_more_than_be_read(*letter);
    let first = cell.chars().find(is_seen);
    let begins_formula = matches!(
        first,
        Some(
            '=' | '+' | '-' | '@' | '\u{ff1d}' | '\u{ff0b}' | '\u{ff0d}' | '\u{ff20}' | '\u{2212}'
        )
    );
    begins_formula || cell.starts_with(|letter: char| letter.is_control())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_begins_a_formula() {
        for cell in [
            "=1+1",
            "+1",
            "-1",
            "@SUM(A1)",
            "  =1",
            "\u{feff}=1",
            "\u{ff1d}1",
            "\0=1",
            "\tLane",
        ] {
            assert_eq!(harmless(cell.to_owned()), format!("'{cell}"));
        }
        // Behind what may end a cell, too.
        for (cell, made) in [
            ("\t=1", "'\t'=1"),
            ("\r=1", "'\r'=1"),
            ("\n=1", "'\n'=1"),
            ("Lane;=1+1", "Lane;'=1+1"),
            ("a\tb\t@x;+1", "a\tb\t'@x;'+1"),
        ] {
            assert_eq!(harmless(cell.to_owned()), made);
        }
        for cell in ["Lane 1", "", "Größe", "a=b", "入口", "a;b", "Lane 1; north"] {
            assert_eq!(harmless(cell.to_owned()), cell);
        }
    }
}
