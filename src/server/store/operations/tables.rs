//! All tables as they are, for a copy into another database and the proof that it is one.

use std::fmt::Write;

use sha2::{Digest, Sha256};

use crate::server::store::error::StoreError;
use crate::server::store::session::{Column, Session, Value};

/// Rows read at once.
const PIECE: i64 = 1000;

/// A table, whose rows come in the order of its key.
pub(in crate::server::store) struct Table {
    pub(in crate::server::store) name: &'static str,
    /// How many of the columns are its key. They are first.
    key: usize,
    /// With `?` before those of booleans, which SQLite has as numbers.
    columns: &'static [&'static str],
}

/// Each behind those that it refers to. What a driver keeps for itself is not among them.
pub(in crate::server::store) const TABLES: [Table; 20] = [
    Table {
        name: "organizer",
        key: 1,
        columns: &["id", "slug", "name", "?active", "device_count"],
    },
    Table {
        name: "gate",
        key: 1,
        columns: &["id", "organizer", "identifier", "name", "?active"],
    },
    Table {
        name: "event",
        key: 1,
        columns: &[
            "id",
            "organizer",
            "slug",
            "name",
            "names",
            "?live",
            "timezone",
            "date_from",
            "date_to",
            "date_admission",
            "?has_subevents",
        ],
    },
    Table {
        name: "subevent",
        key: 1,
        columns: &[
            "id",
            "event",
            "name",
            "names",
            "?active",
            "date_from",
            "date_to",
            "date_admission",
        ],
    },
    Table {
        name: "checkin_list",
        key: 1,
        columns: &["id", "event", "name", "subevent"],
    },
    Table {
        name: "checkin_list_gate",
        key: 2,
        columns: &["checkin_list", "gate"],
    },
    Table {
        name: "team",
        key: 1,
        columns: &["id", "organizer", "name", "permissions", "?active"],
    },
    Table {
        name: "team_token",
        key: 1,
        columns: &["id", "team", "name", "hash", "?active", "created"],
    },
    Table {
        name: "device",
        key: 1,
        columns: &[
            "id",
            "organizer",
            "device_id",
            "unique_serial",
            "token_lookup",
            "token_sealed",
            "api_key_hash",
            "name",
            "?all_events",
            "security_profile",
            "gate",
            "created",
            "initialized",
            "?revoked",
            "hardware_brand",
            "hardware_model",
            "os_name",
            "os_version",
            "software_brand",
            "software_version",
            "info",
            "rsa_pubkey",
            "?reconnecting",
            "redeemed_lookup",
        ],
    },
    Table {
        name: "skipped_numbers",
        key: 2,
        columns: &["organizer", "behind", "numbers"],
    },
    Table {
        name: "device_event",
        key: 2,
        columns: &["device", "event"],
    },
    Table {
        name: "last_seen",
        key: 1,
        columns: &["device", "organizer", "seen"],
    },
    Table {
        name: "device_sample",
        key: 2,
        columns: &["device", "taken", "battery", "?mains"],
    },
    Table {
        name: "medium_key_set",
        key: 1,
        columns: &[
            "public_id",
            "organizer",
            "?active",
            "media_type",
            "uid_key",
            "diversification_key",
        ],
    },
    Table {
        name: "kept_answer",
        key: 1,
        columns: &["id", "created", "answer", "refused_to", "device"],
    },
    Table {
        name: "log_entry",
        key: 1,
        columns: &[
            "id", "created", "device", "action", "actor", "token", "data",
        ],
    },
    Table {
        name: "silence",
        key: 1,
        columns: &["device", "seen", "told"],
    },
    Table {
        name: "web_session",
        key: 1,
        columns: &["hash", "token", "created", "expires"],
    },
    Table {
        name: "login_link",
        key: 1,
        columns: &["hash", "token", "expires", "used"],
    },
    Table {
        name: "backup",
        key: 1,
        columns: &["id", "taken", "restored", "confirmed"],
    },
];

/// A value of any kind.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::server::store) enum Kept {
    Null,
    Boolean(bool),
    Integer(i64),
    Text(String),
    Bytes(Vec<u8>),
}

impl Column for Kept {
    fn read(value: Value<'_>) -> Option<Self> {
        Some(match value {
            Value::Null => Self::Null,
            Value::Boolean(value) => Self::Boolean(value),
            Value::Integer(value) => Self::Integer(value),
            Value::Text(text) => Self::Text(text.to_owned()),
            Value::Bytes(bytes) => Self::Bytes(bytes.to_owned()),
        })
    }
}

