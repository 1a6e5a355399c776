//! What the server knows, as operations of the domain: each is atomic, whatever database is behind.
//!
//! [`Store`] is what the API needs, [`Administration`] what it takes to set a server up. `stored` is
//! both over a `driver`, by way of `operations`, which see a database as a `session`.

mod administration;
mod api;
mod backup;
mod copy;
mod database;
mod decision;
mod driver;
mod error;
mod open;
mod open_error;
mod operations;
mod postgres;
mod postgres_address;
mod restore;
mod session;
mod sqlite;
mod stored;
mod terms;
mod transfer;

pub use administration::{
    Administration, CheckinListChange, CheckinListSummary, EventChange, EventSummary, ExportSink,
    GateChange, ImportReport, Imported, NewCheckinList, NewEvent, NewToken, OrganizerChange,
    OrganizerSummary, PlacedDevice, Restoration, RestoredDevice, RestoredOrganizer, RestoredToken,
    TeamChange, TeamSummary, TokenChange, TokenSummary,
};
pub use api::{
    Actor, BatchOutcome, LogEntry, LogPage, NoReconnection, Reconnection, Redemption,
    ReportRefusal, Sighting, Store, TokenRefusal, UnknownNames, Update,
};
pub use backup::{Backup, BackupError, CountedTable, backup};
pub use copy::{CopiedTable, CopyError, copy};
pub use database::{Database, DatabaseError};
pub use decision::Decision;
pub use error::StoreError;
pub use open::{Installation, open, open_to_serve};
pub use open_error::{OpenError, OpenFailure};
pub use postgres_address::{PostgresAddress, PostgresAddressError};
pub use restore::{RestoreError, Restoring, restore};
pub use sqlite::SCHEMA_VERSION;
pub use terms::{Keep, KeptAnswer, REFUSALS_KEPT, Render, Terms, oldest_kept};
