//! One connection to PostgreSQL, driven by the thread that works with it.

use std::collections::HashMap;
use std::future::poll_fn;
use std::pin::pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::runtime::Runtime;
use tokio_postgres::types::ToSql;
use tokio_postgres::{AsyncMessage, Client, Row, Statement};

use super::failure::Failure;

/// How long PostgreSQL may take to answer one statement. Where it waits for a lock it gives up before.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// Statements that stay prepared in a connection: more than there are, but for those that filters are combined to.
const PREPARED: usize = 400;

/// Names one transaction.
pub(super) type Mark = [u8; 16];

/// Takes what PostgreSQL says, and sends what is to be said.
pub(super) type Wire = Box<
    dyn FnMut(&mut Context<'_>) -> Poll<Option<Result<AsyncMessage, tokio_postgres::Error>>> + Send,
>;

/// Tells when the caller who waits for the answer has gone.
pub(super) type Gone<'a> = &'a mut (dyn FnMut(&mut Context<'_>) -> Poll<()> + Send);

/// Nobody who could go waits for it.
pub(super) fn never(_: &mut Context<'_>) -> Poll<()> {
    Poll::Pending
}

/// A connection with the statements that are prepared in it.
pub(super) struct Connection {
    client: Client,
    wire: Wire,
    statements: HashMap<String, Statement>,
    /// The warnings since they were last taken.
    warnings: Vec<String>,
    /// The mark of the last transaction, whose end is known.
    pub(super) known: Option<Mark>,
    /// The number of the host at its other end.
    pub(super) host: usize,
}

impl Connection {
    pub(super) fn new(client: Client, wire: Wire, host: usize) -> Self {
        Self {
            client,
            wire,
            statements: HashMap::new(),
            warnings: Vec::new(),
            known: None,
            host,
        }
    }

    /// Does statements without values, separated by semicolons, of which the first that fails ends all.
    pub(super) fn batch(&mut self, runtime: &Runtime, sql: &str) -> Result<(), Failure> {
        self.batch_within(runtime, sql, PATIENCE)
    }

    /// The same with so much patience.
    pub(super) fn batch_within(
        &mut self,
        runtime: &Runtime,
        sql: &str,
        patience: Duration,
    ) -> Result<(), Failure> {
        let done = self.client.batch_execute(sql);
        let wire = &mut self.wire;
        let warnings = &mut self.warnings;
        drive(runtime, wire, warnings, patience, &mut never, done)
    }

    pub(super) fn execute(
        &mut self,
        runtime: &Runtime,
        gone: Gone<'_>,
        sql: &str,
        values: &[&(dyn ToSql + Sync)],
    ) -> Result<u64, Failure> {
        let statement = self.statement(runtime, gone, sql)?;
        let done = self.client.execute(&statement, values);
        let wire = &mut self.wire;
        drive(runtime, wire, &mut self.warnings, PATIENCE, gone, done)
    }

    pub(super) fn query(
        &mut self,
        runtime: &Runtime,
        gone: Gone<'_>,
        sql: &str,
        values: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, Failure> {
        let statement = self.statement(runtime, gone, sql)?;
        let done = self.client.query(&statement, values);
        let wire = &mut self.wire;
        drive(runtime, wire, &mut self.warnings, PATIENCE, gone, done)
    }

    /// The warnings since they were last taken.
    pub(super) fn take_warnings(&mut self) -> Vec<String> {
        std::mem::take(&mut self.warnings)
    }

    fn statement(
        &mut self,
        runtime: &Runtime,
        gone: Gone<'_>,
        sql: &str,
    ) -> Result<Statement, Failure> {
        if let Some(statement) = self.statements.get(sql) {
            return Ok(statement.clone());
        }
        if self.statements.len() >= PREPARED {
            self.statements.clear();
        }
        let translated = translated(sql);
        let prepared = self.client.prepare(&translated);
        let wire = &mut self.wire;
        let statement = drive(runtime, wire, &mut self.warnings, PATIENCE, gone, prepared)?;
        self.statements.insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }
}

/// The parameters `?1`, `?2`… as PostgreSQL writes them. No statement has another question mark.
fn translated(sql: &str) -> String {
    sql.replace('?', "$")
}

/// Waits for an answer while the connection is driven.
fn drive<T>(
    runtime: &Runtime,
    wire: &mut Wire,
    warnings: &mut Vec<String>,
    patience: Duration,
    gone: Gone<'_>,
    answer: impl Future<Output = Result<T, tokio_postgres::Error>>,
) -> Result<T, Failure> {
    let mut answer = pin!(answer);
    let both = poll_fn(|cx| {
        let ended = loop {
            match wire(cx) {
                Poll::Ready(Some(Ok(AsyncMessage::Notice(notice)))) => {
                    if notice.severity() == "WARNING" {
                        warnings.push(notice.message().to_owned());
                    }
                }
                Poll::Ready(Some(Ok(_))) => {}
                Poll::Ready(Some(Err(error))) => break Some(error.into()),
                Poll::Ready(None) => break Some(Failure::Ended),
                Poll::Pending => break None,
            }
        };
        // What came before the end counts.
        if let Poll::Ready(answer) = answer.as_mut().poll(cx) {
            return Poll::Ready(answer.map_err(Failure::from));
        }
        if let Some(failure) = ended {
            return Poll::Ready(Err(failure));
        }
        match gone(cx) {
            Poll::Ready(()) => Poll::Ready(Err(Failure::Gone)),
            Poll::Pending => Poll::Pending,
        }
    });
    let answered = runtime.block_on(async { tokio::time::timeout(patience, both).await });
    answered.unwrap_or(Err(Failure::NoAnswer(patience)))
}
