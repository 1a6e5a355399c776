//! A change of a vault, in one transaction.

use std::path::Path;

use rusqlite::{Transaction, params};

use super::VaultError;
use super::entry::{IN_CREDENTIAL, KEY_CHECK, KEY_HOME, PLAIN, RESERVE, column, purpose};
use crate::seal::SealingKey;

/// A change under way: what is put and removed is committed together.
pub struct Change<'a> {
    pub(super) transaction: Transaction<'a>,
    pub(super) key: &'a SealingKey,
    pub(super) path: &'a Path,
}

impl Change<'_> {
    /// A plain entry as it is now.
    pub fn plain(&self, name: &str) -> Result<Option<String>, VaultError> {
        column(&self.transaction, self.path, PLAIN, name)
    }

    /// Puts a plain entry in place of what `name` held.
    pub fn put(&self, name: &str, text: &str) -> Result<(), VaultError> {
        self.execute(
            "INSERT OR REPLACE INTO entry (name, plain) VALUES (?1, ?2)",
            params![name, text],
        )
    }

    /// Seals an entry and puts it in place of what `name` held.
    pub fn put_sealed(&self, name: &str, context: &str, secret: &[u8]) -> Result<(), VaultError> {
        self.put_sealed_by(self.key, name, context, secret)
    }

    fn put_sealed_by(
        &self,
        key: &SealingKey,
        name: &str,
        context: &str,
        secret: &[u8],
    ) -> Result<(), VaultError> {
        let sealed = key
            .seal(&purpose(name, context), secret)
            .map_err(|source| VaultError::Seal {
                path: self.path.to_owned(),
                source,
            })?;
        self.execute(
            "INSERT OR REPLACE INTO entry (name, sealed) VALUES (?1, ?2)",
            params![name, sealed],
        )
    }

    /// Removes an entry and overwrites its place in the file.
    pub fn remove(&self, name: &str) -> Result<(), VaultError> {
        self.execute("DELETE FROM entry WHERE name = ?1", params![name])
    }

    /// Frees the room that [`Vault::begin`](super::Vault::begin) has filled. It held nothing secret: overwritten, it would
    /// take up in the log just the room that is to be used now.
    pub(super) fn make_room(&self) -> Result<(), VaultError> {
        let overwrite = |whether: bool| {
            let set = self
                .transaction
                .pragma_update(None, "secure_delete", whether);
            set.map_err(|source| VaultError::sqlite(self.path, source))
        };
        overwrite(false)?;
        let removed = self.remove(RESERVE);
        overwrite(true)?;
        removed
    }

    pub(super) fn check_key_from_now_on(&self, is_in_credential: bool) -> Result<(), VaultError> {
        let there = self
            .transaction
            .prepare("SELECT 1 FROM entry WHERE name = ?1")
            .and_then(|mut query| query.exists([KEY_CHECK]))
            .map_err(|source| VaultError::sqlite(self.path, source))?;
        if there {
            return Ok(());
        }
        if is_in_credential {
            self.put(KEY_HOME, IN_CREDENTIAL)?;
        }
        self.put_sealed(KEY_CHECK, "", &[])
    }

    fn execute(&self, sql: &str, values: &[&dyn rusqlite::ToSql]) -> Result<(), VaultError> {
        self.transaction
            .prepare(sql)
            .and_then(|mut statement| statement.execute(values))
            .map(drop)
            .map_err(|source| VaultError::sqlite(self.path, source))
    }

    /// Seals every entry with `new` in place of the key it has, whichever of these it is bound to.
    #[cfg(feature = "cli")]
    pub(super) fn seal_anew(
        &self,
        new: &SealingKey,
        contexts: &[String],
        may_be_left: &[&str],
    ) -> Result<(), VaultError> {
        let failed = |source| VaultError::sqlite(self.path, source);
        let entries: Vec<(String, Vec<u8>)> = self
            .transaction
            .prepare("SELECT name, sealed FROM entry WHERE sealed IS NOT NULL")
            .and_then(|mut query| {
                let rows = query.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
                rows.collect()
            })
            .map_err(failed)?;
        for (name, sealed) in entries {
            let bound = [""].into_iter().chain(contexts.iter().map(String::as_str));
            let opened = bound.map(|context| {
                let opened = self.key.unseal(&purpose(&name, context), &sealed);
                opened.map(|secret| (context, secret))
            });
            let mut error = crate::seal::SealError::Mismatch;
            let mut found = None;
            for one in opened {
                match one {
                    Ok(one) => found = Some(one),
                    Err(other) => error = other,
                }
            }
            match found {
                Some((context, secret)) => self.put_sealed_by(new, &name, context, &secret)?,
                // It opens for nobody before and after.
                None if may_be_left.contains(&name.as_str()) => self.remove(&name)?,
                None => {
                    return Err(VaultError::Seal {
                        path: self.path.to_owned(),
                        source: error,
                    });
                }
            }
        }
        Ok(())
    }
}
