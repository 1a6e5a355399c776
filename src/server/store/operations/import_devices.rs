//! Bringing in the devices of an organizers file, of which there may be any number: one at a time is in
//! memory, and what is to be known of all that are there already is asked of the database.

use std::collections::HashMap;

use super::found::unknown;
use super::{Context, devices, events, log, organizers};
use crate::server::model::NewDevice;
use crate::server::organizers_file::{DeviceEntry, Fault, OrganizersFile, Place};
use crate::server::store::error::StoreError;
use crate::server::store::session::{Session, Value, values};
use crate::server::tokens;

/// Brings in the devices of these organizers, in the order of the file; how many were created.
///
/// A device is known by its serial or API key, or else by its name. One that is known is left as it is.
pub(super) fn import(
    session: &mut dyn Session,
    context: &Context<'_>,
    file: &OrganizersFile,
    organizers: &[i64],
) -> Result<u64, StoreError> {
    let is_first = session.one::<i64>("SELECT id FROM device LIMIT 1", values![])?;
    let mut names = match is_first {
        None => None,
        Some(_) => Some(Names::note(session, organizers)?),
    };
    if let Some(names) = &mut names {
        file.devices(|place, device| {
            let organizer = organizer(organizers, place)?;
            if let Some(name) = known(session, organizer, &device, place)? {
                names.claim(session, organizer, &name)?;
            }
            Ok::<(), StoreError>(())
        })?;
    }
    let mut created = 0;
    let mut current: Option<(usize, Organizer)> = None;
    file.devices(|place, device| {
        let organizer = organizer(organizers, place)?;
        if let Some(names) = &mut names
            && (known(session, organizer, &device, place)?.is_some()
                || names.claim(session, organizer, &device.name)?)
        {
            return Ok::<(), StoreError>(());
        }
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
        into.create(session, context, device, place)?;
        created += 1;
        Ok(())
    })?;
    if let Some((_, done)) = current {
        done.store_count(session)?;
    }
    if let Some(names) = names {
        names.forget(session)?;
    }
    Ok(created)
}

fn organizer(organizers: &[i64], place: Place) -> Result<i64, StoreError> {
    let row = organizers.get(place.organizer).copied();
    row.ok_or_else(|| unknown("organizer", &place.organizer.to_string()))
}

/// The name of the device that has this key, or else this serial; it must be the organizer's.
fn known(
    session: &mut dyn Session,
    organizer: i64,
    device: &DeviceEntry,
    place: Place,
) -> Result<Option<String>, StoreError> {
    let by_key = match &device.api_key_hash {
        Some(hash) => holder(
            session,
            "SELECT organizer, name FROM device WHERE api_key_hash = ?1",
            hash.into(),
        )?,
        None => None,
    };
    let (holder, field, what) = match (by_key, &device.unique_serial) {
        (None, Some(serial)) => {
            let sql = "SELECT organizer, name FROM device WHERE unique_serial = ?1";
            let by_serial = holder(session, sql, serial.into())?;
            (by_serial, "unique_serial", "a serial")
        }
        (by_key, _) => (by_key, "api_token", "an API key"),
    };
    match holder {
        Some((of, _)) if of != organizer => Err(StoreError::Contradiction(Fault {
            path: path(place, field),
            found: what.to_owned(),
            expected: "one that no other organizer's device on the server has".to_owned(),
        })),
        holder => Ok(holder.map(|(_, name)| name)),
    }
}

/// The organizer and the name of the device that a statement finds.
fn holder(
    session: &mut dyn Session,
    sql: &str,
    value: Value<'_>,
) -> Result<Option<(i64, String)>, StoreError> {
    session.row(sql, &[value], |columns| {
        Ok((columns.next()?, columns.next()?))
    })
}

fn path(place: Place, field: &str) -> String {
    let Place { organizer, device } = place;
    format!("organizers[{organizer}].devices[{device}].{field}")
}

/// How many devices of each name were there before, less those that devices in the file are known as.
struct Names;

