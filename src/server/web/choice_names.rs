//! What events and gates are called, by what devices and their log know them by.

use std::collections::HashMap;

use serde_json::Value;

use super::fault::Fault;
use super::frame::Frame;
use super::texts::alone;
use super::visit::Visit;
use crate::server::store::Choices;

/// What an organizer's events and gates are called, in the language of a page.
pub(super) struct ChoiceNames {
    events: HashMap<String, String>,
    gates: HashMap<String, String>,
}

impl ChoiceNames {
    pub(super) fn of(frame: &Frame, choices: &Choices) -> Self {
        let language = frame.language.code();
        let events = choices.events.iter();
        let events = events.map(|(slug, name)| (slug.clone(), name.text_in(language).to_owned()));
        let gates = choices.gates.iter();
        let gates = gates.map(|gate| (gate.identifier.clone(), gate.name.clone()));
        Self {
            events: events.collect(),
            gates: gates.collect(),
        }
    }

    pub(super) async fn read(visit: &Visit) -> Result<Self, Fault> {
        let choices = visit.state.store.choices(visit.organizer()?).await?;
        Ok(Self::of(&visit.frame, &choices))
    }

    /// The names of events, as they may be shown.
    pub(super) fn events<'s>(&self, slugs: impl IntoIterator<Item = &'s str>) -> String {
        let names = slugs.into_iter().map(|slug| named(&self.events, slug));
        names.collect::<Vec<_>>().join(", ")
    }

    /// What a field of a device holds, if it holds such.
    pub(super) fn in_words(&self, field: &str, value: &Value) -> Option<String> {
        match (field, value) {
            ("gate", Value::String(identifier)) => Some(named(&self.gates, identifier)),
            ("limit_events", Value::Array(slugs)) => {
                Some(self.events(slugs.iter().filter_map(Value::as_str)))
            }
            _ => None,
        }
    }
}

/// One that is not known, or has no name, is called as it is known.
fn named(names: &HashMap<String, String>, known_by: &str) -> String {
    let name = names.get(known_by).filter(|name| !name.is_empty());
    alone(name.map_or(known_by, String::as_str)).into_owned()
}
