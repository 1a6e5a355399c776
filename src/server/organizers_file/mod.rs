//! The organizers file: what `gatehand admin import` takes.
//!
//! A file is read wholly or not at all. What is wrong with it is told all at once, in the order of
//! the file, each fault with the place, the value found and what was expected there.

mod entries;
mod error;
mod json;
mod reader;
mod schema;
#[cfg(test)]
mod tests;
mod values;

pub use entries::{
    CheckinListEntry, DeviceEntry, EventEntry, GateEntry, OrganizerEntry, OrganizersFile,
    ReportEntry, SubeventEntry, TeamEntry, TokenEntry,
};
pub use error::{FAULT_LIMIT, Fault, OrganizersFileError, SIZE_LIMIT};

impl OrganizersFile {
    /// Reads the content of a file.
    pub fn parse(content: &[u8]) -> Result<Self, OrganizersFileError> {
        if content.len() > SIZE_LIMIT {
            return Err(OrganizersFileError::TooLarge);
        }
        let tree = json::parse(content).map_err(OrganizersFileError::Syntax)?;
        reader::read(&tree, schema::organizers_file)
    }
}
