//! What the server knows, as operations of the domain: each is atomic, whatever database is behind.
//!
//! [`Store`] is what the API needs, [`Administration`] what it takes to set a server up.

mod administration;
mod decision;
mod driver;
mod open;
mod operations;
mod session;
mod sqlite;
mod stored;

use std::error::Error;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::Value;

use super::event_selection;
use super::installation_keys::KeptId;
use super::organizers_file::Permissions;
use crate::seal::SealError;
use crate::secret::Secret;
use crate::wire;

pub use administration::{
    Administration, Event, EventChange, GateChange, ImportReport, Imported, LogEntry, MediumKeys,
    NewToken, OrganizerChange, OrganizerSummary, PlacedDevice, TeamChange, TeamSummary,
    TokenChange, TokenSummary,
};
pub use decision::Decision;
pub use open::{Database, DatabaseError, Installation, OpenError, OpenFailure, open};
pub use sqlite::SCHEMA_VERSION;

/// Why an operation was not done. Nothing of it is stored then, nor will be, unless the error is
/// [`Unsettled`](Self::Unsettled).
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database failed.
    #[error("the database failed")]
    Database {
        /// What to do about it.
        advice: &'static str,
        /// What failed.
        source: Box<dyn Error + Send + Sync>,
    },
    /// A column holds what was never written there.
    #[error("column {column} of a row holds something else than it should")]
    Unreadable {
        /// Its position in the query.
        column: usize,
    },
    /// The caller gave the change up before it was done.
    #[error("the change was given up before it was done")]
    GivenUp,
    /// The database failed while it stored the change, and can't tell whether it is stored.
    #[error("the database failed, and can't tell whether the change was stored")]
    Unsettled,
    /// The answer to a request with the same idempotency key was kept a moment ago.
    #[error("a request with the same idempotency key was answered a moment ago")]
    AlreadyKept,
    /// A value could not be sealed or unsealed.
    #[error("a sealed value can't be used")]
    Seal(#[from] SealError),
    /// The operating system gave no random bytes.
    #[error("the operating system gave no random bytes")]
    Random(#[from] getrandom::Error),
    /// What is to be made is there already.
    #[error("there is already {kind} {name:?}")]
    Exists {
        /// As `a gate`.
        kind: &'static str,
        /// Slug, identifier or name.
        name: String,
    },
    /// What is referred to is not there.
    #[error("there is no {kind} {name:?}")]
    Unknown {
        /// As `gate`.
        kind: &'static str,
        /// Slug, identifier, name or number.
        name: String,
    },
    /// Something in an organizers file contradicts what is stored.
    #[error("{0}")]
    Contradiction(super::organizers_file::Fault),
}

const NO_RANDOM: &str = "let the server read random bytes of the operating system";

impl StoreError {
    /// What to do about it, for whoever runs the server; where the words don't say it.
    pub fn advice(&self) -> Option<&'static str> {
        match self {
            Self::Database { advice, .. } => Some(advice),
            Self::Unreadable { .. } => Some(
                "the database is damaged, or something else changed it: restore it from a backup",
            ),
            Self::GivenUp => Some("see what keeps the database or its disk busy"),
            Self::Random(_) => Some(NO_RANDOM),
            Self::Seal(_) => Some("see that the database and the server's secret belong together"),
            Self::Unsettled => Some("see whether it was done before you do it again"),
            Self::AlreadyKept
            | Self::Exists { .. }
            | Self::Unknown { .. }
            | Self::Contradiction(_) => None,
        }
    }
}

/// An organizer as callers belong to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Organizer {
    /// Number of its row.
    pub id: i64,
    /// Unique in the installation.
    pub slug: String,
    /// Nothing of an organizer that is not active is served.
    pub active: bool,
}

/// The holder of a team's token.
#[derive(Clone, Debug)]
pub struct TeamCaller {
    /// Number of the token's row.
    pub token: i64,
    /// Whether token and team may still be used.
    pub active: bool,
    /// To whom the team belongs.
    pub organizer: Organizer,
    /// What the team may do.
    pub permissions: Permissions,
}

impl TeamCaller {
    /// Whether the team has a permission, as `organizer.devices:read`.
    pub fn may(&self, permission: &str) -> bool {
        match &self.permissions {
            Permissions::All => true,
            Permissions::Listed(list) => list.iter().any(|listed| listed == permission),
        }
    }
}

