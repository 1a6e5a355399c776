//! Which devices a caller means: the filters of a list's query, and of a batch.

use std::collections::HashSet;

use jiff::Timestamp;
use serde_json::value::RawValue;

use super::body::{Body, Input, keys};
use super::field_errors::FieldErrors;
use super::parameters::Parameter;
use super::problem::Problem;
use super::request::Request;
use super::validation::boolean;
use crate::server::model::{DeviceFilter, DeviceState, Order, OrderBy, SILENT_AFTER};

/// The filters, by which devices may be found in a list as in a batch.
pub(super) static FILTERS: [Parameter; 9] = [
    Parameter::text(
        "search",
        "Name or serial begins so; ASCII letters in either case.",
    ),
    Parameter::choice(
        "state",
        "active: it has access; silent: the same, but its last call is older than ten minutes; waiting: its \
         initialization token was never redeemed; revoked: its access has ended for good.",
        &["active", "silent", "waiting", "revoked"],
    ),
    Parameter::boolean("revoked", "The device's access has ended for good, or not."),
    Parameter::boolean(
        "initialized",
        "Its initialization token was redeemed, or not.",
    ),
    Parameter::text(
        "gate",
        "Identifier of its gate; empty for devices without one.",
    ),
    Parameter::text(
        "event",
        "Slug of an event that it may access, as one of all or by name.",
    ),
    Parameter::text("software_brand", "The program that it reported last."),
    Parameter::text("software_version", "The version of that program."),
    Parameter::time(
        "last_seen_before",
        "Its last call is older than this; those that never made one are left out.",
    ),
];

/// In which order a list comes.
pub(super) const ORDERING: Parameter = Parameter::choice(
    "ordering",
    "What comes first. By last_seen only devices come that made a call.",
    &[
        "device_id",
        "-device_id",
        "name",
        "-name",
        "last_seen",
        "-last_seen",
    ],
);

/// A list that is not that of all devices by their numbers.
pub(in crate::server) struct Listing {
    pub(in crate::server) filter: DeviceFilter,
    pub(in crate::server) order: Order,
}

impl Listing {
    /// Reads the query; `None` if it asks for all devices by their numbers.
    pub(super) fn read(request: &Request) -> Result<Option<Self>, Problem> {
        let listing = Self::of(|name| request.query_all(name)).map_err(Problem::Fields)?;
        let is_plain = listing.filter.is_all() && listing.order == BY_NUMBER;
        Ok((!is_plain).then_some(listing))
    }

    /// Reads the parameters of a query, of each all values.
    pub(in crate::server) fn of(values: impl Fn(&str) -> Vec<String>) -> Result<Self, FieldErrors> {
        let mut filter = DeviceFilter::default();
        let mut errors = FieldErrors::default();
        for parameter in &FILTERS {
            let mut values = values(parameter.name);
            let Some(value) = values.pop() else {
                continue;
            };
            // One of them would be passed over, and other devices than are meant would come.
            if !values.is_empty() {
                errors.set(parameter.name, vec![TWICE.into()]);
                continue;
            }
            let value = Input::Text(value.into());
            if let Err(message) = set(&mut filter, parameter.name, &value) {
                errors.set(parameter.name, vec![message.into()]);
            }
        }
        let ordering = values(ORDERING.name).pop();
        let ordering = ordering.filter(|ordering| !ordering.is_empty());
        let order = match ordering.as_deref() {
            None => Some(usual(&filter)),
            Some(ordering) => ordered(ordering),
        };
        let Some(order) = order else {
            let choices = ORDERING.choices().join(", ");
            let message = format!("Has to be one of {choices}.");
            errors.set(ORDERING.name, vec![message.into()]);
            return Err(errors);
        };
        match errors.is_empty() {
            true => Ok(Self { filter, order }),
            false => Err(errors),
        }
    }
}

const TWICE: &str = "Say it once.";

const BY_NUMBER: Order = Order {
    by: OrderBy::Number,
    descending: false,
};

