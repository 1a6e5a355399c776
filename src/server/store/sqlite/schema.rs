//! The tables and how an older database becomes current.

use rusqlite::{Connection, TransactionBehavior};

use super::OpenError;

/// Version of the schema this program writes; kept in SQLite's `user_version`.
pub const CURRENT: u32 = 2;

/// Forward only: step N leads from version N to N + 1, and a released step is never edited.
///
/// Times are microseconds since 1970. Devices are never deleted and have no gaps in their numbers,
/// so that `organizer.device_count` is the last number and a page of devices a range of them.
const STEPS: [&str; CURRENT as usize] = [
    "
    CREATE TABLE installation (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        key_check BLOB NOT NULL
    ) STRICT;

    CREATE TABLE organizer (
        id INTEGER PRIMARY KEY,
        slug TEXT NOT NULL UNIQUE,
        name TEXT NOT NULL,
        active INTEGER NOT NULL DEFAULT 1,
        device_count INTEGER NOT NULL DEFAULT 0
    ) STRICT;

    CREATE TABLE gate (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        organizer INTEGER NOT NULL REFERENCES organizer,
        identifier TEXT NOT NULL,
        name TEXT NOT NULL,
        active INTEGER NOT NULL DEFAULT 1,
        UNIQUE (organizer, identifier)
    ) STRICT;

    -- names: the languages in their order, where there are several.
    CREATE TABLE event (
        id INTEGER PRIMARY KEY,
        organizer INTEGER NOT NULL REFERENCES organizer,
        slug TEXT NOT NULL,
        name TEXT NOT NULL,
        names TEXT,
        live INTEGER NOT NULL,
        timezone TEXT NOT NULL,
        date_from INTEGER NOT NULL,
        date_to INTEGER,
        date_admission INTEGER,
        has_subevents INTEGER NOT NULL,
        UNIQUE (organizer, slug)
    ) STRICT;

    CREATE TABLE subevent (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        event INTEGER NOT NULL REFERENCES event,
        name TEXT NOT NULL,
        names TEXT,
        active INTEGER NOT NULL,
        date_from INTEGER NOT NULL,
        date_to INTEGER,
        date_admission INTEGER
    ) STRICT;
    CREATE INDEX subevent_of_event ON subevent (event);

    CREATE TABLE checkin_list (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        event INTEGER NOT NULL REFERENCES event,
        name TEXT NOT NULL,
        subevent INTEGER REFERENCES subevent
    ) STRICT;
    CREATE INDEX checkin_list_of_event ON checkin_list (event);

    CREATE TABLE checkin_list_gate (
        checkin_list INTEGER NOT NULL REFERENCES checkin_list,
        gate INTEGER NOT NULL REFERENCES gate,
        PRIMARY KEY (checkin_list, gate)
    ) STRICT, WITHOUT ROWID;

    -- permissions: a JSON list, or NULL for all.
    CREATE TABLE team (
        id INTEGER PRIMARY KEY,
        organizer INTEGER NOT NULL REFERENCES organizer,
        name TEXT NOT NULL,
        permissions TEXT,
        active INTEGER NOT NULL DEFAULT 1,
        UNIQUE (organizer, name)
    ) STRICT;

    CREATE TABLE team_token (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        team INTEGER NOT NULL REFERENCES team,
        name TEXT NOT NULL,
        hash BLOB NOT NULL UNIQUE,
        active INTEGER NOT NULL DEFAULT 1,
        created INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX team_token_of_team ON team_token (team);

    CREATE TABLE device (
        id INTEGER PRIMARY KEY,
        organizer INTEGER NOT NULL REFERENCES organizer,
        device_id INTEGER NOT NULL,
        unique_serial TEXT NOT NULL UNIQUE,
        token_lookup BLOB NOT NULL UNIQUE,
        token_sealed BLOB NOT NULL,
        api_key_hash BLOB UNIQUE,
        name TEXT NOT NULL,
        all_events INTEGER NOT NULL,
        security_profile TEXT NOT NULL,
        gate INTEGER REFERENCES gate,
        created INTEGER NOT NULL,
        initialized INTEGER,
        revoked INTEGER NOT NULL DEFAULT 0,
        hardware_brand TEXT,
        hardware_model TEXT,
        os_name TEXT,
        os_version TEXT,
        software_brand TEXT,
        software_version TEXT,
        info TEXT,
        rsa_pubkey TEXT,
        UNIQUE (organizer, device_id)
    ) STRICT;

    CREATE TABLE device_event (
        device INTEGER NOT NULL REFERENCES device,
        event INTEGER NOT NULL REFERENCES event,
        PRIMARY KEY (device, event)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE medium_key_set (
        public_id INTEGER PRIMARY KEY,
        organizer INTEGER NOT NULL REFERENCES organizer,
        active INTEGER NOT NULL,
        media_type TEXT NOT NULL,
        uid_key BLOB NOT NULL,
        diversification_key BLOB NOT NULL
    ) STRICT;
    CREATE INDEX medium_key_set_of_organizer ON medium_key_set (organizer);

    CREATE TABLE kept_answer (
        id BLOB PRIMARY KEY,
        created INTEGER NOT NULL,
        answer BLOB NOT NULL,
        refused_to BLOB
    ) STRICT;
    CREATE INDEX kept_answer_by_age ON kept_answer (created);
    CREATE INDEX kept_refusal ON kept_answer (refused_to, created) WHERE refused_to IS NOT NULL;

    -- actor: 'team' with the number of its token, 'device' or 'administrator'.
    CREATE TABLE log_entry (
        id INTEGER PRIMARY KEY,
        created INTEGER NOT NULL,
        device INTEGER NOT NULL REFERENCES device,
        action TEXT NOT NULL,
        actor TEXT NOT NULL,
        token INTEGER REFERENCES team_token,
        data TEXT NOT NULL
    ) STRICT;
    CREATE INDEX log_entry_of_device ON log_entry (device);
",
    "
    -- Whether the transaction that is named so stands; see commits.rs.
    CREATE TABLE commit_mark (
        id BLOB PRIMARY KEY,
        created INTEGER NOT NULL,
        stands INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
",
];

/// The version a database has; 0 for an empty file.
fn version(connection: &Connection) -> rusqlite::Result<u32> {
    connection.query_row("PRAGMA user_version", [], |row| row.get(0))
}

/// Whether the database was made already, and so has a secret.
pub(super) fn is_made(connection: &Connection) -> rusqlite::Result<bool> {
    version(connection).map(|version| version > 0)
}

/// Brings the database to the current version. A new one belongs to the keys of `check`.
pub(super) fn prepare(connection: &mut Connection, check: &[u8; 32]) -> Result<(), OpenError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let found = version(&transaction)?;
    if found > CURRENT {
        return Err(OpenError::Newer {
            found,
            known: CURRENT,
        });
    }
    for (step, sql) in (0..).zip(STEPS).filter(|(step, _)| *step >= found) {
        transaction.execute_batch(sql)?;
        transaction.pragma_update(None, "user_version", step + 1)?;
    }
    if found == 0 {
        transaction.execute(
            "INSERT INTO installation (id, key_check) VALUES (1, ?1)",
            [check],
        )?;
    }
    let stored: [u8; 32] =
        transaction.query_row("SELECT key_check FROM installation", [], |row| row.get(0))?;
    if stored != *check {
        return Err(OpenError::OtherSecret);
    }
    Ok(transaction.commit()?)
}
