//! What the API needs of a store.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use super::decision::Decision;
use super::error::StoreError;
use super::measures::Measures;
use super::terms::{KeptAnswer, Terms};
use crate::secret::Secret;
use crate::server::installation_keys::KeptId;
use crate::server::model::{
    BatchPlan, BatchRefusal, BatchSetting, Count, DetailedDevice, DeviceChange, DeviceFilter,
    DevicePage, EnrolledDevice, Event, MediumKeys, NewDevice, Order, OrderBy, TeamCaller,
    ValidReport, VersionedDevice,
};
use crate::wire;

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

/// Why a device gets no fresh initialization token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoReconnection {
    /// Its access has ended for good.
    Revoked,
}

/// A device with a fresh initialization token, or why it has none.
pub type Reconnection = Result<VersionedDevice, NoReconnection>;

/// What became of a batch: what was changed, or nothing.
pub type BatchOutcome = Result<BatchPlan, BatchRefusal>;

/// Something that was done to a device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LogEntry {
    /// When.
    #[serde(with = "wire::timestamp")]
    pub created: Timestamp,
    /// As `key rolled`.
    pub action: String,
    /// `team`, `device` or `administrator`.
    pub actor: String,
    /// Name of the team.
    pub team: Option<String>,
    /// Name of the team's token.
    pub token: Option<String>,
    /// What was set; never a secret.
    pub data: Value,
}

/// A part of a device's log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogPage {
    /// How many entries there are of the device.
    pub count: u64,
    /// Those asked for, oldest first.
    pub entries: Vec<LogEntry>,
}

/// How many devices of an organizer are in one state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceCount {
    /// The organizer's slug.
    pub organizer: String,
    /// `waiting` for a scanner, `active`, `reconnecting` or `revoked`.
    pub state: String,
    /// How many.
    pub devices: u64,
}

/// When a device was last seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sighting {
    /// The device's row.
    pub device: i64,
    /// Whose it is.
    pub organizer: i64,
    /// When.
    pub seen: Timestamp,
}

/// A device that was not seen for some time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SilentDevice {
    /// Its row.
    pub row: i64,
    /// The number of its organizer.
    pub organizer_row: i64,
    /// The slug of its organizer.
    pub organizer: String,
    /// Its number.
    pub device_id: u64,
    /// Its serial.
    pub unique_serial: String,
    /// How people call it.
    pub name: String,
    /// The number of its gate.
    pub gate_row: Option<i64>,
    /// The identifier of its gate.
    pub gate_identifier: Option<String>,
    /// How people call its gate.
    pub gate_name: Option<String>,
    /// When it was last seen.
    pub seen: Timestamp,
}

impl SilentDevice {
    /// Where it is in the order in which devices were last seen.
    pub fn place(&self) -> LastSeenPlace {
        LastSeenPlace {
            seen: self.seen,
            device: self.row,
        }
    }
}

/// A place among an organizer's devices in the order in which they were last seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LastSeenPlace {
    /// When the device there was last seen.
    pub seen: Timestamp,
    /// Its row.
    pub device: i64,
}

impl LastSeenPlace {
    /// Before all that were last seen at this time.
    pub fn before(seen: Timestamp) -> Self {
        Self {
            seen,
            device: i64::MIN,
        }
    }
}

/// A piece of an organizer's devices that were not seen for some time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unseen {
    /// Those at a gate of whose silence nothing was told.
    pub devices: Vec<SilentDevice>,
    /// How far was looked.
    pub until: LastSeenPlace,
    /// Whether there may be more behind that.
    pub has_more: bool,
}

/// A silence that was told, and has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Silence {
    /// The device as it is now.
    pub device: SilentDevice,
    /// When it was last seen before it fell silent.
    pub seen_before: Timestamp,
    /// Whether it ended as the device's access did.
    pub is_revoked: bool,
}

/// What an organizer has nothing of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UnknownNames {
    /// Slugs of no event.
    pub events: Vec<String>,
    /// Identifiers of no gate.
    pub gates: Vec<String>,
    /// Where there are such, the identifiers of all gates.
    pub known_gates: Vec<String>,
}

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

/// What the API needs. Every change is committed together with its log entry and the answer to be
/// kept, or not at all; a change whose answer is kept already fails with
/// [`StoreError::AlreadyKept`], one of a thing that is not as its terms expect it with
/// [`StoreError::Outdated`]. One that its caller gave up, by its [`Decision`], is never done; once
/// the decision is taken, the caller is told how it ended, if at all.
#[async_trait]
pub trait Store: Send + Sync {
    /// How often the database was asked, and how long that took.
    fn measures(&self) -> &Measures;

    /// How often a transaction was tried again that had met another.
    fn retries(&self) -> u64;

    /// How many devices there are of each organizer, by state. It looks at all of them.
    async fn device_counts(&self) -> Result<Vec<DeviceCount>, StoreError>;

    /// Whether callers may be answered, once the database answers: a backup that was restored has to be confirmed
    /// first.
    async fn may_be_served(&self) -> Result<bool, StoreError>;

    /// Who holds this token.
    async fn team_caller(&self, token: &Secret) -> Result<Option<TeamCaller>, StoreError>;

    /// The device that has this API key, revoked or not.
    async fn enrolled_device(
        &self,
        key: &Secret,
    ) -> Result<Option<Arc<EnrolledDevice>>, StoreError>;

    /// How many devices an organizer has: the number of the last one, since none is ever deleted.
    async fn device_count(&self, organizer: i64) -> Result<u64, StoreError>;

