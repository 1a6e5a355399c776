//! Where boards are found again: those of devices that were made together, and of any others.

use askama::Template;
use axum::response::Response;
use jiff::Timestamp;

use super::device_numbers::DeviceNumbers;
use super::fault::Fault;
use super::frame::Frame;
use super::html;
use super::row::Seen;
use super::texts;
use super::visit::Visit;
use crate::server::store::MadeTogether;

/// Boards that are shown.
const SHOWN: u64 = 20;

/// The page.
#[derive(Template)]
#[template(path = "boards.html")]
struct Boards<'v> {
    frame: &'v Frame,
    boards: Vec<Board>,
}

/// A board.
struct Board {
    numbers: DeviceNumbers,
    devices: String,
    made: Seen,
    awaited: String,
}

/// `GET /boards`.
pub(super) async fn show(visit: Visit) -> Result<Response, Fault> {
    let (frame, now) = (&visit.frame, Timestamp::now());
    let made = visit.state.store.made_together(visit.organizer()?, SHOWN);
    let made = made.await?.into_iter();
    Ok(html::ok(&Boards {
        frame,
        boards: made.map(|made| Board::of(frame, &made, now)).collect(),
    })?)
}

impl Board {
    fn of(frame: &Frame, made: &MadeTogether, now: Timestamp) -> Self {
        let count = made.last.saturating_sub(made.first).saturating_add(1);
        let (language, awaited) = (frame.language, made.awaited);
        Self {
            numbers: (made.first..=made.last).collect(),
            devices: texts::count(language, "devices:one", "devices:many", count),
            made: Seen::of(frame, made.created, now),
            awaited: match awaited {
                0 => frame.say("boards:none_waits").to_owned(),
                _ => texts::count(language, "boards:one_waits", "boards:some_wait", awaited),
            },
        }
    }
}
