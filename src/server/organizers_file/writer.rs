//! Writes an organizers file: an entry a line, so that two files can be compared by line.

use std::io;

use serde::Serialize;

use super::entries::{DeviceEntry, OrganizerEntry};

/// Writes a file line by line, in the order in which it is to be read again.
pub struct Writer<L> {
    write_line: L,
    /// Whether an organizer was begun.
    in_organizer: bool,
    /// The line that was begun: how it ends is known once it is known what follows.
    line: String,
}

#[derive(Serialize)]
struct Device<'d> {
    #[serde(flatten)]
    device: &'d DeviceEntry,
    initialized: bool,
}

impl<L: FnMut(Option<&str>) -> io::Result<()>> Writer<L> {
    /// A writer that hands each line over without its end, and nothing once it was the last.
    pub fn new(write_line: L) -> Self {
        Self {
            write_line,
            in_organizer: false,
            line: "{\"organizers\": [".to_owned(),
        }
    }

    /// Begins an organizer, to which all devices belong that follow.
    pub fn organizer(&mut self, organizer: &OrganizerEntry) -> io::Result<()> {
        self.end_organizer()?;
        let before = match std::mem::replace(&mut self.in_organizer, true) {
            true => ",",
            false => "",
        };
        self.next(before, "{")?;
        self.member("slug", &organizer.slug)?;
        self.line += ", ";
        self.member("name", &organizer.name)?;
        if let Some(active) = organizer.active {
            self.line += ", ";
            self.member("active", &active)?;
        }
        self.list("gates", &organizer.gates)?;
        self.list("events", &organizer.events)?;
        self.list("teams", &organizer.teams)?;
        self.next(",", "\"devices\": [")
    }

    /// Adds a device to the last organizer.
    pub fn device(&mut self, device: &DeviceEntry) -> io::Result<()> {
        let document = serde_json::to_string(&Device {
            device,
            initialized: device.api_key_hash.is_some(),
        })?;
        self.item(&document)
    }

    /// Ends the file.
    pub fn end(&mut self) -> io::Result<()> {
        self.end_organizer()?;
        self.next("", "]}")?;
        (self.write_line)(Some(&self.line))?;
        (self.write_line)(None)
    }

    fn end_organizer(&mut self) -> io::Result<()> {
        match self.in_organizer {
            true => self.next("", "]}"),
            false => Ok(()),
        }
    }

    fn member(&mut self, key: &str, value: &impl Serialize) -> io::Result<()> {
        self.line += &format!("\"{key}\": {}", serde_json::to_string(value)?);
        Ok(())
    }

    fn list(&mut self, key: &str, items: &[impl Serialize]) -> io::Result<()> {
        self.next(",", &format!("\"{key}\": ["))?;
        for item in items {
            self.item(&serde_json::to_string(item)?)?;
        }
        self.line += "]";
        Ok(())
    }

    /// Adds an item to the list that was begun.
    fn item(&mut self, document: &str) -> io::Result<()> {
        let before = if self.line.ends_with('[') { "" } else { "," };
        self.next(before, document)
    }

    /// Ends the line and begins another.
    fn next(&mut self, end: &str, line: &str) -> io::Result<()> {
        self.line += end;
        (self.write_line)(Some(&self.line))?;
        self.line.clear();
        self.line += line;
        Ok(())
    }
}
