//! The devices of a filter: found by an index, counted to a limit.

use std::collections::HashMap;
use std::fmt::Write;

use jiff::Timestamp;

use super::callers::gate;
use super::found::unknown;
use super::{devices, events, organizers};
use crate::server::installation_keys::InstallationKeys;
use crate::server::model::{
    COUNT_LIMIT, CodeState, Count, DetailedDevice, DeviceFilter, DeviceState, Order, OrderBy,
    Version, above,
};
use crate::server::store::error::StoreError;
use crate::server::store::session::{Session, Value};

/// Devices read by one statement.
const TOGETHER: usize = 50;

/// How many numbers or names a statement has: some sizes only, so that there are few statements.
const SIZES: [usize; 4] = [1, 10, 100, 1000];

/// The condition of a filter, and what it needs to know. The organizer is `?1`.
pub(super) struct Condition<'s> {
    pub(super) sql: String,
    pub(super) values: Vec<Value<'s>>,
}

/// What of a filter has to be kept while its condition is used.
pub(super) struct Bounds {
    gate: Option<i64>,
    event: Option<i64>,
    /// Those of the filter as an index has them.
    names: Vec<String>,
    name: String,
    above_name: Option<String>,
    serial: String,
    above_serial: Option<String>,
}

impl Bounds {
    /// Fails with [`StoreError::Unknown`] if the organizer has no such gate or event.
    pub(super) fn of(
        session: &mut dyn Session,
        organizer: i64,
        filter: &DeviceFilter,
    ) -> Result<Self, StoreError> {
        let gate = match &filter.gate {
            Some(Some(identifier)) => Some(organizers::gate_row(session, organizer, identifier)?),
            Some(None) | None => None,
        };
        let event = match &filter.event {
            Some(slug) => {
                let row = events::row_of(session, organizer, slug)?;
                Some(row.ok_or_else(|| unknown("event", slug))?)
            }
            None => None,
        };
        let search = filter.search.as_deref().unwrap_or_default();
        let (name, serial) = (search.to_ascii_lowercase(), search.to_ascii_uppercase());
        Ok(Self {
            gate,
            event,
            names: filter
                .names
                .iter()
                .flatten()
                .map(|name| name.to_ascii_lowercase())
                .collect(),
            above_name: above(&name),
            above_serial: above(&serial),
            name,
            serial,
        })
    }

    /// Whether more names or serials begin so than are looked at.
    pub(super) fn are_cut(
        &self,
        session: &mut dyn Session,
        organizer: i64,
        filter: &DeviceFilter,
    ) -> Result<bool, StoreError> {
        if filter.search.is_none() {
            return Ok(false);
        }
        let searched = [
            ("", "lower(device.name)", &self.name, &self.above_name),
            (
                "+",
                "device.unique_serial",
                &self.serial,
                &self.above_serial,
            ),
        ];
        for (apart, what, from, to) in searched {
            let mut condition = Condition::of_all(organizer);
            condition.sql.insert_str(0, apart);
            let range = condition.range(what, from, to.as_ref());
            condition.and(&range);
            let skip = condition.place(COUNT_LIMIT);
            let Condition { sql, values } = condition;
            let more: Option<i64> = session.one(
                &format!(
                    "SELECT device.id FROM device WHERE {sql} ORDER BY {what} LIMIT 1 OFFSET {skip}"
                ),
                &values,
            )?;
            if more.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

impl<'s> Condition<'s> {
    fn of_all(organizer: i64) -> Self {
        Self {
            sql: "device.organizer = ?1".to_owned(),
            values: vec![organizer.into()],
        }
    }

    pub(super) fn of(organizer: i64, filter: &'s DeviceFilter, bounds: &'s Bounds) -> Self {
        let mut condition = Self::of_all(organizer);
        if filter.search.is_some() {
            // Those that are found are looked up one by one: else SQLite goes through all devices in their order.
            condition.sql.insert(0, '+');
        }
        match filter.state {
            Some(DeviceState::Active) => {
                condition.and("device.initialized IS NOT NULL AND NOT device.revoked");
            }
            Some(DeviceState::Waiting) => {
                condition.and("device.initialized IS NULL AND NOT device.revoked");
            }
            Some(DeviceState::Revoked) => condition.and("device.revoked"),
            Some(DeviceState::Awaited) => condition
                .and("(device.initialized IS NULL OR device.reconnecting) AND NOT device.revoked"),
            Some(DeviceState::Connected) => condition.and(
                "device.initialized IS NOT NULL AND NOT device.revoked AND NOT device.reconnecting",
            ),
            None => {}
        }
        let fixed = [
            (filter.revoked, "device.revoked", "NOT device.revoked"),
            (
                filter.initialized,
                "device.initialized IS NOT NULL",
                "device.initialized IS NULL",
            ),
        ];
        for (wanted, is_so, is_not_so) in fixed {
            match wanted {
                Some(true) => condition.and(is_so),
                Some(false) => condition.and(is_not_so),
                None => {}
            }
        }
        match (&filter.gate, bounds.gate) {
            (Some(Some(_)), gate) => condition.and_with("device.gate = ", gate),
            (Some(None), _) => condition.and("device.gate IS NULL"),
            (None, _) => {}
        }
        if let Some(event) = bounds.event {
            let place = condition.place(event);
            // Counted, so that no database reads all devices of the event to look each one up there.
            condition.and(&format!(
                "(device.all_events OR 0 < (SELECT count(*) FROM device_event
                    WHERE device_event.device = device.id AND device_event.event = {place}))"
            ));
        }
        if let Some(brand) = &filter.software_brand {
            condition.and_with("device.software_brand = ", brand);
        }
        if let Some(version) = &filter.software_version {
            condition.and_with("device.software_version = ", version);
        }
        if let Some(after) = filter.after {
            condition.and_with("device.device_id > ", after);
        }
        if let Some(numbers) = &filter.numbers {
            condition.and_numbered(numbers);
        }
        if let Some(names) = &filter.names {
            condition.and_among("lower(device.name)", &bounds.names);
            condition.and_among("device.name", names);
        }
        if filter.search.is_some() {
            condition.and_found(bounds);
        }
        condition
    }

    fn and(&mut self, sql: &str) {
        self.sql.push_str(" AND ");
        self.sql.push_str(sql);
    }

    fn and_with(&mut self, sql: &str, value: impl Into<Value<'s>>) {
        let place = self.place(value);
        self.and(&format!("{sql}{place}"));
    }

    /// They were seen, and not since this time.
    pub(super) fn and_not_seen_since(&mut self, time: Timestamp) {
        let place = self.place(time);
        self.and(&format!(
            "device.id IN (SELECT device FROM last_seen WHERE organizer = ?1 AND seen < {place})"
        ));
    }

    pub(super) fn place(&mut self, value: impl Into<Value<'s>>) -> String {
        self.values.push(value.into());
        format!("?{}", self.values.len())
    }

    /// No device has the number 0.
    fn and_numbered(&mut self, numbers: &[u64]) {
        self.and_listed("device.device_id", padded(numbers, 0));
    }

    /// No device has an empty name.
    fn and_among(&mut self, what: &str, texts: &'s [String]) {
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        self.and_listed(what, padded(&texts, ""));
    }

    fn and_listed<V: Into<Value<'s>>>(&mut self, what: &str, listed: Vec<V>) {
        let mut places = String::new();
        for value in listed {
            let comma = if places.is_empty() { "" } else { ", " };
            let place = self.place(value);
            let _ = write!(places, "{comma}{place}");
        }
        self.and(&format!("{what} IN ({places})"));
    }

