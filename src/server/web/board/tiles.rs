//! How far each device of a board is.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use crate::server::model::DetailedDevice;
use crate::server::web::feed::DeviceEvent;
use crate::server::web::frame::Frame;
use crate::server::web::handover::Handover;
use crate::server::web::texts::number;

/// The devices of a board, by number.
#[derive(Default)]
pub(super) struct Tiles(BTreeMap<u64, Tile>);

/// One device.
pub(super) struct Tile {
    pub(super) number: u64,
    pub(super) name: String,
    handover: Handover,
}

/// How many there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) connected: u64,
    /// All but those that never will: they were revoked, or their codes ended.
    pub(super) all: u64,
}

impl Tiles {
    pub(super) fn of(devices: Vec<(DetailedDevice, Handover)>) -> Self {
        let tiles = devices.into_iter().map(|(device, handover)| {
            let tile = Tile {
                number: device.device.device_id,
                name: device.device.name,
                handover,
            };
            (tile.number, tile)
        });
        Self(tiles.collect())
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Tile> {
        self.0.values()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn counts(&self) -> Counts {
        let count = |is: fn(&Handover) -> bool| {
            let tiles = self.iter().filter(|tile| is(&tile.handover));
            tiles.count() as u64
        };
        Counts {
            connected: count(|handover| matches!(handover, Handover::Connected(_))),
            all: count(|handover| matches!(handover, Handover::Connected(_) | Handover::Waiting)),
        }
    }

    /// Takes that something was done to a device; its tile and the counts, if it is one of these. A page that comes back
    /// may not show yet what is known here.
    pub(super) fn turn(&mut self, event: &DeviceEvent) -> Option<(&Tile, Counts)> {
        let tile = self.0.get_mut(&event.device_id)?;
        if let Some(handover) = Handover::after(event) {
            tile.handover = handover;
        }
        tile.name.clone_from(&event.name);
        Some((self.0.get(&event.device_id)?, self.counts()))
    }

    /// Tells what is shown from what is shown later.
    pub(super) fn mark(&self) -> String {
        let mut hash = Sha256::new();
        for tile in self.iter() {
            for text in [tile.name.as_str(), tile.class(), &tile.machine()] {
                hash.update((text.len() as u64).to_be_bytes());
                hash.update(text);
            }
            hash.update(tile.number.to_be_bytes());
        }
        let hash = hash.finalize();
        let mark = hash.iter().take(8).map(|byte| format!("{byte:02x}"));
        mark.collect()
    }
}

impl Counts {
    pub(super) fn in_words(&self, frame: &Frame) -> String {
        frame
            .fill(
                "board:counts",
                "some",
                number(frame.language, self.connected),
            )
            .replace("{all}", &number(frame.language, self.all))
    }
}

impl Tile {
    /// Its class in the page.
    pub(super) fn class(&self) -> &'static str {
        match &self.handover {
            Handover::Waiting => "waiting",
            Handover::Connected(_) => "connected",
            Handover::Revoked => "revoked",
            Handover::Void => "code_ended",
        }
    }

    /// The name of the text that says how far it is.
    pub(super) fn text(&self) -> &'static str {
        match &self.handover {
            Handover::Waiting => "standing:waiting",
            Handover::Connected(_) => "board:connected",
            Handover::Revoked => "standing:revoked",
            Handover::Void => "standing:code_ended",
        }
    }

    /// As which machine it came in.
    pub(super) fn machine(&self) -> String {
        match &self.handover {
            Handover::Connected(machine) => machine.hardware.clone(),
            _ => String::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::web::feed::{Done, Machine};

    fn tiles() -> Tiles {
        let tile = |number| Tile {
            number,
            name: format!("Lane {number}"),
            handover: Handover::Waiting,
        };
        Tiles((1..=3).map(|number| (number, tile(number))).collect())
    }

    fn event(device_id: u64, name: &str, done: Done) -> DeviceEvent {
        DeviceEvent {
            organizer: 1,
            device_id,
            name: name.to_owned(),
            done,
        }
    }

    #[test]
    fn devices_are_ticked_off_as_they_come_in() {
        let mut tiles = tiles();
        let mark = tiles.mark();
        let connected = || Done::Connected(Machine::default());
        for (event, class) in [
            (event(2, "Lane 2", connected()), Some("connected")),
            (event(2, "Lane 2", connected()), Some("connected")),
            (event(9, "Lane 9", connected()), None),
            (event(3, "Lane 3", Done::Revoked), Some("revoked")),
            (event(1, "Lane one", Done::Other), Some("waiting")),
        ] {
            let tile = tiles.turn(&event);
            let turned = tile.map(|(tile, _)| (tile.class(), tile.name.clone()));
            assert_eq!(turned, class.map(|class| (class, event.name.clone())));
        }
        let counts = Counts {
            connected: 1,
            all: 2,
        };
        assert_eq!(tiles.counts(), counts);
        assert_ne!(tiles.mark(), mark);
        tiles.turn(&event(2, "Lane 2", Done::TokenRenewed));
        assert_eq!(tiles.counts().connected, 0);
    }
}
