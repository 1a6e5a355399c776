//! PostgreSQL as operations see it.

use std::error::Error;

use bytes::BytesMut;
use tokio::runtime::Runtime;
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};

use super::connection::{Connection, Gone};
use super::failure::{Failure, Kind};
use crate::server::store::error::StoreError;
use crate::server::store::session::{Columns, Row, Session, Value};

/// What is open in a connection.
pub(super) struct PostgresSession<'a> {
    pub(super) connection: &'a mut Connection,
    pub(super) runtime: &'a Runtime,
    pub(super) gone: Gone<'a>,
    /// How many statements may be done, where there is no transaction.
    pub(super) left: Option<u32>,
    /// Whether anything was told of the database, so that nothing of it can be begun anew.
    pub(super) has_answered: bool,
    /// Whether there is something to commit.
    pub(super) has_changed: bool,
    /// What a failure did to the transaction, whatever the operation made of it.
    pub(super) failed: Option<Kind>,
}

impl<'a> PostgresSession<'a> {
    pub(super) fn new(
        connection: &'a mut Connection,
        runtime: &'a Runtime,
        gone: Gone<'a>,
    ) -> Self {
        Self {
            connection,
            runtime,
            gone,
            left: None,
            has_answered: false,
            has_changed: false,
            failed: None,
        }
    }

    fn count(&mut self) -> Result<(), StoreError> {
        match &mut self.left {
            Some(0) => {
                let fault = "a second statement where there is no transaction";
                return Err(Failure::Fault(fault).into());
            }
            Some(left) => *left -= 1,
            None => {}
        }
        Ok(())
    }

    fn note<T>(&mut self, done: Result<T, Failure>) -> Result<T, StoreError> {
        match done {
            Ok(done) => {
                self.has_answered = true;
                Ok(done)
            }
            Err(failure) => {
                self.failed = Some(failure.kind());
                Err(failure.into())
            }
        }
    }
}

impl Session for PostgresSession<'_> {
    fn execute(&mut self, sql: &str, values: &[Value<'_>]) -> Result<u64, StoreError> {
        self.count()?;
        let values = parameters(values);
        let done = self
            .connection
            .execute(self.runtime, self.gone, sql, &values);
        let changed = self.note(done)?;
        self.has_changed |= changed > 0;
        Ok(changed)
    }

    fn query(
        &mut self,
        sql: &str,
        values: &[Value<'_>],
        each: &mut dyn FnMut(&mut Columns<'_>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.count()?;
        let values = parameters(values);
        let found = self.connection.query(self.runtime, self.gone, sql, &values);
        let found = self.note(found)?;
        self.has_changed |= !found.is_empty() && !sql.starts_with("SELECT");
        for row in &found {
            each(&mut Columns::of(row))?;
        }
        Ok(())
    }
}

fn parameters<'v>(values: &'v [Value<'_>]) -> Vec<&'v (dyn ToSql + Sync)> {
    let values = values.iter();
    values.map(|value| value as &(dyn ToSql + Sync)).collect()
}

impl ToSql for Value<'_> {
    fn to_sql(
        &self,
        kind: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        match *self {
            Value::Null => Ok(IsNull::Yes),
            Value::Boolean(value) if *kind == Type::BOOL => value.to_sql(kind, out),
            Value::Integer(value) if *kind == Type::INT8 => value.to_sql(kind, out),
            // No text there has a NUL, so that one with it finds what one with another stranger in its place finds.
            Value::Text(text) if *kind == Type::TEXT && text.contains('\0') => {
                text.replace('\0', "\u{fffd}").to_sql(kind, out)
            }
            Value::Text(text) if *kind == Type::TEXT => text.to_sql(kind, out),
            Value::Bytes(bytes) if *kind == Type::BYTEA => bytes.to_sql(kind, out),
            value => Err(format!("a parameter of type {kind} got {}", named(value)).into()),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

/// What kind of value it is, but not which.
fn named(value: Value<'_>) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Boolean(_) => "a boolean",
        Value::Integer(_) => "an integer",
        Value::Text(_) => "a text",
        Value::Bytes(_) => "bytes",
    }
}

impl Row for tokio_postgres::Row {
    fn value(&self, column: usize) -> Result<Value<'_>, StoreError> {
        let unreadable = || StoreError::Unreadable { column };
        let kind = self.columns().get(column).ok_or_else(unreadable)?.type_();
        let value = match *kind {
            Type::BOOL => self
                .try_get::<_, Option<bool>>(column)
                .map(|value| value.map(Value::Boolean)),
            Type::INT8 => self
                .try_get::<_, Option<i64>>(column)
                .map(|value| value.map(Value::Integer)),
            Type::TEXT => self
                .try_get::<_, Option<&str>>(column)
                .map(|value| value.map(Value::Text)),
            Type::BYTEA => self
                .try_get::<_, Option<&[u8]>>(column)
                .map(|value| value.map(Value::Bytes)),
            _ => return Err(unreadable()),
        };
        let value = value.map_err(|_| unreadable())?;
        Ok(value.unwrap_or(Value::Null))
    }
}
