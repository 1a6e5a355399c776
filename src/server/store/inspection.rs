//! A look at a database, beside a server that may be using it: nothing is changed, made or brought up.

use std::path::{Path, PathBuf};

use super::database::Database;
use super::inspected::{Contents, Inspection, Own, SecretState};
use super::open_error::{OpenError, OpenFailure};
use super::operations::consistency;
use super::session::Session;
use super::{postgres, sqlite};
use crate::server::installation_keys::InstallationKeys;
use crate::server::secret_file::{SecretFile, SecretFileError};

/// Looks at a database, which has to be there.
///
/// Not to be called in a runtime: it may have one of its own.
pub fn inspect(database: &Database, secret_file: Option<&Path>) -> Result<Inspection, OpenError> {
    let inspected = match database {
        Database::Sqlite(path) => std::path::absolute(path)
            .map_err(OpenFailure::File)
            .and_then(|path| {
                let secret = SecretFile::locate(secret_file, &path);
                sqlite::inspect(&path, |own, session| {
                    Ok(inspection(own, session, Some(&secret)))
                })
            }),
        Database::Postgres(address) => {
            let secret = SecretFile::locate_apart(secret_file);
            postgres::inspect(address, |own, session| {
                Ok(inspection(own, session, secret.as_ref()))
            })
        }
    };
    inspected.map_err(|source| OpenError {
        database: database.clone(),
        source,
    })
}

fn inspection(own: Own, session: &mut dyn Session, secret: Option<&SecretFile>) -> Inspection {
    let (found, known) = own.version;
    let secret = SecretState {
        path: secret.map(|secret| secret.path().to_owned()),
        is_right: is_right(session, secret),
    };
    let contents = (found == known).then(|| Contents {
        clock: own.clock,
        last_entry: consistency::last_entry(session),
        orphans: own.references.and_then(|mut orphans| {
            orphans.extend(consistency::orphans(session)?);
            Ok(orphans)
        }),
        behind: own.behind.and_then(|mut behind| {
            behind.extend(consistency::organizers_behind(session)?);
            Ok(behind)
        }),
        unconfirmed: consistency::unconfirmed(session),
    });
    Inspection {
        version: own.version,
        damage: own.damage,
        looked_for: own.looked_for,
        indexes: own.indexes,
        contents,
        secret,
    }
}

/// Whether the secret in this file is the database's: its check value is derived anew.
fn is_right(
    session: &mut dyn Session,
    secret: Option<&SecretFile>,
) -> Result<bool, SecretFileError> {
    let missing = || SecretFileError::Missing {
        path: secret.map_or_else(PathBuf::new, |secret| secret.path().to_owned()),
    };
    let loaded = secret.ok_or_else(missing)?.load()?.ok_or_else(missing)?;
    let check = InstallationKeys::derive(&loaded).check();
    // What can't be read is no secret's.
    Ok(consistency::key_check(session).is_ok_and(|stored| stored.as_deref() == Some(&check[..])))
}
