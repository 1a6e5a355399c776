//! Bringing in an organizers file.

use std::collections::HashSet;

use super::contradictions::Contradictions;
use super::found::unknown;
use super::teams::FoundTeam;
use super::{Context, checkin_lists, events, import_devices, organizers, teams};
use crate::server::model::Permissions;
use crate::server::organizers_file::{
    CheckinListEntry, EventEntry, Fault, GateEntry, OrganizerEntry, OrganizersFile, SubeventEntry,
    TeamEntry,
};
use crate::server::store::administration::ImportReport;
use crate::server::store::error::StoreError;
use crate::server::store::session::{Session, Value, values};

pub(in crate::server::store) fn import(
    session: &mut dyn Session,
    context: &Context<'_>,
    file: &OrganizersFile,
) -> Result<ImportReport, StoreError> {
    let mut import = Import {
        session: &mut *session,
        report: ImportReport::default(),
        contradictions: Contradictions::default(),
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
                        let path = format!("organizers[{o}].events[{e}].checkin_lists[{at}]");
                        import.checkin_list(*organizer_row, *row, list, &path)?;
                    }
                }
            }
        }
    }
    for ((o, organizer), (row, _)) in places() {
        for (at, team) in organizer.teams.iter().enumerate() {
            import.team(*row, team, &format!("organizers[{o}].teams[{at}]"))?;
        }
    }
    let (mut report, mut contradictions) = (import.report, import.contradictions);
    let organizers: Vec<i64> = rows.iter().map(|(row, _)| *row).collect();
    report.devices =
        import_devices::import(session, context, file, &organizers, &mut contradictions)?;
    contradictions.finish()?;
    Ok(report)
}

struct Import<'s> {
    session: &'s mut dyn Session,
    report: ImportReport,
    contradictions: Contradictions,
}

