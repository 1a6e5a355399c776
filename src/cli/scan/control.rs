//! Characters that steer, as they come from a terminal.

pub(super) const ETX: u8 = 0x03;
pub(super) const EOT: u8 = 0x04;
pub(super) const BACKSPACE: [u8; 2] = [0x08, 0x7f];
pub(super) const CLEAR: u8 = 0x15; // Ctrl+U
pub(super) const SUSPEND: u8 = 0x1a; // Ctrl+Z
