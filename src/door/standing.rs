//! How the device stands, as its programs are told.

use jiff::Timestamp;
use serde::Serialize;

use crate::agent::{AgentError, Identity, Selected, State, Status, Warning};
use crate::causes;
use crate::wire::{Gate, timestamp};

/// The version of the documents of a door: a change that a program could trip over makes another.
pub(super) const VERSION: u32 = 1;

/// How the device stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Standing {
    version: u32,
    software: &'static str,
    state: State,
    /// Whether the server answered when it was last asked; unknown until then.
    online: Option<bool>,
    /// When it last did.
    #[serde(with = "timestamp::optional")]
    last_contact: Option<Timestamp>,
    /// What was begun and is not finished.
    pending: bool,
    #[serde(flatten)]
    device: Option<Device>,
    event_selection: Option<Selection>,
    problem: Option<Problem>,
    /// What somebody should see to though it works.
    warning: Option<Problem>,
    /// Whether the problem is the vault's, and over when the vault says otherwise.
    #[serde(skip)]
    is_of_vault: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Device {
    server: String,
    organizer: String,
    device_id: u64,
    unique_serial: String,
    name: String,
    gate: Option<Gate>,
    security_profile: Option<String>,
    server_version: Option<String>,
}

/// What the server last said on what to scan for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Selection {
    /// When it said so.
    #[serde(with = "timestamp")]
    pub as_of: Timestamp,
    /// The event with its check-in list; none if nothing is on.
    pub selected: Option<Selected>,
}

/// Why a program gets nothing, or not all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// The kind of error, a word that never changes its meaning.
    pub kind: &'static str,
    /// What failed, and why.
    pub detail: String,
}

impl Problem {
    /// The words of an error of the agent.
    pub fn of(error: &AgentError) -> Self {
        let words = std::iter::once(error.to_string()).chain(causes::of(error));
        Self {
            kind: error.kind().code(),
            detail: words.collect::<Vec<_>>().join(": "),
        }
    }
}

impl Default for Standing {
    fn default() -> Self {
        Self {
            version: VERSION,
            software: concat!("gatehand ", env!("CARGO_PKG_VERSION")),
            state: State::NotEnrolled,
            online: None,
            last_contact: None,
            pending: false,
            device: None,
            event_selection: None,
            problem: None,
            warning: None,
            is_of_vault: false,
        }
    }
}

impl Device {
    /// Whether both are one device of one server.
    fn is(&self, other: &Self) -> bool {
        (&self.server, &self.organizer, self.device_id)
            == (&other.server, &other.organizer, other.device_id)
    }

    fn of(identity: &Identity) -> Self {
        Self {
            server: identity.server.to_string(),
            organizer: identity.organizer.clone(),
            device_id: identity.device_id,
            unique_serial: identity.unique_serial.clone(),
            name: identity.name.clone(),
            gate: identity.gate.clone(),
            security_profile: identity.security_profile.clone(),
            server_version: identity.server_version.clone(),
        }
    }
}

impl Standing {
    /// How the device stands with its server.
    pub fn state(&self) -> State {
        self.state
    }

    /// Its gate, if it has one.
    pub fn gate(&self) -> Option<&str> {
        let gate = self.device.as_ref()?.gate.as_ref();
        gate.map(|gate| gate.name.as_str())
    }

    /// Its security profile, if the server told it.
    pub(super) fn security_profile(&self) -> Option<&str> {
        self.device.as_ref()?.security_profile.as_deref()
    }

    /// Whether the server answered when it was last asked.
    pub fn online(&self) -> Option<bool> {
        self.online
    }

    /// When it last answered.
    pub fn last_contact(&self) -> Option<Timestamp> {
        self.last_contact
    }

    /// Whether something was begun and is not finished.
    pub fn is_pending(&self) -> bool {
        self.pending
    }

    /// What the server last said on what to scan for.
    pub fn event_selection(&self) -> Option<&Selection> {
        self.event_selection.as_ref()
    }

    /// Why the device can do nothing or not all, if that is so.
    pub fn problem(&self) -> Option<&Problem> {
        self.problem.as_ref()
    }

    /// What somebody should see to though it works, if anything is.
    pub fn warning(&self) -> Option<&Problem> {
        self.warning.as_ref()
    }

