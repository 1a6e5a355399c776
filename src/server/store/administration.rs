//! What it takes to set a server up and to care for it.

use std::io;

use async_trait::async_trait;
use jiff::Timestamp;
use serde::Serialize;

use super::api::{Actor, LogEntry, NoReconnection};
use super::error::StoreError;
use super::fleet_page::{FleetPage, Sample};
use super::terms::Terms;
use crate::secret::Secret;
use crate::server::model::{
    CodeState, DeviceChange, MediumKeys, Name, NewDevice, Organizer, Permissions, Schedule, Slug,
};
use crate::server::organizers_file::{DeviceEntry, OrganizerEntry, OrganizersFile, Writer};
use crate::wire;

/// An organizer in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OrganizerSummary {
    /// Unique in the installation.
    pub slug: String,
    /// For people.
    pub name: String,
    /// Nothing of an organizer that is not active is served.
    pub active: bool,
    /// How many devices it has.
    pub devices: u64,
}

/// What is to be changed of an organizer.
#[derive(Clone, Debug, Default)]
pub struct OrganizerChange {
    /// For people.
    pub name: Option<String>,
    /// Whether it is served.
    pub active: Option<bool>,
}

/// What is to be changed of a gate.
#[derive(Clone, Debug, Default)]
pub struct GateChange {
    /// For people.
    pub name: Option<String>,
    /// Devices at a gate that is not active are answered as if they had none.
    pub active: Option<bool>,
}

/// An event without its dates, which come with an import, and its check-in lists.
#[derive(Clone, Debug)]
pub struct EventSummary {
    /// Unique in the organizer.
    pub slug: String,
    /// For people.
    pub name: Name,
    /// Whether it is on sale.
    pub live: bool,
    /// A time zone of the IANA database.
    pub timezone: String,
    /// When it takes place.
    pub schedule: Schedule,
}

/// An event to be created.
#[derive(Clone, Debug)]
pub struct NewEvent {
    /// Unique in the organizer.
    pub slug: Slug,
    /// For people.
    pub name: Name,
    /// Whether it is on sale.
    pub live: bool,
    /// A time zone of the IANA database.
    pub timezone: String,
    /// When it takes place.
    pub schedule: Schedule,
}

/// What is to be changed of an event.
#[derive(Clone, Debug, Default)]
pub struct EventChange {
    /// For people.
    pub name: Option<Name>,
    /// Whether it is on sale.
    pub live: Option<bool>,
}

/// A check-in list in a list of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CheckinListSummary {
    /// Unique in the installation.
    pub id: i64,
    /// Slug of its event.
    pub event: String,
    /// For people.
    pub name: String,
    /// Number of the date that it is for; without, it is for all dates.
    pub subevent: Option<i64>,
    /// Identifiers of the gates where devices scan for it.
    pub gates: Vec<String>,
}

/// A check-in list to be created.
#[derive(Clone, Debug, Default)]
pub struct NewCheckinList {
    /// For people; unique among those of its event for the same date.
    pub name: String,
    /// Number of the date that it is for.
    pub subevent: Option<i64>,
    /// Identifiers of the gates where devices scan for it.
    pub gates: Vec<String>,
}

/// What is to be changed of a check-in list.
#[derive(Clone, Debug, Default)]
pub struct CheckinListChange {
    /// For people.
    pub name: Option<String>,
    /// Identifiers of the gates where devices scan for it, and of no others.
    pub gates: Option<Vec<String>>,
}

/// A team in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TeamSummary {
    /// Number of the team.
    pub id: i64,
    /// Unique in the organizer.
    pub name: String,
    /// What its tokens may do.
    pub permissions: Permissions,
    /// Whether its tokens may be used.
    pub active: bool,
}

/// What is to be changed of a team.
#[derive(Clone, Debug, Default)]
pub struct TeamChange {
    /// Unique in the organizer.
    pub name: Option<String>,
    /// What its tokens may do.
    pub permissions: Option<Permissions>,
    /// Whether its tokens may be used.
    pub active: Option<bool>,
}

