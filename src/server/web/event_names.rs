//! What events are called, by the slugs that devices have.

use std::collections::HashMap;

use super::fault::Fault;
use super::frame::Frame;
use super::texts::alone;
use super::visit::Visit;
use crate::server::store::Choices;

/// What an organizer's events are called, in the language of a page.
pub(super) struct EventNames(HashMap<String, String>);

impl EventNames {
    pub(super) fn of(frame: &Frame, choices: &Choices) -> Self {
        let language = frame.language.code();
        let events = choices.events.iter();
        let names = events.map(|(slug, name)| (slug.clone(), name.text_in(language).to_owned()));
        Self(names.collect())
    }

    pub(super) async fn read(visit: &Visit) -> Result<Self, Fault> {
        let choices = visit.state.store.choices(visit.organizer()?).await?;
        Ok(Self::of(&visit.frame, &choices))
    }

    /// The names of these, as they may be shown.
    pub(super) fn list(&self, slugs: &[String]) -> String {
        let names = slugs.iter().map(|slug| {
            let name = self.0.get(slug).filter(|name| !name.is_empty());
            alone(name.unwrap_or(slug))
        });
        names.collect::<Vec<_>>().join(", ")
    }
}
