//! What an operation sees of a database, whichever it is: statements, values and rows.
//!
//! Statements are written in the SQL that the databases share, with parameters `?1`, `?2`…; a driver
//! translates what its database writes otherwise. Times are microseconds since 1970.
//!
//! Others may change what was read before it is acted on. Where that matters, the change has the condition in
//! it, or the query that reads ends with [`LOCKING_DEVICE`].

use jiff::Timestamp;

use super::error::StoreError;

/// The end of a query after which nobody else changes the devices that it found, until the transaction ends. A
/// database with one writer at a time leaves it out.
pub(crate) const LOCKING_DEVICE: &str = " FOR UPDATE OF device";

/// A transaction that is open in a database.
pub(crate) trait Session {
    /// Does a statement; how many rows it inserted, changed or deleted.
    fn execute(&mut self, sql: &str, values: &[Value<'_>]) -> Result<u64, StoreError>;

    /// Hands each row of a query, or of what a statement returns, to `each`.
    fn query(
        &mut self,
        sql: &str,
        values: &[Value<'_>],
        each: &mut dyn FnMut(&mut Columns<'_>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError>;
}

impl dyn Session + '_ {
    /// What `read` makes of each row.
    pub(crate) fn rows<T>(
        &mut self,
        sql: &str,
        values: &[Value<'_>],
        mut read: impl FnMut(&mut Columns<'_>) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        let mut rows = Vec::new();
        self.query(sql, values, &mut |columns| {
            rows.push(read(columns)?);
            Ok(())
        })?;
        Ok(rows)
    }

    /// What `read` makes of the only row, if there is one. Several are a fault of the statement.
    pub(crate) fn row<T>(
        &mut self,
        sql: &str,
        values: &[Value<'_>],
        read: impl FnMut(&mut Columns<'_>) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        let mut rows = self.rows(sql, values, read)?;
        match rows.len() {
            0 | 1 => Ok(rows.pop()),
            _ => Err(StoreError::SeveralRows),
        }
    }

    /// The only column of the only row, if there is one.
    pub(crate) fn one<T: Column>(
        &mut self,
        sql: &str,
        values: &[Value<'_>],
    ) -> Result<Option<T>, StoreError> {
        self.row(sql, values, |columns| columns.next())
    }
}

/// A value in a row, or for a parameter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Value<'a> {
    Null,
    /// A database without booleans has 0 and 1.
    Boolean(bool),
    Integer(i64),
    Text(&'a str),
    Bytes(&'a [u8]),
}

impl From<bool> for Value<'_> {
    fn from(value: bool) -> Self {
        Self::Boolean(value)
    }
}

impl From<i64> for Value<'_> {
    fn from(value: i64) -> Self {
        Self::Integer(value)
    }
}

impl From<u64> for Value<'_> {
    /// A number that no column holds finds what the largest finds: nothing.
    fn from(value: u64) -> Self {
        Self::Integer(i64::try_from(value).unwrap_or(i64::MAX))
    }
}

impl From<Timestamp> for Value<'_> {
    fn from(value: Timestamp) -> Self {
        Self::Integer(value.as_microsecond())
    }
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(value: &'a str) -> Self {
        Self::Text(value)
    }
}

impl<'a> From<&'a String> for Value<'a> {
    fn from(value: &'a String) -> Self {
        Self::Text(value)
    }
}

impl<'a> From<&'a Vec<u8>> for Value<'a> {
    fn from(value: &'a Vec<u8>) -> Self {
        Self::Bytes(value)
    }
}

impl<'a, const LENGTH: usize> From<&'a [u8; LENGTH]> for Value<'a> {
    fn from(value: &'a [u8; LENGTH]) -> Self {
        Self::Bytes(value)
    }
}

impl<'a, T: Into<Value<'a>>> From<Option<T>> for Value<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Value::Null, Into::into)
    }
}

/// The parameters of a statement.
macro_rules! values {
    ($($value:expr),* $(,)?) => {
        &[$($crate::server::store::session::Value::from($value)),*]
    };
}
pub(crate) use values;

/// A row as its database gives it.
pub(crate) trait Row {
    /// The value in this column; booleans may come as the numbers 0 and 1.
    fn value(&self, column: usize) -> Result<Value<'_>, StoreError>;
}

/// A row that is read column by column, in the order of the query.
pub(crate) struct Columns<'a> {
    row: &'a dyn Row,
    next: usize,
}

impl<'a> Columns<'a> {
    pub(crate) fn of(row: &'a dyn Row) -> Self {
        Self { row, next: 0 }
    }

    /// The next column.
    pub(crate) fn next<T: Column>(&mut self) -> Result<T, StoreError> {
        let column = self.next;
        self.next += 1;
        let value = self.row.value(column)?;
        T::read(value).ok_or(StoreError::Unreadable { column })
    }
}

/// What a column may hold.
pub(crate) trait Column: Sized {
    /// `None` if it is something else.
    fn read(value: Value<'_>) -> Option<Self>;
}

impl Column for bool {
    fn read(value: Value<'_>) -> Option<Self> {
        match value {
            Value::Boolean(value) => Some(value),
            Value::Integer(value) => Some(value != 0),
            _ => None,
        }
    }
}

impl Column for i64 {
    fn read(value: Value<'_>) -> Option<Self> {
        match value {
            Value::Integer(value) => Some(value),
            _ => None,
        }
    }
}

impl Column for u64 {
    fn read(value: Value<'_>) -> Option<Self> {
        i64::read(value)?.try_into().ok()
    }
}

impl Column for Timestamp {
    fn read(value: Value<'_>) -> Option<Self> {
        Timestamp::from_microsecond(i64::read(value)?).ok()
    }
}

impl Column for String {
    fn read(value: Value<'_>) -> Option<Self> {
        match value {
            Value::Text(text) => Some(text.to_owned()),
            _ => None,
        }
    }
}

/// JSON, stored as text.
impl Column for serde_json::Value {
    fn read(value: Value<'_>) -> Option<Self> {
        match value {
            Value::Text(text) => serde_json::from_str(text).ok(),
            _ => None,
        }
    }
}

impl Column for Vec<u8> {
    fn read(value: Value<'_>) -> Option<Self> {
        match value {
            Value::Bytes(bytes) => Some(bytes.to_owned()),
            _ => None,
        }
    }
}

impl<T: Column> Column for Option<T> {
    fn read(value: Value<'_>) -> Option<Self> {
        match value {
            Value::Null => Some(None),
            value => T::read(value).map(Some),
        }
    }
}
