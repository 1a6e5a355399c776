//! What can be asked for of a device's identity: it is begun here, or gone on with if it was begun
//! before.

mod adopt;
#[cfg(feature = "cli")]
mod adopt_hardware;
mod freshen;
mod given_media_key;
mod initialize;
#[cfg(feature = "cli")]
mod moving;
mod operation;
#[cfg(feature = "cli")]
mod rekey;
mod replaced;
mod resume;
mod unwanted;

pub use adopt::ExistingIdentity;
pub(super) use adopt::adopt;
#[cfg(feature = "cli")]
pub(super) use adopt_hardware::{adopt_hardware, bind};
pub(super) use freshen::freshen;
pub use initialize::{Course, InitializeOptions, Initialized};
pub(super) use initialize::{initialize, initialize_first_known, redeemed};
#[cfg(feature = "cli")]
pub use moving::Imported;
#[cfg(feature = "cli")]
pub(super) use moving::{export, import};
pub use operation::Done;
pub(super) use operation::{report, revoke, roll};
#[cfg(feature = "cli")]
pub use rekey::{NewKey, rekey};
pub(super) use replaced::revoke_replaced_in_passing;
pub use resume::Resumed;
pub(super) use resume::{resume, resume_under};
