//! Bringing in the devices of an organizers file, of which there may be any number: one at a time is in
//! memory, and what is to be known of all that are there already is asked of the database.

use std::collections::HashMap;

use super::contradictions::Contradictions;
use super::found::unknown;
use super::known_devices::{KnownDevice, Outcome, Unclaimed};
use super::{Context, device_changes, events, log, numbers, organizers};
use crate::server::model::NewDevice;
use crate::server::organizers_file::{DeviceEntry, Fault, OrganizersFile, Place};
use crate::server::store::administration::Imported;
use crate::server::store::error::StoreError;
use crate::server::store::session::{Session, values};
use crate::server::tokens;

/// Brings in the devices of these organizers, in the order of the file; what became of them.
///
/// A device is known by its serial or API key, or else by its name. One that is known by more than its
/// name becomes as the file says.
pub(super) fn import(
    session: &mut dyn Session,
    context: &Context<'_>,
    file: &OrganizersFile,
    organizers: &[i64],
    contradictions: &mut Contradictions,
) -> Result<Imported, StoreError> {
    let is_first = session.one::<i64>("SELECT id FROM device LIMIT 1", values![])?;
    let mut unclaimed = match is_first {
        None => None,
        Some(_) => Some(Unclaimed::note(session, organizers)?),
    };
    if let Some(unclaimed) = &mut unclaimed {
        file.devices(|place, device| {
            let organizer = organizer(organizers, place)?;
            match KnownDevice::find(session, organizer, &device, place)? {
                Some(known) => unclaimed.claim(session, &known, &device, place),
                None => Ok::<(), StoreError>(()),
            }
        })?;
    }
    let mut report = Imported::default();
    let mut current: Option<(usize, Organizer)> = None;
    file.devices(|place, device| {
        let organizer = organizer(organizers, place)?;
        let into = match &mut current {
            Some((number, into)) if *number == place.organizer => into,
            _ => {
                if let Some((_, done)) = current.take() {
                    done.store_count(session)?;
                }
                let begun = Organizer::begin(session, organizer)?;
                &mut current.insert((place.organizer, begun)).1
            }
        };
        let Some(references) = into.references(session, &device, place, contradictions)? else {
            return Ok::<(), StoreError>(());
        };
        let outcome = match &mut unclaimed {
            Some(unclaimed) => meet(session, context, unclaimed, organizer, &device, place)?,
            None => None,
        };
        match outcome {
            Some(outcome) => {
                report.changed += u64::from(outcome.is_changed);
                report.left += u64::from(outcome.is_left);
            }
            None => {
                into.create(session, context, device, place, &references)?;
                report.created += 1;
            }
        }
        Ok(())
    })?;
    if let Some((_, done)) = current {
        done.store_count(session)?;
    }
    if let Some(unclaimed) = unclaimed {
        unclaimed.forget(session)?;
    }
    Ok(report)
}

fn organizer(organizers: &[i64], place: Place) -> Result<i64, StoreError> {
    let row = organizers.get(place.organizer).copied();
    row.ok_or_else(|| unknown("organizer", &place.organizer.to_string()))
}

/// What became of the device that is there; `None` if there is none.
fn meet(
    session: &mut dyn Session,
    context: &Context<'_>,
    unclaimed: &mut Unclaimed,
    organizer: i64,
    device: &DeviceEntry,
    place: Place,
) -> Result<Option<Outcome>, StoreError> {
    if let Some(known) = KnownDevice::find(session, organizer, device, place)? {
        return known.become_as(session, context, device).map(Some);
    }
    match unclaimed.claim_name(session, organizer, &device.name)? {
        Some(known) => known.stay(session, device).map(Some),
        None => Ok(None),
    }
}

/// An organizer to which devices are added, with what these refer to.
struct Organizer {
    row: i64,
    device_count: u64,
    gates: HashMap<String, i64>,
    events: HashMap<String, i64>,
}

/// The rows of what a device refers to.
struct References {
    gate: Option<i64>,
    events: Vec<i64>,
}