    /// Of names and of serials so many are looked at as are counted: what begins with one letter may be all. Serials have
    /// one index for all organizers, which SQLite would pass over for all devices of this one.
    fn and_found(&mut self, bounds: &'s Bounds) {
        let names = self.range(
            "lower(device.name)",
            &bounds.name,
            bounds.above_name.as_ref(),
        );
        let serials = self.range(
            "device.unique_serial",
            &bounds.serial,
            bounds.above_serial.as_ref(),
        );
        let limit = self.place(COUNT_LIMIT);
        self.and(&format!(
            "device.id IN (
                SELECT id FROM (SELECT device.id FROM device WHERE device.organizer = ?1 AND {names}
                    ORDER BY lower(device.name), device.device_id LIMIT {limit}) AS named
                UNION SELECT id FROM (SELECT device.id FROM device WHERE +device.organizer = ?1 AND {serials}
                    ORDER BY device.unique_serial LIMIT {limit}) AS numbered)"
        ));
    }

    fn range(&mut self, what: &str, from: &'s String, to: Option<&'s String>) -> String {
        let from = self.place(from);
        match to {
            Some(to) => format!("{what} >= {from} AND {what} < {}", self.place(to)),
            None => format!("{what} >= {from}"),
        }
    }
}

/// A list of some size, in which the last is named again and again; an empty one names what is none.
fn padded<T: Copy>(listed: &[T], none: T) -> Vec<T> {
    let size = SIZES.into_iter().find(|size| *size >= listed.len());
    let mut padded = listed.to_vec();
    padded.resize(
        size.unwrap_or(listed.len()),
        listed.last().copied().unwrap_or(none),
    );
    padded
}

