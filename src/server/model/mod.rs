//! What the server knows, as everyone who works with it sees it: store, API, files and commands.

mod batch;
mod device;
mod device_filter;
mod device_page;
mod event;
mod medium_keys;
mod name;
mod organizer;
mod permissions;
mod schedule;
mod slug;
mod version;
mod when;

pub use batch::{BATCH_LIMIT, BatchPlan, BatchRefusal, BatchSetting, PlannedChange};
pub use device::{
    CodeState, DetailedDevice, DeviceChange, EnrolledDevice, NewDevice, ValidReport,
    VersionedDevice,
};
pub(in crate::server) use device_filter::above;
pub use device_filter::{
    COUNT_LIMIT, Count, DeviceFilter, DeviceState, Order, OrderBy, SILENT_AFTER,
};
pub use device_page::DevicePage;
pub use event::{CheckinList, Event, Subevent};
pub use medium_keys::MediumKeys;
pub use name::Name;
pub use organizer::{Organizer, TeamCaller};
pub use permissions::{Permissions, READ_DEVICES, WRITE_DEVICES};
pub use schedule::Schedule;
pub use slug::{Slug, SlugError};
pub use version::{Expected, Version};
pub use when::When;
