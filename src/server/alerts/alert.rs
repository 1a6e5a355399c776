//! What a command for alerts is told.

use jiff::Timestamp;
use serde::Serialize;

use crate::server::model::Event;
use crate::server::store::{Silence, SilentDevice};
use crate::wire;

/// An alert, as JSON.
#[derive(Serialize)]
pub(super) struct Alert {
    /// `silent`, or `back` or `revoked` where a silence has ended.
    kind: &'static str,
    /// Slug.
    organizer: String,
    device: Named,
    /// Where it stands, if it still does.
    gate: Option<Gate>,
    /// What runs there.
    event: Option<Running>,
    /// When it was last seen before it fell silent.
    #[serde(with = "wire::timestamp")]
    last_seen: Timestamp,
    /// When it was seen again.
    #[serde(with = "wire::timestamp::optional")]
    seen_again: Option<Timestamp>,
    /// When this was noticed.
    #[serde(with = "wire::timestamp")]
    noticed: Timestamp,
}

#[derive(Serialize)]
struct Named {
    device_id: u64,
    name: String,
    unique_serial: String,
}

#[derive(Serialize)]
struct Gate {
    identifier: String,
    name: String,
}

#[derive(Serialize)]
struct Running {
    slug: String,
    name: String,
    /// Number of its date, if it is a series.
    subevent: Option<i64>,
}

impl Alert {
    /// That a device has fallen silent.
    pub(super) fn silent(
        device: &SilentDevice,
        event: &Event,
        subevent: Option<i64>,
        now: Timestamp,
    ) -> Self {
        let running = Running {
            slug: event.slug.clone(),
            name: event.name.clone(),
            subevent,
        };
        Self {
            event: Some(running),
            ..Self::of("silent", device, device.seen, now)
        }
    }

    /// That a silence has ended.
    pub(super) fn end_of(silence: &Silence) -> Self {
        let kind = match silence.is_revoked {
            true => "revoked",
            false => "back",
        };
        let device = &silence.device;
        Self {
            seen_again: (!silence.is_revoked).then_some(device.seen),
            ..Self::of(kind, device, silence.seen_before, Timestamp::now())
        }
    }

    fn of(
        kind: &'static str,
        device: &SilentDevice,
        last_seen: Timestamp,
        noticed: Timestamp,
    ) -> Self {
        let identifier = device.gate_identifier.clone();
        let name = device.gate_name.clone();
        let gate = identifier.zip(name);
        Self {
            kind,
            organizer: device.organizer.clone(),
            device: Named {
                device_id: device.device_id,
                name: device.name.clone(),
                unique_serial: device.unique_serial.clone(),
            },
            gate: gate.map(|(identifier, name)| Gate { identifier, name }),
            event: None,
            last_seen,
            seen_again: None,
            noticed,
        }
    }

    pub(super) fn kind(&self) -> &'static str {
        self.kind
    }

    pub(super) fn organizer(&self) -> &str {
        &self.organizer
    }

    pub(super) fn device_id(&self) -> u64 {
        self.device.device_id
    }
}
