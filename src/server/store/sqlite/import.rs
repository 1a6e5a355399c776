//! Bringing in an organizers file.

use std::collections::{HashMap, HashSet};

use rusqlite::{Connection, OptionalExtension, params};

use super::{Context, callers, devices, events, micros, organizers, teams};
use crate::server::installation_keys::key_hash;
use crate::server::organizers_file::{
    CheckinList, Device, Event, Fault, Gate, Organizer, OrganizersFile, Subevent, Team,
};
use crate::server::store::{ImportReport, Imported, NewDevice, StoreError};

pub(super) fn import(
    connection: &Connection,
    context: &Context<'_>,
    file: &OrganizersFile,
) -> Result<ImportReport, StoreError> {
    let mut import = Import {
        connection,
        report: ImportReport::default(),
    };
    let mut rows = Vec::new();
    for organizer in &file.organizers {
        let row = import.organizer(organizer)?;
        for gate in &organizer.gates {
            import.gate(row, gate)?;
        }
        let events = organizer.events.iter();
        let events: Result<Vec<i64>, _> = events.map(|event| import.event(row, event)).collect();
        rows.push((row, events?));
    }
    let places = || file.organizers.iter().enumerate().zip(&rows);
    // Numbers that the file names come first, so that none of them is picked for another.
    for named in [true, false] {
        for ((o, organizer), (_, events)) in places() {
            for ((e, event), row) in organizer.events.iter().enumerate().zip(events) {
                for (at, date) in event.subevents.iter().enumerate() {
                    if date.id.is_some() == named {
                        let path = format!("organizers[{o}].events[{e}].subevents[{at}].id");
                        import.subevent(*row, date, path)?;
                    }
                }
            }
        }
    }
    for named in [true, false] {
        for ((o, organizer), (organizer_row, events)) in places() {
            for ((e, event), row) in organizer.events.iter().enumerate().zip(events) {
                for (at, list) in event.checkin_lists.iter().enumerate() {
                    if list.id.is_some() == named {
                        let path = format!("organizers[{o}].events[{e}].checkin_lists[{at}].id");
                        import.checkin_list(*organizer_row, *row, list, path)?;
                    }
                }
            }
        }
    }
    for ((o, organizer), (row, _)) in places() {
        for (at, team) in organizer.teams.iter().enumerate() {
            import.team(*row, team, &format!("organizers[{o}].teams[{at}]"))?;
        }
        let path = format!("organizers[{o}].devices");
        import.devices(context, *row, &organizer.devices, &path)?;
    }
    Ok(import.report)
}

struct Import<'c> {
    connection: &'c Connection,
    report: ImportReport,
}

impl Imported {
    fn count(&mut self, created: bool, rows_changed: usize) {
        match (created, rows_changed) {
            (true, _) => self.created += 1,
            (false, 0) => {}
            (false, _) => self.changed += 1,
        }
    }
}

