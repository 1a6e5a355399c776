//! Devices that are called already as new ones are to be. As the command does, a form leaves them as they are, and tells
//! of them before it makes others.

use std::collections::BTreeMap;

use super::device_numbers::DeviceNumbers;
use super::fault::Fault;
use super::frame::Frame;
use super::texts::{self, alone};
use super::visit::Visit;
use crate::server::model::{BATCH_LIMIT, DetailedDevice, DeviceFilter, NewDevice, Order, OrderBy};

/// Namesakes that are named.
const NAMED: usize = 20;

/// The field that says of which devices its reader knows.
const KNOWN: &str = "there";

/// Of each name a device that has it and is not revoked.
pub(super) struct Namesakes(BTreeMap<String, DetailedDevice>);

/// What the sender of a form is told of them, whose template is `namesakes.html`.
pub(super) struct Notice {
    pub(super) words: String,
    pub(super) named: Vec<Namesake>,
    /// How many more there are.
    pub(super) more: Option<String>,
    /// The form is to hold this to go on.
    pub(super) known: String,
    /// What the button says that goes on.
    pub(super) going_on: String,
}

/// One of them, as it may be shown.
pub(super) struct Namesake {
    pub(super) number: u64,
    pub(super) name: String,
    /// Whether it is otherwise than was asked for.
    pub(super) differs: bool,
}

impl Namesakes {
    /// Those of new devices.
    pub(super) async fn of(visit: &Visit, new: &[NewDevice]) -> Result<Self, Fault> {
        let mut filter = DeviceFilter {
            names: Some(new.iter().map(|new| new.name.clone()).collect()),
            revoked: Some(false),
            ..DeviceFilter::default()
        };
        let order = Order {
            by: OrderBy::Number,
            descending: false,
        };
        let (store, limit) = (&visit.state.store, BATCH_LIMIT as u64);
        let mut found = BTreeMap::new();
        loop {
            let some = store.filtered_devices(visit.organizer()?, &filter, order, 0, limit);
            let some = some.await?;
            let is_last = (some.len() as u64) < limit;
            filter.after = some.last().map(|last| last.device.device_id);
            found.extend(some.into_iter().map(|one| (one.device.name.clone(), one)));
            if is_last {
                return Ok(Self(found));
            }
        }
    }

    pub(super) fn numbers(&self) -> DeviceNumbers {
        let devices = self.0.values();
        devices.map(|namesake| namesake.device.device_id).collect()
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether whoever sent the form was told of just these.
    pub(super) fn are_known(&self, visit: &Visit) -> bool {
        self.0.is_empty() || visit.sent(KNOWN) == self.numbers().to_string()
    }

    /// Those of new devices whose names nobody has.
    pub(super) fn missing(&self, new: Vec<NewDevice>) -> Vec<NewDevice> {
        let mut new = new;
        new.retain(|new| !self.0.contains_key(&new.name));
        new
    }

    /// Tells who wants these new devices of them.
    pub(super) fn notice(
        &self,
        frame: &Frame,
        new: &[NewDevice],
        words: String,
        going_on: String,
    ) -> Notice {
        let wanted = new
            .iter()
            .filter_map(|new| Some((new, self.0.get(&new.name)?)));
        let named = wanted.take(NAMED).map(|(new, there)| Namesake {
            number: there.device.device_id,
            name: alone(&there.device.name).into_owned(),
            differs: differs(new, there),
        });
        let more = self.0.len().saturating_sub(NAMED) as u64;
        Notice {
            words,
            named: named.collect(),
            more: (more > 0).then(|| {
                let more = texts::number(frame.language, more);
                frame.fill("many:more", "count", more)
            }),
            known: self.numbers().to_string(),
            going_on,
        }
    }
}

fn differs(new: &NewDevice, there: &DetailedDevice) -> bool {
    let device = &there.device;
    let gate = there.gate.as_ref().map(|gate| gate.identifier.as_str());
    let sorted = |slugs: &[String]| {
        let mut slugs = slugs.to_vec();
        slugs.sort();
        slugs
    };
    new.all_events != device.all_events
        || sorted(&new.limit_events) != sorted(&device.limit_events)
        || new.security_profile != device.security_profile
        || new.gate.as_deref() != gate
}
