//! What of a device is to be otherwise.

use serde_json::{Map, Value, json};

use super::device::FleetDevice;
use crate::roster::{Events, NewDevice};

/// What of a device is to be otherwise; what is absent stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) name: Option<String>,
    pub(crate) events: Option<Events>,
    pub(crate) security_profile: Option<String>,
    /// A gate's identifier; `Some(None)` for no gate.
    pub(crate) gate: Option<Option<String>>,
}

impl Change {
    pub(super) fn fields(&self) -> Map<String, Value> {
        let mut fields = Map::new();
        if let Some(name) = &self.name {
            fields.insert("name".to_owned(), json!(name));
        }
        if let Some(events) = &self.events {
            let (all, slugs): (bool, &[String]) = match events {
                Events::All => (true, &[]),
                Events::Only(slugs) => (false, slugs),
            };
            fields.insert("all_events".to_owned(), json!(all));
            fields.insert("limit_events".to_owned(), json!(slugs));
        }
        if let Some(profile) = &self.security_profile {
            fields.insert("security_profile".to_owned(), json!(profile));
        }
        if let Some(gate) = &self.gate {
            fields.insert("gate".to_owned(), json!(gate));
        }
        fields
    }

    /// What of a device is not so yet; `None` if all is.
    pub(crate) fn differs(&self, device: &FleetDevice) -> Option<&'static str> {
        let plain = &device.device;
        if self.name.as_ref().is_some_and(|name| *name != plain.name) {
            return Some("its name");
        }
        if self
            .events
            .as_ref()
            .is_some_and(|events| !are_of(events, device))
        {
            return Some("its access to events");
        }
        let profile = self.security_profile.as_ref();
        if profile.is_some_and(|profile| *profile != plain.security_profile) {
            return Some("its security profile");
        }
        let gate = device.more.gate.as_ref();
        let gate = gate.map(|gate| gate.as_ref().map(|gate| gate.identifier.clone()));
        match &self.gate {
            Some(wanted) if gate.as_ref() != Some(wanted) => Some("its gate"),
            _ => None,
        }
    }
}

/// What would make another device this one.
impl From<&NewDevice> for Change {
    fn from(new: &NewDevice) -> Self {
        Self {
            name: Some(new.name.clone()),
            events: Some(new.events.clone()),
            security_profile: Some(new.security_profile.clone()),
            gate: new.gate.clone().map(Some),
        }
    }
}

/// Whether a device has access to these events.
fn are_of(events: &Events, device: &FleetDevice) -> bool {
    let device = &device.device;
    match events {
        Events::All => device.all_events,
        Events::Only(slugs) => {
            let sorted = |slugs: &[String]| {
                let mut slugs = slugs.to_vec();
                slugs.sort();
                slugs.dedup();
                slugs
            };
            !device.all_events && sorted(slugs) == sorted(&device.limit_events)
        }
    }
}
