//! The devices that an organizers file means and that are there already, and what it changes of them.

use std::collections::HashSet;

use super::found::unknown;
use super::{Context, device_changes};
use crate::server::model::DeviceChange;
use crate::server::organizers_file::{DeviceEntry, Fault, Place};
use crate::server::store::error::StoreError;
use crate::server::store::session::{Session, Value, values};

/// A device that is there.
pub(super) struct KnownDevice {
    row: i64,
    organizer: i64,
    device_id: u64,
    serial: String,
    name: String,
    all_events: bool,
    security_profile: String,
    revoked: bool,
    gate: Option<String>,
}

macro_rules! select_device {
    ($condition:literal) => {
        concat!(
            "SELECT device.id, device.organizer, device.device_id, device.unique_serial,
                device.name, device.all_events, device.security_profile, device.revoked,
                gate.identifier
             FROM device LEFT JOIN gate ON gate.id = device.gate WHERE device.",
            $condition
        )
    };
}

/// What became of a device that is there.
#[derive(Clone, Copy, Default)]
pub(super) struct Outcome {
    /// Something was changed.
    pub(super) is_changed: bool,
    /// Something differs, and was left as it is.
    pub(super) is_left: bool,
}

impl KnownDevice {
    /// The device that has this key, or else this serial; it must be the organizer's.
    pub(super) fn find(
        session: &mut dyn Session,
        organizer: i64,
        device: &DeviceEntry,
        place: Place,
    ) -> Result<Option<Self>, StoreError> {
        let by_key = match &device.api_key_hash {
            Some(hash) => Self::read(session, select_device!("api_key_hash = ?1"), hash.into())?,
            None => None,
        };
        let (found, field, what) = match (by_key, &device.unique_serial) {
            (None, Some(serial)) => {
                let sql = select_device!("unique_serial = ?1");
                let by_serial = Self::read(session, sql, serial.into())?;
                (by_serial, "unique_serial", "a serial")
            }
            (by_key, _) => (by_key, "api_token", "an API key"),
        };
        match found {
            Some(other) if other.organizer != organizer => Err(StoreError::contradiction(Fault {
                path: place.path(Some(field)),
                device: Some(device.name.clone()),
                found: what.to_owned(),
                expected: "one that no other organizer's device on the server has".to_owned(),
            })),
            found => Ok(found),
        }
    }

    fn read(
        session: &mut dyn Session,
        sql: &str,
        value: Value<'_>,
    ) -> Result<Option<Self>, StoreError> {
        session.row(sql, &[value], |columns| {
            Ok(Self {
                row: columns.next()?,
                organizer: columns.next()?,
                device_id: columns.next()?,
                serial: columns.next()?,
                name: columns.next()?,
                all_events: columns.next()?,
                security_profile: columns.next()?,
                revoked: columns.next()?,
                gate: columns.next()?,
            })
        })
    }

    /// Makes of it what the file says. Its key and serial stay, and an end of its access is for good.
    pub(super) fn become_as(
        &self,
        session: &mut dyn Session,
        context: &Context<'_>,
        device: &DeviceEntry,
    ) -> Result<Outcome, StoreError> {
        let change = self.change_to(session, device)?;
        let is_changed = change != DeviceChange::default();
        if is_changed {
            device_changes::change(session, context, self.organizer, self.device_id, &change)?;
        }
        let ends = device.revoked && !self.revoked;
        if ends {
            device_changes::revoke(session, context, self.row)?;
        }
        Ok(Outcome {
            is_changed: is_changed || ends,
            is_left: self.stays_other_than(device),
        })
    }

    /// What becomes of it where its name alone says that it is the one in the file: as it may be
    /// another, it stays.
    pub(super) fn stay(
        &self,
        session: &mut dyn Session,
        device: &DeviceEntry,
    ) -> Result<Outcome, StoreError> {
        let differs = self.revoked != device.revoked
            || self.stays_other_than(device)
            || self.change_to(session, device)? != DeviceChange::default();
        Ok(Outcome {
            is_changed: false,
            is_left: differs,
        })
    }

