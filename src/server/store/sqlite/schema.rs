//! The tables of a server's database.

use std::path::Path;

use rusqlite::{Connection, Transaction};

use crate::server::store::open_error::OpenFailure;
use crate::sqlite::{Found, Schema, Unusable};

/// All versions of a server's database.
///
/// Times are microseconds since 1970. Devices are never deleted, and their numbers have no gaps but those in
/// `skipped_numbers`: `organizer.device_count` is the last number, and a page of devices a range of them.
pub(super) const SCHEMA: Schema = Schema {
    application_id: 0x6761_7473, // "gats"
    steps: &STEPS,
    known_by: &["installation", "organizer", "device", "kept_answer"],
};

/// Version of the schema this program writes.
pub const CURRENT: u32 = SCHEMA.current();

const STEPS: [&str; 5] = [
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
    "
    -- So many numbers behind this one no device has, or one that a restored backup lacks.
    CREATE TABLE skipped_numbers (
        organizer INTEGER NOT NULL REFERENCES organizer,
        behind INTEGER NOT NULL,
        numbers INTEGER NOT NULL,
        PRIMARY KEY (organizer, behind)
    ) STRICT, WITHOUT ROWID;

    -- Of a backup, when it was taken; of what came from one, when it was restored and then confirmed.
    CREATE TABLE backup (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        taken INTEGER NOT NULL,
        restored INTEGER,
        confirmed INTEGER
    ) STRICT;
",
    "
    -- reconnecting: its token is a fresh one, which may be redeemed though the device was initialized before.
    -- redeemed_lookup: the token that was redeemed before this one.
    ALTER TABLE device ADD COLUMN reconnecting INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE device ADD COLUMN redeemed_lookup BLOB;
    CREATE INDEX device_by_redeemed_token ON device (redeemed_lookup)
        WHERE redeemed_lookup IS NOT NULL;

    -- device: whose key or token the request came with, if any.
    ALTER TABLE kept_answer ADD COLUMN device INTEGER;
    CREATE INDEX kept_answer_of_device ON kept_answer (device) WHERE device IS NOT NULL;

    -- Apart from the device, as it is written so often.
    CREATE TABLE last_seen (
        device INTEGER PRIMARY KEY REFERENCES device,
        organizer INTEGER NOT NULL,
        seen INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX last_seen_by_time ON last_seen (organizer, seen, device);

    -- Each finds the devices of a filter in the order of their numbers.
    CREATE INDEX device_by_name ON device (organizer, lower(name), device_id);
    CREATE INDEX device_revoked ON device (organizer, device_id) WHERE revoked;
    CREATE INDEX device_not_revoked ON device (organizer, device_id) WHERE NOT revoked;
    CREATE INDEX device_initialized ON device (organizer, device_id) WHERE initialized IS NOT NULL;
    CREATE INDEX device_not_initialized ON device (organizer, device_id) WHERE initialized IS NULL;
    CREATE INDEX device_at_gate ON device (organizer, gate, device_id);
    CREATE INDEX device_by_software_brand ON device (organizer, software_brand, device_id)
        WHERE software_brand IS NOT NULL;
    CREATE INDEX device_by_software_version ON device (organizer, software_version, device_id)
        WHERE software_version IS NOT NULL;
",
    "
    -- How devices were when they reported, for a day; battery: of 100.
    CREATE TABLE device_sample (
        device INTEGER NOT NULL REFERENCES device,
        taken INTEGER NOT NULL,
        battery INTEGER,
        mains INTEGER,
        PRIMARY KEY (device, taken)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX device_sample_by_age ON device_sample (taken);

    -- Who is signed in at the page, by the hash of what its cookie holds, on behalf of a team's token.
    CREATE TABLE web_session (
        hash BLOB PRIMARY KEY,
        token INTEGER NOT NULL REFERENCES team_token,
        created INTEGER NOT NULL,
        expires INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX web_session_of_token ON web_session (token);
    CREATE INDEX web_session_by_end ON web_session (expires);

    -- Links that sign somebody in once, by the hash of what they hold.
    CREATE TABLE login_link (
        hash BLOB PRIMARY KEY,
        token INTEGER NOT NULL REFERENCES team_token,
        expires INTEGER NOT NULL,
        used INTEGER
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX login_link_of_token ON login_link (token);
    CREATE INDEX login_link_by_end ON login_link (expires);

    -- Devices that fell silent while something ran at their gate, and when they were last seen before; what has a row
    -- was told.
    CREATE TABLE silence (
        device INTEGER PRIMARY KEY REFERENCES device,
        seen INTEGER NOT NULL,
        told INTEGER NOT NULL
    ) STRICT;

    -- Each finds the devices of a filter in the order of their numbers.
    CREATE INDEX device_active ON device (organizer, device_id) WHERE initialized IS NOT NULL AND NOT revoked;
    CREATE INDEX device_waiting ON device (organizer, device_id) WHERE initialized IS NULL AND NOT revoked;
    CREATE INDEX device_awaited ON device (organizer, device_id)
        WHERE (initialized IS NULL OR reconnecting) AND NOT revoked;
",
];

/// Brings the database to the current version. A new one belongs to the keys of `check`.
pub(super) fn prepare(
    connection: &mut Connection,
    path: &Path,
    check: &[u8; 32],
) -> Result<(), OpenFailure> {
    let has_this_secret = |transaction: &Transaction<'_>| {
        let stored = key_check(transaction).map_err(Unusable::from)?;
        match stored == *check {
            true => Ok(()),
            false => Err(OpenFailure::OtherSecret),
        }
    };
    let belong = |transaction: &Transaction<'_>, found| {
        if found == 0 {
            let sql = "INSERT INTO installation (id, key_check) VALUES (1, ?1)";
            transaction.execute(sql, [check]).map_err(Unusable::from)?;
        }
        Ok(())
    };
    let copy = SCHEMA.bring_up(connection, path, has_this_secret, belong)?;
    if let Some(copy) = copy {
        tracing::info!(
            "brought the database {} to version {CURRENT}; as it was before, it is in {}",
            path.display(),
            copy.display()
        );
    }
    Ok(())
}

/// What tells the secret that the database was made with.
pub(super) fn key_check(connection: &Connection) -> rusqlite::Result<[u8; 32]> {
    connection.query_row("SELECT key_check FROM installation", [], |row| row.get(0))
}

/// Whether the database was made already, and so has a secret; what is not ours or too new is refused.
pub(super) fn is_made(connection: &Connection) -> Result<bool, Unusable> {
    match SCHEMA.look(connection)? {
        Found::Empty => Ok(false),
        Found::Ours(_) => Ok(true),
        Found::Foreign => Err(Unusable::Foreign),
        Found::Newer(found) => Err(Unusable::Newer {
            found,
            known: CURRENT,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_released_step_is_what_it_was() {
        let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/servers");
        for version in 1..=SCHEMA.steps.len() {
            SCHEMA.assert_made(version, &data.join(format!("version-{version}/server.db")));
        }
    }
}
