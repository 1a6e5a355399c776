//! Which devices the table shows, in which order, and from where on: all of it stands in the address, in the words of
//! the API.

use url::form_urlencoded;

use super::fault::Fault;
use super::visit::Visit;
use crate::server::api::Listing;
use crate::server::model::{DeviceFilter, DeviceState, Order};

/// Devices on a page.
pub(super) const PAGE_SIZE: u64 = 50;

/// What the address may hold besides the page.
const PARAMETERS: [&str; 6] = [
    "search",
    "state",
    "gate",
    "event",
    "software_brand",
    "ordering",
];

/// What names the page.
const PAGE: &str = "page";

/// The state that means devices in any; without a state those that are revoked are left out.
pub(super) const ANY_STATE: &str = "all";

/// The gate that means devices without one: no gate is called so, as its blanks would have been taken away.
pub(super) const NO_GATE: &str = " ";

/// Which devices are shown.
pub(super) struct View {
    /// What the address holds of them.
    values: Vec<(&'static str, String)>,
    pub(super) filter: DeviceFilter,
    pub(super) order: Order,
    /// Counts from 1.
    pub(super) page: u64,
}

impl View {
    /// Reads the address. A filter that can't be read leads nowhere.
    pub(super) fn read(visit: &Visit) -> Result<Self, Fault> {
        let values = PARAMETERS
            .into_iter()
            .filter_map(|name| Some((name, visit.query(name)?)));
        let values: Vec<_> = values.collect();
        let value = |name: &str| {
            let found = values.iter().find(|(other, _)| *other == name);
            found.map(|(_, value)| value.as_str())
        };
        let only = |name: &str| match (name, value(name)) {
            ("revoked", _) => value("state").is_none().then(|| "false".to_owned()),
            ("state", Some(ANY_STATE)) => None,
            ("gate", Some(NO_GATE)) => Some(String::new()),
            (_, value) => value.map(str::to_owned),
        };
        let listing = Listing::of(|name| only(name).into_iter().collect());
        let Listing { mut filter, order } = listing.map_err(|_| Fault::NotFound)?;
        filter.state = filter.state.map(as_it_stands);
        let page = visit.query(PAGE).and_then(|page| page.parse().ok());
        Ok(Self {
            values,
            filter,
            order,
            page: page.unwrap_or(1).max(1),
        })
    }

    /// What the address holds of this.
    pub(super) fn value(&self, name: &str) -> &str {
        let found = self.values.iter().find(|(other, _)| *other == name);
        found.map_or("", |(_, value)| value)
    }

    /// What the address of the page that is shown holds, by names.
    pub(super) fn fields(&self) -> impl Iterator<Item = (&str, String)> {
        let page = (self.page > 1).then(|| (PAGE, self.page.to_string()));
        let values = self.values.iter();
        values
            .map(|(name, value)| (*name, value.clone()))
            .chain(page)
    }

    /// Whether it shows what is shown to who asks for nothing.
    pub(super) fn is_usual(&self) -> bool {
        self.values.iter().all(|(name, _)| *name == "ordering")
    }

    /// Devices before its page.
    pub(super) fn skip(&self) -> u64 {
        (self.page - 1).saturating_mul(PAGE_SIZE)
    }

    /// The query of this view from its first page on, with another value in place of one.
    pub(super) fn query_with(&self, name: &str, value: &str) -> String {
        let others = self.values.iter().filter(|(other, _)| *other != name);
        let others = others.map(|(name, value)| (*name, value.as_str()));
        let own = (!value.is_empty()).then_some((name, value));
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(others.chain(own));
        match query.finish() {
            query if query.is_empty() => query,
            query => format!("?{query}"),
        }
    }

    /// The query of this view from its first page on.
    pub(super) fn query(&self) -> String {
        self.query_with(PAGE, "")
    }

    /// The query of the page that is shown.
    pub(super) fn own_query(&self) -> String {
        self.query_of_page(self.page)
    }

    /// The query of one of its pages.
    pub(super) fn query_of_page(&self, page: u64) -> String {
        match page {
            1 => self.query(),
            page => self.query_with(PAGE, &page.to_string()),
        }
    }

    /// The query of this view with the devices in the order of a column; in the opposite one, if they are in it.
    pub(super) fn query_ordered(&self, column: &str) -> String {
        let opposite = format!("-{column}");
        match self.is_ordered(column) {
            Some(false) => self.query_with("ordering", &opposite),
            _ => self.query_with("ordering", column),
        }
    }

    /// Whether the devices are in the order of a column, and if so, whether the last comes first.
    pub(super) fn is_ordered(&self, column: &str) -> Option<bool> {
        let ordering = self.value("ordering");
        let (name, descending) = match ordering.strip_prefix('-') {
            Some(name) => (name, true),
            None => (ordering, false),
        };
        (name == column).then_some(descending)
    }
}

/// For people, a device whose code is open waits for a scanner, whether it was connected before or not. The API tells by
/// its state whether it ever was.
fn as_it_stands(state: DeviceState) -> DeviceState {
    match state {
        DeviceState::Active => DeviceState::Connected,
        DeviceState::Waiting => DeviceState::Awaited,
        state => state,
    }
}
