//! The fields of a device in a form: what they hold, what can be chosen, and what is wrong with them.

use super::choice::{self, Choice};
use super::field_words;
use super::frame::Frame;
use crate::server::api::{Body, FieldErrors};
use crate::server::model::DetailedDevice;
use crate::server::store::Choices;

/// The fields of a device, whose template is `device_fields.html`.
pub(super) struct DeviceForm {
    pub(super) name: String,
    pub(super) all_events: bool,
    pub(super) events: Vec<Choice>,
    pub(super) gates: Vec<Choice>,
    pub(super) profiles: Vec<Choice>,
    pub(super) name_fault: Option<String>,
    pub(super) events_fault: Option<String>,
    pub(super) gate_fault: Option<String>,
    pub(super) profile_fault: Option<String>,
}

/// The profile of a device that nobody has chosen one for.
const USUAL_PROFILE: &str = "full";

impl DeviceForm {
    /// That of a device that is there.
    pub(super) fn of(frame: &Frame, choices: &Choices, detailed: &DetailedDevice) -> Self {
        let device = &detailed.device;
        let gate = detailed.gate.as_ref();
        Self {
            name: device.name.clone(),
            all_events: device.all_events,
            events: choice::events(choices, frame.language.code(), &device.limit_events),
            gates: choice::gates(choices, gate.map(|gate| gate.identifier.as_str())),
            profiles: choice::profiles(Some(&device.security_profile)),
            name_fault: None,
            events_fault: None,
            gate_fault: None,
            profile_fault: None,
        }
    }

    /// That of a new device.
    pub(super) fn empty(frame: &Frame, choices: &Choices) -> Self {
        Self {
            name: String::new(),
            all_events: choices.events.is_empty(),
            events: choice::events(choices, frame.language.code(), &[]),
            gates: choice::gates(choices, None),
            profiles: choice::profiles(Some(USUAL_PROFILE)),
            name_fault: None,
            events_fault: None,
            gate_fault: None,
            profile_fault: None,
        }
    }

    /// What was sent, with what is wrong with it.
    pub(super) fn sent(
        frame: &Frame,
        choices: &Choices,
        form: &Body,
        errors: &FieldErrors,
    ) -> Self {
        let text = |field: &str| form.text(field).unwrap_or_default();
        let fault = |field: &str| field_words::of(frame, errors, field);
        let slugs = form.texts("limit_events");
        Self {
            name: text("name"),
            all_events: text("all_events") == "true",
            events: choice::events(choices, frame.language.code(), &slugs),
            gates: choice::gates(choices, form.text("gate").as_deref()),
            profiles: choice::profiles(form.text("security_profile").as_deref()),
            name_fault: fault("name"),
            events_fault: fault("limit_events").or_else(|| fault("all_events")),
            gate_fault: fault("gate"),
            profile_fault: fault("security_profile"),
        }
    }

    /// Whether anything is wrong.
    pub(super) fn is_refused(&self) -> bool {
        let faults = [
            &self.name_fault,
            &self.events_fault,
            &self.gate_fault,
            &self.profile_fault,
        ];
        faults.into_iter().any(Option::is_some)
    }
}