impl Names {
    fn note(session: &mut dyn Session, organizers: &[i64]) -> Result<Self, StoreError> {
        session.execute(
            "CREATE TEMPORARY TABLE unclaimed_name (
                organizer BIGINT NOT NULL,
                name TEXT NOT NULL,
                devices BIGINT NOT NULL,
                PRIMARY KEY (organizer, name))",
            values![],
        )?;
        for organizer in organizers {
            session.execute(
                "INSERT INTO unclaimed_name (organizer, name, devices)
                 SELECT organizer, name, count(*) FROM device WHERE organizer = ?1
                 GROUP BY organizer, name",
                values![*organizer],
            )?;
        }
        Ok(Self)
    }

    /// Whether there is a device of this name that is not taken for another.
    fn claim(
        &mut self,
        session: &mut dyn Session,
        organizer: i64,
        name: &str,
    ) -> Result<bool, StoreError> {
        let claimed = session.execute(
            "UPDATE unclaimed_name SET devices = devices - 1
             WHERE organizer = ?1 AND name = ?2 AND devices > 0",
            values![organizer, name],
        )?;
        Ok(claimed > 0)
    }

    fn forget(self, session: &mut dyn Session) -> Result<(), StoreError> {
        session.execute("DROP TABLE unclaimed_name", values![])?;
        Ok(())
    }
}

/// An organizer to which devices are added, with what these refer to.
struct Organizer {
    row: i64,
    device_count: u64,
    gates: HashMap<String, i64>,
    events: HashMap<String, i64>,
}

impl Organizer {
    fn begin(session: &mut dyn Session, row: i64) -> Result<Self, StoreError> {
        Ok(Self {
            row,
            device_count: devices::count(session, row)?,
            gates: HashMap::new(),
            events: HashMap::new(),
        })
    }

    fn store_count(&self, session: &mut dyn Session) -> Result<(), StoreError> {
        session.execute(
            "UPDATE organizer SET device_count = ?2 WHERE id = ?1",
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
    ) -> Result<(), StoreError> {
        let gate = match &device.gate {
            Some(identifier) => Some(self.gate(session, identifier)?),
            None => None,
        };
        let serial = match &device.unique_serial {
            Some(serial) => serial,
            None => &tokens::serial()?,
        };
        self.device_count += 1;
        let beginning = devices::Beginning {
            device_id: self.device_count,
            serial,
            name: &device.name,
            all_events: device.all_events,
            security_profile: &device.security_profile,
            gate,
            api_key_hash: device.api_key_hash.as_ref(),
            revoked: device.revoked,
            report: &device.report,
        };
        let row = devices::insert(session, context, self.row, &beginning)?;
        // Only where the file was changed since it was looked at.
        let row = row.ok_or_else(|| {
            StoreError::Contradiction(Fault {
                path: path(place, "unique_serial"),
                found: "a serial or an API key".to_owned(),
                expected: "one that no other device on the server has".to_owned(),
            })
        })?;
        for slug in &device.limit_events {
            let event = self.event(session, slug)?;
            session.execute(
                "INSERT INTO device_event (device, event) VALUES (?1, ?2)",
                values![row, event],
            )?;
        }
        let new = NewDevice {
            name: device.name,
            all_events: device.all_events,
            limit_events: device.limit_events,
            security_profile: device.security_profile,
            gate: device.gate,
        };
        log::write(session, context, row, "created", &devices::created(&new))
    }

    fn gate(&mut self, session: &mut dyn Session, identifier: &str) -> Result<i64, StoreError> {
        if let Some(row) = self.gates.get(identifier) {
            return Ok(*row);
        }
        let row = organizers::gate_row(session, self.row, identifier)?;
        self.gates.insert(identifier.to_owned(), row);
        Ok(row)
    }

    fn event(&mut self, session: &mut dyn Session, slug: &str) -> Result<i64, StoreError> {
        if let Some(row) = self.events.get(slug) {
            return Ok(*row);
        }
        let row = events::row_of(session, self.row, slug)?;
        let row = row.ok_or_else(|| unknown("event", slug))?;
        self.events.insert(slug.to_owned(), row);
        Ok(row)
    }
}