/// A device that has an API key, without that key: the store only knows its hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnrolledDevice {
    /// Number of its row.
    pub id: i64,
    /// To whom it belongs.
    pub organizer: Organizer,
    /// Counts up from 1 within the organizer.
    pub device_id: u64,
    /// 16 of A-Z0-9.
    pub unique_serial: String,
    /// The name people gave it.
    pub name: String,
    /// Which part of the API it may use.
    pub security_profile: String,
    /// Where it stands, if that gate is in use.
    pub gate: Option<wire::Gate>,
    /// Whether its access has ended for good.
    pub revoked: bool,
    /// Its public key in PEM.
    pub rsa_pubkey: Option<String>,
}

/// What a device tells of itself, once validated. What is absent is cleared, but for the public key.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Report {
    /// As `Zebra`.
    pub hardware_brand: String,
    /// As `TC25`.
    pub hardware_model: String,
    /// As `Android`.
    pub os_name: Option<String>,
    /// As `8.1.0`.
    pub os_version: Option<String>,
    /// As `pretixSCAN`.
    pub software_brand: String,
    /// As `1.5.1`.
    pub software_version: String,
    /// Diagnostics of any shape.
    pub info: Option<Value>,
    /// Public key in PEM.
    pub rsa_pubkey: Option<String>,
}

/// A device to be created.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct NewDevice {
    /// For people.
    pub name: String,
    /// Whether it may access all events.
    #[serde(default)]
    pub all_events: bool,
    /// Otherwise the slugs of those it may access; they are known to be there.
    pub limit_events: Vec<String>,
    /// A name that is known.
    #[serde(default = "full")]
    pub security_profile: String,
    /// Identifier of a gate. The devices resource has no such field.
    #[serde(skip)]
    pub gate: Option<String>,
}

fn full() -> String {
    "full".to_owned()
}

/// What is to be changed of a device; what is absent stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct DeviceChange {
    /// For people.
    pub name: Option<String>,
    /// Whether it may access all events.
    pub all_events: Option<bool>,
    /// Otherwise the slugs of those it may access; they are known to be there.
    pub limit_events: Option<Vec<String>>,
    /// A name that is known.
    pub security_profile: Option<String>,
    /// Identifier of a gate, or none. The devices resource has no such field.
    #[serde(skip)]
    pub gate: Option<Option<String>>,
}

/// Why an initialization token was not redeemed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenRefusal {
    /// No device has this token.
    Unknown,
    /// The token was redeemed before.
    Used,
    /// The device was revoked before it was initialized.
    Revoked,
}

/// What became of an initialization token: the device is initialized and has its API key, or not.
pub type Redemption = Result<EnrolledDevice, TokenRefusal>;

/// Why a device's report was not stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReportRefusal {
    /// It has another public key than was set before.
    OtherPublicKey,
    /// The API key was rolled or revoked a moment ago.
    NoAccess,
}

/// What became of a device's report.
pub type Update = Result<EnrolledDevice, ReportRefusal>;

/// Who makes a change, for the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Actor {
    /// The team with this token.
    Team(i64),
    /// The device itself.
    Device,
    /// Whoever runs `gatehand admin`.
    Administrator,
}

/// An answer to be kept, so that a retry gets it again.
pub struct KeptAnswer {
    /// Sealed: the store can't read it.
    pub sealed: Vec<u8>,
    /// Of refusals only the newest [`REFUSALS_KEPT`] of an address are kept; nothing else is bounded.
    pub refused_to: Option<Vec<u8>>,
}

/// How long an answer is kept.
pub const KEPT_FOR: SignedDuration = SignedDuration::from_hours(24);

/// Since when an answer must have been kept to be repeated at `now`.
pub fn oldest_kept(now: Timestamp) -> Timestamp {
    now.checked_sub(KEPT_FOR).unwrap_or(Timestamp::MIN)
}

/// How many refusals are kept for one address.
pub const REFUSALS_KEPT: u64 = 256;

/// Makes an answer out of what a change came to; again, if its transaction has to be done again.
pub type Render<T> = dyn Fn(&T) -> Result<KeptAnswer, SealError> + Send;

/// How to keep the answer to a change, inside its transaction.
pub struct Keep<T> {
    /// Where a retry finds it.
    pub id: KeptId,
    /// Makes the answer.
    pub render: Box<Render<T>>,
}

/// What goes with a change.
pub struct Terms<T> {
    /// By which the caller may give the change up.
    pub decision: Decision,
    /// How to keep the answer, if it is to be kept.
    pub keep: Option<Keep<T>>,
}