    /// Whether there is something in the file that is never changed of a device.
    fn stays_other_than(&self, device: &DeviceEntry) -> bool {
        let serial = device.unique_serial.as_ref();
        (self.revoked && !device.revoked) || serial.is_some_and(|serial| *serial != self.serial)
    }

    fn change_to(
        &self,
        session: &mut dyn Session,
        device: &DeviceEntry,
    ) -> Result<DeviceChange, StoreError> {
        let limits = session.rows(
            "SELECT event.slug FROM device_event JOIN event ON event.id = device_event.event
             WHERE device_event.device = ?1",
            values![self.row],
            |columns| columns.next(),
        )?;
        let limits: HashSet<String> = limits.into_iter().collect();
        let is_limited_so = limits.len() == device.limit_events.len()
            && device.limit_events.iter().all(|slug| limits.contains(slug));
        Ok(DeviceChange {
            name: (self.name != device.name).then(|| device.name.clone()),
            all_events: (self.all_events != device.all_events).then_some(device.all_events),
            limit_events: (!is_limited_so).then(|| device.limit_events.clone()),
            security_profile: (self.security_profile != device.security_profile)
                .then(|| device.security_profile.clone()),
            gate: (self.gate != device.gate).then(|| device.gate.clone()),
        })
    }
}

/// The devices that were there before and that none in the file is taken for yet.
pub(super) struct Unclaimed;

impl Unclaimed {
    pub(super) fn note(session: &mut dyn Session, organizers: &[i64]) -> Result<Self, StoreError> {
        session.execute(
            "CREATE TEMPORARY TABLE unclaimed_device (
                organizer BIGINT NOT NULL,
                name TEXT NOT NULL,
                device BIGINT NOT NULL,
                PRIMARY KEY (organizer, name, device))",
            values![],
        )?;
        for organizer in organizers {
            session.execute(
                "INSERT INTO unclaimed_device (organizer, name, device)
                 SELECT organizer, name, id FROM device WHERE organizer = ?1",
                values![*organizer],
            )?;
        }
        Ok(Self)
    }

    /// Takes a device for one in the file; two there can't be the same.
    pub(super) fn claim(
        &mut self,
        session: &mut dyn Session,
        known: &KnownDevice,
        device: &DeviceEntry,
        place: Place,
    ) -> Result<(), StoreError> {
        match self.take(session, known.organizer, &known.name, known.row)? {
            true => Ok(()),
            false => Err(StoreError::contradiction(Fault {
                path: place.path(None),
                device: Some(device.name.clone()),
                found: "a key or serial".to_owned(),
                expected: "another device than one before it, which has both on the server"
                    .to_owned(),
            })),
        }
    }

    /// Takes the first device of a name for one in the file that is known by nothing else.
    pub(super) fn claim_name(
        &mut self,
        session: &mut dyn Session,
        organizer: i64,
        name: &str,
    ) -> Result<Option<KnownDevice>, StoreError> {
        let first: Option<i64> = session.one(
            "SELECT device FROM unclaimed_device WHERE organizer = ?1 AND name = ?2
             ORDER BY device LIMIT 1",
            values![organizer, name],
        )?;
        let Some(row) = first else {
            return Ok(None);
        };
        self.take(session, organizer, name, row)?;
        let known = KnownDevice::read(session, select_device!("id = ?1"), row.into())?;
        known.ok_or_else(|| unknown("device", name)).map(Some)
    }

    fn take(
        &mut self,
        session: &mut dyn Session,
        organizer: i64,
        name: &str,
        row: i64,
    ) -> Result<bool, StoreError> {
        let taken = session.execute(
            "DELETE FROM unclaimed_device WHERE organizer = ?1 AND name = ?2 AND device = ?3",
            values![organizer, name, row],
        )?;
        Ok(taken > 0)
    }

    pub(super) fn forget(self, session: &mut dyn Session) -> Result<(), StoreError> {
        session.execute("DROP TABLE unclaimed_device", values![])?;
        Ok(())
    }
}
