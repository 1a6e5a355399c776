//! Setting up and care, each operation in one transaction.

use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use jiff::Timestamp;

use super::Stored;
use crate::server::installation_keys::key_hash;
use crate::server::model::Permissions;
use crate::server::model::{Expected, MediumKeys, Organizer, Slug};
use crate::server::organizers_file::OrganizersFile;
use crate::server::store::administration::{
    Administration, CheckinListChange, CheckinListSummary, EventChange, EventSummary, ExportSink,
    GateChange, ImportReport, NewCheckinList, NewEvent, NewToken, OrganizerChange,
    OrganizerSummary, PlacedDevice, Restoration, TeamChange, TeamSummary, TokenChange,
    TokenSummary,
};
use crate::server::store::api::Actor;
use crate::server::store::driver::Driver;
use crate::server::store::error::StoreError;
use crate::server::store::fleet_page::Sample;
use crate::server::store::operations::{
    Context, checkin_lists, devices, events, export, import, organizers, reconnection, restoration,
    samples, teams,
};
use crate::server::store::session::Session;
use crate::server::store::terms::Terms;
use crate::server::tokens;
use crate::wire;

#[async_trait]
impl<D: Driver> Administration for Stored<D> {
    async fn organizers(&self) -> Result<Vec<OrganizerSummary>, StoreError> {
        self.read(organizers::all).await
    }

    async fn organizer(&self, slug: &str) -> Result<Organizer, StoreError> {
        let slug = slug.to_owned();
        self.read(move |session| organizers::find(session, &slug))
            .await
    }

    async fn create_organizer(&self, slug: &Slug, name: &str) -> Result<Organizer, StoreError> {
        let (slug, name) = (slug.clone(), name.to_owned());
        self.write(move |session| organizers::create(session, &slug, &name))
            .await
    }

    async fn change_organizer(
        &self,
        slug: &str,
        change: OrganizerChange,
    ) -> Result<(), StoreError> {
        let slug = slug.to_owned();
        self.write(move |session| organizers::change(session, &slug, &change))
            .await
    }

    async fn gates(&self, organizer: i64) -> Result<Vec<(wire::Gate, bool)>, StoreError> {
        self.read(move |session| organizers::gates(session, organizer))
            .await
    }

    async fn create_gate(
        &self,
        organizer: i64,
        identifier: &str,
        name: &str,
    ) -> Result<wire::Gate, StoreError> {
        let (identifier, name) = (identifier.to_owned(), name.to_owned());
        self.write(move |session| organizers::create_gate(session, organizer, &identifier, &name))
            .await
    }

    async fn change_gate(
        &self,
        organizer: i64,
        identifier: &str,
        change: GateChange,
    ) -> Result<(), StoreError> {
        let identifier = identifier.to_owned();
        self.write(move |session| organizers::change_gate(session, organizer, &identifier, &change))
            .await
    }

    async fn events(&self, organizer: i64) -> Result<Vec<EventSummary>, StoreError> {
        self.read(move |session| events::all(session, organizer))
            .await
    }

    async fn create_event(&self, organizer: i64, event: NewEvent) -> Result<(), StoreError> {
        self.write(move |session| events::create(session, organizer, &event))
            .await
    }

    async fn change_event(
        &self,
        organizer: i64,
        slug: &str,
        change: EventChange,
    ) -> Result<(), StoreError> {
        let slug = slug.to_owned();
        self.write(move |session| events::change(session, organizer, &slug, &change))
            .await
    }

    async fn checkin_lists(&self, organizer: i64) -> Result<Vec<CheckinListSummary>, StoreError> {
        self.read(move |session| checkin_lists::all(session, organizer))
            .await
    }

    async fn create_checkin_list(
        &self,
        organizer: i64,
        event: &str,
        list: NewCheckinList,
    ) -> Result<i64, StoreError> {
        let event = event.to_owned();
        self.write(move |session| checkin_lists::create(session, organizer, &event, &list))
            .await
    }

    async fn change_checkin_list(
        &self,
        organizer: i64,
        list: i64,
        change: CheckinListChange,
    ) -> Result<(), StoreError> {
        self.write(move |session| checkin_lists::change(session, organizer, list, &change))
            .await
    }

    async fn teams(&self, organizer: i64) -> Result<Vec<TeamSummary>, StoreError> {
        self.read(move |session| teams::all(session, organizer))
            .await
    }

    async fn create_team(
        &self,
        organizer: i64,
        name: &str,
        permissions: Permissions,
    ) -> Result<(), StoreError> {
        let name = name.to_owned();
        self.write(move |session| {
            teams::create(session, organizer, &name, &permissions, true).map(drop)
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
        self.write(move |session| teams::change(session, organizer, &name, &change))
            .await
    }

    async fn team_tokens(
        &self,
        organizer: i64,
        team: &str,
    ) -> Result<Vec<TokenSummary>, StoreError> {
        let team = team.to_owned();
        self.read(move |session| teams::tokens(session, organizer, &team))
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
            .write(move |session| teams::create_token(session, organizer, &team, &name, &hash))
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
        self.write(move |session| teams::change_token(session, organizer, &team, token, &change))
            .await
    }

    async fn placed_devices(&self, organizer: i64) -> Result<Vec<PlacedDevice>, StoreError> {
        let keys = self.keys();
        self.read(move |session| devices::placed(session, &keys, organizer))
            .await
    }

    async fn placed_device(
        &self,
        organizer: i64,
        device_id: u64,
    ) -> Result<Option<PlacedDevice>, StoreError> {
        let keys = self.keys();
        self.read(move |session| devices::placed_one(session, &keys, organizer, device_id))
            .await
    }

    async fn renew_token(&self, organizer: i64, device_id: u64) -> Result<(), StoreError> {
        self.change(
            Actor::Administrator,
            Terms::default(),
            move |session, context| reconnection::renew(session, context, organizer, device_id),
        )
        .await
    }

    async fn restoration(&self) -> Result<Option<Restoration>, StoreError> {
        self.read(restoration::found).await
    }

    async fn confirm_restoration(&self) -> Result<bool, StoreError> {
        self.write(|session| restoration::confirm(session, Timestamp::now()))
            .await
    }

    async fn add_samples(
        &self,
        organizer: i64,
        device_id: u64,
        samples: Vec<Sample>,
    ) -> Result<(), StoreError> {
        self.write(move |session| samples::add(session, organizer, device_id, &samples))
            .await
    }

    async fn create_medium_keys(&self, organizer: i64, keys: MediumKeys) -> Result<(), StoreError> {
        let installation = self.keys();
        self.write(move |session| {
            organizers::create_medium_keys(session, &installation, organizer, &keys)
        })
        .await
    }

    async fn import(&self, file: OrganizersFile) -> Result<ImportReport, StoreError> {
        let keys = self.keys();
        let import = move |session: &mut dyn Session| {
            let context = Context {
                actor: Actor::Administrator,
                now: Timestamp::now(),
                keys: &keys,
                expected: Expected::ANYTHING,
            };
            import::import(session, &context, &file)
        };
        self.driver.write_much(import).await
    }

    async fn export(&self, sink: Box<dyn ExportSink>) -> Result<(), StoreError> {
        let sink = Mutex::new(sink);
        self.read(move |session| {
            let mut sink = sink.lock().unwrap_or_else(PoisonError::into_inner);
            export::export(session, &mut **sink)
        })
        .await
    }
}
