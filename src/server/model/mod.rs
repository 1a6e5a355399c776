//! What the server knows, as everyone who works with it sees it: store, API, files and commands.

mod device;
mod event;
mod medium_keys;
mod name;
mod organizer;
mod permissions;
mod schedule;
mod slug;
mod when;

pub use device::{DeviceChange, EnrolledDevice, NewDevice, ValidReport};
pub use event::{CheckinList, Event, Subevent};
pub use medium_keys::MediumKeys;
pub use name::Name;
pub use organizer::{Organizer, TeamCaller};
pub use permissions::Permissions;
pub use schedule::Schedule;
pub use slug::{Slug, SlugError};
pub use when::When;