    /// Takes over what the vault says. What is known of one device is not said of another.
    pub fn look(&mut self, status: &Result<Status, AgentError>, warning: Option<Warning>) {
        self.warning = warning.map(|warning| Problem {
            kind: warning.kind,
            detail: warning.in_words(),
        });
        let status = match status {
            Ok(status) => status,
            Err(error) => {
                self.problem = Some(Problem::of(error));
                self.is_of_vault = true;
                return;
            }
        };
        let device = status.identity.as_ref().map(Device::of);
        let is_same = match (&self.device, &device) {
            (Some(before), Some(now)) => before.is(now),
            (before, now) => before.is_none() && now.is_none(),
        };
        if !is_same {
            (self.online, self.last_contact, self.event_selection) = (None, None, None);
        }
        if !is_same || self.state != status.state || self.is_of_vault {
            self.problem = None;
        }
        self.is_of_vault = false;
        self.state = status.state;
        self.pending = status.pending.is_some() || status.unfinished.is_some();
        self.device = device;
        if let Some(hindrance) = &status.hindrance {
            self.problem = Some(Problem::of(hindrance));
        }
    }

    /// Whether it is another device than it was.
    pub fn is_of_another_device(&self, before: &Self) -> bool {
        match (&before.device, &self.device) {
            (Some(before), Some(now)) => !before.is(now),
            (before, now) => before.is_some() != now.is_some(),
        }
    }

    /// The server has answered the agent.
    pub fn heard(&mut self) {
        self.reached(true);
        self.problem = None;
    }

    /// Whether a program's call has shown that the server is there. What is in the way of the agent it does not say.
    pub(super) fn reached(&mut self, is_there: bool) {
        self.online = Some(is_there);
        if is_there {
            self.last_contact = Some(Timestamp::now());
        }
    }

    /// The server could not be asked, or something is in the way.
    pub fn failed(&mut self, error: &AgentError) {
        if error.is_for_want_of_the_server() {
            self.online = Some(false);
        }
        self.problem = Some(Problem::of(error));
    }

    /// What the server says on what to scan for.
    pub fn selected(&mut self, selected: Option<Selected>) {
        self.event_selection = Some(Selection {
            as_of: Timestamp::now(),
            selected,
        });
    }

    /// The same for a person, in a line.
    pub fn in_words(&self) -> String {
        let who = match (&self.device, self.state) {
            (_, State::NotEnrolled) => return "Waiting for an enrolment".to_owned(),
            (_, State::Enrolling) => "Enrolling".to_owned(),
            (Some(device), state) => {
                let gate = device
                    .gate
                    .as_ref()
                    .map(|gate| format!(" at {}", gate.name));
                let name = format!("{}{}", device.name, gate.unwrap_or_default());
                match state {
                    State::Revoked => format!("{name} was revoked"),
                    State::Rejected => format!("{name} is not accepted by {}", device.server),
                    _ => format!("{name}, enrolled at {}", device.server),
                }
            }
            (None, _) => "No device".to_owned(),
        };
        match (&self.problem, self.last_contact) {
            (Some(problem), _) => format!("{who}: {}", problem.detail),
            (None, Some(at)) => format!(
                "{who}; server answered {}",
                at.strftime("%Y-%m-%d %H:%M UTC")
            ),
            (None, None) => who,
        }
    }

    /// What programs are told of, each with what it is now.
    pub(super) fn parts(&self) -> [(&'static str, serde_json::Value); 5] {
        let json = |value: Result<serde_json::Value, serde_json::Error>| value.unwrap_or_default();
        let device = self.device.as_ref();
        [
            ("state", json(serde_json::to_value(self.state))),
            (
                "name",
                json(serde_json::to_value(device.map(|device| &device.name))),
            ),
            (
                "gate",
                json(serde_json::to_value(
                    device.and_then(|device| device.gate.as_ref()),
                )),
            ),
            (
                "event",
                json(serde_json::to_value(
                    self.event_selection
                        .as_ref()
                        .and_then(|selection| selection.selected.as_ref()),
                )),
            ),
            ("online", json(serde_json::to_value(self.online))),
        ]
    }
}