/// That in which a filter's devices are found at once.
fn usual(filter: &DeviceFilter) -> Order {
    let by = match filter {
        DeviceFilter {
            search: Some(_), ..
        } => OrderBy::Name,
        DeviceFilter {
            last_seen_before: Some(_),
            ..
        } => OrderBy::LastSeen,
        _ => OrderBy::Number,
    };
    Order { by, ..BY_NUMBER }
}

fn ordered(ordering: &str) -> Option<Order> {
    let name = ordering.strip_prefix('-');
    let by = match name.unwrap_or(ordering) {
        "device_id" => OrderBy::Number,
        "name" => OrderBy::Name,
        "last_seen" => OrderBy::LastSeen,
        _ => return None,
    };
    Some(Order {
        by,
        descending: name.is_some(),
    })
}

/// Reads a filter out of a body. There one that is not known, which would be passed over in a query, is
/// refused, as is one that is there twice or an empty search: without it more devices would be meant.
pub(super) fn in_body(raw: &RawValue) -> Result<DeviceFilter, String> {
    let Input::Object(object) = Input::of(raw) else {
        return Err("Expected an object with filters.".to_owned());
    };
    let Ok(Body::Object(values)) = Body::of(raw) else {
        return Err("Expected an object with filters.".to_owned());
    };
    let mut filter = DeviceFilter::default();
    let mut seen = HashSet::new();
    for name in keys(object) {
        if !seen.insert(name.clone()) {
            return Err(format!("{name}: {TWICE}"));
        }
        let known = FILTERS.iter().find(|parameter| parameter.name == name);
        let (Some(known), Some(value)) = (known, values.get(&name)) else {
            let names: Vec<&str> = FILTERS.iter().map(|parameter| parameter.name).collect();
            return Err(format!(
                "There is no filter {name:?}. There are {}.",
                names.join(", ")
            ));
        };
        let set = set(&mut filter, known.name, &Input::of(value));
        set.map_err(|message| format!("{name}: {message}"))?;
    }
    if seen.contains("search") && filter.search.is_none() {
        return Err("search: Every device's name begins with nothing.".to_owned());
    }
    match filter.is_all() {
        true => Err("Without a condition all devices would be meant. Name one.".to_owned()),
        false => Ok(filter),
    }
}

fn set(filter: &mut DeviceFilter, name: &str, value: &Input<'_>) -> Result<(), String> {
    let text = || match value {
        Input::Text(text) => Ok(text.to_string()),
        _ => Err("Not a valid string.".to_owned()),
    };
    let is_so = || boolean(value).ok_or_else(|| "Must be a valid boolean.".to_owned());
    match name {
        // Everything begins with nothing.
        "search" => filter.search = Some(text()?).filter(|text| !text.is_empty()),
        "state" => set_state(filter, &text()?)?,
        "event" => filter.event = Some(text()?),
        "revoked" => filter.revoked = Some(is_so()?),
        "initialized" => filter.initialized = Some(is_so()?),
        "gate" if matches!(value, Input::Null) => filter.gate = Some(None),
        "gate" => filter.gate = Some(Some(text()?).filter(|text| !text.is_empty())),
        "software_brand" => filter.software_brand = Some(text()?),
        "software_version" => filter.software_version = Some(text()?),
        "last_seen_before" => {
            let time = text()?.parse().map_err(|_| {
                "Write a time as 2027-05-08T18:00:00Z; in an address, a + is written %2B."
                    .to_owned()
            });
            seen_before(filter, time?);
        }
        _ => {}
    }
    Ok(())
}

fn set_state(filter: &mut DeviceFilter, state: &str) -> Result<(), String> {
    filter.state = Some(match state {
        "active" => DeviceState::Active,
        "waiting" => DeviceState::Waiting,
        "revoked" => DeviceState::Revoked,
        "silent" => {
            let since = Timestamp::now().checked_sub(SILENT_AFTER);
            seen_before(filter, since.unwrap_or(Timestamp::MIN));
            DeviceState::Active
        }
        _ => return Err("Has to be one of active, silent, waiting, revoked.".to_owned()),
    });
    Ok(())
}

/// Of two times the earlier one holds.
fn seen_before(filter: &mut DeviceFilter, time: Timestamp) {
    let before = filter.last_seen_before.unwrap_or(time);
    filter.last_seen_before = Some(before.min(time));
}