/// A team's token in a list; the token itself is not known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TokenSummary {
    /// Number of the token.
    pub id: i64,
    /// For people.
    pub name: String,
    /// Whether it may be used.
    pub active: bool,
    /// When it was made.
    #[serde(with = "wire::timestamp")]
    pub created: Timestamp,
}

/// A token that was made just now.
pub struct NewToken {
    /// Number of the token.
    pub id: i64,
    /// The token itself.
    pub token: Secret,
}

/// What is to be changed of a token.
#[derive(Clone, Debug, Default)]
pub struct TokenChange {
    /// For people.
    pub name: Option<String>,
    /// Whether it may be used.
    pub active: Option<bool>,
}

/// A device with its gate.
#[derive(Clone, Serialize)]
pub struct PlacedDevice {
    /// As in the devices resource.
    #[serde(flatten)]
    pub device: wire::Device,
    /// Where it stands.
    pub gate: Option<wire::Gate>,
    /// What its code is good for.
    pub code: CodeState,
}

/// What an import came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ImportReport {
    /// The organizers themselves.
    pub organizers: Imported,
    /// Entrances.
    pub gates: Imported,
    /// Events, without their dates and lists.
    pub events: Imported,
    /// Dates of series.
    pub subevents: Imported,
    /// Check-in lists.
    pub checkin_lists: Imported,
    /// Teams.
    pub teams: Imported,
    /// Their tokens.
    pub tokens: Imported,
    /// Devices.
    pub devices: Imported,
}

/// What became of the things of one kind in an organizers file; the rest was there already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Imported {
    /// How many were created.
    pub created: u64,
    /// How many were changed.
    pub changed: u64,
    /// How many differ from the file in what an import does not change.
    pub left: u64,
}

impl Imported {
    /// Counts one of which this is known: whether it was created, and how many rows were changed.
    pub(super) fn count(&mut self, created: bool, rows_changed: u64) {
        match (created, rows_changed) {
            (true, _) => self.created += 1,
            (false, 0) => {}
            (false, _) => self.changed += 1,
        }
    }
}

/// A database that was restored from a backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Restoration {
    /// When the backup was taken, or the last that it knows of.
    #[serde(with = "wire::timestamp")]
    pub taken: Timestamp,
    /// When it was restored.
    #[serde(with = "wire::timestamp")]
    pub restored: Timestamp,
    /// When somebody said that it may be served.
    #[serde(with = "wire::timestamp::optional")]
    pub confirmed: Option<Timestamp>,
    /// What may have been undone, by the organizers' slugs.
    pub organizers: Vec<RestoredOrganizer>,
}

/// What of an organizer may have been undone when a backup was restored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RestoredOrganizer {
    /// Its slug.
    pub organizer: String,
    /// The number of its next device; those behind its last one may be known to scanners that were created since.
    pub next_device: u64,
    /// All devices that are not revoked: those with access first, and of these those to which something was done
    /// shortly before the backup.
    pub devices: Vec<RestoredDevice>,
    /// All tokens of teams that let somebody in.
    pub tokens: Vec<RestoredToken>,
}

/// A device that may have been revoked or enrolled since a backup, or have rolled its key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RestoredDevice {
    /// Its number.
    pub device_id: u64,
    /// How people call it.
    pub name: String,
    /// Its serial.
    pub unique_serial: String,
    /// Whether it was enrolled when the backup was taken. If not, its code was ended.
    pub initialized: bool,
    /// When something was last done to it before the backup, as its log has it.
    #[serde(with = "wire::timestamp::optional")]
    pub last_logged: Option<Timestamp>,
}

/// A team's token that may have been deactivated since a backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RestoredToken {
    /// The team.
    pub team: String,
    /// Its number.
    pub id: i64,
    /// What it is for.
    pub name: String,
    /// When it was made.
    #[serde(with = "wire::timestamp")]
    pub created: Timestamp,
}

