//! A board of devices, which ticks them off as they come in: made to be projected.

mod found;
mod tiles;

use std::sync::Arc;

use askama::Template;
use axum::response::Response;

use super::device_numbers::DeviceNumbers;
use super::fault::Fault;
use super::feed::{self, DeviceEvent, View};
use super::frame::Frame;
use super::handover;
use super::html;
use super::state::State;
use super::unshown::Unshown;
use super::visit::Visit;
pub(super) use found::lead_to_found;
use tiles::{Counts, Tile, Tiles};

/// The page.
#[derive(Template)]
#[template(path = "board.html")]
struct Page<'f> {
    frame: &'f Frame,
    numbers: String,
    /// Those of no device.
    missing: Option<String>,
    mark: String,
    counts: Counts,
    tiles: &'f Tiles,
    /// That no scanner reaches the address in the codes.
    out_of_reach: Option<String>,
}

/// All that turns.
#[derive(Template)]
#[template(path = "board_afresh.html")]
struct Afresh<'f> {
    frame: &'f Frame,
    counts: Counts,
    tiles: &'f Tiles,
}

/// One tile, and the counts.
#[derive(Template)]
#[template(path = "board_turned.html")]
struct Turned<'f> {
    frame: &'f Frame,
    counts: Counts,
    tile: &'f Tile,
}

/// The devices that one page follows.
struct Followed {
    state: Arc<State>,
    frame: Frame,
    organizer: i64,
    numbers: DeviceNumbers,
    tiles: Tiles,
    /// What the page shows already, until it is known to show something else.
    shown: Option<String>,
}

/// `GET /devices/board`.
pub(super) async fn show(visit: Visit) -> Result<Response, Fault> {
    if visit.uri().query().is_none() {
        return Ok(html::see_other(&visit.frame.to("/boards"))?);
    }
    let followed = Followed::of(&visit)?;
    let tiles = followed.read().await?;
    let page = Page {
        frame: &visit.frame,
        numbers: followed.numbers.to_string(),
        missing: missing(&visit.frame, &followed.numbers, &tiles),
        mark: tiles.mark(),
        counts: tiles.counts(),
        tiles: &tiles,
        out_of_reach: visit.out_of_reach(&visit.server_url()?),
    };
    Ok(html::ok(&page)?)
}

/// Which of the numbers are those of no device, in words.
fn missing(frame: &Frame, numbers: &DeviceNumbers, tiles: &Tiles) -> Option<String> {
    let missing = numbers.without(tiles.iter().map(|tile| tile.number));
    (!missing.is_empty()).then(|| frame.fill("board:missing", "numbers", missing))
}

/// `GET /devices/board/stream`.
pub(super) async fn follow(visit: Visit) -> Result<Response, Fault> {
    let mut followed = Followed::of(&visit)?;
    let watcher = visit.watch()?;
    if watcher.goes_on() {
        followed.tiles = followed.read().await?;
    }
    Ok(feed::stream(watcher, followed))
}

impl Followed {
    fn of(visit: &Visit) -> Result<Self, Fault> {
        let numbers = visit.query("devices").unwrap_or_default();
        Ok(Self {
            state: Arc::clone(&visit.state),
            frame: visit.frame.clone(),
            organizer: visit.organizer()?,
            numbers: numbers.parse()?,
            tiles: Tiles::default(),
            shown: visit.shown(),
        })
    }

    async fn read(&self) -> Result<Tiles, Unshown> {
        let devices = handover::find(&*self.state.store, self.organizer, &self.numbers).await?;
        Ok(Tiles::of(devices))
    }
}

impl View for Followed {
    type Error = Unshown;

    async fn afresh(&mut self) -> Result<Option<String>, Unshown> {
        self.tiles = self.read().await?;
        if self.shown.take() == Some(self.tiles.mark()) {
            return Ok(None);
        }
        let afresh = Afresh {
            frame: &self.frame,
            counts: self.tiles.counts(),
            tiles: &self.tiles,
        };
        Ok(Some(afresh.render()?))
    }

    async fn turned(&mut self, event: &DeviceEvent) -> Result<Option<String>, Unshown> {
        if event.organizer != self.organizer {
            return Ok(None);
        }
        let Some((tile, counts)) = self.tiles.turn(event) else {
            return Ok(None);
        };
        let turned = Turned {
            frame: &self.frame,
            counts,
            tile,
        };
        Ok(Some(turned.render()?))
    }
}