impl Import<'_> {
    fn organizer(&mut self, organizer: &OrganizerEntry) -> Result<i64, StoreError> {
        let existing = match organizers::find(self.session, organizer.slug.as_str()) {
            Err(StoreError::Unknown { .. }) => None,
            found => Some(found?),
        };
        let changed = match existing {
            None => {
                organizers::create(self.session, &organizer.slug, &organizer.name)?;
                0
            }
            Some(_) => self.session.execute(
                "UPDATE organizer SET name = ?2 WHERE slug = ?1 AND name <> ?2",
                values![organizer.slug.as_str(), &organizer.name],
            )?,
        };
        let changed = changed.max(self.session.execute(
            "UPDATE organizer SET active = ?2 WHERE slug = ?1 AND active <> ?2",
            values![organizer.slug.as_str(), organizer.active],
        )?);
        self.report.organizers.count(existing.is_none(), changed);
        Ok(organizers::find(self.session, organizer.slug.as_str())?.id)
    }

    fn gate(&mut self, organizer: i64, gate: &GateEntry) -> Result<(), StoreError> {
        let created =
            organizers::create_gate(self.session, organizer, &gate.identifier, &gate.name);
        let changed = match &created {
            Err(StoreError::Exists { .. }) => self.session.execute(
                "UPDATE gate SET name = ?3
                 WHERE organizer = ?1 AND identifier = ?2 AND name <> ?3",
                values![organizer, &gate.identifier, &gate.name],
            )?,
            Err(_) => return created.map(|_| ()),
            Ok(_) => 0,
        };
        let changed = changed.max(self.session.execute(
            "UPDATE gate SET active = ?3 WHERE organizer = ?1 AND identifier = ?2 AND active <> ?3",
            values![organizer, &gate.identifier, gate.active],
        )?);
        self.report.gates.count(created.is_ok(), changed);
        Ok(())
    }

    fn event(&mut self, organizer: i64, event: &EventEntry) -> Result<i64, StoreError> {
        let existing = events::row_of(self.session, organizer, event.slug.as_str())?;
        let names = events::names(&event.name);
        let values = values![
            organizer,
            event.slug.as_str(),
            event.name.text(),
            names.as_ref(),
            event.live,
            &event.timezone,
            event.schedule.date_from,
            event.schedule.date_to,
            event.schedule.date_admission,
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
                        has_subevents) IS DISTINCT FROM (?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)"
            }
        };
        let changed = self.session.execute(statement, values)?;
        self.report.events.count(existing.is_none(), changed);
        let row = events::row_of(self.session, organizer, event.slug.as_str())?;
        row.ok_or_else(|| unknown("event", event.slug.as_str()))
    }

    /// A date is known by its number, or without one by its name and start.
    fn subevent(
        &mut self,
        event: i64,
        date: &SubeventEntry,
        path: String,
    ) -> Result<(), StoreError> {
        let start = date.schedule.date_from;
        let existing: Option<i64> = match date.id {
            Some(id) => self.owned(Numbered::Subevent, id, event, path)?,
            None => self.session.one(
                "SELECT id FROM subevent WHERE event = ?1 AND name = ?2 AND date_from = ?3
                 ORDER BY id LIMIT 1",
                values![event, date.name.text(), start],
            )?,
        };
        let names = events::names(&date.name);
        let mut values = values![
            event,
            date.name.text(),
            names.as_ref(),
            date.active,
            start,
            date.schedule.date_to,
            date.schedule.date_admission,
        ]
        .to_vec();
        let number = existing.or(date.id);
        values.extend(number.map(Value::from));
        let statement = match (existing, number) {
            (Some(_), _) => {
                "UPDATE subevent SET (name, names, active, date_from, date_to, date_admission)
                    = (?2, ?3, ?4, ?5, ?6, ?7)
                 WHERE id = ?8 AND event = ?1
                    AND (name, names, active, date_from, date_to, date_admission)
                        IS DISTINCT FROM (?2, ?3, ?4, ?5, ?6, ?7)"
            }
            (None, Some(_)) => {
                "INSERT INTO subevent
                    (event, name, names, active, date_from, date_to, date_admission, id)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"
            }
            (None, None) => {
                "INSERT INTO subevent
                    (event, name, names, active, date_from, date_to, date_admission)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)"
            }
        };
        let changed = self.session.execute(statement, &values)?;
        self.report.subevents.count(existing.is_none(), changed);
        Ok(())
    }

    /// A list is known by its number, or without one by its name and date.
    fn checkin_list(
        &mut self,
        organizer: i64,
        event: i64,
        list: &CheckinListEntry,
        path: &str,
    ) -> Result<(), StoreError> {
        let existing: Option<i64> = match list.id {
            Some(id) => self.owned(Numbered::CheckinList, id, event, format!("{path}.id"))?,
            None => checkin_lists::find(self.session, event, &list.name, list.subevent)?,
        };
        let (row, mut changed) = match existing {
            Some(id) => {
                let changed = self.session.execute(
                    "UPDATE checkin_list SET name = ?2, subevent = ?3
                     WHERE id = ?1 AND (name, subevent) IS DISTINCT FROM (?2, ?3)",
                    values![id, &list.name, list.subevent],
                )?;
                (id, changed)
            }
            None => (self.new_checkin_list(event, list)?, 0),
        };
        changed += self.gates_of_list(organizer, row, &list.gates, path)?;
        self.report.checkin_lists.count(existing.is_none(), changed);
        Ok(())
    }

    fn new_checkin_list(&mut self, event: i64, list: &CheckinListEntry) -> Result<i64, StoreError> {
        let Some(id) = list.id else {
            return checkin_lists::insert(self.session, event, &list.name, list.subevent);
        };
        let made = self.session.one(
            "INSERT INTO checkin_list (id, event, name, subevent) VALUES (?1, ?2, ?3, ?4)
             RETURNING id",
            values![id, event, &list.name, list.subevent],
        )?;
        made.ok_or_else(|| unknown("check-in list", &list.name))
    }

    fn gates_of_list(
        &mut self,
        organizer: i64,
        list: i64,
        identifiers: &[String],
        path: &str,
    ) -> Result<u64, StoreError> {
        let mut gates = HashSet::new();
        for (at, identifier) in identifiers.iter().enumerate() {
            match organizers::find_gate(self.session, organizer, identifier)? {
                Some(gate) => {
                    gates.insert(gate);
                }
                None => {
                    let path = format!("{path}.gates[{at}]");
                    self.contradictions.no_gate(path, None, identifier);
                }
            }
        }
        checkin_lists::set_gates(self.session, list, &gates)
    }

    /// The row with this number if there is one; it must belong to this event.
    fn owned(
        &mut self,
        numbered: Numbered,
        id: i64,
        event: i64,
        path: String,
    ) -> Result<Option<i64>, StoreError> {
        let select = match numbered {
            Numbered::Subevent => "SELECT event FROM subevent WHERE id = ?1",
            Numbered::CheckinList => "SELECT event FROM checkin_list WHERE id = ?1",
        };
        match self.session.one::<i64>(select, values![id])? {
            Some(owner) if owner != event => Err(StoreError::contradiction(Fault {
                path,
                device: None,
                found: id.to_string(),
                expected: "a number that another event on the server does not have".to_owned(),
            })),
            owner => Ok(owner.map(|_| id)),
        }
    }

    fn team(&mut self, organizer: i64, team: &TeamEntry, path: &str) -> Result<(), StoreError> {
        let existing = teams::find(self.session, organizer, &team.name)?;
        self.report.teams.count(existing.is_none(), 0);
        let (row, permissions) = match existing {
            Some(FoundTeam {
                row,
                permissions,
                active,
            }) => {
                let differs = permissions != team.permissions || active != team.active;
                self.report.teams.left += u64::from(differs);
                (row, permissions)
            }
            None => (
                teams::create(
                    self.session,
                    organizer,
                    &team.name,
                    &team.permissions,
                    team.active,
                )?,
                team.permissions.clone(),
            ),
        };
        for (at, token) in team.tokens.iter().enumerate() {
            let hash = &token.hash;
            let holder = teams::holder(self.session, hash)?;
            match holder {
                Some(holder) if holder.team == row => {
                    let differs = holder.name != token.name || holder.active != token.active;
                    self.report.tokens.left += u64::from(differs);
                    continue;
                }
                Some(_) => {
                    return Err(StoreError::contradiction(Fault {
                        path: format!("{path}.tokens[{at}].token"),
                        device: None,
                        found: "a token".to_owned(),
                        expected: "one that no other team on the server has".to_owned(),
                    }));
                }
                None => {}
            }
            refuse_other_permissions(&permissions, team, path)?;
            teams::add_token(self.session, row, &token.name, hash, token.active)?;
            self.report.tokens.count(true, 0);
        }
        Ok(())
    }
}

/// What has a number that is unique in the installation.
#[derive(Clone, Copy)]
enum Numbered {
    Subevent,
    CheckinList,
}

/// A new token must not come to permissions that the file does not give it.
fn refuse_other_permissions(
    stored: &Permissions,
    team: &TeamEntry,
    path: &str,
) -> Result<(), StoreError> {
    if *stored == team.permissions {
        return Ok(());
    }
    Err(StoreError::contradiction(Fault {
        path: format!("{path}.organizer_permissions"),
        device: None,
        found: "other permissions".to_owned(),
        expected: format!(
            "those that team {:?} has on the server, since a token is added to it",
            team.name
        ),
    }))
}
