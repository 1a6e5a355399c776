//! What the server knows, as operations of the domain: each is atomic, whatever database is behind.
//!
//! [`Store`] is what the API needs, [`FleetPage`] what the page needs besides, [`Administration`] what it takes
//! to set a server up. `stored` is all three over a `driver`, by way of `operations`, which see a database as a `session`.

mod administration;
mod api;
mod backup;
mod copy;
mod database;
mod decision;
mod driver;
mod error;
mod fleet_page;
mod inspected;
mod inspection;
mod measures;
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
    Actor, BatchOutcome, DeviceCount, LogEntry, LogPage, NoReconnection, Reconnection, Redemption,
    ReportRefusal, Sighting, Silence, SilentDevice, Store, TokenRefusal, UnknownNames, Update,
};
pub use backup::{Backup, BackupError, CountedTable, backup, backup_taken};
pub use copy::{CopiedTable, CopyError, copy};
pub use database::{Database, DatabaseError};
pub use decision::Decision;
pub use error::StoreError;
pub use fleet_page::{
    Choices, FleetPage, LOGIN_LINK, LinkRefusal, LogRange, MadeTogether, NewLoginLink, News,
    SESSION_LONGEST, SESSION_UNUSED, Sample, SessionCaller,
};
pub use inspected::{Behind, Contents, Indexes, Inspection, Orphans, SecretState};
pub use inspection::inspect;
pub(in crate::server) use measures::Asked;
pub use measures::Measures;
pub use open::{Installation, open, open_to_serve};
pub use open_error::{OpenError, OpenFailure};
pub use postgres_address::{PostgresAddress, PostgresAddressError};
pub use restore::{RestoreError, Restoring, restore};
pub use sqlite::SCHEMA_VERSION;
pub use terms::{Keep, KeptAnswer, REFUSALS_KEPT, Render, Terms, oldest_kept};
