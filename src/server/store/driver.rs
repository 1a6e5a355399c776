//! What a database has to do for the store: run operations, each in a transaction of its own.

use std::path::PathBuf;

use super::session::Session;
use crate::server::installation_keys::InstallationKeys;
use crate::server::store::decision::Decision;
use crate::server::store::error::StoreError;

/// What a database is opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Answering callers: a restored backup that nobody has confirmed is refused.
    Serving,
    /// Setting it up and caring for it.
    Administering,
}

/// Names a state of a database: while it has the same name, nobody has committed anything, and all that is read of the file
/// is the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct State {
    /// Which of those that have watched the database.
    pub(super) watch: u64,
    /// How often it has seen that change.
    pub(super) version: u64,
}

/// A database that is open. An operation is run again where its transaction has to be.
pub(super) trait Driver: Send + Sync + 'static {
    /// What is to be done when rows were copied with their numbers, so that none of these is given again.
    const AFTER_COPY: &[&str] = &[];
    /// The same after a backup was restored, where numbers may have been given that are not in it.
    const AFTER_RESTORE: &[&str] = &[];
    /// What has nobody else work with the database until the transaction ends.
    const ALONE: &[&str] = &[];

    /// How often a transaction was tried again that had met another.
    fn retries(&self) -> u64 {
        0
    }

    /// Does `work` on a state of the database that does not change meanwhile.
    fn read<T: Send + 'static>(
        &self,
        work: impl Fn(&mut dyn Session) -> Result<T, StoreError> + Send + 'static,
    ) -> impl Future<Output = Result<T, StoreError>> + Send;

    /// The same for `work` of one statement, which sees one state by itself.
    fn look<T: Send + 'static>(
        &self,
        work: impl Fn(&mut dyn Session) -> Result<T, StoreError> + Send + 'static,
    ) -> impl Future<Output = Result<T, StoreError>> + Send {
        self.read(work)
    }

    /// The state that the database is in now, whoever has changed it; none if it can't be told in less
    /// time than a read takes.
    fn state(&self) -> Option<State> {
        None
    }

    /// Does `work` in a transaction and returns once it is on disk. An error undoes it, and so does a
    /// caller who gives up before it is taken.
    fn write<T: Send + 'static>(
        &self,
        decision: &Decision,
        work: impl Fn(&mut dyn Session) -> Result<T, StoreError> + Send + 'static,
    ) -> impl Future<Output = Result<T, StoreError>> + Send;

    /// The same for a change of much of the database at once, which nobody gives up.
    fn write_much<T: Send + 'static>(
        &self,
        work: impl Fn(&mut dyn Session) -> Result<T, StoreError> + Send + 'static,
    ) -> impl Future<Output = Result<T, StoreError>> + Send;

    /// Drops what the driver itself has written before this time and needs no more.
    fn sweep(&self, before: jiff::Timestamp)
    -> impl Future<Output = Result<(), StoreError>> + Send;
}

/// What a driver gives when it has opened its database.
pub(super) struct Opened<D> {
    pub(super) driver: D,
    pub(super) keys: InstallationKeys,
    pub(super) secret_file: PathBuf,
}