    /// At most `limit` devices of an organizer, after the first `skip`, by number.
    async fn devices(
        &self,
        organizer: i64,
        skip: u64,
        limit: u64,
    ) -> Result<Arc<DevicePage>, StoreError>;

    /// One device of an organizer.
    async fn device(
        &self,
        organizer: i64,
        device_id: u64,
    ) -> Result<Option<VersionedDevice>, StoreError>;

    /// Whether an organizer has a device of this number.
    async fn has_device(&self, organizer: i64, device_id: u64) -> Result<bool, StoreError>;

    /// How many devices are in a filter, in an order that may leave some out. Fails with
    /// [`StoreError::Unknown`] if the organizer has no such gate or event, as all that takes a filter.
    async fn count_filtered(
        &self,
        organizer: i64,
        filter: &DeviceFilter,
        order: OrderBy,
    ) -> Result<Count, StoreError>;

    /// At most `limit` devices of a filter, after the first `skip`.
    async fn filtered_devices(
        &self,
        organizer: i64,
        filter: &DeviceFilter,
        order: Order,
        skip: u64,
        limit: u64,
    ) -> Result<Vec<DetailedDevice>, StoreError>;

    /// One device of an organizer with all that is told of it.
    async fn detailed_device(
        &self,
        organizer: i64,
        device_id: u64,
    ) -> Result<Option<DetailedDevice>, StoreError>;

    /// What was done to a device: at most `limit` entries after the first `skip`.
    async fn log_page(
        &self,
        organizer: i64,
        device_id: u64,
        skip: u64,
        limit: u64,
    ) -> Result<LogPage, StoreError>;

    /// Those of these that are none of the organizer's.
    async fn unknown_names(
        &self,
        organizer: i64,
        events: Vec<String>,
        gates: Vec<String>,
    ) -> Result<UnknownNames, StoreError>;

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
        terms: Terms<VersionedDevice>,
    ) -> Result<VersionedDevice, StoreError>;

    /// Creates devices with the organizer's next numbers, all or none.
    async fn create_devices(
        &self,
        actor: Actor,
        organizer: i64,
        devices: Vec<NewDevice>,
        terms: Terms<Vec<wire::Device>>,
    ) -> Result<Vec<wire::Device>, StoreError>;

    /// Ends the access of a device of an organizer for good.
    async fn end_access(
        &self,
        actor: Actor,
        organizer: i64,
        device_id: u64,
        terms: Terms<VersionedDevice>,
    ) -> Result<VersionedDevice, StoreError>;

    /// Gives a device of an organizer a fresh initialization token. The key that it has works until that is
    /// redeemed, or no more from `now` on.
    async fn reconnect(
        &self,
        actor: Actor,
        organizer: i64,
        device_id: u64,
        now: bool,
        terms: Terms<Reconnection>,
    ) -> Result<Reconnection, StoreError>;

    /// What a setting would change of the devices of a filter.
    async fn plan_batch(
        &self,
        organizer: i64,
        filter: &DeviceFilter,
        setting: &BatchSetting,
    ) -> Result<BatchOutcome, StoreError>;

    /// Changes all devices of a filter, if the plan is the expected one, or none.
    async fn change_batch(
        &self,
        actor: Actor,
        organizer: i64,
        filter: DeviceFilter,
        setting: BatchSetting,
        terms: Terms<BatchOutcome>,
    ) -> Result<BatchOutcome, StoreError>;

    /// Notes when devices were seen, each once.
    async fn note_seen(&self, sightings: Vec<Sighting>) -> Result<(), StoreError>;

    /// Redeems an initialization token: of all attempts exactly one succeeds.
    async fn redeem_token(
        &self,
        token: &Secret,
        report: ValidReport,
        api_key: &Secret,
        terms: Terms<Redemption>,
    ) -> Result<Redemption, StoreError>;

    /// Stores what the device with this API key reports.
    async fn update_device(
        &self,
        key: &Secret,
        report: ValidReport,
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
    async fn accessible_events(&self, device: i64) -> Result<Vec<Event>, StoreError>;

    /// The event of this slug of a device's organizer, whether the device may access it or not.
    async fn event_beside(&self, device: i64, slug: &str) -> Result<Option<Event>, StoreError>;

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

    /// The numbers of the organizers whose devices have access.
    async fn active_organizers(&self) -> Result<Vec<i64>, StoreError>;

    /// A piece of an organizer's devices behind a place that were last seen before a time.
    async fn unseen(
        &self,
        organizer: i64,
        behind: LastSeenPlace,
        to: Timestamp,
    ) -> Result<Unseen, StoreError>;

    /// Takes on to tell of a silence; of several servers one does.
    async fn take_silence(&self, device: &SilentDevice) -> Result<bool, StoreError>;

    /// Silences that were told and have ended, the first of them.
    async fn ended_silences(&self) -> Result<Vec<Silence>, StoreError>;

    /// Takes on to tell of the end of one; of several servers one does.
    async fn end_silence(&self, silence: &Silence) -> Result<bool, StoreError>;

    /// All events of an organizer.
    async fn organizer_events(&self, organizer: i64) -> Result<Vec<Event>, StoreError>;

    /// Drops the answers kept before `before`, and whatever else is of no use since then.
    async fn sweep_answers(&self, before: Timestamp) -> Result<(), StoreError>;

    /// Drops what the devices' logs say of the time before `before`.
    async fn sweep_log(&self, before: Timestamp) -> Result<(), StoreError>;

    /// Drops how devices were before `before`.
    async fn sweep_samples(&self, before: Timestamp) -> Result<(), StoreError>;
}
