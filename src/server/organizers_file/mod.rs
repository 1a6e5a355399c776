//! The organizers file: what `gatehand admin import` takes and `gatehand admin export` writes.
//!
//! A file is taken wholly or not at all. What is wrong with it is told all at once, in the order of
//! the file, each fault with the place, the value found and what was expected there. Of its devices,
//! which may be any number, one at a time is in memory: the file is read again for them.

mod content;
mod entries;
mod error;
mod json;
mod reader;
mod schema;
mod seen_secrets;
mod shown;
#[cfg(test)]
mod tests;
mod values;
mod writer;

use std::io::{Read, Seek};
use std::sync::{Mutex, PoisonError};

use content::Content;
pub use content::Source;
pub use entries::{
    CheckinListEntry, DeviceEntry, EventEntry, GateEntry, OrganizerEntry, ReportEntry,
    SubeventEntry, TeamEntry, TokenEntry,
};
pub use error::{DEVICE_LIMIT, FAULT_LIMIT, Fault, OrganizersFileError, SIZE_LIMIT};
pub use json::Place;
use reader::Reader;
use seen_secrets::SeenSecrets;
pub use writer::Writer;
pub(in crate::server) use {error::list, shown::quote};

/// A file whose parts fit together. The gates and events it refers to may be on the server only.
pub struct OrganizersFile {
    /// With slugs unique in the file.
    pub organizers: Vec<OrganizerEntry>,
    source: Mutex<Box<dyn Source>>,
}

impl OrganizersFile {
    /// Reads a file, and looks at all of its devices.
    pub fn read(source: impl Read + Seek + Send + 'static) -> Result<Self, OrganizersFileError> {
        let mut source: Box<dyn Source> = Box::new(source);
        let mut secrets = SeenSecrets::new().map_err(OrganizersFileError::Unchecked)?;
        let mut reader = Reader::default();

        let content = Content::begin(&mut *source)?;
        let tree = json::parse(&content, None)?;
        let tree = tree.as_ref().map(|tree| &tree.value);
        let organizers = tree.and_then(|tree| schema::organizers(&mut reader, tree, &mut secrets));
        // Of a key that comes twice the device's is the one told, wherever it stands.
        let content = Content::begin(&mut *source)?;
        let mut look_at = |place: Place, node| {
            reader.device(place, &node, |reader, value| {
                schema::device(reader, value, Some(&mut secrets))
            });
            true
        };
        json::parse(&content, Some(&mut look_at))?;
        secrets.finish().map_err(OrganizersFileError::Unchecked)?;
        Ok(Self {
            organizers: reader.finish(organizers)?,
            source: Mutex::new(source),
        })
    }

    /// Hands over each device, in the order of the file. Can be done again.
    pub fn devices<E: From<OrganizersFileError>>(
        &self,
        mut each: impl FnMut(Place, DeviceEntry) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut source = self.source.lock().unwrap_or_else(PoisonError::into_inner);
        let content = Content::begin(&mut **source)?;
        let mut ended = Ok(());
        let mut hand_over = |place: Place, node| {
            let device = Self::device(place, &node).map_err(E::from);
            ended = device.and_then(|device| each(place, device));
            ended.is_ok()
        };
        json::parse(&content, Some(&mut hand_over))?;
        ended
    }

    /// It was looked at before; it is wrong only if the file was changed since.
    fn device(place: Place, node: &json::Node) -> Result<DeviceEntry, OrganizersFileError> {
        let mut reader = Reader::default();
        let device = reader.device(place, node, |reader, value| {
            schema::device(reader, value, None)
        });
        reader.finish(device)
    }
}
