//! The files that this process may have open, each connection being one.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::places::OVERLAP;

/// Files besides connections: the database with its readers, what is opened in passing, and
/// connections on their way out.
const OTHERS: u64 = 64 + OVERLAP as u64;

/// Lets this process open as many files as this many connections need, as far as it may, and returns
/// for how many connections that is enough.
pub(crate) fn make_room(connections: usize) -> usize {
    let limit = getrlimit(Resource::Nofile);
    let needed = connections as u64 + OTHERS;
    // None is no limit.
    let mut allowed = limit.current.unwrap_or(u64::MAX);
    if allowed < needed {
        let raised = limit.maximum.unwrap_or(u64::MAX).min(needed);
        let wanted = Rlimit {
            current: Some(raised),
            ..limit
        };
        if raised > allowed && setrlimit(Resource::Nofile, wanted).is_ok() {
            allowed = raised;
        }
    }
    let enough = allowed.saturating_sub(OTHERS.min(allowed / 4 * 3));
    connections
        .min(usize::try_from(enough).unwrap_or(usize::MAX))
        .max(1)
}
