//! A device that is to be made.

use serde_json::{Map, Value, json};

use super::change::{Change, Events};

/// A device that is to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NewDevice {
    pub(crate) name: String,
    pub(crate) events: Events,
    pub(crate) security_profile: String,
    /// A gate's identifier.
    pub(crate) gate: Option<String>,
}

impl NewDevice {
    pub(super) fn fields(&self) -> Map<String, Value> {
        let mut fields = Map::new();
        fields.insert("name".to_owned(), json!(self.name));
        self.events.write(&mut fields);
        fields.insert("security_profile".to_owned(), json!(self.security_profile));
        if let Some(gate) = &self.gate {
            fields.insert("gate".to_owned(), json!(gate));
        }
        fields
    }

    /// What would make another device this one.
    pub(crate) fn as_change(&self) -> Change {
        Change {
            name: Some(self.name.clone()),
            events: Some(self.events.clone()),
            security_profile: Some(self.security_profile.clone()),
            gate: self.gate.clone().map(Some),
        }
    }
}
