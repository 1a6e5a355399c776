//! Which devices a change of many means: those that were chosen in the table, or all that it finds.

use super::fault::Fault;
use super::view::View;
use super::visit::Visit;
use crate::server::model::DeviceFilter;

/// Says that devices were to be chosen.
const CHOSEN: &str = "chosen";

/// The devices that are meant, and the query that means them.
pub(super) struct Meant {
    pub(super) filter: DeviceFilter,
    /// With a question mark.
    pub(super) query: String,
    /// The table where they were meant, as a path of the page.
    pub(super) table: String,
    /// Whether each was chosen.
    pub(super) is_chosen: bool,
}

impl Meant {
    /// Reads the address.
    pub(super) fn read(visit: &Visit) -> Result<Self, Fault> {
        let chosen = visit.query_pairs().filter(|(name, _)| name == "device");
        let numbers: Result<Vec<u64>, _> = chosen.map(|(_, number)| number.parse()).collect();
        let numbers = numbers.map_err(|_| Fault::NotFound)?;
        let view = View::read(visit)?;
        let query = view.own_query();
        let table = format!("/devices{query}");
        // Where some were to be chosen, none are not all.
        let is_choice = visit.query(CHOSEN).is_some();
        if numbers.is_empty() && !is_choice {
            return Ok(Self {
                filter: view.filter,
                query,
                table,
                is_chosen: false,
            });
        }
        let devices = numbers.iter().map(|number| format!("&device={number}"));
        let query = query.replacen('?', "&", 1);
        Ok(Self {
            query: format!("?{CHOSEN}=1{}{query}", devices.collect::<String>()),
            filter: DeviceFilter {
                numbers: Some(numbers),
                ..DeviceFilter::default()
            },
            table,
            is_chosen: true,
        })
    }

    /// Whether some were to be chosen, and none was.
    pub(super) fn is_nothing(&self) -> bool {
        self.filter.numbers.as_ref().is_some_and(Vec::is_empty)
    }
}
