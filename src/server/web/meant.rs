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
    /// Whether each was chosen.
    pub(super) is_chosen: bool,
}

impl Meant {
    /// Reads the address.
    pub(super) fn read(visit: &Visit) -> Result<Self, Fault> {
        let chosen = visit.query_pairs().filter(|(name, _)| name == "device");
        let numbers: Result<Vec<u64>, _> = chosen.map(|(_, number)| number.parse()).collect();
        let numbers = numbers.map_err(|_| Fault::NotFound)?;
        // Where some were to be chosen, none are not all.
        let is_choice = visit.query(CHOSEN).is_some();
        if numbers.is_empty() && !is_choice {
            let view = View::read(visit)?;
            return Ok(Self {
                query: view.query(),
                filter: view.filter,
                is_chosen: false,
            });
        }
        let query = numbers.iter().map(|number| format!("&device={number}"));
        Ok(Self {
            query: format!("?{CHOSEN}=1{}", query.collect::<String>()),
            filter: DeviceFilter {
                numbers: Some(numbers),
                ..DeviceFilter::default()
            },
            is_chosen: true,
        })
    }

    /// Whether some were to be chosen, and none was.
    pub(super) fn is_nothing(&self) -> bool {
        self.filter.numbers.as_ref().is_some_and(Vec::is_empty)
    }
}
