//! The names of the vault's own entries, and how any is read.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension};

use super::VaultError;

pub(super) const RESERVE: &str = "reserve";
pub(super) const PLAIN: &str = "SELECT plain FROM entry WHERE name = ?1";
pub(super) const SEALED: &str = "SELECT sealed FROM entry WHERE name = ?1";
pub(super) const HAS_SEALED: &str = "SELECT 1 FROM entry WHERE name = ?1 AND sealed IS NOT NULL";
/// Sealed when the key is first used, so that another key is noticed.
pub(super) const KEY_CHECK: &str = "key check";
/// Where the key lives if not in its file; plain, so that who lacks the key is told of its home.
pub(super) const KEY_HOME: &str = "key home";
pub(super) const IN_CREDENTIAL: &str = "credential";

/// One column of an entry.
pub(super) fn column<T: rusqlite::types::FromSql>(
    connection: &Connection,
    path: &Path,
    select: &str,
    name: &str,
) -> Result<Option<T>, VaultError> {
    connection
        .prepare(select)
        .and_then(|mut query| query.query_row([name], |row| row.get(0)).optional())
        .map(Option::flatten)
        .map_err(|source| VaultError::sqlite(path, source))
}

/// What a sealed entry is sealed for.
///
/// The names are of this program, so that the separator is in the context only.
pub(super) fn purpose(name: &str, context: &str) -> String {
    format!("gatehand vault\0{name}\0{context}")
}
