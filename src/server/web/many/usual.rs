//! What new devices have in common, and what of them the organizer lacks.

use std::collections::BTreeSet;

use crate::roster::{Events, NewDevice, Usual};
use crate::server::model;
use crate::server::web::fault::Fault;
use crate::server::web::texts::named;
use crate::server::web::visit::Visit;

/// What was chosen for all.
pub(super) fn sent(visit: &Visit) -> Usual {
    let slugs = visit.form.texts("limit_events");
    Usual {
        events: match (visit.sent("all_events") == "true", slugs.is_empty()) {
            (true, _) => Some(Events::All),
            (false, false) => Some(Events::Only(slugs)),
            (false, true) => None,
        },
        security_profile: visit.sent("security_profile"),
        gate: Some(visit.sent("gate")).filter(|gate| !gate.is_empty()),
    }
}

/// The first of these devices whose gate or events are none of the organizer's, and what is to be said of it.
pub(super) async fn unknown(
    visit: &Visit,
    devices: &[NewDevice],
) -> Result<Option<(usize, String)>, Fault> {
    let events = |device: &NewDevice| match &device.events {
        Events::All => Vec::new(),
        Events::Only(slugs) => slugs.clone(),
    };
    let distinct = |names: Vec<String>| {
        let names: BTreeSet<String> = names.into_iter().collect();
        names.into_iter().collect()
    };
    let gates = devices.iter().filter_map(|device| device.gate.clone());
    let unknown = visit.state.store.unknown_names(
        visit.organizer()?,
        distinct(devices.iter().flat_map(events).collect()),
        distinct(gates.collect()),
    );
    let unknown = unknown.await?;
    let frame = &visit.frame;
    let fault = |device: &NewDevice| {
        let gate = device.gate.as_ref();
        if let Some(gate) = gate.filter(|gate| unknown.gates.contains(*gate)) {
            return Some(frame.fill("field:no_gate", "identifier", named(gate)));
        }
        let event = events(device);
        let event = event.iter().find(|slug| unknown.events.contains(*slug))?;
        Some(frame.fill("field:no_event", "slug", named(event)))
    };
    let mut faults = devices.iter().enumerate();
    Ok(faults.find_map(|(place, device)| Some((place, fault(device)?))))
}

/// A device as the store makes it.
pub(super) fn for_store(device: NewDevice) -> model::NewDevice {
    let (all_events, limit_events) = match device.events {
        Events::All => (true, Vec::new()),
        Events::Only(slugs) => (false, slugs),
    };
    model::NewDevice {
        name: device.name,
        all_events,
        limit_events,
        security_profile: device.security_profile,
        gate: device.gate,
    }
}
