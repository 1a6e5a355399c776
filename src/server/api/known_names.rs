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
            let known = unknown.known_gates.clone();
            let identifier = gate;
            entry.refuse(GATE, FieldFault::NoGate { identifier, known });
        }
    }
    Ok(())
}

/// That the organizer has no gate of this identifier.
pub(super) async fn no_gate<S: Store + ?Sized>(
    store: &S,
    organizer: i64,
    identifier: String,
) -> Result<FieldFault, StoreError> {
    let named = vec![identifier.clone()];
    let unknown = store.unknown_names(organizer, Vec::new(), named).await?;
    Ok(FieldFault::NoGate {
        identifier,
        known: unknown.known_gates,
    })
}
