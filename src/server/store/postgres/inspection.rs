//! A look at a database in PostgreSQL: what it tells of its pages, and whether all is there that should be.

use jiff::Timestamp;

use super::connection::{self, Connection};
use super::connector::Connector;
use super::failure::Failure;
use super::schema;
use super::session::PostgresSession;
use super::workers;
use crate::server::store::error::StoreError;
use crate::server::store::inspected::{Behind, Indexes, Own};
use crate::server::store::open_error::OpenFailure;
use crate::server::store::postgres_address::PostgresAddress;
use crate::server::store::session::{Session, values};

/// Hands what the database tells about itself to `work`, with its contents as they are at one time.
pub(in crate::server::store) fn inspect<T: Send>(
    address: &PostgresAddress,
    work: impl FnOnce(Own, &mut dyn Session) -> Result<T, OpenFailure> + Send,
) -> Result<T, OpenFailure> {
    let connector = Connector::new(address)?;
    let look = || {
        let runtime = workers::runtime()?;
        let mut connection: Connection = connector.connect(&runtime)?;
        let found = schema::version(&mut connection, &runtime)?;
        if found == 0 {
            return Err(OpenFailure::TablesOfOthers);
        }
        if found > schema::CURRENT {
            return Err(OpenFailure::Newer {
                found,
                known: schema::CURRENT,
            });
        }
        connection.batch(&runtime, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")?;
        let mut gone = connection::never;
        let mut session = PostgresSession::new(&mut connection, &runtime, &mut gone);
        let session: &mut dyn Session = &mut session;
        let own = Own {
            version: (found, schema::CURRENT),
            damage: damage(session),
            looked_for: "PostgreSQL has counted no page whose checksum is wrong, as far as it keeps checksums",
            indexes: indexes(session),
            // It keeps none whose reference leads nowhere.
            references: Ok(Vec::new()),
            clock: clock(session),
            behind: behind(session),
        };
        work(own, session)
    };
    // A thread of its own: that of the caller may drive a runtime already.
    std::thread::scope(|threads| {
        let looked = threads.spawn(look).join();
        looked.unwrap_or_else(|_| Err(Failure::Fault("looking panicked").into()))
    })
}

fn damage(session: &mut dyn Session) -> Result<Vec<String>, StoreError> {
    let failures: Option<Option<i64>> = session.one(
        "SELECT checksum_failures::bigint FROM pg_stat_database WHERE datname = current_database()",
        values![],
    )?;
    let failures = failures.flatten().filter(|failures| *failures > 0);
    let told = failures
        .map(|failures| format!("PostgreSQL has counted {failures} pages whose checksum is wrong"));
    Ok(told.into_iter().collect())
}

fn indexes(session: &mut dyn Session) -> Result<Indexes, StoreError> {
    let found = session.rows(
        "SELECT relname::text, indisvalid AND indisready FROM pg_index
         JOIN pg_class ON pg_class.oid = indexrelid
         JOIN pg_namespace ON pg_namespace.oid = relnamespace
         WHERE nspname = current_schema() ORDER BY relname",
        values![],
        |columns| Ok((columns.next::<String>()?, columns.next::<bool>()?)),
    )?;
    let wanted = schema::indexes();
    let is_there = |name: &&str| found.iter().any(|(found, _)| found == name);
    let missing = wanted.iter().filter(|name| !is_there(name));
    let invalid = found.iter().filter(|(_, is_valid)| !is_valid);
    Ok(Indexes {
        wanted: wanted.len(),
        missing: missing.map(|name| (*name).to_owned()).collect(),
        invalid: invalid.map(|(name, _)| name.clone()).collect(),
    })
}

fn clock(session: &mut dyn Session) -> Result<Option<(Timestamp, Timestamp)>, StoreError> {
    let sql = "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint";
    let theirs: Option<Timestamp> = session.one(sql, values![])?;
    Ok(theirs.map(|theirs| (theirs, Timestamp::now())))
}

/// Counters of tables that would give a number again.
fn behind(session: &mut dyn Session) -> Result<Vec<Behind>, StoreError> {
    let mut behind = Vec::new();
    for table in schema::COUNTED {
        let sql = format!(
            "SELECT coalesce(pg_sequence_last_value(pg_get_serial_sequence('{table}', 'id')::regclass), 0)::bigint,
                (SELECT coalesce(max(id), 0) FROM {table})"
        );
        let row = session.row(&sql, values![], |columns| {
            Ok((columns.next::<u64>()?, columns.next::<u64>()?))
        })?;
        if let Some((counter, highest)) = row.filter(|(counter, highest)| counter < highest) {
            let of = format!("the table {table}");
            behind.push(Behind {
                of,
                counter,
                highest,
            });
        }
    }
    Ok(behind)
}
