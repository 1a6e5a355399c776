//! Places where a test kills the process; nothing without the feature `failpoints`.

/// Marks a step of an operation.
#[inline(always)]
pub(crate) fn reach(_name: &'static str) {}
