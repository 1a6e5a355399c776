//! A device as a form sends it, by the API's rules of fields.

use super::fault::Fault;
use super::visit::Visit;
use crate::server::api::{Extent, FieldErrors, Problem, check, refuse_unknown};
use crate::server::model::NewDevice;
use crate::wire::fields;

/// The device that was sent, or what is wrong with it.
pub(super) async fn read(visit: &Visit) -> Result<Result<NewDevice, FieldErrors>, Fault> {
    let mut checked = check(&fields::BATCH_DEVICE, &visit.form, Extent::Whole)?;
    let organizer = visit.organizer()?;
    refuse_unknown(
        &*visit.state.store,
        organizer,
        std::iter::once(&mut checked),
    )
    .await?;
    match checked.finish() {
        Ok(device) => Ok(Ok(device)),
        Err(Problem::Fields(errors)) => Ok(Err(errors)),
        Err(problem) => Err(problem.into()),
    }
}