impl<'a> From<&'a Kept> for Value<'a> {
    fn from(kept: &'a Kept) -> Self {
        match kept {
            Kept::Null => Self::Null,
            Kept::Boolean(value) => Self::Boolean(*value),
            Kept::Integer(value) => Self::Integer(*value),
            Kept::Text(text) => Self::Text(text),
            Kept::Bytes(bytes) => Self::Bytes(bytes),
        }
    }
}

pub(in crate::server::store) type KeptRow = Vec<Kept>;

/// How many rows a table has, and a checksum of all that is in them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::server::store) struct Sum {
    pub(in crate::server::store) rows: u64,
    pub(in crate::server::store) checksum: [u8; 32],
}

impl Table {
    fn names(&self) -> impl Iterator<Item = &'static str> {
        self.columns.iter().map(|name| name.trim_start_matches('?'))
    }

    fn list(&self) -> String {
        self.names().collect::<Vec<_>>().join(", ")
    }

    /// Hands all rows to `each`, some at a time; what they sum up to.
    pub(in crate::server::store) fn read(
        &self,
        session: &mut dyn Session,
        each: &mut dyn FnMut(Vec<KeptRow>) -> Result<(), StoreError>,
    ) -> Result<Sum, StoreError> {
        let columns = self.list();
        let key = self.names().take(self.key).collect::<Vec<_>>().join(", ");
        let places = (1..=self.key).map(|place| format!("?{place}"));
        let places = places.collect::<Vec<_>>().join(", ");
        let (name, limit) = (self.name, self.key + 1);
        let first = format!("SELECT {columns} FROM {name} ORDER BY {key} LIMIT ?1");
        let next = format!(
            "SELECT {columns} FROM {name} WHERE ({key}) > ({places}) ORDER BY {key} LIMIT ?{limit}"
        );
        let (mut rows, mut checksum) = (0, Sha256::new());
        let mut last: Option<KeptRow> = None;
        loop {
            let mut values: Vec<Value<'_>> = Vec::new();
            for kept in last.iter().flatten().take(self.key) {
                values.push(kept.into());
            }
            let sql = if last.is_some() { &next } else { &first };
            values.push(Value::Integer(PIECE));
            let piece = session.rows(sql, &values, |columns| {
                let row: Result<KeptRow, StoreError> = self
                    .columns
                    .iter()
                    .map(|name| match (columns.next()?, name.starts_with('?')) {
                        (Kept::Integer(value), true) => Ok(Kept::Boolean(value != 0)),
                        (value, _) => Ok(value),
                    })
                    .collect();
                row
            })?;
            let Some(end) = piece.last() else {
                let checksum = checksum.finalize().into();
                return Ok(Sum { rows, checksum });
            };
            last = Some(end.clone());
            rows += piece.len() as u64;
            for value in piece.iter().flatten() {
                add(&mut checksum, value);
            }
            each(piece)?;
        }
    }

    pub(in crate::server::store) fn insert(
        &self,
        session: &mut dyn Session,
        rows: &[KeptRow],
    ) -> Result<(), StoreError> {
        let mut sql = format!("INSERT INTO {} ({}) VALUES (", self.name, self.list());
        for place in 1..=self.columns.len() {
            let comma = if place > 1 { ", " } else { "" };
            let _ = write!(sql, "{comma}?{place}");
        }
        sql.push(')');
        for row in rows {
            let values: Vec<Value<'_>> = row.iter().map(Value::from).collect();
            session.execute(&sql, &values)?;
        }
        Ok(())
    }
}

/// What all tables sum up to, in their order.
pub(in crate::server::store) fn sums(session: &mut dyn Session) -> Result<Vec<Sum>, StoreError> {
    let tables = TABLES.iter();
    tables
        .map(|table| table.read(session, &mut |_| Ok(())))
        .collect()
}

/// Adds a value so that no other sequence of values adds the same.
fn add(checksum: &mut Sha256, value: &Kept) {
    let (kind, bytes): (u8, &[u8]) = match value {
        Kept::Null => (0, &[]),
        Kept::Boolean(value) => (1, &[u8::from(*value)]),
        Kept::Integer(value) => (2, &value.to_be_bytes()),
        Kept::Text(text) => (3, text.as_bytes()),
        Kept::Bytes(bytes) => (4, bytes),
    };
    checksum.update([kind]);
    checksum.update((bytes.len() as u64).to_be_bytes());
    checksum.update(bytes);
}
