//! What the kernel tells of itself.

use std::path::Path;

use super::bounded;
use super::source::OperatingSystem;
use crate::wire::Text;

/// The kernel in the place of an operating system, where none is named.
pub(super) fn read(root: &Path) -> Option<OperatingSystem> {
    Some(OperatingSystem {
        name: bounded::value(&root.join("proc/sys/kernel/ostype"))?,
        version: version(root),
    })
}

pub(super) fn version(root: &Path) -> Option<Text> {
    bounded::value(&root.join("proc/sys/kernel/osrelease"))
}

/// The kernel's architecture; that of this program on kernels before 6.1, which don't tell.
pub(super) fn architecture(root: &Path) -> Text {
    bounded::value(&root.join("proc/sys/kernel/arch"))
        .unwrap_or_else(|| Text::own(std::env::consts::ARCH))
}
