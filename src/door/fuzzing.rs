//! What the fuzz targets reach.

use super::Allowed;

/// Whether a door that allows all it can lets a request pass.
pub fn may_pass(method: &str, path: &str) -> bool {
    Allowed::profile("full").is_ok_and(|everything| everything.allows(method, path))
}
