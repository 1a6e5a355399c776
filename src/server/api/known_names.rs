//! Events and gates that are named have to be the organizer's.

use std::collections::BTreeSet;

use super::field_errors::FieldFault;
use super::validation::Checked;
use crate::server::store::{Store, StoreError};

const EVENTS: &str = "limit_events";
const GATE: &str = "gate";

/// Refuses events and gates that the organizer does not have, of each entry.
pub(in crate::server) async fn refuse_unknown<S: Store + ?Sized>(
    store: &S,
    organizer: i64,
    entries: impl Iterator<Item = &mut Checked>,
) -> Result<(), StoreError> {
    let entries: Vec<&mut Checked> = entries.collect();
    let (mut events, mut gates) = (BTreeSet::new(), BTreeSet::new());
    for entry in &entries {
        events.extend(entry.slugs(EVENTS));
        gates.extend(entry.text(GATE).map(str::to_owned));
    }
    if events.is_empty() && gates.is_empty() {
        return Ok(());
    }
    let unknown = store.unknown_names(
        organizer,
        events.into_iter().collect(),
        gates.into_iter().collect(),
    );
    let unknown = unknown.await?;
    for entry in entries {
        let slugs = entry.slugs(EVENTS);
        if let Some(slug) = slugs.into_iter().find(|slug| unknown.events.contains(slug)) {
            entry.refuse(EVENTS, FieldFault::NoEvent(slug));
        }
        let gate = entry.text(GATE).map(str::to_owned);
        if let Some(gate) = gate.filter(|gate| unknown.gates.contains(gate)) {
            entry.refuse(GATE, FieldFault::NoGate(gate));
        }
    }
    Ok(())
}
