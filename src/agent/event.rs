//! What happens to a device, told to the app on top.

use super::record::Identity;
use super::state::{Operation, State};

/// Something that this process changed, committed to the vault before it is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The device stands otherwise with its server.
    StateChanged(State),
    /// The server told something new of the device: its name, gate, security profile or version.
    IdentityChanged {
        /// As it was known.
        before: Box<Identity>,
        /// As it is known now.
        after: Box<Identity>,
    },
    /// An operation was done.
    Done(Operation),
}

/// Is told what happens. Called on the task that made it happen, and so must not block.
pub trait Observe: Send + Sync {
    /// Something happened.
    fn happened(&self, event: Event);
}

/// For those who do not want to know.
pub(super) struct Nobody;

impl Observe for Nobody {
    fn happened(&self, _event: Event) {}
}
