//! What is said of what a look at a database has found.

use jiff::{SignedDuration, Timestamp};

use super::id::Id;
use crate::causes;
use crate::cli::findings::Finding;
use crate::server::store::{
    Behind, Contents, Indexes, Inspection, Orphans, SecretState, StoreError,
};

/// How far clocks may be apart, and an entry may be ahead of the clock.
const APART: SignedDuration = SignedDuration::from_secs(10);

/// Things of one kind that are named at most.
const NAMED: usize = 5;

pub(super) fn judge(inspection: Inspection, findings: &mut Vec<Finding<Id>>) {
    let (found, known) = inspection.version;
    findings.push(match found == known {
        true => Finding::ok(Id::Schema, format!("its tables have version {found}, as they should")),
        false => Finding::warning(
            Id::Schema,
            format!("its tables have version {found}, and this program has {known}"),
        )
        .advising("start the server of this version: it brings them up, and keeps a copy of an SQLite file"),
    });
    findings.push(integrity(inspection.damage, inspection.looked_for));
    findings.push(match found == known {
        true => indexes(inspection.indexes),
        false => Finding::skipped(Id::Indexes, Id::Schema),
    });
    findings.push(secret(inspection.secret));
    match inspection.contents {
        Some(contents) => findings.extend(of_contents(contents)),
        None => {
            let needing = [Id::Restore, Id::Clock, Id::Orphans, Id::Counters];
            findings.extend(needing.map(|id| Finding::skipped(id, Id::Schema)));
        }
    }
}

fn of_contents(contents: Contents) -> [Finding<Id>; 4] {
    let Contents {
        clock: database,
        last_entry,
        orphans: found,
        behind,
        unconfirmed,
    } = contents;
    [
        restore(unconfirmed),
        clock(database, last_entry),
        orphans(found),
        counters(behind),
    ]
}

/// That it could not be looked at.
fn not_read(id: Id, error: &StoreError) -> Finding<Id> {
    let words = std::iter::once(error.to_string()).chain(causes::of(error));
    let words = words.collect::<Vec<_>>().join(": ");
    Finding::failed(id, format!("it can't be looked at: {words}")).advising_if(error.advice())
}

/// The first few, and how many more there are.
fn some(all: &[String]) -> String {
    let named: Vec<&str> = all.iter().take(NAMED).map(String::as_str).collect();
    match all.len().saturating_sub(NAMED) {
        0 => named.join("; "),
        more => format!("{}; and {more} more", named.join("; ")),
    }
}

fn integrity(damage: Result<Vec<String>, StoreError>, looked_for: &'static str) -> Finding<Id> {
    let id = Id::Integrity;
    match damage {
        Err(error) => not_read(id, &error),
        Ok(faults) if faults.is_empty() => Finding::ok(id, looked_for),
        Ok(faults) => Finding::failed(id, format!("it is damaged: {}", some(&faults))).advising(
            "stop the server, keep what is there, look at the disk, and restore the last backup: admin restore FILE --replace",
        ),
    }
}

fn indexes(indexes: Result<Indexes, StoreError>) -> Finding<Id> {
    let id = Id::Indexes;
    match indexes {
        Err(error) => not_read(id, &error),
        Ok(Indexes {
            wanted,
            missing,
            invalid,
        }) if missing.is_empty() && invalid.is_empty() => {
            Finding::ok(id, format!("all {wanted} are there and in use"))
        }
        Ok(Indexes { missing, invalid, .. }) if invalid.is_empty() => {
            Finding::failed(id, format!("missing, or made otherwise: {}", some(&missing)))
                .advising("somebody has changed the tables: copy all into a fresh database with admin copy, and serve that")
        }
        Ok(Indexes { invalid, .. }) => {
            Finding::failed(id, format!("PostgreSQL does not use: {}", some(&invalid)))
                .advising("make each anew, as with: REINDEX INDEX CONCURRENTLY NAME")
        }
    }
}