impl Organizer {
    fn begin(session: &mut dyn Session, row: i64) -> Result<Self, StoreError> {
        Ok(Self {
            row,
            device_count: numbers::last(session, row)?,
            gates: HashMap::new(),
            events: HashMap::new(),
        })
    }

    fn store_count(&self, session: &mut dyn Session) -> Result<(), StoreError> {
        session.execute(
            "UPDATE organizer SET device_count = ?2 WHERE id = ?1 AND device_count <> ?2",
            values![self.row, self.device_count],
        )?;
        Ok(())
    }

    fn create(
        &mut self,
        session: &mut dyn Session,
        context: &Context<'_>,
        device: DeviceEntry,
        place: Place,
        references: &References,
    ) -> Result<(), StoreError> {
        let serial = match &device.unique_serial {
            Some(serial) => serial,
            None => &tokens::serial()?,
        };
        self.device_count += 1;
        let beginning = device_changes::Beginning {
            device_id: self.device_count,
            serial,
            name: &device.name,
            all_events: device.all_events,
            security_profile: &device.security_profile,
            gate: references.gate,
            api_key_hash: device.api_key_hash.as_ref(),
            revoked: device.revoked,
            report: &device.report,
        };
        let row = device_changes::insert(session, context, self.row, &beginning)?;
        // Only where the file was changed since it was looked at.
        let row = row.ok_or_else(|| {
            StoreError::contradiction(Fault {
                path: place.path(Some("unique_serial")),
                device: Some(device.name.clone()),
                found: "a serial or an API key".to_owned(),
                expected: "one that no other device on the server has".to_owned(),
            })
        })?;
        for event in &references.events {
            session.execute(
                "INSERT INTO device_event (device, event) VALUES (?1, ?2)",
                values![row, *event],
            )?;
        }
        let new = NewDevice {
            name: device.name,
            all_events: device.all_events,
            limit_events: device.limit_events,
            security_profile: device.security_profile,
            gate: device.gate,
        };
        log::write(
            session,
            context,
            row,
            "created",
            &device_changes::created(&new),
        )
    }

    /// Looks up what a device refers to; `None` if something is not there, which is noted.
    fn references(
        &mut self,
        session: &mut dyn Session,
        device: &DeviceEntry,
        place: Place,
        contradictions: &mut Contradictions,
    ) -> Result<Option<References>, StoreError> {
        let name = Some(&device.name);
        let mut is_whole = true;
        let mut gate = None;
        if let Some(identifier) = &device.gate {
            gate = self.gate(session, identifier)?;
            if gate.is_none() {
                contradictions.no_gate(place.path(Some("gate")), name, identifier);
                is_whole = false;
            }
        }
        let mut events = Vec::with_capacity(device.limit_events.len());
        for (at, slug) in device.limit_events.iter().enumerate() {
            match self.event(session, slug)? {
                Some(event) => events.push(event),
                None => {
                    let path = place.path(Some(&format!("limit_events[{at}]")));
                    contradictions.no_event(path, name, slug);
                    is_whole = false;
                }
            }
        }
        Ok(is_whole.then_some(References { gate, events }))
    }

    fn gate(
        &mut self,
        session: &mut dyn Session,
        identifier: &str,
    ) -> Result<Option<i64>, StoreError> {
        if let Some(row) = self.gates.get(identifier) {
            return Ok(Some(*row));
        }
        let row = organizers::find_gate(session, self.row, identifier)?;
        self.gates
            .extend(row.map(|row| (identifier.to_owned(), row)));
        Ok(row)
    }

    fn event(&mut self, session: &mut dyn Session, slug: &str) -> Result<Option<i64>, StoreError> {
        if let Some(row) = self.events.get(slug) {
            return Ok(Some(*row));
        }
        let row = events::row_of(session, self.row, slug)?;
        self.events.extend(row.map(|row| (slug.to_owned(), row)));
        Ok(row)
    }
}
