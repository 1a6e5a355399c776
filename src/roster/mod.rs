//! Devices that are to be made, many at once: by a pattern of their names, or of a table as spreadsheets write it.

mod names;
mod new_device;
mod numbered;
mod table;

pub(crate) use names::{NamePattern, PatternError};
pub(crate) use new_device::{Events, NewDevice, Usual};
pub(crate) use numbered::{NumberedError, numbered};
pub(crate) use table::{RosterError, read};
