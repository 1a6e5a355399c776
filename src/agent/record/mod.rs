//! What the vault holds of a device, entry by entry: it is read and written here, and nothing else is
//! done about it.

mod device;
mod entry;
mod error;
#[cfg(feature = "cli")]
pub(super) mod hardware;
mod identity;
mod journal;
pub(super) mod kept_trust;
pub(super) mod key_sets;
pub(super) mod media_key;
mod redeemed;
mod replaced;
mod turned_away;

pub(super) use device::{Device, Newcomer, Outcome};
pub use device::{Lost, Revoker};
pub(super) use error::RecordError;
pub use identity::Identity;
pub(super) use journal::{BegunEnrolment, BegunOperation, OnIdentity};
pub(super) use key_sets::KeySets;
pub(super) use redeemed::Redeemed;
pub(super) use replaced::ToRevoke;
pub(super) use turned_away::TurnedAway;