impl<T> Default for Terms<T> {
    fn default() -> Self {
        Self {
            decision: Decision::default(),
            keep: None,
        }
    }
}

/// What the API needs. Every change is committed together with its log entry and the answer to be
/// kept, or not at all; a change whose answer is kept already fails with
/// [`StoreError::AlreadyKept`]. One that its caller gave up, by its [`Decision`], is never done; once
/// the decision is taken, the caller is told how it ended, if at all.
#[async_trait]
pub trait Store: Send + Sync {
    /// Who holds this token.
    async fn team_caller(&self, token: &Secret) -> Result<Option<TeamCaller>, StoreError>;

    /// The device that has this API key, revoked or not.
    async fn enrolled_device(&self, key: &Secret) -> Result<Option<EnrolledDevice>, StoreError>;

    /// How many devices an organizer has: the number of the last one, since none is ever deleted.
    async fn device_count(&self, organizer: i64) -> Result<u64, StoreError>;

    /// At most `limit` devices of an organizer, after the first `skip`, by number.
    async fn devices(
        &self,
        organizer: i64,
        skip: u64,
        limit: u64,
    ) -> Result<Vec<wire::Device>, StoreError>;

    /// One device of an organizer.
    async fn device(
        &self,
        organizer: i64,
        device_id: u64,
    ) -> Result<Option<wire::Device>, StoreError>;

    /// The first of these that is no event of the organizer.
    async fn unknown_event(
        &self,
        organizer: i64,
        slugs: &[String],
    ) -> Result<Option<String>, StoreError>;

    /// Creates a device with the organizer's next number, a new serial and a new initialization token.
    async fn create_device(
        &self,
        actor: Actor,
        organizer: i64,
        device: NewDevice,
        terms: Terms<wire::Device>,
    ) -> Result<wire::Device, StoreError>;

    /// Changes a device of an organizer; fails with [`StoreError::Unknown`] if there is none.
    async fn change_device(
        &self,
        actor: Actor,
        organizer: i64,
        device_id: u64,
        change: DeviceChange,
        terms: Terms<wire::Device>,
    ) -> Result<wire::Device, StoreError>;

    /// Redeems an initialization token: of all attempts exactly one succeeds.
    async fn redeem_token(
        &self,
        token: &Secret,
        report: Report,
        api_key: &Secret,
        terms: Terms<Redemption>,
    ) -> Result<Redemption, StoreError>;

    /// Stores what the device with this API key reports.
    async fn update_device(
        &self,
        key: &Secret,
        report: Report,
        terms: Terms<Update>,
    ) -> Result<Update, StoreError>;

    /// Replaces an API key by another; the old one is dead at once. `None` if it is dead already.
    async fn roll_key(
        &self,
        key: &Secret,
        new: &Secret,
        terms: Terms<Option<EnrolledDevice>>,
    ) -> Result<Option<EnrolledDevice>, StoreError>;

    /// Ends the access of the device with this API key for good. `None` if it has ended already.
    async fn revoke_key(
        &self,
        key: &Secret,
        terms: Terms<Option<EnrolledDevice>>,
    ) -> Result<Option<EnrolledDevice>, StoreError>;

    /// The events that a device may access, live or not.
    async fn accessible_events(
        &self,
        device: i64,
    ) -> Result<Vec<event_selection::Event>, StoreError>;

    /// The event of this slug of a device's organizer, whether the device may access it or not.
    async fn event_beside(
        &self,
        device: i64,
        slug: &str,
    ) -> Result<Option<event_selection::Event>, StoreError>;

    /// The keys for NFC media of an organizer, in the clear, by number.
    async fn medium_keys(&self, organizer: i64) -> Result<Vec<MediumKeys>, StoreError>;

    /// The sealed answer that is kept here since `since`.
    async fn kept_answer(
        &self,
        id: &KeptId,
        since: Timestamp,
    ) -> Result<Option<Vec<u8>>, StoreError>;

    /// Keeps the answer to a request that changed nothing.
    async fn keep_answer(
        &self,
        id: &KeptId,
        answer: KeptAnswer,
        decision: &Decision,
    ) -> Result<(), StoreError>;

    /// Drops the answers kept before `before`, and whatever else is of no use since then.
    async fn sweep_answers(&self, before: Timestamp) -> Result<(), StoreError>;
}
