//! What it means that a statement met something, or nothing.

use crate::server::store::error::StoreError;

/// What is referred to is not there.
pub(in crate::server::store) fn unknown(kind: &'static str, name: &str) -> StoreError {
    StoreError::Unknown {
        kind,
        name: name.to_owned(),
    }
}

/// What an `INSERT … ON CONFLICT DO NOTHING` returned; nothing if it met what is there already.
pub(super) fn expect_created<T>(
    made: Option<T>,
    kind: &'static str,
    name: &str,
) -> Result<T, StoreError> {
    made.ok_or_else(|| exists(kind, name))
}

/// What is to be made is there already.
pub(super) fn exists(kind: &'static str, name: &str) -> StoreError {
    StoreError::Exists {
        kind,
        name: name.to_owned(),
    }
}

/// An `UPDATE` that changed nothing met nothing.
pub(super) fn expect_changed(rows: u64, kind: &'static str, name: &str) -> Result<(), StoreError> {
    match rows {
        0 => Err(unknown(kind, name)),
        _ => Ok(()),
    }
}
