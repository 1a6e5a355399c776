//! Setting up and care, each operation in one transaction.

use async_trait::async_trait;

use super::{SqliteStore, devices, events, import, log, organizers, teams};
use crate::server::installation_keys::key_hash;
use crate::server::organizers_file::{OrganizersFile, Permissions};
use crate::server::store::{
    Actor, Administration, Event, EventChange, GateChange, ImportReport, LogEntry, MediumKeys,
    NewToken, Organizer, OrganizerChange, OrganizerSummary, PlacedDevice, StoreError, TeamChange,
    TeamSummary, Terms, TokenChange, TokenSummary,
};
use crate::server::tokens;
use crate::wire;

#[async_trait]
impl Administration for SqliteStore {
    async fn organizers(&self) -> Result<Vec<OrganizerSummary>, StoreError> {
        self.readers.read(organizers::all).await
    }

    async fn organizer(&self, slug: &str) -> Result<Organizer, StoreError> {
        let slug = slug.to_owned();
        self.readers
            .read(move |connection| organizers::find(connection, &slug))
            .await
    }

    async fn create_organizer(&self, slug: &str, name: &str) -> Result<Organizer, StoreError> {
        let (slug, name) = (slug.to_owned(), name.to_owned());
        self.write(move |connection| organizers::create(connection, &slug, &name))
            .await
    }

    async fn change_organizer(
        &self,
        slug: &str,
        change: OrganizerChange,
    ) -> Result<(), StoreError> {
        let slug = slug.to_owned();
        self.write(move |connection| organizers::change(connection, &slug, &change))
            .await
    }

    async fn gates(&self, organizer: i64) -> Result<Vec<(wire::Gate, bool)>, StoreError> {
        self.readers
            .read(move |connection| organizers::gates(connection, organizer))
            .await
    }

    async fn create_gate(
        &self,
        organizer: i64,
        identifier: &str,
        name: &str,
    ) -> Result<wire::Gate, StoreError> {
        let (identifier, name) = (identifier.to_owned(), name.to_owned());
        self.write(move |connection| {
            organizers::create_gate(connection, organizer, &identifier, &name)
        })
        .await
    }

    async fn change_gate(
        &self,
        organizer: i64,
        identifier: &str,
        change: GateChange,
    ) -> Result<(), StoreError> {
        let identifier = identifier.to_owned();
        self.write(move |connection| {
            organizers::change_gate(connection, organizer, &identifier, &change)
        })
        .await
    }

    async fn events(&self, organizer: i64) -> Result<Vec<Event>, StoreError> {
        self.readers
            .read(move |connection| events::all(connection, organizer))
            .await
    }

    async fn create_event(&self, organizer: i64, event: Event) -> Result<(), StoreError> {
        self.write(move |connection| events::create(connection, organizer, &event))
            .await
    }

    async fn change_event(
        &self,
        organizer: i64,
        slug: &str,
        change: EventChange,
    ) -> Result<(), StoreError> {
        let slug = slug.to_owned();
        self.write(move |connection| events::change(connection, organizer, &slug, &change))
            .await
    }

    async fn teams(&self, organizer: i64) -> Result<Vec<TeamSummary>, StoreError> {
        self.readers
            .read(move |connection| teams::all(connection, organizer))
            .await
    }

    async fn create_team(
        &self,
        organizer: i64,
        name: &str,
        permissions: Permissions,
    ) -> Result<(), StoreError> {
        let name = name.to_owned();
        self.write(move |connection| {
            teams::create(connection, organizer, &name, &permissions).map(|_| ())
        })
        .await
    }

    async fn change_team(
        &self,
        organizer: i64,
        name: &str,
        change: TeamChange,
    ) -> Result<(), StoreError> {
        let name = name.to_owned();
        self.write(move |connection| teams::change(connection, organizer, &name, &change))
            .await
    }

    async fn team_tokens(
        &self,
        organizer: i64,
        team: &str,
    ) -> Result<Vec<TokenSummary>, StoreError> {
        let team = team.to_owned();
        self.readers
            .read(move |connection| teams::tokens(connection, organizer, &team))
            .await
    }

    async fn create_team_token(
        &self,
        organizer: i64,
        team: &str,
        name: &str,
    ) -> Result<NewToken, StoreError> {
        let (team, name) = (team.to_owned(), name.to_owned());
        let token = tokens::api_key()?;
        let hash = key_hash(&token);
        let id = self
            .write(move |connection| {
                let team = teams::row_of(connection, organizer, &team)?;
                teams::add_token(connection, team, &name, &hash, true)?;
                Ok(connection.last_insert_rowid())
            })
            .await?;
        Ok(NewToken { id, token })
    }

    async fn change_team_token(
        &self,
        organizer: i64,
        team: &str,
        token: i64,
        change: TokenChange,
    ) -> Result<(), StoreError> {
        let team = team.to_owned();
        self.write(move |connection| {
            teams::change_token(connection, organizer, &team, token, &change)
        })
        .await
    }

    async fn placed_devices(&self, organizer: i64) -> Result<Vec<PlacedDevice>, StoreError> {
        let keys = self.keys();
        self.readers
            .read(move |connection| devices::placed(connection, &keys, organizer, 0, u64::MAX))
            .await
    }

    async fn placed_device(
        &self,
        organizer: i64,
        device_id: u64,
    ) -> Result<Option<PlacedDevice>, StoreError> {
        let Some(skip) = device_id.checked_sub(1) else {
            return Ok(None);
        };
        let keys = self.keys();
        let mut found = self
            .readers
            .read(move |connection| devices::placed(connection, &keys, organizer, skip, 1))
            .await?;
        Ok(found.pop())
    }

    async fn device_log(
        &self,
        organizer: i64,
        device_id: u64,
    ) -> Result<Vec<LogEntry>, StoreError> {
        self.readers
            .read(move |connection| log::of_device(connection, organizer, device_id))
            .await
    }

    async fn revoke_device(&self, organizer: i64, device_id: u64) -> Result<(), StoreError> {
        self.change(
            Actor::Administrator,
            Terms::default(),
            move |connection, context| {
                let row = devices::row_of(connection, organizer, device_id)?;
                devices::revoke(connection, context, row)
            },
        )
        .await
    }

    async fn create_medium_keys(&self, organizer: i64, keys: MediumKeys) -> Result<(), StoreError> {
        let installation = self.keys();
        self.write(move |connection| {
            organizers::create_medium_keys(connection, &installation, organizer, &keys)
        })
        .await
    }

    async fn import(&self, file: OrganizersFile) -> Result<ImportReport, StoreError> {
        self.change(
            Actor::Administrator,
            Terms::default(),
            move |connection, context| import::import(connection, context, &file),
        )
        .await
    }
}