/// The table, joined to what the order needs, and the whole condition.
fn source(order: OrderBy, filter: &DeviceFilter, condition: &mut Condition<'_>) -> &'static str {
    let before = filter.last_seen_before;
    match (order, before) {
        (OrderBy::LastSeen, before) => {
            condition.and("last_seen.organizer = ?1 AND last_seen.device = device.id");
            if let Some(before) = before {
                condition.and_with("last_seen.seen < ", before);
            }
            // In this order, also for SQLite: what comes first is found by its time.
            "last_seen CROSS JOIN device"
        }
        (_, Some(before)) => {
            condition.and_not_seen_since(before);
            "device"
        }
        (_, None) => "device",
    }
}

/// Counts the devices of a filter in an order, which leaves some out.
pub(in crate::server::store) fn count(
    session: &mut dyn Session,
    organizer: i64,
    filter: &DeviceFilter,
    order: OrderBy,
) -> Result<Count, StoreError> {
    let bounds = Bounds::of(session, organizer, filter)?;
    let mut condition = Condition::of(organizer, filter, &bounds);
    let source = source(order, filter, &mut condition);
    let limit = condition.place(COUNT_LIMIT + 1);
    let Condition { sql, values } = condition;
    let counted: Option<u64> = session.one(
        &format!("SELECT count(*) FROM (SELECT 1 AS one FROM {source} WHERE {sql} LIMIT {limit}) AS counted"),
        &values,
    )?;
    let counted = counted.unwrap_or_default();
    Ok(Count {
        count: counted.min(COUNT_LIMIT),
        is_minimum: counted > COUNT_LIMIT || bounds.are_cut(session, organizer, filter)?,
    })
}

/// At most `limit` devices of a filter, after the first `skip` in this order.
pub(in crate::server::store) fn page(
    session: &mut dyn Session,
    keys: &InstallationKeys,
    organizer: i64,
    filter: &DeviceFilter,
    order: Order,
    skip: u64,
    limit: u64,
) -> Result<Vec<DetailedDevice>, StoreError> {
    let bounds = Bounds::of(session, organizer, filter)?;
    let mut condition = Condition::of(organizer, filter, &bounds);
    let source = source(order.by, filter, &mut condition);
    let (limit, skip) = (condition.place(limit), condition.place(skip));
    let way = if order.descending { "DESC" } else { "ASC" };
    let by = match order.by {
        OrderBy::Number => format!("device.device_id {way}"),
        OrderBy::Name => format!("lower(device.name) {way}, device.device_id {way}"),
        OrderBy::LastSeen => format!("last_seen.seen {way}, last_seen.device {way}"),
    };
    let Condition { sql, values } = condition;
    let rows = session.rows(
        &format!(
            "SELECT device.id FROM {source} WHERE {sql} ORDER BY {by} LIMIT {limit} OFFSET {skip}"
        ),
        &values,
        |columns| columns.next(),
    )?;
    detailed(session, keys, &rows)
}

/// One device of an organizer with all that is told of it.
pub(in crate::server::store) fn find(
    session: &mut dyn Session,
    keys: &InstallationKeys,
    organizer: i64,
    device_id: u64,
) -> Result<Option<DetailedDevice>, StoreError> {
    let row = devices::row_if_there(session, organizer, device_id)?;
    Ok(detailed(session, keys, row.as_slice())?.pop())
}

/// The devices in these rows, in their order.
fn detailed(
    session: &mut dyn Session,
    keys: &InstallationKeys,
    rows: &[i64],
) -> Result<Vec<DetailedDevice>, StoreError> {
    let mut all = Vec::with_capacity(rows.len());
    for some in rows.chunks(TOGETHER) {
        let mut values: Vec<Value<'_>> = some.iter().map(|row| (*row).into()).collect();
        values.resize(TOGETHER, 0_i64.into());
        let places: Vec<String> = (1..=TOGETHER).map(|place| format!("?{place}")).collect();
        let places = places.join(", ");
        let mut limits: HashMap<u64, Vec<String>> = HashMap::new();
        session.query(
            &format!(
                "SELECT device.device_id, event.slug
                 FROM device
                 JOIN device_event ON device_event.device = device.id
                 JOIN event ON event.id = device_event.event
                 WHERE device.id IN ({places})
                 ORDER BY event.date_from, event.name, event.slug"
            ),
            &values,
            &mut |columns| {
                let of = limits.entry(columns.next()?).or_default();
                of.push(columns.next()?);
                Ok(())
            },
        )?;
        let mut found: HashMap<i64, DetailedDevice> = HashMap::new();
        session.query(
            &format!(
                "SELECT device.id, gate.id, gate.name, gate.identifier, last_seen.seen, device.info,
                    device.reconnecting, device.token_lookup,
                    device.api_key_hash IS NOT NULL AND NOT device.revoked, {}
                 FROM device
                 LEFT JOIN gate ON gate.id = device.gate
                 LEFT JOIN last_seen ON last_seen.device = device.id
                 WHERE device.id IN ({places})",
                devices::COLUMNS
            ),
            &values,
            &mut |columns| {
                let row = columns.next()?;
                let (gate, last_seen, info) = (gate(columns)?, columns.next()?, columns.next()?);
                let (is_reconnecting, lookup) = (columns.next()?, columns.next::<Vec<u8>>()?);
                let has_key = columns.next()?;
                let device = devices::device(columns, keys, &mut limits)?;
                let at = gate.as_ref().map(|gate| gate.id);
                let detailed = DetailedDevice {
                    code: CodeState::of(&device, is_reconnecting),
                    version: Version::of(&device, at, &lookup),
                    has_key,
                    gate,
                    last_seen,
                    info,
                    device,
                };
                found.insert(row, detailed);
                Ok(())
            },
        )?;
        all.extend(some.iter().filter_map(|row| found.remove(row)));
    }
    Ok(all)
}