/// Takes what is exported piece by piece, in the order of an organizers file.
pub trait ExportSink: Send {
    /// Begins an organizer, to which the devices belong that follow.
    fn organizer(&mut self, organizer: &OrganizerEntry) -> io::Result<()>;
    /// Adds a device.
    fn device(&mut self, device: &DeviceEntry) -> io::Result<()>;
    /// That was all.
    fn end(&mut self) -> io::Result<()>;
}

impl<L: FnMut(Option<&str>) -> io::Result<()> + Send> ExportSink for Writer<L> {
    fn organizer(&mut self, organizer: &OrganizerEntry) -> io::Result<()> {
        Self::organizer(self, organizer)
    }

    fn device(&mut self, device: &DeviceEntry) -> io::Result<()> {
        Self::device(self, device)
    }

    fn end(&mut self) -> io::Result<()> {
        Self::end(self)
    }
}

/// Setting a server up. Names refer to things of the organizer; what is not there is
/// [`StoreError::Unknown`], what is there already [`StoreError::Exists`].
#[async_trait]
pub trait Administration: FleetPage {
    /// All organizers, by slug.
    async fn organizers(&self) -> Result<Vec<OrganizerSummary>, StoreError>;
    /// The organizer with this slug.
    async fn organizer(&self, slug: &str) -> Result<Organizer, StoreError>;
    /// Creates an organizer.
    async fn create_organizer(&self, slug: &Slug, name: &str) -> Result<Organizer, StoreError>;
    /// Renames or deactivates an organizer.
    async fn change_organizer(&self, slug: &str, change: OrganizerChange)
    -> Result<(), StoreError>;

    /// The gates of an organizer with whether they are active, by identifier.
    async fn gates(&self, organizer: i64) -> Result<Vec<(wire::Gate, bool)>, StoreError>;
    /// Creates a gate.
    async fn create_gate(
        &self,
        organizer: i64,
        identifier: &str,
        name: &str,
    ) -> Result<wire::Gate, StoreError>;
    /// Renames or deactivates a gate.
    async fn change_gate(
        &self,
        organizer: i64,
        identifier: &str,
        change: GateChange,
    ) -> Result<(), StoreError>;

    /// The events of an organizer, by time.
    async fn events(&self, organizer: i64) -> Result<Vec<EventSummary>, StoreError>;
    /// Creates an event.
    async fn create_event(&self, organizer: i64, event: NewEvent) -> Result<(), StoreError>;
    /// Renames an event or takes it off sale.
    async fn change_event(
        &self,
        organizer: i64,
        slug: &str,
        change: EventChange,
    ) -> Result<(), StoreError>;

    /// The check-in lists of an organizer's events.
    async fn checkin_lists(&self, organizer: i64) -> Result<Vec<CheckinListSummary>, StoreError>;
    /// Makes a check-in list of an event; its number.
    async fn create_checkin_list(
        &self,
        organizer: i64,
        event: &str,
        list: NewCheckinList,
    ) -> Result<i64, StoreError>;
    /// Renames a check-in list, or puts it at gates.
    async fn change_checkin_list(
        &self,
        organizer: i64,
        list: i64,
        change: CheckinListChange,
    ) -> Result<(), StoreError>;

    /// The teams of an organizer, by name.
    async fn teams(&self, organizer: i64) -> Result<Vec<TeamSummary>, StoreError>;
    /// Creates a team without tokens.
    async fn create_team(
        &self,
        organizer: i64,
        name: &str,
        permissions: Permissions,
    ) -> Result<(), StoreError>;
    /// Renames or deactivates a team, or changes its permissions.
    async fn change_team(
        &self,
        organizer: i64,
        name: &str,
        change: TeamChange,
    ) -> Result<(), StoreError>;

    /// The tokens of a team, by age.
    async fn team_tokens(
        &self,
        organizer: i64,
        team: &str,
    ) -> Result<Vec<TokenSummary>, StoreError>;
    /// Makes a token for a team and tells it, which can't be done again.
    async fn create_team_token(
        &self,
        organizer: i64,
        team: &str,
        name: &str,
    ) -> Result<NewToken, StoreError>;
    /// Renames or deactivates a token of a team.
    async fn change_team_token(
        &self,
        organizer: i64,
        team: &str,
        token: i64,
        change: TokenChange,
    ) -> Result<(), StoreError>;

