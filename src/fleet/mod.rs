//! An organizer's devices at any compatible server, over its devices resource and with a team's token.
//!
//! Every such server lists, makes and changes devices. What goes beyond that, as gates, revocation or many at once, is
//! tried where it is asked for, and a server that lacks it is told by its answers, never by its version. Whatever
//! was done is read back: a server may answer with success, and leave a device as it was.

mod change;
mod create;
mod device;
mod directory;
mod edit;
mod error;
mod filter;
mod now;
mod offered;
mod outcome;
mod reconnect;
mod resource;
mod revoke;
mod selection;
mod together;

pub(crate) use change::Change;
pub(crate) use create::create;
pub(crate) use device::{FleetDevice, Standing};
pub(crate) use edit::{edit, expect_free_name};
pub(crate) use error::FleetError;
pub(crate) use filter::Filter;
#[cfg(test)]
pub(crate) use offered::Offer;
pub(crate) use outcome::{Effect, Outcome};
pub(crate) use reconnect::{Reconnecting, reconnect};
pub(crate) use resource::{Origin, Resource};
pub(crate) use revoke::revoke;
pub(crate) use selection::named;
