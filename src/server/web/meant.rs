//! Which devices a change of many means: those that were chosen in the table, or all that it finds.

use super::fault::Fault;
use super::view::View;
use super::visit::Visit;
use crate::server::model::DeviceFilter;

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
        if numbers.is_empty() {
            let view = View::read(visit)?;
            return Ok(Self {
                query: view.query(),
                filter: view.filter,
                is_chosen: false,
            });
        }
        let query = numbers.iter().map(|number| format!("device={number}"));
        Ok(Self {
            query: format!("?{}", query.collect::<Vec<_>>().join("&")),
            filter: DeviceFilter {
                numbers: Some(numbers),
                ..DeviceFilter::default()
            },
            is_chosen: true,
        })
    }
}