    /// All devices of an organizer with their gates, by number.
    async fn placed_devices(&self, organizer: i64) -> Result<Vec<PlacedDevice>, StoreError>;
    /// One device of an organizer with its gate.
    async fn placed_device(
        &self,
        organizer: i64,
        device_id: u64,
    ) -> Result<Option<PlacedDevice>, StoreError>;
    /// What was done to a device, oldest first.
    async fn device_log(
        &self,
        organizer: i64,
        device_id: u64,
    ) -> Result<Vec<LogEntry>, StoreError> {
        let log = self.log_page(organizer, device_id, 0, u64::MAX).await?;
        Ok(log.entries)
    }
    /// Ends the access of a device for good.
    async fn revoke_device(&self, organizer: i64, device_id: u64) -> Result<(), StoreError> {
        let actor = Actor::Administrator;
        let ended = self.end_access(actor, organizer, device_id, Terms::default());
        ended.await.map(drop)
    }
    /// Gives a device a new initialization token in place of the one that it has, if nobody has redeemed that; else
    /// that is [`StoreError::NotWaiting`].
    async fn renew_token(&self, organizer: i64, device_id: u64) -> Result<(), StoreError>;

    /// What was restored from a backup, if the database was, and what may have been undone by that.
    async fn restoration(&self) -> Result<Option<Restoration>, StoreError>;
    /// Lets a restored backup be served; whether one waited for that.
    async fn confirm_restoration(&self) -> Result<bool, StoreError>;

    /// Creates a device on the administrator's behalf.
    async fn add_device(
        &self,
        organizer: i64,
        device: NewDevice,
    ) -> Result<wire::Device, StoreError> {
        self.create_device(Actor::Administrator, organizer, device, Terms::default())
            .await
    }
    /// Changes a device on the administrator's behalf.
    async fn edit_device(
        &self,
        organizer: i64,
        device_id: u64,
        change: DeviceChange,
    ) -> Result<wire::Device, StoreError> {
        let (actor, terms) = (Actor::Administrator, Terms::default());
        let changed = self.change_device(actor, organizer, device_id, change, terms);
        Ok(changed.await?.device)
    }
    /// Gives a device a fresh initialization token on the administrator's behalf, as [`Store::reconnect`](super::Store::reconnect) does.
    async fn reconnect_device(
        &self,
        organizer: i64,
        device_id: u64,
        now: bool,
    ) -> Result<(), StoreError> {
        let (actor, terms) = (Actor::Administrator, Terms::default());
        match self
            .reconnect(actor, organizer, device_id, now, terms)
            .await?
        {
            Ok(_) => Ok(()),
            Err(NoReconnection::Revoked) => Err(StoreError::Revoked { device: device_id }),
        }
    }

    /// Adds how a device was at other times than when it reported here.
    async fn add_samples(
        &self,
        organizer: i64,
        device_id: u64,
        samples: Vec<Sample>,
    ) -> Result<(), StoreError>;

    /// Stores a pair of keys for NFC media.
    async fn create_medium_keys(&self, organizer: i64, keys: MediumKeys) -> Result<(), StoreError>;

    /// Brings in what an organizers file holds, wholly or not at all.
    ///
    /// Organizers, gates, events, dates, check-in lists, and devices that are known by key or serial,
    /// become as the file says. Teams, tokens and devices known by name alone are added if they are
    /// missing, and else left as they are: an import gives nobody access back that was taken. What
    /// the file does not name stays.
    async fn import(&self, file: OrganizersFile) -> Result<ImportReport, StoreError>;

    /// Tells all that an organizers file can hold, as it is at one time.
    async fn export(&self, sink: Box<dyn ExportSink>) -> Result<(), StoreError>;
}
