//! Sessions and links of the page, and what can be chosen from there.

use async_trait::async_trait;
use jiff::Timestamp;

use super::Stored;
use crate::secret::Secret;
use crate::server::installation_keys::key_hash;
use crate::server::store::driver::Driver;
use crate::server::store::error::StoreError;
use crate::server::store::fleet_page::{Choices, FleetPage, LinkRefusal, SessionCaller};
use crate::server::store::operations::{devices, events, organizers, web_sessions};

#[async_trait]
impl<D: Driver> FleetPage for Stored<D> {
    async fn session_caller(
        &self,
        session: &Secret,
        now: Timestamp,
    ) -> Result<Option<SessionCaller>, StoreError> {
        let hash = key_hash(session);
        self.look(move |session| web_sessions::caller(session, &hash, now))
            .await
    }

    async fn begin_session(
        &self,
        token: i64,
        session: &Secret,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let hash = key_hash(session);
        self.write(move |session| web_sessions::begin(session, token, &hash, now))
            .await
    }

    async fn extend_session(&self, session: &Secret, expires: Timestamp) -> Result<(), StoreError> {
        let hash = key_hash(session);
        self.write(move |session| web_sessions::extend(session, &hash, expires))
            .await
    }

    async fn end_session(&self, session: &Secret) -> Result<(), StoreError> {
        let hash = key_hash(session);
        self.write(move |session| web_sessions::end(session, &hash))
            .await
    }

    async fn end_sessions(&self, token: i64) -> Result<(), StoreError> {
        self.write(move |session| web_sessions::end_all(session, token))
            .await
    }

    async fn create_login_link(
        &self,
        organizer: i64,
        team: &str,
        token: i64,
        link: &Secret,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let (team, hash) = (team.to_owned(), key_hash(link));
        self.write(move |session| {
            web_sessions::create_link(session, organizer, &team, token, &hash, now)
        })
        .await
    }

    async fn look_at_login_link(
        &self,
        link: &Secret,
        now: Timestamp,
    ) -> Result<Result<(), LinkRefusal>, StoreError> {
        let hash = key_hash(link);
        self.look(move |session| {
            let link = web_sessions::link(session, &hash, now)?;
            Ok(link.map(drop))
        })
        .await
    }

    async fn redeem_login_link(
        &self,
        link: &Secret,
        session: &Secret,
        now: Timestamp,
    ) -> Result<Result<(), LinkRefusal>, StoreError> {
        let (link, hash) = (key_hash(link), key_hash(session));
        self.write(move |session| web_sessions::redeem(session, &link, &hash, now))
            .await
    }

    async fn choices(&self, organizer: i64) -> Result<Choices, StoreError> {
        self.read(move |session| {
            let gates = organizers::gates(session, organizer)?.into_iter();
            let events = events::all(session, organizer)?.into_iter();
            Ok(Choices {
                gates: gates
                    .filter(|(_, active)| *active)
                    .map(|(gate, _)| gate)
                    .collect(),
                events: events.map(|event| (event.slug, event.name)).collect(),
                software: devices::software(session, organizer)?,
            })
        })
        .await
    }
}
