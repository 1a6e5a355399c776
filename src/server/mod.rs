//! The server side: the devices resource and the device API of an organizer's server.

pub mod event_selection;
pub mod organizers_file;
pub mod security_profile;
