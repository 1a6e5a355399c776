//! One device is connected: it is made, its code is shown, and the page turns as soon as a scanner has redeemed it.

mod form;
mod view;

pub(super) use form::{ask, create};
pub(super) use view::{follow, show};
