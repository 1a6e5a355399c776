//! What in an organizers file does not fit to what is stored, as far as it is told together.

use crate::server::organizers_file::{FAULT_LIMIT, Fault, quote};
use crate::server::store::error::StoreError;

/// The first of them; the rest is counted.
#[derive(Default)]
pub(super) struct Contradictions {
    faults: Vec<Fault>,
    more: usize,
}

impl Contradictions {
    /// A gate is referred to, by a device if there is the name of one, and is not there.
    pub(super) fn no_gate(&mut self, path: String, device: Option<&String>, identifier: &str) {
        let expected = "the identifier of a gate of this organizer";
        self.note(path, device, identifier, expected);
    }

    /// An event is referred to, and is not there.
    pub(super) fn no_event(&mut self, path: String, device: Option<&String>, slug: &str) {
        self.note(path, device, slug, "the slug of an event of this organizer");
    }

    fn note(&mut self, path: String, device: Option<&String>, found: &str, expected: &str) {
        if self.faults.len() == FAULT_LIMIT {
            self.more += 1;
            return;
        }
        self.faults.push(Fault {
            path,
            device: device.cloned(),
            found: quote(found),
            expected: expected.to_owned(),
        });
    }

    /// Refuses the file if there was one.
    pub(super) fn finish(self) -> Result<(), StoreError> {
        let Self { faults, more } = self;
        match faults.is_empty() {
            true => Ok(()),
            false => Err(StoreError::Contradiction { faults, more }),
        }
    }
}
