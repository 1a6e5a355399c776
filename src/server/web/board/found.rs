//! The way from the table to a board of what it shows.

use axum::response::Response;

use crate::server::model::{BATCH_LIMIT, Order, OrderBy};
use crate::server::web::device_numbers::{DeviceNumbers, NumbersError};
use crate::server::web::fault::Fault;
use crate::server::web::html;
use crate::server::web::meant::Meant;
use crate::server::web::visit::Visit;

/// `GET /devices/board/found`: leads to the board of the devices that the table finds now, or that were chosen there. It
/// keeps them as they come in, when a filter would find them no more.
pub(in crate::server::web) async fn lead_to_found(visit: Visit) -> Result<Response, Fault> {
    let meant = Meant::read(&visit)?;
    let numbers = match meant.filter.numbers {
        Some(numbers) => numbers,
        None => {
            let order = Order {
                by: OrderBy::Number,
                descending: false,
            };
            let (store, limit) = (&visit.state.store, BATCH_LIMIT as u64 + 1);
            let found = store.filtered_devices(visit.organizer()?, &meant.filter, order, 0, limit);
            let found = found.await?.into_iter();
            found.map(|found| found.device.device_id).collect()
        }
    };
    if numbers.len() > BATCH_LIMIT {
        return Err(NumbersError::TooMany.into());
    }
    if numbers.is_empty() {
        return Err(NumbersError::None.into());
    }
    let numbers: DeviceNumbers = numbers.into_iter().collect();
    let board = visit.frame.to("/devices/board");
    Ok(html::see_other(&format!("{board}?devices={numbers}"))?)
}