fn secret(secret: SecretState) -> Finding<Id> {
    let id = Id::Secret;
    let shown = secret.path.map(|path| path.display().to_string());
    match (secret.is_right, shown) {
        (Ok(true), Some(path)) => {
            Finding::ok(id, format!("{path} is its owner's alone, and the database's own"))
        }
        (Ok(true), None) => Finding::ok(id, "it is the database's own"),
        (Ok(false), path) => Finding::failed(
            id,
            format!(
                "the secret in {} is not the one that the database was made with",
                path.unwrap_or_default()
            ),
        )
        .advising("put the right one back, or name the file that holds it with --secret-file"),
        (Err(_), None) => Finding::failed(id, "no file is named for it").advising(
            "name it with --secret-file or GATEHAND_SECRET_FILE: a database in PostgreSQL has no file beside it",
        ),
        (Err(error), Some(_)) => {
            let words = std::iter::once(error.to_string()).chain(causes::of(&error));
            let words = words.collect::<Vec<_>>().join(": ");
            Finding::failed(id, words).advising_if(error.advice())
        }
    }
}

fn restore(unconfirmed: Result<Option<Timestamp>, StoreError>) -> Finding<Id> {
    let id = Id::Restore;
    match unconfirmed {
        Err(error) => not_read(id, &error),
        Ok(None) => Finding::ok(id, "no restored backup waits to be confirmed"),
        Ok(Some(when)) => Finding::failed(
            id,
            format!("a backup that was restored at {when:.0} waits to be confirmed, and is not served"),
        )
        .advising("look through what may have been undone, with admin restore, and then admin restore --confirm"),
    }
}

fn clock(
    database: Result<Option<(Timestamp, Timestamp)>, StoreError>,
    last_entry: Result<Option<Timestamp>, StoreError>,
) -> Finding<Id> {
    let id = Id::Clock;
    let (database, last_entry) = match (database, last_entry) {
        (Ok(database), Ok(last_entry)) => (database, last_entry),
        (Err(error), _) | (_, Err(error)) => return not_read(id, &error),
    };
    const ADVICE: &str = "have the machines' clocks set by the network: timedatectl set-ntp true";
    if let Some((theirs, ours)) = database
        && theirs.duration_since(ours).abs() > APART
    {
        let apart = theirs.duration_since(ours).abs().as_secs();
        return Finding::warning(
            id,
            format!("this machine's clock and the database's are {apart} seconds apart"),
        )
        .advising(ADVICE);
    }
    let now = Timestamp::now();
    match last_entry {
        Some(last) if last.duration_since(now) > APART => Finding::failed(
            id,
            format!("the clock shows {now:.0}, but the newest entry is of {last:.0}"),
        )
        .advising(ADVICE),
        Some(last) => Finding::ok(
            id,
            format!("it shows {now:.0}, and the newest entry is of {last:.0}"),
        ),
        None => Finding::ok(id, format!("it shows {now:.0}, and there is no entry yet")),
    }
}

fn orphans(found: Result<Vec<Orphans>, StoreError>) -> Finding<Id> {
    let id = Id::Orphans;
    let found = match found {
        Err(error) => return not_read(id, &error),
        Ok(found) => found,
    };
    let told = found
        .iter()
        .map(|orphans| format!("{} {}", orphans.rows, orphans.what));
    let told: Vec<String> = told.collect();
    match told.is_empty() {
        true => Finding::ok(id, "every row refers to what is there and belongs together"),
        false => Finding::warning(id, some(&told)).advising(
            "somebody has changed rows by hand, or a server has not swept: see which, and put them right while there is a backup",
        ),
    }
}

fn counters(behind: Result<Vec<Behind>, StoreError>) -> Finding<Id> {
    let id = Id::Counters;
    let behind = match behind {
        Err(error) => return not_read(id, &error),
        Ok(behind) => behind,
    };
    let told = behind.iter().map(|behind| {
        format!(
            "that of {} is at {}, but {} was given",
            behind.of, behind.counter, behind.highest
        )
    });
    let told: Vec<String> = told.collect();
    match told.is_empty() {
        true => Finding::ok(id, "the next numbers are behind all that were given"),
        false => Finding::failed(id, some(&told)).advising(
            "nothing can be created there until the counter is raised to the highest number",
        ),
    }
}
