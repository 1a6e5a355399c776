//! What is known of the bytes that came.

use crate::enrolment::ObjectScan;

/// What is known of the bytes that came, so that none is looked at again and again.
#[derive(Default)]
pub(super) struct Known {
    /// How many of them were looked at.
    count: usize,
    /// How many blanks they begin with.
    pub(super) blanks: usize,
    pub(super) object: ObjectScan,
}

impl Known {
    /// Looks at the bytes that are new; whether an object ends with them.
    pub(super) fn look(&mut self, bytes: &[u8]) -> bool {
        let mut is_end = false;
        for byte in bytes.iter().skip(self.count) {
            if self.blanks == self.count && (byte.is_ascii_whitespace() || byte.is_ascii_control())
            {
                self.blanks += 1;
            }
            self.count += 1;
            is_end = self.object.ends_with(*byte);
        }
        is_end
    }
}
