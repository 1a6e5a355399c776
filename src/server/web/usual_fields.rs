//! What new devices have in common, as a form asks for it: events, gate, security profile.

use std::collections::BTreeSet;

use super::fault::Fault;
use super::frame::Frame;
use super::texts::named;
use super::visit::Visit;
use crate::roster::{Events, NewDevice, Usual};
use crate::server::model;
use crate::server::store::Choices;
use crate::wire::{self, SECURITY_PROFILES};

/// Access to all events, or to those that are ticked.
const ALL: &str = "all";

/// What was chosen, and what there is to choose from.
pub(super) struct UsualFields {
    pub(super) choices: Choices,
    pub(super) all_events: bool,
    events: Vec<String>,
    gate: String,
    profile: String,
}

impl UsualFields {
    /// Of a form that nobody has filled in.
    pub(super) async fn empty(visit: &Visit) -> Result<Self, Fault> {
        Ok(Self {
            choices: visit.state.store.choices(visit.organizer()?).await?,
            all_events: true,
            events: Vec::new(),
            gate: String::new(),
            profile: "full".to_owned(),
        })
    }

    /// Of a form that was sent.
    pub(super) async fn sent(visit: &Visit) -> Result<Self, Fault> {
        Ok(Self {
            choices: visit.state.store.choices(visit.organizer()?).await?,
            all_events: visit.sent("events") == ALL,
            events: visit.all_sent("event"),
            gate: visit.sent("gate"),
            profile: visit.sent("security_profile"),
        })
    }

    pub(super) fn has_event(&self, slug: &str) -> bool {
        self.events.iter().any(|chosen| chosen == slug)
    }

    pub(super) fn is_at(&self, gate: &wire::Gate) -> bool {
        self.gate == gate.identifier
    }

    pub(super) fn has_profile(&self, profile: &str) -> bool {
        self.profile == profile
    }

    /// The security profiles that there are.
    pub(super) fn profiles(&self) -> &'static [&'static str] {
        &SECURITY_PROFILES
    }

    /// What they come to, or what is to be said of them.
    pub(super) fn usual(&self, frame: &Frame) -> Result<Usual, String> {
        if !SECURITY_PROFILES.contains(&self.profile.as_str()) {
            let profile = named(&self.profile);
            return Err(frame.fill("usual:no_profile", "profile", profile));
        }
        let events = match (self.all_events, self.events.is_empty()) {
            (true, _) => Some(Events::All),
            (false, false) => Some(Events::Only(self.events.clone())),
            (false, true) => None,
        };
        Ok(Usual {
            events,
            security_profile: self.profile.clone(),
            gate: Some(self.gate.clone()).filter(|gate| !gate.is_empty()),
        })
    }
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
    let unknown = visit.state.store.unknown_names(
        visit.organizer()?,
        distinct(devices.iter().flat_map(events).collect()),
        distinct(devices.iter().filter_map(|device| device.gate.clone()).collect()),
    );
    let unknown = unknown.await?;
    let frame = &visit.frame;
    let fault = |device: &NewDevice| {
        let gate = device.gate.as_ref();
        if let Some(gate) = gate.filter(|gate| unknown.gates.contains(*gate)) {
            return Some(frame.fill("usual:no_gate", "gate", named(gate)));
        }
        let event = events(device);
        let event = event.iter().find(|slug| unknown.events.contains(*slug))?;
        Some(frame.fill("usual:no_event", "event", named(event)))
    };
    let mut faults = devices.iter().enumerate();
    Ok(faults.find_map(|(place, device)| Some((place, fault(device)?))))
}
