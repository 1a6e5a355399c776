//! Keeps what is in the memory of a command, keys among it, out of core dumps.

use rustix::process::{DumpableBehavior, set_dumpable_behavior};

/// Lets the system keep core dumps, and debuggers attach, when it is set.
const ALLOWED: &str = "GATEHAND_CORE_DUMPS";

/// Before anything is read that is secret. Other processes of the same user can't look into this one's
/// memory either then.
pub(super) fn prevent() {
    if std::env::var_os(ALLOWED).is_some_and(|value| !value.is_empty()) {
        return;
    }
    // A system that knows no such thing is no reason to do nothing.
    let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
}
