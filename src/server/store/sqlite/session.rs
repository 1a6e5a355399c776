//! SQLite as operations see it.

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{CachedStatement, Connection, ToSql};

use crate::server::store::error::StoreError;
use crate::server::store::session::{Columns, LOCKING_DEVICE, Row, Session, Value};

/// A transaction that is open in a connection.
pub(super) struct SqliteSession<'a>(pub(super) &'a Connection);

impl Session for SqliteSession<'_> {
    fn execute(&mut self, sql: &str, values: &[Value<'_>]) -> Result<u64, StoreError> {
        Ok(self.prepare(sql, values)?.raw_execute()? as u64)
    }

    fn query(
        &mut self,
        sql: &str,
        values: &[Value<'_>],
        each: &mut dyn FnMut(&mut Columns<'_>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let mut statement = self.prepare(sql, values)?;
        let mut rows = statement.raw_query();
        while let Some(row) = rows.next()? {
            each(&mut Columns::of(row))?;
        }
        Ok(())
    }
}

impl SqliteSession<'_> {
    fn prepare(&self, sql: &str, values: &[Value<'_>]) -> rusqlite::Result<CachedStatement<'_>> {
        let sql = sql.strip_suffix(LOCKING_DEVICE).unwrap_or(sql);
        let mut statement = self.0.prepare_cached(sql)?;
        for (parameter, value) in (1..).zip(values) {
            statement.raw_bind_parameter(parameter, value)?;
        }
        let expected = statement.parameter_count();
        if values.len() != expected {
            return Err(rusqlite::Error::InvalidParameterCount(
                values.len(),
                expected,
            ));
        }
        Ok(statement)
    }
}

impl ToSql for Value<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match *self {
            Value::Null => ValueRef::Null,
            Value::Boolean(value) => ValueRef::Integer(value.into()),
            Value::Integer(value) => ValueRef::Integer(value),
            Value::Text(text) => ValueRef::Text(text.as_bytes()),
            Value::Bytes(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

impl Row for rusqlite::Row<'_> {
    fn value(&self, column: usize) -> Result<Value<'_>, StoreError> {
        let unreadable = StoreError::Unreadable { column };
        Ok(match self.get_ref(column)? {
            ValueRef::Null => Value::Null,
            ValueRef::Integer(value) => Value::Integer(value),
            ValueRef::Text(text) => Value::Text(str::from_utf8(text).map_err(|_| unreadable)?),
            ValueRef::Blob(bytes) => Value::Bytes(bytes),
            ValueRef::Real(_) => return Err(unreadable),
        })
    }
}
