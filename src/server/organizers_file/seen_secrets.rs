//! What must not come twice among all devices of a file, however many there are: kept in a database of
//! its own, which goes to disk where it gets large, and is gone with this.

use rusqlite::{Connection, OptionalExtension, params};

/// Pages are kept in memory up to this many KiB.
const CACHE: i64 = 16 * 1024;

/// Keys, tokens and serials with the path of where they came first.
pub(super) struct SeenSecrets {
    connection: Connection,
    /// The first failure; from then on nothing is noted.
    failed: Option<rusqlite::Error>,
}

/// What is known of one: as much of its hash as tells it from all others.
pub(super) type Trace = [u8; 16];

impl SeenSecrets {
    pub(super) fn new() -> rusqlite::Result<Self> {
        // Without a name it is a temporary file.
        let connection = Connection::open("")?;
        connection.pragma_update(None, "journal_mode", "OFF")?;
        connection.pragma_update(None, "cache_size", -CACHE)?;
        connection.execute_batch(
            "BEGIN; CREATE TABLE seen (trace BLOB PRIMARY KEY, path TEXT NOT NULL) WITHOUT ROWID",
        )?;
        Ok(Self {
            connection,
            failed: None,
        })
    }

    /// Notes that it came here, and gives the path of where it came before.
    pub(super) fn note(&mut self, trace: &Trace, path: &str) -> Option<String> {
        if self.failed.is_some() {
            return None;
        }
        self.try_note(trace, path).unwrap_or_else(|error| {
            self.failed = Some(error);
            None
        })
    }

    fn try_note(&self, trace: &Trace, path: &str) -> rusqlite::Result<Option<String>> {
        let sql = "INSERT INTO seen (trace, path) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
        let mut insert = self.connection.prepare_cached(sql)?;
        if insert.execute(params![trace, path])? > 0 {
            return Ok(None);
        }
        let sql = "SELECT path FROM seen WHERE trace = ?1";
        let mut first = self.connection.prepare_cached(sql)?;
        first.query_row([trace], |row| row.get(0)).optional()
    }

    /// Whether all was noted.
    pub(super) fn finish(self) -> rusqlite::Result<()> {
        self.failed.map_or(Ok(()), Err)
    }
}
