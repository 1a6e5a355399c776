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
#[cfg(feature = "cli")]
mod moved;
mod redeemed;
mod replaced;
mod turned_away;

pub(super) use device::{Device, Newcomer, Outcome};
pub use device::{Lost, Revoker};
pub(super) use error::RecordError;
pub use identity::Identity;
pub(super) use journal::{BegunEnrolment, BegunOperation, OnIdentity};
pub(super) use key_sets::KeySets;
#[cfg(feature = "cli")]
pub use moved::MovedDevice;
pub(super) use redeemed::Redeemed;
pub(super) use replaced::ToRevoke;
pub(super) use turned_away::TurnedAway;

/// Names of the sealed entries that older versions left when another device took this one's place, bound to that.
#[cfg(feature = "cli")]
pub(super) const MAY_BE_LEFT: [&str; 4] = [
    kept_trust::ENTRY,
    key_sets::ENTRY,
    media_key::HELD,
    redeemed::ENTRY,
];
