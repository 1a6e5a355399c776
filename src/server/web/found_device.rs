//! The device that an address names.

use super::fault::Fault;
use super::visit::Visit;
use crate::server::model::DetailedDevice;

/// The number in the path.
pub(super) fn number(visit: &Visit) -> Result<u64, Fault> {
    visit.param(0).parse().map_err(|_| Fault::NotFound)
}

/// The device that the path names.
pub(super) async fn find(visit: &Visit) -> Result<DetailedDevice, Fault> {
    let organizer = visit.organizer()?;
    let found = visit.state.store.detailed_device(organizer, number(visit)?);
    found.await?.ok_or(Fault::NotFound)
}
