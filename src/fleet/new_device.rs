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
    /// Of the table that it stands in.
    pub(crate) line: Option<u64>,
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

    /// By what whoever asked for it finds it, as `"Lane 7" in line 8`.
    pub(super) fn in_words(&self) -> String {
        match self.line {
            Some(line) => format!("{:?} in line {line}", self.name),
            None => format!("{:?}", self.name),
        }
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