impl Import<'_> {
    fn organizer(&mut self, organizer: &Organizer) -> Result<i64, StoreError> {
        let existing = match organizers::find(self.connection, &organizer.slug) {
            Err(StoreError::Unknown { .. }) => None,
            found => Some(found?),
        };
        let changed = match existing {
            None => {
                organizers::create(self.connection, &organizer.slug, &organizer.name)?;
                0
            }
            Some(_) => self
                .connection
                .prepare_cached("UPDATE organizer SET name = ?2 WHERE slug = ?1 AND name <> ?2")?
                .execute([&organizer.slug, &organizer.name])?,
        };
        self.report.organizers.count(existing.is_none(), changed);
        Ok(organizers::find(self.connection, &organizer.slug)?.id)
    }

    fn gate(&mut self, organizer: i64, gate: &Gate) -> Result<(), StoreError> {
        let created =
            organizers::create_gate(self.connection, organizer, &gate.identifier, &gate.name);
        let changed = match &created {
            Err(StoreError::Exists { .. }) => self
                .connection
                .prepare_cached(
                    "UPDATE gate SET name = ?3
                     WHERE organizer = ?1 AND identifier = ?2 AND name <> ?3",
                )?
                .execute(params![organizer, gate.identifier, gate.name])?,
            Err(_) => return created.map(|_| ()),
            Ok(_) => 0,
        };
        self.report.gates.count(created.is_ok(), changed);
        Ok(())
    }

    fn event(&mut self, organizer: i64, event: &Event) -> Result<i64, StoreError> {
        let existing: Option<i64> = self
            .connection
            .prepare_cached("SELECT id FROM event WHERE organizer = ?1 AND slug = ?2")?
            .query_row(params![organizer, event.slug], |row| row.get(0))
            .optional()?;
        let values = params![
            organizer,
            event.slug,
            event.name.text(),
            events::names(&event.name),
            event.live,
            event.timezone,
            micros(event.schedule.date_from),
            event.schedule.date_to.map(micros),
            event.schedule.date_admission.map(micros),
            event.has_subevents,
        ];
        let statement = match existing {
            None => {
                "INSERT INTO event (organizer, slug, name, names, live, timezone, date_from,
                    date_to, date_admission, has_subevents)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)"
            }
            Some(_) => {
                "UPDATE event SET (name, names, live, timezone, date_from, date_to,
                    date_admission, has_subevents) = (?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
                 WHERE organizer = ?1 AND slug = ?2
                    AND (name, names, live, timezone, date_from, date_to, date_admission,
                        has_subevents) IS NOT (?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)"
            }
        };
        let changed = self.connection.prepare_cached(statement)?.execute(values)?;
        self.report.events.count(existing.is_none(), changed);
        Ok(existing.unwrap_or_else(|| self.connection.last_insert_rowid()))
    }

    /// A date is known by its number, or without one by its name and start.
    fn subevent(&mut self, event: i64, date: &Subevent, path: String) -> Result<(), StoreError> {
        let start = micros(date.schedule.date_from);
        let existing: Option<i64> = match date.id {
            Some(id) => self.owned("subevent", id, event, path)?,
            None => self
                .connection
                .prepare_cached(
                    "SELECT id FROM subevent WHERE event = ?1 AND name = ?2 AND date_from = ?3",
                )?
                .query_row(params![event, date.name.text(), start], |row| row.get(0))
                .optional()?,
        };
        let values = params![
            existing.or(date.id),
            event,
            date.name.text(),
            events::names(&date.name),
            date.active,
            start,
            date.schedule.date_to.map(micros),
            date.schedule.date_admission.map(micros),
        ];
        let statement = match existing {
            None => {
                "INSERT INTO subevent
                    (id, event, name, names, active, date_from, date_to, date_admission)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"
            }
            Some(_) => {
                "UPDATE subevent SET (name, names, active, date_from, date_to, date_admission)
                    = (?3, ?4, ?5, ?6, ?7, ?8)
                 WHERE id = ?1 AND event = ?2
                    AND (name, names, active, date_from, date_to, date_admission)
                        IS NOT (?3, ?4, ?5, ?6, ?7, ?8)"
            }
        };
        let changed = self.connection.prepare_cached(statement)?.execute(values)?;
        self.report.subevents.count(existing.is_none(), changed);
        Ok(())
    }

    /// A list is known by its number, or without one by its name and date.
    fn checkin_list(
        &mut self,
        organizer: i64,
        event: i64,
        list: &CheckinList,
        path: String,
    ) -> Result<(), StoreError> {
        let existing: Option<i64> = match list.id {
            Some(id) => self.owned("checkin_list", id, event, path)?,
            None => self
                .connection
                .prepare_cached(
                    "SELECT id FROM checkin_list
                     WHERE event = ?1 AND name = ?2 AND subevent IS ?3",
                )?
                .query_row(params![event, list.name, list.subevent], |row| row.get(0))
                .optional()?,
        };
        let mut changed = match existing {
            None => self
                .connection
                .prepare_cached(
                    "INSERT INTO checkin_list (id, event, name, subevent) VALUES (?1, ?2, ?3, ?4)",
                )?
                .execute(params![list.id, event, list.name, list.subevent])?,
            Some(id) => self
                .connection
                .prepare_cached(
                    "UPDATE checkin_list SET name = ?2, subevent = ?3
                     WHERE id = ?1 AND (name, subevent) IS NOT (?2, ?3)",
                )?
                .execute(params![id, list.name, list.subevent])?,
        };
        let row = existing.unwrap_or_else(|| self.connection.last_insert_rowid());
        changed += self.gates_of_list(organizer, row, &list.gates)?;
        self.report.checkin_lists.count(existing.is_none(), changed);
        Ok(())
    }

    fn gates_of_list(
        &self,
        organizer: i64,
        list: i64,
        identifiers: &[String],
    ) -> Result<usize, StoreError> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT id FROM gate WHERE organizer = ?1 AND identifier = ?2")?;
        let gates = identifiers.iter();
        let gates: HashSet<i64> = gates
            .map(|identifier| statement.query_row(params![organizer, identifier], |row| row.get(0)))
            .collect::<Result<_, _>>()?;
        let mut statement = self
            .connection
            .prepare_cached("SELECT gate FROM checkin_list_gate WHERE checkin_list = ?1")?;
        let stored = statement.query_map([list], |row| row.get(0))?;
        let stored: HashSet<i64> = stored.collect::<Result<_, _>>()?;
        for gate in stored.difference(&gates) {
            self.connection
                .prepare_cached(
                    "DELETE FROM checkin_list_gate WHERE checkin_list = ?1 AND gate = ?2",
                )?
                .execute(params![list, gate])?;
        }
        for gate in gates.difference(&stored) {
            self.connection
                .prepare_cached(
                    "INSERT INTO checkin_list_gate (checkin_list, gate) VALUES (?1, ?2)",
                )?
                .execute(params![list, gate])?;
        }
        Ok(gates.symmetric_difference(&stored).count())
    }

    /// The row with this number if there is one; it must belong to this event.
    fn owned(
        &self,
        table: &str,
        id: i64,
        event: i64,
        path: String,
    ) -> Result<Option<i64>, StoreError> {
        let owner: Option<i64> = self
            .connection
            .prepare_cached(&format!("SELECT event FROM {table} WHERE id = ?1"))?
            .query_row([id], |row| row.get(0))
            .optional()?;
        match owner {
            Some(owner) if owner != event => Err(StoreError::Contradiction(Fault {
                path,
                found: id.to_string(),
                expected: "a number that another event on the server does not have".to_owned(),
            })),
            owner => Ok(owner.map(|_| id)),
        }
    }

    fn team(&mut self, organizer: i64, team: &Team, path: &str) -> Result<(), StoreError> {
        let existing = match teams::row_of(self.connection, organizer, &team.name) {
            Err(StoreError::Unknown { .. }) => None,
            found => Some(found?),
        };
        let row = match existing {
            Some(row) => row,
            None => teams::create(self.connection, organizer, &team.name, &team.permissions)?,
        };
        self.report.teams.count(existing.is_none(), 0);
        for (at, token) in team.tokens.iter().enumerate() {
            let hash = key_hash(&token.token);
            let holder: Option<i64> = self
                .connection
                .prepare_cached("SELECT team FROM team_token WHERE hash = ?1")?
                .query_row([hash], |row| row.get(0))
                .optional()?;
            match holder {
                Some(holder) if holder == row => continue,
                Some(_) => {
                    return Err(StoreError::Contradiction(Fault {
                        path: format!("{path}.tokens[{at}].token"),
                        found: "a token".to_owned(),
                        expected: "one that no other team on the server has".to_owned(),
                    }));
                }
                None => {}
            }
            self.refuse_other_permissions(row, team, path)?;
            teams::add_token(self.connection, row, &token.name, &hash, token.active)?;
            self.report.tokens.count(true, 0);
        }
        Ok(())
    }

    /// A new token must not come to permissions that the file does not give it.
    fn refuse_other_permissions(
        &self,
        row: i64,
        team: &Team,
        path: &str,
    ) -> Result<(), StoreError> {
        let stored = self
            .connection
            .prepare_cached("SELECT permissions FROM team WHERE id = ?1")?
            .query_row([row], |row| row.get(0))?;
        if callers::permissions(stored) == team.permissions {
            return Ok(());
        }
        Err(StoreError::Contradiction(Fault {
            path: format!("{path}.organizer_permissions"),
            found: "other permissions".to_owned(),
            expected: format!(
                "those that team {:?} has on the server, since a token is added to it",
                team.name
            ),
        }))
    }

    /// A device is known by its API key, or else by its name. One that is known is left as it is.
    fn devices(
        &mut self,
        context: &Context<'_>,
        organizer: i64,
        devices: &[Device],
        path: &str,
    ) -> Result<(), StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT name, count(*) FROM device WHERE organizer = ?1 GROUP BY name",
        )?;
        let names = statement.query_map([organizer], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let mut unclaimed: HashMap<String, u64> = names.collect::<Result<_, _>>()?;
        let mut claim = |name: &str| match unclaimed.get_mut(name) {
            None | Some(0) => false,
            Some(count) => {
                *count -= 1;
                true
            }
        };

        let mut unknown = Vec::new();
        for (at, device) in devices.iter().enumerate() {
            let hash = device.api_token.as_ref().map(key_hash);
            let holder = match &hash {
                Some(hash) => callers::device(self.connection, hash)?,
                None => None,
            };
            match holder {
                Some(holder) if holder.organizer.id == organizer => {
                    claim(&holder.name);
                }
                Some(_) => {
                    return Err(StoreError::Contradiction(Fault {
                        path: format!("{path}[{at}].api_token"),
                        found: "an API key".to_owned(),
                        expected: "one that no other organizer's device on the server has"
                            .to_owned(),
                    }));
                }
                None => unknown.push((device, hash)),
            }
        }
        for (device, hash) in unknown {
            if !claim(&device.name) {
                self.device(context, organizer, device, hash)?;
            }
        }
        Ok(())
    }

    fn device(
        &mut self,
        context: &Context<'_>,
        organizer: i64,
        device: &Device,
        key_hash: Option<[u8; 32]>,
    ) -> Result<(), StoreError> {
        let new = NewDevice {
            name: device.name.clone(),
            all_events: device.all_events,
            limit_events: device.limit_events.clone(),
            security_profile: device.security_profile.clone(),
            gate: device.gate.clone(),
        };
        let created = devices::create(self.connection, context, organizer, &new)?;
        let report = &device.report;
        self.connection
            .prepare_cached(
                "UPDATE device SET api_key_hash = ?3, initialized = ?4, revoked = ?5,
                    hardware_brand = ?6, hardware_model = ?7, os_name = ?8, os_version = ?9,
                    software_brand = ?10, software_version = ?11
                 WHERE organizer = ?1 AND device_id = ?2",
            )?
            .execute(params![
                organizer,
                created.device_id,
                key_hash,
                key_hash.map(|_| micros(context.now)),
                device.revoked,
                report.hardware_brand,
                report.hardware_model,
                report.os_name,
                report.os_version,
                report.software_brand,
                report.software_version,
            ])?;
        self.report.devices.count(true, 0);
        Ok(())
    }
}
